#!/usr/bin/env python3
"""Runs every conformance program in C and, where Go is installed, in Go, and compares them.

A row passes if the C program's output, exit status and fatal text equal those recorded in
expected.json, and, where Go is there, those of the Go twin in the same run. Of a crash's report
the panic or fatal lines and the goroutines' states are compared; dump.py compares the form of a few
reports to the frames.

The seeds' programs run too (seeds.py). --seeds-only with --library, --cc, --cflags=… and --emulator runs
those alone for another build of the library, as nested.sh does.
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time

import dump
import readme
import seeds
from outcome import Outcome, Report, difference, run

GO_ATTEMPTS = 5
HERE = os.path.dirname(os.path.abspath(__file__))

BLOCK = "go_defer's scope is the block: a C argument often points at a block's own variable"
# Rows that differ by intention: why, and what the C program gives instead.
DIFFERS = {
    "main_goexit_runs_deferred": ("Go prints no trace of a main that has ended; ours shows the one "
                                  "kept from its Goexit", {"goroutines": ["main [exited]"]}),
    "main_goexit_others_go_on": ("as main_goexit_runs_deferred", {"goroutines": ["main [exited]"]}),
    "main_goexit_others_blocked": ("as main_goexit_runs_deferred", {"goroutines": ["main [exited]", "other [chan receive]"]}),
    "go_nil_function": ("C has no nil func values to call later: fatal at the go statement, as Go, "
                        "but without Go's gp= details", {}),
    "select_too_many_cases": ("the text names our call, not reflect's",
                              {"stdout": "65,537 cases: select: too many cases\n"}),
    "select_two_defaults": ("the text names our call, not reflect's",
                            {"stdout": "two defaults: select: multiple default cases\n"}),
    "recover_select_misuse": ("the text names our call, not reflect's",
                              {"stdout": "text select: multiple default cases\n"}),
    "panic_pointer": ("C's pointers do not carry their type's name", {"fatal": ["panic: (pointer) 0x…"]}),
    "defer_scope_is_the_block": (BLOCK, {"stdout": "block\nend of the function\nfunction\n"}),
    "defer_in_a_loop": (BLOCK, {"stdout": "".join(f"round {i}\ndeferred {i}\n" for i in range(3))}),
    "return_then_recovered_panic": ("C has no named results: a recovered panic returns go_recoverable's variable, "
                                    "not what an earlier return gave", {"stdout": "nine: after return\n1\n"}),
    "defer_changes_result_after_return": ("C has no named results: return has copied the value before the deferred "
                                          "calls run", {"stdout": "5\n"}),
    "nil_dereference_recovered": ("a fault is not recoverable by default: compilers build on that it does not happen, "
                                  "and foreign code may hold locks",
                                  {"stdout": "", "status": 2, "goroutines": ["main [running]"], "fatal": [
                                      "panic: runtime error: invalid memory address or nil pointer dereference"]}),
    "signal_nobody_asked_for": ("a C program's signals keep doing what they did: the library catches none that nobody "
                                "registered for", {"stdout": "", "status": -10}),
    "signal_reset_undoes_ignore": ("go_signal_reset gives the default back, as Go's documentation says; Go's Reset "
                                   "leaves what Ignore was called for ignored", {"status": -15}),
    "signal_ignored_after_reset": ("as signal_reset_undoes_ignore", {"stdout": "0\n"}),
    "debug_set_traceback_crash": ("Go shows its runtime's own goroutines, of which there are none here",
                                  {"goroutines": ["main [running]", "other [chan receive]"]}),
    "singleflight_do_chan_panic": ("Go's text goes on with the trace of the function, which ours has not",
                                   {"fatal": ["panic: boom"]}),
}

def compiler(options):
    """Compiles C sources with the library to one program."""
    library = options.library or os.path.join(options.build_dir, "libgofer.a")
    command = [*options.cc.split(), "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Wno-infinite-recursion",
               "-I", os.path.join(options.source_dir, "include"), *options.cflags.split()]

    def compile_c(sources, output):
        sources = [sources] if isinstance(sources, str) else sources
        subprocess.run([*command, *sources, library, "-pthread", "-o", output], check=True)

    return compile_c


def sources_in(folder, ending):
    return sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(ending))


def find_go():
    if os.environ.get("GOFER_NO_GO"):
        return None
    usual = "/usr/local/go/bin/go"
    return shutil.which("go") or (usual if os.path.exists(usual) else None)


def build_go(go, folder, output):
    # with cgo, which package net brings, Go reports no deadlocks
    env = dict(os.environ, GOFLAGS="-mod=mod", GOWORK="off", CGO_ENABLED="0")
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


def usual(go, name):
    """What most of several runs give."""
    outcomes = [run([go, name], procs=1) for _ in range(GO_ATTEMPTS)]
    return max(outcomes, key=outcomes.count)


def check_case(name, c, go, recorded):
    """The C program runs once. Go's may run again: where a goroutine prints, another thread may take over at
    that moment, and the order is then another of those that Go allows."""
    ours = run([c, name], procs=1)
    wanted = Outcome(**recorded) if recorded else None
    why = DIFFERS.get(name, ("", {}))
    for attempt in range(GO_ATTEMPTS if go else 0):
        time.sleep(attempt * 0.2)
        theirs = run([go, name], procs=1)._replace(**why[1])
        if ours == theirs:
            break
        if attempt == GO_ATTEMPTS - 1:
            return False, "C against Go: " + difference(ours, theirs)
    if wanted is None:
        return False, "no recorded expectation; run with --record"
    wanted = wanted._replace(**why[1])
    if ours != wanted:
        return False, "C against the record: " + difference(ours, wanted)
    return True, "differs by intention: " + why[0] if why[0] else ""


# Rules without a program, and why.
NO_PROGRAM = [
    ("index out of range panics", "spec: Index expressions",
     "C does not check indexes; `gofer run -asan` finds such accesses"),
    ("conversions and type assertions panic", "spec: Type assertions", "C has neither interfaces nor slices"),
    ("a goroutine's stack grows to 1 GB", "runtime/stack.go newstack",
     "C's frames cannot move: main's stack reserves as much, others what `go_options.stack` says"),
]


def write_doc(path, names, sources, results):
    with open(path, "w", encoding="utf-8") as out:
        out.write("# Conformance\n\nMade by `python3 tests/conformance/run.py --write-doc` from a run of the programs in "
                  "`tests/conformance`,\neach in C and in Go, at one processor.\n\n"
                  "| Go behaviour | Go source of the rule | our test | result |\n|---|---|---|---|\n")
        for name in names:
            ok, detail = results[name]
            result = ("pass" if not detail else detail) if ok else "fail"
            out.write(f"| {name.replace('_', ' ')} | {sources.get(name, '')} | `{name}` | {result} |\n")
        for rule, source, why in NO_PROGRAM:
            out.write(f"| {rule} | {source} | | differs by intention: {why} |\n")


def check_cases(options, report, compile_c, out, go_tool):
    c = os.path.join(out, "cases-c")
    compile_c(sources_in(os.path.join(HERE, "c"), ".c"), c)
    twins = build_twins(go_tool, out) if go_tool else {}
    expectations = os.path.join(HERE, "expected.json")
    recorded = {}
    if os.path.exists(expectations):
        with open(expectations, encoding="utf-8") as file:
            recorded = json.load(file)
    names = sorted(n for n in subprocess.run([c], capture_output=True, text=True, check=True).stdout.split()
                   if options.k in n)
    if options.record:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            chosen = [name for name in sorted(twins) if options.k in name]
            recorded.update(zip(chosen, pool.map(lambda name: usual(twins[name][0], name)._asdict(), chosen)))
        with open(expectations, "w", encoding="utf-8") as file:
            json.dump(dict(sorted(recorded.items())), file, indent=1)
            file.write("\n")
    results = {}

    def check(name):
        return check_case(name, c, twins.get(name, (None, ""))[0], recorded.get(name))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, (ok, detail) in zip(names, pool.map(check, names)):
            results[name] = ok, detail
            report.row(ok, name, detail)
    if options.k in "form":
        dump.test(report, c, os.path.join(out, "cases-go") if go_tool else None)
    if options.write_doc:
        write_doc(os.path.join(options.source_dir, "docs", "conformance.md"), names,
                  {name: source for name, (_, source) in twins.items()}, results)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", required=True)
    parser.add_argument("--source-dir", required=True)
    parser.add_argument("-k", default="", help="only programs whose name contains this")
    parser.add_argument("--record", action="store_true", help="record the expectations from Go")
    parser.add_argument("--write-doc", action="store_true", help="write docs/conformance.md")
    parser.add_argument("--long", action="store_true", help="100 runs of each seed, 1,000 of goexit_usage")
    parser.add_argument("--seeds-only", action="store_true", help="only the seeds' programs, in C")
    parser.add_argument("--library", help="the static library to link instead of the build folder's")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"), help="the C compiler")
    parser.add_argument("--cflags", default="", help="more flags for it, separated by spaces")
    parser.add_argument("--emulator", default="", help="the command that runs a C program, if any")
    parser.add_argument("--quick", action="store_true", help="seeds' programs at one processor, into a pipe")
    parser.add_argument("--repeats", type=int, help="runs of each seed's program, processors and stream apart")
    parser.add_argument("--jobs", type=int, default=256, help="seeds' programs at a time")
    options = parser.parse_args()
    options.build_dir = os.path.abspath(options.build_dir)
    options.source_dir = os.path.abspath(options.source_dir)
    out = os.path.join(options.build_dir, "conformance")
    os.makedirs(out, exist_ok=True)
    compile_c, report = compiler(options), Report()
    go_tool = None if options.seeds_only else find_go()
    if not go_tool:
        print("without Go: compared with the recorded expectations only")
    if not options.seeds_only:
        check_cases(options, report, compile_c, out, go_tool)
    seeds.test(report, compile_c, options, out, go_tool)
    readme.check(report, options.source_dir)
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
