// An empty name is none.
// RUN: %python %S/Inputs/all_sides.py %s 4x4

func.func @main(%x: tensor<4x4xf32> {fact.name = ""}) -> (tensor<4x4xf32> {fact.name = ""}) {
  %y = fact.add %x, %x : tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}
