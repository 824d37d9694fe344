# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Python side of the fact project; importable without LLVM.

`fact.linalg_ir` writes encoder layers as linalg IR, `fact.tools` runs the
command-line tools, `fact.options` reads command lines, `fact.numerics` is every rule of docs/numerics.md on arrays
(needs the compiled module `fact._fact`).
"""
