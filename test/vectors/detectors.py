"""Golden alarms of River's drift detectors: python test/vectors/detectors.py > test/vectors/detectors.json

Needs river and scipy. Streams are formulas over mulberry32, so that they need no file; tests make them
anew. River begins with an empty detector after each alarm, by itself.
"""

import json
import math
import random
import sys

import river
import scipy
from river import drift, stats

LENGTH = 6000


def mulberry(seed):
    s = seed
    while True:
        s = (s + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((s ^ (s >> 15)) * (s | 1)) & 0xFFFFFFFF
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        yield ((t ^ (t >> 14)) & 0xFFFFFFFF) / 4294967296


STREAMS = {
    "bits": {"seed": 11, "kind": "bits", "levels": [0.1, 0.4, 0.15, 0.8, 0.3]},
    "rare bits": {"seed": 12, "kind": "bits", "levels": [0.01, 0.05, 0.01, 0.3]},
    "no drift": {"seed": 13, "kind": "bits", "levels": [0.25]},
    "slow bits": {"seed": 14, "kind": "slope", "levels": [0.05, 0.6]},
    "scores": {"seed": 15, "kind": "scores", "levels": [0.2, 0.35, 0.1, 0.6]},
    "grid": {"seed": 16, "kind": "grid", "levels": [0, 0.25, -0.25, 0.5]},
    "constant, then not": {"seed": 17, "kind": "bits", "levels": [0, 0.02, 0, 1, 0]},
}


def values(spec):
    u = mulberry(spec["seed"])
    levels = spec["levels"]
    for i in range(LENGTH):
        level = levels[i * len(levels) // LENGTH]
        if spec["kind"] == "bits":
            yield 1 if next(u) < level else 0
        elif spec["kind"] == "slope":
            yield 1 if next(u) < levels[0] + (levels[1] - levels[0]) * i / LENGTH else 0
        elif spec["kind"] == "scores":
            yield level + 0.1 * (next(u) + next(u) + next(u))
        else:
            yield level + math.floor(next(u) * 5) / 4


def watch(detector, stream):
    """Where it alarms, and where a warning begins."""
    alarms, warnings, warned = [], [], False
    for i, x in enumerate(values(STREAMS[stream])):
        detector.update(x)
        if detector.drift_detected:
            alarms.append(i)
        warning = getattr(detector, "warning_detected", False) and not detector.drift_detected
        if warning and not warned:
            warnings.append(i)
        warned = warning
    return {"alarms": alarms, "warnings": warnings}


BITS = ["bits", "rare bits", "no drift", "slow bits", "constant, then not"]
ALL = list(STREAMS)
# ours → theirs
CASES = [
    ("ddm", drift.binary.DDM, BITS, [
        {}, {"warmStart": 100, "driftThreshold": 2.5}, {"warningThreshold": 1, "driftThreshold": 2}],
     {"warmStart": "warm_start", "warningThreshold": "warning_threshold", "driftThreshold": "drift_threshold"}),
    ("hddm-a", drift.binary.HDDMA, BITS, [
        {}, {"twoSided": True}, {"driftConfidence": 0.05, "warningConfidence": 0.2}, {"driftConfidence": 1e-6, "twoSided": True}],
     {"driftConfidence": "drift_confidence", "warningConfidence": "warning_confidence", "twoSided": "two_sided_test"}),
    ("hddm-w", drift.binary.HDDMW, BITS, [
        {}, {"twoSided": True}, {"lambda": 0.01, "driftConfidence": 0.01, "warningConfidence": 0.05}, {"lambda": 0.2, "driftConfidence": 0.1, "warningConfidence": 0.3}],
     {"driftConfidence": "drift_confidence", "warningConfidence": "warning_confidence", "lambda": "lambda_val", "twoSided": "two_sided_test"}),
    ("page-hinkley", drift.PageHinkley, ALL, [
        {}, {"threshold": 5, "delta": 0.05}, {"threshold": 8, "mode": "down", "minInstances": 200}, {"threshold": 10, "mode": "up", "alpha": 0.99}],
     {"threshold": "threshold", "delta": "delta", "mode": "mode", "minInstances": "min_instances", "alpha": "alpha"}),
    ("adwin", drift.ADWIN, ALL, [
        {}, {"delta": 0.05, "clock": 1}, {"delta": 0.01, "clock": 8, "minWindow": 10, "grace": 50, "maxBuckets": 3}],
     {"delta": "delta", "clock": "clock", "minWindow": "min_window_length", "grace": "grace_period", "maxBuckets": "max_buckets"}),
    ("kswin", drift.KSWIN, ["bits", "slow bits", "no drift", "scores", "grid"], [
        {"seed": 1}, {"seed": 42, "alpha": 0.0001}, {"seed": 7, "windowSize": 300, "statSize": 50, "alpha": 0.001}],
     {"seed": "seed", "alpha": "alpha", "windowSize": "window_size", "statSize": "stat_size"}),
]


def incremental(n, p, stream):
    """River's KolmogorovSmirnov: the first n values against the newest n, anew after each alarm."""
    alarms, statistics, kept = [], [], []
    test = None
    for i, x in enumerate(values(STREAMS[stream])):
        kept.append(x)
        if len(kept) < 2 * n:
            continue
        if test is None:
            test = stats.KolmogorovSmirnov()
            for a, b in zip(kept[:n], kept[n:]):
                test.update(a, b)
        else:
            test.revert(kept[0], kept[n])
            del kept[n]
            test.update(kept[0], x)
        if i % 97 == 0:
            statistics.append([i, test.get()])
        if test._test_ks_threshold(test._ca(p)):
            alarms.append(i)
            kept, test = [], None
    return {"alarms": alarms, "statistics": statistics}


def main():
    random.seed(1)  # priorities of River's treap; they change no result
    cases = []
    for name, make, streams, settings, names in CASES:
        for options in settings:
            for stream in streams:
                theirs = make(**{names[key]: value for key, value in options.items()})
                cases.append({"detector": name, "options": options, "stream": stream, **watch(theirs, stream)})
    incrementals = [
        {"size": n, "alpha": p, "stream": stream, **incremental(n, p, stream)}
        for stream in ["scores"] for n, p in [(100, 0.001), (60, 0.0001), (250, 0.05)]]
    tails = [
        [h, n, m, scipy.stats._stats_py._attempt_exact_2kssamp(n, m, math.gcd(n, m), h / (n * m), "two-sided")[2]]
        for h, n, m in [(9, 3, 3), (330, 30, 30), (1500, 50, 50), (3000, 200, 100), (8000, 400, 100), (1200, 60, 90), (700, 37, 53), (20000, 400, 200)]]
    chi = [[x, df, scipy.stats.chi2.sf(x, df)] for x, df in [(1, 1), (16.9, 9), (60, 9), (3.3, 2.5), (200, 100), (0.01, 7)]]
    numbers = random.Random(5)
    draws = {"seed": 5, "samples": [numbers.sample(range(70), 30) for _ in range(2)], "small": numbers.sample(range(300), 5)}
    lines = [json.dumps(case) for case in cases]
    origin = f"River {river.__version__} (Python package), SciPy {scipy.__version__}; made by test/vectors/detectors.py, which says how"
    out = {"origin": origin, "length": LENGTH, "streams": STREAMS, "incremental": incrementals, "ksTails": tails, "chiSquareTails": chi, "pythonDraws": draws}
    text = json.dumps(out)[:-1] + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n"
    sys.stdout.write(text)


main()
