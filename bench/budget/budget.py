#!/usr/bin/env python3
"""Counts the instructions of the hot paths, those of them that lock a line, and system calls, and
compares them with the ceilings in ceilings.json. Another compiler's counts are only shown (status 77).

usage: bench/budget/budget.py [--build-dir DIR] [--write]

--write   makes the counts the ceilings: part of a commit that lowers one, or says why one grows
"""
import argparse
import glob
import json
import os
import platform
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROUNDS = 1000
CEILINGS = os.path.join(HERE, "ceilings.json")
# Of a path's rounds, how many of the thing it measures are in one.
IN_A_ROUND = {"yield": 2, "hop": 2, "panic_recover": 0.1}
SLACK = 1.02  # compilers of one series differ by a little


def build(library, folder):
    program = os.path.join(folder, "paths")
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-g", "-static", "-no-pie",
                    "-I", os.path.join(ROOT, "include"), os.path.join(HERE, "paths.c"), library,
                    "-pthread", "-o", program], check=True)
    return program


def special_instructions(program):
    """Addresses of instructions that lock a line, and of system calls."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], check=True,
                          capture_output=True, text=True).stdout
    locked, calls = set(), set()
    for address, rest in re.findall(r"^\s*([0-9a-f]+):\s+(.*)$", text, re.M):
        if rest.startswith("lock ") or re.match(r"xchg\s+.*\(", rest):
            locked.add(int(address, 16))
        elif rest.startswith("syscall"):
            calls.add(int(address, 16))
    return locked, calls


def counts_of(profile, locked, calls):
    """Sums over one dump of the first thread. Lines: 0xADDRESS LINE COUNT; a call's cost, which the
    callee has too, stands behind a line `calls=`."""
    total, at = [0, 0, 0], iter(open(profile, encoding="utf-8"))
    for line in at:
        if line.startswith("calls="):
            next(at)
            continue
        match = re.match(r"(0x[0-9a-f]+) \d+ (\d+)$", line)
        if match:
            address, count = int(match[1], 16), int(match[2])
            total[0] += count
            total[1] += count if address in locked else 0
            total[2] += count if address in calls else 0
    return total


def measure(library):
    with tempfile.TemporaryDirectory() as folder:
        program = build(library, folder)
        locked, calls = special_instructions(program)
        out = os.path.join(folder, "out")
        subprocess.run(["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-pos=no",
                        "--compress-strings=no", "--separate-threads=yes", "--fair-sched=yes",
                        f"--callgrind-out-file={out}", program, str(ROUNDS)],
                       check=True, capture_output=True,
                       env=dict(os.environ, GOMAXPROCS="1"))
        result = {}
        for profile in glob.glob(out + ".*-01"):
            text = open(profile, encoding="utf-8").read(4000)
            name = re.search(r"^desc: Trigger: Client Request: (\w+)$", text, re.M)
            if name:
                rounds = ROUNDS * IN_A_ROUND.get(name[1], 1)
                result[name[1]] = [round(c / rounds, 1) for c in counts_of(profile, locked, calls)]
        return result


def compiler():
    return subprocess.run([os.environ.get("CC", "cc"), "--version"], check=True, capture_output=True,
                          text=True).stdout.splitlines()[0] + ", " + platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", default=os.path.join(ROOT, ".build", "release"))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    got = measure(os.path.join(options.build_dir, "libgofer.a"))
    if options.write:
        with open(CEILINGS, "w", encoding="utf-8") as file:
            json.dump({"compiler": compiler(), "paths": dict(sorted(got.items()))}, file, indent=1)
            file.write("\n")
    recorded = json.load(open(CEILINGS, encoding="utf-8"))
    ceilings = recorded["paths"]
    failed = set(ceilings) ^ set(got)
    for name in sorted(failed):
        print(f"{name}: {'not measured' if name in ceilings else 'has no ceiling: --write'}")
    print(f"{'path':24} {'instructions':>12} {'ceiling':>9} {'locked':>8} {'ceiling':>9} {'syscalls':>8} {'ceiling':>9}")
    for name in sorted(set(got) & set(ceilings)):
        over = any(g > c * SLACK + 0.05 for g, c in zip(got[name], ceilings[name]))
        pairs = " ".join(f"{g:>{w}} {c:>9}" for g, c, w in zip(got[name], ceilings[name], (12, 8, 8)))
        print(f"{name:24} {pairs}{'   OVER' if over else ''}")
        if over:
            failed.add(name)
    if recorded["compiler"] != compiler():
        print(f"not compared: the ceilings are of {recorded['compiler']}, these counts of {compiler()}")
        sys.exit(77)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
