// The series of growth.c, in Go, by the same names: whoever changes one changes the other.
// Without arguments it lists the names.
package main

import (
	"fmt"
	"net"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"time"
)

var wg sync.WaitGroup

func check(right bool) {
	if !right {
		panic("the benchmark's work went wrong")
	}
}

// So many rounds of n that about `all` operations are done, and at least one.
func roundsOf(n, all int) int {
	if all/n > 0 {
		return all / n
	}
	return 1
}

func each(start time.Time, operations int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(operations)
}

func startEnd(n int) float64 {
	rounds := roundsOf(n, 300000)
	start := time.Now()
	for r := 0; r < rounds; r++ {
		gate := make(chan struct{})
		wg.Add(n)
		for i := 0; i < n; i++ {
			go func() {
				<-gate
				wg.Done()
			}()
		}
		runtime.Gosched()
		close(gate)
		wg.Wait()
	}
	return each(start, n*rounds)
}

func yield(n int) float64 {
	rounds := roundsOf(n, 3000000) + 3
	var started sync.WaitGroup
	gate := make(chan struct{})
	wg.Add(n)
	started.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			started.Done()
			<-gate
			for i := 0; i < rounds; i++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	started.Wait()
	start := time.Now()
	close(gate)
	wg.Wait()
	return each(start, n*rounds)
}

func channels(n int) float64 {
	rounds, sum := roundsOf(n, 2000000), 0
	all := make([]chan int, n)
	for i := range all {
		all[i] = make(chan int, 1)
	}
	start := time.Now()
	for r := 0; r < rounds; r++ {
		for _, c := range all {
			c <- 1
		}
		for _, c := range all {
			sum += <-c
		}
	}
	check(sum == n*rounds)
	return each(start, n*rounds)
}

func nextRandom(state *uint64) uint64 {
	*state = *state*6364136223846793005 + 1442695040888963407
	return *state >> 33
}

func timers(n int) float64 {
	const times = 1000000
	state := uint64(1)
	all := make([]*time.Timer, n)
	for i := range all {
		all[i] = time.AfterFunc(time.Hour+time.Duration(nextRandom(&state)), func() {})
	}
	start := time.Now()
	for i := 0; i < times; i++ {
		all[nextRandom(&state)%uint64(n)].Reset(time.Hour + time.Duration(nextRandom(&state)))
	}
	return each(start, times)
}

func timersDue(n int) float64 {
	rounds := roundsOf(n, 300000)
	start := time.Now()
	for r := 0; r < rounds; r++ {
		wg.Add(n)
		for i := 0; i < n; i++ {
			time.AfterFunc(0, wg.Done)
		}
		wg.Wait()
	}
	return each(start, n*rounds)
}

func processors(n int) float64 {
	values := 2000000 / n
	runtime.GOMAXPROCS(n)
	wg.Add(n)
	start := time.Now()
	for i := 0; i < n; i++ {
		c := make(chan int)
		go func() {
			for i := 0; i < values; i++ {
				c <- 1
			}
		}()
		go func() {
			for i := 0; i < values; i++ {
				<-c
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return each(start, n*values)
}

func selectCases(n int) float64 {
	values := roundsOf(n, 1000000)
	all := make([]chan int, n)
	cases := make([]reflect.SelectCase, n)
	for i := range all {
		all[i] = make(chan int)
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(all[i])}
	}
	go func() {
		for i := 0; i < values; i++ {
			all[i%n] <- i
		}
	}()
	start := time.Now()
	for i := 0; i < values; i++ {
		chosen, v, _ := reflect.Select(cases)
		check(chosen == i%n && int(v.Int()) == i)
	}
	return each(start, values)
}

func echo(conn net.Conn) {
	b := make([]byte, 1)
	for {
		if _, err := conn.Read(b); err != nil {
			return
		}
		if _, err := conn.Write(b); err != nil {
			return
		}
	}
}

func connections(n int) float64 {
	const trips = 30000
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err == nil)
	all := make([]net.Conn, n)
	for i := range all {
		all[i], err = net.Dial("tcp", listener.Addr().String())
		check(err == nil)
		other, err := listener.Accept()
		check(err == nil)
		go echo(other)
	}
	b := make([]byte, 1)
	start := time.Now()
	for i := 0; i < trips; i++ {
		conn := all[i%n]
		b[0] = byte(i)
		_, err1 := conn.Write(b)
		_, err2 := conn.Read(b)
		check(err1 == nil && err2 == nil && b[0] == byte(i))
	}
	return each(start, trips)
}

func main() {
	series := []struct {
		name string
		at   func(size int) float64
	}{
		{"start", startEnd},
		{"yield", yield},
		{"channels", channels},
		{"timers", timers},
		{"timers_due", timersDue},
		{"processors", processors},
		{"select", selectCases},
		{"connections", connections},
	}
	for _, s := range series {
		if len(os.Args) < 3 {
			fmt.Println(s.name)
		} else if os.Args[1] == s.name {
			size, _ := strconv.Atoi(os.Args[2])
			fmt.Printf("%.2f\n", s.at(size))
			return
		}
	}
	if len(os.Args) > 2 {
		os.Exit(3)
	}
}
