package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

// What is read at a time, where messages have 64 bytes and where they have 4 KiB.
const (
	room      = 1024
	largeRoom = 8192
)

func echoThrough(conn net.Conn, buffer []byte) {
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			break
		}
		if _, err = conn.Write(buffer[:n]); err != nil {
			break
		}
	}
	conn.Close()
}

func echoConn(conn net.Conn)      { echoThrough(conn, make([]byte, room)) }
func echoLargeConn(conn net.Conn) { echoThrough(conn, make([]byte, largeRoom)) }

func dropConn(conn net.Conn) {
	conn.Close()
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err == nil)
	fmt.Println(listener.Addr())
	return listener
}

func serve(body func(net.Conn)) int {
	listener := listen()
	for {
		conn, err := listener.Accept()
		check(err == nil)
		go body(conn)
	}
}

func echoServer() int      { return serve(echoConn) }
func largeEchoServer() int { return serve(echoLargeConn) }
func acceptServer() int    { return serve(dropConn) }

func httpServer() int {
	files := http.FileServer(http.Dir(os.Getenv("GOFER_BENCH_FILES")))
	check(http.Serve(listen(), files) == nil)
	return 1
}

var ioRows = []row{
	{"echo_64b_50", echoServer, nil},
	{"echo_4k_50", largeEchoServer, nil},
	{"echo_64b_1000", echoServer, nil},
	{"echo_4k_1000", largeEchoServer, nil},
	{"echo_64b_50_cpu", echoServer, nil},
	{"echo_64b_1000_cpu", echoServer, nil},
	{"echo_4k_50_cpu", largeEchoServer, nil},
	{"echo_4k_1000_cpu", largeEchoServer, nil},
	{"accept", acceptServer, nil},
	{"accept_cpu", acceptServer, nil},
	{"idle_connection_bytes", echoServer, nil},
	{"http_1k", httpServer, nil},
	{"http_1k_p50", httpServer, nil},
	{"http_1k_p99", httpServer, nil},
	{"http_1k_p999", httpServer, nil},
}
