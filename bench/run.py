#!/usr/bin/env python3
"""Measures gofer beside Go and other libraries, and writes the page.

usage: ./gofer bench [--repeats N] [--procs 1,2] [--only CONTENDERS] [--merge] [--compare OLD.json] [PATTERN]
       ./gofer bench --pages [--compare OLD.json]
       ./gofer bench --growth [SERIES]
       ./gofer bench --smoke

Rounds of all contenders are interleaved, each run pinned to as many CPUs as it has processors. A fixed piece of
arithmetic is run before each round: where it is slow, something else used the machine, and the round is thrown
away. A row whose rounds differ too much is measured on; where that does not help it is marked as noisy.

Without a pattern the results go to bench/results/latest.json, and the page to docs/benchmarks.md and .html. With
one, or with --only, they go to .build/bench, unless --merge puts the rows among those of latest.json: a whole run can
be made in pieces so. --growth measures how costs grow with numbers of goroutines, channels, timers, …, alone, and puts
that into latest.json; a whole run does it too.
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import platform
import re
import subprocess
import sys

import contenders
import growth
import page
import stats

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
RESULTS = os.path.join(HERE, "results", "latest.json")
SMOKE_PART = 1000  # the part of the operations that a smoke run does
SLOW_CONTROL = 1.10  # against the fastest seen: the round is thrown away
WIDE = 0.15  # the middle half of the rounds, against the median: more rounds, then "noisy"
TIMEOUT = 300  # seconds a run may take
STARTS = 100  # processes a run of `startup` starts


# ---- one run -------------------------------------------------------------------------------------

CPUS = sorted(os.sched_getaffinity(0))
SERVED = set()  # rows whose programs are servers, which load.c measures from CPUs of its own where there are any


def measure(contender, name, procs, part=1):
    program = contender.programs[name]
    count = str(procs)
    env = dict(os.environ, GOMAXPROCS=count, OMP_NUM_THREADS=count, RAYON_NUM_THREADS=count,
               TOKIO_WORKER_THREADS=count)
    command = [program, name, str(part)]
    # The last CPUs, since interrupts mostly go to the first. The child inherits the calling thread's.
    cpus = CPUS[-procs:]
    if name == "startup":
        command = [os.path.join(contenders.BUILD, "launch"), str(max(1, STARTS // part)), *command]
    if name in SERVED:
        command = [os.path.join(contenders.BUILD, "load"), name, str(part), ",".join(map(str, cpus)), program]
    else:
        os.sched_setaffinity(0, cpus)
    try:
        return float(contenders.output(command, env=env, timeout=TIMEOUT))
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench: {contender.title}: {name} failed with {error.returncode}: {error.stderr[-2000:]}")
    except subprocess.TimeoutExpired:
        sys.exit(f"bench: {contender.title}: {name} did not end in {TIMEOUT} s")
    finally:
        os.sched_setaffinity(0, CPUS)


def build_helpers():
    """What starts the programs of some rows, for every contender the same: launch, and load with its rows."""
    for name in ("launch", "load"):
        path = os.path.join(contenders.BUILD, name)
        subprocess.run([*contenders.compiler(), "-std=gnu11", "-O2", "-Wall", "-Wextra",
                        os.path.join(HERE, name + ".c"), "-o", path], check=True)
    SERVED.update(contenders.output([path]).split())


# ---- a row ---------------------------------------------------------------------------------------

class Bench:
    """The contenders, and how fast the machine's control was at its best."""

    def __init__(self, found, repeats):
        self.found, self.repeats = found, repeats
        self.gofer = found[0]
        self.best_control = {}  # procs: ns
        self.thrown_away = 0

    def disturbed(self, procs):
        control = measure(self.gofer, "control", procs)
        best = self.best_control[procs] = min(control, self.best_control.get(procs, control))
        return control > SLOW_CONTROL * best

    def rounds(self, name, procs, samples, count):
        """Adds so many rounds to the samples; returns whether the machine was quiet enough for it."""
        left = 2 * count
        while count:
            order = list(samples)
            order = order[left % len(order):] + order[:left % len(order)]
            noisy = self.disturbed(procs)
            figures = {contender: measure(contender, name, procs) for contender in order}
            if noisy and left > count:
                self.thrown_away += 1
            else:
                for contender, figure in figures.items():
                    samples[contender].append(figure)
                count -= 1
            left -= 1
        return left > 0

    def row(self, name, unit, procs):
        samples = {c: [] for c in self.found if name in c.programs and (procs == 1 or c.threads)}
        quiet = self.rounds(name, procs, samples, self.repeats)
        if quiet and any(stats.width(values) > WIDE for values in samples.values()):
            quiet = self.rounds(name, procs, samples, self.repeats)  # where others disturb each, more do not help
        ours = samples[self.gofer]
        row = {"name": name, "procs": procs, "unit": unit, "rounds": len(ours),
               "noisy": not quiet or any(stats.width(values) > WIDE for values in samples.values())}
        for contender, values in samples.items():
            row[contender.name] = stats.spread(values)
            if contender is not self.gofer:
                row[contender.name].update(stats.ratio(values, ours))
        return row


