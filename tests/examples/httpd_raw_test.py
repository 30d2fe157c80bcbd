#!/usr/bin/env python3
"""The example httpd against clients that curl is not: pipelined, slow, wrong, gone, too many; and what
it holds after them.

usage: httpd_raw_test.py PROGRAM [TEST…]; NEAR and FAR: where it listens, and where that is dialled
"""
import fcntl
import json
import os
import pathlib
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM = sys.argv[1]
NEAR, FAR = os.environ.get("NEAR", "127.0.0.1"), os.environ.get("FAR", "127.0.0.1")
PATIENCE = 60  # of one wait; nothing is asserted about time
failed = []
tests = []
work = tempfile.TemporaryDirectory()
root = pathlib.Path(work.name)
(root / "1k").write_bytes(random.Random(1).randbytes(1024))
with open(root / "sparse", "wb") as f:
    f.truncate(256 << 20)


def test(fn):
    tests.append(fn)
    return fn


def expect(what, got, want):
    if got != want:
        failed.append(what)
        print(f"FAIL {what}: got {str(got)[:300]}, expected {str(want)[:300]}", flush=True)


class Server:
    def __init__(self, *options, descriptors=None, stdout=None):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))) if descriptors else None
        self.process = subprocess.Popen(
            [PROGRAM, "--listen", NEAR + ":0", "--root", root, "--log", "none", "--debug", *options],
            stdout=stdout, stderr=subprocess.PIPE, text=True, preexec_fn=limit,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"})
        line = self.process.stderr.readline()
        match = re.match(rf"httpd: listening on {re.escape(NEAR)}:(\d+)$", line)
        if not match:
            sys.exit(f"FAIL the server said: {line}")
        self.port = int(match[1])
        self.stopping = False

    def stop(self):
        if not self.stopping:
            self.process.send_signal(signal.SIGTERM)
        self.stopping = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        said = self.process.communicate(timeout=PATIENCE)[1]
        expect(f"the server's exit status (it said: {said})", self.process.returncode, 0)

    def connect(self, send=b""):
        client = Client(self.port)
        try:
            client.send(send)
        except ConnectionError:
            pass  # it was refused before its end; what was answered tells
        return client

    def stats(self):
        client = self.connect(get("/debug/stats"))
        stats = json.loads(client.answer()[2])
        client.close()
        return stats

    def idle(self):
        """What the server holds when its one connection is the one that asks."""
        self.stats()
        while (stats := self.stats())["connections"] != 1:
            pass
        del stats["requests"]
        return stats

    def until(self, what, want):
        """Waits until the server's own numbers are no larger than these."""
        end = time.monotonic() + PATIENCE
        while True:
            stats = self.stats()
            if all(stats[name] <= value for name, value in want.items()):
                return
            if time.monotonic() > end:
                expect(what, stats, want)
                return
            time.sleep(0.01)


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection((FAR, port), timeout=PATIENCE)
        self.file = self.socket.makefile("rb")

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self, head_alone=False):
        """(status, fields, body) of the next answer; status 0: the end, or a reset."""
        try:
            line = self.file.readline()
            if not line:
                return 0, {}, b""
            status = int(line.split()[1])
            fields = {}
            while (line := self.file.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                fields[name.lower()] = value.strip()
            size = 0 if head_alone else int(fields.get("content-length", 0))
            body = self.file.read(size)
        except ConnectionError:
            return 0, {}, b""
        return (status if len(body) == size else -1), fields, body

    def status(self):
        return self.answer()[0]


def get(path, method="GET", fields=""):
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode()


def post(path, body, fields=""):
    return get(path, "POST", f"Content-Length: {len(body)}\r\n{fields}") + body


# ---- one after another on a connection -----------------------------------------------------------


@test
def pipelined_requests_are_answered_in_order():
    with Server() as server:
        client = server.connect(b"".join(post("/api/echo", b"%d" % i) for i in range(500)) + get("/1k"))
        got = [json.loads(client.answer()[2])["body"] for _ in range(500)]
        expect("the bodies", got, [str(i) for i in range(500)])
        expect("the file after them", client.answer()[2], (root / "1k").read_bytes())
        client.send(get("/1k", "HEAD") + get("/none") + get("/1k", fields="Connection: close\r\n") + get("/1k"))
        expect("a HEAD", client.answer(head_alone=True)[0], 200)
        expect("what follows it", [client.status() for _ in range(3)], [404, 200, 0])


@test
def requests_may_come_in_pieces_of_any_size():
    chunked = (b"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"5;name=value\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n")
    requests = post("/api/echo", b"hello!") + chunked + get("/1k") + b"\r\n" + chunked
    with Server() as server:
        for size in (1, 2, 3, 7, 64):
            client = server.connect()
            for at in range(0, len(requests), size):
                client.send(requests[at:at + size])
            bodies = [json.loads(client.answer()[2])["body"] for _ in range(2)]
            expect(f"the bodies in pieces of {size}", bodies, ["hello!", "hello!"])
            expect(f"the file in pieces of {size}", client.answer()[2], (root / "1k").read_bytes())
            expect(f"the last in pieces of {size}", json.loads(client.answer()[2])["body"], "hello!")
            client.close()


@test
def a_client_that_ends_its_sending_gets_its_answers():
    with Server() as server:
        client = server.connect(get("/1k") + get("/1k"))
        client.socket.shutdown(socket.SHUT_WR)
        expect("the answers", [client.status() for _ in range(3)], [200, 200, 0])


# ---- wrong requests ------------------------------------------------------------------------------


@test
def wrong_requests_are_refused_and_their_connections_closed():
    cases = {
        "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
        "two Hosts": (get("/1k", fields="Host: y\r\n"), 400),
        "a bare LF": (b"GET /1k HTTP/1.1\nHost: x\n\n", 400),
        "an LF before it": (b"\n" + get("/1k"), 400),
        "a CR before it": (b"\r" + get("/1k"), 400),
        "a CR before an empty line": (b"\r\r\n" + get("/1k"), 400),
        "an LF after an empty line": (b"\r\n\n" + get("/1k"), 400),
        "two spaces before the target": (b"GET  /1k HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        "two spaces behind the target": (b"GET /1k  HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        "RTSP": (b"GET /1k RTSP/1.0\r\nHost: x\r\n\r\n", 400),
        "ICE": (b"SOURCE /1k ICE/1.0\r\nHost: x\r\n\r\n", 400),
        "a folded field": (get("/1k", fields="X: a\r\n b\r\n"), 400),
        "a field folded by a tab": (get("/1k", fields="X: a\r\n\tb\r\n"), 400),
        "a field folded to nothing": (get("/1k", fields="X:\r\n \r\n"), 400),
        "a folded length": (get("/api/echo", "POST", "Content-Length:\r\n 5\r\n") + b"hello", 400),
        "a space before the first field": (b"GET /1k HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n", 400),
        "a field without a name": (get("/1k", fields=": y\r\n"), 400),
        "the first field without a name": (b"GET /1k HTTP/1.1\r\n:\r\nHost: x\r\n\r\n", 400),
        "a space before the colon": (get("/1k", fields="X : y\r\n"), 400),
        "a NUL in a field": (b"GET /1k HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n", 400),
        "a NUL in the target": (b"GET /1k\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        "no slash": (b"GET 1k HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        "a star": (get("*"), 400),
        "two lengths": (get("/api/echo", "POST", "Content-Length: 1\r\nContent-Length: 2\r\n") + b"ab", 400),
        "a wrong length": (get("/api/echo", "POST", "Content-Length: -1\r\n"), 400),
        "an endless length": (get("/api/echo", "POST", "Content-Length: 99999999999999999999999\r\n"), 400),
        "a huge length": (get("/api/echo", "POST", "Content-Length: 18446744073709551615\r\n"), 413),
        "length and chunks": (get("/api/echo", "POST", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n", 400),
        "chunks and length": (get("/api/echo", "POST", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + b"0\r\n\r\n", 400),
        "chunks twice": (get("/api/echo", "POST", "Transfer-Encoding: chunked, chunked\r\n"), (400, 501)),
        "chunks not last": (get("/api/echo", "POST", "Transfer-Encoding: chunked, gzip\r\n"), (400, 501)),
        "chunks of 1.0": (b"POST /api/echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        "a wrong chunk": (get("/api/echo", "POST", "Transfer-Encoding: chunked\r\n") + b"zz\r\n", 400),
        "a huge chunk": (get("/api/echo", "POST", "Transfer-Encoding: chunked\r\n") + b"fffffffffffffffff\r\n", (400, 413)),
        "HTTP/3.0": (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
        "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
        "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        "CONNECT": (get("x:80", "CONNECT"), (400, 501)),
        "nothing but lines": (b"\r\n" * 20000, 431),
        "endless spaces": (b"GET /1k HTTP/1.1\r\nX:" + b" " * 100000, 431),
    }
    with Server() as server:
        for name, (request, want) in cases.items():
            client = server.connect(request + get("/1k"))
            status, fields, _ = client.answer()
            wanted = want if isinstance(want, tuple) else (want,)
            expect(f"{name}: the status", status if status in wanted else (status,), status)
            expect(f"{name}: Connection", fields.get("connection"), "close")
            expect(f"{name}: what follows", client.status(), 0)
            client.close()
        client = server.connect(get("/1k", fields="Connection: upgrade\r\nUpgrade: h2c\r\n") * 2)
        expect("another protocol, offered", [client.status(), client.status()], [200, 200])


@test
def a_body_that_is_mostly_chunks_is_refused():
    with Server("--max-body", "10000") as server:
        client = server.connect(get("/api/echo", "POST", "Transfer-Encoding: chunked\r\n"))
        try:
            for _ in range(2000):
                client.send(b"1;" + b"x" * 100 + b"\r\ny\r\n")
        except ConnectionError:
            pass  # it was refused, and the rest is not read for ever
        expect("the status", client.status() in (413, 0), True)
        client = server.connect(get("/api/echo", "POST", "Transfer-Encoding: chunked\r\n") +
                                b"1\r\ny\r\n" * 10000 + b"0\r\n\r\n")
        expect("a body of smallest chunks", client.status(), 200)


@test
def garbage_ends_its_own_connection_alone():
    noise = random.Random(2)
    with Server() as server:
        stays = server.connect(get("/1k"))
        expect("before", stays.status(), 200)
        for i in range(300):
            data = noise.randbytes(noise.randrange(1, 3000))
            if i % 2:  # a request with a wrong byte
                data = bytearray(post("/api/echo", b"hello", "X-Field: value\r\n"))
                data[noise.randrange(len(data))] = noise.randrange(256)
            client = server.connect(bytes(data))
            try:
                client.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it was closed already
            while client.status() > 0:
                pass
            client.close()
        stays.send(get("/1k"))
        expect("after", stays.status(), 200)
        stays.close()
        server.until("what is left", {"connections": 1})


# ---- slow and vanished clients -------------------------------------------------------------------


@test
def clients_that_are_too_slow_are_told_or_closed():
    with Server("--idle-timeout", "300ms", "--read-timeout", "300ms", "--write-timeout", "300ms") as server:
        before = server.idle()
        for name, request, want in [
            ("nothing", b"", [0]),
            ("nothing after a request", get("/1k"), [200, 0]),
            ("half a head", get("/1k")[:-1], [408, 0]),
            ("half a body", post("/api/echo", b"hello")[:-1], [408, 0]),
            ("half a chunk", get("/api/echo", "POST", "Transfer-Encoding: chunked\r\n") + b"5\r\nhe", [408, 0]),
        ]:
            client = server.connect(request)
            expect(name, [client.status() for _ in want], want)
            client.close()
        slow = server.connect(get("/sparse"))
        server.until("a client that does not read is closed", before)
        slow.close()


@test
def resets_leave_nothing_behind():
    requests = [b"", get("/1k")[:-2], get("/1k"), get("/sparse"), post("/api/echo", b"x" * 100000)[:-5],
                get("/debug/sleep?50ms"), get("/1k") * 50]
    with Server() as server:
        before = server.idle()
        for i in range(420):
            server.connect(requests[i % len(requests)]).close(reset=i % 2 == 0)
        server.until("after resets", before)


# ---- many of them --------------------------------------------------------------------------------


@test
def a_thousand_connections_are_kept_and_served():
    with Server() as server:
        before = server.idle()
        clients = [server.connect() for _ in range(1000)]
        for _ in range(5):
            for client in clients:
                client.send(get("/1k") + get("/api/counter"))
            for client in clients:
                if (got := (client.status(), client.status())) != (200, 200):
                    expect("the answers of a client", got, (200, 200))
        stats = server.stats()
        expect("connections", stats["connections"], 1001)
        for client in clients:
            client.close()
        server.until("after they have closed", before)


@test
def who_finds_the_server_full_is_told():
    with Server("--max-connections", "10") as server:
        clients = [server.connect(get("/1k")) for _ in range(10)]
        expect("ten", [client.status() for client in clients], [200] * 10)
        full = server.connect(get("/1k"))
        expect("the eleventh", [full.status(), full.status()], [503, 0])
        clients.pop().close()
        end = time.monotonic() + PATIENCE
        while (status := server.connect(get("/1k")).status()) != 200 and time.monotonic() < end:
            pass
        expect("one more when one has gone", status, 200)


@test
def without_descriptors_it_waits_and_goes_on():
    with Server(descriptors=64) as server:
        clients = [server.connect() for _ in range(100)]
        words = "accept4: too many open files; the process may have 64 (ulimit -n); retrying in "
        said = [server.process.stderr.readline().strip().partition(words)[2] for _ in range(10)]
        expect("what it says", said, "5ms 10ms 20ms 40ms 80ms 160ms 320ms 640ms 1s 1s".split())
        for i in range(50):
            clients[i].close()
        for client in clients[50:]:
            client.send(get("/api/counter"))
        expect("the others", [client.status() for client in clients[50:]], [200] * 50)


@test
def stopping_while_busy_loses_no_request():
    with Server("--last-call", "20s") as server:  # a client may be that slow
        stopping = threading.Event()
        lost, counts = [], []

        def one_after_another(fresh):
            answered = 0
            client = None
            while True:
                try:
                    client = client or Client(server.port)
                except OSError:  # refused: it has stopped
                    break
                try:
                    client.send(post("/api/echo", b"x" * 2000) if answered % 2 else get("/1k"))
                except OSError:
                    pass
                status, fields, _ = client.answer()
                if status != 200:
                    lost.append((status, fresh, answered))
                    break
                answered += 1
                if fresh or fields.get("connection") == "close":
                    client.close()
                    client = None
                    if not stopping.is_set() and not fresh:
                        lost.append("closed before the end")
            counts.append(answered)

        threads = [threading.Thread(target=one_after_another, args=(i % 4 == 0,)) for i in range(40)]
        for thread in threads:
            thread.start()
        while server.stats()["requests"] < 2000:
            pass
        stopping.set()
        server.stop()
        for thread in threads:
            thread.join(PATIENCE)
        expect("lost requests", lost, [])
        expect("clients that were served", sum(count > 0 for count in counts), 40)


@test
def stopping_ends_idle_connections_and_answers_requests_that_have_begun():
    with Server() as server:
        silent, idle = server.connect(), server.connect(get("/1k"))
        head, body = server.connect(get("/1k")[:-2]), server.connect(post("/api/echo", b"hello")[:-2])
        expect("one before", idle.status(), 200)
        slow = server.connect(get("/debug/sleep?10ms") + get("/1k") * 20)
        while server.stats()["connections"] != 6:
            pass
        server.stop()
        try:
            while True:
                server.connect().close()
        except OSError:
            pass  # it listens no more
        head.send(b"\r\n")
        body.send(b"lo")
        for name, client in ("a head", head), ("a body", body):
            status, fields, _ = client.answer()
            expect(name, (status, fields.get("connection"), client.status()), (200, "close", 0))
        expect("a batch", [slow.status() for _ in range(22)], [200] * 21 + [0])
        expect("the idle ones", [silent.status(), idle.status()], [0, 0])
        for client in silent, idle, head, body, slow:
            client.close()


def named_pipe(name):
    """Its end to read, and its path."""
    os.mkfifo(root / name)
    return os.open(root / name, os.O_RDONLY | os.O_NONBLOCK), root / name


def fill_log(log, *options, stdout=None):
    """Has a server that writes to a pipe, read from `log`, log more than that and its memory take."""
    fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, 4096)
    count = 10000
    server = Server(*options, stdout=stdout)
    if stdout is not None:
        os.close(stdout)
    client = server.connect()
    for _ in range(count // 100):
        client.send(get("/none") * 100)
        expect("the answers", [client.status() for _ in range(100)], [404] * 100)
    client.close()
    server.stop()
    try:
        said = server.process.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired:
        server.process.kill()
        said = server.process.communicate()[1]
    written = b""
    while data := os.read(log, 65536):
        written += data
    os.close(log)
    lost = sum(map(int, re.findall(r"the log: (\d+) lines lost", said)))
    expect(f"the exit status of a server that said: {said}", server.process.returncode, 0)
    expect("lines, written and lost", written.count(b"\n") + lost, count)


@test
def a_log_that_nobody_reads_holds_up_neither_clients_nor_the_end():
    log, path = named_pipe("log")
    fill_log(log, "--log", path)


@test
def nor_does_one_that_is_its_output():
    log, output = os.pipe()
    fill_log(log, "--log", "-", stdout=output)
    log, path = named_pipe("output")
    fill_log(log, "--log", "-", stdout=os.open(path, os.O_WRONLY))


only = sys.argv[2:]
for run in tests:
    if not only or run.__name__ in only:
        began = time.monotonic()
        run()
        print(f"{run.__name__}: {time.monotonic() - began:.1f} s", flush=True)
print("FAILED" if failed else "ok")
sys.exit(1 if failed else 0)
