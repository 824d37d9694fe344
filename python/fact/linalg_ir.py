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
import functools
import io
import json
import re

import numpy as np

ACTIVATIONS = ("gelu_erf", "gelu_tanh", "quick_gelu", "swish", "relu")
NORMS = ("layer", "rms")
ROTARY_STYLES = ("half", "interleaved")
# Keys before and after its own that a row sees; None is unlimited.
ALL, CAUSAL = (None, None), (None, 0)
# Names of a layer's weights, among the other arrays of a golden file.
WEIGHT = re.compile(r"[Wb][qkvo123]|(ln[12]|[qk]_norm)\.(gamma|beta)|rotary\.(cos|sin)")


@dataclasses.dataclass
class Layer:
    """One encoder layer.

    place       'pre' or 'post': where the norms stand
    activation  one of ACTIVATIONS
    heads       number of attention heads, h; must divide the columns of Wq,
                which are h * (features of a head)
    eps, scale  of the norms and of the scores (float32)
    weights     name -> float32 array: Wq [d, w], Wk Wv [d, w * G / h], Wo
                [w, d], W1 [d, ff], W2 [ff, d] (stored [in, out]), W3 [d, ff]
                where the feed-forward network is gated; bq .. bo, b1 .. b3
                (each may be absent: no bias); ln1.gamma ln2.gamma [d];
                ln1.beta ln2.beta [d] (may be absent); q_norm.gamma, .beta,
                k_norm.gamma, .beta [w / h] of head norms; rotary.cos,
                rotary.sin [positions, pairs]. Without W1 the layer is its
                attention with the residual, and has neither W2 nor ln2
    window      how many keys before and after its own a row sees, None = all
    norm        one of NORMS
    eps_2       of the second norm, where it is another one
    key_heads   heads of K and V, G, where they are fewer; must divide h
    head_norm   kinds of the norms of Q's and K's heads: None or one of NORMS
    rotary      one of ROTARY_STYLES, None = none: which features of a head are
                a pair, (c, c + pairs) or (2c, 2c + 1)
    eps_q, eps_k  of the head norms, where they are others

    ValueError where these do not fit together.
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
    key_heads: int = None
    head_norm: tuple = (None, None)
    rotary: str = None
    eps_q: float = None
    eps_k: float = None

    def __post_init__(self):
        if self.activation == "gelu":
            self.activation = "gelu_erf"
        if self.key_heads is None:
            self.key_heads = self.heads
        for field in ("eps_2", "eps_q", "eps_k"):
            if getattr(self, field) is None:
                setattr(self, field, self.eps)
        optional_norms, optional_styles = (None, *NORMS), (None, *ROTARY_STYLES)
        for field, value, choices in (("place", self.place, ("pre", "post")), ("norm", self.norm, NORMS),
                                      ("activation", self.activation, ACTIVATIONS),
                                      *(("head_norm", kind, optional_norms) for kind in self.head_norm),
                                      ("rotary", self.rotary, optional_styles)):
            if value not in choices:
                raise ValueError(f"{field} must be one of {', '.join(map(str, choices))} (was '{value}')")
        width = self.weights["Wq"].shape[1]
        if self.heads < 1 or width % self.heads:
            raise ValueError(f"heads must divide the width {width} (was {self.heads})")
        if self.key_heads < 1 or self.heads % self.key_heads:
            raise ValueError(f"key_heads must divide the {self.heads} heads (was {self.key_heads})")
        shapes = self._shapes(width)
        for name, shape in shapes.items():
            if name not in self.weights:
                if name.startswith("b") or name == "W3" or name.endswith("beta"):
                    continue
                raise ValueError(f"weight '{name}' is missing")
            if self.weights[name].shape != shape:
                raise ValueError(f"weight '{name}' must have shape {shape} (was {self.weights[name].shape})")
        for name in self.weights.keys() - shapes.keys():
            raise ValueError(f"there is no weight '{name}'")

    def _shapes(self, width):
        """Name -> shape of every weight that the layer may have."""
        d, keys, size = self.d, self.key_heads * self.head_size, self.head_size
        shapes = dict(Wq=(d, width), Wk=(d, keys), Wv=(d, keys), Wo=(width, d),
                      bq=(width,), bk=(keys,), bv=(keys,), bo=(d,))
        vectors = {"ln1": d}
        if self.has_feed_forward:
            ff = self.weights["W1"].shape[1]
            shapes |= dict(W1=(d, ff), W2=(ff, d), W3=(d, ff), b1=(ff,), b2=(d,), b3=(ff,))
            vectors["ln2"] = d
        vectors |= {norm: size for norm, kind in zip(("q_norm", "k_norm"), self.head_norm) if kind}
        shapes |= {f"{norm}.{part}": (n,) for norm, n in vectors.items() for part in ("gamma", "beta")}
        if self.rotary:
            table = self.weights.get("rotary.cos", np.empty((0, 1))).shape
            if not 1 <= table[1] <= size // 2:
                raise ValueError(f"a head of {size} features has 1 to {size // 2} pairs to rotate (was {table[1]})")
            shapes |= {"rotary.cos": table, "rotary.sin": table}
        return shapes

    @property
    def d(self):
        return self.weights["Wq"].shape[0]

    @property
    def head_size(self):
        return self.weights["Wq"].shape[1] // self.heads

    @property
    def has_feed_forward(self):
        return "W1" in self.weights

    @property
    def positions(self):
        """The longest sequence, None where anything is."""
        return len(self.weights["rotary.cos"]) if self.rotary else None

    def norm_of(self, which):
        """(kind, eps) of 'ln1', 'ln2', 'q_norm' or 'k_norm'; kind is None where there is none."""
        return dict(ln1=(self.norm, self.eps), ln2=(self.norm, self.eps_2),
                    q_norm=(self.head_norm[0], self.eps_q), k_norm=(self.head_norm[1], self.eps_k))[which]

    def arguments(self):
        """What fact.numerics.encoder_layer takes beside weights, x, policy and length."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "weights"}


