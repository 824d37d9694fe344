// Rows of arguments and results that are fixed beside an open sequence; a cast counts all the same.
// CHECK-LABEL: func.func @apart(%{{.*}}: tensor<?x4xf32>, %{{.*}}: tensor<5x4xf32>) -> (tensor<?x4xf32>, tensor<5x4xf32>, tensor<3x4xf32>)
func.func @apart(%x: tensor<?x4xf32>, %z: tensor<5x4xf32>) -> (tensor<?x4xf32>, tensor<5x4xf32>, tensor<3x4xf32>) {
  %y = fact.activation relu %x : tensor<?x4xf32>
  %w = fact.activation relu %z : tensor<5x4xf32>
  %k = arith.constant dense<1.0> : tensor<3x4xf32>
  return %y, %w, %k : tensor<?x4xf32>, tensor<5x4xf32>, tensor<3x4xf32>
}
// CHECK-LABEL: func.func @cast(%{{.*}}: tensor<8x4xf32>)
func.func @cast(%x: tensor<?x4xf32>) -> tensor<8x4xf32> {
  %c = tensor.cast %x : tensor<?x4xf32> to tensor<8x4xf32>
  return %c : tensor<8x4xf32>
}
