package main

import (
	"runtime"
	"sync"
)

var (
	mutex   sync.Mutex
	guarded int
)

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
		go locker(n)
	}
	wg.Wait()
	check(guarded == goroutines*n)
	return goroutines * n
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
		go rwUser(n, writesAfter)
	}
	wg.Wait()
	return goroutines * n
}

func once() int {
	var once sync.Once
	n := times(100000000)
	for i := 0; i < n; i++ {
		once.Do(func() { guarded++ })
	}
	check(guarded == 1)
	return n
}

func waitgroupAddDone() int {
	n := times(10000000)
	for i := 0; i < n; i++ {
		wg.Add(1)
		wg.Done()
	}
	return n
}

func waitgroupWait() int {
	n := times(500000)
	for i := 0; i < n; i++ {
		wg.Add(1)
		go nothing()
		wg.Wait()
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
	n := times(500000)
	wg.Add(2)
	go turner(0, n)
	go turner(1, n)
	wg.Wait()
	return 2 * n
}

// Go's usual semaphore, where all take one: a channel with room for as many.
func semaphore() int {
	n := times(10000000)
	tokens := make(chan struct{}, 4)
	for i := 0; i < n; i++ {
		tokens <- struct{}{}
		<-tokens
	}
	return n
}

func semaphoreContended() int {
	n := times(100000)
	tokens := make(chan struct{}, 4)
	wg.Add(8)
	for i := 0; i < 8; i++ {
		go func() {
			for i := 0; i < n; i++ {
				tokens <- struct{}{}
				runtime.Gosched()
				<-tokens
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return 8 * n
}

func poolUser(p *sync.Pool, n int) {
	for i := 0; i < n; i++ {
		item := p.Get()
		if item == nil {
			item = new(int)
		}
		p.Put(item)
	}
	wg.Done()
}

func pool() int {
	var p sync.Pool
	n := times(5000000)
	wg.Add(2)
	go poolUser(&p, n)
	go poolUser(&p, n)
	wg.Wait()
	return 2 * n
}

var syncRows = []row{
	{"mutex_uncontended", func() int { return mutexBy(1, times(10000000)) }, nil},
	{"mutex_contended", func() int { return mutexBy(2, times(5000000)) }, nil},
	{"mutex_contended_8", func() int { return mutexBy(8, times(1000000)) }, nil},
	{"rwmutex_read", func() int { return rwmutexBy(1, times(10000000), 0) }, nil},
	{"rwmutex_read_2", func() int { return rwmutexBy(2, times(5000000), 0) }, nil},
	{"rwmutex_write100", func() int { return rwmutexBy(2, times(5000000), 100) }, nil},
	{"once", once, nil},
	{"waitgroup_add_done", waitgroupAddDone, nil},
	{"waitgroup_wait", waitgroupWait, nil},
	{"cond_signal", condSignal, nil},
	{"semaphore", semaphore, nil},
	{"semaphore_contended", semaphoreContended, nil},
	{"pool", pool, nil},
}
