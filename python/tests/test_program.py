"""fact.program: programs from files, their instructions, and the simulator."""
import json

import numpy as np
import pytest

from fact import linalg_ir, numerics, tools
from fact.program import Program

POLICY = "keep=0.3 importance=1 dominance=2"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(path of a program, its layer, an input) of one small layer."""
    folder = tmp_path_factory.mktemp("program")
    layer = linalg_ir.random_layer(32, 2, 48, norm="pre", seed=4)
    (folder / "layer.mlir").write_text(linalg_ir.to_text([layer], 20))
    tools.compile_program(folder / "layer.mlir", folder / "layer.fact",
                          *tools.policy_flags({"keep": 0.3, "importance": 1, "dominance": 2}))
    x = np.random.default_rng(5).standard_normal((1, 20, 32), dtype=np.float32)
    return folder / "layer.fact", layer, x


def reference(layer, x, **kwargs):
    return numerics.encoder_layer(layer.weights, x[0], POLICY, norm=layer.norm, activation=layer.activation,
                                  heads=layer.heads, eps=layer.eps, scale=layer.scale, **kwargs)


def test_run_gives_the_contract_s_bits(built):
    path, layer, x = built
    y, report, masks = Program.load(str(path)).run(x, masks=True)
    expected = reference(layer, x)
    assert y.shape == (1, 20, 32) and y.dtype == np.float32
    assert y.tobytes() == expected["y"].tobytes()
    assert report["cycles"] > 0
    assert np.array_equal(masks["layer0.mask"], expected["mask"])
    assert masks["layer0.low"].any() and np.array_equal(masks["layer0.low"], expected["low"])


def test_runs_of_one_program_are_independent(built):
    path, layer, x = built
    program = Program.load(str(path))
    first = program.run(x)[0]
    program.run(-3 * x[:, :7])
    assert program.run(x)[0].tobytes() == first.tobytes()


def test_shorter_inputs_and_lengths(built):
    path, layer, x = built
    program = Program.load(str(path))
    short = program.run(x[:, :11])[0]
    assert short.shape == (1, 11, 32)
    assert short.tobytes() == reference(layer, x[:, :11])["y"].tobytes()
    limited = program.run(x, length=11)[0]
    assert limited.shape == (1, 20, 32) and not limited[:, 11:].any()
    assert limited[:, :11].tobytes() == short.tobytes()


def test_functional_runs_have_the_same_bits(built):
    path, _, x = built
    program = Program.load(str(path))
    assert program.run(x, functional=True)[0].tobytes() == program.run(x)[0].tobytes()


def test_what_a_program_says_about_itself(built):
    path, _, _ = built
    program = Program.load(str(path))
    assert program.inputs == [{"name": "x", "shape": (1, None, 32), "dtype": "float32", "bound": 20}]
    assert [port["name"] for port in program.outputs] == ["y"]
    assert program.machine["name"] == "fact-28nm"
    json.dumps(program.metadata)
    instructions = program.instructions
    assert len(instructions) == len(program) > 10
    assert instructions[-1].mnemonic == "halt"
    assert {"PE", "EP", "SEL", "APU"} <= {i.engine for i in instructions}
    assert all(i.text.startswith(i.mnemonic) and i.source for i in instructions)
    assert all(isinstance(i.fields, dict) for i in instructions)


@pytest.mark.parametrize("change, message", [
    (lambda x: x[0], "rank|shape"),
    (lambda x: x[:, :, :31], "shape|column|feature|extent"),
    (lambda x: np.concatenate([x, x], axis=1), "20"),
    (lambda x: x[:, :0], "0"),
    (lambda x: np.full_like(x, np.nan), "(?i)nan"),
    (lambda x: x.astype(np.float64), "float32|<f4|type"),
])
def test_inputs_that_do_not_fit(built, change, message):
    path, _, x = built
    with pytest.raises(ValueError, match=message):
        Program.load(str(path)).run(change(x))


def test_files_that_are_no_programs(tmp_path):
    with pytest.raises(ValueError, match="absent.fact"):
        Program.load(str(tmp_path / "absent.fact"))
    (tmp_path / "text.fact").write_text("not a program")
    with pytest.raises(ValueError, match="text.fact"):
        Program.load(str(tmp_path / "text.fact"))
