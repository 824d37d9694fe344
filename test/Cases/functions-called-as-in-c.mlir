// Names of a model's functions are its own affair: they clash with no C library and
// with no function that the CPU back end adds.
// RUN: %python %S/Inputs/all_sides.py %s 4x4

func.func private @memcpy(%x: tensor<4x4xf32>, %g: tensor<4xf32>) -> tensor<4x4xf32> {
  %y = fact.norm layer %x, %g, %g eps = 1.0e-05 : tensor<4x4xf32>, tensor<4xf32>, tensor<4xf32>
  return %y : tensor<4x4xf32>
}
func.func private @__fact_gemm(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %y = fact.linear %x, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}
func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %g = arith.constant dense<1.0> : tensor<4xf32>
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  %0 = call @memcpy(%x, %g) : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %1 = call @__fact_gemm(%0, %w) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}
