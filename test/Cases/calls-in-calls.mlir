// Functions that call functions, with several results, one of which nobody reads.
// RUN: %python %S/Inputs/all_sides.py %s 8x16

func.func private @pair(%a: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>) {
  %r = fact.activation relu %a : tensor<8x16xf32>
  %y = fact.add %r, %a : tensor<8x16xf32>
  return %a, %y, %r : tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>
}
func.func private @outer(%a: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %p:3 = call @pair(%a) : (tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>)
  %q:3 = call @pair(%p#1) : (tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x16xf32>)
  %y = fact.add %p#0, %q#2 : tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %1 = call @outer(%x) : (tensor<8x16xf32>) -> tensor<8x16xf32>
  %2 = call @outer(%1) : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %2 : tensor<8x16xf32>
}
