# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Every rule of docs/numerics.md on arrays, with the contract's bits.

Functions take NumPy arrays (other types are converted) and return new ones;
a wrong shape or value is a ValueError. The code is the C++ library Numerics.
"""
from ._fact import numerics as _rules

__all__ = sorted(name for name in dir(_rules) if not name.startswith("_"))
globals().update({name: getattr(_rules, name) for name in __all__})
