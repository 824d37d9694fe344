#!/usr/bin/env python3
"""Models whose inputs and outputs are not all rows of one sequence: fact-run gives what the float32 reference gives.

check_lengths.py FOLDER: writes such models to FOLDER and runs them.
"""
import pathlib
import subprocess
import sys

import numpy as np

from fact.onnx_model import Builder

D, H, L, B = 16, 2, 6, 3
RANDOM = np.random.default_rng(3)


def floats(*shape):
    return RANDOM.standard_normal(shape).astype("f4")


def run(folder, name, inputs, outputs, *flags):
    arrays = []
    for i, array in enumerate(inputs):
        np.save(folder / f"in{i}.npy", array)
        arrays.append(f"--input={folder}/in{i}.npy")
    paths = [folder / f"{name}.{i}.npy" for i in range(outputs)]
    done = subprocess.run(["fact-run", folder / f"{name}.onnx", *arrays, *(f"--output={path}" for path in paths), *flags],
                          capture_output=True, text=True)
    if done.returncode or "warning" in done.stderr:
        raise RuntimeError(f"{name} {' '.join(flags)}: {done.stderr}")
    return [np.load(path) for path in paths], done.stdout


def check(folder, name, build, inputs, *flags, real=None):
    """inputs: name -> (type, shape, array). real: tokens of each sequence, if some are padding."""
    g = Builder(5)
    made = build(g)
    g.save(folder / f"{name}.onnx", [(key, kind, shape) for key, (kind, shape, _) in inputs.items()],
           [(output, None) for output in made])
    arrays = [array for _, _, array in inputs.values()]
    found, said = run(folder, name, arrays, len(made), "--dense", *flags)
    wanted, _ = run(folder, name, arrays, len(made), "--reference=f32")
    for i, (got, reference) in enumerate(zip(found, wanted)):
        for sequence, count in enumerate(real or []):
            if reference.shape[:2] == (B, L):
                reference[sequence, count:] = 0
        if got.shape != reference.shape or np.abs(got - reference).max() > 0.2 * np.abs(reference).max():
            raise RuntimeError(f"{name}: output {i} is {got.shape}, not {reference.shape}, or differs")
    print(f"{name}: {len(made)} outputs as the reference")
    return said


def positions(g):
    """e to the position of each token; without a batch."""
    length = g.Gather(g.Shape("x"), np.int64(1))
    return g.Exp(g.Cast(g.Range(np.int64(0), length, np.int64(1)), to=1))


def cross(g):
    q, k, v = g.linear("x", D, D), g.linear("m", D, D), g.linear("m", D, D)
    scores = g.Div(g.MatMul(q, g.Transpose(k, perm=[0, 2, 1])), np.float32(4))
    return g.MatMul(g.Softmax(scores, axis=-1), v)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    x = {"x": ("float32", ["B", "L", D], floats(B, L, D))}

    def masked(*counts):
        mask = np.array([[i < n for i in range(L)] for n in counts], np.int64)
        return {**x, "mask": ("int64", ["B", "L"], mask)}
    both = lambda g: [g.layer("x", D, H, mask="mask"), positions(g)]
    said = check(folder, "first-is-longest", both, masked(6, 3, 1), "--compare=f32", real=[6, 3, 1])
    if not said.startswith("cosine 0.99"):
        raise RuntimeError(f"first-is-longest: {said}")
    check(folder, "first-is-shorter", both, masked(2, 6, 4), real=[2, 6, 4])
    # No sequence has a last token.
    (_, found), _ = run(folder, "first-is-shorter", [x["x"][2], masked(2, 5, 4)["mask"][2]], 2)
    if found.shape != (L,) or np.any(found[5:]) or not np.allclose(found[:5], np.exp(np.arange(5.0))):
        raise RuntimeError(f"first-is-shorter: {found}")

    pooled = lambda g: g.ReduceMean("x", axes=[1], keepdims=0)
    said = check(folder, "pooled", lambda g: [pooled(g), g.layer("x", D, H)], x, "--compare=f32")
    if not said.startswith("cosine 1.000000"):
        raise RuntimeError(f"pooled: {said}")
    check(folder, "pooled-class", lambda g: [g.layer("x", D, H), g.linear(pooled(g), D, 5)], x)

    weight = {**x, "w": ("float32", [3, 2, 2], floats(3, 2, 2))}
    check(folder, "weight", lambda g: [g.layer("x", D, H), g.Exp("w"), g.linear("w", 2, 5), g.Identity("w")], weight)
    check(folder, "weight-raised", lambda g: [g.layer("x", D, H), g.Relu("w")], weight)
    check(folder, "constant", lambda g: [g.layer("x", D, H), g.Identity(floats(7, 4))], x)
    for of_x, of_m in ((10, 6), (6, 10), ("L", 6), (6, "L"), ("L", "M")):
        sizes = [8 if isinstance(n, str) else n for n in (of_x, of_m)]
        sizes[1] += of_m == "M"
        two = {key: ("float32", [1, n, D], floats(1, size, D)) for key, n, size in zip("xm", (of_x, of_m), sizes)}
        check(folder, f"cross-{of_x}-{of_m}", lambda g: [cross(g), g.Relu("m")], two)


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"check_lengths.py: error: {error}")
