// Layers of one function whose policies differ in numbers: those that differ become
// arguments of the function and constants of its calls, the others stay literals.
// RUN: fact-opt %s --split-input-file --verify-diagnostics --fact-quantize --fact-predict --fact-precision --fact-fuse | FileCheck %s

#base = #fact.policy<keep = 205, tail = none, dominance = 3.0, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>
#wide = #fact.policy<keep = 512, tail = none, dominance = 3.0, importance = 128, low_precision = a4w4, scope = ffn, predictor = leading_one>

// CHECK-LABEL: func.func @main
// CHECK-DAG:     %[[WIDE:.*]] = arith.constant dense<512> : tensor<i32>
// CHECK-DAG:     %[[LESS:.*]] = arith.constant dense<128> : tensor<i32>
// CHECK:         %[[FIRST:.*]] = call @layer(%{{.*}}, %{{.*}}, %[[WIDE]], %[[LESS]]) :
// CHECK-DAG:     %[[NARROW:.*]] = arith.constant dense<205> : tensor<i32>
// CHECK-DAG:     %[[MORE:.*]] = arith.constant dense<256> : tensor<i32>
// CHECK:         call @layer(%[[FIRST]], %{{.*}}, %[[NARROW]], %[[MORE]]) :
// CHECK:       func.func private @layer(%{{.*}}: tensor<?x4xf32>, %{{.*}}: tensor<4x4xf32>, %[[KEEP:.*]]: tensor<i32>, %[[IMPORTANCE:.*]]: tensor<i32>)
// CHECK:         fact.select leading_one %{{.*}}, %{{.*}} keep = %[[KEEP]] dominance = 3.000000e+00 :
// CHECK:         fact.select_precision %{{.*}} importance = %[[IMPORTANCE]] :
// CHECK-NOT:     fact.policy
module attributes {fact.policy = #base} {
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  %0 = call @layer(%x, %w) {fact.policy = #wide} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %1 = call @layer(%0, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}
func.func private @layer(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %q = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.5 : tensor<?x4xf32>
  %o = fact.linear %c, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %r = fact.add %x, %o : tensor<?x4xf32>
  %h = fact.linear %r, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = fact.add %r, %h : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}

// -----

// An attention's own policy comes before that of its module.
// CHECK-LABEL: func.func @own
// CHECK:         fact.select leading_one {{.*}} keep = 51 dominance = 0.000000e+00
// CHECK:         fact.select leading_one {{.*}} keep = 205 dominance = 3.000000e+00
module attributes {fact.policy = #fact.policy<keep = 205, tail = none, dominance = 3.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @own(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %q = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.5 {fact.policy = #fact.policy<keep = 51, tail = none, dominance = 0.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} : tensor<?x4xf32>
  %p = fact.linear %c, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %d = fact.attention %p, %p, %p heads = 2 scale = 0.5 : tensor<?x4xf32>
  return %d : tensor<?x4xf32>
}
}

// -----

// What is on or off is the function's: calls cannot differ in it.
module attributes {fact.policy = #fact.policy<keep = 205, tail = none, dominance = 3.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  // expected-error @below {{has a policy that differs from its function's in more than the values of keep, dominance and importance}}
  %0 = call @layer(%x, %w) {fact.policy = #fact.policy<keep = 205, tail = none, dominance = 0.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
func.func private @layer(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %q = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  // expected-note @below {{the function's is used here}}
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.5 : tensor<?x4xf32>
  return %c : tensor<?x4xf32>
}
}

// -----

// A policy of a call that nothing uses.
module attributes {fact.policy = #fact.policy<keep = 205, tail = none, dominance = 3.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // expected-error @below {{has a policy, which is for a function with one attention of its own (was 0)}}
  %0 = call @outer(%x) {fact.policy = #fact.policy<keep = 512, tail = none, dominance = 3.0, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
func.func private @outer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = call @layer(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
func.func private @layer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c = fact.attention %x, %x, %x heads = 2 scale = 0.5 : tensor<?x4xf32>
  return %c : tensor<?x4xf32>
}
}
