// RUN: fact-opt %s --fact-predict --split-input-file | FileCheck %s

// The whole of sections 4 to 6: codes, Q's bias, scores, one select, mean token.
// Scale and dominance are float32, the predictor is the policy's.

// CHECK-LABEL: func.func @mean_tail(
// CHECK-SAME:    %[[A:.*]]: tensor<?x16xf32>, %[[WQ:.*]]: tensor<16x16xf32>, %[[WK:.*]]: tensor<16x16xf32>, %[[WV:.*]]: tensor<16x16xf32>, %[[BQ:.*]]: tensor<16xf32>, %[[BK:.*]]: tensor<16xf32>)
// CHECK:         %[[A8:.*]], %[[AS:.*]] = fact.quantize_rows %[[A]] :
// CHECK:         %[[WQ8:.*]], %[[WQS:.*]] = fact.quantize_weight %[[WQ]]
// CHECK:         fact.quantized_linear %[[A8]], %[[AS]], %[[WQ8]], %[[WQS]] bias %[[BQ]] : {{.*}} -> tensor<?x16xf32>
// CHECK:         %[[WK8:.*]], %[[WKS:.*]] = fact.quantize_weight %[[WK]]
// CHECK:         %[[WV8:.*]], %[[WVS:.*]] = fact.quantize_weight %[[WV]]
// CHECK:         %[[AC:.*]] = fact.encode leading_two activation %[[A8]]
// CHECK:         %[[PQ:.*]], %[[PQS:.*]] = fact.quantize_predictor_weight %[[WQ]] : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<f32>
// CHECK:         %[[PQC:.*]] = fact.encode leading_two weight %[[PQ]]
// CHECK:         %[[PB:.*]] = fact.predictor_bias leading_two %[[BQ]], %[[PQS]]
// CHECK:         %[[HQ:.*]] = fact.log_matmul %[[AC]], %[[PQC]] bias %[[PB]] scale %[[AS]]
// CHECK:         %[[NQ:.*]], %[[SQ:.*]] = fact.normalize_heads %[[HQ]] heads = 2
// CHECK:         %[[CQ:.*]] = fact.encode leading_two query %[[NQ]]
// CHECK:         %[[PK:.*]], %[[PKS:.*]] = fact.quantize_predictor_weight %[[WK]]
// CHECK:         %[[PKC:.*]] = fact.encode leading_two weight %[[PK]]
// CHECK-NOT:     fact.predictor_bias
// CHECK:         %[[HK:.*]] = fact.log_matmul %[[AC]], %[[PKC]] : (tensor<?x16xi8>, tensor<16x16xi8>) -> tensor<?x16xi32>
// CHECK:         %[[NK:.*]], %[[SK:.*]] = fact.normalize_heads %[[HK]] heads = 2
// CHECK:         %[[CK:.*]] = fact.encode leading_two key %[[NK]]
// CHECK:         %[[T:.*]], %[[U:.*]] = fact.predict %[[CQ]], %[[SQ]], %[[CK]], %[[SK]], %[[AS]], %[[PQS]], %[[PKS]] heads = 2 scale = 0.353553385
// CHECK:         %[[MASK:.*]], %[[DOMINATED:.*]], %[[ARGMAX:.*]], %{{.*}} = fact.select leading_two %[[T]], %[[U]] keep = 102 dominance = 2.500000e+00 :
// CHECK:         %[[M:.*]] = fact.mean_token %[[A]] : tensor<?x16xf32> -> tensor<1x16xf32>
// CHECK:         %[[M8:.*]], %[[MS:.*]] = fact.quantize_rows %[[M]] : (tensor<1x16xf32>) -> (tensor<1x16xi8>, tensor<1xf32>)
// CHECK:         %[[KB:.*]] = fact.quantized_linear %[[M8]], %[[MS]], %[[WK8]], %[[WKS]] bias %[[BK]] : {{.*}} -> tensor<1x16xf32>
// CHECK:         %[[KB8:.*]], %[[KBS:.*]] = fact.quantize_heads %[[KB]] heads = 2 : (tensor<1x16xf32>) -> (tensor<1x16xi8>, tensor<2x1xf32>)
// CHECK:         %[[VB:.*]] = fact.quantized_linear %[[M8]], %[[MS]], %[[WV8]], %[[WVS]] : {{.*}} -> tensor<1x16xf32>
// CHECK:         %[[VB8:.*]], %[[VBS:.*]] = fact.quantize_heads %[[VB]] heads = 2
// CHECK:         fact.quantized_attention {{.*}} mask %[[MASK]] dominated %[[DOMINATED]], %[[ARGMAX]] tail %[[KB8]], %[[KBS]], %[[VB8]], %[[VBS]] heads = 2 scale = 0.353553385 :
module attributes {fact.policy = #fact.policy<keep = 102, tail = mean, dominance = 2.5, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_two>} {
func.func @mean_tail(%a: tensor<?x16xf32>, %wq: tensor<16x16xf32>, %wk: tensor<16x16xf32>, %wv: tensor<16x16xf32>, %bq: tensor<16xf32>, %bk: tensor<16xf32>) -> tensor<?x16xf32> {
  %a8, %as = fact.quantize_rows %a : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %wq8, %wqs = fact.quantize_weight %wq : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
  %q = fact.quantized_linear %a8, %as, %wq8, %wqs bias %bq : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %wk8, %wks = fact.quantize_weight %wk : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
  %k = fact.quantized_linear %a8, %as, %wk8, %wks bias %bk : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %wv8, %wvs = fact.quantize_weight %wv : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
  %v = fact.quantized_linear %a8, %as, %wv8, %wvs : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %q8, %qs = fact.quantize_heads %q heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %k8, %ks = fact.quantize_heads %k heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %v8, %vs = fact.quantize_heads %v heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %c = fact.quantized_attention %q8, %qs, %k8, %ks, %v8, %vs heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
}

// -----

// Causal attention has no tail, and the select is causal. Without dominance the
// attention reads no dominated rows. The function's policy wins over the module's.

// CHECK-LABEL: func.func @causal(
// CHECK-NOT:     fact.predictor_bias
// CHECK:         %[[MASK:.*]], %{{.*}}, %{{.*}}, %{{.*}} = fact.select one_sided {{.*}} keep = 512 dominance = 0.0{{.*}} causal :
// CHECK-NOT:     fact.mean_token
// CHECK:         fact.quantized_attention {{.*}} mask %[[MASK]] heads = 2 scale = 0.353553385 causal :
module attributes {fact.policy = #fact.policy<keep = 1024, tail = none, dominance = 0.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = exact>} {
func.func @causal(%a: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32>
    attributes {fact.policy = #fact.policy<keep = 512, tail = mean, dominance = 0.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = one_sided>} {
  %a8, %as = fact.quantize_rows %a : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %w8, %ws = fact.quantize_weight %w : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
  %q = fact.quantized_linear %a8, %as, %w8, %ws : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %q8, %qs = fact.quantize_heads %q heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %c = fact.quantized_attention %q8, %qs, %q8, %qs, %q8, %qs heads = 2 scale = 0.353553385 causal
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// The module's own policy predicts nothing.
// CHECK-LABEL: func.func @dense(
// CHECK-NOT:     fact.select
// CHECK:         fact.quantized_attention %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} heads = 2
func.func @dense(%a: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %a8, %as = fact.quantize_rows %a : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %w8, %ws = fact.quantize_weight %w : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
  %q = fact.quantized_linear %a8, %as, %w8, %ws : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %q8, %qs = fact.quantize_heads %q heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %c = fact.quantized_attention %q8, %qs, %q8, %qs, %q8, %qs heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
}

// -----

// keep = 1 with dominance: every key is kept, nothing drops out, so no tail.
// CHECK-LABEL: func.func @dominance_only(
// CHECK:         fact.select {{.*}} keep = 1024 dominance = 3.0
// CHECK-NOT:     fact.mean_token
// CHECK:         fact.quantized_attention {{.*}} mask %{{.*}} dominated %{{[^ ]*}}, %{{[^ ]*}} heads = 2
module attributes {fact.policy = #fact.policy<keep = 1024, tail = mean, dominance = 3.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @dominance_only(%a: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %a8, %as = fact.quantize_rows %a : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %w8, %ws = fact.quantize_weight %w : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
  %q = fact.quantized_linear %a8, %as, %w8, %ws : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %q8, %qs = fact.quantize_heads %q heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %c = fact.quantized_attention %q8, %qs, %q8, %qs, %q8, %qs heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
}
