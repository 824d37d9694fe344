#!/usr/bin/env python3
"""The many ways in which models spell one layer's parts, and what only looks like one.

spellings.py FOLDER [--reference] [CASE...]: writes a small ONNX model for each case to FOLDER and checks what
fact-compile raises. What fact-run computes (--dense) must be what the model computes (evaluate.py; with --reference
fact-run --reference=f32 as well, which takes minutes) on the rows that are real. Models that are raised to the same
are run once. A near miss must not be raised, and a remark or an error must name a node of it. With CASE: only those
whose names contain it.
"""
import concurrent.futures
import hashlib
import itertools
import os
import re
import subprocess
import sys
import threading

import numpy as np
import onnx
from onnx import TensorProto as T, helper, numpy_helper

from evaluate import evaluate

D, H = 16, 2
TYPES = {"int64": (T.INT64, np.int64), "int32": (T.INT32, np.int32), "bool": (T.BOOL, np.bool_),
         "float": (T.FLOAT, np.float32)}
INF = float("inf")


class Graph:
    """g.Add(a, b) adds a node and returns its output; arrays and numbers become initializers."""

    def __init__(self, seed, length, layout="batch", opset=14):
        self.nodes, self.weights, self.inputs, self.outputs = [], [], [], []
        self.random = np.random.default_rng(seed)
        self.length, self.layout, self.opset = length, layout, opset
        self.feed, self.real = [], length
        shape = {"batch": (1, length, D), "sequence": (length, 1, D), "flat": (length, D)}[layout]
        self.axis = shape.index(length)
        self.x = self.input("x", T.FLOAT, self.random.standard_normal(shape).astype(np.float32))

    def input(self, name, kind, data):
        self.inputs.append(helper.make_tensor_value_info(name, kind, data.shape))
        self.feed.append(data)
        return name

    def w(self, data, kind=np.float32):
        data = np.asarray(data)
        data = data.astype(kind) if data.dtype == np.float64 else data
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(data, name))
        return name

    def __getattr__(self, op):
        def add(*inputs, n=1, **attributes):
            names = [i if isinstance(i, str) else self.w(i) for i in inputs]
            outputs = [f"{op}_{len(self.nodes)}" + (f"_{i}" if n > 1 else "") for i in range(n)]
            self.nodes.append(helper.make_node(op, names, outputs, name=f"node_{len(self.nodes)}_{op}", **attributes))
            return outputs[0] if n == 1 else outputs
        return add

    def random_weight(self, *shape, scale=0.4):
        return (self.random.standard_normal(shape) * scale).astype(np.float32)

    def unsqueeze(self, x, *axes):
        return self.Unsqueeze(x, axes=list(axes)) if self.opset < 13 else self.Unsqueeze(x, np.array(axes))

    def squeeze(self, x, *axes):
        return self.Squeeze(x, axes=list(axes)) if self.opset < 13 else self.Squeeze(x, np.array(axes))

    def split(self, x, n, axis, size):
        if self.opset < 13:
            return self.Split(x, n=n, axis=axis, split=[size] * n)
        return self.Split(x, np.array([size] * n), n=n, axis=axis)

    def sum(self, x, axis):
        return self.ReduceSum(x, axes=[axis]) if self.opset < 13 else self.ReduceSum(x, np.array([axis]))

    def slice(self, x, begin, end, axis):
        return self.Slice(x, np.array([begin]), np.array([end]), np.array([axis]))

    def tokens(self):
        """How many there are, as a scalar."""
        return self.Gather(self.Shape(self.x), np.array(self.axis), axis=0)

    def positions(self):
        return self.Range(np.array(0), self.tokens(), np.array(1))

    def save(self, path, result):
        results = result if isinstance(result, (list, tuple)) else [result]
        names = {r: f"y{i}" for i, r in enumerate(results)}  # the same in all models
        for node in self.nodes:
            for field in (node.input, node.output):
                field[:] = [names.get(name, name) for name in field]
        outputs = [helper.make_tensor_value_info(n, T.FLOAT, None) for n in names.values()]
        graph = helper.make_graph(self.nodes, "layer", self.inputs, outputs, self.weights)
        others = {node.domain for node in self.nodes} - {""}
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset),
                                                        *(helper.make_opsetid(domain, 1) for domain in others)])
        model.ir_version = 8
        onnx.save(model, path)
        return model


# Linear layers.
def linear(g, x, rows, columns, how="matmul-add"):
    w, b = g.random_weight(rows, columns), g.random_weight(columns, scale=0.3)
    if how == "matmul-add":
        return g.Add(g.MatMul(x, w), b)
    if how == "add-first":
        return g.Add(b, g.MatMul(x, w))
    if how == "no-bias":
        return g.MatMul(x, w)
    if how == "bias-row":
        return g.Add(g.MatMul(x, w), b[None, None])
    if how == "sub":
        return g.Sub(g.MatMul(x, w), b)
    if how == "transposed":
        return g.Add(g.MatMul(x, g.Transpose(np.ascontiguousarray(w.T), perm=[1, 0])), b)
    if how == "identity":
        return g.Add(g.MatMul(x, g.Identity(w)), g.Identity(b))
    if how == "gemm":
        return g.reshape_back(g.Gemm(g.rows(x, rows), np.ascontiguousarray(w.T), b, transB=1), columns)
    if how == "gemm-factors":
        return g.reshape_back(g.Gemm(g.rows(x, rows), w, b, alpha=0.5, beta=2.0), columns)
    if how == "bias-after-reshape":
        return g.Add(g.reshape_back(g.MatMul(g.rows(x, rows), w), columns), b)
    if how == "einsum":
        return g.Add(g.Einsum(x, w, equation="...i,ij->...j"), b)
    if how == "conv":
        y = g.Conv(g.Transpose(x, perm=[0, 2, 1]), np.ascontiguousarray(w.T)[:, :, None], b, kernel_shape=[1])
        return g.Transpose(y, perm=[0, 2, 1])
    if how == "layer-scale":
        return g.Mul(g.Add(g.MatMul(x, w), b), np.abs(g.random_weight(columns)) + 0.1)
    if how == "layer-scale-first":
        return g.Mul(np.abs(g.random_weight(columns)) + 0.1, g.Add(g.MatMul(x, w), b))
    if how == "scalar":
        return g.Mul(g.Add(g.MatMul(x, w), b), np.float32(0.5))
    if how == "scalar-div":
        return g.Div(g.Add(g.MatMul(x, w), b), np.float32(2))
    if how == "scaled-product":
        return g.Add(g.Mul(g.MatMul(x, w), np.float32(0.5)), b)
    raise KeyError(how)


def rows(self, x, width):
    return x if self.layout == "flat" else self.Reshape(x, np.array([-1, width]))


def reshape_back(self, x, width):
    shape = {"flat": [-1, width], "batch": [1, -1, width], "sequence": [-1, 1, width]}[self.layout]
    return x if self.layout == "flat" else self.Reshape(x, np.array(shape))


Graph.rows, Graph.reshape_back = rows, reshape_back

# Masks: which keys are visible, as a condition [L, L] or [1, L]; then how the scores take it.
CAUSAL = ["trilu", "trilu-shape", "table", "buffer", "less-or-equal", "greater-not", "less", "greater-or-equal",
          "float-positions", "cumsum", "table-float", "table-not"]


def causal(g, how):
    n = g.length
    row, column = lambda p: g.unsqueeze(p, 1), lambda p: g.unsqueeze(p, 0)
    if how == "trilu":
        return g.Cast(g.Trilu(np.ones((n, n), np.float32), upper=0), to=T.BOOL)
    if how == "trilu-shape":
        size = g.unsqueeze(g.tokens(), 0)
        ones = g.ConstantOfShape(g.Concat(size, size, axis=0), value=numpy_helper.from_array(np.ones(1, np.float32)))
        return g.Cast(g.Trilu(ones, upper=0), to=T.BOOL)
    if how == "table":
        return g.w(np.tri(n, dtype=bool))
    if how == "table-float":
        return g.Greater(np.tri(n, dtype=np.float32), np.float32(0.5))
    if how == "table-not":
        return g.Not(np.triu(np.ones((n, n), bool), 1))
    if how == "buffer":
        size = g.unsqueeze(g.tokens(), 0)
        part = g.Slice(np.tri(32, dtype=bool), np.array([0]), size, np.array([0]))
        return g.Slice(part, np.array([0]), size, np.array([1]))
    if how == "cumsum":
        ones = g.ConstantOfShape(g.unsqueeze(g.tokens(), 0), value=numpy_helper.from_array(np.ones(1, np.int64)))
        p = g.CumSum(ones, np.array(0))
        return g.LessOrEqual(column(p), row(p))
    p = g.positions()
    if how == "less-or-equal":
        return g.LessOrEqual(column(p), row(p))
    if how == "greater-not":
        return g.Not(g.Greater(column(p), row(p)))
    if how == "less":
        return g.Less(column(p), row(g.Add(p, np.array(1))))
    if how == "greater-or-equal":
        return g.GreaterOrEqual(row(p), column(p))
    if how == "float-positions":
        f = g.Cast(p, to=T.FLOAT)
        return g.GreaterOrEqual(g.Sub(row(f), column(f)), np.float32(0))
    raise KeyError(how)


def padding(g, kind="int64", one="real", read="cast", padded=3):
    """An input [1, L] as a condition of the keys that are real; the last tokens are not."""
    real = np.arange(g.length)[None] < g.length - padded
    proto, dtype = TYPES[kind]
    g.real = g.length - padded
    m = g.input("m", proto, (real if one == "real" else ~real).astype(dtype))
    if kind == "bool":
        condition = m
    elif read == "cast":
        condition = g.Cast(m, to=T.BOOL)
    elif read == "equal":
        condition = g.Equal(m, np.array(1, dtype))
    elif read == "not-zero":
        condition = g.Not(g.Equal(m, np.array(0, dtype)))
    else:
        condition = g.Greater(m, np.array(0, dtype))
    return condition if one == "real" else g.Not(condition)


SPREAD = ["unsqueeze", "unsqueeze-twice", "reshape", "expand", "outer"]


def exported_expand(g, x, shape):
    """-1 in the shape is 1, which leaves an extent as it is."""
    shape = g.Reshape(shape, np.array([-1]))
    ones = g.ConstantOfShape(g.Shape(shape), value=numpy_helper.from_array(np.ones(1, np.int64)))
    return g.Expand(x, g.Where(g.Equal(shape, g.Mul(ones, np.array(-1))), ones, shape))


def spread(g, condition, how, rank):
    """[1, L] to scores of that rank, over queries."""
    n = g.length
    if how == "unsqueeze":
        return g.unsqueeze(condition, *range(1, rank - 1)) if rank > 2 else condition
    if how == "unsqueeze-twice":
        for _ in range(rank - 2):
            condition = g.unsqueeze(condition, 1)
        return condition
    if how == "reshape":
        return g.Reshape(condition, np.array([1] * (rank - 1) + [-1]))
    keys = spread(g, condition, "unsqueeze", rank)
    if how == "expand":
        size = g.unsqueeze(g.tokens(), 0)
        shape = g.Concat(*[np.array([1])] * (rank - 2), size, size, axis=0)
        return g.Expand(keys, shape)
    if how.startswith("exported"):  # as an exporter writes expand(batch, 1, -1 or length, length)
        batch = g.unsqueeze(g.Gather(g.Shape(condition), np.array(0), axis=0), 0)
        size = g.unsqueeze(g.Gather(g.Shape(condition), np.array(1), axis=0), 0)
        rows = np.array([-1]) if how == "exported-keys" else size
        return exported_expand(g, keys, g.Concat(*([batch] + [np.array([1])] * (rank - 3) if rank > 2 else []), rows, size,
                                                 axis=0))
    if how == "outer":
        return g.And(keys, g.Transpose(keys, perm=[*range(rank - 2), rank - 1, rank - 2]))
    if how == "outer-product":
        f = g.Cast(keys, to=T.FLOAT)
        other = g.Transpose(f, perm=[*range(rank - 2), rank - 1, rank - 2])
        return g.Cast(g.Mul(other, f), to=T.BOOL)
    raise KeyError(how)


TAKE = ["where", "where-not", "add-where", "one-minus", "minus-one", "scaled", "sub"]


def take(g, scores, visible, how, fill):
    fill = np.float32(fill)
    number = lambda: g.Cast(visible, to=T.FLOAT)
    if how == "where":
        return g.Where(visible, scores, fill)
    if how == "where-not":
        return g.Where(g.Not(visible), fill, scores)
    if how == "add-where":
        return g.Add(scores, g.Where(visible, np.float32(0), fill))
    if how == "add-where-first":
        return g.Add(g.Where(g.Not(visible), fill, np.float32(0)), scores)
    if how == "one-minus":
        return g.Add(scores, g.Mul(g.Sub(np.float32(1), number()), fill))
    if how == "minus-one":
        return g.Add(g.Mul(g.Sub(number(), np.float32(1)), -fill), scores)
    if how == "sub":
        return g.Sub(scores, g.Mul(g.Sub(np.float32(1), number()), -fill))
    if how == "scaled":
        v = number()
        return g.Sub(g.Mul(scores, v), g.Mul(-fill, g.Sub(np.float32(1), v)))
    raise KeyError(how)


