package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

func main() {
	which := "large"
	if len(os.Args) > 1 {
		which = os.Args[1]
	}
	var wg sync.WaitGroup
	if which == "large" {
		wg.Add(3)
	} else {
		wg.Add(1)
	}
	go func() {
		defer wg.Done()
		run(1, "A")
	}()
	go func() {
		defer wg.Done()
		run(5, "B")
	}()
	wg.Wait()
	if which == "negative" {
		run(10, "main")
	}
}

func run(iter int, name string) {
	for i := 0; i < iter; i++ {
		time.Sleep(time.Second)
		fmt.Println(name)
	}
}
