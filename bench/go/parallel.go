package main

import "sync"

func fibOf(n int, result *int) {
	if n < 2 {
		*result = 1
		return
	}
	var left, right int
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		fibOf(n-1, &left)
		wg.Done()
	}()
	fibOf(n-2, &right)
	wg.Wait()
	*result = left + right + 1 // counts the calls
}

func fib() int {
	n, calls := 10, 0
	if whole() {
		n = 25
	}
	fibOf(n, &calls)
	return calls
}

type node struct{ left, right *node }

func tree(depth int, result **node) {
	n := new(node)
	if depth > 0 {
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			tree(depth-1, &n.left)
			wg.Done()
		}()
		tree(depth-1, &n.right)
		wg.Wait()
	}
	*result = n
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func binaryTrees() int {
	depth := 7
	if whole() {
		depth = 17
	}
	var root *node
	tree(depth, &root)
	nodes := root.count()
	check(nodes == 2<<depth-1)
	return nodes
}

const serial = 2048

func divide(a []int32) int {
	pivot := a[(len(a)-1)/2] // not the last one: both parts are then smaller than the whole
	i, j := 0, len(a)-1
	for {
		for a[i] < pivot {
			i++
		}
		for a[j] > pivot {
			j--
		}
		if i >= j {
			return j + 1
		}
		a[i], a[j] = a[j], a[i]
		i++
		j--
	}
}

func sortAll(a []int32) {
	if len(a) > serial {
		middle := divide(a)
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			sortAll(a[:middle])
			wg.Done()
		}()
		sortAll(a[middle:])
		wg.Wait()
	} else if len(a) > 1 {
		middle := divide(a)
		sortAll(a[:middle])
		sortAll(a[middle:])
	}
}

func quicksort() int {
	stopClock()
	a := make([]int32, times(4000000))
	x := uint64(1)
	for i := range a {
		x = x*6364136223846793005 + 1
		a[i] = int32(x >> 33)
	}
	startClock()
	sortAll(a)
	stopClock()
	for i := 1; i < len(a); i++ {
		check(a[i-1] <= a[i])
	}
	startClock()
	return len(a)
}

const side, rowsAtOnce = 256, 8

var a, b, c [side][side]float64

func multiply(from, to int) {
	if to-from > rowsAtOnce {
		middle := (from + to) / 2
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			multiply(from, middle)
			wg.Done()
		}()
		multiply(middle, to)
		wg.Wait()
		return
	}
	for i := from; i < to; i++ {
		ci := &c[i]
		for j := range ci {
			ci[j] = 0
		}
		for k := range b {
			aik, bk := a[i][k], &b[k]
			for j := range ci {
				ci[j] += aik * bk[j]
			}
		}
	}
}

func matrix() int {
	n := times(10)
	for i := range a {
		for j := range a[i] {
			a[i][j] = 0
			b[i][j] = float64(i*side + j)
		}
		a[i][i] = 2
	}
	for i := 0; i < n; i++ {
		multiply(0, side)
	}
	check(c[3][5] == 2*(3*side+5))
	return n
}

const spawnedRows = 4

// The columns and the two diagonals that are taken, seen from this row, as bits.
func queens(size, row int, columns, left, right uint32) int {
	if row == size {
		return 1
	}
	sum := 0
	free := (uint32(1)<<size - 1) &^ (columns | left | right)
	for free != 0 {
		queen := free & -free
		free -= queen
		sum += queens(size, row+1, columns|queen, (left|queen)<<1, (right|queen)>>1)
	}
	return sum
}

func place(size, row int, columns, left, right uint32, result *int) {
	if row == spawnedRows {
		*result = queens(size, row, columns, left, right)
		return
	}
	var solutions [12]int
	var wg sync.WaitGroup
	free := (uint32(1)<<size - 1) &^ (columns | left | right)
	for i := 0; free != 0; i++ {
		queen := free & -free
		free -= queen
		wg.Add(1)
		to := &solutions[i]
		go func() {
			place(size, row+1, columns|queen, (left|queen)<<1, (right|queen)>>1, to)
			wg.Done()
		}()
	}
	wg.Wait()
	sum := 0
	for _, n := range solutions {
		sum += n
	}
	*result = sum
}

func nqueens() int {
	size, want := 6, 4
	if whole() {
		size, want = 11, 2680
	}
	n := times(10)
	for i := 0; i < n; i++ {
		solutions := 0
		place(size, 0, 0, 0, 0, &solutions)
		check(solutions == want)
	}
	return n
}

var parallelRows = []row{
	{"fib", fib, nil},
	{"binary_trees", binaryTrees, nil},
	{"quicksort", quicksort, nil},
	{"matrix", matrix, nil},
	{"nqueens", nqueens, nil},
}
