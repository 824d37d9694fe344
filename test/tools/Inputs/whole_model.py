#!/usr/bin/env python3
"""usage: whole_model.py FOLDER

Writes model.onnx: tokens and a padding mask in, an embedding, one encoder layer, the
first token's row through a classifier out; and between.onnx, with a convolution over the
tokens between two layers. Inputs: ids.npy and mask.npy of 12 tokens, 7 of them real,
hole.npy with a real token behind a padded one, and rows.npy and real.npy, what the
layer takes of the real ones.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

D, HEADS, LENGTH, REAL = 16, 2, 12, 7
rng = np.random.default_rng(3)


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value, name=None):
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, op, *inputs, name=None, **attributes):
        name = name or f"{op}{len(self.nodes)}"
        inputs = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def weight(self, rows, columns):
        return (rng.standard_normal((rows, columns)) / np.sqrt(rows)).astype(np.float32)

    def heads(self, x, permutation):
        rows = self.add("MatMul", x, self.weight(D, D))
        split = self.add("Reshape", rows, np.array([0, 0, HEADS, D // HEADS]))
        return self.add("Transpose", split, perm=permutation)

    def layer(self, x, mask, name):
        q, k, v = self.heads(x, [0, 2, 1, 3]), self.heads(x, [0, 2, 3, 1]), self.heads(x, [0, 2, 1, 3])
        scores = self.add("Mul", self.add("MatMul", q, k), np.float32((D // HEADS) ** -0.5))
        if mask:
            scores = self.add("Add", scores, mask)
        context = self.add("MatMul", self.add("Softmax", scores, axis=-1), v)
        merged = self.add("Reshape", self.add("Transpose", context, perm=[0, 2, 1, 3]), np.array([0, 0, D]))
        x = self.add("Add", x, self.add("MatMul", merged, self.weight(D, D)))
        hidden = self.add("Relu", self.add("MatMul", x, self.weight(D, 32)))
        return self.add("Add", x, self.add("MatMul", hidden, self.weight(32, D)), name=name)

    def save(self, path, inputs, output):
        graph = helper.make_graph(self.nodes, "g", inputs, [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
                                  self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        onnx.save(model, str(path))


def main(folder):
    tokens = [helper.make_tensor_value_info(name, TensorProto.INT64, (1, "length")) for name in ("ids", "mask")]
    g = Graph()
    table = rng.standard_normal((50, D)).astype(np.float32)
    embedded = g.add("Gather", g.constant(table, "table"), "ids", name="embedded")
    wide = g.add("Unsqueeze", g.add("Cast", "mask", to=1), np.array([1, 2]))
    hidden = g.add("Mul", g.add("Sub", np.float32(1), wide), np.float32(-1e9))
    encoded = g.layer(embedded, hidden, "encoded")
    first = g.add("Gather", encoded, np.array(0), axis=1, name="first")
    g.add("Gemm", first, g.weight(D, 3), name="classes")
    g.save(folder / "model.onnx", tokens, "classes")

    g = Graph()
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, "length", D))
    between = g.add("Transpose", g.layer("x", None, "one"), perm=[0, 2, 1])
    kernel = (rng.standard_normal((D, D, 3)) / 7).astype(np.float32)
    between = g.add("Conv", between, kernel, pads=[1, 1], name="mixes")
    g.layer(g.add("Transpose", between, perm=[0, 2, 1]), None, "two")
    g.save(folder / "between.onnx", [x], "two")

    ids, mask = rng.integers(0, 50, (1, LENGTH)), np.zeros((1, LENGTH), np.int64)
    mask[0, :REAL] = 1
    np.save(folder / "ids.npy", ids)
    np.save(folder / "mask.npy", mask)
    np.save(folder / "real.npy", mask[:, :REAL])
    np.save(folder / "rows.npy", table[ids[:, :REAL]])
    mask[0, REAL + 1] = 1
    np.save(folder / "hole.npy", mask)


main(pathlib.Path(sys.argv[1]))
