#!/usr/bin/env python3
"""Holds the way in against a folder of ONNX models: see utils/check-corpus."""

import collections
import csv
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

from fact.options import OptionParser

TOLERANCE = 1e-4  # of the largest element of an output


class Failure(Exception):
    pass


def run(*command):
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=600)
    if done.returncode not in (0, 1):
        raise Failure(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done


def error_of(done):
    lines = [line for line in done.stderr.splitlines() if ": error: " in line]
    return (lines or [done.stderr.strip() or "no message"])[0]


def read_vectors(path):
    """Inputs and outputs by name, in the file's order."""
    inputs, outputs = {}, {}
    with np.load(path) as archive:
        for key in archive.files:
            if key.startswith("out:") or key == "y":
                outputs[key.removeprefix("out:")] = archive[key]
            else:
                inputs[key.removeprefix("in:")] = archive[key]
    return inputs, outputs


def arguments(model):
    """Names of the inputs and results of a model, in the order of its function."""
    done = run("fact-compile", model, "--emit=imported")
    if done.returncode != 0:
        raise Failure(error_of(done))
    header = next(line for line in done.stdout.splitlines() if "func.func @main" in line)
    before, _, after = header.partition("->")
    return [re.findall(r'fact\.name = "([^"]*)"', part) for part in (before, after)]


def count_attentions(text):
    """Attentions that a call of main does, through all functions that it calls."""
    own, calls, name = collections.Counter(), collections.defaultdict(list), None
    for line in text.splitlines():
        if found := re.search(r"func\.func .*?@(\w+)\(", line):
            name = found.group(1)
        own[name] += len(re.findall(r"= fact\.attention ", line))
        calls[name] += re.findall(r"(?:func\.)?call @(\w+)\(", line)
    return (lambda count: count("main", count))(lambda f, count: own[f] + sum(count(g, count) for g in calls[f]))


def check_attentions(model, expected):
    done = run("fact-compile", model, "--emit=raised")
    if done.returncode != 0:
        raise Failure(error_of(done))
    found = count_attentions(done.stdout)
    if found != int(expected):
        raise Failure(f"{found} attentions are recognised, not {expected}")


def check_model(model, expected):
    """The whole model in float32 against the reference's outputs."""
    inputs, outputs = read_vectors(model.with_suffix(".npz"))
    taken, made = arguments(model)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        flags = []
        for i, name in enumerate(taken):
            np.save(folder / f"in{i}.npy", inputs[name])
            flags.append(f"--input={folder / f'in{i}.npy'}")
        flags += [f"--output={folder / f'out{i}.npy'}" for i in range(len(made))]
        done = run("fact-run", model, "--reference=f32", *flags)
        if done.returncode != 0:
            raise Failure(error_of(done))
        for i, name in enumerate(made):
            want = outputs[name] if name in outputs else next(iter(outputs.values()))
            got = np.load(folder / f"out{i}.npy")
            if got.shape != want.shape:
                raise Failure(f"output '{name}' has shape {got.shape}, not {want.shape}")
            worst = np.abs(got.astype(np.float64) - want).max() if want.size else 0
            if not worst <= TOLERANCE * max(np.abs(want).max(), 1e-30):
                raise Failure(f"output '{name}' differs by {worst:g}, the largest element is {np.abs(want).max():g}")


def check_program(model, expected):
    with tempfile.TemporaryDirectory() as folder:
        done = run("fact-compile", model, "-o", pathlib.Path(folder) / "m.fact")
    if (done.returncode == 0) != (expected != "no"):
        raise Failure(error_of(done) if done.returncode else "becomes a program")


def check_explained(model):
    """A layer of a kind that is still to come: what is around it becomes a program, or an error says what is in the
    way, at a node."""
    with tempfile.TemporaryDirectory() as folder:
        done = run("fact-compile", model, "-o", pathlib.Path(folder) / "m.fact")
    if done.returncode != 0 and not re.search(r'error: "[^"]+": ', done.stderr):
        raise Failure(error_of(done))


def main():
    parser = OptionParser(description="Hold the way in against a folder of ONNX models.")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--filter", default="")
    parser.add_argument("--known", type=pathlib.Path)
    parser.add_argument("--columns", default="attentions,program,model")
    options = parser.parse_args()
    columns = {"attentions": check_attentions, "program": check_program, "model": check_model}
    known = set(options.known.read_text().split("\n")) if options.known else set()
    passed = failed = 0
    with open(options.folder / "expect.tsv", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            if options.filter not in row["file"]:
                continue
            for column in options.columns.split(","):
                if column == "model" and row["model"] != "yes":
                    continue
                model = options.folder / (row["file"] + ".onnx")
                try:
                    if "section 10" in row["note"] and column != "model":
                        check_explained(model)
                    else:
                        columns[column](model, row[column])
                    passed += 1
                    if f"{row['file']} {column}" in known:
                        print(f"PASSES {row['file']} {column}, which is known not to")
                except Failure as failure:
                    if f"{row['file']} {column}" in known:
                        continue
                    failed += 1
                    print(f"FAIL {row['file']} {column}: {failure}")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
