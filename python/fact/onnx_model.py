# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Builds ONNX encoders with random weights, as exporters write them.

    b = Builder()
    y = b.layer("x", features=64, heads=4)
    b.save("layer.onnx", [("x", "float32", ["batch", "length", 64])], [(y, ["batch", "length", 64])])
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

KINDS = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}


class Builder:
    """b.Add(x, y, ...) adds a node of that operator and returns the name of its output; arrays become initializers."""

    def __init__(self, seed=0):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(seed)

    def __getattr__(self, operator):
        def add(*inputs, **attributes):
            name = f"{operator}_{len(self.nodes)}"
            names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
            self.nodes.append(helper.make_node(operator, names, [name], name=name, **attributes))
            return name
        return add

    def constant(self, value):
        """The name of an initializer."""
        self.weights.append(numpy_helper.from_array(np.asarray(value), f"weight_{len(self.weights)}"))
        return self.weights[-1].name

    def linear(self, x, rows, columns):
        """x [.., rows] times a weight, plus a bias: [.., columns]."""
        weight = self.random.standard_normal((rows, columns), dtype=np.float32) / np.float32(np.sqrt(rows))
        return self.Add(self.MatMul(x, weight), self.random.standard_normal(columns, dtype=np.float32))

    def norm(self, x, features):
        gamma = 1 + self.random.standard_normal(features, dtype=np.float32) / 10
        return self.LayerNormalization(x, gamma, np.zeros(features, np.float32), axis=-1, epsilon=1e-12)

    def gelu(self, x):
        gate = self.Add(self.Erf(self.Div(x, np.float32(np.sqrt(2)))), np.float32(1))
        return self.Mul(self.Mul(x, np.float32(0.5)), gate)

    def layer(self, x, features, heads, hidden=None, mask=None, heads_in_batch=None):
        """A layer with norms behind its sums on x [batch, length, features].

        hidden          features of the feed-forward network, 4 times `features` if not given
        mask            tokens [batch, length] that are 1, where others are padding, or None
        heads_in_batch  the length, for attention on [batch * heads, length, features / heads]
        """
        size = features // heads

        def split(value):
            value = self.Reshape(self.linear(value, features, features), np.array([0, 0, heads, size]))
            value = self.Transpose(value, perm=[0, 2, 1, 3])
            return self.Reshape(value, np.array([-1, heads_in_batch, size])) if heads_in_batch else value

        q, k, v = split(x), split(x), split(x)
        back = [0, 2, 1] if heads_in_batch else [0, 1, 3, 2]
        scores = self.Div(self.MatMul(q, self.Transpose(k, perm=back)), np.float32(np.sqrt(size)))
        if mask:
            hidden_keys = self.Sub(np.float32(1), self.Unsqueeze(self.Cast(mask, to=TensorProto.FLOAT),
                                                                 np.array([1, 2])))
            scores = self.Add(scores, self.Mul(hidden_keys, np.float32(-1e9)))
        context = self.MatMul(self.Softmax(scores, axis=-1), v)
        if heads_in_batch:
            context = self.Reshape(context, np.array([-1, heads, heads_in_batch, size]))
        context = self.Reshape(self.Transpose(context, perm=[0, 2, 1, 3]), np.array([0, 0, features]))
        x = self.norm(self.Add(x, self.linear(context, features, features)), features)
        hidden = hidden or 4 * features
        feed_forward = self.linear(self.gelu(self.linear(x, features, hidden)), hidden, features)
        return self.norm(self.Add(x, feed_forward), features)

    def save(self, path, inputs, outputs, external=False):
        """Writes the model: inputs (name, a type of KINDS, shape), outputs (name, shape) of float32. `external`: weights
        in a file of their own beside it."""
        def value(name, kind, shape):
            return helper.make_tensor_value_info(name, KINDS[kind], shape)
        graph = helper.make_graph(self.nodes, "model", [value(*each) for each in inputs],
                                  [value(name, "float32", shape) for name, shape in outputs], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, str(path), save_as_external_data=external, location=str(path).rsplit("/", 1)[-1] + ".bin")
