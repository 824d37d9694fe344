#!/usr/bin/env python3
"""Batches: every sequence of one gives what it gives alone, on the CPU and in the simulator.

check_batches.py FOLDER: writes small encoders to FOLDER whose batch is fixed or open, merged with the heads or not,
with and without a padding mask; and models that mix sequences, which must be left as they are.
"""
import pathlib
import subprocess
import sys

import numpy as np

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


def compare(folder, name, path, arrays):
    """Dense layers and float32 give about the same."""
    result, float32 = (run(folder, name, ("fact-run", path, flag), arrays).astype("f8")
                       for flag in ("--preset=dense", "--reference=f32"))
    if result.shape != float32.shape or np.linalg.norm(result - float32) > 0.05 * np.linalg.norm(float32):
        raise RuntimeError(f"{name}: {result.shape} differs from {float32.shape} in float32")


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
