# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""What benchmarks say of the processor that they ran on."""
import pathlib
import re


def features():
    """What it has of what tiers are made for, as Linux calls it."""
    flags = re.search(r"(?:flags|Features)\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1).split()
    return [flag for flag in ("amx_int8", "avx512_vnni", "avx_vnni", "avx512bw", "avx2", "asimddp") if flag in flags]


def processor():
    """Its name and features."""
    name = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{name.group(1) if name else 'unknown'} ({', '.join(features())})"
