package main

import (
	"fmt"
	"time"
)

const interval = 5 * time.Millisecond

// refill lets a request through every interval; two may be saved up.
func refill(tokens chan<- struct{}) {
	for range time.Tick(interval) {
		tokens <- struct{}{}
	}
}

func main() {
	tokens := make(chan struct{}, 2)
	tokens <- struct{}{}
	tokens <- struct{}{}
	start := time.Now()
	go refill(tokens)
	for request := 1; request <= 5; request++ {
		<-tokens
		fmt.Println("request", request)
	}
	fmt.Println("two at once, three one by one:", time.Since(start) >= 3*interval)
}
