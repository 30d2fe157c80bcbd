#!/usr/bin/env python3
"""Runs the benchmarks in C and, where Go is installed, in Go, interleaved, and prints the ratios.

usage: bench/run.py [--repeats N] [--procs 1,2] [--json FILE] [PATTERN]
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, ".build", "bench")


def build():
    """Returns the commands of the C and the Go programs; None for Go where it is missing."""
    os.makedirs(BUILD, exist_ok=True)
    c = os.path.join(BUILD, "bench-c")
    library = os.path.join(ROOT, ".build", "release", "libgofer.a")
    subprocess.run(
        [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-g", "-I", os.path.join(ROOT, "include"),
         os.path.join(HERE, "bench.c"), library, "-pthread", "-o", c], check=True)
    go = shutil.which("go") or ("/usr/local/go/bin/go" if os.path.exists("/usr/local/go/bin/go") else None)
    if not go:
        return c, None
    program = os.path.join(BUILD, "bench-go")
    subprocess.run([go, "build", "-o", program, os.path.join(HERE, "bench.go")], check=True)
    return c, program


def measure(program, name, procs):
    env = dict(os.environ, GOMAXPROCS=str(procs))
    return float(subprocess.run([program, name], env=env, check=True, capture_output=True).stdout)


def spread(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--procs", default="1,2")
    parser.add_argument("--json")
    parser.add_argument("pattern", nargs="?", default="")
    options = parser.parse_args()
    c, go = build()
    names = [n for n in subprocess.run([c], capture_output=True, text=True).stdout.split()
             if options.pattern in n]
    if not go:
        print("no Go here: no comparison")
    print(f"{'benchmark':20} procs {'gofer ns':>10} {'low':>9} {'high':>9} {'Go ns':>10} {'low':>9} {'high':>9} {'Go/gofer':>9}")
    rows = []
    for procs in (int(p) for p in options.procs.split(",")):
        for name in names:
            ours, theirs = [], []
            for _ in range(options.repeats):
                ours.append(measure(c, name, procs))
                if go:
                    theirs.append(measure(go, name, procs))
            row = {"name": name, "procs": procs, "unit": "ns", "gofer": spread(ours)}
            line = "{:20} {:5} {median:10.1f} {low:9.1f} {high:9.1f}".format(name, procs, **row["gofer"])
            if theirs:
                row["go"] = spread(theirs)
                line += " {median:10.1f} {low:9.1f} {high:9.1f}".format(**row["go"])
                line += f" {row['go']['median'] / row['gofer']['median']:9.2f}"
            print(line, flush=True)
            rows.append(row)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"machine": {"cpus": os.cpu_count(), "arch": platform.machine()}, "rows": rows},
                      out, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
