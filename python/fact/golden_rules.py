# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""The cases of a rules.npz: every rule alone, against fact.numerics.

The file's keys say which cases there are, so that other widths, shares and
predictors than those of test/golden are checked as well.
"""
import math

import numpy as np

from . import numerics as n

ELEMENTWISE = ("exp", "erf", "gelu_erf", "gelu_tanh", "quick_gelu", "swish", "relu")


def window_of(ends):
    """The ends of a window; -1 is unlimited."""
    return tuple(None if end < 0 else int(end) for end in ends)


def cases(arrays):
    """Yields (name, check) for a dict of arrays; check() returns a list of
    (what, got, expected). A key that no case reads is a case that fails."""
    used = set()

    def get(key):
        return arrays[key]

    def case(name, keys, check):
        used.update(keys)
        return name, check

    def pair(rule, **expected):
        """A function's results beside the arrays `rule.NAME`."""
        return [(name, value, get(f"{rule}.{name}")) for name, value in expected.items()]

    # Section 2
    for rule in ELEMENTWISE:
        if f"{rule}.x" in arrays:
            yield case(rule, [f"{rule}.x", f"{rule}.y"],
                       lambda rule=rule: pair(rule, y=getattr(n, rule)(get(f"{rule}.x"))))
    for rule in sorted({k.split(".")[0] for k in arrays if k.startswith("rsum")}):
        yield case(rule, [f"{rule}.x", f"{rule}.y"], lambda rule=rule: pair(rule, y=n.rsum(get(f"{rule}.x"))))
    if "column_mean.x" in arrays:
        yield case("column_mean", ["column_mean.x", "column_mean.y"],
                   lambda: pair("column_mean", y=n.column_mean(get("column_mean.x"))))
    if "layer_norm.x" in arrays:
        names = ("x", "gamma", "beta", "eps")
        yield case("layer_norm", [f"layer_norm.{k}" for k in (*names, "y")],
                   lambda names=names: pair("layer_norm", y=n.layer_norm(*[get(f"layer_norm.{k}") for k in names])))

    for key in sorted(k for k in arrays if k == "rms_norm.gamma" or (k.startswith("head_norm.") and k.endswith(".gamma"))):
        rule = key[:-len(".gamma")]
        names = [f"{rule}.{k}" for k in ("x", "gamma", "beta", "eps", "y") if f"{rule}.{k}" in arrays]

        def normed(rule=rule):
            x, gamma, eps = (get(f"{rule}.{k}") for k in ("x", "gamma", "eps"))
            if "rms" in rule:
                return pair(rule, y=n.rms_norm(x, gamma, eps))
            return pair(rule, y=n.layer_norm(x, gamma, arrays.get(f"{rule}.beta"), eps))
        yield case(rule, names, normed)

    # Section 10
    for key in sorted(k for k in arrays if k.startswith("rotary.") and k.endswith(".y")):
        tables, style = key[:-len(".y")].rsplit(".", 1)
        yield case(f"rotary {key[len('rotary.'):-2]}", [key, "rotary.x", f"{tables}.cos", f"{tables}.sin"],
                   lambda key=key, tables=tables, style=style: [("y", n.rotate(
                       get("rotary.x"), get(f"{tables}.cos"), get(f"{tables}.sin"), style), get(key))])
    for key in sorted(k for k in arrays if k.startswith("window") and k.endswith(".allowed")):
        rule = key[:-len(".allowed")]
        yield case(rule, [rule, key], lambda rule=rule, key=key: [
            ("allowed", n.allowed(len(get(key)), window_of(get(rule))), get(key))])
    for kind in n.PREDICTORS:
        rule = f"predicted_rows.{kind}"
        if f"{rule}.y" in arrays:
            names = ("H", "s", "e", "bias")
            yield case(f"predicted_rows {kind}", [f"{rule}.y", *[f"predicted_rows.{k}" for k in names]],
                       lambda rule=rule, kind=kind, names=names: pair(
                           rule, y=n.predicted_rows(*[get(f"predicted_rows.{k}") for k in names], kind)))
        for norms in (1, 2):
            rule = f"dominance.{kind}.norms{norms}"
            if f"{rule}.y" in arrays:
                yield case(f"dominance {kind}, {norms} head norms",
                           [f"{rule}.{k}" for k in ("y", "threshold", "gain")] + ["dominance.gap", "dominance.unit"],
                           lambda rule=rule, kind=kind, norms=norms: pair(
                               rule, gain=n.logit_gain(kind, norms), y=n.dominated(
                                   get("dominance.gap"), get("dominance.unit"), get(f"{rule}.threshold"), kind, norms)))
    if "layer_scale.W2" in arrays:
        names = ("W", "b", "g")
        yield case("layer_scale", [f"layer_scale.{k}" for k in (*names, "W2", "b2")],
                   lambda: pair("layer_scale", W2=get("layer_scale.W") * get("layer_scale.g"),
                                b2=get("layer_scale.b") * get("layer_scale.g")))
    if "fold.angle" in arrays:
        def folded():
            inverse = np.float32(1) / n.fold_pow(10000, get("fold.exponent"))
            angle = np.arange(len(get("fold.angle")), dtype=np.float32)[:, None] * get("fold.inverse")
            return pair("fold", inverse=inverse, angle=angle, cos=n.fold_cos(angle), sin=n.fold_sin(angle))
        yield case("fold", [f"fold.{k}" for k in ("exponent", "inverse", "angle", "cos", "sin")], folded)

    # Section 1
    for rule, function in (("quant_rows", n.quantize_rows), ("quant_rows4", n.quantize_rows4)):
        if f"{rule}.q" in arrays:
            yield case(rule, [f"{rule}.q", f"{rule}.scale", "quant_rows.x"],
                       lambda rule=rule, function=function: pair(rule, **dict(zip(("q", "scale"), function(get("quant_rows.x"))))))
    for rule, function, zero in (("quant_weight", n.quantize_weight, False), ("predictor_weight", n.predictor_weight, False),
                                 ("predictor_weight_zero", n.predictor_weight, True)):
        if f"{rule}.w" in arrays:
            def weights(rule=rule, function=function, zero=zero):
                x = get("quant_weight.x")
                w, scale = function(0 * x if zero else x)
                expected = get(f"{rule}.scale")
                return [("w", w, get(f"{rule}.w")), ("scale", expected.dtype.type(scale) if not expected.ndim else scale, expected)]
            yield case(rule, [f"{rule}.w", f"{rule}.scale", "quant_weight.x"], weights)
    if "high_nibble.w" in arrays:
        yield case("high_nibble", ["high_nibble.w", "quant_weight.w"],
                   lambda: pair("high_nibble", w=n.high_nibble(get("quant_weight.w"))))

    # Section 3
    for precision in ("int8", "a4w4", "a4w8"):
        if f"linear.{precision}.y" in arrays:
            yield case(f"linear {precision}", [f"linear.{precision}.y", "linear.x", "linear.W", "linear.b"],
                       lambda precision=precision: pair(f"linear.{precision}", y=n.linear(
                           get("linear.x"), get("linear.W"), arrays.get("linear.b"), precision)))

    # Section 4
    for rule in ("leading_one", "leading_two"):
        if f"{rule}.y" in arrays:
            yield case(rule, [f"{rule}.y", "leading.x"],
                       lambda rule=rule: pair(rule, y=getattr(n, rule)(get("leading.x"))))
    for kind in n.PREDICTORS:
        rule = f"predictor_bias.{kind}"
        if f"{rule}.h" in arrays:
            names = ("b", "s", "e")
            yield case(f"predictor_bias {kind}", [f"{rule}.h", *[f"predictor_bias.{k}" for k in names]],
                       lambda rule=rule, kind=kind, names=names: pair(
                           rule, h=n.predictor_bias(*[get(f"predictor_bias.{k}") for k in names], kind)))
        rule = f"predict.{kind}"
        if f"{rule}.T" in arrays:
            names = ("x", "Wq", "Wk", "bq", "heads", "scale")
            results = ("Hq", "Hk", "sq", "sk", "T", "unit")

            def predicted(rule=rule, kind=kind, names=names):
                return pair(rule, **n.predict(*[arrays.get(f"predict.{k}") for k in names], kind))
            yield case(f"predict {kind}", [*[f"{rule}.{k}" for k in results], *[f"predict.{k}" for k in names]], predicted)
    if "unit.y" in arrays:
        names = ("sq", "e", "s_pq", "s_pk", "scale")
        yield case("unit", [f"unit.{k}" for k in (*names, "y")],
                   lambda names=names: pair("unit", y=n.predictor_unit(*[get(f"unit.{k}") for k in names])))

    # Section 5
    for key in sorted(k for k in arrays if k.startswith("topk") and k.endswith(".mask")):
        keep = float(key[len("topk"):-len(".mask")])
        yield case(f"topk {keep:g}", [key, "topk.x"],
                   lambda key=key, keep=keep: [("mask", n.top_k(get("topk.x"), keep), get(key))])
    for kind in n.PREDICTORS:
        rule = f"dominance.{kind}"
        if f"{rule}.y" in arrays:
            yield case(f"dominance {kind}", [f"{rule}.y", f"{rule}.threshold", "dominance.gap", "dominance.unit"],
                       lambda rule=rule, kind=kind: pair(rule, y=n.dominated(
                           get("dominance.gap"), get("dominance.unit"), get(f"{rule}.threshold"), kind)))
    for key in sorted(k for k in arrays if k.startswith("importance_window") and k.endswith(".low")):
        rule, value = key[:-len(".low")].split(".", 1)
        yield case(f"{rule} {value}", [key, f"{rule}.count", f"{rule}.window"], lambda rule=rule, key=key, value=value: [
            ("low", n.low_tokens(get(f"{rule}.count"), float(value), window_of(get(f"{rule}.window"))), get(key))])
    for key in sorted(k for k in arrays if k.startswith("importance_edge") and k.endswith(".low")):
        rule = key[:-len(".low")]

        def edge(rule=rule, key=key):
            # The name has six digits: the number behind it is one of those that print so.
            value = float(rule[len("importance_edge"):])
            unit = 10.0 ** (math.floor(math.log10(value)) - 5) / 2
            results = [n.low_tokens(get(f"{rule}.count"), v) for v in (value, value - 0.99 * unit, value + 0.99 * unit)]
            fitting = [r for r in results if np.array_equal(r, get(key))]
            return [("low", (fitting or results)[0], get(key))]
        yield case(rule, [key, f"{rule}.count"], edge)
    for rule in ("importance", "importance_equal"):
        for key in sorted(k for k in arrays if k.startswith(rule) and k[len(rule):len(rule) + 1].isdigit() and k.endswith(".low")):
            value = float(key[len(rule):-len(".low")])
            yield case(f"{rule} {value:g}", [key, f"{rule}.count"],
                       lambda rule=rule, key=key, value=value: [("low", n.low_tokens(get(f"{rule}.count"), value), get(key))])

    for key in sorted(set(arrays) - used - {"meta"}):
        def unread(key=key):
            raise KeyError(f"no rule reads '{key}'")
        yield f"'{key}'", unread
