// Linear layers that take no low-precision tokens, and why.
// RUN: fact-opt %s --fact-quantize --fact-predict --fact-precision --split-input-file --remarks-filter=fact-precision -o /dev/null 2>&1 | FileCheck %s
// RUN: fact-opt %s --fact-precision --split-input-file --remarks-filter=fact-precision -o /dev/null 2>&1 | FileCheck %s --check-prefix=DENSE

// DENSE: Function=ffn | Reason="the attention is not quantized", Suggestion="run --fact-quantize first"

// What the policy leaves at INT8 is analysis, not a miss.
// CHECK-COUNT-2: [Analysis] LinearAtInt8 | Category:fact-precision | Function=ffn | Reason="the mean token always runs at INT8"
// CHECK-COUNT-4: [Analysis] LinearAtInt8 | Category:fact-precision | Function=ffn | Reason="the policy's scope is 'ffn'"
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 3.0, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @ffn(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
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

module attributes {fact.policy = #fact.policy<keep = 205, tail = none, dominance = 3.0, importance = 256, low_precision = a4w4, scope = all, predictor = leading_one>} {

// CHECK: [Missed] LinearNotLowered | Category:fact-precision | Function=no_attention | Reason="it depends on no attention in its function", Suggestion="low-precision tokens need a layer to which the linear belongs"
func.func @no_attention(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %y = fact.linear %x, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// CHECK: Function=no_network | Reason="no feed-forward network follows the attention in its function"
// CHECK: Function=no_network | Reason="it does not lead to a residual addition of its layer"
func.func @no_network(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %q = fact.linear %x, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %head = fact.linear %o, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  return %head : tensor<?x16xf32>
}

// CHECK: Function=shared | Reason="attentions of several layers read it", Suggestion="give each layer its own projections"
// CHECK: Function=shared | Reason="another linear layer reads the attention before it"
func.func @shared(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w2: tensor<16x16xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %q = fact.linear %x, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %x, %w2 : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %k heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %d = fact.attention %q, %q, %q heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %p = fact.linear %c, %w2 : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  return %o, %p, %d : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}

// Tokens that an unknown op may have mixed are not this layer's tokens.
// CHECK: Function=mixed | Reason="its input comes through 'tensor.extract_slice', which is not known to keep tokens apart"
func.func @mixed(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<1x16xf32> {
  %q = fact.linear %x, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r = fact.add %x, %o : tensor<?x16xf32>
  %first = tensor.extract_slice %r[0, 0] [1, 16] [1, 1] : tensor<?x16xf32> to tensor<1x16xf32>
  %head = fact.linear %first, %w : (tensor<1x16xf32>, tensor<16x16xf32>) -> tensor<1x16xf32>
  return %head : tensor<1x16xf32>
}

// CHECK: Function=other_mask | Reason="its mask comes from no 'fact.select', so that nothing counts how often a token is kept", Suggestion="let --fact-predict make the mask"
func.func @other_mask(%q: tensor<?x16xi8>, %s: tensor<2x?xf32>, %mask: tensor<2x?x?xi1>) -> tensor<?x16xf32> {
  %c = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %mask heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
}
