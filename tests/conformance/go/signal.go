package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

var sigC, sigD chan os.Signal

func makeChannels() {
	sigC = make(chan os.Signal, 4)
	sigD = make(chan os.Signal, 4)
}

func sendSelf(s syscall.Signal) { syscall.Kill(syscall.Getpid(), s) }

func printSignal(who string, s os.Signal) { fmt.Printf("%s: %s\n", who, s) }

// sigD gets the signal too: once it has, the other channel has had its chance.
func sendWithWitness(s syscall.Signal) {
	sendSelf(s)
	printSignal("witness", <-sigD)
}

func sigBit(b bool) int {
	if b {
		return 1
	}
	return 0
}

const (
	notifyDoc = "os/signal.Notify"
	stopDoc   = "os/signal.Stop"
	ignoreDoc = "os/signal.Ignore"
	resetDoc  = "os/signal.Reset"
)

func init() {
	add("signal_notify_delivers", notifyDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGUSR1)
		sendSelf(syscall.SIGUSR1)
		printSignal("c", <-sigC)
	})
	add("signal_notify_without_signals_means_all", notifyDoc, func() {
		makeChannels()
		signal.Notify(sigC)
		sendSelf(syscall.SIGTERM)
		for s := range sigC {
			if s == syscall.SIGTERM {
				printSignal("c", s)
				return
			}
		}
	})
	add("signal_every_channel_gets_it", notifyDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGUSR1)
		signal.Notify(sigD, syscall.SIGUSR1, syscall.SIGUSR2)
		sendSelf(syscall.SIGUSR1)
		printSignal("c", <-sigC)
		printSignal("d", <-sigD)
		sendSelf(syscall.SIGUSR2)
		printSignal("d", <-sigD)
		fmt.Println(len(sigC))
	})
	add("signal_notify_again_adds", notifyDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGUSR1)
		signal.Notify(sigC, syscall.SIGUSR2)
		sendSelf(syscall.SIGUSR1)
		printSignal("c", <-sigC)
		sendSelf(syscall.SIGUSR2)
		printSignal("c", <-sigC)
	})
	add("signal_notify_twice_delivers_once", notifyDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGUSR1)
		signal.Notify(sigC, syscall.SIGUSR1)
		signal.Notify(sigD, syscall.SIGUSR1)
		sendWithWitness(syscall.SIGUSR1)
		fmt.Print(sigBit(<-sigC == syscall.SIGUSR1))
		fmt.Println("", len(sigC))
	})
	add("signal_full_channel_loses_it", notifyDoc, func() {
		makeChannels()
		small := make(chan os.Signal, 1)
		signal.Notify(small, syscall.SIGUSR1, syscall.SIGUSR2)
		signal.Notify(sigD, syscall.SIGUSR1, syscall.SIGUSR2)
		sendWithWitness(syscall.SIGUSR1)
		sendWithWitness(syscall.SIGUSR2)
		printSignal("small", <-small)
		sendWithWitness(syscall.SIGUSR2)
		printSignal("small", <-small)
	})
	add("signal_unbuffered_without_receiver_loses_it", notifyDoc, func() {
		makeChannels()
		none := make(chan os.Signal)
		signal.Notify(none, syscall.SIGUSR1)
		signal.Notify(sigD, syscall.SIGUSR1)
		sendWithWitness(syscall.SIGUSR1)
		select {
		case <-none:
			fmt.Println(1)
		default:
			fmt.Println(0)
		}
	})
	add("signal_unbuffered_with_receiver", notifyDoc, func() {
		none, done := make(chan os.Signal), make(chan struct{})
		signal.Notify(none, syscall.SIGUSR1)
		go func() {
			printSignal("receiver", <-none)
			done <- struct{}{}
		}()
		runtime.Gosched()
		sendSelf(syscall.SIGUSR1)
		<-done
	})
	add("signal_stop_ends_it_for_one_channel", stopDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGUSR1)
		signal.Notify(sigD, syscall.SIGUSR1)
		signal.Stop(sigC)
		sendWithWitness(syscall.SIGUSR1)
		fmt.Println(len(sigC))
	})
	add("signal_stop_of_an_unknown_channel", stopDoc, func() {
		makeChannels()
		signal.Stop(sigC)
		signal.Stop(nil)
		fmt.Println("alive")
	})
	add("signal_stop_twice_and_notify_again", stopDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGUSR1)
		signal.Stop(sigC)
		signal.Stop(sigC)
		signal.Notify(sigC, syscall.SIGUSR1)
		sendSelf(syscall.SIGUSR1)
		printSignal("c", <-sigC)
	})
	add("signal_notify_nil_channel_panics", notifyDoc, func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		signal.Notify(nil, syscall.SIGUSR1)
	})
	add("signal_notify_nil_channel_uncaught", notifyDoc, func() {
		signal.Notify(nil, syscall.SIGUSR1)
	})
	add("signal_ignore_drops_it", ignoreDoc, func() {
		makeChannels()
		fmt.Println(sigBit(signal.Ignored(syscall.SIGHUP)))
		signal.Ignore(syscall.SIGHUP)
		sendSelf(syscall.SIGHUP)
		signal.Notify(sigD, syscall.SIGUSR1)
		sendWithWitness(syscall.SIGUSR1)
		fmt.Println(sigBit(signal.Ignored(syscall.SIGHUP)))
	})
	add("signal_ignore_undoes_notify", ignoreDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGUSR1, syscall.SIGUSR2)
		signal.Ignore(syscall.SIGUSR1)
		sendSelf(syscall.SIGUSR1)
		sendSelf(syscall.SIGUSR2)
		printSignal("c", <-sigC)
		fmt.Println(len(sigC))
	})
	add("signal_ignore_without_signals_means_all", ignoreDoc, func() {
		makeChannels()
		signal.Ignore()
		sendSelf(syscall.SIGTERM)
		sendSelf(syscall.SIGINT)
		sendSelf(syscall.SIGHUP)
		fmt.Printf("%d%d\n", sigBit(signal.Ignored(syscall.SIGTERM)), sigBit(signal.Ignored(syscall.SIGUSR2)))
	})
	add("signal_notify_undoes_ignore", notifyDoc, func() {
		makeChannels()
		signal.Ignore(syscall.SIGUSR1)
		signal.Notify(sigC, syscall.SIGUSR1)
		fmt.Println(sigBit(signal.Ignored(syscall.SIGUSR1)))
		sendSelf(syscall.SIGUSR1)
		printSignal("c", <-sigC)
	})
	add("signal_reset_of_one_keeps_the_others", resetDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGUSR1, syscall.SIGUSR2)
		signal.Reset(syscall.SIGUSR1)
		sendSelf(syscall.SIGUSR2)
		printSignal("c", <-sigC)
	})
	add("signal_default_of_hup_ends_the_process", "os/signal: Default behavior of signals in Go programs", func() {
		sendSelf(syscall.SIGHUP)
		time.Sleep(time.Second)
	})
	add("signal_stop_gives_the_default_back", stopDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGINT)
		sendSelf(syscall.SIGINT)
		printSignal("c", <-sigC)
		signal.Stop(sigC)
		sendSelf(syscall.SIGINT)
		time.Sleep(time.Second)
	})
	add("signal_reset_gives_the_default_back", resetDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGTERM)
		signal.Notify(sigD, syscall.SIGTERM)
		signal.Reset(syscall.SIGTERM)
		sendSelf(syscall.SIGTERM)
		time.Sleep(time.Second)
	})
	add("signal_reset_without_signals_means_all", resetDoc, func() {
		makeChannels()
		signal.Notify(sigC)
		signal.Reset()
		sendSelf(syscall.SIGTERM)
		time.Sleep(time.Second)
	})
	add("signal_reset_undoes_ignore", resetDoc, func() {
		signal.Ignore(syscall.SIGTERM)
		sendSelf(syscall.SIGTERM)
		signal.Reset(syscall.SIGTERM)
		sendSelf(syscall.SIGTERM)
		time.Sleep(time.Second)
	})
	add("signal_ignored_after_reset", "os/signal.Ignored", func() {
		signal.Ignore(syscall.SIGTERM)
		signal.Reset(syscall.SIGTERM)
		fmt.Println(sigBit(signal.Ignored(syscall.SIGTERM)))
	})
	add("signal_kill_cannot_be_caught", "os/signal: Types of signals", func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGKILL)
		sendSelf(syscall.SIGKILL)
		time.Sleep(time.Second)
	})
	add("signal_wait_is_no_deadlock", "runtime/sigqueue.go signal_recv", func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGALRM)
		soon := struct{ interval, value syscall.Timeval }{value: syscall.Timeval{Usec: 50000}}
		syscall.Syscall(syscall.SYS_SETITIMER, 0, uintptr(unsafe.Pointer(&soon)), 0)
		printSignal("c", <-sigC)
	})
	add("signal_segv_that_was_sent", "os/signal: Types of signals", func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGSEGV)
		sendSelf(syscall.SIGSEGV)
		printSignal("c", <-sigC)
	})
	add("signal_quit_notified_dumps_nothing", "os/signal: Changing the behavior of signals in Go programs", func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGQUIT)
		sendSelf(syscall.SIGQUIT)
		printSignal("c", <-sigC)
	})
	add("signal_real_time", "os/signal: Changing the behavior of signals in Go programs", func() {
		makeChannels()
		signal.Notify(sigC, syscall.Signal(40))
		sendSelf(40)
		printSignal("c", <-sigC)
	})
	add("signal_child_exits", notifyDoc, func() {
		makeChannels()
		signal.Notify(sigC, syscall.SIGCHLD)
		exec.Command("true").Run()
		printSignal("c", <-sigC)
	})
	add("signal_in_a_select", notifyDoc, func() {
		makeChannels()
		signal.Notify(sigD, syscall.SIGUSR2)
		sendSelf(syscall.SIGUSR2)
		select {
		case s := <-sigC:
			fmt.Println(0, int(s.(syscall.Signal)))
		case s := <-sigD:
			fmt.Println(1, int(s.(syscall.Signal)))
		}
	})
	add("signal_range_until_closed", stopDoc, func() {
		makeChannels()
		done := make(chan struct{})
		signal.Notify(sigC, syscall.SIGUSR1, syscall.SIGUSR2)
		signal.Notify(sigD, syscall.SIGUSR1, syscall.SIGUSR2)
		go func() {
			for s := range sigC {
				printSignal("range", s)
			}
			done <- struct{}{}
		}()
		sendSelf(syscall.SIGUSR1)
		<-sigD
		sendSelf(syscall.SIGUSR2)
		<-sigD
		signal.Stop(sigC)
		close(sigC)
		<-done
	})
	add("signal_names", "syscall.Signal.String", func() {
		for s := syscall.Signal(0); s < 34; s++ {
			fmt.Println(int(s), s)
		}
	})
	add("signal_nobody_asked_for", "os/signal: Default behavior of signals in Go programs", func() {
		sendSelf(syscall.SIGUSR1)
		time.Sleep(20 * time.Millisecond)
		fmt.Println("alive")
	})
	addSignalContexts()
}

