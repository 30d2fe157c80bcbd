package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

type number struct{ less *number }

func plus(a, b *number) *number {
	if b == nil {
		return a
	}
	return &number{plus(a, b.less)}
}

func times(a, b *number) *number {
	if b == nil {
		return nil
	}
	return plus(times(a, b.less), a)
}

func factorial(n *number) *number {
	if n == nil {
		return &number{}
	}
	return times(n, factorial(n.less))
}

func count(n *number) int {
	if n == nil {
		return 0
	}
	return count(n.less) + 1
}

func depth(n int) int {
	if n == 0 {
		return 0
	}
	return depth(n-1) + 1
}

func newOnes() chan int {
	c := make(chan int)
	go func() {
		for {
			c <- 1
		}
	}()
	return c
}

func addSeries(a, b, out chan int) {
	for {
		out <- <-a + <-b
	}
}

func derive(in, out chan int) {
	<-in
	for n := 1; ; n++ {
		out <- n * <-in
	}
}

func splitSeries(in, a, b chan int) {
	for v := range in {
		a <- v
		b <- v
	}
}

func multiply(a, b, out chan int) {
	var as, bs []int
	for n := 0; n < 20; n++ {
		as, bs = append(as, <-a), append(bs, <-b)
		sum := 0
		for i := range as {
			sum += as[i] * bs[n-i]
		}
		out <- sum
	}
}

func printTen(name string, series chan int) {
	fmt.Print(name, ":")
	for i := 0; i < 10; i++ {
		fmt.Print(" ", <-series)
	}
	fmt.Println()
}

func multiples(out chan int, of int) {
	for i := 1; ; i++ {
		out <- i * of
	}
}

func mergeStreams(a, b, out chan int) {
	x, y := <-a, <-b
	for {
		least := min(x, y)
		out <- least
		if x == least {
			x = <-a
		}
		if y == least {
			y = <-b
		}
	}
}

func quicksort(v []int, done chan struct{}) {
	defer func() { done <- struct{}{} }()
	if len(v) < 2 {
		return
	}
	pivot, i, j := v[len(v)/2], 0, len(v)-1
	for i <= j {
		for v[i] < pivot {
			i++
		}
		for v[j] > pivot {
			j--
		}
		if i <= j {
			v[i], v[j] = v[j], v[i]
			i++
			j--
		}
	}
	halves := make(chan struct{}, 2)
	go quicksort(v[:j+1], halves)
	go quicksort(v[i:], halves)
	<-halves
	<-halves
}

type request struct {
	a, b  int
	reply chan int
}

func spawnTree(levels int, wg *sync.WaitGroup, leaves *atomic.Int32) {
	if levels == 0 {
		leaves.Add(1)
	} else {
		wg.Add(2)
		go spawnTree(levels-1, wg, leaves)
		go spawnTree(levels-1, wg, leaves)
	}
	wg.Done()
}

