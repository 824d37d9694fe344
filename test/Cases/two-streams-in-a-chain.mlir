// Calls of one function with two streams of rows are no chain: the second stream
// of a call is its own, not that of the call before.
// RUN: %python %S/Inputs/all_sides.py %s 8x16,8x16 "x + z + np.float32(1)"

func.func private @layer(%a: tensor<8x16xf32>, %b: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %y = fact.add %a, %b : tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}
func.func @main(%x: tensor<8x16xf32> {fact.name = "x"}, %z: tensor<8x16xf32> {fact.name = "z"}) -> tensor<8x16xf32> {
  %c = arith.constant dense<1.0> : tensor<8x16xf32>
  %1 = call @layer(%x, %z) : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  %2 = call @layer(%1, %c) : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return %2 : tensor<8x16xf32>
}
