// A function that returns its argument, behind casts or not, does nothing.
// RUN: %python %S/Inputs/all_sides.py %s 8x16 "x"

func.func private @layer(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %a = tensor.cast %x : tensor<8x16xf32> to tensor<?x16xf32>
  %b = tensor.cast %a : tensor<?x16xf32> to tensor<8x16xf32>
  return %b : tensor<8x16xf32>
}
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %1 = call @layer(%x) : (tensor<8x16xf32>) -> tensor<8x16xf32>
  %2 = call @layer(%1) : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %2 : tensor<8x16xf32>
}
