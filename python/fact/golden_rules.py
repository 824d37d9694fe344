# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""The cases of a rules.npz: every rule alone, against fact.numerics.

The file's keys say which cases there are, so that other widths, shares and
predictors than those of test/golden are checked as well.
"""
from . import numerics as n

ELEMENTWISE = ("exp", "erf", "gelu_erf", "gelu_tanh", "swish", "relu")


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
    for rule in ("importance", "importance_equal"):
        for key in sorted(k for k in arrays if k.startswith(rule) and k[len(rule):len(rule) + 1].isdigit() and k.endswith(".low")):
            value = float(key[len(rule):-len(".low")])
            yield case(f"{rule} {value:g}", [key, f"{rule}.count"],
                       lambda rule=rule, key=key, value=value: [("low", n.low_tokens(get(f"{rule}.count"), value), get(key))])

    for key in sorted(set(arrays) - used - {"meta"}):
        def unread(key=key):
            raise KeyError(f"no rule reads '{key}'")
        yield f"'{key}'", unread
