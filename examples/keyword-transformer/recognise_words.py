#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Recognises spoken words: the keyword transformer KWT-1 as a FACT program.

The twelve encoder layers run in the simulator and on the CPU; the head (a
linear layer on the class token, in float32) is applied here.

usage: recognise_words.py --data=FOLDER --work=FOLDER [--words=N]
                          [policy flags of fact-compile, e.g. --preset=fast]

The data folder has kwt1.onnx and kwt1_dev.npz (part of the test data). The
exit status is 1 if CPU and FACT program differ in a single value.
"""
import json
import pathlib
import sys
import time

import numpy as np
import onnx
from onnx import numpy_helper

from fact import tools
from fact.options import OptionParser


def read_head(path):
    """(W, b) of the linear layer that makes logits of the class token."""
    graph = onnx.load(str(path)).graph
    initializers = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    values = dict(initializers)
    for node in graph.node:
        if node.op_type == "Constant":
            values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    producer = {name: node for node in graph.node for name in node.output}
    add = producer["logits"]
    while add.op_type == "Identity":
        add = producer[add.input[0]]
    bias = next(values[i] for i in add.input if i in values)
    product = next(producer[i] for i in add.input if i not in values)
    weights = next(values[i] for i in product.input if i in values)
    return weights.astype(np.float32), bias.astype(np.float32).reshape(-1)


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--words", type=int, default=64)
    options, policy = parser.parse_known_args()
    model = options.data / "kwt1.onnx"
    if not model.is_file():
        print(f"skipped: there is no '{model}'")
        return 0
    options.work.mkdir(parents=True, exist_ok=True)
    data = np.load(options.data / "kwt1_dev.npz")
    inputs, labels = data["x"][:options.words], data["labels"]
    float32 = data["logits_f32"][:options.words].argmax(axis=1)
    weights, bias = read_head(model)

    program = options.work / "kwt1.fact"
    start = time.monotonic()
    tools.compile_program(model, program, "--to=tokens", *policy)
    print(f"compiled kwt1.fact in {time.monotonic() - start:.1f} s", flush=True)
    same_class = equal = total = cycles = 0
    for i, x in enumerate(inputs):
        y, report, _ = tools.simulate(program, [x[None]])
        on_cpu, _, _ = tools.run(model, [x[None]], "--to=tokens", *policy)
        equal += int(np.sum(y.view(np.uint32) == on_cpu.view(np.uint32))) if y.shape == on_cpu.shape else 0
        total += y.size
        cycles += report["cycles"]
        best = int((y[0, 0] @ weights + bias).argmax())
        same_class += best == float32[i]
        print(f"  spoken: {data['word'][i]:8} heard: {labels[best]:8} float32: {labels[float32[i]]:8} {report['cycles']} cycles", flush=True)
        (options.work / f"report{i}.json").write_text(json.dumps(report, indent=1))
    print(f"words with float32's class: {same_class} of {len(inputs)}")
    print(f"CPU and FACT program agree: {equal} of {total} values")
    print(f"cycles per word: {cycles / len(inputs):.0f}")
    return 0 if equal == total else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except tools.ToolError as error:
        sys.exit(f"recognise_words.py: error: {error}")
