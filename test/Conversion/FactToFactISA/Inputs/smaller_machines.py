# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""usage: smaller_machines.py BIN FOLDER MODEL X.npy LENGTH PRESET[,FLAG...] BYTES...

Compiles MODEL for machines whose four buffers have each BYTES, and prints how the
attention is worked on there: what of a head's rows goes through DRAM in the one loop over
heads, or that it is worked on apart, with all keys of a head at once or with blocks of
them, or with the keys that a block of queries sees. Each program must compute what the CPU does, for a sequence of LENGTH rows, with the
order of engines checked and in another order.
"""
import json
import pathlib
import re
import subprocess
import sys

BIN, FOLDER = map(pathlib.Path, sys.argv[1:3])
MODEL, X, LENGTH = sys.argv[3:6]
PRESET, *FLAGS = sys.argv[6].split(",")
ROOT = pathlib.Path(__file__).resolve().parents[4]


def call(tool, *arguments):
    return subprocess.run([BIN / tool, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def kind(ir):
    if "factisa.sel.list_new" in ir:
        return "one loop over heads, keys and values block by block"
    if "factisa.in_range" in ir:
        rows = sorted(set(re.findall(r'factisa\.dram scratch \d+ "(queries|keys|values)"', ir.replace("  ", " "))))
        # What the function's outermost loops have.
        loops = [loop for loop in ir.split("\n    }") if "pe.qk" in loop or "sel.topk" in loop]
        return ("one loop" if len(loops) == 1 else "two loops") + " over heads" + (f", {' and '.join(rows)} in DRAM" if rows else "")
    blocks = any(column != "%c0" for column in re.findall(r"pe\.qk .* col0=(%[\w-]+)", ir))
    of = "seen keys" if "factisa.at_least" in ir else "blocks of keys"
    return "attention apart" + (f", {of}" if blocks else "")


def main(sizes):
    machine = json.loads((ROOT / "machines" / "fact-28nm.json").read_text())
    run = [f"--input={X}", f"--length={LENGTH}"]
    call("fact-run", MODEL, f"--preset={PRESET}", *run, f"--output={FOLDER}/cpu.npy")
    expected = (FOLDER / "cpu.npy").read_bytes()
    before = None
    for size in sizes:
        path, program, y = FOLDER / "machine.json", FOLDER / "p.fact", FOLDER / "fact.npy"
        for buffer in machine["buffers"].values():
            buffer["bytes"] = size
        path.write_text(json.dumps(machine))
        flags = [f"--preset={PRESET}", f"--machine={path}", *FLAGS]
        now = kind(call("fact-compile", MODEL, *flags, "--emit=scheduled"))
        call("fact-compile", MODEL, *flags, "-o", program)
        for order in ("--check-hazards", "--random-schedule=1"):
            call("fact-sim", program, *run, f"--output={y}", "--fill-undefined=1", order)
            if y.read_bytes() != expected:
                sys.exit(f"smaller_machines.py: other bits with {size} bytes a buffer, {order} ({now})")
        if now != before:
            print(now)
        before = now
    print("the same bits in all")


main([int(size) for size in sys.argv[7:]])
