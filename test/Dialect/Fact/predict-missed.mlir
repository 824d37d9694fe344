// Why attention is left dense: one remark each, and the attention as it was.
// RUN: fact-opt %s --fact-quantize --fact-predict --split-input-file --remarks-filter=fact-predict -o %t.mlir 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=IR --input-file=%t.mlir
// RUN: fact-opt %s --fact-predict --split-input-file --remarks-filter=fact-predict -o /dev/null 2>&1 | FileCheck %s --check-prefix=DENSE

// IR-NOT: fact.select

// CHECK: Function=no_policy | Reason="no policy holds for it", Suggestion="set 'fact.policy' on the function or the module"
// DENSE: Function=no_policy | Reason="it is not quantized", Suggestion="run --fact-quantize first"
func.func @no_policy(%a: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %q = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.25 : tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// -----

module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 3.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {

// CHECK: [Missed] AttentionNotPredicted | Category:fact-predict | Function=cross | Reason="query and key come from different rows: cross attention", Suggestion="only self-attention
func.func @cross(%a: tensor<?x16xf32>, %b: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %q = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %b, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %k heads = 2 scale = 0.25 : tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// Predicted, but without the mean token.
// CHECK: [Missed] NoMeanToken | Category:fact-predict | Function=window | Reason="the policy wants a mean token, but a row sees the keys of its window alone", Suggestion="choose tail = none for this function"
// IR-LABEL: func.func @window(
// IR:          fact.select
func.func @window(%a: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %w = arith.constant dense<0.5> : tensor<16x16xf32>
  %q = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.25 window = [3, 3] : tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// IR-LABEL: func.func @no_projection(
// IR-NOT:      fact.select
// CHECK: Function=no_projection | Reason="the key projection is not visible"
func.func @no_projection(%a: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %q = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %a, %a heads = 2 scale = 0.25 : tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// CHECK: Function=other_value | Reason="the policy wants a mean token, but value and key come from different rows", Suggestion="choose tail = none for this function"
func.func @other_value(%a: tensor<?x16xf32>, %b: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %q = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %v = fact.linear %b, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %q, %v heads = 2 scale = 0.25 : tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// CHECK: Function=hoisted | Reason="the query projection's float32 weight is not visible", Suggestion="run --fact-predict before --fact-hoist-weights"
func.func @hoisted(%a: tensor<?x16xf32>, %w: tensor<16x16xi8>, %ws: tensor<16xf32>) -> tensor<?x16xf32> {
  %a8, %as = fact.quantize_rows %a : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %q = fact.quantized_linear %a8, %as, %w, %ws : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.25 : tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// CHECK: Function=masked | Reason="the query projection is masked already", Suggestion="run --fact-predict before --fact-precision and --fact-fuse"
func.func @masked(%a: tensor<?x16xf32>, %w: tensor<16x16xi8>, %ws: tensor<16xf32>, %rows: tensor<2x?xi1>) -> tensor<?x16xf32> {
  %a8, %as = fact.quantize_rows %a : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %q = fact.quantized_linear %a8, %as, %w, %ws rows %rows : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, tensor<2x?xi1>) -> tensor<?x16xf32>
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.25 : tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// A mean token goes through the projection alone.
// CHECK: [Missed] NoMeanToken | Category:fact-predict | Function=dressed_value | Reason="the policy wants a mean token, but the query, the key or the value has a norm or a rotary embedding, and a mean of dressed rows stands for none of them"
// IR-LABEL: func.func @dressed_value(
func.func @dressed_value(%a: tensor<?x16xf32>, %w: tensor<16x16xf32>, %g: tensor<8xf32>) -> tensor<?x16xf32> attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 0.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
  %p = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %q = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %v = fact.norm rms %p, %g heads = 2 eps = 1.0e-6 : tensor<?x16xf32>, tensor<8xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
}
