package main

import "runtime"

func yielder(n int) {
	for i := 0; i < n; i++ {
		runtime.Gosched()
	}
	wg.Done()
}

func yield() int {
	n := times(1000000)
	wg.Add(2)
	go yielder(n)
	go yielder(n)
	wg.Wait()
	return 2 * n
}

func nothing() { wg.Done() }

func spawnFinish() int {
	rounds := times(1000)
	for i := 0; i < rounds; i++ {
		wg.Add(1000)
		for j := 0; j < 1000; j++ {
			go nothing()
		}
		wg.Wait()
	}
	return 1000 * rounds
}

func joined(c chan struct{}) { c <- struct{}{} }

func spawnJoin() int {
	n := times(500000)
	c := make(chan struct{})
	for i := 0; i < n; i++ {
		go joined(c)
		<-c
	}
	return n
}

func nested(depth int) {
	if depth > 0 {
		go nested(depth - 1)
		go nested(depth - 1)
	}
	wg.Done()
}

func spawnNested() int {
	depth := 6
	if whole() {
		depth = 18
	}
	n := 2<<depth - 1
	wg.Add(n)
	nested(depth)
	wg.Wait()
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
	leaves := times(1000000)
	c := make(chan int)
	go sky(c, 0, leaves)
	check(<-c == leaves*(leaves-1)/2)
	return leaves
}

var schedRows = []row{
	{"yield", yield, nil},
	{"spawn_finish", spawnFinish, nil},
	{"spawn_join", spawnJoin, nil},
	{"spawn_nested", spawnNested, nil},
	{"skynet", skynet, nil},
	{"startup", nil, func() float64 { return 0 }},
}
