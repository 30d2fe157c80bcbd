"""The page of results, as Markdown and as one HTML file that needs nothing else."""
import html as escaping
import math

TITLES = {"gofer": "gofer", "go": "Go", "libdill": "libdill", "state-threads": "State Threads",
          "boost-fiber": "Boost.Fiber", "openmp": "OpenMP", "onetbb": "oneTBB", "tokio": "tokio", "rayon": "rayon",
          "epoll": "epoll loop", "uring": "io_uring loop"}
IN_NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6}
GEOMEAN = "geomean_go_list"
IN_SHORT = ("yield", "hop", "buffered128", "select2", "spawn_finish", "skynet", "sieve", "mutex_uncontended",
            "timer_add_stop", "echo_64b_50", "http_1k", "idle_connection_bytes", GEOMEAN)


# Go's time over gofer's at one processor, and at more; and most that a figure may be.
GOALS = {"yield": (8, 5), "hop": (7, 4), "buffered128": (4, 2), "select2": (5, 3), "spawn_finish": (6, 4),
         "skynet": (6, 4), "sieve": (4, 3), "mutex_uncontended": (1.2, 1.2), "mutex_contended": (1.2, 1.2),
         "timer_add_stop": (2, 2), "sleep_lateness": (2, 2), GEOMEAN: (4, 2.5), "http_1k": (1.5, 1.5)}
CEILINGS = {"yield": (8, "ns"), "hop": (20, "ns"), "parked_1m_bytes": (4500, "B"), "parked_1m_create": (3000, "ms"),
            "idle_connection_bytes": (10240, "B")}
ECHOES = [f"echo_{size}_{connections}{what}" for what in ("", "_cpu") for size in ("64b", "4k") for connections in (50, 1000)]
GOALS.update({name: (1.3, 1.3) for name in ECHOES})
PEERS_GOALS = {"fib": ("onetbb", 0.5), **{name: ("epoll", 0.9) for name in ECHOES}}


# ---- text ----------------------------------------------------------------------------------------

