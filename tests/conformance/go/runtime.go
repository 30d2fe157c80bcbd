package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
)

var traceNever chan int

func printPlace(skip int) {
	pc, _, _, ok := runtime.Caller(skip + 1)
	if ok {
		printFunction(runtime.FuncForPC(pc).Name())
	} else {
		fmt.Println("none")
	}
}

func printFunction(name string) { fmt.Println(strings.TrimPrefix(name, "main.")) }

func traceText(all bool) string {
	buf := make([]byte, 1<<16)
	return string(buf[:runtime.Stack(buf, all)])
}

// The first line of the caller's trace tells what the goroutine does.
func printStatus() { fmt.Println(strings.SplitN(traceText(false), "\n", 2)[0]) }

//go:noinline
func whoami() { printPlace(0) }

//go:noinline
func whocalls() { printPlace(1) }

//go:noinline
func whocalls_me() { whocalls() }

//go:noinline
func lineHere() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

//go:noinline
func print_outer() {
	pcs := make([]uintptr, 20)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for i := 0; i < 2; i++ {
		frame, _ := frames.Next()
		printFunction(frame.Function)
	}
}

//go:noinline
func outer_caller() { print_outer() }

func parkForEver() { <-traceNever }

func panicsBesideAnother(level string) {
	traceNever = make(chan int)
	go parkForEver()
	runtime.Gosched()
	debug.SetTraceback(level)
	panic("boom")
}

func readMetric(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

func init() {
	add("runtime_caller_names_the_function", "runtime.Caller", whoami)
	add("runtime_caller_skips", "runtime.Caller", whocalls_me)
	add("runtime_caller_beyond_the_last", "runtime.Caller", func() { printPlace(1000) })
	add("runtime_caller_counts_lines", "runtime.Caller", func() {
		first := lineHere()
		second := lineHere()
		fmt.Println(second - first)
	})
	add("runtime_callers_innermost_first", "runtime.Callers", outer_caller)
	add("runtime_callers_as_many_as_there_is_room", "runtime.Callers", func() {
		pcs := make([]uintptr, 1)
		fmt.Println(runtime.Callers(1, pcs), runtime.Callers(1, pcs[:0]))
	})
	add("runtime_stack_begins_with_the_goroutine", "runtime.Stack", printStatus)
	add("runtime_stack_of_all", "runtime.Stack", func() {
		traceNever = make(chan int)
		for i := 0; i < 3; i++ {
			go parkForEver()
		}
		runtime.Gosched()
		text := traceText(true)
		fmt.Print(strings.Count(text, "[chan receive]:"))
		fmt.Print(" ", strings.Count(text, "created by main."))
		fmt.Println("", strings.Count(traceText(false), "[chan receive]:"))
	})
	add("runtime_lock_os_thread_nests", "runtime.LockOSThread", func() {
		runtime.LockOSThread()
		runtime.LockOSThread()
		runtime.UnlockOSThread()
		printStatus()
		runtime.UnlockOSThread()
		printStatus()
	})
	add("runtime_unlock_os_thread_without_lock", "runtime.UnlockOSThread", func() {
		runtime.UnlockOSThread()
		runtime.LockOSThread()
		printStatus()
	})
	add("debug_set_max_threads_returns_the_one_before", "runtime/debug.SetMaxThreads", func() {
		fmt.Print(debug.SetMaxThreads(5000))
		fmt.Println("", debug.SetMaxThreads(10000))
	})
	add("debug_set_max_stack_returns_the_one_before", "runtime/debug.SetMaxStack", func() {
		fmt.Print(debug.SetMaxStack(1 << 20))
		fmt.Println("", debug.SetMaxStack(1<<21))
	})
	for name, level := range map[string]string{
		"single": "single", "all": "all", "none": "none", "number": "1", "crash": "crash",
	} {
		add("debug_set_traceback_"+name, "runtime/debug.SetTraceback", func() { panicsBesideAnother(level) })
	}
	add("metrics_gomaxprocs", "runtime/metrics.All", func() {
		fmt.Println(readMetric("/sched/gomaxprocs:threads"))
		runtime.GOMAXPROCS(3)
		fmt.Println(readMetric("/sched/gomaxprocs:threads"))
	})
	add("metrics_goroutines_follow", "runtime/metrics.All", func() {
		traceNever = make(chan int)
		const live, made = "/sched/goroutines:goroutines", "/sched/goroutines-created:goroutines"
		before, created := readMetric(live), readMetric(made)
		for i := 0; i < 5; i++ {
			go parkForEver()
		}
		runtime.Gosched()
		fmt.Println(readMetric(live)-before, readMetric(made)-created)
		close(traceNever)
		for runtime.NumGoroutine() > 1 {
			runtime.Gosched()
		}
		fmt.Println(readMetric(live)-before, readMetric(made)-created)
	})
	add("metrics_unknown_name_is_bad", "runtime/metrics.Read", func() {
		sample := []metrics.Sample{{Name: "/no/such:thing"}}
		metrics.Read(sample)
		bad := 0
		if sample[0].Value.Kind() == metrics.KindBad {
			bad = 1
		}
		fmt.Println(bad)
	})
	add("metrics_all_are_ordered_by_name", "runtime/metrics.All", func() {
		all := metrics.All()
		ordered, found := 1, 0
		for i := range all {
			if i > 0 && all[i-1].Name >= all[i].Name {
				ordered = 0
			}
			if all[i].Name == "/sched/goroutines:goroutines" {
				found = 1
			}
		}
		fmt.Println(ordered, found)
	})
}
