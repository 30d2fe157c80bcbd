package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

var (
	theMutex   sync.Mutex
	theRW      sync.RWMutex
	theWG      sync.WaitGroup
	theOnce    sync.Once
	theCond    = sync.NewCond(&theMutex)
	readyToGo  bool
	readerCond = sync.NewCond(theRW.RLocker())
)

func yields(n int) {
	for ; n > 0; n-- {
		runtime.Gosched()
	}
}

func lockAndSay(id int) {
	theMutex.Lock()
	fmt.Println(id)
	theMutex.Unlock()
	theWG.Done()
}

func writer(name string) {
	theRW.Lock()
	fmt.Println(name)
	theRW.Unlock()
	theWG.Done()
}

func reader(name string) {
	theRW.RLock()
	fmt.Println(name)
	theRW.RUnlock()
	theWG.Done()
}

func waits(id int) {
	theMutex.Lock()
	theCond.Wait()
	fmt.Println(id)
	theMutex.Unlock()
	theWG.Done()
}

func startWaiters(n int) {
	theWG.Add(n)
	for i := 0; i < n; i++ {
		go waits(i)
		runtime.Gosched()
	}
}

func useCopy(use func(*sync.Cond), name string) {
	theCond.Signal()
	copied := *theCond
	defer func() { printRecovered(name, recover()) }()
	use(&copied)
}

func waitsAsReader(id int) {
	theRW.RLock()
	for !readyToGo {
		readerCond.Wait()
	}
	fmt.Println("reader", id)
	theRW.RUnlock()
	theWG.Done()
}

func nested(depth int) {
	if depth > 0 {
		theWG.Go(func() { nested(depth - 1) })
	}
	fmt.Println("depth", depth)
}

func waitsForGroup(id int) {
	theWG.Wait()
	fmt.Println(id)
}

func waitsAndSays() { theWG.Wait() }

func doAgain() { theOnce.Do(doAgain) }

func slow() {
	fmt.Println("begin")
	yields(5)
	fmt.Println("end")
}

func callRecovered(f func(), who string) {
	defer func() { printRecovered(who, recover()) }()
	f()
	fmt.Println("not reached")
}

