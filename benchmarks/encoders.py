#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Two pretrained encoders on the CPU by fact-run and by ONNX Runtime, float32 and INT8: time and error.

usage: encoders.py --data=FOLDER --recogniser=ONNX [--inputs=3] [--preset=dense] [--rounds=3] [--repeat=21]

The data folder has kwt1.onnx, kwt1_dev.npz and svtr_dev.npz (part of the test data). The keyword
transformer runs whole, of the text recogniser its two encoder layers; all three run the same ONNX
file, on one core, in turn, `rounds` times, and a median of medians is printed. Errors are of outputs
against ONNX Runtime's float32, over `inputs` inputs: the length of the difference as a share of the
output's. NODE_PATH: see rival.py.
"""
import os
import pathlib
import statistics
import sys
import tempfile
from functools import partial

import numpy as np
import onnx
from onnx import version_converter

from fact import tools
from fact.options import OptionParser

from processor import processor
from rival import ENCODER_INPUT, ENCODER_OUTPUT, Rival, constants_to_initializers, cut


def encoders(options):
    """Name, ONNX model, input, output, all outputs, and inputs [n, L, d] of each."""
    kwt = onnx.load(options.data / "kwt1.onnx")
    yield "keyword transformer", kwt, "x", "logits", ["tokens", "logits"], np.load(options.data / "kwt1_dev.npz")["x"]
    # Dynamic quantization is of opset 11.
    neck = version_converter.convert_version(cut(onnx.load(options.recogniser), [ENCODER_INPUT], [ENCODER_OUTPUT]), 11)
    lines = np.load(options.data / "svtr_dev.npz")
    for key in sorted((key for key in lines if key.startswith("x")), key=lambda key: int(key[1:])):
        yield "recogniser's encoder", neck, ENCODER_INPUT, ENCODER_OUTPUT, [ENCODER_OUTPUT], lines[key]


def measure(options, folder, model, x_name, y_name, outputs, x):
    """Medians in milliseconds and errors, by kind."""
    onnx.save(constants_to_initializers(model), folder / "f32.onnx")
    rival = Rival(folder, x_name, y_name)
    length, d = x.shape[1:]

    def fact(repeat, path, result):
        files = [result if name == y_name else folder / "other.npy" for name in outputs]
        return tools.median_of(tools.call("fact-run", folder / "f32.onnx", f"--shape={x_name}:1x{length}x{d}", f"--preset={options.preset}",
                                          f"--input={path}", *(f"--output={file}" for file in files), f"--repeat={repeat}")[0])

    runs = {"f32": partial(rival.run, "f32"), "int8": partial(rival.run, "int8"), "fact": fact}
    difference, size = {kind: 0.0 for kind in runs}, 0.0
    for i in range(min(options.inputs, len(x))):
        path = folder / f"x{i}.npy"
        np.save(path, x[i:i + 1])
        made = {}
        for kind, run in runs.items():
            run(1, path, folder / f"{kind}.npy")
            made[kind] = np.load(folder / f"{kind}.npy").astype(np.float64).ravel()
        size += (made["f32"] ** 2).sum()
        for kind in runs:
            difference[kind] += ((made[kind] - made["f32"]) ** 2).sum()
    times = {kind: [] for kind in runs}
    for _ in range(options.rounds):
        for kind, run in runs.items():
            times[kind].append(run(options.repeat, folder / "x0.npy", folder / f"{kind}.npy"))
    return {kind: statistics.median(all_) for kind, all_ in times.items()}, {kind: (of / size) ** 0.5 for kind, of in difference.items()}


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--recogniser", type=pathlib.Path, required=True)
    parser.add_argument("--inputs", type=int, default=3)
    parser.add_argument("--preset", default="dense")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=21)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"one thread, {processor()}, --preset={options.preset}\n")
    print("| encoder | L | ONNX Runtime f32, ms | INT8, ms | fact-run, ms | speed of f32 | error INT8 | error fact-run |")
    print("|---" * 8 + "|")
    for name, model, x_name, y_name, outputs, x in encoders(options):
        with tempfile.TemporaryDirectory(prefix="fact-bench-") as folder:
            times, errors = measure(options, pathlib.Path(folder), model, x_name, y_name, outputs, x)
        print(f"| {name} | {x.shape[1]} | {times['f32']:.2f} | {times['int8']:.2f} | {times['fact']:.2f} | {times['f32'] / times['fact']:.2f}x "
              f"| {errors['int8']:.2%} | {errors['fact']:.2%} |", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except tools.ToolError as error:
        sys.exit(f"encoders.py: error: {error}")
