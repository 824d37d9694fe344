#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""What compiling an ONNX encoder of BERT-base layers takes, in time and memory.

usage: import_onnx.py [--layers=1,12] [--runs=5] [--external]

Writes models with random weights, as an exporter writes them (batch and length
open, softmax, layer norm and gelu as operators), to a temporary folder, and has
fact-compile import them, raise them, and make a program of them, on one core.
Prints medians of seconds, and the peak of memory as a multiple of the file's
size. --external: the weights are in a file of their own.
"""
import multiprocessing
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from fact.onnx_model import Builder
from fact.options import OptionParser

FEATURES, HEADS = 768, 12


def write_model(path, layers, external):
    """Returns the bytes of the model with its weights."""
    builder = Builder()
    y = "x"
    for _ in range(layers):
        y = builder.layer(y, FEATURES, HEADS)
    shape = ["batch", "length", FEATURES]
    builder.save(path, [("x", "float32", shape)], [(y, shape)], external)
    return sum(file.stat().st_size for file in path.parent.glob(path.name + "*"))


def measure(runs, *command):
    """Median of seconds, and the most bytes of memory."""
    seconds, peak = [], 0
    for _ in range(runs):
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - start)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"import_onnx.py: error: {' '.join(map(str, command))} failed")
        peak = max(peak, usage.ru_maxrss * 1024)
    return statistics.median(seconds), peak


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--layers", default="1,12")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--external", action="store_true")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print("| layers | file | import: s, memory | and raise: s, memory | program: s, memory | instructions |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="fact-bench-") as folder:
        for layers in map(int, options.layers.split(",")):
            path = pathlib.Path(folder) / f"encoder{layers}.onnx"
            # In a process of its own: what this one holds would count as the tools'.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                size = pool.apply(write_model, (path, layers, options.external))
            program = path.with_suffix(".fact")
            cells = []
            for flags in (("--emit=imported",), ("--emit=raised",), ("-o", program)):
                seconds, peak = measure(options.runs, "fact-compile", path, *flags)
                cells.append(f"{seconds:.2f}, {peak / size:.1f}x")
            listing = subprocess.run(["fact-objdump", "--no-data", program], capture_output=True, text=True, check=True)
            instructions = re.search(r"^; (\d+) instructions", listing.stdout, re.M).group(1)
            print(f"| {layers} | {size / 1e6:.0f} MB | {' | '.join(cells)} | {instructions} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
