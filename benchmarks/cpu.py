#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Encoder layers on the CPU by fact-run and by ONNX Runtime, float32 and INT8, on one core.

usage: cpu.py [--model=bert-base] [--lengths=128,512,1024,2048] [--presets=dense,balanced]
              [--cpu=NAME] [--by-hand=FOLDER] [--rounds=3] [--repeat=9]

One layer of the model's shape with random weights. ONNX Runtime's INT8 is its dynamic quantization
(rival.py), with attention in float32; where fact-run is to do without AMX (--cpu), so is it. All take
turns, `rounds` times: each time a process that runs the layer `repeat` times and says the median of its
calls. Prints medians of these in milliseconds, and the speed as a multiple of ONNX Runtime's INT8. With
--by-hand also a layer in C++ (by_hand.py), and the time of `dense` as a multiple of its time; its bits
must be the same. NODE_PATH: see rival.py.
"""
import os
import pathlib
import re
import statistics
import sys
import tempfile
from functools import partial

import numpy as np

from fact import linalg_ir, tools
from fact.onnx_model import Builder
from fact.options import OptionParser

import by_hand
from processor import features, processor
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
    parser.add_argument("--by-hand", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    presets = options.presets.split(",")
    if options.by_hand and (options.model != by_hand.MODEL or "dense" not in presets):
        parser.error(f"--by-hand is a dense layer of {by_hand.MODEL}")
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
        np.save(folder / "x.npy", np.zeros((1, 1, d), np.float32))
        tier = run_fact(folder, presets[0], options.cpu, 1)[1]
        if tier != "amx" and "amx_int8" in features():
            rival.refuse_amx()
        hand = by_hand.ByHand(options.by_hand, folder, layers[0], tier) if options.by_hand else None
        rows = []
        for length in lengths:
            x = np.random.default_rng(0).standard_normal((1, length, d), dtype=np.float32)
            np.save(folder / "x.npy", x)
            runs = {kind: partial(rival.run, kind, options.repeat, folder / "x.npy", folder / "ort.npy") for kind in ("f32", "int8")}
            runs |= {preset: lambda preset=preset: run_fact(folder, preset, options.cpu, options.repeat)[0] for preset in presets}
            if hand:
                run_fact(folder, "dense", options.cpu, 1)
                runs["by hand"] = partial(hand.run, options.repeat, x, np.load(folder / "y.npy"))
            times = {kind: [] for kind in runs}
            for _ in range(options.rounds):
                for kind, run in runs.items():
                    times[kind].append(run())
            rows.append((length, {kind: statistics.median(all_) for kind, all_ in times.items()}))
    print(f"{options.model}, one layer, one thread, {processor()}, tier {tier}\n")
    columns = ["L", f"ONNX Runtime{' without AMX' if rival.environment else ''} f32, ms", "INT8, ms"]
    for preset in presets:
        columns += [f"{preset}, ms", "speed"]
    if hand:
        columns += ["by hand, ms", "dense / by hand"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for length, medians in rows:
        cells = [str(length), f"{medians['f32']:.1f}", f"{medians['int8']:.1f}"]
        for preset in presets:
            cells += [f"{medians[preset]:.1f}", f"{medians['int8'] / medians[preset]:.2f}x"]
        if hand:
            cells += [f"{medians['by hand']:.1f}", f"{medians['dense'] / medians['by hand']:.2f}"]
        print(f"| {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except tools.ToolError as error:
        sys.exit(f"cpu.py: error: {error}")
