// Rows of a constant alone, and an input that nobody reads, fix the one length that a model has.
// RUN: %python %S/Inputs/all_sides.py %s 8x4,8x4

func.func @main(%x: tensor<?x4xf32> {fact.bound = 9 : i64}, %z: tensor<8x4xf32>) -> (tensor<8x4xf32>, // output
  tensor<?x4xf32>) { // output
  %c = arith.constant dense<2.0> : tensor<8x4xf32>
  %r = fact.activation gelu %c : tensor<8x4xf32>
  %y = fact.activation relu %x : tensor<?x4xf32>
  return %r, %y : tensor<8x4xf32>, tensor<?x4xf32>
}
