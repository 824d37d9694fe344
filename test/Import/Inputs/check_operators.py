#!/usr/bin/env python3
"""Every ONNX operator that the importer knows, against NumPy.

check_operators.py FOLDER TOOL [CASE...]: writes a small model and its inputs
for each case to FOLDER, runs TOOL (fact-test-reference) on them and prints one
line per failure. A case whose sequence stays open runs at two lengths.
"""
import math
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import image_operators

L = "L"  # the sequence in shapes
BOUND = 6  # its value in the model
CASES = []
random = np.random.default_rng(1)


def case(name, nodes, reference, inputs=None, weights=None, opset=13, closed=False, named=False, tolerance=2e-6):
    """reference(x, y, ..) computes the tensor 'out' from the inputs. Closed: whether the sequence must keep its
    length; None where the import may find any. Named: the model names the length, and all that has it is open."""
    CASES.append(dict(name=name, nodes=nodes, reference=reference, inputs=inputs or {"x": (1, L, 4)},
                      weights=weights or {}, opset=opset, closed=closed, named=named, tolerance=tolerance))


def node(op, inputs, output="out", **attributes):
    return helper.make_node(op, inputs.split(), output.split(), name=f"n_{output.split()[0]}", **attributes)


def floats(*shape):
    return random.standard_normal(shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


erf = np.vectorize(math.erf)

# Elementwise.
for op, function in {
    "Tanh": np.tanh, "Sigmoid": lambda x: 1 / (1 + np.exp(-x)), "Erf": erf, "Relu": lambda x: np.maximum(x, 0),
    "Exp": np.exp, "Neg": np.negative, "Reciprocal": lambda x: 1 / x,
}.items():
    case(op, [node(op, "x")], function, tolerance=1e-3 if op == "Reciprocal" else 2e-6)
case("Sqrt", [node("Mul", "x x", "square"), node("Sqrt", "square")], np.abs)
for op, function in {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}.items():
    divisor = {"w": np.abs(floats(4)) + 1}
    case(op + "-vector", [node(op, "x w")], lambda x, f=function, w=divisor["w"]: f(x, w), weights=divisor)
    case(op + "-scalar", [node(op, "x w")], lambda x, f=function: f(x, np.float32(0.37)),
         weights={"w": np.array(0.37, np.float32)})
    case(op + "-one-element", [node(op, "x w")], lambda x, f=function: f(x, np.float32(0.37)),
         weights={"w": np.array([[0.37]], np.float32)})
    case(op + "-two-inputs", [node(op, "x y")], function, inputs={"x": (1, L, 4), "y": (1, L, 1)}, tolerance=1e-4)
    case(op + "-constant-first", [node(op, "w x")], lambda x, f=function, w=divisor["w"]: f(w, x), weights=divisor,
         tolerance=1e-3)
case("Add-wider", [node("Add", "w x")], lambda x: np.broadcast_to(x + 1, (1, 2) + x.shape), inputs={"x": (L, 3)},
     weights={"w": np.ones((1, 2, 1, 3), np.float32)})
case("Pow", [node("Pow", "x p")], lambda x: x ** 3, weights={"p": np.array(3, np.float32)}, tolerance=1e-5)
case("Pow-integer-exponent", [node("Pow", "x p")], lambda x: x ** 2, weights={"p": ints(2)})
case("folded-scale", [node("Shape", "x", "shape"), node("Gather", "shape last", "d"), node("Cast", "d", "f", to=1),
                      node("Sqrt", "f", "root"), node("Div", "x root")], lambda x: x / 2, weights={"last": ints(-1)})

# Matrix products.
w45 = floats(4, 5)
case("MatMul-weights", [node("MatMul", "x w")], lambda x: x @ w45, weights={"w": w45})
case("MatMul-two-dimensions", [node("MatMul", "x w")], lambda x: x @ w45, inputs={"x": (L, 4)}, weights={"w": w45})
case("MatMul-four-dimensions", [node("MatMul", "x w")], lambda x: x @ w45, inputs={"x": (1, 2, L, 4)},
     weights={"w": w45})
case("MatMul-stack-of-one", [node("MatMul", "x w")], lambda x: x @ w45, weights={"w": w45[None]})
case("MatMul-stacks", [node("Transpose", "x", "t", perm=[0, 1, 3, 2]), node("MatMul", "x t")],
     lambda x: x @ x.transpose(0, 1, 3, 2), inputs={"x": (1, 3, L, 4)}, tolerance=1e-5)
w245 = floats(2, 4, 5)
case("MatMul-broadcast-stack", [node("MatMul", "x w")], lambda x: x @ w245, weights={"w": w245})
w3 = floats(4)
case("MatMul-vector-right", [node("MatMul", "x w")], lambda x: x @ w3, weights={"w": w3})
wl = floats(2)
case("MatMul-vector-left", [node("MatMul", "w x")], lambda x: wl @ x, inputs={"x": (1, 3, 2, 4)}, weights={"w": wl},
     closed=True)
b5 = floats(5)
case("Gemm", [node("Gemm", "x w b")], lambda x: x @ w45 + b5, inputs={"x": (L, 4)}, weights={"w": w45, "b": b5})
case("Gemm-transposed", [node("Gemm", "x w b", transB=1, alpha=0.5, beta=2.0)],
     lambda x: 0.5 * (x @ w45) + 2 * b5, inputs={"x": (L, 4)}, weights={"w": np.ascontiguousarray(w45.T), "b": b5})
case("Gemm-transposed-left", [node("Gemm", "x w", transA=1)], lambda x: x.T @ w45[:3], inputs={"x": (3, 4)},
     weights={"w": w45[:3]}, closed=True)

# Reductions.
for axes, keep in (([-1], 1), ([-1], 0), ([1], 1), ([1], 0), ([1, 2], 0)):
    label = f"{'-'.join(str(a) for a in axes)}-{'keep' if keep else 'drop'}"
    for op, function in {"ReduceMean": np.mean, "ReduceMax": np.max, "ReduceSum": np.sum}.items():
        reference = lambda x, f=function, a=tuple(axes), k=keep: f(x, axis=a, keepdims=bool(k))
        if op == "ReduceSum":
            case(f"{op}-13-{label}", [node(op, "x axes", keepdims=keep)], reference, weights={"axes": ints(*axes)},
                 tolerance=1e-5)
            case(f"{op}-11-{label}", [node(op, "x", axes=axes, keepdims=keep)], reference, opset=11, tolerance=1e-5)
        else:
            case(f"{op}-{label}", [node(op, "x", axes=axes, keepdims=keep)], reference)
case("ReduceMean-all", [node("ReduceMean", "x")], lambda x: x.mean(keepdims=True))
case("Softmax", [node("Softmax", "x")], lambda x: softmax(x, -1))
case("Softmax-axis-1", [node("Softmax", "x", axis=1)], lambda x: softmax(x, 1))
case("Softmax-11-last", [node("Softmax", "x", axis=2)], lambda x: softmax(x, 2), opset=11)
case("Softmax-11-flattens", [node("Softmax", "x")], lambda x: softmax(x, (1, 2)), opset=11)
gamma, beta = floats(4), floats(4)


def layer_norm(x, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred ** 2).mean(-1, keepdims=True) + epsilon) * gamma


