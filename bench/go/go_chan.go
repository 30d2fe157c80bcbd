package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const localWork, calls = 100, 1000

func makeChan[T any]() int {
	n := times(3000000)
	var c chan T
	for i := 0; i < n; i++ {
		c = make(chan T, 8)
	}
	close(c)
	return n
}

func chanNonblocking() int {
	c := make(chan int)
	return inParallel(1, times(20000000), func(n int) {
		for i := 0; i < n; i++ {
			select {
			case <-c:
			default:
			}
		}
	})
}

// A value between two channels with room for one.
func backAndForth(a, b chan int, n int) {
	a <- 0
	for i := 0; i < n; i++ {
		select {
		case <-a:
			b <- 0
		case <-b:
			a <- 0
		}
	}
}

func selectUncontended() int {
	return inParallel(1, times(3000000), func(n int) {
		backAndForth(make(chan int, 1), make(chan int, 1), n)
	})
}

func selectSyncContended() int {
	a, b, c, done := make(chan int), make(chan int), make(chan int), make(chan struct{})
	n := inParallel(1, times(500000), func(n int) {
		go func() {
			for {
				select {
				case a <- 0:
				case b <- 0:
				case c <- 0:
				case <-done:
					return
				}
			}
		}()
		for i := 0; i < n; i++ {
			select {
			case <-a:
			case <-b:
			case <-c:
			}
		}
	})
	close(done)
	return n
}

func selectAsyncContended() int {
	procs := runtime.GOMAXPROCS(0)
	a, b := make(chan int, procs), make(chan int, procs)
	return inParallel(1, times(3000000), func(n int) { backAndForth(a, b, n) })
}

func selectNonblock() int {
	a, b, c, d := make(chan int), make(chan int), make(chan int, 1), make(chan int, 1)
	return inParallel(1, times(5000000), func(n int) {
		for i := 0; i < n; i++ {
			select {
			case <-a:
			default:
			}
			select {
			case b <- 0:
			default:
			}
			select {
			case <-c:
			default:
			}
			select {
			case d <- 0:
			default:
			}
		}
	})
}

const filled = 100

func fillAndDrain(c chan int) {
	for i := 0; i < filled; i++ {
		c <- 0
	}
	for i := 0; i < filled; i++ {
		<-c
	}
}

func chanUncontended() int {
	return inParallel(1, times(50000), func(n int) {
		c := make(chan int, filled)
		for i := 0; i < n; i++ {
			fillAndDrain(c)
		}
	})
}

func chanContended() int {
	c := make(chan int, filled*runtime.GOMAXPROCS(0))
	return inParallel(1, times(50000), func(n int) {
		for i := 0; i < n; i++ {
			fillAndDrain(c)
		}
	})
}

var left int64 // thousands of calls

func take() bool { return atomic.AddInt64(&left, -1) >= 0 }

