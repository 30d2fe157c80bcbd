package main

import (
	"fmt"
	"sync"
	"time"
)

func sendRange(c chan int, from, to int) {
	for i := from; i < to; i++ {
		c <- i
	}
	close(c)
}

func bit(ok bool) int {
	if ok {
		return 1
	}
	return 0
}

type large struct {
	first int
	bytes [4096]byte
	last  int
}

func trace(i int) int {
	fmt.Printf("operand %d\n", i)
	return i
}

func traced(c chan int, i int) chan int {
	trace(i)
	return c
}

func filter(in, out chan int, prime int) {
	for {
		if i := <-in; i%prime != 0 {
			out <- i
		}
	}
}

func init() {
	add("chan_len_cap", "spec: Length and capacity", func() {
		c := make(chan int, 3)
		var none chan int
		c <- 1
		fmt.Println(len(c), cap(c), len(none), cap(none))
	})
	add("chan_closed_drains_then_zero", "spec: Close", func() {
		c := make(chan int, 3)
		c <- 1
		c <- 2
		close(c)
		for i := 0; i < 4; i++ {
			v, ok := <-c
			fmt.Println(v, bit(ok))
		}
	})
	named := func(c chan int, name string) chan int {
		fmt.Print(name, " ")
		return c
	}
	valueOf := func(name string) int {
		fmt.Print(name, " ")
		return 1
	}
	add("chan_operands_in_order", "spec: Send statements", func() {
		c := make(chan int, 2)
		named(c, "channel") <- valueOf("value")
		select {
		case named(c, "channel") <- valueOf("value"):
			fmt.Println(0)
		default:
			fmt.Println(1)
		}
	})
	add("chan_range_evaluates_its_channel_once", "spec: For range", func() {
		c := make(chan int, 6)
		sendRange(c, 0, 6)
		for v := range named(c, "outer") {
			if v == 1 {
				continue
			}
			if v == 4 {
				break
			}
			inner := make(chan int, 2)
			sendRange(inner, 10*v, 10*v+2)
			for w := range named(inner, "inner") {
				inner = nil
				if w == 21 {
					break
				}
				fmt.Print(w, " ")
			}
		}
		fmt.Println(<-c)
	})
	add("chan_range", "spec: For range", func() {
		c := make(chan int)
		go sendRange(c, 0, 5)
		for v := range c {
			fmt.Println(v)
		}
	})
	add("chan_waiting_senders_fifo", "runtime/chan.go recv", func() {
		c := make(chan int, 2)
		for i := 0; i < 6; i++ {
			go func() { c <- i }()
			time.Sleep(time.Millisecond)
		}
		for i := 0; i < 6; i++ {
			fmt.Println(<-c)
		}
	})
	add("chan_waiting_receivers_fifo", "runtime/chan.go send", func() {
		c := make(chan int)
		var wg sync.WaitGroup
		wg.Add(3)
		for _, name := range []string{"a", "b", "c"} {
			go func() {
				fmt.Println(name, <-c)
				wg.Done()
			}()
			time.Sleep(time.Millisecond)
		}
		for i := 0; i < 3; i++ {
			c <- i
			time.Sleep(time.Millisecond)
		}
		wg.Wait()
	})
	add("chan_close_wakes_receivers", "runtime/chan.go closechan", func() {
		c := make(chan int)
		var wg sync.WaitGroup
		wg.Add(3)
		for i := 0; i < 3; i++ {
			go func() {
				v, ok := <-c
				fmt.Println(v, bit(ok))
				wg.Done()
			}()
		}
		time.Sleep(time.Millisecond)
		close(c)
		wg.Wait()
	})
	add("chan_close_panics_waiting_sender", "runtime/chan.go closechan", func() {
		c := make(chan int)
		go func() { c <- 1 }()
		time.Sleep(time.Millisecond)
		close(c)
		<-make(chan int)
	})
	add("chan_large_elements", "runtime/chan.go", func() {
		c := make(chan large, 1)
		go func() {
			v := large{first: 1, last: 2}
			for i := range v.bytes {
				v.bytes[i] = 'x'
			}
			c <- v
			v.first = 3
			c <- v
		}()
		for i := 0; i < 2; i++ {
			v := <-c
			fmt.Printf("%d %c %c %d\n", v.first, v.bytes[0], v.bytes[4095], v.last)
		}
	})
	add("chan_zero_size", "runtime/chan.go", func() {
		c := make(chan struct{}, 3)
		c <- struct{}{}
		c <- struct{}{}
		fmt.Println(len(c), cap(c))
		<-c
		close(c)
		_, a := <-c
		_, b := <-c
		fmt.Println(bit(a), bit(b))
	})
	add("chan_of_chan", "spec: Channel types", func() {
		outer := make(chan chan int, 1)
		inner := make(chan int, 1)
		outer <- inner
		(<-outer) <- 17
		fmt.Println(<-inner)
	})
	add("select_default", "spec: Select statements", func() {
		c := make(chan int, 1)
		for i := 0; i < 2; i++ {
			select {
			case v := <-c:
				fmt.Println("received", v)
			default:
				fmt.Println("default")
			}
			if i == 0 {
				c <- 3
			}
		}
	})
	add("select_closed_always_ready", "spec: Select statements", func() {
		c := make(chan int)
		close(c)
		select {
		case v, ok := <-c:
			fmt.Println(v, bit(ok))
		}
	})
	add("select_send_on_closed", "runtime/select.go sclose", func() {
		c, other := make(chan int), make(chan int)
		close(c)
		select {
		case c <- 1:
		case <-other:
		}
	})
	add("select_nil_with_default", "spec: Select statements", func() {
		var c chan int
		select {
		case <-c:
			fmt.Println("ready")
		case c <- 1:
			fmt.Println("ready")
		default:
			fmt.Println("default")
		}
	})
	add("select_fair", "spec: Select statements", func() {
		a, b := make(chan int, 1), make(chan int, 1)
		var counts [2]int
		for i := 0; i < 10000; i++ {
			if len(a) == 0 {
				a <- i
			}
			if len(b) == 0 {
				b <- i
			}
			select {
			case <-a:
				counts[0]++
			case <-b:
				counts[1]++
			}
		}
		if counts[0] > 4000 && counts[1] > 4000 {
			fmt.Println("fair")
		} else {
			fmt.Println("unfair")
		}
	})
	add("select_same_channel_does_not_pair", "runtime/select.go selectgo", func() {
		c := make(chan int)
		select {
		case c <- 1:
			fmt.Println("paired")
		case <-c:
			fmt.Println("paired")
		default:
			fmt.Println("default")
		}
	})
	add("select_blocks_then_serves", "runtime/select.go selectgo", func() {
		c, d := make(chan int), make(chan int)
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			for i := 0; i < 5; i++ {
				select {
				case c <- i:
				case d <- i + 100:
				}
			}
			wg.Done()
		}()
		sum := 0
		for i := 0; i < 5; i++ {
			if i&1 == 1 {
				sum += <-c
			} else {
				sum += <-d - 100
			}
		}
		wg.Wait()
		fmt.Println(sum)
	})
	add("select_timeout", "time.After", func() {
		c := make(chan int)
		select {
		case <-c:
			fmt.Println("value")
		case <-time.After(time.Millisecond):
			fmt.Println("timeout")
		}
	})
	add("select_evaluates_in_order", "spec: Select statements", func() {
		c := make(chan int, 1)
		select {
		case traced(nil, 1) <- trace(2):
		case traced(nil, 3) <- trace(4):
		case traced(c, 5) <- trace(6):
		}
		fmt.Println(<-c)
	})
	add("sieve", "spec: Channel types", func() {
		c := make(chan int)
		go func(c chan int) {
			for i := 2; ; i++ {
				c <- i
			}
		}(c)
		for i := 0; i < 30; i++ {
			prime := <-c
			fmt.Println(prime)
			next := make(chan int)
			go filter(c, next, prime)
			c = next
		}
	})
	add("worker_pool", "spec: For range", func() {
		jobs, results := make(chan int, 10), make(chan int, 10)
		for i := 0; i < 4; i++ {
			go func() {
				for job := range jobs {
					results <- job * job
				}
			}()
		}
		go sendRange(jobs, 0, 100)
		sum := 0
		for i := 0; i < 100; i++ {
			sum += <-results
		}
		fmt.Println(sum)
	})
	add("mutex_excludes", "internal/sync/mutex.go", func() {
		var m sync.Mutex
		var wg sync.WaitGroup
		n := 0
		wg.Add(10)
		for i := 0; i < 10; i++ {
			go func() {
				for j := 0; j < 1000; j++ {
					m.Lock()
					n++
					m.Unlock()
				}
				wg.Done()
			}()
		}
		wg.Wait()
		fmt.Println(n)
	})
	add("mutex_trylock", "internal/sync/mutex.go TryLock", func() {
		var m sync.Mutex
		a, b := m.TryLock(), m.TryLock()
		m.Unlock()
		c := m.TryLock()
		fmt.Println(bit(a), bit(b), bit(c))
	})
	add("once_runs_once", "sync/once.go", func() {
		var once sync.Once
		var wg sync.WaitGroup
		n := 0
		wg.Add(20)
		for i := 0; i < 20; i++ {
			go func() {
				once.Do(func() { n++ })
				wg.Done()
			}()
		}
		wg.Wait()
		fmt.Println(n)
	})
	add("once_panic_counts_as_done", "sync/once.go doSlow", func() {
		var once sync.Once
		for i := 0; i < 2; i++ {
			func() {
				defer func() {
					if r := recover(); r != nil {
						fmt.Println(r)
					} else {
						fmt.Println("nil")
					}
				}()
				once.Do(func() { panic("in once") })
			}()
		}
	})
	add("sleep_order", "runtime/time.go", func() {
		c := make(chan int)
		for _, ms := range []int{90, 30, 60} {
			go func() {
				time.Sleep(time.Duration(ms) * time.Millisecond)
				c <- ms
			}()
		}
		for i := 0; i < 3; i++ {
			fmt.Println(<-c)
		}
	})
	add("daisy_chain", "runtime/chan.go", func() {
		first := make(chan int)
		c := first
		for i := 0; i < 10000; i++ {
			in, out := c, make(chan int)
			go func() { out <- <-in + 1 }()
			c = out
		}
		first <- 0
		fmt.Println(<-c)
	})
}
