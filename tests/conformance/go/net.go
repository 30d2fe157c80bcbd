package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

var netFolder string

// netPath is a path in a folder of its own.
func netPath(name string) string {
	if netFolder == "" {
		netFolder, _ = os.MkdirTemp("", "gofer-net-")
	}
	return filepath.Join(netFolder, name)
}

// netName is an abstract name of this process's own.
func netName(name string) string {
	return fmt.Sprintf("@gofer-%s-%07d", name, os.Getpid())
}

var digits = regexp.MustCompile(`\d{4,}`)

// scrubbed is the text with ports and the folder taken out.
func scrubbed(text string) string {
	if netFolder != "" {
		text = strings.ReplaceAll(text, netFolder, "DIR")
	}
	return digits.ReplaceAllString(text, "PORT")
}

func tellNet(what string, err error) {
	if err != nil {
		fmt.Printf("%s: %s\n", what, scrubbed(err.Error()))
	} else {
		fmt.Printf("%s: ok\n", what)
	}
}

// tellRead prints how a read ended.
func tellRead(what string, n int, err error, bytes []byte) {
	if n > 0 {
		fmt.Printf("%s: %d %s\n", what, n, bytes[:n])
	} else if err == io.EOF {
		fmt.Printf("%s: EOF\n", what)
	} else {
		tellNet(what, err)
	}
}

func readAndTell(what string, conn net.Conn, size int) {
	bytes := make([]byte, size)
	n, err := conn.Read(bytes)
	tellRead(what, n, err, bytes)
}

func readFromAndTell(conn net.PacketConn, size int) net.Addr {
	bytes := make([]byte, size)
	n, from, err := conn.ReadFrom(bytes)
	tellRead("read_from", n, err, bytes)
	return from
}

func writeAndTell(what string, conn net.Conn, text string) {
	_, err := conn.Write([]byte(text))
	tellNet(what, err)
}

func tellDial(network, address string) {
	conn, err := net.Dial(network, address)
	tellNet(scrubbed(address), err)
	if err == nil {
		conn.Close()
	}
}

func tellListen(network, address string) {
	listener, err := net.Listen(network, address)
	tellNet(address, err)
	if err == nil {
		listener.Close()
	}
}

func tellSplit(text string) {
	host, port, err := net.SplitHostPort(text)
	if err == nil {
		fmt.Printf("%s: <%s> <%s>\n", text, host, port)
	} else {
		fmt.Printf("%s: %v\n", text, err)
	}
}

func tellResolve(network, text string) {
	var address net.Addr
	var err error
	if strings.HasPrefix(network, "udp") {
		address, err = net.ResolveUDPAddr(network, text)
	} else {
		address, err = net.ResolveTCPAddr(network, text)
	}
	if err == nil {
		fmt.Printf("%s %s: %v\n", network, text, address)
	} else {
		fmt.Printf("%s %s: %v\n", network, text, err)
	}
}

func tellLookup(host string) {
	addresses, err := net.LookupHost(host)
	if err == nil {
		fmt.Printf("%s: %s\n", host, addresses[0])
	} else {
		fmt.Printf("%s: %v\n", host, err)
	}
}

func mustListen(network, address string) net.Listener {
	listener, err := net.Listen(network, address)
	if err != nil {
		panic(err)
	}
	return listener
}

func mustListenPacket(network, address string) net.PacketConn {
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		panic(err)
	}
	return conn
}

func mustDial(network, address string) net.Conn {
	conn, err := net.Dial(network, address)
	if err != nil {
		panic(err)
	}
	return conn
}

// leftAddress is one where nobody listens any more.
func leftAddress(network, address string) string {
	listener := mustListen(network, address)
	listener.Close()
	return listener.Addr().String()
}

func netPair(network, address string) (near, far net.Conn) {
	listener := mustListen(network, address)
	near = mustDial(network, listener.Addr().String())
	far, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	listener.Close()
	return near, far
}

