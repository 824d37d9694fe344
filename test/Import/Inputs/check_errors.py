#!/usr/bin/env python3
"""Bad models and bad flags: one clear error each, never a crash.

check_errors.py FOLDER TOOL [--seed=N]: runs TOOL (fact-translate) on models
that are wrong in one way each, then on damaged copies of a good one.
"""
import os
import random
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CASES = []


def node(op, inputs, output="out", **attributes):
    return helper.make_node(op, inputs.split(), output.split(), name=f"n_{output.split()[0]}", **attributes)


def model(nodes, weights=None, inputs=None, outputs=("out",), opset=13):
    graph = helper.make_graph(
        nodes, "g", inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 6, 4))],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
        [w if isinstance(w, TensorProto) else numpy_helper.from_array(w, n) for n, w in (weights or {}).items()])
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    result.ir_version = 8
    return result


def case(name, contents, expected, *flags):
    CASES.append((name, contents, expected, flags))


def tensor(dims, data_type=TensorProto.FLOAT, **fields):
    result = TensorProto(name="w", data_type=data_type, dims=dims)
    for field, value in fields.items():
        if field == "raw_data":
            result.raw_data = value
        else:
            getattr(result, field).extend(value)
    return result


def external(**entries):
    result = tensor([2, 2])
    result.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        result.external_data.add(key=key, value=value)
    return result


w44 = np.ones((4, 4), np.float32)
good = model([node("MatMul", "x w", "m"), node("Softmax", "m")], {"w": w44})
relu = [node("Relu", "x")]

# The file.
case("empty", b"", "the model has no graph")
case("no-protobuf", b"this is text, not a model\n" * 10, "not an ONNX model, or a damaged one")
case("truncated", good.SerializeToString()[:-20], "not an ONNX model, or a damaged one")
case("no-graph", onnx.ModelProto(ir_version=8).SerializeToString(), "the model has no graph")
case("opset-too-new", model(relu, opset=25), "operator set version must be 7 to 24 (was 25)")
case("opset-too-old", model(relu, opset=6), "operator set version must be 7 to 24 (was 6)")
nested = model(relu)
for _ in range(200):
    outer = helper.make_node("If", ["x"], ["out"], name="n")
    outer.attribute.add(name="then_branch", type=onnx.AttributeProto.GRAPH).g.CopyFrom(nested.graph)
    nested = model([outer])
case("nested", nested, "not an ONNX model, or a damaged one")

# Constants.
case("initializer-too-short", model([node("Mul", "x w")], {"w": tensor([3], float_data=[1, 2])}),
     "tensor 'w' needs 12 bytes for its shape, the file has 8")
case("raw-data-too-short", model([node("Mul", "x w")], {"w": tensor([4], raw_data=b"123")}),
     "tensor 'w' needs 16 bytes for its shape, the file has 3")
case("negative-extent", model([node("Mul", "x w")], {"w": tensor([-4], float_data=[1])}),
     "tensor 'w' has a negative extent: -4")
case("huge-initializer", model([node("Mul", "x w")], {"w": tensor([2 ** 40, 2 ** 40], float_data=[1])}),
     "tensor 'w' has more elements than fit into memory")
case("large-initializer-without-data", model([node("Mul", "x w")], {"w": tensor([2 ** 34])}),
     "tensor 'w' needs 68719476736 bytes for its shape, the file has 0")
case("complex-numbers", model([node("Mul", "x w")], {"w": np.ones(4, np.complex64)}),
     "node 'n_out' (Mul): tensor 'w' has element type complex64, which is not supported")
case("external-missing", model([node("Mul", "x w")], {"w": external(location="gone.bin")}),
     "cannot read the data of tensor 'w'")
case("external-outside", model([node("Mul", "x w")], {"w": external(location="../secret.bin")}),
     "must be in a file below the model's folder (was '../secret.bin')")
case("external-absolute", model([node("Mul", "x w")], {"w": external(location="/etc/passwd")}),
     "must be in a file below the model's folder (was '/etc/passwd')")
case("external-too-short", model([node("Mul", "x w")], {"w": external(location="external.bin", offset="8")}),
     "data of tensor 'w' ends past the end of")
case("external-bad-offset", model([node("Mul", "x w")], {"w": external(location="external.bin", offset="-8")}),
     "tensor 'w' has a bad offset or length: '-8'")
