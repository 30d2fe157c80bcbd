package main

import (
	"sync"
	"sync/atomic"
)

const mapSize, half = 1024, 128

var next int64 // a number that no goroutine has had

// Puts so many numbers into the map, and runs the body in a goroutine a processor.
func with(m *sync.Map, count, n int, body func(n int)) int {
	stopClock()
	for i := 0; i < count; i++ {
		m.Store(i, i)
	}
	startClock()
	return inParallel(1, n, body)
}

func mapLoads(count int) func() int {
	return func() int {
		var m sync.Map
		return with(&m, count, times(10000000), func(n int) {
			for i := 0; i < n; i++ {
				m.Load(i % mapSize)
			}
		})
	}
}

func loadOrStoreBalanced() int {
	var m sync.Map
	return with(&m, half, times(1000000), func(n int) {
		first := int(atomic.AddInt64(&next, int64(n))) - n + mapSize
		for i := first; i < first+n; i++ {
			if j := i % (2 * half); j < half {
				_, loaded := m.LoadOrStore(j, i)
				check(loaded)
			} else {
				_, loaded := m.LoadOrStore(i, i)
				check(!loaded)
			}
		}
	})
}

func loadOrStoreUnique() int {
	var m sync.Map
	return with(&m, 0, times(500000), func(n int) {
		first := int(atomic.AddInt64(&next, int64(n))) - n
		for i := first; i < first+n; i++ {
			m.LoadOrStore(i, i)
		}
	})
}

func loadOrStoreCollision() int {
	var m sync.Map
	return with(&m, 1, times(10000000), func(n int) {
		for i := 0; i < n; i++ {
			m.LoadOrStore(0, 0)
		}
	})
}

func loadAndDeleteUnique() int {
	var m sync.Map
	return with(&m, 0, times(10000000), func(n int) {
		for i := 0; i < n; i++ {
			m.LoadAndDelete(i)
		}
	})
}

func loadAndDeleteCollision() int {
	var m sync.Map
	return with(&m, 1, times(3000000), func(n int) {
		for i := 0; i < n; i++ {
			if _, loaded := m.LoadAndDelete(0); loaded {
				m.Store(0, 0)
			}
		}
	})
}

func mapRange() int {
	var m sync.Map
	return with(&m, mapSize, times(10000), func(n int) {
		for i := 0; i < n; i++ {
			count := 0
			m.Range(func(key, value any) bool {
				if key == value {
					count++
				}
				return true
			})
			check(count == mapSize)
		}
	})
}

var goMapRows = []row{
	{"go/MapLoadMostlyHits", mapLoads(mapSize - 1), nil},
	{"go/MapLoadMostlyMisses", mapLoads(1), nil},
	{"go/MapLoadOrStoreBalanced", loadOrStoreBalanced, nil},
	{"go/MapLoadOrStoreUnique", loadOrStoreUnique, nil},
	{"go/MapLoadOrStoreCollision", loadOrStoreCollision, nil},
	{"go/MapLoadAndDeleteUnique", loadAndDeleteUnique, nil},
	{"go/MapLoadAndDeleteCollision", loadAndDeleteCollision, nil},
	{"go/MapRange", mapRange, nil},
}
