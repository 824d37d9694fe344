#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Times the way through on the keyword transformer (12 layers, d 64, 99 tokens).

usage: kwt1.py --data=FOLDER [--runs=N] [--preset=NAME] [--json=OUT.json]

The data folder has kwt1.onnx and kwt1_dev.npz (part of the test data). On one
core: compile time of the program, simulation time of one input (whole process),
and fact-run's time per input after the JIT (its own --repeat). Each figure is
a median beside its bound; the exit status is 1 if a bound is missed.
"""
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile
import time

import numpy as np

from fact import tools
from fact.options import OptionParser

# Seconds; what the project promises on one core of a current machine.
BOUNDS = {"compile": 10.0, "simulate": 2.0, "run": 0.010}


def timed(runs, function):
    """Seconds of every one of `runs` calls."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    model = options.data / "kwt1.onnx"
    if not model.is_file():
        print(f"skipped: there is no '{model}'")
        return 0
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    x = np.load(options.data / "kwt1_dev.npz")["x"][:1]
    flags = ["--to=tokens", f"--preset={options.preset}"]
    times = {}
    with tempfile.TemporaryDirectory(prefix="fact-bench-") as folder:
        program = pathlib.Path(folder) / "kwt1.fact"
        np.save(pathlib.Path(folder) / "x.npy", x)
        times["compile"] = timed(options.runs, lambda: tools.compile_program(model, program, *flags))
        times["simulate"] = timed(options.runs, lambda: tools.call(
            "fact-sim", program, f"--input={folder}/x.npy", f"--output={folder}/y.npy"))
        medians = []
        for _ in range(options.runs):
            out, err = tools.call("fact-run", model, f"--input={folder}/x.npy", f"--output={folder}/y.npy",
                                  "--repeat=30", *flags)
            found = re.search(r"([0-9.]+) ms", out + err)
            if not found:
                sys.exit("kwt1.py: error: fact-run --repeat printed no median")
            medians.append(float(found.group(1)) / 1000)
        times["run"] = medians
    missed = 0
    for name, values in times.items():
        median, bound = statistics.median(values), BOUNDS[name]
        missed += median > bound
        print(f"{name:9} {1000 * median:9.2f} ms  (bound {1000 * bound:.0f} ms: {median / bound:.2f} of it; "
              f"{len(values)} runs, {1000 * min(values):.2f} to {1000 * max(values):.2f})")
    if options.json:
        options.json.write_text(json.dumps(times, indent=1))
    return 1 if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except tools.ToolError as error:
        sys.exit(f"kwt1.py: error: {error}")