case("two-initializers", model([node("Mul", "x w")], {"w": tensor([1], float_data=[1]), "v": tensor([1], float_data=[1])}),
     "two initializers are called 'w'")

# The graph.
case("cycle", model([node("Add", "x out", "m"), node("Relu", "m")]), "nodes form a cycle")
case("own-output", model([node("Add", "x out")]), "nodes form a cycle")
case("made-twice", model([node("Relu", "x"), node("Tanh", "x")]), "tensor 'out' is made twice")
case("undefined", model([node("Add", "x y")]), "node 'n_out' reads tensor 'y', which nothing makes")
case("output-undefined", model(relu, outputs=("other",)), "output 'other' is made by no node")
case("unsupported", model([node("Loop", "x w")], {"w": w44}),
     "operator 'Loop' is not supported: node 'n_out' makes tensor 'out' with it")
case("other-domain", model([helper.make_node("Gelu", ["x"], ["out"], domain="com.acme")]),
     "operator 'Gelu' of 'com.acme' is not supported")
case("operator-too-new", model([node("Trilu", "x")], opset=13),
     "node 'n_out' (Trilu): needs operator set 14, the model has 13")
case("constant-result", model([node("Constant", "", value_float=1.0)]), "'out' depends on no input")
case("shape-result", model([node("Shape", "x")]), "'out' does not depend on the inputs' elements")
case("too-few-inputs", model([node("Add", "x")]), "node 'n_out' (Add): has a wrong number of inputs: 1")
case("input-left-out", model([helper.make_node("Add", ["", "x"], ["out"], name="n_out")]),
     "node 'n_out' (Add): lacks input 0")

# Attributes and shapes.
case("attribute-type", model([node("Transpose", "x", perm=1)]),
     "node 'n_out' (Transpose): attribute 'perm' must be a list of integers")
case("attribute-missing", model([node("Concat", "x x")]), "node 'n_out' (Concat): attribute 'axis' is missing")
case("permutation", model([node("Transpose", "x", perm=[0, 1, 1])]),
     "attribute 'perm' is no permutation of 3 dimensions")
case("permutation-too-long", model([node("Transpose", "x", perm=[0, 1, 2, 3])]),
     "attribute 'perm' is no permutation of 3 dimensions")
case("axis", model([node("Softmax", "x", axis=3)]), "axis must be in [-3, 3) (was 3)")
case("axis-twice", model([node("ReduceMean", "x", axes=[1, -2])]), "axis -2 is named twice")
case("matmul", model([node("MatMul", "x w")], {"w": np.ones((5, 4), np.float32)}),
     "node 'n_out' (MatMul): shapes 1x6x4 and 5x4 do not multiply")
case("made-by", model([node("Transpose", "x", "t", perm=[0, 2, 1]), node("MatMul", "t w")], {"w": np.ones((5, 4), np.float32)}),
     "node 'n_out' (MatMul): shapes 1x4x6 and 5x4 do not multiply")
case("broadcast", model([node("Add", "x w")], {"w": np.ones(3, np.float32)}),
     "node 'n_out' (Add): shapes 1x6x4 and 3 do not broadcast")
case("reshape", model([node("Reshape", "x w")], {"w": np.array([5, 5])}),
     "node 'n_out' (Reshape): reshapes 1x6x4 to 5x5")
case("reshape-twice-inferred", model([node("Reshape", "x w")], {"w": np.array([-1, -1])}), "new shape has -1 twice")
case("reshape-negative", model([node("Reshape", "x w")], {"w": np.array([-2, 4])}), "new shape has extent -2")
case("reshape-overflow", model([node("Reshape", "x w")], {"w": np.array([2 ** 62, 2 ** 62])}), "is too large")
case("reshape-at-run-time", model([node("Reshape", "x y")], inputs=[
    helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 6, 4)),
    helper.make_tensor_value_info("y", TensorProto.INT64, (2,))]), "input 'y' must hold integers that are known at compile time")
case("squeeze", model([node("Squeeze", "x w")], {"w": np.array([2])}), "drops dimension 2 of extent 4")
case("slice-empty", model([node("Slice", "x a b c")], {"a": np.array([3]), "b": np.array([3]), "c": np.array([2])}),
     "result is empty")