func tcpConns() (near, far *net.TCPConn) {
	a, b := netPair("tcp", "127.0.0.1:0")
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

func netForbid(network, address string, _ syscall.RawConn) error {
	fmt.Printf("%s %s\n", network, address)
	return syscall.EPERM
}

func dialError(_ net.Conn, err error) error               { return err }
func listenError(_ net.Listener, err error) error         { return err }
func listenPacketError(_ net.PacketConn, err error) error { return err }
func countError(_ int, err error) error                   { return err }

// beginRead reads in a goroutine of its own, and lets it come to the wait.
func beginRead(conn net.Conn, wg *sync.WaitGroup) {
	wg.Add(1)
	go func() {
		readAndTell("read", conn, 10)
		wg.Done()
	}()
	netYields()
}

func netYields() {
	for i := 0; i < 10; i++ {
		runtime.Gosched()
	}
}

func tellFile(path string) {
	if _, err := os.Lstat(path); err == nil {
		fmt.Println("there")
	} else {
		fmt.Println("gone")
	}
}

func init() {
	past := time.Unix(1, 0)
	soon := func() time.Time { return time.Now().Add(time.Millisecond) }
	loopback := "127.0.0.1:0"
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()

	add("net_split_host_port", "net/ipsock.go SplitHostPort", func() {
		for _, text := range []string{"127.0.0.1:80", "localhost:http", ":80", "host:", ":", "[::1]:80",
			"[fe80::1%lo0]:80", "[]:80", "host%zone:80"} {
			tellSplit(text)
		}
	})
	add("net_split_host_port_errors", "net/ipsock.go SplitHostPort", func() {
		for _, text := range []string{"", "host", "[::1]", "::1:80", "::1", "[::1:80", "[::1]80", "[::1]:80:90",
			"[::1]x:80", "a[b:80", "a]b:80", "[a[b]:80", "[a]:]80"} {
			tellSplit(text)
		}
	})
	add("net_join_host_port", "net/ipsock.go JoinHostPort", func() {
		fmt.Println(net.JoinHostPort("host", "80"))
		fmt.Println(net.JoinHostPort("::1", "http"))
		fmt.Println(net.JoinHostPort("fe80::1%lo0", "1"))
		fmt.Println(net.JoinHostPort("", ""))
	})
	add("net_resolve", "net/tcpsock.go ResolveTCPAddr", func() {
		tellResolve("tcp", "127.0.0.1:80")
		tellResolve("tcp", "127.0.0.1:http")
		tellResolve("tcp4", "127.0.0.1:HTTPS")
		tellResolve("udp", "127.0.0.1:domain")
		tellResolve("tcp", "[::1]:+80")
		tellResolve("tcp6", "[2001:db8:0:0:0:0:0:1]:1")
		tellResolve("tcp", "[::ffff:192.0.2.1]:1")
		tellResolve("tcp", "192.0.2.1:")
		tellResolve("tcp", "[fe80::1%4711]:1")
	})
	add("net_ipv6_text", "net/netip/netip.go appendTo6", func() {
		for _, host := range []string{"::", "::1", "::1:2", "::abcd:0", "::102:304", "::1.2.3.4", "1::",
			"1:0:2:3:4:5:6:7", "1:0:0:2::3", "1:0:0:2:3::", "0:0:1:0:0:1:0:0", "::ffff:0:102:304",
			"64:ff9b::1.2.3.4", "1:2:3:4:5:6:7:8", "2001:DB8:0:0:1:0:0:1"} {
			tellResolve("tcp", "["+host+"]:80")
		}
	})
	add("net_resolve_errors", "net/lookup.go LookupPort", func() {
		tellResolve("tcp", "127.0.0.1:65536")
		tellResolve("tcp", "127.0.0.1:-1")
		tellResolve("tcp", "127.0.0.1:99999999999")
		tellResolve("tcp", "127.0.0.1:nosuchservice")
		tellResolve("tcp4", "127.0.0.1:nosuchservice")
		tellResolve("tcp4", "[::1]:80")
		tellResolve("tcp6", "127.0.0.1:80")
		tellResolve("tcp", "127.0.0.1")
		tellResolve("carrierpigeon", "127.0.0.1:80")
	})
	add("net_lookup_literal", "net/lookup.go LookupHost", func() {
		tellLookup("127.0.0.1")
		tellLookup("::1")
		tellLookup("")
	})
	add("net_lookup_numbers_of_other_forms", "net/dnsclient.go isDomainName", func() {
		tellLookup("127.0.0.010")
		tellLookup("127.1")
		tellLookup("2130706433")
		tellLookup("127.0.0.256")
	})
	add("net_lookup_localhost", "net/lookup.go LookupHost", func() {
		addresses, _ := net.LookupHost("localhost")
		found := false
		for _, address := range addresses {
			found = found || address == "127.0.0.1"
		}
		fmt.Println(digit(found))
	})
	add("net_lookup_cancelled", "net/lookup.go lookupIPAddr", func() {
		_, err := net.DefaultResolver.LookupIPAddr(cancelled, "localhost")
		tellNet("lookup", err)
	})

	add("net_dial_unknown_network", "net/dial.go parseNetwork", func() {
		tellDial("carrierpigeon", "127.0.0.1:80")
		tellDial("", "127.0.0.1:80")
		tellDial("tcp5", "")
	})
	add("net_dial_missing_address", "net/dial.go resolveAddrList", func() {
		tellDial("tcp", "")
		tellDial("udp4", "")
		tellDial("unix", "")
	})
	add("net_dial_malformed_address", "net/ipsock.go internetAddrList", func() {
		tellDial("tcp", "127.0.0.1")
		tellDial("tcp", "::1:80")
		tellDial("tcp", "[::1")
		tellDial("tcp", "127.0.0.1:nosuchservice")
		tellDial("udp", "127.0.0.1:nosuchservice")
		tellDial("tcp", "127.0.0.1:-5")
	})
	add("net_dial_no_suitable_address", "net/ipsock.go filterAddrList", func() {
		tellDial("tcp4", "[::1]:80")
		tellDial("tcp6", "127.0.0.1:80")
	})
	add("net_dial_refused", "net/dial.go dialSingle", func() {
		tellDial("tcp", leftAddress("tcp", loopback))
		tellDial("tcp4", leftAddress("tcp", loopback))
	})
	add("net_dial_refused_without_host", "net/dial.go Dial", func() {
		address := leftAddress("tcp4", loopback)
		tellDial("tcp", address[strings.LastIndex(address, ":"):])
	})
	add("net_dial_unix_errors", "net/unixsock_posix.go unixSocket", func() {
		tellDial("unix", netPath("missing"))
		tellDial("unixgram", netPath("missing"))
		tellDial("unixpacket", netName("missing"))
		tellDial("unix", strings.Repeat("x", 108))
		os.Remove(netFolder)
	})
	add("net_dial_unix_wrong_type", "net/unixsock_posix.go unixSocket", func() {
		listener := mustListen("unix", netPath("stream"))
		tellDial("unixgram", netPath("stream"))
		listener.Close()
		os.Remove(netFolder)
	})
	add("net_dial_cancelled", "net/dial.go dialSerial", func() {
		var d net.Dialer
		tellNet("literal", dialError(d.DialContext(cancelled, "tcp", "127.0.0.1:1")))
		tellNet("name", dialError(d.DialContext(cancelled, "tcp", "localhost:1")))
	})
	add("net_dial_expired", "net/dial.go DialTimeout", func() {
		tellNet("dial", dialError(net.DialTimeout("tcp", "127.0.0.1:1", -1)))
	})
	add("net_dial_control", "net/dial.go Dialer.Control", func() {
		d := net.Dialer{Control: netForbid}
		tellNet("tcp", dialError(d.Dial("tcp", "127.0.0.1:80")))
		tellNet("udp6", dialError(d.Dial("udp6", "[::1]:80")))
		tellNet("unix", dialError(d.Dial("unix", "@x")))
	})
	add("net_dial_local_address", "net/dial.go Dialer.LocalAddr", func() {
		listener := mustListen("tcp", loopback)
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		conn, _ := d.Dial("tcp", listener.Addr().String())
		fmt.Println(scrubbed(conn.LocalAddr().String()))
	})
	add("net_dial_local_address_errors", "net/dial.go resolveAddrList", func() {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv6loopback}}
		tellNet("family", dialError(d.Dial("tcp", "127.0.0.1:1")))
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
		tellNet("not ours", dialError(d.Dial("tcp", "127.0.0.1:1")))
	})
	add("net_dial_keeps_first_error", "net/dial.go dialParallel", func() {
		address := leftAddress("tcp", loopback)
		tellDial("tcp", "[::]"+address[strings.LastIndex(address, ":"):])
	})

	add("net_listen_errors", "net/dial.go ListenConfig.Listen", func() {
		tellListen("carrierpigeon", loopback)
		tellListen("tcp", "127.0.0.1")
		tellListen("tcp", "127.0.0.1:x")
		tellListen("tcp", "192.0.2.1:0")
		tellListen("tcp4", "[::1]:0")
		tellListen("unix", "/nonexistent/folder/socket")
	})
	add("net_listen_at_a_group", "net/sock_posix.go listenDatagram", func() {
		fmt.Println(scrubbed(mustListen("tcp", "224.0.0.1:0").Addr().String()))
		tellListen("tcp", "[ff02::1%lo]:0")
		fmt.Println(scrubbed(mustListenPacket("udp", "224.0.0.1:0").LocalAddr().String()))
	})
	add("net_listen_in_use", "net/sock_posix.go listenStream", func() {
		listener := mustListen("tcp", loopback)
		tellNet("again", listenError(net.Listen("tcp", listener.Addr().String())))
		mustListen("unix", netName("in-use"))
		tellNet("again", listenError(net.Listen("unix", netName("in-use"))))
	})
	add("net_listen_wrong_kind", "net/dial.go ListenConfig.Listen", func() {
		tellNet("listen", listenError(net.Listen("udp", loopback)))
		tellNet("listen", listenError(net.Listen("udp", "")))
		tellNet("packets", listenPacketError(net.ListenPacket("tcp", loopback)))
	})
	add("net_listen_without_host", "net/ipsock_posix.go favoriteAddrFamily", func() {
		for _, network := range []string{"tcp", "tcp4", "tcp6"} {
			listener := mustListen(network, ":0")
			fmt.Printf("%s: %s\n", network, scrubbed(listener.Addr().String()))
		}
		fmt.Println(scrubbed(mustListen("tcp", "").Addr().String()))
	})
	add("net_listen_control", "net/dial.go ListenConfig.Control", func() {
		lc := net.ListenConfig{Control: netForbid}
		background := context.Background()
		tellNet("tcp", listenError(lc.Listen(background, "tcp", "127.0.0.1:80")))
		tellNet("tcp", listenError(lc.Listen(background, "tcp", ":80")))
		tellNet("udp", listenPacketError(lc.ListenPacket(background, "udp", "127.0.0.1:80")))
	})
	add("net_listen_reuse_after_close", "net/sockopt_linux.go setDefaultListenerSockopts", func() {
		listener := mustListen("tcp", loopback)
		address := listener.Addr().String()
		near := mustDial("tcp", address)
		far, _ := listener.Accept()
		far.Close()
		listener.Close()
		tellNet("again", listenError(net.Listen("tcp", address)))
		near.Close()
	})
	add("net_listener_closed", "net/tcpsock.go TCPListener.Close", func() {
		listener := mustListen("tcp", loopback).(*net.TCPListener)
		tellNet("close", listener.Close())
		_, err := listener.Accept()
		tellNet("accept", err)
		tellNet("close", listener.Close())
		tellNet("set_deadline", listener.SetDeadline(time.Time{}))
		fmt.Println(scrubbed(listener.Addr().String()))
	})
	add("net_listener_close_wakes_accept", "net/net.go Listener.Close", func() {
		var wg sync.WaitGroup
		listener := mustListen("unix", netName("wakes"))
		for i := 0; i < 2; i++ {
			wg.Add(1)
			go func() {
				_, err := listener.Accept()
				tellNet("accept", err)
				wg.Done()
			}()
		}
		netYields()
		listener.Close()
		wg.Wait()
	})
	add("net_listener_deadline", "net/tcpsock.go TCPListener.SetDeadline", func() {
		listener := mustListen("tcp", loopback).(*net.TCPListener)
		listener.SetDeadline(soon())
		for i := 0; i < 2; i++ {
			_, err := listener.Accept()
			tellNet("accept", err)
		}
		listener.SetDeadline(time.Time{})
		mustDial("tcp", listener.Addr().String())
		_, err := listener.Accept()
		tellNet("accept", err)
	})

	add("net_conn_echo", "net/net.go Conn", func() {
		near, far := tcpConns()
		writeAndTell("write", near, "hello")
		readAndTell("read", far, 10)
		writeAndTell("write nothing", near, "")
	})
	add("net_conn_addresses", "net/net.go Conn.LocalAddr", func() {
		near, far := tcpConns()
		fmt.Println(near.LocalAddr().Network())
		fmt.Println(scrubbed(near.LocalAddr().String()))
		fmt.Println(scrubbed(far.RemoteAddr().String()))
		fmt.Println(digit(near.LocalAddr().String() == far.RemoteAddr().String()))
		a, b := netPair("unix", netName("addresses"))
		fmt.Println(a.LocalAddr().Network())
		for _, address := range []net.Addr{a.LocalAddr(), a.RemoteAddr(), b.LocalAddr(), b.RemoteAddr()} {
			fmt.Println(scrubbed(address.String()))
		}
	})
	add("net_conn_closed", "net/net.go ErrClosed", func() {
		conn, _ := tcpConns()
		tellNet("close", conn.Close())
		readAndTell("read", conn, 10)
		writeAndTell("write", conn, "x")
		tellNet("close", conn.Close())
		tellNet("close_write", conn.CloseWrite())
		tellNet("close_read", conn.CloseRead())
		tellNet("deadline", conn.SetDeadline(time.Time{}))
		tellNet("read deadline", conn.SetReadDeadline(time.Time{}))
		fmt.Println(scrubbed(conn.LocalAddr().String()))
	})
	add("net_conn_options_closed", "net/tcpsock.go SetNoDelay", func() {
		conn, _ := tcpConns()
		conn.Close()
		tellNet("no delay", conn.SetNoDelay(true))
		tellNet("linger", conn.SetLinger(1))
		tellNet("read buffer", conn.SetReadBuffer(10000))
	})
	add("net_conn_read_deadline", "net/net.go Conn.SetReadDeadline", func() {
		near, far := tcpConns()
		near.SetReadDeadline(soon())
		readAndTell("read", near, 10)
		far.Write([]byte("x"))
		readAndTell("read", near, 10)
		writeAndTell("write", near, "x")
		near.SetReadDeadline(time.Time{})
		readAndTell("read", near, 10)
	})
	add("net_conn_write_deadline", "net/net.go Conn.SetWriteDeadline", func() {
		near, far := tcpConns()
		near.SetWriteDeadline(past)
		writeAndTell("write", near, "x")
		far.Write([]byte("x"))
		readAndTell("read", near, 10)
		near.SetWriteDeadline(time.Now().Add(time.Hour))
		writeAndTell("write", near, "x")
	})
	add("net_conn_deadline_wakes_read", "net/net.go Conn.SetDeadline", func() {
		var wg sync.WaitGroup
		near, far := tcpConns()
		beginRead(near, &wg)
		near.SetDeadline(past)
		wg.Wait()
		far.Close()
	})
	add("net_conn_close_wakes_read", "net/net.go Conn.Close", func() {
		var wg sync.WaitGroup
		near, far := tcpConns()
		beginRead(near, &wg)
		beginRead(near, &wg)
		near.Close()
		wg.Wait()
		far.Close()
	})
	add("net_conn_peer_close_wakes_read", "net/net.go Conn.Read", func() {
		var wg sync.WaitGroup
		near, far := tcpConns()
		beginRead(near, &wg)
		far.Close()
		wg.Wait()
	})
	add("net_conn_half_close", "net/tcpsock.go CloseWrite", func() {
		near, far := tcpConns()
		near.Write([]byte("last"))
		tellNet("close_write", near.CloseWrite())
		writeAndTell("write", near, "x")
		readAndTell("read", far, 10)
		readAndTell("read", far, 10)
		writeAndTell("answer", far, "answer")
		readAndTell("read", near, 10)
	})
	add("net_conn_close_read", "net/unixsock.go CloseRead", func() {
		a, b := netPair("unix", netName("close-read"))
		near, far := a.(*net.UnixConn), b.(*net.UnixConn)
		tellNet("close_read", near.CloseRead())
		readAndTell("read", near, 10)
		writeAndTell("write", near, "x")
		writeAndTell("peer's write", far, "x")
	})
	add("net_conn_reset", "net/tcpsock.go SetLinger", func() {
		near, far := tcpConns()
		near.SetLinger(0)
		near.Close()
		readAndTell("read", far, 10)
		writeAndTell("write", far, "x")
	})
	add("net_conn_broken_pipe", "os/signal/doc.go SIGPIPE", func() {
		near, far := netPair("unix", netName("broken-pipe"))
		near.Close()
		writeAndTell("write", far, "x")
		tellNet("close_write", far.(*net.UnixConn).CloseWrite())
	})
	add("net_conn_read_full", "io/io.go ReadFull", func() {
		bytes := make([]byte, 5)
		near, far := tcpConns()
		near.Write([]byte("hel"))
		near.Write([]byte("lowor"))
		n, _ := io.ReadFull(far, bytes)
		fmt.Printf("%d %s\n", n, bytes)
		near.Close()
		n, err := io.ReadFull(far, bytes)
		fmt.Printf("%d %v\n", n, err)
		n, err = io.ReadFull(far, bytes)
		fmt.Printf("%d %v\n", n, err)
	})
	add("net_conn_writev", "net/net.go Buffers", func() {
		near, far := tcpConns()
		buffers := net.Buffers{[]byte("one "), nil, []byte("two")}
		n, _ := buffers.WriteTo(near)
		fmt.Println(n)
		bytes := make([]byte, 20)
		m, err := io.ReadFull(far, bytes[:7])
		tellRead("read", m, err, bytes)
	})

	add("net_unix_unlinks", "net/unixsock_posix.go UnixListener.close", func() {
		listener := mustListen("unix", netPath("socket"))
		tellFile(netPath("socket"))
		fmt.Println(scrubbed(listener.Addr().String()))
		listener.Close()
		tellFile(netPath("socket"))
		listener = mustListen("unix", netPath("socket"))
		listener.(*net.UnixListener).SetUnlinkOnClose(false)
		listener.Close()
		tellFile(netPath("socket"))
		os.RemoveAll(netFolder)
	})
	add("net_unixpacket", "net/unixsock.go UnixConn", func() {
		near, far := netPair("unixpacket", netName("packet"))
		fmt.Println(far.LocalAddr().Network())
		near.Write([]byte("one"))
		near.Write([]byte("three"))
		readAndTell("read", far, 10)
		readAndTell("read", far, 2)
	})
	add("net_unixgram", "net/unixsock.go WriteTo", func() {
		a := mustListenPacket("unixgram", netName("gram-a"))
		b := mustListenPacket("unixgram", netName("gram-b"))
		a.WriteTo([]byte("hello"), b.LocalAddr())
		bytes := make([]byte, 10)
		n, from, err := b.ReadFrom(bytes)
		tellRead("read", n, err, bytes)
		fmt.Println(scrubbed(from.String()))
		writeAndTell("write", a.(net.Conn), "x")
		b.Close()
		tellNet("write_to", countError(a.WriteTo([]byte("x"), from)))
		tellNet("write_to", countError(a.WriteTo([]byte("x"), b.LocalAddr())))
	})

	add("net_udp_exchange", "net/udpsock.go UDPConn", func() {
		server := mustListenPacket("udp", loopback)
		client := mustDial("udp", server.LocalAddr().String())
		fmt.Println(server.LocalAddr().Network())
		writeAndTell("write", client, "ping")
		from := readFromAndTell(server, 10)
		fmt.Println(digit(from.String() == client.LocalAddr().String()))
		tellNet("write_to", countError(server.WriteTo([]byte("pong"), from)))
		readAndTell("read", client, 10)
	})
	add("net_udp_truncates", "net/udpsock.go ReadFrom", func() {
		server := mustListenPacket("udp", loopback)
		client := mustDial("udp", server.LocalAddr().String())
		client.Write([]byte("long one"))
		client.Write(nil)
		client.Write([]byte("end"))
		readFromAndTell(server, 4)
		n, _, _ := server.ReadFrom(make([]byte, 4))
		fmt.Println(n)
		readFromAndTell(server, 4)
	})
	add("net_udp_write_errors", "net/udpsock_posix.go writeTo", func() {
		server := mustListenPacket("udp4", loopback)
		client := mustDial("udp4", server.LocalAddr().String())
		ipv6, _ := net.ResolveUDPAddr("udp", "[::1]:1")
		writeAndTell("unconnected", server.(net.Conn), "x")
		_, err := client.(*net.UDPConn).WriteTo([]byte("x"), server.LocalAddr())
		tellNet("connected", err)
		tellNet("another family", countError(server.WriteTo([]byte("x"), ipv6)))
		tellNet("too long", countError(server.WriteTo(make([]byte, 70000), client.LocalAddr())))
	})
	add("net_udp_refused", "net/udpsock.go UDPConn", func() {
		server := mustListenPacket("udp", loopback)
		client := mustDial("udp", server.LocalAddr().String())
		server.Close()
		writeAndTell("write", client, "ping")
		readAndTell("read", client, 10)
	})
	add("net_udp_deadline_and_close", "net/udpsock.go UDPConn", func() {
		server := mustListenPacket("udp", loopback)
		server.SetReadDeadline(soon())
		readFromAndTell(server, 10)
		readAndTell("read", server.(net.Conn), 10)
		tellNet("close", server.Close())
		readFromAndTell(server, 10)
		tellNet("write_to", countError(server.WriteTo([]byte("x"), server.LocalAddr())))
		err := server.Close()
		tellNet("close", err)
		if !errors.Is(err, net.ErrClosed) {
			fmt.Println("?")
		}
	})
	add("net_udp_in_use", "net/sock_posix.go listenDatagram", func() {
		server := mustListenPacket("udp", loopback)
		tellNet("again", listenPacketError(net.ListenPacket("udp", server.LocalAddr().String())))
	})
	add("net_udp_without_host", "net/ipsock_posix.go ipToSockaddrInet6", func() {
		both := mustListenPacket("udp", ":0")
		ipv4 := mustListenPacket("udp4", loopback)
		fmt.Println(scrubbed(both.LocalAddr().String()))
		both.WriteTo([]byte("x"), ipv4.LocalAddr())
		from := readFromAndTell(ipv4, 10)
		fmt.Println(scrubbed(from.String()))
		ipv4.WriteTo([]byte("y"), from)
		fmt.Println(scrubbed(readFromAndTell(both, 10).String()))
	})
}
