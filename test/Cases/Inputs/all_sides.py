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

model, shapes, *rest = sys.argv[1:]
expected = rest.pop(0) if rest and not rest[0].startswith("--") else None
outputs = max(1, pathlib.Path(model).read_text().count("// output"))
generator = np.random.default_rng(7)
arrays = [generator.standard_normal([int(n) for n in shape.split("x")]).astype(np.float32) for shape in shapes.split(",")]
with tempfile.TemporaryDirectory() as folder:
    files = [f"--input={folder}/x{i}.npy" for i in range(len(arrays))]
    for i, array in enumerate(arrays):
        np.save(f"{folder}/x{i}.npy", array)
    tools.call("fact-compile", model, "-o", f"{folder}/p.fact", *rest)
    tools.call("fact-objdump", "--check", f"{folder}/p.fact")
    sides = {"CPU": ("fact-run", model, "--fill-undefined", *rest),
             "FACT": ("fact-sim", f"{folder}/p.fact", "--fill-undefined=1"),
             "numerics": ("fact-run", model, "--reference=numerics", *rest)}
    found = {}
    for side, command in sides.items():
        results = [f"{folder}/{side}{i}.npy" for i in range(outputs)]
        tools.call(*command, *files, *(f"--output={path}" for path in results), f"--dump-masks={folder}/m.npz")
        with np.load(f"{folder}/m.npz") as masks:
            found[side] = {**{f"output {i}": np.load(path) for i, path in enumerate(results)}, **dict(masks)}
    for side, values in found.items():
        assert sorted(values) == sorted(found["CPU"]), f"{side} has {sorted(values)}, CPU {sorted(found['CPU'])}"
        for name, value in values.items():
            assert value.tobytes() == found["CPU"][name].tobytes(), f"{name}: {side} and CPU differ"
    if expected:
        names = dict(zip("xz", arrays))
        wanted = eval(expected, {"np": np}, names)
        assert np.array_equal(found["CPU"]["output 0"], wanted), f"not {expected}"
    print("same bits:", ", ".join(sorted(found["CPU"])))
