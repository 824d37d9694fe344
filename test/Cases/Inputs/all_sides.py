"""Runs a model on the CPU path, in the simulator and by the interpreter, with
undefined rows and memory full of garbage; all outputs and masks must have the
same bits.

usage: all_sides.py MODEL SHAPE[,SHAPE...] [EXPECTED] [policy flags]
  SHAPE     of an input, 8x16 for example
  EXPECTED  of the first output, in numpy, of the inputs x, z: "x + z + 1"
"""
import pathlib
import sys
import tempfile

import numpy as np

from fact import tools
from fact.sides import all_sides, difference

model, shapes, *rest = sys.argv[1:]
expected = rest.pop(0) if rest and not rest[0].startswith("--") else None
outputs = max(1, pathlib.Path(model).read_text().count("// output"))
generator = np.random.default_rng(7)
arrays = [generator.standard_normal([int(n) for n in shape.split("x")]).astype(np.float32) for shape in shapes.split(",")]
with tempfile.TemporaryDirectory() as folder:
    found = all_sides(folder, model, tools.save_inputs(folder, arrays), outputs, rest)
for name, side in found.items():
    if side.crash or side.refusal:
        sys.exit(f"{name}: {side.crash or side.refusal}")
    wrong = difference(side, found["CPU"])
    if wrong:
        sys.exit(f"{name}, beside CPU: {wrong}")
if expected:
    names = dict(zip("xz", arrays))
    wanted = eval(expected, {"np": np}, names)
    assert np.array_equal(found["CPU"].outputs[0], wanted), f"not {expected}"
print("same bits:", ", ".join([*(f"y{i}" for i in range(outputs)), *sorted(found["CPU"].masks)]))
