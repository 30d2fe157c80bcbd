package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
)

var (
	wg      sync.WaitGroup
	sem     = semaphore.NewWeighted(3)
	group   errgroup.Group
	flights singleflight.Group
	calls   int
	ever    = context.Background()
)

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// code is an error that is an int, as C's are.
type code int

func (c code) Error() string { return fmt.Sprint(int(c)) }

func codeOf(err error) int {
	if err == nil {
		return 0
	}
	return int(err.(code))
}

func errorOf(n int) error {
	if n == 0 {
		return nil
	}
	return code(n)
}

func printRecovered(who string, r any) {
	text := "nil"
	if r != nil {
		text, _, _ = strings.Cut(fmt.Sprint(r), "\n")
	}
	fmt.Printf("%s: %s\n", who, text)
}

func yields(n int) {
	for ; n > 0; n-- {
		runtime.Gosched()
	}
}

func tryAcquire(n int64) { fmt.Printf("%d: %d\n", n, bit(sem.TryAcquire(n))) }

func acquire(id int, n int64) {
	sem.Acquire(ever, n)
	fmt.Printf("%d got %d\n", id, n)
	wg.Done()
}

func startAcquire(id int, n int64) {
	wg.Add(1)
	go acquire(id, n)
	runtime.Gosched()
}

func releaseRecovered(n int64) {
	defer func() { printRecovered("release", recover()) }()
	sem.Release(n)
}

func init() {
	const source = "x/sync/semaphore "
	add("semaphore_try_acquire", source+"TryAcquire", func() {
		tryAcquire(2)
		tryAcquire(2)
		tryAcquire(1)
		tryAcquire(0)
		sem.Release(2)
		tryAcquire(3)
		tryAcquire(2)
	})
	add("semaphore_fifo", source+"notifyWaiters", func() {
		sem.Acquire(ever, 3)
		for i := 0; i < 3; i++ {
			startAcquire(i, 1)
		}
		for i := 0; i < 3; i++ {
			sem.Release(1)
			yields(2)
			fmt.Println("next")
		}
		wg.Wait()
	})
	add("semaphore_large_is_not_overtaken", source+"notifyWaiters", func() {
		sem.Acquire(ever, 2)
		startAcquire(1, 2)
		tryAcquire(1)
		startAcquire(2, 1)
		fmt.Println("release")
		sem.Release(1)
		yields(3)
		fmt.Println("release")
		sem.Release(1)
		wg.Wait()
	})
	add("semaphore_release_wakes_several", source+"notifyWaiters", func() {
		sem.Acquire(ever, 3)
		startAcquire(1, 1)
		startAcquire(2, 1)
		startAcquire(3, 2)
		sem.Release(3)
		yields(3)
		fmt.Println("more")
		sem.Release(1)
		wg.Wait()
	})
	add("semaphore_released_more_than_held", source+"Release", func() {
		releaseRecovered(1)
		tryAcquire(4)
		tryAcquire(1)
	})
	add("semaphore_released_more_uncaught", source+"Release", func() {
		sem.Acquire(ever, 2)
		sem.Release(3)
	})
	add("semaphore_negative", source+"Acquire", func() {
		func() {
			defer func() { printRecovered("acquire", recover()) }()
			sem.Acquire(ever, -1)
		}()
		func() {
			defer func() { printRecovered("try_acquire", recover()) }()
			sem.TryAcquire(-1)
		}()
		releaseRecovered(-1)
		tryAcquire(3)
	})
	add("semaphore_negative_size", source+"NewWeighted", func() {
		defer func() { printRecovered("new", recover()) }()
		semaphore.NewWeighted(-1)
	})
	add("semaphore_zero_weight", source+"Acquire", func() {
		sem.Acquire(ever, 3)
		sem.Acquire(ever, 0)
		fmt.Println("got nothing")
		startAcquire(1, 1)
		tryAcquire(0)
		sem.Release(1)
		wg.Wait()
	})
	add("deadlock_semaphore", source+"Acquire", func() {
		sem.Acquire(ever, 2)
		sem.Acquire(ever, 2)
	})
	add("deadlock_semaphore_beyond_size", source+"Acquire", func() { sem.Acquire(ever, 4) })
	add("semaphore_beyond_size_stops_nobody", source+"Acquire", func() {
		startAcquire(1, 4)
		tryAcquire(3)
	})
}