HEADING = f"{'benchmark':30} procs {'gofer':>12}   others: time, and how many times ours (95 % interval)"


def line(row):
    text = f"{row['name']:30} {row['procs']:5} {page.figure(row['gofer']['median'], row['unit']):>12}  "
    for name, values in row.items():
        if isinstance(values, dict) and "ratio" in values:
            text += (f" {name} {page.figure(values['median'], row['unit'])} {values['ratio']:.2f}x "
                     f"({values['ratio_low']:.2f}-{values['ratio_high']:.2f});")
    return text + (" NOISY" if row["noisy"] else "")


def add_geomean(rows):
    for procs in sorted({row["procs"] for row in rows}):
        both = [r for r in rows if r["name"].startswith("go/") and r["procs"] == procs and "go" in r]
        if both:
            rows.append(stats.geomean_row(page.GEOMEAN, procs, both))


# ---- the machine, and the files -------------------------------------------------------------------

def machine(found):
    model = "?"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for text in info:
            if text.startswith(("model name", "Model")):
                model = text.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": model, "cpus": len(CPUS), "arch": platform.machine(),
            "memory_gib": round(memory), "kernel": f"{platform.system()} {platform.release()}",
            "libc": " ".join(platform.libc_ver()), "compiler": contenders.first_line([*contenders.compiler(), "--version"]),
            "date": datetime.date.today().isoformat(),
            "versions": {c.name: c.version() for c in found}}


def listing(gofer):
    """The rows as gofer's program lists them: group, name, unit, what."""
    text = contenders.output([gofer.programs["control"]])
    return [dict(zip(("group", "name", "unit", "what"), fields.split("\t"))) for fields in text.splitlines()]


def read(path):
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(path + ".new", path)


def write_results(path, results):
    rows, titles = (",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in results[key])
                    for key in ("rows", "groups"))
    head = json.dumps(results["machine"], ensure_ascii=False, indent=1)
    series = ",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in results.get("growth", []))
    write(path, f'{{"machine": {head},\n"rows": [\n{rows}\n],\n"groups": [\n{titles}\n],\n"growth": [\n{series}\n]}}\n')


def write_pages(results, folder):
    write(os.path.join(folder, "benchmarks.md"), page.markdown(results))
    write(os.path.join(folder, "benchmarks.html"), page.html(results))


def groups(rows):
    """What the page needs of the listing: titles, and what each row is."""
    by_title = {}
    for row in rows:
        if row["group"] != "Control":
            by_title.setdefault(row["group"], []).append({"name": row["name"], "what": row["what"]})
    return [{"title": title, "rows": entries} for title, entries in by_title.items()]


