"""Whole models: hashes of outputs for seeded random inputs, from TFLM, LiteRT and ONNX Runtime."""

import hashlib
from pathlib import Path

import flatbuffers
import numpy as np

from generate import HERE, micro, write
from one_op import run

COUNT = 1000
SEED = 20261124
STREAM = (
    "numbers u are mulberry32's from seed: s = (s + 0x6d2b79f5) mod 2^32; "
    "t = (s xor s >>> 15) * (s or 1) mod 2^32; t = t xor (t + ((t xor t >>> 7) * (t or 61) mod 2^32) mod 2^32); "
    "u = t xor t >>> 14. Input i (from 0) takes one u for its centre, then one for each value, in the tensor's order; "
    "k = i mod 8. int8: n(u) = (u >>> 24) - 128, value = clamp(centre + floor(n / 2^k)) to -128 to 127. float32: "
    "n(u) = u / 2^32 * 288 - 144, value = float32((centre + n / 2^k) * scale) with the scale of QUANTIZE's int8 "
    "tensor, so that some are out of range. centre = n(u), but 0 where k is 0. outputSha256 is of all outputs, as "
    "int8 or little-endian float32; logitsSha256 of what goes into a model's last SOFTMAX; output has the first"
)


def mulberry32(seed, count):
    """The next count uint32 of the generator that STREAM describes."""
    add, word = np.uint32(0x6D2B79F5), np.uint32
    with np.errstate(over="ignore"):
        s = word(seed) + add * np.arange(1, count + 1, dtype=word)
        t = (s ^ (s >> word(15))) * (s | word(1))
        t ^= t + (t ^ (t >> word(7))) * (t | word(61))
        return t ^ (t >> word(14))


def read(model):
    """Input's shape and the scale for float inputs (None for int8 ones)."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0)).subgraphs[0]
    given = graph.tensors[graph.inputs[0]]
    shape = [int(size) for size in given.shape]
    if given.type == schema.TensorType.INT8:
        return shape, None
    first = next(op for op in graph.operators if op.inputs[0] == graph.inputs[0])
    return shape, float(graph.tensors[first.outputs[0]].quantization.scale[0])


def inputs(seed, shape, scale):
    """COUNT inputs, as STREAM says, each flat."""
    drawn = mulberry32(seed, COUNT * (int(np.prod(shape)) + 1)).reshape(COUNT, -1)
    k = (np.arange(COUNT) % 8)[:, None]
    if scale is None:
        n = (drawn >> np.uint32(24)).astype(np.int32) - 128
        near = np.where(k == 0, 0, n[:, :1]) + (n[:, 1:] >> k)
        return np.clip(near, -128, 127).astype(np.int8)
    n = drawn.astype(np.float64) / 2**32 * 288 - 144
    return ((np.where(k == 0, 0, n[:, :1]) + n[:, 1:] / 2.0**k) * scale).astype(np.float32)


def without_softmax(model):
    """The model up to the SOFTMAX it ends with, or None if it ends with something else."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    made = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    graph = made.subgraphs[0]
    last = graph.operators[-1]
    code = made.operatorCodes[last.opcodeIndex]
    softmax = schema.BuiltinOperator.SOFTMAX
    if max(code.builtinCode, code.deprecatedBuiltinCode) != softmax:
        return None
    graph.operators, graph.outputs = graph.operators[:-1], [last.inputs[0]]
    builder = flatbuffers.Builder(1024)
    builder.Finish(made.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def golden(path):
    """What TFLM gives for a file, and the inputs."""
    model = path.read_bytes()
    shape, scale = read(model)
    rows = inputs(SEED, shape, scale)
    output = np.stack(run(model, rows))
    shown = output[: 20 if output.shape[1] <= 32 else 2]
    before = without_softmax(model)
    logits = before and {"logitsSha256": sha256(np.stack(run(before, rows)).tobytes())}
    body = {
        "file": path.name,
        "sha256": sha256(model),
        "seed": SEED,
        "inputs": COUNT,
        "type": "int8" if scale is None else "float32",
        **({} if scale is None else {"scale": scale}),
        "outputSha256": sha256(output.tobytes()),
        **(logits or {}),
        "output": shown,
    }
    return body, rows, output, shape


def models(shared):
    """models.json: the public models that the issue names, in the folder of shared recordings."""
    names = ["mlperf-tiny/ad01_int8", "mlperf-tiny/kws_ref_model"]
    names += [f"bangle-gestures/exports/{version}.quant" for version in ("v10", "v11")]
    found = [golden(shared / f"{name}.tflite")[0] for name in names]
    for name, body in zip(names, found, strict=True):
        body["file"] = f"{name}.tflite"
    write(HERE / "models.json", f"{micro()}; {STREAM}", {"models": found})


def litert(path, rows, shape):
    """Outputs of LiteRT with its default delegate, XNNPACK."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    made = interpreter.get_output_details()[0]["index"]
    for row in rows:
        interpreter.set_tensor(given, row.reshape(shape))
        interpreter.invoke()
        yield interpreter.get_tensor(made).reshape(-1)


def onnx(path, rows):
    """Outputs of ONNX Runtime on one thread; where the batch's size is open, it is one."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    shape = [size if isinstance(size, int) else 1 for size in given.shape]
    for row in rows:
        yield session.run(None, {given.name: row.reshape(shape)})[0].reshape(-1)


def compared(output, other):
    """Share of equal values and the largest difference in steps."""
    other = np.stack(list(other))
    if output.dtype != np.int8 or other.dtype != np.int8 or other.shape != output.shape:
        raise TypeError(f"{other.dtype}{other.shape} and {output.dtype}{output.shape} should be int8")
    steps = np.abs(other.astype(np.int32) - output)
    return {"equal": float((steps == 0).mean()), "largestStep": int(steps.max())}


def trained(folder: Path):
    """trained.json: each .tflite of a folder (int8 in and out), and the .onnx of the same name."""
    found = []
    for path in sorted(folder.glob("*.tflite")):
        body, rows, output, shape = golden(path)
        body["litert"] = compared(output, litert(path, rows, shape))
        other = path.with_suffix(".onnx")
        if other.exists():
            body["onnxSha256"] = sha256(other.read_bytes())
            body["onnxruntime"] = compared(output, onnx(other, rows))
        found.append(body)
        print(path.name, body["litert"], body.get("onnxruntime"))
    if not found:
        raise SystemExit(f"no .tflite in {folder}")
    from importlib.metadata import version

    others = ", ".join(f"{p} {version(p)}" for p in ("ai-edge-litert", "onnxruntime"))
    write(HERE / "trained.json", f"{micro()}; {STREAM}; compared with {others}", {"models": found})
