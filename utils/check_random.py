#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""The seeds of utils/check-random (which builds first; see its usage)."""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from fact import random_ir, tools
from fact.options import OptionParser
from fact.sides import all_sides, difference

ROOT = pathlib.Path(__file__).resolve().parents[1]
# A tool that takes longer than this hangs.
TIMEOUT = 120
# Runs of the three sides that making one model small may take.
REDUCTION_TESTS = 150
# What the interpreter says where nothing is defined: then the others may differ.
NO_VALUE = re.compile(r"holds no value")


class Case:
    """What one seed runs with, in a folder; `create` makes the folder."""

    def __init__(self, seed, folder, machine):
        self.seed, self.folder, self.machine = seed, folder, machine
        self.model = random_ir.model(seed)
        self.flags = random_ir.policy_flags(seed, self.model)
        self.schedule = random_ir.schedule_flags(seed)
        self.cpu = random_ir.cpu_flags(seed)
        self.ir = folder / "model.mlir"
        self.original = folder / "original.mlir"  # of a model in linalg
        default = ROOT / "machines" / "fact-28nm.json"
        self.machines = [machine] if machine else [folder / "machine.json", default]
        self.on_larger = False

    def create(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ir.write_text(self.model.text)
        if self.model.dense:
            self.original.write_text(self.model.dense)
        length = random_ir.length_of(self.seed, self.model)
        tools.save_inputs(self.folder, random_ir.inputs(self.seed, self.model, length))
        if not self.machine:
            description = json.loads(self.machines[1].read_text())
            self.machines[0].write_text(json.dumps(random_ir.machine(self.seed, description), indent=2))

    def check(self, ir, outputs):
        """(kind, what): kind is passed, refused, undefined or failed. The interpreter
        runs the dense original of a model in linalg, which does not shrink with it."""
        plain = self.original if self.model.dense and ir == self.ir else ir
        inputs = [f"--input={self.folder}/x{i}.npy" for i in range(len(self.model.inputs))]
        with tempfile.TemporaryDirectory(prefix="check-random-") as scratch:
            sides = all_sides(scratch, ir, inputs, outputs, self.flags, self.machines, self.seed % 1000, plain, TIMEOUT,
                              self.schedule, self.cpu)
        self.on_larger = sides["FACT"].machine != self.machines[0]
        for side in sides.values():
            if side.crash:
                return "failed", side.crash
        refused = {name: side.refusal for name, side in sides.items() if side.refusal is not None}
        if NO_VALUE.search(refused.get("numerics", "")):
            return "undefined", refused["numerics"]
        if len(refused) == len(sides) and len(set(refused.values())) == 1:
            return "refused", refused["CPU"]
        if refused:
            ran = " and ".join(name for name in sides if name not in refused)
            said = "; ".join(f"{name} refuses: {why}" for name, why in refused.items())
            return "failed", said + (f"; {ran} ran" if ran else "")
        wrong = {name: difference(sides[name], sides["numerics"]) for name in ("CPU", "FACT")}
        wrong = {name: text for name, text in wrong.items() if text}
        if not wrong:
            return "passed", ""
        if len(set(wrong.values())) == 1:  # wrong alike: the fault is in what they share
            return "failed", f"{' and '.join(wrong)} {next(iter(wrong.values()))}"
        return "failed", "; ".join(f"{name} {text}" for name, text in wrong.items())

    # Making a failing model small

    def reduce(self, what):
        """Path of a small model that fails in the same way."""
        smaller = self.folder / "reduced.mlir"
        arguments = [f"--interesting={signature(what)}", f"--seed={self.seed}", f"--keep={self.folder.parent}"]
        if self.machine:
            arguments.append(f"--machine={self.machine}")
        options = f"test={ROOT / 'utils' / 'check_random.py'} max-tests={REDUCTION_TESTS} "
        options += " ".join(f"test-arg={argument}" for argument in arguments)
        done = subprocess.run([tools.find("fact-reduce"), str(self.ir), f"--fact-shrink={options}", "-o", str(smaller)],
                              capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise tools.ToolError(f"{what}; fact-reduce: exit status {done.returncode}: {done.stderr.strip()[:200]}")
        return smaller


def signature(what):
    """What stays of a failure when its model becomes smaller, in one word."""
    text = re.sub(r"(FACT|CPU) refuses: output '\w+' is not finite.*?(;|$).*", r"\1 y", what)  # garbage, too
    text = re.sub(r"\b(y\d+|layer\d+\.(\w+))\[.*?values differ", lambda m: m[2] or "y", text)
    text = re.sub(r"\b(y|layer)\d+\S*", r"\1", text)
    text = re.sub(r"'[^']*'|: .*? (ran|refuses)", r" \1", text)  # which op was first does not count
    return re.sub(r"[^a-zA-Z_.]+", "-", re.sub(r"\d+", "", text))[:120].strip("-")


MAIN = re.compile(r"func\.func @main\((.*)\{$", re.MULTILINE)


def outputs_of(text):
    """Number of results of main."""
    head = MAIN.search(text)[1]
    return head.rpartition("->")[2].count("tensor<")


def run_case(seed, folder, machine, model, reduce):
    """(kind, what, path of the model, whether on a larger machine)."""
    try:
        case = Case(seed, folder, machine)
        case.create()
        outputs = case.model.outputs
        if model:
            shutil.copyfile(model, case.ir)
            outputs = outputs_of(model.read_text())
        kind, what = case.check(case.ir, outputs)
        path = case.ir
        # Steps of fact-reduce are on `fact` IR: a model in linalg stays as it is.
        if kind == "failed" and reduce and not case.model.dense:
            path = case.reduce(what)
        return kind, what, path, case.on_larger
    except Exception as error:  # a seed that breaks must not stop the others
        return "failed", f"{type(error).__name__}: {error}", folder, False


def interesting(wanted, seed, folder, machine, model):
    """Exit status of a script of fact-reduce: 1 where the file fails as the seed's
    model does, which is in the folder."""
    kind, what = Case(seed, folder, machine).check(model, outputs_of(model.read_text()))
    return 1 if kind == "failed" and signature(what) == wanted else 0


def main():
    parser = OptionParser(prog="check-random")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="first seed")
    parser.add_argument("--count", type=int, default=100, metavar="N", help="number of seeds")
    parser.add_argument("--machine", type=pathlib.Path, metavar="FILE", help="machine for all seeds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="where failing models go")
    parser.add_argument("--no-reduce", action="store_true", help="do not make failing models small")
    parser.add_argument("--junit", type=pathlib.Path, metavar="FILE", help="write results as a test runner does (.xml)")
    # For fact-reduce, which calls this script with the path of a smaller model.
    parser.add_argument("--interesting", metavar="SIGNATURE", help=argparse.SUPPRESS)
    parser.add_argument("model", type=pathlib.Path, nargs="?", metavar="MODEL", help="file in place of seed S's model")
    options = parser.parse_args()
    if options.seed < 0 or options.count < 1:
        parser.error("--seed must not be negative, --count must be positive")
    for file, what in ((options.machine, "machine description"), (options.model, "model")):
        if file and not file.is_file():
            parser.error(f"no {what} '{file}'")
    if options.model and any(argument.startswith("--count") for argument in sys.argv):
        parser.error("--count is for models of seeds: MODEL runs with the rest of seed S alone")
    if options.model and not MAIN.search(options.model.read_text(errors="replace")):
        parser.error(f"'{options.model}' has no 'func.func @main'")
    if options.machine:
        with tempfile.TemporaryDirectory() as scratch:
            smallest = pathlib.Path(scratch) / "smallest.mlir"
            smallest.write_text("func.func @main(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {\n  return %x : tensor<1x1xf32>\n}\n")
            status, said = tools.attempt("fact-compile", smallest, "-o", f"{scratch}/p.fact", f"--machine={options.machine}")
        if status:
            parser.error(said.strip())
    machine = options.machine and options.machine.resolve()
    if options.interesting:
        return interesting(options.interesting, options.seed, options.keep / str(options.seed), machine, options.model)
    keep = (options.keep or pathlib.Path(tempfile.mkdtemp(prefix="check-random-"))).resolve()
    keep.mkdir(parents=True, exist_ok=True)
    print(f"failing models: {keep}", flush=True)

    count = collections.Counter()
    larger = 0
    suite = ElementTree.Element("testsuite")
    seeds = range(options.seed, options.seed + (1 if options.model else options.count))
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        pending = [pool.submit(run_case, seed, keep / str(seed), machine, options.model, not options.no_reduce)
                   for seed in seeds]
        for seed, future in zip(seeds, pending):
            kind, what, path, on_larger = future.result()
            count[kind] += 1
            larger += on_larger
            test = ElementTree.SubElement(suite, "testcase", classname="seed", name=str(seed))
            if kind == "failed":
                repeat = f"utils/check-random --seed={seed}" + (f" --machine={machine}" if machine else "")
                repeat += f" {options.model}" if options.model else " --count=1"
                print(f"failed: seed {seed}: {what}; repeat: {repeat}; model: {path}", flush=True)
                ElementTree.SubElement(test, "failure", message=what)
                continue
            if kind != "passed":
                print(f"{kind}: seed {seed}: {what}", flush=True)
            shutil.rmtree(keep / str(seed), ignore_errors=True)
    if not count["failed"] and not options.keep:
        shutil.rmtree(keep, ignore_errors=True)
    if options.junit:
        ElementTree.ElementTree(suite).write(options.junit)
    # Seeds that show nothing are no failures; there must be few.
    print(f"{count['refused']} refused by all sides, {count['undefined']} without a defined result, "
          f"{larger} on a larger machine than theirs")
    print(f"{count['passed']} passed, {count['failed']} failed")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