def three_digits(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def figure(value, unit):
    """A time or a size with its unit, in three digits."""
    if unit not in IN_NANOSECONDS:
        return f"{three_digits(value)} {unit}"
    value *= IN_NANOSECONDS[unit]
    for name, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if value >= size:
            return f"{three_digits(value / size)} {name}"
    return f"{three_digits(value)} ns"


def processors(count):
    return "one processor" if count == 1 else f"{count} processors"


def times_as_fast(entry):
    return f"{three_digits(entry['ratio'])} ({three_digits(entry['ratio_low'])} – {three_digits(entry['ratio_high'])})"


class Results:
    """The results by what the pages ask for."""

    def __init__(self, results):
        self.machine = results["machine"]
        self.rows = {(row["name"], row["procs"]): row for row in results["rows"]}
        self.procs = sorted({row["procs"] for row in results["rows"]})
        self.growth = results.get("growth", [])
        self.groups = []  # title, and the rows that were measured, with what they are
        for group in results["groups"]:
            entries = [(e["name"], e["what"]) for e in group["rows"] if any((e["name"], p) in self.rows for p in self.procs)]
            if entries:
                self.groups.append((group["title"], entries))
        if any((GEOMEAN, p) in self.rows for p in self.procs):
            self.groups.append(("Go's own list: all together", [(GEOMEAN, "the geometric mean over the list")]))

    def of(self, name):
        """The row at each number of processors at which it was measured."""
        return [self.rows[name, procs] for procs in self.procs if (name, procs) in self.rows]

    def goals(self):
        """Each goal that these results can judge: row, processors, what is wanted, what is, whether that is met."""
        for name, wanted in GOALS.items():
            for row in self.of(name):
                if "go" in row:
                    least, ratio = wanted[row["procs"] > 1], row["go"]["ratio"]
                    yield name, row["procs"], f"≥ {least:g}×", f"{three_digits(ratio)}×", ratio >= least
        for name, (peer, least) in PEERS_GOALS.items():
            for row in self.of(name):
                if peer in row:
                    ratio = row[peer]["ratio"]
                    yield name, row["procs"], f"≥ {least:g}× {TITLES[peer]}", f"{three_digits(ratio)}×", ratio >= least
        for name, (most, unit) in CEILINGS.items():
            for row in self.of(name)[:1]:
                median = row["gofer"]["median"]
                yield name, row["procs"], f"≤ {figure(most, unit)}", figure(median, unit), median <= most
        behind = self.behind()
        if any("go" in row for row in self.rows.values()):
            yield "every row", "all", "no slower", f"{len(behind)} are" if behind else "none is", not behind

    def behind(self):
        """Rows that are slower than Go's for sure."""
        return sorted({f"{name} ({processors(procs)})" for (name, procs), row in self.rows.items()
                         if "go" in row and row["go"]["ratio_high"] < 1})

    def with_peers(self):
        """The rows that libraries beside Go have: name, what, row."""
        return [(name, what, row) for _, entries in self.groups for name, what in entries for row in self.of(name)
                if any(peer in row for peer in TITLES if peer not in ("gofer", "go"))]

    def about(self):
        """Who was measured where: label, text."""
        m = self.machine
        yield "Machine", f"{m['cpu']}, {m['cpus']} CPUs, {m['memory_gib']} GiB, {m['kernel']} ({m['arch']})"
        yield "Compiler", f"{m['compiler']}, {m['libc']}"
        yield "Versions", ", ".join(f"{TITLES.get(name, name)} {version}" for name, version in m["versions"].items())
        yield "Measured", f"{m['date']}. {self.noise()}"

    def how(self):
        return HOW.format(rounds=min((row["rounds"] for row in self.rows.values()), default=0))

    def noise(self):
        noisy = sorted({name for (name, _), row in self.rows.items() if row["noisy"] and name != GEOMEAN})
        thrown = self.machine.get("rounds_thrown_away", 0)
        text = f"{thrown} rounds were thrown away because a fixed piece of arithmetic beside them ran slow. "
        if not noisy:
            return text + "No row stayed noisy."
        names = ", ".join(noisy) if len(noisy) <= FEW else f"{len(noisy)} of {len({name for name, _ in self.rows})}"
        return text + f"Rows whose rounds still differ much, marked ≈: {names}."


FEW = 12  # names in a sentence
GOALS_SAY = "With ×: how many times gofer's time Go takes, or who is named. Else the figure itself, at one processor."
GROWTH = "What one operation costs, with how many there are: medians of three, on all processors. Flat is ideal."
HOW = ("`./gofer bench` makes this page on your machine. The programs are in `bench/c`, `bench/go` and `bench/peers`: "
       "the same work, written as each one's users would. Servers are measured by one client, `bench/load.c`, in a "
       "process and, where one is left, on a CPU of its own. Rounds of all are interleaved, and pinned to as many CPUs "
       "as there are processors; a figure is the median of at least {rounds}. A ratio is the other's time over gofer's, "
       "with the interval that holds it with 95 % (bootstrap).")


# ---- Markdown ------------------------------------------------------------------------------------

def markdown_table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def name_of(row):
    return ("≈ " if row["noisy"] else "") + row["name"]


def median_of(row, contender):
    return figure(row[contender]["median"], row["unit"]) if contender in row else "–"


def spread_of(row, contender):
    if contender not in row:
        return "–"
    entry = row[contender]
    return f"{figure(entry['median'], row['unit'])} ({figure(entry['low'], row['unit'])} – {figure(entry['high'], row['unit'])})"


def markdown(results):
    r = Results(results)
    lines = ["# Benchmarks", "", r.how(), ""]
    lines += [f"- {label}: {text}" for label, text in r.about()]
    lines += ["", "The same with plots: [benchmarks.html](benchmarks.html).", "", "## Goals", "", GOALS_SAY, ""]
    lines += markdown_table(["row", "processors", "goal", "here", ""],
                            [[name, str(procs), goal, here, "met" if met else "**not met**"]
                             for name, procs, goal, here, met in r.goals()])
    if r.behind():
        lines += ["", f"Slower than Go: {', '.join(r.behind())}."]
    lines += ["", "## Beside Go", "",
              "In brackets the lowest and the highest of the rounds, and the ratio's interval."]
    for title, entries in r.groups:
        lines += ["", f"### {title}", ""]
        rows = [[name_of(row), what, str(row["procs"]), spread_of(row, "gofer"), spread_of(row, "go"),
                 times_as_fast(row["go"]) if "go" in row else "–"] for name, what in entries for row in r.of(name)]
        lines += markdown_table(["row", "what", "processors", "gofer", "Go", "Go / gofer"], rows)
    peers = r.with_peers()
    if peers:
        there = [peer for peer in TITLES if any(peer in row for _, _, row in peers)]
        lines += ["", "## Beside other libraries", "", "Medians.", ""]
        lines += markdown_table(["row", "processors"] + [TITLES[peer] for peer in there],
                                [[name_of(row), str(row["procs"])] + [median_of(row, peer) for peer in there]
                                 for _, _, row in peers])
    if r.growth:
        lines += ["", "## Growth", "", GROWTH]
    for series in r.growth:
        there = [c for c in ("gofer", "go") if any(c in point for point in series["points"])]
        lines += ["", f"### {series['name']}: {series['what']}", ""]
        lines += markdown_table([series["axis"], *(TITLES[c] for c in there)],
                                [[f"{point['size']:,}", *(spread_of({**point, "unit": series["unit"]}, c) for c in there)]
                                 for point in series["points"]])
    return "\n".join(lines) + "\n"


# ---- HTML ----------------------------------------------------------------------------------------

STYLE = """
:root { color-scheme: light dark; --back: #fbfaf7; --text: #1d2430; --dim: #626c7a; --line: #d9d6ce;
        --ours: #0f766e; --ours2: #5fb3aa; --worse: #c2410c; --worse2: #eda36f; --other: #8d97a5; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14181d; --text: #e4e7eb; --dim: #98a2af; --line: #333b45;
          --ours: #2dd4bf; --ours2: #1a7f74; --worse: #fb923c; --worse2: #9a4f17; --other: #6b7785; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 56rem; padding: 1rem; background: var(--back); color: var(--text);
       font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 1rem 0 .5rem; } h2 { margin: 2.5rem 0 .5rem; } h3 { margin: 1.8rem 0 .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 1rem 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
code { font-size: .9em; }
figure { margin: .4rem 0 1rem; } figcaption { color: var(--dim); font-size: .85rem; }
svg { display: block; width: 100%; overflow: visible; font: 13px system-ui, sans-serif; }
svg text { fill: var(--text); paint-order: stroke; stroke: var(--back); stroke-width: 4px; } svg .dim { fill: var(--dim); font-size: 12px; }
svg .grid { stroke: var(--line); } svg .even { stroke: var(--dim); stroke-width: 1.5; }
svg .error { stroke: var(--text); stroke-width: 1.5; }
.p1 { fill: var(--ours); } .p2 { fill: var(--ours2); } .w1 { fill: var(--worse); } .w2 { fill: var(--worse2); }
.other { fill: var(--other); } .key { display: inline-block; width: .8em; height: .8em; margin-right: .3em; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
.yes { color: var(--ours); } .no { color: var(--worse); font-weight: 600; }
.series { fill: none; stroke-width: 2.5; } .series.ours { stroke: var(--ours); } .series.theirs { stroke: var(--other); stroke-dasharray: 6 4; }
.dot.ours { fill: var(--ours); } .dot.theirs { fill: var(--other); }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
.goals :is(th, td) { padding: .25rem .5rem; }
@media (max-width: 30rem) { .goals { font-size: .75rem; } .goals :is(th, td) { padding: .25rem .15rem; } }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: .5rem 1.5rem; }
th:first-child, td:first-child { text-align: left; }
"""


def text_of(text):
    """Escaped, with `code` as code."""
    parts = escaping.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


class Scale:
    """A logarithmic axis from left to right, in per cent of the plot's width."""

    def __init__(self, values):
        self.low = min([0.8, *values]) / 1.05
        self.high = max([2.0, *values]) * 1.05

    def at(self, value):
        return 100 * math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self):
        steps = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if self.low <= t <= self.high]
        return steps if len(steps) < 8 else [t for t in steps if t in (0.1, 1, 10, 100, 1000)]


