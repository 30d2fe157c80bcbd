#!/usr/bin/env python3
"""Runs every conformance program in C and, where Go is installed, in Go, and compares them.

A row passes if the C program's output, exit status and fatal text equal those recorded in
expected.json, and, where Go is there, those of the Go twin in the same run. Of a crash's report
the panic or fatal lines and the goroutines' states are compared, not the frames.

The seeds' programs run too: each several times, side by side, at one processor (exactly the
documents' lines) and at the default (the first two lines in either order), into a pipe, a file
and a pty.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = re.compile(r"^goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[([^\]]*)\]:$")

# Rows that differ by intention: why, and what the C program gives instead.
DIFFERS = {
    "main_goexit_runs_deferred": ("Go prints no trace of a main that has ended; ours shows the one "
                                  "kept from its Goexit", {"states": ["exited"]}),
    "main_goexit_others_go_on": ("as main_goexit_runs_deferred", {"states": ["exited"]}),
    "main_goexit_others_blocked": ("as main_goexit_runs_deferred", {"states": ["chan receive", "exited"]}),
    "go_nil_function": ("C has no nil func values to call later: fatal at the go statement, as Go, "
                        "but without Go's gp= details", {}),
    "singleflight_do_chan_panic": ("Go's text goes on with the trace of the function, which ours has not",
                                   {"fatal": ["panic: boom"]}),
}

SEED = "B\nA\nB\nB\nB\nB\n"
SWAPPED = "A\nB\nB\nB\nB\nB\n"
NO_GOROUTINES = ["fatal error: no goroutines (main called runtime.Goexit) - deadlock!"]
# name, argument, stdout, exit status, fatal lines
SEEDS = [
    ("nothing", None, "", 0, []),
    ("synchronous", None, SEED, 0, []),
    ("synchronous_short", None, "B\n", 0, []),
    ("waitgroup", None, SEED, 0, []),
    ("waitgroup_delta", "large", SEED, 2, ["fatal error: all goroutines are asleep - deadlock!"]),
    ("waitgroup_delta", "small", "B\nA\n", 0, []),
    ("waitgroup_delta", "negative", "B\nA\n" + "B\nmain\n" * 3 + "B\n", 2,
     ["panic: sync: negative WaitGroup counter"]),
    ("channels", None, SEED, 0, []),
    ("goexit", None, SEED, 2, NO_GOROUTINES),
    ("goexit_panic", None, "B\nA\n", 2, ["panic: something went wrong"]),
    ("goexit_usage", None, "About to exit goroutine\nDeferred function in goroutine\n", 0, []),
    ("goexit_recover", None, "recovered: nil\nthe goroutine has ended\n", 0, []),
    ("goexit_main", None, "main's deferred call\n" + "".join(f"other goroutine: {i}\n" for i in (1, 2, 3)),
     2, NO_GOROUTINES),
    ("goexit_graceful", None, "step 1\nstep 2\nnothing left to do\nresources released\ndone\n", 0, []),
    ("goexit_error", None, "worked on 7\nerror: negative input\n", 0, []),
]

Outcome = collections.namedtuple("Outcome", "stdout status fatal states")


def parse(stdout, stderr, status):
    """What of a run is compared."""
    fatal, states, in_trace = [], [], False
    for line in stderr.splitlines():
        header = HEADER.match(line)
        if header:
            in_trace = True
            states.append(header.group(1))
        elif not in_trace and line.strip() and not line.startswith("[signal"):
            fatal.append(re.sub(r"^(\s*panic: )(?:errors\.|&errors\.).*", r"\1", line))
    return Outcome(stdout, status, fatal, sorted(states))


def run(command, procs=None, timeout=30):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GOTRACEBACK", "GOMAXPROCS"))}
    if procs:
        env["GOMAXPROCS"] = str(procs)
    try:
        done = subprocess.run(command, env=env, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return Outcome("", "timeout", [], [])
    return parse(done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"), done.returncode)


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def row(self, ok, name, detail=""):
        self.passed += ok
        self.failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {name}{': ' + detail if detail else ''}", flush=True)


def compile_c(options, sources, output):
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Wno-infinite-recursion",
                    "-I", os.path.join(options.source_dir, "include"), *sources,
                    os.path.join(options.build_dir, "libgofer.a"), "-pthread", "-o", output], check=True)


def sources_in(folder, ending):
    return sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(ending))


def find_go():
    if os.environ.get("GOFER_NO_GO"):
        return None
    usual = "/usr/local/go/bin/go"
    return shutil.which("go") or (usual if os.path.exists(usual) else None)


def build_go(go, folder, output):
    env = dict(os.environ, GOFLAGS="-mod=mod", GOWORK="off")
    subprocess.run([go, "build", "-o", output, "."], cwd=folder, env=env, check=True, timeout=300)


def twins_in(binary):
    """The programs of a Go binary: name to (binary, source of the rule)."""
    listing = subprocess.run([binary], capture_output=True, text=True, check=True).stdout
    return {name: (binary, source) for name, source in (line.split("\t") for line in listing.splitlines())}


def build_twins(go, out):
    """Go's own packages, and golang.org/x/sync where the module is to be had."""
    twins = {}
    for folder in ("go", "go-xsync"):
        binary = os.path.join(out, "cases-" + folder)
        try:
            build_go(go, os.path.join(HERE, folder), binary)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            if folder == "go":
                raise
            print("without golang.org/x/sync: its programs are compared with the recorded expectations only")
            continue
        twins.update(twins_in(binary))
    return twins


