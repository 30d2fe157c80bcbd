package main

import "sync"

const slack = 10

func mutexUncontended() int {
	return inParallel(1, times(20000000), func(n int) {
		var m struct {
			sync.Mutex
			_ [128]byte
		}
		for i := 0; i < n; i++ {
			m.Lock()
			m.Unlock()
		}
	})
}

func sharedMutex(each, n, steps int) int {
	return inParallel(each, n, func(n int) {
		for i := 0; i < n; i++ {
			mutex.Lock()
			mutex.Unlock()
			if steps != 0 {
				work(steps)
			}
		}
	})
}

func guardedStep() {
	mutex.Lock()
	guarded += 100
	mutex.Unlock()
}

func signals(c chan struct{}) { c <- struct{}{} }

func mutexNoSpin() int {
	return inParallel(4, times(300000), func(n int) {
		var data [4 << 10]uint64
		c := make(chan struct{})
		for i := 0; i < n; i++ {
			if i%4 == 0 {
				guardedStep()
			} else {
				for j := 0; j < len(data); j += 4 {
					data[j]++
				}
				go signals(c)
				<-c
			}
		}
	})
}

func mutexSpin() int {
	return inParallel(1, times(50000), func(n int) {
		data := make([]uint64, 16<<10)
		for i := 0; i < n; i++ {
			guardedStep()
			for j := 0; j < len(data); j += 4 {
				data[j]++
			}
		}
	})
}

func rwmutexUncontended() int {
	return inParallel(1, times(5000000), func(n int) {
		var rw struct {
			sync.RWMutex
			_ [128]byte
		}
		for i := 0; i < n; i++ {
			rw.RLock()
			rw.RLock()
			rw.RUnlock()
			rw.RUnlock()
			rw.Lock()
			rw.Unlock()
		}
	})
}

func readsAndWrites(n, writeEach, steps int) int {
	var rw sync.RWMutex
	return inParallel(1, n, func(n int) {
		for i := 1; i <= n; i++ {
			if i%writeEach == 0 {
				rw.Lock()
				rw.Unlock()
			} else {
				rw.RLock()
				work(steps)
				rw.RUnlock()
			}
		}
	})
}

// The last one to come wakes the others.
func meetings(waiters, n int) int {
	var m sync.Mutex
	c := sync.NewCond(&m)
	id := 0
	wg.Add(waiters + 1)
	for g := 0; g <= waiters; g++ {
		go func() {
			for i := 0; i < n; i++ {
				m.Lock()
				if id == -1 {
					m.Unlock()
					break
				}
				id++
				if id == waiters+1 {
					id = 0
					c.Broadcast()
				} else {
					c.Wait()
				}
				m.Unlock()
			}
			m.Lock()
			id = -1
			c.Broadcast()
			m.Unlock()
			wg.Done()
		}()
	}
	wg.Wait()
	return n
}

func waitgroupUncontended() int {
	return inParallel(1, times(10000000), func(n int) {
		var wg struct {
			sync.WaitGroup
			_ [128]byte
		}
		for i := 0; i < n; i++ {
			wg.Add(1)
			wg.Done()
			wg.Wait()
		}
	})
}

func adds(n, steps int) int {
	var wg sync.WaitGroup
	return inParallel(1, n, func(n int) {
		for i := 0; i < n; i++ {
			wg.Add(1)
			if steps != 0 {
				work(steps)
			}
			wg.Done()
		}
	})
}

func waits(n, steps int) int {
	var wg sync.WaitGroup
	return inParallel(1, n, func(n int) {
		for i := 0; i < n; i++ {
			wg.Wait()
			if steps != 0 {
				work(steps)
			}
		}
	})
}

func reallyWaits() int {
	return inParallel(1, times(500000), func(n int) {
		for i := 0; i < n; i++ {
			var wg sync.WaitGroup
			wg.Add(1)
			go wg.Done()
			wg.Wait()
		}
	})
}

func onceInParallel() int {
	var once sync.Once
	f := func() {}
	return inParallel(1, times(100000000), func(n int) {
		for i := 0; i < n; i++ {
			once.Do(f)
		}
	})
}

// Puts `put` things and takes `get`, again and again.
func poolBy(n, put, get int) int {
	var p sync.Pool
	return inParallel(1, n, func(n int) {
		for i := 0; i < n; i++ {
			for j := 0; j < put; j++ {
				p.Put(1)
			}
			for j := 0; j < get; j++ {
				p.Get()
			}
		}
	})
}

var goSyncRows = []row{
	{"go/MutexUncontended", mutexUncontended, nil},
	{"go/Mutex", func() int { return sharedMutex(1, times(10000000), 0) }, nil},
	{"go/MutexSlack", func() int { return sharedMutex(slack, times(10000000), 0) }, nil},
	{"go/MutexWork", func() int { return sharedMutex(1, times(1000000), localWork) }, nil},
	{"go/MutexWorkSlack", func() int { return sharedMutex(slack, times(1000000), localWork) }, nil},
	{"go/MutexNoSpin", mutexNoSpin, nil},
	{"go/MutexSpin", mutexSpin, nil},
	{"go/RWMutexUncontended", rwmutexUncontended, nil},
	{"go/RWMutexWrite100", func() int { return readsAndWrites(times(10000000), 100, 0) }, nil},
	{"go/RWMutexWrite10", func() int { return readsAndWrites(times(10000000), 10, 0) }, nil},
	{"go/RWMutexWorkWrite100",
		func() int { return readsAndWrites(times(1000000), 100, localWork) }, nil},
	{"go/RWMutexWorkWrite10",
		func() int { return readsAndWrites(times(1000000), 10, localWork) }, nil},
	{"go/Cond1", func() int { return meetings(1, times(1000000)) }, nil},
	{"go/Cond2", func() int { return meetings(2, times(500000)) }, nil},
	{"go/Cond4", func() int { return meetings(4, times(300000)) }, nil},
	{"go/Cond8", func() int { return meetings(8, times(150000)) }, nil},
	{"go/Cond16", func() int { return meetings(16, times(70000)) }, nil},
	{"go/Cond32", func() int { return meetings(32, times(30000)) }, nil},
	{"go/WaitGroupUncontended", waitgroupUncontended, nil},
	{"go/WaitGroupAddDone", func() int { return adds(times(10000000), 0) }, nil},
	{"go/WaitGroupAddDoneWork", func() int { return adds(times(1000000), localWork) }, nil},
	{"go/WaitGroupWait", func() int { return waits(times(50000000), 0) }, nil},
	{"go/WaitGroupWaitWork", func() int { return waits(times(1000000), localWork) }, nil},
	{"go/WaitGroupActuallyWait", reallyWaits, nil},
	{"go/Once", onceInParallel, nil},
	{"go/Pool", func() int { return poolBy(times(10000000), 1, 1) }, nil},
	{"go/PoolOverflow", func() int { return poolBy(times(100000), 100, 100) }, nil},
	{"go/PoolStarvation", func() int { return poolBy(times(100000), 67, 100) }, nil},
}