case("gather", model([node("Gather", "x w", axis=2)], {"w": np.array(4)}), "index 4 is outside of an extent of 4")
case("split", model([node("Split", "x", "out b c", axis=2)]), "splits an extent of 4 into 3 equal parts")
case("rank", model([node("Unsqueeze", "x w")], {"w": np.arange(14)}), "result has more than 16 dimensions")
case("training", model([node("Dropout", "x r t")], {"r": np.float32(0.5), "t": np.array(True)}), "is in training mode")
case("cast", model([node("Cast", "x", to=TensorProto.STRING)]), "casts to string, which is not supported")

# Fused operators.
MS = {"domain": "com.microsoft"}


def tensors(**shapes):
    return [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]


def einsum(name, equation, expected, inputs="x x", **shapes):
    case(name, model([node("Einsum", inputs, equation=equation)], inputs=tensors(**shapes) if shapes else None),
         "node 'n_out' (Einsum): " + expected)


einsum("einsum-diagonal", "bii->bi", "equation has 'i' twice in one term, which is not supported", "x", x=(1, 6, 6))
einsum("einsum-result-twice", "bij->bii", "equation has 'i' twice in one term", "x")
einsum("einsum-result-only", "bij->bik", "equation has 'k' in the result only", "x")
einsum("einsum-rank", "bi,bij->b", "equation gives input 0 'bi', its shape is 1x6x4")
einsum("einsum-count", "bij->b", "equation is of 1 inputs (has 2)")
einsum("einsum-extents", "bij,bji->b", "'i' stands for extents 6 and 4")
einsum("einsum-letter", "b1j->b", "equation has '1', which is no letter", "x")
einsum("einsum-arrows", "bij->b->", "equation has '-', which is no letter", "x")
einsum("einsum-ellipsis", "...j->j", "equation sums over '...', which is not supported", "x")
einsum("einsum-ellipses", "...j...->j", "equation has '...' twice in one term", "x", x=(6, 4, 2, 2, 2, 2, 2))
einsum("einsum-dots", "b..->b", "equation has '.', which is no letter", "x")
einsum("einsum-ellipsis-extents", "...j,...j->...", "'...' stands for extents 2 and 3", "x y", x=(2, 4, 4), y=(3, 4, 4))
case("einsum-left-out", model([helper.make_node("Einsum", ["x", ""], ["out"], name="n_out", equation="bij,->b")]),
     "node 'n_out' (Einsum): lacks input 1")
case("einsum-integers", model([node("Cast", "x", "i", to=7), node("Einsum", "i x", equation="bij,bij->b")]),
     "node 'n_out' (Einsum): its MatMul: input 'result of its Reshape' holds int64, float is needed")
case("gelu-approximate", model([node("Gelu", "x", approximate="erf")], opset=20),
     "node 'n_out' (Gelu): attribute 'approximate' must be 'none' or 'tanh' (was 'erf')")
case("gelu-too-new", model([node("Gelu", "x")], opset=19), "needs operator set 20, the model has 19")
case("fused-matmul", model([node("FusedMatMul", "x x", **MS)]),
     "node 'n_out' (FusedMatMul): its MatMul: shapes 1x6x4 and 1x6x4 do not multiply")
case("fused-matmul-batch", model([node("FusedMatMul", "x x", transBatchA=1, **MS)]), "which is not supported")
case("rms-axis", model([node("RMSNormalization", "x w", axis=3)], {"w": np.ones(4, np.float32)}, opset=23),
     "axis must be in [-3, 3) (was 3)")
case("rms-scale", model([node("RMSNormalization", "x w")], {"w": np.ones(3, np.float32)}, opset=23),
     "scale of shape 3 does not fit 1x6x4")
ones4 = {"g": np.ones(4, np.float32), "b": np.ones(4, np.float32), "w": np.ones((2, 6, 4), np.float32)}
case("skip-norm", model([node("SkipLayerNormalization", "x w g b", **MS)], ones4),
     "skip of shape 2x6x4 does not fit 1x6x4")
case("skip-norm-gamma", model([node("SkipLayerNormalization", "x x w b", **MS)], ones4),
     "input 'w' of shape 2x6x4 does not fit 1x6x4")
