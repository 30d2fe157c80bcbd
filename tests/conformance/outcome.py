"""Running one program and what of its run is compared: stdout, exit status, the fatal text, and
which goroutines a crash's report names, in which states."""
import collections
import os
import pty
import re
import subprocess
import tempfile
import threading

HEADER = re.compile(r"^goroutine (\d+) (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[([^\]]*)\]:$")
FATAL = re.compile(r"^\s*(?:panic|fatal error): ", re.MULTILINE)

# goroutines: one text each, `main [chan receive]` or `other [select]`; sorted, because their numbers
# and their order are nobody's promise.
Outcome = collections.namedtuple("Outcome", "stdout status fatal goroutines")


def parse(stdout, stderr, status):
    fatal, goroutines = [], []
    for line in stderr.splitlines():
        header = HEADER.match(line)
        if header:
            goroutines.append(f"{'main' if header.group(1) == '1' else 'other'} [{header.group(2)}]")
        elif not goroutines and line.strip() and not line.startswith("[signal"):
            fatal.append(re.sub(r"\b0x[0-9a-f]+", "0x…", line))
    return Outcome(stdout, status, fatal, sorted(goroutines))


def split(text, status):
    """The outcome of a run whose stdout and stderr went to one place: stdout must have come first."""
    crash = FATAL.search(text)
    at = crash.start() if crash else len(text)
    return parse(text[:at], text[at:], status)


def environment(procs):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GOTRACEBACK", "GOMAXPROCS"))}
    if procs:
        env["GOMAXPROCS"] = str(procs)
    return env


def run(command, procs=None, timeout=60):
    try:
        done = subprocess.run(command, env=environment(procs), capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return Outcome("", "timeout", [], [])
    return parse(done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"), done.returncode)


def run_into(stream, command, procs=None, timeout=60):
    """As run, with stdout as a `pipe`, a `file`, a `pty` (stderr too), or a pipe with `2>&1`."""
    env = environment(procs)
    try:
        if stream == "file":
            with tempfile.TemporaryFile() as file:
                done = subprocess.run(command, env=env, stdout=file, stderr=subprocess.PIPE, timeout=timeout,
                                      check=False)
                file.seek(0)
                return parse(file.read().decode(errors="replace"), done.stderr.decode(errors="replace"),
                             done.returncode)
        if stream == "2>&1":
            done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=timeout, check=False)
            return split(done.stdout.decode(errors="replace"), done.returncode)
        if stream == "pty":
            return run_on_pty(command, env, timeout)
    except subprocess.TimeoutExpired:
        return Outcome("", "timeout", [], [])
    return run(command, procs, timeout)


def run_on_pty(command, env, timeout):
    leader, follower = pty.openpty()
    data = b""
    try:
        with subprocess.Popen(command, env=env, stdout=follower, stderr=follower) as process:
            os.close(follower)
            overdue = threading.Timer(timeout, process.kill)
            overdue.start()
            while True:
                try:
                    piece = os.read(leader, 4096)
                except OSError:  # EIO: no process has it open any more
                    break
                if not piece:
                    break
                data += piece
            status = process.wait()
            overdue.cancel()
    finally:
        os.close(leader)
    return split(data.decode(errors="replace").replace("\r\n", "\n"), status)


def difference(got, wanted):
    return "; ".join(f"{field}: got {a!r}, expected {b!r}"
                     for field, a, b in zip(Outcome._fields, got, wanted) if a != b)


class Report:
    """Prints a line a row and counts."""

    def __init__(self):
        self.passed = self.failed = 0

    def row(self, ok, name, detail=""):
        self.passed += ok
        self.failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {name}{': ' + detail if detail else ''}", flush=True)
