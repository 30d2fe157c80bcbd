package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
)

func repanic() { panic(recover()) }

func recoveredInside() {
	defer func() { printRecovered("inside", recover()) }()
	panic("inner")
}

func panicsAtLast() {
	defer func() { panic("at last") }()
	defer func() { printRecovered("recovered", recover()) }()
	panic("inner")
}

func unlockFree() {
	var m sync.Mutex
	m.Unlock()
}

func fatalAtLast() {
	defer unlockFree()
	defer func() { printRecovered("recovered", recover()) }()
	panic("inner")
}

func fatalInGoexit() {
	defer unlockFree()
	runtime.Goexit()
}

func endsByGoexit() {
	defer func() {
		recover()
		runtime.Goexit()
	}()
	panic("first")
}

func resumesGoexit() {
	defer func() { printRecovered("recovered", recover()) }()
	defer func() { panic("second") }()
	endsByGoexit()
}

func recoverAndPanic(v *any) {
	recover()
	panic(*v)
}

func asGoroutine(f func()) {
	inGoroutine(f)
	fmt.Println("ended")
}

var left, sum int

func goexitFromDepth(depth int) {
	defer func() { left-- }()
	if depth == 0 {
		runtime.Goexit()
	}
	goexitFromDepth(depth - 1)
	fmt.Println("not reached")
}

func panicFromDepth(depth int) {
	defer func() { left-- }()
	if depth == 0 {
		panic("deep")
	}
	panicFromDepth(depth - 1)
	fmt.Println("not reached")
}

func middle() {
	defer func() { printRecovered("middle", recover()) }()
	panicFromDepth(2)
	fmt.Println("not reached")
}

func recoveredOnce(i int) {
	defer func() {
		if recover() != nil {
			sum++
		}
	}()
	if i%2 == 1 {
		panic(fmt.Sprint("odd ", i))
	}
}

type pair struct {
	a    int
	b    float64
	text string
}

func returnsStruct() (result pair) {
	result = pair{1, 2.5, "kept"}
	defer func() { printRecovered("struct", recover()) }()
	result.a = 2
	panic("boom")
}

func tracedOperand(i int) int {
	fmt.Printf("operand %d\n", i)
	return i
}

func threeArguments(a int, b float64, c string) { fmt.Printf("%d %.2f %s\n", a, b, c) }

func returnsNine() (result int) {
	result = 1
	defer func() { printRecovered("nine", recover()) }()
	defer func() { panic("after return") }()
	return 9
}

func changedAfterReturn() (result int) {
	result = 5
	defer func() { result++ }()
	return result
}

func readsNil() {
	var p *int
	fmt.Println(*p)
}

