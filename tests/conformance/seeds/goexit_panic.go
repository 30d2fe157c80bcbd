package main

import (
	"fmt"
	"runtime"
	"time"
)

func main() {
	go func() {
		run(1, "A")
		panic("something went wrong")
	}()
	go run(5, "B")

	runtime.Goexit()
}

func run(iter int, name string) {
	for i := 0; i < iter; i++ {
		time.Sleep(time.Second)
		fmt.Println(name)
	}
}
