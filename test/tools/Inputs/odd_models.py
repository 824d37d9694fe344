# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Compiles and runs each module of a file for both targets. Each tool succeeds, or exits
with 1, one error and no output file.

usage: odd_models.py FILE.mlir FOLDER INPUT.npy
"""
import pathlib
import re
import subprocess
import sys


def main(path, folder, x):
    wrong = []
    model, out = pathlib.Path(folder) / "model.mlir", pathlib.Path(folder) / "out.npy"
    commands = [["fact-compile", model, "-o", out], ["fact-compile", "--target=cpu", model, "-o", out],
                ["fact-run", model, f"--input={x}", f"--output={out}"],
                ["fact-run", "--reference=f32", model, f"--input={x}", f"--output={out}"]]
    for i, text in enumerate(pathlib.Path(path).read_text().split("// -----\n")):
        model.write_text(text)
        for command in commands:
            name = " ".join(str(word) for word in command[:2] if word != model)
            result = subprocess.run(command, capture_output=True, text=True, timeout=60)
            errors = re.findall(r"error: .*", result.stderr)
            if result.returncode == 1 and len(errors) == 1 and not out.exists():
                print(f"module {i}: {name}: {errors[0]}")
            elif result.returncode != 0:
                wrong.append(f"module {i}: {name}: exit {result.returncode}\n{result.stderr}")
            out.unlink(missing_ok=True)
    if wrong:
        sys.exit("\n".join(wrong))
    print("all refused or compiled")


main(*sys.argv[1:])