def beside_go(r, scale, names):
    """One plot: for each row a bar for each number of processors, from "as fast as Go" to how fast it is."""
    rows = [(name, [row for row in r.of(name) if "go" in row]) for name in names]
    rows = [(name, measured) for name, measured in rows if measured]
    if not rows:
        return ""
    bars, y = [], 20
    for name, measured in rows:
        noisy = any(row["noisy"] for row in measured)
        figures = " · ".join(f"{three_digits(row['go']['ratio'])}×" for row in measured)
        bars.append(f'<text x="0" y="{y + 12}">{"≈ " if noisy else ""}{escaping.escape(name)}</text>'
                    f'<text x="100%" y="{y + 12}" text-anchor="end">{figures}</text>')
        y += 18
        for row in measured:
            go = row["go"]
            left, right = sorted((scale.at(1), scale.at(go["ratio"])))
            kind = ("p" if go["ratio"] >= 1 else "w") + ("1" if row["procs"] == r.procs[0] else "2")
            title = (f"{name}, {processors(row['procs'])}: gofer {spread_of(row, 'gofer')}, Go {spread_of(row, 'go')}; "
                     f"ratio {times_as_fast(go)}")
            bars.append(f'<g><title>{escaping.escape(title)}</title>'
                        f'<rect class="{kind}" x="{left:.2f}%" y="{y}" width="{max(right - left, 0.3):.2f}%" height="9"/>'
                        f'<line class="error" x1="{scale.at(go["ratio_low"]):.2f}%" x2="{scale.at(go["ratio_high"]):.2f}%" '
                        f'y1="{y + 4.5}" y2="{y + 4.5}"/></g>')
            y += 11
        y += 6
    axis = [f'<line class="{"even" if tick == 1 else "grid"}" x1="{scale.at(tick):.2f}%" x2="{scale.at(tick):.2f}%" '
            f'y1="16" y2="{y}"/><text class="dim" x="{scale.at(tick):.2f}%" y="12" text-anchor="middle">{tick:g}×</text>'
            for tick in scale.ticks()]
    return ('<figure><figcaption>How many times gofer\'s time or memory Go takes: <b>longer to the right is better</b>; '
            f'left of 1× Go is better.</figcaption><svg height="{y}" role="img" aria-label="Go over gofer">'
            f'{"".join(axis)}{"".join(bars)}</svg></figure>')


