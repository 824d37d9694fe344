# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Random sparse `fact` IR: every optional operand there and not there.

A model is a stack of layers, more or less: projections, a selection (predicted,
constant, shared with another attention, or none), attention, a feed-forward
network. What is written here keeps the IR legal: rows that a mask does not name
are read only by who has the same mask, or a smaller one.
"""
import dataclasses
import math

import numpy as np

from fact import numerics, random_ir
from fact.linalg_ir import ALL, NORMS, ROTARY_STYLES
from fact.random_ir import Input, Model, float_literal, tensor_type, window_text


@dataclasses.dataclass
class Selection:
    """Masks of one select, or constant ones; names of values, None where absent."""
    heads: int
    window: tuple
    mask: str
    dominated: str
    argmax: str
    count: str
    any_dominated: bool
    groups: int = None  # heads of the keys that the scores are of; None where nothing made scores


@dataclasses.dataclass
class Dressing:
    """What stands between projections and attention, with its weights as (name, type).

    norms   of Q and of K: None or (kind, [gamma, maybe beta])
    rotary  None or (style, cos, sin)
    """
    norms: tuple = (None, None)
    rotary: tuple = None

    def __bool__(self):
        return any(self.norms) or self.rotary is not None


class Stack:
    """One function that grows by layers of one width."""

    def __init__(self, model, weights_are_arguments):
        self.model, self.draw = model, model.draw
        self.body = random_ir.Body(self.draw)
        self.rows = model.extent
        self.arguments = [] if weights_are_arguments else None  # [(name, type)]
        self.constants = []  # arrays of the arguments, for a call
        self.selections = []
        self.attentions = 0

    def type(self, *shape, element="f32"):
        """'L' in a shape is the length."""
        return tensor_type(*(self.rows if extent == "L" else extent for extent in shape), element=element)

    def ops(self, text, results):
        """Names of an op's results."""
        name = self.body.name()
        self.body.line(f"{name}{f':{results}' if results > 1 else ''} = {text}")
        return [f"{name}#{i}" for i in range(results)] if results > 1 else [name]

    def weight(self, array, element):
        """(name, type) of a constant, or of an argument where the function has them."""
        t = tensor_type(*array.shape, element=element)
        if self.arguments is not None and array.ndim > 0:
            self.arguments.append((f"%w{len(self.arguments)}", t))
            self.constants.append((array, element))
            return self.arguments[-1]
        return self.body.constant(array, element), t

    def codes(self, rows, columns, limit):
        """INT8 weights."""
        w = np.rint(self.draw.normal((rows, columns), limit / 3.0)).clip(-limit, limit)
        if self.draw.chance(0.15):
            w[:, self.draw.random.randrange(columns)] = 0
        if self.draw.chance(0.1):
            w = np.sign(w) * limit
        return w.astype(np.int8)

    # Quantized rows

    def quantize(self, x, d, low=None, length="L"):
        """(codes, scales) of rows in float32."""
        with_low = f" low {low}" if low else ""
        types = self.type(length, d) + (f", {self.type('L', element='i1')}" if low else "")
        return self.ops(f"fact.quantize_rows {x}{with_low} : ({types}) -> ({self.type(length, d, element='i8')}, "
                        f"{self.type(length)})", 2)

    def weights_of(self, d, n):
        """Weights of a linear layer, for one or several uses."""
        bias = self.weight(self.draw.vector(n), "f32") if self.draw.chance(0.6) else None
        if self.draw.chance(0.2):  # not quantized yet
            w, t = self.weight(self.draw.weights(d, n), "f32")
            types = tensor_type(d, n, element="i8"), tensor_type(n)
            codes, scales = self.ops(f"fact.quantize_weight {w} : {t} -> {', '.join(types)}", 2)
            return [(codes, types[0]), (scales, types[1]), bias]
        scales = (np.abs(self.draw.normal((n,))) + np.float32(0.1)) * np.float32(0.02 / math.sqrt(d))
        return [self.weight(self.codes(d, n, 119), "i8"), self.weight(scales.astype(np.float32), "f32"), bias]

    def norm(self, x, d, kind, vectors, heads=None, mask=None):
        names, types = zip(*vectors)
        of_heads = (f" heads = {heads}" if heads else "") + (f" rows {mask[0]}" if mask else "")
        rows = f" rows {self.type(mask[1], 'L', element='i1')}" if mask else ""
        return self.ops(f"fact.norm {kind} {', '.join([x, *names])}{of_heads} eps = {float_literal(1e-5)} : "
                        f"{', '.join([self.type('L', d), *types])}{rows}", 1)[0]

    def norm_vectors(self, n):
        """Gamma and perhaps beta."""
        beta = [self.draw.vector(n)] if self.draw.chance(0.7) else []
        return [self.weight(vector, "f32") for vector in (self.draw.vector(n, 1.0), *beta)]

    def dressing(self, size):
        """Of heads of `size` features: often none."""
        draw = self.model.dressing
        dressing = Dressing()
        if draw.chance(0.5):
            return dressing
        dressing.norms = tuple(kind and (kind, self.norm_vectors(size)) for kind in draw.head_norm())
        if size > 1 and draw.chance(0.6):
            dressing.rotary = (draw.choice(ROTARY_STYLES), *(self.weight(table, "f32") for table in draw.tables(self.model.bound, size)))
        return dressing

    def dressed(self, x, d, heads, dressing, role, mask=None):
        """Rows of the role 'q' or 'k' as attention reads them; `mask` is (name, heads)."""
        norm = dressing.norms["qk".index(role)]
        if norm:
            x = self.norm(x, d, *norm, heads, mask if self.draw.chance(0.8) else None)
        if dressing.rotary:
            style, cos, sin = dressing.rotary
            masked = mask if self.draw.chance(0.8) else None
            x = self.ops(f"fact.rotate {style} {x}, {cos[0]}, {sin[0]} heads = {heads}{f' rows {masked[0]}' if masked else ''} : "
                         f"{self.type('L', d)}, {cos[1]}{f' rows ' + self.type(heads, 'L', element='i1') if masked else ''}", 1)[0]
        return x

    def linear(self, rows, d, n, weights=None, low=None, mask=None, length="L"):
        """`rows` are (codes, scales); `mask` is (name, heads)."""
        w, s, b = weights or self.weights_of(d, n)
        text = f"fact.quantized_linear {rows[0]}, {rows[1]}, {w[0]}, {s[0]}"
        types = [self.type(length, d, element="i8"), self.type(length), w[1], s[1]]
        if b:
            text += f" bias {b[0]}"
            types.append(b[1])
        if low:
            text += f" low {low} precision = {self.draw.choice(('a4w4', 'a4w8'))}"
            types.append(self.type("L", element="i1"))
        if mask:
            text += f" rows {mask[0]}"
            types.append(self.type(mask[1], "L", element="i1"))
        return self.ops(f"{text} : ({', '.join(types)}) -> {self.type(length, n)}", 1)[0]

    def heads(self, x, d, heads, mask=None, length="L"):
        """(codes, scales) per head."""
        with_rows = f" rows {mask[0]}" if mask else ""
        types = self.type(length, d) + (f", {self.type(heads, 'L', element='i1')}" if mask else "")
        return self.ops(f"fact.quantize_heads {x}{with_rows} heads = {heads} : ({types}) -> "
                        f"({self.type(length, d, element='i8')}, {self.type(heads, length)})", 2)

    # Selections

    def predict(self, rows, d, sizes, scale, window, dressing):
        """A fact.select of predicted scores; `sizes` are (columns, heads) of Q and of K."""
        predictor = self.draw.choice(numerics.PREDICTORS).replace("-", "_")
        i8 = self.type("L", d, element="i8")
        activations = self.ops(f"fact.encode {predictor} activation {rows[0]} : {i8}", 1)[0]
        codes, scales, types = [], [], []
        for role, (width, heads) in zip(("query", "key"), sizes):
            i32 = self.type("L", width, element="i32")
            wt = tensor_type(d, width, element="i8")
            if self.draw.chance(0.3):  # not quantized yet
                real, rt = self.weight(self.draw.weights(d, width), "f32")
                w, weight_scale = self.ops(f"fact.quantize_predictor_weight {real} : {rt} -> {wt}, tensor<f32>", 2)
            else:
                w, _ = self.weight(self.codes(d, width, 127), "i8")
                weight_scale, _ = self.weight(np.float32(self.draw.choice((0.001, 0.02))), "f32")
            scales.append(weight_scale)
            w = self.ops(f"fact.encode {predictor} weight {w} : {wt}", 1)[0]
            text, read = f"fact.log_matmul {activations}, {w}", f"{i8}, {wt}"
            bias = None
            if (role == "query" or dressing) and self.draw.chance(0.5):
                bias, bt = self.weight(self.draw.normal((width,), self.draw.choice((0.1, 20.0))), "f32")
                if self.draw.chance(0.3):
                    of_scale = ("", "") if dressing else (f", {weight_scale}", ", tensor<f32>")
                    bias = self.ops(f"fact.predictor_bias {predictor} {bias}{of_scale[0]} : {bt}{of_scale[1]}", 1)[0]
                if not dressing:
                    text, read = f"{text} bias {bias} scale {rows[1]}", f"{read}, {bt}, {self.type('L')}"
            h = self.ops(f"{text} : ({read}) -> {i32}", 1)[0]
            if dressing:
                of_bias = (f" bias {bias}", f", {bt}") if bias else ("", "")
                y = self.ops(f"fact.rescale {h}, {rows[1]}, {weight_scale}{of_bias[0]} : ({i32}, {self.type('L')}, tensor<f32>"
                             f"{of_bias[1]}) -> {self.type('L', width)}", 1)[0]
                n, s = self.heads(self.dressed(y, width, heads, dressing, role[0]), width, heads)
            else:
                n, s = self.ops(f"fact.normalize_heads {h} heads = {heads} : {i32} -> "
                                f"{self.type('L', width, element='i8')}, {self.type(heads, 'L')}", 2)
            codes += [self.ops(f"fact.encode {predictor} {role} {n} : {self.type('L', width, element='i8')}", 1)[0], s]
            types += [self.type("L", width, element="i8"), self.type(heads, "L")]
        heads = sizes[0][1]
        if not dressing:
            codes += [rows[1], *scales]
            types += [self.type("L"), "tensor<f32>", "tensor<f32>"]
        scores, unit = self.ops(
            f"fact.predict {', '.join(codes)} heads = {heads} scale = {float_literal(scale)} : "
            f"({', '.join(types)}) -> ({self.type(heads, 'L', 'L')}, {self.type(heads, 'L')})", 2)
        norms = sum(norm is not None for norm in dressing.norms)
        groups = sizes[1][1]
        made = self.select(predictor, scores, unit, heads, window, norms, groups)
        if self.draw.chance(0.15):  # one prediction for two selections
            self.selections.append(self.select(predictor, scores, unit, heads, window, norms, groups))
        return made

    def select(self, predictor, scores, unit, heads, window, norms, groups):
        of_norms = f" head_norms = {norms}" if norms else ""
        dominance = self.draw.choice((0.0, 0.0, 0.01, 0.5, 3.0))
        results = self.ops(
            f"fact.select {predictor} {scores}, {unit} keep = {self.draw.choice((0, 1, 51, 205, 512, 900, 1024))} "
            f"dominance = {float_literal(dominance)}{of_norms}{window_text(window)} : {self.type(heads, 'L', 'L')}, {self.type(heads, 'L')} -> "
            f"{self.type(heads, 'L', 'L', element='i1')}, {self.type(heads, 'L', element='i1')}, "
            f"{self.type(heads, 'L', element='i32')}, {self.type('L', element='i64')}", 4)
        return Selection(heads, window, *results, any_dominated=dominance > 0, groups=groups)

    def constant_selection(self, heads, window):
        """Masks that were decided while compiling."""
        length = self.model.bound
        mask = self.draw.numbers.random((heads, length, length)) < self.draw.choice((0.1, 0.5, 0.95))
        mask[:, range(length), range(length)] = True
        allowed = numerics.allowed(length, window)
        mask &= allowed
        dominated = argmax = None
        if self.draw.chance(0.5):
            dominated = self.body.constant(self.draw.numbers.random((heads, length)) < 0.3, "i1")
            columns = allowed.argmax(1) + self.draw.numbers.random((heads, length)) * allowed.sum(1)
            argmax = self.body.constant(columns.astype(np.int32), "i32")
        return Selection(heads, window, self.body.constant(mask, "i1"), dominated, argmax, None, dominated is not None)

    def selection(self, rows, d, sizes, scale, window, dressing):
        heads = sizes[0][1]
        # A program's selection flags rows for each head of the keys that it predicts.
        fitting = [s for s in self.selections
                   if s.heads == heads and s.window == window and s.groups in (None, sizes[1][1])]
        kind = self.draw.weighted(predicted=6, none=1, shared=4 if fitting else 0,
                                  constant=1 if self.model.fixed and self.arguments is None else 0)
        if kind == "none":
            return None
        if kind == "shared":
            return self.draw.choice(fitting)
        made = self.constant_selection(heads, window) if kind == "constant" else \
            self.predict(rows, d, sizes, scale, window, dressing)
        self.selections.append(made)
        return made

    def low_tokens(self, x, d, heads):
        """A token mask, or None."""
        if self.draw.chance(0.35):
            return None
        counts = [(s.count, s.window) for s in self.selections if s.count]
        if counts and self.draw.chance(0.8):
            count, window = self.draw.choice(counts)
        else:
            window = self.draw.window()
            count = self.ops(f"fact.select_all {x} heads = {heads}{window_text(window)} : {self.type('L', d)} -> {self.type('L', element='i64')}", 1)[0]
        importance = self.draw.choice((-1, 1, 128, 256, 300, 512, 4096))
        return self.ops(f"fact.select_precision {count} importance = {importance}{window_text(window)} : {self.type('L', element='i64')} -> "
                        f"{self.type('L', element='i1')}", 1)[0]

    # A layer

    def demanded(self, selection, uses_dominated, groups):
        """Row masks (name, heads) of q, k and v, the latter two of `groups` heads, or None for all rows."""
        if not selection or not selection.dominated or not self.draw.chance(0.7):
            return [None] * 3
        # Rows that the attention computes although the select calls them dominated
        # read more than these masks name.
        if selection.any_dominated and not uses_dominated:
            return [None] * 3
        heads = selection.heads
        mask_type, rows_type = self.type(heads, "L", "L", element="i1"), self.type(heads, "L", element="i1")
        grouped = f" -> {self.type(groups, 'L', element='i1')}" if groups != heads else ""
        k = self.ops(f"fact.k_rows {selection.mask}, {selection.dominated} : {mask_type}, {rows_type}{grouped}", 1)[0]
        v = self.ops(f"fact.v_rows {selection.mask}, {selection.dominated}, {selection.argmax} : {mask_type}, {rows_type}, "
                     f"{self.type(heads, 'L', element='i32')}{grouped}", 1)[0]
        q = self.ops(f"fact.q_rows {selection.dominated} : {rows_type}", 1)[0]
        return [(name, n) if self.draw.chance(0.8) else None
                for name, n in ((q, heads), (v if self.draw.chance(0.1) else k, groups), (v, groups))]

    def attention(self, x, d):
        """(context, its width, the token mask of its projections)."""
        draw = self.draw
        self.attentions += 1
        width = d if draw.chance(0.7) else draw.choice(self.model.widths)
        heads = draw.choice([h for h in range(1, width + 1) if width % h == 0][:6])
        if self.selections and draw.chance(0.5) and width % self.selections[-1].heads == 0:
            heads = self.selections[-1].heads
        size = width // heads
        groups = self.model.dressing.key_heads(heads) if self.model.dressing.chance(0.3) else heads
        dressing = self.dressing(size)
        sizes = dict(q=(width, heads), k=(groups * size, groups), v=(groups * size, groups))
        window = draw.window()
        scale = draw.choice((1 / math.sqrt(size), 0.3, 1.0))
        rows = self.quantize(x, d)
        selection = self.selection(rows, d, (sizes["q"], sizes["k"]), scale, window, dressing)
        uses_dominated = bool(selection and selection.dominated) and (selection.any_dominated or draw.chance(0.8)) and draw.chance(0.9)
        low = self.low_tokens(x, d, heads) if draw.chance(0.4) else None
        if low or draw.chance(0.2):
            rows = self.quantize(x, d, low)
        operands, types = [], []
        tails, tail_types = [], []
        tail = bool(selection) and window == ALL and not dressing and draw.chance(0.5)
        mean = None
        if tail:
            mean = self.ops(f"fact.mean_token {x} : {self.type('L', d)} -> {tensor_type(1, d)}", 1)[0]
            mean = self.quantize(mean, d, length=1)
        shared = None
        for role, mask in zip("qkv", self.demanded(selection, uses_dominated, groups)):
            columns, n = sizes[role]
            weights = self.weights_of(d, columns)
            if role == "k" and columns == width and draw.chance(0.15):
                weights = shared
            shared = weights
            y = self.linear(rows, d, columns, weights, low, mask if draw.chance(0.8) else None)
            if role in "qk":
                y = self.dressed(y, columns, n, dressing, role, mask)
            operands += self.heads(y, columns, n, mask if draw.chance(0.8) else None)
            types += [self.type("L", columns, element="i8"), self.type(n, "L")]
            if tail and role in "kv":
                row = self.linear(mean, d, columns, weights, length=1)
                tails += self.heads(row, columns, n, length=1)
                tail_types += [tensor_type(1, columns, element="i8"), tensor_type(n, 1)]
        text = f"fact.quantized_attention {', '.join(operands)}"
        if selection:
            text += f" mask {selection.mask}"
            types.append(self.type(heads, "L", "L", element="i1"))
        if uses_dominated:
            text += f" dominated {selection.dominated}, {selection.argmax}"
            types += [self.type(heads, "L", element="i1"), self.type(heads, "L", element="i32")]
        if tail:
            text += f" tail {', '.join(tails)}"
            types += tail_types
        text += f" heads = {heads} scale = {float_literal(scale)}{window_text(window)}"
        return self.ops(f"{text} : ({', '.join(types)}) -> {self.type('L', width)}", 1)[0], width, low

    def row_norm(self, x, d):
        vectors = self.norm_vectors(d)
        return self.norm(x, d, self.draw.choice(NORMS), vectors)

    def add(self, a, b, d):
        return self.ops(f"fact.add {a}, {b} : {self.type('L', d)}", 1)[0]

    def layer(self, x, d):
        draw = self.draw
        a = self.row_norm(x, d) if draw.chance(0.4) else x
        context, width, low = self.attention(a, d)
        r = context
        if width != d or draw.chance(0.8):
            low = low if draw.chance(0.5) else self.low_tokens(x, d, 1)
            r = self.linear(self.quantize(context, width, low), width, d, low=low)
        r = self.add(x, r, d)
        if draw.chance(0.5):
            r = self.row_norm(r, d)
        if draw.chance(0.3):
            return r
        hidden = draw.choice(self.model.widths)
        low = self.low_tokens(r, d, 1)
        h = self.linear(self.quantize(r, d, low), d, hidden, low=low)
        h = self.ops(f"fact.activation {draw.choice(numerics.ACTIVATIONS)} {h} : {self.type('L', hidden)}", 1)[0]
        low = low if draw.chance(0.8) else None
        return self.add(r, self.linear(self.quantize(h, hidden, low), hidden, d, low=low), d)


