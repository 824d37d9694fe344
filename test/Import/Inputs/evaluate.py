"""What an ONNX model computes, in NumPy: only the operators that spellings.py uses."""
import math

import numpy as np
from onnx import helper, mapping, numpy_helper

erf = np.vectorize(math.erf, otypes=[np.float32])


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def reshape(x, shape):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape)])


def unsqueeze(x, axes):
    return np.expand_dims(x, tuple(int(a) for a in axes))


def sliced(x, begins, ends, axes=None, steps=None):
    index = [slice(None)] * x.ndim
    axes = range(len(begins)) if axes is None else axes
    steps = [1] * len(begins) if steps is None else steps
    for begin, end, axis, step in zip(begins, ends, axes, steps):
        begin, end, step = int(begin), int(end), int(step)
        index[axis] = slice(begin, None if step < 0 and end < -x.shape[axis] else end, step)
    return x[tuple(index)]


def rms_norm(x, gamma, axis=-1, epsilon=1e-5):
    return x / np.sqrt((x * x).mean(axis=axis, keepdims=True) + epsilon) * gamma


def layer_norm(x, gamma, beta=0, axis=-1, epsilon=1e-5):
    axes = tuple(range(axis % x.ndim, x.ndim))
    c = x - x.mean(axes, keepdims=True)
    return c / np.sqrt((c * c).mean(axes, keepdims=True) + np.float32(epsilon)) * gamma + beta