func work(id, err int) func() error {
	return func() error {
		fmt.Println("work", id)
		return errorOf(err)
	}
}

func tryWork(id int) { fmt.Println(bit(group.TryGo(work(id, 0)))) }

func receive() error {
	<-make(chan int)
	return nil
}

func setLimitRecovered(n int) {
	defer func() { printRecovered("limit", recover()) }()
	group.SetLimit(n)
}

func waitGroup() { fmt.Println(codeOf(group.Wait())) }

func init() {
	const source = "x/sync/errgroup "
	running, most := 0, 0
	count := func() error {
		running++
		most = max(running, most)
		yields(3)
		running--
		return nil
	}
	add("errgroup_all_succeed", source+"Wait", func() {
		for i := 0; i < 3; i++ {
			group.Go(work(i, 0))
		}
		waitGroup()
	})
	add("errgroup_first_error", source+"Go", func() {
		for i := 0; i < 4; i++ {
			group.Go(work(i, i*10))
			runtime.Gosched()
		}
		waitGroup()
		waitGroup()
	})
	add("errgroup_empty", source+"Wait", waitGroup)
	add("errgroup_limit", source+"SetLimit", func() {
		group.SetLimit(2)
		for i := 0; i < 8; i++ {
			group.Go(count)
		}
		group.Wait()
		fmt.Println(running, most)
	})
	add("errgroup_no_limit", source+"SetLimit", func() {
		group.SetLimit(2)
		group.SetLimit(-1)
		for i := 0; i < 8; i++ {
			group.Go(count)
		}
		group.Wait()
		fmt.Println(running, most)
	})
	add("errgroup_try_go", source+"TryGo", func() {
		tryWork(0)
		group.Wait()
		group.SetLimit(1)
		tryWork(1)
		tryWork(2)
		yields(2)
		tryWork(3)
		group.Wait()
	})
	add("errgroup_limit_zero", source+"SetLimit", func() {
		group.SetLimit(0)
		tryWork(1)
		waitGroup()
	})
	add("deadlock_errgroup_limit_zero", source+"Go", func() {
		group.SetLimit(0)
		group.Go(work(1, 0))
	})
	add("errgroup_limit_while_active", source+"SetLimit", func() {
		group.SetLimit(3)
		group.Go(receive)
		group.Go(receive)
		setLimitRecovered(4)
		setLimitRecovered(-1)
	})
	add("errgroup_limit_while_active_uncaught", source+"SetLimit", func() {
		group.SetLimit(3)
		group.Go(receive)
		group.SetLimit(2)
	})
	add("errgroup_limit_again", source+"SetLimit", func() {
		for i := 1; i < 4; i++ {
			most = 0
			group.SetLimit(i)
			for j := 0; j < 6; j++ {
				group.Go(count)
			}
			group.Wait()
			fmt.Println(most)
		}
	})
	add("errgroup_panic_ends_the_process", source+"Go", func() {
		group.Go(func() error { panic("boom") })
		group.Wait()
	})
	add("errgroup_goexit_is_no_error", source+"Go", func() {
		group.SetLimit(1)
		exits := func() error {
			runtime.Goexit()
			return code(1)
		}
		group.Go(exits)
		group.Go(exits)
		waitGroup()
	})
	add("errgroup_error_cancels", source+"WithContext", func() {
		g, ctx := errgroup.WithContext(ever)
		g.Go(func() error {
			<-ctx.Done()
			fmt.Println(1, "stops")
			return code(1)
		})
		g.Go(func() error {
			fmt.Println("work", 2)
			fmt.Println("cancelled by", 7)
			return code(7)
		})
		fmt.Println(codeOf(g.Wait()))
	})
	add("errgroup_wait_cancels", source+"Wait", func() {
		g, ctx := errgroup.WithContext(ever)
		g.Go(work(1, 0))
		err := g.Wait()
		fmt.Println("cancelled by", codeOf(err))
		fmt.Println(codeOf(err))
		<-ctx.Done()
	})
	add("deadlock_errgroup_wait", source+"Wait", func() {
		group.Go(func() error { return nil })
		group.Go(receive)
		group.Wait()
	})
}

