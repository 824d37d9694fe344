#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Runs a tool on damaged copies of a file; every run must refuse it cleanly.

usage: damage_file.py FILE [--count=N] [--seed=S] [--jobs=N] [--first=BYTES] [--may-pass]
                      [--memory=MIB] [--timeout=SECONDS] -- TOOL ARGUMENT...

Half of the copies have one bit flipped, anywhere; the others are cut off,
anywhere (with --first within so many bytes). `@` in an argument stands for the copy, `@out` for a file that the
tool must not leave behind. A run is right if it exits with 1, says exactly one
error on stderr, prints nothing on stdout and leaves no output. A format without
checksums (--may-pass) also has copies that are right files with another
contents: a run may then exit with 0 instead, without an error. Every run has
only so much address space (--memory) and time (--timeout). Prints the seed,
what went wrong, and a count; the exit status is 1 if anything did.
"""
import concurrent.futures
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import numpy as np

from fact.options import OptionParser


def damaged(data, first, rng):
    """(what, bytes) of one damaged copy."""
    position = int(rng.integers(min(first, len(data))))
    if rng.random() < 0.5:
        bit = int(rng.integers(8))
        copy = bytearray(data)
        copy[position] ^= 1 << bit
        return f"bit {bit} of byte {position} flipped", bytes(copy)
    return f"cut off after {position} bytes", data[:position]


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    split = sys.argv.index("--")
    command = sys.argv[split + 1:]
    parser = OptionParser(description=__doc__)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--first", type=int, default=sys.maxsize)
    parser.add_argument("--may-pass", action="store_true")
    parser.add_argument("--memory", type=int, default=4096)
    parser.add_argument("--timeout", type=float, default=60)
    options = parser.parse_args(sys.argv[1:split])
    data = options.file.read_bytes()
    print(f"seed {options.seed}", flush=True)
    passed = 0

    # The runs inherit it.
    if "FACT_SANITIZE" not in os.environ:  # AddressSanitizer reserves terabytes
        resource.setrlimit(resource.RLIMIT_AS, (options.memory << 20, options.memory << 20))

    def check(number, scratch):
        nonlocal passed
        what, copy = damaged(data, options.first, np.random.default_rng([options.seed, number]))
        path = scratch / f"{number}{options.file.suffix}"
        out = scratch / f"{number}.out"
        path.write_bytes(copy)
        arguments = [a.replace("@out", str(out)).replace("@", str(path)) for a in command]
        try:
            run = subprocess.run(arguments, capture_output=True, text=True, errors="replace",
                                 timeout=options.timeout)
            said = [line for line in run.stderr.splitlines() if "error:" in line]
            wrong = []
            accepted = options.may_pass and run.returncode == 0
            passed += accepted
            if run.returncode != 1 and not accepted:
                wrong.append(f"exit status {run.returncode}: {run.stderr[:200]!r}")
            elif len(said) != (0 if accepted else 1):
                wrong.append(f"{len(said)} errors on stderr: {run.stderr[:200]!r}")
            if run.stdout and not accepted:
                wrong.append("output on stdout")
        except subprocess.TimeoutExpired:
            wrong = [f"no end after {options.timeout:g} s"]
            accepted = False
        # Under its own name, or under that of an unfinished file.
        for left in [out.exists() and out, *scratch.glob(f"{number}.out.*")]:
            if left:
                if not accepted or left != out:
                    wrong.append(f"'{left.name}' was left behind")
                left.unlink()
        path.unlink()
        return f"{what}: {'; '.join(wrong)}" if wrong else None

    with tempfile.TemporaryDirectory(prefix="fact-damage-") as scratch, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda n: check(n, pathlib.Path(scratch)), range(options.count)))
    wrong = [text for text in results if text]
    for text in wrong[:20]:
        print(text)
    if options.may_pass:
        print(f"{options.count - len(wrong)} of {options.count} damaged files were refused or right ({passed} right)")
    else:
        print(f"{options.count - len(wrong)} of {options.count} damaged files were refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
