#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Runs an ONNX model on .npy files in Python's ONNX Runtime, as examples/text-recognizer/run_onnx.js does in npm's.

usage: run_onnx.py MODEL JOBS.json RUNS

JOBS.json is a list of {"inputs": {tensor: file.npy}, "outputs": {tensor: file.npy}}. Runs each job
RUNS times on one thread, and prints the median time.
"""
import json
import statistics
import sys
import time

import numpy as np
import onnxruntime


def main(model, listing, runs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    with open(listing, encoding="utf8") as file:
        jobs = json.load(file)
    for job in jobs:
        feeds = {name: np.load(path) for name, path in job["inputs"].items()}
        times = []
        for _ in range(int(runs) + 1):  # the first one warms up
            begin = time.perf_counter()
            results = session.run(list(job["outputs"]), feeds)
            times.append((time.perf_counter() - begin) * 1e3)
        for path, result in zip(job["outputs"].values(), results):
            np.save(path, result)
        print(f"median {statistics.median(times[1:]):.3f} ms")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
