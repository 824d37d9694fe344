# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""Writes transformer encoder layers as linalg IR text: float32, op by op.

One function per model,

    func.func @main(%x: tensor<1x?xDxf32> {fact.name = "x", fact.bound = L : i64})
        -> (tensor<1x?xDxf32> {fact.name = "y"})

whose sequence dimension is open up to the bound L. Every operation of the
model is one linalg op: nothing is fused and nothing is named, so that the
compiler has to recognise the layers as it does in an imported model. Weights
are dense resources in hexadecimal. The same input gives the same text.
"""
import dataclasses
import io
import json

import numpy as np

ACTIVATIONS = ("gelu_erf", "gelu_tanh", "quick_gelu", "swish", "relu")
NORMS = ("layer", "rms")
# Keys before and after its own that a row sees; None is unlimited.
ALL, CAUSAL = (None, None), (None, 0)


@dataclasses.dataclass
class Layer:
    """One encoder layer.

    place       'pre' or 'post': where the norms stand
    activation  one of ACTIVATIONS
    heads       number of attention heads; must divide the columns of Wq
    eps, scale  of the norms and of the scores (float32)
    weights     name -> float32 array: Wq Wk Wv [d, w], Wo [w, d], W1 [d, ff],
                W2 [ff, d] (stored [in, out]), W3 [d, ff] where the
                feed-forward network is gated; bq .. bo, b1 .. b3 (each may be
                absent: no bias); ln1.gamma ln2.gamma [d]; ln1.beta ln2.beta
                [d] (may be absent)
    window      how many keys before and after its own a row sees, None = all
    norm        one of NORMS
    eps_2       of the second norm, where it is another one
    """
    place: str
    activation: str
    heads: int
    eps: float
    scale: float
    weights: dict
    window: tuple = ALL
    norm: str = "layer"
    eps_2: float = None

    def __post_init__(self):
        if self.activation == "gelu":
            self.activation = "gelu_erf"
        if self.eps_2 is None:
            self.eps_2 = self.eps
        for field, value, choices in (("place", self.place, ("pre", "post")), ("norm", self.norm, NORMS),
                                      ("activation", self.activation, ACTIVATIONS)):
            if value not in choices:
                raise ValueError(f"{field} must be one of {', '.join(choices)} (was '{value}')")
        d, width = self.d, self.weights["Wq"].shape[1]
        if self.heads < 1 or width % self.heads:
            raise ValueError(f"heads must divide the width {width} (was {self.heads})")
        ff = self.weights["W1"].shape[1]
        shapes = dict(Wq=(d, width), Wk=(d, width), Wv=(d, width), Wo=(width, d), W1=(d, ff), W2=(ff, d), W3=(d, ff),
                      bq=(width,), bk=(width,), bv=(width,), bo=(d,), b1=(ff,), b2=(d,), b3=(ff,))
        shapes |= {f"ln{i}.{part}": (d,) for i in (1, 2) for part in ("gamma", "beta")}
        for name, shape in shapes.items():
            if name not in self.weights:
                if name.startswith("b") or name == "W3" or name.endswith("beta"):
                    continue
                raise ValueError(f"weight '{name}' is missing")
            if self.weights[name].shape != shape:
                raise ValueError(f"weight '{name}' must have shape {shape} (was {self.weights[name].shape})")
        for name in self.weights.keys() - shapes.keys():
            raise ValueError(f"there is no weight '{name}'")

    @property
    def d(self):
        return self.weights["Wq"].shape[0]

    @property
    def head_size(self):
        return self.weights["Wq"].shape[1] // self.heads

    def arguments(self):
        """What fact.numerics.encoder_layer takes beside weights, x, policy and length."""
        return dict(place=self.place, activation=self.activation, heads=self.heads, eps=self.eps, scale=self.scale,
                    norm=self.norm, window=self.window, eps_2=self.eps_2)


# What the shapes of well-known encoders are; the weights are random.
MODELS = {
    "bert-base": dict(d=768, heads=12, ff=3072, layers=12, length=512, place="post", activation="gelu_erf", eps=1e-12),
    "bert-large": dict(d=1024, heads=16, ff=4096, layers=24, length=512, place="post", activation="gelu_erf", eps=1e-12),
    "vit-b16": dict(d=768, heads=12, ff=3072, layers=12, length=197, place="pre", activation="gelu_erf", eps=1e-6),
    "deit-tiny": dict(d=192, heads=3, ff=768, layers=12, length=197, place="pre", activation="gelu_erf", eps=1e-6),
}


def random_layer(d, heads, ff, place="post", activation="gelu_erf", eps=1e-5, window=ALL, bias=True, seed=0,
                 norm="layer", gated=False):
    """A layer of that shape with seeded random weights of the usual magnitudes.

    Q and K are sharpened, so that attention looks at few tokens as it does in
    trained models, and not at all of them alike.
    """
    rng = np.random.default_rng(seed)

    def normal(*shape, std):
        return (rng.standard_normal(shape, dtype=np.float32) * np.float32(std)).astype(np.float32)

    weights = {}
    shapes = dict(Wq=(d, d), Wk=(d, d), Wv=(d, d), Wo=(d, d), W1=(d, ff), W2=(ff, d))
    if gated:
        shapes["W3"] = (d, ff)
    for name, (rows, columns) in shapes.items():
        sharpen = 1.7 if name in ("Wq", "Wk") else 1.0
        weights[name] = normal(rows, columns, std=sharpen / np.sqrt(rows))
        if bias:
            weights["b" + name[1:]] = normal(columns, std=0.02)
    for i in (1, 2):
        weights[f"ln{i}.gamma"] = 1 + normal(d, std=0.1)
        if norm == "layer":
            weights[f"ln{i}.beta"] = normal(d, std=0.1)
    scale = float(np.float32(1 / np.sqrt(d // heads)))
    return Layer(place, activation, heads, eps, scale, weights, window, norm)


def random_model(name, layers=None, seed=0):
    """[Layer, ...] of one of MODELS, with random weights."""
    if name not in MODELS:
        raise ValueError(f"model must be one of {', '.join(MODELS)} (was '{name}')")
    shape = dict(MODELS[name])
    count = layers if layers is not None else shape["layers"]
    del shape["layers"], shape["length"]
    return [random_layer(**shape, seed=seed + i) for i in range(count)]


def read_golden(path):
    """(Layer, meta, arrays) of a layer_*.npz file; meta is its JSON as a dict.

    ValueError where the layer has what this module does not write."""
    arrays = dict(np.load(path))
    meta = json.loads(arrays["meta"].tobytes())
    for field, usual in (("kv", meta["h"]), ("head_norm", None), ("rotary", None)):
        if meta.get(field, usual) != usual:
            raise ValueError(f"layers with '{field}' are not written as linalg")
    names = [n for n in arrays if not n.startswith("p") and n not in ("meta", "x", "x8", "x.scale")]
    weights = {n: np.asarray(arrays[n], np.float32) for n in names}
    # A file that says where the norms stand says what they are, too.
    place, norm = (meta["place"], meta["norm"]) if "place" in meta else (meta["norm"], "layer")
    window = CAUSAL if meta.get("causal") else tuple(meta.get("window", ALL))
    layer = Layer(place, meta["act"], meta["h"], meta["eps"], meta["scale"], weights, window, norm, meta.get("eps_2"))
    return layer, meta, arrays


def to_text(layers, bound):
    """The IR text of a stack of layers; the sequence has up to `bound` rows."""
    out = io.StringIO()
    write(out, layers, bound)
    return out.getvalue()


def write(out, layers, bound):
    """Writes the IR text of a stack of layers to the text stream `out`."""
    if not layers:
        raise ValueError("a model needs at least one layer")
    if bound < 1:
        raise ValueError(f"bound must be positive (was {bound})")
    if any(layer.d != layers[0].d for layer in layers):
        raise ValueError("all layers must have the same width")
    writer = Writer(out, layers[0].d)
    writer.begin(bound)
    x = "%tokens"
    for index, layer in enumerate(layers):
        x = writer.layer(x, layer, f"l{index}.")
    writer.end(x)


def _float(value):
    """A float32 as an MLIR literal that reads back to the same bits."""
    value = np.float32(value)
    if not np.isfinite(value):
        return f"0x{value.view(np.uint32):08X}"
    text = repr(float(str(value)))
    mantissa, e, exponent = text.partition("e")
    return text if "." in mantissa else f"{mantissa}.0{e}{exponent}"


# Indexing maps of elementwise ops over [rows, columns] and [heads, rows, columns].
_FULL = {2: "affine_map<(d0, d1) -> (d0, d1)>", 3: "affine_map<(d0, d1, d2) -> (d0, d1, d2)>"}
_ROW = "affine_map<(d0, d1) -> (d0)>"
_COLUMN = "affine_map<(d0, d1) -> (d1)>"


class Writer:
    """Emits the function; every method returns the name of its result."""

    def __init__(self, out, d):
        self.out = out
        self.d = d
        self.count = 0
        self.constants = {}
        self.resources = []

    # Frame

    def begin(self, bound):
        t = f"tensor<1x?x{self.d}xf32>"
        self.line(f'func.func @main(%x: {t} {{fact.name = "x", fact.bound = {bound} : i64}}) -> ({t} {{fact.name = "y"}}) {{',
                  indent=0)
        self.line("%c1 = arith.constant 1 : index")
        self.line(f"%length = tensor.dim %x, %c1 : {t}")
        self.line("%zero = arith.constant 0.0 : f32")
        self.line(f"%tokens = tensor.collapse_shape %x [[0, 1], [2]] : {t} into {self.rows(self.d)}")

    def end(self, result):
        t = f"tensor<1x?x{self.d}xf32>"
        self.line(f"%y = tensor.expand_shape {result} [[0, 1], [2]] output_shape [1, %length, {self.d}] : {self.rows(self.d)} into {t}")
        self.line(f"return %y : {t}")
        self.line("}", indent=0)
        self.line("", indent=0)
        self.line("{-#", indent=0)
        self.line("dialect_resources: {")
        self.line("  builtin: {")
        for i, (name, array) in enumerate(self.resources):
            # The first four bytes give the blob's alignment.
            data = np.ascontiguousarray(array, "<f4").tobytes().hex().upper()
            comma = "," if i + 1 < len(self.resources) else ""
            self.line(f'    {name}: "0x04000000{data}"{comma}')
        self.line("  }")
        self.line("}")
        self.line("#-}", indent=0)

    def line(self, text, indent=1):
        self.out.write("  " * indent + text + "\n" if text else "\n")

    def value(self, hint):
        self.count += 1
        return f"%{hint}_{self.count}"

    @staticmethod
    def rows(columns):
        return f"tensor<?x{columns}xf32>"

    def scalar(self, value):
        """A float32 constant, defined at its first use."""
        text = _float(value)
        if text not in self.constants:
            name = self.value("cst")
            self.constants[text] = name
            self.line(f"{name} = arith.constant {text} : f32")
        return self.constants[text]

    def weight(self, name, array):
        """(constant, type) of a weight kept as a dense resource."""
        key = name.replace(".", "_")
        self.resources.append((key, array))
        t = "tensor<" + "x".join(map(str, array.shape)) + "xf32>"
        result = self.value(key)
        self.line(f"{result} = arith.constant dense_resource<{key}> : {t}")
        return result, t

    def empty(self, t, dynamic):
        result = self.value("init")
        self.line(f"{result} = tensor.empty({', '.join(['%length'] * dynamic)}) : {t}")
        return result

    def zeros(self, t, dynamic=1):
        init = self.empty(t, dynamic)
        result = self.value("zeros")
        self.line(f"{result} = linalg.fill ins(%zero : f32) outs({init} : {t}) -> {t}")
        return result

    # Elementwise ops and reductions

    def elementwise(self, hint, t, body, *operands, rank=2, dynamic=1):
        """One linalg.generic. An operand is (value, type, map); `body` is a list
        of lines over %a, %b ... (the operands' elements) and its last line
        defines %r."""
        init = self.empty(t, dynamic)
        result = self.value(hint)
        maps = ", ".join([m for _, _, m in operands] + [_FULL[rank]])
        names = "abcd"
        arguments = ", ".join([f"%{names[i]}: f32" for i in range(len(operands))] + ["%out: f32"])
        iterators = ", ".join(['"parallel"'] * rank)
        self.line(f"{result} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{iterators}]}} "
                  f"ins({', '.join(v for v, _, _ in operands)} : {', '.join(o for _, o, _ in operands)}) outs({init} : {t}) {{")
        self.line(f"^bb0({arguments}):", indent=1)
        for text in body:
            self.line(text, indent=2)
        self.line("linalg.yield %r : f32", indent=2)
        self.line(f"}} -> {t}")
        return result

    def unary(self, op, x, t, **kwargs):
        return self.elementwise(op.split(".")[1], t, [f"%r = {op} %a : f32"], (x, t, _FULL[kwargs.get("rank", 2)]), **kwargs)

    def binary(self, op, x, y, t, **kwargs):
        """x op y for two tensors of one shape."""
        full = _FULL[kwargs.get("rank", 2)]
        if x == y:
            return self.elementwise(op.split(".")[1], t, [f"%r = {op} %a, %a : f32"], (x, t, full), **kwargs)
        return self.elementwise(op.split(".")[1], t, [f"%r = {op} %a, %b : f32"], (x, t, full), (y, t, full), **kwargs)

    def with_scalar(self, op, x, scalar, t, left=False, **kwargs):
        """x op scalar, or scalar op x where `left`."""
        constant = self.scalar(scalar)
        operands = f"{constant}, %a" if left else f"%a, {constant}"
        return self.elementwise(op.split(".")[1], t, [f"%r = {op} {operands} : f32"],
                                (x, t, _FULL[kwargs.get("rank", 2)]), **kwargs)

    def row_mean(self, x, t):
        """The mean of every row, [rows, 1]: a sum and a division."""
        init = self.zeros("tensor<?xf32>")
        total = self.value("sum")
        self.line(f'{total} = linalg.generic {{indexing_maps = [{_FULL[2]}, {_ROW}], iterator_types = ["parallel", "reduction"]}} '
                  f"ins({x} : {t}) outs({init} : tensor<?xf32>) {{")
        self.line("^bb0(%a: f32, %out: f32):")
        self.line("%r = arith.addf %a, %out : f32", indent=2)
        self.line("linalg.yield %r : f32", indent=2)
        self.line("} -> tensor<?xf32>")
        return self.row_op("arith.divf", total, self.d)

    def row_op(self, op, x, scalar=None):
        """op on a vector with one element per row, alone or with a scalar."""
        t = "tensor<?xf32>"
        constant = f", {self.scalar(scalar)}" if scalar is not None else ""
        init = self.empty(t, 1)
        result = self.value(op.split(".")[1])
        identity = "affine_map<(d0) -> (d0)>"
        self.line(f'{result} = linalg.generic {{indexing_maps = [{identity}, {identity}], iterator_types = ["parallel"]}} '
                  f"ins({x} : {t}) outs({init} : {t}) {{")
        self.line("^bb0(%a: f32, %out: f32):")
        self.line(f"%r = {op} %a{constant} : f32", indent=2)
        self.line("linalg.yield %r : f32", indent=2)
        self.line(f"}} -> {t}")
        return result

    # Parts of a layer

    def norm(self, x, layer, prefix, which):
        t = self.rows(self.d)
        if layer.norm == "layer":
            mean = self.row_mean(x, t)
            x = self.elementwise("subf", t, ["%r = arith.subf %a, %b : f32"], (x, t, _FULL[2]), (mean, "tensor<?xf32>", _ROW))
        squares = self.row_mean(self.binary("arith.mulf", x, x, t), t)
        eps = layer.eps if which == "ln1" else layer.eps_2
        deviation = self.row_op("math.sqrt", self.row_op("arith.addf", squares, eps))
        y = self.elementwise("divf", t, ["%r = arith.divf %a, %b : f32"], (x, t, _FULL[2]), (deviation, "tensor<?xf32>", _ROW))
        for op, part in (("mulf", "gamma"), ("addf", "beta")):
            name = f"{which}.{part}"
            if name in layer.weights:
                w, wt = self.weight(prefix + name, layer.weights[name])
                y = self.elementwise(op, t, [f"%r = arith.{op} %a, %b : f32"], (y, t, _FULL[2]), (w, wt, _COLUMN))
        return y

    def linear(self, x, layer, prefix, name):
        """x W + b for a weight stored [in, out]; no bias where there is none."""
        w, wt = self.weight(prefix + name, layer.weights[name])
        rows, columns = layer.weights[name].shape
        t = self.rows(columns)
        init = self.zeros(t)
        y = self.value("matmul")
        self.line(f"{y} = linalg.matmul ins({x}, {w} : {self.rows(rows)}, {wt}) outs({init} : {t}) -> {t}")
        bias = "b" + name[1:]
        if bias in layer.weights:
            b, bt = self.weight(prefix + bias, layer.weights[bias])
            y = self.elementwise("addf", t, ["%r = arith.addf %a, %b : f32"], (y, t, _FULL[2]), (b, bt, _COLUMN))
        return y

    def transpose(self, x, source, target, permutation):
        init = self.empty(target, 1)
        y = self.value("transposed")
        self.line(f"{y} = linalg.transpose ins({x} : {source}) outs({init} : {target}) permutation = {permutation}")
        return y

    def split_heads(self, x, heads, size, permutation, target):
        split = self.value("heads")
        t = f"tensor<?x{heads}x{size}xf32>"
        self.line(f"{split} = tensor.expand_shape {x} [[0], [1, 2]] output_shape [%length, {heads}, {size}] : {self.rows(heads * size)} into {t}")
        return self.transpose(split, t, target, permutation)

    def batch_matmul(self, x, xt, y, yt, t, dynamic):
        init = self.zeros(t, dynamic)
        result = self.value("batch_matmul")
        self.line(f"{result} = linalg.batch_matmul ins({x}, {y} : {xt}, {yt}) outs({init} : {t}) -> {t}")
        return result

    def masked(self, scores, window, t):
        """Minus infinity where a row does not see the key."""
        hidden = self.scalar(-np.inf)
        body = ["%row = linalg.index 1 : index", "%column = linalg.index 2 : index"]
        outside = []
        for end, name, (first, second) in zip(window, ("before", "after"), (("%row", "%column"), ("%column", "%row"))):
            if end is None:
                continue
            body += [f"%{name} = arith.subi {first}, {second} : index", f"%{name}_limit = arith.constant {end} : index",
                     f"%{name}_window = arith.cmpi sgt, %{name}, %{name}_limit : index"]
            outside.append(f"%{name}_window")
        if len(outside) == 2:
            body.append(f"%outside = arith.ori {outside[0]}, {outside[1]} : i1")
            outside = ["%outside"]
        body.append(f"%r = arith.select {outside[0]}, {hidden}, %a : f32")
        return self.elementwise("masked", t, body, (scores, t, _FULL[3]), rank=3, dynamic=2)

    def attention(self, x, layer, prefix):
        heads, size = layer.heads, layer.head_size
        per_head = f"tensor<{heads}x?x{size}xf32>"
        transposed = f"tensor<{heads}x{size}x?xf32>"
        square = f"tensor<{heads}x?x?xf32>"
        q, k, v = (self.linear(x, layer, prefix, name) for name in ("Wq", "Wk", "Wv"))
        q = self.split_heads(q, heads, size, [1, 0, 2], per_head)
        k = self.split_heads(k, heads, size, [1, 2, 0], transposed)
        v = self.split_heads(v, heads, size, [1, 0, 2], per_head)
        scores = self.batch_matmul(q, per_head, k, transposed, square, 2)
        scores = self.with_scalar("arith.mulf", scores, layer.scale, square, rank=3, dynamic=2)
        if layer.window != ALL:
            scores = self.masked(scores, layer.window, square)
        init = self.empty(square, 2)
        softmax = self.value("softmax")
        self.line(f"{softmax} = linalg.softmax dimension(2) ins({scores} : {square}) outs({init} : {square}) -> {square}")
        context = self.batch_matmul(softmax, square, v, per_head, per_head, 1)
        by_token = f"tensor<?x{heads}x{size}xf32>"
        context = self.transpose(context, per_head, by_token, [1, 0, 2])
        merged = self.value("merged")
        self.line(f"{merged} = tensor.collapse_shape {context} [[0], [1, 2]] : {by_token} into {self.rows(heads * size)}")
        return self.linear(merged, layer, prefix, "Wo")

    def activation(self, x, layer):
        t = self.rows(layer.weights["W1"].shape[1])
        if layer.activation == "relu":
            return self.with_scalar("arith.maximumf", x, 0.0, t)
        if layer.activation in ("swish", "quick_gelu"):
            argument = x if layer.activation == "swish" else self.with_scalar("arith.mulf", x, 1.702, t)
            e = self.unary("math.exp", self.unary("arith.negf", argument, t), t)
            sigmoid = self.with_scalar("arith.divf", self.with_scalar("arith.addf", e, 1.0, t), 1.0, t, left=True)
            return self.binary("arith.mulf", x, sigmoid, t)
        if layer.activation == "gelu_erf":
            inner = self.unary("math.erf", self.with_scalar("arith.divf", x, np.sqrt(2), t), t)
        else:
            cube = self.binary("arith.mulf", self.binary("arith.mulf", x, x, t), x, t)
            inner = self.binary("arith.addf", x, self.with_scalar("arith.mulf", cube, 0.044715, t), t)
            inner = self.unary("math.tanh", self.with_scalar("arith.mulf", inner, np.sqrt(2 / np.pi), t), t)
        gate = self.with_scalar("arith.addf", inner, 1.0, t)
        return self.with_scalar("arith.mulf", self.binary("arith.mulf", x, gate, t), 0.5, t)

    def feed_forward(self, x, layer, prefix):
        hidden = self.activation(self.linear(x, layer, prefix, "W1"), layer)
        if "W3" in layer.weights:
            gate = self.linear(x, layer, prefix, "W3")
            hidden = self.binary("arith.mulf", hidden, gate, self.rows(layer.weights["W3"].shape[1]))
        return self.linear(hidden, layer, prefix, "W2")

    def layer(self, x, layer, prefix):
        t = self.rows(self.d)
        if layer.place == "pre":
            r = self.binary("arith.addf", x, self.attention(self.norm(x, layer, prefix, "ln1"), layer, prefix), t)
            return self.binary("arith.addf", r, self.feed_forward(self.norm(r, layer, prefix, "ln2"), layer, prefix), t)
        r = self.norm(self.binary("arith.addf", x, self.attention(x, layer, prefix), t), layer, prefix, "ln1")
        return self.norm(self.binary("arith.addf", r, self.feed_forward(r, layer, prefix), t), layer, prefix, "ln2")
