# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""The text recogniser around its encoder: cutting the graph, preparing an
image, and reading text off the class probabilities."""
import json
import pathlib
import subprocess

import numpy as np
import onnx
from PIL import Image

ENCODER_INPUT = "transpose_43.tmp_0"  # [1, L, 120]
ENCODER_OUTPUT = "p2o.Add.271"  # [1, L, 120], before the last layer norm
# What follows the encoder also reads the shape of the first and the values of
# the second, so that the graph cannot be cut at one tensor.
SIDE_TENSORS = ("swish_12.tmp_0", "p2o.AveragePool.1")
HERE = pathlib.Path(__file__).resolve().parent
HEIGHT = 48  # of the image that the model takes
STRIDE = 8  # pixels of width per token


def cut(model, inputs, outputs):
    """The part of an ONNX model that computes `outputs` from `inputs` (names).

    Inner tensors have no recorded type: they are float32 of open shape.
    """
    graph = model.graph
    declared = {v.name: v for v in [*graph.input, *graph.output]}
    initializers = {i.name: i for i in graph.initializer}
    producer = {name: node for node in graph.node for name in node.output}
    kept, pending, used = set(), list(outputs), set()
    while pending:
        name = pending.pop()
        if name in inputs or name in initializers or not name:
            used.add(name)
            continue
        if name not in producer:
            raise ValueError(f"tensor '{name}' depends on the model input of that name")
        node = producer[name]
        if id(node) not in kept:
            kept.add(id(node))
            pending += node.input

    def value(name):
        return declared.get(name) or onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)

    part = onnx.helper.make_graph(
        [n for n in graph.node if id(n) in kept], graph.name,
        [value(n) for n in inputs], [value(n) for n in outputs],
        [i for n, i in initializers.items() if n in used])
    result = onnx.helper.make_model(part, opset_imports=model.opset_import)
    result.ir_version = model.ir_version
    return result


def split(path, before, after):
    """Writes the parts before and after the encoder as two ONNX files."""
    model = onnx.load(path)
    names = [ENCODER_INPUT, *SIDE_TENSORS]
    onnx.save(cut(model, [model.graph.input[0].name], names), before)
    onnx.save(cut(model, [ENCODER_OUTPUT, *SIDE_TENSORS], [model.graph.output[0].name]), after)


def run_onnx(model, jobs, work, *runs, **options):
    """Runs a model, or a part of it, in ONNX Runtime on [{inputs, outputs}], each so many `runs` (once
    without). `options` are subprocess.run's, whose result it returns."""
    listing = work / (model.stem + ".json")
    listing.write_text(json.dumps(jobs, indent=1))
    return subprocess.run(["node", HERE / "run_onnx.js", model, listing, *map(str, runs)], check=True, **options)


def prepare(path):
    """The model's input for an image of one line: float32 [1, 3, 48, W], in
    -1..1, W a multiple of STRIDE (padded with white paper)."""
    image = Image.open(path).convert("RGB")
    width = max(1, round(image.width * HEIGHT / image.height))
    pixels = np.asarray(image.resize((width, HEIGHT), Image.BILINEAR), np.float32)
    x = (pixels / np.float32(127.5) - 1).transpose(2, 0, 1)
    padding = -width % STRIDE
    return np.pad(x, ((0, 0), (0, 0), (0, padding)), constant_values=1.0)[None]


def read_alphabet(path):
    """Class -> character: the blank, the lines of the key file, the space."""
    with open(path, encoding="utf-8") as file:
        return ["", *file.read().removesuffix("\n").split("\n"), " "]


def decode(probabilities, alphabet):
    """The text of [1, T, classes]: best class of every step, repeats merged,
    blanks dropped (greedy CTC), no space at either end."""
    best = probabilities[0].argmax(axis=-1)
    changed = np.concatenate([[True], best[1:] != best[:-1]])
    return "".join(alphabet[c] for c in best[changed]).strip()
