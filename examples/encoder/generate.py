#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes encoder layers of any shape as linalg IR, with random weights.

usage: generate.py --model=bert-base [--layers=N] [--length=L] [-o OUT.mlir]
       generate.py --d=64 --heads=4 --ff=256 --length=100 [--place=pre|post]
                   [--norm=layer|rms] [--window=LEFT,RIGHT] [--causal] [--gated]
                   [--activation=gelu_erf|gelu_tanh|quick_gelu|swish|relu]
                   [--no-bias] [--layers=N] [-o OUT.mlir]

Models: bert-base, bert-large, vit-b16, deit-tiny. `--input=X.npy` also writes
a random input of full length. The same arguments give the same bytes.
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
    parser.add_argument("--no-bias", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--input", metavar="X.npy")
    parser.add_argument("-o", "--output", metavar="OUT.mlir")
    options = parser.parse_args()
    try:
        if options.model:
            layers = linalg_ir.random_model(options.model, options.layers, options.seed)
            length = options.length or linalg_ir.MODELS[options.model]["length"]
        else:
            if not (options.d and options.heads and options.ff and options.length):
                parser.error("give --model, or --d, --heads, --ff and --length")
            layers = [linalg_ir.random_layer(options.d, options.heads, options.ff, options.place, options.activation,
                                             options.eps, options.window, not options.no_bias, options.seed + i,
                                             options.norm, options.gated)
                      for i in range(1 if options.layers is None else options.layers)]
            length = options.length
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