class Generator:
    """One model."""

    def __init__(self, seed):
        self.draw = random_ir.Draw("sparse", seed)
        # Of a stream of its own: a seed keeps the rest of its model where it can.
        self.dressing = random_ir.Draw("sparse-dressing", seed)
        self.bound, self.fixed = self.draw.length()
        self.widths = [self.draw.choice(random_ir.WIDTHS) for _ in range(3)]

    @property
    def extent(self):
        return self.bound if self.fixed else "?"

    def model(self):
        d = self.widths[0]
        given = Input("x", d, self.draw.chance(0.5))
        main = Stack(self, False)
        x, text = "%in0", ""
        values = []
        if self.draw.chance(0.3):  # equal layers are calls
            layer = Stack(self, True)
            result = layer.layer("%s", d)
            rows = layer.type("L", d)
            arguments = ", ".join([f"%s: {rows}", *(f"{name}: {t}" for name, t in layer.arguments)])
            text = "\n".join([f"func.func private @layer({arguments}) -> {rows} {{", *layer.body.lines,
                              f"  return {result} : {rows}", "}", "", ""])
            for _ in range(self.draw.choice((1, 2, 3))):
                constants = []
                for array, element in layer.constants:
                    # Same type and range, other numbers.
                    if self.draw.chance(0.5):
                        array = np.roll(array, 1, axis=-1)
                    constants.append(main.body.constant(array, element))
                types = ", ".join([rows, *(t for _, t in layer.arguments)])
                x = main.ops(f"call @layer({', '.join([x, *constants])}) : ({types}) -> {rows}", 1)[0]
                values.append(x)
        else:
            for _ in range(self.draw.choice((1, 1, 2, 3))):
                x = main.layer(x, d)
                values.append(x)
        results = [(x, self.extent, d, self.draw.chance(0.5))]
        if self.draw.chance(0.2):
            results.append((self.draw.choice(values), self.extent, d, self.draw.chance(0.5)))
        text += random_ir.main_text(main.body, [given], results, self.bound, self.fixed)
        return Model(text, [given], len(results), self.bound, self.fixed, True)


def model(seed):
    """The sparse model of a seed."""
    return Generator(seed).model()
