#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""The seeds of utils/check-random (which builds first; see its usage)."""
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import numpy as np

from fact import random_ir, tools
from fact.options import OptionParser

ROOT = pathlib.Path(__file__).resolve().parents[1]
# A seed that takes longer than this hangs.
TIMEOUT = 120
# What fact-compile says of a program that its machine is too small for.
TOO_SMALL = re.compile(r"no room in the scratchpad|needs more (semaphores|DRAM|registers)")
SANITIZER = re.compile(r"(AddressSanitizer|UndefinedBehaviorSanitizer|LeakSanitizer|ThreadSanitizer|runtime error): *(.*)")
# What each side says where an overflow leaves the contract.
NO_VALUE = re.compile(r"holds no value|is not finite")


@dataclasses.dataclass
class Side:
    """What one side made of a run: arrays, a refusal, or neither."""
    outputs: list = None
    masks: dict = None
    refusal: str = None
    crash: str = None


def run_tool(tool, *arguments):
    """(exit status, what it said in one line); a status below 0 is a signal."""
    command = [tools.find(tool), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return -1, f"no result after {TIMEOUT} s"
    report = SANITIZER.search(done.stderr)
    if report:
        return -1, report.group(0)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    said = next((line for line in lines if "error: " in line), lines[-1] if lines else "")
    return done.returncode, said


def reason(said):
    """An error without the tool's name and the place in the file."""
    return re.sub(r"^.*?error: (\S+\.mlir:\d+:\d+: )?", "", said)


class Case:
    """One model with all that it runs with, in a folder of its own."""

    def __init__(self, seed, folder, machine=None):
        self.seed, self.folder, self.fixed_machine = seed, folder, machine
        folder.mkdir(parents=True, exist_ok=True)
        self.model = random_ir.model(seed)
        self.ir = folder / "model.mlir"
        self.ir.write_text(self.model.text)
        self.length = random_ir.length_of(seed, self.model)
        self.inputs = []
        for i, array in enumerate(random_ir.inputs(seed, self.model, self.length)):
            self.inputs.append(folder / f"x{i}.npy")
            np.save(self.inputs[-1], array)
        self.flags = random_ir.policy_flags(seed, self.model)
        default = ROOT / "machines" / "fact-28nm.json"
        self.machines = [machine] if machine else [folder / "machine.json", default]
        if not machine:
            self.machines[0].write_text(json.dumps(random_ir.machine(seed, json.loads(default.read_text())), indent=2))
        self.on_larger = False

    # The three sides

    def _arrays(self, name, tool, model, *flags):
        outputs = [self.folder / f"{name}.y{i}.npy" for i in range(self.model.outputs)]
        masks = self.folder / f"{name}.npz"
        for path in (*outputs, masks):
            path.unlink(missing_ok=True)
        status, said = run_tool(tool, model, *(f"--input={x}" for x in self.inputs),
                                *(f"--output={y}" for y in outputs), f"--dump-masks={masks}", *flags)
        if status == 1:
            return Side(refusal=reason(said))
        if status:
            return Side(crash=f"{tool}: " + (f"signal {-status}: " if status < 0 else f"exit status {status}: ") + said)
        with np.load(masks) as file:
            return Side([np.load(y) for y in outputs], dict(file))

    def cpu(self):
        return self._arrays("cpu", "fact-run", self.ir, "--fill-undefined", *self.flags)

    def interpreter(self):
        return self._arrays("interpreter", "fact-run", self.ir, "--reference=numerics", *self.flags)

    def simulator(self):
        program = self.folder / "model.fact"
        for i, machine in enumerate(self.machines):
            self.on_larger = i > 0
            status, said = run_tool("fact-compile", self.ir, "-o", program, f"--machine={machine}", *self.flags)
            if status == 1 and TOO_SMALL.search(said) and i + 1 < len(self.machines):
                continue
            if status == 1:
                return Side(refusal=reason(said))
            if status:
                return Side(crash="fact-compile: " + (f"signal {-status}: " if status < 0 else f"exit status {status}: ") + said)
            return self._arrays("simulator", "fact-sim", program, "--functional", f"--fill-undefined={self.seed % 1000}")

    # The comparison

    def check(self):
        """(kind, what): kind is passed, refused, undefined or failed."""
        sides = {"CPU": self.cpu(), "FACT": self.simulator(), "numerics": self.interpreter()}
        for side in sides.values():
            if side.crash:
                return "failed", side.crash
        refused = {name: side.refusal for name, side in sides.items() if side.refusal is not None}
        if "numerics" in refused and NO_VALUE.search(refused["numerics"]):
            # Nothing says what the others must do, except not to crash.
            return "undefined", refused["numerics"]
        if len(refused) == len(sides) and len(set(refused.values())) == 1:
            return "refused", refused["CPU"]
        if refused:
            others = " and ".join(name for name in sides if name not in refused)
            said = "; ".join(f"{name} refuses: {why}" for name, why in refused.items())
            return "failed", said + (f"; {others} ran" if others else "")
        for name in ("CPU", "FACT"):
            difference = self.difference(sides[name], sides["numerics"])
            if difference:
                agree = {n: s for n, s in sides.items() if n != name and n != "numerics"}
                (other, side), = agree.items()
                blame = name
                if not self.difference(sides[name], side):
                    blame = "CPU and FACT"
                return "failed", f"{blame} {difference}"
        return "passed", ""

    def difference(self, got, expected):
        """The first thing that differs, or None."""
        for i, (a, b) in enumerate(zip(got.outputs, expected.outputs)):
            text = tools.difference(f"y{i}", a, b)
            if text:
                return text
        if set(got.masks) != set(expected.masks):
            return f"masks {sorted(set(got.masks) ^ set(expected.masks))[0]} on one side only"
        for key in sorted(got.masks):
            text = tools.difference(key, got.masks[key], expected.masks[key])
            if text:
                return text
        return None

    def command(self):
        machine = f" --machine={self.fixed_machine}" if self.fixed_machine else ""
        return f"utils/check-random --seed={self.seed} --count=1{machine}"


def run_case(seed, folder, machine, reduce):
    """(seed, kind, what, case or None)."""
    try:
        case = Case(seed, folder, machine)
        kind, what = case.check()
    except Exception as error:  # a seed that breaks must not stop the others
        return seed, "failed", f"{type(error).__name__}: {error}", None
    return seed, kind, what, case


def main():
    parser = OptionParser(prog="check-random")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="first seed")
    parser.add_argument("--count", type=int, default=100, metavar="N", help="number of seeds")
    parser.add_argument("--machine", type=pathlib.Path, metavar="FILE", help="machine for all seeds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="where failing models go")
    parser.add_argument("--no-reduce", action="store_true", help="do not make failing models small")
    options = parser.parse_args()
    if options.seed < 0 or options.count < 1:
        parser.error("--seed must not be negative, --count must be positive")
    if options.machine and not options.machine.is_file():
        parser.error(f"no machine description '{options.machine}'")
    keep = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="check-random-"))
    keep.mkdir(parents=True, exist_ok=True)
    print(f"failing models: {keep}", flush=True)

    count = collections.Counter()
    larger = 0
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        pending = [pool.submit(run_case, seed, keep / str(seed), options.machine, not options.no_reduce)
                   for seed in range(options.seed, options.seed + options.count)]
        for future in pending:
            seed, kind, what, case = future.result()
            count[kind] += 1
            larger += bool(case and case.on_larger)
            if kind != "failed":
                if kind != "passed":
                    print(f"{kind}: seed {seed}: {what}", flush=True)
                shutil.rmtree(keep / str(seed), ignore_errors=True)
                continue
            command = case.command() if case else f"utils/check-random --seed={seed} --count=1"
            file = keep / str(seed) / "model.mlir"
            print(f"failed: seed {seed}: {what}; repeat: {command}; model: {shlex.quote(str(file))}", flush=True)
    if not count["failed"] and not options.keep:
        shutil.rmtree(keep, ignore_errors=True)
    print(f"{count['refused']} refused by all sides, {count['undefined']} without a defined result, "
          f"{larger} on a larger machine than theirs")
    # Seeds that show nothing are no failures, and must be rare to be no danger.
    print(f"{count['passed']} passed, {count['failed']} failed")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
