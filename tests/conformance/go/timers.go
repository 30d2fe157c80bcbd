package main

import (
	"fmt"
	"math"
	"time"
)

func digit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func tryReceive(c <-chan time.Time) {
	select {
	case <-c:
		fmt.Println("a value")
	default:
		fmt.Println("nothing")
	}
}

func isNil(nil bool) {
	if nil {
		fmt.Println("nil")
	} else {
		fmt.Println("a channel")
	}
}

func init() {
	stop, reset := "time/sleep.go Timer.Stop", "time/sleep.go Timer.Reset"
	add("timer_stop_reports_whether_it_was_active", stop, func() {
		t := time.NewTimer(time.Hour)
		fmt.Println(digit(t.Stop()), digit(t.Stop()))
	})
	add("timer_reset_reports_whether_it_was_active", reset, func() {
		t := time.NewTimer(time.Hour)
		fmt.Print(digit(t.Reset(time.Hour)), " ")
		fmt.Print(digit(t.Stop()), " ")
		fmt.Print(digit(t.Reset(time.Millisecond)), " ")
		<-t.C
		fmt.Println(digit(t.Reset(time.Hour)))
	})
	add("timer_stop_after_the_value_was_received", stop, func() {
		t := time.NewTimer(time.Millisecond)
		<-t.C
		fmt.Println(digit(t.Stop()))
		tryReceive(t.C)
	})
	add("timer_stop_withdraws_what_nobody_received", stop, func() {
		t := time.NewTimer(time.Millisecond)
		time.Sleep(20 * time.Millisecond)
		fmt.Println(digit(t.Stop()))
		tryReceive(t.C)
	})
	add("timer_reset_withdraws_what_nobody_received", reset, func() {
		t := time.NewTimer(time.Millisecond)
		time.Sleep(20 * time.Millisecond)
		fmt.Println(digit(t.Reset(time.Hour)))
		tryReceive(t.C)
	})
	add("timer_expired_before_the_receive", "time/sleep.go NewTimer", func() {
		t := time.NewTimer(time.Millisecond)
		time.Sleep(20 * time.Millisecond)
		<-t.C
		tryReceive(t.C)
	})
	add("timer_expired_is_seen_without_waiting", "runtime/time.go maybeRunChan", func() {
		for i := 0; i < 100; i++ {
			tried, selected := time.After(0), time.After(-time.Hour)
			select {
			case <-tried:
			default:
				fmt.Println("nothing")
			}
			select {
			case <-selected:
			default:
				fmt.Println("not ready")
			}
		}
		fmt.Println("all")
	})
	add("timer_channel_looks_unbuffered", "runtime/chan.go chanlen", func() {
		t := time.NewTimer(time.Millisecond)
		ticker := time.NewTicker(time.Millisecond)
		c := time.After(time.Millisecond)
		time.Sleep(20 * time.Millisecond)
		fmt.Println(len(t.C), cap(t.C))
		fmt.Println(len(ticker.C), cap(ticker.C))
		fmt.Println(len(c), cap(c))
	})
	add("timer_of_no_duration_expires_at_once", "time/sleep.go when", func() {
		zero, negative := time.NewTimer(0), time.NewTimer(-time.Hour)
		<-zero.C
		<-negative.C
		fmt.Println("both")
	})
	add("timer_of_the_longest_duration_does_not_expire", "time/sleep.go when", func() {
		t := time.NewTimer(math.MaxInt64)
		time.Sleep(5 * time.Millisecond)
		tryReceive(t.C)
		fmt.Println(digit(t.Stop()))
	})
	add("timers_expire_in_order", "runtime/time.go timers", func() {
		late, early := time.NewTimer(40*time.Millisecond), time.NewTimer(time.Millisecond)
		for i := 0; i < 2; i++ {
			select {
			case <-late.C:
				fmt.Println(0)
			case <-early.C:
				fmt.Println(1)
			}
		}
	})
	add("deadlock_despite_stopped_timer", "runtime/proc.go checkdead", func() {
		t := time.NewTimer(time.Hour)
		t.Stop()
		<-t.C
	})
	add("deadlock_despite_pending_new_timer", "runtime/proc.go checkdead", func() {
		t := time.NewTimer(time.Hour)
		<-make(chan int)
		t.Stop()
	})
	add("deadlock_despite_ticker_nobody_waits_for", "runtime/proc.go checkdead", func() {
		t := time.NewTicker(time.Millisecond)
		<-make(chan int)
		t.Stop()
	})
	add("deadlock_despite_stopped_ticker", "runtime/proc.go checkdead", func() {
		t := time.NewTicker(time.Millisecond)
		<-t.C
		t.Stop()
		<-t.C
	})
	afterFunc := "time/sleep.go AfterFunc"
	add("quiet_while_a_function_is_pending", "runtime/proc.go checkdead", func() {
		c := make(chan struct{})
		time.AfterFunc(20*time.Millisecond, func() { c <- struct{}{} })
		<-c
		fmt.Println("signalled")
	})
	add("after_func_stop_keeps_it_from_running", afterFunc, func() {
		t := time.AfterFunc(5*time.Millisecond, func() { fmt.Println("ran") })
		fmt.Println(digit(t.Stop()), digit(t.Stop()))
		time.Sleep(20 * time.Millisecond)
	})
	add("after_func_stop_after_it_started", stop, func() {
		c := make(chan struct{})
		t := time.AfterFunc(0, func() { c <- struct{}{} })
		time.Sleep(20 * time.Millisecond)
		fmt.Println(digit(t.Stop()))
		<-c
	})
	add("after_func_reset_runs_it_again", reset, func() {
		c := make(chan struct{})
		t := time.AfterFunc(0, func() { c <- struct{}{} })
		for i := 0; i < 3; i++ {
			<-c
			fmt.Println(digit(t.Reset(time.Millisecond)))
		}
		<-c
	})
	add("after_func_timer_has_no_channel", afterFunc, func() {
		isNil(time.AfterFunc(time.Hour, func() {}).C == nil)
	})
	add("after_func_panics", afterFunc, func() {
		time.AfterFunc(0, func() { panic("in a function") })
		time.Sleep(time.Minute)
	})
	newTicker, resetTicker := "time/tick.go NewTicker", "time/tick.go Ticker.Reset"
	add("ticker_ticks_until_stopped", "time/tick.go Ticker.Stop", func() {
		t := time.NewTicker(2 * time.Millisecond)
		for i := 0; i < 3; i++ {
			<-t.C
		}
		t.Stop()
		t.Stop()
		time.Sleep(10 * time.Millisecond)
		tryReceive(t.C)
	})
	add("ticker_stop_withdraws_what_nobody_received", "time/tick.go Ticker.Stop", func() {
		t := time.NewTicker(time.Millisecond)
		time.Sleep(20 * time.Millisecond)
		t.Stop()
		tryReceive(t.C)
	})
	add("ticker_reset_withdraws_what_nobody_received", resetTicker, func() {
		t := time.NewTicker(time.Millisecond)
		time.Sleep(20 * time.Millisecond)
		t.Reset(time.Hour)
		tryReceive(t.C)
	})
	add("ticker_reset_starts_a_stopped_one", resetTicker, func() {
		t := time.NewTicker(time.Hour)
		t.Stop()
		t.Reset(time.Millisecond)
		<-t.C
		<-t.C
		fmt.Println("ticks")
	})
	add("ticker_drops_ticks_for_a_slow_receiver", newTicker, func() {
		t := time.NewTicker(time.Millisecond)
		time.Sleep(100 * time.Millisecond)
		slept := time.Now()
		var value time.Time
		for i := 0; i < 10; i++ {
			value = <-t.C
		}
		if value.After(slept) {
			fmt.Println("of now")
		} else {
			fmt.Println("of then")
		}
	})
	add("ticker_of_no_duration", newTicker, func() {
		for _, d := range []time.Duration{0, -time.Second, time.Second} {
			recovering("NewTicker", func() { time.NewTicker(d) })
		}
	})
	add("ticker_of_no_duration_unrecovered", newTicker, func() { time.NewTicker(0) })
	add("ticker_reset_to_no_duration", resetTicker, func() {
		t := time.NewTicker(time.Hour)
		recovering("Reset", func() { t.Reset(0) })
		recovering("Reset", func() { t.Reset(-1) })
		recovering("Reset", func() { new(time.Ticker).Reset(time.Second) })
	})
	add("timer_uninitialized", stop, func() {
		recovering("Stop", func() { new(time.Timer).Stop() })
		recovering("Reset", func() { new(time.Timer).Reset(time.Second) })
	})
	add("tick_of_no_duration_is_nil", "time/tick.go Tick", func() {
		isNil(time.Tick(0) == nil)
		isNil(time.Tick(-1) == nil)
	})
	add("tick_ticks", "time/tick.go Tick", func() {
		c := time.Tick(time.Millisecond)
		for i := 0; i < 3; i++ {
			<-c
		}
		fmt.Println("ticks")
	})
	add("deadlock_on_nil_tick", "time/tick.go Tick", func() { <-time.Tick(0) })
	add("duration_texts", "time/time.go Duration.String", func() {
		for _, d := range []time.Duration{0, 1, 1100, 2200000, 1500000000, -3300000000,
			245000000000, 3723500000000, math.MaxInt64, math.MinInt64} {
			fmt.Println(d)
		}
	})
	add("duration_parse", "time/format.go ParseDuration", func() {
		for _, text := range []string{"0", "1h15m30.918s", "-1.5h", "1\u00b5s", "1\u03bcs",
			".5s", "5.s", "-9223372036854775808ns"} {
			if d, err := time.ParseDuration(text); err == nil {
				fmt.Println(int64(d))
			}
		}
	})
	add("duration_parse_errors", "time/format.go ParseDuration", func() {
		for _, text := range []string{"", "3", "-", ".s", "1d", "1h ", "3000000h", "\x85\"\\",
			"9223372036854775808ns"} {
			if _, err := time.ParseDuration(text); err != nil {
				fmt.Println(err)
			}
		}
	})
	add("duration_round_and_truncate", "time/time.go Duration.Round", func() {
		for _, d := range []time.Duration{1499, 1500, -1499, -1500, math.MaxInt64, math.MinInt64} {
			fmt.Println(int64(d.Round(1000)), int64(d.Truncate(1000)), int64(d.Round(0)))
		}
	})
	add("duration_units", "time/time.go Duration.Hours", func() {
		d := 5400*time.Second + 1999999
		fmt.Printf("%.9f %.9f %.9f\n", d.Hours(), d.Minutes(), d.Seconds())
		fmt.Println(d.Milliseconds(), d.Microseconds(), int64((-d).Abs()))
	})
}
