// A constant may be rows of the sequence, not only a weight.
// RUN: %python %S/Inputs/all_sides.py %s 8x16 "x + np.float32(1)"

func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %c = arith.constant dense<1.0> : tensor<8x16xf32>
  %y = fact.add %x, %c : tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}
