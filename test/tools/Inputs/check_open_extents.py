#!/usr/bin/env python3
"""Results whose open extents are no sequence's: what comes out has the model's own shape.

check_open_extents.py FOLDER CLANG: writes a model with such results to FOLDER, runs it, and calls it from an object file.
"""
import ctypes
import pathlib
import subprocess
import sys

import numpy as np

from fact.onnx_model import Builder

D = 8
EXTENTS = {"twice": "[1][2 * length][8]", "flat": "[2 * length][4]", "all": "[8 * length]", "padded": "[1][length + 3][10]",
           "but-one": "[1][length - 1][8]", "columns": "[1][length][3]", "pairs": "[1][length][length]",
           "rows": "[1][length][8]"}


def expected(x):
    return {"twice": np.concatenate([x, x], axis=1), "flat": x.reshape(-1, 4), "all": x.reshape(-1),
            "padded": np.pad(x, ((0, 0), (1, 2), (0, 2))), "but-one": x[:, :-1], "columns": x[:, :, :3],
            "pairs": np.broadcast_to(x[:, :1, :1], (1, x.shape[1], x.shape[1])), "rows": x}


def model(path):
    g = Builder(1)
    ints = lambda *values: np.array(values, np.int64)
    length = g.Slice(g.Shape("x"), ints(1), ints(2), ints(0))
    made = {"twice": g.Tile("x", ints(1, 2, 1)), "flat": g.Reshape("x", ints(-1, 4)), "all": g.Reshape("x", ints(-1)),
            "padded": g.Pad("x", ints(0, 1, 0, 0, 2, 2), np.float32(0)),
            "but-one": g.Slice("x", ints(0), ints(-1), ints(1)), "columns": g.Slice("x", ints(0), ints(3), ints(2)),
            "pairs": g.Expand(g.Slice("x", ints(0, 0), ints(1, 1), ints(1, 2)), g.Concat(ints(1), length, length, axis=0)),
            "rows": g.Add("x", np.float32(0))}
    names = {made[name]: name for name in made}
    for node in g.nodes:
        node.output[0] = names.get(node.output[0], node.output[0])
    g.save(path, [("x", "float32", [1, "L", D])], [(name, None) for name in made])


def run(folder, x, *flags):
    np.save(folder / "x.npy", x)
    outputs = [f"--output={folder}/{name}.npy" for name in EXTENTS]
    done = subprocess.run(["fact-run", folder / "m.onnx", f"--input={folder}/x.npy", *outputs, *flags],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"fact-run {' '.join(flags)}: {done.returncode}, {done.stderr}")
    return {name: np.load(folder / f"{name}.npy") for name in EXTENTS}


def call(library, x):
    """The object file's function, with outputs between bytes that must stay."""
    made, pointers = {}, []
    for name, array in expected(x).items():
        buffer = np.full(array.size + 16, 7, np.float32)
        made[name] = (buffer, array.shape)
        pointers.append(ctypes.c_void_p(buffer.ctypes.data + 32))
    status = library.m(ctypes.c_void_p(x.ctypes.data), ctypes.c_int64(x.shape[1]), *pointers, None)
    if status or any(np.any(buffer[:8] != 7) or np.any(buffer[-8:] != 7) for buffer, _ in made.values()):
        raise RuntimeError(f"object file: status {status}, or elements that are none of an output's were written")
    return {name: buffer[8:-8].reshape(shape) for name, (buffer, shape) in made.items()}


def same(what, got, x):
    for name, wanted in expected(x).items():
        if got[name].shape != wanted.shape or got[name].tobytes() != np.ascontiguousarray(wanted).tobytes():
            raise RuntimeError(f"{what}: '{name}' is {got[name].shape}, not {wanted.shape}, or differs")
    print(f"{what}: {len(got)} results of {x.shape[1]} tokens")


def main():
    folder, clang = pathlib.Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    model(folder / "m.onnx")
    subprocess.run(["fact-compile", folder / "m.onnx", "--target=cpu", "-o", folder / "m.o"], check=True)
    subprocess.run([clang, "-shared", folder / "m.o", "-o", folder / "m.so"], check=True)
    library = ctypes.CDLL(folder / "m.so")
    header = (folder / "m.h").read_text()
    for name, extents in EXTENTS.items():
        if f" *   {name.replace('-', '_')}{extents} (written)\n" not in header:
            raise RuntimeError(f"m.h: '{name}' is not {extents}: {header}")
    for length in (1, 2, 7):
        x = np.random.default_rng(length).standard_normal((1, length, D)).astype("f4")
        same("fact-run", run(folder, x, "--repeat=3"), x)
        same("--reference=f32", run(folder, x, "--reference=f32"), x)
        same("object file", call(library, x), x)


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"check_open_extents.py: error: {error}")
