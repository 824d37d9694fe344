"""fact.linalg_ir: the text is valid IR of the forms that it promises."""
import re
import subprocess

import numpy as np
import pytest

from fact import linalg_ir

MLIR_OPT = "/usr/lib/llvm-22/bin/mlir-opt"


def verified(text):
    """mlir-opt's reprint of the text; fails the test where it does not verify."""
    run = subprocess.run([MLIR_OPT, "-", "--mlir-elide-resource-strings-if-larger=8"],
                         input=text, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("place, norm", [("pre", "rms"), ("post", "layer")])
@pytest.mark.parametrize("activation", linalg_ir.ACTIVATIONS)
@pytest.mark.parametrize("window", [(None, None), (None, 0), (3, None), (3, 2)])
@pytest.mark.parametrize("bias", [False, True])
def test_every_kind_of_layer_verifies(place, norm, activation, window, bias):
    layer = linalg_ir.random_layer(24, 3, 40, place, activation, window=window, bias=bias, norm=norm, gated=norm == "rms")
    ir = verified(linalg_ir.to_text([layer], 17))
    assert "tensor<1x?x24xf32> {fact.bound = 17 : i64, fact.name = \"x\"}" in ir
    assert ir.count("linalg.matmul ") == (7 if norm == "rms" else 6)
    assert ir.count("linalg.batch_matmul ") == 2
    assert ir.count("linalg.softmax ") == 1
    assert ir.count("linalg.index") == (0 if window == (None, None) else 2)
    assert len(re.findall(r"dense_resource<l0_b[qkvo12]>", ir)) == (6 if bias else 0)
    assert {"gelu_erf": "math.erf", "gelu_tanh": "math.tanh", "swish": "arith.negf", "quick_gelu": "1.702", "relu": "arith.maximumf"}[activation] in ir


@pytest.mark.parametrize("rotary, pairs", [(None, 0), ("half", 4), ("half", 2), ("interleaved", 4), ("interleaved", 3)])
@pytest.mark.parametrize("head_norm", [(None, None), ("layer", "rms"), ("rms", None)])
@pytest.mark.parametrize("key_heads", [4, 2, 1])
def test_every_kind_of_dressing_verifies(rotary, pairs, head_norm, key_heads):
    layer = linalg_ir.random_layer(24, 4, 40, head_size=9, key_heads=key_heads, head_norm=head_norm, rotary=rotary,
                                   tables=linalg_ir.rotary_tables(20, pairs))
    ir = verified(linalg_ir.to_text([layer], 17))
    assert ir.count("linalg.broadcast ") == (0 if key_heads == 4 else 2)
    assert ir.count("math.sqrt") == 2 + sum(kind is not None for kind in head_norm)
    assert ir.count("arith.negf") == (2 if rotary == "half" else 0)
    # A half's parts beside each other, pairs beside each other; the rest of the head behind them.
    assert ir.count("tensor.insert_slice") == (8 if rotary else 0)
    assert ir.count("dense_resource<l0_rotary") == (2 if rotary else 0)


def test_a_layer_may_be_its_attention_alone():
    ir = verified(linalg_ir.to_text([linalg_ir.random_layer(16, 2, None)], 8))
    assert ir.count("linalg.matmul ") == 4 and ir.count("math.sqrt") == 1


def test_layers_share_tables():
    tables = linalg_ir.rotary_tables(8, 4)
    layers = [linalg_ir.random_layer(16, 2, 32, rotary="half", tables=tables, seed=i) for i in range(3)]
    ir = verified(linalg_ir.to_text(layers, 8))
    assert ir.count("dense_resource<l0_rotary") == 2 and "l1_rotary" not in ir


def test_a_table_has_a_row_for_every_token():
    layer = linalg_ir.random_layer(16, 2, 32, rotary="half", tables=linalg_ir.rotary_tables(8, 4))
    with pytest.raises(ValueError, match="the rotary tables have 8 positions, the sequence up to 9"):
        linalg_ir.to_text([layer], 9)


def test_rotary_tables():
    cos, sin = linalg_ir.rotary_tables(12, 5, 100.0)
    angles = np.arange(12)[:, None] / 100.0 ** (np.arange(5) / 5)
    assert cos.dtype == sin.dtype == np.float32 and cos.shape == sin.shape == (12, 5)
    assert np.allclose(cos, np.cos(angles), atol=1e-6) and np.allclose(sin, np.sin(angles), atol=1e-6)


def test_well_known_models():
    modern = linalg_ir.random_model("modernbert-base", 4, length=64)
    assert [layer.window for layer in modern] == [linalg_ir.ALL, (64, 64), (64, 64), linalg_ir.ALL]
    tables = [layer.weights["rotary.cos"] for layer in modern]
    assert tables[1] is tables[2] and tables[0] is tables[3] and tables[0][9, 16] > tables[1][9, 16]
    assert not any(name.startswith("b") or name.endswith("beta") for name in modern[0].weights)
    qwen, = linalg_ir.random_model("qwen3-0.6b", 1, length=64)
    assert (qwen.heads, qwen.key_heads, qwen.head_size) == (16, 8, 128) and qwen.weights["Wq"].shape == (1024, 2048)
    assert len(linalg_ir.random_model("bert-base", 0)) == 0


def test_every_generic_has_one_operation():
    ir = verified(linalg_ir.to_text([linalg_ir.random_layer(16, 2, 32, activation="gelu_tanh", head_norm=("layer", None))], 8))
    bodies = re.findall(r"\^bb0\(.*\n((?:.*\n)*?)\s*linalg\.yield", ir)
    assert len(bodies) > 20
    assert all(body.count("\n") == 1 for body in bodies)


def test_weights_survive_bit_by_bit():
    layer = linalg_ir.random_layer(16, 2, 32)
    layer.weights["Wq"][0, :4] = [0.0, -0.0, 1e-45, np.float32(1) / 3]
    text = linalg_ir.to_text([layer], 8)
    blob = re.search(r'l0_Wq: "0x04000000([0-9A-F]*)"', text).group(1)
    assert bytes.fromhex(blob) == layer.weights["Wq"].tobytes()


def test_the_same_input_gives_the_same_text():
    first, second = (linalg_ir.to_text([linalg_ir.random_layer(16, 2, 32, seed=5)], 8) for _ in range(2))
    assert first == second
    assert first != linalg_ir.to_text([linalg_ir.random_layer(16, 2, 32, seed=6)], 8)


def test_layers_stack():
    ir = verified(linalg_ir.to_text([linalg_ir.random_layer(16, 2, 32, seed=i) for i in range(3)], 8))
    assert ir.count("linalg.softmax ") == 3
    assert "dense_resource<l2_W2>" in ir


@pytest.mark.parametrize("value", [0.1, 1e-5, 1e-12, 1e-45, 3e38, 0.17677669, 1.0, 128.0])
def test_float_literals_keep_their_bits(value):
    literal = linalg_ir._float(value)
    assert re.fullmatch(r"[-+]?[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?", literal)
    assert np.float32(float(literal)) == np.float32(value)


@pytest.mark.parametrize("change, message", [
    (dict(heads=5), "heads must divide the width 16 (was 5)"),
    (dict(place="mid"), "place must be one of pre, post (was 'mid')"),
    (dict(norm="mid"), "norm must be one of layer, rms (was 'mid')"),
    (dict(head_norm=(None, "mid")), "head_norm must be one of None, layer, rms (was 'mid')"),
    (dict(key_heads=3), "key_heads must divide the 2 heads (was 3)"),
    (dict(rotary="mid", tables=linalg_ir.rotary_tables(4, 2)), "rotary must be one of None, half, interleaved (was 'mid')"),
    (dict(rotary="half", tables=linalg_ir.rotary_tables(4, 5)), "a head of 8 features has 1 to 4 pairs to rotate (was 5)"),
    (dict(rotary="half", tables=linalg_ir.rotary_tables(4, 0)), "a head of 8 features has 1 to 4 pairs to rotate (was 0)"),
    (dict(activation="elu"), "activation must be one of gelu_erf, gelu_tanh, quick_gelu, swish, relu (was 'elu')"),
])
def test_bad_layers(change, message):
    with pytest.raises(ValueError) as error:
        linalg_ir.random_layer(**(dict(d=16, heads=2, ff=32) | change))
    assert str(error.value) == message


def test_missing_weight():
    weights = linalg_ir.random_layer(16, 2, 32).weights
    del weights["Wk"]
    with pytest.raises(ValueError, match="weight 'Wk' is missing"):
        linalg_ir.Layer("pre", "relu", 2, 1e-5, 0.3, weights)
