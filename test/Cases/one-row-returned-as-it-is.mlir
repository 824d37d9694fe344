// One row that is an input, a constant or a mean token, returned once or twice, is copied as one row.
// RUN: %python %S/Inputs/all_sides.py %s 9x4,1x4

func.func @main(%x: tensor<9x4xf32>, %z: tensor<1x4xf32>) -> (tensor<9x4xf32>, // output
  tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<?x4xf32>) { // output // output
  // output // output
  %k = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  %r = fact.activation relu %x : tensor<9x4xf32>
  %m = fact.mean_token %x : tensor<9x4xf32> -> tensor<1x4xf32>
  %o = tensor.cast %m : tensor<1x4xf32> to tensor<?x4xf32>
  return %r, %z, %k, %m, %o : tensor<9x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<?x4xf32>
}
