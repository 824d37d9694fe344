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


def test_every_generic_has_one_operation():
    ir = verified(linalg_ir.to_text([linalg_ir.random_layer(16, 2, 32, activation="gelu_tanh")], 8))
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