case("LayerNormalization", [node("LayerNormalization", "x g b", epsilon=1e-3)], lambda x: layer_norm(x, 1e-3) + beta,
     weights={"g": gamma, "b": beta}, opset=17, tolerance=1e-5)
case("LayerNormalization-no-bias", [node("LayerNormalization", "x g")], lambda x: layer_norm(x, 1e-5),
     weights={"g": gamma}, opset=17, tolerance=1e-5)

# Elements that move.
case("Transpose", [node("Transpose", "x", perm=[0, 2, 1])], lambda x: x.transpose(0, 2, 1))
case("Transpose-default", [node("Transpose", "x")], lambda x: x.T, inputs={"x": (2, L, 4)})
case("Transpose-weight", [node("Transpose", "w", "t"), node("MatMul", "x t")], lambda x: x @ w45,
     weights={"w": np.ascontiguousarray(w45.T)})
case("Reshape-split", [node("Reshape", "x s")], lambda x: x.reshape(1, -1, 2, 2), weights={"s": ints(0, 0, 2, 2)})
case("Reshape-inferred", [node("Reshape", "x s")], lambda x: x.reshape(1, -1, 2, 2), weights={"s": ints(1, -1, 2, 2)})
case("Reshape-merge", [node("Reshape", "x s")], lambda x: x.reshape(-1, 4), weights={"s": ints(-1, 4)})
case("Reshape-regroup", [node("Reshape", "x s", "y"), node("Reshape", "y t")], lambda x: x.reshape(1, -1, 3, 2),
     inputs={"x": (1, L, 6)}, weights={"s": ints(1, -1, 2, 3), "t": ints(0, 0, 3, 2)})
