"""How costs grow with what there is: growth/growth.c and its twin in Go, each series at each of its sizes."""
import os
import re
import resource
import statistics
import subprocess

import contenders

REPEATS = 3
TIMEOUT = 60  # seconds a run may take; a point that takes longer is left out
FOLDER = os.path.join(contenders.HERE, "growth")


def build(library, with_go):
    """contender: its program."""
    programs = {"gofer": os.path.join(contenders.BUILD, "growth")}
    subprocess.run([*contenders.compiler(), "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror",
                    "-Wno-missing-field-initializers", "-I", os.path.join(contenders.ROOT, "include"),
                    os.path.join(FOLDER, "growth.c"), library, "-pthread", "-o", programs["gofer"]], check=True)
    if with_go:
        programs["go"] = os.path.join(contenders.BUILD, "growth-go")
        subprocess.run([contenders.find_go(), "build", "-o", programs["go"], "growth.go"], cwd=FOLDER,
                       env=dict(os.environ, GO111MODULE="off", GOWORK="off"), check=True)
    return programs


def listing(program):
    keys = ("name", "unit", "axis", "sizes", "what")
    series = [dict(zip(keys, line.split("\t"))) for line in contenders.output([program]).splitlines()]
    for entry in series:
        entry["sizes"] = [int(size) for size in entry["sizes"].split()]
        if entry["name"] == "connections":
            entry["sizes"] = within_limits(entry["sizes"], resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    return series


def within_limits(sizes, descriptors):
    """Two descriptors a connection, and some for the rest; the last size is made to fit."""
    most = (descriptors - 100) // 2 if descriptors != resource.RLIM_INFINITY else sizes[-1]
    return [size for size in sizes if size < most] + [most] * (sizes[-1] > most)


def point(program, name, size):
    try:
        return float(contenders.output([program, name, str(size)], timeout=TIMEOUT))
    except subprocess.TimeoutExpired:
        return None


def measure(programs, pattern, say, repeats=REPEATS, sizes=None):
    """The series whose names match, as they stand under "growth" in the results."""
    measured = []
    for entry in listing(programs["gofer"]):
        if not re.search(pattern, entry["name"]):
            continue
        points = []
        for size in entry.pop("sizes")[:sizes]:
            figures = {contender: [] for contender in programs}
            for _ in range(repeats):
                for contender, program in programs.items():
                    figure = point(program, entry["name"], size)
                    if figure is not None:
                        figures[contender].append(figure)
            points.append({"size": size, **{
                contender: {"median": statistics.median(values), "low": min(values), "high": max(values)}
                for contender, values in figures.items() if values}})
            say(f"{entry['name']:12} {size:8}  " + "  ".join(
                f"{contender} {statistics.median(values):.1f} ns" for contender, values in figures.items() if values))
        measured.append({**entry, "points": points})
    return measured


def merge(old, new):
    """The new series in the place of the old of the same name; those of the old that were not measured stay."""
    names = {entry["name"]: entry for entry in new}
    kept = [names.pop(entry["name"], entry) for entry in old]
    return kept + list(names.values())
