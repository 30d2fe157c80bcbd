#!/usr/bin/env python3
"""Writes the whole library as three files: gofer.h, gofer.c and gofer.S (the context switches).

usage: amalgamate.py SOURCE OUT

A project adds them and compiles: cc main.c gofer.c gofer.S -pthread. gofer.c holds the main of
programs that have a go_main, as a weak symbol: a program's own main comes before it.
-DGOFER_NO_MAIN leaves it out, where LTO compares the two or a weak symbol does no good.
Compile it with -fvisibility=hidden where it goes into a shared library. Traces name functions by
the dynamic symbol table alone, and without lines: docs/debugging.md. It is no base for ThreadSanitizer
(which must not look into parts of the library): use the library for that.

Headers are put in where they are first included. A static name or macro that several files use is
given the file's name in each of them. Functions are put into a section, by which traces leave them
out; in the library it is by their files, which libbacktrace tells.
"""
import collections
import pathlib
import re
import sys

INCLUDE = re.compile(r'^#\s*include\s+(?:"([^"]+)"|<(gofer[^>]*)>)[^\n]*$', re.M)
STATIC = re.compile(r"^(?:gofer_\w+ )*static (?:[\w*]+ )*[ *]*(\w+)(?:\(|\[| =|;)", re.M)
MACRO = re.compile(r"^#\s*define (\w+)", re.M)
FUNCTION = re.compile(r"^(?=[A-Za-z_])(?=(?:[^\n;{}=#]|\n[ \t])*\)(?: /\*.*\*/)?\n\{)", re.M)

START = """#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

/* All functions lie in one section, by which traces tell them from the program's. */
#define GOFER_OWN_SECTION 1
#ifdef __clang__
#define GOFER_OWN
#pragma clang section text = "gofer_text"
#else
#define GOFER_OWN __attribute__((section("gofer_text")))
#endif
#include "gofer.h"
"""
END = """
#ifdef __clang__
#pragma clang section text = ""
#endif
"""
ASSEMBLED = "    .text\n", '    .section gofer_text, "ax", %progbits\n'

WEAK = """
#ifndef GOFER_NO_MAIN
#pragma weak main /* a program's own is taken instead, which need have no go_main */
#pragma weak go_main
"""


def find(source, name):
    for folder in ("include", "src"):
        path = source / folder / name
        if path.exists():
            return path
    sys.exit("amalgamate: no header %s" % name)


def expand(source, text, seen):
    """text with the headers of ours put in, each once."""
    def put_in(match):
        path = find(source, match.group(1) or match.group(2))
        if path in seen:
            return ""
        seen.add(path)
        return expand(source, path.read_text(), seen).rstrip("\n")
    return INCLUDE.sub(put_in, text)


def rename(text, names, suffix):
    """Each of names, where it is not a member of something, gets the suffix."""
    if not names:
        return text
    pattern = re.compile(r"(?<![\w.\"])(?<!->)(%s)\b(?!\.[ch]\b)" % "|".join(sorted(names)))
    return pattern.sub(lambda match: match.group(1) + suffix, text)


def main():
    source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    version = re.search(r'GOFER_VERSION "(.*)"', (source / "include/gofer/base.h").read_text()).group(1)
    note = ("/* gofer %s in one file, made by tools/amalgamate.py of its repository.\n"
            " * SPDX-License-Identifier: MIT */\n" % version)

    header = (source / "include/gofer.h").read_text()
    (out / "gofer.h").write_text(note + expand(source, header, set()))

    files = sorted((path for path in (source / "src").rglob("*.c") if path.parent.name not in ("tls", "hook")),
                   key=lambda path: (path.name == "main.c", path))
    uses = collections.Counter()
    for path in files:
        text = path.read_text()
        uses.update(set(STATIC.findall(text)) | set(MACRO.findall(text)))
    shared = {name for name, count in uses.items() if count > 1}

    parts = [note, START]
    seen = set((source / "include").rglob("*.h"))
    for path in files:
        text = path.read_text()
        mine = shared & (set(STATIC.findall(text)) | set(MACRO.findall(text)))
        text = rename(text, mine, "_" + path.stem)
        text = FUNCTION.sub("GOFER_OWN ", expand(source, text, seen))
        text = "\n/* ---- %s */\n" % path.relative_to(source) + text
        if path.name == "main.c":
            text = WEAK + "%s\n#endif\n" % text.rstrip("\n")
        parts.append(text.replace("#undef errno\n", ""))
    (out / "gofer.c").write_text("".join(parts) + END)

    switches = [note]
    for path in sorted((source / "src/arch").glob("switch_*.S")):
        cpu = path.stem[len("switch_"):]
        text = path.read_text().replace(*ASSEMBLED)
        switches.append("\n#ifdef __%s__\n%s#endif\n" % (cpu, text))
    (out / "gofer.S").write_text("".join(switches))


main()
