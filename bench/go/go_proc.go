package main

import (
	"runtime"
	"sync"
	"syscall"
	"time"
)

func pingPongHog() int {
	n := times(500000)
	procs := runtime.GOMAXPROCS(1)
	ping, pong, stop := make(chan int), make(chan int), make(chan struct{})
	wg.Add(3)
	go func() {
		for {
			select {
			case <-stop:
				wg.Done()
				return
			default:
			}
		}
	}()
	go func() {
		for i := 0; i < n; i++ {
			pong <- <-ping
		}
		close(stop)
		wg.Done()
	}()
	go func() {
		for i := 0; i < n; i++ {
			ping <- <-pong
		}
		wg.Done()
	}()
	ping <- 1
	<-stop
	stopClock()
	<-ping
	wg.Wait()
	runtime.GOMAXPROCS(procs)
	startClock()
	return n
}

func startsNext(n int) {
	if n == 0 {
		wg.Done()
	} else {
		go startsNext(n - 1)
	}
}

func createBy(goroutines int) int {
	n := times(1000000) / goroutines
	wg.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go startsNext(n)
	}
	wg.Wait()
	return n * goroutines
}

func createGoroutinesCapture() int {
	const atOnce = 4
	n := times(300000)
	for i := 0; i < n; i++ {
		var wg sync.WaitGroup
		wg.Add(atOnce)
		for j := 0; j < atOnce; j++ {
			j := j
			go func() {
				check(j < atOnce)
				wg.Done()
			}()
		}
		wg.Wait()
	}
	return n
}

func createGoroutinesSingle() int {
	n := times(500000)
	wg.Add(n)
	for i := 0; i < n; i++ {
		go nothing()
	}
	wg.Wait()
	return n
}

func spin(d time.Duration) {
	start := time.Now()
	for time.Since(start) < d {
	}
}

func sleepInKernel(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&t, nil)
}

func wakeup(n int, pass func(time.Duration), delay time.Duration) int {
	const more = 5 * time.Microsecond
	a, b := make(chan struct{}), make(chan struct{})
	wg.Add(2)
	go func() {
		for i := 0; i < n; i++ {
			pass(delay + more)
			a <- struct{}{}
			pass(delay)
			<-b
		}
		wg.Done()
	}()
	go func() {
		for i := 0; i < n; i++ {
			pass(delay)
			<-a
			pass(delay + more)
			b <- struct{}{}
		}
		wg.Done()
	}()
	wg.Wait()
	return n
}

const matrixSide, small = 128, 8

var ma, mb, mc [matrixSide][matrixSide]float64

// Halves the longest of the three ranges; sums over k stay in one goroutine.
func halve(i0, i1, j0, j1, k0, k1 int, up chan struct{}) {
	di, dj, dk := i1-i0, j1-j0, k1-k0
	if dk >= small && dk > di && dk > dj {
		middle := k0 + dk/2
		halve(i0, i1, j0, j1, k0, middle, nil)
		halve(i0, i1, j0, j1, middle, k1, nil)
	} else if di >= small || dj >= small {
		other := make(chan struct{}, 1)
		if di >= dj {
			go halve(i0, i0+di/2, j0, j1, k0, k1, other)
			halve(i0+di/2, i1, j0, j1, k0, k1, nil)
		} else {
			go halve(i0, i1, j0, j0+dj/2, k0, k1, other)
			halve(i0, i1, j0+dj/2, j1, k0, k1, nil)
		}
		<-other
	} else {
		for i := i0; i < i1; i++ {
			for j := j0; j < j1; j++ {
				for k := k0; k < k1; k++ {
					mc[i][j] += ma[i][k] * mb[k][j]
				}
			}
		}
	}
	if up != nil {
		up <- struct{}{}
	}
}

func matmult() int {
	n := times(20)
	for i := range ma {
		for j := range ma[i] {
			ma[i][j] = float64(i*matrixSide + j)
			mb[i][j] = ma[i][j]
		}
	}
	for i := 0; i < n; i++ {
		halve(0, matrixSide, 0, matrixSide, 0, matrixSide, nil)
	}
	return n * matrixSide * matrixSide * matrixSide
}

var goProcRows = []row{
	{"go/PingPongHog", pingPongHog, nil},
	{"go/CreateGoroutines", func() int { return createBy(1) }, nil},
	{"go/CreateGoroutinesParallel", func() int { return createBy(runtime.GOMAXPROCS(0)) }, nil},
	{"go/CreateGoroutinesCapture", createGoroutinesCapture, nil},
	{"go/CreateGoroutinesSingle", createGoroutinesSingle, nil},
	{"go/WakeupParallelSpinning/0s", func() int { return wakeup(times(20000), spin, 0) }, nil},
	{"go/WakeupParallelSpinning/10µs",
		func() int { return wakeup(times(5000), spin, 10*time.Microsecond) }, nil},
	{"go/WakeupParallelSpinning/100µs",
		func() int { return wakeup(times(500), spin, 100*time.Microsecond) }, nil},
	{"go/WakeupParallelSyscall/0s", func() int { return wakeup(times(1000), sleepInKernel, 0) }, nil},
	{"go/WakeupParallelSyscall/100µs",
		func() int { return wakeup(times(500), sleepInKernel, 100*time.Microsecond) }, nil},
	{"go/Matmult", matmult, nil},
}
