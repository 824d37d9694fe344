#!/usr/bin/env python3
"""Attention and rotary embeddings, of both domains, against NumPy.

FOLDER TOOL [CASE...]: as check_operators.py, whose cases are written and run
in the same way.
"""
import sys

import numpy as np

import check_operators
from check_operators import BOUND, L, case, constant, floats, ints, node, softmax
from fused_nodes import MS, fused, ids_of, to_ids

check_operators.CASES.clear()
INF = np.float32(np.inf)

# Rotary embeddings, element by element.
def rotate(x, cos, sin, interleaved=False):
    """x [B, N, L, h], cos and sin [B, L, half]."""
    out, half = x.astype(np.float64).copy(), cos.shape[-1]
    for i in range(half):
        a, b = (2 * i, 2 * i + 1) if interleaved else (i, half + i)
        c, s = cos[:, None, :, i], sin[:, None, :, i]
        out[..., a] = x[..., a] * c - x[..., b] * s
        out[..., b] = x[..., b] * c + x[..., a] * s
    return out


angles = np.outer(np.arange(9), 1 / 10.0 ** np.arange(3)).astype(np.float32)
cos3, sin3 = np.cos(angles), np.sin(angles)
places2 = np.array([[0, 1, 2, 3, 4, 5], [3, 4, 5, 6, 7, 8]])
heads = lambda x, n: x.reshape(*x.shape[:2], n, -1).transpose(0, 2, 1, 3)
merge = lambda x: x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)
for interleaved in (0, 1):
    label = "-interleaved" if interleaved else ""
    case(f"RotaryEmbedding{label}", [node("RotaryEmbedding", "x c s p", interleaved=interleaved)],
         lambda x, i=interleaved: rotate(x, cos3[places2], sin3[places2], i), inputs={"x": (2, 3, BOUND, 6)},
         weights={"c": cos3, "s": sin3, "p": places2}, opset=23, closed=True, tolerance=1e-5)
    case(f"RotaryEmbedding-3d{label}", [node("RotaryEmbedding", "x c s", interleaved=interleaved, num_heads=2)],
         lambda x, i=interleaved: merge(rotate(heads(x, 2), cos3[places2], sin3[places2], i)),
         inputs={"x": (2, BOUND, 12)}, weights={"c": cos3[places2], "s": sin3[places2]}, opset=23, closed=True,
         tolerance=1e-5)
    case(f"RotaryEmbedding-part{label}",
         [*to_ids("y", "p32", 8), node("Cast", "p32", "p", to=7),
          node("RotaryEmbedding", "x c s p", interleaved=interleaved, rotary_embedding_dim=6)],
         lambda x, y, i=interleaved: rotate(x, cos3[ids_of(y, 8)], sin3[ids_of(y, 8)], i),
         inputs={"x": (2, 3, L, 10), "y": (2, L)}, weights={"c": cos3, "s": sin3}, opset=23, named=True, tolerance=1e-5)
case("RotaryEmbedding-at-run-time", [node("RotaryEmbedding", "x c s")], rotate,
     inputs={"x": (2, 3, L, 6), "c": (2, L, 3), "s": (2, L, 3)}, opset=23, tolerance=1e-5)


# Attention.
def attend(q, k, v, scale=None, bias=0.0, softcap=0.0):
    """All of it on [B, N, L, h]; keys and values may have fewer heads."""
    times = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, times, 1), np.repeat(v, times, 1)
    scores = q.astype(np.float64) @ k.transpose(0, 1, 3, 2) * (q.shape[3] ** -0.5 if scale is None else scale)
    if softcap:
        scores = softcap * np.tanh(scores / softcap)
    return softmax(scores + bias, -1) @ v


def causal(rows, columns, hidden=-INF):
    return np.where(np.tri(rows, columns), 0, hidden)


def causal_like(q, k):
    return causal(q.shape[-2], k.shape[-2])


