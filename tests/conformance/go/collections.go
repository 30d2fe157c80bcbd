package main

import (
	"fmt"
	"runtime"
	"sync"
)

var theMap sync.Map

func intOf(v any) int {
	if v == nil {
		return 0
	}
	return v.(int)
}

func loadKey(key string) {
	v, ok := theMap.Load(key)
	fmt.Println(key, intOf(v), bit(ok))
}

func rangeSorted() {
	for _, wanted := range []string{"a", "b", "c", "d", "e"} {
		theMap.Range(func(key, value any) bool {
			if key == wanted {
				fmt.Printf("%s=%d ", key, value)
			}
			return true
		})
	}
	fmt.Println()
}

func compareAndSwap(from, to int) {
	fmt.Println(bit(theMap.CompareAndSwap("a", from, to)))
	loadKey("a")
}

type point struct{ x, y int32 }

func init() {
	const source = "internal/sync/hashtriemap.go "
	add("map_load_store", source+"Load", func() {
		loadKey("a")
		theMap.Store("a", 1)
		loadKey("a")
		theMap.Store("a", 2)
		loadKey("a")
		loadKey("b")
	})
	add("map_load_or_store", source+"LoadOrStore", func() {
		v, loaded := theMap.LoadOrStore("a", 1)
		fmt.Println(v, bit(loaded))
		v, loaded = theMap.LoadOrStore("a", 2)
		fmt.Println(v, bit(loaded))
		loadKey("a")
	})
	add("map_load_and_delete", source+"LoadAndDelete", func() {
		theMap.Store("a", 1)
		v, loaded := theMap.LoadAndDelete("a")
		fmt.Println(intOf(v), bit(loaded))
		v, loaded = theMap.LoadAndDelete("a")
		fmt.Println(intOf(v), bit(loaded))
		loadKey("a")
	})
	add("map_delete", source+"LoadAndDelete", func() {
		theMap.Delete("a")
		theMap.Store("a", 1)
		theMap.Store("b", 2)
		theMap.Delete("a")
		theMap.Delete("a")
		loadKey("a")
		loadKey("b")
	})
	add("map_swap", source+"Swap", func() {
		v, loaded := theMap.Swap("a", 1)
		fmt.Println(intOf(v), bit(loaded))
		v, loaded = theMap.Swap("a", 2)
		fmt.Println(intOf(v), bit(loaded))
		loadKey("a")
	})
	add("map_compare_and_swap", source+"CompareAndSwap", func() {
		compareAndSwap(0, 1)
		theMap.Store("a", 1)
		compareAndSwap(2, 3)
		compareAndSwap(1, 3)
		compareAndSwap(3, 3)
	})
	add("map_compare_and_delete", source+"CompareAndDelete", func() {
		fmt.Println(bit(theMap.CompareAndDelete("a", 0)))
		theMap.Store("a", 1)
		fmt.Println(bit(theMap.CompareAndDelete("a", 2)))
		loadKey("a")
		fmt.Println(bit(theMap.CompareAndDelete("a", 1)))
		loadKey("a")
	})
	add("map_range", source+"Range", func() {
		rangeSorted()
		theMap.Store("c", 3)
		theMap.Store("a", 1)
		theMap.Store("b", 2)
		rangeSorted()
	})
	storeTen := func() {
		for i := 0; i < 10; i++ {
			theMap.Store(string(rune('a'+i)), i)
		}
	}
	add("map_range_stops", source+"Range", func() {
		n := 0
		storeTen()
		theMap.Range(func(_, _ any) bool {
			n++
			return n < 3
		})
		fmt.Println(n)
	})
	add("map_range_deletes", source+"Range", func() {
		n := 0
		storeTen()
		theMap.Range(func(key, value any) bool {
			n += value.(int)
			theMap.Delete(key)
			return true
		})
		fmt.Println(n)
		rangeSorted()
	})
	add("map_range_nested", source+"Range", func() {
		n := 0
		theMap.Store("a", 1)
		theMap.Store("b", 2)
		theMap.Range(func(outer, x any) bool {
			theMap.Range(func(inner, y any) bool {
				n += x.(int)*y.(int) + bit(outer == inner)
				return true
			})
			return true
		})
		fmt.Println(n)
	})
	add("map_clear", source+"Clear", func() {
		theMap.Clear()
		theMap.Store("a", 1)
		theMap.Store("b", 2)
		theMap.Clear()
		loadKey("a")
		rangeSorted()
		theMap.Store("c", 3)
		rangeSorted()
	})
	add("map_struct_keys", source+"Load", func() {
		p := &point{1, 2}
		theMap.Store(*p, p)
		got, ok := theMap.Load(point{1, 2})
		fmt.Println(bit(ok), bit(got == p))
		_, ok = theMap.Load(point{2, 1})
		fmt.Println(bit(ok))
	})
	add("map_many", source+"Range", func() {
		n, sum := 0, 0
		for i := 0; i < 10000; i++ {
			theMap.Store(i, 2*i)
		}
		for i := 0; i < 10000; i += 2 {
			theMap.Delete(i)
		}
		theMap.Range(func(key, value any) bool {
			sum += value.(int) - key.(int)
			n++
			return true
		})
		fmt.Println(n, sum)
	})
	add("map_each_key_stored_once", source+"LoadOrStore", func() {
		n := 0
		for id := 0; id < 4; id++ {
			theWG.Go(func() {
				for i := 0; i < 1000; i++ {
					theMap.LoadOrStore(i, id)
					if i%100 == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		theWG.Wait()
		theMap.Range(func(_, _ any) bool {
			n++
			return true
		})
		fmt.Println(n)
	})
}

func get(p *sync.Pool) {
	item := p.Get()
	if item == nil {
		item = "nil"
	}
	fmt.Println(item)
}

func init() {
	const source = "sync/pool.go "
	var without sync.Pool
	with := sync.Pool{New: func() any {
		fmt.Println("new")
		return "made"
	}}
	putAndGet := func(item string) {
		without.Put(item)
		runtime.Gosched()
		get(&without)
	}
	add("pool_empty", source+"Get", func() {
		get(&without)
		without.Put(nil)
		get(&without)
	})
	add("pool_new", source+"Get", func() {
		get(&with)
		get(&with)
	})
	add("pool_order", source+"Put", func() {
		for _, item := range []string{"a", "b", "c", "d"} {
			with.Put(item)
		}
		for i := 0; i < 5; i++ {
			get(&with)
		}
	})
	add("pool_of_several_goroutines", source+"Get", func() {
		theWG.Go(func() { putAndGet("a") })
		theWG.Go(func() { putAndGet("b") })
		theWG.Go(func() { putAndGet("c") })
		theWG.Wait()
		get(&without)
	})
}
