// What one call returns may be another argument of the next one.
// RUN: %python %S/Inputs/all_sides.py %s 8x16,8x16

func.func private @layer(%a: tensor<8x16xf32>, %b: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %r = fact.activation relu %a : tensor<8x16xf32>
  %y = fact.add %r, %b : tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}
func.func @main(%x: tensor<8x16xf32> {fact.name = "x"}, %z: tensor<8x16xf32> {fact.name = "z"}) -> tensor<8x16xf32> {
  %1 = call @layer(%x, %z) : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  %2 = call @layer(%z, %1) : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  %3 = call @layer(%2, %2) : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}
