func.func private @layer(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %w = arith.constant dense<0.5> : tensor<6x6xf32>
  %q = fact.linear %x, %w : (tensor<4x6xf32>, tensor<6x6xf32>) -> tensor<4x6xf32>
  %c = fact.attention %q, %q, %x heads = 2 scale = 0.5 : tensor<4x6xf32>
  %y = fact.add %x, %c : tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}
func.func @main(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %1 = call @layer(%x) : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %2 = call @layer(%1) : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %3 = call @layer(%2) : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %4 = fact.add %3, %x : tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}
