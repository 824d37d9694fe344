# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Runs a tool that must refuse what it is given, in one way only.

usage: refuse.py FOLDER [--stdout=FILE] [--file-blocks=N] STATUS TEXT TOOL ARGUMENT...

The tool runs in FOLDER. Right is: it exits with STATUS, says one error on
stderr, in a line `TOOL: error: ...` that contains TEXT, prints nothing on stdout, and
leaves every file of FOLDER as it was: none more, none less, none changed. It
has 4 GiB of address space and 20 seconds. --stdout lets it print to a file (a
device); --file-blocks limits what it may write, as a full disk does.
"""
import os
import pathlib
import resource
import subprocess
import sys


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
            for path in folder.rglob("*")}


def refuse(folder, status, text, command, stdout=subprocess.PIPE):
    """What is wrong with how the tool refused, or None."""
    if "FACT_SANITIZE" not in os.environ:  # AddressSanitizer reserves terabytes
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    before = contents(folder)
    try:
        run = subprocess.run(command, cwd=folder, stdout=stdout, stderr=subprocess.PIPE, encoding="utf-8",
                             errors="replace", timeout=20)
    except subprocess.TimeoutExpired:
        return f"{' '.join(command)}\n  no end after 20 s"
    after = contents(folder)
    said = [line for line in run.stderr.splitlines() if "error:" in line]
    wrong = []
    if run.returncode != status:
        wrong.append(f"exit status {run.returncode}, not {status}")
    if len(said) != 1:
        wrong.append(f"{len(said)} errors, not 1")
    elif not said[0].startswith(f"{command[0]}: error: ") or text not in said[0]:
        wrong.append(f"the error does not say '{text}'")
    if run.stdout:
        wrong.append("something on stdout")
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            wrong.append(f"'{name}' was left behind")
        elif name not in after:
            wrong.append(f"'{name}' is gone")
        elif before[name] != after[name]:
            wrong.append(f"'{name}' was changed")
    return f"{' '.join(command)}\n  {'; '.join(wrong)}\n{run.stderr}" if wrong else None


def main(arguments):
    folder = pathlib.Path(arguments.pop(0))
    options = {}
    while arguments[0].startswith("--"):
        flag, value = arguments.pop(0).split("=")
        if flag == "--stdout":
            options["stdout"] = open(value, "w")
        elif flag == "--file-blocks":
            resource.setrlimit(resource.RLIMIT_FSIZE, (512 * int(value), 512 * int(value)))
        else:
            sys.exit(__doc__)
    status, text, *command = arguments
    sys.exit(refuse(folder, int(status), text, command, **options))


if __name__ == "__main__":
    main(sys.argv[1:])