def difference(got, wanted):
    return "; ".join(f"{field}: got {a!r}, expected {b!r}"
                     for field, a, b in zip(Outcome._fields, got, wanted) if a != b)


def check_case(name, c, go, recorded):
    ours = run([c, name], procs=1)
    wanted = Outcome(**recorded) if recorded else None
    why = DIFFERS.get(name)
    if go:
        theirs = run([go, name], procs=1)
        if why:
            theirs = theirs._replace(**why[1])
        if ours != theirs:
            return False, "C against Go: " + difference(ours, theirs)
    if wanted is None:
        return False, "no recorded expectation; run with --record"
    if why:
        wanted = wanted._replace(**why[1])
    if ours != wanted:
        return False, "C against the record: " + difference(ours, wanted)
    return True, "differs by intention: " + why[0] if why else ""


def same_lines(got, wanted, procs):
    if got == wanted:
        return True
    swapped = wanted.splitlines(True)
    if procs == 1 or len(swapped) < 2:
        return False
    swapped[0], swapped[1] = swapped[1], swapped[0]
    return got == "".join(swapped)


def check_seed(seed, program, procs, repeats):
    name, argument, stdout, status, fatal = seed
    command = [program] + ([argument] if argument else [])
    # What runs beside main has no order with it: only that the lines are there is sure.
    loose = argument == "negative" or name in ("goexit_panic", "goexit_usage") or (
        name == "synchronous_short" or argument == "small") and procs != 1
    with concurrent.futures.ThreadPoolExecutor(repeats) as pool:
        outcomes = list(pool.map(lambda _: run(command, procs), range(repeats)))
    for got in outcomes:
        lines_right = same_lines(got.stdout, stdout, procs) or (
            loose and procs != 1 and set(got.stdout.split("\n")) <= set((stdout + "A\n").split("\n"))) or (
            loose and sorted(got.stdout) == sorted(stdout))
        if not lines_right or got.status != status or got.fatal != fatal:
            return False, difference(got, Outcome(stdout, status, fatal, got.states))
    return True, ""


def check_streams(program):
    """The document's crash into a file, a pty and 2>&1: six lines, then the fatal text."""
    wanted = SEED + NO_GOROUTINES[0] + "\n"
    env = dict(os.environ, GOMAXPROCS="1")
    outcomes = {}
    outcomes["2>&1"] = subprocess.run([program], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      check=False).stdout.decode()
    with tempfile.TemporaryFile() as file:
        subprocess.run([program], env=env, stdout=file, stderr=subprocess.STDOUT, check=False)
        file.seek(0)
        outcomes["file"] = file.read().decode()
    leader, follower = pty.openpty()
    with subprocess.Popen([program], env=env, stdout=follower, stderr=follower) as process:
        os.close(follower)
        data = b""
        while True:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break
            if not piece:
                break
            data += piece
        process.wait()
    os.close(leader)
    outcomes["pty"] = data.decode().replace("\r\n", "\n")
    return {kind: text.startswith(wanted) for kind, text in outcomes.items()}