def same_machine(old, new):
    return all(old[key] == new[key] for key in ("cpu", "cpus", "kernel"))


def merge(old, new, found):
    """The new rows, and those of the old that were not measured anew, as far as they and their contenders still
    exist."""
    if not same_machine(old["machine"], new["machine"]):
        sys.exit(f"bench: --merge: {os.path.relpath(RESULTS, ROOT)} was measured on another machine")
    known = {c.name for c in contenders.everyone()}
    exist = {entry["name"] for group in new["groups"] for entry in group["rows"]}
    new["machine"]["versions"] = {**{name: version for name, version in old["machine"]["versions"].items()
                                     if name in known}, **new["machine"]["versions"]}
    new["machine"]["rounds_thrown_away"] += old["machine"]["rounds_thrown_away"]
    measured = {(row["name"], row["procs"]) for row in new["rows"]}
    # a contender that is there now and has no such row had one once
    gone = {name: {c.name for c in found if name not in c.programs} for name in exist}
    kept = [{key: value for key, value in row.items()
             if not isinstance(value, dict) or (key in known and key not in gone[row["name"]])}
            for row in old["rows"] if row["name"] in exist and (row["name"], row["procs"]) not in measured]
    new["rows"] = sorted([row for row in new["rows"] if row["name"] != page.GEOMEAN] + kept, key=lambda row: row["procs"])
    add_geomean(new["rows"])
    new["growth"] = growth.merge(old.get("growth", []), new.get("growth", []))
    return new


def compare(old, new):
    """Prints what got slower: our medians differ by 5 % at least and the two spreads do not meet."""
    before = {(row["name"], row["procs"]): row for row in old["rows"]}
    slower = 0
    for row in new["rows"]:
        was = before.get((row["name"], row["procs"]))
        if not was:
            continue
        ratio = row["gofer"]["median"] / was["gofer"]["median"]
        if ratio > 1.05 and row["gofer"]["low"] > was["gofer"]["high"]:
            slower += 1
            print(f"slower: {row['name']}, {page.processors(row['procs'])}: {page.figure(was['gofer']['median'], row['unit'])} "
                  f"-> {page.figure(row['gofer']['median'], row['unit'])} ({ratio:.2f}x)")
    if old["machine"]["cpu"] != new["machine"]["cpu"]:
        print("the two were measured on different machines")
    print(f"{slower} rows are slower than before")
    return slower


# ---- smoke ---------------------------------------------------------------------------------------

def smoke(found, rows, library):
    """Runs every program of every contender once, with few operations. Fails where one fails, prints no number,
    or where Go's rows and ours are not the same."""
    ours = {row["name"] for row in rows}
    for contender in found[1:]:
        strange = set(contender.programs) - ours
        if strange:
            sys.exit(f"bench: {contender.title} has rows that gofer has not: {', '.join(sorted(strange))}")
        missing = ours - set(contender.programs) - {"control"}
        if contender.name == "go" and missing:
            sys.exit(f"bench: Go has not: {', '.join(sorted(missing))}")
    jobs = [(contender, name) for contender in found for name in contender.programs]
    with concurrent.futures.ThreadPoolExecutor(len(CPUS)) as pool:
        figures = list(pool.map(lambda job: measure(*job, len(CPUS), SMOKE_PART), jobs))
    programs = growth.build(library, any(c.name == "go" for c in found))
    series = [entry["name"] for entry in growth.listing(programs["gofer"])]
    if "go" in programs and contenders.output([programs["go"]]).split() != series:
        sys.exit("bench: growth.go has not growth.c's series")
    for entry in growth.measure(programs, "", lambda text: None, repeats=1, sizes=1):
        if len(entry["points"][0]) != 1 + len(programs):
            sys.exit(f"bench: growth: {entry['name']} gave nothing")
    for (contender, name), figure in zip(jobs, figures):
        if not 0 <= figure < float("inf"):
            sys.exit(f"bench: {contender.title}: {name} gave {figure}")
    print(f"ok: {len(jobs)} programs of {', '.join(c.title for c in found)}")


