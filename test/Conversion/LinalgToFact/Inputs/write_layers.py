# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""write_layers.py SOURCE_TREE OUT.mlir [NPZ...]: one module per encoder layer,
separated for --split-input-file: every combination of norm, activation, heads,
window and bias, or the layers of the given golden files."""
import itertools
import sys

sys.path.insert(0, sys.argv[1] + "/python")
from fact import linalg_ir

if len(sys.argv) > 3:
    layers = [linalg_ir.read_golden(path)[0] for path in sys.argv[3:]]
else:
    layers = [linalg_ir.random_layer(d, heads, 2 * d, place, activation, window=window, bias=bias, norm=norm, gated=norm == "rms")
              for (place, norm), activation, (d, heads), window, bias in itertools.product(
                  (("pre", "layer"), ("pre", "rms"), ("post", "layer")), linalg_ir.ACTIVATIONS, ((16, 1), (30, 2), (32, 32)),
                  ((None, None), linalg_ir.CAUSAL, (3, 2)), (False, True))]
with open(sys.argv[2], "w") as out:
    for i, layer in enumerate(layers):
        if i:
            out.write("// -----\n")
        linalg_ir.write(out, [layer], 16)
print(len(layers), "layers")