qkv4 = {"q": (2, 4, L, 3), "k": (2, 4, L, 3), "v": (2, 4, L, 5)}
gqa4 = {"q": (2, 4, L, 3), "k": (2, 2, L, 3), "v": (2, 2, L, 3)}
qkv3 = {"q": (2, L, 12), "k": (2, L, 6), "v": (2, L, 4)}
onnx_attention = dict(opset=23, tolerance=1e-5)
case("Attention", [node("Attention", "q k v")], attend, inputs=qkv4, **onnx_attention)
case("Attention-24", [node("Attention", "q k v")], attend, inputs=qkv4, opset=24, tolerance=1e-5)
case("Attention-scale", [node("Attention", "q k v", scale=0.25)], lambda q, k, v: attend(q, k, v, 0.25), inputs=qkv4,
     **onnx_attention)
case("Attention-causal", [node("Attention", "q k v", is_causal=1)],
     lambda q, k, v: attend(q, k, v, bias=causal_like(q, k)), inputs=qkv4, **onnx_attention)
case("Attention-causal-cross", [node("Attention", "q k v", is_causal=1)],
     lambda q, k, v: attend(q, k, v, bias=causal_like(q, k)),
     inputs={"q": (1, 2, 4, 3), "k": (1, 2, 6, 3), "v": (1, 2, 6, 3)}, closed=None, **onnx_attention)
case("Attention-softcap", [node("Attention", "q k v", softcap=0.5)],
     lambda q, k, v: attend(q, k, v, softcap=0.5), inputs=qkv4, **onnx_attention)
case("Attention-grouped", [node("Attention", "q k v")], attend, inputs=gqa4, **onnx_attention)
case("Attention-one-head", [node("Attention", "q k v")], attend,
     inputs={"q": (1, 4, L, 3), "k": (1, 1, L, 3), "v": (1, 1, L, 3)}, **onnx_attention)
case("Attention-3d", [node("Attention", "q k v", q_num_heads=4, kv_num_heads=2)],
     lambda q, k, v: merge(attend(heads(q, 4), heads(k, 2), heads(v, 2))), inputs=qkv3, **onnx_attention)
case("Attention-3d-causal-grouped",
     [node("Attention", "q k v", q_num_heads=4, kv_num_heads=2, is_causal=1, scale=0.4, softcap=2.0)],
     lambda q, k, v: merge(attend(heads(q, 4), heads(k, 2), heads(v, 2), 0.4, causal_like(q, k), 2.0)), inputs=qkv3,
     **onnx_attention)
case("Attention-present", [fused("Attention", "q k v", "y k1 v1", q_num_heads=4, kv_num_heads=2),
                           node("Concat", "k1 v1", axis=3)],
     lambda q, k, v: np.concatenate([heads(k, 2), heads(v, 2)], 3), inputs=qkv3, **onnx_attention)
for name, shape in {"matrix": (L, L), "heads": (4, L, L), "all": (2, 4, L, L), "batch": (2, 1, L, L)}.items():
    case(f"Attention-float-mask-{name}", [node("Attention", "q k v m")],
         lambda q, k, v, m: attend(q, k, v, bias=m), inputs={**qkv4, "m": shape}, named=True, **onnx_attention)
case("Attention-float-mask-causal", [node("Attention", "q k v m", is_causal=1, softcap=3.0)],
     lambda q, k, v, m: attend(q, k, v, bias=m + causal_like(q, k), softcap=3.0), inputs={**qkv4, "m": (L, L)},
     named=True, **onnx_attention)
# No row may be hidden as a whole: the first key is always seen.
keep_first = [constant("none", np.float32(0)), node("Greater", "m none", "positive"), constant("column", ints(0)),
              node("Shape", "m", "m_shape"), constant("last", np.int64(-1)), node("Gather", "m_shape last", "columns"),
              constant("n0", np.int64(0)), constant("n1", np.int64(1)), node("Range", "n0 columns n1", "at"),
              node("Equal", "at n0", "is_first"), node("Or", "positive is_first", "seen")]


def seen(m):
    return (m > 0) | (np.arange(m.shape[-1]) == 0)


case("Attention-bool-mask", [*keep_first, node("Attention", "q k v seen")],
     lambda q, k, v, m: attend(q, k, v, bias=np.where(seen(m), 0, -INF)), inputs={**qkv4, "m": (2, 1, L, L)},
     named=True, **onnx_attention)
case("Attention-bool-mask-causal", [*keep_first, node("Attention", "q k v seen", is_causal=1)],
     lambda q, k, v, m: attend(q, k, v, bias=np.where(seen(m), 0, -INF) + causal_like(q, k)),
     inputs={**qkv4, "m": (L, L)}, named=True, **onnx_attention)
