// One product may be shifted for queries and for keys, and one pair of scores be
// selected from twice.
// RUN: %python %S/Inputs/all_sides.py %s 9x4

func.func @main(%x: tensor<?x4xf32> {fact.bound = 12 : i64}) -> tensor<?x4xf32> {
  %w = arith.constant dense<[[1.0, -0.5, 0.25, 2.0], [0.5, 1.0, -1.0, 0.25], [0.125, -2.0, 1.0, 0.5], [1.0, 0.5, 0.25, -1.0]]> : tensor<4x4xf32>
  %x8, %xs = fact.quantize_rows %x : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?xf32>)
  %w8, %ws = fact.quantize_predictor_weight %w : tensor<4x4xf32> -> tensor<4x4xi8>, tensor<f32>
  %wc = fact.encode one_sided weight %w8 : tensor<4x4xi8>
  %h = fact.log_matmul %x8, %wc : (tensor<?x4xi8>, tensor<4x4xi8>) -> tensor<?x4xi32>
  %n, %ns = fact.normalize_heads %h heads = 2 : tensor<?x4xi32> -> tensor<?x4xi8>, tensor<2x?xf32>
  %qc = fact.encode one_sided query %n : tensor<?x4xi8>
  %kc = fact.encode one_sided key %n : tensor<?x4xi8>
  %t, %u = fact.predict %qc, %ns, %kc, %ns, %xs, %ws, %ws heads = 2 scale = 0.5
    : (tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %m0, %d0, %a0, %c0 = fact.select one_sided %t, %u keep = 300 dominance = 0.5
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %m1, %d1, %a1, %c1 = fact.select leading_one %t, %u keep = 700 dominance = 0.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %q, %s = fact.quantize_heads %x heads = 2 : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<2x?xf32>)
  %y0 = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m0 dominated %d0, %a0 heads = 2 scale = 0.5
    : (tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>) -> tensor<?x4xf32>
  %y1 = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m1 heads = 2 scale = 0.5
    : (tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x4xf32>
  // The first selection again, for a third layer.
  %y2 = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m0 heads = 2 scale = 0.25
    : (tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x4xf32>
  %z0 = fact.add %y0, %y1 : tensor<?x4xf32>
  %z1 = fact.add %z0, %y2 : tensor<?x4xf32>
  return %z1 : tensor<?x4xf32>
}
