// The benchmarks: bench NAME prints nanoseconds per operation. bench.c has the same, by the same
// names.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

var wg sync.WaitGroup

func yielder(n int) {
	for i := 0; i < n; i++ {
		runtime.Gosched()
	}
	wg.Done()
}

func yield() int {
	n := 2000000
	wg.Add(2)
	go yielder(n / 2)
	go yielder(n / 2)
	wg.Wait()
	return n
}

func echo(in, out chan int) {
	for v := range in {
		out <- v
	}
	wg.Done()
}

func hop() int {
	n := 500000
	there, back := make(chan int), make(chan int)
	wg.Add(1)
	go echo(there, back)
	for i := 0; i < n; i++ {
		there <- i
		<-back
	}
	close(there)
	wg.Wait()
	return 2 * n
}

func producer(c chan int, n int) {
	for i := 0; i < n; i++ {
		c <- i
	}
	close(c)
}

func through(n, room int) int {
	c := make(chan int, room)
	sum := 0
	go producer(c, n)
	for v := range c {
		sum += v
	}
	if sum != n*(n-1)/2 {
		panic("sum")
	}
	return n
}

func oneway() int      { return through(1000000, 0) }
func buffered128() int { return through(4000000, 128) }

func replier(a, b, reply chan int, quit chan struct{}) {
	for {
		select {
		case v := <-a:
			reply <- v
		case v := <-b:
			reply <- v
		case <-quit:
			wg.Done()
			return
		}
	}
}

func select2() int {
	n := 300000
	a, b, reply, quit := make(chan int), make(chan int), make(chan int), make(chan struct{})
	wg.Add(1)
	go replier(a, b, reply, quit)
	for i := 0; i < n; i++ {
		if i&1 == 1 {
			a <- i
		} else {
			b <- i
		}
		<-reply
	}
	close(quit)
	wg.Wait()
	return n
}

func nothing() { wg.Done() }

func spawnFinish() int {
	n := 1000000
	for i := 0; i < n; i += 1000 {
		wg.Add(1000)
		for j := 0; j < 1000; j++ {
			go nothing()
		}
		wg.Wait()
	}
	return n
}

func joined(c chan struct{}) { c <- struct{}{} }

func spawnJoin() int {
	n := 500000
	c := make(chan struct{})
	for i := 0; i < n; i++ {
		go joined(c)
		<-c
	}
	return n
}

func sky(up chan int, number, size int) {
	if size == 1 {
		up <- number
		return
	}
	c := make(chan int, 10)
	sum := 0
	for i := 0; i < 10; i++ {
		go sky(c, number+i*(size/10), size/10)
	}
	for i := 0; i < 10; i++ {
		sum += <-c
	}
	up <- sum
}

func skynet() int {
	leaves := 1000000
	c := make(chan int)
	go sky(c, 0, leaves)
	if <-c != leaves*(leaves-1)/2 {
		panic("sum")
	}
	return leaves
}

func numbers(c chan int32) {
	for i := int32(2); ; i++ {
		c <- i
	}
}

func filter(in, out chan int32, prime int32) {
	for {
		i := <-in
		if i%prime != 0 {
			out <- i
		}
	}
}

func sieve() int {
	primes := 1000
	c := make(chan int32)
	go numbers(c)
	for i := 0; i < primes; i++ {
		prime := <-c
		next := make(chan int32)
		go filter(c, next, prime)
		c = next
	}
	return primes
}

var mutex sync.Mutex
var guarded int

func locker(n int) {
	for i := 0; i < n; i++ {
		mutex.Lock()
		guarded++
		mutex.Unlock()
	}
	wg.Done()
}

func mutexBy(goroutines, n int) int {
	wg.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go locker(n / goroutines)
	}
	wg.Wait()
	return n
}

func timerAddStop() int {
	n := 2000000
	for i := 0; i < n; i++ {
		time.AfterFunc(time.Hour, func() {}).Stop()
	}
	return n
}

func timerFire() int {
	const rounds, timers = 500, 1000
	for i := 0; i < rounds; i++ {
		wg.Add(timers)
		for j := 0; j < timers; j++ {
			time.AfterFunc(0, wg.Done)
		}
		wg.Wait()
	}
	return rounds * timers
}

func ticker() int {
	n := 2000
	t := time.NewTicker(time.Microsecond)
	for i := 0; i < n; i++ {
		<-t.C
	}
	t.Stop()
	return n
}

var rw sync.RWMutex

