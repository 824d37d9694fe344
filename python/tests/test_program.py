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
    layer = linalg_ir.random_layer(32, 2, 48, place="pre", seed=4)
    (folder / "layer.mlir").write_text(linalg_ir.to_text([layer], 20))
    tools.compile_program(folder / "layer.mlir", folder / "layer.fact",
                          *tools.policy_flags({"keep": 0.3, "importance": 1, "dominance": 2}))
    x = np.random.default_rng(5).standard_normal((1, 20, 32), dtype=np.float32)
    return folder / "layer.fact", layer, x


def reference(layer, x, **kwargs):
    return numerics.encoder_layer(layer.weights, x[0], POLICY, **layer.arguments(), **kwargs)


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


class NoArray:
    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array")


@pytest.mark.parametrize("change, message", [
    (lambda x: x[0], "must have the shape 1x.x32 .was 20x32."),
    (lambda x: x[None], "must have the shape 1x.x32 .was 1x1x20x32."),
    (lambda x: x[:, :, :31], "must have the shape 1x.x32 .was 1x20x31."),
    (lambda x: np.concatenate([x, x]), "must have the shape 1x.x32 .was 2x20x32."),
    (lambda x: np.concatenate([x, x], axis=1), "1 to 20 rows .was 40."),
    (lambda x: x[:, :0], "1 to 20 rows .was 0."),
    (lambda x: np.full_like(x, np.nan), "row 0, column 0 .was nan."),
    (lambda x: np.where(np.arange(32) == 5, -np.inf, x).astype(np.float32), "row 0, column 5 .was -inf."),
    (lambda x: x * np.float32(1e30), "not in -2.50 .. 2.50 at row 0, column 0"),
    (lambda x: x.astype(np.float64), "must be float32 .was '<f8'"),
    (lambda x: x.astype(np.float16), "must be float32 .was '<f2'"),
    (lambda x: x.astype(">f4"), "must be float32 .was '>f4'"),
    (lambda x: x.astype(np.int32), "must be float32 .was '<i4'"),
    (lambda x: x.astype(np.complex64), "must be float32 .was '<c8'"),
    (lambda x: x.astype(object), "must be float32 .was '.O'"),
    (lambda x: x.view([("a", "<f4")]), "must be float32"),
    (lambda x: x.tolist(), "must be float32 .was '<f8'"),
    (lambda x: [[1.0, 2.0], [3.0]], "must be an array"),
    (lambda x: NoArray(), "must be an array"),
    (lambda x: "text", "must be float32"),
    (lambda x: None, "must be float32"),
])
def test_inputs_that_do_not_fit(built, change, message):
    path, _, x = built
    program = Program.load(path)
    with pytest.raises(ValueError, match=message):
        program.run(change(x))
    assert program.run(x)[0].shape == x.shape  # none the worse


def test_arguments_that_do_not_fit(built):
    path, _, x = built
    program = Program.load(path)
    with pytest.raises(ValueError, match="1 inputs .was 0"):
        program.run()
    with pytest.raises(ValueError, match="1 inputs .was 2"):
        program.run(x, x)
    for length in (0, -1, 21):
        with pytest.raises(ValueError, match=f"between 1 and the input's 20 rows .was {length}"):
            program.run(x, length=length)
    for length in ("20", 2.5, 1 << 70):
        with pytest.raises(TypeError):
            program.run(x, length=length)
    with pytest.raises(TypeError):
        program.run(x, unknown=1)


def test_any_layout_of_an_array_will_do(built):
    path, _, x = built
    program = Program.load(path)
    expected = program.run(x)[0].tobytes()
    read_only = x.copy()
    read_only.setflags(write=False)
    twice = np.repeat(x, 2, axis=2)[:, :, ::2]
    for same in (np.asfortranarray(x), read_only, twice):
        assert program.run(same)[0].tobytes() == expected


def test_files_that_are_no_programs(built, tmp_path):
    with pytest.raises(ValueError, match="absent.fact.*No such file"):
        Program.load(tmp_path / "absent.fact")
    with pytest.raises(ValueError, match="Is a directory"):
        Program.load(tmp_path)
    for name, contents in (("text", b"not a program"), ("empty", b""), ("magic", b"FACTPROG")):
        (tmp_path / name).write_bytes(contents)
        with pytest.raises(ValueError, match=f"{name}.*is not a valid program"):
            Program.load(str(tmp_path / name))
    with pytest.raises(TypeError):
        Program.load(3)


def test_damaged_files(built, tmp_path):
    data = built[0].read_bytes()
    rng = np.random.default_rng(1)
    for number in range(300):
        position = int(rng.integers(len(data)))
        damaged = bytearray(data[:position] if number % 2 else data)
        if not number % 2:
            damaged[position] ^= 1 << int(rng.integers(8))
        (tmp_path / "damaged.fact").write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged.fact' is not a valid program"):
            Program.load(tmp_path / "damaged.fact")