case("Reshape-fixed-length", [node("Reshape", "x s")], lambda x: x.reshape(1, 6, 2, 2),
     weights={"s": ints(1, BOUND, 2, 2)}, closed=True)
case("Reshape-shape-arithmetic",
     [node("Shape", "x", "shape"), node("Cast", "shape", "s32", to=6), node("Slice", "s32 one two zero", "length"),
      node("Cast", "length", "l64", to=7), node("Concat", "keep l64 heads", "target", axis=0),
      node("Reshape", "x target")],
     lambda x: x.reshape(1, -1, 2, 2),
     weights={"one": ints(1), "two": ints(2), "zero": ints(0), "keep": ints(0), "heads": ints(2, 2)})
case("Reshape-shape-product",
     [node("Shape", "x", "shape"), node("Gather", "shape one", "length"), node("Mul", "length two", "twice"),
      node("Unsqueeze", "twice zero", "rows"), node("Concat", "rows two1", "target", axis=0),
      node("Reshape", "x target")],
     lambda x: x.reshape(-1, 2),
     weights={"one": np.array(1), "two": np.array(2), "zero": ints(0), "two1": ints(2)})
case("Flatten", [node("Flatten", "x", axis=2)], lambda x: x.reshape(x.shape[1], 4))
case("Squeeze-13", [node("Squeeze", "x a")], lambda x: x[0], weights={"a": ints(0)})
case("Squeeze-11", [node("Squeeze", "x", axes=[0])], lambda x: x[0], opset=11)
case("Squeeze-all", [node("Squeeze", "x")], lambda x: x[0])
case("Unsqueeze-13", [node("Unsqueeze", "x a")], lambda x: x[:, None, :, :, None], weights={"a": ints(1, -1)})
case("Unsqueeze-11", [node("Unsqueeze", "x", axes=[1])], lambda x: x[:, None], opset=11)
far = ints(np.iinfo(np.int64).min)
case("Slice-tokens-backwards", [node("Slice", "x a b c a")], lambda x: x[:, ::-1],
     weights={"a": ints(-1), "b": far, "c": ints(1)})
case("Slice-features-backwards", [node("Slice", "x a b c d")], lambda x: x[..., 2::-2],
     weights={"a": ints(2), "b": far, "c": ints(2), "d": ints(-2)})
places = random.integers(-4, 4, (1, BOUND, 2))
case("GatherElements", [node("GatherElements", "x i", axis=2)], lambda x: np.take_along_axis(x, places % 4, 2),
     weights={"i": places}, closed=True)
last = np.zeros((1, 1, 4), np.int64) - 1
case("GatherElements-tokens", [node("GatherElements", "x i", axis=1)], lambda x: x[:, -1:], weights={"i": last})
ones = numpy_helper.from_array(np.ones(1, np.int64))
case("NonZero", [node("Shape", "x", "s"), node("Slice", "s a b", "n"), node("ConstantOfShape", "n", "o", value=ones),
                 node("NonZero", "o", "p"), node("Cast", "p", "f", to=1), node("Unsqueeze", "f c", "r"),
                 node("Add", "x r")],
     lambda x: x + np.arange(x.shape[1], dtype=np.float32)[None, :, None],
     weights={"a": ints(1), "b": ints(2), "c": ints(2)})
left, right = floats(3), floats(3, 4)
case("MatMul-constants", [node("MatMul", "l r", "m"), node("Add", "x m")], lambda x: x + left @ right,
     weights={"l": left, "r": right})
