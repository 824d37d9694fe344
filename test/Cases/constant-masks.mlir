// Masks, dominated rows, argmax, scales and flags may be constants of the model.
// RUN: %python %S/Inputs/all_sides.py %s 3x4

func.func @main(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %m = arith.constant dense<[[[true, false, true], [true, true, false], [false, true, true]], [[true, true, true], [true, false, false], [true, false, true]]]> : tensor<2x3x3xi1>
  %d = arith.constant dense<[[false, true, false], [false, false, true]]> : tensor<2x3xi1>
  %a = arith.constant dense<[[0, 2, 1], [1, 1, 2]]> : tensor<2x3xi32>
  %ks = arith.constant dense<[[0.5, 0.25, 1.0], [0.0625, 0.5, 0.125]]> : tensor<2x3xf32>
  %low = arith.constant dense<[true, false, true]> : tensor<3xi1>
  %rs = arith.constant dense<[0.5, 0.25, 1.0]> : tensor<3xf32>
  %r = fact.k_rows %m, %d : tensor<2x3x3xi1>, tensor<2x3xi1>
  %v = fact.v_rows %m, %d, %a : tensor<2x3x3xi1>, tensor<2x3xi1>, tensor<2x3xi32>
  %n = fact.q_rows %d : tensor<2x3xi1>
  %w8 = arith.constant dense<[[3, -5, 100, 7], [119, 2, -64, 1], [0, 11, 12, -119], [5, 4, 3, 2]]> : tensor<4x4xi8>
  %ws = arith.constant dense<[0.5, 0.25, 1.0, 2.0]> : tensor<4xf32>
  %x8, %xs = fact.quantize_rows %x low %low : (tensor<3x4xf32>, tensor<3xi1>) -> (tensor<3x4xi8>, tensor<3xf32>)
  %l = fact.quantized_linear %x8, %rs, %w8, %ws low %low precision = a4w4 rows %n
    : (tensor<3x4xi8>, tensor<3xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<3xi1>, tensor<2x3xi1>) -> tensor<3x4xf32>
  %q, %qs = fact.quantize_heads %l rows %n heads = 2 : (tensor<3x4xf32>, tensor<2x3xi1>) -> (tensor<3x4xi8>, tensor<2x3xf32>)
  %k, %k0 = fact.quantize_heads %x rows %r heads = 2 : (tensor<3x4xf32>, tensor<2x3xi1>) -> (tensor<3x4xi8>, tensor<2x3xf32>)
  %v8, %vs = fact.quantize_heads %x rows %v heads = 2 : (tensor<3x4xf32>, tensor<2x3xi1>) -> (tensor<3x4xi8>, tensor<2x3xf32>)
  %y = fact.quantized_attention %q, %qs, %k, %ks, %v8, %vs mask %m dominated %d, %a heads = 2 scale = 0.5
    : (tensor<3x4xi8>, tensor<2x3xf32>, tensor<3x4xi8>, tensor<2x3xf32>, tensor<3x4xi8>, tensor<2x3xf32>, tensor<2x3x3xi1>, tensor<2x3xi1>, tensor<2x3xi32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
