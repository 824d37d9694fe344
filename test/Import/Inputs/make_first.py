"""make_first.py MODEL IDS RESULT: attention over the first extent of ids [a, b], which are both open; ids, and what the
model makes of them."""
import sys

import numpy as np
import onnx
from onnx import TensorProto as T, helper, numpy_helper

random = np.random.default_rng(3)
weights = {n: (random.standard_normal(s) * 0.4).astype(np.float32)
           for n, s in {"table": (20, 16), "wq": (16, 16), "wk": (16, 16), "wv": (16, 16)}.items()}
nodes = [helper.make_node("Gather", ["table", "ids"], ["x"], name="embed")]
for n in "qkv":
    nodes.append(helper.make_node("MatMul", ["x", f"w{n}"], [n], name=f"project_{n}"))
    nodes.append(helper.make_node("Transpose", [n], [f"{n}t"], name=f"turn_{n}", perm=[1, 2, 0] if n == "k" else [1, 0, 2]))
nodes += [helper.make_node("MatMul", ["qt", "kt"], ["s"], name="scores"),
          helper.make_node("Softmax", ["s"], ["p"], name="softmax", axis=-1),
          helper.make_node("MatMul", ["p", "vt"], ["c"], name="context"),
          helper.make_node("Transpose", ["c"], ["y"], name="back", perm=[1, 0, 2])]
graph = helper.make_graph(nodes, "first", [helper.make_tensor_value_info("ids", T.INT64, ["a", "b"])],
                          [helper.make_tensor_value_info("y", T.FLOAT, ["a", "b", 16])],
                          [numpy_helper.from_array(w, n) for n, w in weights.items()])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
model.ir_version = 8
onnx.save(model, sys.argv[1])

ids = random.integers(0, 20, (7, 3))
x = weights["table"][ids]
q, k, v = (x @ weights[w] for w in ("wq", "wk", "wv"))
s = np.einsum("itd,jtd->tij", q, k)
p = np.exp(s - s.max(-1, keepdims=True))
p /= p.sum(-1, keepdims=True)
np.save(sys.argv[2], ids)
np.save(sys.argv[3], np.einsum("tij,jtd->itd", p, v).astype(np.float32))
