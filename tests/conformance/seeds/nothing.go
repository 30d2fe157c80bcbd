// Both loops are goroutines and main returns at once. The document prints the listing of
// synchronous.go here, by mistake; this is the program that it describes.
package main

import (
	"fmt"
	"time"
)

func main() {
	go run(1, "A")
	go run(5, "B")
}

func run(iter int, name string) {
	for i := 0; i < iter; i++ {
		time.Sleep(time.Second)
		fmt.Println(name)
	}
}
