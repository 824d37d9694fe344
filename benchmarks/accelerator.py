#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Prints what programs for the accelerator reach, as Markdown tables.

usage: accelerator.py [--model=bert-base] [--layers=N] [--lengths=128,512,...]
                      [--presets=dense,paper,balanced,fast] [--machine=FILE...]
                      [--shares [--plot=FILE.svg] | --prediction]

Layers have random weights, so that masks are those of no trained model. One
table per machine: cycles, the largest bound (an engine's own work at full rate,
or DRAM's), their ratio, the share of cycles in which the multiplier array waits
for prediction, the speed over the dense program, and energy. --shares: what the
dense model spends where, by length (the reason to skip work in all parts); with
--plot (needs Debian's python3-matplotlib) also drawn. --prediction: what
prediction and selection cost, in cycles of their engines and energy, and what
they save, in cycles of the multiplier array for each part of a layer.
"""
import pathlib
import sys
import tempfile

import numpy as np

from fact import linalg_ir, tools
from fact.options import OptionParser

ROOT = pathlib.Path(__file__).resolve().parents[1]
PARTS = ("qkv", "attention", "output", "ffn")


def report_of(folder, layers, length, preset, machine):
    """The simulator's report of a model at its longest sequence."""
    model, program = folder / "model.mlir", folder / "model.fact"
    model.write_text(linalg_ir.to_text(layers, length))
    x = np.random.default_rng(0).standard_normal((1, length, layers[0].d), dtype=np.float32)
    tools.compile_program(model, program, f"--preset={preset}", f"--machine={machine}")
    return tools.simulate(program, [x])[1]


def ratio_table(folder, layers, lengths, presets, machine):
    print("| preset | L | cycles | bound | ratio | PE waits for EP, SEL | speed over dense | core uJ | DRAM uJ | pJ per MAC slot |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    dense = {}
    for preset in presets:
        for length in lengths:
            report = report_of(folder, layers, length, preset, machine)
            cycles = report["cycles"]
            if preset == "dense":
                dense[length] = cycles
            engine, bound = max(report["bound_cycles"].items(), key=lambda item: item[1])
            wait = report["engines"]["PE"]["wait"]
            waits = (wait.get("EP", 0) + wait.get("SEL", 0)) / cycles
            speed = f"{dense[length] / cycles:.2f}x" if length in dense else ""
            energy = report["energy_pj"]
            core = energy["core_per_mac_slot"]
            total = sum(value for name, value in energy.items() if name not in ("dram", "core_per_mac_slot"))
            print(f"| {preset} | {length} | {cycles:,} | {bound:,} ({engine}) | {cycles / bound:.3f} | {100 * waits:.1f} % | "
                  f"{speed} | {total / 1e6:.0f} | {energy['dram'] / 1e6:.0f} | {core:.2f} |", flush=True)


def shares_table(folder, layers, lengths, machine):
    print("| L | " + " | ".join(f"{part}: cycles, energy" for part in PARTS) + " |")
    print("|---|" + "---|" * len(PARTS))
    shares = {key: [] for key in ("array_cycles", "core_pj")}
    for length in lengths:
        parts = report_of(folder, layers, length, "dense", machine)["parts"]
        for key, rows in shares.items():
            total = sum(parts[part][key] for part in PARTS)
            rows.append([100 * parts[part][key] / total for part in PARTS])
        cells = (f"{cycles:.1f} %, {energy:.1f} %" for cycles, energy in zip(*(rows[-1] for rows in shares.values())))
        print(f"| {length} | " + " | ".join(cells) + " |", flush=True)
    return shares


def prediction_table(folder, layers, lengths, presets, machine):
    print("| preset | L | cycles | us | " + " | ".join(f"PE: {part}" for part in PARTS) +
          " | EP | SEL | prediction uJ | core uJ | scores, K kept |")
    print("|---|---|---|---|" + "---|" * len(PARTS) + "---|---|---|---|---|")
    for length in lengths:
        for preset in presets:
            report = report_of(folder, layers, length, preset, machine)
            parts, engines, energy = report["parts"], report["engines"], report["energy_pj"]
            arrays = (f"{parts[part]['array_cycles']:,}" for part in PARTS)
            core = sum(value for name, value in energy.items() if name not in ("dram", "core_per_mac_slot"))
            kept = (100 * np.mean([layer[share] for layer in report["layers"]]) for share in ("kept_scores", "kept_k"))
            print(f"| {preset} | {length} | {report['cycles']:,} | {1e6 * report['seconds']:,.0f} | {' | '.join(arrays)} | "
                  f"{engines['EP']['busy']:,} | {engines['SEL']['busy']:,} | {parts['prediction']['core_pj'] / 1e6:.0f} | "
                  f"{core / 1e6:.0f} | {', '.join(f'{share:.0f} %' for share in kept)} |", flush=True)


def plot(shares, lengths, path):
    """Stacked bars of the shares, by length: cycles of the array, energy of the core."""
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "fact"  # the same figure gives the same file
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(1, len(shares), figsize=(9, 3.5), sharey=True)
    for axis, title, rows in zip(axes, ("cycles of the multiplier array", "energy of the core"), shares.values()):
        below = np.zeros(len(lengths))
        for part, column in zip(PARTS, np.transpose(rows)):
            axis.bar([str(length) for length in lengths], column, bottom=below, label=part)
            below += column
        axis.set(title=title, xlabel="tokens")
    axes[0].set_ylabel("share in %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncol=len(PARTS))
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = OptionParser(description=__doc__)
    parser.add_argument("--model", choices=sorted(linalg_ir.MODELS), default="bert-base")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--lengths", default="128,512,1024,2048")
    parser.add_argument("--presets", default="dense,paper,balanced,fast")
    parser.add_argument("--machine", type=pathlib.Path, action="append")
    parser.add_argument("--shares", action="store_true")
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--prediction", action="store_true")
    options = parser.parse_args()
    try:
        lengths = [int(length) for length in options.lengths.split(",")]
    except ValueError:
        parser.error(f"--lengths must be numbers (was '{options.lengths}')")
    if options.shares and options.prediction:
        parser.error("--shares and --prediction are two tables")
    if options.plot and not options.shares:
        parser.error("--plot draws what --shares prints")
    layers = linalg_ir.random_model(options.model, options.layers, 0, max(lengths))
    for machine in options.machine or [ROOT / "machines" / "fact-28nm.json"]:
        print(f"\n{options.model}, {options.layers} layers, {machine.stem}:\n")
        with tempfile.TemporaryDirectory(prefix="fact-bench-") as folder:
            if options.shares:
                shares = shares_table(pathlib.Path(folder), layers, lengths, machine)
                if options.plot:
                    plot(shares, lengths, options.plot)
            else:
                table = prediction_table if options.prediction else ratio_table
                table(pathlib.Path(folder), layers, lengths, options.presets.split(","), machine)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except tools.ToolError as error:
        sys.exit(f"accelerator.py: error: {error}")
