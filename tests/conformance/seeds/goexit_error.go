package main

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	errors := make(chan string, 1)
	wg.Add(2)
	go worker(&wg, errors, -1)
	go worker(&wg, errors, 7)
	wg.Wait()
	fmt.Println("error:", <-errors)
}

func worker(wg *sync.WaitGroup, errors chan string, input int) {
	defer wg.Done()
	check(errors, input)
	fmt.Println("worked on", input)
}

func check(errors chan string, input int) {
	if input < 0 {
		errors <- "negative input"
		runtime.Goexit()
	}
}