for op, function in {"ReduceMax": np.max, "ReduceMin": np.min, "ReduceProd": np.prod, "ReduceMean": np.mean,
                     "ReduceL1": lambda w, axis: np.abs(w).sum(axis),
                     "ReduceL2": lambda w, axis: np.sqrt((w * w).sum(axis))}.items():
    case(op + "-constant", [node(op, "r", "m", axes=[0], keepdims=0), node("Add", "x m")],
         lambda x, f=function: x + f(right, axis=0), weights={"r": right})
pointwise = {"w": floats(3, 4, 1), "b": floats(3)}
case("Conv-pointwise", [node("Transpose", "x", "t", perm=[0, 2, 1]), node("Conv", "t w b")],
     lambda x: np.einsum("oi,bli->bol", pointwise["w"][:, :, 0], x) + pointwise["b"][:, None], weights=pointwise)

case("Slice-first-row", [node("Slice", "x s e a")], lambda x: x[:, :1],
     weights={"s": ints(0), "e": ints(1), "a": ints(1)})
case("Slice-last-row", [node("Slice", "x s e a")], lambda x: x[:, -1:],
     weights={"s": ints(-1), "e": ints(2 ** 63 - 1), "a": ints(1)})
case("Slice-9", [node("Slice", "x", starts=[1], ends=[3], axes=[2])], lambda x: x[:, :, 1:3], opset=9)
case("Slice-steps", [node("Slice", "x s e a t")], lambda x: x[:, :, 0:4:3],
     weights={"s": ints(0), "e": ints(4), "a": ints(-1), "t": ints(3)})
case("Slice-needs-length", [node("Slice", "x s e a")], lambda x: x[:, 1:4],
     weights={"s": ints(1), "e": ints(4), "a": ints(1)}, closed=True)
table = floats(1, 9, 4)
case("Slice-positions",
     [node("Shape", "x", "shape"), node("Slice", "shape one two", "length"), node("Slice", "t zero length one", "rows"),
      node("Add", "x rows")],
     lambda x: x + table[:, :x.shape[1]], weights={"one": ints(1), "two": ints(2), "zero": ints(0), "t": table})
case("Add-fixed-positions", [node("Add", "x t")], lambda x: x + table[:, :BOUND],
     weights={"t": np.ascontiguousarray(table[:, :BOUND])}, closed=True)
case("Split-13", [node("Split", "x s", "a out", axis=-1)], lambda x: x[:, :, 1:], weights={"s": ints(1, 3)})
case("Split-11", [node("Split", "x", "out b", axis=2)], lambda x: x[:, :, :2], opset=11)
case("Gather-index", [node("Gather", "x i", axis=1)], lambda x: x[:, 0], weights={"i": np.array(0)})
case("Gather-constant", [node("Gather", "t i", "rows", axis=1), node("Add", "x rows")],
     lambda x: x + table[:, [3]], weights={"t": table, "i": ints(3)})
case("Concat", [node("Concat", "x w", axis=2)], lambda x: np.concatenate([x, np.tile(w1, (1, x.shape[1], 1))], 2),
     weights={"w": np.tile(floats(1, 1, 3), (1, BOUND, 1))}, closed=True)
w1 = CASES[-1]["weights"]["w"][:, :1]
token = floats(1, 1, 4)
case("Concat-class-token", [node("Concat", "c x", axis=1)], lambda x: np.concatenate([token, x], 1),
     weights={"c": token})

# Attention as a recogniser's exporter writes it: fused projections, heads by shape arithmetic on constants in
# nodes, 32-bit integers, everything an attribute.
D, HEADS, WIDTH = 6, 2, 3
qkv, qkv_bias = floats(D, 3 * D), floats(3 * D)


def constant(name, array):
    return node("Constant", "", name, value=numpy_helper.from_array(np.asarray(array)))


def int32(name, value):
    return [constant(name + "_32", np.array([value], np.int32)), node("Cast", name + "_32", name, to=7)]


def fused_attention(x):
    q, k, v = (x @ qkv + qkv_bias).reshape(1, -1, 3, HEADS, WIDTH).transpose(2, 0, 3, 1, 4)
    return (softmax(q * 0.5 @ k.transpose(0, 1, 3, 2), -1) @ v).transpose(0, 2, 1, 3).reshape(x.shape)


def part(i, name):
    return [node("Slice", "t", name + "_slice", axes=[0], starts=[i], ends=[i + 1]),
            node("Squeeze", name + "_slice", name, axes=[0])]


