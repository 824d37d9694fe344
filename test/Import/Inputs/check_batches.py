#!/usr/bin/env python3
"""Batches: every sequence of one gives what it gives alone, on the CPU and in the simulator.

check_batches.py FOLDER: writes small encoders to FOLDER whose batch is fixed or open, merged with the heads or not,
with and without a padding mask; and models that mix sequences, which must be left as they are.
"""
import pathlib
import subprocess
import sys

import numpy as np
from onnx import helper

from fact.onnx_model import Builder

D, H, L, B = 16, 2, 12, 3
ROOT = pathlib.Path(__file__).resolve().parents[3]


def layer(g, x, merged=False, mask=None):
    return g.layer(x, D, H, hidden=2 * D, mask=mask, heads_in_batch=L if merged else None)


def model(path, merged, batch, length, masked):
    g = Builder(5)
    shape = [batch, length, D]
    inputs = [("x", "float32", shape)] + [("mask", "int64", [batch, length])] * masked
    g.save(path, inputs, [(layer(g, "x", merged, "mask" if masked else None), shape)])


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
    g = Builder(5)
    table = g.random.standard_normal((20, D)).astype("f4")
    y = layer(g, g.Gather(table, "ids"), mask="mask")
    y = layer(g, y, mask="mask")
    classes = g.linear(g.Squeeze(g.Slice(y, np.array([0]), np.array([1]), np.array([1])), np.array([1])), D, 5)
    path = folder / "whole.onnx"
    g.save(path, [(n, "int64", ["B", "L"]) for n in ("ids", "mask")], [(classes, ["B", 5])])
    random = np.random.default_rng(11)
    ids = random.integers(0, 20, (B, L))
    mask = np.array([[i < n for i in range(L)] for n in (L, 5, 1)], np.int64)
    alone = run(folder, "alone", ("fact-run", path), [ids, mask])
    both = run(folder, "both", ("fact-run", path, "--on=fact", f"--machine={ROOT}/machines/fact-28nm-lean.json"), [ids, mask])
    if both.shape != (B, 5) or alone.tobytes() != both.tobytes():
        raise RuntimeError("whole: --on=fact gives something else")
    print("whole: as on the CPU, and in the simulator")


def shared_rows(folder):
    """An encoder stack that takes rows of each sequence, and rows that all of them share."""
    g = Builder(5)
    path, program = folder / "shared.onnx", folder / "shared.fact"
    y = g.Exp(layer(g, g.Add(g.Exp("x"), g.Exp("w"))))
    g.save(path, [("x", "float32", ["B", "L", D]), ("w", "float32", [1, "L", D])], [(y, ["B", "L", D])])
    tool("fact-compile", path, "-o", program)
    random = np.random.default_rng(7)
    x, w = (random.standard_normal((n, L, D)).astype("f4") for n in (B, 1))
    whole = run(folder, "shared", ("fact-sim", program), [x, w])
    alone = np.concatenate([run(folder, "one", ("fact-sim", program), [x[b:b + 1], w]) for b in range(B)])
    if whole.shape != (B, L, D) or whole.tobytes() != alone.tobytes():
        raise RuntimeError("shared: not as one sequence after the other")
    print("shared: rows of all sequences beside those of one")


def compare(folder, name, path, arrays, raised=None):
    """Dense layers (of the model that was raised before, if given) and float32 give about the same."""
    result, float32 = (run(folder, name, ("fact-run", model, flag), arrays).astype("f8")
                       for model, flag in ((raised or path, "--preset=dense"), (path, "--reference=f32")))
    if result.shape != float32.shape or np.linalg.norm(result - float32) > 0.05 * np.linalg.norm(float32):
        raise RuntimeError(f"{name}: {result.shape} differs from {float32.shape} in float32")


def raise_model(folder, path):
    """Raises a model for any number of sequences: its path, its IR, what is said."""
    done = subprocess.run(["fact-compile", str(path), "--emit=raised", "--remarks"], capture_output=True, text=True)
    raised = folder / f"{path.stem}.mlir"
    raised.write_text(done.stdout)
    return raised, done.stdout, done.stderr


def counts(folder, name, build, words):
    """The import would compute something from the number of sequences: only one is run."""
    g = Builder(5)
    path = folder / f"{name}.onnx"
    g.save(path, [("x", "float32", ["B", L, D])], [(build(g), None)])
    raised, code, said = raise_model(folder, path)
    if f"Reason=\"{words}" not in said or "fact.batch" in code:
        raise RuntimeError(f"{name}: not '{words}': {said}")
    x = np.random.default_rng(1).standard_normal((1, L, D)).astype("f4")
    compare(folder, name, path, [x], raised)
    print(f"{name}: for one sequence alone")


def any_number(folder, name, build, inputs=()):
    """The raised model gives what float32 gives for any number of sequences; `inputs` are for all of them."""
    g = Builder(5)
    path = folder / f"{name}.onnx"
    g.save(path, [("x", "float32", ["B", L, D])] + [(n, "float32", a.shape) for n, a in inputs], [(build(g), None)])
    raised, code, said = raise_model(folder, path)
    if "BatchSplit" not in said or code.count("fact.batch") != 2:
        raise RuntimeError(f"{name}: not split: {said}")
    x = np.random.default_rng(1).standard_normal((B, L, D)).astype("f4")
    compare(folder, name, path, [x] + [array for _, array in inputs], raised)
    print(f"{name}: for any number of sequences")


