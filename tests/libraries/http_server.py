#!/usr/bin/env python3
"""A small server for HTTP, with answers that wait for others. Writes its port into the file of the
one argument when it listens."""
import http.server
import os
import sys
import threading

changed = threading.Condition()
waiting = posts = 0
era = 0  # a release ends one


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one piece

    def answer(self, text):
        text = str(text).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        global waiting, posts, era
        with changed:
            if self.path == "/reset":
                posts = 0
                text = 0
            elif self.path == "/posts":
                text = posts
            elif self.path == "/waiting":
                text = waiting
            elif self.path == "/release":
                text = waiting
                waiting = 0
                era += 1
                changed.notify_all()
            elif self.path == "/wait":
                waiting += 1
                mine = era
                changed.wait_for(lambda: era != mine)
                text = "released"
            else:
                text = self.path
        self.answer(text)

    def do_POST(self):
        global posts
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with changed:
            posts += 1
        self.answer(text)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".new", "w") as file:
    print(server.server_port, file=file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
