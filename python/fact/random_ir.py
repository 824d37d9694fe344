# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Random models: legal `fact` IR that nobody thought of.

`model(seed)` is a Model: the text of a module, its inputs and the lengths that
it may run at. `inputs`, `policy_flags` and `machine` draw what it runs with. The
same seed gives the same text, arrays and flags on every machine.

Three kinds of IR: dense (`fact.random_dense`), as --fact-raise makes it, sparse
(`fact.random_sparse`), as --fact-fuse leaves it, and linalg (`fact.random_linalg`),
as importers write it. Legal means: every result of `main` holds a value whatever
the inputs are, and no row that a mask does not name is read on the way there.
"""
import dataclasses
import math
import random
import re

import numpy as np

from . import numerics
from .linalg_ir import ALL, CAUSAL, NORMS

# Around the sizes of blocks and vectors, and what is odd.
LENGTHS = (1, 2, 3, 5, 7, 8, 9, 13, 16, 17, 23, 31, 32, 33, 40, 63, 64, 65)
LONG_LENGTHS = (70, 96, 127, 128, 129, 130)
WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 20, 24, 30, 31, 32, 33, 36, 40, 48, 63, 64, 65, 72)


@dataclasses.dataclass
class Input:
    """An argument of main: [L, d], or [1, L, d] where `batched`."""
    name: str
    d: int
    batched: bool


@dataclasses.dataclass
class Model:
    """A module with a function `main`.

    text      MLIR
    inputs    [Input, ...]
    outputs   number of results of main
    bound     largest length; the only one where `fixed`
    policy    whether the text has a policy, or is sparse: flags would not count
    dense     where the text is linalg: the dense IR that raising should make of it
    """
    text: str
    inputs: list
    outputs: int
    bound: int
    fixed: bool
    policy: bool
    dense: str = ""


def window_text(window):
    """A window as ops have it."""
    if window == ALL:
        return ""
    if window == CAUSAL:
        return " causal"
    return f" window = [{', '.join('*' if end is None else str(end) for end in window)}]"


def attention_text(q, k, v, heads, key_heads, scale, window, query_type, key_type):
    """A fact.attention, which does not say key heads that are as many as the others."""
    grouped = key_heads != heads
    return (f"fact.attention {q}, {k}, {v} heads = {heads}{f' key_heads = {key_heads}' if grouped else ''} "
            f"scale = {float_literal(scale)}{window_text(window)} : {query_type}{f', {key_type}' if grouped else ''}")


class Draw:
    """Random decisions and numbers of one model; the same seed, the same."""

    def __init__(self, purpose, seed):
        self.random = random.Random(f"{purpose}-{seed}")
        # A generator whose stream NumPy promises to keep.
        self.numbers = np.random.Generator(np.random.PCG64([seed, sum(purpose.encode())]))

    def chance(self, share):
        return self.random.random() < share

    def choice(self, options):
        return self.random.choice(list(options))

    def weighted(self, **shares):
        """One of the names, by its share."""
        return self.random.choices(list(shares), list(shares.values()))[0]

    def window(self):
        """Usually all keys."""
        kind = self.weighted(all=6, causal=2, other=2)
        if kind == "other":
            ends = (0, 1, 3, 7, 16, 40)
            left, right = (self.choice(ends), self.choice((*ends, None)))
            return (left, right) if self.chance(0.5) else (right, left)
        return CAUSAL if kind == "causal" else ALL

    def key_heads(self, heads):
        """As many, or fewer."""
        return self.choice([groups for groups in range(1, heads + 1) if heads % groups == 0])

    def head_norm(self):
        """Kinds of Q's and K's head norms, often none."""
        return tuple(self.choice(NORMS) if self.chance(0.8) else None for _ in range(2)) if self.chance(0.5) else (None, None)

    def tables(self, bound, size):
        """(cos, sin) of a rotary embedding of heads of `size` features: any numbers will do."""
        pairs = size // 2 if self.chance(0.5) else self.random.randint(1, size // 2)
        positions = bound + self.choice((0, 0, 1, 9))
        return tuple(self.normal((positions, pairs), 0.7) for _ in range(2))

    def normal(self, shape, scale=1.0):
        """About normal: a sum of uniform numbers, which needs no C library."""
        uniform = self.numbers.random((6, *shape), dtype=np.float64)
        return ((uniform.sum(axis=0) - 3.0) * (scale * math.sqrt(2.0))).astype(np.float32)

    def length(self):
        """(bound, whether it is the only length)."""
        bound = self.choice(LONG_LENGTHS if self.chance(0.15) else LENGTHS)
        return bound, self.chance(0.4)

    def weights(self, rows, columns):
        """A weight matrix of a linear layer."""
        w = self.normal((rows, columns), 1.0 / math.sqrt(rows))
        kind = self.weighted(usual=12, small=1, large=1, integer=2, zero=1, holes=2)
        if kind == "small":
            w *= np.float32(2.0 ** -20)
        elif kind == "large":
            w *= np.float32(2.0 ** 8)
        elif kind == "integer":  # many equal sums
            w = np.sign(np.rint(w * np.float32(math.sqrt(rows))))
        elif kind == "zero":
            w[:] = 0
        elif kind == "holes":
            w[:, self.random.randrange(columns)] = 0
            w[self.random.randrange(rows)] = 0
        return w.astype(np.float32)

    def vector(self, n, around=0.0):
        """A bias, gamma or beta."""
        v = self.normal((n,), self.choice((0.02, 0.1, 1.0))) + np.float32(around)
        if self.chance(0.1):
            v[self.random.randrange(n)] = 0
        return v.astype(np.float32)

    def rows(self, length, d):
        """Rows of an input, edges included."""
        x = self.normal((length, d), self.choice((1.0, 1.0, 1.0, 0.01, 30.0)))
        kind = self.weighted(usual=8, equal=2, integer=2, zero=2, huge=1, tiny=1)
        for i in range(length):
            if kind == "usual" or not self.chance(0.4):
                continue
            if kind == "equal":
                x[i] = x[self.random.randrange(length)]
            elif kind == "integer":
                x[i] = np.rint(x[i])
            elif kind == "zero":
                x[i] = 0
            elif kind == "huge":
                x[i] *= np.float32(2.0 ** self.choice((10, 20, 40)))
            elif kind == "tiny":
                x[i] *= np.float32(2.0 ** -self.choice((30, 100, 140)))
        limit = np.float32(2.0 ** 50)
        if kind == "huge" and self.chance(0.5):
            x[self.random.randrange(length), self.random.randrange(d)] = limit
        return np.clip(x, -limit, limit)


def dense_attribute(array):
    """`dense<...>` with the array's bits."""
    if array.dtype == bool:
        return f"dense<{_nested(array)}>"
    return f'dense<"0x{np.ascontiguousarray(array).tobytes().hex().upper()}">'


