#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""The cases of utils/check-golden (which builds first; see its usage)."""
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile
import threading

import numpy as np

from fact import linalg_ir, tools
from fact.options import OptionParser

# A case that takes longer than this hangs.
TIMEOUT = 900
CPU_FLAGS = []  # of fact-run, from the command line
MASKS = ("mask", "dominated", "k_rows", "v_rows", "low")


class Skip(Exception):
    """The case cannot run here; the message says why."""


class Mismatch(Exception):
    """A value that differs; the message says which."""


def compare(what, got, expected):
    """Raises Mismatch unless the arrays have one shape, type and bits."""
    difference = tools.difference(what, got, expected)
    if difference:
        raise Mismatch(difference)


def describe(policy):
    """A policy in a few words."""
    return " ".join(f"{k}={v}" for k, v in policy.items()) or "dense"


class Layer:
    """Cases of one layer_*.npz: one per policy."""

    def __init__(self, path, scratch):
        self.name = path.stem
        self.layer, self.meta, self.arrays = linalg_ir.read_golden(path)
        self.policies = self.meta["policies"]
        self.scratch = scratch
        self.ir = scratch / f"{self.name}.mlir"
        self.lock = threading.Lock()

    def cases(self):
        for i, policy in enumerate(self.policies):
            yield f"{self.name} p{i} ({describe(policy)})", lambda i=i, policy=policy: self.check(i, policy)

    def check(self, i, policy):
        with self.lock:
            if not self.ir.exists():
                with open(self.ir, "w") as out:
                    linalg_ir.write(out, [self.layer], self.meta["L"])
        flags = tools.policy_flags(policy)
        length = [f"--length={self.meta['length']}"] if "length" in self.meta else []
        x = self.arrays["x"][None]
        # With garbage wherever nothing was written: it must not change a bit.
        program = self.scratch / f"{self.name}.p{i}.fact"
        tools.compile_program(self.ir, program, *flags, timeout=TIMEOUT)
        y, _, masks = tools.simulate(program, [x], *length, "--fill-undefined=1", masks=True, timeout=TIMEOUT)
        self.compare("FACT", i, policy, y, masks)
        program.unlink()
        y, masks, _ = tools.run(self.ir, [x], *flags, *length, "--fill-undefined", *CPU_FLAGS, masks=True, timeout=TIMEOUT)
        self.compare("CPU", i, policy, y, masks)

    def compare(self, side, i, policy, y, masks):
        compare(f"{side} y", y, self.arrays[f"p{i}.y"][None])
        for name in MASKS:
            key = f"layer0.{name}"
            if key not in masks:
                raise Mismatch(f"{side}: --dump-masks has no '{key}'")
            compare(f"{side} {name}", masks[key], self.arrays[f"p{i}.{name}"])


class Model:
    """Cases of one model_*.npz: one per input and policy, one program per policy."""

    def __init__(self, path, scratch, folders):
        self.name = path.stem
        self.arrays = dict(np.load(path))
        self.meta = json.loads(self.arrays["meta"].tobytes())
        self.scratch = scratch
        self.inputs = []
        while f"x{len(self.inputs)}" in self.arrays:
            self.inputs.append(self.arrays[f"x{len(self.inputs)}"])
        self.onnx = next((f / self.meta["model"] for f in folders if (f / self.meta["model"]).is_file()), None)
        self.locks = [threading.Lock() for _ in self.meta["policies"]]
        self.failures = {}

    def cases(self):
        for i in range(len(self.inputs)):
            for j, policy in enumerate(self.meta["policies"]):
                yield (f"{self.name} x{i} p{j} ({describe(policy)})",
                       lambda i=i, j=j, policy=policy: self.check(i, j, policy))

    def cut(self):
        """Flags that cut the encoder out and bound its length."""
        name = self.meta.get("from")
        if not name:
            import onnx
            graph = onnx.load(str(self.onnx)).graph
            name = next(v.name for v in graph.input if v.name not in {w.name for w in graph.initializer})
        length, width = max(x.shape[0] for x in self.inputs), self.inputs[0].shape[1]
        flags = [f"--shape={name}:1x{length}x{width}"]
        flags += [f"--{end}={self.meta[end]}" for end in ("from", "to") if end in self.meta]
        return flags

    def program(self, j, flags):
        """The program of policy j, compiled once."""
        path = self.scratch / f"{self.name}.p{j}.fact"
        with self.locks[j]:
            if j in self.failures:
                raise self.failures[j]
            if not path.exists():
                try:
                    tools.compile_program(self.onnx, path, *flags, timeout=TIMEOUT)
                except tools.ToolError as error:
                    self.failures[j] = error
                    raise
        return path

    def check(self, i, j, policy):
        if not self.onnx:
            raise Skip(f"there is no '{self.meta['model']}'")
        flags = [*self.cut(), *tools.policy_flags(policy)]
        program = self.program(j, flags)
        x, expected = self.inputs[i][None], self.arrays[f"x{i}.p{j}.y"][None]
        y, _, _ = tools.simulate(program, [x], timeout=TIMEOUT)
        compare("FACT y", y, expected)
        y, _, _ = tools.run(self.onnx, [x], *flags, *CPU_FLAGS, timeout=TIMEOUT)
        compare("CPU y", y, expected)


