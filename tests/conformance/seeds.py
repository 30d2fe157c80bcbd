"""The programs of the seeds: each as C (examples/seeds) and as Go (seeds/ beside this file).

The table holds what the documents say they do, moment by moment: what falls on one moment has no
order in Go, and the documents show one that it may have. The C programs at one processor must give
exactly that order, every time; at more, and in Go, any order within a moment will do.
"""
import collections
import concurrent.futures
import os
import re
import signal
import subprocess

from outcome import Outcome, difference, environment, run, run_into

HERE = os.path.dirname(os.path.abspath(__file__))
STREAMS = ("pipe", "file", "pty", "2>&1")

# A line that the end of the program may cut off, and whether the documents' order has it.
Edge = collections.namedtuple("Edge", "text shown")
Seed = collections.namedtuple("Seed", "name argument moments status fatal goroutines")

ALL_ASLEEP = ["fatal error: all goroutines are asleep - deadlock!"]
NO_GOROUTINES = ["fatal error: no goroutines (main called runtime.Goexit) - deadlock!"]
# Go prints no trace of a main that has ended; ours is the one kept from its Goexit.
MAIN_EXITED = ["main [exited]"]
A_AND_B = [["B", "A"], ["B"], ["B"], ["B"], ["B"]]
A_ENDS_IT = [[Edge("B", True), "A"]]
USAGE = [[Edge("About to exit goroutine", True)], [Edge("Deferred function in goroutine", True)]]

SEEDS = [
    Seed("nothing", None, [], 0, [], []),
    Seed("synchronous", None, A_AND_B, 0, [], []),
    Seed("synchronous_short", None, [["B", Edge("A", False)]], 0, [], []),
    Seed("waitgroup", None, A_AND_B, 0, [], []),
    Seed("waitgroup_delta", "large", A_AND_B, 2, ALL_ASLEEP, ["main [sync.WaitGroup.Wait]"]),
    Seed("waitgroup_delta", "small", A_ENDS_IT, 0, [], []),
    Seed("waitgroup_delta", "negative", [["B", "A"], *[["B", "main"]] * 3, ["B", Edge("main", False)]], 2,
         ["panic: sync: negative WaitGroup counter"], ["other [running]"]),
    Seed("channels", None, A_AND_B, 0, [], []),
    Seed("channels_count", "many", A_AND_B, 2, ALL_ASLEEP, ["main [chan receive]"]),
    Seed("channels_count", "few", A_ENDS_IT, 0, [], []),
    Seed("goexit", None, A_AND_B, 2, NO_GOROUTINES, MAIN_EXITED),
    Seed("goexit_panic", None, A_ENDS_IT, 2, ["panic: something went wrong"], ["other [running]"]),
    Seed("goexit_usage", None, USAGE, 0, [], []),
    Seed("goexit_recover", None, [["recovered: nil"], ["the goroutine has ended"]], 0, [], []),
    Seed("goexit_main", None, [["main's deferred call", *(f"other goroutine: {i}" for i in (1, 2, 3))]], 2,
         NO_GOROUTINES, MAIN_EXITED),
    Seed("goexit_graceful", None, [["step 1"], ["step 2"], ["nothing left to do"], ["resources released"], ["done"]],
         0, [], []),
    Seed("goexit_others", None, [[f"worker {number} round {round_}" for number, round_ in
                                  ((3, 1), (1, 1), (2, 1), (3, 2), (1, 2))]], 0, [], []),
    Seed("goexit_error", None, [["worked on 7"], ["error: negative input"]], 0, [], []),
]
NAMES = sorted({seed.name for seed in SEEDS} | {"serve"})


def text_of(line):
    return line.text if isinstance(line, Edge) else line


def documents(seed):
    """The outcome that the documents show."""
    lines = [text_of(line) for moment in seed.moments for line in moment
             if not isinstance(line, Edge) or line.shown]
    return Outcome("".join(line + "\n" for line in lines), seed.status, seed.fatal, seed.goroutines)