case("skip-norm-mean", model([node("SkipLayerNormalization", "x x g b", "y m", **MS), node("Add", "y m")], ones4),
     "node 'n_out' (Add): reads 'm', which the import does not compute (a result of node 'n_y', SkipLayerNormalization)")
case("embed-ids", model([node("EmbedLayerNormalization", "x x w w w g b", **MS)], ones4),
     "ids must be a matrix (are 1x6x4)")
four = tensors(q=(1, 4, 6, 8), k=(1, 3, 6, 8), v=(1, 3, 6, 8))
case("attention-heads", model([node("Attention", "q k v")], inputs=four, opset=23),
     "node 'n_out' (Attention): has 4 heads of Q for 3 of K")
case("attention-fit", model([node("Attention", "q k q")], inputs=four, opset=23),
     "heads of Q, K and V do not belong together: 1x4x6x8, 1x3x6x8 and 1x4x6x8")
case("attention-no-heads", model([node("Attention", "x x x")], opset=23), "Q of shape 1x6x4 does not divide into 0 heads")
case("attention-odd-heads", model([node("Attention", "x x x", q_num_heads=3, kv_num_heads=3)], opset=23),
     "Q of shape 1x6x4 does not divide into 3 heads")
case("attention-negative-heads", model([node("Attention", "x x x", q_num_heads=-1, kv_num_heads=-1)], opset=23),
     "does not divide into -1 heads")
case("attention-rank", model([node("Attention", "q x x", q_num_heads=2, kv_num_heads=2)], inputs=[
    *tensors(q=(1, 2, 6, 4)), *tensors(x=(1, 6, 4))], opset=23), "do not belong together")
case("attention-past", model([helper.make_node("Attention", ["q", "q", "q", "", "k"], ["out"], name="n_out")], inputs=four,
                             opset=23),
     "its input 'k' (number 4) is not supported")
case("attention-scores", model([node("Attention", "q q q", "y k1 v1 out")], inputs=four[:1], opset=23),
     "the import does not compute 'out' (a result of node 'n_y', Attention)")
case("attention-mask", model([node("Attention", "q q q w")], {"w": np.ones((5, 6), np.float32)}, inputs=four[:1],
                             opset=23), "mask of shape 5x6 does not fit scores of 1x4x6x6")
case("attention-short-mask", model([node("Attention", "q q q w")], {"w": np.ones((6, 5), np.float32)}, inputs=four[:1],
                                   opset=23), "mask of shape 6x5 is not of all keys (scores are 1x4x6x6)")
case("attention-scale", model([node("Attention", "q q q", scale=-1.0)], inputs=four[:1], opset=23),
     "attributes 'scale' and 'softcap' must not be negative")
w412 = {"w": np.ones((4, 12), np.float32), "b": np.ones(11, np.float32), "m": np.ones((1, 5), np.int32)}
case("packed-no-heads", model([node("Attention", "x w", **MS)], w412), "attribute 'num_heads' is missing")
case("packed-heads", model([node("Attention", "x w", num_heads=3, **MS)], w412),
     "product of shape 1x6x4 does not divide into 3 heads")
case("packed-bias", model([node("Attention", "x w b", num_heads=2, **MS)], w412),
     "bias of shape 11 does not fit weights of 4x12")
case("packed-sizes", model([node("Attention", "x w", num_heads=2, qkv_hidden_sizes=[4, 4], **MS)], w412),
     "weights of 12 columns are not those of Q, K and V")
case("packed-negative-size", model([node("Attention", "x w", num_heads=2, qkv_hidden_sizes=[-4, 8, 8], **MS)], w412),
     "attribute 'qkv_hidden_sizes' must be three positive numbers")
case("packed-rows", model([node("Attention", "x w", num_heads=2, **MS)], {"w": np.ones((5, 12), np.float32)}),
     "its MatMul: shapes 1x6x4 and 5x4 do not multiply")
case("packed-mask", model([helper.make_node("Attention", ["x", "w", "", "m"], ["out"], name="n_out", num_heads=2, **MS)],
                          w412), "mask 'm' of shape 1x5 does not fit scores of 1x2x6x6")
case("packed-rotary", model([node("Attention", "x w", num_heads=2, do_rotary=1, **MS)], w412),
     "attribute 'do_rotary' is not supported")