# What the shapes of well-known encoders and decoders are; the weights are random.
# `pairs`, `theta`: of the rotary embedding. `local`: what layers have instead whose
# number no three divides. LLaMA's 11008 features of its feed-forward network are more
# than the contract's 8192 (numerics, section 10), so that it is its attention alone.
MODELS = {
    "bert-base": dict(d=768, heads=12, ff=3072, layers=12, length=512, place="post", activation="gelu_erf", eps=1e-12),
    "bert-large": dict(d=1024, heads=16, ff=4096, layers=24, length=512, place="post", activation="gelu_erf", eps=1e-12),
    "vit-b16": dict(d=768, heads=12, ff=3072, layers=12, length=197, place="pre", activation="gelu_erf", eps=1e-6),
    "deit-tiny": dict(d=192, heads=3, ff=768, layers=12, length=197, place="pre", activation="gelu_erf", eps=1e-6),
    "modernbert-base": dict(d=768, heads=12, ff=1152, layers=22, length=2048, place="pre", activation="gelu_erf", eps=1e-5,
                            gated=True, bias=False, beta=False, rotary="half", pairs=32, theta=160000.0,
                            local=dict(window=(64, 64), theta=10000.0)),
    "qwen3-0.6b": dict(d=1024, heads=16, key_heads=8, head_size=128, ff=3072, layers=28, length=2048, place="pre",
                       activation="swish", eps=1e-6, norm="rms", gated=True, bias=False, head_norm=("rms", "rms"),
                       rotary="half", pairs=64, theta=1e6, window=CAUSAL),
    "llama-7b": dict(d=4096, heads=32, ff=None, layers=32, length=2048, place="pre", activation="swish", eps=1e-6,
                     norm="rms", bias=False, rotary="half", pairs=64, theta=10000.0, window=CAUSAL),
}


def rotary_tables(positions, pairs, theta=10000.0):
    """(cos, sin), float32 [positions, pairs], of the angles position / theta ** (c / pairs)."""
    # Each operation in double and rounded, so that a C library decides hardly anything.
    powers = np.float64(np.float32(theta)) ** np.float64(np.arange(pairs, dtype=np.float32) / np.float32(pairs))
    angles = np.arange(positions, dtype=np.float32)[:, None] * (np.float32(1) / powers.astype(np.float32))
    return tuple(function(np.float64(angles)).astype(np.float32) for function in (np.cos, np.sin))


