"""Corners of FULLY_CONNECTED, CONV_2D and DEPTHWISE_CONV_2D."""

import numpy as np

from one_op import f32

LOW, HIGH = -128, 127


def quant(scale, zero=0):
    """Scale (made a float32) and zero point of an activation."""
    return {"scale": f32(scale), "zero": zero}


def filled(rng, layer, rows, size, outputs, weights=None, bias=None, scales=None):
    """(layer, inputs): what is not given is random, biases of a size that the output shows."""
    count = outputs * size
    layer["weights"] = list(rng.integers(LOW, HIGH + 1, count)) if weights is None else weights
    reach = max(1, min(2e9, 60 * layer["output"]["scale"] / layer["input"]["scale"] / max(scales)))
    drawn = [int(b) for b in rng.uniform(-reach, reach, outputs)]
    layer["bias"] = drawn if bias is None else bias
    layer["weightScale"] = [f32(s) for s in scales]
    layer.setdefault("activation", "none")
    return layer, rows


def rows_of(rng, size, count=6):
    """All lowest, all highest, one of only both ends, then random."""
    ends = [[LOW] * size, [HIGH] * size, list(rng.choice([LOW, HIGH], size))]
    return (ends + [list(rng.integers(LOW, HIGH + 1, size)) for _ in range(count)])[:count]


def dense_cases(rng):
    """Yields (name, layer, rows of inputs)."""

    def dense(inputs, outputs, given, scales, made, count=4, rows=None, activation="none", **rest):
        layer = dict(type="dense", inputs=inputs, outputs=outputs, input=given, output=made)
        layer["activation"] = activation
        rows = rows_of(rng, inputs, count) if rows is None else rows
        return filled(rng, layer, rows, inputs, outputs, scales=scales, **rest)

    every = [[v] for v in [*range(LOW, HIGH + 1, 11), *range(-5, 6)]]
    few = [[v] for v in (LOW, -1, 0, 1, HIGH)]
    a, b = quant(0.05, -7), [0.01]
    yield "33 to 20, zero points inside", *dense(33, 20, a, b, quant(0.3, 11))
    yield "128 to 6", *dense(128, 6, a, b, quant(0.5, 3), 4)
    yield "300 inputs", *dense(300, 4, quant(0.05, -9), b, quant(1.1, 4), 4)
    yield "no bias", *dense(9, 5, a, b, quant(0.1, 4), bias=[])
    yield "relu at -128", *dense(16, 8, a, b, quant(0.2, LOW), activation="relu")
    yield "relu inside the range", *dense(16, 8, a, b, quant(0.2, -20), activation="relu")
    yield "relu at 127 leaves one value", *dense(16, 8, a, b, quant(0.2, HIGH), activation="relu")
    for scale, zero in [(0.05, LOW), (0.05, -20), (12 / 97, 0), (12 / 99, -1), (0.01, 5), (9, 3)]:
        made = quant(scale, zero)
        name = f"relu6, {scale:.4g} a step from {zero}"
        yield name, *dense(8, 8, quant(0.3, 2), b, made, activation="relu6")
    for low, high in [(LOW, LOW), (HIGH, HIGH), (LOW, HIGH), (HIGH, LOW)]:
        name = f"zero points {low} and {high}"
        yield name, *dense(12, 6, quant(0.04, low), [0.02], quant(0.3, high))
    yield "saturates at both ends", *dense(24, 10, quant(0.5), [0.02], quant(0.05))
    yield "one input, one output", *dense(1, 1, quant(0.5, -3), [0.25], quant(0.5, 5), rows=every)
    yield "one input, three outputs", *dense(1, 3, quant(0.1, 1), b, quant(0.02, -1), rows=every)
    for power in (1, 2, 3, 5):
        weights, bias = [1, -1, 1, -1, 1, 1], [0, 0, 1, 1, 2 ** (power - 1), -(2 ** (power - 1))]
        name = f"ties: scale 1/{2**power}"
        given = dict(weights=weights, bias=bias, rows=every)
        yield name, *dense(1, 6, quant(0.5), [2.0**-power], quant(0.5, 1), **given)
    plain = dict(weights=[1, -1, 127, 2], bias=[0, 1, -1, 5], rows=every)
    yield "scale just below 1/2", *dense(1, 4, quant(0.5), [1 - 2**-24], quant(1), **plain)
    yield "scale just above 1/2", *dense(1, 4, quant(0.5), [1 + 2**-23], quant(1), **plain)
    yield "scale just below 1", *dense(1, 4, quant(1), [1 - 2**-24], quant(1), **plain)
    carry = quant(1 + 2**-23)
    yield "significand rounds up to 1", *dense(1, 4, carry, [1 - 2**-23], quant(1), **plain)
    far = [sign * (2**29 * half + 2**23) for half in (2, 3) for sign in (1, -1)]
    plain["bias"], scale = far, (1 - 2**-23) * 2**-24
    yield "significand rounds up to 1, tie far right", *dense(1, 4, carry, [scale], quant(1), **plain)
    plain["bias"] = [0, 1, -1, 5]
    yield "scale 1", *dense(1, 4, quant(1), [1], quant(1), **plain)
    plain["rows"] = few
    yield "left shift: scale 3", *dense(1, 4, quant(1), [0.75], quant(0.25), **plain)
    yield "left shift: scale 1100", *dense(1, 4, quant(11), [10], quant(0.1, -5), **plain)
    for power in (12, 15, 18, 21, 22, 23, 24, 26, 29, 30, 31, 32, 33):
        bias = [2**31 - 40000, 40000 - 2**31, 2**30, -(2**30), 3 * 2**29, -3 * 2**29, 2**24, -(2**24)]
        bias += [int(v) for v in rng.integers(-(2**31) + 40000, 2**31 - 40000, 4)]
        name, scale = f"biases up to 2^31, scale about 2^-{power}", [1.3 * 2.0**-power]
        # Without 0.5 · 2 the smallest would be no float32 that every runtime takes as normal.
        yield name, *dense(1, 12, quant(0.5), scale, quant(0.5, 2), bias=bias, rows=few)
    # Scales at which the product of input's and weights' rounded to float32 would give another value.
    for given, weight, made, value in [
        (0.17658782005310059, 0.0019205885473638773, 0.19727791845798492, -66020),
        (0.009623699821531773, 0.0011331263231113553, 0.8416287302970886, 4823698),
        (0.02386355586349964, 0.0037935192231088877, 0.24994024634361267, 329933),
    ]:
        name = f"scales' product in double, bias {value}"
        args = dict(weights=[0, 1, -1], bias=[value] * 3, rows=few)
        yield name, *dense(1, 3, quant(given), [weight], quant(made), **args)
    yield "a scale an output", *dense(12, 5, a, [0.001, 0.01, 0.003, 0.2, 0.0004], quant(0.3, -3))
    spread = [2.0**-33, 2.0**-26, 1 - 2**-24, 1, 3, 1.7 * 2**-8]
    yield "scales an output far apart", *dense(5, 6, quant(1, 4), spread, quant(1, -2))
    for i in range(12):
        inputs, outputs = int(rng.integers(1, 12)), int(rng.integers(1, 9))
        scales = 10 ** rng.uniform(-4, -1, outputs if i % 2 else 1)
        zeros = rng.integers(LOW, HIGH + 1, 2)
        given, made = quant(10 ** rng.uniform(-2, 0), int(zeros[0])), int(zeros[1])
        reach = given["scale"] * float(np.mean(scales)) * inputs * rng.uniform(20, 90)
        yield f"random {i}", *dense(inputs, outputs, given, list(scales), quant(reach, made))


