# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""FACT programs: `Program.load(path)`, its instructions, and `run`.

    program = Program.load("encoder.fact")
    y, report = program.run(x)                # x: float32 [1, L, d]
    print(report["cycles"], len(program.instructions))
"""
from ._fact import Instruction, Program

__all__ = ["Instruction", "Program"]