def beside_peers(name, what, row):
    """One plot: a bar for each contender, as long as its time."""
    there = [peer for peer in TITLES if peer in row]
    longest = max(row[peer]["median"] for peer in there)
    bars, y = [], 2
    for peer in sorted(there, key=lambda peer: row[peer]["median"]):
        entry = row[peer]
        ratio = "" if peer == "gofer" else f" · {three_digits(entry['ratio'])}×"
        bars.append(f'<g><title>{escaping.escape(f"{TITLES[peer]}: {spread_of(row, peer)}")}</title>'
                    f'<text x="0" y="{y + 12}">{TITLES[peer]}</text>'
                    f'<text x="100%" y="{y + 12}" text-anchor="end">{figure(entry["median"], row["unit"])}{ratio}</text>'
                    f'<rect class="{"p1" if peer == "gofer" else "other"}" x="0" y="{y + 17}" '
                    f'width="{max(100 * entry["median"] / longest, 0.4):.2f}%" height="7"/></g>')
        y += 30
    return (f'<h3>{"≈ " if row["noisy"] else ""}{escaping.escape(name)}, {processors(row["procs"])}</h3><figure><figcaption>'
            f'{text_of(what)}: <b>shorter is better</b></figcaption><svg height="{y}" role="img" '
            f'aria-label="{escaping.escape(name)}">{"".join(bars)}</svg></figure>')


