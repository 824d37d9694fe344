// One value may be several results: each has memory of its own.
// RUN: %python %S/Inputs/all_sides.py %s 8x16 "x + x"

func.func @main(%x: tensor<8x16xf32>) -> (tensor<8x16xf32> {fact.name = "a"}, // output
    tensor<1x8x16xf32> {fact.name = "b"}, // output
    tensor<8x16xf32> {fact.name = "c"}) { // output
  %y = fact.add %x, %x : tensor<8x16xf32>
  %z = tensor.expand_shape %y [[0, 1], [2]] output_shape [1, 8, 16] : tensor<8x16xf32> into tensor<1x8x16xf32>
  return %y, %z, %y : tensor<8x16xf32>, tensor<1x8x16xf32>, tensor<8x16xf32>
}
