#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Plants faults in the lowerings, one by one, and says which seed finds each first.

usage: check_mutations.py [--count=200] [--jobs=N] [--only=WORD] [--list]

Every mutation changes a few words of a source file, builds the tools in build/
(FACT_BUILD_DIR), runs the seeds 1, 2, ... of check-random until one fails that
did not fail before, and takes the change back. Prints a Markdown table. Exit
status 1 if a mutation was not found. --list only says whether the sources still
have the words.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from fact.options import OptionParser

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("FACT_BUILD_DIR", ROOT / "build"))
TOOLS = ("fact-compile", "fact-objdump", "fact-run", "fact-sim")
BATCH = 10

# (name, what it does, file, text that stands there once, text in its place)
ISA, LOOPS = "lib/Conversion/FactToFactISA/", "lib/Conversion/FactToLoops/"
MUTATIONS = (
    ("FACT: drop a store", "the argmax of a select is not stored", ISA + "Selection.cpp",
     "storeRows(*argmax, argmaxRows, head, row0, rows);", ""),
    ("FACT: drop a store of several", "only the first head's scales are stored", ISA + "RowGroup.cpp",
     "plane < staged.layout.planes; ++plane)\n    lowering.storeRows", "plane < 1; ++plane)\n    lowering.storeRows"),
    ("FACT: swap two operands", "gamma and beta of a layer norm", ISA + "RowGroup.cpp",
     "*gamma, *beta,", "*beta, *gamma,"),
    ("FACT: forget a second reader", "an activation works in place although others read its operand", ISA + "RowGroup.cpp",
     "if (!isLastReader(op, operand))", "if (lowering.isConstant(operand))"),
    ("FACT: shorten a buffer", "half of the scores of a block of rows", ISA + "Attention.cpp",
     'sram(Memory::Temp, rows * width * 4, "scores")', 'sram(Memory::Temp, rows * width * 2, "scores")'),
    ("FACT: skip a token", "the load of an iteration does not wait for the iteration before", "lib/ISA/OrderEngines.cpp",
     "found[dependence.region].push_back(dependence);",
     "if (dependence.distance == 0)\n        found[dependence.region].push_back(dependence);"),
    ("CPU: drop a store", "the end of an activated row that fills no vector", LOOPS + "PanelRows.cpp",
     "e.storeChunk(activate(", "if (width == n)\n      e.storeChunk(activate("),
    ("CPU: swap two operands", "a norm adds gamma in beta's place", LOOPS + "PanelRows.cpp",
     "normal + ofColumns(beta,", "normal + ofColumns(gamma,"),
    ("CPU: shorten a loop", "the mean token leaves the last token out", LOOPS + "MeanToken.cpp",
     "e.index(1), length, 1, [&]", "e.index(1), e.sub(length, e.index(1)), 1, [&]"),
    ("CPU: forget a correction", "sums of unsigned rows begin at 0 in columns of the second group on", LOOPS + "PackWeights.cpp",
     "corrections[first + column] -= 128 * code;", "if (group == 0)\n          corrections[first + column] -= 128 * code;"),
    ("CPU: keep a tie too many", "of scores that are equal to the threshold", LOOPS + "ThresholdSearch.cpp",
     "e.sub(want, found.reachHigh)", "e.sub(e.add(want, one), found.reachHigh)"),
    ("CPU: count another row", "the scores of the first row of those that are searched together", LOOPS + "RowScores.cpp",
     "e.add(e.mul(i, padded), e.mul(chunk, n))", "e.mul(chunk, n)"),
    ("CPU: forget the end", "what lies behind a row's kept scores counts", LOOPS + "KeptKeys.cpp",
     "e.storeChunk(low, memory.keptScores, count, floats);", ""),
)


def build():
    done = subprocess.run(["ninja", "-C", str(BUILD), *TOOLS], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout[-2000:])


def failing(first, count, jobs):
    """{seed: what differs} of some seeds."""
    with tempfile.TemporaryDirectory() as keep:
        done = subprocess.run([sys.executable, str(ROOT / "utils" / "check_random.py"), f"--seed={first}", f"--count={count}",
                               f"--jobs={jobs}", "--no-reduce", f"--keep={keep}"], capture_output=True, text=True)
    return {int(seed): what for seed, what in re.findall(r"^failed: seed (\d+): (.*?); repeat: ", done.stdout, re.MULTILINE)}


def main():
    parser = OptionParser(prog="check_mutations.py", description=__doc__)
    parser.add_argument("--count", type=int, default=200, metavar="N")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--only", default="", metavar="WORD", help="only mutations whose name contains it")
    parser.add_argument("--list", action="store_true", help="print the mutations and change nothing")
    options = parser.parse_args()
    before = {}  # seeds that fail as it is, as far as they were needed
    mutations = [m for m in MUTATIONS if options.only in m[0]]
    for name, what, file, old, _ in mutations:
        times = (ROOT / file).read_text().count(old)
        if times != 1:
            sys.exit(f"check_mutations.py: '{file}' must have '{old}' once (was {times} times): it has changed, and so must "
                     f"the mutation '{name}'")
        if options.list:
            print(f"{name}: {what}")
    if options.list:
        return 0
    missed = 0
    print("| mutation | what it does | first seed | what the seed says |\n|---|---|---|---|", flush=True)
    for name, what, file, old, new in mutations:
        path = ROOT / file
        text = path.read_text()
        found = None
        try:
            path.write_text(text.replace(old, new))
            build()
            for first in range(1, options.count + 1, BATCH):
                count = min(BATCH, options.count + 1 - first)
                now = failing(first, count, options.jobs)
                if not now:
                    continue
                # Which of them failed without the fault?
                if first not in before:
                    path.write_text(text)
                    build()
                    before[first] = failing(first, count, options.jobs)
                    path.write_text(text.replace(old, new))
                    build()
                fresh = [seed for seed in sorted(now) if before[first].get(seed) != now[seed]]
                if fresh:
                    found = fresh[0], now[fresh[0]]
                    break
        finally:
            path.write_text(text)
        missed += found is None
        seed, said = found or ("none", "")
        print(f"| {name} | {what} | {seed} | {said.replace('|', ' ')} |", flush=True)
    build()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