window = np.tri(BOUND, BOUND, 1, dtype=bool)
case("Attention-bool-mask-constant", [node("Attention", "q k v w", q_num_heads=2, kv_num_heads=2)],
     lambda q, k, v: merge(attend(heads(q, 2), heads(k, 2), heads(v, 2), bias=np.where(window, 0, -INF))),
     inputs={"q": (1, L, 6), "k": (1, L, 6), "v": (1, L, 4)}, weights={"w": window}, closed=True, **onnx_attention)

# The same of ONNX Runtime.
D, N = 6, 2
LOWEST = np.finfo(np.float32).min
packed, packed_bias = floats(D, 3 * D), floats(3 * D)
uneven, uneven_bias = floats(D, 4 + 4 + 10), floats(4 + 4 + 10)


def packed_attention(x, w=packed, b=packed_bias, widths=(D, D, D), scale=None, bias=0.0):
    q, k, v = np.split(x @ w + b, np.cumsum(widths)[:2], -1)
    return merge(attend(heads(q, N), heads(k, N), heads(v, N), scale, bias))


def mask_bias(m, hidden=-10000.0):
    """[B, S] of the keys that are seen, or [B, L, S]."""
    return np.where(m, 0, hidden)[:, None, None] if m.ndim == 2 else np.where(m, 0, hidden)[:, None]


x2 = {"x": (2, L, D)}
mask2 = {"x": (2, L, D), "m": (2, L)}
as_mask = [*keep_first, node("Cast", "seen", "mask", to=6)]
runtime = dict(weights={"w": packed, "b": packed_bias}, named=True, tolerance=1e-5)
case("MS-Attention", [fused("Attention", "x w b", num_heads=N, **MS)], packed_attention, inputs=x2, **runtime)
case("MS-Attention-no-bias", [fused("Attention", "x w", num_heads=N, **MS)], lambda x: packed_attention(x, b=0),
     inputs=x2, **runtime)
case("MS-Attention-scale", [fused("Attention", "x w b", num_heads=N, scale=0.2, **MS)],
     lambda x: packed_attention(x, scale=0.2), inputs=x2, **runtime)
case("MS-Attention-unidirectional", [fused("Attention", "x w b", num_heads=N, unidirectional=1, **MS)],
     lambda x: packed_attention(x, bias=causal(x.shape[1], x.shape[1])), inputs=x2, **runtime)
case("MS-Attention-uneven", [fused("Attention", "x w b", num_heads=N, qkv_hidden_sizes=[4, 4, 10], **MS)],
     lambda x: packed_attention(x, uneven, uneven_bias, (4, 4, 10)), inputs=x2,
     weights={"w": uneven, "b": uneven_bias}, tolerance=1e-5)
case("MS-Attention-raw-mask", [*as_mask, fused("Attention", "x w b mask", num_heads=N, **MS)],
     lambda x, m: packed_attention(x, bias=mask_bias(seen(m))), inputs=mask2, **runtime)
case("MS-Attention-weak-mask",
     [*as_mask, fused("Attention", "x w b mask", num_heads=N, mask_filter_value=-1.0, unidirectional=1, **MS)],
     lambda x, m: packed_attention(x, bias=mask_bias(seen(m), -1.0) + causal(x.shape[1], x.shape[1])), inputs=mask2,
     **runtime)
case("MS-Attention-mask-of-rows", [*as_mask, fused("Attention", "x w b mask", num_heads=N, **MS)],
     lambda x, m: packed_attention(x, bias=mask_bias(seen(m))), inputs={"x": (2, L, D), "m": (2, L, L)}, **runtime)
lengths = [*to_ids("m", "l", 2), constant("one", np.array(1, np.int32)), node("Add", "l one", "mask")]
case("MS-Attention-lengths", [*lengths, fused("Attention", "x w b mask", num_heads=N, **MS)],
     lambda x, m: packed_attention(x, bias=mask_bias(np.arange(x.shape[1]) < ids_of(m, 2)[:, None] + 1)),
     inputs={"x": (2, L, D), "m": (2,)}, **runtime)
