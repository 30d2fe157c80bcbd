"""Medians, their ratios, and how sure both are."""
import math
import random
import statistics

RESAMPLES = 2000


def spread(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def width(values):
    """The middle half's width, as a part of the median."""
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / middle if middle else 0.0


def ratio(theirs, ours):
    """Their median over ours, with the interval that holds it with 95 %: rounds are drawn again and again, with
    both values of a round, since they were measured one after the other."""
    draw = random.Random(1)
    rounds = range(len(ours))
    ratios = []
    for _ in range(RESAMPLES):
        drawn = draw.choices(rounds, k=len(ours))
        ratios.append(statistics.median(theirs[i] for i in drawn) / statistics.median(ours[i] for i in drawn))
    ratios.sort()
    return {"ratio": statistics.median(theirs) / statistics.median(ours),
            "ratio_low": ratios[int(0.025 * RESAMPLES)], "ratio_high": ratios[int(0.975 * RESAMPLES)]}


def geomean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def geomean_row(name, procs, rows):
    """A row of the geometric means over rows that Go has too; the rows' errors are taken as independent."""
    row = {"name": name, "procs": procs, "unit": "ns", "rounds": min(r["rounds"] for r in rows),
           "noisy": any(r["noisy"] for r in rows)}
    for contender in ("gofer", "go"):
        row[contender] = {key: geomean([r[contender][key] for r in rows]) for key in ("median", "low", "high")}
    middle = row["go"]["median"] / row["gofer"]["median"]
    for key, sign in (("ratio_low", -1), ("ratio_high", 1)):
        errors = [math.log(r["go"][key] / r["go"]["ratio"]) ** 2 for r in rows]
        row["go"][key] = middle * math.exp(sign * math.sqrt(sum(errors)) / len(rows))
    row["go"]["ratio"] = middle
    return row