def rotary(x, cos, sin, positions=None, interleaved=0, rotary_embedding_dim=0, num_heads=0):
    shape = x.shape
    if x.ndim == 3:
        x = x.reshape(*shape[:2], num_heads, -1).swapaxes(1, 2)
    size = rotary_embedding_dim or x.shape[-1]
    cos, sin = ((t if positions is None else t[positions])[:, None] for t in (cos, sin))
    a, b = (x[..., 0:size:2], x[..., 1:size:2]) if interleaved else (x[..., :size // 2], x[..., size // 2:size])
    y = [a * cos - b * sin, b * cos + a * sin]
    y = np.stack(y, -1).reshape(*x.shape[:-1], size) if interleaved else np.concatenate(y, -1)
    y = np.concatenate((y, x[..., size:]), -1)
    return y.swapaxes(1, 2).reshape(shape) if len(shape) == 3 else y


def gemm(x, w, b=0, alpha=1.0, beta=1.0, transA=0, transB=0):
    return np.float32(alpha) * ((x.T if transA else x) @ (w.T if transB else w)) + np.float32(beta) * b


def reduced(function, x, axes, keepdims=1):
    return function(x, axis=None if axes is None else tuple(int(a) for a in axes), keepdims=bool(keepdims))


def evaluate_node(node, opset, x):
    a = {t.name: helper.get_attribute_value(t) for t in node.attribute}
    op = node.op_type
    simple = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Max": np.maximum,
              "Min": np.minimum, "Pow": lambda b, e: (b ** e).astype(b.dtype), "And": np.logical_and, "Or": np.logical_or,
              "Not": np.logical_not, "Greater": np.greater, "Less": np.less, "GreaterOrEqual": np.greater_equal,
              "LessOrEqual": np.less_equal, "Equal": np.equal, "Where": np.where, "IsNaN": np.isnan, "Sqrt": np.sqrt,
              "Exp": np.exp, "Neg": np.negative, "Abs": np.abs, "Cos": np.cos, "Sin": np.sin,
              "Tile": np.tile, "Tanh": np.tanh, "Erf": erf,
              "Reciprocal": lambda v: np.float32(1) / v, "Sigmoid": lambda v: 1 / (1 + np.exp(-v)), "MatMul": np.matmul,
              "Relu": lambda v: np.maximum(v, 0), "Identity": lambda v: v, "Dropout": lambda v, *_: v,
              "Clip": lambda v, low=-np.inf, high=np.inf: np.clip(v, low, high),
              "Reshape": reshape, "Slice": sliced, "Shape": lambda v: np.array(v.shape),
              "Range": lambda begin, end, step: np.arange(begin, end, step),
              "Expand": lambda v, shape: v * np.ones([int(n) for n in shape], v.dtype)}
    if op in simple:
        return [simple[op](*x)]
    if op == "CumSum":
        axis, back = int(x[1]), slice(None, None, -1 if a.get("reverse", 0) else 1)
        index = tuple(back if i == axis else slice(None) for i in range(x[0].ndim))
        total = np.cumsum(x[0][index], axis, dtype=x[0].dtype)
        return [(total - x[0][index] if a.get("exclusive", 0) else total)[index]]
    if op == "Cast":
        return [x[0].astype(mapping.TENSOR_TYPE_TO_NP_TYPE[a["to"]])]
    if op == "Transpose":
        return [x[0].transpose(a["perm"])]
    if op == "Softmax":
        axis = a.get("axis", -1 if opset >= 13 else 1)
        return [softmax(x[0], axis if opset >= 13 else tuple(range(axis % x[0].ndim, x[0].ndim)))]
    if op in ("ReduceMean", "ReduceMax", "ReduceSum", "ReduceSumSquare", "ReduceL2"):
        function = {"ReduceMean": np.mean, "ReduceMax": np.max}.get(op, np.sum)
        y = reduced(function, x[0] * x[0] if op in ("ReduceSumSquare", "ReduceL2") else x[0],
                    x[1] if len(x) > 1 else a["axes"], a.get("keepdims", 1))
        return [np.sqrt(y) if op == "ReduceL2" else y]
    if op == "Unsqueeze":
        return [unsqueeze(x[0], x[1] if len(x) > 1 else a["axes"])]
    if op == "Squeeze":
        return [np.squeeze(x[0], tuple(int(v) for v in (x[1] if len(x) > 1 else a["axes"])))]
    if op == "Split":
        return np.split(x[0], np.cumsum(x[1] if len(x) > 1 else a["split"])[:-1], a["axis"])
    if op == "Concat":
        return [np.concatenate(x, a["axis"])]
    if op == "Gather":
        return [np.take(x[0], x[1], a.get("axis", 0))]
    if op == "Trilu":
        return [(np.triu if a.get("upper", 1) else np.tril)(x[0], int(x[1]) if len(x) > 1 else 0)]
    if op == "ConstantOfShape":
        value = numpy_helper.to_array(a["value"])
        return [np.full([int(n) for n in x[0]], value[0], value.dtype)]
    if op == "Gemm":
        return [gemm(*x, **a)]
    if op == "Einsum":
        return [np.einsum(a["equation"].decode(), *x)]
    if op == "LayerNormalization":
        return [layer_norm(*x, **a)]
    if op in ("RMSNormalization", "SimplifiedLayerNormalization"):
        return [rms_norm(*x, **a)]
    if op == "RotaryEmbedding":
        return [rotary(*(x if node.domain == "" else (x[0], x[2], x[3], x[1])), **a)]
    if op == "Conv":  # over one dimension, step by step
        size = x[1].shape[2]
        padded = np.pad(x[0], ((0, 0), (0, 0), tuple(a.get("pads", (0, 0)))))
        places = padded.shape[2] - size + 1
        return [sum(np.einsum("oi,bil->bol", x[1][:, :, k], padded[:, :, k:k + places]) for k in range(size))
                + x[2][:, None]]
    raise NotImplementedError(op)


def evaluate(model, feed):
    """The outputs, in order; feed: the inputs by name."""
    values = {**feed, **{t.name: numpy_helper.to_array(t) for t in model.graph.initializer}}
    with np.errstate(all="ignore"):
        for node in model.graph.node:
            results = evaluate_node(node, model.opset_import[0].version, [values[i] for i in node.input])
            values.update(zip(node.output, results))
    return [values[o.name] for o in model.graph.output]