func syncByTwo(thousands, steps int) int {
	c := make(chan int)
	left = int64(2 * thousands)
	wg.Add(2)
	for g := 0; g < 2; g++ {
		go func() {
			for {
				i := atomic.AddInt64(&left, -1) + 1
				if i <= 0 {
					break
				}
				for call := 0; call < calls; call++ {
					if i%2 == 1 {
						<-c
						work(steps)
						c <- 0
					} else {
						c <- 0
						work(steps)
						<-c
					}
					work(steps)
				}
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return 2 * thousands * calls
}

func produce(c chan int, steps int) {
	for take() {
		for call := 0; call < calls; call++ {
			work(steps)
			c <- 1
		}
	}
	c <- 0
	wg.Done()
}

func consume(c chan int, steps int) {
	for <-c != 0 {
		work(steps)
	}
	wg.Done()
}

func prodConsWith(producer, consumer func(c chan int, steps int), room, steps int) int {
	thousands, procs := times(1000), runtime.GOMAXPROCS(0)
	c := make(chan int, room)
	left = int64(thousands)
	wg.Add(2 * procs)
	for i := 0; i < procs; i++ {
		go producer(c, steps)
		go consumer(c, steps)
	}
	wg.Wait()
	return thousands * calls
}

func prodCons(room, steps int) func() int {
	return func() int { return prodConsWith(produce, consume, room, steps) }
}

func selectProdCons() int {
	done := make(chan struct{})
	producer := func(c chan int, steps int) {
		never := time.After(time.Hour)
		for take() {
			for call := 0; call < calls; call++ {
				work(steps)
				select {
				case c <- 1:
				case <-never:
				case <-done:
				}
			}
		}
		c <- 0
		wg.Done()
	}
	consumer := func(c chan int, steps int) {
		never := time.After(time.Hour)
		for {
			v := 0
			select {
			case v = <-c:
			case <-never:
			case <-done:
			}
			if v == 0 {
				break
			}
			work(steps)
		}
		wg.Done()
	}
	return prodConsWith(producer, consumer, 128, localWork)
}

func receiveFromClosed() int {
	n := times(3000000)
	c := make(chan struct{}, n)
	stopClock()
	for i := 0; i < n; i++ {
		c <- struct{}{}
	}
	close(c)
	startClock()
	for range c {
	}
	return n
}

func chanCreation() int {
	return inParallel(1, times(2000000), func(n int) {
		for i := 0; i < n; i++ {
			c := make(chan int, 1)
			c <- 0
			<-c
		}
	})
}

func chanSem() int {
	c := make(chan struct{}, runtime.GOMAXPROCS(0))
	return inParallel(1, times(5000000), func(n int) {
		for i := 0; i < n; i++ {
			c <- struct{}{}
			<-c
		}
	})
}

func chanPopular() int {
	const goroutines = 1000
	n := times(500)
	var own [goroutines]chan int
	var wg sync.WaitGroup
	all := make(chan int)
	wg.Add(goroutines)
	for i := range own {
		d := make(chan int)
		own[i] = d
		go func() {
			for i := 0; i < n; i++ {
				select {
				case <-all:
				case <-d:
				}
			}
			wg.Done()
		}()
	}
	for i := 0; i < n; i++ {
		for _, d := range own {
			d <- 1
		}
	}
	wg.Wait()
	return n
}

func chanClosed() int {
	c := make(chan struct{})
	close(c)
	return inParallel(1, times(20000000), func(n int) {
		for i := 0; i < n; i++ {
			select {
			case <-c:
			default:
				check(false)
			}
		}
	})
}

var goChanRows = []row{
	{"go/MakeChan/Byte", makeChan[byte], nil},
	{"go/MakeChan/Int", makeChan[int], nil},
	{"go/MakeChan/Ptr", makeChan[*byte], nil},
	{"go/MakeChan/Struct/0", makeChan[struct{}], nil},
	{"go/MakeChan/Struct/32", makeChan[[32]byte], nil},
	{"go/MakeChan/Struct/40", makeChan[[40]byte], nil},
	{"go/ChanNonblocking", chanNonblocking, nil},
	{"go/SelectUncontended", selectUncontended, nil},
	{"go/SelectSyncContended", selectSyncContended, nil},
	{"go/SelectAsyncContended", selectAsyncContended, nil},
	{"go/SelectNonblock", selectNonblock, nil},
	{"go/ChanUncontended", chanUncontended, nil},
	{"go/ChanContended", chanContended, nil},
	{"go/ChanSync", func() int { return syncByTwo(times(300), 0) }, nil},
	{"go/ChanSyncWork", func() int { return syncByTwo(times(30), 1000) }, nil},
	{"go/ChanProdCons0", prodCons(0, 0), nil},
	{"go/ChanProdCons10", prodCons(10, 0), nil},
	{"go/ChanProdCons100", prodCons(100, 0), nil},
	{"go/ChanProdConsWork0", prodCons(0, localWork), nil},
	{"go/ChanProdConsWork10", prodCons(10, localWork), nil},
	{"go/ChanProdConsWork100", prodCons(100, localWork), nil},
	{"go/SelectProdCons", selectProdCons, nil},
	{"go/ReceiveDataFromClosedChan", receiveFromClosed, nil},
	{"go/ChanCreation", chanCreation, nil},
	{"go/ChanSem", chanSem, nil},
	{"go/ChanPopular", chanPopular, nil},
	{"go/ChanClosed", chanClosed, nil},
}
