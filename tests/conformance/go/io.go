package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// What an error is called in these programs.
func ioName(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, io.EOF):
		return "end"
	case errors.Is(err, os.ErrClosed), errors.Is(err, net.ErrClosed), err.Error() == "use of closed file":
		return "closed"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "deadline"
	case errors.Is(err, os.ErrNoDeadline):
		return "no deadline"
	case errors.Is(err, syscall.EPIPE):
		return "broken pipe"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	}
	return err.Error()
}

func told(who string, n int, err error) { fmt.Printf("%s: %d %s\n", who, n, ioName(err)) }

func readInto(who string, f io.Reader, size int) {
	b := make([]byte, size)
	n, err := f.Read(b)
	fmt.Printf("%s: %d %s %q\n", who, n, ioName(err), b[:n])
}

func ioPipe() (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	return r, w
}

func tcpPair() (a, b *net.TCPConn) {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	c, _ := net.Dial("tcp", l.Addr().String())
	d, _ := l.Accept()
	l.Close()
	return c.(*net.TCPConn), d.(*net.TCPConn)
}

const ioLong = 20 * time.Millisecond

// The reader is most likely blocked by then; either order prints the same.
func letBlock() { time.Sleep(ioLong) }

func init() {
	poll, file, conn := "internal/poll/fd_unix.go", "os/file.go", "net/net.go"
	add("io_pipe_end", poll+" Read", func() {
		r, w := ioPipe()
		w.Write([]byte("hello"))
		readInto("some", r, 3)
		readInto("rest", r, 10)
		w.Close()
		readInto("end", r, 10)
		readInto("again", r, 10)
	})
	add("io_read_of_nothing", poll+" Read", func() {
		r, _ := ioPipe()
		readInto("pipe", r, 0)
		a, b := tcpPair()
		b.Write([]byte("x"))
		readInto("tcp", a, 5)
		readInto("tcp", a, 0)
	})
	add("io_write_of_nothing", poll+" Write", func() {
		_, w := ioPipe()
		n, err := w.Write(nil)
		told("pipe", n, err)
	})
	add("io_read_full_stops_at_the_end", "io/io.go ReadFull", func() {
		r, w := ioPipe()
		w.Write([]byte("abc"))
		w.Close()
		n, err := io.ReadFull(r, make([]byte, 5))
		fmt.Println(n, err == io.ErrUnexpectedEOF)
		n, err = io.ReadFull(r, make([]byte, 5))
		fmt.Println(n, err == io.EOF)
	})
	add("io_write_to_nobody", file+" epipecheck", func() {
		r, w := ioPipe()
		r.Close()
		n, err := w.Write([]byte("x"))
		told("write", n, err)
	})
	add("io_write_to_nobody_on_stdout", "os/signal: SIGPIPE", func() {
		r, w := ioPipe()
		syscall.Dup2(int(w.Fd()), 1)
		r.Close()
		os.NewFile(1, "stdout").Write([]byte("x"))
		fmt.Fprintln(os.Stderr, "panic: still there")
	})
	add("io_write_is_whole", poll+" Write", func() {
		r, w := ioPipe()
		go func() {
			n, err := w.Write(make([]byte, 1000000))
			told("write", n, err)
			w.Close()
		}()
		b, err := io.ReadAll(r)
		letBlock()
		told("read", len(b), err)
	})
	add("io_write_counts_what_was_written", poll+" Write", func() {
		r, w := ioPipe()
		w.SetWriteDeadline(time.Now().Add(ioLong))
		n, err := w.Write(make([]byte, 1000000))
		m, _ := r.Read(make([]byte, 2000000))
		fmt.Println(n > 0 && n < 1000000, n == m, ioName(err))
	})
	add("io_writes_are_not_mixed", "internal/poll/fd_mutex.go", func() {
		r, w := ioPipe()
		var wg sync.WaitGroup
		for i := 0; i < 4; i++ {
			b := make([]byte, 300000)
			for j := range b {
				b[j] = byte('a' + i)
			}
			wg.Add(1)
			go func() { defer wg.Done(); w.Write(b) }()
		}
		go func() { wg.Wait(); w.Close() }()
		b, _ := io.ReadAll(r)
		changes := 0
		for i := 1; i < len(b); i++ {
			if b[i] != b[i-1] {
				changes++
			}
		}
		fmt.Println(len(b), changes)
	})
	add("io_after_close", file+" ErrClosed", func() {
		r, w := ioPipe()
		fmt.Println(ioName(r.Close()))
		fmt.Println(ioName(r.Close()))
		readInto("read", r, 1)
		fmt.Println(ioName(r.SetDeadline(time.Now())))
		w.Close()
		n, err := w.Write([]byte("x"))
		told("write", n, err)
	})
	add("io_close_wakes_a_reader", poll+" Close", func() {
		r, _ := ioPipe()
		done := make(chan int)
		go func() { readInto("read", r, 1); done <- 1 }()
		letBlock()
		err := r.Close()
		<-done
		fmt.Println(ioName(err))
	})
	add("io_close_wakes_all_readers", poll+" Close", func() {
		a, _ := tcpPair()
		var wg sync.WaitGroup
		for i := 0; i < 3; i++ {
			wg.Add(1)
			go func() { defer wg.Done(); readInto("read", a, 1) }()
		}
		letBlock()
		a.Close()
		wg.Wait()
	})
	add("io_close_wakes_a_writer", poll+" Close", func() {
		_, w := ioPipe()
		done := make(chan int)
		go func() {
			n, err := w.Write(make([]byte, 1000000))
			fmt.Println(n > 0 && n < 1000000, ioName(err))
			done <- 1
		}()
		letBlock()
		w.Close()
		<-done
	})
	add("io_close_wakes_accept", poll+" Close", func() {
		l, _ := net.Listen("tcp", "127.0.0.1:0")
		done := make(chan int)
		go func() { _, err := l.Accept(); fmt.Println(ioName(err)); done <- 1 }()
		letBlock()
		l.Close()
		<-done
	})
	add("io_deadline_passes", poll+" SetReadDeadline", func() {
		r, _ := ioPipe()
		r.SetReadDeadline(time.Now().Add(ioLong))
		readInto("first", r, 1)
		readInto("second", r, 1)
	})
	add("io_deadline_past_although_there_is_data", poll+" prepareRead", func() {
		r, w := ioPipe()
		w.Write([]byte("x"))
		r.SetReadDeadline(time.Now().Add(-time.Second))
		readInto("read", r, 1)
		r.SetReadDeadline(time.Time{})
		readInto("read", r, 1)
	})
	add("io_deadline_set_while_blocked", conn+" SetDeadline", func() {
		r, _ := ioPipe()
		done := make(chan int)
		go func() { readInto("read", r, 1); done <- 1 }()
		letBlock()
		r.SetReadDeadline(time.Now().Add(-time.Second))
		<-done
	})
	add("io_deadline_moved_away", conn+" SetDeadline", func() {
		r, w := ioPipe()
		done := make(chan int)
		r.SetReadDeadline(time.Now().Add(10 * time.Second))
		go func() { readInto("read", r, 1); done <- 1 }()
		letBlock()
		r.SetReadDeadline(time.Time{})
		w.Write([]byte("x"))
		<-done
	})
	add("io_deadline_of_the_other_direction", conn+" SetReadDeadline", func() {
		a, b := tcpPair()
		a.SetReadDeadline(time.Now().Add(-time.Second))
		n, err := a.Write([]byte("x"))
		told("write", n, err)
		readInto("peer", b, 5)
		a.SetDeadline(time.Now().Add(-time.Second))
		n, err = a.Write([]byte("x"))
		told("write", n, err)
	})
	add("io_deadline_of_accept", conn+" SetDeadline", func() {
		l, _ := net.Listen("tcp", "127.0.0.1:0")
		l.(*net.TCPListener).SetDeadline(time.Now().Add(ioLong))
		_, err := l.Accept()
		fmt.Println(ioName(err))
	})
	add("io_deadline_of_a_file", file+" SetDeadline", func() {
		f, _ := os.CreateTemp("", "io")
		os.Remove(f.Name())
		fmt.Println(ioName(f.SetDeadline(time.Now())))
	})
	add("io_half_close", conn+" CloseWrite", func() {
		a, b := tcpPair()
		a.Write([]byte("question"))
		a.CloseWrite()
		readInto("question", b, 20)
		readInto("end", b, 20)
		n, err := b.Write([]byte("answer"))
		told("write", n, err)
		readInto("answer", a, 20)
		n, err = a.Write([]byte("x"))
		told("write", n, err)
	})
	add("io_reset_by_peer", conn+" SetLinger", func() {
		a, b := tcpPair()
		b.SetLinger(0)
		b.Close()
		readInto("read", a, 1)
		n, err := a.Write([]byte("x"))
		told("write", n, err)
	})
	add("io_connection_refused", conn+" Dial", func() {
		l, _ := net.Listen("tcp", "127.0.0.1:0")
		l.Close()
		_, err := net.Dial("tcp", l.Addr().String())
		fmt.Println(ioName(err))
	})
	add("io_deadlock_although_a_pipe_is_open", "runtime/proc.go checkdead", func() {
		r, w := ioPipe()
		w.Write([]byte("x"))
		readInto("read", r, 1)
		<-make(chan int)
	})
	add("io_quiet_while_somebody_waits", "runtime/proc.go findRunnable", func() {
		r, _ := ioPipe()
		c := make(chan int)
		r.SetReadDeadline(time.Now().Add(ioLong))
		go func() { readInto("read", r, 1); c <- 1 }()
		fmt.Println(<-c)
	})
	add("io_wait_in_a_dump", "runtime/runtime2.go waitReasonIOWait", func() {
		if os.Getenv("GOTRACEBACK") == "" {
			os.Setenv("GOTRACEBACK", "all")
			syscall.Exec("/proc/self/exe", os.Args, os.Environ())
		}
		r, _ := ioPipe()
		go readInto("read", r, 1)
		letBlock()
		panic("enough")
	})
}
