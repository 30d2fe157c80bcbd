package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

func worksOnce(m *sync.Mutex, wg *sync.WaitGroup, fails bool) {
	defer wg.Done()
	m.Lock()
	if fails {
		return
	}
	m.Unlock()
}

func exchange(to, from chan int, wg *sync.WaitGroup) {
	to <- 1
	<-from
	wg.Done()
}

func waitForValue(c chan int, wg *sync.WaitGroup) {
	<-c
	wg.Done()
}

func serveLoop(requests, stop, stopped chan int) {
	for {
		select {
		case <-requests:
			stop <- 1
			<-stopped
		case <-stop:
			close(stopped)
			return
		}
	}
}

func limitedWork(places chan struct{}, fails bool) {
	defer func() { recover() }()
	places <- struct{}{}
	if fails {
		panic("work failed")
	}
	<-places
}

func stage(in, out chan int) {
	for v := range in {
		out <- v + 1
	}
	close(out)
}

func init() {
	dead := "runtime/proc.go checkdead"
	add("quiet_while_somebody_sleeps", dead, func() {
		c := make(chan int)
		go func() {
			time.Sleep(20 * time.Millisecond)
			c <- 1
		}()
		fmt.Println(<-c)
	})
	add("deadlock_after_the_last_sleeper", dead, func() {
		go func() {
			time.Sleep(20 * time.Millisecond)
			fmt.Println("slept")
		}()
		<-make(chan int)
	})
	add("deadlock_despite_timer_nobody_waits_for", "runtime/time.go needsAdd", func() {
		timer := time.After(time.Hour)
		<-make(chan int)
		<-timer
	})
	add("quiet_while_somebody_waits_for_a_timer", dead, func() {
		timer := time.After(20 * time.Millisecond)
		go func() {
			<-timer
			fmt.Println("time")
		}()
		<-make(chan int)
	})
	add("quiet_while_a_select_waits_for_a_timer", dead, func() {
		var none chan int
		select {
		case <-none:
			fmt.Println(0)
		case <-time.After(20 * time.Millisecond):
			fmt.Println(1)
		}
		var other chan int
		select {
		case <-none:
		case <-other:
		}
	})
	add("deadlock_after_work", dead, func() {
		var wg sync.WaitGroup
		for i := 0; i < 1000; i++ {
			wg.Add(1)
			go wg.Done()
		}
		wg.Wait()
		fmt.Println("worked")
		receive(make(chan int))
	})
	add("deadlock_runs_no_deferred", dead, func() {
		defer func() {
			recover()
			fmt.Println("never")
		}()
		<-make(chan int)
	})
	add("blocked_missing_unlock", dead, func() {
		var m sync.Mutex
		var wg sync.WaitGroup
		wg.Add(2)
		go worksOnce(&m, &wg, true)
		go worksOnce(&m, &wg, true)
		wg.Wait()
	})
	add("blocked_wait_under_lock", dead, func() {
		var m sync.Mutex
		var wg sync.WaitGroup
		wg.Add(2)
		m.Lock()
		go worksOnce(&m, &wg, false)
		go worksOnce(&m, &wg, false)
		wg.Wait()
		m.Unlock()
	})
	add("blocked_both_send_first", dead, func() {
		a, b := make(chan int), make(chan int)
		var wg sync.WaitGroup
		wg.Add(2)
		go exchange(a, b, &wg)
		go exchange(b, a, &wg)
		wg.Wait()
	})
	add("blocked_lost_notification", dead, func() {
		ready := make(chan int)
		select {
		case ready <- 1:
		default:
		}
		<-ready
	})
	add("blocked_waits_for_one_result_too_many", dead, func() {
		results, done := make(chan int), make(chan int)
		go func() {
			for i := 0; i < 3; i++ {
				select {
				case results <- i:
				case <-done:
					return
				}
			}
		}()
		for i := 0; i < 4; i++ {
			fmt.Println(<-results)
		}
		close(done)
	})
	add("blocked_signal_instead_of_broadcast", dead, func() {
		stop := make(chan int)
		var wg sync.WaitGroup
		wg.Add(2)
		go waitForValue(stop, &wg)
		go waitForValue(stop, &wg)
		stop <- 1
		wg.Wait()
	})
	add("blocked_loop_stops_itself", dead, func() {
		requests, stop, stopped := make(chan int), make(chan int), make(chan int)
		go serveLoop(requests, stop, stopped)
		requests <- 1
		<-stopped
	})
	add("blocked_semaphore_lost_by_panic", dead, func() {
		places := make(chan struct{}, 2)
		limitedWork(places, false)
		limitedWork(places, true)
		limitedWork(places, true)
		fmt.Println("two failed")
		limitedWork(places, false)
	})
	add("blocked_first_error_wins", dead, func() {
		errors := make(chan int)
		var wg sync.WaitGroup
		wg.Add(3)
		for i := 0; i < 3; i++ {
			go func() {
				defer wg.Done()
				errors <- i
			}()
		}
		<-errors
		wg.Wait()
	})
	add("blocked_full_buffer_under_lock", dead, func() {
		var m sync.Mutex
		c := make(chan int, 2)
		go func() {
			for i := 0; ; i++ {
				m.Lock()
				c <- i
				m.Unlock()
			}
		}()
		runtime.Gosched()
		m.Lock()
		<-c
		m.Unlock()
	})
	add("blocked_worker_waits_for_its_group", dead, func() {
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			wg.Wait()
			wg.Done()
		}()
		wg.Wait()
	})
	add("blocked_wait_before_receive", dead, func() {
		results := make(chan int, 1)
		var wg sync.WaitGroup
		wg.Add(3)
		for i := 0; i < 3; i++ {
			go func() {
				results <- i
				wg.Done()
			}()
		}
		wg.Wait()
		close(results)
	})
	add("blocked_pipeline_left_early", dead, func() {
		a, b, c := make(chan int), make(chan int), make(chan int)
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 10; i++ {
				a <- i
			}
			close(a)
		}()
		go stage(a, b)
		go stage(b, c)
		fmt.Println(<-c)
		wg.Wait()
	})
	add("blocked_once_inside_once", "sync/once.go doSlow", func() {
		var once sync.Once
		var again func()
		again = func() { once.Do(again) }
		once.Do(again)
	})
	add("blocked_missing_done", dead, func() {
		var wg sync.WaitGroup
		wg.Add(3)
		for i := 0; i < 3; i++ {
			go func() {
				if i == 1 {
					return
				}
				wg.Done()
			}()
		}
		wg.Wait()
	})
	add("blocked_ring", dead, func() {
		var c [5]chan int
		for i := range c {
			c[i] = make(chan int)
		}
		for i := range c {
			go func() { c[(i+1)%5] <- <-c[i] }()
		}
		var none chan int
		select {
		case <-none:
		case none <- 1:
		}
	})
}
