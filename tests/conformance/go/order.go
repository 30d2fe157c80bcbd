package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func startsTwo(wg *sync.WaitGroup, i int) {
	fmt.Println("parent", i)
	if i < 10 {
		go startsTwo(wg, 10*i+10)
		go startsTwo(wg, 10*i+11)
	}
	wg.Done()
}

func twoLines(a, b string) {
	fmt.Println(a)
	runtime.Gosched()
	fmt.Println(b)
}

func sendThree(c chan int) {
	for i := 0; i < 3; i++ {
		fmt.Println("sending", i)
		c <- i
		fmt.Println("sent", i)
	}
	close(c)
}

func traceThrough(c chan int) {
	go sendThree(c)
	for v := range c {
		fmt.Println("received", v)
	}
}

func init() {
	put, sched := "runtime/proc.go runqput", "runtime/proc.go goschedImpl"
	add("start_order_of_children", put, func() {
		var wg sync.WaitGroup
		wg.Add(9)
		go startsTwo(&wg, 0)
		go startsTwo(&wg, 1)
		go startsTwo(&wg, 2)
		wg.Wait()
	})
	add("start_runs_at_gosched", put, func() {
		go fmt.Println("first")
		go fmt.Println("second")
		go fmt.Println("third")
		fmt.Println("main")
		runtime.Gosched()
		fmt.Println("main again")
	})
	add("gosched_alone", sched, func() {
		for i := 0; i < 3; i++ {
			runtime.Gosched()
		}
		fmt.Println("still here")
	})
	add("gosched_goes_behind_all", sched, func() {
		go twoLines("a1", "a2")
		go twoLines("b1", "b2")
		for i := 0; i < 4; i++ {
			fmt.Println("main", i)
			runtime.Gosched()
		}
	})
	add("order_of_unbuffered", "runtime/chan.go", func() { traceThrough(make(chan int)) })
	add("order_of_buffered_one", "runtime/chan.go", func() { traceThrough(make(chan int, 1)) })
	add("order_of_buffered_two", "runtime/chan.go", func() { traceThrough(make(chan int, 2)) })
	add("waitgroup_wakes_all", "sync/waitgroup.go Add", func() {
		var start, end sync.WaitGroup
		start.Add(1)
		end.Add(4)
		for i := 0; i < 4; i++ {
			go func() {
				start.Wait()
				fmt.Println("waiter", i)
				end.Done()
			}()
		}
		runtime.Gosched()
		fmt.Println("go")
		start.Done()
		end.Wait()
	})
	add("waitgroup_zero_does_not_wait", "sync/waitgroup.go Wait", func() {
		var wg sync.WaitGroup
		wg.Wait()
		wg.Add(2)
		wg.Add(-2)
		wg.Wait()
		fmt.Println("done")
	})
	add("waitgroup_reused", "sync/waitgroup.go", func() {
		var wg sync.WaitGroup
		var n atomic.Int32
		for round := 0; round < 100; round++ {
			wg.Add(3)
			for i := 0; i < 3; i++ {
				go func() {
					n.Add(1)
					wg.Done()
				}()
			}
			wg.Wait()
		}
		fmt.Println(n.Load())
	})
	add("waitgroup_negative_recovered", "sync/waitgroup.go Add", func() {
		var wg sync.WaitGroup
		wg.Add(1)
		defer func() { printRecovered("negative", recover()) }()
		wg.Add(-2)
	})
	add("mutex_waiters_fifo", "internal/sync/mutex.go", func() {
		var m sync.Mutex
		var wg sync.WaitGroup
		wg.Add(4)
		m.Lock()
		for i := 0; i < 4; i++ {
			go func() {
				m.Lock()
				fmt.Println("holds", i)
				m.Unlock()
				wg.Done()
			}()
			runtime.Gosched()
		}
		fmt.Println("unlock")
		m.Unlock()
		wg.Wait()
	})
	add("mutex_unlocked_by_another", "internal/sync/mutex.go Unlock", func() {
		var m sync.Mutex
		m.Lock()
		go func() {
			fmt.Println("unlocked by another")
			m.Unlock()
		}()
		m.Lock()
		fmt.Println("locked again")
	})
	add("mutex_fatal_is_not_recoverable", "runtime/panic.go fatal", func() {
		var m sync.Mutex
		defer func() { printRecovered("never", recover()) }()
		m.Unlock()
	})
	add("mutex_fatal_in_goroutine", "runtime/panic.go fatal", func() {
		var m sync.Mutex
		go receive(make(chan int))
		go m.Unlock()
		<-make(chan int)
	})
	add("once_others_wait_for_its_end", "sync/once.go doSlow", func() {
		var once sync.Once
		var wg sync.WaitGroup
		started := make(chan int)
		body := func() {
			fmt.Println("once begins")
			started <- 1
			runtime.Gosched()
			fmt.Println("once ends")
		}
		wg.Add(1)
		go func() {
			once.Do(body)
			wg.Done()
		}()
		<-started
		once.Do(body)
		fmt.Println("the second call has returned")
		wg.Wait()
	})
	add("sleep_of_nothing_does_not_yield", "runtime/time.go timeSleep", func() {
		go fmt.Println("other")
		time.Sleep(0)
		time.Sleep(-time.Second)
		fmt.Println("main")
	})
	add("after_fires_in_order", "time.After", func() {
		a, b, c := time.After(300*time.Millisecond), time.After(time.Millisecond), time.After(150*time.Millisecond)
		for i := 0; i < 3; i++ {
			select {
			case <-a:
				fmt.Println(0)
			case <-b:
				fmt.Println(1)
			case <-c:
				fmt.Println(2)
			}
		}
	})
	add("after_has_room_for_its_value", "time.After", func() {
		c := time.After(time.Millisecond)
		time.Sleep(20 * time.Millisecond)
		_, ok := <-c
		fmt.Println(bit(ok), len(c))
	})
	add("num_goroutine_falls", "runtime/debug.go NumGoroutine", func() {
		c := make(chan int)
		var wg sync.WaitGroup
		wg.Add(10)
		for i := 0; i < 10; i++ {
			go func() {
				<-c
				wg.Done()
			}()
		}
		fmt.Println(runtime.NumGoroutine())
		close(c)
		wg.Wait()
		for runtime.NumGoroutine() != 1 {
			runtime.Gosched()
		}
		fmt.Println(1)
	})
	add("gomaxprocs_tells_the_setting_before", "runtime/debug.go GOMAXPROCS", func() {
		fmt.Println(runtime.GOMAXPROCS(3))
		fmt.Println(runtime.GOMAXPROCS(0))
		fmt.Println(runtime.GOMAXPROCS(-1))
		fmt.Println(runtime.GOMAXPROCS(1))
	})
	add("main_returns_past_blocked_others", "runtime/proc.go main", func() {
		c := make(chan int)
		for i := 0; i < 100; i++ {
			go receive(c)
		}
		runtime.Gosched()
		fmt.Println("main returns")
	})
	add("lock_os_thread_keeps_running", "runtime/proc.go LockOSThread", func() {
		runtime.LockOSThread()
		c := make(chan int)
		go sendThree(c)
		for v := range c {
			fmt.Println(v)
		}
		runtime.UnlockOSThread()
		fmt.Println("unlocked")
	})
}
