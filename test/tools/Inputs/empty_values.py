# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Gives each option of a tool that takes a value an empty one.

usage: empty_values.py FOLDER TOOL "OTHER ARGUMENTS"

The options are those of the tool's --help, so that a new one is tested, too.
"""
import pathlib
import re
import subprocess
import sys

from refuse import refuse


def main(folder, tool, others):
    folder = pathlib.Path(folder)
    text = subprocess.run([tool, "--help"], capture_output=True, text=True, check=True).stdout
    # "  --keep TEXT  kept share ..." has a value, "  --dense  ..." has none.
    options = re.findall(r"^ +(?:-\w,)?(--[\w-]+) [A-Z]+[ :.]", text, re.M)
    wrong = []
    for option in options:
        given = [a for a in others.split() if not a.startswith(option + "=")]
        wrong.append(refuse(folder, 2, f"a value must follow '{option}='", [tool, *given, option + "="]))
        wrong.append(refuse(folder, 2, option, [tool, *given, option, ""]))
    wrong.append(refuse(folder, 2, "a value must follow '--no-such='", [tool, *others.split(), "--no-such="]))
    print(f"{tool}: {len(options)} options")
    sys.exit("\n".join(filter(None, wrong)) or 0)


main(*sys.argv[1:])
