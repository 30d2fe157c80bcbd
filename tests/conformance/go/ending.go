package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
)

func forever() {
	for {
		runtime.Gosched()
	}
}

func receive(c chan int) { <-c }

func threeTimes(wg *sync.WaitGroup, name string) {
	for i := 0; i < 3; i++ {
		fmt.Println(name)
		runtime.Gosched()
	}
	wg.Done()
}

func lockBoth(a, b *sync.Mutex, wg *sync.WaitGroup) {
	a.Lock()
	runtime.Gosched()
	b.Lock()
	b.Unlock()
	a.Unlock()
	wg.Done()
}

func startOrder(n int) {
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			fmt.Println(i)
			wg.Done()
		}()
	}
	wg.Wait()
}

func init() {
	add("main_returns_cuts_off_others", "runtime/proc.go main", func() {
		go func() {
			defer fmt.Println("never")
			forever()
		}()
		runtime.Gosched()
		fmt.Println("main")
	})
	add("main_status", "os.Exit", func() { os.Exit(7) })
	add("main_goexit_runs_deferred", "runtime/panic.go Goexit", func() {
		defer fmt.Println("main deferred")
		runtime.Goexit()
	})
	add("main_goexit_others_go_on", "runtime/panic.go Goexit", func() {
		go func() {
			defer fmt.Println("deferred")
			runtime.Goexit()
		}()
		runtime.Goexit()
	})
	add("main_goexit_others_blocked", "runtime/proc.go checkdead", func() {
		go receive(make(chan int))
		runtime.Goexit()
	})
	add("deadlock_recv", "runtime/proc.go checkdead", func() { <-make(chan int) })
	add("deadlock_send", "runtime/proc.go checkdead", func() { make(chan int) <- 1 })
	add("deadlock_recv_nil", "runtime/chan.go chanrecv", func() {
		var c chan int
		<-c
	})
	add("deadlock_send_nil", "runtime/chan.go chansend", func() {
		var c chan int
		c <- 1
	})
	add("deadlock_full_buffer", "runtime/chan.go chansend", func() {
		c := make(chan int, 1)
		c <- 1
		c <- 2
	})
	add("deadlock_select", "runtime/select.go selectgo", func() {
		a, b := make(chan int), make(chan int)
		select {
		case <-a:
		case b <- 1:
		}
	})
	add("deadlock_select_empty", "runtime/select.go block", func() { select {} })
	add("deadlock_select_nil", "runtime/select.go selectgo", func() {
		var a, b chan int
		select {
		case <-a:
		case <-b:
		}
	})
	add("deadlock_waitgroup", "sync/waitgroup.go Wait", func() {
		var wg sync.WaitGroup
		wg.Add(1)
		wg.Wait()
	})
	add("deadlock_mutex", "internal/sync/mutex.go Lock", func() {
		var m sync.Mutex
		m.Lock()
		m.Lock()
	})
	add("deadlock_several", "runtime/proc.go checkdead", func() {
		c := make(chan int)
		go receive(c)
		go receive(c)
		runtime.Gosched()
		var wg sync.WaitGroup
		wg.Add(1)
		wg.Wait()
	})
	add("deadlock_lock_order", "runtime/proc.go checkdead", func() {
		var a, b sync.Mutex
		var wg sync.WaitGroup
		wg.Add(2)
		go lockBoth(&a, &b, &wg)
		go lockBoth(&b, &a, &wg)
		wg.Wait()
	})
	add("deadlock_channel_under_lock", "runtime/proc.go checkdead", func() {
		var m sync.Mutex
		c := make(chan int)
		go func() {
			m.Lock()
			c <- 1
			m.Unlock()
		}()
		runtime.Gosched()
		m.Lock()
		<-c
	})
	add("deadlock_range_not_closed", "runtime/chan.go chanrecv", func() {
		c := make(chan int, 2)
		c <- 1
		c <- 2
		for v := range c {
			fmt.Println(v)
		}
	})
	add("go_nil_function", "runtime/proc.go newproc1", func() {
		var fn func()
		go fn()
	})
	add("unlock_unlocked", "internal/sync/mutex.go Unlock", func() {
		var m sync.Mutex
		m.Unlock()
	})
	add("start_order", "runtime/proc.go runqput", func() { startOrder(5) })
	add("start_order_hundred", "runtime/proc.go runqput", func() { startOrder(100) })
	add("gosched_order", "runtime/proc.go goschedImpl", func() {
		var wg sync.WaitGroup
		wg.Add(3)
		go threeTimes(&wg, "a")
		go threeTimes(&wg, "b")
		go threeTimes(&wg, "c")
		wg.Wait()
	})
	add("num_goroutine", "runtime/debug.go NumGoroutine", func() {
		fmt.Println(runtime.NumGoroutine())
		c := make(chan int)
		go receive(c)
		go receive(c)
		fmt.Println(runtime.NumGoroutine())
	})
}
