# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes a tool that is wrong in one way, to be found by check-random.

usage: wrong_tool.py TOOL one-bit|refusal|crash FOLDER

one-bit: runs TOOL, then flips the last bit of the first value of its first output.
"""
import pathlib
import shutil
import sys

BODY = {
    "one-bit": """
import numpy, subprocess
status = subprocess.run([TOOL, *sys.argv[1:]]).returncode
path = next(a[len("--output="):] for a in sys.argv if a.startswith("--output="))
if not status:
    y = numpy.load(path)
    y.view("u4").ravel()[0] ^= 1
    numpy.save(path, y)
sys.exit(status)
""",
    "refusal": "sys.exit('%s: error: not today' % TOOL.rpartition('/')[2])\n",
    "crash": "import os; os.abort()\n",
}


def main(tool, how, folder):
    path = pathlib.Path(folder) / tool
    path.write_text(f"#!/usr/bin/python3\nimport sys\nTOOL = {shutil.which(tool)!r}\n{BODY[how]}")
    path.chmod(0o755)


main(*sys.argv[1:])
