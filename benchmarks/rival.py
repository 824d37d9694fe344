# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""ONNX Runtime as the rival of the CPU path: models in its INT8, calls on one thread.

NODE_PATH must name a node_modules with onnxruntime-node (utils/demo makes one in build/node); without
`node` it is Python's onnxruntime.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fact import tools

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "examples" / "text-recognizer"))
from model import ENCODER_INPUT, ENCODER_OUTPUT, cut, run_onnx  # noqa: E402, F401


def constants_to_initializers(model):
    """Constant nodes of an ONNX model as initializers, in which weights are looked for."""
    constants = [node for node in model.graph.node if node.op_type == "Constant"]
    for node in constants:
        tensor = onnx.TensorProto()
        tensor.CopyFrom(next(a.t for a in node.attribute if a.name == "value"))
        tensor.name = node.output[0]
        model.graph.initializer.append(tensor)
        model.graph.node.remove(node)
    return model


def quantize_dynamic(model):
    """Linear layers of an ONNX model in INT8, as onnxruntime.quantization.quantize_dynamic writes them:
    weights with one scale, activations in UINT8 with a scale that each call computes."""
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
    """A model with one input and one output that counts, in float32 (`f32.onnx` of a folder) and INT8."""

    def __init__(self, folder, input_name, output_name):
        self.folder, self.input, self.output = folder, input_name, output_name
        self.environment = None
        onnx.save(quantize_dynamic(onnx.load(folder / "f32.onnx")), folder / "int8.onnx")

    def refuse_amx(self):
        """From here on it runs as on a processor without AMX."""
        library = self.folder / "refuse_amx.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", HERE / "refuse_amx.c", "-o", library], check=True)
        self.environment = {**os.environ, "LD_PRELOAD": str(library)}

    def run(self, kind, repeat, path, result):
        """Milliseconds of a call on the file `path`, of kind "f32" or "int8"; writes the file `result`."""
        jobs = [{"inputs": {self.input: str(path)}, "outputs": {self.output: str(result)}}]
        model, options = self.folder / f"{kind}.onnx", {"capture_output": True, "text": True, "env": self.environment}
        if shutil.which("node"):
            return tools.median_of(run_onnx(model, jobs, self.folder, repeat, **options).stdout)
        listing = self.folder / f"{kind}.json"
        listing.write_text(json.dumps(jobs))
        return tools.median_of(subprocess.run([sys.executable, HERE / "run_onnx.py", model, listing, str(repeat)], check=True, **options).stdout)
