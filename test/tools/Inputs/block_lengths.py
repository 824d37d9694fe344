# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""usage: block_lengths.py BIN FOLDER MODEL X.npy PRESET

Compiles MODEL and runs it for sequences of one row, of the rows of each block in its
program, of one more, and of all. The program must compute what the CPU does, results and
masks, with the order of engines checked and in two other orders. Prints the lengths.
"""
import pathlib
import re
import subprocess
import sys

import numpy as np

BIN, FOLDER = map(pathlib.Path, sys.argv[1:3])
MODEL, X, PRESET = sys.argv[3:]


def call(tool, *arguments):
    return subprocess.run([BIN / tool, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def block_rows(ir):
    """Steps of the loops over rows."""
    constants = {name: int(value) for name, value in re.findall(r"(%\S+) = arith\.constant (\d+) : index", ir)}
    lengths = set(re.findall(r"(%\S+) = factisa\.length", ir))
    loops = re.findall(r"scf\.for \S+ = \S+ to (\S+) step (\S+) {", ir)
    return {constants[step] for bound, step in loops if bound in lengths}


def files(name, *flags):
    y, masks = FOLDER / f"{name}.npy", FOLDER / f"{name}.npz"
    call(*flags, f"--output={y}", f"--dump-masks={masks}")
    return y.read_bytes(), masks.read_bytes()


def main():
    program = FOLDER / "p.fact"
    call("fact-compile", MODEL, f"--preset={PRESET}", "-o", program)
    blocks = block_rows(call("fact-compile", MODEL, f"--preset={PRESET}", "--emit=scheduled"))
    bound = np.load(X).shape[-2]
    lengths = sorted({1, bound}.union(blocks, (rows + 1 for rows in blocks)))
    for length in lengths:
        run = [f"--input={X}", f"--length={length}"]
        expected = files("cpu", "fact-run", MODEL, f"--preset={PRESET}", *run)
        for order in ("--check-hazards", "--random-schedule=1", "--random-schedule=2"):
            if files("fact", "fact-sim", program, *run, "--fill-undefined=1", order) != expected:
                sys.exit(f"block_lengths.py: other bits for {length} rows, {order}")
    print(f"{PRESET}: blocks of {' and '.join(map(str, sorted(blocks)))} rows; the same bits for {len(lengths)} lengths")


main()
