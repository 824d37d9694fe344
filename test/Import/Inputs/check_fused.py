#!/usr/bin/env python3
"""Einsum, fused activations, norms and embeddings against NumPy.

FOLDER TOOL [CASE...]: as check_operators.py, whose cases are written and run
in the same way.
"""
import sys

import numpy as np

import check_operators
from check_operators import L, case, erf, floats, node
from fused_nodes import MS, fused, ids_of, to_ids

check_operators.CASES.clear()


# Einsum: equation, shapes of the operands; those with the given numbers are weights.
def einsum(name, equation, *shapes, weights=(), closed=False, named=False, tolerance=1e-5):
    inputs, constants, names = {}, {}, []
    for i, shape in enumerate(shapes):
        names.append("wxyz"[i])
        if i in weights:
            constants[names[-1]] = floats(*shape)
        else:
            inputs[names[-1]] = shape
    order = lambda data: [constants[n] if n in constants else data[list(inputs).index(n)] for n in names]
    case(f"Einsum-{name}", [node("Einsum", " ".join(names), equation=equation)],
         lambda *data: np.einsum(equation, *order(data)), inputs=inputs, weights=constants, opset=14, closed=closed,
         named=named, tolerance=tolerance)


einsum("scores", "bhid,bhjd->bhij", (2, 3, L, 4), (2, 3, L, 4))
einsum("scores-unsplit", "blhd,bshd->bhls", (2, L, 3, 4), (2, L, 3, 4), closed=None)
einsum("values", "bhij,bjhd->bihd", (1, 2, L, L), (1, L, 2, 4), closed=None)
einsum("values-spaces", " b h i j , b h j d -> b h i d ", (1, 2, L, L), (1, 2, L, 4), named=True)
einsum("head-projection", "bqd,dhk->bqhk", (1, L, 4), (4, 2, 3), weights=[1])
einsum("head-merge", "bqhk,hkd->bqd", (1, L, 2, 3), (2, 3, 4), weights=[1], closed=None)
einsum("matrix", "ij,jk->ik", (L, 4), (4, 5), weights=[1])
einsum("implicit", "bij,jk", (1, L, 4), (4, 5), weights=[1])
einsum("implicit-sorted", "ba,bc", (L, 4), (L, 2), closed=None)
einsum("weight-first", "dk,bqd->bqk", (4, 5), (1, L, 4), weights=[0])
einsum("transposed-result", "bqd,dk->bkq", (1, L, 4), (4, 5), weights=[1])
einsum("outer", "i,j->ij", (L,), (3,), weights=[1], closed=None)
einsum("outer-batch", "bi,bj->bji", (2, L), (2, 3), weights=[1], closed=None)
einsum("scale", "blhd,hd->blhd", (1, L, 2, 3), (2, 3), weights=[1], closed=None)
einsum("scale-transposed", "blhd,dh->bdhl", (1, L, 2, 3), (3, 2), weights=[1], closed=None)
einsum("hadamard", "bij,bij->bij", (1, L, 4), (1, L, 4))
einsum("inner", "bi,bi->b", (L, 4), (L, 4))
einsum("vectors", "i,i->", (4,), (4,), weights=[1], closed=None)
einsum("matrix-vector", "bld,d->bl", (1, L, 4), (4,), weights=[1])
einsum("vector-matrix", "d,bld->bl", (4,), (1, L, 4), weights=[0])
einsum("transpose", "bij->jib", (2, L, 4))
einsum("transpose-implicit", "ba", (L, 4))
einsum("sum", "bij->b", (2, L, 4))
einsum("sum-transpose", "bijk->kb", (2, L, 4, 3), closed=None)
einsum("sum-all", "ij->", (L, 4), closed=None)
einsum("sum-one-side", "bij,bjk->bi", (2, L, 4), (2, 4, 3), weights=[1])
einsum("sum-both-sides", "abi,ibc->b", (2, L, 4), (4, L, 3))
einsum("ellipsis", "...ij,...jk->...ik", (2, 3, L, 4), (2, 3, 4, L), closed=None)
einsum("ellipsis-one", "...ij,jk->...ik", (2, L, 4), (4, 5), weights=[1])
einsum("ellipsis-broadcast", "...ij,...jk->...ik", (2, 1, L, 4), (3, 4, 5), weights=[1])
einsum("ellipsis-implicit", "...ij,...jk", (2, L, 4), (2, 4, 5), weights=[1])
einsum("ellipsis-unary", "...ij->...ji", (2, 3, L, 4))
einsum("ellipsis-behind", "i...,i...->...", (3, L, 2), (3, L, 2))
einsum("ellipsis-empty", "...ij,...jk->...ik", (L, 4), (4, 5), weights=[1])
einsum("two-summed", "bhld,hdm->blm", (1, 2, L, 3), (2, 3, 5), weights=[1])
einsum("three", "bld,dk,km->blm", (1, L, 4), (4, 3), (3, 5), weights=[1, 2])
einsum("three-shared", "bi,bj,bi->bj", (2, L), (2, 3), (2, L), closed=None)
einsum("batch-order", "abij,baj->bai", (2, 3, L, 4), (3, 2, 4), weights=[1])
einsum("capitals", "bIa,aI->bI", (1, L, 4), (4, check_operators.BOUND), weights=[1], closed=True)