def _nested(array):
    if array.ndim == 0:
        return "true" if array else "false"
    return "[" + ", ".join(_nested(part) for part in array) + "]"


def float_literal(value):
    """A float32 that reads back to the same bits."""
    return f"0x{np.float32(value).view(np.uint32):08X}"


def tensor_type(*shape, element="f32"):
    return "tensor<" + "".join(f"{extent}x" for extent in shape) + element + ">"


class Body:
    """The ops of one function; every method returns the name of a result."""

    def __init__(self, draw):
        self.draw = draw
        self.lines = []
        self.count = 0

    def name(self):
        self.count += 1
        return f"%{self.count}"

    def line(self, text):
        self.lines.append("  " + text)

    def op(self, text):
        """An op with one result."""
        name = self.name()
        self.line(f"{name} = {text}")
        return name

    def constant(self, array, element="f32"):
        return self.op(f"arith.constant {dense_attribute(array)} : {tensor_type(*array.shape, element=element)}")

    def cast(self, value, source, target):
        return value if source == target else self.op(f"tensor.cast {value} : {source} to {target}")


def main_text(body, inputs, results, bound, fixed, opened={}):
    """The function `main`: `results` are (name, rows, d, batched) of the body, which
    reads %in0, %in1, ... as [L, d]. `opened` are inputs of an open type in a model of a
    fixed length, with whether they are cast to it before anything else."""

    def type_of(batched, rows, d):
        return tensor_type(*([1] if batched else []), rows, d)

    head, tail, arguments = [], [], []
    for i, given in enumerate(inputs):
        is_open = not fixed or i in opened
        extent = "?" if is_open else bound
        name, kind = f"%in{i}", type_of(given.batched, extent, given.d)
        if opened.get(i):
            head.append(f"  {name} = tensor.cast {name}o : {tensor_type('?', given.d)} to {tensor_type(bound, given.d)}")
            name += "o"
        if given.batched:
            head.insert(0, f"  {name} = tensor.collapse_shape {name}b [[0, 1], [2]] : {kind} into {tensor_type(extent, given.d)}")
            name += "b"
        if i == 0 and not fixed:
            head.append(f"  %axis = arith.constant {1 if given.batched else 0} : index")
            head.append(f"  %length = tensor.dim {name}, %axis : {kind}")
        attributes = f'fact.name = "{given.name}"' + (f", fact.bound = {bound} : i64" if is_open else "")
        arguments.append(f"{name}: {kind} {{{attributes}}}")
    returned = []
    for i, (value, rows, d, batched) in enumerate(results):
        if batched:
            length = bound if fixed else "%length"
            tail.append(f"  %out{i} = tensor.expand_shape {value} [[0, 1], [2]] output_shape [1, {length}, {d}] : "
                        f"{tensor_type(rows, d)} into {type_of(True, rows, d)}")
            value = f"%out{i}"
        returned.append((value, type_of(batched, rows, d)))
    types = ", ".join(f'{t} {{fact.name = "y{i}"}}' for i, (_, t) in enumerate(returned))
    return "\n".join([f"func.func @main({', '.join(arguments)}) -> ({types}) {{", *head, *body.lines, *tail,
                      f"  return {', '.join(v for v, _ in returned)} : {', '.join(t for _, t in returned)}", "}"]) + "\n"


