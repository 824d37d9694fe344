"""fact.numerics: the contract's bits, and what wrong arguments turn into."""
import ctypes
import os
import pathlib
import platform

import numpy as np
import pytest

from fact import golden_rules, numerics

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden"
OUTSIDE = os.environ.get("FACT_TEST_DATA")
RULES = dict(np.load(GOLDEN / "rules.npz"))


def same_bits(got, expected):
    got, expected = np.asarray(got), np.asarray(expected)
    return got.shape == expected.shape and got.dtype == expected.dtype and got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name, check", golden_rules.cases(RULES), ids=lambda value: value if isinstance(value, str) else "")
def test_rule(name, check):
    results = check()
    assert results
    for what, got, expected in results:
        assert same_bits(got, expected), what


def test_a_key_that_no_rule_reads_fails():
    checks = dict(golden_rules.cases({**RULES, "cosine.x": RULES["exp.x"]}))
    with pytest.raises(KeyError, match="no rule reads 'cosine.x'"):
        checks["'cosine.x'"]()


@pytest.fixture
def callers_float_mode():
    """This thread rounds up and flushes denormals to zero."""
    libm = ctypes.CDLL("libm.so.6")
    before, changed = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
    assert libm.fegetenv(before) == 0
    ctypes.memmove(changed, before, 64)
    # glibc's fenv_t ends with MXCSR on x86, and begins with FPCR on aarch64.
    at, bits = {"x86_64": (28, 0x8040 | 2 << 13), "aarch64": (0, 1 << 24 | 1 << 22)}[platform.machine()]
    control = ctypes.c_uint32.from_buffer(changed, at)
    control.value |= bits
    assert libm.fesetenv(changed) == 0
    yield
    assert libm.fesetenv(before) == 0


def test_the_callers_float_mode_does_not_matter(callers_float_mode):
    one = np.float32(1)
    assert one + np.float32(1e-10) > one  # the mode is on
    for name in ("exp.x", "layer_norm.x"):
        assert name in RULES
    failed = [what for _, check in golden_rules.cases(RULES) for what, got, expected in check()
              if not same_bits(got, expected)]
    assert not failed
    # Arguments are converted in the contract's mode, too.
    tenth = numerics.relu(np.array([0.1, 1e-45], np.float64))
    assert tenth.view(np.uint32).tolist() == [0x3dcccccd, 1]
    assert one + np.float32(1e-10) > one  # and is the caller's again


@pytest.mark.skipif(not OUTSIDE, reason="FACT_TEST_DATA is not set")
def test_the_committed_rules_are_those_of_the_test_data():
    outside = np.load(pathlib.Path(OUTSIDE) / "golden" / "rules.npz")
    assert set(outside.files) == set(RULES)
    assert all(same_bits(RULES[key], outside[key]) for key in RULES)


def test_every_function_has_a_docstring():
    functions = [name for name in numerics.__all__ if callable(getattr(numerics, name))]
    assert len(functions) >= 20
    for name in functions:
        assert "Section" in getattr(numerics, name).__doc__, name


def test_importable_without_llvm():
    """The compiled module links no LLVM or MLIR library."""
    import subprocess
    from fact import _fact
    needed = subprocess.run(["/usr/lib/llvm-22/bin/llvm-readelf", "--needed-libs", _fact.__file__],
                            capture_output=True, text=True, check=True).stdout
    assert "libc.so" in needed
    assert "LLVM" not in needed and "MLIR" not in needed


f = np.float32


@pytest.mark.parametrize("call, message", [
    (lambda: numerics.linear(np.ones((2, 3), f), np.ones((4, 5), f)), r"'x' must have 4 columns, as 'W' has rows \(was 3\)"),
    (lambda: numerics.linear(np.ones((2, 3), f), np.ones((3, 5), f), np.ones(4, f)), r"'b' must have shape \[5\] \(was \[4\]\)"),
    (lambda: numerics.linear(np.ones((2, 3), f), np.ones((3, 5), f), None, "int3"), r"precision must be .* \(was 'int3'\)"),
    (lambda: numerics.layer_norm(np.ones((2, 3), f), np.ones(2, f), np.ones(3, f), 1e-5), r"'gamma' must have shape \[3\] \(was \[2\]\)"),
    (lambda: numerics.top_k(np.ones((2, 3), f), 0.0), r"keep must be in \(0, 1\]"),
    (lambda: numerics.top_k(np.ones((2, 3), f), float("nan")), r"keep must be in \(0, 1\]"),
    (lambda: numerics.low_tokens(np.ones(3, np.int64), -1.0), r"importance must not be negative"),
    (lambda: numerics.predict(np.ones((2, 4), f), np.ones((4, 4), f), np.ones((4, 4), f), heads=3), r"heads must divide the width 4 \(was 3\)"),
    (lambda: numerics.predictor_bias(np.ones(3, f), 1.0, np.zeros(2, np.int32), "oracle"), r"predictor must be .* \(was 'oracle'\)"),
    (lambda: numerics.column_mean(np.ones(3, f)), r"'a' must have rank 2 \(was 1\)"),
    (lambda: numerics.column_mean(np.ones((0, 3), f)), r"'a' must have at least one row \(was 0\)"),
    (lambda: numerics.rsum(np.ones((2, 0), f)), r"'x' must have at least one dimension and one column"),
    (lambda: numerics.quantize_weight(np.ones(3, f)), r"'W' must have rank 2 \(was 1\)"),
])
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_choices_are_those_of_the_library():
    # In the library's order, which random models count on.
    assert numerics.ACTIVATIONS == ("gelu", "gelu_tanh", "quick_gelu", "swish", "relu")
    assert numerics.LOW_PRECISIONS == ("a4w4", "a4w8")
    assert numerics.POLICY_PRESETS == ("dense", "paper", "balanced", "fast")
    assert numerics.PREDICTORS[:4] == ("leading-one", "leading-two", "one-sided", "exact")
    assert numerics.SCOPES == ("ffn", "all")
    assert numerics.TAILS == ("none", "mean")