# Activations and products.
def gelu(x):
    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


def tanh_gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))


def swish(x, alpha=1.0):
    return x / (1 + np.exp(-alpha * x))


b4, w45 = floats(4), floats(4, 5)
case("Gelu", [node("Gelu", "x")], gelu, opset=20)
case("Gelu-none", [node("Gelu", "x", approximate="none")], gelu, opset=20)
case("Gelu-tanh", [node("Gelu", "x", approximate="tanh")], tanh_gelu, opset=20)
case("Swish", [node("Swish", "x")], swish, opset=24)
case("Swish-alpha", [node("Swish", "x", alpha=0.5)], lambda x: swish(x, 0.5), opset=24)
case("MS-Gelu", [fused("Gelu", "x", **MS)], gelu)
case("MS-BiasGelu", [fused("BiasGelu", "x b", **MS)], lambda x: gelu(x + b4), weights={"b": b4})
case("MS-FastGelu", [fused("FastGelu", "x", **MS)], tanh_gelu)
case("MS-FastGelu-bias", [fused("FastGelu", "x b", **MS)], lambda x: tanh_gelu(x + b4), weights={"b": b4})
case("MS-QuickGelu", [fused("QuickGelu", "x", **MS)], lambda x: swish(x, 1.702))
case("MS-QuickGelu-alpha", [fused("QuickGelu", "x", alpha=1.0, **MS)], swish)
case("MS-BiasAdd", [fused("BiasAdd", "x b y", **MS)], lambda x, y: x + b4 + y,
     inputs={"x": (1, L, 4), "y": (1, L, 4)}, weights={"b": b4})
case("MS-FusedMatMul", [fused("FusedMatMul", "x w", **MS)], lambda x: x @ w45, weights={"w": w45})
case("MS-FusedMatMul-alpha", [fused("FusedMatMul", "x w", alpha=0.25, transB=1, **MS)], lambda x: 0.25 * (x @ w45),
     weights={"w": np.ascontiguousarray(w45.T)})
case("MS-FusedMatMul-scores", [fused("FusedMatMul", "x y", alpha=0.5, transB=1, **MS)],
     lambda x, y: 0.5 * (x @ y.transpose(0, 1, 3, 2)), inputs={"x": (1, 2, L, 4), "y": (1, 2, L, 4)}, tolerance=1e-5)
case("MS-FusedMatMul-left", [fused("FusedMatMul", "x y", transA=1, **MS)], lambda x, y: x.transpose(0, 2, 1) @ y,
     inputs={"x": (2, L, 3), "y": (2, L, 4)}, tolerance=1e-5)


# Norms.
def layer_norm(x, gamma, beta=0, epsilon=1e-5, axis=-1):
    axes = tuple(range(axis % x.ndim, x.ndim))
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt((centred ** 2).mean(axes, keepdims=True) + epsilon) * gamma + beta


def rms_norm(x, gamma, epsilon=1e-5, axis=-1):
    axes = tuple(range(axis % x.ndim, x.ndim))
    return x / np.sqrt((x ** 2).mean(axes, keepdims=True) + epsilon) * gamma


g4 = floats(4)
norm = dict(weights={"g": g4, "b": b4, "c": floats(4)}, tolerance=1e-5)
c4 = norm["weights"]["c"]
two = {"x": (2, L, 4), "y": (2, L, 4)}
case("LayerNormalization-mean", [fused("LayerNormalization", "x g b", "y out")], lambda x: x.mean(-1, keepdims=True),
     opset=17, **norm)
case("LayerNormalization-inverse", [fused("LayerNormalization", "x g b", "y - out", epsilon=0.5)],
     lambda x: 1 / np.sqrt(x.var(-1, keepdims=True) + 0.5), opset=17, **norm)
case("RMSNormalization", [node("RMSNormalization", "x g", epsilon=1e-3)], lambda x: rms_norm(x, g4, 1e-3), opset=23,
     **norm)
g34 = floats(3, 4)
case("RMSNormalization-axis", [node("RMSNormalization", "x g", axis=-2)], lambda x: rms_norm(x, g34, axis=-2),
     opset=23, inputs={"x": (1, 2, 3, 4)}, closed=None, weights={"g": g34}, tolerance=1e-5)
