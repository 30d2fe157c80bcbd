package main

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	wg.Add(1)
	go worker(&wg)
	wg.Wait()
	fmt.Println("done")
}

func worker(wg *sync.WaitGroup) {
	defer wg.Done()
	defer fmt.Println("resources released")
	for i := 1; ; i++ {
		step(i)
	}
}

func step(number int) {
	if number == 3 {
		fmt.Println("nothing left to do")
		runtime.Goexit()
	}
	fmt.Println("step", number)
}
