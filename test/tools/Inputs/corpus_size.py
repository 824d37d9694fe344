# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""usage: corpus_size.py FOLDER: its files have 300 KiB at most, all together."""
import pathlib
import sys

size = sum(path.stat().st_size for path in pathlib.Path(sys.argv[1]).rglob("*") if path.is_file())
print("small enough" if size <= 300 << 10 else f"{size} bytes")
