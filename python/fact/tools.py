# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Runs the command-line tools: compile a model, run it on the CPU, simulate it.

The tools are looked for in $FACT_BIN, else in the build tree that this package
lies in (build/python/fact -> build/bin), else on PATH.
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

# Field of a policy in the golden files -> flag, with the value that a policy
# has where it does not name the field.
POLICY_FLAGS = {
    "keep": ("--keep", 1.0),
    "tail": ("--tail", "none"),
    "dominance": ("--dominance", 0.0),
    "importance": ("--importance", 0.0),
    "low": ("--low-precision", "a4w4"),
    "scope": ("--scope", "ffn"),
    "predictor": ("--predictor", "leading-one"),
}


class ToolError(RuntimeError):
    """A tool that failed; its message is what the tool said."""


def policy_flags(policy):
    """Flags that say every field of a policy (a dict; absent fields as in
    POLICY_FLAGS), so that no preset shines through."""
    unknown = set(policy) - set(POLICY_FLAGS)
    if unknown:
        raise ValueError(f"unknown policy field '{sorted(unknown)[0]}'")
    return [f"{flag}={policy.get(field, default)}" for field, (flag, default) in POLICY_FLAGS.items()]


def bits(array):
    """The array as unsigned integers of its width, so that -0 and NaN count."""
    array = np.ascontiguousarray(array)
    return array.view(np.dtype(f"u{array.dtype.itemsize}"))


def difference(what, got, expected):
    """What differs first between two arrays in shape, type or bits, in a few
    words; None where nothing does. A boolean may be stored as a byte."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return f"{what}: shape {got.shape}, expected {expected.shape}"
    if expected.dtype == bool and got.dtype in (np.uint8, np.int8):
        if np.any(bits(got) > 1):
            return f"{what}: a boolean is neither 0 nor 1"
        got = got.astype(bool)
    if got.dtype != expected.dtype:
        return f"{what}: type {got.dtype}, expected {expected.dtype}"
    different = bits(got) != bits(expected)
    if not different.any():
        return None
    first = tuple(int(i) for i in np.argwhere(different)[0])
    return (f"{what}{list(first)}: {got[first]!r}, expected {expected[first]!r}; "
            f"{int(different.sum())} of {got.size} values differ")


def find(tool):
    """Path of a tool; ToolError where it is not built."""
    folders = [os.environ.get("FACT_BIN"), pathlib.Path(__file__).parents[2] / "bin"]
    for folder in folders:
        if folder and os.access(pathlib.Path(folder) / tool, os.X_OK):
            return str(pathlib.Path(folder) / tool)
    path = shutil.which(tool)
    if not path:
        raise ToolError(f"'{tool}' is not built")
    return path


def call(tool, *arguments, timeout=None):
    """Runs a tool; returns what it printed as (stdout, stderr)."""
    command = [find(tool), *map(str, arguments)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired:
        raise ToolError(f"{tool}: no result after {timeout} s") from None
    if run.returncode:
        lines = [line for line in run.stderr.strip().splitlines() if line.strip()]
        said = next((line for line in lines if "error" in line), lines[-1] if lines else "it said nothing")
        how = f"signal {-run.returncode}" if run.returncode < 0 else f"exit status {run.returncode}"
        raise ToolError(f"{tool}: {how}: {said}")
    return run.stdout, run.stderr


def compile_program(model, output, *flags, timeout=None):
    """fact-compile MODEL -o OUTPUT; returns the tool's messages."""
    return call("fact-compile", model, "-o", output, *flags, timeout=timeout)[1]


def _with_files(tool, model, inputs, flags, masks, report, timeout):
    with tempfile.TemporaryDirectory(prefix="fact-") as folder:
        folder = pathlib.Path(folder)
        arguments = []
        for i, x in enumerate(inputs):
            np.save(folder / f"x{i}.npy", x)
            arguments.append(f"--input={folder}/x{i}.npy")
        arguments.append(f"--output={folder}/y.npy")
        if masks:
            arguments.append(f"--dump-masks={folder}/m.npz")
        if report:
            arguments.append(f"--report={folder}/r.json")
        _, said = call(tool, model, *arguments, *flags, timeout=timeout)
        y = np.load(folder / "y.npy")
        extra = {}
        if masks:
            with np.load(folder / "m.npz") as file:
                extra = dict(file)
        if report:
            extra = json.loads((folder / "r.json").read_text()), extra
        return y, extra, said


def run(model, inputs, *flags, masks=False, timeout=None):
    """fact-run on arrays: (y, masks as {key: array}, messages)."""
    return _with_files("fact-run", model, inputs, flags, masks, False, timeout)


def simulate(program, inputs, *flags, masks=False, timeout=None):
    """fact-sim on arrays: (y, report as a dict, masks as {key: array})."""
    y, (report, found), _ = _with_files("fact-sim", program, inputs, flags, masks, True, timeout)
    return y, report, found
