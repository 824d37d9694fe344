#!/usr/bin/env python3
"""Batches: every sequence of one gives what it gives alone, on the CPU and in the simulator.

check_batches.py FOLDER: writes small encoders to FOLDER whose batch is fixed or open, merged with the heads or not,
with and without a padding mask; and models that mix sequences, which must be left as they are.
"""
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto as T, helper, numpy_helper

D, H, L, B = 16, 2, 12, 3
ROOT = pathlib.Path(__file__).resolve().parents[3]


class Graph:
    def __init__(self):
        self.nodes, self.weights = [], []
        self.random = np.random.default_rng(5)

    def __getattr__(self, op):
        def add(*inputs, **attributes):
            name = f"{op}_{len(self.nodes)}"
            names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
            self.nodes.append(helper.make_node(op, names, [name], name=name, **attributes))
            return name
        return add

    def constant(self, value):
        self.weights.append(numpy_helper.from_array(np.asarray(value), f"c{len(self.weights)}"))
        return self.weights[-1].name

    def linear(self, x, rows=D, columns=D):
        return self.Add(self.MatMul(x, self.random.standard_normal((rows, columns)).astype("f4") / 4),
                        self.random.standard_normal(columns).astype("f4"))


def layer(g, x, merged=False, mask=None):
    """One post-norm layer on x [B, L, D]; merged: the heads are in the batch."""
    def heads(value):
        value = g.Transpose(g.Reshape(g.linear(value), np.array([0, 0, H, D // H])), perm=[0, 2, 1, 3])
        return g.Reshape(value, np.array([-1, L, D // H])) if merged else value

    q, k, v = heads(x), heads(x), heads(x)
    scores = g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 2, 1] if merged else [0, 1, 3, 2])),
                   np.float32((D // H) ** -0.5))
    if mask:
        hidden = g.Sub(np.float32(1), g.Unsqueeze(g.Cast(mask, to=T.FLOAT), np.array([1, 2])))
        scores = g.Add(scores, g.Mul(hidden, np.float32(-1e9)))
    context = g.MatMul(g.Softmax(scores, axis=-1), v)
    if merged:
        context = g.Reshape(context, np.array([-1, H, L, D // H]))
    context = g.Reshape(g.Transpose(context, perm=[0, 2, 1, 3]), np.array([0, 0, D]))
    y = g.Add(x, g.linear(context))
    y = g.LayerNormalization(y, g.random.standard_normal(D).astype("f4"), np.zeros(D, "f4"), axis=-1)
    return g.Add(y, g.linear(g.Relu(g.linear(y, D, 2 * D)), 2 * D, D))


def save(g, path, inputs, output, shape):
    graph = helper.make_graph(g.nodes, "batch", inputs, [helper.make_tensor_value_info(output, T.FLOAT, shape)],
                              g.weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def model(path, merged, batch, length, masked):
    g = Graph()
    inputs = [helper.make_tensor_value_info("x", T.FLOAT, [batch, length, D])]
    if masked:
        inputs.append(helper.make_tensor_value_info("mask", T.INT64, [batch, length]))
    save(g, path, inputs, layer(g, "x", merged, "mask" if masked else None), [batch, length, D])


def tool(*arguments):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {done.stderr}")
    return done.stderr


def run(folder, name, how, arrays):
    flags = []
    for i, array in enumerate(arrays):
        np.save(folder / f"in{i}.npy", array)
        flags.append(f"--input={folder}/in{i}.npy")
    tool(*how, *flags, f"--output={folder}/{name}.npy")
    return np.load(folder / f"{name}.npy")


def check(folder, name, merged=False, batch=B, length=L, masked=False):
    path, single = folder / f"{name}.onnx", folder / f"{name}-single.onnx"
    model(path, merged, batch, length, masked)
    model(single, merged, 1, length, masked)
    x = np.random.default_rng(7).standard_normal((B, L, D)).astype("f4")
    arrays, real = [x], [L] * B
    if masked:
        real = [L, 7, 1]
        arrays.append(np.array([[i < n for i in range(L)] for n in real], np.int64))
    tool("fact-compile", path, "-o", folder / f"{name}.fact")
    sides = {"CPU": ("fact-run", path), "FACT": ("fact-sim", folder / f"{name}.fact"),
             "numerics": ("fact-run", path, "--reference=numerics"), "both": ("fact-run", path, "--on=fact")}
    expected = np.concatenate([run(folder, "one", ("fact-run", single), [a[b:b + 1] for a in arrays])
                               for b in range(B)])
    for side, how in sides.items():
        result = run(folder, f"{name}-{side}", how, arrays)
        if result.shape != expected.shape or result.tobytes() != expected.tobytes():
            raise RuntimeError(f"{name}: {side} differs from one sequence after the other")
    for b, count in enumerate(real):
        if np.any(expected[b, count:]) or not np.all(np.any(expected[b, :count], axis=-1)):
            raise RuntimeError(f"{name}: padding of sequence {b} is not zero, or more is")
    print(f"{name}: {B} sequences as alone")


def whole(folder):
    """A model from ids to classes: the layers run in the simulator, what is around them on the CPU."""
    g = Graph()
    table = g.random.standard_normal((20, D)).astype("f4")
    y = layer(g, g.Gather(table, "ids"), mask="mask")
    y = layer(g, y, mask="mask")
    classes = g.linear(g.Squeeze(g.Slice(y, np.array([0]), np.array([1]), np.array([1])), np.array([1])), D, 5)
    path = folder / "whole.onnx"
    save(g, path, [helper.make_tensor_value_info(n, T.INT64, ["B", "L"]) for n in ("ids", "mask")], classes, ["B", 5])
    random = np.random.default_rng(11)
    ids = random.integers(0, 20, (B, L))
    mask = np.array([[i < n for i in range(L)] for n in (L, 5, 1)], np.int64)
    alone = run(folder, "alone", ("fact-run", path), [ids, mask])
    both = run(folder, "both", ("fact-run", path, "--on=fact", f"--machine={ROOT}/machines/fact-28nm-lean.json"), [ids, mask])
    if both.shape != (B, 5) or alone.tobytes() != both.tobytes():
        raise RuntimeError("whole: --on=fact gives something else")
    print("whole: as on the CPU, and in the simulator")


def mixes(folder, name, build, words):
    g = Graph()
    path = folder / f"{name}.onnx"
    save(g, path, [helper.make_tensor_value_info("x", T.FLOAT, [B, L, D])], build(g), None)
    said = tool("fact-compile", path, "--emit=raised", "--remarks")
    if f"Reason=\"{words} (of a batch of {B})" not in said:
        raise RuntimeError(f"{name}: not '{words}': {said}")
    x = np.random.default_rng(1).standard_normal((B, L, D)).astype("f4")
    whole, float32 = (run(folder, "whole", ("fact-run", path, *flags), [x]) for flags in ((), ("--reference=f32",)))
    if whole.shape != float32.shape:
        raise RuntimeError(f"{name}: {whole.shape}, not {float32.shape}")
    print(f"{name}: left as it is")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for merged in (False, True):
        kind = "merged" if merged else "apart"
        check(folder, f"fixed-{kind}", merged)
        check(folder, f"open-{kind}", merged, batch="B")
    check(folder, "open-length", batch="B", length="L")
    check(folder, "fixed-batch-masked", length="L", masked=True)
    check(folder, "open-batch-masked", batch="B", length="L", masked=True)
    whole(folder)
    table = np.random.default_rng(3).standard_normal((B, 1, D)).astype("f4")
    mixes(folder, "mean-of-all", lambda g: g.Add("x", g.ReduceMean("x", axes=[0], keepdims=1)),
          "it adds up or compares elements of different sequences")
    mixes(folder, "next-to-each-other", lambda g: g.Add(g.Slice("x", np.array([0]), np.array([2]), np.array([0])),
                                                        g.Slice("x", np.array([1]), np.array([3]), np.array([0]))),
          "it takes some of the sequences")
    mixes(folder, "own-constant", lambda g: g.Add(layer(g, "x"), table),
          "it may be another one for each sequence")
    mixes(folder, "all-pairs", lambda g: g.MatMul(g.Transpose("x", perm=[1, 0, 2]), g.Transpose("x", perm=[1, 2, 0])),
          "it combines elements of different sequences")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"check_batches.py: error: {error}")
