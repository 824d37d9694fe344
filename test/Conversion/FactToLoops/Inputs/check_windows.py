# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""usage: check_windows.py BIN SRC FOLDER: layers with windows on the CPU, each beside the reference of the contract."""
import itertools
import pathlib
import subprocess
import sys

BIN, SRC, FOLDER = map(pathlib.Path, sys.argv[1:])
WINDOWS = ("0,0", "3,40", "64,1", "200,200", "5,", ",7")
runs = 0
for window in WINDOWS:
    model, x = FOLDER / "m.mlir", FOLDER / "x.npy"
    subprocess.run([sys.executable, SRC / "examples/encoder/generate.py", "--d=16", "--heads=2", "--ff=16", "--length=193",
                    f"--window={window}", "-o", model, f"--input={x}"], check=True)
    for policy, length in itertools.product((["--preset=dense"], ["--preset=balanced", "--dominance=0.02"]), (1, 49, 193)):
        results = []
        for reference in ([], ["--reference=numerics"]):
            y = FOLDER / "y.npy"
            subprocess.run([BIN / "fact-run", model, *policy, *reference, f"--input={x}", f"--length={length}", f"--output={y}"],
                           check=True, capture_output=True)
            results.append(y.read_bytes())
        if results[0] != results[1]:
            sys.exit(f"check_windows.py: other bits with window {window}, {policy[0]}, {length} tokens")
        runs += 1
print(f"{runs} runs: the same bits in all")