for domain in ("", "com.microsoft"):
    case(f"SimplifiedLayerNormalization-{domain}",
         [fused("SimplifiedLayerNormalization", "x g", axis=-1, epsilon=1e-6, stash_type=1, domain=domain)],
         lambda x: rms_norm(x, g4, 1e-6), **norm)
case("SimplifiedLayerNormalization-inverse", [fused("SimplifiedLayerNormalization", "x g", "y out", epsilon=0.5)],
     lambda x: 1 / np.sqrt((x ** 2).mean(-1, keepdims=True) + 0.5), **norm)
case("MS-SkipLayerNormalization", [fused("SkipLayerNormalization", "x y g b", epsilon=1e-3, **MS)],
     lambda x, y: layer_norm(x + y, g4, b4, 1e-3), inputs=two, **norm)
case("MS-SkipLayerNormalization-no-beta", [fused("SkipLayerNormalization", "x y g", **MS)],
     lambda x, y: layer_norm(x + y, g4, 0, 1e-12), inputs=two, **norm)
case("MS-SkipLayerNormalization-bias", [fused("SkipLayerNormalization", "x y g b c", **MS)],
     lambda x, y: layer_norm(x + y + c4, g4, b4, 1e-12), inputs=two, **norm)
case("MS-SkipLayerNormalization-bias-no-beta", [fused("SkipLayerNormalization", "x y g - c", **MS)],
     lambda x, y: layer_norm(x + y + c4, g4, 0, 1e-12), inputs=two, **norm)
case("MS-SkipLayerNormalization-sum", [fused("SkipLayerNormalization", "x y g b c", "z - - s", **MS),
                                       node("Add", "z s")],
     lambda x, y: layer_norm(x + y + c4, g4, b4, 1e-12) + (x + y + c4), inputs=two, **norm)
case("MS-SkipLayerNormalization-unused", [fused("SkipLayerNormalization", "x y g b", "out mean inverse", **MS)],
     lambda x, y: layer_norm(x + y, g4, b4, 1e-12), inputs=two, **norm)
case("MS-SkipLayerNormalization-wide-skip", [fused("SkipLayerNormalization", "x y g b", **MS)],
     lambda x, y: layer_norm(x + y, g4, b4, 1e-12), inputs={"x": (2, L, 4), "y": (L, 4)}, **norm)
case("MS-SkipSimplifiedLayerNormalization", [fused("SkipSimplifiedLayerNormalization", "x y g", epsilon=1e-6, **MS)],
     lambda x, y: rms_norm(x + y, g4, 1e-6), inputs=two, **norm)
case("MS-SkipSimplifiedLayerNormalization-sum",
     [fused("SkipSimplifiedLayerNormalization", "x y g c", "z - - s", **MS), node("Sub", "z s")],
     lambda x, y: rms_norm(x + y + c4, g4, 1e-12) - (x + y + c4), inputs=two, **norm)

# Embeddings: ids are floats that are cast.
words, places, kinds = floats(7, 4), floats(9, 4), floats(2, 4)
tables = {"words": words, "places": places, "kinds": kinds, "g": g4, "b": b4}


def embed(x, y=None, z=None):
    total = words[ids_of(x, 6)] + (places[:x.shape[1]] if z is None else places[ids_of(z, 8)])
    return total if y is None else total + kinds[ids_of(y, 1)]


ids2 = {"x": (1, L), "y": (1, L)}
embedding = dict(weights=tables, named=True, tolerance=1e-5)
case("MS-EmbedLayerNormalization",
     [*to_ids("x", "i", 6), *to_ids("y", "s", 1),
      fused("EmbedLayerNormalization", "i s words places kinds g b", epsilon=1e-3, **MS)],
     lambda x, y: layer_norm(embed(x, y), g4, b4, 1e-3), inputs=ids2, **embedding)
case("MS-EmbedLayerNormalization-no-segments",
     [*to_ids("x", "i", 6), fused("EmbedLayerNormalization", "i - words places - g b", **MS)],
     lambda x: layer_norm(embed(x), g4, b4, 1e-12), inputs={"x": (1, L)}, **embedding)
case("MS-EmbedLayerNormalization-positions",
     [*to_ids("x", "i", 6), *to_ids("y", "s", 1), *to_ids("z", "p", 8),
      fused("EmbedLayerNormalization", "i s words places kinds g b - p", "n - out", **MS)],
     lambda x, y, z: embed(x, y, z), inputs={**ids2, "z": (1, L)}, **embedding)
case("MS-EmbedLayerNormalization-mask",
     [*to_ids("x", "i", 6), *to_ids("y", "m", 1),
      fused("EmbedLayerNormalization", "i - words places - g b m", "n count", mask_index_type=1, **MS),
      node("Cast", "count", to=1)],
     lambda x, y: ids_of(y, 1).sum(1), inputs=ids2, **embedding)

if __name__ == "__main__":
    sys.exit(check_operators.main())