func lookup(value string) func() (any, error) {
	return func() (any, error) {
		calls++
		fmt.Println("call", calls)
		yields(5)
		return value, nil
	}
}

func lookupFails() (any, error) {
	yields(5)
	return nil, code(5)
}

func lookupPanics() (any, error) {
	yields(5)
	panic("boom")
}

func lookupExits() (any, error) {
	yields(5)
	runtime.Goexit()
	return nil, nil
}

func look(key string, fn func() (any, error)) {
	v, err, shared := flights.Do(key, fn)
	if err != nil {
		v = "none"
	}
	fmt.Println(v, codeOf(err), bit(shared))
}

func startThree(fn func() (any, error)) {
	for i := 0; i < 3; i++ {
		wg.Go(func() { look("a", fn) })
		runtime.Gosched()
	}
}

func printResult(c <-chan singleflight.Result) {
	r := <-c
	fmt.Println(r.Val, codeOf(r.Err), bit(r.Shared))
}

func lookAgain() (any, error) {
	v, err, _ := flights.Do("a", lookAgain)
	return v, err
}

func init() {
	const source = "x/sync/singleflight "
	add("singleflight_do", source+"Do", func() {
		look("a", lookup("one"))
		look("a", lookup("two"))
	})
	add("singleflight_error", source+"Do", func() { look("a", lookupFails) })
	add("singleflight_shared", source+"Do", func() {
		startThree(lookup("value"))
		wg.Wait()
		fmt.Println(calls)
	})
	add("singleflight_error_shared", source+"Do", func() {
		startThree(lookupFails)
		wg.Wait()
	})
	add("singleflight_keys_are_apart", source+"Do", func() {
		wg.Go(func() { look("a", lookup("one")) })
		runtime.Gosched()
		wg.Go(func() { look("b", lookup("two")) })
		wg.Wait()
	})
	add("singleflight_forget", source+"Forget", func() {
		wg.Go(func() { look("a", lookup("one")) })
		runtime.Gosched()
		flights.Forget("a")
		flights.Forget("b")
		wg.Go(func() { look("a", lookup("two")) })
		runtime.Gosched()
		wg.Go(func() { look("a", lookup("three")) })
		wg.Wait()
	})
	add("singleflight_do_chan", source+"DoChan", func() {
		printResult(flights.DoChan("a", lookup("one")))
		var c [3]<-chan singleflight.Result
		for i := range c {
			c[i] = flights.DoChan("a", lookup("two"))
		}
		for i := range c {
			printResult(c[i])
		}
	})
	add("singleflight_panic_to_each", source+"doCall", func() {
		for i := 0; i < 3; i++ {
			wg.Go(func() {
				defer func() { printRecovered("recovered", recover()) }()
				look("a", lookupPanics)
			})
			runtime.Gosched()
		}
		wg.Wait()
		look("a", lookup("after"))
	})
	add("singleflight_goexit_to_each", source+"doCall", func() {
		for i := 0; i < 3; i++ {
			wg.Go(func() {
				defer fmt.Println("deferred")
				look("a", lookupExits)
				fmt.Println("not reached")
			})
			runtime.Gosched()
		}
		wg.Wait()
		look("a", lookup("after"))
	})
	add("singleflight_do_chan_panic", source+"doCall", func() {
		<-flights.DoChan("a", lookupPanics)
	})
	add("deadlock_singleflight_recursive", source+"Do", func() { flights.Do("a", lookAgain) })
}
