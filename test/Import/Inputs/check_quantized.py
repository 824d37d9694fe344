#!/usr/bin/env python3
"""Operators on 8-bit integers against NumPy.

FOLDER TOOL [CASE...]: as check_operators.py, whose cases are written and run
in the same way.
"""
import sys

import numpy as np

import check_operators
from check_operators import L, case, floats, node

check_operators.CASES.clear()
w45 = floats(4, 5)

# 8-bit integers.
def quantize(x, scale, zero=0, kind=np.uint8):
    limits = np.iinfo(kind)
    return np.clip(np.rint(x / scale) + np.float32(zero), limits.min, limits.max)


def bytes_of(kind, *shape):
    limits = np.iinfo(kind)
    return check_operators.random.integers(limits.min, limits.max + 1, shape).astype(kind)


f32 = lambda value: np.array(value, np.float32)
for kind in (np.int8, np.uint8):
    name, zero = np.dtype(kind).name, kind(37)
    q45, s5, z5 = bytes_of(kind, 4, 5), np.abs(floats(5)) + f32(0.1), bytes_of(kind, 5)
    s4, z4 = np.abs(floats(4)) + f32(0.1), bytes_of(kind, 4)
    wide = lambda a: a.astype(np.float32)
    case(f"DequantizeLinear-{name}", [node("DequantizeLinear", "w s z", "f"), node("MatMul", "x f")],
         lambda x, q=q45, z=zero: x @ ((wide(q) - wide(z)) * f32(0.02)),
         weights={"w": q45, "s": f32(0.02), "z": np.array(zero)}, tolerance=1e-5)
    case(f"DequantizeLinear-{name}-columns", [node("DequantizeLinear", "w s z", "f"), node("MatMul", "x f")],
         lambda x, q=q45, s=s5, z=z5: x @ ((wide(q) - wide(z)) * s), weights={"w": q45, "s": s5, "z": z5},
         tolerance=1e-3)
    case(f"DequantizeLinear-{name}-rows", [node("DequantizeLinear", "w s z", "f", axis=0), node("MatMul", "x f")],
         lambda x, q=q45, s=s4, z=z4: x @ ((wide(q) - wide(z)[:, None]) * s[:, None]),
         weights={"w": q45, "s": s4, "z": z4}, tolerance=1e-3)
    case(f"DequantizeLinear-{name}-transposed",
         [node("DequantizeLinear", "w s", "f", axis=0), node("Transpose", "f", "t", perm=[1, 0]),
          node("MatMul", "x t")], lambda x, q=q45, s=s5: x @ (wide(q) * s), weights={"w": q45.T.copy(), "s": s5},
         tolerance=1e-3)
    case(f"QuantizeLinear-{name}", [node("QuantizeLinear", "x s z", "q"), node("Cast", "q", to=1)],
         lambda x, k=kind, z=zero: quantize(x, f32(0.015), z, k), weights={"s": f32(0.015), "z": np.array(zero)},
         tolerance=0)
    case(f"QuantizeLinear-{name}-axis",
         [node("QuantizeLinear", "x s z", "q", axis=-1), node("DequantizeLinear", "q s z", axis=-1)],
         lambda x, k=kind, s=s4, z=z4: (quantize(x, s, wide(z), k) - wide(z)) * s, weights={"s": s4, "z": z4},
         tolerance=0)
    case(f"QuantizeLinear-{name}-weight",
         [node("QuantizeLinear", "w s z", "q"), node("DequantizeLinear", "q s z", "f"), node("MatMul", "x f")],
         lambda x, k=kind, z=zero, w=w45: x @ ((quantize(w, f32(0.1), z, k) - wide(z)) * f32(0.1)),
         weights={"w": w45, "s": f32(0.1), "z": np.array(zero)}, tolerance=1e-5)
    dynamic = [node("DynamicQuantizeLinear", "x", "q scale zero")]

    def dynamically(x):
        low, high = min(x.min(), 0), max(x.max(), 0)
        scale = f32((f32(high) - f32(low)) / f32(255))
        zero = np.rint(np.clip(f32(0) - f32(low) / scale, 0, 255))
        return quantize(x, scale, zero), scale, zero

    def dynamic_product(x, w, z):
        q, scale, zero = dynamically(x)
        return (q.astype(np.int64) - int(zero)) @ (w.astype(np.int64) - z.astype(np.int64)) * scale * f32(0.02)

    for suffix, z in {"": np.array(zero), "-columns": z5}.items():
        case(f"MatMulInteger-{name}{suffix}",
             [*dynamic, node("MatMulInteger", "q w zero z", "i"), node("Cast", "i", "f", to=1),
              node("Mul", "scale ws", "both"), node("Mul", "f both")],
             lambda x, w=q45, z=z: dynamic_product(x, w, z), weights={"w": q45, "z": z, "ws": f32(0.02)},
             tolerance=1e-4)
    case(f"MatMulInteger-{name}-no-zero-points",
         [node("QuantizeLinear", "x s y_z", "q"), node("MatMulInteger", "q w", "i"), node("Cast", "i", to=1)],
         lambda x, w=q45: quantize(x, f32(0.5), 3) @ w.astype(np.float64),
         weights={"s": f32(0.5), "y_z": np.array(3, np.uint8), "w": q45}, tolerance=0)
case("DynamicQuantizeLinear", [*dynamic, node("Cast", "q", "f", to=1), node("Cast", "zero", "z", to=1),
                               node("Sub", "f z", "d"), node("Mul", "d scale")],
     lambda x: (dynamically(x)[0] - dynamically(x)[2]) * dynamically(x)[1], tolerance=0)
case("DequantizeLinear-int32", [node("DequantizeLinear", "b s", "f"), node("Add", "x f")],
     lambda x: x + np.array([1000, -70000, 3, 0]) * f32(0.001),
     weights={"b": np.array([1000, -70000, 3, 0], np.int32), "s": f32(0.001)}, tolerance=1e-5)
case("DequantizeLinear-one-element", [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z")],
     lambda x: (quantize(x, f32(0.01), 7) - 7) * f32(0.01),
     weights={"s": f32([0.01]), "z": np.array([7], np.uint8)}, tolerance=0)
case("DequantizeLinear-10", [node("QuantizeLinear", "x s", "q"), node("DequantizeLinear", "q s")],
     lambda x: quantize(x, f32(0.01)) * f32(0.01), weights={"s": f32(0.01)}, opset=10, tolerance=0)
case("QuantizeLinear-output-type", [node("QuantizeLinear", "x s", "q", output_dtype=3), node("DequantizeLinear", "q s")],
     lambda x: quantize(x, f32(0.01), 0, np.int8) * f32(0.01), weights={"s": f32(0.01)}, opset=21, tolerance=0)
large = floats(300, 256)
large_bytes = bytes_of(np.uint8, 300, 256)
case("DequantizeLinear-large", [node("DequantizeLinear", "w s", "f"), node("MatMul", "x f")],
     lambda x: x @ (large_bytes.astype(np.float32) * f32(0.001)), inputs={"x": (1, L, 300)},
     weights={"w": large_bytes, "s": f32(0.001)}, tolerance=1e-4)

if __name__ == "__main__":
    sys.exit(check_operators.main())
