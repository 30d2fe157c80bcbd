package main

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	wg.Add(3)
	go worker(&wg, 1)
	go worker(&wg, 2)
	go worker(&wg, 3)
	wg.Wait()
}

func worker(wg *sync.WaitGroup, number int) {
	defer wg.Done()
	for round := 1; round <= 2; round++ {
		fmt.Println("worker", number, "round", round)
		if number == 2 {
			runtime.Goexit()
		}
		runtime.Gosched()
	}
}