case("packed-past", model([helper.make_node("Attention", ["x", "w", "", "", "x"], ["out"], name="n_out", num_heads=2, **MS)],
                          w412), "its input 'x' (number 4) is not supported")
case("multi-head-packed", model([node("MultiHeadAttention", "x", num_heads=2, **MS)]),
     "packed input of shape 1x6x4 must be [batch, length, 2, 3, size]")
case("multi-head-bias", model([node("MultiHeadAttention", "x x x b", num_heads=2, **MS)], w412),
     "bias of shape 11 does not fit Q, K and V")
case("rotary-heads", model([node("RotaryEmbedding", "x w w")], {"w": np.ones((1, 6, 1), np.float32)}, opset=23),
     "does not divide into 0 heads ('num_heads')")
case("rotary-odd", model([node("RotaryEmbedding", "x w w", num_heads=2, rotary_embedding_dim=1)],
                         {"w": np.ones((1, 6, 1), np.float32)}, opset=23), "cannot turn 1 elements of heads of 2")
case("rotary-angles", model([node("RotaryEmbedding", "x w w", num_heads=2)], {"w": np.ones((1, 6, 2), np.float32)},
                            opset=23), "angles of shape 1x6x2 do not fit the input, which needs 1x6x1")
bytes4 = {"q": np.ones(4, np.int8), "s": np.float32([1, 2, 3]), "z": np.array(3, np.int32), "t": np.float32(0.5)}
case("quantize-scale", model([node("QuantizeLinear", "x s", "q8"), node("DequantizeLinear", "q8 t")], bytes4),
     "node 'n_q8' (QuantizeLinear): scale or zero point of shape 3 does not fit 1x6x4")
case("quantize-type", model([node("QuantizeLinear", "x t z")], bytes4), "makes int32, which is not supported")
case("quantize-blocked", model([node("QuantizeLinear", "x t", block_size=2)], bytes4, opset=21),
     "is blocked ('block_size'), which is not supported")
case("dequantize-integers", model([node("DequantizeLinear", "q z", "f"), node("Add", "x f")], bytes4),
     "node 'n_f' (DequantizeLinear): scale must hold floats")
case("matmul-integer", model([node("QuantizeLinear", "x t", "q8"), node("MatMulInteger", "q8 q v w")],
                             {**bytes4, "v": np.array(1, np.uint8), "w": np.ones(5, np.int8)}),
     "zero point 'w' does not fit 4")
# Windows, norms and the rest of what models of images have.
picture = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 4, 6, 5))]
ones = np.ones((2, 4, 3, 3), np.float32)


def picture_case(name, op, expected, inputs="x", weights=None, opset=13, **attributes):
    case(name, model([node(op, inputs, **attributes)], weights, picture, opset=opset), f"node 'n_out' ({op}): {expected}")


def conv_case(name, expected, w=ones, inputs="x w", **attributes):
    picture_case(name, "Conv", expected, inputs, {"w": w, "b": np.ones(3, np.float32)}, **attributes)


for attribute, length in (("strides", 2), ("dilations", 2), ("pads", 4), ("kernel_shape", 2)):
    conv_case(f"conv-{attribute}-count", f"attribute '{attribute}' must have {length} elements (has 3)",
              **{attribute: [1, 1, 1]})
conv_case("conv-negative-pad", "attribute 'pads' must have elements of 0 to 2^31 - 1 (one was -1)", pads=[0, -1, 0, 0])
conv_case("conv-no-stride", "attribute 'strides' must have elements of 1 to 2^31 - 1 (one was 0)", strides=[0, 1])
conv_case("conv-large-dilation", "attribute 'dilations' must have elements of 1 to 2^31 - 1 (one was 4294967296)",
          dilations=[1, 2 ** 32])
conv_case("conv-large-pad", "result is too large", pads=[2 ** 31 - 1] * 4)
conv_case("conv-large-pads-small-result", "padded input is too large", pads=[2 ** 31 - 1] * 4, strides=[2 ** 31 - 1] * 2)
conv_case("conv-window", "window that reaches over 2147483647 elements does not fit into an extent of 6",
          dilations=[2 ** 30 - 1, 1], w=np.ones((2, 4, 3, 3), np.float32))
