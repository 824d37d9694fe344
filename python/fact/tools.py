# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Runs the command-line tools: compile a model, run it on the CPU, simulate it.

The tools are looked for in $FACT_BIN, else in the build tree that this package
lies in (build/python/fact -> build/bin), else on PATH.
"""
import json
import os
import pathlib
import re
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
# How a report of a sanitizer begins.
SANITIZER = re.compile(r"(AddressSanitizer|UndefinedBehaviorSanitizer|LeakSanitizer|ThreadSanitizer|runtime error): *(.*)")


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


def _run(tool, arguments, timeout):
    """(exit status, what it said in one line, stdout, stderr) of a tool."""
    command = [find(tool), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired:
        return None, f"no result after {timeout} s", "", ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    said = next((line for line in lines if "error: " in line), lines[-1] if lines else "")
    return done.returncode, said, done.stdout, done.stderr


def attempt(tool, *arguments, timeout=None):
    """Runs a tool that may fail: (exit status, what it said in one line). The
    status is below 0 for a signal, no end in time and what a sanitizer reports."""
    status, said, _, stderr = _run(tool, arguments, timeout)
    report = SANITIZER.search(stderr)
    if status is None or report:
        return -1, report.group(0) if report else said
    return status, said


def call(tool, *arguments, timeout=None):
    """Runs a tool; returns what it printed as (stdout, stderr)."""
    status, said, stdout, stderr = _run(tool, arguments, timeout)
    if status is None:
        raise ToolError(f"{tool}: {said}")
    if status:
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        raise ToolError(f"{tool}: {how}: {said or 'it said nothing'}")
    return stdout, stderr


def median_of(printed):
    """Milliseconds of a call, of what `fact-run --repeat` or a rival's runner printed."""
    return float(re.search(r"median ([0-9.]+) ms", printed).group(1))


def compile_program(model, output, *flags, timeout=None):
    """fact-compile MODEL -o OUTPUT; returns the tool's messages."""
    return call("fact-compile", model, "-o", output, *flags, timeout=timeout)[1]


def save_inputs(folder, inputs):
    """Writes arrays to files; returns the flags that name them."""
    flags = []
    for i, x in enumerate(inputs):
        np.save(pathlib.Path(folder) / f"x{i}.npy", x)
        flags.append(f"--input={folder}/x{i}.npy")
    return flags


class Files:
    """The files that a run writes to a folder, named after `name`: of `outputs`
    outputs, and of masks and a report where asked for."""

    def __init__(self, folder, name, outputs=1, masks=False, report=False):
        folder = pathlib.Path(folder)
        self.outputs = [folder / f"{name}.y{i}.npy" for i in range(outputs)]
        self.masks = folder / f"{name}.npz" if masks else None
        self.report = folder / f"{name}.json" if report else None

    def flags(self):
        """Flags that name the files."""
        named = [("--output", path) for path in self.outputs] + [("--dump-masks", self.masks), ("--report", self.report)]
        return [f"{flag}={path}" for flag, path in named if path]

    def read(self):
        """([output, ...], masks as {key: array}, report as a dict)."""
        masks, report = {}, {}
        if self.masks:
            with np.load(self.masks) as file:
                masks = dict(file)
        if self.report:
            report = json.loads(self.report.read_text())
        return [np.load(path) for path in self.outputs], masks, report


def _with_files(tool, model, inputs, flags, masks, report, timeout):
    with tempfile.TemporaryDirectory(prefix="fact-") as folder:
        files = Files(folder, "run", masks=masks, report=report)
        _, said = call(tool, model, *save_inputs(folder, inputs), *files.flags(), *flags, timeout=timeout)
        return *files.read(), said


def run(model, inputs, *flags, masks=False, timeout=None):
    """fact-run on arrays: (y, masks as {key: array}, messages)."""
    (y,), found, _, said = _with_files("fact-run", model, inputs, flags, masks, False, timeout)
    return y, found, said


def simulate(program, inputs, *flags, masks=False, timeout=None):
    """fact-sim on arrays: (y, report as a dict, masks as {key: array})."""
    (y,), found, report, _ = _with_files("fact-sim", program, inputs, flags, masks, True, timeout)
    return y, report, found
