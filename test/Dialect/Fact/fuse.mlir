// Demand goes backwards from attention: projections and their quantization take
// the rows that it reads, the policy and what is dead goes.
// RUN: fact-opt %s --fact-quantize --fact-predict --fact-precision --fact-fuse --split-input-file | FileCheck %s

// CHECK: module {
// CHECK-LABEL: func.func @dominance(
// CHECK:         %[[MASK:.*]], %[[DOMINATED:.*]], %[[ARGMAX:.*]], %[[COUNT:.*]] = fact.select
// CHECK-DAG:     %[[RQ:.*]] = fact.q_rows %[[DOMINATED]] : tensor<2x?xi1>
// CHECK-DAG:     %[[RK:.*]] = fact.k_rows %[[MASK]], %[[DOMINATED]] :
// CHECK-DAG:     %[[RV:.*]] = fact.v_rows %[[MASK]], %[[DOMINATED]], %[[ARGMAX]] :
// CHECK-DAG:     %[[Q:.*]] = fact.quantized_linear {{.*}} rows %[[RQ]] :
// CHECK-DAG:     %[[K:.*]] = fact.quantized_linear {{.*}} rows %[[RK]] :
// CHECK-DAG:     %[[V:.*]] = fact.quantized_linear {{.*}} rows %[[RV]] :
// CHECK-DAG:     %[[Q8:.*]], %[[QS:.*]] = fact.quantize_heads %[[Q]] rows %[[RQ]] heads = 2 :
// CHECK-DAG:     %[[K8:.*]], %[[KS:.*]] = fact.quantize_heads %[[K]] rows %[[RK]] heads = 2 :
// CHECK-DAG:     %[[V8:.*]], %[[VS:.*]] = fact.quantize_heads %[[V]] rows %[[RV]] heads = 2 :
// CHECK:         %[[C:.*]] = fact.quantized_attention %[[Q8]], %[[QS]], %[[K8]], %[[KS]], %[[V8]], %[[VS]] mask %[[MASK]] dominated %[[DOMINATED]], %[[ARGMAX]] tail
// CHECK-NOT:     {{ }}rows %
// CHECK:         return
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 3.0, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @dominance(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
  %a = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %q = fact.linear %a, %w bias %g : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %v = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r = fact.add %x, %o : tensor<?x16xf32>
  %t = fact.norm layer %r, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %f1 = fact.linear %t, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  %f = fact.activation gelu %f1 : tensor<?x32xf32>
  %f2 = fact.linear %f, %w2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
  %y = fact.add %r, %f2 : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// Without dominance every row of Q is read, and V's rows are K's.

// CHECK-LABEL: func.func @top_k_only(
// CHECK:         %[[MASK:.*]], %[[DOMINATED:.*]], %{{.*}}, %{{.*}} = fact.select
// CHECK-NOT:     fact.v_rows
// CHECK-NOT:     fact.q_rows
// CHECK:         %[[RK:.*]] = fact.k_rows %[[MASK]], %[[DOMINATED]] :
// CHECK-NOT:     fact.k_rows
// CHECK-COUNT-2: fact.quantize_heads %{{.*}} rows %[[RK]]
// CHECK:         fact.quantized_attention {{.*}} mask %[[MASK]] heads = 2
module attributes {fact.policy = #fact.policy<keep = 205, tail = none, dominance = 0.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @top_k_only(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
  %a = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %q = fact.linear %a, %w bias %g : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %v = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r = fact.add %x, %o : tensor<?x16xf32>
  %t = fact.norm layer %r, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %f1 = fact.linear %t, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  %f = fact.activation gelu %f1 : tensor<?x32xf32>
  %f2 = fact.linear %f, %w2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
  %y = fact.add %r, %f2 : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// Dense: nothing to skip. The policy goes all the same, from functions too.

// CHECK: module {
// CHECK-LABEL: func.func @dense(
// CHECK-NOT:     fact.policy
// CHECK-NOT:     {{ }}rows %
// CHECK:         fact.quantized_attention
module attributes {fact.policy = #fact.policy<keep = 1024, tail = none, dominance = 0.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @dense(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> attributes {fact.policy = #fact.policy<keep = 1024, tail = none, dominance = 0.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = exact>} {
  %a = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %q = fact.linear %a, %w bias %g : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %v = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r = fact.add %x, %o : tensor<?x16xf32>
  %t = fact.norm layer %r, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %f1 = fact.linear %t, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  %f = fact.activation gelu %f1 : tensor<?x32xf32>
  %f2 = fact.linear %f, %w2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
  %y = fact.add %r, %f2 : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// One projection is key and value: it has the rows that either reads.

// CHECK-LABEL: func.func @shared_key_value(
// CHECK:         %[[RV:.*]] = fact.v_rows
// CHECK:         %[[K:.*]] = fact.quantized_linear {{.*}} rows %[[RV]] :
// CHECK:         fact.quantize_heads %[[K]] rows %[[RV]] heads = 2 :
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 3.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @shared_key_value(%a: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w2: tensor<16x16xi8>, %s2: tensor<16xf32>, %wk: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %a8, %as = fact.quantize_rows %a : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %wq8, %wqs = fact.quantize_weight %w : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
  %wk8, %wks = fact.quantize_weight %wk : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
  %q = fact.quantized_linear %a8, %as, %wq8, %wqs : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %k = fact.quantized_linear %a8, %as, %wk8, %wks : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %q8, %qs = fact.quantize_heads %q heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %k8, %ks = fact.quantize_heads %k heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %c = fact.quantized_attention %q8, %qs, %k8, %ks, %k8, %ks heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
}
