package main

import (
	"fmt"
	"time"
)

func main() {
	go run(1, "A")
	run(5, "B")
}

func run(iter int, name string) {
	for i := 0; i < iter; i++ {
		time.Sleep(time.Second)
		fmt.Println(name)
	}
}