func init() {
	printed, goexit, panicking := "runtime/panic.go printpanics", "runtime/panic.go Goexit", "runtime/panic.go gopanic"
	deferring := "spec: Defer statements"
	add("panic_three_deep", printed, func() {
		defer func() { panic("third") }()
		defer func() { panic("second") }()
		panic("first")
	})
	add("repanicked_twice", printed, func() {
		defer repanic()
		defer repanic()
		panic("again")
	})
	add("repanicked_then_another", printed, func() {
		defer func() { panic("another") }()
		defer repanic()
		panic("again")
	})
	add("chain_forgets_recovered", printed, func() {
		defer recoveredInside()
		panic("outer")
	})
	add("chain_forgets_recovered_at_once", printed, panicsAtLast)
	add("chain_forgets_recovered_of_deferred", printed, func() {
		defer panicsAtLast()
		panic("outer")
	})
	add("fatal_forgets_recovered", "runtime/panic.go printPreFatalDeferPanic", fatalAtLast)
	add("fatal_during_goexit", "runtime/panic.go printPreFatalDeferPanic", fatalInGoexit)
	add("fatal_during_goexit_of_panic", "runtime/panic.go printPreFatalDeferPanic", func() {
		defer fatalInGoexit()
		panic("first")
	})
	add("repanicked_past_another", "runtime/panic.go preprintpanics", func() {
		defer func() {
			first := recover()
			defer func() { panic(first) }()
			panic("between")
		}()
		panic("first")
	})
	add("repanicked_past_recovered", "runtime/panic.go preprintpanics", func() {
		defer func() {
			first := recover()
			defer recoverAndPanic(&first)
			panic("between")
		}()
		panic("first")
	})
	add("repanicked_by_first_value", "runtime/panic.go preprintpanics", func() {
		defer func() {
			var first any
			defer recoverAndPanic(&first)
			first = recover()
			panic(first)
		}()
		panic("first")
	})
	add("repanicked_nothing", "runtime/panic.go gopanic", repanic)
	add("chain_with_newlines", printed, func() {
		defer func() { panic("second\nline") }()
		panic("first\nline")
	})
	add("chain_of_kinds", printed, func() {
		defer func() { panic("text") }()
		panic(3)
	})
	add("chain_runs_inner_deferred", panicking, func() {
		defer fmt.Println("runs last")
		defer func() {
			defer fmt.Println("runs during the second panic")
			panic("second")
		}()
		panic("first")
	})
	add("chain_recover_of_helper_fails", "runtime/panic.go gorecover", func() {
		defer func() {
			func() { printRecovered("helper", recover()) }()
			defer func() { func() { printRecovered("helper of a deferred call", recover()) }() }()
			panic("new")
		}()
		panic("old")
	})
	add("goexit_then_panic", printed, func() {
		go func() {
			defer func() { panic("in a deferred call") }()
			runtime.Goexit()
		}()
		<-make(chan int)
	})
	add("panic_then_goexit_then_panic", printed, func() {
		go func() {
			defer func() { panic("second") }()
			defer runtime.Goexit()
			panic("first")
		}()
		<-make(chan int)
	})
	add("chain_keeps_what_a_resumed_goexit_gave_up", printed, func() {
		go func() {
			defer func() { panic("third") }()
			resumesGoexit()
		}()
		<-make(chan int)
	})
	same := "runtime/panic.go preprintpanics"
	add("chain_of_one_run_time_error", same, func() {
		var none chan int
		defer close(none)
		defer close(none)
		close(none)
	})
	add("chain_of_run_time_errors", same, func() {
		var none chan int
		closed := make(chan int)
		close(closed)
		defer close(none)
		defer close(closed)
		defer close(closed)
		close(none)
	})
	add("chain_of_nils", same, func() {
		defer panic(nil)
		defer panic(nil)
		panic("first")
	})
	add("chain_of_bools", same, func() {
		defer panic(false)
		defer panic(true)
		defer panic(true)
		panic(true)
	})
	add("chain_of_one_run_time_error_recovered", same, func() {
		var none chan int
		defer func() {
			recover()
			close(none)
		}()
		close(none)
	})
	add("fatal_in_chain_of_bools", "runtime/panic.go printPreFatalDeferPanic", func() {
		defer unlockFree()
		defer panic(true)
		panic(true)
	})
	add("goexit_twice", goexit, func() {
		asGoroutine(func() {
			defer fmt.Println("outer")
			defer runtime.Goexit()
			defer fmt.Println("inner")
			runtime.Goexit()
		})
	})
	add("goexit_in_deferred_of_return", goexit, func() {
		asGoroutine(func() {
			func() {
				defer runtime.Goexit()
				fmt.Println("returning")
			}()
			fmt.Println("not reached")
		})
	})
	add("goexit_after_recover", goexit, func() {
		asGoroutine(func() {
			defer func() { printRecovered("gone", recover()) }()
			defer func() {
				func() { printRecovered("not during a Goexit", recover()) }()
				runtime.Goexit()
			}()
			panic("boom")
		})
	})
	add("goexit_runs_all_deferred_of_all_frames", goexit, func() {
		left = 300
		asGoroutine(func() { goexitFromDepth(299) })
		fmt.Println(left, "left")
	})
	add("panic_runs_all_deferred_of_all_frames", panicking, func() {
		left = 1000
		func() {
			defer func() { printRecovered("top", recover()) }()
			panicFromDepth(999)
		}()
		fmt.Println(left, "left")
	})
	add("recover_in_the_middle", "spec: Handling panics", func() {
		defer func() { printRecovered("top", recover()) }()
		left = 3
		middle()
		fmt.Printf("main goes on, %d left\n", left)
	})
	add("recover_many_times", "runtime/panic.go recovery", func() {
		for i := 0; i < 10000; i++ {
			recoveredOnce(i)
		}
		fmt.Println(sum)
	})
	add("panic_after_a_recovered_one", "runtime/panic.go recovery", func() {
		func() {
			defer func() { printRecovered("second", recover()) }()
			recoveredInside()
			panic("later")
		}()
	})
	add("recover_returns_struct", "spec: Handling panics", func() {
		p := returnsStruct()
		fmt.Printf("%d %.1f %s\n", p.a, p.b, p.text)
	})
	add("recover_in_many_goroutines", "runtime/panic.go gorecover", func() {
		var wg sync.WaitGroup
		wg.Add(4)
		for i := 0; i < 4; i++ {
			go func() {
				defer wg.Done()
				defer func() {
					r := recover()
					if i%2 == 1 {
						printRecovered("odd", r)
					} else {
						printRecovered("even", r)
					}
				}()
				runtime.Gosched()
				panic(fmt.Sprint(i))
			}()
		}
		wg.Wait()
	})
	add("recover_across_switches", "runtime/panic.go gorecover", func() {
		var wg sync.WaitGroup
		wg.Add(2)
		for i := 0; i < 2; i++ {
			go func() {
				defer wg.Done()
				defer func() {
					runtime.Gosched()
					func() { printRecovered("helper after a switch", recover()) }()
					r := recover()
					runtime.Gosched()
					printRecovered("after switches", r)
				}()
				panic("boom")
			}()
		}
		wg.Wait()
	})
	add("defer_newest_first", deferring, func() {
		defer fmt.Println("1")
		defer fmt.Println("2")
		defer fmt.Println("3")
		fmt.Println("body")
	})
	add("defer_in_deferred", deferring, func() {
		defer fmt.Println("outer deferred")
		defer func() {
			defer fmt.Println("inner deferred")
			fmt.Println("deferred")
		}()
	})
	add("defer_evaluates_in_order", deferring, func() {
		defer threeArguments(tracedOperand(1), 0.5, "text")
		fmt.Println("body")
	})
	add("defer_unlocks_on_panic", panicking, func() {
		var m sync.Mutex
		m.Lock()
		defer fmt.Println("before the lock is free")
		defer m.Unlock()
		panic("under lock")
	})
	add("exit_from_goroutine", "os.Exit", func() {
		defer fmt.Println("never")
		go func() {
			defer fmt.Println("never")
			os.Exit(3)
		}()
		<-make(chan int)
	})
	add("defer_scope_is_the_block", deferring, func() {
		func() {
			defer fmt.Println("function")
			{
				defer fmt.Println("block")
			}
			fmt.Println("end of the function")
		}()
	})
	add("defer_in_a_loop", deferring, func() {
		for i := 0; i < 3; i++ {
			defer fmt.Println("deferred", i)
			fmt.Println("round", i)
		}
	})
	add("return_then_recovered_panic", deferring, func() { fmt.Println(returnsNine()) })
	add("defer_changes_result_after_return", deferring, func() { fmt.Println(changedAfterReturn()) })
	add("nil_dereference", "runtime/signal_unix.go sigpanic", readsNil)
	add("nil_dereference_recovered", "runtime/signal_unix.go sigpanic", func() {
		func() {
			defer func() { printRecovered("fault", recover()) }()
			readsNil()
		}()
	})
	add("divide_by_zero", "runtime/panic.go panicdivide", func() {
		zero := len(os.Args) - 2
		fmt.Println(1 / zero)
	})
	add("defer_nil_function", deferring, func() {
		var none func()
		defer fmt.Println("deferred before")
		defer none()
		fmt.Println("body")
	})
}
