#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes encoder layers of any shape as linalg IR, with random weights.

usage: generate.py --model=bert-base [--layers=N] [--length=L] [-o OUT.mlir]
       generate.py --d=64 --heads=4 --ff=256 --length=100 [--place=pre|post]
                   [--norm=layer|rms] [--window=LEFT,RIGHT] [--causal] [--gated]
                   [--activation=gelu_erf|gelu_tanh|quick_gelu|swish|relu]
                   [--key-heads=G] [--head-size=N] [--head-norm=KIND[,KIND]]
                   [--rotary=half|interleaved [--pairs=P] [--theta=T]]
                   [--no-bias] [--no-beta] [--layers=N] [-o OUT.mlir]

Models: bert-base, bert-large, vit-b16, deit-tiny, modernbert-base, qwen3-0.6b,
llama-7b. llama-7b is the attention of its layers with the residual, without the
feed-forward network, whose 11008 features are more than the contract's 8192;
--attention-only in place of --ff makes such layers of a shape of your own.
`--input=X.npy` also writes a random input of full length. The same arguments
give the same bytes.
"""
import sys

import numpy as np

from fact import linalg_ir
from fact.options import OptionParser


def window(text):
    """LEFT,RIGHT as a pair of numbers, None where there is nothing."""
    left, right = text.split(",")
    ends = tuple(int(end) if end else None for end in (left, right))
    if any(end is not None and end < 0 for end in ends):
        raise ValueError("a window's end must not be negative")
    return ends


def head_norm(text):
    """KIND of Q's and K's heads, or KIND,KIND; 'none' is None."""
    kinds = [None if kind == "none" else kind for kind in text.split(",")]
    if len(kinds) > 2 or any(kind not in (None, *linalg_ir.NORMS) for kind in kinds):
        raise ValueError("a head norm is one kind or two")
    return tuple(kinds * 2)[:2]


def layers_of(options):
    """The layers of a shape of one's own."""
    size = options.head_size or options.d // options.heads
    tables = None
    if options.rotary:
        pairs = size // 2 if options.pairs is None else options.pairs
        tables = linalg_ir.rotary_tables(options.length, pairs, options.theta)
    return [linalg_ir.random_layer(
        options.d, options.heads, options.ff, options.place, options.activation, options.eps, options.window,
        not options.no_bias, options.seed + i, options.norm, options.gated, not options.no_beta, options.key_heads,
        options.head_size, options.head_norm, options.rotary, tables)
        for i in range(1 if options.layers is None else options.layers)]


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--model", choices=sorted(linalg_ir.MODELS))
    parser.add_argument("--layers", type=int)
    parser.add_argument("--length", type=int, help="upper bound of the sequence length")
    parser.add_argument("--d", type=int)
    parser.add_argument("--heads", type=int)
    parser.add_argument("--ff", type=int)
    parser.add_argument("--place", choices=["pre", "post"], default="post", help="of the norms")
    parser.add_argument("--norm", choices=linalg_ir.NORMS, default="layer")
    parser.add_argument("--activation", choices=linalg_ir.ACTIVATIONS, default="gelu_erf")
    parser.add_argument("--eps", type=float, default=1e-5)
    parser.add_argument("--window", type=window, default=linalg_ir.ALL, metavar="LEFT,RIGHT",
                        help="keys before and after its own that a token sees; nothing for all")
    parser.add_argument("--causal", dest="window", action="store_const", const=linalg_ir.CAUSAL)
    parser.add_argument("--gated", action="store_true", help="a gated feed-forward network")
    parser.add_argument("--attention-only", action="store_true", help="no feed-forward network, in place of --ff")
    parser.add_argument("--key-heads", type=int, metavar="G", help="heads of K and V, fewer than --heads")
    parser.add_argument("--head-size", type=int, metavar="N", help="features of a head, where they are not d / heads")
    parser.add_argument("--head-norm", type=head_norm, default=(None, None), metavar="KIND[,KIND]",
                        help="norms of Q's and K's heads: layer, rms or none")
    parser.add_argument("--rotary", choices=linalg_ir.ROTARY_STYLES, help="rotary embedding, and what its pairs are")
    parser.add_argument("--pairs", type=int, metavar="P", help="pairs of features that it turns; all, where not given")
    parser.add_argument("--theta", type=float, default=10000.0, metavar="T", help="base of its angles")
    parser.add_argument("--no-bias", action="store_true", help="of linear layers")
    parser.add_argument("--no-beta", action="store_true", help="of layer norms")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--input", metavar="X.npy")
    parser.add_argument("-o", "--output", metavar="OUT.mlir")
    options = parser.parse_args()
    try:
        if options.model:
            length = options.length or linalg_ir.MODELS[options.model]["length"]
            layers = linalg_ir.random_model(options.model, options.layers, options.seed, length)
        else:
            if not (options.d and options.heads and options.length) or bool(options.ff) == options.attention_only:
                parser.error("give --model, or --d, --heads, --ff (or --attention-only) and --length")
            layers, length = layers_of(options), options.length
        text = linalg_ir.to_text(layers, length)
    except ValueError as error:
        sys.exit(f"generate.py: error: {error}")
    if options.output:
        with open(options.output, "w") as out:
            out.write(text)
    else:
        sys.stdout.write(text)
    if options.input:
        x = np.random.default_rng(options.seed).standard_normal((1, length, layers[0].d), dtype=np.float32)
        np.save(options.input, x)


if __name__ == "__main__":
    main()
