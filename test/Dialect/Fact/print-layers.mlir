// The analysis that --fact-precision relies on, on dense and on sparse IR.
// RUN: fact-opt %s --fact-print-layers -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,DENSE
// RUN: fact-opt %s --fact-quantize --fact-predict --fact-precision --fact-fuse --fact-print-layers -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,SPARSE
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 3.0, importance = 256, low_precision = a4w4, scope = all, predictor = leading_one>} {

// CHECK-LABEL: layers of 'layer': 1
// CHECK-NEXT:    layer 0:
// DENSE-NEXT:      attention: fact.attention %
// DENSE-NEXT:      select: none
// SPARSE-NEXT:     attention: fact.quantized_attention %
// SPARSE-NEXT:     select: fact.select %
// SPARSE-NEXT:     precision: fact.select_precision %
// DENSE-NEXT:      query projection: fact.linear %[[Q:.*]]
// DENSE-NEXT:      key projection: fact.linear %
// DENSE-NEXT:      value projection: fact.linear %
// SPARSE-NEXT:     query projection: fact.quantized_linear %
// SPARSE-NEXT:     key projection: fact.quantized_linear %
// SPARSE-NEXT:     value projection: fact.quantized_linear %
// SPARSE-NEXT:     mean token's projection: fact.quantized_linear %
// SPARSE-NEXT:     mean token's projection: fact.quantized_linear %
// CHECK-NEXT:      output projection: fact.{{(quantized_)?}}linear %
// CHECK-NEXT:      feed-forward linear: fact.{{(quantized_)?}}linear %
// CHECK-NEXT:      feed-forward linear: fact.{{(quantized_)?}}linear %
func.func @layer(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
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

// CHECK-LABEL: layers of 'head': 0
// CHECK-NEXT:      other linear: fact.{{(quantized_)?}}linear %
// CHECK-NEXT:        because it depends on no attention in its function
func.func @head(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  %y = fact.linear %x, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// A linear between two layers is of none, although a residual goes around the second one and
// adds it: that sum is the second layer's. (So are the same layers in functions of their own.)
// CHECK-LABEL: layers of 'between': 2
// CHECK:         layer 0:
// CHECK-NOT:       feed-forward
// CHECK:         layer 1:
// CHECK:           feed-forward linear: fact.{{(quantized_)?}}linear %
// CHECK-NOT:       feed-forward
// CHECK:           other linear: fact.{{(quantized_)?}}linear %
// CHECK-NEXT:        because it does not lead to a residual addition of its layer
func.func @between(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
  %q = fact.linear %x, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r = fact.add %x, %o : tensor<?x16xf32>
  %between = fact.linear %r, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %q1 = fact.linear %between, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c1 = fact.attention %q1, %q1, %q1 heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o1 = fact.linear %c1, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r1 = fact.add %between, %o1 : tensor<?x16xf32>
  %f1 = fact.linear %r1, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %sum = fact.add %r1, %f1 : tensor<?x16xf32>
  %y = fact.add %sum, %between : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}