conv_case("conv-group", "attribute 'group' must divide 4 channels and 2 features (was 3)", group=3)
conv_case("conv-group-zero", "attribute 'group' must divide 4 channels and 2 features (was 0)", group=0)
conv_case("conv-group-negative", "attribute 'group' must divide 4 channels and 2 features (was -2)", group=-2)
conv_case("conv-group-weights", "weights of shape 2x4x3x3 do not fit 2 channels in each of 2 groups", group=2)
conv_case("conv-rank", "input and weights must have one rank of at least 3", w=np.ones((2, 4, 3), np.float32))
conv_case("conv-kernel", "attribute 'kernel_shape' is not that of the weights", kernel_shape=[3, 2])
conv_case("conv-bias", "bias of shape 3 does not fit 2 features", inputs="x w b")
conv_case("conv-auto-pad", "attribute 'auto_pad' must be NOTSET, VALID, SAME_UPPER or SAME_LOWER (was 'SAME')",
          auto_pad="SAME")
conv_case("conv-both-pads", "has both 'auto_pad' and 'pads'", auto_pad="SAME_UPPER", pads=[1, 1, 1, 1])
conv_case("conv-integers", "input 'w' holds int64, float is needed", w=np.ones((2, 4, 3, 3), np.int64))
picture_case("pool-window", "MaxPool", "window that reaches over 7 elements does not fit into an extent of 6",
             kernel_shape=[7, 1])
picture_case("pool-pads", "MaxPool", "pads must be smaller than the window", kernel_shape=[2, 2], pads=[0, 0, 0, 2])
picture_case("pool-kernel", "AveragePool", "attribute 'kernel_shape' is missing")
picture_case("pool-huge", "AveragePool", "window that reaches over 2147483647 elements", kernel_shape=[2 ** 31 - 1, 1])
case("pool-indices", model([node("MaxPool", "x", "out where", kernel_shape=[2, 2])], inputs=picture),
     "its second output, the indices, is not supported")
case("pool-rank", model([node("GlobalMaxPool", "x", "y"), node("Squeeze", "y", "z"), node("GlobalMaxPool", "z")],
                        inputs=picture), "input must have at least 3 dimensions (shape is 4)")
norm = {n: np.ones(4, np.float32) for n in "sbmv"}
picture_case("batch-norm-channels", "BatchNormalization", "input 'c' of shape 3 does not fit an extent of 4", "x s b c v",
             {**norm, "c": np.ones(3, np.float32)})
picture_case("batch-norm-training", "BatchNormalization", "is in training mode", "x s b m v", norm, opset=15,
             training_mode=1)
case("batch-norm-outputs", model([node("BatchNormalization", "x s b m v", "out m2 v2 m3 v3")], norm, picture, opset=9),
     "is in training mode")
picture_case("batch-norm-places", "BatchNormalization", "has statistics for each place", "x s b m v", norm, opset=8,
             spatial=0)
picture_case("group-norm", "GroupNormalization", "attribute 'num_groups' must divide 4 channels (was 3)", "x s b", norm,
             opset=21, num_groups=3)
picture_case("group-norm-18", "GroupNormalization", "input 's' of shape 4 does not fit an extent of 2", "x s b", norm,
             opset=18, num_groups=2)
picture_case("lp-norm", "LpNormalization", "attribute 'p' must be 1 or 2 (was 3)", p=3)
for name, pads, expected in (
        ("negative", [0, 0, 0, 0, 0, 0, -1, 0], "pads must be 0 to 2^31 - 1 (one was -1)"),
        ("count", [0, 0, 1, 1], "must have 8 pads (has 4)"),
        ("large", [2 ** 31 - 1] * 8, "result is too large")):
    picture_case(f"pad-{name}", "Pad", expected, "x p", {"p": np.array(pads)})
    picture_case(f"pad-{name}-10", "Pad", expected, opset=10, pads=pads)
picture_case("pad-reflect", "Pad", "pads of 0 and 5 are too large for an extent of 5", "x p",
             {"p": np.array([0, 0, 0, 0, 0, 0, 0, 5])}, mode="reflect")
picture_case("pad-mode", "Pad", "attribute 'mode' must be constant, reflect or edge (was 'wrap')", "x p",
             {"p": np.zeros(8, np.int64)}, mode="wrap")
picture_case("pad-axis-twice", "Pad", "axis -1 is named twice", "x p v a", opset=18, weights={
    "p": np.zeros(4, np.int64), "v": np.float32(0), "a": np.array([3, -1])})
