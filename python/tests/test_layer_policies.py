"""--layer-policy: layers of one model with policies of their own, on both back ends."""
import numpy as np
import pytest

from fact import linalg_ir, numerics, tools
from fact.program import Program

BASE = ["keep=0.3", "importance=1", "dominance=2"]
BASE_FLAGS = ["--preset=dense", *(f"--{field}" for field in BASE)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """(path, layers, an input) of five equal layers."""
    folder = tmp_path_factory.mktemp("layers")
    layers = [linalg_ir.random_layer(32, 2, 48, place="pre", seed=seed) for seed in range(5)]
    (folder / "model.mlir").write_text(linalg_ir.to_text(layers, 20))
    x = np.random.default_rng(5).standard_normal((1, 20, 32), dtype=np.float32)
    return folder / "model.mlir", layers, x


def expected(layers, x, own):
    """Layer after layer by the contract; `own` are fields on top of BASE by layer."""
    x, lows = x[0], []
    for i, layer in enumerate(layers):
        fields = dict(field.split("=") for field in [*BASE, *own.get(i, [])])
        result = numerics.encoder_layer(layer.weights, x, " ".join(f"{k}={v}" for k, v in fields.items()), **layer.arguments())
        x = result["y"]
        lows.append(result["low"])
    return x, lows


def compiled(path, *flags):
    program = path.parent / "model.fact"
    tools.compile_program(path, program, *BASE_FLAGS, *flags)
    return Program.load(str(program))


VALUES = {0: ["keep=0.6", "importance=0.5"], 3: ["keep=0.05", "dominance=0.5"], 4: ["keep=0.05", "dominance=0.5"]}
VALUE_FLAGS = ["--layer-policy=0:keep=0.6,importance=0.5", "--layer-policy=3-4:keep=0.05,dominance=0.5"]
FORMS = {1: ["keep=1", "dominance=0", "importance=0"], 2: ["tail=mean", "scope=all"], 4: ["keep=0.1"]}
FORM_FLAGS = ["--layer-policy=1:dense,predictor=leading-one", "--layer-policy=2:tail=mean", "--layer-policy=2:scope=all",
              "--layer-policy=4:keep=0.1"]


@pytest.mark.parametrize("own, flags", [(VALUES, VALUE_FLAGS), (FORMS, FORM_FLAGS)], ids=["values", "forms"])
@pytest.mark.parametrize("schedule", ["overlap", "in-order"])
def test_both_back_ends_give_the_contract_s_bits(model, own, flags, schedule):
    path, layers, x = model
    y, lows = expected(layers, x, own)
    assert y.tobytes() != expected(layers, x, {})[0].tobytes()
    got, _, masks = compiled(path, *flags, f"--schedule={schedule}").run(x, masks=True)
    assert got[0].tobytes() == y.tobytes()
    for i, low in enumerate(lows):
        assert np.array_equal(masks[f"layer{i}.low"], low) or (i == 1 and own is FORMS)
    cpu, _, _ = tools.run(path, [x], *BASE_FLAGS, *flags)
    assert cpu[0].tobytes() == y.tobytes()


def test_layers_that_differ_in_values_stay_one_loop(model):
    path, _, _ = model
    whole = compiled(path)
    assert len(compiled(path, *VALUE_FLAGS).instructions) == len(whole.instructions)
    assert len(compiled(path, *FORM_FLAGS).instructions) > 2 * len(whole.instructions)


def test_the_program_says_which_layers_have_which_policy(model):
    path, _, _ = model
    own = compiled(path, *VALUE_FLAGS).metadata["policy"]["layers"]
    assert [(each["first"], each["last"], each["keep"], each["dominance"]) for each in own] == [(0, 0, 0.6, 2), (3, 4, 0.05, 0.5)]
    assert "layers" not in compiled(path).metadata["policy"]
