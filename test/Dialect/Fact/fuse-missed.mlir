// Projections that are generated in full although attention is masked, and why.
// RUN: fact-opt %s --fact-quantize --fact-predict --fact-fuse --remarks-filter=fact-fuse -o %t.mlir 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=IR --input-file=%t.mlir
module attributes {fact.policy = #fact.policy<keep = 205, tail = none, dominance = 3.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {

// The quantization still skips rows, the projection does not.
// CHECK: [Missed] RowsNotSkipped | Category:fact-fuse | Function=read_twice | Reason="'fact.activation' reads the value projection too"
// IR-LABEL: func.func @read_twice(
// IR:         %[[V:.*]] = fact.quantized_linear %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} : {{.*}} -> tensor<?x16xf32>
// IR:         %[[RV:.*]] = fact.v_rows
// IR:         fact.quantize_heads %[[V]] rows %[[RV]]
func.func @read_twice(%a: tensor<?x16xf32>, %wq: tensor<16x16xf32>, %wk: tensor<16x16xf32>, %wv: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %v = fact.linear %a, %wv : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %q = fact.linear %a, %wq : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %wk : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %g = fact.activation relu %v : tensor<?x16xf32>
  %y = fact.add %c, %g : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// CHECK: Function=two_attentions | Reason="'fact.quantize_heads' reads the query projection too"
func.func @two_attentions(%a: tensor<?x16xf32>, %wq: tensor<16x16xf32>, %wk: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %q = fact.linear %a, %wq : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %wk : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %k heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %d = fact.attention %q, %k, %k heads = 2 scale = 0.5 causal : tensor<?x16xf32>
  %y = fact.add %c, %d : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// CHECK: Function=same_quantization | Reason="one projection is the query and the key or value too", Suggestion="give the query its own projection"
func.func @same_quantization(%a: tensor<?x16xf32>, %mask: tensor<2x?x?xi1>, %d: tensor<2x?xi1>, %m: tensor<2x?xi32>, %k: tensor<?x16xf32>, %w: tensor<16x16xi8>, %s: tensor<16xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %a8, %as = fact.quantize_rows %a : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %q = fact.quantized_linear %a8, %as, %w, %s : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %q8, %qs = fact.quantize_heads %q heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %r8, %rs = fact.quantize_heads %q heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %g = fact.activation relu %q : tensor<?x16xf32>
  %c = fact.quantized_attention %q8, %qs, %q8, %qs, %r8, %rs mask %mask dominated %d, %m heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>) -> tensor<?x16xf32>
  return %c, %g : tensor<?x16xf32>, tensor<?x16xf32>
}

// CHECK: Function=same_quantization | Reason="'fact.activation' reads the value projection too"
// CHECK: Function=no_demand | Reason="its mask comes from no 'fact.select' and no 'dominated' says which rows count"
func.func @no_demand(%q: tensor<?x16xi8>, %s: tensor<2x?xf32>, %mask: tensor<2x?x?xi1>) -> tensor<?x16xf32> {
  %c = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %mask heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
}