picture_case("pad-value", "Pad", "its value and its input differ in type", "x p v",
             {"p": np.zeros(8, np.int64), "v": np.array(1)})
picture_case("pad-lacks", "Pad", "lacks its pads")
picture_case("tile-count", "Tile", "has 2 repeats for 4 dimensions", "x r", {"r": np.array([1, 2])})
picture_case("tile-zero", "Tile", "repeats an extent 0 times", "x r", {"r": np.array([1, 2, 0, 1])})
picture_case("tile-large", "Tile", "repeats an extent of 4 4611686018427387904 times", "x r",
             {"r": np.array([1, 2 ** 62, 1, 1])})
picture_case("depth-to-space", "DepthToSpace", "blocks of 3x3 do not fit a shape of 1x4x6x5", blocksize=3)
picture_case("space-to-depth", "SpaceToDepth", "blocks of 2x2 do not fit a shape of 1x4x6x5", blocksize=2)
picture_case("block-size", "SpaceToDepth", "attribute 'blocksize' must be 1 to 2^20 (was 4294967296)", blocksize=2 ** 32)
for name, scale in (("fraction", 1.5), ("small", 0.5), ("nan", float("nan")), ("infinite", float("inf"))):
    picture_case(f"resize-{name}", "Upsample", "scales must be integers of at least 1", "x s", opset=9,
                 weights={"s": np.array([1, 1, 1, scale], np.float32)})
picture_case("resize-mode", "Upsample", "attribute 'mode' must be nearest (was 'linear')", "x s", opset=9,
             weights={"s": np.ones(4, np.float32)}, mode="linear")
picture_case("resize-count", "Upsample", "has 3 scales or sizes for 4 dimensions", "x s", opset=9,
             weights={"s": np.ones(3, np.float32)})
picture_case("resize-rounding", "Resize", "rounds coordinates in a way that is not supported: 'align_corners'", "x s s",
             weights={"s": np.ones(4, np.float32)}, coordinate_transformation_mode="align_corners")
picture_case("arg-axis", "ArgMax", "axis must be in [-4, 4) (was 4)", axis=4)
picture_case("one-hot-floats", "OneHot", "its indices must be integers", "x d v",
             {"d": np.array(3), "v": np.ones(2, np.float32)})
picture_case("one-hot-depth", "OneHot", "has depth 0", "x d v", {"d": np.array(0), "v": np.ones(2, np.float32)})
case("one-hot-values", model([node("Cast", "x", "i", to=7), node("OneHot", "i d v")],
                             {"d": np.array(3), "v": np.ones(3, np.float32)}, picture),
     "its values must be two (shape is 3)")
for name, indices, updates, expected in (
        ("index", [[4]], np.ones(1), "index 4 is outside of an extent of 4"),
        ("negative-index", [[-5]], np.ones(1), "index -5 is outside of an extent of 4"),
        ("updates", [[0], [1]], np.ones(3), "updates must have shape 2 (shape is 3)"),
        ("depth", [[0, 0]], np.ones(1), "indices of shape 1x2 do not fit a tensor of shape 4")):
    case(f"scatter-{name}", model([node("ScatterND", "w i u", "s"), node("Add", "x s")], {
        "w": np.ones(4, np.float32), "i": np.array(indices), "u": updates.astype(np.float32)}), expected)
case("scatter-run-time", model([node("ScatterND", "x i w")], {"i": np.array([[0]]), "w": np.ones((1, 6, 4), np.float32)}),
     "is supported on constants only")

