package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	receives := 3
	if len(os.Args) > 1 && os.Args[1] == "few" {
		receives = 1
	}
	done := make(chan struct{}, 2)

	go func() {
		defer func() { done <- struct{}{} }()
		run(1, "A")
	}()

	go func() {
		defer func() { done <- struct{}{} }()
		run(5, "B")
	}()

	for i := 0; i < receives; i++ {
		<-done
	}
}

func run(iter int, name string) {
	for i := 0; i < iter; i++ {
		time.Sleep(time.Second)
		fmt.Println(name)
	}
}
