#!/usr/bin/env python3
"""make_layer.py FILE: a model with one node of each form that is looked at."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main():
    weights = {"kernel": np.ones((4, 8), np.float32), "scale": np.array(0.5, np.float32),
               "bias": np.ones(8, np.float32)}
    nodes = [
        helper.make_node("MatMul", ["x", "kernel"], ["m"], name="project"),
        helper.make_node("Add", ["m", "bias"], ["a"], name="bias"),
        helper.make_node("ReduceMean", ["a"], ["mean"], name="mean", axes=[-1], keepdims=1),
        helper.make_node("Sub", ["a", "mean"], ["centred"]),
        helper.make_node("Transpose", ["centred"], ["t"], name="transpose", perm=[0, 2, 1]),
        helper.make_node("MatMul", ["centred", "t"], ["scores"], name="scores"),
        helper.make_node("Mul", ["scores", "scale"], ["scaled"], name="scale"),
        helper.make_node("Softmax", ["scaled"], ["p"], name="softmax"),
        helper.make_node("Identity", ["p"], ["y"], name="identity"),
    ]
    graph = helper.make_graph(
        nodes, "layer", [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 6, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 6, 6))],
        [numpy_helper.from_array(w, n) for n, w in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, sys.argv[1])


if __name__ == "__main__":
    main()