def window(height, width, kernel, stride, padding):
    """Fields that convolutions and pools share."""
    sides = ("height", "width", "kernelHeight", "kernelWidth", "strideHeight", "strideWidth")
    return dict(zip(sides, (height, width, *kernel, *stride), strict=True), padding=padding)


SHAPES = [
    ("odd shape, same", window(7, 5, (3, 2), (2, 3), "same")),
    ("odd shape, valid", window(7, 5, (3, 2), (2, 3), "valid")),
    ("height 1, same", window(1, 13, (1, 5), (1, 1), "same")),
    ("height 1, valid, stride 2", window(1, 17, (1, 4), (1, 2), "valid")),
    ("height 1, same, even kernel, stride 2", window(1, 14, (1, 4), (1, 2), "same")),
    ("width 1", window(9, 1, (3, 1), (2, 1), "same")),
    ("one pixel", window(1, 1, (1, 1), (1, 1), "valid")),
    ("kernel larger than the input", window(2, 3, (5, 7), (1, 1), "same")),
    ("kernel much larger, strides", window(3, 2, (6, 5), (2, 2), "same")),
    ("kernel as large as the input", window(4, 3, (4, 3), (1, 1), "valid")),
    ("strides larger than the kernel, same", window(8, 7, (2, 1), (3, 4), "same")),
    ("strides larger than the kernel, valid", window(8, 7, (2, 1), (3, 4), "valid")),
    ("same where valid is the same", window(6, 6, (2, 2), (2, 2), "same")),
    ("3 by 3, stride 2, padding only below and right", window(6, 6, (3, 3), (2, 2), "same")),
]


