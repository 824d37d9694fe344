// What is lowered before a call makes no INT4 rows for what comes after it.
// RUN: %python %S/Inputs/all_sides.py %s 8x6 --preset=fast --tail=none --dominance=0 --importance=1 | FileCheck %s
// RUN: %python %S/Inputs/all_sides.py %s 3x6 --preset=fast | FileCheck %s
// CHECK: same bits: y0
func.func private @layer(%x: tensor<?x6xf32>, %w: tensor<6x6xf32>, %wk: tensor<6x6xf32>) -> tensor<?x6xf32> {
  %q = fact.linear %x, %w : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %k = fact.linear %x, %wk : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %v = fact.linear %x, %wk : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %a = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 : tensor<?x6xf32>
  %z = fact.linear %a, %wk : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %y = fact.add %z, %x : tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}
func.func @main(%x: tensor<?x6xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x6xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[-0.811, 0.752, 0.253, 0.896, -0.345, -1.482], [-0.11, -0.446, 0.775, 0.194, -1.631, -1.195], [0.884, 0.68, -0.64, -0.001, 0.446, 0.468], [0.876, 0.256, -0.095, -0.259, 1.056, -2.251], [-0.139, 0.033, -1.425, 0.333, -0.651, 0.862], [-0.126, 0.669, 1.219, 0.383, -0.876, -1.514]]> : tensor<6x6xf32>
  %wk = arith.constant dense<[[1.753, -0.111, -0.689, 0.144, -0.191, 0.852], [0.034, 0.014, -0.715, 0.47, -1.034, 0.666], [1.524, -1.525, -2.466, 0.617, 2.548, -1.001], [-1.251, 0.589, -0.841, -0.506, -0.348, 0.532], [-0.405, 0.278, -0.177, -0.845, -0.32, -0.95], [0.007, -1.124, -1.093, 1.457, -0.053, -0.054]]> : tensor<6x6xf32>
  %w1 = arith.constant dense<[[0.512, -0.421, -0.229, 0.425, 0.282, -1.159], [0.833, -0.59, -1.056, -0.9, -0.391, 1.627], [-1.176, 0.16, -2.138, -0.002, 0.9, -0.237], [-0.629, 0.232, 0.7, 0.664, 1.972, 0.209], [-0.592, -0.126, -0.072, 0.109, -0.03, 0.174], [-1.671, 0.83, -0.575, -1.173, 0.638, 1.317]]> : tensor<6x6xf32>
  %w2 = arith.constant dense<[[0.493, 0.161, -0.932, 2.872, 0.88, -1.139], [-0.78, 0.087, -1.555, 0.169, -0.459, 1.226], [0.962, -2.711, 0.042, -1.617, 1.11, 0.168], [0.548, -1.065, 1.828, 2.02, -1.065, 0.373], [-0.673, -0.024, -1.266, 1.867, -0.969, -0.296], [0.501, -0.648, -0.239, -0.564, -0.133, -1.171]]> : tensor<6x6xf32>
  %w3 = arith.constant dense<[[-0.438, -0.207, -0.334, 0.057, -0.293, 0.753], [-0.323, -0.137, -0.665, -0.527, -1.264, 0.519], [-1.143, -0.746, 0.359, 0.403, -0.4, -2.019], [0.421, 0.26, -1.412, 0.77, -0.701, -1.126], [0.096, -0.178, 0.203, -1.606, 1.812, -0.603], [-1.54, 0.619, -0.355, 0.325, -0.34, -0.06]]> : tensor<6x6xf32>
  %p = fact.linear %x, %w1 : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %l1 = func.call @layer(%p, %w, %wk) : (tensor<?x6xf32>, tensor<6x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %l2 = func.call @layer(%l1, %wk, %w) : (tensor<?x6xf32>, tensor<6x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %q = fact.linear %x, %w2 : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %k = fact.linear %x, %w3 : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %v = fact.linear %x, %w1 : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
  %a = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 : tensor<?x6xf32>
  %y = fact.add %a, %l2 : tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}
