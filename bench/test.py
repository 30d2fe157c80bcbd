#!/usr/bin/env python3
"""What the runner makes of figures: statistics, comparison, merging and the pages, from made-up results."""
import contextlib
import copy
import html.parser
import io
import json
import os
import subprocess
import sys
import tempfile
import types
import unittest

import growth
import page
import run
import stats


def entry(median, ratio=None, spread=0.02):
    made = {"median": median, "low": median * (1 - spread), "high": median * (1 + spread)}
    if ratio:
        made.update(ratio=ratio, ratio_low=ratio * 0.95, ratio_high=ratio * 1.05)
    return made


def row(name, procs, ours, ratio, unit="ns", noisy=False, **peers):
    made = {"name": name, "procs": procs, "unit": unit, "rounds": 7, "noisy": noisy, "gofer": entry(ours),
            "go": entry(ours * ratio, ratio)}
    made.update({peer: entry(ours * times, times) for peer, times in peers.items()})
    return made


def results():
    machine = {"cpu": "A CPU", "cpus": 2, "arch": "x86_64", "memory_gib": 8, "kernel": "Linux 6", "libc": "glibc 2",
               "compiler": "cc 12", "date": "2026-01-01", "versions": {"gofer": "0", "go": "1"}, "rounds_thrown_away": 3}
    rows = [row("yield", 1, 8, 20, libdill=2), row("hop", 1, 30, 6), row("go/ChanSync", 1, 50, 4), row("go/Cond1", 1, 50, 9),
            row("yield", 2, 9, 5), row("hop", 2, 40, 0.8, noisy=True)]
    run.add_geomean(rows)
    series = [{"name": name, "unit": "ns", "axis": "goroutines", "what": "a step of `this`", "points": [
        {"size": 10**i, "gofer": entry(10 + 3**i), "go": entry(100 + 5**i)} for i in range(1, 7)]}
        for name in ("first", "second")]
    return {"machine": machine, "rows": rows, "growth": series, "groups": [
        {"title": "All", "rows": [{"name": name, "what": f"what <{name}> does"}
                                  for name in ("yield", "hop", "go/ChanSync", "go/Cond1")]}]}


class Statistics(unittest.TestCase):
    def test_spread(self):
        self.assertEqual(stats.spread([3, 1, 2]), {"median": 2, "low": 1, "high": 3})

    def test_ratio_lies_in_its_interval(self):
        made = stats.ratio([20, 22, 18, 20, 24, 21, 19], [10, 11, 9, 10, 12, 10, 10])
        self.assertEqual(made["ratio"], 2)
        self.assertTrue(made["ratio_low"] <= made["ratio"] <= made["ratio_high"])

    def test_geomean_is_of_ratios_too(self):
        made = next(r for r in results()["rows"] if r["name"] == page.GEOMEAN)
        self.assertAlmostEqual(made["go"]["ratio"], 6)
        self.assertTrue(made["go"]["ratio_low"] < 6 < made["go"]["ratio_high"])


class Comparison(unittest.TestCase):
    def compared(self, old, new):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            return run.compare(old, new), said.getvalue()

    def test_same_is_not_slower(self):
        self.assertEqual(self.compared(results(), results())[0], 0)

    def test_slower_beyond_the_spread(self):
        new = results()
        new["rows"][0]["gofer"] = entry(10)
        count, said = self.compared(results(), new)
        self.assertEqual(count, 1)
        self.assertIn("slower: yield, one processor: 8.00 ns -> 10.0 ns (1.25x)", said)

    def test_slower_within_the_spread(self):
        new = results()
        new["rows"][0]["gofer"] = entry(9, spread=0.2)
        self.assertEqual(self.compared(results(), new)[0], 0)

    def test_exit_status(self):
        new = results()
        new["rows"][0]["gofer"] = entry(10)
        with tempfile.TemporaryDirectory() as folder:
            for name, made in (("old", results()), ("new", new)):
                run.write_results(os.path.join(folder, name), made)
            script = ("import run, sys; run.RESULTS = sys.argv.pop(1); run.write_pages = lambda *_: None; "
                      "sys.exit(run.main())")
            for old, status in (("old", 1), ("new", 0)):
                done = subprocess.run([sys.executable, "-c", script, os.path.join(folder, "new"), "--pages", "--compare",
                                       os.path.join(folder, old)], cwd=os.path.dirname(os.path.abspath(__file__)),
                                      stdout=subprocess.DEVNULL, check=False)
                self.assertEqual(done.returncode, status)


