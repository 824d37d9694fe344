# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Every rule of docs/numerics.md on arrays, with the contract's bits.

Functions take NumPy arrays (other types are converted) and return new ones;
a wrong shape or value is a ValueError. The code is the C++ library Numerics.
The caller's rounding mode and flushing of denormals change nothing.
PREDICTORS, POLICY_PRESETS and other names in capitals are tuples of the names
that the library chooses from, in its order.
"""
import functools

from ._fact import FloatMode as _FloatMode
from ._fact import numerics as _rules


def _in_contract_mode(rule):
    @functools.wraps(rule)
    def call(*args, **kwargs):
        with _FloatMode():
            return rule(*args, **kwargs)
    return call


__all__ = sorted(name for name in dir(_rules) if not name.startswith("_"))
for _name in __all__:
    _value = getattr(_rules, _name)
    globals()[_name] = _in_contract_mode(_value) if callable(_value) else _value
