# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Random linalg IR: pieces of layers, taken apart op by op as importers write
them, beside the dense `fact` IR that raising makes of them again.

`model(seed)` has both texts. Whatever the pieces are and however they share
values, the sides that start from linalg must give the bits of the dense original.
"""
import io

import numpy as np

from fact import linalg_ir, random_ir
from fact.random_ir import Input, Model, float_literal, tensor_type

DENSE_NAMES = {"gelu_erf": "gelu", "gelu_tanh": "gelu_tanh", "quick_gelu": "quick_gelu", "swish": "swish", "relu": "relu"}


class Twin:
    """Both texts while they grow; a value is (name in linalg, name in dense IR)."""

    def __init__(self, seed):
        self.draw = random_ir.Draw("linalg", seed)
        # Of a stream of its own: a seed keeps the rest of its model.
        self.dressing = random_ir.Draw("linalg-dressing", seed)
        self.seed = seed
        self.bound, _ = self.draw.length()
        # Splitting features into one head, or heads of one feature, is another form.
        self.d = self.draw.choice([d for d in random_ir.WIDTHS if d > 2])
        self.out = io.StringIO()
        self.linalg = linalg_ir.Writer(self.out, self.d)
        self.dense = random_ir.Body(self.draw)
        self.constants = {}
        self.pieces = 0

    def piece(self, attention=False):
        """(a layer whose weights the next piece takes, its prefix)."""
        self.pieces += 1
        heads = self.draw.choice([h for h in range(1, self.d + 1) if self.d % h == 0][:6])
        layer = linalg_ir.random_layer(
            self.d, heads, self.draw.choice([w for w in random_ir.WIDTHS if w > 1]), activation=self.draw.choice(linalg_ir.ACTIVATIONS),
            eps=self.draw.choice((1e-5, 1e-6, 1e-3)), window=self.draw.window(), bias=self.draw.chance(0.7),
            seed=1000 * self.seed + self.pieces, norm=self.draw.choice(linalg_ir.NORMS), gated=self.draw.chance(0.3),
            beta=self.dressing.chance(0.7), **(self.dress(heads) if attention else {}))
        if self.draw.chance(0.3):
            layer.scale = float(np.float32(self.draw.choice((0.3, 0.7))))
        return layer, f"p{self.pieces}."

    def dress(self, heads):
        """What random_layer takes of section 10's attention."""
        draw, size = self.dressing, self.d // heads
        if draw.chance(0.5):
            return {}
        if draw.chance(0.3):
            size = draw.choice((1, 2, 3, 5, 8, 12))
        dressed = dict(head_size=size, key_heads=draw.key_heads(heads), head_norm=draw.head_norm())
        if size > 1 and draw.chance(0.5):
            style, tables = draw.choice(linalg_ir.ROTARY_STYLES), draw.tables(self.bound, size)
            # One pair is the same in both styles; as a product with one column it is another form.
            dressed |= dict(rotary="half" if tables[0].shape[1] == 1 else style, tables=tables)
        return dressed

    def rows(self, d):
        return tensor_type("?", d)

    # Pieces

    def dense_norm(self, x, layer, which, d, heads=None):
        kind, eps = layer.norm_of(which)
        arrays = [layer.weights[f"{which}.{part}"] for part in ("gamma", "beta") if f"{which}.{part}" in layer.weights]
        operands = ", ".join([x, *(self.dense.constant(array) for array in arrays)])
        types = ", ".join([self.rows(d), *(tensor_type(len(array)) for array in arrays)])
        return self.dense.op(f"fact.norm {kind} {operands}{f' heads = {heads}' if heads else ''} eps = {float_literal(eps)} : {types}")

    def norm(self, x):
        layer, prefix = self.piece()
        return self.linalg.norm(x[0], layer, prefix, "ln1"), self.dense_norm(x[1], layer, "ln1", self.d)

    def dense_linear(self, x, layer, name):
        w = layer.weights[name]
        text, types = f"fact.linear {x}, {self.dense.constant(w)}", f"{self.rows(w.shape[0])}, {tensor_type(*w.shape)}"
        bias = "b" + name[1:]
        if bias in layer.weights:
            text += f" bias {self.dense.constant(layer.weights[bias])}"
            types += f", {tensor_type(w.shape[1])}"
        return self.dense.op(f"{text} : ({types}) -> {self.rows(w.shape[1])}")

    def linear(self, x):
        layer, prefix = self.piece()
        return self.linalg.linear(x[0], layer, prefix, "Wo"), self.dense_linear(x[1], layer, "Wo")

    def feed_forward(self, x):
        layer, prefix = self.piece()
        hidden = self.dense_linear(x[1], layer, "W1")
        hidden = self.dense.op(f"fact.activation {DENSE_NAMES[layer.activation]} {hidden} : {self.rows(layer.weights['W1'].shape[1])}")
        if "W3" in layer.weights:
            gate = self.dense_linear(x[1], layer, "W3")
            hidden = self.dense.op(f"fact.multiply {hidden}, {gate} : {self.rows(layer.weights['W3'].shape[1])}")
        return self.linalg.feed_forward(x[0], layer, prefix), self.dense_linear(hidden, layer, "W2")

    def dense_dressed(self, x, layer, which, heads):
        """As Writer.dressed, of rows."""
        d = heads * layer.head_size
        if layer.norm_of(which)[0]:
            x = self.dense_norm(x, layer, which, d, heads)
        if layer.rotary:
            cos, sin = (self.dense.constant(layer.weights[f"rotary.{part}"]) for part in ("cos", "sin"))
            x = self.dense.op(f"fact.rotate {layer.rotary} {x}, {cos}, {sin} heads = {heads} : {self.rows(d)}, "
                              f"{tensor_type(*layer.weights['rotary.cos'].shape)}")
        return x

    def attention(self, x):
        layer, prefix = self.piece(attention=True)
        q, k, v = (self.dense_linear(x[1], layer, name) for name in ("Wq", "Wk", "Wv"))
        q = self.dense_dressed(q, layer, "q_norm", layer.heads)
        k = self.dense_dressed(k, layer, "k_norm", layer.key_heads)
        context = self.dense.op(random_ir.attention_text(
            q, k, v, layer.heads, layer.key_heads, layer.scale, layer.window, self.rows(layer.heads * layer.head_size),
            self.rows(layer.key_heads * layer.head_size)))
        return self.linalg.attention(x[0], layer, prefix), self.dense_linear(context, layer, "Wo")

    def add(self, a, b):
        return (self.linalg.binary("arith.addf", a[0], b[0], self.rows(self.d)),
                self.dense.op(f"fact.add {a[1]}, {b[1]} : {self.rows(self.d)}"))

    def encoder(self, x):
        pre = self.draw.chance(0.5)
        r = self.add(x, self.attention(self.norm(x) if pre else x))
        r = r if pre else self.norm(r)
        y = self.add(r, self.feed_forward(self.norm(r) if pre else r))
        return y if pre else self.norm(y)

    def model(self):
        self.linalg.begin(self.bound)
        values = [("%tokens", "%in0")]
        attentions = 0
        for _ in range(self.draw.choice((1, 2, 3, 4, 5))):
            x = values[-1] if self.draw.chance(0.6) else self.draw.choice(values)
            kind = self.draw.weighted(encoder=4 if attentions < 3 else 0, attention=2 if attentions < 3 else 0, add=3, norm=2,
                                      linear=2, feed_forward=2)
            attentions += kind in ("encoder", "attention")
            values.append(self.add(x, self.draw.choice(values)) if kind == "add" else getattr(self, kind)(x))
        self.linalg.end(values[-1][0])
        given = Input("x", self.d, True)
        dense = random_ir.main_text(self.dense, [given], [(values[-1][1], "?", self.d, True)], self.bound, False)
        return Model(self.out.getvalue(), [given], 1, self.bound, False, False, dense)


def model(seed):
    """The linalg model of a seed, with the dense original."""
    return Twin(seed).model()
