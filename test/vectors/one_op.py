"""Builds one-operator int8 .tflite files and runs them in TensorFlow Lite Micro's interpreter."""

import flatbuffers
import numpy as np
from tflite_micro.python.tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

CODE = schema.BuiltinOperator
OPTIONS = schema.BuiltinOptions
TYPES = {
    "int8": schema.TensorType.INT8,
    "int32": schema.TensorType.INT32,
    "float32": schema.TensorType.FLOAT32,
}
ACTIVATION = {
    "none": schema.ActivationFunctionType.NONE,
    "relu": schema.ActivationFunctionType.RELU,
    "relu6": schema.ActivationFunctionType.RELU6,
}
PADDING = {"same": schema.Padding.SAME, "valid": schema.Padding.VALID}


def f32(value):
    """The float32 nearest to value, as a Python float: what a .tflite file can hold."""
    return float(np.float32(value))


def tensor(shape, quant=None, kind="int8", data=None, dimension=0):
    """A tensor; quant is {"scale": number or list, "zero": int}; data makes it a constant."""
    made = schema.TensorT()
    made.shape, made.type, made.name = list(shape), TYPES[kind], "t"
    if quant is not None:
        made.quantization = schema.QuantizationParametersT()
        scales = np.atleast_1d(np.asarray(quant["scale"], np.float32))
        made.quantization.scale = scales
        made.quantization.zeroPoint = np.full(len(scales), quant.get("zero", 0), np.int64)
        made.quantization.quantizedDimension = dimension
    made.constant = None if data is None else np.asarray(data, kind).tobytes()
    return made


def options(kind, **fields):
    """An operator's options object, e.g. options("Pool2DOptions", strideW=1, ...)."""
    made = getattr(schema, kind + "T")()
    for name, value in fields.items():
        if not hasattr(made, name):
            raise AttributeError(f"{kind} has no {name}")
        setattr(made, name, value)
    return getattr(OPTIONS, kind), made


def one_op(code, inputs, output, option):
    """A .tflite of one operator: inputs without data are the model's inputs (None is absent)."""
    model = schema.ModelT()
    model.version = 3
    graph = schema.SubGraphT()
    empty = schema.BufferT()
    model.buffers, graph.tensors, places = [empty], [], []
    for made in [*inputs, output]:
        if made is None:
            places.append(-1)
            continue
        made.buffer = 0
        if made.constant is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(made.constant, np.uint8)
            made.buffer = len(model.buffers)
            model.buffers.append(buffer)
        places.append(len(graph.tensors))
        graph.tensors.append(made)
    fed = [i for i, made in enumerate(inputs) if made is not None and made.constant is None]
    graph.inputs = [places[i] for i in fed]
    graph.outputs = [places[-1]]
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, places[:-1], [places[-1]]
    if option is not None:
        operator.builtinOptionsType, operator.builtinOptions = option
    graph.operators = [operator]
    known = schema.OperatorCodeT()
    known.builtinCode, known.deprecatedBuiltinCode, known.version = code, min(code, 127), 1
    model.operatorCodes, model.subgraphs = [known], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def run(model, *streams):
    """Outputs of a model for rows of each input, flat, in TFLM's interpreter."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=len(model) * 10 + 200_000)
    details = [interpreter.get_input_details(i) for i in range(len(streams))]
    rows = []
    for values in zip(*streams, strict=True):
        for i, (row, detail) in enumerate(zip(values, details, strict=True)):
            data = np.asarray(row, detail["dtype"]).reshape(detail["shape"])
            interpreter.set_input(data, i)
        interpreter.invoke()
        rows.append(interpreter.get_output(0).reshape(-1).copy())
    return rows
