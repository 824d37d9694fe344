// Constants of one head [1, L] are a row of flags or scales for every token, not one
// row of L features.
// RUN: %python %S/Inputs/all_sides.py %s 9x4

func.func @main(%x: tensor<9x4xf32>) -> tensor<9x4xf32> {
  %m = arith.constant dense<true> : tensor<1x9x9xi1>
  %d = arith.constant dense<[[false, true, false, false, true, false, false, false, true]]> : tensor<1x9xi1>
  %a = arith.constant dense<[[0, 2, 1, 8, 7, 6, 5, 4, 3]]> : tensor<1x9xi32>
  %ks = arith.constant dense<[[0.5, 0.25, 1.0, 0.0625, 0.5, 0.125, 2.0, 4.0, 0.5]]> : tensor<1x9xf32>
  %q, %s = fact.quantize_heads %x heads = 1 : (tensor<9x4xf32>) -> (tensor<9x4xi8>, tensor<1x9xf32>)
  %y = fact.quantized_attention %q, %s, %q, %ks, %q, %ks mask %m dominated %d, %a heads = 1 scale = 0.5
    : (tensor<9x4xi8>, tensor<1x9xf32>, tensor<9x4xi8>, tensor<1x9xf32>, tensor<9x4xi8>, tensor<1x9xf32>, tensor<1x9x9xi1>, tensor<1x9xi1>, tensor<1x9xi32>) -> tensor<9x4xf32>
  return %y : tensor<9x4xf32>
}
