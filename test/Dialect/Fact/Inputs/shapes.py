"""Writes every op of the dialect once as it should be, and once for every
dimension of every operand and result with that dimension alone changed; reads
fact-opt's errors back: the first must pass, each of the others be refused.

usage: shapes.py FACT-OPT SCRATCH-FILE
"""
import re
import subprocess
import sys

# L = 4 tokens, d = 16 features, N = 8 outputs, h = 2 heads: all differ. `name: type` in
# operands is declared as an argument of a function around the op.
ROWS, ROWS8, OUT = "4x16xf32", "4x16xi8", "4x8xf32"
SCALES, MASK, HEADROWS = "2x4xf32", "2x4x4xi1", "2x4xi1"

# op text, operand types, result types
OPS = [
    ("fact.linear %0, %1 bias %2 : ({0}, {1}, {2}) -> {r0}", [ROWS, "16x8xf32", "8xf32"], [OUT]),
    ("fact.attention %0, %1, %2 heads = 2 scale = 0.5 : {0}", [ROWS], [ROWS]),
    ("fact.norm layer %0, %1, %2 eps = 1.0e-5 : {0}, {1}, {2}", [ROWS, "16xf32", "16xf32"], [ROWS]),
    ("fact.quantize_rows %0 low %1 : ({0}, {1}) -> ({r0}, {r1})", [ROWS, "4xi1"], [ROWS8, "4xf32"]),
    ("fact.quantize_heads %0 rows %1 heads = 2 : ({0}, {1}) -> ({r0}, {r1})", [ROWS, HEADROWS], [ROWS8, SCALES]),
    ("fact.quantize_weight %0 : {0} -> {r0}, {r1}", ["16x8xf32"], ["16x8xi8", "8xf32"]),
    ("fact.quantized_linear %0, %1, %2, %3 bias %4 low %5 precision = a4w4 rows %6 : ({0}, {1}, {2}, {3}, {4}, {5}, {6}) -> {r0}",
     [ROWS8, "4xf32", "16x8xi8", "8xf32", "8xf32", "4xi1", HEADROWS], [OUT]),
    ("fact.quantize_predictor_weight %0 : {0} -> {r0}, {r1}", ["16x8xf32"], ["16x8xi8", "f32"]),
    ("fact.log_matmul %0, %1 bias %2 scale %3 : ({0}, {1}, {2}, {3}) -> {r0}", [ROWS8, "16x8xi8", "8xf32", "4xf32"], ["4x8xi32"]),
    ("fact.normalize_heads %0 heads = 2 : {0} -> {r0}, {r1}", ["4x16xi32"], [ROWS8, SCALES]),
    ("fact.predict %0, %1, %2, %3, %4, %5, %6 heads = 2 scale = 0.5 : ({0}, {1}, {2}, {3}, {4}, {5}, {6}) -> ({r0}, {r1})",
     [ROWS8, SCALES, ROWS8, SCALES, "4xf32", "f32", "f32"], ["2x4x4xf32", SCALES]),
    ("fact.select leading_one %0, %1 keep = 205 dominance = 3.0 : {0}, {1} -> {r0}, {r1}, {r2}, {r3}",
     ["2x4x4xf32", SCALES], [MASK, HEADROWS, "2x4xi32", "4xi64"]),
    ("fact.select_all %0 heads = 2 : {0} -> {r0}", [ROWS], ["4xi64"]),
    ("fact.k_rows %0, %1 : {0}, {1}", [MASK, HEADROWS], [HEADROWS]),
    ("fact.v_rows %0, %1, %2 : {0}, {1}, {2}", [MASK, HEADROWS, "2x4xi32"], [HEADROWS]),
    ("fact.mean_token %0 : {0} -> {r0}", [ROWS], ["1x16xf32"]),
    ("fact.select_precision %0 importance = 256 : {0} -> {r0}", ["4xi64"], ["4xi1"]),
    ("fact.quantized_attention %0, %1, %2, %3, %4, %5 mask %6 dominated %7, %8 tail %9, %10, %11, %12 heads = 2 scale = 0.5 : "
     "({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10}, {11}, {12}) -> {r0}",
     [ROWS8, SCALES, ROWS8, SCALES, ROWS8, SCALES, MASK, HEADROWS, "2x4xi32", "1x16xi8", "2x1xf32", "1x16xi8", "2x1xf32"], [ROWS]),
]
# A dimension that nothing else in the op repeats: what may change alone, by position (operand, then result).
FREE = {
    ("fact.select_all", 0, 1),  # features of the rows that only give the length
    ("fact.norm", 0, 0),  # the result has the input's type
    ("fact.mean_token", 0, 0),  # any number of tokens becomes one
}


def other(types, position, dim):
    sizes = types[position].split("x")
    sizes[dim] = str(int(sizes[dim]) + 1)
    return types[:position] + ["x".join(sizes)] + types[position + 1:]


def write(name, text, operands, results):
    types = ["tensor<%s>" % t for t in operands]
    count = len(set(re.findall(r"%(\d+)", text)))
    arguments = ", ".join("%%%s: %s" % ("a%d" % i, types[min(i, len(types) - 1)]) for i in range(count))
    body = re.sub(r"%(\d+)", r"%a\1", text)
    for i, t in enumerate(types):
        body = body.replace("{%d}" % i, t)
    for i, t in enumerate(results):
        body = body.replace("{r%d}" % i, "tensor<%s>" % t)
    names = ", ".join("%%r%d" % i for i in range(len(results)))
    return "func.func @%s(%s) {\n  %s = %s\n  return\n}\n" % (name, arguments, names, body)


cases = []  # (description, text, must be refused)
for text, operands, results in OPS:
    op = text.split()[0]
    cases.append((op, write("f", text, operands, results), False))
    types = operands + results
    implied = "{r0}" not in text  # the result's type is an operand's
    for position in range(len(operands) if implied else len(types)):
        for dim in range(types[position].count("x")):
            if (op, position, dim) in FREE or (implied and len(operands) == 1):
                continue
            changed = other(types, position, dim)
            cases.append(("%s, type %d, dimension %d" % (op, position, dim),
                          write("f", text, changed[:len(operands)], changed[len(operands):]), True))

lines, starts = [], []
for _, text, _ in cases:
    starts.append(len(lines) + 1)
    lines += text.split("\n") + ["// -----"]
with open(sys.argv[2], "w") as file:
    file.write("\n".join(lines[:-1]))
run = subprocess.run([sys.argv[1], sys.argv[2], "--split-input-file"], capture_output=True, text=True)
refused = {int(m[1]) for m in re.finditer(r":(\d+):\d+: error: ", run.stderr)}
wrong = []
for (what, text, must), start in zip(cases, starts):
    found = any(start <= line < start + text.count("\n") for line in refused)
    if found != must:
        wrong.append("%s: %s" % (what, "refused" if found else "accepted"))
print("\n".join(wrong + ["%d shapes, %d wrong" % (len(cases), len(wrong))]))
sys.exit(bool(wrong) or len(cases) < 100)