func init() {
	add("deep_recursion_of_main", "runtime/stack.go newstack", func() {
		var n *number
		for i := 0; i <= 9; i++ {
			fmt.Printf("%d! = %d\n", i, count(factorial(n)))
			n = &number{n}
		}
	})
	add("deep_recursion_of_a_goroutine", "runtime/stack.go newstack", func() {
		c := make(chan int)
		go func() { c <- depth(100000) }()
		fmt.Println(<-c)
	})
	add("power_series", "spec: Channel types", func() {
		series := func() chan int { return make(chan int) }
		sum, product, derivative, cube := series(), series(), series(), series()
		a, b, square := series(), series(), series()
		go addSeries(newOnes(), newOnes(), sum)
		printTen("sum", sum)
		go multiply(newOnes(), newOnes(), product)
		printTen("product", product)
		go derive(newOnes(), derivative)
		printTen("derivative", derivative)
		go splitSeries(newOnes(), a, b)
		go multiply(a, b, square)
		go multiply(square, newOnes(), cube)
		printTen("cube", cube)
	})
	add("merged_streams", "spec: Channel types", func() {
		var c [5]chan int
		for i := range c {
			c[i] = make(chan int, i)
		}
		go multiples(c[0], 2)
		go multiples(c[1], 3)
		go multiples(c[2], 5)
		go mergeStreams(c[0], c[1], c[3])
		go mergeStreams(c[3], c[2], c[4])
		for i := 0; i < 25; i++ {
			fmt.Println(<-c[4])
		}
	})
	add("fan_out_fan_in", "spec: For range", func() {
		in, out := make(chan int), make(chan int, 3)
		var wg sync.WaitGroup
		var seen [1000]int
		wg.Add(8)
		for i := 0; i < 8; i++ {
			go func() {
				for v := range in {
					out <- v
				}
				wg.Done()
			}()
		}
		go sendRange(in, 0, 1000)
		go func() {
			wg.Wait()
			close(out)
		}()
		for v := range out {
			seen[v]++
		}
		for _, n := range seen {
			if n != 1 {
				fmt.Println("lost or twice")
				return
			}
		}
		fmt.Println("each once")
	})
	add("select_on_both_sides", "runtime/select.go selectgo", func() {
		a, b := make(chan int), make(chan int)
		var wg sync.WaitGroup
		wg.Add(3)
		for n := 0; n < 3; n++ {
			go func() {
				for i := 0; i < 1000; i++ {
					select {
					case a <- i:
					case b <- i:
					}
				}
				wg.Done()
			}()
		}
		go func() {
			wg.Wait()
			close(a)
			close(b)
		}()
		sum, received := 0, 0
		for {
			var v int
			var ok bool
			select {
			case v, ok = <-a:
			case v, ok = <-b:
			}
			if !ok {
				break
			}
			sum += v
			received++
		}
		fmt.Println(received, sum)
	})
	add("parallel_quicksort", "spec: Go statements", func() {
		v := make([]int, 500)
		next := uint32(1)
		for i := range v {
			next = next*1103515245 + 12345
			v[i] = int(next >> 16 & 0x7fff)
		}
		done := make(chan struct{}, 1)
		go quicksort(v, done)
		<-done
		sorted := true
		for i := 1; i < len(v); i++ {
			sorted = sorted && v[i-1] <= v[i]
		}
		fmt.Println(bit(sorted), v[0], v[499])
	})
	add("requests_carry_their_reply_channel", "spec: Channel types", func() {
		requests := make(chan request)
		var wg sync.WaitGroup
		var wrong atomic.Int32
		go func() {
			for r := range requests {
				r.reply <- r.a + r.b
			}
			fmt.Println("the server has ended")
		}()
		wg.Add(100)
		for i := 0; i < 100; i++ {
			go func() {
				r := request{i, 2 * i, make(chan int)}
				requests <- r
				if <-r.reply != 3*i {
					wrong.Add(1)
				}
				wg.Done()
			}()
		}
		wg.Wait()
		close(requests)
		runtime.Gosched()
		fmt.Println(wrong.Load(), "wrong")
	})
	add("buffered_channel_as_semaphore", "spec: Channel types", func() {
		places := make(chan struct{}, 3)
		var wg sync.WaitGroup
		var counting sync.Mutex
		atOnce, most := 0, 0
		countAtOnce := func(change int) {
			counting.Lock()
			atOnce += change
			most = max(most, atOnce)
			counting.Unlock()
		}
		wg.Add(50)
		for i := 0; i < 50; i++ {
			go func() {
				places <- struct{}{}
				countAtOnce(1)
				for i := 0; i < 3; i++ {
					runtime.Gosched()
				}
				countAtOnce(-1)
				<-places
				wg.Done()
			}()
		}
		wg.Wait()
		fmt.Println(most, "at once")
	})
	add("mutex_held_across_yields", "internal/sync/mutex.go", func() {
		var m sync.Mutex
		var wg sync.WaitGroup
		inside := 0
		wg.Add(100)
		for i := 0; i < 100; i++ {
			go func() {
				m.Lock()
				inside++
				if inside != 1 {
					fmt.Println("two inside")
				}
				runtime.Gosched()
				inside--
				m.Unlock()
				wg.Done()
			}()
		}
		wg.Wait()
		fmt.Println(inside, "inside")
	})
	add("barrier_of_two_channels", "spec: Channel types", func() {
		const n = 4
		arrive, leave := make(chan int), make(chan int)
		var wg sync.WaitGroup
		wg.Add(n)
		for i := 0; i < n; i++ {
			go func() {
				for round := 0; round < 3; round++ {
					arrive <- i
					<-leave
				}
				wg.Done()
			}()
		}
		for round := 0; round < 3; round++ {
			sum := 0
			for i := 0; i < n; i++ {
				sum += <-arrive
			}
			fmt.Printf("round %d: %d\n", round, sum)
			for i := 0; i < n; i++ {
				leave <- 0
			}
		}
		wg.Wait()
	})
	add("ping_pong", "runtime/chan.go", func() {
		a, b := make(chan int), make(chan int)
		v := 0
		go func() {
			for i := 0; i < 10000; i++ {
				b <- <-a + 1
			}
		}()
		for i := 0; i < 10000; i++ {
			a <- v
			v = <-b + 1
		}
		fmt.Println(v)
	})
	add("goroutines_start_goroutines", "runtime/proc.go newproc", func() {
		var wg sync.WaitGroup
		var leaves atomic.Int32
		wg.Add(1)
		go spawnTree(12, &wg, &leaves)
		wg.Wait()
		fmt.Println(leaves.Load())
	})
}