func init() {
	add("mutex_unlock_by_another", "internal/sync/mutex.go Unlock", func() {
		theMutex.Lock()
		go func() {
			fmt.Println("unlock")
			theMutex.Unlock()
		}()
		theMutex.Lock()
		fmt.Println("locked again")
	})
	add("mutex_blocked_lockers_fifo", "internal/sync/mutex.go lockSlow", func() {
		theWG.Add(4)
		theMutex.Lock()
		for i := 0; i < 4; i++ {
			go lockAndSay(i)
			runtime.Gosched()
		}
		theMutex.Unlock()
		theWG.Wait()
	})
	add("mutex_newcomer_may_be_faster", "internal/sync/mutex.go lockSlow", func() {
		theWG.Add(1)
		theMutex.Lock()
		go lockAndSay(1)
		runtime.Gosched()
		theMutex.Unlock()
		fmt.Println(bit(theMutex.TryLock()))
		theMutex.Unlock()
		theWG.Wait()
	})
	add("mutex_unlocked_twice", "internal/sync/mutex.go unlockSlow", func() {
		theMutex.Lock()
		theMutex.Unlock()
		theMutex.Unlock()
	})
	add("mutex_unlock_unlocked_is_not_recoverable", "internal/sync/mutex.go unlockSlow", func() {
		defer func() { printRecovered("recovered", recover()) }()
		theMutex.Unlock()
	})
	add("mutex_unlock_deferred_on_panic", "spec: Defer statements", func() {
		func() {
			defer fmt.Println("end")
			defer theMutex.Unlock()
			theMutex.Lock()
		}()
		fmt.Println(bit(theMutex.TryLock()))
	})

	add("rwmutex_readers_share", "sync/rwmutex.go RLock", func() {
		theRW.RLock()
		theRW.RLock()
		fmt.Println(bit(theRW.TryRLock()), bit(theRW.TryLock()))
		for i := 0; i < 3; i++ {
			theRW.RUnlock()
		}
		fmt.Println(bit(theRW.TryLock()))
	})
	add("rwmutex_writer_excludes", "sync/rwmutex.go Lock", func() {
		theRW.Lock()
		fmt.Println(bit(theRW.TryRLock()), bit(theRW.TryLock()))
		theRW.Unlock()
		fmt.Println(bit(theRW.TryRLock()), bit(theRW.TryLock()))
	})
	add("rwmutex_waiting_writer_stops_readers", "sync/rwmutex.go Lock", func() {
		theWG.Add(2)
		theRW.RLock()
		go writer("writer")
		runtime.Gosched()
		fmt.Println(bit(theRW.TryRLock()))
		go reader("reader")
		yields(2)
		fmt.Println("leave")
		theRW.RUnlock()
		theWG.Wait()
	})
	add("rwmutex_unlock_lets_readers_in_first", "sync/rwmutex.go Unlock", func() {
		theWG.Add(4)
		theRW.Lock()
		go reader("reader 1")
		runtime.Gosched()
		go writer("writer 1")
		runtime.Gosched()
		go reader("reader 2")
		runtime.Gosched()
		go writer("writer 2")
		runtime.Gosched()
		theRW.Unlock()
		theWG.Wait()
	})
	add("rwmutex_last_reader_wakes_writer", "sync/rwmutex.go rUnlockSlow", func() {
		theWG.Add(1)
		theRW.RLock()
		theRW.RLock()
		go writer("writer")
		runtime.Gosched()
		theRW.RUnlock()
		yields(2)
		fmt.Println("last")
		theRW.RUnlock()
		theWG.Wait()
	})
	add("rwmutex_unlock_unlocked", "sync/rwmutex.go Unlock", func() { theRW.Unlock() })
	add("rwmutex_runlock_unlocked", "sync/rwmutex.go rUnlockSlow", func() { theRW.RUnlock() })
	add("rwmutex_unlock_of_reader", "sync/rwmutex.go Unlock", func() {
		theRW.RLock()
		theRW.Unlock()
	})
	add("rwmutex_runlock_of_writer", "sync/rwmutex.go rUnlockSlow", func() {
		theRW.Lock()
		theRW.RUnlock()
	})
	add("rwmutex_unlocked_twice", "sync/rwmutex.go Unlock", func() {
		theRW.Lock()
		theRW.Unlock()
		theRW.Unlock()
	})
	add("rwmutex_runlocked_twice", "sync/rwmutex.go rUnlockSlow", func() {
		theRW.RLock()
		theRW.RUnlock()
		theRW.RUnlock()
	})
	add("deadlock_rwmutex_lock", "sync/rwmutex.go Lock", func() {
		theRW.RLock()
		theRW.Lock()
	})
	add("deadlock_rwmutex_rlock", "sync/rwmutex.go RLock", func() {
		theRW.Lock()
		theRW.RLock()
	})
	add("deadlock_rwmutex_recursive_rlock", "sync/rwmutex.go RWMutex", func() {
		theRW.RLock()
		go writer("writer")
		runtime.Gosched()
		theRW.RLock()
	})
	add("deadlock_rwmutex_second_writer", "sync/rwmutex.go Lock", func() {
		theWG.Add(2)
		theRW.RLock()
		go writer("writer")
		runtime.Gosched()
		go writer("writer")
		theWG.Wait()
	})
	add("rwmutex_unlock_by_another", "sync/rwmutex.go Unlock", func() {
		theRW.Lock()
		go func() {
			fmt.Println("unlock")
			theRW.Unlock()
		}()
		theRW.RLock()
		fmt.Println("read locked")
	})
	add("rwmutex_rlocker", "sync/rwmutex.go RLocker", func() {
		l := theRW.RLocker()
		l.Lock()
		fmt.Println(bit(theRW.TryRLock()), bit(theRW.TryLock()))
		theRW.RUnlock()
		l.Unlock()
		fmt.Println(bit(theRW.TryLock()))
	})

	add("cond_signal_fifo", "runtime/sema.go notifyListNotifyOne", func() {
		startWaiters(4)
		for i := 0; i < 4; i++ {
			theCond.Signal()
			yields(2)
			fmt.Println("next")
		}
		theWG.Wait()
	})
	add("cond_signals_at_once", "runtime/sema.go notifyListNotifyOne", func() {
		startWaiters(4)
		theCond.Signal()
		theCond.Signal()
		theCond.Signal()
		yields(3)
		fmt.Println("the last")
		theCond.Signal()
		theWG.Wait()
	})
	add("cond_broadcast", "runtime/sema.go notifyListNotifyAll", func() {
		startWaiters(4)
		theCond.Broadcast()
		theWG.Wait()
		fmt.Println("all")
	})
	add("cond_signal_is_not_kept", "sync/cond.go Signal", func() {
		theCond.Signal()
		theCond.Broadcast()
		theMutex.Lock()
		theCond.Wait()
	})
	add("cond_wait_unlocks_and_locks", "sync/cond.go Wait", func() {
		startWaiters(1)
		fmt.Println(bit(theMutex.TryLock()))
		theCond.Signal()
		yields(2)
		fmt.Println("still locked")
		theMutex.Unlock()
		theWG.Wait()
	})
	add("cond_wait_without_lock", "sync/cond.go Wait", func() { theCond.Wait() })
	add("cond_copied", "sync/cond.go copyChecker", func() {
		useCopy((*sync.Cond).Signal, "signal")
		useCopy((*sync.Cond).Broadcast, "broadcast")
		useCopy((*sync.Cond).Wait, "wait")
	})
	add("cond_copied_uncaught", "sync/cond.go copyChecker", func() {
		theCond.Broadcast()
		copied := *theCond
		copied.Signal()
	})
	add("cond_with_rlocker", "sync/cond.go NewCond", func() {
		theWG.Add(3)
		for i := 0; i < 3; i++ {
			go waitsAsReader(i)
			runtime.Gosched()
		}
		theRW.Lock()
		readyToGo = true
		theRW.Unlock()
		readerCond.Broadcast()
		theWG.Wait()
	})
	add("cond_bounded_queue", "sync/cond.go Wait", func() {
		var queue []int
		sum := 0
		go func() {
			for i := 0; i < 6; i++ {
				theMutex.Lock()
				for len(queue) == 2 {
					theCond.Wait()
				}
				queue = append(queue, i)
				theCond.Broadcast()
				theMutex.Unlock()
			}
		}()
		for i := 0; i < 6; i++ {
			theMutex.Lock()
			for len(queue) == 0 {
				theCond.Wait()
			}
			sum += queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			theCond.Broadcast()
			theMutex.Unlock()
		}
		fmt.Println(sum)
	})
	add("deadlock_cond", "sync/cond.go Wait", func() {
		startWaiters(2)
		theCond.Signal()
		theWG.Wait()
	})

	add("waitgroup_go", "sync/waitgroup.go Go", func() {
		for i := 0; i < 3; i++ {
			theWG.Go(func() { fmt.Println(i, "done") })
		}
		theWG.Wait()
		fmt.Println("end")
	})
	add("waitgroup_go_nested", "sync/waitgroup.go Go", func() {
		theWG.Go(func() { nested(3) })
		theWG.Wait()
	})
	add("waitgroup_go_panic", "sync/waitgroup.go Go", func() {
		theWG.Go(func() { panic("boom") })
		theWG.Wait()
		fmt.Println("not reached")
	})
	add("waitgroup_go_recovered", "sync/waitgroup.go Go", func() {
		theWG.Go(func() {
			defer func() { printRecovered("recovered", recover()) }()
			panic("boom")
		})
		theWG.Wait()
		fmt.Println("end")
	})
	add("waitgroup_go_goexit", "sync/waitgroup.go Go", func() {
		theWG.Go(func() {
			defer fmt.Println("deferred")
			runtime.Goexit()
		})
		theWG.Wait()
		fmt.Println("end")
	})
	add("waitgroup_reused_too_early", "sync/waitgroup.go Wait", func() {
		theWG.Add(1)
		go waitsForGroup(1)
		runtime.Gosched()
		theWG.Done()
		theWG.Add(1)
		runtime.Gosched()
		fmt.Println("not reached")
	})
	add("waitgroup_used_again", "sync/waitgroup.go WaitGroup", func() {
		for i := 0; i < 3; i++ {
			theWG.Go(func() { fmt.Println(i, "round") })
			theWG.Wait()
		}
	})
	add("waitgroup_zero", "sync/waitgroup.go Wait", func() {
		theWG.Wait()
		theWG.Add(2)
		theWG.Add(-2)
		theWG.Wait()
		fmt.Println("end")
	})
	add("waitgroup_several_waiters", "sync/waitgroup.go Add", func() {
		theWG.Add(1)
		for i := 0; i < 4; i++ {
			go waitsForGroup(i)
			runtime.Gosched()
		}
		theWG.Done()
		yields(5)
	})
	add("waitgroup_done_too_often_recovered", "sync/waitgroup.go Add", func() {
		defer func() { printRecovered("recovered", recover()) }()
		theWG.Done()
	})
	add("deadlock_waitgroup_several", "sync/waitgroup.go Wait", func() {
		theWG.Add(1)
		go waitsAndSays()
		go waitsAndSays()
		theWG.Wait()
	})

	add("deadlock_once_recursive", "sync/once.go Do", func() { theOnce.Do(doAgain) })
	add("once_goexit_counts_as_done", "sync/once.go doSlow", func() {
		n := 0
		theWG.Add(1)
		go func() {
			defer theWG.Done()
			theOnce.Do(func() {
				defer fmt.Println("deferred")
				runtime.Goexit()
			})
			fmt.Println("not reached")
		}()
		theWG.Wait()
		theOnce.Do(func() { n++ })
		fmt.Println(n)
	})
	add("once_others_wait_for_the_first", "sync/once.go Do", func() {
		theWG.Add(1)
		go func() {
			theOnce.Do(slow)
			fmt.Println("second")
			theWG.Done()
		}()
		theOnce.Do(slow)
		fmt.Println("first")
		theWG.Wait()
	})
	add("once_as_go_and_defer", "sync/once.go Do", func() {
		n := 0
		count := func() {
			n++
			fmt.Println("run", n)
		}
		func() {
			defer theOnce.Do(count)
			fmt.Println("block")
		}()
		theWG.Go(func() { theOnce.Do(count) })
		theWG.Wait()
		fmt.Println(n)
	})
	add("once_func", "sync/oncefunc.go OnceFunc", func() {
		n := 0
		f := sync.OnceFunc(func() {
			n++
			fmt.Println("run", n)
		})
		f()
		f()
		fmt.Println(n)
	})
	boom := func() {
		fmt.Println("run")
		panic("boom")
	}
	add("once_func_panics_each_time", "sync/oncefunc.go OnceFunc", func() {
		f := sync.OnceFunc(boom)
		callRecovered(f, "first")
		callRecovered(f, "second")
		callRecovered(f, "third")
	})
	add("once_func_panic_error", "sync/oncefunc.go OnceFunc", func() {
		f := sync.OnceFunc(func() { panic(errors.New("an error")) })
		callRecovered(f, "first")
		f()
	})
	add("once_func_panic_uncaught", "sync/oncefunc.go OnceFunc", func() { sync.OnceFunc(boom)() })
	add("once_func_second_panic_uncaught", "sync/oncefunc.go OnceFunc", func() {
		f := sync.OnceFunc(boom)
		callRecovered(f, "first")
		f()
	})
	add("once_func_goexit", "sync/oncefunc.go OnceFunc", func() {
		f := sync.OnceFunc(runtime.Goexit)
		theWG.Add(1)
		go func() {
			defer theWG.Done()
			callRecovered(f, "first")
		}()
		theWG.Wait()
		callRecovered(f, "second")
	})
	add("once_value", "sync/oncefunc.go OnceValue", func() {
		v := sync.OnceValue(func() string {
			fmt.Println("make")
			return "value"
		})
		fmt.Println(v())
		fmt.Println(v())
	})
	add("once_value_panics_each_time", "sync/oncefunc.go OnceValue", func() {
		v := sync.OnceValue(func() string { panic("no value") })
		callRecovered(func() { v() }, "first")
		callRecovered(func() { v() }, "second")
	})
}
