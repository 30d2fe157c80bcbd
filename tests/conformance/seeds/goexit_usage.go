package main

import (
	"fmt"
	"runtime"
)

func main() {
	go func() {
		defer fmt.Println("Deferred function in goroutine")
		fmt.Println("About to exit goroutine")
		runtime.Goexit()
		fmt.Println("This line will not be reached")
	}()

	runtime.Gosched() // Give the goroutine a chance to run
}
