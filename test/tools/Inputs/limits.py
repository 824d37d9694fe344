# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes a residual layer of linear layers, as wide and as long as asked for.

usage: limits.py OUT.mlir WIDTH LENGTH [dense|linalg]
"""
import sys


def main(path, width, length, form="dense"):
    rows = f"tensor<1x?x{width}xf32>"
    if form == "dense":
        product = (f'  %y = fact.linear %r, %w : (tensor<?x{width}xf32>, tensor<{width}x4xf32>) -> tensor<?x4xf32>\n')
    else:
        product = ('  %c0 = arith.constant 0 : index\n  %zero = arith.constant 0.0 : f32\n'
                   f'  %n = tensor.dim %r, %c0 : tensor<?x{width}xf32>\n'
                   '  %e = tensor.empty(%n) : tensor<?x4xf32>\n'
                   '  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>\n'
                   f'  %y = linalg.matmul ins(%r, %w : tensor<?x{width}xf32>, tensor<{width}x4xf32>) '
                   'outs(%z : tensor<?x4xf32>) -> tensor<?x4xf32>\n')
    with open(path, "w") as out:
        out.write(f'func.func @main(%x: {rows} {{fact.bound = {length} : i64, fact.name = "x"}}) -> tensor<1x?x4xf32> {{\n'
                  f'  %w = arith.constant dense<0.5> : tensor<{width}x4xf32>\n'
                  '  %c1 = arith.constant 1 : index\n'
                  f'  %l = tensor.dim %x, %c1 : {rows}\n'
                  f'  %r = tensor.collapse_shape %x [[0, 1], [2]] : {rows} into tensor<?x{width}xf32>\n'
                  f'{product}'
                  '  %o = tensor.expand_shape %y [[0, 1], [2]] output_shape [1, %l, 4] : tensor<?x4xf32> into tensor<1x?x4xf32>\n'
                  '  return %o : tensor<1x?x4xf32>\n}\n')


main(*sys.argv[1:])
