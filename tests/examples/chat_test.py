#!/usr/bin/env python3
"""The example chat against many clients: polite, slow, loud, silent, gone; and what it holds after them.

usage: chat_test.py PROGRAM [TEST…]
"""
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

PROGRAM = sys.argv[1]
PATIENCE = 60  # of one wait; nothing is asserted about time
failed = []
tests = []


def test(fn):
    tests.append(fn)
    return fn


def expect(what, got, want):
    if got != want:
        failed.append(what)
        print(f"FAIL {what}: got {str(got)[:300]}, expected {str(want)[:300]}", flush=True)


class Server:
    def __init__(self, *options, status=0, descriptors=None):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))) if descriptors else None
        self.process = subprocess.Popen([PROGRAM, "--listen", "127.0.0.1:0", *options], stderr=subprocess.PIPE,
                                        text=True, preexec_fn=limit)
        line = self.process.stderr.readline()
        if "listening on" not in line:
            sys.exit(f"the server said: {line}{self.process.stderr.read()}")
        self.port = int(line.rsplit(":", 1)[1])
        self.status = status
        self.said = None
        self.clients = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.said is None:
            for client in self.clients:
                client.close()
            self.process.send_signal(signal.SIGTERM)
            self.end()

    def end(self):
        self.said = self.process.communicate(timeout=PATIENCE)[1]
        expect(f"the exit status of a server that said: {self.said}", self.process.returncode, self.status)

    def join(self, name=None, **options):
        client = Client(self.port, **options)
        self.clients.append(client)
        client.name = client.line().removeprefix("* welcome to the lobby, ").partition(";")[0]
        if name:
            client.say(f"/nick {name}")
            expect(f"a new name for {client.name}", client.line(), f"* {client.name} is now {name}")
            client.name = name
        return client

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Client:
    def __init__(self, port, room=None):
        self.socket = socket.socket()
        if room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.file = self.socket.makefile("r", encoding="utf-8", errors="backslashreplace", newline="\n")

    def say(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def line(self):
        """The next line that comes; "" is the end, or a reset."""
        try:
            return self.file.readline().removesuffix("\n")
        except ConnectionError:
            return ""

    def until(self, wanted):
        while (line := self.line()) != wanted:
            if not line:
                expect(f"what {self.name} hears", "the end", wanted)
                return

    def rest(self):
        lines = []
        while line := self.line():
            lines.append(line)
        return lines

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.file.close()
        self.socket.close()


# ---- a conversation ------------------------------------------------------------------------------


@test
def what_is_said_is_heard_by_all_others_in_the_room():
    with Server() as server:
        ann, bob = server.join("ann"), server.join()
        expect("a join", ann.line(), "* guest2 is here")
        bob.say("/nick bob")
        expect("a new name", [ann.line(), bob.line()], ["* guest2 is now bob"] * 2)
        ann.say("hello, bob")
        ann.say("")
        ann.socket.sendall(b"with two ends\r\n\xc3\xa4\x1b[31m\x00\n")
        expect("what bob hears", [bob.line() for _ in range(3)], ["<ann> hello, bob", "<ann> with two ends", "<ann> ä?[31m"])
        for said, heard in [
            (b"\x1b[31m\x7f\t", "?[31m??"),
            (b"\x9b31m \x90\xff", "?31m ??"),  # the same to some terminals, in one byte
            ("\u009b31m\u0085\u0080".encode(), "??31m????"),  # and in UTF-8
            (b"\xc1\x9b \xe0\x80\x9b \xf0\x80\x80\x9b \xc2 \xe2\x82 \xf8\x80", "?? ??? ???? ? ?? ??"),
            ("ÄÜß \u00a0€ 😀 日本".encode(), "ÄÜß \u00a0€ 😀 日本"),
        ]:
            ann.socket.sendall(said + b"\n")
            expect(f"what bob hears of {said}", bob.line(), f"<ann> {heard}")
        bob.say("/who")
        expect("who", bob.line(), "* in lobby: ann bob")
        for line, answer in [
            ("/nick ann", "* the name ann is taken"),
            ("/nick", "* a name has 1 to 20 letters, digits, _ or -"),
            ("/nick a b", "* a name has 1 to 20 letters, digits, _ or -"),
            ("/nick " + "x" * 21, "* a name has 1 to 20 letters, digits, _ or -"),
            ("/join ../..", "* a room's name has 1 to 20 letters, digits, _ or -"),
            ("/dance", "* there is no /dance; /help has what there is"),
        ]:
            bob.say(line)
            expect(line, bob.line(), answer)
        bob.say("/help")
        expect("help", "/quit" in bob.line(), True)
        bob.say("/quit")
        bob.say("more")
        expect("the end", bob.rest(), ["* goodbye"])
        expect("what ann hears of it", ann.line(), "* bob has left")


@test
def rooms_hear_only_their_own():
    with Server() as server:
        ann, bob, eve = server.join("ann"), server.join("bob"), server.join("eve")
        ann.until("* guest3 is now eve")
        bob.until("* guest3 is now eve")
        bob.say("/join kitchen")
        expect("who stays", [ann.line(), eve.line()], ["* bob has gone to kitchen"] * 2)
        expect("who goes", bob.line(), "* bob has come to kitchen")
        ann.say("/join kitchen")
        expect("who is there", bob.line(), "* ann has come to kitchen")
        ann.until("* ann has come to kitchen")
        eve.until("* ann has gone to kitchen")
        ann.say("psst")
        expect("a secret", bob.line(), "<ann> psst")
        eve.say("/who")
        expect("who is in the lobby", eve.line(), "* in lobby: eve")


@test
def an_end_without_a_word_is_told():
    with Server() as server:
        ann, bob, eve = server.join("ann"), server.join("bob"), server.join("eve")
        ann.until("* guest3 is now eve")
        bob.socket.sendall(b"last words")
        bob.socket.shutdown(socket.SHUT_WR)
        expect("a line without its end", [ann.line(), ann.line()], ["<bob> last words", "* bob has left"])
        eve.close(reset=True)
        expect("a reset", ann.line().startswith("* eve has left"), True)


# ---- limits --------------------------------------------------------------------------------------


@test
def a_line_that_is_too_long_goes_to_nobody():
    with Server("--max-line", "32") as server:
        ann, bob = server.join("ann"), server.join("bob")
        ann.until("* guest2 is now bob")
        for size in 32, 33, 64, 500, 100000:
            ann.say("x" * size)
            expect(f"after {size} bytes", ann.line(), "* a line has at most 32 bytes; yours went to nobody")
        ann.say("y" * 31)
        ann.say("short")
        expect("what bob hears", [bob.line(), bob.line()], ["<ann> " + "y" * 31, "<ann> short"])


@test
def who_finds_the_server_full_is_told():
    with Server("--max-clients", "2") as server:
        ann, bob = server.join("ann"), server.join()
        late = Client(server.port)
        expect("the third", late.rest(), ["* the server is full: come back later"])
        bob.close()
        ann.until("* guest2 has left")
        end = time.monotonic() + PATIENCE
        while "welcome" not in (line := Client(server.port).line()) and time.monotonic() < end:
            pass
        expect("when one has gone", "welcome" in line, True)


@test
def a_slow_client_is_dropped_and_holds_nobody_up():
    with Server("--queue", "8", "--max-line", "5000", "--rate", "1000000", "--write-timeout", "10m") as server:
        ann, bob = server.join("ann"), server.join("bob")
        ann.until("* guest2 is now bob")
        slow = server.join("slow", room=4096)
        told = {ann: False, bob: False}
        count = 0

        def next_line(client):
            """The next that is no notice of the slow one."""
            while (line := client.line()).startswith("*"):
                told[client] = told[client] or line == "* slow has left (too slow)"
            return line

        while not (told[ann] and told[bob]) and count < 20000:
            count += 1
            line = f"{count} " + "x" * 4000
            ann.say(line)
            if (got := next_line(bob)) != f"<ann> {line}":
                expect("what bob hears meanwhile", got, line)
                break
            bob.say("ok")
            next_line(ann)
        expect("who was told", list(told.values()), [True, True])
        slow.close()


@test
def a_client_that_takes_nothing_is_dropped():
    with Server("--queue", "1000000", "--rate", "1000000", "--max-line", "5000", "--write-timeout", "2s") as server:
        ann = server.join("ann")
        slow = server.join("slow", room=4096)
        for _ in range(2000):
            ann.say("x" * 4000)
        ann.until("* slow has left (too slow)")
        slow.close()


@test
def a_silent_client_is_warned_and_then_out():
    with Server("--idle-timeout", "400ms") as server:
        silent = server.join()
        expect("what it hears", silent.rest(), [
            "* are you there? another 100ms without a line is the end", "* nothing from you for 400ms: goodbye"])


@test
def a_loud_client_is_held_to_its_rate():
    with Server("--rate", "5") as server:
        loud, other = server.join("loud"), server.join()
        loud.until("* guest2 is here")
        began = time.monotonic()
        for i in range(12):
            loud.say(str(i))
        expect("what comes", [other.line() for _ in range(12)], [f"<loud> {i}" for i in range(12)])
        # one for /nick; five at once, one more each fifth of a second: no clock makes that shorter
        expect("it took its time", time.monotonic() - began >= 1, True)


@test
def without_descriptors_it_waits_and_goes_on():
    with Server(descriptors=64) as server:
        clients = [Client(server.port) for _ in range(80)]
        said = server.process.stderr.readline()
        expect("what it says", "too many open files" in said and "; waiting" in said, True)
        for client in clients[:40]:
            client.close()
        expect("the others", ["welcome" in client.line() for client in clients[40:]], [True] * 40)


# ---- many ----------------------------------------------------------------------------------------


@test
def a_hundred_hear_each_other_in_order():
    clients_count, lines_count = 100, 20
    with Server("--queue", "100000", "--rate", "1000000") as server:
        clients = [server.join() for _ in range(clients_count)]
        wrong = []

        def talk(me):
            for i in range(lines_count):
                me.say(f"{i}")

        def listen(me):
            heard = {}
            while sum(heard.values()) < (clients_count - 1) * lines_count:
                line = me.line()
                if line.startswith("* "):
                    continue
                name, _, number = line.partition(" ")
                if number != str(heard.get(name, 0)):
                    wrong.append((me.name, line, heard.get(name, 0)))
                    return
                heard[name] = heard.get(name, 0) + 1

        threads = [threading.Thread(target=work, args=(client,)) for client in clients for work in (talk, listen)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        expect("what was lost or came out of order", wrong, [])
        expect("threads that still wait", sum(thread.is_alive() for thread in threads), 0)


@test
def clients_that_come_and_go_leave_nothing_behind():
    with Server("--queue", "100000") as server:
        ann = server.join("ann")
        before = server.descriptors()
        for i in range(300):
            client = Client(server.port)
            if i % 3 == 0:
                client.socket.sendall([b"", b"x", b"hello\n", b"/quit\n"][i % 4])
            client.close(reset=i % 2 == 0)
        end = time.monotonic() + PATIENCE
        who = ""
        while (who, server.descriptors()) != ("* in lobby: ann", before) and time.monotonic() < end:
            ann.say("/who")
            while not (who := ann.line()).startswith("* in "):
                pass
        expect("who is left, and descriptors", (who, server.descriptors()), ("* in lobby: ann", before))


# ---- the end -------------------------------------------------------------------------------------


@test
def a_stop_tells_everybody():
    with Server() as server:
        clients = [server.join() for _ in range(50)]
        server.process.send_signal(signal.SIGTERM)
        for client in clients:
            expect(f"the last that {client.name} hears", client.rest()[-1:], ["* the server stops: goodbye"])
            client.close()
        server.end()
        expect("what it says", server.said, "chat: terminated signal received: stopping\n")


@test
def a_stop_writes_what_was_said_before():
    with Server("--queue", "100000", "--rate", "1000000", "--drain-timeout", "50s") as server:
        ann, bob = server.join("ann"), server.join("bob")
        for i in range(1000):
            ann.say(f"{i} " + "x" * 400)
        ann.say("/nick amy")  # the hall has all that came before
        ann.until("* ann is now amy")
        server.process.send_signal(signal.SIGINT)
        lines = bob.rest()
        expect("how much bob hears", len(lines), 1002)
        expect("the last of it", lines[-2:], ["* ann is now amy", "* the server stops: goodbye"])
        ann.close()
        bob.close()
        server.end()


@test
def a_stop_does_not_wait_for_ever():
    options = "--queue", "100000", "--rate", "1000000", "--max-line", "5000", "--write-timeout", "10m"
    with Server(*options, "--drain-timeout", "2s", status=1) as server:
        ann, stuck = server.join("ann"), server.join("stuck", room=4096)
        for _ in range(2000):
            ann.say("x" * 4000)
        ann.say("/nick amy")
        ann.until("* ann is now amy")
        server.process.send_signal(signal.SIGTERM)
        ann.until("* the server stops: goodbye")
        ann.close()
        server.end()
        expect("what it says", "clients cut\n" in server.said, True)
        stuck.close()


@test
def wrong_options_are_refused():
    for options, why in [
        (["--rate", "0"], "chat: 0: a number from 1 to 1000000 is wanted\n"),
        (["--max-line", "15"], "chat: 15: a number from 16 to 1000000 is wanted\n"),
        (["--queue", "1x"], "chat: 1x: a number from 1 to 1000000 is wanted\n"),
        (["--idle-timeout", "soon"], "chat: soon: a time such as 500ms or 1m30s is wanted\n"),
        (["localhost"], "chat: localhost: there are options alone\n"),
        (["--listen", "nowhere"], "chat: nowhere: listen tcp: address nowhere: missing port in address\n"),
    ]:
        run = subprocess.run([PROGRAM, *options], stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        expect(f"chat {' '.join(options)}", (run.returncode, run.stderr), (2, why))


only = sys.argv[2:]
for run in tests:
    if not only or run.__name__ in only:
        began = time.monotonic()
        run()
        print(f"{run.__name__}: {time.monotonic() - began:.1f} s", flush=True)
print("FAILED" if failed else "ok")
sys.exit(1 if failed else 0)
