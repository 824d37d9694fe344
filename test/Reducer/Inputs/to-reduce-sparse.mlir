func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %w = arith.constant dense<3> : tensor<4x4xi8>
  %ws = arith.constant dense<0.5> : tensor<4xf32>
  %mask = arith.constant dense<true> : tensor<2x4x4xi1>
  %dominated = arith.constant dense<[[true, false, false, true], [false, false, false, false]]> : tensor<2x4xi1>
  %argmax = arith.constant dense<0> : tensor<2x4xi32>
  %x8, %xs = fact.quantize_rows %x : (tensor<4x4xf32>) -> (tensor<4x4xi8>, tensor<4xf32>)
  %q = fact.quantized_linear %x8, %xs, %w, %ws bias %ws
    : (tensor<4x4xi8>, tensor<4xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %q8, %qs = fact.quantize_heads %q heads = 2 : (tensor<4x4xf32>) -> (tensor<4x4xi8>, tensor<2x4xf32>)
  %m = fact.mean_token %x : tensor<4x4xf32> -> tensor<1x4xf32>
  %m8, %ms = fact.quantize_heads %m heads = 2 : (tensor<1x4xf32>) -> (tensor<1x4xi8>, tensor<2x1xf32>)
  %c = fact.quantized_attention %q8, %qs, %q8, %qs, %q8, %qs mask %mask dominated %dominated, %argmax
    tail %m8, %ms, %m8, %ms heads = 2 scale = 0.5
    : (tensor<4x4xi8>, tensor<2x4xf32>, tensor<4x4xi8>, tensor<2x4xf32>, tensor<4x4xi8>, tensor<2x4xf32>, tensor<2x4x4xi1>,
       tensor<2x4xi1>, tensor<2x4xi32>, tensor<1x4xi8>, tensor<2x1xf32>, tensor<1x4xi8>, tensor<2x1xf32>) -> tensor<4x4xf32>
  return %c : tensor<4x4xf32>
}
