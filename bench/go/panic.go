package main

var counted int

func count(by int) { counted += by }

//go:noinline
func defers() { defer count(1) }

func deferred() int {
	n := times(20000000)
	for i := 0; i < n; i++ {
		defers()
	}
	check(counted == n)
	return n
}

func recovers() {
	if recover() != nil {
		counted++
	}
}

//go:noinline
func panics(i int) {
	defer recovers()
	panic(i)
}

func panicRecover() int {
	n := times(2000000)
	for i := 0; i < n; i++ {
		panics(i)
	}
	check(counted == n)
	return n
}

//go:noinline
func sinks(depth int) {
	defer count(1)
	if depth > 1 {
		sinks(depth - 1)
	} else {
		panic(1)
	}
}

//go:noinline
func lands() {
	defer recovers()
	sinks(10)
}

func panicDeep() int {
	n := times(500000)
	for i := 0; i < n; i++ {
		lands()
	}
	check(counted == 11*n)
	return n
}

var panicRows = []row{
	{"defer", deferred, nil},
	{"panic_recover", panicRecover, nil},
	{"panic_deep", panicDeep, nil},
}
