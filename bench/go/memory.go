package main

import (
	"os"
	"strconv"
	"strings"
	"time"
)

func parked(never chan struct{}) {
	wg.Done()
	<-never
}

func kilobytesOf(field string) int {
	status, err := os.ReadFile("/proc/self/status")
	check(err == nil)
	_, after, found := strings.Cut(string(status), field)
	check(found)
	n, err := strconv.Atoi(strings.Fields(after)[0])
	check(err == nil)
	return n
}

func park() int {
	n := times(1000000)
	never := make(chan struct{})
	wg.Add(n)
	for i := 0; i < n; i++ {
		go parked(never)
	}
	wg.Wait()
	return n
}

func parkedField(field string) float64 {
	before := kilobytesOf(field)
	n := park()
	return float64(kilobytesOf(field)-before) * 1024 / float64(n)
}

func parkedCreate() float64 {
	start := time.Now()
	park()
	return float64(time.Since(start).Nanoseconds()) / 1e6
}

var memoryRows = []row{
	{"parked_1m_bytes", nil, func() float64 { return parkedField("VmRSS:") }},
	{"parked_1m_page_tables", nil, func() float64 { return parkedField("VmPTE:") }},
	{"parked_1m_create", nil, parkedCreate},
}
