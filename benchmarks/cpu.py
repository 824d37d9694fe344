#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Encoder layers on the CPU by fact-run and by ONNX Runtime, float32 and INT8, on one core.

usage: cpu.py [--model=bert-base] [--lengths=128,512,1024,2048] [--presets=dense,balanced]
              [--cpu=NAME] [--rounds=3] [--repeat=9]

One layer of the model's shape with random weights. ONNX Runtime's INT8 is its dynamic quantization:
weights of linear layers in INT8 with one scale, activations in UINT8 with a scale that each call
computes; attention stays in float32. All take turns, `rounds` times: each time a process that runs
the layer `repeat` times and says the median of its calls. Prints medians of these in milliseconds,
and the speed as a multiple of ONNX Runtime's INT8. NODE_PATH must name a node_modules with
onnxruntime-node (utils/demo makes one in build/node).
"""
import os
import pathlib
import re
import statistics
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fact import linalg_ir, tools
from fact.onnx_model import Builder
from fact.options import OptionParser

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "text-recognizer"))
from model import run_onnx  # noqa: E402

MODELS = ("bert-base", "bert-large")  # whose layers fact.onnx_model writes


def quantize_dynamic(model):
    """Linear layers of an ONNX model in INT8, as onnxruntime.quantization.quantize_dynamic writes them."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes, added, quantized, replaced = [], [], set(), set()
    for node in model.graph.node:
        if node.op_type != "MatMul" or node.input[1] not in weights:
            nodes.append(node)
            continue
        x, w = node.input
        y = node.output[0]
        values = numpy_helper.to_array(weights[w])
        scale = np.float32(np.abs(values).max() / 127)
        codes = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
        added += [numpy_helper.from_array(codes, f"{w}_codes"), numpy_helper.from_array(np.asarray(scale), f"{w}_scale"),
                  numpy_helper.from_array(np.asarray(np.int8(0)), f"{w}_zero")]
        replaced.add(w)
        if x not in quantized:
            quantized.add(x)
            nodes.append(helper.make_node("DynamicQuantizeLinear", [x], [f"{x}_codes", f"{x}_scale", f"{x}_zero"]))
        nodes += [helper.make_node("MatMulInteger", [f"{x}_codes", f"{w}_codes", f"{x}_zero", f"{w}_zero"], [f"{y}_sums"]),
                  helper.make_node("Cast", [f"{y}_sums"], [f"{y}_float"], to=onnx.TensorProto.FLOAT),
                  helper.make_node("Mul", [f"{x}_scale", f"{w}_scale"], [f"{y}_scale"]),
                  helper.make_node("Mul", [f"{y}_float", f"{y}_scale"], [y])]
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in replaced]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(kept + added)
    return model


class Rival:
    """A layer in ONNX Runtime."""

    def __init__(self, folder, d, heads, ff):
        builder = Builder()
        shape = ["batch", "length", d]
        self.output = builder.layer("x", d, heads, ff)
        self.folder = folder
        builder.save(folder / "f32.onnx", [("x", "float32", shape)], [(self.output, shape)])
        onnx.save(quantize_dynamic(onnx.load(folder / "f32.onnx")), folder / "int8.onnx")

    def run(self, name, repeat):
        """Milliseconds of a call on x.npy."""
        jobs = [{"inputs": {"x": str(self.folder / "x.npy")}, "outputs": {self.output: str(self.folder / "ort.npy")}}]
        return tools.median_of(run_onnx(self.folder / f"{name}.onnx", jobs, self.folder, repeat, capture_output=True, text=True).stdout)


def run_fact(folder, preset, cpu, repeat):
    """Milliseconds of a call, and the tier that ran it."""
    out, said = tools.call("fact-run", folder / "m.mlir", f"--preset={preset}", f"--cpu={cpu}", f"--input={folder / 'x.npy'}",
                           f"--output={folder / 'y.npy'}", f"--repeat={repeat}")
    return tools.median_of(out), re.search(r"tier (\S+),", said).group(1)


def processor():
    """Its name, and what it has of what tiers are made for."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*: (.*)", text)
    flags = re.search(r"(?:flags|Features)\s*: (.*)", text).group(1).split()
    has = [flag for flag in ("amx_int8", "avx512_vnni", "avx_vnni", "avx512bw", "avx2", "asimddp") if flag in flags]
    return f"{name.group(1) if name else 'unknown'} ({', '.join(has)})"


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
        rival = Rival(folder, d, layers[0].heads, ff)
        rows, tier = [], ""
        for length in lengths:
            np.save(folder / "x.npy", np.random.default_rng(0).standard_normal((1, length, d), dtype=np.float32))
            times = {kind: [] for kind in ("f32", "int8", *presets)}
            for _ in range(options.rounds):
                for kind in ("f32", "int8"):
                    times[kind].append(rival.run(kind, options.repeat))
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