case("fused-attention-9",
     [constant("w", qkv), constant("b", qkv_bias), node("MatMul", "x w", "m"), node("Add", "m b", "a"),
      node("Shape", "x", "shape"), node("Cast", "shape", "shape_32", to=6),
      node("Slice", "shape_32", "length_32", axes=[0], starts=[1], ends=[2]), node("Cast", "length_32", "length", to=7),
      *int32("zero", 0), *int32("three", 3), *int32("heads", HEADS), *int32("width", WIDTH), *int32("all", D),
      node("Concat", "zero length three heads width", "split", axis=0), node("Reshape", "a split", "r"),
      node("Transpose", "r", "t", perm=[2, 0, 3, 1, 4]), *part(0, "q"), *part(1, "k"), *part(2, "v"),
      constant("half", np.array(0.5, np.float32)), node("Mul", "q half", "scaled"),
      node("Transpose", "k", "kt", perm=[0, 1, 3, 2]), node("MatMul", "scaled kt", "scores"),
      node("Softmax", "scores", "p", axis=3), node("MatMul", "p v", "o"),
      node("Transpose", "o", "ot", perm=[0, 2, 1, 3]), node("Concat", "zero length all", "merge", axis=0),
      node("Reshape", "ot merge")],
     fused_attention, inputs={"x": (1, L, D)}, opset=9, tolerance=1e-5)

# Nothing.
case("Identity", [node("Identity", "x", "y"), node("Relu", "y", "z"), node("Identity", "z")],
     lambda x: np.maximum(x, 0))
case("Dropout", [node("Relu", "x", "y"), node("Dropout", "y")], lambda x: np.maximum(x, 0))
case("Dropout-11", [node("Relu", "x", "y"), node("Dropout", "y", ratio=0.5)], lambda x: np.maximum(x, 0), opset=11)
case("Constant", [node("Constant", "", "c", value=numpy_helper.from_array(w45)), node("MatMul", "x c")],
     lambda x: x @ w45)
case("Constant-float", [node("Constant", "", "c", value_float=2.5), node("Mul", "x c")], lambda x: x * 2.5)
case("Cast-to-float", [node("Relu", "x", "y"), node("Cast", "y", to=1)], lambda x: np.maximum(x, 0))

image_operators.add_cases(case, node)


def write(folder, each):
    def shape(dims):
        return [BOUND if d == L else d for d in dims]

    graph = helper.make_graph(
        each["nodes"], "g",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, d if each["named"] else shape(d))
         for n, d in each["inputs"].items()],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(w), n) for n, w in each["weights"].items()])
    model = helper.make_model(graph, opset_imports=[
        helper.make_opsetid("", each["opset"]), helper.make_opsetid("com.microsoft", 1)])
    model.ir_version = 8
    onnx.save(model, os.path.join(folder, each["name"] + ".onnx"))
    arrays = {}
    for run, length in enumerate((BOUND, 3) if each["closed"] is False else (BOUND,)):
        data = [floats(*[length if d == L else d for d in dims]) for dims in each["inputs"].values()]
        for i, array in enumerate(data):
            arrays[f"in{run}.{i}"] = array
        arrays[f"out{run}"] = np.array(each["reference"](*data), np.float32, order="C")
    np.savez(os.path.join(folder, each["name"] + ".npz"), **arrays)
    return [f"--shape={n}:{'x'.join(map(str, shape(d)))}" for n, d in each["inputs"].items()] if each["named"] else []


def main():
    folder, tool, only = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(folder, exist_ok=True)
    failed = 0
    for each in CASES:
        if only and each["name"] not in only:
            continue
        flags = write(folder, each)
        base = os.path.join(folder, each["name"])
        run = subprocess.run([tool, base + ".onnx", base + ".npz", f"--tolerance={each['tolerance']}", *flags],
                             capture_output=True, text=True)
        remark = "remark: the sequence keeps its length" in run.stderr
        if run.returncode != 0 or (each["closed"] is not None and remark != each["closed"]):
            failed += 1
            print(f"FAILED {each['name']}: exit {run.returncode}, closed: {remark}\n{run.stdout}{run.stderr}")
    print(f"{len(CASES)} cases, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