func tellContext(name string, ctx context.Context) {
	fmt.Printf("%s: %v, %v\n", name, ctx.Err(), context.Cause(ctx))
}

func addSignalContexts() {
	const doc = "os/signal.NotifyContext"
	background := context.Background()
	add("signal_context_is_cancelled_with_the_signal", doc, func() {
		ctx, stop := signal.NotifyContext(background, syscall.SIGUSR1, syscall.SIGUSR2)
		child, cancel := context.WithCancel(ctx)
		defer cancel()
		tellContext("before", ctx)
		sendSelf(syscall.SIGUSR2)
		<-child.Done()
		tellContext("after", ctx)
		tellContext("child", child)
		stop()
		tellContext("stopped", ctx)
	})
	add("signal_context_without_signals_means_all", doc, func() {
		ctx, stop := signal.NotifyContext(background)
		signal.Reset(syscall.SIGURG) // with which Go preempts goroutines
		defer stop()
		sendSelf(syscall.SIGTERM)
		<-ctx.Done()
		tellContext("after", ctx)
	})
	add("signal_context_stop_before", doc, func() {
		makeChannels()
		ctx, stop := signal.NotifyContext(background, syscall.SIGUSR1)
		signal.Notify(sigD, syscall.SIGUSR1)
		stop()
		tellContext("stopped", ctx)
		sendWithWitness(syscall.SIGUSR1)
		tellContext("after", ctx)
		stop()
		tellContext("again", ctx)
	})
	add("signal_context_parent_cancels", doc, func() {
		makeChannels()
		signal.Notify(sigD, syscall.SIGUSR1)
		parent, cancel := context.WithCancelCause(background)
		ctx, stop := signal.NotifyContext(parent, syscall.SIGUSR1)
		cancel(errors.New("enough"))
		tellContext("ctx", ctx)
		sendWithWitness(syscall.SIGUSR1) // caught still
		tellContext("signalled", ctx)
		stop()
	})
	add("signal_context_of_a_cancelled_parent", doc, func() {
		makeChannels()
		signal.Notify(sigD, syscall.SIGUSR1)
		parent, cancel := context.WithCancel(background)
		cancel()
		ctx, stop := signal.NotifyContext(parent, syscall.SIGUSR1)
		tellContext("ctx", ctx)
		sendWithWitness(syscall.SIGUSR1) // caught all the same
		tellContext("signalled", ctx)
		stop()
	})
	add("signal_context_second_signal_after_stop", doc, func() {
		ctx, stop := signal.NotifyContext(background, syscall.SIGTERM)
		sendSelf(syscall.SIGTERM)
		<-ctx.Done()
		tellContext("first", ctx)
		stop()
		sendSelf(syscall.SIGTERM)
		time.Sleep(time.Minute)
	})
	add("signal_context_after_reset", "os/signal.Reset", func() {
		makeChannels()
		ctx, stop := signal.NotifyContext(background, syscall.SIGUSR1)
		signal.Reset(syscall.SIGUSR1)
		signal.Notify(sigD, syscall.SIGUSR1)
		sendWithWitness(syscall.SIGUSR1)
		tellContext("ctx", ctx)
		stop()
		tellContext("stopped", ctx)
	})
	add("signal_context_strings", doc, func() {
		ctx, stop := signal.NotifyContext(background, syscall.SIGINT, syscall.SIGTERM)
		child, cancel := context.WithCancel(ctx)
		all, stopAll := signal.NotifyContext(child)
		fmt.Println(ctx)
		fmt.Println(child)
		fmt.Println(all)
		ends(stop, cancel, stopAll)
	})
}
