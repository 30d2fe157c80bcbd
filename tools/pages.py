#!/usr/bin/env python3
"""Keeps README.md and docs/*.md true to the programs that they show and the names that they use.

usage: pages.py SOURCE          fills the marked blocks from the files
       pages.py SOURCE --check  fails where a block differs from its file, a page uses a name that no
                                header has or links to a page that is not there, or
                                docs/from-go.md lacks a name that a header has

A marked block is a fenced one under `<!-- PATH -->`, which shows the file PATH, or under `<!-- output
of PATH -->`, which shows what it prints. A C program says that itself, in the comment that begins with
`// Output:` and ends the file; a Go program prints the same as its C twin.
"""
import difflib
import pathlib
import re
import sys

import man

BLOCK = re.compile(r"(<!-- (output of )?(\S+) -->\n```\w*\n)(.*?)(^```$)", re.S | re.M)
WRITTEN = ["conformance.md"]  # by another script, and full of names of programs
NAME = re.compile(r"\b(?:go_[a-z]\w*|GO_[A-Z]\w*)\b")


def shown(source, path, output):
    code, _, printed = (source / path).read_text().partition("// Output:\n")
    if not output:
        return code
    return re.sub("^// ?", "", printed, flags=re.M)


def filled(source, text):
    return BLOCK.sub(lambda b: b[1] + shown(source, b[3], b[2]) + b[5], text)


def main():
    source, check = pathlib.Path(sys.argv[1]), sys.argv[2:] == ["--check"]
    known = set(NAME.findall("".join(h.read_text() for h in source.glob("include/**/*.h"))))
    failed = False
    for page in [source / "README.md", *sorted(source.glob("docs/*.md"))]:
        text = page.read_text()
        want = filled(source, text)
        if not check:
            page.write_text(want)
            continue
        for line in difflib.unified_diff(text.splitlines(), want.splitlines(), str(page), "its programs",
                                         lineterm=""):
            print(line)
            failed = True
        used = set(NAME.findall(BLOCK.sub("", text))) if page.name not in WRITTEN else set()
        for name in sorted(used - known):
            print(f"{page}: no header has {name}")
            failed = True
        for here, root in re.findall(r"\]\(([\w-]+\.md)|`(docs/\S+\.md)`", text):
            if not (page.parent / here if here else source / root).exists():
                print(f"{page}: there is no {here or root}")
                failed = True
    if check:
        items, _ = man.read_headers(source / "include")
        public = {name for _, _, names in items for name in names if NAME.match(name)}
        for name in sorted(public - set(NAME.findall((source / "docs/from-go.md").read_text()))):
            print(f"docs/from-go.md: {name} is missing")
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
