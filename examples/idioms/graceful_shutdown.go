package main

import (
	"context"
	"fmt"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func work(ctx context.Context, jobs <-chan int, done *int) {
	for {
		select {
		case <-jobs:
			*done++
		case <-ctx.Done():
			return
		}
	}
}

func feed(jobs chan<- int) {
	for job := 1; job <= 3; job++ {
		jobs <- job
	}
	syscall.Kill(syscall.Getpid(), syscall.SIGTERM) // in life: an operator
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	jobs, done := make(chan int), 0
	var workers sync.WaitGroup
	workers.Go(func() { work(ctx, jobs, &done) })
	go feed(jobs)

	<-ctx.Done()
	fmt.Println("stopping")
	stopped := make(chan struct{})
	go func() {
		workers.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
		fmt.Println(done, "jobs done")
	case <-time.After(time.Minute):
		fmt.Println("a worker does not stop")
	}
}
