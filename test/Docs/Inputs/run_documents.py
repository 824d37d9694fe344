# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Runs the sh blocks of every document of the source tree that has some, but for those
that a lit test of their own runs.

usage: run_documents.py SOURCE_TREE
"""
import pathlib
import re
import subprocess
import sys


def main(source):
    root = pathlib.Path(source)
    runner = root / "utils" / "run_document.py"
    own = "\n".join(path.read_text() for path in (root / "test").rglob("*.test"))
    wrong, ran = [], []
    tracked = [path for folder in ("", "docs", "examples", "benchmarks", "python", "utils", "test", "tools")
               for path in (root.glob("*.md") if not folder else (root / folder).rglob("*.md"))]
    for path in sorted(tracked):
        name = str(path.relative_to(root))
        if not re.search(r"^```sh$", path.read_text(), re.MULTILINE) or f"%fact_src/{name}" in own:
            continue
        result = subprocess.run([sys.executable, runner, path], capture_output=True, text=True)
        ran.append(name)
        if result.returncode != 0:
            wrong.append(f"{name}:\n{result.stderr}")
    if wrong:
        sys.exit("\n".join(wrong))
    print("ran", *ran)


main(*sys.argv[1:])
