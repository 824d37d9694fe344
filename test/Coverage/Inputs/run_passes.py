# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Runs each of our passes and pipelines alone on IR that it was not made for: it succeeds or
says in errors why not (exit 0 or 1), and never crashes or hangs.

usage: run_passes.py FACT_OPT FILE.mlir
"""
import re
import subprocess
import sys


def main(tool, path):
    help_text = subprocess.run([tool, "--help"], check=True, capture_output=True, text=True).stdout
    passes = re.findall(r"^ +--(fact(?:isa)?-[a-z0-9-]+)", help_text, re.MULTILINE)
    modules = open(path).read().split("// -----\n")
    wrong = []
    for name in passes:
        run = lambda text: subprocess.run([tool, f"--{name}", "--split-input-file"], input=text, capture_output=True,
                                          text=True, timeout=60)
        if run("// -----\n".join(modules)).returncode in (0, 1):
            continue
        for i, module in enumerate(modules):
            code = run(module).returncode
            if code not in (0, 1):
                wrong.append(f"--{name} on module {i}: exit {code}\n{module}")
    if wrong or not passes:
        sys.exit("\n".join(wrong) or "no passes")
    print(f"{len(passes)} passes on {len(modules)} modules")


main(*sys.argv[1:])