def random_layer(d, heads, ff, place="post", activation="gelu_erf", eps=1e-5, window=ALL, bias=True, seed=0,
                 norm="layer", gated=False, beta=True, key_heads=None, head_size=None, head_norm=(None, None),
                 rotary=None, tables=None):
    """A layer of that shape with seeded random weights of the usual magnitudes.

    Without ff (None) there is no feed-forward network. beta: whether layer norms have one.
    tables: (cos, sin), [positions, pairs], of a rotary embedding; the rest as of Layer.
    Q and K are sharpened, so that attention looks at few tokens as it does in
    trained models, and not at all of them alike.
    """
    if heads < 1 or not head_size and d % heads:
        raise ValueError(f"heads must divide the width {d} (was {heads})")
    rng = np.random.default_rng(seed)
    size = head_size or d // heads
    width, keys = heads * size, (key_heads or heads) * size

    def normal(*shape, std):
        return (rng.standard_normal(shape, dtype=np.float32) * np.float32(std)).astype(np.float32)

    def norm_weights(name, kind, n, around=1.0):
        weights[f"{name}.gamma"] = np.float32(around) * (1 + normal(n, std=0.1))
        if kind == "layer" and beta:
            weights[f"{name}.beta"] = normal(n, std=0.1)

    weights = {}
    shapes = dict(Wq=(d, width), Wk=(d, keys), Wv=(d, keys), Wo=(width, d))
    if ff:
        shapes |= dict(W1=(d, ff), W2=(ff, d))
        if gated:
            shapes["W3"] = (d, ff)
    sharp = 1.7
    for name, (rows, columns) in shapes.items():
        sharpen = sharp if name in ("Wq", "Wk") else 1.0
        weights[name] = normal(rows, columns, std=sharpen / np.sqrt(rows))
        if bias:
            weights["b" + name[1:]] = normal(columns, std=0.02)
    for name in ("ln1", "ln2") if ff else ("ln1",):
        norm_weights(name, norm, d)
    for name, kind in zip(("q_norm", "k_norm"), head_norm):
        if kind:
            norm_weights(name, kind, size, sharp)  # a head norm undoes what the weights sharpen
    if rotary:
        weights["rotary.cos"], weights["rotary.sin"] = tables
    scale = float(np.float32(1 / np.sqrt(size)))
    return Layer(place, activation, heads, eps, scale, weights, window, norm, key_heads=key_heads, head_norm=head_norm,
                 rotary=rotary)


def random_model(name, layers=None, seed=0, length=None):
    """[Layer, ...] of one of MODELS, with random weights, for sequences of up to `length` rows."""
    if name not in MODELS:
        raise ValueError(f"model must be one of {', '.join(MODELS)} (was '{name}')")
    shape = dict(MODELS[name])
    count, longest = shape.pop("layers"), shape.pop("length")
    local, pairs = shape.pop("local", {}), shape.pop("pairs", None)

    @functools.cache
    def tables(theta):
        return rotary_tables(length or longest, pairs, theta)

    def layer(i):
        own = shape | (local if i % 3 else {})
        theta = own.pop("theta", None)
        return random_layer(**own, tables=tables(theta) if theta else None, seed=seed + i)

    return [layer(i) for i in range(layers if layers is not None else count)]


def read_golden(path):
    """(Layer, meta, arrays) of a layer_*.npz file; meta is its JSON as a dict."""
    arrays = dict(np.load(path))
    meta = json.loads(arrays["meta"].tobytes())
    names = [n for n in arrays if WEIGHT.fullmatch(n)]
    weights = {n: np.asarray(arrays[n], np.float32) for n in names}
    # A file that says where the norms stand says what they are, too.
    place, norm = (meta["place"], meta["norm"]) if "place" in meta else (meta["norm"], "layer")
    window = CAUSAL if meta.get("causal") else tuple(meta.get("window", ALL))
    head_norm = meta.get("head_norm")  # one kind of norm_of, or Q's and K's
    if not isinstance(head_norm, list):
        head_norm = [head_norm if side in meta.get("norm_of", "qk") else None for side in "qk"]
    rotary = meta["rotary"]["style"] if meta.get("rotary") else None
    layer = Layer(place, meta["act"], meta["h"], meta["eps"], meta["scale"], weights, window, norm, meta.get("eps_2"),
                  meta.get("kv"), tuple(head_norm), rotary, meta.get("eps_q"), meta.get("eps_k"))
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
    for layer in layers:
        if layer.positions is not None and layer.positions < bound:
            raise ValueError(f"the rotary tables have {layer.positions} positions, the sequence up to {bound}")
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


def _map(rank, *dims):
    """An indexing map that keeps those dimensions of `rank`, all of them where none is named."""
    return f"affine_map<({', '.join(f'd{i}' for i in range(rank))}) -> ({', '.join(f'd{i}' for i in dims or range(rank))})>"


