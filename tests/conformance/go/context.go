package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

type contextKey int

const (
	keyA contextKey = iota
	keyB
)

// tell prints everything that can be asked of a context.
func tell(name string, ctx context.Context) {
	done := "done"
	select {
	case <-ctx.Done():
	default:
		done = "open"
	}
	deadline := "no deadline"
	if _, ok := ctx.Deadline(); ok {
		deadline = "a deadline"
	}
	fmt.Printf("%s: %v, %v, %s, %s\n", name, ctx.Err(), context.Cause(ctx), done, deadline)
}

func contextYields() {
	for i := 0; i < 10; i++ {
		runtime.Gosched()
	}
}

func sayCalled() { fmt.Println("called") }

// ends keeps the calls that go vet wants to see.
func ends(...any) {}

func init() {
	background := context.Background()
	withCancel, withCause := "context/context.go WithCancel", "context/context.go WithCancelCause"
	withDeadline, withTimeoutCause := "context/context.go WithDeadline", "context/context.go WithTimeoutCause"
	add("context_background", "context/context.go Background", func() {
		tell("background", background)
		tell("todo", context.TODO())
		fmt.Println(digit(background.Done() == nil))
	})
	add("context_strings", "context/context.go contextName", func() {
		fmt.Println(background)
		fmt.Println(context.TODO())
		a, cancelA := context.WithCancel(background)
		c, cancelC := context.WithCancel(context.WithoutCancel(a))
		fmt.Println(c)
		ends(cancelA, cancelC)
	})
	add("context_cancel", withCancel, func() {
		ctx, cancel := context.WithCancel(background)
		tell("before", ctx)
		cancel()
		tell("after", ctx)
		cancel()
		tell("again", ctx)
	})
	add("context_cancel_reaches_descendants", withCancel, func() {
		root, cancel := context.WithCancel(background)
		child, cancelChild := context.WithCancel(root)
		value := context.WithValue(child, keyA, "one")
		grandchild, cancelGrandchild := context.WithTimeout(value, time.Hour)
		cancel()
		tell("root", root)
		tell("child", child)
		tell("value", value)
		tell("grandchild", grandchild)
		ends(cancelChild, cancelGrandchild)
	})
	add("context_cancel_leaves_parent_and_siblings", withCancel, func() {
		root, cancelRoot := context.WithCancel(background)
		one, cancelOne := context.WithCancel(root)
		two, cancelTwo := context.WithCancel(root)
		cancelOne()
		tell("root", root)
		tell("one", one)
		tell("two", two)
		ends(cancelRoot, cancelTwo)
	})
	add("context_child_of_cancelled_parent", "context/context.go propagateCancel", func() {
		root, cancel := context.WithCancel(background)
		cancel()
		child, cancelChild := context.WithCancel(root)
		timed, cancelTimed := context.WithTimeout(root, time.Hour)
		tell("child", child)
		tell("timed", timed)
		ends(cancelChild, cancelTimed)
	})
	add("context_child_of_value_of_cancelled", "context/context.go propagateCancel", func() {
		root, cancel := context.WithCancel(background)
		value := context.WithValue(root, keyA, "one")
		cancel()
		child, cancelChild := context.WithCancel(value)
		tell("child", child)
		ends(cancelChild)
	})
	add("context_done_is_one_channel", "context/context.go Context.Done", func() {
		root, cancelRoot := context.WithCancel(background)
		value := context.WithValue(root, keyA, "one")
		child, cancelChild := context.WithCancel(root)
		fmt.Println(digit(root.Done() == root.Done()), digit(root.Done() == value.Done()), digit(root.Done() == child.Done()))
		ends(cancelRoot, cancelChild)
	})
	add("context_done_asked_after_cancel", "context/context.go closedchan", func() {
		ctx, cancel := context.WithCancel(background)
		cancel()
		_, ok := <-ctx.Done()
		fmt.Println(digit(ok))
	})
	add("context_cancel_wakes_all_who_wait", "context/context.go Context.Done", func() {
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(background)
		for i := 0; i < 3; i++ {
			wg.Add(1)
			go func() {
				<-ctx.Done()
				fmt.Printf("one of three: %v\n", ctx.Err())
				wg.Done()
			}()
		}
		contextYields()
		fmt.Println("cancel")
		cancel()
		wg.Wait()
	})
	add("context_select_done", "context/context.go Context.Done", func() {
		c := make(chan int)
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		defer cancel()
		select {
		case <-c:
			fmt.Println("a value")
		case <-ctx.Done():
			fmt.Println(ctx.Err())
		}
	})
	add("context_select_done_not_ready", "context/context.go Context.Done", func() {
		c := make(chan int, 1)
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		c <- 1
		select {
		case <-ctx.Done():
			fmt.Println(0)
		case <-c:
			fmt.Println(1)
		}
	})

	cause := "context/context.go Cause"
	add("context_cause", withCause, func() {
		ctx, cancel := context.WithCancelCause(background)
		tell("before", ctx)
		cancel(fmt.Errorf("out of %s", "milk"))
		tell("after", ctx)
	})
	add("context_cause_nil", withCause, func() {
		ctx, cancel := context.WithCancelCause(background)
		cancel(nil)
		tell("after", ctx)
	})
	add("context_cause_of_cancel_without_one", cause, func() {
		ctx, cancel := context.WithCancel(background)
		cancel()
		tell("after", ctx)
	})
	add("context_first_cause_counts", withCause, func() {
		ctx, cancel := context.WithCancelCause(background)
		cancel(errors.New("first"))
		cancel(errors.New("second"))
		tell("after", ctx)
	})
	add("context_cause_goes_down", cause, func() {
		parent, cancelParent := context.WithCancelCause(background)
		child, cancelChild := context.WithCancelCause(parent)
		value := context.WithValue(child, keyA, "one")
		cancelParent(errors.New("parent"))
		cancelChild(errors.New("child"))
		tell("parent", parent)
		tell("child", child)
		tell("value", value)
	})
	add("context_cause_of_child_first", cause, func() {
		parent, cancelParent := context.WithCancelCause(background)
		child, cancelChild := context.WithCancelCause(parent)
		cancelChild(errors.New("child"))
		cancelParent(errors.New("parent"))
		tell("parent", parent)
		tell("child", child)
	})
	add("context_cause_of_late_child", cause, func() {
		parent, cancel := context.WithCancelCause(background)
		cancel(errors.New("parent"))
		child, cancelChild := context.WithCancel(parent)
		tell("child", child)
		ends(cancelChild)
	})
	add("context_cause_of_background", cause, func() {
		fmt.Println(context.Cause(background))
		fmt.Println(context.Cause(context.TODO()))
	})
	add("context_cause_of_parent_of_timeout", cause, func() {
		parent, cancel := context.WithCancelCause(background)
		child, cancelChild := context.WithTimeoutCause(parent, time.Hour, errors.New("slow"))
		cancel(errors.New("parent"))
		tell("child", child)
		ends(cancelChild)
	})

	add("context_timeout", "context/context.go WithTimeout", func() {
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		tell("before", ctx)
		<-ctx.Done()
		tell("after", ctx)
		cancel()
		tell("cancelled", ctx)
	})
	add("context_timeout_cancelled_before", "context/context.go WithTimeout", func() {
		ctx, cancel := context.WithTimeout(background, time.Hour)
		cancel()
		tell("after", ctx)
	})
	add("context_timeout_zero", withDeadline, func() {
		zero, cancelZero := context.WithTimeout(background, 0)
		tell("zero", zero)
		negative, cancelNegative := context.WithTimeout(background, -time.Hour)
		tell("negative", negative)
		ends(cancelZero, cancelNegative)
	})
	add("context_deadline_passed", withDeadline, func() {
		ctx, cancel := context.WithDeadline(background, time.Now().Add(-time.Hour))
		tell("passed", ctx)
		cancel()
	})
	add("context_deadline_reaches_descendants", withDeadline, func() {
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		child, cancelChild := context.WithCancel(ctx)
		value := context.WithValue(child, keyA, "one")
		<-value.Done()
		tell("child", child)
		tell("value", value)
		ends(cancel, cancelChild)
	})
	add("context_child_may_be_shorter", withDeadline, func() {
		parent, cancel := context.WithTimeout(background, time.Hour)
		child, cancelChild := context.WithTimeout(parent, time.Millisecond)
		<-child.Done()
		tell("parent", parent)
		tell("child", child)
		ends(cancel, cancelChild)
	})
	add("context_child_cannot_be_longer", withDeadline, func() {
		parent, cancel := context.WithTimeout(background, time.Millisecond)
		child, cancelChild := context.WithTimeout(parent, time.Hour)
		ofParent, _ := parent.Deadline()
		ofChild, _ := child.Deadline()
		fmt.Println(digit(ofParent.Equal(ofChild)))
		<-child.Done()
		tell("child", child)
		ends(cancel, cancelChild)
	})
	add("context_timeout_cause", withTimeoutCause, func() {
		ctx, cancel := context.WithTimeoutCause(background, time.Millisecond, errors.New("too slow"))
		defer cancel()
		<-ctx.Done()
		tell("after", ctx)
	})
	add("context_timeout_cause_not_by_cancel", withTimeoutCause, func() {
		ctx, cancel := context.WithTimeoutCause(background, time.Hour, errors.New("too slow"))
		cancel()
		tell("after", ctx)
	})
	add("context_deadline_cause_passed", "context/context.go WithDeadlineCause", func() {
		ctx, cancel := context.WithDeadlineCause(background, time.Now().Add(-1), errors.New("past"))
		tell("after", ctx)
		cancel()
	})
	add("context_timeout_cause_lost_to_earlier_parent", "context/context.go WithDeadlineCause", func() {
		parent, cancel := context.WithTimeout(background, time.Millisecond)
		child, cancelChild := context.WithTimeoutCause(parent, time.Hour, errors.New("child's"))
		<-child.Done()
		tell("child", child)
		ends(cancel, cancelChild)
	})
	add("deadlock_context_done", "context/context.go Context.Done", func() {
		ctx, cancel := context.WithCancel(background)
		<-ctx.Done()
		ends(cancel)
	})
	add("deadlock_context_done_of_background", "context/context.go emptyCtx", func() {
		<-background.Done()
	})
	add("context_deadline_is_no_deadlock", "runtime/proc.go checkdead", func() {
		ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
		child, cancelChild := context.WithCancel(ctx)
		<-child.Done()
		fmt.Println(child.Err())
		ends(cancel, cancelChild)
	})

	withValue := "context/context.go WithValue"
	add("context_values", withValue, func() {
		a := context.WithValue(background, keyA, "one")
		b := context.WithValue(a, keyB, "two")
		c := context.WithValue(b, keyA, "three")
		for _, ctx := range []context.Context{a, b, c} {
			fmt.Println(ctx.Value(keyA), ctx.Value(keyB))
		}
	})
	add("context_values_through_cancels", withValue, func() {
		a := context.WithValue(background, keyA, "one")
		b, cancel := context.WithCancel(a)
		c, cancelC := context.WithTimeout(b, time.Hour)
		d := context.WithoutCancel(c)
		fmt.Println(b.Value(keyA), c.Value(keyA), d.Value(keyA))
		cancel()
		fmt.Println(c.Value(keyA))
		ends(cancelC)
	})
	add("context_value_nil_hides", withValue, func() {
		a := context.WithValue(background, keyA, "one")
		b := context.WithValue(a, keyA, nil)
		fmt.Println(b.Value(keyA))
	})
	add("context_value_nil_key", withValue, func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		context.WithValue(background, nil, "value")
	})

	withoutCancel := "context/context.go WithoutCancel"
	add("context_without_cancel", withoutCancel, func() {
		parent, cancel := context.WithTimeoutCause(background, time.Hour, errors.New("slow"))
		apart := context.WithoutCancel(parent)
		child, cancelChild := context.WithCancel(apart)
		cancel()
		tell("apart", apart)
		tell("child", child)
		fmt.Println(digit(apart.Done() == nil))
		cancelChild()
		tell("child", child)
		tell("apart", apart)
	})
	add("context_without_cancel_of_cancelled", withoutCancel, func() {
		parent, cancel := context.WithCancelCause(background)
		cancel(errors.New("gone"))
		tell("apart", context.WithoutCancel(parent))
	})
	add("context_deadline_below_without_cancel", withoutCancel, func() {
		parent, cancel := context.WithTimeout(background, time.Hour)
		child, cancelChild := context.WithTimeout(context.WithoutCancel(parent), 2*time.Hour)
		ofParent, _ := parent.Deadline()
		ofChild, _ := child.Deadline()
		fmt.Println(digit(ofChild.After(ofParent)))
		ends(cancel, cancelChild)
	})

	afterFunc := "context/context.go AfterFunc"
	add("context_after_func", afterFunc, func() {
		ctx, cancel := context.WithCancel(background)
		stop := context.AfterFunc(ctx, sayCalled)
		contextYields()
		fmt.Println("cancel")
		cancel()
		fmt.Println("in a goroutine of its own")
		contextYields()
		fmt.Println(digit(stop()))
	})
	add("context_after_func_stopped", afterFunc, func() {
		ctx, cancel := context.WithCancel(background)
		stop := context.AfterFunc(ctx, sayCalled)
		fmt.Println(digit(stop()), digit(stop()))
		cancel()
		contextYields()
	})
	add("context_after_func_of_cancelled", afterFunc, func() {
		ctx, cancel := context.WithCancel(background)
		cancel()
		stop := context.AfterFunc(ctx, sayCalled)
		fmt.Println(digit(stop()))
		contextYields()
	})
	add("context_after_func_of_background", afterFunc, func() {
		stop := context.AfterFunc(background, sayCalled)
		fmt.Println(digit(stop()), digit(stop()))
	})
	add("context_after_func_by_deadline", afterFunc, func() {
		done := make(chan struct{})
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		defer cancel()
		value := context.WithValue(ctx, keyA, "one")
		context.AfterFunc(value, func() { done <- struct{}{} })
		<-done
		tell("after", value)
	})
	add("context_after_funcs_are_apart", afterFunc, func() {
		ctx, cancel := context.WithCancel(background)
		one := context.AfterFunc(ctx, func() { fmt.Println("one") })
		two := context.AfterFunc(ctx, func() { fmt.Println("two") })
		fmt.Println(digit(one()))
		cancel()
		contextYields()
		fmt.Println(digit(two()))
	})
}