# Attention. A mask is a function of (graph, scores, their rank) that returns scores.
def attention(g, heads="reshape", qkv="separate", scores="qk", scale="mul", softmax="op", guard=False, between=(),
              mask=None, mask_first=False, wrap=None, value=None, values=None, untransposed=False, after=None,
              how="matmul-add", out=True, probs=None, key=None):
    seq, flat = g.layout == "sequence", g.layout == "flat"
    n = 1 if heads == "single" else H
    hd = D // n
    root = np.float32(hd ** -0.25)
    factor = np.float32(hd ** -0.5)
    x = g.x
    # Projections, [.., L, D].
    if qkv == "separate":
        q, k, v = (linear(g, x, D, D, how) for _ in range(3))
    elif qkv.startswith("fused"):
        y = linear(g, x, D, 3 * D, how)
        if qkv == "fused-split":
            q, k, v = g.split(y, 3, -1, D)
        elif qkv == "fused-slice":
            q, k, v = (g.slice(y, i * D, (i + 1) * D, -1) for i in range(3))
        elif qkv == "fused-gather":  # [1, L, 3, H, hd] -> [3, 1, H, L, hd]
            y = g.Transpose(g.Reshape(y, np.array([0, 0, 3, n, hd])), perm=[2, 0, 3, 1, 4])
            q, k, v = (g.Gather(y, np.array(i), axis=0) for i in range(3))
        elif qkv == "fused-heads":  # [1, L, H, 3 * hd] -> [1, H, L, 3 * hd]
            y = g.Transpose(g.Reshape(y, np.array([0, 0, n, 3 * hd])), perm=[0, 2, 1, 3])
            q, k, v = g.split(y, 3, -1, hd)
        elif qkv == "fused-strided":  # [1, L, hd, 3, H]
            y = g.Transpose(g.Reshape(y, np.array([0, 0, hd, 3, n])), perm=[3, 0, 4, 1, 2])
            q, k, v = (g.squeeze(z, 0) for z in g.split(y, 3, 0, 1))
        elif qkv == "fused-interleaved":  # [1, L, hd, 3, H]
            y = g.Transpose(g.Reshape(y, np.array([0, 0, n, 3, hd])), perm=[3, 0, 2, 1, 4])
            q, k, v = (g.squeeze(z, 0) for z in g.split(y, 3, 0, 1))
    elif qkv == "same-qk":
        q = k = linear(g, x, D, D, how)
        v = linear(g, x, D, D, how)
    if values:
        v = values(g)
    split_already = qkv in ("fused-gather", "fused-heads", "fused-interleaved", "fused-strided")

    def scaled(name, t):
        where, _, form = scale.partition(":")
        if where != name:
            return t
        form = form or "mul"
        if form == "mul":
            return g.Mul(t, factor)
        if form == "mul-first":
            return g.Mul(factor, t)
        if form == "div":
            return g.Div(t, np.float32(1 / factor))
        if form == "vector":
            return g.Mul(t, np.full(D, factor, np.float32))
        if form == "uneven":  # whatever weights can take
            return g.Mul(t, np.linspace(-0.5, 1, D).astype(np.float32))
        if form == "head-vector":
            return g.Mul(t, np.full((n, 1, hd), factor, np.float32) if t_heads else np.full(D, factor, np.float32))
        if form == "one-element":
            return g.Mul(t, np.array([factor]))
        if form == "sqrt":  # of the shape
            size = g.Cast(g.Gather(g.Shape(t), np.array(-1), axis=0), to=T.FLOAT)
            return g.Div(t, g.Sqrt(size))
        if form == "pow":
            return g.Mul(t, g.Pow(np.float32(hd), np.float32(-0.5)))
        raise KeyError(scale)

    t_heads = False
    q, k = scaled("q-early", q), scaled("k-early", k)
    if scale == "both-early":
        q, k = g.Mul(q, root), g.Mul(k, root)

    def to_heads(t):
        if split_already or heads in ("single", "einsum-unsplit"):
            return t if heads != "einsum-unsplit" else g.Reshape(t, np.array([0, 0, n, hd]))
        if heads == "stack":
            return g.Concat(*[g.unsqueeze(part, 1) for part in g.split(t, n, -1, hd)], axis=1)
        if heads == "slices":
            return g.Concat(*[g.unsqueeze(g.slice(t, i * hd, (i + 1) * hd, -1), 1) for i in range(n)], axis=1)
        if flat:
            return g.Transpose(g.Reshape(t, np.array([-1, n, hd])), perm=[1, 0, 2])
        if seq:
            if heads == "merged":
                return g.Transpose(g.Reshape(t, np.array([-1, n, hd])), perm=[1, 0, 2])
            return g.Transpose(g.Reshape(t, np.array([0, 0, n, hd])), perm=[1, 2, 0, 3])
        if heads == "transpose-first":  # [1, D, L] -> [1, n, hd, L] -> [1, n, L, hd]
            y = g.Reshape(g.Transpose(t, perm=[0, 2, 1]), np.array([0, n, hd, -1]))
            return g.Transpose(y, perm=[0, 1, 3, 2])
        y = g.Transpose(g.Reshape(t, np.array([0, 0, n, hd])), perm=[0, 2, 1, 3])
        return g.Reshape(y, np.array([n, -1, hd])) if heads == "merged" else y

    q, k, v = to_heads(q), to_heads(k), to_heads(v)
    if key:
        k = key(g, k)
    if value:
        v = value(g, v)
    t_heads = True
    q, k = scaled("q", q), scaled("k", k)
    if scale == "both":
        q, k = g.Mul(q, root), g.Mul(k, root)
    if scale == "both-div":
        q, k = g.Div(q, np.float32(1 / root)), g.Div(k, np.float32(1 / root))
    rank = 4
    if heads == "merged" or flat or (heads == "single" and not flat):
        rank = 3
    if heads == "single" and flat:
        rank = 2
    swap = [*range(rank - 2), rank - 1, rank - 2]
    b = "abcd"[:rank - 2]
    if scores == "qk":
        kt = scaled("kt", g.Transpose(k, perm=swap))
        s = g.MatMul(q, kt)
    elif scores == "kq":
        s = g.MatMul(k, g.Transpose(q, perm=swap))
    elif scores == "kq-back":
        s = g.Transpose(g.MatMul(k, g.Transpose(q, perm=swap)), perm=swap)
    elif scores == "einsum":
        eq = "bihd,bjhd->bhij" if heads == "einsum-unsplit" else f"{b}id,{b}jd->{b}ij"
        s = g.Einsum(q, k, equation=eq)
    elif scores == "einsum-kq":
        s = g.Einsum(k, q, equation=f"{b}jd,{b}id->{b}ij")
    axis = rank - 2 if scores == "kq" else rank - 1
    if mask and mask_first:
        s = mask(g, s, rank)
    s = scaled("scores", s)
    if scale == "mul":
        s = g.Mul(s, factor)
    if wrap:
        s = wrap(g, s, rank)
    if mask and not mask_first:
        s = mask(g, s, rank)
    if "identity" in between:
        s = g.Identity(s)
    if softmax == "op":
        p = g.Softmax(s, axis=axis)
    elif softmax == "negative":
        p = g.Softmax(s, axis=axis - rank)
    elif softmax == "last":
        p = g.Softmax(s, axis=-1)
    elif softmax == "default":
        p = g.Softmax(s)
    elif softmax == "heads":
        p = g.Softmax(s, axis=1)
    elif softmax == "wrong":
        p = g.Softmax(s, axis=rank - 2)
    elif softmax == "transposes":
        p = g.Transpose(g.Softmax(g.Transpose(s, perm=swap), axis=rank - 2), perm=swap)
    elif softmax in ("chain", "chain-no-max", "chain-reciprocal"):
        e = g.Exp(g.Sub(s, g.ReduceMax(s, axes=[axis])) if softmax != "chain-no-max" else s)
        p = g.Mul(e, g.Reciprocal(g.sum(e, axis))) if softmax == "chain-reciprocal" else g.Div(e, g.sum(e, axis))
    elif softmax.startswith("steps"):  # its maximum and its sum over these axes
        of = {"k": axis, "q": 2 * rank - 3 - axis}
        e = g.Exp(g.Sub(s, g.ReduceMax(s, axes=[of[softmax[6]]])))
        p = g.Div(e, g.sum(e, of[softmax[7]]))
    elif softmax == "flattened":  # old: all before the axis becomes rows
        p = g.Reshape(g.Softmax(g.Reshape(s, np.array([-1, g.length])), axis=1),
                      np.array([1] * (rank - 3) + [n, -1, g.length]))
    elif softmax == "cast":
        p = g.Cast(g.Softmax(g.Cast(s, to=T.FLOAT), axis=axis), to=T.FLOAT)
    else:
        raise KeyError(softmax)
    if scores == "kq" and not untransposed:
        p = g.Transpose(p, perm=swap)
    if guard:
        p = g.Where(g.IsNaN(p), np.float32(0), p)
    if "dropout" in between:
        p = g.Dropout(p)
    if after:
        p = after(g, p, rank)
    if probs is not None:
        probs.append(p)
    if heads == "einsum-unsplit":
        y = g.Reshape(g.Einsum(p, v, equation="bhij,bjhd->bihd"), np.array([0, 0, D]))
    else:
        y = g.Einsum(p, v, equation=f"{b}ij,{b}jd->{b}id") if scores.startswith("einsum") else g.MatMul(p, v)
        if heads == "single":
            pass
        elif flat or (seq and heads == "merged"):
            y = g.Reshape(g.Transpose(y, perm=[1, 0, 2]), np.array([-1, D] if flat else [-1, 1, D]))
        elif seq:
            y = g.Reshape(g.Transpose(y, perm=[2, 0, 1, 3]), np.array([0, 0, D]))
        elif heads in ("stack", "slices") :
            y = g.Concat(*[g.squeeze(part, 1) for part in g.split(y, n, 1, 1)], axis=-1)
        else:
            if heads == "merged":
                y = g.Reshape(y, np.array([1, n, -1, hd]))
            y = g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), np.array([0, 0, D]))
    if "dropout" in between:
        y = g.Identity(y)
    if out:
        y = linear(g, y, D, D, how)
    return y


def attention_by_head(g, projections="split", sizes=None, scale=None, mask=None, order=None, value_of=None, join="concat",
                      norm=False, other_rows=False, **options):
    """Each head by itself. sizes, scale(head), order and value_of(head) say how they differ."""
    hd = D // H
    sizes = sizes or [hd] * H
    if projections == "separate":
        q, k, v = ([linear(g, g.x, D, size) for size in sizes] for _ in range(3))
    else:
        begins = np.cumsum([0, *sizes])
        q, k, v = (linear(g, g.x, D, sum(sizes)) for _ in range(3))
        if projections == "split":
            split = lambda t: g.Split(t, np.array(sizes), n=len(sizes), axis=-1)
        else:
            split = lambda t: [g.slice(t, a, b, -1) for a, b in zip(begins, begins[1:])]
        q, k, v = split(q), split(k), split(v)
    if projections == "scaled":
        q = [g.Mul(t, np.float32(hd ** -0.5)) for t in q]
    if other_rows:  # the last head's keys are of what no linear layer makes of x
        k[-1] = g.Mul(k[-1], q[-1])
    contexts = []
    for i in range(len(sizes)):
        factor = hd ** -0.5 if scale is None else scale(i)
        s = g.MatMul(q[i], g.Transpose(k[i], perm=[0, 2, 1]))
        s = s if projections == "scaled" else g.Mul(s, np.float32(factor))
        if mask and mask(i):
            s = mask(i)(g, s, 3)
        p = steps(g, s, 2) if options.get("chain") else g.Softmax(s, axis=-1)
        contexts.append(g.MatMul(p, v[value_of(i) if value_of else i]))
    contexts = [contexts[i] for i in order or range(len(sizes))]
    if join == "stack":  # [1, H, L, hd], then as heads are put together
        y = g.Concat(*[g.unsqueeze(c, 1) for c in contexts], axis=1)
        y = g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), np.array([0, 0, D]))
    elif join == "interleaved":  # feature 0 of all heads, feature 1 of all heads ...
        y = g.Reshape(g.Concat(*[g.unsqueeze(c, 3) for c in contexts], axis=3), np.array([0, 0, D]))
    elif join == "in-two-steps":
        y = g.Concat(contexts[0], g.Concat(*contexts[1:], axis=-1), axis=-1)
    elif join == "tokens":
        y = g.Concat(*contexts, axis=1)
        return linear(g, y, hd, D)
    else:
        y = g.Concat(*contexts, axis=-1)
    y = linear(g, y, sum(sizes), D)
    return layer_norm(g, g.Add(g.x, y)) if norm else y


def steps(g, s, axis):
    e = g.Exp(g.Sub(s, g.ReduceMax(s, axes=[axis])))
    return g.Div(e, g.sum(e, axis))


# Layer norm.
def layer_norm(g, x, how="pow", gamma="vector", beta="vector", eps=1e-5):
    gammas = {"vector": np.abs(g.random_weight(D)) + 0.5, "scalar": np.float32(1.5),
              "one": np.array([1.5], np.float32), "row": np.abs(g.random_weight(1, 1, D)) + 0.5}
    betas = {"vector": g.random_weight(D), "scalar": np.float32(0.25), "one": np.array([0.25], np.float32)}
    if how == "op":
        return g.LayerNormalization(x, gammas["vector"], *([betas["vector"]] if beta else []), epsilon=eps, axis=-1)
    mean = g.Div(g.sum(x, -1), np.float32(D)) if how == "sum-div" else g.ReduceMean(x, axes=[-1])
    c = g.Add(x, g.Neg(mean)) if how == "add-neg" else g.Sub(x, mean)
    if how == "cast":
        c = g.Cast(c, to=T.FLOAT)
    c2 = g.Sub(x, mean) if how == "two-subs" else c
    squares = {"mul": lambda: g.Mul(c2, c2), "pow-int": lambda: g.Pow(c2, np.array(2)),
               "sum-square": lambda: None}.get(how, lambda: g.Pow(c2, np.float32(2)))()
    if how == "sum-div":
        variance = g.Div(g.sum(squares, -1), np.float32(D))
    elif how == "sum-square":
        variance = g.Mul(g.ReduceSumSquare(c2, axes=[-1]), np.float32(1 / D))
    elif how == "moment":  # E[x^2] - E[x]^2
        variance = g.Sub(g.ReduceMean(g.Mul(x, x), axes=[-1]), g.Mul(mean, mean))
    else:
        variance = g.ReduceMean(squares, axes=[-1])
    inside = g.Add(np.float32(eps), variance) if how == "eps-first" else g.Add(variance, np.float32(eps))
    deviation = g.Pow(inside, np.float32(0.5)) if how == "pow-half" else g.Sqrt(inside)
    if how == "reciprocal":
        y = g.Mul(c, g.Reciprocal(deviation))
    elif how == "pow-minus-half":
        y = g.Mul(c, g.Pow(inside, np.float32(-0.5)))
    elif how == "one-over":
        y = g.Mul(g.Div(np.float32(1), deviation), c)
    elif how == "gamma-first":  # x * (gamma / s) + (beta - mean * gamma / s)
        a = g.Mul(g.Reciprocal(deviation), gammas["vector"])
        return g.Add(g.Mul(x, a), g.Sub(betas["vector"], g.Mul(mean, a)))
    elif how == "gamma-before":
        return g.Add(g.Div(g.Mul(gammas["vector"], c), deviation), betas["vector"])
    else:
        y = g.Div(c, deviation)
    if how == "cast":
        y = g.Cast(y, to=T.FLOAT)
    if gamma:
        y = g.Mul(y, gammas[gamma]) if how != "gamma-left" else g.Mul(gammas[gamma], y)
    if beta:
        y = g.Add(y, betas[beta])
    return y


