// A function of rows, called with the one row of a mean token of an open type.
// RUN: %python %S/Inputs/all_sides.py %s 9x4

func.func @main(%x: tensor<9x4xf32>) -> tensor<1x4xf32> {
  %m = fact.mean_token %x : tensor<9x4xf32> -> tensor<1x4xf32>
  %o = tensor.cast %m : tensor<1x4xf32> to tensor<?x4xf32>
  %r = call @f(%o) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %s = tensor.cast %r : tensor<?x4xf32> to tensor<1x4xf32>
  %t = fact.add %s, %s : tensor<1x4xf32>
  return %t : tensor<1x4xf32>
}
func.func private @f(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = fact.add %x, %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
