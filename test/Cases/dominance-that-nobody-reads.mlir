// An attention that takes no dominated rows reads every row, also where its select
// would have found dominated ones.
// RUN: %python %S/Inputs/all_sides.py %s 6x4 --preset=dense

func.func @main(%a: tensor<6x4xf32>) -> tensor<6x4xf32> {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %b2 = arith.constant dense<0.25> : tensor<4xf32>
  %b = arith.constant dense<0.5> : tensor<4xf32>
  %q, %e = fact.quantize_rows %a : (tensor<6x4xf32>) -> (tensor<6x4xi8>, tensor<6xf32>)
  %xc = fact.encode leading_one activation %q : tensor<6x4xi8>
  %p, %s = fact.quantize_predictor_weight %w : tensor<4x4xf32> -> tensor<4x4xi8>, tensor<f32>
  %pc = fact.encode leading_one weight %p : tensor<4x4xi8>
  %h = fact.log_matmul %xc, %pc : (tensor<6x4xi8>, tensor<4x4xi8>) -> tensor<6x4xi32>
  %n, %ns = fact.normalize_heads %h heads = 2 : tensor<6x4xi32> -> tensor<6x4xi8>, tensor<2x6xf32>
  %nq = fact.encode leading_one query %n : tensor<6x4xi8>
  %nk = fact.encode leading_one key %n : tensor<6x4xi8>
  %t, %u = fact.predict %nq, %ns, %nk, %ns, %e, %s, %s heads = 2 scale = 0.5 : (tensor<6x4xi8>, tensor<2x6xf32>, tensor<6x4xi8>, tensor<2x6xf32>, tensor<6xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x6x6xf32>, tensor<2x6xf32>)
  %m, %d, %am, %ct = fact.select leading_one %t, %u keep = 1024 dominance = 0.0001 : tensor<2x6x6xf32>, tensor<2x6xf32> -> tensor<2x6x6xi1>, tensor<2x6xi1>, tensor<2x6xi32>, tensor<6xi64>
  %w8, %ws = fact.quantize_weight %w : tensor<4x4xf32> -> tensor<4x4xi8>, tensor<4xf32>
  %k = fact.quantized_linear %q, %e, %w8, %ws bias %b2 : (tensor<6x4xi8>, tensor<6xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<4xf32>) -> tensor<6x4xf32>
  %qq = fact.quantized_linear %q, %e, %w8, %ws : (tensor<6x4xi8>, tensor<6xf32>, tensor<4x4xi8>, tensor<4xf32>) -> tensor<6x4xf32>
  %q8, %qs = fact.quantize_heads %qq heads = 2 : (tensor<6x4xf32>) -> (tensor<6x4xi8>, tensor<2x6xf32>)
  %k8, %ks = fact.quantize_heads %k heads = 2 : (tensor<6x4xf32>) -> (tensor<6x4xi8>, tensor<2x6xf32>)
  %vv = fact.quantized_linear %q, %e, %w8, %ws bias %b : (tensor<6x4xi8>, tensor<6xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<4xf32>) -> tensor<6x4xf32>
  %v8, %vs = fact.quantize_heads %vv heads = 2 : (tensor<6x4xf32>) -> (tensor<6x4xi8>, tensor<2x6xf32>)
  %y = fact.quantized_attention %q8, %qs, %k8, %ks, %v8, %vs mask %m heads = 2 scale = 0.5 : (tensor<6x4xi8>, tensor<2x6xf32>, tensor<6x4xi8>, tensor<2x6xf32>, tensor<6x4xi8>, tensor<2x6xf32>, tensor<2x6x6xi1>) -> tensor<6x4xf32>
  %o = fact.linear %y, %w : (tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}
