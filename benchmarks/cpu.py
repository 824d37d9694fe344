#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Encoder layers on the CPU by fact-run and by ONNX Runtime, float32 and INT8, on one core.

usage: cpu.py [--model=bert-base] [--lengths=128,512,1024,2048] [--presets=dense,balanced]
              [--cpu=NAME] [--rounds=3] [--repeat=9]

One layer of the model's shape with random weights. ONNX Runtime's INT8 is its dynamic quantization
(rival.py), with attention in float32. All take turns, `rounds` times: each time a process that runs
the layer `repeat` times and says the median of its calls. Prints medians of these in milliseconds,
and the speed as a multiple of ONNX Runtime's INT8. NODE_PATH: see rival.py.
"""
import os
import pathlib
import re
import statistics
import sys
import tempfile

import numpy as np

from fact import linalg_ir, tools
from fact.onnx_model import Builder
from fact.options import OptionParser

from processor import processor
from rival import Rival

MODELS = ("bert-base", "bert-large")  # whose layers fact.onnx_model writes


def run_fact(folder, preset, cpu, repeat):
    """Milliseconds of a call, and the tier that ran it."""
    out, said = tools.call("fact-run", folder / "m.mlir", f"--preset={preset}", f"--cpu={cpu}", f"--input={folder / 'x.npy'}",
                           f"--output={folder / 'y.npy'}", f"--repeat={repeat}")
    return tools.median_of(out), re.search(r"tier (\S+),", said).group(1)


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="bert-base")
    parser.add_argument("--lengths", default="128,512,1024,2048")
    parser.add_argument("--presets", default="dense,balanced")
    parser.add_argument("--cpu", default="native")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    presets = options.presets.split(",")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    lengths = [int(length) for length in options.lengths.split(",")]
    layers = linalg_ir.random_model(options.model, 1, 0, max(lengths))
    with tempfile.TemporaryDirectory(prefix="fact-bench-") as name:
        folder = pathlib.Path(name)
        (folder / "m.mlir").write_text(linalg_ir.to_text(layers, max(lengths)))
        d, ff = layers[0].weights["W1"].shape
        builder, shape = Builder(), ["batch", "length", d]
        output = builder.layer("x", d, layers[0].heads, ff)
        builder.save(folder / "f32.onnx", [("x", "float32", shape)], [(output, shape)])
        rival = Rival(folder, "x", output)
        rows, tier = [], ""
        for length in lengths:
            np.save(folder / "x.npy", np.random.default_rng(0).standard_normal((1, length, d), dtype=np.float32))
            times = {kind: [] for kind in ("f32", "int8", *presets)}
            for _ in range(options.rounds):
                for kind in ("f32", "int8"):
                    times[kind].append(rival.run(kind, options.repeat, folder / "x.npy", folder / "ort.npy"))
                for preset in presets:
                    milliseconds, tier = run_fact(folder, preset, options.cpu, options.repeat)
                    times[preset].append(milliseconds)
            rows.append((length, {kind: statistics.median(all_) for kind, all_ in times.items()}))
    print(f"{options.model}, one layer, one thread, {processor()}, tier {tier}\n")
    print(f"| L | ONNX Runtime f32, ms | INT8, ms | {' | '.join(f'{preset}, ms | speed' for preset in presets)} |")
    print("|---" * (3 + 2 * len(presets)) + "|")
    for length, medians in rows:
        ours = " | ".join(f"{medians[preset]:.1f} | {medians['int8'] / medians[preset]:.2f}x" for preset in presets)
        print(f"| {length} | {medians['f32']:.1f} | {medians['int8']:.1f} | {ours} |")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except tools.ToolError as error:
        sys.exit(f"cpu.py: error: {error}")
