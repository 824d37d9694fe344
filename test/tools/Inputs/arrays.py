# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Arrays for the tests of the tools.

usage: arrays.py random FILE SHAPE [SEED]    standard normal float32
       arrays.py set FILE INDEX VALUE        changes one element
       arrays.py same FILE FILE              equal in shape, type and every bit
       arrays.py differ FILE FILE            not equal in some bit
       arrays.py close FILE FILE SHARE       differ by no more than that share of the largest element
       arrays.py prefix SHORT LONG ROWS      LONG begins with SHORT and is zero behind
       arrays.py raw FILE OUT                the elements as plain bytes
       arrays.py keys FILE.npz               names, types and shapes
"""
import sys

import numpy as np


def bits(array):
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and bool((bits(a) == bits(b)).all())


def numbers(text, separator):
    return tuple(int(n) for n in text.split(separator))


def main(command, path, *rest):
    if command == "random":
        rng = np.random.default_rng(int(rest[1]) if len(rest) > 1 else 0)
        np.save(path, rng.normal(size=numbers(rest[0], "x")).astype(np.float32))
    elif command == "set":
        array = np.load(path)
        array[numbers(rest[0], ",")] = float(rest[1])
        np.save(path, array)
    elif command in ("same", "differ"):
        if same(np.load(path), np.load(rest[0])) != (command == "same"):
            sys.exit(f"arrays.py: '{path}' and '{rest[0]}' should {'be equal' if command == 'same' else 'differ'}")
    elif command == "close":
        a, b = np.load(path), np.load(rest[0])
        if a.shape != b.shape or not np.abs(a - b).max() <= float(rest[1]) * np.abs(b).max():
            sys.exit(f"arrays.py: '{path}' and '{rest[0]}' are not close")
    elif command == "prefix":
        short, long, rows = np.load(path), np.load(rest[0]), int(rest[1])
        if not same(short[:, :rows], long[:, :rows]) or np.any(long[:, rows:]):
            sys.exit("arrays.py: no prefix followed by zeros")
    elif command == "raw":
        np.load(path).tofile(rest[0])
    elif command == "keys":
        with np.load(path) as file:
            for name in sorted(file):
                print(name, file[name].dtype, *file[name].shape)
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
