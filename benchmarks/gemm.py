#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""The integer products of an encoder layer by fact-run and by oneDNN, on one core.

usage: gemm.py [--rows=512] [--shapes=768x768,768x3072,3072x768] [--cpu=NAME] [--rounds=3] [--repeat=9]

[rows, K] of 8 bits times a weight [K, N] of INT8, sums of 32 bits, the weight packed before. oneDNN with
signed and with unsigned rows; where its sums are not exact (on AVX2 it adds pairs of products in 16 bits)
an asterisk says so. Builds onednn_gemm.cpp (packages g++ and libdnnl-dev). All take turns, `rounds` times;
prints medians in milliseconds, and fact-run's speed as a multiple of the faster of those that are exact.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from fact import tools
from fact.options import OptionParser

from processor import processor

HERE = pathlib.Path(__file__).resolve().parent


def write_product(folder, rows, k, n):
    """A model of one product, and its input."""
    random = np.random.default_rng(0)
    weight = random.integers(-119, 120, (k, n)).astype(np.int8).tobytes().hex().upper()
    (folder / "m.mlir").write_text(
        f"func.func @main(%x: tensor<?x{k}xi8> {{fact.bound = {rows} : i64}}) -> tensor<?x{n}xi32> {{\n"
        f'  %w = arith.constant dense<"0x{weight}"> : tensor<{k}x{n}xi8>\n'
        f"  %y = fact.log_matmul %x, %w : (tensor<?x{k}xi8>, tensor<{k}x{n}xi8>) -> tensor<?x{n}xi32>\n"
        f"  return %y : tensor<?x{n}xi32>\n}}\n")
    np.save(folder / "x.npy", random.integers(-119, 120, (rows, k)).astype(np.int8))


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--shapes", default="768x768,768x3072,3072x768")
    parser.add_argument("--cpu", default="native")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    print(f"{options.rows} rows, one thread, {processor()}\n")
    print("| K x N | oneDNN s8, ms | oneDNN u8, ms | fact-run, ms | GOP/s | speed |\n" + "|---" * 6 + "|")
    with tempfile.TemporaryDirectory(prefix="fact-bench-") as name:
        folder = pathlib.Path(name)
        subprocess.run(["g++", "-O2", HERE / "onednn_gemm.cpp", "-o", folder / "gemm", "-ldnnl"], check=True)
        for shape in options.shapes.split(","):
            k, n = map(int, shape.split("x"))
            write_product(folder, options.rows, k, n)
            times, exact = {"s8": [], "u8": [], "fact": []}, {}
            for _ in range(options.rounds):
                for kind in ("s8", "u8"):
                    command = [folder / "gemm", *map(str, (options.rows, k, n, kind, options.repeat))]
                    said = subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout
                    times[kind].append(tools.median_of(said))
                    exact[kind] = "\n0 of" in said
                times["fact"].append(tools.median_of(tools.call(
                    "fact-run", folder / "m.mlir", f"--cpu={options.cpu}", f"--input={folder / 'x.npy'}", f"--output={folder / 'y.npy'}",
                    f"--repeat={options.repeat}")[0]))
            medians = {kind: statistics.median(all_) for kind, all_ in times.items()}
            fact = medians.pop("fact")
            theirs = " | ".join(f"{medians[kind]:.2f}{'' if exact[kind] else '*'}" for kind in medians)
            rivals = [medians[kind] for kind in medians if exact[kind]]
            speed = f"{min(rivals) / fact:.2f}x" if rivals else "-"
            print(f"| {k} x {n} | {theirs} | {fact:.2f} | {2e-6 * options.rows * k * n / fact:.0f} | {speed} |", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (tools.ToolError, subprocess.CalledProcessError) as error:
        sys.exit(f"gemm.py: error: {error}")