class Writer:
    """Emits the function; every method returns the name of its result."""

    def __init__(self, out, d):
        self.out = out
        self.d = d
        self.count = 0
        self.constants = {}
        self.tables = {}
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
        return Writer.tensor("?", columns)

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
        t = self.tensor(*array.shape)
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
        maps = ", ".join([m for _, _, m in operands] + [_map(rank)])
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
        return self.elementwise(op.split(".")[1], t, [f"%r = {op} %a : f32"], (x, t, _map(kwargs.get("rank", 2))), **kwargs)

    def binary(self, op, x, y, t, **kwargs):
        """x op y for two tensors of one shape."""
        full = _map(kwargs.get("rank", 2))
        if x == y:
            return self.elementwise(op.split(".")[1], t, [f"%r = {op} %a, %a : f32"], (x, t, full), **kwargs)
        return self.elementwise(op.split(".")[1], t, [f"%r = {op} %a, %b : f32"], (x, t, full), (y, t, full), **kwargs)

    def with_scalar(self, op, x, scalar, t, left=False, **kwargs):
        """x op scalar, or scalar op x where `left`."""
        constant = self.scalar(scalar)
        operands = f"{constant}, %a" if left else f"%a, {constant}"
        return self.elementwise(op.split(".")[1], t, [f"%r = {op} {operands} : f32"],
                                (x, t, _map(kwargs.get("rank", 2))), **kwargs)

    def row_mean(self, x, shape):
        """The mean of every row, over the last of `shape`: a sum and a division. Its type is row_type."""
        rank, t = len(shape), self.row_type(shape)
        init = self.zeros(t)
        total = self.value("sum")
        iterators = ", ".join(['"parallel"'] * (rank - 1) + ['"reduction"'])
        self.line(f"{total} = linalg.generic {{indexing_maps = [{_map(rank)}, {_map(rank, *range(rank - 1))}], iterator_types = [{iterators}]}} "
                  f"ins({x} : {self.tensor(*shape)}) outs({init} : {t}) {{")
        self.line("^bb0(%a: f32, %out: f32):")
        self.line("%r = arith.addf %a, %out : f32", indent=2)
        self.line("linalg.yield %r : f32", indent=2)
        self.line(f"}} -> {t}")
        return self.with_scalar("arith.divf", total, shape[-1], t, rank=rank - 1)

    # Shapes

    @staticmethod
    def tensor(*shape):
        return f"tensor<{'x'.join(map(str, shape))}xf32>"

    def row_type(self, shape):
        """The type that has one element for each row of `shape`."""
        return self.tensor(*shape[:-1])

    def sizes(self, shape):
        """`shape` as the operand of an op; '?' is the length of the sequence."""
        return f"[{', '.join('%length' if n == '?' else str(n) for n in shape)}]"

    def slice(self, x, shape, offset, size, drop=False):
        """`size` elements from `offset` on of the last dimension, which is dropped where it is one element and `drop`."""
        rank = len(shape)
        part = [*shape[:-1], size]
        result = self.value("slice")
        self.line(f"{result} = tensor.extract_slice {x}[{', '.join(['0'] * (rank - 1) + [str(offset)])}] {self.sizes(part)} "
                  f"[{', '.join(['1'] * rank)}] : {self.tensor(*shape)} to {self.tensor(*(part[:-1] if drop else part))}")
        return result

    def concatenate(self, parts, shape):
        """Tensors of `shape` but for the last dimension, put side by side along that; parts are (value, its extent)."""
        t, at = self.tensor(*shape), 0
        result = self.empty(t, 1)
        for x, size in parts:
            part = [*shape[:-1], size]
            into, result = result, self.value("concat")
            self.line(f"{result} = tensor.insert_slice {x} into {into}[{', '.join(['0'] * (len(shape) - 1) + [str(at)])}] {self.sizes(part)} "
                      f"[{', '.join(['1'] * len(shape))}] : {self.tensor(*part)} into {t}")
            at += size
        return result

    def expand(self, x, source, groups, target):
        result = self.value("expanded")
        self.line(f"{result} = tensor.expand_shape {x} {groups} output_shape {self.sizes(target)} : {self.tensor(*source)} into {self.tensor(*target)}")
        return result

    def collapse(self, x, source, groups, target):
        result = self.value("merged")
        self.line(f"{result} = tensor.collapse_shape {x} {groups} : {self.tensor(*source)} into {self.tensor(*target)}")
        return result

    def transpose(self, x, source, permutation):
        target = self.tensor(*(source[i] for i in permutation))
        init = self.empty(target, 1)
        y = self.value("transposed")
        self.line(f"{y} = linalg.transpose ins({x} : {self.tensor(*source)}) outs({init} : {target}) permutation = {permutation}")
        return y

    # Parts of a layer

    def norm(self, x, layer, prefix, which, shape=None):
        """A norm of each row [L, d], or of each of [L, heads, size]."""
        shape = shape or ("?", self.d)
        rank, t = len(shape), self.tensor(*shape)
        each_row = (self.row_type(shape), _map(rank, *range(rank - 1)))
        kind, eps = layer.norm_of(which)
        if kind == "layer":
            mean = self.row_mean(x, shape)
            x = self.elementwise("subf", t, ["%r = arith.subf %a, %b : f32"], (x, t, _map(rank)), (mean, *each_row), rank=rank)
        squares = self.row_mean(self.binary("arith.mulf", x, x, t, rank=rank), shape)
        squares = self.with_scalar("arith.addf", squares, eps, each_row[0], rank=rank - 1)
        deviation = self.unary("math.sqrt", squares, each_row[0], rank=rank - 1)
        y = self.elementwise("divf", t, ["%r = arith.divf %a, %b : f32"], (x, t, _map(rank)), (deviation, *each_row), rank=rank)
        for op, part in (("mulf", "gamma"), ("addf", "beta")):
            name = f"{which}.{part}"
            if name in layer.weights:
                w, wt = self.weight(prefix + name, layer.weights[name])
                y = self.elementwise(op, t, [f"%r = arith.{op} %a, %b : f32"], (y, t, _map(rank)), (w, wt, _map(rank, rank - 1)),
                                     rank=rank)
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
            y = self.elementwise("addf", t, ["%r = arith.addf %a, %b : f32"], (y, t, _map(2)), (b, bt, _map(2, 1)))
        return y

    # Rotary embedding, of heads [L, heads, size]

    def table(self, layer, prefix, part, copies):
        """(value, type, map in heads) of the table's rows that there are tokens for, with `copies` side by side."""
        array = layer.weights[f"rotary.{part}"]
        key = (id(array), copies)
        if key not in self.tables:  # layers share what they rotate by
            rows, columns = array.shape[0], copies * array.shape[1]
            value, t = self.weight(f"{prefix}rotary.{part}", np.concatenate([array] * copies, axis=1))
            result = self.value("table")
            self.line(f"{result} = tensor.extract_slice {value}[0, 0] [%length, {columns}] [1, 1] : {t} to {self.rows(columns)}")
            # The array is kept, so that no other gets its id.
            self.tables[key] = (result, self.rows(columns), _map(3, 0, 2)), array
        return self.tables[key][0]

    def products(self, op, x, cos, y, sin, t):
        """x * cos op y * sin."""
        first, second = (self.elementwise("mulf", t, ["%r = arith.mulf %a, %b : f32"], (value, t, _map(3)), table, rank=3)
                         for value, table in ((x, cos), (y, sin)))
        return self.binary(op, first, second, t, rank=3)

    def rotate_half(self, x, layer, prefix, heads, pairs):
        """x * cos + (-x2, x1) * sin, x1 and x2 being the halves of x: as PyTorch models of the LLaMA kind have it."""
        whole, half = ("?", heads, 2 * pairs), ("?", heads, pairs)
        cos, sin = (self.table(layer, prefix, part, 2) for part in ("cos", "sin"))
        first, second = (self.slice(x, whole, offset, pairs) for offset in (0, pairs))
        negative = self.unary("arith.negf", second, self.tensor(*half), rank=3)
        turned = self.concatenate([(negative, pairs), (first, pairs)], whole)
        return self.products("arith.addf", x, cos, turned, sin, self.tensor(*whole))

    def rotate_interleaved(self, x, layer, prefix, heads, pairs):
        """(a * cos - b * sin, b * cos + a * sin) of pairs (a, b): complex numbers without their type."""
        whole, half, split = ("?", heads, 2 * pairs), ("?", heads, pairs), ("?", heads, pairs, 2)
        cos, sin = (self.table(layer, prefix, part, 1) for part in ("cos", "sin"))
        groups = "[[0], [1], [2, 3]]"
        x = self.expand(x, whole, groups, split)
        a, b = (self.slice(x, split, offset, 1, drop=True) for offset in (0, 1))
        t = self.tensor(*half)
        turned = (self.products("arith.subf", a, cos, b, sin, t), self.products("arith.addf", b, cos, a, sin, t))
        column = (*half, 1)
        y = self.concatenate([(self.expand(value, half, groups, column), 1) for value in turned], split)
        return self.collapse(y, split, groups, whole)

    def rotary(self, x, layer, prefix, heads):
        size, pairs = layer.head_size, layer.weights["rotary.cos"].shape[1]
        rotate = self.rotate_half if layer.rotary == "half" else self.rotate_interleaved
        if 2 * pairs == size:
            return rotate(x, layer, prefix, heads, pairs)
        shape = ("?", heads, size)
        turned = rotate(self.slice(x, shape, 0, 2 * pairs), layer, prefix, heads, pairs)
        rest = self.slice(x, shape, 2 * pairs, size - 2 * pairs)
        return self.concatenate([(turned, 2 * pairs), (rest, size - 2 * pairs)], shape)

    # Attention

    def dressed(self, x, layer, prefix, heads, which):
        """Head norm and rotary embedding of Q's or K's heads, where there are any."""
        if layer.norm_of(which)[0]:
            x = self.norm(x, layer, prefix, which, ("?", heads, layer.head_size))
        return self.rotary(x, layer, prefix, heads) if layer.rotary else x

    def repeated(self, x, shape, times):
        """[G, ...] as [G * times, ...]: every head for `times` of the query."""
        if times == 1:
            return x
        groups, *rest = shape
        t = self.tensor(groups, times, *rest)
        init = self.empty(t, 1)
        result = self.value("repeated")
        self.line(f"{result} = linalg.broadcast ins({x} : {self.tensor(*shape)}) outs({init} : {t}) dimensions = [1]")
        return self.collapse(result, (groups, times, *rest), "[[0, 1], [2], [3]]", (groups * times, *rest))

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
        return self.elementwise("masked", t, body, (scores, t, _map(3)), rank=3, dynamic=2)

    def attention(self, x, layer, prefix):
        heads, keys, size = layer.heads, layer.key_heads, layer.head_size
        per_head, transposed, square = (self.tensor(heads, *shape) for shape in (("?", size), (size, "?"), ("?", "?")))
        q, k, v = (self.linear(x, layer, prefix, name) for name in ("Wq", "Wk", "Wv"))
        q, k, v = (self.expand(y, ("?", n * size), "[[0], [1, 2]]", ("?", n, size)) for y, n in ((q, heads), (k, keys), (v, keys)))
        q = self.dressed(q, layer, prefix, heads, "q_norm")
        k = self.dressed(k, layer, prefix, keys, "k_norm")
        q = self.transpose(q, ("?", heads, size), [1, 0, 2])
        k = self.repeated(self.transpose(k, ("?", keys, size), [1, 2, 0]), (keys, size, "?"), heads // keys)
        v = self.repeated(self.transpose(v, ("?", keys, size), [1, 0, 2]), (keys, "?", size), heads // keys)
        scores = self.batch_matmul(q, per_head, k, transposed, square, 2)
        scores = self.with_scalar("arith.mulf", scores, layer.scale, square, rank=3, dynamic=2)
        if layer.window != ALL:
            scores = self.masked(scores, layer.window, square)
        init = self.empty(square, 2)
        softmax = self.value("softmax")
        self.line(f"{softmax} = linalg.softmax dimension(2) ins({scores} : {square}) outs({init} : {square}) -> {square}")
        context = self.batch_matmul(softmax, square, v, per_head, per_head, 1)
        context = self.transpose(context, (heads, "?", size), [1, 0, 2])
        merged = self.collapse(context, ("?", heads, size), "[[0], [1, 2]]", ("?", heads * size))
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
        parts = [(self.attention, "ln1"), (self.feed_forward, "ln2")]
        for part, norm in parts[:1 + layer.has_feed_forward]:
            before = self.norm(x, layer, prefix, norm) if layer.place == "pre" else x
            x = self.binary("arith.addf", x, part(before, layer, prefix), self.rows(self.d))
            if layer.place == "post":
                x = self.norm(x, layer, prefix, norm)
        return x
