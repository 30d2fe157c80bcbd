package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
)

func printRecovered(who string, r any) {
	if r == nil {
		fmt.Printf("%s: nil\n", who)
	} else {
		fmt.Printf("%s: %v\n", who, r)
	}
}

func named() (result int) {
	defer func() { printRecovered("named", recover()) }()
	result = 2
	panic("boom")
}

func changed() (result int) {
	result = 5
	defer func() {
		if recover() != nil {
			result += 100
		}
	}()
	panic("boom")
}

func helper(who string) { printRecovered(who, recover()) }

func deep(n int) {
	if n == 0 {
		panic("deep")
	}
	deep(n - 1)
	fmt.Println("not reached")
}

func inGoroutine(f func()) {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		f()
	}()
	wg.Wait()
}

func makeTooLarge(n int) {
	defer func() { printRecovered("make", recover()) }()
	c := make(chan int, n)
	fmt.Println(c)
}

func init() {
	src := "runtime/panic.go "
	add("panic_text", src+"printpanics", func() { panic("boom") })
	add("panic_newlines", src+"printpanics", func() { panic("first\nsecond\nthird") })
	add("panic_error", src+"preprintpanics", func() { panic(errors.New("an error")) })
	add("panic_int", "runtime/error.go printpanicval", func() { panic(42) })
	add("panic_bool", "runtime/error.go printpanicval", func() { panic(true) })
	add("panic_float", "runtime/error.go printpanicval", func() { panic(2.5) })
	add("panic_nil", src+"PanicNilError", func() { panic(nil) })
	add("panic_runs_deferred", src+"gopanic", func() {
		defer fmt.Println("outer")
		func() {
			defer fmt.Println("inner")
			panic("boom")
		}()
	})
	add("panic_in_goroutine", src+"fatalpanic", func() {
		go func() { panic("in a goroutine") }()
		<-make(chan int)
	})
	add("panic_in_deferred", src+"printpanics", func() {
		defer func() { panic("second") }()
		panic("first")
	})
	add("panic_after_recover", src+"printpanics", func() {
		defer func() { panic(fmt.Sprintf("after %v", recover())) }()
		panic("first")
	})
	add("repanicked", src+"printpanics", func() {
		defer func() { panic(recover()) }()
		panic("again")
	})
	add("recover_returns_named_result", "spec: Handling panics", func() { fmt.Println(named()) })
	add("recover_changes_result", "spec: Defer statements", func() { fmt.Println(changed()) })
	add("recover_then_remaining_deferred", src+"gorecover", func() {
		func() {
			defer func() { printRecovered("third", recover()) }()
			defer fmt.Println("second")
			defer func() { printRecovered("first", recover()) }()
			panic("boom")
		}()
		fmt.Println("returned")
	})
	add("recover_only_directly", src+"gorecover", func() {
		func() {
			defer func() { printRecovered("direct", recover()) }()
			defer func() { helper("one frame deeper") }()
			panic("boom")
		}()
	})
	add("recover_deferred_in_deferred", src+"gorecover", func() {
		func() {
			defer func() { printRecovered("outer", recover()) }()
			defer func() {
				defer func() { printRecovered("deferred in a deferred call", recover()) }()
			}()
			panic("boom")
		}()
	})
	add("recover_without_panic", src+"gorecover", func() {
		defer func() { printRecovered("at exit", recover()) }()
		printRecovered("called", recover())
	})
	add("recover_during_goexit", src+"Goexit", func() {
		inGoroutine(func() {
			defer func() { printRecovered("goexit", recover()) }()
			runtime.Goexit()
		})
	})
	add("goexit_aborts_panic", src+"Goexit", func() {
		inGoroutine(func() {
			defer fmt.Println("still runs")
			defer runtime.Goexit()
			panic("aborted")
		})
		fmt.Println("main goes on")
	})
	add("panic_recovered_in_goexit", src+"Goexit", func() {
		inGoroutine(func() {
			defer fmt.Println("goexit goes on")
			defer func() {
				defer func() { printRecovered("inside", recover()) }()
				panic("in goexit")
			}()
			runtime.Goexit()
		})
	})
	add("recover_cannot_stop_goexit", src+"recovery", func() {
		inGoroutine(func() {
			func() {
				defer func() { printRecovered("outer", recover()) }()
				defer func() { panic("from a deferred call") }()
				runtime.Goexit()
			}()
			fmt.Println("not reached")
		})
	})
	add("panic_superseded_recovered", src+"gopanic", func() {
		func() {
			defer func() { printRecovered("superseded", recover()) }()
			defer func() { panic("second") }()
			panic("first")
		}()
	})
	add("inner_panic_recovered_outer_goes_on", src+"gopanic", func() {
		func() {
			defer func() { printRecovered("outer", recover()) }()
			defer func() {
				defer func() { printRecovered("inner", recover()) }()
				panic("inner")
			}()
			panic("outer")
		}()
	})
	add("recover_unwinds_frames", src+"recovery", func() {
		for i := 0; i < 3; i++ {
			func() {
				defer func() { printRecovered("deep", recover()) }()
				deep(100)
			}()
		}
	})
	add("recover_once", src+"gorecover", func() {
		func() {
			defer func() { printRecovered("second recover", recover()) }()
			defer func() { printRecovered("first recover", recover()) }()
			panic("once")
		}()
	})
	add("defer_arguments_evaluated_now", "spec: Defer statements", func() {
		i := 1
		defer fmt.Println(i)
		i = 2
		defer fmt.Println(i)
		i = 3
		fmt.Println(i)
	})
	add("send_on_closed", "runtime/chan.go chansend", func() {
		c := make(chan int, 1)
		close(c)
		c <- 1
	})
	add("close_of_closed", "runtime/chan.go closechan", func() {
		c := make(chan int)
		close(c)
		close(c)
	})
	add("close_of_nil", "runtime/chan.go closechan", func() {
		var c chan int
		close(c)
	})
	add("send_on_closed_recovered", "runtime/chan.go chansend", func() {
		c := make(chan int)
		close(c)
		func() {
			defer func() { printRecovered("send", recover()) }()
			c <- 1
		}()
	})
	add("makechan_size", "runtime/chan.go makechan", func() {
		makeTooLarge(-1)
		makeTooLarge(math.MaxInt64 / 2)
	})
	add("negative_counter", "sync/waitgroup.go Add", func() {
		var wg sync.WaitGroup
		wg.Add(1)
		wg.Done()
		wg.Done()
	})
	add("fatal_during_panic", src+"fatalthrow", func() {
		var m sync.Mutex
		defer m.Unlock()
		panic("first")
	})
}
