"""Checks what fact-sim says of a run against the report of the same run.

usage: check_summary.py SAID REPORT
"""
import json
import re
import sys

with open(sys.argv[1]) as file:
    said = file.read()
with open(sys.argv[2]) as file:
    report = json.load(file)


def near(text, value, digits=0.051):
    assert abs(float(text) - value) <= digits, (text, value)


cycles = report["cycles"]
assert f"{report['length']} tokens: {cycles} cycles" in said
bounds = report["bound_cycles"]
for name, engine in report["engines"].items():
    line = re.search(rf"^  {name} .*$", said, re.MULTILINE)[0]
    near(re.search(r"([\d.]+) %", line)[1], 100 * engine["busy"] / cycles)
    if name != "STORE":
        # A bound is in whole cycles in the report.
        near(re.findall(r"([\d.]+) %", line)[1], 100 * bounds["dram" if name == "LOAD" else name] / cycles,
             0.051 + 100 / cycles)
    for cause, wait in engine["wait"].items():
        found = re.search(rf"{cause} ([\d.]+) %", line[8:])
        assert bool(found) == (100 * wait >= cycles), (name, cause)
        if found:
            near(found[1], 100 * wait / cycles)
energy = report["energy_pj"]
core = sum(part["core_pj"] for part in report["parts"].values()) + energy["static"]
total, of_core, watts, dram = map(float, re.search(r"energy +(\S+) uJ: core (\S+) \((\S+) W\), DRAM (\S+)", said).groups())
for text, value in ((total, (core + energy["dram"]) / 1e6), (of_core, core / 1e6), (watts, core / 1e12 / report["seconds"]),
                    (dram, energy["dram"] / 1e6)):
    assert abs(text - value) <= 1e-3 * value * 5, (text, value)
near(re.search(r"area +(\S+)", said)[1], report["area_mm2"]["total"], 0.0051)
done = sum(report["macs"].values()) / sum(report["dense_macs"].values())
near(re.search(r"multiply-accumulates +(\S+) %", said)[1], 100 * done)