# Activations.
def gelu(g, x, order):
    half, one, root = np.float32(0.5), np.float32(1), np.float32(np.sqrt(2))
    e = lambda: g.Add(g.Erf(g.Div(x, root)), one)
    return {"x(1+e)/2": lambda: g.Mul(g.Mul(x, e()), half), "x/2(1+e)": lambda: g.Mul(g.Mul(x, half), e()),
            "x(half(1+e))": lambda: g.Mul(x, g.Mul(half, e())), "half-x": lambda: g.Mul(g.Mul(half, x), e()),
            "(1+e)x/2": lambda: g.Div(g.Mul(e(), x), np.float32(2)),
            "1+e-mul": lambda: g.Mul(half, g.Mul(g.Add(one, g.Erf(g.Mul(x, np.float32(np.sqrt(0.5))))), x)),
            "half+half": lambda: g.Mul(x, g.Add(half, g.Mul(half, g.Erf(g.Div(x, root)))))}[order]()


def gelu_tanh(g, x, form):
    c, root = np.float32(0.044715), np.float32(np.sqrt(2 / np.pi))
    cube = g.Pow(x, np.float32(3)) if form != "muls" else g.Mul(g.Mul(x, x), x)
    inner = g.Mul(root, g.Add(x, g.Mul(c, cube)))
    if form == "factored":
        inner = g.Mul(g.Mul(x, root), g.Add(g.Mul(g.Mul(x, x), c), np.float32(1)))
    if form == "sigmoid":
        return g.Mul(x, g.Sigmoid(g.Mul(np.float32(2), inner)))
    return g.Mul(g.Mul(np.float32(0.5), x), g.Add(np.float32(1), g.Tanh(inner)))


ACTIVATIONS = {
    **{f"gelu-{o}": lambda g, x, o=o: gelu(g, x, o) for o in
       ("x(1+e)/2", "x/2(1+e)", "x(half(1+e))", "half-x", "(1+e)x/2", "1+e-mul", "half+half")},
    **{f"gelu_tanh-{f}": lambda g, x, f=f: gelu_tanh(g, x, f) for f in ("pow", "muls", "factored", "sigmoid")},
    "relu": lambda g, x: g.Relu(x), "relu-max": lambda g, x: g.Max(x, np.float32(0)),
    "relu-clip": lambda g, x: g.Clip(x, np.float32(0)),
    "relu-where": lambda g, x: g.Where(g.Greater(x, np.float32(0)), x, np.float32(0)),
    "silu-sigmoid": lambda g, x: g.Mul(x, g.Sigmoid(x)), 
    "silu-div": lambda g, x: g.Div(x, g.Add(np.float32(1), g.Exp(g.Neg(x)))),
    "silu-first": lambda g, x: g.Mul(g.Sigmoid(x), x),
}
KINDS = {"gelu": "gelu", "gelu_tanh": "gelu_tanh", "relu": "relu", "silu": "swish"}

CASES = []


def case(name, build, layout="batch", opset=14, near=False, length=None, refused=None, **expected):
    """expected: how many ops of fact are raised; causal; near: none may be; refused: what fact-run says."""
    name = re.sub(r"[^\w.-]+", "_", name)
    assert name not in [c["name"] for c in CASES], name
    CASES.append(dict(name=name, build=build, layout=layout, opset=opset, near=near, expected=expected, refused=refused,
                      length=length or {"batch": 11, "sequence": 9, "flat": 12}[layout]))


def attends(name, layout="batch", opset=14, count=1, causal=False, norm=False, fixed_length=False, **options):
    def build(g):
        y = attention(g, **options)
        if fixed_length:
            y = g.Reshape(y, np.array([1, g.length, D]))
        return layer_norm(g, g.Add(g.x, y)) if norm else y
    case(name, build, layout, opset, attention=count, causal=causal, norm_layer=int(norm))


def alone(name, attention=1, causal=False, remark=None, **options):
    """Heads that are each computed by themselves; a remark says why they are not one attention."""
    case(f"alone-{name}", lambda g: attention_by_head(g, **options), attention=attention, causal=causal, remark=remark)


# Scores, scales and heads.
attends("plain", norm=True)
for scale in ("scores:mul-first", "scores:div", "scores:one-element", "scores:pow", "q", "q:div", "q:mul-first",
              "q:sqrt", "k", "k:div", "kt", "kt:div", "both", "both-div", "both-early", "q-early", "q-early:div", "k-early",
              "q-early:vector", "k-early:vector", "q:head-vector", "q-early:uneven", "none"):
    attends(f"scale-{scale}", scale=scale)
attends("heads-concat-split", heads="stack")
attends("heads-concat-slice", heads="slices")
for heads in ("merged", "single", "transpose-first"):
    attends(f"heads-{heads}", heads=heads, norm=heads == "single")
for layout, heads in itertools.product(("sequence", "flat"), ("reshape", "merged", "single")):
    if (layout, heads) not in (("sequence", "single"), ("flat", "merged")):
        attends(f"{layout}-{heads}", layout=layout, heads=heads, norm=True)
for qkv in ("fused-split", "fused-slice", "fused-gather", "fused-heads", "fused-interleaved", "same-qk"):
    attends(f"qkv-{qkv}", qkv=qkv)
attends("qkv-fused-split-flat", layout="flat", qkv="fused-split")
attends("qkv-fused-slice-sequence", layout="sequence", qkv="fused-slice", heads="merged", scale="q-early")
for scores in ("kq", "kq-back", "einsum", "einsum-kq"):
    attends(f"scores-{scores}", scores=scores)
attends("scores-einsum-unsplit", scores="einsum", heads="einsum-unsplit", opset=13)
attends("scores-einsum-merged", scores="einsum", heads="merged", opset=13)
attends("scores-kq-merged", scores="kq", heads="merged", layout="sequence")
for softmax in ("negative", "transposes", "chain", "chain-no-max", "chain-reciprocal", "cast"):
    attends(f"softmax-{softmax}", softmax=softmax, guard=softmax == "negative")
attends("softmax-11", opset=11, norm=True)
attends("softmax-11-merged", opset=11, heads="merged")
attends("softmax-11-chain", opset=11, softmax="chain")
attends("softmax-11-flattened", opset=11, softmax="flattened")
attends("guard", guard=True)
attends("dropout", between=("dropout", "identity"))
for how in ("add-first", "no-bias", "transposed", "gemm", "bias-after-reshape", "identity", "scaled-product"):
    attends(f"attention-of-{how}", how=how)


def given_heads(g):
    """Queries, keys and values that are inputs, already split into heads."""
    q, k, v = (g.input(name, T.FLOAT, g.random.standard_normal((1, H, g.length, D // H)).astype(np.float32))
               for name in "qkv")
    y = g.MatMul(g.Softmax(g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), np.float32(0.3)), axis=-1), v)
    return g.Add(g.x, g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), np.array([0, 0, D])))


def row_as_sequence(g):
    """The features of one row are a sequence."""
    n = g.length * D
    row = g.MatMul(g.Reshape(g.x, np.array([1, n])), g.random_weight(n, n, scale=n ** -0.5))
    g.x = g.Reshape(row, np.array([1, g.length, D]))
    return attention(g)


