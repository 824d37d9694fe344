#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes a classifier of texts as an exporter does, with random weights, and two texts.

usage: make_model.py MODEL.onnx IDS.npy MASK.npy [--layers=2]

The model takes the ids of tokens and a mask that is 0 for padding, both [batch,
length] and open, looks them up in a table, goes through encoder layers of 128
features and 4 heads, and gives 5 classes from the first token. The texts have 20
and 12 tokens.
"""
import sys

import numpy as np

from fact.onnx_model import Builder
from fact.options import OptionParser

WORDS, FEATURES, HEADS, CLASSES = 1000, 128, 4, 5


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("ids")
    parser.add_argument("mask")
    parser.add_argument("--layers", type=int, default=2)
    options = parser.parse_args()
    b = Builder()
    x = b.Gather(b.random.standard_normal((WORDS, FEATURES), dtype=np.float32), "ids")
    for _ in range(options.layers):
        x = b.layer(x, FEATURES, HEADS, mask="mask")
    first = b.Squeeze(b.Slice(x, np.array([0]), np.array([1]), np.array([1])), np.array([1]))
    classes = b.linear(first, FEATURES, CLASSES)
    tokens = ["batch", "length"]
    b.save(options.model, [("ids", "int64", tokens), ("mask", "int64", tokens)], [(classes, ["batch", CLASSES])])
    lengths = (20, 12)
    np.save(options.ids, b.random.integers(0, WORDS, (len(lengths), max(lengths))))
    np.save(options.mask, np.array([[i < length for i in range(max(lengths))] for length in lengths], np.int64))


if __name__ == "__main__":
    sys.exit(main())
