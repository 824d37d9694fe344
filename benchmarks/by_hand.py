# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""A layer written by hand as the rival of compiled code: layer.cpp of a folder.

It has a dense INT8 layer of BERT-base for AMX and for AVX512-VNNI, in the arithmetic of fact. Built by
clang++-22 or clang++, it reads w.bin and x<L>.bin, compares with y<L>.bin, and prints its median.
"""
import re
import shutil
import subprocess

import numpy as np

from fact import tools

MODEL = "bert-base"
TIERS = {"amx": "amx", "avx512vnni": "vnni"}
WEIGHTS = "Wq bq Wk bk Wv bv Wo bo ln1.gamma ln1.beta W1 b1 W2 b2 ln2.gamma ln2.beta".split()


class ByHand:
    def __init__(self, sources, folder, layer, tier):
        if tier not in TIERS:
            raise tools.ToolError(f"layer.cpp has no code for tier {tier}")
        compiler = shutil.which("clang++-22") or "clang++"
        flags = ["-O3", "-march=cascadelake", "-mamx-tile", "-mamx-int8", "-ffp-contract=off", "-w"]
        subprocess.run([compiler, *flags, sources / "layer.cpp", "-o", folder / "by_hand"], check=True)
        self.folder, self.tier = folder, TIERS[tier]
        with open(folder / "w.bin", "wb") as file:
            for name in WEIGHTS:
                file.write(layer.weights[name].astype(np.float32).tobytes())

    def run(self, repeat, x, y):
        """Milliseconds of a call on an input, whose result must be y."""
        length = x.shape[1]
        x.tofile(self.folder / f"x{length}.bin")
        y.tofile(self.folder / f"y{length}.bin")
        said = subprocess.run([self.folder / "by_hand", self.tier, str(repeat), str(length)], cwd=self.folder, check=True, capture_output=True,
                              text=True).stdout
        if not said:
            raise tools.ToolError(f"layer.cpp knows no length {length}")
        if " bits: 0 of " not in said:
            raise tools.ToolError(f"by hand and by fact-run differ: {said.strip()}")
        return float(re.search(r"median ([0-9.]+) ms", said).group(1))
