package main

import (
	"fmt"
	"runtime"
)

//go:noinline
func inner(c chan int) { fmt.Println(<-c) }

//go:noinline
func outer(c chan int) {
	inner(c)
	fmt.Println("never")
}

//go:noinline
func worker(a, b chan int) {
	select {
	case <-a:
	case b <- 1:
	}
	fmt.Println("never")
}

//go:noinline
func locked(c chan int) {
	runtime.LockOSThread()
	outer(c)
	fmt.Println("never")
}

//go:noinline
func begin(c chan int) {
	go worker(make(chan int), make(chan int))
	go locked(c)
	runtime.Gosched()
}

//go:noinline
func fails(depth int) {
	if depth == 0 {
		panic("deep")
	}
	fails(depth - 1)
	fmt.Println("never")
}

//go:noinline
func prepare() { go fails(1) }

func init() {
	src := "runtime/traceback.go"
	add("dump_of_a_deadlock", src, func() {
		c := make(chan int)
		begin(make(chan int))
		outer(c)
	})
	add("dump_of_a_panic", src, func() { fails(2) })
	add("dump_of_a_deep_panic", src, func() { fails(200) })
	add("dump_of_a_goroutines_panic", src, func() {
		prepare()
		<-make(chan int)
	})
}
