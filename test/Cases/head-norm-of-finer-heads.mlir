// Norms and rotary embeddings of more heads than attention has: what is quantized as
// one slice is made in several, and none of them knows the slice's maximum.
// RUN: %python %S/Inputs/all_sides.py %s 6x4 --preset=dense
// RUN: %python %S/Inputs/all_sides.py %s 6x4 --preset=paper --keep=0.5

func.func @main(%x: tensor<6x4xf32>) -> tensor<6x4xf32> {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %gamma = arith.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %one = arith.constant dense<1.5> : tensor<1xf32>
  %cos = arith.constant dense<[[1.0], [0.5], [-0.4], [-1.0], [-0.6], [0.3]]> : tensor<6x1xf32>
  %sin = arith.constant dense<[[0.0], [0.8], [0.9], [0.1], [-0.8], [-0.9]]> : tensor<6x1xf32>
  %q = fact.linear %x, %w : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %k = fact.linear %x, %w : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  %n = fact.norm rms %q, %gamma heads = 2 eps = 1.0e-5 : tensor<6x4xf32>, tensor<2xf32>
  %r = fact.rotate half %k, %cos, %sin heads = 2 : tensor<6x4xf32>, tensor<6x1xf32>
  %c = fact.attention %n, %r, %x heads = 1 scale = 0.5 : tensor<6x4xf32>
  %m = fact.norm rms %c, %one heads = 4 eps = 1.0e-5 : tensor<6x4xf32>, tensor<1xf32>
  %y = fact.linear %m, %w : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  return %y : tensor<6x4xf32>
}
