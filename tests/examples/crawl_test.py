#!/usr/bin/env python3
"""The example crawl on sites that the example httpd serves, and on servers that answer badly.

usage: crawl_test.py CRAWL HTTPD
"""
import atexit
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

CRAWL, HTTPD = sys.argv[1:3]
PATIENCE = 60
failed = []
work = tempfile.TemporaryDirectory()
root = pathlib.Path(work.name)


def expect(what, got, want):
    if got != want:
        failed.append(what)
        print(f"FAIL {what}: got {str(got)[:1000]}, expected {str(want)[:1000]}", flush=True)


def crawl(*arguments):
    """(status, {URL: (HTTP status or reason, size, links)}, the other lines) of a run."""
    run = subprocess.run([CRAWL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    pages, rest = {}, []
    for line in run.stdout.splitlines():
        if found := re.fullmatch(r"(\d+) +(\d+) bytes +(\d+) links  (\S+)", line):
            expect(f"{found[4]} came before", found[4] in pages, False)
            pages[found[4]] = tuple(map(int, found.group(1, 2, 3)))
        elif found := re.fullmatch(r"no answer: (.*)  (\S+)", line):
            pages[found[2]] = (found[1], 0, 0)
        else:
            rest.append(line)
    return run.returncode, pages, rest + run.stderr.splitlines()


# ---- a generated site: a tree of pages that link to each other, to themselves and to nothing ----


def page(*links):
    return "<p>" + "".join(f'<a href="{link}">x</a>\n' for link in links)


def write(path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


for i in range(40):
    write(f"tree/{i}.html", page(f"{2 * i + 1}.html", f"/tree/./{2 * i + 2}.html#part", "../tree/0.html", "?again"))
for i in range(40, 81):
    write(f"tree/{i}.html", "a leaf")
write("odd/index.html", page(
    "../odd/sub/../one.html", "//HOST/odd/two.html?a=1&amp;b=2", "HTTP://HOST/odd/one.html", "sub", "none.html", "text.txt",
    "https://HOST/odd/no", "mailto:x", "http://elsewhere.invalid/", "#here", "", "javascript:x()", "a b.html")
    + "<A HREF = 'three.html'>y</A> href=four.html href \0 <a href='five.html'> <a href='no\0ne'>")
write("odd/one.html", "1")
write("odd/two.html", "22")
write("odd/three.html", "333")
write("odd/five.html", "55555")
write("odd/sub/index.html", page("../one.html", "/../../odd/"))
write("odd/text.txt", page("never.html"))
httpd = subprocess.Popen([HTTPD, "--listen", "127.0.0.1:0", "--root", root, "--log", "none"], stderr=subprocess.PIPE, text=True)
atexit.register(httpd.kill)  # where the test fails
port = int(httpd.stderr.readline().rsplit(":", 1)[1])
host = f"127.0.0.1:{port}"
site = f"http://{host}"
odd = (root / "odd/index.html").read_text().replace("HOST", host)
write("odd/index.html", odd)

# ---- what is found ------------------------------------------------------------------------------

for workers, per_host in ("1", "1"), ("8", "4"), ("20", "20"):
    status, pages, rest = crawl("-w", workers, "-p", per_host, "-d", "10", f"{site}/tree/0.html")
    expect(f"the exit status with {workers} workers", status, 0)
    expect(f"the lines with {workers} workers", rest, [f"{81 + 40} pages, 0 failed"])
    expect(f"the pages with {workers} workers", set(pages),
           {f"{site}/tree/{i}.html" for i in range(81)} | {f"{site}/tree/{i}.html?again" for i in range(40)})
    expect("a page", pages[f"{site}/tree/7.html"], (200, len((root / "tree/7.html").read_bytes()), 4))

status, pages, rest = crawl("-d", "1", f"{site}/tree/0.html", f"{site}/tree/30.html")
expect("two starts and one step", sorted(pages), sorted(
    f"{site}/tree/{name}" for name in
    ["0.html", "0.html?again", "1.html", "2.html", "30.html", "30.html?again", "61.html", "62.html"]))

status, pages, rest = crawl(f"{site}/odd/")
expect("odd links", {url.removeprefix(site): value[0] for url, value in pages.items()}, {
    "/odd/": 200, "/odd/one.html": 200, "/odd/two.html?a=1&b=2": 200, "/odd/sub": 301, "/odd/sub/": 200,
    "/odd/none.html": 404, "/odd/text.txt": 200, "/odd/three.html": 200, "/odd/five.html": 200})
expect("its links", pages[f"{site}/odd/"][2], 16)
expect("a text's links", pages[f"{site}/odd/text.txt"][2], 0)
expect("the exit status", (status, rest), (1, ["9 pages, 1 failed"]))

# ---- servers that answer badly -------------------------------------------------------------------


class Bad:
    """A server that answers each connection with some bytes, and closes; None: it waits for the client to."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.answer = answer
        self.asked = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            with self.listener.accept()[0] as conn:
                conn.recv(65536)
                self.asked.set()
                try:
                    if self.answer is None:
                        conn.recv(1)
                    else:
                        conn.sendall(self.answer)
                except OSError:
                    pass  # it gave up


for what, answer, want in [
    ("no bytes", b"", "no answer"),
    ("no HTTP", b"hello\r\n\r\n", "Expected HTTP/"),
    ("half an answer", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "Invalid EOF state"),
    ("too much", b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 2000000, "the page is too large"),
    ("no length", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + b"<a href='/'>", 200),
    ("chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200),
    ("answers that go on", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
     b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    ("an answer that does not go on", b"HTTP/1.1 103 Early Hints\r\n\r\n", "no answer"),
    ("another protocol", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 101),
]:
    bad = Bad(answer)
    status, pages, rest = crawl(bad.url)
    expect(what, (status, pages[bad.url][0]), (0 if isinstance(want, int) else 1, want))

silent = Bad(None)
status, pages, rest = crawl("-o", "100ms", silent.url)
expect("one page's time", (status, pages[silent.url][0].rpartition(": ")[2], rest), (1, "i/o timeout", ["1 pages, 1 failed"]))
status, pages, rest = crawl("-t", "100ms", silent.url, silent.url + "2")
expect("the time of all", (status, rest[0]), (1, "stopped: context deadline exceeded"))
closed = socket.create_server(("127.0.0.1", 0))
nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
closed.close()
status, pages, rest = crawl(nobody)
expect("nobody there", (status, pages[nobody][0].endswith("connect: connection refused")), (1, True))
silent = Bad(None)
run = subprocess.Popen([CRAWL, silent.url], stdout=subprocess.PIPE, text=True)
silent.asked.wait(PATIENCE)
run.send_signal(signal.SIGINT)
said = run.communicate(timeout=PATIENCE)[0]
expect("interrupted", (run.returncode, "stopped: interrupt signal received\n" in said), (1, True))

for arguments, want in [
    ([], "crawl: usage: crawl "), (["-w", "x", site], "crawl: x: a number"), (["-t", "x", site], "crawl: x: a time"),
    (["https://x/"], "crawl: https://x/: a URL"), (["http://"], "crawl: http://: a URL"), (["http://u@x/"], "crawl: http://u@x/: a URL"),
]:
    status, _, rest = crawl(*arguments)
    expect(f"crawl {' '.join(arguments)}", (status, rest[0].startswith(want)), (2, True))

httpd.send_signal(signal.SIGTERM)
expect("httpd's exit status", httpd.wait(PATIENCE), 0)
print("FAILED" if failed else "ok")
sys.exit(1 if failed else 0)
