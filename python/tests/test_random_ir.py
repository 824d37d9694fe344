# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Random models: the same seed gives the same, and 200 seeds leave nothing out."""
import hashlib
import pathlib
import re

import numpy as np
import pytest

from fact import random_dense, random_ir, random_sparse

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPS = re.findall(r': Fact_Op<"(\w+)"', (ROOT / "include/fact/Dialect/Fact/IR/FactOps.td").read_text())


def digest(seed):
    """A model with everything that it runs with."""
    model = random_ir.model(seed)
    length = random_ir.length_of(seed, model)
    parts = [model.text, str(length), str(random_ir.policy_flags(seed, model)),
             str(random_ir.schedule_flags(seed)), str(random_ir.cpu_flags(seed))]
    parts += [x.tobytes().hex() for x in random_ir.inputs(seed, model, length)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bits():
    first = [digest(seed) for seed in range(20)]
    assert first == [digest(seed) for seed in range(20)]
    assert len(set(first)) == 20


def test_no_number_depends_on_the_machine():
    # The bits of the numbers behind all weights and inputs.
    draw = random_ir.Draw("test", 7)
    numbers = draw.normal((1000,))
    assert hashlib.sha256(numbers.tobytes()).hexdigest().startswith("c9f55b3a5a00fdf7")
    assert abs(numbers.mean()) < 0.1 and abs(numbers.std() - 1) < 0.1
    assert [draw.random.randrange(1000) for _ in range(3)] == [874, 519, 442]


@pytest.fixture(scope="module")
def texts():
    return [random_ir.model(seed).text for seed in range(200)]


def test_200_seeds_have_every_op(texts):
    assert len(OPS) > 20
    found = {op for text in texts for op in re.findall(r"\bfact\.(\w+) [%\w]", text)}
    assert set(OPS) <= found
    for op in ("tensor.cast", "tensor.collapse_shape", "tensor.expand_shape", "func.func private", "call @"):
        assert any(op in text for text in texts), op


@pytest.mark.parametrize("what", [
    # sharing
    r"fact\.add (%\w+), \1 :", r"fact\.attention (%\w+), \1, %", r"fact\.attention (%\w+), \1, \1 ",
    # functions: of two streams, that return what they got, results that are arguments or the same twice
    r"private @f\d\(%s0: [^)]*%s1: ", r"\) -> \(\S+\) \{\n  return %s\d : ", r"\n  return %in0", r"\n  return (%\w+), \1 : ",
    # inputs: two of them, open and fixed
    r"fact\.name = \"z\"", r"fact\.bound = 1 : ", r"tensor<\?x", r"@main\([^)]*: tensor<\d+x\d+xf32>",
    # policies
    r"fact\.policy", r" causal ", r" window = \[\d+, ", r" window = \[\*, \d", r"fact\.norm rms", r"fact\.multiply",
    # optional operands
    r"fact\.linear %\w+, %\w+ :", r"fact\.linear .* bias ", r"quantized_linear .* low .* precision = a4w4",
    r"quantized_linear .* precision = a4w8", r"quantized_linear .* rows ", r"quantize_heads .* rows ", r"quantize_rows .* low ",
    r"log_matmul .* bias .* scale ", r"quantized_attention [^)]* mask [^)]* dominated ", r"quantized_attention [^)]* tail ",
    r"quantized_attention (?![^:]*mask)[^:]*heads", r"dense<\[\[\[true",
    # dressed queries and keys, whole and with rows; keys that heads share; prediction of them
    r"fact\.norm rms .* heads = \d+ eps", r"fact\.norm layer .* heads = \d+ rows ", r"fact\.rotate half ", r"fact\.rotate interleaved ",
    r"fact\.rotate .* rows ", r" key_heads = ", r"k_rows .* -> ", r"v_rows .* -> ", r"predictor_bias \w+ %\w+ :", r"rescale .* bias ",
    r"rescale (?!.*bias)", r" head_norms = 1 ", r" head_norms = 2 ",
    # linalg of them
    r"linalg\.broadcast ", r"arith\.negf .*\n.*yield .*\n.*x\d+x\d+xf32>", r"into tensor<\?x\d+x\d+x2xf32>",
])
def test_200_seeds_have(texts, what):
    assert any(re.search(what, text) for text in texts)


def test_one_select_serves_several_attentions(texts):
    masks = [re.findall(r"quantized_attention .* mask (%\w+(?:#0)?)", text) for text in texts]
    assert any(len(found) > len(set(found)) for found in masks)
    assert any(len(set(found)) > 1 for found in masks)


def test_inputs_have_edges():
    arrays = [x for seed in range(60) for m in [random_ir.model(seed)] for x in random_ir.inputs(seed, m, m.bound)]
    assert all(x.dtype == np.float32 and np.abs(x).max() <= 2.0 ** 50 for x in arrays)
    assert any(np.abs(x).max() == 2.0 ** 50 for x in arrays)
    assert any((x == 0).all(axis=-1).any() for x in arrays)
    assert any(0 < np.abs(x[x != 0]).min() < 2.0 ** -100 for x in arrays if x.any())


def test_a_machine_is_small_and_its_own():
    import json
    default = (ROOT / "machines" / "fact-28nm.json").read_text()
    machines = [random_ir.machine(seed, json.loads(default)) for seed in range(5)]
    assert machines == [random_ir.machine(seed, json.loads(default)) for seed in range(5)]
    assert all(m["buffers"]["token"]["bytes"] < json.loads(default)["buffers"]["token"]["bytes"] for m in machines)


@pytest.mark.parametrize("kind", [random_dense, random_sparse])
def test_lengths_and_widths_vary(kind):
    models = [kind.model(seed) for seed in range(100)]
    assert {m.fixed for m in models} == {True, False}
    assert len({m.bound for m in models}) > 10
    assert len({m.inputs[0].d for m in models}) > 10
