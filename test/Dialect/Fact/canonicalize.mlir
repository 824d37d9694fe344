// Operands that a select's attributes make irrelevant go.
// RUN: fact-opt %s --canonicalize | FileCheck %s

!x8 = tensor<?x16xi8>
!hs = tensor<2x?xf32>
!hr = tensor<2x?xi1>
!mask = tensor<2x?x?xi1>

// Without dominance no row is dominated: V is read where K is, all of Q is.
// CHECK-LABEL: func.func @no_dominance(
// CHECK:         %[[MASK:.*]], %[[DOMINATED:.*]], %{{.*}}, %{{.*}} = fact.select
// CHECK-DAG:     %[[RK:.*]] = fact.k_rows %[[MASK]], %[[DOMINATED]]
// CHECK-NOT:     fact.v_rows
// CHECK-NOT:     fact.q_rows
// CHECK:         fact.quantized_linear %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} : (
// CHECK:         %[[Q8:.*]], %[[QS:.*]] = fact.quantize_heads %{{[^ ]*}} heads = 2
// CHECK:         %[[V8:.*]], %[[VS:.*]] = fact.quantize_heads %{{[^ ]*}} rows %[[RK]] heads = 2
// CHECK:         fact.quantized_attention %[[Q8]], %[[QS]], %[[V8]], %[[VS]], %[[V8]], %[[VS]] mask %[[MASK]] tail
func.func @no_dominance(%t: tensor<2x?x?xf32>, %u: !hs, %x8: !x8, %xs: tensor<?xf32>, %w: tensor<16x16xi8>, %ws: tensor<16xf32>,
                        %m8: tensor<1x16xi8>, %ms: tensor<2x1xf32>) -> tensor<?x16xf32> {
  %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 205 dominance = 0.0
    : tensor<2x?x?xf32>, !hs -> !mask, !hr, tensor<2x?xi32>, tensor<?xi64>
  %rq = fact.q_rows %dominated : !hr
  %rv = fact.v_rows %mask, %dominated, %argmax : !mask, !hr, tensor<2x?xi32>
  %q = fact.quantized_linear %x8, %xs, %w, %ws rows %rq : (!x8, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, !hr) -> tensor<?x16xf32>
  %q8, %qs = fact.quantize_heads %q rows %rq heads = 2 : (tensor<?x16xf32>, !hr) -> (!x8, !hs)
  %v8, %vs = fact.quantize_heads %q rows %rv heads = 2 : (tensor<?x16xf32>, !hr) -> (!x8, !hs)
  %c = fact.quantized_attention %q8, %qs, %v8, %vs, %v8, %vs mask %mask dominated %dominated, %argmax tail %m8, %ms, %m8, %ms heads = 2 scale = 0.25
    : (!x8, !hs, !x8, !hs, !x8, !hs, !mask, !hr, tensor<2x?xi32>, tensor<1x16xi8>, tensor<2x1xf32>, tensor<1x16xi8>, tensor<2x1xf32>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// A select that keeps every key drops none: there is no tail, but dominated rows.
// CHECK-LABEL: func.func @keep_all(
// CHECK:         fact.quantized_attention {{.*}} mask %{{.*}} dominated %{{[^ ]*}}, %{{[^ ]*}} heads = 2
func.func @keep_all(%t: tensor<2x?x?xf32>, %u: !hs, %q8: !x8, %qs: !hs, %m8: tensor<1x16xi8>, %ms: tensor<2x1xf32>) -> tensor<?x16xf32> {
  %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 1024 dominance = 3.0
    : tensor<2x?x?xf32>, !hs -> !mask, !hr, tensor<2x?xi32>, tensor<?xi64>
  %c = fact.quantized_attention %q8, %qs, %q8, %qs, %q8, %qs mask %mask dominated %dominated, %argmax tail %m8, %ms, %m8, %ms heads = 2 scale = 0.25
    : (!x8, !hs, !x8, !hs, !x8, !hs, !mask, !hr, tensor<2x?xi32>, tensor<1x16xi8>, tensor<2x1xf32>, tensor<1x16xi8>, tensor<2x1xf32>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// A policy that prunes keeps everything, and so does a mask of unknown origin.
// CHECK-LABEL: func.func @pruned(
// CHECK:         fact.quantized_attention {{.*}} mask %{{.*}} dominated %{{[^ ]*}}, %{{[^ ]*}} tail
// CHECK:         fact.quantized_attention {{.*}} mask %{{.*}} dominated %{{[^ ]*}}, %{{[^ ]*}} tail
func.func @pruned(%t: tensor<2x?x?xf32>, %u: !hs, %q8: !x8, %qs: !hs, %m8: tensor<1x16xi8>, %ms: tensor<2x1xf32>,
                  %m: !mask, %d: !hr, %a: tensor<2x?xi32>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 1023 dominance = 3.0
    : tensor<2x?x?xf32>, !hs -> !mask, !hr, tensor<2x?xi32>, tensor<?xi64>
  %c = fact.quantized_attention %q8, %qs, %q8, %qs, %q8, %qs mask %mask dominated %dominated, %argmax tail %m8, %ms, %m8, %ms heads = 2 scale = 0.25
    : (!x8, !hs, !x8, !hs, !x8, !hs, !mask, !hr, tensor<2x?xi32>, tensor<1x16xi8>, tensor<2x1xf32>, tensor<1x16xi8>, tensor<2x1xf32>) -> tensor<?x16xf32>
  %c2 = fact.quantized_attention %q8, %qs, %q8, %qs, %q8, %qs mask %m dominated %d, %a tail %m8, %ms, %m8, %ms heads = 2 scale = 0.25
    : (!x8, !hs, !x8, !hs, !x8, !hs, !mask, !hr, tensor<2x?xi32>, tensor<1x16xi8>, tensor<2x1xf32>, tensor<1x16xi8>, tensor<2x1xf32>) -> tensor<?x16xf32>
  return %c, %c2 : tensor<?x16xf32>, tensor<?x16xf32>
}

// Numbers of the policy that are known are literals; one that is out of range stays
// where it is reported.
// CHECK-LABEL: func.func @numbers(
// CHECK:         %[[WRONG:.*]] = arith.constant dense<1025> : tensor<i32>
// CHECK:         fact.select leading_one %{{.*}}, %{{.*}} keep = 51 dominance = 2.500000e+00 :
// CHECK:         fact.select_precision %{{.*}} importance = 512 :
// CHECK:         fact.select leading_one %{{.*}}, %{{.*}} keep = %[[WRONG]] dominance = 3.000000e+00 :
func.func @numbers(%t: tensor<2x?x?xf32>, %u: !hs) -> (!mask, tensor<?xi1>, !mask) {
  %keep = arith.constant dense<51> : tensor<i32>
  %gap = arith.constant dense<2.5> : tensor<f32>
  %importance = arith.constant dense<512> : tensor<i32>
  %wrong = arith.constant dense<1025> : tensor<i32>
  %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = %keep dominance = %gap
    : tensor<2x?x?xf32>, !hs -> !mask, !hr, tensor<2x?xi32>, tensor<?xi64>
  %low = fact.select_precision %count importance = %importance : tensor<?xi64> -> tensor<?xi1>
  %m2, %d2, %a2, %c2 = fact.select leading_one %t, %u keep = %wrong dominance = 3.0
    : tensor<2x?x?xf32>, !hs -> !mask, !hr, tensor<2x?xi32>, tensor<?xi64>
  return %mask, %low, %m2 : !mask, tensor<?xi1>, !mask
}
