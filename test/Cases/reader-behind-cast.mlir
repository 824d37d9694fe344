// An activation works in place only where nobody else reads its operand, also not
// behind a cast.
// RUN: %python %S/Inputs/all_sides.py %s 8x16

func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %g = arith.constant dense<1.0> : tensor<16xf32>
  %n = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<8x16xf32>, tensor<16xf32>, tensor<16xf32>
  %d = tensor.cast %n : tensor<8x16xf32> to tensor<?x16xf32>
  %r = fact.activation relu %d : tensor<?x16xf32>
  %s = fact.add %r, %d : tensor<?x16xf32>
  %o = tensor.cast %s : tensor<?x16xf32> to tensor<8x16xf32>
  return %o : tensor<8x16xf32>
}
