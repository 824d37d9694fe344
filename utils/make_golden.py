#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes a folder for utils/check-golden with random layers and policies.

usage: make_golden.py FOLDER [--layers=N] [--policies=N] [--seed=S]
                      [--max-length=N] [--max-width=N]

The values are those of the reference layer of the library Numerics, which
python/tests hold against the committed golden layer; this is for shapes and
policies that nobody thought of. The seed decides everything, and is printed.
"""
import json
import pathlib

import numpy as np

from fact import linalg_ir, numerics, tools
from fact.options import OptionParser

MASKS = ("mask", "dominated", "k_rows", "v_rows", "low")


def random_policy(rng):
    """A policy that names some fields, as the golden files do."""
    policy = {"keep": float(rng.choice([1.0, 0.5, 0.3, 0.25, 0.2, 0.1, 0.05, round(float(rng.uniform(0.01, 1)), 3)]))}
    if rng.random() < 0.5:
        policy["dominance"] = float(rng.choice([1.0, 2.0, 3.0, 4.5]))
    if rng.random() < 0.6:
        policy["importance"] = float(rng.choice([0.5, 1.0, 1.3, 2.0]))
    if rng.random() < 0.4:
        policy["low"] = "a4w8"
    if rng.random() < 0.5:
        policy["scope"] = "all"
    if rng.random() < 0.5:
        policy["tail"] = "mean"
    if rng.random() < 0.5:
        policy["predictor"] = str(rng.choice([kind for kind in numerics.PREDICTORS if kind != tools.POLICY_FLAGS["predictor"][1]]))
    return policy


def policy_text(policy):
    """The policy as numerics.encoder_layer reads it."""
    return " ".join(f"{tools.POLICY_FLAGS[field][0][2:]}={value}" for field, value in policy.items())


def random_dressing(rng, heads, size, length):
    """What random_layer takes of section 10's attention: each part there or not."""
    dressing = dict(head_size=size)
    if rng.random() < 0.4:
        dressing["key_heads"] = int(rng.choice([groups for groups in range(1, heads + 1) if heads % groups == 0]))
    if rng.random() < 0.3:
        dressing["head_norm"] = tuple(None if rng.random() < 0.2 else str(rng.choice(linalg_ir.NORMS)) for _ in range(2))
    if rng.random() < 0.4:
        pairs = size // 2 if rng.random() < 0.6 else int(rng.integers(1, size // 2 + 1))
        theta = float(rng.choice([100.0, 10000.0, 1e6]))
        dressing |= dict(rotary=str(rng.choice(linalg_ir.ROTARY_STYLES)),
                         tables=linalg_ir.rotary_tables(length + int(rng.integers(0, 9)), pairs, theta))
    return dressing


def random_case(rng, name, policies, max_length, max_width):
    """(meta, arrays) of one layer."""
    heads = int(rng.choice([1, 2, 3, 4, 6, 8]))
    size = int(rng.integers(4, max(5, max_width // heads + 1)))
    d = heads * size
    if rng.random() < 0.2:
        d = int(rng.integers(4, max_width + 1))
    length = int(rng.integers(2, max_length + 1))
    ff = int(rng.integers(8, 2 * d + 9))
    meta = dict(name=name, place=str(rng.choice(["pre", "post"])), norm=str(rng.choice(linalg_ir.NORMS)),
                act=str(rng.choice(linalg_ir.ACTIVATIONS)), gated=bool(rng.random() < 0.3), L=length, d=d, h=heads, ff=ff,
                bias=bool(rng.random() < 0.7), window=[None, None])
    if rng.random() < 0.5:
        meta["window"] = [None if rng.random() < 0.3 else int(rng.integers(0, 8)) for _ in range(2)]
    if rng.random() < 0.3:
        meta["length"] = int(rng.integers(1, length + 1))
    dressing = random_dressing(rng, heads, size, length)
    layer = linalg_ir.random_layer(d, heads, ff, meta["place"], meta["act"], 1e-5, tuple(meta["window"]), meta["bias"],
                                   int(rng.integers(1 << 31)), meta["norm"], meta["gated"], bool(rng.random() < 0.8),
                                   **dressing)
    meta |= dict(kv=layer.key_heads, dh=size, head_norm=list(layer.head_norm))
    if layer.rotary:
        meta["rotary"] = dict(style=layer.rotary, features=2 * layer.weights["rotary.cos"].shape[1])
    for eps in ("eps_2", "eps_q", "eps_k"):
        if rng.random() < 0.3:
            meta[eps] = float(rng.choice([1e-6, 1e-3, 0.1]))
            setattr(layer, eps, meta[eps])
    # Sharper attention: rows are dominated now and then.
    for weight in ("Wq", "Wk"):
        layer.weights[weight] *= np.float32(rng.uniform(1, 2))
    x = rng.standard_normal((length, d), dtype=np.float32) * np.float32(2.0 ** rng.integers(-2, 3))
    meta |= dict(eps=layer.eps, scale=layer.scale, policies=[random_policy(rng) for _ in range(policies)])
    arrays = dict(layer.weights, x=x)
    for i, policy in enumerate(meta["policies"]):
        result = numerics.encoder_layer(
            layer.weights, x, policy_text(policy), **layer.arguments(), length=meta.get("length"))
        arrays |= {f"p{i}.{key}": result[key] for key in ("y", *MASKS)}
    return meta, arrays


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--policies", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-length", type=int, default=120)
    parser.add_argument("--max-width", type=int, default=160)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"seed {options.seed}")
    for i in range(options.layers):
        rng = np.random.default_rng([options.seed, i])
        name = f"random{options.seed}_{i}"
        meta, arrays = random_case(rng, name, options.policies, options.max_length, options.max_width)
        np.savez(options.folder / f"layer_{name}.npz", meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **arrays)
        print(f"layer_{name}.npz: {json.dumps({k: v for k, v in meta.items() if k != 'policies'})}")


if __name__ == "__main__":
    main()