case("MS-Attention-added", [fused("Attention", "x w b - - a", num_heads=N, **MS)],
     lambda x, a: packed_attention(x, bias=a), inputs={"x": (2, L, D), "a": (1, N, L, L)}, **runtime)
case("MS-Attention-all", [*as_mask, fused("Attention", "x w b mask - a", num_heads=N, unidirectional=1, **MS)],
     lambda x, m, a: packed_attention(x, bias=a + mask_bias(seen(m)) + causal(x.shape[1], x.shape[1])),
     inputs={"x": (2, L, D), "m": (2, L), "a": (2, N, L, L)}, **runtime)
case("MS-Attention-present", [fused("Attention", "x w b", "y out", num_heads=N, **MS)],
     lambda x: np.stack([heads(y, N) for y in np.split(x @ packed + packed_bias, 3, -1)[1:]]), inputs=x2, **runtime)


def multi_head(q, k, v, b=None, scale=None, bias=0.0):
    if b is not None:
        q, k, v = (x + y for x, y in zip((q, k, v), np.split(b, np.cumsum((q.shape[-1], k.shape[-1])))))
    return merge(attend(heads(q, N), heads(k, N), heads(v, N), scale, bias))


qkv, b22 = {"q": (2, L, 6), "k": (2, L, 6), "v": (2, L, 10)}, floats(22)
case("MS-MultiHeadAttention", [fused("MultiHeadAttention", "q k v", num_heads=N, **MS)], multi_head, inputs=qkv,
     tolerance=1e-5)
case("MS-MultiHeadAttention-bias", [fused("MultiHeadAttention", "q k v b", num_heads=N, **MS)],
     lambda q, k, v: multi_head(q, k, v, b22), inputs=qkv, weights={"b": b22}, tolerance=1e-5)
case("MS-MultiHeadAttention-scale", [fused("MultiHeadAttention", "q k v b", num_heads=N, scale=0.3, **MS)],
     lambda q, k, v: multi_head(q, k, v, b22, 0.3), inputs=qkv, weights={"b": b22}, tolerance=1e-5)
case("MS-MultiHeadAttention-mask", [*as_mask, fused("MultiHeadAttention", "q k v b mask", num_heads=N, **MS)],
     lambda q, k, v, m: multi_head(q, k, v, b22, bias=mask_bias(seen(m))), inputs={**qkv, "m": (2, L)},
     named=True, weights={"b": b22}, tolerance=1e-5)
case("MS-MultiHeadAttention-lengths", [*lengths, fused("MultiHeadAttention", "q k v - mask", num_heads=N, **MS)],
     lambda q, k, v, m: multi_head(q, k, v, bias=mask_bias(np.arange(k.shape[1]) < ids_of(m, 2)[:, None] + 1)),
     inputs={**qkv, "m": (2,)}, tolerance=1e-5)
case("MS-MultiHeadAttention-added",
     [*as_mask, fused("MultiHeadAttention", "q k v - mask a", num_heads=N, mask_filter_value=-5.0, **MS)],
     lambda q, k, v, m, a: multi_head(q, k, v, bias=a + mask_bias(seen(m), -5.0)),
     inputs={**qkv, "m": (2, L), "a": (1, 1, L, L)}, named=True, tolerance=1e-5)
case("MS-MultiHeadAttention-present", [fused("MultiHeadAttention", "q k v b", "y - out", num_heads=N, **MS)],
     lambda q, k, v: heads(v + b22[12:], N), inputs=qkv, weights={"b": b22}, tolerance=1e-5)
case("MS-MultiHeadAttention-unidirectional", [fused("MultiHeadAttention", "q k v", num_heads=N, unidirectional=1, **MS)],
     lambda q, k, v: multi_head(q, k, v, bias=causal_like(q, k)), inputs=qkv, tolerance=1e-5)
case("MS-MultiHeadAttention-cross", [fused("MultiHeadAttention", "q k v", num_heads=N, **MS)],
     lambda q, k, v: merge(attend(heads(q, N), k, v)), inputs={"q": (2, 4, 6), "k": (2, N, 5, 3), "v": (2, N, 5, 3)},
     closed=None, tolerance=1e-5)

if __name__ == "__main__":
    sys.exit(check_operators.main())