def powers(low, high):
    """The powers of ten from below the lowest to above the highest."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0 ** e for e in range(first, max(last, first + 1) + 1)]


def growth_plot(series):
    """Lines of both, both axes logarithmic: in a box of 320 by 200, so that a phone shows it at its own size."""
    left, right, top, bottom = 48, 312, 8, 168
    unit, points = series["unit"], series["points"]
    values = [point[c]["median"] for point in points for c in ("gofer", "go") if c in point]
    if not values:
        return ""
    ticks = powers(min(values), max(values))
    sizes = [point["size"] for point in points]
    width = math.log(max(sizes) / min(sizes)) or 1

    def x(size):
        return left + (right - left) * math.log(size / min(sizes)) / width

    def y(value):
        return bottom - (bottom - top) * math.log(value / ticks[0]) / math.log(ticks[-1] / ticks[0])

    marks = [f'<line class="grid" x1="{left}" x2="{right}" y1="{y(t):.1f}" y2="{y(t):.1f}"/>'
             f'<text class="dim" x="{left - 5}" y="{y(t) + 4:.1f}" text-anchor="end">{short(t)}</text>' for t in ticks]
    shown = sizes if len(sizes) < 8 else sizes[::2]
    marks += [f'<text class="dim" x="{x(s):.1f}" y="{bottom + 16}" text-anchor="middle">{count(s)}</text>' for s in shown]
    marks.append(f'<text class="dim" x="{(left + right) / 2}" y="{bottom + 31}" text-anchor="middle">'
                 f'{escaping.escape(series["axis"].replace("`", ""))}</text>')
    for contender, kind in (("go", "theirs"), ("gofer", "ours")):
        there = [(point["size"], point[contender]) for point in points if contender in point]
        path = " ".join(f"{x(size):.1f},{y(entry['median']):.1f}" for size, entry in there)
        marks.append(f'<polyline class="series {kind}" points="{path}"/>')
        marks += [f'<circle class="dot {kind}" cx="{x(size):.1f}" cy="{y(entry["median"]):.1f}" r="3.5"><title>'
                  f'{TITLES[contender]}, {size:,}: {figure(entry["median"], unit)}</title></circle>' for size, entry in there]
    return (f'<figure class="growth"><figcaption><b>{escaping.escape(series["name"])}</b>: {text_of(series["what"])}'
            f'</figcaption><svg viewBox="0 0 320 204" role="img" aria-label="{escaping.escape(series["name"])}">'
            f'{"".join(marks)}</svg></figure>')


def short(nanoseconds):
    for name, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:g} {name}"
    return f"{nanoseconds:g} ns"


def count(number):
    for name, size in (("M", 1000000), ("k", 1000)):
        if number >= size:
            return f"{number / size:.3g} {name}"
    return str(number)


def goals_table(r):
    lines = ["<div class=wide><table class=goals><thead><tr><th>row<th>CPUs<th>goal<th>here<th></thead><tbody>"]
    lines += [f"<tr><td>{escaping.escape(name)}<td>{procs}<td>{escaping.escape(goal)}<td>{escaping.escape(here)}"
              f'<td class="{"yes" if met else "no"}">{"met" if met else "not met"}' for name, procs, goal, here, met in r.goals()]
    behind = r.behind()
    slower = f"<p>Slower than Go: {escaping.escape(', '.join(behind))}.</p>" if behind else ""
    return "\n".join(lines) + "</tbody></table></div>" + slower


def html_table(r):
    lines = ["<div class=wide><table><thead><tr><th>row<th>processors<th>gofer<th>Go<th>Go / gofer</thead><tbody>"]
    for _, entries in r.groups:
        for name, _ in entries:
            for row in r.of(name):
                ratio = times_as_fast(row["go"]) if "go" in row else "–"
                lines.append(f"<tr><td>{escaping.escape(name_of(row))}<td>{row['procs']}<td>{spread_of(row, 'gofer')}"
                             f"<td>{spread_of(row, 'go')}<td>{ratio}")
    return "\n".join(lines) + "</tbody></table></div>"


def html(results):
    r = Results(results)
    key = "".join(f'<span class="key" style="background: var(--ours{"" if procs == r.procs[0] else "2"})"></span>'
                  f'{processors(procs)} &ensp; ' for procs in r.procs)
    key += '<span class="key" style="background: var(--worse)"></span>Go is better'
    parts = ['<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
             '<meta name="viewport" content="width=device-width, initial-scale=1"><title>gofer: benchmarks</title>'
             f"<style>{STYLE}</style></head><body>", "<h1>Benchmarks</h1>", f"<p>{text_of(r.how())}</p>",
             "<dl>" + "".join(f"<dt>{label}<dd>{text_of(text)}" for label, text in r.about()) + "</dl>"]
    if any(row["noisy"] for row in r.rows.values()):
        parts.append('<p class="no">The machine was noisy while this was measured: rows marked ≈ are unsure.</p>')
    if any(True for _ in r.goals()):
        parts += ["<h2>Goals</h2>", f"<p>{GOALS_SAY}</p>", goals_table(r)]
    scale = Scale([row["go"][key] for row in r.rows.values() if "go" in row
                   for key in ("ratio", "ratio_low", "ratio_high")])
    plots = [(title, entries, beside_go(r, scale, [name for name, _ in entries])) for title, entries in r.groups]
    if any(plot for _, _, plot in plots):
        parts += ["<h2>Beside Go</h2>", f"<p>{key}</p>",
                  "<p>All plots have the same logarithmic scale. A thin line is the 95 % interval.</p>"]
        parts += ["<h3>In short</h3>", beside_go(r, scale, IN_SHORT)]
    for title, entries, plot in plots:
        if plot:
            parts.append(f"<h3>{escaping.escape(title)}</h3>{plot}<details><summary>what the rows are</summary><dl>"
                         + "".join(f"<dt>{escaping.escape(name)}<dd>{text_of(what)}" for name, what in entries)
                         + "</dl></details>")
    peers = r.with_peers()
    if peers:
        parts += ["<h2>Beside other libraries</h2>",
                  "<p>Each plot has its own scale. After the time stands how many times gofer's it is.</p>"]
        parts += [beside_peers(*peer) for peer in peers]
    if r.growth:
        parts += ["<h2>Growth</h2>", f"<p>{GROWTH} Both axes are logarithmic: <b>lower and flatter is better</b>.</p>",
                  '<p><span class="key" style="background: var(--ours)"></span>gofer &ensp; '
                  '<span class="key" style="background: var(--other)"></span>Go (dashed)</p>',
                  '<div class="plots">', *(growth_plot(series) for series in r.growth), "</div>"]
    parts += ["<h2>All figures</h2>", "<p>In brackets the lowest and the highest of the rounds, and the ratio's "
              "interval.</p>", html_table(r), "</body></html>"]
    return "\n".join(parts) + "\n"
