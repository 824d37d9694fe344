# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""usage: generic_passes.py BIN FOLDER MODEL

Runs every generic pass on the program of MODEL, before and after planning, and
compares what the results compute in the simulator.
"""
import pathlib
import subprocess
import sys

import numpy as np

BIN, FOLDER, MODEL = map(pathlib.Path, sys.argv[1:])
PASSES = ["cse", "canonicalize", "loop-invariant-code-motion", "sccp", "symbol-dce", "control-flow-sink",
          "remove-dead-values", "loop-invariant-subset-hoisting", "scf-for-loop-canonicalization", "inline"]
PLAN = ["--factisa-plan-memory", "--factisa-order-engines"]


def call(tool, *arguments):
    return subprocess.run([BIN / tool, *map(str, arguments)], check=True, capture_output=True, text=True)


def simulate(ir, name):
    """What the program of planned IR computes."""
    program, y = FOLDER / f"{name}.fact", FOLDER / f"{name}.npy"
    call("fact-translate", "--factisa-to-program", ir, "-o", program)
    call("fact-sim", program, f"--input={FOLDER}/x.npy", f"--output={y}", "--functional")
    return y.read_bytes()


FOLDER.mkdir(parents=True, exist_ok=True)
np.save(FOLDER / "x.npy", np.random.default_rng(1).standard_normal((1, 11, 12), dtype=np.float32))
stages = {"unplanned": FOLDER / "unplanned.mlir", "planned": FOLDER / "planned.mlir"}
for stage, emit in ("unplanned", "scheduled"), ("planned", "factisa"):
    stages[stage].write_text(call("fact-compile", MODEL, f"--emit={emit}", "--keep=0.5", "--scope=all").stdout)
expected = simulate(stages["planned"], "expected")
for stage, path in stages.items():
    for name in PASSES:
        changed = FOLDER / f"{stage}-{name}.mlir"
        call("fact-opt", path, f"--{name}", *(PLAN if stage == "unplanned" else []), "--factisa-check-program", "-o", changed)
        if simulate(changed, f"{stage}-{name}") != expected:
            sys.exit(f"--{name} changes the results of the {stage} program")
        print(f"{stage}: --{name}: same results")
