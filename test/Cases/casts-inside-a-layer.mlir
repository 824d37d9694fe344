// Casts between projections, attention and what follows: masks, rows and low tokens get the type of where they count.
// RUN: %python %S/Inputs/all_sides.py %s 8x4 "" --keep=0.3 --importance=1.5 --scope=all

func.func @main(%x: tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<?x4xf32>, tensor<8x4xf32>) { // output // output // output
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [0.5, 0.25, 2.0, 1.0], [-1.0, 1.0, 1.0, 0.0], [2.0, 0.0, 1.0, 1.0]]> : tensor<4x4xf32>
  %o = tensor.cast %x : tensor<8x4xf32> to tensor<?x4xf32>
  // V of another type than Q and K.
  %q = fact.linear %x, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %k = fact.linear %x, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %v = fact.linear %o, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = tensor.cast %v : tensor<?x4xf32> to tensor<8x4xf32>
  %y = fact.attention %q, %k, %c heads = 2 scale = 0.5 : tensor<8x4xf32>
  // All projections of another type than the attention, and Q of another than K.
  %q1 = fact.linear %o, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %q2 = tensor.cast %q1 : tensor<?x4xf32> to tensor<8x4xf32>
  %k1 = fact.linear %x, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %a1 = fact.attention %q2, %k1, %k1 heads = 2 scale = 0.25 : tensor<8x4xf32>
  // What follows of another type than the attention.
  %a2 = tensor.cast %a1 : tensor<8x4xf32> to tensor<?x4xf32>
  %f = fact.linear %a2, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %g = fact.activation gelu %f : tensor<?x4xf32>
  %h = fact.linear %g, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %z = tensor.cast %h : tensor<?x4xf32> to tensor<8x4xf32>
  return %y, %h, %z : tensor<8x4xf32>, tensor<?x4xf32>, tensor<8x4xf32>
}
