// The benchmarks of ../c, in Go, by the same names: whoever changes one changes the other.
// Without arguments it lists the names. `bench NAME [PART]` prints the figure of one, with the number
// of operations divided by PART.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

type row struct {
	name    string
	run     func() int     // does the work and returns the number of operations, or …
	measure func() float64 // … returns the figure itself
}

var tables = [][]row{
	schedRows, chanRows, selectRows, syncRows, timeRows, contextRows, panicRows, parallelRows,
	memoryRows, goChanRows, goProcRows, goSyncRows, goMapRows, ioRows,
}

var (
	part      = 1
	stopped   time.Time
	uncounted time.Duration
	wg        sync.WaitGroup
)

// What lies between is not measured.
func stopClock()  { stopped = time.Now() }
func startClock() { uncounted += time.Since(stopped) }

// n, or a small part of it (at least 1) where the run is only to show that the program works.
func times(n int) int {
	if n/part > 0 {
		return n / part
	}
	return 1
}

// Whether this run is a measurement.
func whole() bool { return part == 1 }

// So many steps of arithmetic, each waiting for the one before.
//
//go:noinline
func work(steps int) uint64 {
	x := uint64(steps)
	for i := 0; i < steps; i++ {
		x = x*6364136223846793005 + 1
	}
	return x
}

// Ends the program where the work did not give what it should.
func check(right bool) {
	if !right {
		panic("the benchmark's work went wrong")
	}
}

// Runs body(share of n) in `each` goroutines a processor, waits, and returns n.
func inParallel(each, n int, body func(n int)) int {
	var wg sync.WaitGroup
	goroutines := each * runtime.GOMAXPROCS(0)
	ofEach := n / goroutines
	if ofEach == 0 {
		ofEach = 1
	}
	wg.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go func() {
			body(ofEach)
			wg.Done()
		}()
	}
	wg.Wait()
	return ofEach * goroutines
}

func (r row) print() {
	if r.measure != nil {
		fmt.Printf("%.2f\n", r.measure())
		return
	}
	start := time.Now()
	n := r.run()
	fmt.Printf("%.2f\n", float64((time.Since(start)-uncounted).Nanoseconds())/float64(n))
}

func main() {
	if len(os.Args) > 2 {
		part, _ = strconv.Atoi(os.Args[2])
	}
	for _, rows := range tables {
		for _, r := range rows {
			if len(os.Args) < 2 {
				fmt.Println(r.name)
			} else if os.Args[1] == r.name {
				r.print()
				return
			}
		}
	}
	if len(os.Args) > 1 {
		os.Exit(3)
	}
}
