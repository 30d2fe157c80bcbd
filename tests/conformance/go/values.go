package main

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync"
)

type codeError struct {
	code int
	text string
}

func (e codeError) Error() string { return e.text }

func recoverKind(f func()) {
	defer func() {
		switch v := recover().(type) {
		case *runtime.PanicNilError:
			fmt.Println("nil", v)
		case runtime.Error:
			fmt.Println("runtime error", v)
		case codeError:
			fmt.Println("error", v.code, v)
		case string:
			fmt.Println("text", v)
		case int64:
			fmt.Println("integer", v)
		case uint64:
			fmt.Println("unsigned", v)
		case float64:
			fmt.Printf("float %.3f\n", v)
		case bool:
			fmt.Println("bool", v)
		case *int:
			fmt.Println("pointer", *v)
		}
	}()
	f()
}

func init() {
	printed := "runtime/error.go printpanicval"
	add("panic_uint", printed, func() { panic(uint64(math.MaxUint64)) })
	add("panic_int_negative", printed, func() { panic(int64(math.MinInt64)) })
	add("panic_float_small", printed, func() { panic(1.5e-7) })
	add("panic_float_large", printed, func() { panic(1e21) })
	add("panic_float_whole", printed, func() { panic(100000.0) })
	add("panic_float_million", printed, func() { panic(1234567.0) })
	add("panic_float_nan", printed, func() { panic(math.NaN()) })
	add("panic_float_inf", printed, func() { panic(math.Inf(-1)) })
	add("panic_bool_false", printed, func() { panic(false) })
	add("panic_text_empty", printed, func() { panic("") })
	add("panic_text_long", printed, func() { panic(strings.Repeat("x", 5000)) })
	add("panic_text_percent", printed, func() { panic("100% of %s") })
	add("panic_error_newlines", "runtime/panic.go printpanics", func() { panic(errors.New("one\ntwo")) })
	add("panic_custom_error", "runtime/panic.go preprintpanics", func() {
		panic(codeError{404, "code 404: not found"})
	})
	add("panic_pointer", "runtime/error.go printanycustomtype", func() { panic(new(int)) })

	handled := "spec: Handling panics"
	add("recover_text", handled, func() { recoverKind(func() { panic("boom") }) })
	add("recover_error", handled, func() { recoverKind(func() { panic(codeError{404, "not found"}) }) })
	add("recover_runtime_error", "spec: Run-time panics", func() {
		recoverKind(func() {
			var c chan int
			close(c)
		})
	})
	add("recover_wait_group_misuse", "sync/waitgroup.go Add", func() {
		recoverKind(func() {
			var wg sync.WaitGroup
			wg.Done()
		})
	})
	add("recover_cond_misuse", "sync/cond.go copyChecker", func() {
		recoverKind(func() {
			theCond = sync.NewCond(new(sync.Mutex))
			theCond.Signal()
			copied := *theCond
			copied.Signal()
		})
	})
	add("recover_select_misuse", "reflect.Select", func() {
		recoverKind(func() {
			reflect.Select([]reflect.SelectCase{{Dir: reflect.SelectDefault}, {Dir: reflect.SelectDefault}})
		})
	})
	add("recover_chan_misuse", "runtime/chan.go makechan", func() {
		recoverKind(func() {
			size := -1
			_ = make(chan int, size)
		})
	})
	add("recover_integer", handled, func() { recoverKind(func() { panic(int64(-7)) }) })
	add("recover_unsigned", handled, func() { recoverKind(func() { panic(uint64(math.MaxUint64)) }) })
	add("recover_float", handled, func() { recoverKind(func() { panic(0.125) }) })
	add("recover_bool", handled, func() { recoverKind(func() { panic(true) }) })
	add("recover_pointer", handled, func() {
		target := 17
		recoverKind(func() { panic(&target) })
	})
	add("recover_nil", "runtime/panic.go PanicNilError", func() { recoverKind(func() { panic(nil) }) })
}
