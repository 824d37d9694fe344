# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Machine descriptions that are wrong in one way each, for fact-compile --machine.

usage: check_machines.py FOLDER DESCRIPTION

FOLDER has l.mlir and an older old.fact; DESCRIPTION is right. Prints what was not
refused as it should be, and a count.
"""
import json
import pathlib
import sys

from refuse import refuse

folder, right = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text()
CASES = []  # text, what is said


def case(path, value, said):
    """A description with another value at 'a.b.c'; None: without it."""
    machine = json.loads(right)
    *groups, key = path.split(".")
    group = machine
    for name in groups:
        group = group[name]
    if value is None:
        del group[key]
    else:
        group[key] = value
    CASES.append((json.dumps(machine), said))


# The text.
CASES += [
    ("", "wrong.json:1:1: "),
    (right[:1000], "wrong.json:"),
    (right + "x", "wrong.json:"),
    ("\x00\xff", "wrong.json:1:1: "),
    ("[" * 100000, "nested too deeply"),
    ("[]", "the description must be an object (was [])"),
    (right.replace('"clock_mhz": 500', '"clock_mhz": NaN'), "wrong.json:3:"),
    (right.replace('"clock_mhz": 500', '"clock_mhz": 1e999'), "machine description 'wrong.json': "),
    (right.replace('"clock_mhz": 500', '"clock_mhz": 500, "clock_mhz": 500'), 'field "clock_mhz" occurs twice'),
    (right.replace('"rows": 8', '"rows": 8, "rows": 8'), 'field "rows" occurs twice'),
]

# Fields.
case("ep", None, "field 'ep' is missing")
case("dram.latency_ns", None, "field 'dram.latency_ns' is missing")
case("colour", "red", "'colour' is not a field of a machine description (was \"red\")")
case("control.semaphores", 1024, "'control.semaphores' is not a field of a machine description (was 1024)")
case("npu", {"rows": 8}, "'npu' is not a field of a machine description")
case("buffers.cache", {}, "'buffers.cache' is not a field of a machine description")
case("pe", [8, 64], "'pe' must be an object (was [8,64])")
case("name", 28, "'name' must be a string (was 28)")
case("name", "", "'name' must have 1 to 200 characters")
case("diagonal_storage", 1, "'diagonal_storage' must be true or false (was 1)")

# Numbers.
case("pe.rows", "8", "'pe.rows' must be an integer (was \"8\")")
case("pe.rows", 8.5, "'pe.rows' must be an integer (was 8.5)")
for value in (0, -8, 1025, 2 ** 63, 10 ** 18):
    case("pe.rows", value, f"'pe.rows' must be in the range 1 to 1024 (was {value})")
case("pe.rows", 10 ** 40, "'pe.rows' must be an integer (was 1e+40)")
case("clock_mhz", 0, "'clock_mhz' must be in the range 1.0 to 100000.0 (was 0)")
case("dram.gigabytes_per_second", 0, "'dram.gigabytes_per_second' must be in the range")
case("energy_pj.dram_bit.value", -1, "'energy_pj.dram_bit.value' must be in the range")
case("buffers.temp.bytes", 1025, "must be a multiple of banks * word_bytes = 1024 (was 1025)")
case("buffers.temp.bytes", 512, "'buffers.temp.bytes' must be in the range 1024 to 16777216 (was 512)")
case("buffers.temp.bytes", 2 ** 24, "the buffers must have at most 16777216 bytes together")
case("buffers.temp.banks", 12, "'buffers.temp.banks' must be a power of two (was 12)")

# Machines that this model cannot be compiled for.
case("control.registers", 1, "needs more scalar registers than there are (1)")

failed = 0
for text, said in CASES:
    (folder / "wrong.json").write_text(text, encoding="latin-1")
    wrong = refuse(folder, 1, said, ["fact-compile", "l.mlir", "--machine=wrong.json", "-o", "old.fact"])
    if wrong:
        failed += 1
        print(wrong)
print(f"{len(CASES)} machines, {failed} failed")
sys.exit(failed != 0)
