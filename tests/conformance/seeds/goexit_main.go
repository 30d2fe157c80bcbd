package main

import (
	"fmt"
	"runtime"
)

func main() {
	defer fmt.Println("main's deferred call")
	go others()
	runtime.Goexit()
}

func others() {
	for i := 1; i <= 3; i++ {
		fmt.Println("other goroutine:", i)
		runtime.Gosched()
	}
}
