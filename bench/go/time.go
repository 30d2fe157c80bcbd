package main

import (
	"sync/atomic"
	"time"
)

func timerAddStop() int {
	n := times(2000000)
	for i := 0; i < n; i++ {
		time.AfterFunc(time.Hour, func() {}).Stop()
	}
	return n
}

// Among 100,000 others that are pending.
func timerReset() int {
	n, others := times(2000000), times(100000)
	stopClock()
	timers := make([]*time.Timer, others)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Hour+time.Duration(i)*time.Millisecond, func() {})
	}
	startClock()
	for i := 0; i < n; i++ {
		timers[i%others].Reset(time.Hour + time.Duration(i)*time.Microsecond)
	}
	return n
}

func timerFire() int {
	const timers = 1000
	rounds := times(500)
	for i := 0; i < rounds; i++ {
		wg.Add(timers)
		for j := 0; j < timers; j++ {
			time.AfterFunc(0, wg.Done)
		}
		wg.Wait()
	}
	return rounds * timers
}

// A microsecond apart: as fast as ticks come through.
func ticker() int {
	n := times(2000)
	t := time.NewTicker(time.Microsecond)
	for i := 0; i < n; i++ {
		<-t.C
	}
	t.Stop()
	return n
}

var late, latest int64

func sleeper(d time.Duration) {
	start := time.Now()
	time.Sleep(d)
	lateness := int64(time.Since(start) - d)
	atomic.AddInt64(&late, lateness)
	for {
		seen := atomic.LoadInt64(&latest)
		if lateness <= seen || atomic.CompareAndSwapInt64(&latest, seen, lateness) {
			break
		}
	}
	wg.Done()
}

func sleepAll() int {
	n := times(100000)
	wg.Add(n)
	for i := 0; i < n; i++ {
		go sleeper(time.Duration(i*7919%1000+1) * time.Millisecond)
	}
	wg.Wait()
	return n
}

func sleepLateness() float64 {
	n := sleepAll()
	return float64(late) / float64(n) / 1e3
}

func sleepLatenessWorst() float64 {
	sleepAll()
	return float64(latest) / 1e3
}

var timeRows = []row{
	{"timer_add_stop", timerAddStop, nil},
	{"timer_reset", timerReset, nil},
	{"timer_fire", timerFire, nil},
	{"ticker", ticker, nil},
	{"sleep_lateness", nil, sleepLateness},
	{"sleep_lateness_worst", nil, sleepLatenessWorst},
}
