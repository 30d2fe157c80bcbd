#!/usr/bin/env python3
"""Writes examples/seeds/README.md from the programs and from what seeds.py says they print; the
conformance run checks that it is as this would write it."""
import os
import re

import seeds

HERE = os.path.dirname(os.path.abspath(__file__))
ORDER = ["nothing", "synchronous", "synchronous_short", "serve", "waitgroup", "waitgroup_delta", "channels",
         "channels_count", "goexit", "goexit_panic", "goexit_usage", "goexit_others", "goexit_recover", "goexit_main",
         "goexit_graceful", "goexit_error"]

HEAD = """\
Ways to wait for goroutines, and Goexit: each as Go and as C

Run one with `./gofer run examples/seeds/NAME.c`. At one processor (`GOMAXPROCS=1`) the lines come in the order shown, every
time; with more, lines of one moment may change places. After a fatal text comes a trace, left out here. Go's own `go run`
would add `exit status 2` and exit 1; `gofer run` passes the program's 2 through.

Made by `python3 tests/conformance/readme.py` from the programs here and in `tests/conformance/seeds`, which the conformance
tests compare.

| program | shows | exit status |
|---|---|---|
"""

IDIOMS = """
| Go | C |
|---|---|
| `func main()` | `int go_main(int argc, char **argv)` |
| `go run(1, "A")` | `go(run, 1, "A");` |
| `time.Sleep(time.Second)` | `go_sleep(GO_SECOND);` |
| `var wg sync.WaitGroup` | `go_waitgroup wg = { 0 };` |
| `wg.Add(2)`, `wg.Wait()` | `go_waitgroup_add(&wg, 2);`, `go_waitgroup_wait(&wg);` |
| `defer wg.Done()` | `go_defer(go_waitgroup_done, &wg);` |
| `make(chan struct{}, 2)` | `go_chan_make(go_unit, 2)` |
| `defer func() { done <- struct{}{} }()` | `go_defer(go_signal, done);` |
| `<-done` | `go_recv(done);` |
| `runtime.Goexit()` | `go_goexit();` |
| `runtime.Gosched()` | `go_gosched();` |
| `panic("…")`, `recover()` | `go_panic("…");`, `go_recover()` |

Where Go has a function literal, C has a function: `run` itself stays as it is in every file, and the synchronisation stays in
main's.
"""


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def comment_of(source):
    """What the program's first comment says, on one line."""
    text = re.match(r"/\*(.*?)\*/", source, re.DOTALL).group(1)
    return " ".join(re.sub(r"^ \* ?", "", line).strip() for line in text.splitlines()).strip()


def sessions(name):
    """The command, its output and its exit status, for each argument."""
    if name == "serve":
        yield f"$ ./gofer run examples/seeds/{name}.c\nserving\nserving\n^Cbye\n<exit status 0>\n"
    for seed in seeds.SEEDS:
        if seed.name == name:
            argument = f" {seed.argument}" if seed.argument else ""
            wanted = seeds.documents(seed)
            fatal = "".join(line + "\n" for line in wanted.fatal)
            yield (f"$ ./gofer run examples/seeds/{name}.c{argument}\n{wanted.stdout}{fatal}"
                   f"<exit status {wanted.status}>\n")


def statuses(name):
    found = [str(seed.status) for seed in seeds.SEEDS if seed.name == name] or ["0"]
    return " or ".join(sorted(set(found)))


def text(source_dir):
    folder = os.path.join(source_dir, "examples", "seeds")
    sources = {name: (read(HERE, "seeds", name + ".go"), read(folder, name + ".c")) for name in ORDER}
    rows = "".join(f"| [`{name}.c`](#{name}c) | {comment_of(sources[name][1]).split('. ')[0].rstrip('.')} | "
                   f"{statuses(name)} |\n" for name in ORDER)
    parts = [HEAD, rows, IDIOMS]
    for name in ORDER:
        go, c = sources[name]
        parts.append(f"\n## {name}.c\n\n{comment_of(c)}\n\n```console\n" + "\n".join(sessions(name)) + "```\n\n"
                     "<table><tr><th>Go</th><th>C</th></tr><tr valign=\"top\"><td>\n\n"
                     f"```go\n{go}```\n\n</td><td>\n\n```c\n{c}```\n\n</td></tr></table>\n")
    return "".join(parts)


def check(report, source_dir):
    """Every program is in it, and it is current."""
    report.row(sorted(ORDER) == seeds.NAMES, "examples/seeds/README.md has every program")
    report.row(read(source_dir, "examples", "seeds", "README.md") == text(source_dir),
               "examples/seeds/README.md is current", "made by tests/conformance/readme.py")


if __name__ == "__main__":
    ROOT = os.path.dirname(os.path.dirname(HERE))
    with open(os.path.join(ROOT, "examples", "seeds", "README.md"), "w", encoding="utf-8") as out:
        out.write(text(ROOT))