def fits(seed, stdout):
    """Whether the lines are right but for the order within each moment."""
    lines = stdout.splitlines()
    for moment in seed.moments:
        left = list(moment)
        while lines and lines[0] in map(text_of, left):
            left.pop(list(map(text_of, left)).index(lines.pop(0)))
        if any(not isinstance(line, Edge) for line in left):
            return False
    return not lines


def check(seed, got, exactly, is_go=False):
    """What is wrong with an outcome; empty where nothing is."""
    wanted = documents(seed)
    if is_go and seed.goroutines == MAIN_EXITED:
        wanted = wanted._replace(goroutines=[])
    if not exactly:  # where both streams are one, a line of the last moment may come behind the fatal text
        edges = {line.text for moment in seed.moments for line in moment if isinstance(line, Edge)}
        got = got._replace(fatal=[line for line in got.fatal if line not in edges])
    if not exactly and fits(seed, got.stdout):
        wanted = wanted._replace(stdout=got.stdout)
    return difference(got, wanted)


# ---- building ---------------------------------------------------------------------------------

def build_c(compile_c, source_dir, out):
    """All programs of examples/seeds, by name. compile_c(source, output) compiles one."""
    programs = {name: os.path.join(out, "seed-" + name) for name in NAMES}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: compile_c(os.path.join(source_dir, "examples", "seeds", name + ".c"),
                                             programs[name]), NAMES))
    return programs


def build_go(go, out):
    """All of seeds/*.go as one binary: each a package of its own, whose main the binary's main calls, so
    that it runs on main's goroutine. Returns each one's command."""
    folder, binary = os.path.join(out, "seeds-go"), os.path.join(out, "seeds-go", "seeds")
    imports, entries = [], []
    for name in NAMES:
        with open(os.path.join(HERE, "seeds", name + ".go"), encoding="utf-8") as file:
            source = file.read()
        source = source.replace("package main\n", f"package {name}\n", 1).replace("func main()", "func Main()", 1)
        write_if_new(os.path.join(folder, name, name + ".go"), source)
        imports.append(f'\t"seeds/{name}"\n')
        entries.append(f'\t\t"{name}": {name}.Main,\n')
    write_if_new(os.path.join(folder, "go.mod"), "module seeds\n\ngo 1.23\n")
    write_if_new(os.path.join(folder, "main.go"),
                 'package main\n\nimport (\n\t"os"\n' + "".join(imports) + ")\n\nfunc main() {\n"
                 "\tname := os.Args[1]\n\tos.Args = os.Args[1:]\n\tmap[string]func(){\n" + "".join(entries) +
                 "\t}[name]()\n}\n")
    subprocess.run([go, "build", "-o", binary, "."], cwd=folder, env=dict(os.environ, GOFLAGS="-mod=mod", GOWORK="off"),
                   check=True)
    return {name: [binary, name] for name in NAMES}


