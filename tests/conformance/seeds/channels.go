package main

import (
	"fmt"
	"time"
)

func main() {
	done := make(chan struct{}, 2)

	go func() {
		defer func() { done <- struct{}{} }()
		run(1, "A")
	}()

	go func() {
		defer func() { done <- struct{}{} }()
		run(5, "B")
	}()

	for i := 0; i < 2; i++ {
		<-done
	}
}

func run(iter int, name string) {
	for i := 0; i < iter; i++ {
		time.Sleep(time.Second)
		fmt.Println(name)
	}
}