class Merging(unittest.TestCase):
    def merged(self, change_old, change_new):
        old, new = results(), results()
        change_old(old)
        change_new(new)
        found = [types.SimpleNamespace(name="gofer", programs={"yield": "", "hop": "", "go/ChanSync": "", "go/Cond1": ""})]
        made = run.merge(old, new, found)
        return made, {(r["name"], r["procs"]): r for r in made["rows"]}

    def test_rows_of_both_and_a_new_mean(self):
        def only_cond(new):
            new["rows"] = [row("go/Cond1", 1, 50, 16)]
        made, rows = self.merged(lambda old: None, only_cond)
        self.assertEqual(len(rows), 7)
        self.assertAlmostEqual(rows[page.GEOMEAN, 1]["go"]["ratio"], 8)
        self.assertEqual(made["machine"]["rounds_thrown_away"], 6)
        self.assertEqual(len(made["growth"]), 2)

    def test_what_no_longer_exists_goes(self):
        def with_gone(old):
            old["rows"] += [row("gone", 1, 5, 5), row("go/Gone", 1, 5, 500)]
            old["rows"][0]["a-library"] = entry(5, 5)
            old["machine"]["versions"]["a-library"] = "1"
        def only_hop(new):
            new["rows"] = [row("hop", 1, 20, 7)]
        made, rows = self.merged(with_gone, only_hop)
        self.assertNotIn(("gone", 1), rows)
        self.assertNotIn("a-library", rows["yield", 1])
        self.assertIn("libdill", rows["yield", 1])
        self.assertNotIn("a-library", made["machine"]["versions"])
        self.assertAlmostEqual(rows[page.GEOMEAN, 1]["go"]["ratio"], 6)

    def test_another_machine_is_refused(self):
        with self.assertRaises(SystemExit):
            self.merged(lambda old: None, lambda new: new["machine"].update(cpu="Another"))

    def test_growth(self):
        self.assertEqual(growth.merge([{"name": "a"}, {"name": "b"}], [{"name": "b", "x": 1}, {"name": "c"}]),
                         [{"name": "a"}, {"name": "b", "x": 1}, {"name": "c"}])
        self.assertEqual(growth.within_limits([10, 100, 9000], 20000), [10, 100, 9000])
        self.assertEqual(growth.within_limits([10, 100, 9000], 1024), [10, 100, 462])


class Balance(html.parser.HTMLParser):
    """Whether each element that must be closed is."""
    MUST = {"svg", "figure", "div", "table", "dl", "h1", "h2", "h3", "details", "g", "html", "body"}

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag in self.MUST:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.MUST:
            assert self.open.pop() == tag, tag


class Pages(unittest.TestCase):
    def test_goals(self):
        goals = {(name, procs, goal): met for name, procs, goal, _, met in page.Results(results()).goals()}
        self.assertTrue(goals["yield", 1, "≥ 8×"])
        self.assertFalse(goals["hop", 1, "≥ 7×"])
        self.assertTrue(goals["yield", 2, "≥ 5×"])
        self.assertTrue(goals["yield", 1, "≤ 8.00 ns"])
        self.assertFalse(goals["hop", 1, "≤ 20.0 ns"])
        self.assertFalse(goals["every row", "all", "no slower"])

    def test_both_say_everything(self):
        for text in (page.markdown(results()), page.html(results())):
            for wanted in ("≈ hop", "Rows whose rounds still differ much, marked ≈: hop", "A CPU", "Growth", "not met",
                           "libdill"):
                self.assertIn(wanted, text)

    def test_html_is_whole(self):
        balance = Balance()
        balance.feed(page.html(results()))
        self.assertEqual(balance.open, [])

    def test_html_needs_nothing_else(self):
        text = page.html(results())
        for forbidden in ("http:", "https:", "<script", "src=", "what <yield>"):
            self.assertNotIn(forbidden, text)

    def test_without_growth_and_go(self):
        made = copy.deepcopy(results())
        del made["growth"]
        made["rows"] = [{key: value for key, value in made["rows"][0].items() if key != "go"}]
        self.assertNotIn("Growth", page.html(made))
        page.markdown(made)

    def test_results_are_read_as_written(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "latest.json")
            run.write_results(path, results())
            with open(path, encoding="utf-8") as source:
                self.assertEqual(json.load(source), results())


if __name__ == "__main__":
    unittest.main()
