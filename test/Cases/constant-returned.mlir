// A constant may be the result, as it is or by a call.
// RUN: %python %S/Inputs/all_sides.py %s 8x16 "np.arange(128, dtype=np.float32).reshape(8, 16) * 0 + 3"

func.func private @same(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  return %x : tensor<8x16xf32>
}
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c = arith.constant dense<3.0> : tensor<8x16xf32>
  %y = call @same(%c) : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}
