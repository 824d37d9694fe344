"""A function of a batch that adds to each sequence what 60 sums, each of a value and itself, make of a constant."""
ROWS, BATCH = "tensor<3x8xf32>", "tensor<3x4x8xf32>"

print(f"func.func @main(%x: {BATCH}) -> {BATCH} {{")
print(f"  %init = tensor.empty() : {ROWS}")
print("  %zero = arith.constant 0.0 : f32")
print(f"  %v0 = linalg.fill ins(%zero : f32) outs(%init : {ROWS}) -> {ROWS}")
for n in range(60):
    print(f"  %v{n + 1} = linalg.add ins(%v{n}, %v{n} : {ROWS}, {ROWS}) outs(%init : {ROWS}) -> {ROWS}")
print(f"  %all = tensor.empty() : {BATCH}")
print(f"  %b = linalg.broadcast ins(%v60 : {ROWS}) outs(%all : {BATCH}) dimensions = [1]")
print(f"  %y = linalg.add ins(%x, %b : {BATCH}, {BATCH}) outs(%all : {BATCH}) -> {BATCH}")
print(f"  return %y : {BATCH}")
print("}")
