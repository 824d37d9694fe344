#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Prints what each mechanism of programs and machine is worth, as Markdown tables.

usage: ablations.py [--model=bert-base] [--layers=2] [--length=512]
                    [--data=FOLDER] [--recogniser=FILE.onnx] [--only=TEXT]

One thing is changed at a time: a flag of fact-compile, or a field of
machines/fact-28nm.json. For every model (BERT-base layers with random weights;
with --data, the keyword transformer kwt1.onnx there; with --recogniser, the text
recogniser's encoder) and for dense, balanced and fast: cycles, and how many
times more or less than without the change (below 1: faster), bytes of DRAM,
energy with DRAM, and area; nothing where a preset has no use for it. --only:
changes whose name contains the text.
"""
import copy
import json
import pathlib
import sys
import tempfile

import numpy as np

from fact import linalg_ir, tools
from fact.options import OptionParser

ROOT = pathlib.Path(__file__).resolve().parents[1]
PRESETS = ("dense", "balanced", "fast")


def scaled(factor, *path):
    """A change of a number of the machine."""
    def change(machine):
        for name in path[:-1]:
            machine = machine[name]
        machine[path[-1]] = type(machine[path[-1]])(machine[path[-1]] * factor)
    return change


def put(value, *path):
    def change(machine):
        for name in path[:-1]:
            machine = machine[name]
        machine[path[-1]] = value
    return change


def scratchpad(factor):
    def change(machine):
        for buffer in machine["buffers"].values():
            buffer["bytes"] = int(buffer["bytes"] * factor)
    return change


# (what is changed, flags of fact-compile, change of the machine, presets that it concerns)
SPARSE, ALL_HEADS = ("balanced", "fast"), ("fast",)
CHANGES = (
    ("as it is", (), None, PRESETS),
    ("schedule: differential", ("--schedule=differential",), None, ("balanced",)),
    ("schedule: in order", ("--schedule=in-order",), None, PRESETS),
    ("no speculation", ("--speculate=off",), None, ALL_HEADS),
    ("all tensors through DRAM", ("--resident=off",), None, PRESETS),
    ("no mean token", ("--tail=none",), None, SPARSE),
    ("no dominated rows", ("--dominance=0",), None, SPARSE),
    ("all rows INT8", ("--importance=0",), None, SPARSE),
    ("INT4 rows, INT8 weights", ("--low-precision=a4w8",), None, SPARSE),
    ("predictor leading-two", ("--predictor=leading-two",), None, SPARSE),
    ("predictor exact", ("--predictor=exact",), None, SPARSE),
    ("INT4 at twice INT8's rate", (), put(2, "pe", "rate_a4w4"), SPARSE),
    ("gathers in index order", (), put(True, "pe", "gather_in_order"), SPARSE),
    ("plain interleaving of rows", (), put(False, "diagonal_storage"), PRESETS),
    ("prediction: 512 lanes", (), put(512, "ep", "lanes"), SPARSE),
    ("prediction: 1024 lanes", (), put(1024, "ep", "lanes"), SPARSE),
    ("selection: 64 scores a cycle", (), put(64, "sel", "scores_per_cycle"), SPARSE),
    ("APU: 16 lanes, 4 pipelines", (), lambda machine: (put(16, "apu", "lanes")(machine), put(4, "apu", "pipelines")(machine)), PRESETS),
    ("APU: 64 lanes, 16 pipelines", (), lambda machine: (put(64, "apu", "lanes")(machine), put(16, "apu", "pipelines")(machine)), PRESETS),
    ("DRAM: half the bandwidth", (), scaled(0.5, "dram", "gigabytes_per_second"), PRESETS),
    ("DRAM: twice the bandwidth", (), scaled(2, "dram", "gigabytes_per_second"), PRESETS),
    ("scratchpad: half", (), scratchpad(0.5), PRESETS),
    ("scratchpad: twice", (), scratchpad(2), PRESETS),
    ("scratchpad: four times", (), scratchpad(4), PRESETS),
)


class Model:
    """name, path, flags that cut it out, and an input."""

    def __init__(self, name, path, flags, x):
        self.name, self.path, self.flags, self.x = name, path, flags, x

    def report(self, folder, preset, machine, flags):
        (folder / "machine.json").write_text(json.dumps(machine))
        program = folder / "model.fact"
        tools.compile_program(self.path, program, f"--preset={preset}", *flags, *self.flags,
                              f"--machine={folder / 'machine.json'}")
        return tools.simulate(program, [self.x])[1]


def models(folder, options):
    if options.layers > 0:
        layers = linalg_ir.random_model(options.model, options.layers, 0, options.length)
        path = folder / "bert.mlir"
        path.write_text(linalg_ir.to_text(layers, options.length))
        x = np.random.default_rng(0).standard_normal((1, options.length, layers[0].d), dtype=np.float32)
        yield Model(f"{options.model}, {options.layers} layers, {options.length} tokens", path, (), x)
    if options.data:
        x = np.load(options.data / "kwt1_dev.npz")["x"][:1]
        yield Model("keyword transformer", options.data / "kwt1.onnx", ("--to=tokens",), x)
    if options.data and options.recogniser:
        tensor = "transpose_43.tmp_0"
        x = np.load(options.data / "svtr_dev.npz")["x384"][:1]
        yield Model("text recogniser, 384 tokens", options.recogniser,
                    (f"--from={tensor}", "--to=p2o.Add.271", f"--shape={tensor}:1x{x.shape[1]}x120"), x)


def table(folder, model, only):
    print(f"\n{model.name}:\n")
    print("| change | " + " | ".join(f"{preset}: cycles (times the first row's), DRAM MB, uJ" for preset in PRESETS)
          + " | mm2 |")
    print("|---|" + "---|" * (len(PRESETS) + 1))
    usual = {}
    machine = json.loads((ROOT / "machines" / "fact-28nm.json").read_text())
    for name, flags, change, presets in CHANGES:
        if only not in name and name != CHANGES[0][0]:
            continue
        changed = copy.deepcopy(machine)
        if change:
            change(changed)
            changed["name"] = "changed"
        cells, area = [], ""
        for preset in PRESETS:
            if preset not in presets:
                cells.append("")
                continue
            try:
                report = model.report(folder, preset, changed, flags)
            except tools.ToolError as error:
                cells.append(str(error).rpartition("error: ")[2][:60])
                continue
            cycles, energy = report["cycles"], report["energy_pj"]
            usual.setdefault(preset, cycles)
            total = sum(value for part, value in energy.items() if part != "core_per_mac_slot")
            how = f" ({cycles / usual[preset]:.2f})" if name != CHANGES[0][0] else ""
            moved = report["dram_bytes"]
            moved = sum(moved.values()) if isinstance(moved, dict) else moved
            cells.append(f"{cycles:,}{how}, {moved / 1e6:.1f}, {total / 1e6:.0f}")
            area = report["area_mm2"]
            area = f"{area['total'] if isinstance(area, dict) else area:.2f}"
        print(f"| {name} | " + " | ".join(cells) + f" | {area} |", flush=True)


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--model", choices=sorted(linalg_ir.MODELS), default="bert-base")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--recogniser", type=pathlib.Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fact-bench-") as name:
        folder = pathlib.Path(name)
        for model in models(folder, options):
            table(folder, model, options.only)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except tools.ToolError as error:
        sys.exit(f"ablations.py: error: {error}")
