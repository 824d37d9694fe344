// One weight of heads and of all columns has no tiles that are right for both.
// RUN: %python %S/Inputs/all_sides.py %s 8x4 --preset=fast --tail=none --dominance=0 --importance=1 | FileCheck %s
// RUN: %python %S/Inputs/all_sides.py %s 3x4 --preset=fast | FileCheck %s
// CHECK: same bits: y0
func.func @main(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %wk = arith.constant dense<[[0.3, 0.25, -0.1, 0.7], [-1.0, 0.3, 0.9, 0.2], [0.4, 0.6, 0.8, 1.0], [0.15, 0.35, 0.55, -0.75]]> : tensor<4x4xf32>
  %q = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %a = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  %y = fact.linear %a, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
