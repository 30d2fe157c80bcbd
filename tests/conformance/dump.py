"""The form of a crash's report, line by line: what tools that read Go's expect.

A goroutine is a header, pairs of a function's and a place's line, and for all but main where it was
started. The patterns are those by which readers of such reports take them apart.
"""
import re
import subprocess

from outcome import environment

HEADER = re.compile(r"^goroutine (\d+) \[([a-z][^\]]*)\]:$")
FUNCTION = re.compile(r"^(\S+)\((.*)\)$")
PLACE = re.compile(r"^\t(\S.*\.(?:c|go|s)):(\d+)(?: \+0x[0-9a-f]+)?$")
ELIDED = re.compile(r"^\.\.\.\d+ frames elided\.\.\.$")
CREATED = re.compile(r"^created by (\S+) in goroutine (\d+)$")

# What both languages' programs must name, innermost first; ours and Go's have more around it.
NAMES = {"inner", "outer", "worker", "locked", "begin", "fails", "prepare"}
# (goroutine, state, functions, created by), with main's goroutine as 1 and the others as 0
WANTED = {
    "dump_of_a_deadlock": [
        (0, "chan receive, locked to thread", ["inner", "outer", "locked"], "begin in 1"),
        (0, "select", ["worker"], "begin in 1"),
        (1, "chan receive", ["inner", "outer"], None)],
    "dump_of_a_panic": [(1, "running", ["fails", "fails", "fails"], None)],
    "dump_of_a_deep_panic": [(1, "running", ["fails"] * 50 + ["...", "50 more"], None)],
    "dump_of_a_goroutines_panic": [(0, "running", ["fails", "fails"], "prepare in 1")],
}


class FormError(Exception):
    pass


def short(name):
    """main.inner is inner; a method's or a closure's name has no twin."""
    name = name.rpartition(".")[2]
    return name if name in NAMES else None


def read(report):
    """The goroutines of a report, as in WANTED. Raises FormError at the first line that a reader of
    Go's reports would not understand."""
    goroutines = []
    _, _, rest = report.partition("\n\n")
    for block in rest.rstrip("\n").split("\n\n"):
        lines = block.split("\n")
        header = HEADER.match(lines[0])
        if not header:
            raise FormError(f"no header: {lines[0]!r}")
        functions, creator, after_elided = [], None, None
        rest = iter(lines[1:])
        for name_line in rest:
            if ELIDED.match(name_line) and after_elided is None:
                after_elided = 0
                continue
            place_line = next(rest, "")
            created, function = CREATED.match(name_line), FUNCTION.match(name_line)
            if not created and not function:
                raise FormError(f"neither a function nor its creator: {name_line!r}")
            if not PLACE.match(place_line):
                raise FormError(f"no place: {place_line!r}")
            if created:
                creator = f"{short(created.group(1))} in {created.group(2)}"
            elif creator:
                raise FormError(f"after the creator: {name_line!r}")
            elif after_elided is not None: # the outermost of the two languages have no common names
                after_elided += 1
            elif short(function.group(1)):
                functions.append(short(function.group(1)))
        if after_elided is not None:
            functions += ["...", f"{after_elided} more"]
        goroutines.append((int(header.group(1) == "1"), header.group(2), functions, creator))
    return sorted(goroutines, key=lambda g: (g[0], g[1]))


def check(name, program):
    """What is wrong with the report of one program; empty where nothing is."""
    done = subprocess.run([program, name], env=environment(1), capture_output=True, timeout=60, check=False)
    try:
        got = read(done.stderr.decode(errors="replace"))
    except FormError as error:
        return str(error)
    return "" if got == WANTED[name] else f"got {got}, expected {WANTED[name]}"


def test(report, c, go):
    for name in WANTED:
        for kind, program in (("C", c), ("Go", go)):
            if program:
                wrong = check(name, program)
                report.row(not wrong, f"form of {name}, {kind}", wrong)
