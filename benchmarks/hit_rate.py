#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Prints how many of the largest scores the predictors find, as a Markdown table.

usage: hit_rate.py [--d=256] [--heads=4] [--key-heads=G] [--length=512]
                   [--keep=0.1,0.2,0.3] [--window=LEFT,RIGHT]

Of a layer with random weights and input: the share of the keys that each row
keeps (docs/numerics.md, sections 5 and 10) that are among as many keys with the
largest scores in float32, for queries and keys as they are and dressed by head
norms, a rotary embedding, or both.
"""
import sys

import numpy as np

from fact import linalg_ir, numerics
from fact.options import OptionParser

PREDICTORS = ("leading-one", "leading-two", "one-sided", "exact")
DRESSINGS = {
    "none": {},
    "rotary": dict(rotary="half"),
    "head norm": dict(head_norm=("rms", "rms")),
    "head norm, rotary": dict(head_norm=("rms", "rms"), rotary="half"),
}


def rms(x, gamma, eps):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * gamma


def heads_of(layer, x, side, heads):
    """Q or K in float32, [heads, L, head size], dressed."""
    weights = layer.weights
    rows = x @ weights[f"W{side}"] + weights.get(f"b{side}", 0)
    rows = rows.reshape(len(x), heads, layer.head_size).swapaxes(0, 1)
    if layer.head_norm[0 if side == "q" else 1]:
        rows = rms(rows, weights[f"{side}_norm.gamma"], layer.eps)
    if layer.rotary:
        cos, sin = (weights[f"rotary.{table}"][:len(x)] for table in ("cos", "sin"))
        a, b = np.split(rows, 2, axis=-1)
        rows = np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)
    return rows


def scores_of(layer, x):
    """Attention scores in float32, [heads, L, L]; minus infinity outside of the window."""
    rows = rms(x, layer.weights["ln1.gamma"], layer.eps)
    query = heads_of(layer, rows, "q", layer.heads)
    key = np.repeat(heads_of(layer, rows, "k", layer.key_heads), layer.heads // layer.key_heads, axis=0)
    scores = query @ key.swapaxes(1, 2) * layer.scale
    apart = np.arange(len(x))[None, :] - np.arange(len(x))[:, None]
    left, right = layer.window
    outside = np.zeros_like(apart, bool)
    if left is not None:
        outside |= apart < -left
    if right is not None:
        outside |= apart > right
    return np.where(outside, -np.inf, scores)


def hit_rate(layer, x, scores, policy):
    mask = numerics.encoder_layer(layer.weights, x, policy, **layer.arguments())["mask"]
    order = np.argsort(np.argsort(-scores, axis=-1, kind="stable"), axis=-1)  # rank of each key in its row
    largest = order < mask.sum(-1, keepdims=True)
    return (mask & largest).sum() / mask.sum()


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--d", type=int, default=256)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--key-heads", type=int)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--keep", default="0.1,0.2,0.3")
    parser.add_argument("--window", default="*,*")
    options = parser.parse_args()
    try:
        keeps = [float(keep) for keep in options.keep.split(",")]
        left, right = (None if end == "*" else int(end) for end in options.window.split(","))
    except ValueError:
        parser.error("--keep must be numbers, --window two numbers or '*'")
    x = np.random.default_rng(0).standard_normal((options.length, options.d), dtype=np.float32)
    print(f"| dressed by | predictor | {' | '.join(f'keep {keep}' for keep in keeps)} |")
    print("|---|---|" + "---|" * len(keeps))
    for name, dressing in DRESSINGS.items():
        pairs = options.d // options.heads // 2
        tables = linalg_ir.rotary_tables(options.length, pairs) if "rotary" in dressing else None
        layer = linalg_ir.random_layer(options.d, options.heads, 16, place="pre", norm="rms", window=(left, right),
                                       key_heads=options.key_heads, tables=tables, **dressing)
        scores = scores_of(layer, x)
        for predictor in PREDICTORS:
            rates = (hit_rate(layer, x, scores, f"dense keep={keep} predictor={predictor}") for keep in keeps)
            print(f"| {name} | {predictor} | {' | '.join(f'{rate:.3f}' for rate in rates)} |", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(f"hit_rate.py: error: {error}")