def write_doc(path, names, sources, results):
    with open(path, "w", encoding="utf-8") as out:
        out.write("# Conformance\n\nMade by `python3 tests/conformance/run.py --write-doc` from a run of the programs in "
                  "`tests/conformance`,\neach in C and in Go, at one processor.\n\n"
                  "| Go behaviour | Go source of the rule | our test | result |\n|---|---|---|---|\n")
        for name in names:
            ok, detail = results[name]
            result = ("pass" if not detail else detail) if ok else "fail"
            out.write(f"| {name.replace('_', ' ')} | {sources.get(name, '')} | `{name}` | {result} |\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", required=True)
    parser.add_argument("--source-dir", required=True)
    parser.add_argument("-k", default="", help="only programs whose name contains this")
    parser.add_argument("--record", action="store_true", help="record the expectations from Go")
    parser.add_argument("--write-doc", action="store_true", help="write docs/conformance.md")
    parser.add_argument("--long", action="store_true", help="100 runs of each seed, 1,000 of goexit_usage")
    options = parser.parse_args()
    options.build_dir = os.path.abspath(options.build_dir)
    options.source_dir = os.path.abspath(options.source_dir)
    out = os.path.join(options.build_dir, "conformance")
    os.makedirs(out, exist_ok=True)
    c, go_tool, twins = os.path.join(out, "cases-c"), find_go(), {}
    compile_c(options, sources_in(os.path.join(HERE, "c"), ".c"), c)
    if go_tool:
        twins = build_twins(go_tool, out)
    else:
        print("no Go on this machine: compared with the recorded expectations only")
    expectations = os.path.join(HERE, "expected.json")
    recorded = {}
    if os.path.exists(expectations):
        with open(expectations, encoding="utf-8") as file:
            recorded = json.load(file)
    names = sorted(n for n in subprocess.run([c], capture_output=True, text=True, check=True).stdout.split()
                   if options.k in n)
    if options.record:
        recorded.update({name: run([go, name], procs=1)._asdict() for name, (go, _) in twins.items()})
        with open(expectations, "w", encoding="utf-8") as file:
            json.dump(dict(sorted(recorded.items())), file, indent=1)
            file.write("\n")
    report, results = Report(), {}
    def check(name):
        return check_case(name, c, twins.get(name, (None, ""))[0], recorded.get(name))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, (ok, detail) in zip(names, pool.map(check, names)):
            results[name] = ok, detail
            report.row(ok, name, detail)
    seeds = os.path.join(options.source_dir, "examples", "seeds")
    programs = {}
    for name in sorted({seed[0] for seed in SEEDS}):
        programs[name] = os.path.join(out, "seed-" + name)
        compile_c(options, [os.path.join(seeds, name + ".c")], programs[name])
    chosen = [seed for seed in SEEDS if options.k in seed[0]]
    jobs = [(seed, procs) for seed in chosen for procs in (1, None)]

    def one(job):
        seed, procs = job
        repeats = 100 if options.long else 10
        return check_seed(seed, programs[seed[0]], procs, repeats)

    with concurrent.futures.ThreadPoolExecutor(len(jobs) or 1) as pool:
        for (seed, procs), (ok, detail) in zip(jobs, pool.map(one, jobs)):
            report.row(ok, f"seed {seed[0]} {seed[1] or ''} at {procs or 'all'} processors", detail)
    if not options.k:
        for kind, ok in check_streams(programs["goexit"]).items():
            report.row(ok, f"seed goexit into {kind}")
    if options.write_doc:
        write_doc(os.path.join(options.source_dir, "docs", "conformance.md"), names,
                  {name: source for name, (_, source) in twins.items()}, results)
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
