package main

import (
	"fmt"
	"sync"
)

func work(jobs <-chan int, results chan<- int) {
	for n := range jobs {
		results <- n * n
	}
}

func main() {
	jobs, results := make(chan int), make(chan int)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() { work(jobs, results) })
	}
	go func() {
		for n := 1; n <= 10; n++ {
			jobs <- n
		}
		close(jobs)
		workers.Wait()
		close(results)
	}()
	sum := 0
	for r := range results {
		sum += r
	}
	fmt.Println(sum)
}
