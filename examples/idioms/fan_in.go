package main

import (
	"fmt"
	"sync"
)

func produce(from, to int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for v := from; v < to; v++ {
			out <- v
		}
	}()
	return out
}

func merge(inputs ...<-chan int) <-chan int {
	out := make(chan int)
	var wg sync.WaitGroup
	for _, in := range inputs {
		wg.Go(func() {
			for v := range in {
				out <- v
			}
		})
	}
	go func() {
		wg.Wait()
		close(out)
	}()
	return out
}

func main() {
	values, sum := 0, 0
	for v := range merge(produce(0, 10), produce(10, 20), produce(20, 30)) {
		values++
		sum += v
	}
	fmt.Println(values, "values, sum", sum)
}
