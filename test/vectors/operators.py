"""From a layer (the JSON form of gateway/train/quant-layer.ts) to the operator that runs it in TFLM."""

import numpy as np

from one_op import ACTIVATION, CODE, PADDING, one_op, options, tensor


def windows(layer):
    """Height and width of a convolution's or pool's output."""

    def size(given, kernel, stride):
        return -(-given // stride) if layer["padding"] == "same" else (given - kernel) // stride + 1

    return (
        size(layer["height"], layer["kernelHeight"], layer["strideHeight"]),
        size(layer["width"], layer["kernelWidth"], layer["strideWidth"]),
    )


def weighted(layer):
    """FULLY_CONNECTED, CONV_2D or DEPTHWISE_CONV_2D; a bias of None is absent from the file."""
    kind, scales = layer["type"], np.asarray(layer["weightScale"], np.float32)
    weights = np.asarray(layer["weights"], np.int8)
    if kind == "dense":
        given, made, code = [1, layer["inputs"]], [1, layer["outputs"]], CODE.FULLY_CONNECTED
        shape, option = [layer["outputs"], layer["inputs"]], options(
            "FullyConnectedOptions", fusedActivationFunction=ACTIVATION[layer["activation"]]
        )
    else:
        kernel = [layer["kernelHeight"], layer["kernelWidth"]]
        given = [1, layer["height"], layer["width"], layer["channels"]]
        moves = dict(
            strideH=layer["strideHeight"],
            strideW=layer["strideWidth"],
            padding=PADDING[layer["padding"]],
            fusedActivationFunction=ACTIVATION[layer["activation"]],
            dilationHFactor=1,
            dilationWFactor=1,
        )
        if kind == "conv2d":
            code, filters = CODE.CONV_2D, layer["filters"]
            shape = [filters, *kernel, layer["channels"]]
            option = options("Conv2DOptions", **moves)
        else:
            code, times = CODE.DEPTHWISE_CONV_2D, layer["depthMultiplier"]
            filters = layer["channels"] * times
            shape = [1, *kernel, filters]
            weights = weights.reshape(filters, *kernel).transpose(1, 2, 0)
            option = options("DepthwiseConv2DOptions", depthMultiplier=times, **moves)
        made = [1, *windows(layer), filters]
    # The bias' scale takes no part in the arithmetic, but TFLM refuses one far from input · weights.
    bias_scale = np.float32(layer["input"]["scale"]) * scales
    bias = layer["bias"]
    inputs = [
        tensor(given, layer["input"]),
        tensor(shape, {"scale": scales}, "int8", weights, 3 if kind == "depthwise2d" else 0),
        None if bias is None else tensor([len(bias)], {"scale": bias_scale}, "int32", bias),
    ]
    return one_op(code, inputs, tensor(made, layer["output"]), option)


def pool(layer):
    """MAX_POOL_2D or AVERAGE_POOL_2D."""
    code = CODE.MAX_POOL_2D if layer["type"] == "maxpool2d" else CODE.AVERAGE_POOL_2D
    option = options(
        "Pool2DOptions",
        strideH=layer["strideHeight"],
        strideW=layer["strideWidth"],
        filterHeight=layer["kernelHeight"],
        filterWidth=layer["kernelWidth"],
        padding=PADDING[layer["padding"]],
        fusedActivationFunction=ACTIVATION[layer["activation"]],
    )
    given = tensor([1, layer["height"], layer["width"], layer["channels"]], layer["input"])
    made = tensor([1, *windows(layer), layer["channels"]], layer["input"])
    return one_op(code, [given], made, option)


def mean(layer, keep=False):
    """MEAN over height and width."""
    given = tensor([1, layer["height"], layer["width"], layer["channels"]], layer["input"])
    axes = tensor([2], None, "int32", [1, 2])
    shape = [1, 1, 1, layer["channels"]] if keep else [1, layer["channels"]]
    option = options("ReducerOptions", keepDims=keep)
    return one_op(CODE.MEAN, [given, axes], tensor(shape, layer["output"]), option)


def simple(layer):
    """ADD, SOFTMAX, LOGISTIC, and QUANTIZE and DEQUANTIZE of every kind: one row in, one out."""
    shape, kind = [1, layer["size"]], layer["type"]
    given = tensor(shape, layer.get("input"), "float32" if kind == "quantise-float" else "int8")
    made = tensor(shape, layer.get("output"), "float32" if kind == "dequantise-float" else "int8")
    if kind == "add":
        fused = ACTIVATION[layer["activation"]]
        option = options("AddOptions", fusedActivationFunction=fused)
        return one_op(CODE.ADD, [given, tensor(shape, layer["input2"])], made, option)
    code, option = {
        "softmax": (CODE.SOFTMAX, options("SoftmaxOptions", beta=layer.get("beta", 1))),
        "logistic": (CODE.LOGISTIC, None),
        "quantise": (CODE.QUANTIZE, options("QuantizeOptions")),
        "quantise-float": (CODE.QUANTIZE, options("QuantizeOptions")),
        "dequantise-float": (CODE.DEQUANTIZE, options("DequantizeOptions")),
    }[kind]
    return one_op(code, [given], made, option)


def tflite(layer):
    """The one-operator .tflite of a layer."""
    kind = layer["type"]
    if kind in ("dense", "conv2d", "depthwise2d"):
        return weighted(layer)
    if kind in ("maxpool2d", "avgpool2d"):
        return pool(layer)
    return mean(layer) if kind == "mean" else simple(layer)