def model(seed):
    """The model of a seed."""
    from fact import random_dense, random_linalg, random_sparse
    kind = Draw("kind", seed).weighted(dense=60, sparse=30, linalg=10)
    return {"dense": random_dense, "sparse": random_sparse, "linalg": random_linalg}[kind].model(seed)


def length_of(seed, generated):
    """The length that a run has."""
    draw = Draw("length", seed)
    if generated.fixed or draw.chance(0.4):
        return generated.bound
    return draw.random.randint(1, generated.bound)


def inputs(seed, generated, length):
    """Arrays of the model's inputs."""
    draw = Draw("inputs", seed)
    arrays = [draw.rows(length, given.d) for given in generated.inputs]
    return [x[None] if given.batched else x for x, given in zip(arrays, generated.inputs)]


def policy_fields(draw):
    """Some fields of a policy, by their flags' names."""
    options = {
        "keep": ("0.01", "0.05", "0.1", "0.2", "0.3", "0.5", "0.75", "1"),
        "tail": numerics.TAILS,
        "dominance": ("0", "0.01", "0.5", "3", "10"),
        "importance": ("0", "0.001", "0.5", "1", "1.5", "2", "16"),
        "low-precision": numerics.LOW_PRECISIONS,
        "scope": numerics.SCOPES,
        "predictor": numerics.PREDICTORS,
    }
    return {field: draw.choice(values) for field, values in options.items() if draw.chance(0.6)}


def policy_flags(seed, generated):
    """Flags of a policy; none where the model says what it wants."""
    draw = Draw("policy", seed)
    if generated.policy:
        return []
    kind = draw.weighted(default=1, preset=3, fields=6)
    if kind == "default":
        return []
    flags = [f"--preset={draw.choice(numerics.POLICY_PRESETS)}"] if draw.chance(0.5) or kind == "preset" else []
    if kind == "fields":
        flags += [f"--{field}={value}" for field, value in policy_fields(draw).items()]
    layers = count_layers(generated.text)
    while layers and draw.chance(0.3):
        first = draw.choice(range(layers))
        last = draw.choice(range(first, layers))
        fields = [f"{field}={value}" for field, value in policy_fields(draw).items()]
        preset = [draw.choice(numerics.POLICY_PRESETS)] if draw.chance(0.3) or not fields else []
        flags.append(f"--layer-policy={first}-{last}:{','.join(preset + fields)}")
    return flags


def count_layers(text):
    """Attentions that `main` and what it calls have; 0 where raising decides."""
    functions = {name: body for name, body in re.findall(r"func\.func (?:private )?@(\w+)(.*?)^}", text, re.M | re.S)}

    def count(name):
        ops = re.findall(r"= (?:fact\.attention|call @(\w+))", functions.get(name, ""))
        return sum(count(called) if called else 1 for called in ops)

    return count("main")


def schedule_flags(seed):
    """Flags of fact-compile for how a program is scheduled; most often none."""
    kind = Draw("schedule", seed).weighted(default=6, speculate=1, resident=1, in_order=1, differential=1)
    return {"default": [], "speculate": ["--speculate=off"], "resident": ["--resident=off"], "in_order": ["--schedule=in-order"],
            "differential": ["--schedule=differential"]}[kind]


def cpu_flags(seed):
    """Flags of fact-run for what its code is made for: this processor, or an emulated tier; and for threads."""
    draw = Draw("cpu", seed)
    tier = draw.weighted(native=8, amx=2, avx512vnni=2, avxvnni=1, avx512=1, avx2=1, x86=1, dotprod=1)
    threads = [f"--threads={draw.choice((1, 2))}"]
    return threads if tier == "native" else [f"--cpu={tier}", "--emulate", *threads]


def machine(seed, description):
    """`description` (of a machine, as in machines/) with small random sizes."""
    draw = Draw("machine", seed)
    for name, sizes in dict(token=(2, 4, 8, 64), weight=(1, 2, 8, 64), temp=(4, 8, 16, 128), index=(3, 4, 8, 32)).items():
        description["buffers"][name]["bytes"] = draw.choice(sizes) * 1024
    description["pe"]["rows"] = draw.choice((1, 4, 8, 16))
    description["pe"]["columns"] = draw.choice((8, 64))
    description["control"]["queue_depth"] = draw.choice((1, 2, 16))
    description["name"] = f"random-{seed}"
    return description
