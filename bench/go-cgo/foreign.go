// The row foreign_call of ../c/panic.c, through cgo. A program of its own: cgo brings threads and
// start-up of its own to whoever imports it.
package main

/*
static __attribute__((noinline)) long foreign(long v) { return v + 1; }
*/
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Println("foreign_call")
		return
	}
	n := 5000000
	if len(os.Args) > 2 {
		part, _ := strconv.Atoi(os.Args[2])
		n /= part
	}
	start := time.Now()
	var v C.long
	for i := 0; i < n; i++ {
		v = C.foreign(v)
	}
	if int(v) != n {
		panic("the benchmark's work went wrong")
	}
	fmt.Printf("%.2f\n", float64(time.Since(start).Nanoseconds())/float64(n))
}
