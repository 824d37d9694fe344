# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes an attention whose values are wider than its queries, so that it is not raised
while its linear layers are.

usage: partly_raised.py OUT.onnx
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

D, HEADS, QUERY, VALUE = 12, 2, 4, 10


def main(path):
    rng = np.random.default_rng(1)
    weights = {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in {
        "wq": (D, HEADS * QUERY), "wk": (D, HEADS * QUERY), "wv": (D, HEADS * VALUE), "wo": (HEADS * VALUE, D)}.items()}
    constants = {**weights, "scale": np.float32(QUERY ** -0.5),
                 "split_qk": np.array([0, 0, HEADS, QUERY]), "split_v": np.array([0, 0, HEADS, VALUE]),
                 "join": np.array([0, 0, HEADS * VALUE])}
    nodes = []
    for name, split, order in (("q", "split_qk", (0, 2, 1, 3)), ("k", "split_qk", (0, 2, 3, 1)),
                               ("v", "split_v", (0, 2, 1, 3))):
        nodes += [helper.make_node("MatMul", ["x", "w" + name], [name], name="linear_" + name),
                  helper.make_node("Reshape", [name, split], [name + "_split"], name="split_" + name),
                  helper.make_node("Transpose", [name + "_split"], [name + "_heads"], name="heads_" + name, perm=order)]
    nodes += [
        helper.make_node("MatMul", ["q_heads", "k_heads"], ["scores"], name="scores"),
        helper.make_node("Mul", ["scores", "scale"], ["scaled"], name="scale"),
        helper.make_node("Softmax", ["scaled"], ["p"], name="softmax", axis=-1),
        helper.make_node("MatMul", ["p", "v_heads"], ["context"], name="context"),
        helper.make_node("Transpose", ["context"], ["rows"], name="rows", perm=(0, 2, 1, 3)),
        helper.make_node("Reshape", ["rows", "join"], ["joined"], name="joined"),
        helper.make_node("MatMul", ["joined", "wo"], ["o"], name="linear_o"),
        helper.make_node("Add", ["x", "o"], ["y"], name="residual"),
    ]
    graph = helper.make_graph(
        nodes, "partly", [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 40, D))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 40, D))],
        [numpy_helper.from_array(np.asarray(w), n) for n, w in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)


main(*sys.argv[1:])
