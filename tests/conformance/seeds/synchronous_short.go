package main

import (
	"fmt"
	"time"
)

func main() {
	go run(5, "A")
	run(1, "B")
}

func run(iter int, name string) {
	for i := 0; i < iter; i++ {
		time.Sleep(time.Second)
		fmt.Println(name)
	}
}
