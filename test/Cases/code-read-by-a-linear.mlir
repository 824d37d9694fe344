// A code is a value like any other: a linear layer or the scores may read it.
// RUN: %python %S/Inputs/all_sides.py %s 9x4

func.func @main(%x: tensor<?x4xf32> {fact.bound = 12 : i64}) -> tensor<?x4xf32> {
  %w = arith.constant dense<[[1.0, -0.5, 0.25, 2.0], [0.5, 1.0, -1.0, 0.25], [0.125, -2.0, 1.0, 0.5], [1.0, 0.5, 0.25, -1.0]]> : tensor<4x4xf32>
  %x8, %xs = fact.quantize_rows %x : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?xf32>)
  %w8, %ws = fact.quantize_predictor_weight %w : tensor<4x4xf32> -> tensor<4x4xi8>, tensor<f32>
  %wc = fact.encode one_sided weight %w8 : tensor<4x4xi8>
  %v8 = arith.constant dense<[[3, -5, 100, 7], [119, 2, -64, 1], [0, 11, 12, -119], [5, 4, 3, 2]]> : tensor<4x4xi8>
  %vs = arith.constant dense<[0.5, 0.25, 1.0, 2.0]> : tensor<4xf32>
  %xc = fact.encode leading_two activation %x8 : tensor<?x4xi8>
  %l = fact.quantized_linear %xc, %xs, %v8, %vs : (tensor<?x4xi8>, tensor<?xf32>, tensor<4x4xi8>, tensor<4xf32>) -> tensor<?x4xf32>
  %h = fact.log_matmul %xc, %wc : (tensor<?x4xi8>, tensor<4x4xi8>) -> tensor<?x4xi32>
  %n, %ns = fact.normalize_heads %h heads = 1 : tensor<?x4xi32> -> tensor<?x4xi8>, tensor<1x?xf32>
  %qc = fact.encode leading_one query %x8 : tensor<?x4xi8>
  %t, %u = fact.predict %qc, %ns, %n, %ns, %xs, %ws, %ws heads = 1 scale = 0.5
    : (tensor<?x4xi8>, tensor<1x?xf32>, tensor<?x4xi8>, tensor<1x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<1x?x?xf32>, tensor<1x?xf32>)
  %m, %d, %a, %c = fact.select exact %t, %u keep = 300 dominance = 0.0
    : tensor<1x?x?xf32>, tensor<1x?xf32> -> tensor<1x?x?xi1>, tensor<1x?xi1>, tensor<1x?xi32>, tensor<?xi64>
  %q, %s = fact.quantize_heads %l heads = 1 : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<1x?xf32>)
  %y = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 1 scale = 0.5
    : (tensor<?x4xi8>, tensor<1x?xf32>, tensor<?x4xi8>, tensor<1x?xf32>, tensor<?x4xi8>, tensor<1x?xf32>, tensor<1x?x?xi1>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
