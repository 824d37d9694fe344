"""Cases of check_operators.py: what models of images and sounds add, against
NumPy. References are written after the operators' definitions, element by
element, with no thought of how the importer does it.
"""
import itertools
import math

import numpy as np

L = "L"
random = np.random.default_rng(7)


def floats(*shape):
    return random.standard_normal(shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def choose(*values):
    return values[random.integers(len(values))]


class Placement:
    """Places of a window along each spatial dimension, and the padding."""

    def __init__(self, extents, kernel, strides=None, dilations=None, pads=None, auto_pad="NOTSET", ceil_mode=0):
        rank = len(kernel)
        self.kernel = kernel
        self.strides = strides or [1] * rank
        self.dilations = dilations or [1] * rank
        pads = pads or [0] * (2 * rank)
        self.before, self.after, self.places = list(pads[:rank]), list(pads[rank:]), []
        for i, extent in enumerate(extents):
            reach = (kernel[i] - 1) * self.dilations[i] + 1
            if auto_pad.startswith("SAME"):
                total = max((math.ceil(extent / self.strides[i]) - 1) * self.strides[i] + reach - extent, 0)
                self.before[i] = total // 2 if auto_pad == "SAME_UPPER" else total - total // 2
                self.after[i] = total - self.before[i]
            # Every start whose window ends inside; with ceil_mode, every start before the padding at the end.
            end = extent + self.before[i] + self.after[i]
            starts = range(0, end, self.strides[i])
            if ceil_mode:
                fit = [s for s in starts if s + reach <= end or
                       (s < extent + self.before[i] and s - self.strides[i] + reach < end)]
            else:
                fit = [s for s in starts if s + reach <= end]
            self.places.append(len(fit))

    def windows(self, x, fill=0.0, beyond=np.nan):
        """For each place: the window's elements, shape (N, C, *kernel); `fill` in the padding, `beyond` behind it."""
        far = [(0, 0), (0, 0)] + [(0, k * d + s) for k, d, s in zip(self.kernel, self.dilations, self.strides)]
        x = np.pad(x, [(0, 0), (0, 0), *zip(self.before, self.after)], constant_values=fill)
        x = np.pad(x, far, constant_values=beyond)
        for place in itertools.product(*map(range, self.places)):
            at = [[p * s + k * d for k in range(size)]
                  for p, s, d, size in zip(place, self.strides, self.dilations, self.kernel)]
            yield place, x[(slice(None), slice(None)) + np.ix_(*at)]


def convolution(x, w, bias=None, group=1, **window):
    window.pop("kernel_shape", None)
    placement = Placement(x.shape[2:], w.shape[2:], **window)
    out = np.zeros((x.shape[0], w.shape[0], *placement.places))
    per_group, features = w.shape[1], w.shape[0] // group
    for place, elements in placement.windows(x.astype(np.float64)):
        for f in range(w.shape[0]):
            g = f // features
            part = elements[:, g * per_group:(g + 1) * per_group]
            out[(slice(None), f) + place] = (part * w[f]).reshape(len(x), -1).sum(1)
    return out if bias is None else out + bias.reshape(-1, *[1] * (x.ndim - 2))


def pool(x, kernel_shape, op, count_include_pad=0, **window):
    placement = Placement(x.shape[2:], kernel_shape, **window)
    out = np.zeros((*x.shape[:2], *placement.places))
    fill = 0.0 if count_include_pad else np.nan
    for place, elements in placement.windows(x.astype(np.float64), fill=fill):
        elements = elements.reshape(*x.shape[:2], -1)
        out[(slice(None), slice(None)) + place] = op(elements, axis=-1)
    return out


def random_window(rank, extents, kernel, limit_pads=False):
    """Attributes that fit; some are left out."""
    window = {}
    if random.random() < 0.6:
        window["strides"] = [int(random.integers(1, 4)) for _ in range(rank)]
    if random.random() < 0.5:
        window["dilations"] = [int(random.integers(1, 3)) for _ in range(rank)]
    how = choose("pads", "pads", "none", "SAME_UPPER", "SAME_LOWER", "VALID")
    if how == "pads":
        largest = [k - 1 if limit_pads else 3 for k in kernel]
        window["pads"] = [int(random.integers(0, p + 1)) for p in largest * 2]
    elif how != "none":
        window["auto_pad"] = how
    return window if min(Placement(extents, kernel, **window).places) > 0 else random_window(
        rank, extents, kernel, limit_pads)


def add_convolutions(case, node):
    # The first dimension of the sequence is the one in front of the last: closed where a window must fit.
    for i in range(40):
        rank = int(choose(1, 1, 2, 2, 2, 3))
        group = int(choose(1, 1, 2, 3))
        channels, features = group * int(random.integers(1, 4)), group * int(random.integers(1, 4))
        if i % 5 == 0:  # depthwise
            group = channels = int(random.integers(2, 6))
            features = channels * int(random.integers(1, 3))
        kernel = [int(random.integers(1, 4)) for _ in range(rank)]
        extents = [int(random.integers(4, 9 if rank < 3 else 6)) for _ in range(rank)]
        window = random_window(rank, extents, kernel)
        if random.random() < 0.5:
            window["kernel_shape"] = kernel
        w = floats(features, channels // group, *kernel)
        weights = {"w": w, **({"b": floats(features)} if random.random() < 0.5 else {})}
        more = {"group": group} if group > 1 else {}
        case(f"Conv-{i}", [node("Conv", "x w b" if "b" in weights else "x w", **window, **more)],
             lambda x, a=window, w=weights, g=group: convolution(x, w["w"], w.get("b"), g, **a),
             inputs={"x": (int(choose(1, 2)), channels, *extents)}, weights=weights, opset=int(choose(7, 11, 13, 22)),
             closed=None, tolerance=2e-5)
    w, b = floats(5, 3, 3), floats(5)
    for name, attributes in {"pads": {"pads": [1, 1]}, "causal": {"pads": [2, 0]}, "same": {"auto_pad": "SAME_LOWER"},
                             "dilated": {"pads": [2, 2], "dilations": [2]}, "longer": {"pads": [3, 1]}}.items():
        case(f"Conv-open-{name}", [node("Transpose", "x", "t", perm=[0, 2, 1]), node("Conv", "t w b", **attributes)],
             lambda x, a=attributes: convolution(x.transpose(0, 2, 1), w, b, **a), inputs={"x": (1, L, 3)},
             weights={"w": w, "b": b}, tolerance=1e-5)
    deep = floats(4, 1, 3)
    case("Conv-open-depthwise", [node("Transpose", "x", "t", perm=[0, 2, 1]),
                                 node("Conv", "t w", pads=[1, 1], group=4)],
         lambda x: convolution(x.transpose(0, 2, 1), deep, group=4, pads=[1, 1]), weights={"w": deep})
    case("Conv-open-must-fit", [node("Transpose", "x", "t", perm=[0, 2, 1]), node("Conv", "t w")],
         lambda x: convolution(x.transpose(0, 2, 1), w), inputs={"x": (1, L, 3)}, weights={"w": w}, closed=True,
         tolerance=1e-5)
    case("Conv-open-strides", [node("Transpose", "x", "t", perm=[0, 2, 1]), node("Conv", "t w", strides=[2])],
         lambda x: convolution(x.transpose(0, 2, 1), w, strides=[2]), inputs={"x": (1, L, 3)}, weights={"w": w},
         closed=True, tolerance=1e-5)
    case("Conv-weights-at-run-time", [node("Relu", "y", "w"), node("Conv", "x w", pads=[1, 1, 1, 1])],
         lambda x, y: convolution(x, np.maximum(y, 0), pads=[1, 1, 1, 1]),
         inputs={"x": (1, 2, 5, 4), "y": (3, 2, 3, 3)}, closed=None, tolerance=1e-5)


def add_pools(case, node):
    for i in range(40):
        rank = int(choose(1, 2, 2, 3))
        kernel = [int(random.integers(1, 4)) for _ in range(rank)]
        extents = [int(random.integers(5, 9 if rank < 3 else 6)) for _ in range(rank)]
        window = random_window(rank, extents, kernel, limit_pads=True)
        if random.random() < 0.5 and "auto_pad" not in window:
            window["ceil_mode"] = 1
        shape = {"x": (int(choose(1, 2)), int(choose(1, 3)), *extents)}
        if i % 2:
            case(f"MaxPool-{i}", [node("MaxPool", "x", kernel_shape=kernel, **window)],
                 lambda x, k=kernel, a=window: pool(x, k, np.nanmax, **a), inputs=shape, opset=int(choose(10, 12, 22)),
                 closed=None)
            continue
        window["count_include_pad"] = int(choose(0, 1))
        # A dilated window may lie in padding only: nothing to take a mean of.
        if not window["count_include_pad"]:
            window.pop("dilations", None)
        case(f"AveragePool-{i}", [node("AveragePool", "x", kernel_shape=kernel, **window)],
             lambda x, k=kernel, a=window: pool(x, k, np.nanmean, **a), inputs=shape, opset=int(choose(10, 19, 22)),
             closed=None)
    turn = node("Transpose", "x", "t", perm=[0, 2, 1])
    for include in (0, 1):
        attributes = dict(pads=[1, 1], count_include_pad=include)
        case(f"AveragePool-open-{include}", [turn, node("AveragePool", "t", kernel_shape=[3], **attributes)],
             lambda x, a=attributes: pool(x.transpose(0, 2, 1), [3], np.nanmean, **a))
    case("MaxPool-open", [turn, node("MaxPool", "t", kernel_shape=[3], auto_pad="SAME_UPPER")],
         lambda x: pool(x.transpose(0, 2, 1), [3], np.nanmax, auto_pad="SAME_UPPER"))
    case("MaxPool-no-indices", [turn, node("MaxPool", "t", "out", kernel_shape=[3], storage_order=0)],
         lambda x: pool(x.transpose(0, 2, 1), [3], np.nanmax), closed=True)
    case("GlobalAveragePool", [node("GlobalAveragePool", "x")], lambda x: x.mean((2, 3), keepdims=True),
         inputs={"x": (2, 3, 5, 4)}, closed=None)
    case("GlobalMaxPool", [node("GlobalMaxPool", "x")], lambda x: x.max((2, 3), keepdims=True),
         inputs={"x": (2, 3, 5, 4)}, closed=None)
    case("GlobalAveragePool-open", [turn, node("GlobalAveragePool", "t")],
         lambda x: x.transpose(0, 2, 1).mean(2, keepdims=True))
    case("GlobalMaxPool-open", [turn, node("GlobalMaxPool", "t")],
         lambda x: x.transpose(0, 2, 1).max(2, keepdims=True))


def standard(x, axes, epsilon):
    x = x.astype(np.float64)
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def add_normalizations(case, node):
    def aligned(vector, x):
        return vector.reshape(-1, *[1] * (x.ndim - 2))

    for shape in ((2, 4), (2, 4, 5), (1, 4, 3, 5), (1, 4, 2, 3, 2)):
        s, b, m, v = floats(4), floats(4), floats(4), np.abs(floats(4)) + 0.1
        case(f"BatchNormalization-{len(shape)}", [node("BatchNormalization", "x s b m v", epsilon=1e-3)],
             lambda x, s=s, b=b, m=m, v=v: (x - aligned(m, x)) / np.sqrt(aligned(v, x) + 1e-3) * aligned(s, x)
             + aligned(b, x), inputs={"x": shape}, weights={"s": s, "b": b, "m": m, "v": v},
             opset=int(choose(7, 9, 14, 15)), closed=None, tolerance=1e-5)
        if len(shape) < 3:
            continue
        case(f"InstanceNormalization-{len(shape)}", [node("InstanceNormalization", "x s b", epsilon=1e-2)],
             lambda x, s=s, b=b: standard(x, tuple(range(2, x.ndim)), 1e-2) * aligned(s, x) + aligned(b, x),
             inputs={"x": shape}, weights={"s": s, "b": b}, closed=None, tolerance=1e-5)

        def groups(x):
            split = x.reshape(x.shape[0], 2, -1)
            return standard(split, 2, 1e-5)

        case(f"GroupNormalization-18-{len(shape)}", [node("GroupNormalization", "x s b", num_groups=2)],
             lambda x, s=s, b=b: (groups(x) * s[:2, None] + b[:2, None]).reshape(x.shape),
             inputs={"x": shape}, weights={"s": s[:2], "b": b[:2]}, opset=18, closed=None, tolerance=1e-5)
        case(f"GroupNormalization-21-{len(shape)}", [node("GroupNormalization", "x s b", num_groups=2)],
             lambda x, s=s, b=b: groups(x).reshape(x.shape) * aligned(s, x) + aligned(b, x),
             inputs={"x": shape}, weights={"s": s, "b": b}, opset=21, closed=None, tolerance=1e-5)
    s, b = floats(4), floats(4)
    turn = node("Transpose", "x", "t", perm=[0, 2, 1])
    case("InstanceNormalization-open", [turn, node("InstanceNormalization", "t s b")],
         lambda x: standard(x.transpose(0, 2, 1), 2, 1e-5) * s[:, None] + b[:, None], weights={"s": s, "b": b},
         tolerance=1e-5)
    case("BatchNormalization-open",
         [turn, node("BatchNormalization", "t s b b v")],
         lambda x: (x.transpose(0, 2, 1) - b[:, None]) / np.sqrt(np.float32(1 + 1e-5)) * s[:, None] + b[:, None],
         weights={"s": s, "b": b, "v": np.ones(4, np.float32)}, tolerance=1e-5)
    case("GroupNormalization-open", [turn, node("GroupNormalization", "t s b", num_groups=2, epsilon=0.1)],
         lambda x: standard(x.transpose(0, 2, 1).reshape(1, 2, -1), 2, 0.1).reshape(1, 4, -1) * s[:, None] + b[:, None],
         weights={"s": s, "b": b}, opset=22, tolerance=1e-5)
    case("MeanVarianceNormalization", [node("MeanVarianceNormalization", "x")],
         lambda x: standard(x, (0, 2, 3), 0), inputs={"x": (2, 3, 4, 5)}, closed=None, tolerance=1e-5)
    case("MeanVarianceNormalization-axes", [node("MeanVarianceNormalization", "x", axes=[-1])],
         lambda x: standard(x, -1, 0), tolerance=1e-4)
    case("LpNormalization-2", [node("LpNormalization", "x")],
         lambda x: x / np.sqrt((x * x).sum(-1, keepdims=True)))
    case("LpNormalization-1", [node("LpNormalization", "x", axis=1, p=1)],
         lambda x: x / np.abs(x).sum(1, keepdims=True))
    case("LpNormalization-zeros", [node("Sub", "x x", "z"), node("LpNormalization", "z")], np.zeros_like)


def add_pads(case, node):
    for i, mode in enumerate(["constant", "reflect", "edge"] * 6):
        shape = tuple(int(random.integers(4, 7)) for _ in range(int(random.integers(2, 5))))
        pads = [int(random.integers(0, 4)) for _ in range(2 * len(shape))]
        value = float(np.float32(random.standard_normal())) if mode == "constant" and i % 2 else 0.0
        extra = {"constant_values": np.float32(value)} if mode == "constant" else {}
        reference = lambda x, p=pads, m=mode, e=extra: np.pad(x, list(zip(p[:x.ndim], p[x.ndim:])), m, **e)
        if i % 3 == i // 3 % 3:
            case(f"Pad-attribute-{i}", [node("Pad", "x", mode=mode, pads=pads, **({"value": value} if value else {}))],
                 reference, inputs={"x": shape}, opset=int(choose(7, 10)), closed=None)
            continue
        weights = {"p": ints(*pads), **({"v": np.array(value, np.float32)} if value else {})}
        case(f"Pad-input-{i}", [node("Pad", "x p v" if value else "x p", mode=mode)], reference, inputs={"x": shape},
             weights=weights, opset=int(choose(11, 13, 18)), closed=None)
    case("Pad-axes", [helper_node("Pad", ["x", "p", "", "a"])],
         lambda x: np.pad(x, [(0, 0), (2, 1), (1, 0), (0, 0)]), inputs={"x": (2, 3, 4, 5)},
         weights={"p": ints(1, 2, 0, 1), "a": ints(2, -3)}, opset=18, closed=None)
    for mode in ("constant", "edge"):
        case(f"Pad-open-{mode}", [node("Pad", "x p", mode=mode)],
             lambda x, m=mode: np.pad(x, [(0, 0), (2, 1), (1, 0)], m), weights={"p": ints(0, 2, 1, 0, 1, 0)})
    case("Pad-open-reflect", [node("Pad", "x p", mode="reflect")],
         lambda x: np.pad(x, [(0, 0), (0, 0), (3, 2)], "reflect"), weights={"p": ints(0, 0, 3, 0, 0, 2)})
    case("Pad-reflect-needs-length", [node("Pad", "x p", mode="reflect")],
         lambda x: np.pad(x, [(0, 0), (2, 1), (0, 0)], "reflect"), weights={"p": ints(0, 2, 0, 0, 1, 0)}, closed=True)
    # As exporters compute the pads: from the last dimension to the first one, two by two.
    case("Pad-computed",
         [node("ConstantOfShape", "count", "zeros", value=onnx_tensor(ints(0))),
          node("Concat", "own zeros", "all", axis=0), node("Reshape", "all pairs", "rows"),
          node("Slice", "rows first end zero back", "turned"), node("Transpose", "turned", "columns", perm=[1, 0]),
          node("Reshape", "columns flat", "p"), node("Pad", "x p")],
         lambda x: np.pad(x, [(0, 0), (3, 4), (1, 2)]),
         weights={"count": ints(2), "own": ints(1, 2, 3, 4), "pairs": ints(-1, 2), "first": ints(-1), "zero": ints(0),
                  "end": ints(-2 ** 63 + 1), "back": ints(-1), "flat": ints(-1)})


def helper_node(op, inputs, **attributes):
    from onnx import helper
    return helper.make_node(op, inputs, ["out"], name="n_out", **attributes)


def onnx_tensor(array):
    from onnx import numpy_helper
    return numpy_helper.from_array(array)


def add_rearrangements(case, node):
    for i, repeats in enumerate(((2, 1, 3), (1, 3, 1), (1, 1, 1), (4, 2, 2))):
        case(f"Tile-{i}", [node("Tile", "x r")], lambda x, r=repeats: np.tile(x, r), weights={"r": ints(*repeats)})
    table = floats(1, 3, 4)
    case("Tile-constant", [node("Tile", "w r", "t"), node("Add", "x t")], lambda x: x + np.tile(table, (1, 2, 1)),
         weights={"w": table, "r": ints(1, 2, 1)}, closed=True)
    case("Tile-integers", [node("Shape", "x", "s"), node("Tile", "s r", "t"), node("Slice", "t one three", "u"),
                           node("Cast", "u", "f", to=1), node("ReduceSum", "f", "g"), node("Add", "x g")],
         lambda x: x + x.shape[0] + x.shape[1], inputs={"x": (L, 4)},
         weights={"r": ints(2), "one": ints(1), "three": ints(3)}, opset=11, closed=None)

    def depth_to_space(x, b, mode):
        n, c, h, w = x.shape
        out = np.zeros((n, c // b // b, h * b, w * b), x.dtype)
        for k, i, j in itertools.product(range(c // b // b), range(b), range(b)):
            out[:, k, i::b, j::b] = x[:, (i * b + j) * (c // b // b) + k if mode == "DCR" else (k * b + i) * b + j]
        return out

    def space_to_depth(x, b):
        return np.concatenate([x[:, :, i::b, j::b] for i in range(b) for j in range(b)], 1)

    for b, mode in itertools.product((1, 2, 3), ("DCR", "CRD")):
        case(f"DepthToSpace-{b}-{mode}", [node("DepthToSpace", "x", blocksize=b, mode=mode)],
             lambda x, b=b, m=mode: depth_to_space(x, b, m), inputs={"x": (2, 2 * b * b, 3, 2)}, closed=None)
        case(f"SpaceToDepth-{b}-{mode}", [node("SpaceToDepth", "x", blocksize=b)],
             lambda x, b=b: space_to_depth(x, b), inputs={"x": (2, 3, 2 * b, 4 * b)}, closed=None)
    case("DepthToSpace-default", [node("DepthToSpace", "x", blocksize=2)], lambda x: depth_to_space(x, 2, "DCR"),
         inputs={"x": (1, 8, 3, 2)}, opset=9, closed=None)

    def nearest(x, factors):
        for axis, factor in enumerate(factors):
            x = x.repeat(factor, axis)
        return x

    picture = {"x": (1, 3, 4, 5)}
    scales = np.array([1, 1, 2, 3], np.float32)
    pytorch = dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    case("Resize-10", [node("Resize", "x s", mode="nearest")], lambda x: nearest(x, (1, 1, 2, 3)), inputs=picture,
         weights={"s": scales}, opset=10, closed=None)
    case("Resize-11", [helper_node("Resize", ["x", "roi", "s"], **pytorch)], lambda x: nearest(x, (1, 1, 2, 3)),
         inputs=picture, weights={"s": scales, "roi": np.zeros(0, np.float32)}, opset=11, closed=None)
    case("Resize-13", [helper_node("Resize", ["x", "", "s"])], lambda x: nearest(x, (1, 1, 2, 3)),
         inputs=picture, weights={"s": scales}, opset=13, closed=None)
    case("Resize-sizes", [helper_node("Resize", ["x", "", "", "z"], **pytorch)], lambda x: nearest(x, (1, 1, 2, 3)),
         inputs=picture, weights={"z": ints(1, 3, 8, 15)}, opset=13, closed=None)
    case("Resize-axes", [helper_node("Resize", ["x", "", "s"], axes=[3, 2])], lambda x: nearest(x, (1, 1, 3, 2)),
         inputs=picture, weights={"s": scales[2:]}, opset=18, closed=None)
    case("Upsample-7", [node("Upsample", "x", scales=[1.0, 1.0, 2.0, 3.0])], lambda x: nearest(x, (1, 1, 2, 3)),
         inputs=picture, opset=7, closed=None)
    case("Upsample-9", [node("Upsample", "x s")], lambda x: nearest(x, (1, 1, 2, 3)), inputs=picture,
         weights={"s": scales}, opset=9, closed=None)


def add_positions(case, node):
    def log_softmax(x, axes):
        x = x.astype(np.float64)
        return x - x.max(axes, keepdims=True) - np.log(np.exp(x - x.max(axes, keepdims=True)).sum(axes, keepdims=True))

    case("LogSoftmax", [node("LogSoftmax", "x")], lambda x: log_softmax(x, -1))
    case("LogSoftmax-axis-1", [node("LogSoftmax", "x", axis=1)], lambda x: log_softmax(x, 1))
    case("LogSoftmax-11-flattens", [node("LogSoftmax", "x")], lambda x: log_softmax(x, (1, 2)), opset=11)
    case("LogSoftmax-large", [node("Mul", "x s", "y"), node("LogSoftmax", "y")],
         lambda x: log_softmax(x * np.float32(500), -1), weights={"s": np.array(500, np.float32)}, tolerance=5e-4)
    for op, axis, keep, last in itertools.product(("ArgMax", "ArgMin"), (0, 1, -1), (0, 1), (0, 1)):
        def reference(x, op=op, axis=axis, keep=keep, last=last):
            x = np.floor(x)
            x = -x if op == "ArgMin" else x
            found = x.shape[axis] - 1 - np.flip(x, axis).argmax(axis) if last else x.argmax(axis)
            return np.expand_dims(found, axis) if keep else found

        case(f"{op}-{axis}-{keep}-{last}",
             [node("Floor", "x", "f"), node(op, "f", "i", axis=axis, keepdims=keep, select_last_index=last),
              node("Cast", "i", to=1)], reference, inputs={"x": (2, L, 5)}, opset=12)
    for axis in (-1, 0, 1):
        case(f"OneHot-{axis}",
             [node("Mul", "x s", "y"), node("Floor", "y", "f"), node("Cast", "f", "i", to=7),
              node("OneHot", "i depth values", axis=axis)],
             lambda x, a=axis: one_hot(np.floor(x * 2), 3, a), inputs={"x": (L, 4)},
             weights={"s": np.array(2, np.float32), "depth": np.array(3), "values": np.array([-1, 5], np.float32)})


def add_masks(case, node):
    """What models compute from constants, as a window's mask is."""
    grid = floats(1, 5, 4)
    for i, (starts, ends, steps) in enumerate((([-1], [-2 ** 63], [-1]), ([3, -1], [0, -9], [-2, -1]),
                                               ([9, 2], [1, -2 ** 62], [-1, -3]), ([4], [0], [-2 ** 63]))):
        at = tuple(slice(a, None if e < -8 else e, max(s, -9)) for a, e, s in zip(starts, ends, steps))
        case(f"Slice-backwards-{i}", [node("Slice", "w s e a t", "p"), node("ReduceSum", "p", "q", axes=[1]),
                                      node("Add", "x q")],
             lambda x, at=at: x + grid[(slice(None), *at)].sum(1),
             inputs={"x": (1, L, grid[(slice(None), *at)].shape[2])},
             weights={"w": grid, "s": ints(*starts), "e": ints(*ends), "a": ints(*[1, 2][:len(starts)]),
                      "t": ints(*steps)}, opset=11, tolerance=1e-5)
    mask, part = floats(6, 4), floats(2, 4)
    rows = np.array([[-1], [2]])
    scattered = mask.copy()
    scattered[[-1, 2]] = part
    case("ScatterND-rows", [node("ScatterND", "m i u", "s"), node("Add", "x s")], lambda x: x + scattered,
         inputs={"x": (6, 4)}, weights={"m": mask, "i": rows, "u": part}, closed=None)
    single = mask.copy()
    single[[0, 5, 0], [1, -1, 3]] = part[0, :3]
    case("ScatterND-elements", [node("ScatterND", "m i u", "s"), node("Add", "x s")], lambda x: x + single,
         inputs={"x": (6, 4)}, weights={"m": mask, "i": np.array([[0, 1], [5, -1], [0, 3]]), "u": part[0, :3]},
         closed=None)
    case("ScatterND-nothing-behind",
         [node("Shape", "m", "s"), node("Slice", "s two end", "rest"), node("Concat", "three rest", "t", axis=0),
          node("Expand", "v t", "u"), node("ScatterND", "m i u", "n"), node("Add", "x n")],
         lambda x: x + np.where(np.isin(np.arange(24).reshape(6, 4), (1, 23, 3)), 7, mask), inputs={"x": (6, 4)},
         weights={"m": mask, "i": np.array([[0, 1], [5, -1], [0, 3]]), "two": ints(2), "end": ints(9),
                  "three": ints(3), "v": np.array([7], np.float32)}, closed=None)
    case("ScatterND-integers",
         [node("ScatterND", "n i u", "s"), node("Cast", "s", "f", to=1), node("Add", "x f")],
         lambda x: x + np.array([0, 9, 2, 8], np.float32), opset=16,
         weights={"n": ints(0, 1, 2, 3), "i": np.array([[1], [3]]), "u": ints(9, 8)})
    case("Expand-constant", [node("Expand", "v s", "w"), node("Add", "x w")],
         lambda x: x + part[0][:, None] * np.ones((1, 1, 4), np.float32), inputs={"x": (1, 4, 4)},
         weights={"v": np.ascontiguousarray(part[0][:, None]), "s": ints(1, 1, 4)}, closed=None)
    case("Dropout-of-nothing", [node("Relu", "x", "y"), node("Dropout", "y ratio training")],
         lambda x: np.maximum(x, 0), weights={"ratio": np.array(0, np.float32), "training": np.array(True)})


def one_hot(indices, depth, axis):
    """-1 and 5; indices outside of [-depth, depth) are nowhere."""
    out = np.full((*indices.shape, depth), -1.0)
    for at in np.ndindex(indices.shape):
        i = int(indices[at])
        if -depth <= i < depth:
            out[at + (i % depth,)] = 5
    return np.moveaxis(out, -1, axis)


def add_cases(case, node):
    add_convolutions(case, node)
    add_pools(case, node)
    add_normalizations(case, node)
    add_pads(case, node)
    add_rearrangements(case, node)
    add_positions(case, node)
    add_masks(case, node)