def main():
    parser = argparse.ArgumentParser(prog="./gofer bench", description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, help="rounds of each row (default 7)")
    parser.add_argument("--procs", default=",".join(map(str, sorted({1, len(CPUS)}))), help="default: one, and all")
    parser.add_argument("--only", help="gofer and these contenders alone: go,libdill,…")
    parser.add_argument("--merge", action="store_true", help="put the rows among those of bench/results/latest.json")
    parser.add_argument("--compare", metavar="OLD.json", help="say what got slower since then; 1 if anything did")
    parser.add_argument("--pages", action="store_true", help="measure nothing: make the pages anew")
    parser.add_argument("--growth", action="store_true", help="measure how costs grow, alone")
    parser.add_argument("--smoke", action="store_true", help="run every program once with few operations")
    parser.add_argument("--library", default=os.path.join(ROOT, ".build", "release", "libgofer.a"), help=argparse.SUPPRESS)
    parser.add_argument("pattern", nargs="?", default="", help="of the rows' names, as a regular expression")
    options = parser.parse_args()
    if options.merge and options.only:
        parser.error("--merge takes no --only: the rows would lose the other contenders")
    old = read(options.compare) if options.compare else None
    if options.pages:
        results = read(RESULTS)
        write_pages(results, os.path.join(ROOT, "docs"))
        return 1 if old and compare(old, results) else 0

    found = contenders.all_there(options.library, options.only and options.only.split(","),
                                 lambda text: print("bench:", text, file=sys.stderr))
    build_helpers()
    rows = listing(found[0])
    if options.smoke:
        smoke(found, rows, options.library)
        return 0

    programs = growth.build(options.library, any(c.name == "go" for c in found))
    if options.growth:
        series = growth.measure(programs, options.pattern, lambda text: print(text, flush=True))
        results = read(RESULTS) if os.path.exists(RESULTS) else {"machine": machine(found), "rows": [], "groups": groups(rows)}
        if not same_machine(results["machine"], machine(found)):
            sys.exit(f"bench: --growth: {os.path.relpath(RESULTS, ROOT)} was measured on another machine")
        results["growth"] = growth.merge(results.get("growth", []), series)
        write_results(RESULTS, results)
        write_pages(results, os.path.join(ROOT, "docs"))
        return 0

    bench = Bench(found, options.repeats)
    whole = not options.pattern and not options.only
    results = {"machine": machine(found), "groups": groups(rows), "rows": []}
    print(HEADING)
    for procs in map(int, options.procs.split(",")):
        for entry in rows:
            if entry["name"] != "control" and re.search(options.pattern, entry["name"]):
                row = bench.row(entry["name"], entry["unit"], procs)
                results["rows"].append(row)
                print(line(row), flush=True)
    add_geomean(results["rows"])
    for row in results["rows"]:
        if row["name"] == page.GEOMEAN:
            print(line(row))
    noisy = sum(row["noisy"] for row in results["rows"])
    results["machine"]["rounds_thrown_away"] = bench.thrown_away
    print(f"{bench.thrown_away} rounds were thrown away, since the machine was disturbed; {noisy} rows stayed noisy")

    folder = os.path.join(ROOT, "docs")
    path = RESULTS
    if whole:
        results["growth"] = growth.measure(programs, "", lambda text: print(text, flush=True))
    if not whole and options.merge:
        if os.path.exists(RESULTS):
            results = merge(read(RESULTS), results, found)
    elif not whole:
        folder = contenders.BUILD
        path = os.path.join(folder, "latest.json")
    write_results(path, results)
    write_pages(results, folder)
    print(f"written: {os.path.relpath(path, ROOT)}, {os.path.relpath(folder, ROOT)}/benchmarks.md and .html")
    return 1 if old and compare(old, results) else 0


if __name__ == "__main__":
    sys.exit(main())
