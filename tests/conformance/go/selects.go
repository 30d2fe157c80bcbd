package main

import (
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"time"
)

func receiveCase(c chan int) reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)}
}

func selectAmong(n, ready int, waits bool) {
	cases := make([]reflect.SelectCase, n)
	var chosen chan int
	for i := range cases {
		c := make(chan int, 1)
		if i == ready {
			chosen = c
		}
		cases[i] = receiveCase(c)
	}
	if waits {
		go func() { chosen <- 7 }()
	} else {
		chosen <- 7
	}
	index, value, _ := reflect.Select(cases)
	fmt.Println(index, value)
}

func sendAndClose(c chan int, from int) {
	for i := 0; i < 3; i++ {
		c <- from + i
	}
	close(c)
}

func recovering(who string, f func()) {
	defer func() { printRecovered(who, recover()) }()
	f()
}

func init() {
	many, selecting, closing := "reflect.Select", "runtime/select.go selectgo", "runtime/chan.go closechan"
	add("select_most_cases", many, func() { selectAmong(65536, 40000, false) })
	add("select_most_cases_waits", many, func() { selectAmong(65536, 65535, true) })
	add("select_hundred_cases", many, func() {
		for i := 0; i < 100; i += 33 {
			selectAmong(100, i, i%2 == 1)
		}
	})
	add("select_too_many_cases", many, func() {
		cases := make([]reflect.SelectCase, 65537)
		for i := range cases {
			cases[i] = receiveCase(nil)
		}
		recovering("65,537 cases", func() { reflect.Select(cases) })
	})
	add("select_two_defaults", many, func() {
		one := reflect.SelectCase{Dir: reflect.SelectDefault}
		recovering("two defaults", func() { reflect.Select([]reflect.SelectCase{one, one}) })
	})
	add("select_array_with_default", many, func() {
		c := make(chan int, 1)
		cases := []reflect.SelectCase{receiveCase(nil), receiveCase(c), {Dir: reflect.SelectDefault}}
		index, _, _ := reflect.Select(cases)
		fmt.Println(index)
		c <- 5
		index, value, _ := reflect.Select(cases)
		fmt.Println(index, value)
	})
	add("select_chooses_each_of_the_ready", "spec: Select statements", func() {
		var c [5]chan int
		var seen [5]int
		for i := range c {
			c[i] = make(chan int)
			close(c[i])
		}
		for i := 0; i < 2000; i++ {
			select {
			case <-c[0]:
				seen[0]++
			case <-c[1]:
				seen[1]++
			case <-c[2]:
				seen[2]++
			case <-c[3]:
				seen[3]++
			case <-c[4]:
				seen[4]++
			}
		}
		for _, n := range seen {
			if n <= 200 {
				fmt.Println("not each")
				return
			}
		}
		fmt.Println("each")
	})
	add("select_same_channel_twice", "spec: Select statements", func() {
		c := make(chan int, 2)
		first, second := 0, 0
		c <- 1
		c <- 2
		for i := 0; i < 2; i++ {
			select {
			case first = <-c:
			case second = <-c:
			}
		}
		fmt.Println(bit(first+second > 0 && len(c) == 0))
	})
	add("select_send_full_default", "spec: Select statements", func() {
		c := make(chan int, 2)
		for sent := 0; ; sent++ {
			select {
			case c <- sent:
				continue
			default:
			}
			fmt.Println(sent, len(c))
			return
		}
	})
	add("select_until_both_closed", "spec: Select statements", func() {
		a, b := make(chan int), make(chan int)
		sum := 0
		go sendAndClose(a, 1)
		go sendAndClose(b, 100)
		for a != nil || b != nil {
			select {
			case v, ok := <-a:
				if !ok {
					a = nil
				}
				sum += v
			case v, ok := <-b:
				if !ok {
					b = nil
				}
				sum += v
			}
		}
		fmt.Println(sum)
	})
	add("close_wakes_waiting_select", closing, func() {
		a, b := make(chan int), make(chan int)
		var wg sync.WaitGroup
		wg.Add(3)
		for i := 0; i < 3; i++ {
			go func() {
				select {
				case v, ok := <-a:
					fmt.Println(0, v, bit(ok))
				case v, ok := <-b:
					fmt.Println(1, v, bit(ok))
				}
				wg.Done()
			}()
		}
		runtime.Gosched()
		close(b)
		wg.Wait()
	})
	add("close_panics_waiting_select", closing, func() {
		a, b := make(chan int), make(chan int)
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { printRecovered("waiting select", recover()) }()
			select {
			case a <- 1:
			case b <- 2:
			}
			fmt.Println("not reached")
		}()
		runtime.Gosched()
		close(a)
		wg.Wait()
	})
	add("select_and_receivers_fifo", selecting, func() {
		c := make(chan int)
		var wg sync.WaitGroup
		wg.Add(4)
		for i := 0; i < 4; i++ {
			if i%2 == 1 {
				go func() {
					fmt.Println("plain", i, <-c)
					wg.Done()
				}()
			} else {
				go func() {
					var none chan int
					select {
					case v := <-c:
						fmt.Println("select", i, v)
					case <-none:
					}
					wg.Done()
				}()
			}
			runtime.Gosched()
		}
		for i := 0; i < 4; i++ {
			c <- i
			runtime.Gosched()
		}
		wg.Wait()
	})
	add("select_timeout_of_nothing", "time.After", func() {
		var none chan int
		for _, d := range []time.Duration{0, -1} {
			select {
			case <-none:
				fmt.Println(0)
			case <-time.After(d):
				fmt.Println(1)
			}
		}
	})
	add("select_timeout_that_is_over_is_one_of_the_ready", "time.After", func() {
		c := make(chan int, 1)
		chosen := map[int]bool{}
		for len(chosen) < 4 {
			select {
			case c <- 1:
			default:
			}
			select {
			case <-c:
				chosen[0] = true
			case <-time.After(0):
				chosen[1] = true
			case <-c:
				chosen[2] = true
			case <-time.After(-1):
				chosen[3] = true
			}
		}
		fmt.Println("each")
	})
	add("select_ready_before_timeout", "time.After", func() {
		c := make(chan int)
		go func() { c <- 3 }()
		select {
		case <-time.After(time.Hour):
			fmt.Println(0)
		case v := <-c:
			fmt.Println(1, v)
		}
	})
	add("select_large_elements", selecting, func() {
		var in, out [4096]byte
		for i := range in {
			in[i] = 'z'
		}
		c := make(chan [4096]byte, 1)
		var indexes [2]int
		for i := range indexes {
			select {
			case c <- in:
				indexes[i] = 0
			case out = <-c:
				indexes[i] = 1
			}
		}
		fmt.Printf("%d %d %c%c\n", indexes[0], indexes[1], out[0], out[4095])
	})
	add("close_panics_recovered", closing, func() {
		c := make(chan int)
		var none chan int
		recovering("close", func() { close(c) })
		recovering("close", func() { close(c) })
		recovering("close", func() { close(none) })
	})
	add("close_keeps_the_buffer", "spec: Close", func() {
		c := make(chan int, 4)
		sendAndClose(c, 5)
		fmt.Println(len(c), cap(c))
		for v := range c {
			fmt.Println(v)
		}
		fmt.Println(len(c), cap(c))
	})
	add("chan_large_capacity_of_nothing", "runtime/chan.go makechan", func() {
		c := make(chan struct{}, 1<<40)
		c <- struct{}{}
		fmt.Println(len(c), cap(c))
	})
	add("chan_zero_size_unbuffered", "runtime/chan.go", func() {
		c := make(chan struct{})
		go func() {
			c <- struct{}{}
			fmt.Println("first taken")
			c <- struct{}{}
			close(c)
		}()
		<-c
		fmt.Println("first")
		<-c
		_, ok := <-c
		fmt.Println(bit(ok))
	})
	add("chan_of_functions", "spec: Channel types", func() {
		c := make(chan func(int) int, 1)
		c <- func(i int) int { return 2 * i }
		fmt.Println((<-c)(21))
	})
	add("chan_of_arrays", "spec: Channel types", func() {
		c := make(chan [7]int16, 3)
		r := [7]int16{1, 2, 3, 4, 5, 6, 7}
		for i := 0; i < 3; i++ {
			c <- r
			r[6] *= 2
		}
		for i := 0; i < 3; i++ {
			fmt.Println((<-c)[6])
		}
	})
	add("chan_nonblocking", "spec: Select statements", func() {
		c := make(chan int, 1)
		var none chan int
		receive := func(c chan int) (int, int) {
			select {
			case v, ok := <-c:
				return 2 * bit(!ok), v
			default:
				return 1, 0
			}
		}
		send := func(c chan int, v int) int {
			select {
			case c <- v:
				return 0
			default:
				return 1
			}
		}
		status, _ := receive(c)
		fmt.Println(status)
		fmt.Println(send(c, 4))
		fmt.Println(send(c, 5))
		fmt.Println(receive(c))
		close(c)
		fmt.Println(receive(c))
		status, _ = receive(none)
		fmt.Println(status, send(none, 1))
	})
	add("chan_buffer_takes_waiting_sender", "runtime/chan.go recv", func() {
		c := make(chan int, 2)
		for i := 0; i < 4; i++ {
			go func() { c <- i }()
			runtime.Gosched()
		}
		for i := 0; i < 4; i++ {
			fmt.Print(len(c), " ")
			fmt.Println(<-c)
		}
	})
}