def write_if_new(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# ---- running ----------------------------------------------------------------------------------

def run_all(report, programs, go_programs, options):
    """Every program at one processor and at the default, many at a time: they only sleep."""
    Run = collections.namedtuple("Run", "seed procs stream is_go")
    runs, repeats = [], options.repeats or (100 if options.long else 10)
    for seed in SEEDS:
        if options.k not in seed.name:
            continue
        for procs in (1,) if options.quick else (1, None):
            streams = () if options.quick else STREAMS
            runs += [Run(seed, procs, "pipe", False)] * repeats
            runs += [Run(seed, procs, stream, False) for stream in streams]
            runs += [Run(seed, procs, stream, True) for stream in streams if go_programs]

    def one(item):
        emulator = options.emulator.split()
        command = go_programs[item.seed.name] if item.is_go else [*emulator, programs[item.seed.name]]
        command = command + ([item.seed.argument] if item.seed.argument else [])
        return run_into(item.stream, command, item.procs, 300 if emulator else 60)

    found = collections.defaultdict(list)
    with concurrent.futures.ThreadPoolExecutor(max(1, min(options.jobs, len(runs)))) as pool:
        for item, got in zip(runs, pool.map(one, runs)):
            found[item.seed.name, item.seed.argument, item.procs, item.is_go].append((item, got))
    # An emulated or sanitized program is so slow that it is taken for one that computes, and handed off.
    slow = options.emulator or "-fsanitize" in options.cflags
    for (name, argument, procs, is_go), outcomes in found.items():
        title = f"seed {name}{' ' + argument if argument else ''}, {'Go' if is_go else 'C'}, " \
                f"{'one processor' if procs == 1 else 'all processors'}"
        wrong = [f"into {item.stream}: {detail}" for item, got in outcomes
                 if (detail := check(item.seed, got, procs == 1 and not is_go and not slow, is_go))]
        shown = sum(got.stdout == documents(item.seed).stdout for item, got in outcomes)
        detail = f"{len(wrong)} of {len(outcomes)} runs wrong, the first {wrong[0]}" if wrong else \
                 f"the documents' order in {shown} of {len(outcomes)} runs"
        report.row(not wrong, title, detail)


def usage_rate(report, program, runs):
    """How often main's Gosched lets the goroutine of goexit_usage print both its lines at the default
    number of processors: nearly always, where Go's own does in about three of five runs."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: run([program]), range(runs)))
    both = sum(got.stdout.count("\n") == 2 for got in outcomes)
    wanted = runs * 99 // 100 if runs >= 1000 else runs * 9 // 10
    report.row(both >= wanted, "seed goexit_usage, C, all processors, both lines",
               f"in {both} of {runs} runs, at least {wanted} expected")


def check_serve(report, programs, go_programs, emulator):
    """The server runs until a signal, and then ends cleanly. Its first line says that it runs."""

    def one(case):
        command, number, procs = case
        with subprocess.Popen(command, env=environment(procs), stdout=subprocess.PIPE) as process:
            try:
                first = process.stdout.readline().decode()
                running = process.poll() is None
                process.send_signal(number)
                rest = process.stdout.read().decode()
                status = process.wait(60)
            finally:
                process.kill()
        lines = (first + rest).splitlines()
        good = running and status == 0 and lines[-1:] == ["bye"] and len(lines) > 1 and set(lines[:-1]) == {"serving"}
        return good, "" if good else f"got {lines}, status {status}{'' if running else ', ended by itself'}; " \
            "expected serving…, bye, status 0"

    cases = [(kind, command, number, procs)
             for kind, command in (("C", [*emulator, programs["serve"]]), ("Go", (go_programs or {}).get("serve")))
             if command for number in (signal.SIGTERM, signal.SIGINT) for procs in (1, None)]
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for (kind, _, number, procs), (ok, detail) in zip(cases, pool.map(lambda case: one(case[1:]), cases)):
            report.row(ok, f"seed serve, {kind}, {'one processor' if procs else 'all processors'}, {number.name}", detail)


def check_run_untouched(report, source_dir):
    """`run` is the same in every file: the documents assume that it cannot be changed."""
    found = collections.defaultdict(list)
    for ending, folder in ((".c", os.path.join(source_dir, "examples", "seeds")), (".go", os.path.join(HERE, "seeds"))):
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                source = file.read()
            body = re.search(r"^(?:static void|func) run\(.*?^}\n", source, re.MULTILINE | re.DOTALL)
            if body and name.endswith(ending):
                found[ending].append((name, body.group(0)))
            elif re.search(r"\brun\(", source) and name.endswith((".c", ".go")):
                found[ending].append((name, None))
    for ending, bodies in found.items():
        usual = collections.Counter(body for _, body in bodies).most_common(1)[0][0]
        wrong = [name for name, body in bodies if body != usual]
        report.row(not wrong and len(bodies) >= 10, f"seeds: run is the same in all {ending} files",
                   f"differs in {', '.join(wrong)}" if wrong else f"{len(bodies)} files")


def test(report, compile_c, options, out, go):
    """All of the above. Where the library is a sanitizer's or another machine's no rates are taken."""
    programs = build_c(compile_c, options.source_dir, out)
    go_programs = build_go(go, out) if go else None
    run_all(report, programs, go_programs, options)
    if options.k in "serve" and not options.quick:
        check_serve(report, programs, go_programs, options.emulator.split())
    if options.k in "goexit_usage" and not (options.library or options.quick):
        usage_rate(report, programs["goexit_usage"], 1000 if options.long else 100)
    check_run_untouched(report, options.source_dir)
