"""Corners of pools, MEAN, ADD, SOFTMAX, LOGISTIC, QUANTIZE and the float edges."""

import numpy as np

from one_op import f32
from weighted_cases import HIGH, LOW, SHAPES, quant, rows_of, window

ALL = list(range(LOW, HIGH + 1))
PROBABILITY = {"scale": 1 / 256, "zero": LOW}


def pool_cases(rng, kind):
    """Yields (name, layer, rows of inputs) of maxpool2d or avgpool2d."""

    def pool(shape, channels=2, activation="none", rows=None, given=None):
        layer = dict(type=kind, channels=channels, **shape, input=given or quant(0.05, 3))
        layer["activation"] = activation
        size = shape["height"] * shape["width"] * channels
        return layer, rows_of(rng, size, 4)[1:] if rows is None else rows

    for i, (name, shape) in enumerate(SHAPES):
        yield name, *pool(shape, [2, 1, 3, 1][i % 4])
    small = window(4, 5, (2, 3), (1, 2), "same")
    low = [list(rng.integers(LOW, -100, 40)) for _ in range(3)]
    yield "only lowest values, with padding", *pool(small, rows=low)
    for activation, given in [
        ("relu", quant(0.05, LOW)),
        ("relu", quant(0.05, 20)),
        ("relu", quant(0.05, HIGH)),
        ("relu6", quant(0.05, -20)),
        ("relu6", quant(12 / 97, -20)),
    ]:
        name = f"{activation}, {given['scale']:.4g} a step from {given['zero']}"
        yield name, *pool(small, activation=activation, given=given)
    # Two values a window: every sum from -40 to 40, halves of both signs; then windows of 3, 4, 9.
    pair = [[v // 2 for v in range(-40, 41)] + [v - v // 2 for v in range(-40, 41)]]
    yield "halves of both signs", *pool(window(2, 1, (2, 1), (1, 1), "valid"), 81, rows=pair)
    for high, wide in [(1, 3), (2, 2), (3, 3)]:
        near = [list(rng.integers(-4, 4, high * wide * 24)) for _ in range(2)]
        shape = window(high, wide, (high, wide), (1, 1), "valid")
        yield f"small sums of {high * wide}", *pool(shape, 24, rows=near)


def mean_cases(rng):
    """Yields (name, layer, rows of inputs)."""

    def mean(height, width, channels, given, made, rows=None):
        layer = dict(type="mean", height=height, width=width, channels=channels)
        size = height * width * channels
        rows = rows_of(rng, size, 4) if rows is None else rows
        return dict(layer, input=given, output=made), rows

    sums = range(-40, 41)
    pair = [[v // 2 for v in sums] + [v - v // 2 for v in sums]]
    same = quant(0.05, 3)
    yield "one pixel, equal scales", *mean(1, 1, 256, same, same, [ALL])
    yield "halves of both signs", *mean(1, 2, 81, quant(0.05), quant(0.05), pair)
    yield "halves, zero point at an end", *mean(2, 1, 81, quant(0.05, HIGH), quant(0.05, HIGH), pair)
    yield "25 by 5, equal scales", *mean(25, 5, 1, quant(0.0235294, LOW), quant(0.0235294, LOW))
    yield "7 by 5, other scales", *mean(7, 5, 2, quant(0.05, -7), quant(0.02, 20))
    yield "3 by 1, one channel", *mean(3, 1, 1, quant(0.05, -7), quant(0.05, -7))
    for low, high in [(LOW, HIGH), (HIGH, LOW)]:
        name = f"zero points {low} and {high}"
        yield name, *mean(3, 3, 5, quant(0.05, low), quant(0.04, high))
    yield "saturates", *mean(2, 3, 5, quant(0.5, 3), quant(0.01, 3))
    yield "scale 1/4 of 4", *mean(2, 2, 16, quant(0.25), quant(1))
    yield "scale 3 of 5", *mean(5, 1, 16, quant(0.75), quant(0.25))
    # Sums at which a multiplier divided by the number of pixels and rounded would give another value.
    for high, wide, given, made, total in [
        (7, 7, 0.8467000722885132, 0.4806799590587616, 2767),
        (7, 5, 0.0906836986541748, 0.15394873917102814, 3475),
        (7, 7, 0.39122703671455383, 0.6035075783729553, 2531),
    ]:
        pixels = [total // (high * wide)] * (high * wide)
        pixels[0] += total - sum(pixels)
        rows = [pixels, [-pixel for pixel in pixels]]
        yield f"divides towards 0, sum {total}", *mean(high, wide, 1, quant(given), quant(made), rows)
    # 31 + shift leaves less than log2 of 49 to divide by.
    for power in (20, 27, 31, 32, 34):
        name = f"scale 2^-{power}"
        yield name, *mean(7, 7, 1, quant(2.0**-16, 5), quant(2.0 ** (power - 16), 5))
    for i in range(8):
        high, wide, channels = (int(v) for v in rng.integers(1, [9, 9, 5]))
        zeros, given = [int(v) for v in rng.integers(LOW, HIGH + 1, 2)], 10 ** rng.uniform(-3, 0)
        made = quant(given * 2 ** rng.uniform(-2, 2), zeros[1])
        yield f"random {i}", *mean(high, wide, channels, quant(given, zeros[0]), made)


def add_cases(rng):
    """Yields (name, layer, rows of the first input, rows of the second)."""

    def add(first, second, made, activation="none", size=16, count=4):
        layer = dict(type="add", size=size, input=first, input2=second, output=made)
        layer["activation"] = activation
        ends = rows_of(rng, size, count)
        return layer, ends, [*reversed(ends[: count - 1]), list(rng.integers(LOW, HIGH + 1, size))]

    yield "equal scales", *add(quant(0.05, 3), quant(0.05, -4), quant(0.05, 5))
    yield "equal scales, output twice as coarse", *add(quant(0.5), quant(0.5), quant(1), size=96)
    yield "halves: scales 1/2, 1/4 and 1", *add(quant(0.5), quant(0.25), quant(1, 1), size=96)
    yield "one value", *add(quant(0.05, 3), quant(0.02, -4), quant(0.06, 5), size=1, count=8)
    for zeros in [(LOW, LOW, LOW), (HIGH, HIGH, HIGH), (LOW, HIGH, LOW), (HIGH, LOW, HIGH)]:
        a, b, c = (quant(s, z) for s, z in zip((0.03, 0.05, 0.07), zeros, strict=True))
        yield f"zero points {zeros[0]}, {zeros[1]}, {zeros[2]}", *add(a, b, c)
    for power in (8, 20, 29, 30, 33):
        other = quant(0.7 * 2.0**-power, 5)
        yield f"second 2^-{power} of the first", *add(quant(0.7, -3), other, quant(0.6, 2))
        yield f"first 2^-{power} of the second", *add(other, quant(0.7, -3), quant(0.6, 2))
    yield "saturates", *add(quant(0.5, 3), quant(0.4, -4), quant(0.01, 5))
    yield "finest output", *add(quant(0.5), quant(0.4), quant(1.01 * 2**-20, 5))
    yield "coarsest output", *add(quant(0.5), quant(0.4), quant(3000, 5))
    for activation, made in [
        ("relu", quant(0.06, LOW)),
        ("relu", quant(0.06, -20)),
        ("relu6", quant(0.05, -20)),
        ("relu6", quant(12 / 97, 0)),
    ]:
        name = f"{activation}, {made['scale']:.4g} a step from {made['zero']}"
        yield name, *add(quant(0.05, 3), quant(0.08, -4), made, activation)
    for i in range(6):
        scales = 10 ** rng.uniform(-3, 0, 2)
        zeros = [int(v) for v in rng.integers(LOW, HIGH + 1, 3)]
        made = quant(max(scales) * 2 ** rng.uniform(-1, 2), zeros[2])
        yield f"random {i}", *add(quant(scales[0], zeros[0]), quant(scales[1], zeros[1]), made)


def softmax_cases(rng):
    """Yields (name, layer, rows of inputs)."""

    def softmax(size, scale, beta=1, rows=None, zero=3):
        layer = dict(type="softmax", size=size, input=quant(scale, zero), output=PROBABILITY)
        layer["beta"] = f32(beta)
        if rows is None:
            middle = [int(rng.integers(-100, 100))] * size
            drawn = [list(rng.integers(v - 12, v + 12, size)) for v in (-60, 0, 60)]
            rows = rows_of(rng, size, 6) + [middle] + drawn
        return layer, rows

    yield "one value", *softmax(1, 0.1)
    ends = [[LOW, v] for v in (LOW, -127, 0, 126, HIGH)] + [[v, HIGH] for v in (126, 0, -5)]
    yield "two values", *softmax(2, 0.05, rows=ends + [[v, 3 * v % 128] for v in range(-40, 40, 9)])
    yield "12 values, as keyword spotting", *softmax(12, 0.170603)
    yield "6 values, as gestures", *softmax(6, 0.0838)
    yield "40 values", *softmax(40, 0.1)
    for scale in (0.01, 0.05, 1):
        yield f"every value once, scale {scale}", *softmax(256, scale, rows=[ALL])
    # 2^-26 is the least that TFLM takes; from 32 its multiplier is capped.
    for scale in (1.01 * 2**-26, 2.0**-20, 2.0**-5, 2, 15.9, 31, 31.99, 32, 33, 1e5):
        yield f"scale {scale:.4g}", *softmax(5, scale)
    for beta in (0.1, 0.5, 2, 3.7, 1e-4, 900):
        yield f"beta {beta}", *softmax(7, 0.08, beta)
    for zero in (LOW, HIGH):
        yield f"zero point {zero}", *softmax(4, 0.1, zero=zero)


def table_cases(rng):
    """Yields (name, layer, [every int8]) of LOGISTIC."""
    scales = [1.5 * 2.0**-27, 2.0**-20, 0.001, 1 / 16, 0.05, 0.0470588, 0.117, 0.5, 1, 7.9, 15, 16, 300]
    for scale in scales:
        for zero in (0,) if scale < 0.01 or scale > 1 else (0, LOW, HIGH):
            layer = dict(type="logistic", size=256, input=quant(scale, zero), output=PROBABILITY)
            yield f"scale {scale:.4g}, zero point {zero}", layer, [ALL]
    for i in range(4):
        given = quant(10 ** rng.uniform(-2, 0), int(rng.integers(LOW, HIGH + 1)))
        layer = dict(type="logistic", size=256, input=given, output=PROBABILITY)
        yield f"random {i}", layer, [ALL]


def quantise_cases(rng):
    """Yields (name, layer, [every int8]) of QUANTIZE from int8 to int8."""

    def quantise(given, made):
        return dict(type="quantise", size=256, input=given, output=made), [ALL]

    yield "nothing changes", *quantise(quant(0.05, 3), quant(0.05, 3))
    yield "only the zero point changes", *quantise(quant(0.05, -3), quant(0.05, 40))
    for power in (1, 2, 3):
        yield f"ties: scale 1/{2**power}", *quantise(quant(2.0**-power), quant(1))
    for scale in (1 - 2**-24, 1 + 2**-23, 3, 0.3, 200, 2.0**-9, 2.0**-31, 2.0**-33):
        yield f"scale {scale:.4g}", *quantise(quant(scale, 7), quant(1, -9))
    for low, high in [(LOW, LOW), (HIGH, HIGH), (LOW, HIGH), (HIGH, LOW)]:
        yield f"zero points {low} and {high}", *quantise(quant(0.05, low), quant(0.083, high))
    for i in range(4):
        zeros, given = [int(v) for v in rng.integers(LOW, HIGH + 1, 2)], 10 ** rng.uniform(-3, 0)
        made = quant(given * 2 ** rng.uniform(-2, 2), zeros[1])
        yield f"random {i}", *quantise(quant(given, zeros[0]), made)


def edge_cases(rng):
    """Yields (name, layer, rows of inputs) of QUANTIZE from and DEQUANTIZE to float32."""
    # A quotient of 2^31 or more is undefined in C, so the greatest value stays below.
    wide = [0.0, -0.0, 1e-30, -1e-30, 1e4, -1e4, 2.0**20, -(2.0**20), 1e7, -1e7]
    for scale, zero in [(0.5, 0), (1, LOW), (0.0625, HIGH), (0.1, 3), (0.0078125, -5), (1 / 3, 60)]:
        step = f32(scale)
        ties = [(k + 0.5) * step for k in range(-12, 12)]
        near = [float(np.nextafter(np.float32(t), np.float32(to))) for t in ties for to in (-1e9, 1e9)]
        ends = [(q - zero + d) * step for q in (LOW, HIGH) for d in (-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75)]
        drawn = list(rng.uniform(-140 * step, 140 * step, 12))
        row = [f32(v) for v in [*ties, *near, *ends, *drawn, *wide]]
        layer = {"type": "quantise-float", "size": len(row), "output": quant(scale, zero)}
        yield f"to int8, {scale:.4g} a step from {zero}", layer, [row]
    for scale, zero in [(0.1, 0), (1 / 256, LOW), (0.0470588, HIGH), (1e-30, 3), (1e30, -5)]:
        layer = {"type": "dequantise-float", "size": 256, "input": quant(scale, zero)}
        yield f"to float32, {scale:.4g} a step from {zero}", layer, [ALL]
