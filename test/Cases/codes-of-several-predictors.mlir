// Codes that no predictor has together are stored as bytes, leading ones elsewhere in four
// bits; of heads of an odd number of features each has whole bytes.
// RUN: %python %S/Inputs/all_sides.py %s 9x6
// RUN: fact-opt %s --canonicalize --fact-to-factisa=resident=false | FileCheck %s
// RUN: fact-opt %s --canonicalize --fact-to-factisa="resident=false schedule=in-order" | FileCheck %s

// Leading ones on all sides.
// CHECK-DAG: factisa.ep.project {{.*}} n=3, {{.*}} w_stride=2, predictor=leading_one
// CHECK-DAG: factisa.ep.normalize {{.*}} n=3, code_stride=2, {{.*}} predictor=leading_one, operand=query
// CHECK-DAG: factisa.ep.normalize {{.*}} n=3, code_stride=2, {{.*}} predictor=leading_one, operand=key
// CHECK-DAG: factisa.ep.score {{.*}} n=3, {{.*}} q_stride=2, k_stride=2, predictor=leading_one

// Of queries alone.
// CHECK-DAG: factisa.ep.score {{.*}} n=3, {{.*}} q_stride=2, k_stride=3, predictor=one_sided

// Of keys alone: no predictor. They are bytes.
// CHECK-DAG: factisa.ep.encode {{.*}} n=6, code_stride=6, {{.*}} predictor=leading_one, operand=query, unpacked
// CHECK-DAG: factisa.ep.score {{.*}} n=3, {{.*}} q_stride=3, k_stride=3, predictor=leading_two

// Of rows, not of weights: no predictor, either.
// CHECK-DAG: factisa.ep.project {{.*}} n=3, {{.*}} w_stride=6, predictor=exact

func.func @main(%x: tensor<?x6xf32> {fact.bound = 12 : i64}) -> tensor<?x6xf32> {
  %ws = arith.constant dense<0.25> : tensor<f32>
  %a8 = arith.constant dense<[[3, -5, 100, 7, 0, 1], [119, 2, -64, 1, -9, 33], [0, 11, 12, -119, 8, -2], [5, 4, 3, 2, 1, -77], [-31, 63, 6, 0, 90, 14], [1, -1, 2, -2, 45, 18]]> : tensor<6x6xi8>
  %b8 = arith.constant dense<[[-7, 19, 0, 81, 4, 2], [60, -3, 5, 1, 127, -40], [2, 2, -90, 13, 6, 0], [0, -1, 44, -8, 25, 9], [71, 3, -2, 10, 0, -5], [12, 66, 1, -20, 3, 50]]> : tensor<6x6xi8>
  %x8, %xs = fact.quantize_rows %x : (tensor<?x6xf32>) -> (tensor<?x6xi8>, tensor<?xf32>)
  %xc = fact.encode leading_one activation %x8 : tensor<?x6xi8>
  %ac = fact.encode leading_one weight %a8 : tensor<6x6xi8>
  %bc = fact.encode leading_one weight %b8 : tensor<6x6xi8>
  %qh = fact.log_matmul %xc, %ac : (tensor<?x6xi8>, tensor<6x6xi8>) -> tensor<?x6xi32>
  %q, %qs = fact.normalize_heads %qh heads = 2 : tensor<?x6xi32> -> tensor<?x6xi8>, tensor<2x?xf32>
  %kh = fact.log_matmul %xc, %bc : (tensor<?x6xi8>, tensor<6x6xi8>) -> tensor<?x6xi32>
  %k, %ks = fact.normalize_heads %kh heads = 2 : tensor<?x6xi32> -> tensor<?x6xi8>, tensor<2x?xf32>
  %rh = fact.log_matmul %xc, %a8 : (tensor<?x6xi8>, tensor<6x6xi8>) -> tensor<?x6xi32>
  %r, %rs = fact.normalize_heads %rh heads = 2 : tensor<?x6xi32> -> tensor<?x6xi8>, tensor<2x?xf32>
  %qc = fact.encode leading_one query %q : tensor<?x6xi8>
  %kc = fact.encode leading_one key %k : tensor<?x6xi8>
  %q2 = fact.encode leading_two query %q : tensor<?x6xi8>
  %kb = fact.encode one_sided query %k : tensor<?x6xi8>
  %v, %vs = fact.quantize_heads %x heads = 2 : (tensor<?x6xf32>) -> (tensor<?x6xi8>, tensor<2x?xf32>)
  %t0, %u0 = fact.predict %qc, %qs, %kc, %ks, %xs, %ws, %ws heads = 2 scale = 0.5
    : (tensor<?x6xi8>, tensor<2x?xf32>, tensor<?x6xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %m0, %d0, %g0, %c0 = fact.select leading_one %t0, %u0 keep = 300 dominance = 0.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %y0 = fact.quantized_attention %v, %vs, %v, %vs, %v, %vs mask %m0 heads = 2 scale = 0.5
    : (tensor<?x6xi8>, tensor<2x?xf32>, tensor<?x6xi8>, tensor<2x?xf32>, tensor<?x6xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x6xf32>
  %t1, %u1 = fact.predict %qc, %qs, %r, %rs, %xs, %ws, %ws heads = 2 scale = 0.5
    : (tensor<?x6xi8>, tensor<2x?xf32>, tensor<?x6xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %m1, %d1, %g1, %c1 = fact.select leading_one %t1, %u1 keep = 300 dominance = 0.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %y1 = fact.quantized_attention %v, %vs, %v, %vs, %v, %vs mask %m1 heads = 2 scale = 0.5
    : (tensor<?x6xi8>, tensor<2x?xf32>, tensor<?x6xi8>, tensor<2x?xf32>, tensor<?x6xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x6xf32>
  %t2, %u2 = fact.predict %q2, %qs, %kb, %ks, %xs, %ws, %ws heads = 2 scale = 0.5
    : (tensor<?x6xi8>, tensor<2x?xf32>, tensor<?x6xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %m2, %d2, %g2, %c2 = fact.select leading_one %t2, %u2 keep = 300 dominance = 0.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %y2 = fact.quantized_attention %v, %vs, %v, %vs, %v, %vs mask %m2 heads = 2 scale = 0.5
    : (tensor<?x6xi8>, tensor<2x?xf32>, tensor<?x6xi8>, tensor<2x?xf32>, tensor<?x6xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x6xf32>
  %z0 = fact.add %y0, %y1 : tensor<?x6xf32>
  %z1 = fact.add %z0, %y2 : tensor<?x6xf32>
  return %z1 : tensor<?x6xf32>
}
