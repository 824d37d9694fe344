// An input of one row is no sequence of its own.
// RUN: %python %S/Inputs/all_sides.py %s 7x4,1x4

func.func @main(%x: tensor<?x4xf32> {fact.bound = 12 : i64}, %z: tensor<1x4xf32>) -> (tensor<?x4xf32>, // output
  tensor<1x4xf32>) { // output
  %m = fact.mean_token %x : tensor<?x4xf32> -> tensor<1x4xf32>
  %y = fact.add %m, %z : tensor<1x4xf32>
  %r = fact.activation swish %x : tensor<?x4xf32>
  return %r, %y : tensor<?x4xf32>, tensor<1x4xf32>
}
