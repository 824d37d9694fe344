# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Models to part, and another runtime for the parts.

usage: partition.py models FOLDER         front.onnx and its relatives; inputs beside them
       partition.py run PART.onnx FOLDER  checks a part, runs it on FOLDER/TENSOR.npy, and writes the same of what it makes
       partition.py shapes PART.onnx      its inputs and outputs
       partition.py data PART.onnx        the files that its weights are in, and how many are in it

The runtime is that of the import's tests, in NumPy.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Import" / "Inputs"))
from evaluate import evaluate  # noqa: E402
from fact.onnx_model import Builder  # noqa: E402

D, HEADS, LENGTH = 16, 2, 12


def conv_front(b, x):
    """Samples [batch, length, 4] to rows [batch, length, D]. Sums of eighths are the same in any order: where two runtimes
    differ in the last bit, a quantized layer may differ in the first digits."""
    kernel = b.random.integers(-8, 9, (D, 4, 3)).astype(np.float32) / 8
    features = b.Relu(b.Conv(b.Transpose(x, perm=[0, 2, 1]), kernel, np.zeros(D, np.float32), pads=[1, 1]))
    return features, b.Add(b.Transpose(features, perm=[0, 2, 1]), b.random.standard_normal(D, dtype=np.float32))


def models(folder):
    rows, samples = ["batch", "length", D], ["batch", "length", 4]

    # The head needs what the front made, a shape, and an input of its own; the features are an output as well.
    b = Builder(1)
    features, x = conv_front(b, "samples")
    y = b.layer(b.layer(x, D, HEADS), D, HEADS)
    both = b.Add(b.ReduceMean(y, axes=[1], keepdims=0), b.ReduceMean(features, axes=[2], keepdims=0))
    shape = b.Concat(b.Slice(b.Shape("samples"), np.array([0]), np.array([1])), np.array([2, D // 2]), axis=0)
    scores = b.Mul(b.Reshape(both, shape), "gain")
    b.save(folder / "front.onnx", [("samples", "float32", samples), ("gain", "float32", [1])],
           [(scores, ["batch", 2, D // 2]), (features, ["batch", D, "length"])])

    # With large weights before and after.
    b = Builder(2)
    table, head = (b.random.standard_normal((40, D), dtype=np.float32) for _ in range(2))
    y = b.layer(b.Gather(table, "ids"), D, HEADS)
    away = b.Sub(b.Unsqueeze(b.ReduceMean(y, axes=[1], keepdims=0), np.array([1])), head)
    b.save(folder / "elsewhere.onnx", [("ids", "int64", ["batch", "length"])],
           [(b.ReduceMax(b.Abs(away), axes=[2], keepdims=0), ["batch", 40])], external=True)

    # Nothing before: the layers take the input.
    b = Builder(2)
    y = b.layer("x", D, HEADS)
    b.save(folder / "no-before.onnx", [("x", "float32", rows)], [(b.ReduceMax(y, axes=[1], keepdims=0), ["batch", D])])

    # Nothing after: they make the output.
    b = Builder(3)
    b.save(folder / "no-after.onnx", [("samples", "float32", samples)],
           [(b.layer(conv_front(b, "samples")[1], D, HEADS), rows)])

    # Nothing else at all.
    b = Builder(4)
    b.save(folder / "layer.onnx", [("x", "float32", rows)], [(b.layer("x", D, HEADS), rows)])

    # Two encoders side by side.
    b = Builder(5)
    first = b.layer(conv_front(b, "samples")[1], D, HEADS)
    second = b.layer(conv_front(b, "others")[1], D, HEADS)
    score = b.Mul(b.ReduceMean(first, axes=[1], keepdims=0), b.ReduceMean(second, axes=[1], keepdims=0))
    b.save(folder / "two.onnx", [("samples", "float32", samples), ("others", "float32", samples)], [(score, ["batch", D])])

    # What --partition refuses: a head that reads the shape of a tensor inside; a model without a layer.
    b = Builder(6)
    inner = b.layer(conv_front(b, "samples")[1], D, HEADS)
    y = b.layer(inner, D, HEADS)
    head = b.Reshape(b.Relu(b.Transpose(y, perm=[0, 2, 1])), b.Gather(b.Shape(inner), np.array([0, 2, 1])))
    b.save(folder / "inside.onnx", [("samples", "float32", samples)], [(head, ["batch", D, "length"])])
    b = Builder(7)
    b.save(folder / "no-layer.onnx", [("samples", "float32", samples)], [(conv_front(b, "samples")[1], rows)])


    # Rows that are a part of what a node makes.
    b = Builder(10)
    b.nodes.append(onnx.helper.make_node("Split", ["x"], ["left", "right"], name="halves", axis=2))
    y = b.layer(b.Add("left", b.Relu("right")), D // 2, HEADS)
    b.save(folder / "split.onnx", [("x", "float32", rows)], [(b.ReduceMax(y, axes=[1], keepdims=0), ["batch", D // 2])])

    # A function of the model before the layer, of its own operator set or of another.
    for version, name in ((13, "versions"), (17, "function")):
        b = Builder(11)
        table = b.constant(b.random.standard_normal((40, D), dtype=np.float32))
        b.nodes.append(onnx.helper.make_node("Embed", [table, "ids"], ["rows"], name="embed", domain="local"))
        y = b.layer("rows", D, HEADS)
        b.save(folder / "function.onnx", [("ids", "int64", ["batch", "length"])],
               [(b.ReduceMax(y, axes=[1]), ["batch", 1, D])])
        model = onnx.load(str(folder / "function.onnx"))
        gather = onnx.helper.make_node("Gather", ["t", "i"], ["r"])
        model.functions.append(onnx.helper.make_function("local", "Embed", ["t", "i"], ["r"], [gather],
                                                         [onnx.helper.make_opsetid("", version)]))
        model.opset_import.append(onnx.helper.make_opsetid("local", 1))
        onnx.save(model, str(folder / f"{name}.onnx"))

    # All in float16, but for the result. Gelu has the root of two as float16 has it.
    b = Builder(9)
    x = b.Gather(b.random.standard_normal((40, D), dtype=np.float32), "ids")
    head = b.Cast(b.ReduceMax(b.Sub(b.layer(x, D, HEADS), x), axes=[1], keepdims=0), to=onnx.TensorProto.FLOAT)
    arrays = {weight.name: numpy_helper.to_array(weight) for weight in b.weights}
    b.weights = [numpy_helper.from_array(array.astype(np.float16) if array.dtype == np.float32 else array, name)
                 for name, array in arrays.items()]
    b.save(folder / "half.onnx", [("ids", "int64", ["batch", "length"])], [(head, ["batch", D])])

    # Padding, and a last activation behind a transpose.
    b = Builder(8)
    y = b.layer(b.Gather(b.random.standard_normal((40, D), dtype=np.float32), "ids"), D, HEADS, mask="mask")
    y = b.Gather(b.Relu(b.Transpose(y, perm=[0, 2, 1])), np.array(0), axis=2)
    tokens = ["batch", "length"]
    b.save(folder / "masked.onnx", [("ids", "int64", tokens), ("mask", "int64", tokens)],
           [(y, ["batch", D])])

    rng = np.random.default_rng(0)
    for name in ("samples", "others"):
        np.save(folder / f"{name}.npy", rng.integers(-16, 17, (2, LENGTH, 4)).astype(np.float32) / 8)
    np.save(folder / "x.npy", rng.standard_normal((2, LENGTH, D), dtype=np.float32))
    np.save(folder / "ids.npy", rng.integers(0, 40, (2, LENGTH)))
    np.save(folder / "mask.npy", np.array([[1] * 7 + [0] * 5, [1] * LENGTH]))
    np.save(folder / "gain.npy", np.array([3], np.float32))


def run(path, folder):
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(str(path))
    results = evaluate(model, {each.name: np.load(folder / f"{each.name}.npy") for each in model.graph.input})
    for output, value in zip(model.graph.output, results):
        np.save(folder / f"{output.name}.npy", value)


def data(path):
    weights = onnx.load(str(path), load_external_data=False).graph.initializer
    files = [entry.value for weight in weights for entry in weight.external_data if entry.key == "location"]
    print(*sorted(set(files)), len(weights) - len(files))


def shapes(path):
    graph = onnx.load(str(path), load_external_data=False).graph
    for each in [*graph.input, *graph.output]:
        tensor = each.type.tensor_type
        print(each.name, onnx.TensorProto.DataType.Name(tensor.elem_type).lower(),
              *(dim.dim_param or dim.dim_value for dim in tensor.shape.dim))


if __name__ == "__main__":
    {"models": models, "run": run, "shapes": shapes, "data": data}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
