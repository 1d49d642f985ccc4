"""Writes this folder's golden vectors from TensorFlow Lite Micro.

The vectors are committed, so neither the product nor its tests need this. Its packages (Python 3.11):
tflite-micro, flatbuffers, numpy; for `trained` also ai-edge-litert and onnxruntime.

    python generate.py operators        kernel/*.json
    python generate.py models FOLDER    models.json, of the shared recordings' folder
    python generate.py trained FOLDER   trained.json, of a folder of .tflite (and .onnx) exports
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
EVERY = list(range(-128, 128))


def plain(value):
    """numpy's numbers as Python's, for JSON."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else float(value)


def write(path, origin, body):
    """Writes {"origin", ...body} as the formatter of this project has it."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"origin": origin, **body}, default=plain))
    biome = HERE.parents[1] / "node_modules/.bin/biome"
    subprocess.run([biome, "format", "--write", path], check=True, stdout=subprocess.DEVNULL)
    print(f"{path.relative_to(HERE)}: {path.stat().st_size} bytes")


def micro():
    """What the outputs are from."""
    from tflite_micro.python.tflite_micro import _version

    return f"TensorFlow Lite Micro, Python package tflite_micro {_version.__version__} (x86-64)"


def cases(rows):
    """Runs what a generator of (name, layer, inputs...) yields; a bias of [] is absent, so zeros.

    A row of inputs that is -128 to 127 is written as "every".
    """
    from one_op import run
    from operators import mean, tflite

    made = []
    for name, layer, *streams in rows:
        bias = layer.get("bias")
        model = tflite({**layer, "bias": bias if bias else None} if "bias" in layer else layer)
        output = run(model, *streams)
        if layer["type"] == "mean":
            kept = run(mean(layer, keep=True), *streams)
            assert all((a == b).all() for a, b in zip(output, kept, strict=True)), name
        if bias == []:
            outputs = layer.get("outputs") or layer.get("filters")
            layer["bias"] = [0] * (outputs or layer["channels"] * layer["depthMultiplier"])
        short = [["every" if row == EVERY else row for row in rows] for rows in streams]
        fed = dict(zip(("input", "input2"), short, strict=False))
        made.append({"name": name, "layer": layer, **fed, "output": output})
    return made


def operators():
    """kernel/*.json."""
    import unweighted_cases as other
    import weighted_cases as weighted

    files = {
        "dense": weighted.dense_cases,
        "conv2d": lambda rng: weighted.convolution_cases(rng, "conv2d"),
        "depthwise2d": lambda rng: weighted.convolution_cases(rng, "depthwise2d"),
        "maxpool2d": lambda rng: other.pool_cases(rng, "maxpool2d"),
        "avgpool2d": lambda rng: other.pool_cases(rng, "avgpool2d"),
        "mean": other.mean_cases,
        "add": other.add_cases,
        "softmax": other.softmax_cases,
        "logistic": other.table_cases,
        "quantise": other.quantise_cases,
        "edges": other.edge_cases,
    }
    how = "its interpreter's outputs for one-operator files that test/vectors/generate.py built"
    how += '; a row of inputs "every" is -128 to 127'
    for i, (name, generator) in enumerate(files.items()):
        body = {"cases": cases(generator(np.random.default_rng(300 + i)))}
        write(HERE / "kernel" / f"{name}.json", f"{micro()}: {how}", body)


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["help"]
    if what == "operators":
        operators()
    elif what in ("models", "trained") and len(rest) == 1:
        import models

        getattr(models, what)(Path(rest[0]))
    else:
        sys.exit(__doc__)
