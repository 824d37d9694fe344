# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes a machine description: the default machine with other sizes.

usage: machine.py OUT.json BUFFER=BYTES... PATH.TO.FIELD=NUMBER...

machine.py small.json token=4096 temp=8192 control.registers=8
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main(out, *changes):
    machine = json.loads((ROOT / "machines" / "fact-28nm.json").read_text())
    machine["name"] = pathlib.Path(out).stem
    for change in changes:
        name, number = change.split("=")
        path = name.split(".") if "." in name else ["buffers", name, "bytes"]
        place = machine
        for key in path[:-1]:
            place = place[key]
        if path[-1] not in place:
            sys.exit(f"machine.py: no field '{name}'")
        place[path[-1]] = int(number)
    pathlib.Path(out).write_text(json.dumps(machine, indent=2) + "\n")


main(*sys.argv[1:])
