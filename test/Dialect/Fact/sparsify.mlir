// The whole pipeline on an outlined layer that main calls twice: no policy and no
// op on f32 weights is left, weights are folded at the call sites.
// RUN: fact-opt %s --fact-sparsify | FileCheck %s
// A second run, and a policy that comes back, change nothing: all is decided.
// RUN: fact-opt %s --fact-sparsify -o %t.once.mlir
// RUN: fact-opt %t.once.mlir --fact-sparsify -o %t.twice.mlir
// RUN: cmp %t.once.mlir %t.twice.mlir
// RUN: sed 's/^module {/module attributes {fact.policy = #fact.policy<keep = 1024, tail = none, dominance = 0.0, importance = 0, low_precision = a4w8, scope = all, predictor = exact>} {/' %t.once.mlir > %t.policy.mlir
// RUN: fact-opt %t.policy.mlir --fact-sparsify -o %t.again.mlir
// RUN: cmp %t.once.mlir %t.again.mlir

// CHECK: module {
// CHECK-LABEL: func.func @main(
// CHECK-NOT:     = fact.
// CHECK:         call @encoder_layer
// CHECK-NOT:     = fact.
// CHECK:         call @encoder_layer
// CHECK-NOT:     = fact.
// CHECK-LABEL: func.func private @encoder_layer(
// CHECK-SAME:    tensor<4x4xi8>
// CHECK-NOT:     fact.quantize_weight
// CHECK-NOT:     fact.quantize_predictor_weight
// CHECK-NOT:     fact.predictor_bias
// CHECK-NOT:     {{leading_one +weight}}
// CHECK:         fact.select
// CHECK-NOT:     fact.select leading_one
// CHECK:         fact.quantized_attention {{.*}} tail
// CHECK:         return
module attributes {fact.policy = #fact.policy<keep = 102, tail = mean, dominance = 3.0, importance = 512, low_precision = a4w4, scope = all, predictor = leading_one>} {
func.func @main(%x: tensor<1x?x4xf32> {fact.bound = 64 : i64, fact.name = "x"}) -> (tensor<1x?x4xf32> {fact.name = "y"}) {
  %c1 = arith.constant 1 : index
  %g = arith.constant dense<1.0> : tensor<4xf32>
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %v = arith.constant dense<[[0.1, 0.2, 0.3, 0.4], [-0.5, 0.6, -0.7, 0.8], [0.9, -1.0, 0.05, 0.25], [0.45, 0.65, 0.85, -0.95]]> : tensor<4x4xf32>
  %0 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<1x?x4xf32> into tensor<?x4xf32>
  %1 = call @encoder_layer(%0, %w, %v, %g) : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %2 = call @encoder_layer(%1, %v, %w, %g) : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %dim = tensor.dim %x, %c1 : tensor<1x?x4xf32>
  %y = tensor.expand_shape %2 [[0, 1], [2]] output_shape [1, %dim, 4] : tensor<?x4xf32> into tensor<1x?x4xf32>
  return %y : tensor<1x?x4xf32>
}
func.func private @encoder_layer(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>, %v: tensor<4x4xf32>, %g: tensor<4xf32>) -> tensor<?x4xf32> {
  %a = fact.norm layer %x, %g, %g eps = 1.0e-05 : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  %q = fact.linear %a, %w bias %g : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %a, %v bias %g : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %v0 = fact.linear %a, %v : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = fact.attention %q, %k, %v0 heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  %o = fact.linear %c, %w bias %g : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %r = fact.add %x, %o : tensor<?x4xf32>
  %t = fact.norm layer %r, %g, %g eps = 1.0e-05 : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  %f1 = fact.linear %t, %w bias %g : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %f = fact.activation gelu %f1 : tensor<?x4xf32>
  %f2 = fact.linear %f, %v bias %g : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = fact.add %r, %f2 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}
