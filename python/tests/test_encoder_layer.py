"""numerics.encoder_layer: the whole layer in the contract's bits."""
import importlib.util
import os
import pathlib

import numpy as np
import pytest

from fact import linalg_ir, numerics, tools

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTSIDE = os.environ.get("FACT_TEST_DATA")
FOLDERS = ("golden", "golden-modern")
FILES = [path for folder in FOLDERS for path in sorted((pathlib.Path(OUTSIDE or ROOT / "test") / folder).glob("layer_*.npz"))]
MASKS = ("mask", "dominated", "k_rows", "v_rows", "low")


def make_golden():
    spec = importlib.util.spec_from_file_location("make_golden", ROOT / "utils" / "make_golden.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(layer, x, policy, **kwargs):
    return numerics.encoder_layer(layer.weights, x, policy, **layer.arguments(), **kwargs)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_golden_layer(path):
    policy_text = make_golden().policy_text
    layer, meta, arrays = linalg_ir.read_golden(path)
    for i, policy in enumerate(meta["policies"]):
        result = run(layer, arrays["x"], policy_text(policy), length=meta.get("length"))
        for key in ("y", *MASKS):
            expected = arrays[f"p{i}.{key}"]
            assert result[key].dtype == expected.dtype and result[key].shape == expected.shape, (i, key)
            assert result[key].tobytes() == expected.tobytes(), (i, key)


def test_a_layer_of_any_kind_is_its_linalg_in_float32(tmp_path):
    """The unraised text, run op by op, is near the reference layer where that prunes nothing."""
    rng = np.random.default_rng(3)
    for i, (style, pairs, key_heads, head_norm) in enumerate([
            ("half", 8, 2, ("rms", "rms")), ("interleaved", 5, 1, (None, "layer")), ("half", 3, 4, (None, None)),
            (None, 1, 2, ("layer", "rms"))]):
        layer = linalg_ir.random_layer(40, 4, 48, "pre" if i % 2 else "post", norm=linalg_ir.NORMS[i % 2], seed=i, head_size=16,
                                       key_heads=key_heads, head_norm=head_norm, rotary=style,
                                       tables=linalg_ir.rotary_tables(30, pairs))
        x = rng.standard_normal((30, 40), dtype=np.float32)
        model = tmp_path / f"{i}.mlir"
        model.write_text(linalg_ir.to_text([layer], 30))
        y, _, _ = tools.run(model, [x[None]], "--reference=f32")
        expected = run(layer, x, "dense")["y"]
        error = np.sqrt(np.mean((y[0] - expected) ** 2)) / expected.std()
        assert error < 0.05, (i, error)  # of INT8


def test_random_folders_are_reproducible(tmp_path):
    module = make_golden()
    first, second = (module.random_case(np.random.default_rng([7, 0]), "a", 2, 20, 32) for _ in range(2))
    assert first[0] == second[0]
    assert all(np.array_equal(first[1][key], second[1][key]) for key in first[1])


@pytest.mark.parametrize("change, message", [
    (dict(policy="keep=2"), "keep"),
    (dict(policy="turbo"), "turbo"),
    (dict(place="mid"), r"place must be 'pre' or 'post' \(was 'mid'\)"),
    (dict(norm="mid"), r"norm must be 'layer' or 'rms' \(was 'mid'\)"),
    (dict(window=(-1, 0)), r"a window's end must not be negative \(was -1\)"),
    (dict(key_heads=3), r"heads of the key must divide the 2 heads"),
    (dict(activation="elu"), r"activation must be .* \(was 'elu'\)"),
    (dict(x=np.ones((4, 8), np.float32)), r"'x' must have 16 columns, as 'Wq' has rows \(was 8\)"),
    (dict(x=np.full((4, 16), np.nan, np.float32)), "nan|NaN|finite"),
    (dict(length=9), "length"),
    (dict(heads=5), "heads"),
])
def test_wrong_arguments(change, message):
    layer = linalg_ir.random_layer(16, 2, 24)
    arguments = dict(x=np.ones((4, 16), np.float32), policy="dense", place="pre", activation="relu", heads=2, eps=1e-5,
                     scale=0.3, length=None) | change
    with pytest.raises(ValueError, match=message):
        numerics.encoder_layer(layer.weights, arguments.pop("x"), arguments.pop("policy"), **arguments)
