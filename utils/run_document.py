#!/usr/bin/python3
# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Runs the `sh` blocks of a Markdown file, so that documents stay true.

usage: run_document.py FILE.md [FOLDER]

Every block that begins with ```sh runs, in order and in one shell, in FOLDER
(default: a temporary one) in which `examples`, `docs`, `test`, `machines` and
`utils` are links into the source tree. Stops at the first command that fails.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINKED = ("examples", "docs", "test", "machines", "utils", "include", "lib", "python")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    text = pathlib.Path(sys.argv[1]).read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    if not blocks:
        sys.exit(f"run_document.py: error: no sh block in '{sys.argv[1]}'")
    with tempfile.TemporaryDirectory(prefix="fact-doc-") as scratch:
        folder = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in LINKED:
            if (ROOT / name).exists() and not (folder / name).exists():
                (folder / name).symlink_to(ROOT / name)
        script = "set -euxo pipefail\n" + "\n".join(blocks)
        return subprocess.run(["bash", "-c", script], cwd=folder, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
