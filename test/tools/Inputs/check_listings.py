# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Listings that are wrong in one line each, as inputs of fact-as.

usage: check_listings.py FOLDER

FOLDER has l.s, a program's listing, and an older old.fact. Prints what was not
refused as it should be, and a count. fact-as must name the changed line, except
where only the whole program is wrong.
"""
import pathlib
import sys

from refuse import refuse

# The first line that starts with this (spaces aside); what it becomes, None for
# no line; what is said; whether about that line.
CASES = [
    (".program", ".program format=2 isa=6", "format version must be 1", True),
    (".program", ".program format=1 isa=10", "instruction set version must be 9", True),
    (".program", None, "expected '.program' (was '.machine')", True),
    (".machine", ".machine 3", "unexpected text at the end of the line (was '3')", True),
    ('"clock_mhz"', '"clock_mhz": -1,', "'clock_mhz' must be in the range", False),
    ('"clock_mhz"', '"clock_mhz" 1,', "syntax error", False),
    (".dram", ".dram much", "expected a number (was 'much')", True),
    (".dram", ".dram 99999999999999999999999", "expected a number (was '9", True),
    (".dram", ".dram 64", "bytes of DRAM must be in the range", False),
    (".input", '.input "x" float31 [1, ?, 12] bound=40 address=0x0 row_bytes=48', "unknown element type", True),
    (".input", '.input "x float32 [1, ?, 12] bound=40 address=0x0 row_bytes=48', "unterminated string", True),
    (".input", '.input "x" float32 [1, ?, 12] bound=40 address=0x3 row_bytes=48', "must be a multiple of 64", False),
    (".metadata", ".metadata {", "metadata is not valid JSON", False),
    (".source", None, "expected '.source' before the first instruction", True),
    (".source", '.source "a\\q"', "unknown escape in a string", True),
    ("load", "laod dst=[0x0]", "unknown instruction 'laod'", True),
    ("sync", "sync engine=LOAD, times=1, count=2", "'sync': there is no field 'count'", True),
    ("load", "load dst=[0x0]", "'load': field", True),
    ("load", "load dst=[0x0], dst=[0x0]", "'load': field 'dst'", True),
    ("load", "load dst=0", "'load': field 'dst'", True),
    ("sync", "sync engine=LOAD, times=4096", "'sync': field 'times'", True),
    ("sync", "sync engine=NPU, times=1", "'sync': field 'engine'", True),
    ("sync", "sync engine=LOAD, times=1, wait=NPU", "'sync': field 'wait' must be engines like LOAD+PE", True),
    ("sync", "sync engine=LOAD, times=1, wait=APU+APU", "'sync': field 'wait' must be engines like LOAD+PE", True),
    ("sync", "sync engine=LOAD, times=1, wait=LOAD", "field 'wait' must not name its own engine LOAD", False),
    ("sync", "sync engine=LOAD, times=0, wait=APU", "times must be positive (was 0)", False),
    ("loop", "loop rd=64, limit=40, step=64, extra=0, len=true", "'loop': field 'rd'", True),
    ("loop", "loop rd=0, limit=40, step=64, extra=0, len=true", "must not write r0", False),
    ("loop", None, "without 'loop'", False),
    ("endloop", None, "'", False),  # a register of the loop, or the loop's end
    ("halt", None, "the last instruction must be 'halt'", False),
    (".constants", ".constants 5", "data must have 5 bytes", True),
    (".end_program", ".end_program\nhalt", "unexpected text after '.end_program'", False),
    (".end_program", None, "unexpected end of the text", True),
]


def main():
    folder = pathlib.Path(sys.argv[1])
    lines = (folder / "l.s").read_text().splitlines()
    failed = 0
    for start, changed, text, named in CASES:
        index = next(i for i, line in enumerate(lines) if line.strip().split(" ")[0].rstrip(":") == start)
        damaged = lines[:index] + ([] if changed is None else [changed]) + lines[index + 1:]
        (folder / "wrong.s").write_text("\n".join(damaged) + "\n")
        where = f"wrong.s:{index + 1}: " if named else ""
        wrong = refuse(folder, 1, where + text, ["fact-as", "wrong.s", "-o", "old.fact"])
        if wrong:
            failed += 1
            print(f"{start} -> {changed}: {wrong}")
    print(f"{len(CASES)} listings, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
