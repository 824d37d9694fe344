# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""One model on the CPU path, in the simulator and by the interpreter, with
undefined rows and memory full of garbage: their bits must be the same."""
import dataclasses
import pathlib
import re

from . import tools

# What fact-compile says of a program that its machine is too small for.
TOO_SMALL = re.compile(r"no room in the scratchpad|needs more (DRAM|scalar registers)|needs \d+ tokens")


@dataclasses.dataclass
class Side:
    """What one side made of a run: arrays, a refusal, or neither.

    machine  of a program: the one of `machines` that it is for
    """
    outputs: list = None
    masks: dict = None
    refusal: str = None
    crash: str = None
    machine: object = None


def failure_of(tool, status, said):
    """A Side for an exit status that is not 0."""
    if status == 1:  # without the tool's name and the place in the file
        return Side(refusal=re.sub(r"^.*?error: (\S+\.mlir:\d+:\d+: )?", "", said))
    return Side(crash=f"{tool}: " + (f"signal {-status}" if status < 0 else f"exit status {status}") + f": {said}")


def run_side(folder, name, tool, what, inputs, outputs, *flags, timeout=None):
    """The Side of one tool; `name` is that of its files in `folder`."""
    files = tools.Files(folder, name, outputs, masks=True)
    status, said = tools.attempt(tool, what, *inputs, *files.flags(), *flags, timeout=timeout)
    if status:
        return failure_of(tool, status, said)
    return Side(*files.read()[:2])


def simulator(folder, model, inputs, outputs, flags, machines, garbage, timeout=None, schedule=()):
    """The Side of a program for the first machine that is large enough."""
    program = pathlib.Path(folder) / "model.fact"
    for machine in machines:
        where = [f"--machine={machine}"] if machine else []
        status, said = tools.attempt("fact-compile", model, "-o", program, *where, *flags, *schedule, timeout=timeout)
        if status == 1 and TOO_SMALL.search(said) and machine != machines[-1]:
            continue
        if status:
            side = failure_of("fact-compile", status, said)
        else:
            # A drawn order shows some of what no token orders, the check shows all.
            status, said = tools.attempt("fact-objdump", "--check", program, timeout=timeout)
            side = failure_of("fact-objdump", status, said) if status else run_side(
                folder, "FACT", "fact-sim", program, inputs, outputs, f"--random-schedule={garbage}",
                f"--fill-undefined={garbage}", timeout=timeout)
        side.machine = machine
        return side


def all_sides(folder, model, inputs, outputs, flags=(), machines=(None,), garbage=1, original=None, timeout=None,
              schedule=(), cpu=()):
    """{"CPU": Side, "FACT": Side, "numerics": Side}.

    folder    for files
    inputs    flags that name the inputs (tools.save_inputs)
    outputs   number of the model's outputs
    flags     of a policy
    machines  descriptions for the simulator, None for the default: the first is
              taken that is large enough
    original  what the interpreter runs, if not `model`
    schedule  flags of the program alone
    cpu       flags of the CPU path alone
    """
    def on(name, path, *more):
        return run_side(folder, name, "fact-run", path, inputs, outputs, *more, *flags, timeout=timeout)
    return {
        "CPU": on("CPU", model, "--fill-undefined", *cpu),
        "FACT": simulator(folder, model, inputs, outputs, flags, machines, garbage, timeout, schedule),
        "numerics": on("numerics", original or model, "--reference=numerics"),
    }


def difference(got, expected):
    """The first thing that differs between two sides that ran, or None."""
    for i, (a, b) in enumerate(zip(got.outputs, expected.outputs)):
        text = tools.difference(f"y{i}", a, b)
        if text:
            return text
    if set(got.masks) != set(expected.masks):
        return f"masks: {sorted(set(got.masks) ^ set(expected.masks))[0]} on one side only"
    texts = (tools.difference(key, got.masks[key], expected.masks[key]) for key in sorted(got.masks))
    return next((text for text in texts if text), None)
