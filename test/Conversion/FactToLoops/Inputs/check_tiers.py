# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""usage: check_tiers.py BIN SRC FOLDER: layers on every tier, emulated, each beside the reference of the contract."""
import pathlib
import subprocess
import sys

BIN, SRC, FOLDER = map(pathlib.Path, sys.argv[1:])
TIERS = ("amx", "avx512vnni", "avx512", "avxvnni", "avx2", "x86", "dotprod", "portable")
BALANCED = ["--preset=balanced", "--dominance=0.02"]
CASES = (  # of a layer, of a policy
    (["--d=40", "--heads=2", "--ff=1600", "--length=37"], BALANCED),
    (["--d=36", "--heads=3", "--ff=52", "--length=131"], ["--preset=fast", "--dominance=0.02"]),
    (["--d=136", "--heads=2", "--ff=136", "--length=70", "--window=9,3", "--norm=rms", "--gated"], ["--preset=dense"]),
    (["--d=64", "--heads=4", "--key-heads=2", "--ff=80", "--length=65", "--causal", "--rotary=half"], BALANCED),
    (["--d=80", "--heads=20", "--ff=52", "--length=29"], BALANCED),
    (["--d=64", "--heads=2", "--ff=64", "--length=1"], [*BALANCED, "--low-precision=a4w8", "--scope=all"]),
)
# Whole panels, of which some, none or all tokens are in INT4.
PANELS = [((["--d=40", "--heads=2", "--ff=1600", "--length=127"], [*BALANCED, f"--importance={importance}"]), TIERS[:1]) for importance in (1, 0, 16)]
runs = 0
for (shape, policy), tiers in [*((case, TIERS) for case in CASES), *PANELS]:
    model, x, y = FOLDER / "m.mlir", FOLDER / "x.npy", FOLDER / "y.npy"
    subprocess.run([sys.executable, SRC / "examples/encoder/generate.py", *shape, "-o", model, f"--input={x}"], check=True)

    def run(*flags):
        subprocess.run([BIN / "fact-run", model, *policy, *flags, f"--input={x}", f"--output={y}"], check=True,
                       capture_output=True)
        return y.read_bytes()

    expected = run("--reference=numerics")
    for tier in tiers:
        if run(f"--cpu={tier}", "--emulate") != expected:
            sys.exit(f"check_tiers.py: other bits on {tier}: {' '.join(shape + policy)}")
        runs += 1
print(f"{runs} runs: the same bits in all")
