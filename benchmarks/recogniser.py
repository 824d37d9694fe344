#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Runs the whole text recogniser, CNN included, by fact-run and by ONNX Runtime.

usage: recogniser.py --model=ONNX --keys=TXT [--images=FOLDER] [--rounds=5] [--repeat=9] [--preset=NAME]

One thread, one core, both in turn, `rounds` times: each time a process that
reads the model, runs an image `repeat` times and says the median of its calls.
Prints medians of these, their ratio, and the processor time of a whole fact-run
that compiles the model and runs the image once; the exit status is 1 if the texts
that are read differ, or if the ratio is above its bound. NODE_PATH must name a node_modules with
onnxruntime-node (utils/demo makes one).
"""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from fact import tools
from fact.options import OptionParser

EXAMPLE = pathlib.Path(__file__).resolve().parents[1] / "examples" / "text-recognizer"
sys.path.insert(0, str(EXAMPLE))
import model as recogniser  # noqa: E402

OUTPUT = "softmax_11.tmp_0"
BOUND = 4.0  # times ONNX Runtime's float32


def processor_time():
    """Of the processes that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_fact(options, folder, repeat):
    """Milliseconds of a call."""
    printed = tools.call("fact-run", options.model, f"--preset={options.preset}", f"--input={folder}/x.npy",
                         f"--output={folder}/fact.npy", *([f"--repeat={repeat}"] if repeat else []))[0]
    return tools.median_of(printed) if repeat else None


def run_ort(options, folder):
    jobs = [{"inputs": {"x": str(folder / "x.npy")}, "outputs": {OUTPUT: str(folder / "ort.npy")}}]
    return tools.median_of(recogniser.run_onnx(options.model, jobs, folder, options.repeat, capture_output=True, text=True).stdout)


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--keys", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=pathlib.Path, default=EXAMPLE / "images")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--preset", default="dense")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    alphabet = recogniser.read_alphabet(options.keys)
    failed = False
    print("| image | width | fact-run, ms | ONNX Runtime, ms | ratio | whole fact-run, CPU s | text |")
    print("|---|---|---|---|---|---|---|")
    for image in sorted(options.images.glob("*.png")):
        with tempfile.TemporaryDirectory(prefix="fact-bench-") as name:
            folder = pathlib.Path(name)
            x = recogniser.prepare(image)
            np.save(folder / "x.npy", x)
            ours, theirs, whole = [], [], []
            for _ in range(options.rounds):
                ours.append(run_fact(options, folder, options.repeat))
                theirs.append(run_ort(options, folder))
                start = processor_time()
                run_fact(options, folder, 0)
                whole.append(processor_time() - start)
            ours, theirs, whole = (statistics.median(times) for times in (ours, theirs, whole))
            read, expected = (recogniser.decode(np.load(folder / f"{side}.npy"), alphabet) for side in ("fact", "ort"))
        same = read == expected
        failed = failed or not same or ours > BOUND * theirs
        print(f"| {image.stem} | {x.shape[-1]} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} | {whole:.2f} | "
              f"{'the same' if same else f'{read!r}, not {expected!r}'} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except tools.ToolError as error:
        sys.exit(f"recogniser.py: error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"recogniser.py: error: ONNX Runtime failed (exit status {error.returncode}): {error.stderr}")
