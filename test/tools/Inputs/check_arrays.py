# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Array files that are wrong in one way each, as inputs of fact-sim and fact-run.

usage: check_arrays.py FOLDER

FOLDER has layer.fact, layer.mlir (input 'x' [1, 1..40, 12]) and an older y.npy.
Prints what was not refused as it should be, and a count.
"""
import io
import pathlib
import struct
import sys

import numpy as np

from refuse import refuse

RIGHT = np.random.default_rng(0).standard_normal((1, 40, 12), dtype=np.float32)
CASES = []  # name, bytes, what fact-sim says, what fact-run says (None: is not asked)


def case(name, data, sim, *run):
    CASES.append((name, data, sim, run[0] if run else sim))


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def headed(text, version=1, length=None):
    header = text.encode() + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + RIGHT.tobytes()


def shaped(shape, order="False"):
    return headed(f"{{'descr': '<f4', 'fortran_order': {order}, 'shape': {shape}, }}")


def changed(index, value):
    copy = RIGHT.copy()
    copy[index] = value
    return saved(copy)


good = saved(RIGHT)

# The file.
case("empty", b"", "is not a valid .npy file: wrong magic")
case("magic-only", good[:6], "is not a valid .npy file: header is cut off")
case("header-cut", good[:60], "is not a valid .npy file: header is cut off")
case("data-cut", good[:-1], "is not a valid .npy file: data is cut off")
case("data-long", good + b"\0", "is not a valid .npy file: 1 unexpected bytes after the data")
case("version", good[:6] + b"\x09" + good[7:], "unknown format version 9.0")
case("header-size-huge", headed("{'descr': '<f4'}", version=2, length=0xffffffff), "header is cut off")
archive = io.BytesIO()
np.savez(archive, x=RIGHT)
case("archive", archive.getvalue(), "is not a valid .npy file: wrong magic")

# The header.
case("no-dictionary", headed("(1, 40, 12)"), "expected '{' at header offset 0")
case("no-shape", headed("{'descr': '<f4', 'fortran_order': False}"), "header key 'shape' is missing")
case("unknown-key", headed("{'descr': '<f4', 'extra': 1}"), "unexpected header key 'extra'")
case("repeated-key", headed("{'descr': '<f4', 'descr': '<f4'}"), "unexpected header key 'descr'")
case("control-characters", headed("{'descr': '<\x1b4'}"), "unexpected character in a header string")
case("order", shaped((1, 40, 12), order="Maybe"), "'fortran_order' is neither True nor False")
case("shape-huge", shaped((1, 2 ** 62, 12)), "data is cut off")
case("shape-product", shaped((2 ** 32, 2 ** 32, 2 ** 32)), "data is cut off")
case("shape-overflow", shaped((1, 10 ** 30, 12)), "dimension too large")
case("shape-negative", shaped((1, -40, 12)), "expected a dimension")
case("shape-float", shaped("(1, 40.0, 12)"), "expected ')'")
case("shape-no-tuple", shaped("(480)"), "'shape' is not a tuple")
case("rank-huge", shaped((1,) * 100), "more than 64 dimensions")

# Types.
for dtype in ("<f8", "<i4", "|b1"):
    case(f"type-{dtype[1:]}", saved(RIGHT.astype(dtype)), f"input 'x' must be float32 (was '{dtype}')",
         f"element type must be '<f4' (was '{dtype}')")
for dtype in (">f4", "<c8", "<U4"):
    case(f"type-{dtype[1:]}", saved(RIGHT.astype(dtype)), f"has elements of an unsupported type '{dtype}'")
case("objects", saved(RIGHT.astype(object)), "has elements of an unsupported type '|O'")
case("structure", saved(RIGHT.view([("a", "<f4")])), "expected a string at header offset")

# Shapes.
for name, array, shape in (("rank-2", RIGHT[0], "40x12"), ("rank-4", RIGHT[None], "1x1x40x12"),
                           ("width", RIGHT[:, :, :11], "1x40x11"), ("batch", RIGHT.repeat(2, 0), "2x40x12"),
                           ("scalar", np.float32(1), "scalar")):
    listed = "" if name == "scalar" else shape.replace("x", ", ")
    case(name, saved(array), f"input 'x' must have the shape 1x?x12 (was {shape})",
         f"shape must be [1, ?, 12] (was [{listed}])")
case("too-long", saved(RIGHT.repeat(2, 1)), "input 'x' must have 1 to 40 rows (was 80)",
     "the inputs must have 1 to 40 rows (was 80)")
case("no-rows", saved(RIGHT[:, :0]), "input 'x' must have 1 to 40 rows (was 0)", "the sequence must not be empty")

# Values.
for name, row, column, value, text in (("nan", 7, 3, np.nan, "nan"), ("infinity", 39, 11, np.inf, "inf"),
                                       ("minus-infinity", 0, 0, -np.inf, "-inf"),
                                       ("too-large", 1, 2, 2.0 ** 51, "2.2518e+15")):
    case(name, changed((0, row, column), value),
         f"input 'x' has a value that is not in -2^50 .. 2^50 at row {row}, column {column} (was {text})",
         # Each takes a compilation; fact-run-errors.test has others.
         f"input 'x' row {row}, column {column} is not finite or above 2^50 in magnitude" if row == 39 else None)


def main():
    folder = pathlib.Path(sys.argv[1])
    failed = 0
    for name, data, sim, run in CASES:
        (folder / f"{name}.npy").write_bytes(data)
        for tool, model, text in (("fact-sim", "layer.fact", sim), ("fact-run", "layer.mlir", run)):
            wrong = text and refuse(folder, 1, text, [tool, model, f"--input={name}.npy", "--output=y.npy"])
            if wrong:
                failed += 1
                print(wrong)
        (folder / f"{name}.npy").unlink()
    print(f"{len(CASES)} arrays, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