# Flags.
two = model([node("Relu", "x", "a"), node("Tanh", "a", "b")], outputs=("a", "b"))
case("unknown-tensor", good, "--to names 'mm', which the model does not have (did you mean 'm'", "--to=mm")
case("unknown-from", good, "--from names 'nothing-like-it', which the model does not have", "--from=nothing-like-it")
case("from-constant", good, "--from names 'w', which is a constant", "--from=w")
case("from-is-to", good, "--from and --to both name 'm'", "--from=m", "--to=m")
case("from-twice", good, "--from names 'm' twice", "--from=m,m")
case("from-behind", two, "'a' does not depend on 'b', which --from names", "--from=x,b", "--to=a")
case("depends-on-input", model([node("Relu", "x", "m"), node("Add", "m x")]), "but also on input 'x'", "--from=m")
case("shape-of-nothing", good, "--shape names 'y', inputs are 'x'", "--shape=y:1x2x3")
case("shape-of-other-rank", good, "--shape gives 'x' the shape 1x6, the model says 1x6x4", "--shape=x:1x6")
case("shape-of-other-width", good, "--shape gives 'x' the shape 1x6x5, the model says 1x6x4", "--shape=x:1x6x5")
case("shape-syntax", good, "shape must be NAME:1x512x120", "--shape=x:1x6xfour")
case("shape-zero", good, "must be 1 to 2^31 (one was 0)", "--shape=x:1x0x4")
case("shape-twice", good, "shape of 'x' is given twice", "--shape=x:1x6x4", "--shape=x:1x6x4")
case("shape-huge", good, "must be 1 to 2^31 (one was 4294967296)", "--shape=x:1x4294967296x4")
fixed = model([node("Add", "x w")], {"w": np.ones((1, 6, 4), np.float32)})
case("length-is-fixed", fixed, "the sequence of 'x' must have length 6 (was 9)", "--shape=x:1x9x4")
opened = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, "h", "w"))]
case("extent-is-open", model(relu, inputs=opened), "give the largest with --shape=x:1x3xNxN")
wide = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (2 ** 30, 2 ** 30, 2 ** 30))]
case("input-too-large", model(relu, inputs=wide), "is too large")


def run(tool, path, flags):
    return subprocess.run([tool, "--import-onnx", path, *flags], capture_output=True, encoding="utf-8",
                          errors="replace", timeout=60)


def check_cases(folder, tool):
    failed = 0
    with open(os.path.join(folder, "external.bin"), "wb") as file:
        file.write(bytes(16))
    for name, contents, expected, flags in CASES:
        path = os.path.join(folder, name + ".onnx")
        with open(path, "wb") as file:
            file.write(contents if isinstance(contents, bytes) else contents.SerializeToString())
        result = run(tool, path, flags)
        errors = [line for line in result.stderr.splitlines() if ": error: " in line]
        if result.returncode != 1 or len(errors) != 1 or expected not in errors[0] or result.stdout:
            failed += 1
            print(f"FAILED {name}: exit {result.returncode}, expected: {expected}\n{result.stderr[:2000]}")
    print(f"{len(CASES)} cases, {failed} failed")
    return failed


def check_damaged(folder, tool, seed, count=60):
    """A damaged file may be another model, but never a crash."""
    print(f"seed {seed}")
    source = random.Random(seed)
    bytes_ = bytearray(model(
        [node("Shape", "x", "s"), node("Slice", "s a b", "l"), node("Concat", "o l c", "t", axis=0),
         node("Reshape", "x t", "r"), node("Transpose", "r", "p", perm=[0, 2, 1, 3]), node("MatMul", "p w", "m"),
         node("ReduceMean", "m", "q", axes=[-1]), node("Sub", "m q")],
        {"a": np.array([1]), "b": np.array([2]), "o": np.array([1]), "c": np.array([2, 2]),
         "w": np.ones((2, 3), np.float32)}).SerializeToString())
    failed = 0
    for i in range(count):
        copy = bytearray(bytes_)
        for _ in range(source.randint(1, 4)):
            copy[source.randrange(len(copy))] = source.randrange(256)
        path = os.path.join(folder, f"damaged{i}.onnx")
        with open(path, "wb") as file:
            file.write(copy)
        flags = ["--from=r"] if i % 3 == 0 else []
        result = run(tool, path, flags)
        errors = [line for line in result.stderr.splitlines() if ": error: " in line]
        if result.returncode not in (0, 1) or len(errors) != result.returncode:
            failed += 1
            print(f"FAILED {path}: exit {result.returncode}\n{result.stderr[:2000]}")
    print(f"{count} damaged files, {failed} failed")
    return failed


def main():
    folder, tool = sys.argv[1:3]
    seed = int(sys.argv[3].split("=")[1]) if len(sys.argv) > 3 else 1
    os.makedirs(folder, exist_ok=True)
    return check_cases(folder, tool) + check_damaged(folder, tool, seed) != 0


if __name__ == "__main__":
    sys.exit(main())