def rule_cases(path):
    """Cases of rules.npz: one per rule."""
    from fact import golden_rules
    arrays = dict(np.load(path))
    for name, check in golden_rules.cases(arrays):
        yield f"rule {name}", lambda check=check: [compare(*triple) for triple in check()]


def run_case(check):
    """('passed'|'failed'|'skipped', reason)."""
    try:
        check()
        return "passed", ""
    except Skip as reason:
        return "skipped", str(reason)
    except (Mismatch, tools.ToolError) as reason:
        return "failed", str(reason)
    except Exception as error:  # a case that breaks must not stop the others
        return "failed", f"{type(error).__name__}: {error}"


def main():
    parser = OptionParser(prog="check-golden")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--filter", default="", metavar="SUBSTRING", help="only cases whose name contains it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--cpu", metavar="NAME", help="a processor or a tier for the CPU path")
    parser.add_argument("--emulate", action="store_true", help="a tier that this processor may lack")
    parser.add_argument("--threads", metavar="N", help="threads of the CPU path")
    options = parser.parse_args()
    if options.emulate and not options.cpu:
        parser.error("--emulate needs --cpu")
    CPU_FLAGS.extend([f"--{flag}={value}" for flag, value in (("cpu", options.cpu), ("threads", options.threads)) if value])
    CPU_FLAGS.extend(["--emulate"] * options.emulate)
    folder = options.folder
    files = sorted(folder.glob("layer_*.npz")) + sorted(folder.glob("model_*.npz"))
    rules = folder / "rules.npz"
    if not files and not rules.is_file():
        parser.error(f"no rules.npz, layer_*.npz or model_*.npz in '{folder}'")
    # The user's folders come first; the wrapper's --models is the first of the list.
    models = [*options.models[1:], folder.resolve().parent / "models", folder, *options.models[:1]]

    count = {"passed": 0, "failed": 0, "skipped": 0}
    with tempfile.TemporaryDirectory(prefix="check-golden-") as scratch, \
            concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        scratch = pathlib.Path(scratch)
        cases = []
        sources = [(rules, lambda: rule_cases(rules))] if rules.is_file() else []
        for path in files:
            if path.name.startswith("layer_"):
                sources.append((path, lambda path=path: Layer(path, scratch).cases()))
            else:
                sources.append((path, lambda path=path: Model(path, scratch, models).cases()))
        for path, make in sources:
            try:
                cases += make()
            except Exception as error:  # an unreadable file is one failed case
                def unreadable(error=error):
                    raise error
                cases.append((path.stem, unreadable))
        pending = [(name, pool.submit(run_case, check)) for name, check in cases if options.filter in name]
        for name, future in pending:
            outcome, reason = future.result()
            count[outcome] += 1
            print(f"{outcome}: {name}" + (f": {reason}" if reason else ""), flush=True)
    line = f"{count['passed']} passed, {count['failed']} failed"
    print(line + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
