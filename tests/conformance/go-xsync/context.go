package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

func tellAndFail(ctx context.Context) func() error {
	return func() error {
		<-ctx.Done()
		fmt.Printf("told: %v\n", ctx.Err())
		return code(9)
	}
}

func init() {
	withContext, acquire := "x/sync/errgroup WithContext", "x/sync/semaphore Weighted.Acquire"
	add("errgroup_with_context_error", withContext, func() {
		group, ctx := errgroup.WithContext(ever)
		group.Go(tellAndFail(ctx))
		group.Go(func() error { return code(7) })
		fmt.Println(codeOf(group.Wait()))
		fmt.Printf("%v, %d\n", ctx.Err(), codeOf(context.Cause(ctx)))
	})
	add("errgroup_with_context_success", withContext, func() {
		group, ctx := errgroup.WithContext(ever)
		group.Go(func() error { return nil })
		for i := 0; i < 10; i++ {
			runtime.Gosched()
		}
		fmt.Println(ctx.Err())
		fmt.Println(codeOf(group.Wait()))
		fmt.Printf("%v, %v\n", ctx.Err(), context.Cause(ctx))
	})
	add("errgroup_with_context_of_cancelled", withContext, func() {
		parent, cancel := context.WithCancelCause(ever)
		group, ctx := errgroup.WithContext(parent)
		group.Go(tellAndFail(ctx))
		cancel(errors.New("parent"))
		fmt.Println(codeOf(group.Wait()))
		fmt.Printf("%v, %v\n", ctx.Err(), context.Cause(ctx))
	})
	add("semaphore_acquire_with_context", acquire, func() {
		s := semaphore.NewWeighted(1)
		ctx, cancel := context.WithTimeout(ever, time.Millisecond)
		defer cancel()
		fmt.Print(bit(s.Acquire(ctx, 1) == nil))
		fmt.Print(" ", bit(s.Acquire(ctx, 1) == nil))
		s.Release(1)
		fmt.Print(" ", bit(s.Acquire(ctx, 1) == nil))
		fmt.Println("", bit(s.TryAcquire(1)))
	})
	add("semaphore_cancelled_at_the_front_of_a_full_one", acquire, func() {
		s := semaphore.NewWeighted(1)
		ctx, cancel := context.WithCancel(ever)
		var first, second sync.WaitGroup
		with := func(ctx context.Context, n int64, wg *sync.WaitGroup) {
			fmt.Print(bit(s.Acquire(ctx, n) == nil), " ")
			wg.Done()
		}
		s.Acquire(ever, 1)
		first.Add(1)
		second.Add(1)
		go with(ctx, 1, &first)
		runtime.Gosched()
		go with(ever, 0, &second)
		runtime.Gosched()
		cancel()
		first.Wait()
		fmt.Print(bit(s.TryAcquire(0)), " ")
		s.Release(1)
		second.Wait()
		fmt.Println()
	})
	add("semaphore_beyond_size_with_context", acquire, func() {
		s := semaphore.NewWeighted(1)
		ctx, cancel := context.WithTimeout(ever, time.Millisecond)
		defer cancel()
		fmt.Println(bit(errors.Is(s.Acquire(ctx, 2), context.DeadlineExceeded)))
	})
}