func rwUser(n, writesAfter int) {
	for i := 1; i <= n; i++ {
		if writesAfter != 0 && i%writesAfter == 0 {
			rw.Lock()
			guarded++
			rw.Unlock()
		} else {
			rw.RLock()
			rw.RUnlock()
		}
	}
	wg.Done()
}

func rwmutexBy(goroutines, n, writesAfter int) int {
	wg.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go rwUser(n/goroutines, writesAfter)
	}
	wg.Wait()
	return n
}

func rwmutexRead() int { return rwmutexBy(1, 10000000, 0) }

func rwmutexRead2() int { return rwmutexBy(2, 10000000, 0) }

func rwmutexWrite100() int { return rwmutexBy(2, 10000000, 100) }

func once() int {
	var once sync.Once
	n := 100000000
	for i := 0; i < n; i++ {
		once.Do(func() { guarded++ })
	}
	return n
}

func waitgroupAddDone() int {
	n := 10000000
	for i := 0; i < n; i++ {
		wg.Add(1)
		wg.Done()
	}
	return n
}

var (
	cond = sync.NewCond(&mutex)
	turn int
)

// Two goroutines take turns.
func turner(self, n int) {
	mutex.Lock()
	for i := 0; i < n; i++ {
		for turn != self {
			cond.Wait()
		}
		turn = 1 - self
		cond.Signal()
	}
	mutex.Unlock()
	wg.Done()
}

func condSignal() int {
	n := 1000000
	wg.Add(2)
	go turner(0, n/2)
	go turner(1, n/2)
	wg.Wait()
	return n
}

// A weighted semaphore as golang.org/x/sync has it, in its shortest form: without waiters, it is a
// mutex around a count.
func semaphore() int {
	n, held := 10000000, 0
	for i := 0; i < n; i++ {
		mutex.Lock()
		if held < 4 {
			held++
		}
		mutex.Unlock()
		mutex.Lock()
		held--
		mutex.Unlock()
	}
	return n
}

func pool() int {
	var p sync.Pool
	n := 10000000
	user := func(n int) {
		for i := 0; i < n; i++ {
			item := p.Get()
			if item == nil {
				item = new(int)
			}
			p.Put(item)
		}
		wg.Done()
	}
	wg.Add(2)
	go user(n / 2)
	go user(n / 2)
	wg.Wait()
	return n
}

var uncounted time.Duration // of setting up

// The cancelling alone, for each child.
func contextCancel1000() int {
	const rounds, children = 1000, 1000
	for i := 0; i < rounds; i++ {
		start := time.Now()
		parent, cancel := context.WithCancel(context.Background())
		for j := 0; j < children; j++ {
			_, cancelChild := context.WithCancel(parent)
			_ = cancelChild
		}
		uncounted += time.Since(start)
		cancel()
	}
	return rounds * children
}

// A value that the tenth context from here up has.
func contextValueDepth10() int {
	n := 20000000
	var keys [10]int
	ctx := context.Background()
	for i := range keys {
		ctx = context.WithValue(ctx, &keys[i], &keys[i])
	}
	for i := 0; i < n; i++ {
		if ctx.Value(&keys[0]) != nil {
			guarded++
		}
	}
	return n
}

func withTimeoutStop() int {
	n := 2000000
	for i := 0; i < n; i++ {
		_, cancel := context.WithTimeout(context.Background(), time.Hour)
		cancel()
	}
	return n
}

func main() {
	list := map[string]func() int{
		"yield": yield, "hop": hop, "oneway": oneway, "buffered128": buffered128,
		"select2": select2, "spawn_finish": spawnFinish, "spawn_join": spawnJoin,
		"skynet": skynet, "sieve": sieve,
		"mutex_uncontended": func() int { return mutexBy(1, 10000000) },
		"mutex_contended":   func() int { return mutexBy(2, 10000000) },
		"rwmutex_read":      rwmutexRead, "rwmutex_read_2": rwmutexRead2,
		"rwmutex_write100": rwmutexWrite100, "once": once,
		"waitgroup_add_done": waitgroupAddDone, "cond_signal": condSignal,
		"semaphore": semaphore, "pool": pool,
		"timer_add_stop": timerAddStop, "timer_fire": timerFire, "ticker": ticker,
		"context_cancel_1000": contextCancel1000, "context_value_depth10": contextValueDepth10,
		"with_timeout_stop": withTimeoutStop,
	}
	run := list[os.Args[1]]
	start := time.Now()
	n := run()
	fmt.Printf("%.2f\n", float64((time.Since(start)-uncounted).Nanoseconds())/float64(n))
}
