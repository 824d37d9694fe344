#!/usr/bin/env python3
"""Shared by the checks of fused operators: nodes with gaps, whole numbers."""
import numpy as np
from onnx import helper

from check_operators import constant, node

MS = {"domain": "com.microsoft"}


def fused(op, inputs, outputs="out", **attributes):
    """A node some of whose inputs or outputs, written "-", are left out."""
    names = [[name.replace("-", "") for name in each.split()] for each in (inputs, outputs)]
    return helper.make_node(op, *names, name="n_fused", **attributes)


def to_ids(name, output, limit):
    """Whole numbers from 0 to limit out of floats, as int32."""
    return [node("Abs", name, output + "_a"), constant(output + "_s", np.float32(3)),
            node("Mul", f"{output}_a {output}_s", output + "_m"), constant(output + "_0", np.float32(0)),
            constant(output + "_1", np.float32(limit)), node("Clip", f"{output}_m {output}_0 {output}_1", output + "_c"),
            node("Cast", output + "_c", output, to=6)]


def ids_of(x, limit):
    return np.clip(np.abs(x) * np.float32(3), 0, limit).astype(np.int32)