def numbers(folder):
    """What an import computes must not depend on how many sequences it was made for."""
    def count(g):
        return g.Gather(g.Shape("x"), np.int64(0))

    def first(g, end):
        return g.Slice("x", np.array([0]), np.array([end]), np.array([0]))

    def branch(g, condition):
        """Exp where the condition holds, else Neg."""
        def body(operator):
            node = helper.make_node(operator, ["x"], [operator], name=operator)
            return helper.make_graph([node], operator, [], [helper.make_tensor_value_info(operator, 1, None)])
        return g.If(condition, then_branch=body("Exp"), else_branch=body("Neg"))

    def number(g, value):
        return g.Cast(value, to=1)

    uses = "it computes with the number of sequences"
    counts(folder, "divided", lambda g: g.Div(layer(g, "x"), number(g, count(g))), uses)
    counts(folder, "at-most-four", lambda g: g.Div("x", number(g, g.Min(count(g), np.int64(4)))), uses)
    counts(folder, "odd-or-even", lambda g: g.Add("x", number(g, g.Mod(count(g), np.int64(2)))), uses)
    counts(folder, "one-or-more", lambda g: g.Add("x", number(g, g.Equal(count(g), np.int64(1)))), uses)
    counts(folder, "in-four", lambda g: g.Reshape(g.Softmax(g.Reshape("x", np.array([4, -1]))), g.Shape("x")),
           "its reshape mixes the batch with other extents")
    counts(folder, "first-twenty", lambda g: first(g, 20), "it takes some of the sequences")
    counts(folder, "squeezed", lambda g: g.Squeeze("x"), "its results have another shape for one sequence")
    counts(folder, "branch-for-one", lambda g: g.Add("x", branch(g, g.Equal(count(g), np.int64(1)))),
           "it does something else for one sequence")
    counts(folder, "branch-for-many", lambda g: g.Add("x", branch(g, g.Greater(count(g), np.int64(4)))),
           "it is another one for another number of sequences")
    by_place = np.array([1, 2])
    counts(folder, "place-in-batch",
           lambda g: g.Add("x", g.Unsqueeze(number(g, g.Range(np.int64(0), count(g), np.int64(1))), by_place)),
           "it may be another one for each sequence")
    any_number(folder, "layer", lambda g: layer(g, "x"))
    any_number(folder, "filled", lambda g: g.Add("x", g.Expand(np.ones((1, 1, D), "f4"), g.Shape("x"))))
    any_number(folder, "known-test",
               lambda g: g.Expand("x", g.Where(g.Equal(g.Shape("x"), np.int64(-1)), np.array([1, 1, 1]), g.Shape("x"))))
    row = np.random.default_rng(3).standard_normal((1, 1, D)).astype("f4")
    rows = np.random.default_rng(3).standard_normal((L, D)).astype("f4")

    def batch_by(g, *extents):
        return g.Concat(g.Slice(g.Shape("x"), np.array([0]), np.array([1]), np.array([0])), np.array(extents), axis=0)
    any_number(folder, "class-token",
               lambda g: g.Add("x", g.Slice(layer(g, g.Concat(g.Expand(row, batch_by(g, 1, D)), "x", axis=1)),
                                            np.array([0]), np.array([1]), np.array([1]))))
    any_number(folder, "places-of-each",
               lambda g: layer(g, g.Add("x", g.Gather(rows, g.Expand(np.arange(L)[None], batch_by(g, L))))))
    # The import can do this only for a number that it knows.
    most = np.array([1, 99], "f4")
    any_number(folder, "at-most-one-row", lambda g: g.Add("x", g.Slice(
        np.ones((1, L, D), "f4"), np.array([0, 0]),
        g.Cast(g.Min(number(g, g.Slice(g.Shape("x"), np.array([0]), np.array([2]), np.array([0]))), most), to=7),
        np.array([0, 1]))))
    rows = np.random.default_rng(2).standard_normal((2, L, D)).astype("f4")
    any_number(folder, "two-shared-rows",
               lambda g: g.Add(layer(g, "x"), g.ReduceMean("w", axes=[0], keepdims=1)), [("w", rows)])
    # The import itself makes a mask of so many elements for a few sequences only.
    mask = np.tril(np.ones((1, 1, 128, 128), np.int64))
    any_number(folder, "large-mask", lambda g: g.Mul("x", g.Unsqueeze(g.Slice(
        g.ReduceMax(number(g, g.Expand(mask, batch_by(g, 1, 128, 128))), axes=[1, 3], keepdims=0),
        np.array([0]), np.array([L]), np.array([1])), np.array([2]))))


def mixes(folder, name, build, words):
    g = Builder(5)
    path = folder / f"{name}.onnx"
    g.save(path, [("x", "float32", [B, L, D])], [(build(g), None)])
    said = tool("fact-compile", path, "--emit=raised", "--remarks")
    if f"Reason=\"{words} (of a batch of {B})" not in said:
        raise RuntimeError(f"{name}: not '{words}': {said}")
    x = np.random.default_rng(1).standard_normal((B, L, D)).astype("f4")
    compare(folder, name, path, [x])
    print(f"{name}: left as it is")


def across(folder, batch, length):
    """The layer runs across the batch: its sequences are the columns of the model's input."""
    g = Builder(5)
    name, path = f"across-{batch}-{length}", folder / f"across-{batch}-{length}.onnx"
    y = g.Transpose(layer(g, g.Transpose("x", perm=[1, 0, 2])), perm=[1, 0, 2])
    g.save(path, [("x", "float32", [batch, length, D])], [(y, None)])
    for count in ([batch] if isinstance(batch, int) else [1, B]):
        compare(folder, name, path, [np.random.default_rng(1).standard_normal((count, L, D)).astype("f4")])
    print(f"{name}: as in float32")


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
    shared_rows(folder)
    numbers(folder)
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
    for batch in (B, "B"):
        for length in (L, "L"):
            across(folder, batch, length)


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"check_batches.py: error: {error}")
