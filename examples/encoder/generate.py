#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes encoder layers of any shape as linalg IR, with random weights.

usage: generate.py --model=bert-base [--layers=N] [--length=L] [-o OUT.mlir]
       generate.py --d=64 --heads=4 --ff=256 --length=100 [--norm=pre|post]
                   [--activation=gelu_erf|gelu_tanh|swish|relu] [--causal]
                   [--no-bias] [--layers=N] [-o OUT.mlir]

Models: bert-base, bert-large, vit-b16, deit-tiny. `--input=X.npy` also writes
a random input of full length. The same arguments give the same bytes.
"""
import sys

import numpy as np

from fact import linalg_ir
from fact.options import OptionParser


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--model", choices=sorted(linalg_ir.MODELS))
    parser.add_argument("--layers", type=int)
    parser.add_argument("--length", type=int, help="upper bound of the sequence length")
    parser.add_argument("--d", type=int)
    parser.add_argument("--heads", type=int)
    parser.add_argument("--ff", type=int)
    parser.add_argument("--norm", choices=["pre", "post"], default="post")
    parser.add_argument("--activation", choices=linalg_ir.ACTIVATIONS, default="gelu_erf")
    parser.add_argument("--eps", type=float, default=1e-5)
    parser.add_argument("--causal", action="store_true")
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
            layers = [linalg_ir.random_layer(options.d, options.heads, options.ff, options.norm, options.activation,
                                             options.eps, options.causal, not options.no_bias, options.seed + i)
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
