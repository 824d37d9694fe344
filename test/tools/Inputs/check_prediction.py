"""check_prediction.py FOLDER SHARE FLAGS...: compiles FOLDER/m.mlir, runs it on FOLDER/x.npy,
and fails where the predicted cycles, or those of an engine that works for a tenth of the time or
more, are further than SHARE from the simulated ones."""
import json
import pathlib
import subprocess
import sys

folder, share = pathlib.Path(sys.argv[1]), float(sys.argv[2])
subprocess.run(["fact-compile", folder / "m.mlir", "-o", folder / "m.fact", f"--report={folder}/compile.json", *sys.argv[3:]],
               check=True, stderr=subprocess.DEVNULL)
subprocess.run(["fact-sim", folder / "m.fact", f"--input={folder}/x.npy", f"--output={folder}/y.npy", f"--report={folder}/run.json"],
               check=True, stdout=subprocess.DEVNULL)
predicted = json.loads((folder / "compile.json").read_text())
run = json.loads((folder / "run.json").read_text())
pairs = {"cycles": (predicted["predicted_cycles"], run["cycles"])}
for engine, times in run["engines"].items():
    if times["busy"] >= run["cycles"] / 10:
        pairs[engine] = predicted["predicted_busy_cycles"][engine], times["busy"]
assert len(pairs) > 2, pairs
wrong = {what: pair for what, pair in pairs.items() if abs(pair[0] - pair[1]) > share * pair[1]}
if wrong:
    sys.exit(f"predicted and simulated differ: {wrong}")
