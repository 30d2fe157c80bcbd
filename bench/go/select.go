package main

import "sync"

var (
	channels [63]chan int
	reply    chan int
	quit     chan struct{}
)

// n values go to the first `used` channels in turn; replier, which selects of them and of quit,
// answers each.
func rounds(n, used int, replier func()) int {
	for i := range channels {
		channels[i] = make(chan int)
	}
	reply = make(chan int)
	quit = make(chan struct{})
	go replier()
	for i := 0; i < n; i++ {
		channels[i%used] <- i
		check(<-reply == i)
	}
	close(quit)
	<-reply
	return n
}

// With one case there is none for quit.
func select1() int {
	n := times(300000)
	c := make(chan int)
	reply := make(chan int)
	go func() {
		for {
			select {
			case v := <-c:
				if v < 0 {
					close(reply)
					return
				}
				reply <- v
			}
		}
	}()
	for i := 0; i < n; i++ {
		c <- i
		check(<-reply == i)
	}
	c <- -1
	<-reply
	return n
}

func replier2() {
	for {
		select {
		case v := <-channels[0]:
			reply <- v
		case v := <-channels[1]:
			reply <- v
		case <-quit:
			close(reply)
			return
		}
	}
}

func replier8() {
	for {
		var v int
		select {
		case v = <-channels[0]:
		case v = <-channels[1]:
		case v = <-channels[2]:
		case v = <-channels[3]:
		case v = <-channels[4]:
		case v = <-channels[5]:
		case v = <-channels[6]:
		case <-quit:
			close(reply)
			return
		}
		reply <- v
	}
}

func replier64() {
	for {
		v, ok := select64(&channels, quit)
		if !ok {
			close(reply)
			return
		}
		reply <- v
	}
}

func selectDefault() int {
	n, none := times(10000000), 0
	a, b := make(chan int), make(chan int)
	for i := 0; i < n; i++ {
		select {
		case <-a:
		case <-b:
		default:
			none++
		}
	}
	check(none == n)
	return n
}

func selectContended() int {
	const each = 4
	n := times(100000)
	var wg sync.WaitGroup
	a, b := make(chan int), make(chan int)
	wg.Add(2 * each)
	for i := 0; i < each; i++ {
		go func() {
			for i := 0; i < n; i++ {
				select {
				case a <- i:
				case b <- i:
				}
			}
			wg.Done()
		}()
		go func() {
			for i := 0; i < n; i++ {
				select {
				case <-a:
				case <-b:
				}
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return each * n
}

var selectRows = []row{
	{"select1", select1, nil},
	{"select2", func() int { return rounds(times(300000), 2, replier2) }, nil},
	{"select8", func() int { return rounds(times(200000), 7, replier8) }, nil},
	{"select64", func() int { return rounds(times(30000), 63, replier64) }, nil},
	{"select_default", selectDefault, nil},
	{"select_contended", selectContended, nil},
}
