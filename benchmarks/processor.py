# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""What benchmarks say of the processor that they ran on."""
import pathlib
import re


def processor():
    """Its name, and what it has of what tiers are made for."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*: (.*)", text)
    flags = re.search(r"(?:flags|Features)\s*: (.*)", text).group(1).split()
    has = [flag for flag in ("amx_int8", "avx512_vnni", "avx_vnni", "avx512bw", "avx2", "asimddp") if flag in flags]
    return f"{name.group(1) if name else 'unknown'} ({', '.join(has)})"