def convolution_cases(rng, kind):
    """Yields (name, layer, rows of inputs) of conv2d or depthwise2d."""

    def conv(shape, given, scales, made, channels=2, outputs=2, count=4, rows=None, **rest):
        layer = dict(type=kind, channels=channels, input=given, output=made, **shape)
        area = shape["kernelHeight"] * shape["kernelWidth"]
        if kind == "conv2d":
            layer["filters"], area = outputs, area * channels
        else:
            layer["depthMultiplier"], outputs = outputs, outputs * channels
        layer["activation"] = rest.pop("activation", "none")
        size = shape["height"] * shape["width"] * channels
        rows = rows_of(rng, size, count)[1:] if rows is None else rows
        scales = list(np.resize(scales, outputs)) if len(scales) > 1 else scales
        return filled(rng, layer, rows, area, outputs, scales=scales, **rest)

    each, line = [0.004, 0.011, 0.0007, 0.02], window(1, 256, (1, 1), (1, 1), "same")
    all256, small = [list(range(LOW, HIGH + 1))], window(4, 5, (3, 3), (1, 1), "same")
    times = 2 if kind == "depthwise2d" else 3
    for i, (name, shape) in enumerate(SHAPES):
        channels = [2, 1, 3, 2][i % 4]
        made = quant(0.2, [5, LOW, HIGH, -30][i % 4])
        yield name, *conv(shape, quant(0.04, [-9, HIGH, LOW, 3][i // 4]), each, made, channels, times)
    yield "one channel, one output", *conv(small, quant(0.04, 9), [0.01], quant(0.1), 1, 1)
    yield "five channels, one output each", *conv(small, quant(0.04, 9), each, quant(0.1), 5, 1)
    yield "three outputs a channel", *conv(small, quant(0.04, 9), each, quant(0.1), 2, 3)
    yield "one scale", *conv(small, quant(0.04, 9), [0.01], quant(0.2, 7), 3, times)
    if kind == "conv2d":  # TFLM's interpreter crashes on a depthwise convolution without one
        yield "no bias", *conv(small, quant(0.04, -9), each, quant(0.1, 7), 3, times, bias=[])
    for given, made in [(LOW, LOW), (HIGH, HIGH), (LOW, HIGH), (HIGH, LOW)]:
        name = f"padding with zero points {given} and {made}"
        yield name, *conv(small, quant(0.04, given), each, quant(0.2, made))
    for activation, scale, zero in [("relu", 0.1, -20), ("relu6", 0.05, LOW), ("relu6", 12 / 97, 0)]:
        name, made = f"{activation}, {scale:.4g} a step from {zero}", quant(scale, zero)
        yield name, *conv(small, quant(0.1, 4), each, made, activation=activation)
    yield "saturates at both ends", *conv(small, quant(0.5), each, quant(0.01))
    near = dict(channels=1, outputs=4, rows=all256, weights=[1, -1, 1, -3], bias=[0, 0, 1, 5])
    for power in (1, 2, 5):
        name = f"ties: scale 1/{2**power}"
        yield name, *conv(line, quant(0.5), [2.0**-power], quant(0.5, 1), **near)
    ends = [1 - 2**-24, 1 + 2**-23, 2.0**-26, 3]
    yield "scales around 1, tiny, 3", *conv(line, quant(1), ends, quant(1, -2), **near)
    short = dict(near, rows=[[LOW, -1, 0, 1, HIGH]], weights=[0, 0, 1, -1])
    short["bias"] = [2**31 - 9, 9 - 2**31, 2**31 - 300, 300 - 2**31]
    tiny = [1.3 * 2.0**-31, 1.9 * 2.0**-32, 1.3 * 2.0**-24, 1.9 * 2.0**-33]
    five = window(1, 5, (1, 1), (1, 1), "same")
    yield "scales about 2^-24 to 2^-33", *conv(five, quant(1), tiny, quant(1, 2), **short)
    product = [0.17658782005310059, 0.0019205885473638773, 0.19727791845798492]
    short["bias"], short["weights"] = [-66020] * 4, [0, 0, 0, 1]
    for scales in (product[1:2], product[1:2] * 4):
        name = f"scales' product in double, {len(scales)} scales"
        yield name, *conv(five, quant(product[0]), scales, quant(product[2]), **short)
    for i in range(8):
        high, wide, *sides = (int(v) for v in rng.integers(1, [6, 7, 4, 4, 4, 4]))
        padding = "same" if i % 2 or sides[0] > high or sides[1] > wide else "valid"
        shape = window(high, wide, sides[:2], sides[2:], padding)
        zeros = [int(v) for v in rng.integers(LOW, HIGH + 1, 2)]
        scales, given = list(10 ** rng.uniform(-3, -1, 3)), 10 ** rng.uniform(-2, 0)
        reach, channels = given * max(scales) * rng.uniform(50, 300), int(rng.integers(1, 4))
        yield f"random {i}", *conv(shape, quant(given, zeros[0]), scales, quant(reach, zeros[1]), channels)
