package main

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	go run(1, "A")
	go run(5, "B")

	runtime.Goexit()
}

func run(iter int, name string) {
	for i := 0; i < iter; i++ {
		time.Sleep(time.Second)
		fmt.Println(name)
	}
}
