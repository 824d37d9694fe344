# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""norm_twice.py SOURCE_TREE NORM: a layer that ends in a norm, and its result added to itself."""
import re
import sys

sys.path.insert(0, sys.argv[1] + "/python")
from fact import linalg_ir

text = linalg_ir.to_text([linalg_ir.random_layer(16, 1, 32, "post", "relu", norm=sys.argv[2])], 16)
rows = "tensor<?x16xf32>"
last = re.findall(r"tensor.expand_shape (%\w+) \[\[0, 1\], \[2\]\]", text)[-1]
line = next(line for line in text.splitlines() if f"tensor.expand_shape {last} [[0, 1], [2]]" in line)
twice = (f"  %no_sum = tensor.empty(%length) : {rows}\n"
         f"  %twice = linalg.add ins({last}, {last} : {rows}, {rows}) outs(%no_sum : {rows}) -> {rows}\n")
print(text.replace(line, twice + line.replace(last, "%twice")))
