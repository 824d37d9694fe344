# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Compiles a model for every tier of the CPU, dense and sparse.

usage: compile_tiers.py MODEL FOLDER
"""
import pathlib
import subprocess
import sys

TIERS = ("amx", "avx512vnni", "avx512", "avxvnni", "avx2", "x86", "dotprod")
PRESETS = ("dense", "balanced", "fast")

model, folder = sys.argv[1], pathlib.Path(sys.argv[2])
for tier in TIERS:
    for preset in PRESETS:
        output = folder / f"{tier}-{preset}.o"
        subprocess.run(["fact-compile", model, "--target=cpu", f"--cpu={tier}", f"--preset={preset}", "-o", output], check=True, stderr=subprocess.DEVNULL)
        assert output.stat().st_size > 0
print(len(TIERS) * len(PRESETS), "object files")
