# Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
"""A selection whose scores are unlike those of models, a kind for each head.

usage: select_scores.py LENGTH KEEP [WINDOW]

Prints the IR and writes its inputs to q.npy, qs.npy, k.npy, ks.npy: queries have one code that is not 0,
keys too, so that scores of a row are the keys' scales, times a power of two or minus that.
"""
import sys

import numpy as np

length, keep = int(sys.argv[1]), sys.argv[2]
window = sys.argv[3] if len(sys.argv) > 3 else ""
random = np.random.default_rng(length)
n = length
kinds = np.stack([
    np.zeros(n),
    np.ones(n),
    np.where(random.random(n) < 0.5, 0.0, -0.0),
    random.integers(-2, 3, n),
    np.rint(random.standard_normal(n) * 30),
    random.standard_normal(n) * 1e-41,  # denormals
    random.standard_normal(n) * 2.0 ** random.integers(-120, 40, n),
    np.where(random.random(n) < 0.9, 1.0, random.standard_normal(n) * 1e14),
    np.sort(random.standard_normal(n)),
    1 + random.integers(0, 4, n) * 2.0**-23,  # neighbours
    np.where(random.random(n) < 0.5, 1e15, -1e15),
    np.clip(random.standard_t(1, n), -1e15, 1e15),
]).astype(np.float32)
heads, size = len(kinds), 4
query, key = np.zeros((n, heads * size), np.int8), np.zeros((n, heads * size), np.int8)
query[:, ::size] = random.choice([-64, -2, -1, 1, 2, 64], (n, heads))
key[:, ::size] = 1
np.save("q.npy", query)
np.save("k.npy", key)
np.save("qs.npy", np.full((heads, n), 0.5, np.float32))
np.save("ks.npy", kinds)
rows, scales, scores = f"tensor<?x{heads * size}xi8>", f"tensor<{heads}x?xf32>", f"tensor<{heads}x?x?xf32>"
results = f"tensor<{heads}x?x?xi1>, tensor<{heads}x?xi1>, tensor<{heads}x?xi32>, tensor<?xi64>"
print(f"""func.func @main(%q: {rows} {{fact.bound = {n} : i64}}, %qs: {scales}, %k: {rows} {{fact.bound = {n} : i64}}, %ks: {scales}) -> ({results}) {{
  %t, %u = fact.predict %q, %qs, %k, %ks heads = {heads} scale = 0.5 : ({rows}, {scales}, {rows}, {scales}) -> ({scores}, {scales})
  %m, %d, %a, %c = fact.select leading_one %t, %u keep = {keep} dominance = 2.0 {window} : {scores}, {scales} -> {results}
  return %m, %d, %a, %c : {results}
}}""")
