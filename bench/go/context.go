package main

import (
	"context"
	"sync"
	"time"
)

// The cancelling alone, for each child.
func contextCancel1000() int {
	const children = 1000
	rounds := times(1000)
	for i := 0; i < rounds; i++ {
		stopClock()
		parent, cancel := context.WithCancel(context.Background())
		for j := 0; j < children; j++ {
			_, cancelChild := context.WithCancel(parent)
			_ = cancelChild
		}
		startClock()
		cancel()
	}
	return rounds * children
}

const wide, deep = 8, 4

func grow(parent context.Context, depth int, ready, gone *sync.WaitGroup) {
	ctx, cancel := context.WithCancel(parent)
	_ = cancel
	if depth > 0 {
		for i := 0; i < wide; i++ {
			go grow(ctx, depth-1, ready, gone)
		}
	}
	ready.Done()
	<-ctx.Done()
	gone.Done()
}

// A goroutine waits for each context of a tree.
func contextTree() int {
	size, level := 0, 1
	for depth := 0; depth <= deep; depth++ {
		size += level
		level *= wide
	}
	rounds := times(50)
	for i := 0; i < rounds; i++ {
		var ready, gone sync.WaitGroup
		stopClock()
		root, cancel := context.WithCancel(context.Background())
		ready.Add(size)
		gone.Add(size)
		go grow(root, deep, &ready, &gone)
		ready.Wait()
		startClock()
		cancel()
		gone.Wait()
	}
	return rounds * size
}

func contextValueDepth10() int {
	n, found := times(20000000), 0
	var keys [10]int
	ctx := context.Background()
	for i := range keys {
		ctx = context.WithValue(ctx, &keys[i], &keys[i])
	}
	for i := 0; i < n; i++ {
		if ctx.Value(&keys[0]) != nil {
			found++
		}
	}
	check(found == n)
	return n
}

func withTimeoutStop() int {
	n := times(2000000)
	for i := 0; i < n; i++ {
		_, cancel := context.WithTimeout(context.Background(), time.Hour)
		cancel()
	}
	return n
}

var contextRows = []row{
	{"context_cancel_1000", contextCancel1000, nil},
	{"context_tree", contextTree, nil},
	{"context_value_depth10", contextValueDepth10, nil},
	{"with_timeout_stop", withTimeoutStop, nil},
}
