# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Random dense `fact` IR: layers and pieces of layers in any order and sharing.

A function grows by steps that each read values that are there (several times,
or never) and add new ones. Private functions are grown first, and may call those
before them; weights are constants of their function or arguments.
"""
import dataclasses
import math

import numpy as np

from fact import numerics, random_ir
from fact.linalg_ir import NORMS, ROTARY_STYLES
from fact.random_ir import Input, Model, float_literal, tensor_type


@dataclasses.dataclass
class Rows:
    """A value [rows, d]; rows is a length or '?'."""
    name: str
    rows: object
    d: int

    @property
    def type(self):
        return tensor_type(self.rows, self.d)


def heads_of(d):
    """How many heads d features may be, up to eight of these numbers."""
    return [heads for heads in range(1, d + 1) if d % heads == 0][:8]


@dataclasses.dataclass
class Function:
    """A private function: types of its streams, shapes of its weights."""
    name: str
    streams: list
    weights: list
    results: list
    attentions: int
    text: str = ""
    called: bool = False


class Grower:
    """One function while it grows."""

    def __init__(self, model, streams):
        self.model = model
        self.draw = model.draw
        self.body = random_ir.Body(self.draw)
        self.values = list(streams)
        self.weight_arguments = []  # shapes; only of private functions
        self.private = False
        self.attentions = 0

    # Values

    def pick(self, d=None, rows=None):
        """A value, late ones more often; None where there is none."""
        fitting = [v for v in self.values if (d is None or v.d == d) and (rows is None or v.rows == rows)]
        if not fitting:
            return None
        return fitting[-1] if self.draw.chance(0.4) else self.draw.choice(fitting)

    def as_rows(self, value, rows):
        return Rows(self.body.cast(value.name, value.type, tensor_type(rows, value.d)), rows, value.d)

    def partner(self, value):
        """Another value of the same type, or the same one."""
        other = self.pick(d=value.d)
        return self.as_rows(other, value.rows)

    def add(self, text, like, d=None):
        result = Rows(self.body.op(text), like.rows, d or like.d)
        self.values.append(result)
        return result

    def weight(self, array):
        """(name, type) of a constant or an argument for one."""
        if self.private and self.draw.chance(0.7):
            name = f"%w{len(self.weight_arguments)}"
            self.weight_arguments.append(array.shape)
            return name, tensor_type(*array.shape)
        return self.body.constant(array), tensor_type(*array.shape)

    # Steps of one op

    def linear(self, x, n=None):
        n = n or (x.d if self.draw.chance(0.5) else self.draw.choice(self.model.widths))
        w, wt = self.weight(self.draw.weights(x.d, n))
        bias, types = "", f"{x.type}, {wt}"
        if self.draw.chance(0.6):
            b, bt = self.weight(self.draw.vector(n))
            bias, types = f" bias {b}", f"{types}, {bt}"
        return self.add(f"fact.linear {x.name}, {w}{bias} : ({types}) -> {tensor_type(x.rows, n)}", x, n)

    def norm(self, x, kind=None, heads=None):
        """Of rows, or of each head's slice of them."""
        n = x.d // (heads or 1)
        names, types = zip((x.name, x.type), self.weight(self.draw.vector(n, 1.0)),
                           *([self.weight(self.draw.vector(n))] if self.draw.chance(0.7) else []))
        eps = float_literal(self.draw.choice((1e-5, 1e-12, 1e-3, 1.0)))
        return self.add(f"fact.norm {kind or self.draw.choice(NORMS)} {', '.join(names)}{f' heads = {heads}' if heads else ''} "
                        f"eps = {eps} : {', '.join(types)}", x)

    def rotary(self, size):
        """(style, cos, sin) of heads of `size` features, the tables with their types."""
        return self.model.dressing.choice(ROTARY_STYLES), *(self.weight(table) for table in self.model.dressing.tables(self.model.bound, size))

    def rotate(self, x, heads, style, cos, sin):
        return self.add(f"fact.rotate {style} {x.name}, {cos[0]}, {sin[0]} heads = {heads} : {x.type}, {cos[1]}", x)

    def activation(self, x):
        return self.add(f"fact.activation {self.draw.choice(numerics.ACTIVATIONS)} {x.name} : {x.type}", x)

    def product(self, a, b):
        return self.add(f"fact.multiply {a.name}, {b.name} : {a.type}", a)

    def sum(self, a, b):
        return self.add(f"fact.add {a.name}, {b.name} : {a.type}", a)

    def attention(self, q, k, v, heads=None, key_heads=None):
        self.attentions += 1
        heads = heads or self.draw.choice(heads_of(q.d))
        scale = self.draw.choice((1 / math.sqrt(q.d // heads),) * 3 + (0.3, 1.0, 0.01, -0.5))
        return self.add(random_ir.attention_text(q.name, k.name, v.name, heads, key_heads or heads, scale, self.draw.window(),
                                                 q.type, k.type), q)

    def flip(self, x):
        """A cast to an open length, or back."""
        return self.add_cast(x, self.model.bound if x.rows == "?" else "?")

    def add_cast(self, x, rows):
        result = self.as_rows(x, rows)
        if result.name != x.name:
            self.values.append(result)
        return result

    def reshaped(self, x):
        """[L, d] to [1, L, d] and back; `x` where the length is open."""
        if x.rows == "?":
            return x
        batch = tensor_type(1, x.rows, x.d)
        name = self.body.op(f"tensor.expand_shape {x.name} [[0, 1], [2]] output_shape [1, {x.rows}, {x.d}] : {x.type} into {batch}")
        return self.add(f"tensor.collapse_shape {name} [[0, 1], [2]] : {batch} into {x.type}", x)

    def constant_rows(self, d):
        array = self.draw.rows(self.model.bound, d)
        if np.abs(array).max() > 1e6:
            array = self.draw.normal(array.shape)
        if self.draw.chance(0.3):
            array[:] = array[0, 0]
        value = Rows(self.body.constant(array), self.model.bound, d)
        self.values.append(value)
        return value

    # Steps of several ops

    def projections(self, a):
        """q, k, v of one type, shared in one of many ways."""
        width = a.d if self.draw.chance(0.8) else self.draw.choice(self.model.widths)
        kind = self.draw.weighted(usual=8, qk=2, all=1, raw_v=1, cross=2, raw=1, others=1)
        if kind == "qk":
            q = self.linear(a, width)
            return q, q, self.linear(a, width)
        if kind == "all":
            q = self.linear(a, width)
            return q, q, q
        if kind == "raw_v":
            return self.linear(a, a.d), self.linear(a, a.d), a
        if kind == "raw":
            return a, a, a
        if kind == "others":
            return a, self.partner(a), self.partner(a)
        source = self.partner(a) if kind == "cross" else a
        q, k, v = self.linear(a, width), self.linear(source, width), self.linear(source, width)
        return q, k, v

    def attended(self, a):
        """An attention of rows: plain, or as section 10 has it."""
        draw = self.model.dressing
        if draw.chance(0.6):
            return self.attention(*self.projections(a))
        heads, size = draw.choice((1, 2, 3, 4, 6)), draw.choice((1, 2, 3, 4, 5, 8, 12, 16))
        key_heads = draw.key_heads(heads)
        q, k, v = self.linear(a, heads * size), self.linear(a, key_heads * size), self.linear(a, key_heads * size)
        q, k = (self.norm(x, kind, n) if kind else x for x, kind, n in zip((q, k), draw.head_norm(), (heads, key_heads)))
        if size > 1 and draw.chance(0.5):
            rotary = self.rotary(size)
            q, k = self.rotate(q, heads, *rotary), self.rotate(k, key_heads, *rotary)
        return self.attention(q, k, v, heads, key_heads)

    def dressed(self, x):
        """A head norm or a rotary embedding where no attention has to follow."""
        heads = self.model.dressing.choice(heads_of(x.d))
        if x.d // heads > 1 and self.model.dressing.chance(0.5):
            return self.rotate(x, heads, *self.rotary(x.d // heads))
        return self.norm(x, heads=heads)

    def encoder(self, x):
        """A layer, more or less."""
        pre = self.draw.chance(0.5)
        attended = self.attended(self.norm(x) if pre else x)
        if attended.d != x.d or self.draw.chance(0.9):
            attended = self.linear(attended, x.d)
        r = self.sum(x, attended) if self.draw.chance(0.5) else self.sum(attended, x)
        if not pre:
            r = self.norm(r)
        if self.draw.chance(0.2):
            return r
        t, width = self.norm(r) if pre else r, self.draw.choice(self.model.widths)
        hidden = self.activation(self.linear(t, width))
        if self.draw.chance(0.3):
            hidden = self.product(hidden, self.linear(t, width))
        y = self.sum(r, self.linear(hidden, x.d))
        return y if pre else self.norm(y)

    def arguments(self, function, streams):
        """Operands of a call: those streams, and constants for the weights."""
        operands = [(s.name, s.type) for s in streams]
        for shape in function.weights:
            operands.append(self.weight(self.draw.weights(*shape) if len(shape) == 2 else self.draw.vector(*shape)))
        return operands

    def call_once(self, function, streams):
        operands = self.arguments(function, streams)
        name = self.body.name()
        many = len(function.results) > 1
        self.body.line(f"{name}{':' + str(len(function.results)) if many else ''} = call @{function.name}("
                       f"{', '.join(n for n, _ in operands)}) : ({', '.join(t for _, t in operands)}) -> "
                       f"({', '.join(r.type for r in function.results)})")
        results = [Rows(f"{name}#{i}" if many else name, r.rows, r.d) for i, r in enumerate(function.results)]
        self.values += results
        self.attentions += function.attentions
        function.called = True
        return results

    def stream_for(self, wanted):
        value = self.pick(d=wanted.d)
        if value is None or (not self.private and self.model.fixed and self.draw.chance(0.1)):
            if not self.model.fixed:
                value = self.linear(self.pick(), wanted.d)
            else:
                value = self.constant_rows(wanted.d)
        return self.as_rows(value, wanted.rows)

    def call(self, function):
        """A call, or a chain of them through one of the arguments."""
        streams = [self.stream_for(s) for s in function.streams]
        result = self.draw.choice(self.call_once(function, streams))
        through = self.draw.random.randrange(len(streams))
        for _ in range(self.draw.choice((0, 0, 1, 1, 2, 3))):
            if self.attentions >= 5:
                break
            following = streams[through]
            if result.d != following.d:
                break
            if self.draw.chance(0.2):
                streams = [self.stream_for(s) for s in function.streams]
            if self.draw.chance(0.15):
                through = self.draw.random.randrange(len(streams))
            if streams[through].d != result.d:
                break
            streams = list(streams)
            streams[through] = self.as_rows(result, function.streams[through].rows)
            if self.draw.chance(0.15):
                streams = [streams[through] if s.type == streams[through].type else s for s in streams]
            result = self.draw.choice(self.call_once(function, streams))

    def step(self):
        x = self.pick()
        heavy = self.attentions < 3
        kind = self.draw.weighted(
            linear=3, norm=2, activation=2, around=1, add=4, multiply=1, attention=1.5 if heavy else 0, encoder=3 if heavy else 0,
            flip=2 if self.model.fixed else 0, reshape=0.5, constant=0.7 if self.model.fixed else 0,
            call=4 if self.model.functions else 0)
        if kind == "linear":
            self.linear(x)
        elif kind == "norm":
            self.dressed(x) if self.model.dressing.chance(0.2) else self.norm(x)
        elif kind == "activation":
            self.activation(x)
        elif kind == "around":  # an activation whose operand others read, too
            x = self.norm(x) if self.draw.chance(0.5) else self.linear(x)
            self.sum(self.activation(x), x)
        elif kind == "add":
            self.sum(x, self.partner(x))
        elif kind == "multiply":
            self.product(x, self.partner(x))
        elif kind == "attention":
            self.attended(x)
        elif kind == "encoder":
            self.encoder(x)
        elif kind == "flip":
            self.flip(x)
        elif kind == "reshape":
            self.reshaped(x)
        elif kind == "constant":
            self.constant_rows(x.d)
        else:
            functions = [f for f in self.model.functions if self.attentions + f.attentions <= 4]
            if functions:
                self.call(self.draw.choice(functions))


class Generator:
    """One model."""

    def __init__(self, seed):
        self.draw = random_ir.Draw("dense", seed)
        self.bound, self.fixed = self.draw.length()
        # Of a stream of its own: a seed keeps the rest of its model.
        self.opening = random_ir.Draw("open", seed)
        self.dressing = random_ir.Draw("dressing", seed)
        main = self.draw.choice(random_ir.WIDTHS)
        self.widths = [main, main, *(self.draw.choice(random_ir.WIDTHS) for _ in range(2))]
        self.functions = []

    @property
    def extent(self):
        return self.bound if self.fixed else "?"

    def private_function(self, name):
        """A function of one stream or two, of any size, that may return what it got."""
        grower = Grower(self, [])
        grower.private = True
        rows = "?" if self.draw.chance(0.3) else self.extent
        width = self.widths[0] if self.draw.chance(0.8) else self.draw.choice(self.widths)
        count = self.draw.choice((1, 1, 1, 2, 2))
        streams = [Rows(f"%s{i}", rows, width if i == 0 or self.draw.chance(0.8) else self.draw.choice(self.widths))
                   for i in range(count)]
        grower.values = list(streams)
        kind = self.draw.weighted(nothing=1.5, casts=1 if self.fixed else 0, layer=4, steps=5)
        result = streams[0]
        if kind == "casts":
            result = grower.flip(grower.flip(self.draw.choice(streams)))
        elif kind == "nothing":
            result = self.draw.choice(streams)
        elif kind == "layer":
            result = grower.encoder(streams[0])
            if count == 2 and streams[1].d == result.d:
                result = grower.sum(result, streams[1])
        else:
            for _ in range(self.draw.choice((1, 1, 2, 3))):
                grower.step()
            result = grower.values[-1]
        results = [result]
        if self.draw.chance(0.05):
            results.append(grower.pick())
        arguments = [f"{s.name}: {s.type}" for s in streams]
        arguments += [f"%w{i}: {tensor_type(*shape)}" for i, shape in enumerate(grower.weight_arguments)]
        text = [f"func.func private @{name}({', '.join(arguments)}) -> ({', '.join(r.type for r in results)}) {{",
                *grower.body.lines,
                f"  return {', '.join(r.name for r in results)} : {', '.join(r.type for r in results)}", "}"]
        return Function(name, streams, grower.weight_arguments, results, grower.attentions, "\n".join(text) + "\n")

    def model(self):
        for i in range(self.draw.choice((0, 0, 1, 1, 2, 3))):
            self.functions.append(self.private_function(f"f{i}"))
        inputs = [Input("x", self.widths[0], self.draw.chance(0.5))]
        if self.draw.chance(0.35):
            inputs.append(Input("z", self.widths[0] if self.draw.chance(0.7) else self.widths[-1], self.draw.chance(0.5)))
        # Inputs whose types are open although the model's length is fixed: by a cast of the
        # first, and of the others or by what they meet.
        opened = {}
        if self.fixed and self.opening.chance(0.25):
            opened = {i: i == 0 or self.opening.chance(0.5) for i in range(len(inputs)) if i == 0 or self.opening.chance(0.7)}
        grower = Grower(self, [Rows(f"%in{i}", self.extent if opened.get(i, True) else "?", given.d)
                               for i, given in enumerate(inputs)])
        for _ in range(self.draw.choice((0, 1, 2, 3, 4, 5, 6))):
            grower.step()
        results = []
        for i in range(self.draw.choice((1, 1, 1, 1, 2, 3))):
            value = grower.values[-1] if i == 0 and self.draw.chance(0.9) else grower.pick()
            if value.rows == "?" and self.fixed and self.draw.chance(0.8):
                value = grower.as_rows(value, self.bound)
            batched = self.draw.chance(0.5) and (value.rows != "?" or not self.fixed)
            results.append((value.name, value.rows, value.d, batched))
        # Functions that nobody calls are legal, and all of one kind.
        text = "\n".join(f.text for f in self.functions if f.called or self.draw.chance(0.1))
        text += "\n" * bool(text) + random_ir.main_text(grower.body, inputs, results, self.bound, self.fixed, opened)
        policy = self.draw.chance(0.1)
        if policy:
            text = f"module attributes {{fact.policy = {policy_attribute(self.draw)}}} {{\n{text}}}\n"
        return Model(text, inputs, len(results), self.bound, self.fixed, policy)


def policy_attribute(draw):
    """A policy in the IR."""
    def name(text):
        return text.replace("-", "_")
    return (f"#fact.policy<keep = {draw.choice((1, 51, 205, 512, 1023, 1024))}, tail = {draw.choice(numerics.TAILS)}, "
            f"dominance = {draw.choice(('0.0', '0.5', '3.0'))}, importance = {draw.choice((-1, 0, 1, 128, 256, 512))}, "
            f"low_precision = {draw.choice(numerics.LOW_PRECISIONS)}, scope = {draw.choice(numerics.SCOPES)}, "
            f"predictor = {name(draw.choice(numerics.PREDICTORS))}>")


def model(seed):
    """The dense model of a seed."""
    return Generator(seed).model()
