package main

func echo(in, out chan int) {
	for v := range in {
		out <- v
	}
	close(out)
}

func hop() int {
	n := times(500000)
	there, back := make(chan int), make(chan int)
	go echo(there, back)
	for i := 0; i < n; i++ {
		there <- i
		check(<-back == i)
	}
	close(there)
	<-back
	return 2 * n
}

func producer(c chan int, n int) {
	for i := 0; i < n; i++ {
		c <- i
	}
	close(c)
}

func through(n, room int) int {
	c := make(chan int, room)
	sum := 0
	go producer(c, n)
	for v := range c {
		sum += v
	}
	check(sum == n*(n-1)/2)
	return n
}

const many = 100

func sender(c chan int, n int) {
	for i := 0; i < n; i++ {
		c <- 1
	}
	wg.Done()
}

func receiver(c, total chan int) {
	sum := 0
	for v := range c {
		sum += v
	}
	total <- sum
}

func fanIn() int {
	n := times(10000)
	c, total := make(chan int), make(chan int)
	go receiver(c, total)
	wg.Add(many)
	for i := 0; i < many; i++ {
		go sender(c, n)
	}
	wg.Wait()
	close(c)
	check(<-total == many*n)
	return many * n
}

func fanOut() int {
	n, sum := times(1000000), 0
	c, total := make(chan int), make(chan int)
	for i := 0; i < many; i++ {
		go receiver(c, total)
	}
	wg.Add(1)
	sender(c, n)
	close(c)
	for i := 0; i < many; i++ {
		sum += <-total
	}
	check(sum == n)
	return n
}

func plusOne(in, out chan int) {
	for v := range in {
		out <- v + 1
	}
	close(out)
}

// A chain of goroutines, each adding one.
func chain(length int) (first, last chan int) {
	first = make(chan int)
	last = first
	for i := 0; i < length; i++ {
		next := make(chan int)
		go plusOne(last, next)
		last = next
	}
	return
}

// One value goes round and round.
func ring(size, laps int) int {
	stopClock()
	start, end := chain(size)
	startClock()
	v := 0
	for i := 0; i < laps; i++ {
		start <- v
		v = <-end
	}
	check(v == size*laps)
	stopClock()
	close(start)
	<-end
	startClock()
	return size * laps
}

func pipeline10() int {
	n, sum := times(100000), 0
	start, end := chain(10)
	go producer(start, n)
	for v := range end {
		sum += v
	}
	check(sum == n*(n-1)/2+10*n)
	return n
}

func worker(jobs, results chan int) {
	for steps := range jobs {
		results <- int(work(steps) & 1)
	}
}

func workerPool(n, steps int) int {
	jobs, results := make(chan int, 64), make(chan int, 64)
	for i := 0; i < 8; i++ {
		go worker(jobs, results)
	}
	go func() {
		for i := 0; i < n; i++ {
			jobs <- steps
		}
		close(jobs)
	}()
	for i := 0; i < n; i++ {
		<-results
	}
	return n
}

const stepsAMicrosecond = 600 // about: what counts is that they are as many in C

func numbers(c chan int32) {
	for i := int32(2); ; i++ {
		c <- i
	}
}

func filter(in, out chan int32, prime int32) {
	for {
		i := <-in
		if i%prime != 0 {
			out <- i
		}
	}
}

func sieve() int {
	primes := times(2000)
	c := make(chan int32)
	go numbers(c)
	for i := 0; i < primes; i++ {
		prime := <-c
		next := make(chan int32)
		go filter(c, next, prime)
		c = next
	}
	return primes
}

var chanRows = []row{
	{"hop", hop, nil},
	{"oneway", func() int { return through(times(1000000), 0) }, nil},
	{"buffered1", func() int { return through(times(1000000), 1) }, nil},
	{"buffered10", func() int { return through(times(2000000), 10) }, nil},
	{"buffered128", func() int { return through(times(4000000), 128) }, nil},
	{"fan_in", fanIn, nil},
	{"fan_out", fanOut, nil},
	{"ring_1000", func() int { return ring(times(1000), times(1000)) }, nil},
	{"ring_100000", func() int { return ring(times(100000), times(10)) }, nil},
	{"pipeline10", pipeline10, nil},
	{"worker_pool_1us", func() int { return workerPool(times(200000), stepsAMicrosecond) }, nil},
	{"worker_pool_10us", func() int { return workerPool(times(20000), 10*stepsAMicrosecond) }, nil},
	{"worker_pool_100us", func() int { return workerPool(times(2000), 100*stepsAMicrosecond) }, nil},
	{"sieve", sieve, nil},
}
