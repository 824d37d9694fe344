# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Softmax of what was not raised, in rows that vectors do not divide."""
import numpy as np
import pytest

from fact import tools


@pytest.mark.parametrize("columns", [1, 9, 10, 15])
@pytest.mark.parametrize("flags", [["--reference=f32"], []])
def test_rows_of_any_length(tmp_path, columns, flags):
    rows = 9
    shape = f"tensor<{rows}x{columns}xf32>"
    model = tmp_path / "softmax.mlir"
    model.write_text(f"""
func.func @main(%x: {shape}) -> {shape} {{
  %empty = tensor.empty() : {shape}
  %y = linalg.softmax dimension(1) ins(%x : {shape}) outs(%empty : {shape}) -> {shape}
  return %y : {shape}
}}
""")
    for largest in sorted({0, columns // 2, columns - 1}):
        x = np.random.default_rng(columns).standard_normal((rows, columns)).astype(np.float32) - 1000
        x[:, largest] = 1
        y, _, _ = tools.run(model, [x], *flags)
        assert np.array_equal(y, x == 1)
