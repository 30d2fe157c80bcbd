package main

import "fmt"

func count(n int, out chan<- int) {
	defer close(out)
	for i := 1; i <= n; i++ {
		out <- i
	}
}

func square(in <-chan int, out chan<- int) {
	defer close(out)
	for v := range in {
		out <- v * v
	}
}

func main() {
	numbers, squares := make(chan int), make(chan int)
	go count(4, numbers)
	go square(numbers, squares)
	for v := range squares {
		fmt.Println(v)
	}
}
