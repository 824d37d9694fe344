"""Folds the golden vectors' weights with fact-opt and compares every bit.

usage: fold_golden.py RULES.npz
"""
import json
import re
import subprocess
import sys

import numpy as np

TYPES = {"f32": np.float32, "i8": np.int8}


def mlir_type(array):
    name = "f32" if array.dtype == np.float32 else "i8"
    return "tensor<" + "".join(f"{n}x" for n in array.shape) + name + ">"


class Program:
    """Text of a function of constants, given as `dense` or as resources."""

    def __init__(self, resources):
        self.resources = resources
        self.body, self.blobs = [], []

    def constant(self, name, array):
        data = array.tobytes().hex().upper()
        value = f'dense<"0x{data}">'
        if self.resources:
            self.blobs.append(f'      {name}: "0x04000000{data}"')
            value = f"dense_resource<{name}>"
        self.body.append(f"  %{name} = arith.constant {value} : {mlir_type(array)}")

    def text(self, results):
        names = ", ".join(f"%{name}" for name, _ in results)
        types = ", ".join(mlir_type(array) for _, array in results)
        text = f"func.func @f() -> ({types}) {{\n" + "\n".join(self.body) + f"\n  return {names} : {types}\n}}\n"
        if self.resources:
            text += "{-#\n  dialect_resources: {\n    builtin: {\n" + ",\n".join(self.blobs) + "\n    }\n  }\n#-}\n"
        return text


def fold(text):
    """The values of the function's results, by what `return` names."""
    out = subprocess.run(["fact-opt", "--canonicalize"], input=text, capture_output=True, text=True, check=True).stdout
    blobs = dict(re.findall(r'^\s*(\w+): "0x([0-9A-F]+)"', out, re.M))
    values = {}
    for name, value, shape in re.findall(r"(%\w+) = arith\.constant (dense.*>) : tensor<(\S*)>", out):
        *dims, element = shape.split("x")
        kind, content = re.match(r"(dense\w*)<(.*)>$", value).groups()
        dtype = np.dtype(TYPES[element])
        dims = [int(n) for n in dims]
        if kind == "dense_resource":
            values[name] = np.frombuffer(bytes.fromhex(blobs[content][8:]), dtype).reshape(dims)
        elif content.startswith('"0x'):
            values[name] = np.frombuffer(bytes.fromhex(content[3:-1]), dtype).reshape(dims)
        elif content.startswith("["):
            values[name] = np.array(json.loads(content), dtype).reshape(dims)
        else:
            values[name] = np.full(dims, float(content), dtype)  # a splat
    assert "fact." not in out, out
    return [values[name] for name in re.search(r"return (.*) :", out).group(1).split(", ")]


def check(rules, resources):
    program = Program(resources)
    weight = rules["quant_weight.x"]
    codes = np.clip(rules["leading.x"], -127, 127).astype(np.int8)[:, None]
    keep = np.abs(rules["leading.x"]) <= 127  # what fits in a code
    codes = np.ascontiguousarray(codes[keep])
    program.constant("w", weight)
    program.constant("z", np.zeros_like(weight))
    program.constant("c", codes)
    m, n = weight.shape
    program.body += [
        f"  %w8, %ws = fact.quantize_weight %w : tensor<{m}x{n}xf32> -> tensor<{m}x{n}xi8>, tensor<{n}xf32>",
        f"  %p, %ps = fact.quantize_predictor_weight %w : tensor<{m}x{n}xf32> -> tensor<{m}x{n}xi8>, tensor<f32>",
        f"  %q, %qs = fact.quantize_predictor_weight %z : tensor<{m}x{n}xf32> -> tensor<{m}x{n}xi8>, tensor<f32>",
        f"  %one = fact.encode leading_one weight %c : tensor<{len(codes)}x1xi8>",
        f"  %two = fact.encode leading_two key %c : tensor<{len(codes)}x1xi8>",
        f"  %as_it_is = fact.encode one_sided key %c : tensor<{len(codes)}x1xi8>",
    ]
    want = [
        ("w8", rules["quant_weight.w"]),
        ("ws", rules["quant_weight.scale"]),
        ("p", rules["predictor_weight.w"]),
        ("ps", rules["predictor_weight.scale"]),
        ("q", rules["predictor_weight_zero.w"]),
        ("qs", rules["predictor_weight_zero.scale"]),
        ("one", rules["leading_one.y"][keep].astype(np.int8)[:, None]),
        ("two", rules["leading_two.y"][keep].astype(np.int8)[:, None]),
        ("as_it_is", codes),
    ]
    bias, scale = rules["predictor_bias.b"], rules["predictor_bias.s"]
    program.constant("b", bias)
    program.constant("s", np.asarray(scale))
    gains = {"leading_one": 0.53, "leading_two": 0.83, "one_sided": 0.72, "exact": 1.0}
    for kind, gain in gains.items():
        program.body.append(f"  %b_{kind} = fact.predictor_bias {kind} %b, %s : tensor<{len(bias)}xf32>, tensor<f32>")
        want.append((f"b_{kind}", ((bias * np.float32(gain)).astype(np.float32) / scale).astype(np.float32)))
    failures = 0
    for (name, array), got in zip(want, fold(program.text(want))):
        if got.dtype != array.dtype or got.shape != array.shape or got.tobytes() != np.ascontiguousarray(array).tobytes():
            print(f"{name} differs ({'dense_resource' if resources else 'dense'})")
            failures += 1
    return failures, len(want)


def main():
    rules = np.load(sys.argv[1])
    failures = 0
    for resources in (False, True):
        failed, count = check(rules, resources)
        failures += failed
        print(f"{'dense_resource' if resources else 'dense'}: {count - failed} of {count} results equal")
    sys.exit(1 if failures else 0)


main()