def without_past(name):
    """Keys or values of earlier runs, of which there are none."""
    def before(g, t):
        g.inputs.append(helper.make_tensor_value_info(name, T.FLOAT, [1, H, "past", D // H]))
        g.feed.append(np.zeros((1, H, 0, D // H), np.float32))
        return g.Concat(name, t, axis=2)
    return before


case("heads-given", given_heads, attention=1)
case("row-as-sequence", row_as_sequence, attention=1, linear=4)
attends("no-past", key=without_past("past_keys"), value=without_past("past_values"))


def transposed_rows(g):
    """An input [1, features, tokens]."""
    x, z = g.x, g.input("z", T.FLOAT, g.random.standard_normal((1, D, g.length)).astype(np.float32))
    g.x = g.Transpose(z, perm=[0, 2, 1])
    return g.Add(x, attention(g))


def late_bias(g):
    """A bias behind the residual, as SkipLayerNormalization has it."""
    return layer_norm(g, g.Add(g.Add(g.MatMul(attention(g, out=False), g.random_weight(D, D)), g.x), g.random_weight(D)))


def low_rank(g):
    """A weight and what LoRA adds to it, both constants."""
    return g.MatMul(g.x, g.Add(g.random_weight(D, D), g.MatMul(g.random_weight(D, 2), g.random_weight(2, D))))


def weight_norm(g):
    w = g.random_weight(D, D)
    return g.MatMul(g.x, g.Mul(g.w(w), g.Div(np.abs(g.random_weight(1, D)), g.ReduceL2(w, axes=[0]))))


case("rows-transposed", transposed_rows, attention=1, linear=4)
case("linear-late-bias", late_bias, attention=1, linear=4, norm_layer=1)
case("linear-low-rank", low_rank, linear=1)
case("linear-weight-norm", weight_norm, linear=1)


# Masks.
def causal_mask(how, taken, fill):
    return lambda g, s, rank: take(g, s, causal(g, how), taken, fill)


def padding_mask(taken, fill, spreading="unsqueeze", **options):
    return lambda g, s, rank: take(g, s, spread(g, padding(g, **options), spreading, rank), taken, fill)


FILLS = (-INF, -1e9, -1e4, -3.4028234663852886e38, -65504.0)
for i, how in enumerate(CAUSAL):
    taken = TAKE[i % len(TAKE)]
    fill = FILLS[i % len(FILLS)]
    if fill == -INF and "where" not in taken:
        fill = -1e9
    attends(f"causal-{how}-{taken}-{fill:g}", causal=True, mask=causal_mask(how, taken, fill))
for i, (taken, fill) in enumerate(itertools.product(TAKE + ["add-where-first"], FILLS)):
    if (i % 3 == 0 and fill != -INF) or (fill == -INF and "where" in taken and i % 2 == 0):
        how = [c for c in CAUSAL if c != "cumsum"][(i + 3) % (len(CAUSAL) - 1)]
        heads = ("reshape", "merged", "single")[i % 3]
        attends(f"causal-{heads}-{how}-{taken}-{fill:g}", causal=True, heads=heads, mask=causal_mask(how, taken, fill))


def added_table(shape, fill, transpose=False):
    def mask(g, s, rank):
        table = np.triu(np.full((g.length, g.length), fill, np.float32), 1)
        return g.Add(s, table.reshape(shape(g.length)))
    return mask


attends("causal-added-table", causal=True, mask=added_table(lambda n: (1, 1, n, n), -INF))
attends("causal-added-table-flat", layout="flat", causal=True, mask=added_table(lambda n: (n, n), -1e9))
attends("causal-added-table-sequence", layout="sequence", heads="merged", causal=True,
        mask=added_table(lambda n: (1, n, n), -INF))
attends("causal-table-for-each-head", causal=True, mask=lambda g, s, rank: g.Add(
    s, np.repeat(np.triu(np.full((1, 1, g.length, g.length), -1e9, np.float32), 1), H, 1)))
attends("causal-trilu-of-fill", causal=True,
        mask=lambda g, s, rank: g.Add(s, g.Trilu(np.full((g.length, g.length), -INF, np.float32), np.array(1), upper=1)))
attends("causal-distance", causal=True, mask=lambda g, s, rank: g.Add(s, g.Mul(g.Relu(g.Cast(
    g.Sub(g.unsqueeze(g.positions(), 0), g.unsqueeze(g.positions(), 1)), to=T.FLOAT)), np.float32(-1e9))))
attends("causal-kq", scores="kq", causal=True, mask=lambda g, s, rank: g.Where(
    g.Cast(g.Trilu(np.ones((g.length, g.length), np.float32), upper=1), to=T.BOOL), s, np.float32(-1e9)))
attends("causal-scale-after", causal=True, mask_first=True, mask=causal_mask("table", "where", -1e9))
attends("causal-scale-after-weak", causal=True, mask_first=True, mask=causal_mask("table", "add-where", -1e4))
attends("causal-guard-chain", causal=True, guard=True, softmax="chain", mask=causal_mask("buffer", "where", -INF))
attends("causal-bounded", causal=True, mask=lambda g, s, rank: g.Max(
    causal_mask("table", "add-where", -INF)(g, s, rank), np.float32(-3.4028234663852886e38)))
attends("causal-lengths", causal=True, mask=lambda g, s, rank: g.Where(g.GreaterOrEqual(
    g.unsqueeze(g.positions(), 1), g.Add(g.Sub(g.positions(), g.tokens()), g.tokens())), s, np.float32(-1e9)))
attends("causal-scaled-positions", causal=True, mask=lambda g, s, rank: g.Where(g.GreaterOrEqual(
    *(g.Mul(g.Cast(g.unsqueeze(g.positions(), axis), to=T.FLOAT), np.float32(0.5)) for axis in (1, 0))),
    s, np.float32(-1e9)))
attends("causal-gpt2", causal=True, mask=lambda g, s, rank: (lambda size: g.Where(g.Slice(g.Slice(
    np.tri(32, dtype=bool)[None, None], g.Sub(size, size), size, np.array([2])), np.array([0]), size, np.array([3])),
    s, np.float32(-3.4028234663852886e38)))(g.unsqueeze(g.tokens(), 0)))



def distances(g):
    """Query minus key, [L, L]."""
    return g.Sub(g.unsqueeze(g.positions(), 1), g.unsqueeze(g.positions(), 0))


# Windows, by positions and by what Trilu leaves of a band.
WINDOWS = {
    "both-sides": lambda g: g.LessOrEqual(g.Abs(distances(g)), np.array(2)),
    "sliding": lambda g: g.And(g.GreaterOrEqual(distances(g), np.array(0)), g.Less(distances(g), np.array(4))),
    "wide": lambda g: g.LessOrEqual(g.Abs(distances(g)), np.array(300)),
    "ahead": lambda g: g.And(g.LessOrEqual(distances(g), np.array(0)), g.GreaterOrEqual(distances(g), np.array(-3))),
    "band": lambda g: g.Cast(g.Trilu(g.Trilu(np.ones((g.length, g.length), np.float32), np.array(-3), upper=1), np.array(1),
                                     upper=0), to=T.BOOL)}
for name, visible in WINDOWS.items():
    attends(f"window-{name}", mask=lambda g, s, rank, v=visible: g.Where(v(g), s, np.float32(-1e9)))

kinds = itertools.cycle(TYPES)
reads = itertools.cycle(("cast", "equal", "not-zero", "greater"))
for i, (taken, spreading) in enumerate(itertools.product(TAKE, SPREAD + ["outer-product"])):
    if i % 2 == 0 or i % 5 == 0:
        kind, one = next(kinds), "real" if i % 3 else "padding"
        read = next(reads)
        attends(f"padding-{kind}-{read}-{one}-{spreading}-{taken}", heads=("reshape", "merged")[i % 4 == 2],
                mask=padding_mask(taken, (-1e9, -1e4, -3.4e38)[i % 3], spreading, kind=kind, one=one, read=read))
for i, (spreading, taken) in enumerate(itertools.product(("exported", "exported-keys"), TAKE)):
    attends(f"padding-{spreading}-{taken}", heads=("reshape", "merged")[i % 3 == 1],
            mask=padding_mask(taken, (-1e9, -3.4e38)[i % 2], spreading, kind=next(kinds)))
attends("padding-inf-guard", guard=True, mask=padding_mask("where", -INF, "outer", kind="bool"))
attends("padding-inf", mask=padding_mask("where-not", -INF, kind="bool", one="padding"))
attends("padding-flat", layout="flat", mask=padding_mask("where", -1e9))
attends("padding-sequence", layout="sequence", mask=padding_mask("where", -1e9))
attends("padding-sequence-merged", layout="sequence", heads="merged", mask=padding_mask("add-where", -INF, kind="bool"))
attends("padding-single", heads="single", mask=padding_mask("one-minus", -1e4, kind="float"))


def shared_padding(g, s, rank):
    """One input for all heads."""
    g.keys = vars(g).get("keys") or padding(g)
    return take(g, s, spread(g, g.keys, "unsqueeze", rank), "where", -1e9)


def raw_padding(expression, kind="float", one="real", padded=3):
    """A padding input that is used as a number."""
    def mask(g, s, rank):
        real = np.arange(g.length)[None] < g.length - padded
        proto, dtype = TYPES[kind]
        g.real = g.length - padded
        m = g.input("m", proto, (real if one == "real" else ~real).astype(dtype))
        return expression(g, s, g.unsqueeze(m, 1, 2), m)
    return mask


attends("padding-bert", mask=raw_padding(lambda g, s, m, _: g.Add(s, g.Mul(g.Sub(np.float32(1), m), np.float32(-1e4)))))
attends("padding-bert-int", mask=raw_padding(
    lambda g, s, m, _: g.Add(s, g.Mul(g.Sub(np.float32(1), g.Cast(m, to=T.FLOAT)), np.float32(-3.4028234663852886e38))), "int64"))
attends("padding-int-arithmetic", mask=raw_padding(
    lambda g, s, m, _: g.Add(s, g.Cast(g.Mul(g.Sub(np.array(1), m), np.array(-100000)), to=T.FLOAT)), "int64"))
attends("padding-of-ones", mask=raw_padding(lambda g, s, m, _: g.Add(s, g.Mul(m, np.float32(-1e9))), one="padding"))
attends("padding-outer-numbers", mask=raw_padding(
    lambda g, s, m, _: g.Add(s, g.Mul(g.Sub(np.float32(1), g.Mul(g.Transpose(m, perm=[0, 1, 3, 2]), m)), np.float32(-1e9)))))
attends("padding-bert-expand", mask=raw_padding(lambda g, s, m, _: (lambda inverted: g.Add(s, g.Where(
    g.Cast(inverted, to=T.BOOL), np.float32(-3.4028234663852886e38), inverted)))(
        g.Sub(np.float32(1), g.Expand(m, np.array([1, 1, g.length, g.length]))))))
attends("padding-equal-scores", mask=raw_padding(lambda g, s, m, _: g.Where(
    g.Expand(g.Equal(m, np.array(0)), g.Shape(s)), np.float32(-INF), s), "int64"))

# Heads by themselves. All are right, whatever the order; those that differ stay several attentions.
for projections in ("split", "slice", "separate", "scaled"):
    alone(projections, projections=projections, norm=projections == "separate")
    alone(f"{projections}-causal", projections=projections, causal=True, mask=lambda i: causal_mask("less", "where", -1e9))
for join in ("stack", "in-two-steps"):
    alone(f"join-{join}", join=join, sizes=[4] * 4, scale=lambda i: 0.5)
alone("interleaved", join="interleaved")
alone("chain", chain=True)
alone("table", causal=True, mask=lambda i: causal_mask("table", "add-where", -1e9))
alone("exchanged", order=[1, 0])
alone("exchanged-slice", order=[1, 0], projections="separate")
alone("values-exchanged", value_of=lambda i: 1 - i)
alone("values-shared", value_of=lambda i: 0)
alone("one-padding", mask=lambda i: (lambda g, s, rank: shared_padding(g, s, rank)))
alone("scales", attention=H, remark="node_19_Concat.*scaled by 0.250000 and 0.350000", scale=lambda i: 0.35 if i else 0.25)
alone("sizes", attention=H, remark="Concat.*have 6 and 10 features", sizes=[6, 10])
alone("mask-in-one", attention=H, causal=None, remark="Concat.*masked differently",
      mask=lambda i: causal_mask("less", "where", -1e9) if i else None)
alone("other-rows", attention=H, remark="Concat.*keys of the heads", other_rows=True)
alone("joined-tokens", attention=H, join="tokens")
alone("bias-in-one", attention=1, remark="hides no key",
      mask=lambda i: (lambda g, s, rank: g.Add(s, g.random_weight(g.length, g.length))) if i else None)
alone("transposed-scores-in-one", mask=lambda i: (lambda g, s, rank: g.Transpose(s, perm=[0, 2, 1])) if i else None)

# Both.
for i, (how, kind) in enumerate(itertools.product(("less-or-equal", "buffer", "trilu-shape"), TYPES)):
    def both(g, s, rank, i=i, how=how, kind=kind):
        keys, past = spread(g, padding(g, kind), ("unsqueeze", "outer", "expand")[i % 3], rank), causal(g, how)
        if i % 4 == 0:
            return take(g, s, g.And(past, keys), "where", -1e9)
        if i % 4 == 1:
            return take(g, take(g, s, keys, "add-where", -1e9), past, "where", -3.4e38)
        if i % 4 == 2:
            fill = lambda c: g.Where(c, np.float32(0), np.float32(-1e9))
            return g.Add(s, g.Add(fill(past), fill(keys)))
        return take(g, s, g.Not(g.Or(g.Not(past), g.Not(keys))), "one-minus", -1e4)
    if i % 2 == 0 or how == "buffer":
        attends(f"both-{how}-{kind}-{i % 4}", causal=True, mask=both)


def fixed(combine):
    """A constant table and padding, before they meet the scores."""
    return lambda g, s, rank: combine(g, s, causal(g, "table"), spread(g, padding(g), "unsqueeze", rank))


def hides(g, condition):
    return g.Where(condition, np.float32(0), np.float32(-1e9))


def number(g, condition):
    return g.Cast(condition, to=T.FLOAT)


for name, combine in {
    "and": lambda g, s, past, keys: take(g, s, g.And(past, keys), "where", -1e9),
    "sum": lambda g, s, past, keys: g.Add(s, g.Add(hides(g, past), hides(g, keys))),
    "min": lambda g, s, past, keys: g.Add(s, g.Min(hides(g, past), hides(g, keys))),
    "product": lambda g, s, past, keys: g.Where(g.Cast(g.Mul(number(g, past), number(g, keys)), to=T.BOOL), s,
                                                np.float32(-1e9)),
}.items():
    attends(f"fixed-{name}", causal=True, mask=fixed(combine))
attends("padding-fixed-length", mask=padding_mask("where", -1e9), fixed_length=True)
attends("padding-fixed-length-chain", softmax="chain", mask=padding_mask("where", -1e9), fixed_length=True)
def of_length(name, build, **options):
    """Reshapes and constants have the model's own length, and the last tokens are padding."""
    def fixed_model(g):
        n = g.length
        q, k, v = (g.Transpose(g.Reshape(linear(g, g.x, D, D), np.array([1, n, H, D // H])), perm=[0, 2, 1, 3])
                   for _ in range(3))
        s = g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), np.float32((D // H) ** -0.5))
        y = lambda mask: g.Reshape(g.Transpose(g.MatMul(g.Softmax(mask(s), axis=-1), v), perm=[0, 2, 1, 3]), np.array([1, n, D]))
        return build(g, y)
    case(f"length-{name}", fixed_model, **{"attention": 1, **options})


def padding_input(g):
    return spread(g, padding(g), "unsqueeze", 4)


def pooled(pool):
    """What is made of all tokens of an attention with a padding mask; the mask is the model's second input."""
    def build(g):
        y = attention(g, mask=lambda g, s, rank: take(g, s, spread(g, padding(g), "unsqueeze", rank), "where", -1e9))
        real = g.Cast(g.unsqueeze(g.inputs[1].name, 2), to=T.FLOAT)
        return g.Add(g.x, pool(g, y, real))
    return build


case("pooled-mean", pooled(lambda g, y, m: g.Div(g.sum(g.Mul(y, m), 1), g.sum(m, 1))), attention=1)
case("pooled-product", pooled(lambda g, y, m: g.MatMul(g.Transpose(m, perm=[0, 2, 1]), y)), attention=1)
case("pooled-largest", pooled(lambda g, y, m: g.ReduceMax(g.Where(g.Greater(m, np.float32(0.5)), y, np.float32(-1e9)),
                                                          axes=[1])), attention=1)
case("near-pooled-plain", pooled(lambda g, y, m: g.ReduceMean(y, axes=[1])), near=True, attention=0)
case("near-pooled-padding", pooled(lambda g, y, m: g.Mul(m, g.sum(g.Sub(np.float32(1), m), 1))), near=True, attention=0)
case("near-pooled-largest", pooled(lambda g, y, m: g.ReduceMax(g.Mul(y, m), axes=[1])), near=True, attention=0)
case("near-pooled-other", pooled(lambda g, y, m: g.sum(g.Mul(y, g.Add(m, np.float32(1))), 1)), near=True, attention=0)
for name, visible in (("limit", lambda g, i, j: g.LessOrEqual(j, g.Add(i, g.Sub(np.array(8), g.tokens())))),
                      ("threshold", lambda g, i, j: g.Or(g.Greater(g.tokens(), np.array(8)), g.LessOrEqual(j, i)))):
    case(f"near-mask-of-length-{name}", lambda g, visible=visible: attention(g, mask=lambda g, s, rank: g.Where(visible(
        g, g.unsqueeze(g.positions(), 1), g.unsqueeze(g.positions(), 0)), s, np.float32(-1e9))), near=True, attention=0)


def numbers_of(shape, kind="int64"):
    """A padding input of that shape that hides keys."""
    def mask(g, s):
        n = g.length
        g.real = n - 3
        m = g.input("m", TYPES[kind][0], (np.arange(n) < g.real).reshape([n if e == "n" else e for e in shape]).astype(TYPES[kind][1]))
        m = g.Cast(g.Reshape(m, np.array([1, 1, 1, n])), to=T.FLOAT)
        return g.Add(s, g.Mul(g.Sub(np.float32(1), m), np.float32(-1e9)))
    return mask


def keys(shape=(1, "n"), kind="int64"):
    return lambda g: lambda s: numbers_of(shape, kind)(g, s)


for length in (11, D, D // H, 2 * D):
    of_length(f"{length}", lambda g, y: y(keys()(g)), length=length)
for shape, kind in (((1, "n"), "float"), ((1, 1, 1, "n"), "float"), ((1, 1, "n"), "bool"), ((1, 1, 1, "n"), "int64")):
    of_length(f"mask-{len(shape)}-{kind}", lambda g, y, shape=shape, kind=kind: y(keys(shape, kind)(g)))
of_length("mask-wide", lambda g, y: y(lambda s: g.Where(g.Expand(padding_input(g), np.array([1, 1, g.length, g.length])), s, np.float32(-1e9))))
of_length("causal", lambda g, y: y(lambda s: g.Add(keys()(g)(s), np.triu(np.full((1, 1, g.length, g.length), -1e9, np.float32), 1))),
          causal=True)
of_length("positions", lambda g, y: layer_norm(g, g.Add(g.Add(y(keys()(g)), g.random_weight(1, g.length, D)), g.x)), norm_layer=1)
of_length("positions-as-many-as-features", lambda g, y: layer_norm(g, g.Add(g.Add(y(keys()(g)), g.random_weight(g.length, D)), g.x)),
          norm_layer=1, length=D)
of_length("positions-slice", lambda g, y: g.Add(y(keys()(g)), g.Slice(
    g.random_weight(1, 32, D), np.array([0]), np.array([g.length]), np.array([1]))))
of_length("positions-gather", lambda g, y: g.Add(y(keys()(g)), g.Gather(g.random_weight(32, D), np.arange(g.length)[None], axis=0)))
of_length("flattened", lambda g, y: g.Reshape(linear(g, g.Reshape(y(keys()(g)), np.array([g.length, D])), D, 2 * D),
                                             np.array([1, g.length, 2 * D])))
def counted(g, y, **options):
    """Positions are counted over tokens that are real."""
    y = y(keys()(g))
    p = g.CumSum("m", np.array(1), **options)
    return g.Add(y, g.Gather(g.random_weight(32, D), g.Add(g.Mul(p, "m"), np.array(1)), axis=0))


of_length("positions-counted", counted)
of_length("positions-counted-exclusive", lambda g, y: counted(g, y, exclusive=1))
# What sees the padding, or mixes the tokens: the length stays, and all of them must be real.
REFUSED = "calls token 8 padding, but the model's shapes are fixed"
of_length("mean", lambda g, y: g.Add(g.x, g.ReduceMean(y(keys()(g)), axes=[1])), refused=REFUSED)
of_length("scrambled", lambda g, y: g.Add(y(keys()(g)), g.Transpose(g.Reshape(g.x, np.array([1, D, g.length])), perm=[0, 2, 1])),
          refused=REFUSED)
of_length("scrambled-square", lambda g, y: g.Add(y(keys()(g)), g.Transpose(g.x, perm=[0, 2, 1])), length=D, refused="calls token 13")
of_length("scrambled-after", lambda g, y: g.Transpose(g.Reshape(g.Relu(y(keys()(g))), np.array([1, D, g.length])), perm=[0, 2, 1]),
          refused=REFUSED)
of_length("positions-counted-back", lambda g, y: counted(g, y, reverse=1), refused=REFUSED)
of_length("mixed-tokens", lambda g, y: g.Add(y(keys()(g)), g.MatMul(g.random_weight(g.length, g.length), g.x)), refused=REFUSED)
of_length("max-over-tokens", lambda g, y: g.Add(g.x, g.ReduceMax(y(keys()(g)), axes=[1])), refused=REFUSED)
of_length("last-token", lambda g, y: g.Add(y(keys()(g)), g.slice(g.x, g.length - 1, g.length, 1)), refused=REFUSED)
of_length("without-last-token", lambda g, y: g.slice(y(keys()(g)), 0, -1, 1), refused=REFUSED)
case("scrambled-open", lambda g: g.Add(attention(g, mask=padding_mask("where", -1e9)), g.Transpose(
    g.Reshape(g.x, g.Concat(np.array([1, D]), np.array([-1]), axis=0)), perm=[0, 2, 1])), attention=0)
attends("kq-back-causal", scores="kq-back", causal=True, mask=causal_mask("table", "where", -1e9))
attends("kq-back-padding", scores="kq-back", mask=padding_mask("one-minus", -1e9))
attends("kq-back-then-causal", scores="kq-back", causal=True, mask=causal_mask("less-or-equal", "add-where", -1e9))
attends("kq-back-outer", scores="kq-back", mask=padding_mask("where", -1e9, "outer"))
for scores, softmax in itertools.product(("kq", "kq-back", "einsum-kq"), ("chain", "chain-no-max", "chain-reciprocal")):
    attends(f"{scores}-{softmax}", scores=scores, softmax=softmax)
attends("kq-chain-merged", scores="kq", softmax="chain", heads="merged", layout="sequence")
attends("kq-chain-causal", scores="kq", softmax="chain", causal=True, guard=True, mask=lambda g, s, rank: g.Where(
    g.Cast(g.Trilu(np.ones((g.length, g.length), np.float32), upper=1), to=T.BOOL), s, np.float32(-INF)))
attends("kq-chain-padding", scores="kq", softmax="chain", mask=lambda g, s, rank: g.Add(s, g.Transpose(g.Where(
    spread(g, padding(g), "unsqueeze", rank), np.float32(0), np.float32(-1e9)), perm=[0, 1, 3, 2])))
attends("kq-back-chain-padding", scores="kq-back", softmax="chain-no-max", mask=padding_mask("one-minus", -1e9))
attends("kq-back-chain-causal", scores="kq-back", softmax="chain", causal=True, mask=causal_mask("less-or-equal", "add-where", -1e9))
attends("padding-or-causal", mask=lambda g, s, rank: take(  # what the pads see does not matter
    g, s, g.Or(spread(g, padding(g), "unsqueeze", rank), causal(g, "less-or-equal")), "where", -1e9))

# Combinations, drawn once.
draw = np.random.default_rng(7)
pick = lambda *choices: choices[draw.integers(len(choices))]
for i in range(24):
    options = dict(heads=pick("reshape", "merged", "transpose-first", "reshape"),
                   qkv=pick("separate", "fused-split", "fused-slice"),
                   scores=pick("qk", "einsum-kq", "einsum"),
                   scale=pick("mul", "scores:div", "q", "both", "q-early", "k-early:vector"),
                   softmax=pick("op", "negative", "chain"), guard=bool(pick(0, 1)),
                   between=pick((), ("dropout",), ("identity",)),
                   how=pick("matmul-add", "add-first", "transposed", "bias-after-reshape"))
    kind = pick("none", "causal", "padding")
    if kind == "causal":
        options["mask"] = causal_mask(pick(*[c for c in CAUSAL if c != "cumsum"]),
                                      pick("where", "where-not", "add-where"), pick(*FILLS))
    if kind == "padding":
        options["mask"] = padding_mask(pick(*TAKE), pick(-1e9, -1e4), pick(*SPREAD), kind=pick(*TYPES),
                                       one=pick("real", "padding"))
    attends(f"combined-{i}-{kind}", causal=kind == "causal", norm=True, **options)

# Layer norms, linear layers, activations.
NORMS = ["moment", "pow", "mul", "pow-int", "sum-div", "sum-square", "add-neg", "two-subs", "eps-first", "pow-half", "reciprocal",
         "pow-minus-half", "one-over", "gamma-first", "gamma-before", "gamma-left", "cast", "op"]
for how in NORMS:
    case(f"norm-{how}", lambda g, how=how: linear(g, layer_norm(g, g.x, how), D, D), opset=17 if how == "op" else 14,
         norm_layer=1, linear=1)
for gamma, beta in ((None, None), ("scalar", None), ("one", "one"), ("scalar", "scalar"), ("vector", None), (None, "vector"),
                    ("row", "vector"), ("vector", "scalar")):
    case(f"norm-gamma-{gamma}-beta-{beta}", lambda g, a=gamma, b=beta: layer_norm(g, g.x, "pow", a, b), norm_layer=1)


def rms_norm(g, x, how="div"):
    gamma = np.abs(g.random_weight(D)) + 0.5
    if how in ("RMSNormalization", "SimplifiedLayerNormalization"):
        return getattr(g, how)(x, gamma, epsilon=1e-6, axis=-1)
    squares = g.Pow(x, np.float32(2)) if how == "pow" else g.Mul(x, x)
    inside = g.Add(g.ReduceMean(squares, axes=[-1]), np.float32(1e-6))
    if how == "pow-minus-half":
        y = g.Mul(x, g.Pow(inside, np.float32(-0.5)))
    elif how == "reciprocal":
        y = g.Mul(x, g.Reciprocal(g.Sqrt(inside)))
    elif how == "one-over":
        y = g.Mul(g.Div(np.float32(1), g.Sqrt(inside)), x)
    elif how == "gamma-first":
        return g.Mul(g.Reciprocal(g.Sqrt(inside)), g.Mul(gamma, x))
    else:
        y = g.Div(x, g.Sqrt(inside))
    return y if how == "no-gamma" else g.Mul(y, gamma) if how == "div" else g.Mul(gamma, y)


for how in ("div", "pow", "pow-minus-half", "reciprocal", "one-over", "gamma-first", "no-gamma", "RMSNormalization",
            "SimplifiedLayerNormalization"):
    case(f"rms-{how}", lambda g, how=how: g.Add(g.x, linear(g, rms_norm(g, g.x, how), D, D)),
         opset=23 if how == "RMSNormalization" else 14, norm_rms=1, linear=1)


def behind_factor(norm, factor):
    """The rows that are normalised are multiplied before, and are a residual stream."""
    def build(g):
        x = g.Mul(g.x, factor)
        return g.Add(x, linear(g, norm(g, x), D, D))
    return build


for how in ("div", "reciprocal", "gamma-first"):
    case(f"rms-{how}-behind-factor", behind_factor(lambda g, x, how=how: rms_norm(g, x, how), np.float32(D ** 0.5 + 0.1)), norm_rms=1)
    case(f"rms-{how}-behind-column", behind_factor(lambda g, x, how=how: rms_norm(g, x, how), np.arange(1, D + 1, dtype=np.float32)),
         norm_rms=1)
    case(f"rms-{how}-behind-norm", lambda g, how=how: linear(g, rms_norm(g, layer_norm(g, g.x, "pow", "vector", None), how), D, D),
         norm_rms=1, norm_layer=1)
    case(f"norm-behind-rms-{how}", lambda g, how=how: linear(g, layer_norm(g, rms_norm(g, g.x, how)), D, D), norm_rms=1, norm_layer=1)
    case(f"rms-{how}-behind-rms", lambda g, how=how: linear(g, rms_norm(g, rms_norm(g, g.x), how), D, D), norm_rms=2)
for how in ("pow", "sum-square", "gamma-before"):
    case(f"norm-{how}-behind-norm", lambda g, how=how: linear(g, layer_norm(g, layer_norm(g, g.x, "pow", "vector", None), how), D, D),
         norm_layer=2)
for how in ("pow", "sum-square", "gamma-first"):
    case(f"norm-{how}-behind-factor", behind_factor(lambda g, x, how=how: layer_norm(g, x, how), np.float32(12)), norm_layer=1)


case("near-rms-epsilon", lambda g: g.Div(g.x, g.Sqrt(g.Add(g.ReduceMean(g.Mul(g.x, g.x), axes=[-1]), np.float32(2)))), near=True, norm_rms=0,
     remark=r"epsilon is not in \(0, 1\) \(was 2")
case("near-rms-of-product", lambda g: g.Mul(g.x, rms_norm(g, g.x)), near=True, norm_rms=1,
     remark="multiplied by more than one constant for each feature")


def gated(g, x, how):
    if how.startswith("split"):
        both = linear(g, x, D, 4 * D)
        gate, up = g.slice(both, 0, 2 * D, 2), g.slice(both, 2 * D, 4 * D, 2)
    else:
        gate, up = linear(g, x, D, 2 * D), linear(g, x, D, 2 * D, "no-bias")
    if how == "late":
        return linear(g, g.Mul(g.Mul(up, gate), g.Sigmoid(gate)), 2 * D, D)
    activated = {"relu": lambda: g.Relu(gate), "split-gelu": lambda: g.Mul(g.Mul(gate, np.float32(0.5)), g.Add(
        g.Erf(g.Div(gate, np.float32(np.sqrt(2)))), np.float32(1)))}.get(how, lambda: g.Mul(gate, g.Sigmoid(gate)))()
    return linear(g, g.Mul(up, activated) if how == "reversed" else g.Mul(activated, up), 2 * D, D)


for how, kind in dict(two="swish", reversed="swish", late="swish", relu="relu", split="swish").items():
    case(f"gate-{how}", lambda g, how=how: g.Add(g.x, gated(g, rms_norm(g, g.x), how)), norm_rms=1, linear=3, multiply=1,
         activation=kind)
case("gate-split-gelu", lambda g: g.Add(g.x, gated(g, layer_norm(g, g.x), "split-gelu")), norm_layer=1, linear=3, multiply=1,
     activation="gelu")


def shared_statistics(g):
    c = g.Sub(g.x, g.ReduceMean(g.x, axes=[-1]))
    y = g.Div(c, g.Sqrt(g.Add(g.ReduceMean(g.Mul(c, c), axes=[-1]), np.float32(1e-5))))
    a, b = (g.Add(g.Mul(y, np.abs(g.random_weight(D)) + 0.5), g.random_weight(D)) for _ in range(2))
    return g.Add(linear(g, a, D, D), linear(g, b, D, D))


case("norm-shared-statistics", shared_statistics, norm_layer=2, linear=2)
case("norm-sequence", lambda g: layer_norm(g, g.x), layout="sequence", norm_layer=1)
case("norm-flat", lambda g: layer_norm(g, g.x, "op"), layout="flat", opset=17, norm_layer=1)
for how in ("matmul-add", "add-first", "no-bias", "bias-row", "sub", "transposed", "identity", "gemm", "gemm-factors",
            "bias-after-reshape", "einsum", "conv", "layer-scale", "layer-scale-first", "scalar", "scalar-div",
            "scaled-product"):
    case(f"linear-{how}", lambda g, how=how: g.Add(g.x, linear(g, layer_norm(g, g.x), D, D, how)), linear=1)
case("linear-gemm-flat", lambda g: linear(g, g.x, D, D, "gemm"), layout="flat", linear=1)
for name, function in ACTIVATIONS.items():
    case(f"activation-{name}", lambda g, f=function: linear(g, f(g, linear(g, g.x, D, 2 * D)), 2 * D, D), linear=2,
         activation=KINDS[name.split("-")[0]])


# Right, if not cheap: the probabilities are computed once more.
def kept_probabilities(g):
    probs = []
    y = attention(g, probs=probs)
    return [y, probs[0]]


case("probabilities-are-an-output", kept_probabilities, attention=1)
attends("values-of-another-input", values=lambda g: linear(
    g, g.input("y", T.FLOAT, g.random_weight(1, g.length, D)), D, D))


# What only looks like it.
def cross(g, length):
    y = g.input("y", T.FLOAT, g.random_weight(1, length, D))
    q, k, v = linear(g, g.x, D, D), linear(g, y, D, D), linear(g, y, D, D)
    q, k, v = (g.Transpose(g.Reshape(t, np.array([0, 0, H, D // H])), perm=[0, 2, 1, 3]) for t in (q, k, v))
    p = g.Softmax(g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), np.float32(0.35)), axis=-1)
    return g.Reshape(g.Transpose(g.MatMul(p, v), perm=[0, 2, 1, 3]), np.array([0, 0, D]))


def near(name, layout="batch", opset=14, build=None, **options):
    case(f"near-{name}", build or (lambda g: attention(g, **options)), layout, opset, near=True, attention=0)


def table(values):
    return lambda g, s, rank: g.Add(s, values(g.length).astype(np.float32))


near("softmax-over-queries", softmax="wrong")
near("kq-softmax-over-queries", scores="kq", softmax="last")
near("kq-untransposed", scores="kq", untransposed=True)
for scores, axes in itertools.product(("qk", "kq", "kq-back"), ("qq", "qk", "kq")):
    near(f"steps-{axes}-{scores}", scores=scores, softmax=f"steps-{axes}")
attends("kq-chain-anti-causal", scores="kq", softmax="chain", mask=causal_mask("table", "where", -1e9))
near("kq-chain-untransposed", scores="kq", softmax="chain", untransposed=True)
near("kq-chain-padding-of-queries", scores="kq", softmax="chain", mask=padding_mask("where", -1e9))
attends("kq-anti-causal", scores="kq", mask=causal_mask("table", "where", -1e9))
near("softmax-over-heads", softmax="heads")
near("mask-after-softmax", after=lambda g, p, rank: g.Mul(p, np.tri(g.length, dtype=np.float32)))
near("renormalised", after=lambda g, p, rank: (
    lambda m: g.Div(m, g.sum(m, -1)))(g.Mul(p, np.abs(g.random_weight(g.length)) + 0.1)))
near("bias-on-scores", wrap=lambda g, s, rank: g.Add(s, g.random_weight(H, g.length, g.length)))
near("alibi", wrap=lambda g, s, rank: g.Add(s, g.Mul(np.array([0.5, 0.25], np.float32).reshape(2, 1, 1), g.Cast(
    g.Sub(g.unsqueeze(g.positions(), 0), g.unsqueeze(g.positions(), 1)), to=T.FLOAT))))
near("small-bias", wrap=table(lambda n: -np.abs(np.subtract.outer(np.arange(n), np.arange(n)))))
near("scale-input", wrap=lambda g, s, rank: g.Mul(s, g.input("t", T.FLOAT, np.array([0.7], np.float32))))
near("scale-of-heads", wrap=lambda g, s, rank: g.Mul(s, np.array([1, 0.5], np.float32).reshape(2, 1, 1)))
near("scale-of-keys", wrap=lambda g, s, rank: g.Mul(
    s, np.where(np.arange(g.length) < g.length // 2, 1, 0.5).astype(np.float32)))
near("scale-of-queries", wrap=lambda g, s, rank: g.Mul(s, np.linspace(0.5, 1, g.length).astype(np.float32)[:, None]))
near("negative-scale", scale="none", wrap=lambda g, s, rank: g.Mul(s, np.float32(-0.3)))
near("scale-of-length", scale="scores:sqrt")
near("strided-heads", qkv="fused-strided")
near("softmax-11-two-axes", opset=11, softmax="wrong")
near("softmax-11-all-axes", opset=11, softmax="default")
near("softmax-11-merged-two-axes", opset=11, heads="merged", softmax="default")
near("squared-scores", wrap=lambda g, s, rank: g.Mul(s, s))
near("symmetric-scores", wrap=lambda g, s, rank: g.Add(s, g.Transpose(s, perm=[0, 1, 3, 2])))
near("last-key-hidden", wrap=lambda g, s, rank: g.Where(
    g.Less(g.positions(), g.Sub(g.tokens(), np.array(1))), s, np.float32(-1e9)))
near("reversed-causal", wrap=lambda g, s, rank: g.Where(g.Less(g.unsqueeze(g.positions(), 0), g.Sub(
    g.tokens(), g.unsqueeze(g.positions(), 1))), s, np.float32(-1e9)))
attends("exchanged-value-heads", value=lambda g, v: g.Gather(v, np.array([1, 0]), axis=1))
near("reversed-values", value=lambda g, v: g.Slice(v, np.array([-1]), np.array([-1000]), np.array([2]), np.array([-1])))
near("tokens-exchanged-scores", wrap=lambda g, s, rank: g.Transpose(s, perm=[0, 1, 3, 2]), softmax="wrong",
     mask=causal_mask("trilu", "where", -1e9))
near("padding-or", mask=lambda g, s, rank: (
    lambda m: take(g, s, g.Or(m, g.Transpose(m, perm=[0, 1, 3, 2])), "where", -1e9))(
    spread(g, padding(g), "unsqueeze", rank)))
attends("padding-and-window", mask=lambda g, s, rank: g.Where(
    np.tri(g.length, k=2, dtype=bool), padding_mask("where", -1e9)(g, s, rank), np.float32(-1e9)))
near("soft-cap", wrap=lambda g, s, rank: g.Mul(g.Tanh(g.Div(s, np.float32(3))), np.float32(3)))
near("clip", wrap=lambda g, s, rank: g.Clip(s, np.float32(-1), np.float32(1)))
near("relu-scores", wrap=lambda g, s, rank: g.Relu(s))
for name, sees, fill in (
        ("window", lambda i, j: abs(i - j) <= 2, -1e9), ("causal-window", lambda i, j: (j <= i) & (i - j < 4), -1e9),
        ("prefix", lambda i, j: (j <= i) | (j < 3), -1e9), ("strictly-causal", lambda i, j: j < i, -INF),
        ("anti-causal", lambda i, j: j >= i, -1e9), ("empty-row", lambda i, j: (j <= i) & (i != 4), -INF),
        ("hidden-key", lambda i, j: (j != 4) | (i < 0), -1e9), ("first-key", lambda i, j: (j <= i) & ((j > 0) | (i == 0)), -1e9)):
    # Windows are raised.
    (attends if name in ("window", "causal-window", "anti-causal") else near)(name, guard=fill == -INF, wrap=lambda g, s, rank, sees=sees, fill=fill: g.Where(
        sees(np.arange(g.length)[:, None], np.arange(g.length)), s, np.float32(fill)))
near("fill-100", mask=causal_mask("table", "where", -100))
near("fill-100-added", mask=causal_mask("less-or-equal", "add-where", -100))
near("fill-0", mask=causal_mask("table", "where", 0))
near("fill-plus", mask=causal_mask("table", "where", 1e9))
near("padding-fill-10", mask=padding_mask("one-minus", -10, kind="float"))
near("padding-of-queries", mask=lambda g, s, rank: g.Add(s, g.Transpose(g.Where(
    spread(g, padding(g), "unsqueeze", rank), np.float32(0), np.float32(-1e9)), perm=[0, 1, 3, 2])))
near("mask-of-head", mask=lambda g, s, rank: g.Where(
    np.stack([np.tri(g.length, dtype=bool), np.ones((g.length, g.length), bool)]), s, np.float32(-1e9)))
near("mask-input-pairs", mask=lambda g, s, rank: g.Add(s, g.input("m", T.FLOAT, np.where(
    np.tri(g.length), 0, -1e9).astype(np.float32)[None, None])))
near("softmax-of-softmax", wrap=lambda g, s, rank: g.Softmax(s, axis=-1))
def crossed(g, cut_query=lambda g, t: t, cut=lambda g, t: t, masked=False, same=True, length=None):
    """Attention of one input's tokens to another one's, or to some of its own."""
    length = length or g.length
    y = g.x if same else g.input("y", T.FLOAT, g.random_weight(1, length, D))
    x = cut_query(g, g.x)
    y = cut(g, y)
    q, k, v = linear(g, x, D, D), linear(g, y, D, D), linear(g, y, D, D)
    q, k, v = (g.Transpose(g.Reshape(t, np.array([0, 0, H, D // H])), perm=[0, 2, 1, 3]) for t in (q, k, v))
    s = g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), np.float32(0.35))
    if masked:
        s = take(g, s, spread(g, padding(g), "unsqueeze", 4), "where", -1e9)
        g.real = g.length  # of the queries, all are
    return g.Reshape(g.Transpose(g.MatMul(g.Softmax(s, axis=-1), v), perm=[0, 2, 1, 3]), np.array([0, 0, D]))


part = lambda a, b: lambda g, t: g.slice(t, a, b, 1)
near("keys-cut", build=lambda g: crossed(g, cut=part(0, 8)))
near("keys-tail", build=lambda g: crossed(g, cut=part(3, 1000)))
near("keys-but-last", build=lambda g: crossed(g, cut=part(0, -1)))
near("queries-cut", build=lambda g: crossed(g, cut_query=part(2, 9)))
near("keys-twice", build=lambda g: crossed(g, cut=lambda g, t: g.Concat(t, t, axis=1)))
near("keys-after-past", build=lambda g: crossed(g, cut=lambda g, t: g.Concat(
    g.input("past", T.FLOAT, g.random_weight(1, 4, D)), t, axis=1)))
near("crossed-other-length", build=lambda g: crossed(g, same=False, length=7))
# As many keys as queries, but other ones: what is computed is right, whether it is raised or not.
case("crossed-same-length", lambda g: crossed(g, same=False), attention=1)
case("crossed-shifted", lambda g: crossed(g, part(0, 8), part(3, 11)))
case("crossed-shifted-open", lambda g: crossed(g, part(0, -1), part(1, 1000)))
case("crossed-masked", lambda g: crossed(g, same=False, masked=True), attention=0)
case("crossed-masked-length", lambda g: g.Reshape(crossed(g, same=False, masked=True), np.array([1, g.length, D])), attention=0)
case("crossed-two-results", lambda g: [attention(g, mask=padding_mask("where", -1e9)), linear(
    g, g.input("other", T.FLOAT, g.random_weight(1, g.length, D)), D, D)], attention=0)
near("values-of-another-length", build=lambda g: cross(g, g.length + 3))
near("reversed-keys", key=lambda g, k: g.Slice(k, np.array([-1]), np.array([-1000]), np.array([2]), np.array([-1])))
near("rolled-keys", key=lambda g, k: g.Concat(g.slice(k, 1, 1000, 2), g.slice(k, 0, 1, 2), axis=2))
attends("heads-exchanged", key=lambda g, k: g.Gather(k, np.array([1, 0]), axis=1))
attends("features-exchanged", key=lambda g, k: g.Concat(g.slice(k, 4, 8, 3), g.slice(k, 0, 4, 3), axis=3))


def near_norm(name, build):
    case(f"near-{name}", build, near=True, norm_layer=0)


def norm_with(g, variance=None, eps=1e-5, axis=-1, deviation=None):
    c = g.Sub(g.x, g.ReduceMean(g.x, axes=[axis]))
    v = variance(g, c) if variance else g.ReduceMean(g.Mul(c, c), axes=[axis])
    s = deviation(g, v) if deviation else g.Sqrt(g.Add(v, np.float32(eps)))
    return linear(g, g.Add(g.Mul(g.Div(c, s), np.abs(g.random_weight(D)) + 0.5), g.random_weight(D)), D, D)


near_norm("norm-over-tokens", lambda g: norm_with(g, axis=1))
near_norm("norm-corrected", lambda g: norm_with(g, lambda g, c: g.Div(g.sum(g.Mul(c, c), -1), np.float32(D - 1))))
near_norm("norm-eps-outside", lambda g: norm_with(g, deviation=lambda g, v: g.Add(g.Sqrt(v), np.float32(1e-5))))
near_norm("norm-no-root", lambda g: norm_with(g, deviation=lambda g, v: g.Add(v, np.float32(1e-5))))
near_norm("norm-raw-squares", lambda g: norm_with(g, lambda g, c: g.ReduceMean(g.Mul(g.x, g.x), axes=[-1])))
near_norm("norm-absolute", lambda g: norm_with(g, lambda g, c: g.ReduceMean(g.Abs(c), axes=[-1])))
near_norm("norm-large-eps", lambda g: norm_with(g, eps=2.0))
near_norm("norm-half-moment", lambda g: norm_with(g, lambda g, c: g.Sub(g.ReduceMean(g.Mul(g.x, g.x), axes=[-1]), g.Mul(
    np.float32(0.5), g.Mul(g.ReduceMean(g.x, axes=[-1]), g.ReduceMean(g.x, axes=[-1]))))))


case("near-norm-two-axes", lambda g: g.LayerNormalization(g.x, np.ones((1, 16), np.float32) * np.ones((11, 1), np.float32),
                                                         axis=-2), opset=17, near=True, norm_layer=0)


def near_activation(name, function):
    case(f"near-{name}", lambda g: linear(g, function(g, linear(g, g.x, D, D)), D, D), near=True, no_activation=0)


f = np.float32
near_activation("gelu-other-root", lambda g, x: g.Mul(g.Mul(x, f(0.5)), g.Add(g.Erf(g.Div(x, f(1.5))), f(1))))
near_activation("gelu-other-half", lambda g, x: g.Mul(g.Mul(x, f(0.6)), g.Add(g.Erf(g.Div(x, f(np.sqrt(2)))), f(1))))
near_activation("gelu-of-another", lambda g, x: g.Mul(g.Mul(x, f(0.5)), g.Add(g.Erf(g.Div(linear(g, x, D, D), f(np.sqrt(2)))), f(1))))
near_activation("swish-beta", lambda g, x: g.Mul(x, g.Sigmoid(g.Mul(x, f(1.5)))))
near_activation("gated", lambda g, x: g.Mul(x, g.Sigmoid(linear(g, x, D, D))))
near_activation("relu6", lambda g, x: g.Clip(x, f(0), f(6)))
case("near-relu-squared", lambda g: linear(g, g.Pow(g.Relu(linear(g, g.x, D, D)), f(2)), D, D), near=True, activation="relu",
     remark="the square of a relu")
near_activation("maximum", lambda g, x: g.Max(x, f(0.1)))
near_activation("leaky", lambda g, x: g.Where(g.Greater(x, f(0)), x, g.Mul(x, f(0.1))))
near_activation("relu-reversed", lambda g, x: g.Where(g.Greater(x, f(0)), f(0), x))


# Norms of heads, heads of keys that are shared, rotary embeddings: what stands between a projection and attention.
HEADS, HEAD = 4, 8  # the heads' size is none of D's business


def head_norm(g, x, how="pow", gamma="vector"):
    """Over the last dimension."""
    size = HEAD
    kind, _, form = how.partition(":")
    w = np.abs(g.random_weight(size)) + 0.5
    if kind in ("RMSNormalization", "SimplifiedLayerNormalization"):
        return getattr(g, kind)(x, w, epsilon=1e-6, axis=-1)
    if kind == "LayerNormalization":
        return g.LayerNormalization(x, w, g.random_weight(size), epsilon=1e-6, axis=-1)
    if kind == "layer":
        x = g.Sub(x, g.ReduceMean(x, axes=[-1]))
    squares = g.Mul(x, x) if form == "mul" else g.Pow(x, np.float32(2))
    inside = g.Add(g.ReduceMean(squares, axes=[-1]), np.float32(1e-6))
    if form == "reciprocal":
        y = g.Mul(x, g.Reciprocal(g.Sqrt(inside)))
    elif form == "pow-minus-half":
        y = g.Mul(x, g.Pow(inside, np.float32(-0.5)))
    else:
        y = g.Div(x, g.Sqrt(inside))
    if gamma == "none":
        return y
    if gamma == "of-heads":  # in [.., heads, tokens, features]
        w = np.abs(g.random_weight(HEADS, 1, size)) + 0.5
    y = g.Mul(w, y) if form == "gamma-left" else g.Mul(y, w)
    return g.Add(y, g.random_weight(size)) if kind == "layer" and form != "no-beta" else y


def shared_heads(g, x, groups, how):
    """[1, groups, L, HEAD] for all heads."""
    times = HEADS // groups
    if times == 1 or how == "none":
        return x
    if how == "broadcast":
        return x
    if how in ("expand", "exported"):
        y = g.unsqueeze(x, 2)
        size = g.unsqueeze(g.tokens(), 0)
        shape = g.Concat(np.array([1, groups, times]), size, np.array([HEAD]), axis=0)
        y = g.Expand(y, shape) if how == "expand" else exported_expand(g, y, shape)
        return g.Reshape(y, g.Concat(np.array([1, HEADS]), size, np.array([HEAD]), axis=0))
    if how == "tile":
        return g.Reshape(g.Tile(g.unsqueeze(x, 2), np.array([1, 1, times, 1, 1])), np.array([1, HEADS, -1, HEAD]))
    if how == "concat":
        return g.Concat(*[g.slice(x, i // times, i // times + 1, 1) for i in range(HEADS)], axis=1)
    if how == "stack":
        return g.Reshape(g.Concat(*[g.unsqueeze(x, 2)] * times, axis=2), np.array([1, HEADS, -1, HEAD]))
    if how == "gather":
        return g.Gather(x, np.arange(HEADS) // times, axis=1)
    if how == "tile-all":  # head c reads c mod groups
        return g.Tile(x, np.array([1, times, 1, 1]))
    if how == "concat-all":
        return g.Concat(*[x] * times, axis=1)
    raise KeyError(how)


def angle_tables(g, count, how="matmul", style="half", positions=64, unequal=None, scaling=1.0):
    """cos and sin, [1, L, 2 * count] as a model has them."""
    inverse = (1 / 10000 ** (np.arange(count) / count)).astype(np.float32)
    both = lambda t: np.concatenate((t, t), -1) if style == "half" else np.repeat(t, 2, -1)
    size = g.unsqueeze(g.tokens(), 0)
    if "input" in how:
        p = g.input("position_ids", T.INT64, np.arange(g.length)[None])
    if how in ("buffer", "gather", "part-gather", "table", "input-gather"):
        t = np.outer(np.arange({"table": g.length}.get(how, positions)), inverse).astype(np.float32)
        tables = both(np.cos(t)), both(np.sin(t))
        if unequal == "all":
            tables = [g.random_weight(*t.shape) for t in tables]
        elif unequal:
            tables[unequal == "sin"][:, -1] += 0.25
        if how == "table":
            return [g.w(t[None]) for t in tables]
        if how == "part-gather":
            tables = [g.Slice(t, np.array([0]), size, np.array([0])) for t in tables]
        if "gather" in how:
            p = p if how == "input-gather" else g.unsqueeze(g.positions(), 0)
            if how == "part-gather":
                p = g.Expand(p, g.Shape(g.x, end=2) if g.opset > 14 else g.Slice(g.Shape(g.x), np.array([0]), np.array([2])))
            return [g.Gather(t, p, axis=0) for t in tables]
        return [g.unsqueeze(g.Slice(t, np.array([0]), size, np.array([0])), 0) for t in tables]
    if how == "length":  # angles of the model's own length
        angles = g.w(np.outer(np.arange(g.length), inverse).astype(np.float32)[None])
    if how != "input":
        p = g.unsqueeze(g.positions(), 0)
    p = g.Cast(p, to=T.FLOAT)
    if how in ("matmul", "input"):
        angles = g.Transpose(g.MatMul(inverse[None, :, None], g.unsqueeze(p, 1)), perm=[0, 2, 1])
    elif how == "mul":
        angles = g.Mul(g.unsqueeze(p, 2), inverse[None, None])
    elif how == "div":
        angles = g.Div(g.unsqueeze(p, 2), (10000 ** (np.arange(count) / count)).astype(np.float32))
    elif how == "pow":
        exponent = g.Div((np.arange(count) * 2).astype(np.float32), np.float32(2 * count))
        angles = g.Mul(g.unsqueeze(p, 2), g.Div(np.float32(1), g.Pow(np.float32(10000), exponent)))
    elif how == "einsum":
        angles = g.unsqueeze(g.Einsum(g.squeeze(p, 0), inverse, equation="i,j->ij"), 0)
    if style == "half":
        angles = g.Concat(angles, angles, axis=-1)
    elif style == "interleaved":
        a = g.unsqueeze(angles, 3)
        angles = g.Reshape(g.Concat(a, a, axis=-1), np.array([1, -1, 2 * count]))
    tables = g.Cos(angles), g.Sin(angles)
    return [g.Mul(t, np.float32(scaling)) for t in tables] if scaling != 1 else tables


def rotate(g, x, cos, sin, how, size=HEAD):
    """[.., tokens, size] by tables that broadcast to it; where there are halves of them only, `how` says so."""
    half = size // 2
    part = lambda a, b: g.slice(x, a, b, -1)
    every = lambda i: g.Slice(x, np.array([i]), np.array([1 << 30]), np.array([-1]), np.array([2]))
    turned = lambda y: g.Add(g.Mul(x, cos), g.Mul(y, sin))
    if how == "half":
        return turned(g.Concat(g.Neg(part(half, size)), part(0, half), axis=-1))
    if how == "half-reversed":
        return g.Add(g.Mul(sin, g.Concat(g.Mul(part(half, size), np.float32(-1)), part(0, half), axis=-1)), g.Mul(cos, x))
    if how == "half-split":
        a, b = g.split(x, 2, -1, half)
        return turned(g.Concat(g.Neg(b), a, axis=-1))
    if how == "half-swapped":  # the sign is in the table
        return turned(g.Concat(part(half, size), part(0, half), axis=-1))
    if how == "half-parts":
        a, b = part(0, half), part(half, size)
        return g.Concat(g.Sub(g.Mul(a, cos), g.Mul(b, sin)), g.Add(g.Mul(b, cos), g.Mul(a, sin)), axis=-1)
    if how == "half-view":  # [.., 2, size / 2]
        y = g.Reshape(x, np.array([0, 0, -1, 2, half]))
        a, b = (g.squeeze(t, 3) for t in g.split(y, 2, 3, 1))
        return g.Concat(g.Sub(g.Mul(a, cos), g.Mul(b, sin)), g.Add(g.Mul(a, sin), g.Mul(b, cos)), axis=-1)
    if how == "opposite":  # turned back
        return g.Sub(g.Mul(x, cos), g.Mul(g.Concat(g.Neg(part(half, size)), part(0, half), axis=-1), sin))
    if how == "every-two":
        y = g.Concat(*(g.unsqueeze(t, 4) for t in (g.Neg(every(1)), every(0))), axis=4)
        return turned(g.Reshape(y, np.array([0, 0, -1, size])))
    if how == "every-two-parts":
        a, b = every(0), every(1)
        y = g.Concat(*(g.unsqueeze(t, 4) for t in (g.Sub(g.Mul(a, cos), g.Mul(b, sin)), g.Add(g.Mul(a, sin), g.Mul(b, cos)))),
                     axis=4)
        return g.Reshape(y, np.array([0, 0, -1, size]))
    if how == "complex":  # [.., size / 2, 2]
        y = g.Reshape(x, np.array([0, 0, -1, half, 2]))
        a, b = (g.squeeze(t, 4) for t in g.split(y, 2, 4, 1))
        y = g.Concat(*(g.unsqueeze(t, 4) for t in (g.Sub(g.Mul(a, cos), g.Mul(b, sin)), g.Add(g.Mul(a, sin), g.Mul(b, cos)))),
                     axis=4)
        return g.Reshape(y, np.array([0, 0, -1, size]))
    if how == "no-sign":
        return turned(g.Concat(part(half, size), part(0, half), axis=-1))
    if how == "only-cosines":
        return g.Mul(x, cos)
    if how == "other-rows":
        y = g.Transpose(g.Reshape(linear(g, g.x, D, HEADS * HEAD), np.array([1, -1, HEADS, HEAD])), perm=[0, 2, 1, 3])
        return turned(g.Concat(g.Neg(g.slice(y, half, size, -1)), g.slice(y, 0, half, -1), axis=-1))
    if how == "chain":  # each with the next one
        return turned(g.Concat(part(1, size), part(0, 1), axis=-1))
    if how == "middle":
        pair = [g.slice(t, 2, 6, -1) for t in (cos, sin)]
        return g.Concat(part(0, 2), rotate(g, part(2, 6), *pair, "half", 4), part(6, size), axis=-1)
    if how == "twice":
        pair = [g.slice(t, 0, 4, -1) for t in (cos, sin)]
        return g.Concat(*[rotate(g, part(0, 4), *pair, "half", 4)] * 2, axis=-1)
    if how == "squared":
        return g.Add(g.Mul(g.Mul(x, cos), cos), g.Mul(g.Concat(g.Neg(part(half, size)), part(0, half), axis=-1), sin))
    if how == "scaled":
        return g.Add(g.Mul(x, cos), g.Mul(g.Mul(g.Concat(g.Neg(part(half, size)), part(0, half), axis=-1), sin), np.float32(0.5)))
    raise KeyError(how)


HALF_TABLES = ("half-parts", "half-view", "every-two-parts", "complex")


def dressed(g, norm=None, norms="qk", gamma="vector", norm_at="heads", groups=HEADS, shared="expand", shared_values=None, rotary=None,
            size=HEAD, tables="matmul", at="heads", late_norm=False, fused=None, causal_too=False, padded=False, added=False, before=0, of_heads=False, **options):
    size_of = {"q": HEADS, "k": groups, "v": groups}
    cos = sin = None
    if rotary:
        style = "interleaved" if rotary in ("every-two",) else "half"
        style = "one" if rotary in HALF_TABLES else style
        both = {"one": "none"}.get(style, style)
        if rotary in HALF_TABLES and tables in ("buffer", "gather", "part-gather", "table", "input-gather"):
            cos, sin = (g.slice(t, 0, size // 2, -1) for t in angle_tables(g, size // 2, tables, **options))
        else:
            cos, sin = angle_tables(g, size // 2, tables, both, **options)
        if before:  # the first tokens are not turned
            cos, sin = (g.slice(t, 0, g.length - before, 1) for t in (cos, sin))
        if of_heads:
            cos, sin = (g.random_weight(HEADS, g.length, HEAD) for _ in "cs")
        if rotary == "half-swapped":
            sin = g.Mul(sin, np.repeat(np.array([-1, 1], np.float32), size // 2))
        cos, sin = (g.unsqueeze(t, 0 if of_heads else 1 if at == "heads" else 2) for t in (cos, sin))

    def turn(x):
        if before:
            axis = 2 if at == "heads" else 1
            parts = g.Split(x, np.array([before, g.length - before]), n=2, axis=axis)
            return g.Concat(parts[0], turn_features(parts[1]), axis=axis)
        return turn_features(x)

    def turn_features(x):
        if size == HEAD:
            return rotate(g, x, cos, sin, rotary)
        return g.Concat(rotate(g, g.slice(x, 0, size, -1), cos, sin, rotary, size), g.slice(x, size, HEAD, -1), axis=-1)

    if fused:  # [.., 3, heads, features]
        y = g.Reshape(linear(g, g.x, D, 3 * HEADS * HEAD), np.array([1, -1, 3, HEADS, HEAD]))
        y = g.Transpose(y, perm=[0, 3, 2, 1, 4])
        whole = dict(zip("qkv", (g.squeeze(t, 2) for t in g.split(y, 3, 2, 1))))
    rows = {}
    for name in "qkv":
        if fused:
            x = whole[name]
        else:
            x = linear(g, g.x, D, size_of[name] * HEAD)
            x = g.Reshape(x, np.array([1, -1, size_of[name], HEAD]))
        if norm and name in norms and norm_at == "split":
            x = head_norm(g, x, norm, gamma)
        if rotary and name != "v" and at == "split":
            x = turn(x)
        if not fused:
            x = g.Transpose(x, perm=[0, 2, 1, 3])
        if norm and name in norms and norm_at == "heads" and not late_norm:
            x = head_norm(g, x, norm, gamma)
        if rotary and name != "v" and at == "heads":
            x = turn(x)
        if norm and name in norms and late_norm:
            x = head_norm(g, x, norm, gamma)
        if name != "q":
            x = shared_heads(g, x, groups, shared_values or shared if name == "v" else shared)
        rows[name] = x
    s = g.Mul(g.MatMul(rows["q"], g.Transpose(rows["k"], perm=[0, 1, 3, 2])), np.float32(HEAD ** -0.5))
    if causal_too:
        s = take(g, s, causal(g, "less-or-equal"), "where", -1e9)
    if padded:
        s = take(g, s, spread(g, padding(g), "unsqueeze", 4), "where", -1e9)
    y = g.Reshape(g.Transpose(g.MatMul(g.Softmax(s, axis=-1), rows["v"]), perm=[0, 2, 1, 3]), np.array([0, 0, HEADS * HEAD]))
    y = g.Add(g.x, linear(g, y, HEADS * HEAD, D))
    return g.Add(y, g.unsqueeze(g.Cast("position_ids", to=T.FLOAT), 2)) if added else y


def dresses(name, opset=14, norms=0, rotate=0, style="half", groups=HEADS, kind="rms", attention=1, **options):
    expected = dict(attention=attention, rotate=2 * rotate, key_heads=groups if groups < HEADS else 0)
    if rotate:
        expected["style"] = style
    if norms:
        expected["norm_heads"] = norms
        options.setdefault("norm", kind)
    case(name, lambda g: dressed(g, groups=groups, **options), opset=opset, **expected)


for how in ("rms", "rms:mul", "rms:reciprocal", "rms:pow-minus-half", "rms:gamma-left", "layer", "layer:mul", "layer:no-beta",
            "SimplifiedLayerNormalization", "LayerNormalization", "RMSNormalization"):
    for place in ("heads", "split"):
        dresses(f"qk-norm-{how}-{place}", norm=how, norm_at=place, norms=2,
                opset={"RMSNormalization": 23, "LayerNormalization": 17}.get(how, 14))
dresses("qk-norm-no-gamma", gamma="none", norms=2)
dresses("qk-norm-fused", fused=True, norms=2)
case("qk-norm-of-q", lambda g: dressed(g, norm="rms"[0:3], **dict(norms="q")), attention=1, norm_heads=1)
case("qk-norm-of-k", lambda g: dressed(g, norm="layer", norms="k"), attention=1, norm_heads=1)
dresses("qk-norm-causal", norms=2, causal_too=True)
for how, groups in itertools.product(("expand", "exported", "tile", "concat", "stack", "gather"), (1, 2)):
    dresses(f"grouped-{groups}-{how}", groups=groups, shared=how)
dresses("grouped-1-broadcast", groups=1, shared="broadcast")
dresses("grouped-1-concat-all", groups=1, shared="concat-all")
dresses("grouped-norm", groups=2, norms=2)
for how in ("tile-all", "concat-all"):
    case(f"near-grouped-{how}", lambda g, how=how: dressed(g, groups=2, shared=how), near=True, attention=0,
         remark="repeated in another order")
case("near-grouped-values-otherwise", lambda g: dressed(g, groups=2, shared_values="tile-all"), near=True, attention=0,
     remark="repeated in another order")
for how in ("half", "half-reversed", "half-split", "half-swapped", "half-parts", "half-view", "opposite"):
    dresses(f"rotary-{how}", rotary=how, rotate=1)
for how in ("every-two", "every-two-parts", "complex"):
    dresses(f"rotary-{how}", rotary=how, rotate=1, style="interleaved")
for tables in ("matmul", "mul", "div", "pow", "einsum", "buffer", "gather"):
    for how in ("half", "every-two"):
        dresses(f"rotary-{how}-{tables}", rotary=how, tables=tables, rotate=1, style="half" if how == "half" else "interleaved",
                **(dict(positions=600) if tables in ("buffer", "gather") else {}))
for how in ("half", "half-parts", "every-two"):
    dresses(f"rotary-{how}-padding", rotary=how, rotate=1, style="interleaved" if how == "every-two" else "half", padded=True)
    for tables in ("length", "table", "buffer"):
        dresses(f"rotary-{how}-{tables}-causal-padding", rotary=how, tables=tables, rotate=1, causal_too=True, padded=True,
                style="interleaved" if how == "every-two" else "half", **(dict(positions=600) if tables == "buffer" else {}))
    for tables in ("input", "input-gather"):
        dresses(f"rotary-{how}-{tables}", rotary=how, tables=tables, rotate=1, style="interleaved" if how == "every-two" else "half",
                **(dict(positions=600) if "gather" in tables else {}))
dresses("rotary-input-padding", rotary="half", tables="input", rotate=1, padded=True)
dresses("rotary-partial-grouped-norm-padding", rotary="half", size=4, groups=2, norms=2, rotate=1, padded=True, causal_too=True)
for how in ("half", "half-parts", "every-two"):
    for at in ("heads", "split"):
        dresses(f"rotary-{how}-behind-class-{at}", rotary=how, tables="table", at=at, before=1, rotate=1,
                style="interleaved" if how == "every-two" else "half")
dresses("rotary-behind-registers-norm", rotary="half", tables="table", before=3, norms=2, rotate=1)
dresses("rotary-behind-class-partial", rotary="half", size=4, tables="table", before=1, rotate=1)
dresses("rotary-behind-class-fused", rotary="half", tables="table", before=1, fused=True, rotate=1)
dresses("rotary-scaled-tables", rotary="half", rotate=1, scaling=1.25)
dresses("rotary-split", rotary="half", at="split", rotate=1)
dresses("rotary-parts-split", rotary="half-parts", at="split", rotate=1)
dresses("rotary-fused", rotary="half", fused=True, rotate=1)
dresses("rotary-fused-every-two", rotary="every-two", fused=True, rotate=1, style="interleaved")
for how in ("half", "half-parts", "every-two", "complex"):
    dresses(f"rotary-table-of-positions-{how}", rotary=how, rotate=1, tables="part-gather", positions=100,
            style="half" if "half" in how else "interleaved")
    dresses(f"rotary-partial-{how}", rotary=how, size=4, rotate=1, style="half" if "half" in how else "interleaved")
dresses("rotary-norm", rotary="half", norms=2, rotate=1)
dresses("rotary-norm-parts", rotary="half-parts", norms=2, rotate=1)
dresses("rotary-norm-layer-every-two", rotary="every-two", norm="layer", norms=2, rotate=1, style="interleaved")
dresses("rotary-norm-partial", rotary="half", size=4, norms=2, rotate=1)
dresses("rotary-norm-split", rotary="half", norms=2, norm_at="split", rotate=1)
dresses("rotary-before-norm", rotary="half", norms=2, late_norm=True, rotate=1)
for how in ("expand", "tile", "concat", "gather"):
    dresses(f"rotary-grouped-{how}", rotary="half", groups=2, shared=how, rotate=1)
dresses("rotary-grouped-norm-causal", rotary="half", groups=2, norms=2, rotate=1, causal_too=True)
dresses("rotary-grouped-one", rotary="half", groups=1, rotate=1)


def by_operator(g, merged=False, fused=False, size=0, rows=64, padded=False, given=None, **attributes):
    """Rotary embeddings by the operators of their own, from tables of so many rows."""
    count = (size or HEAD) // 2
    angles = np.outer(np.arange(rows or g.length), 1 / 10000 ** (np.arange(count) / count)).astype(np.float32)
    positions = {None: lambda: g.unsqueeze(g.positions(), 0), "constant": lambda: g.w(np.arange(g.length)[None]),
                 "none": lambda: None}[given]()
    if given == "none":
        angles = angles[None]
    rows = {}
    if size:
        attributes["rotary_embedding_dim"] = size

    def turn(x, **more):
        if fused:
            return g.RotaryEmbedding(x, positions, np.cos(angles), np.sin(angles), domain="com.microsoft", **attributes, **more)
        return g.RotaryEmbedding(x, np.cos(angles), np.sin(angles), *([positions] if positions else []), **attributes, **more)

    for name in "qkv":
        x = linear(g, g.x, D, HEADS * HEAD)
        if merged and name != "v":
            x = turn(x, num_heads=HEADS)
        x = g.Transpose(g.Reshape(x, np.array([1, -1, HEADS, HEAD])), perm=[0, 2, 1, 3])
        rows[name] = x if merged or name == "v" else turn(x)
    s = g.Mul(g.MatMul(rows["q"], g.Transpose(rows["k"], perm=[0, 1, 3, 2])), np.float32(HEAD ** -0.5))
    if padded:
        s = take(g, s, spread(g, padding(g), "unsqueeze", 4), "where", -1e9)
    y = g.Transpose(g.MatMul(g.Softmax(s, axis=-1), rows["v"]), perm=[0, 2, 1, 3])
    return linear(g, g.Reshape(y, np.array([0, 0, HEADS * HEAD])), HEADS * HEAD, D)


for merged, fused, size, interleaved in itertools.product((False, True), (False, True), (0, 4), (0, 1)):
    case(f"rotary-op-{'merged' if merged else 'heads'}-{'fused' if fused else 'own'}-{size}-{interleaved}",
         lambda g, o=dict(merged=merged, fused=fused, size=size, interleaved=interleaved): by_operator(g, **o),
         opset=17 if fused else 23, attention=1, rotate=2, style="interleaved" if interleaved else "half")


for merged, fused, given in itertools.product((False, True), (False, True), ("constant", "none")):
    if not (fused and given == "none"):
        case(f"rotary-op-{'merged' if merged else 'heads'}-{'fused' if fused else 'own'}-{given}-padding",
             lambda g, o=dict(merged=merged, fused=fused, rows=0, padded=True, given=given): by_operator(g, **o),
             opset=17 if fused else 23, attention=1, rotate=2)


def grouped_queries(g, einsum):
    """Keys and values as they are, queries in groups."""
    groups = 1 if einsum == "one" else 2
    shape = np.array([1, -1, groups, HEADS // groups, HEAD])
    q = g.Transpose(g.Reshape(linear(g, g.x, D, HEADS * HEAD), shape), perm=[0, 2, 3, 1, 4])
    k, v = (g.Reshape(linear(g, g.x, D, groups * HEAD), np.array([1, -1, groups, HEAD])) for _ in "kv")
    if einsum:
        s = g.Einsum(q, k, equation="bgrid,bjgd->bgrij")
    else:
        k, v = (g.unsqueeze(g.Transpose(t, perm=[0, 2, 1, 3]), 2) for t in (k, v))
        s = g.MatMul(q, g.Transpose(k, perm=[0, 1, 2, 4, 3]))
    p = g.Softmax(g.Mul(s, np.float32(HEAD ** -0.5)), axis=-1)
    y = g.Einsum(p, v, equation="bgrij,bjgd->bgrid") if einsum else g.MatMul(p, v)
    y = g.Reshape(g.Transpose(y, perm=[0, 3, 1, 2, 4]), np.array([0, 0, HEADS * HEAD]))
    return linear(g, y, HEADS * HEAD, D)


for einsum in ("", "one", "two"):
    case(f"grouped-queries-{einsum or 'broadcast'}", lambda g, e=einsum: grouped_queries(g, e), attention=1,
         key_heads=1 if einsum == "one" else 2)
for how, reason, options in (
        ("no-sign", "of opposite signs", dict(rotary="no-sign")),
        ("scaled", "is not x", dict(rotary="scaled")),
        ("only-cosines", "is not x", dict(rotary="only-cosines")),
        ("other-rows", "come from different rows", dict(rotary="other-rows")),
        ("chain", "is turned with feature 1, which is turned with another", dict(rotary="chain")),
        ("middle", "the first feature of the heads is not turned", dict(rotary="middle")),
        ("twice", "as many features are not turned", dict(rotary="twice")),
        ("squared", "multiplied by a table of positions, but not turned", dict(rotary="squared")),
        ("heads", "heads are not turned alike", dict(rotary="half", of_heads=True)),
        ("unequal-cos", "different cosines", dict(rotary="half", tables="buffer", positions=600, unequal="cos")),
        ("unequal-sin", "one sine", dict(rotary="half", tables="buffer", positions=600, unequal="sin")),
        ("positions-of-more", "positions that are an input turn features, and are read for something else",
         dict(rotary="half", tables="input", added=True)),
        ("other-input", "the table is not one of cosines and sines", dict(rotary="half", tables="input-gather", positions=600, unequal="all"))):
    case(f"rotary-not-{how}", lambda g, options=options: dressed(g, **options), rotate=0, remark=reason)
case("near-rotary-short-table", lambda g: dressed(g, rotary="half", tables="gather", positions=g.length - 2), near=True, rotate=0,
     remark="picks elements")


# Running.
def tool(*arguments):
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    return run.returncode, run.stdout, run.stderr


def cosine(a, b):
    a, b = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


RUNS, LOCK = {}, threading.Lock()  # by what was raised and the inputs


def identity_of(raised, feed):
    """The same for modules that differ in the names of weights and values only."""
    contents = dict(re.findall(r'^ *(\w+): ("0x\w+"),?$', raised, re.M))
    text = re.sub(r"dense_resource<(\w+)>", lambda m: contents.get(m[1], m[1]), raised.partition("{-#")[0])
    names = {}
    text = re.sub(r"%\w+", lambda m: names.setdefault(m[0], f"%{len(names)}"), text)
    return hashlib.sha256(repr((text, [(d.dtype.str, d.shape, d.tobytes()) for d in feed])).encode()).hexdigest()


def run(g, path, mode, outputs):
    flags = []
    for i, data in enumerate(g.feed):
        np.save(f"{path}.in{i}.npy", data)
        flags.append(f"--input={path}.in{i}.npy")
    files = [f"{path}.out{i}{mode}.npy" for i in range(outputs)]
    code, _, error = tool("fact-run", f"{path}.onnx", mode, *flags, *[f"--output={f}" for f in files])
    if code:
        return f"fact-run {mode}: {error.strip()}"
    return [np.load(f) for f in files]


def agreement(g, path, model, raised):
    """The cosine of what is computed and what the model says, on rows that are real; or an error."""
    exact = evaluate(model, {i.name: d for i, d in zip(g.inputs, g.feed)})
    key = identity_of(raised, g.feed)
    with LOCK:
        future = RUNS.get(key)
        first = future is None
        if first:
            future = RUNS[key] = concurrent.futures.Future()
    if first:
        try:
            future.set_result(run(g, path, "--dense", len(exact)))
        except Exception as error:
            future.set_result(str(error))
    results = [exact, future.result()]
    if REFERENCE:
        results.append(run(g, path, "--reference=f32", len(exact)))
    for result in results:
        if isinstance(result, str):
            return result
    worst = 1.0
    for computed in results[1:]:
        for a, b in zip(computed, exact):
            axis = g.axis if a.ndim == g.feed[0].ndim else a.ndim - 2
            if a.shape != b.shape:
                return f"shape {a.shape}, not {b.shape}"
            value = cosine(*(np.take(t, range(min(g.real, t.shape[axis])), axis) for t in (a, b)))
            worst = value if np.isnan(value) else min(worst, value)
    return worst


def check(folder, spec):
    """Lines that say what is wrong, each with its kind."""
    path = os.path.join(folder, spec["name"])
    g = Graph(1, spec["length"], spec["layout"], spec["opset"])
    result = spec["build"](g)
    model = g.save(path + ".onnx", result)
    code, raised, error = tool("fact-compile", path + ".onnx", "--emit=raised", "--remarks")
    count = lambda op: len(re.findall(rf"= fact\.{op}\b", raised))
    remarks = [line for line in error.splitlines() if "remark" in line.lower() or "error" in line.lower()]
    missed = "\n      ".join(line for line in remarks if "assed" not in line)
    if code:
        if spec["near"] and "node_" in error:
            return []
        return [("FAILED", f"fact-compile: {error.strip()}")]
    problems = []
    for op, number in spec["expected"].items():
        if op == "remark":
            if number and not any(re.search(number, line) for line in remarks if "assed" not in line):
                problems.append(("FAILED", f"no remark says {number}\n      {missed}"))
            continue
        if op == "causal":
            if problems or number is None:
                continue
            found = len(re.findall(r"fact\.attention[^\n]*\bcausal\b", raised))
            number = int(number) * spec["expected"]["attention"]
        elif op == "norm_layer":
            found = count(r"norm +layer")
        elif op == "norm_rms":
            found = count(r"norm +rms")
        elif op == "norm_heads":
            found = len(re.findall(r"fact\.norm[^\n]*\bheads = ", raised))
        elif op == "key_heads":
            found = int((re.findall(r"fact\.attention[^\n]*\bkey_heads = (\d+)", raised) or [0])[0])
        elif op == "style":
            found, number = len(re.findall(rf"fact\.rotate +{number}\b", raised)), spec["expected"]["rotate"]
        elif op == "no_activation":
            found, op = len(re.findall(r"fact\.(activation|gelu|relu|swish)", raised)), "activation"
        elif op == "activation":
            found = len(re.findall(rf"fact\.activation[^\n]*\b{number}\b", raised))
            number, op = 1, f"activation {number}"
        else:
            found = count(op)
        if found != number:
            problems.append(("FAILED", f"{found} fact.{op}, not {number}\n      {missed}"))
    if spec["near"] and not problems and not any("node_" in line for line in error.splitlines() if "assed" not in line):
        problems.append(("FAILED", f"no remark names a node: {error.strip()}"))
    if not spec["near"] or problems:
        value = agreement(g, path, model, raised)
        if spec["refused"]:
            if not isinstance(value, str) or not re.search(spec["refused"], value):
                problems.append(("FAILED", f"is not refused with {spec['refused']}: {value}"))
        elif isinstance(value, str):
            problems.append(("FAILED", value))
        elif not value >= 0.999:
            problems.append(("WRONG RESULT", f"cosine {value:.6f}"))
    return problems


def main():
    global REFERENCE
    folder, only = sys.argv[1], [a for a in sys.argv[2:] if a != "--reference"]
    REFERENCE = "--reference" in sys.argv
    os.makedirs(folder, exist_ok=True)
    cases = [c for c in CASES if not only or any(o in c["name"] for o in only)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for spec, problems in zip(cases, pool.map(lambda c: check(folder, c), cases)):
            for kind, text in problems:
                print(f"{kind} {spec['name']}: {text}")
            failed += bool(problems)
    print(f"{len(RUNS)} programs run")
    print(f"{len(cases)} cases, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
