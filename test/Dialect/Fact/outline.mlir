// Equal layers become one private function; its arguments are the rows and one for
// each use of a constant. What is before, between and behind layers stays.
// RUN: fact-opt %s --split-input-file --fact-outline | FileCheck %s
// RUN: fact-opt %s --split-input-file --fact-outline --remarks-filter='fact-outline' 2>&1 >/dev/null | grep remark: | FileCheck %s --check-prefix=REMARK --implicit-check-not=remark:

// Two layers that differ in their weights only; the second layer ends where it
// equals the first, so that the last norm stays in main. What the model calls a tensor makes
// no difference between layers; the call has it.
// CHECK-LABEL: func.func @main(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK-DAG:     %[[G:.*]] = arith.constant dense<1.000000e+00> : tensor<4xf32>
// CHECK-DAG:     %[[W:.*]] = arith.constant dense<5.000000e-01> : tensor<4x4xf32>
// CHECK-DAG:     %[[V:.*]] = arith.constant dense<2.500000e-01> : tensor<4x4xf32>
// CHECK-NOT:     fact.
// CHECK:         %[[A:.*]] = call @encoder_layer(%[[X]], %[[W]], %[[V]]) :
// CHECK-NEXT:    %[[B:.*]] = call @encoder_layer(%[[A]], %[[V]], %[[V]]) {tensor = "hidden"} :
// CHECK-NEXT:    %[[Y:.*]] = fact.norm layer %[[B]], %[[G]], %[[G]] {{.*}} {tensor = "y"}
// CHECK-NEXT:    return %[[Y]]
// CHECK-LABEL: func.func private @encoder_layer(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>, %[[W:.*]]: tensor<4x4xf32>, %[[V:.*]]: tensor<4x4xf32>) -> tensor<?x4xf32>
// CHECK-NEXT:    %[[Q:.*]] = fact.linear %[[X]], %[[W]]
// CHECK-NEXT:    %[[C:.*]] = fact.attention %[[Q]], %[[X]], %[[X]] heads = 2
// CHECK-NEXT:    %[[O:.*]] = fact.linear %[[C]], %[[V]]
// CHECK-NEXT:    %[[Y:.*]] = fact.add %[[X]], %[[O]]
// CHECK-NEXT:    return %[[Y]]
// REMARK: remark: [Passed] Outlined | Category:fact-outline | Function=encoder_layer | Layers=2
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %g = arith.constant dense<1.0> : tensor<4xf32>
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  %v = arith.constant dense<0.25> : tensor<4x4xf32>
  %q0 = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c0 = fact.attention %q0, %x, %x heads = 2 scale = 0.5 : tensor<?x4xf32>
  %o0 = fact.linear %c0, %v : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %r0 = fact.add %x, %o0 : tensor<?x4xf32>
  %q1 = fact.linear %r0, %v : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c1 = fact.attention %q1, %r0, %r0 heads = 2 scale = 0.5 : tensor<?x4xf32>
  %o1 = fact.linear %c1, %v : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %r1 = fact.add %r0, %o1 {tensor = "hidden"} : tensor<?x4xf32>
  %y = fact.norm layer %r1, %g, %g eps = 1.0e-05 {tensor = "y"} : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Layers of two structures (one is causal): two functions. Their number, attribute
// and location come from the attention; the policy of main stays with main.
// CHECK-LABEL: func.func @two(
// CHECK:         call @encoder_layer_0(
// CHECK-NEXT:    call @encoder_layer_1(
// CHECK-NEXT:    return
// CHECK-LABEL: func.func private @encoder_layer_0(
// CHECK-NEXT:    fact.attention
// CHECK-NOT:     causal
// CHECK-LABEL: func.func private @encoder_layer_1(
// CHECK-NEXT:    fact.attention {{.*}} causal
// REMARK: outline.mlir:[[@LINE+5]]:{{.*}} remark: [Missed] LayerDiffers | Category:fact-outline | Function=two | Reason="the layer differs from the one at {{.*}}outline.mlir{{.*}}: 'fact.attention' has other attributes", Suggestion="equal layers share one function; this one gets its own"
// REMARK: remark: [Passed] Outlined {{.*}} Function=encoder_layer_0 | Layers=1
// REMARK: remark: [Passed] Outlined {{.*}} Function=encoder_layer_1 | Layers=1
func.func @two(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %a = fact.attention %x, %x, %x heads = 2 scale = 0.5 : tensor<?x4xf32>
  %b = fact.attention %a, %a, %a heads = 2 scale = 0.5 causal : tensor<?x4xf32>
  return %b : tensor<?x4xf32>
}

// -----

// Without attention there is no layer.
// CHECK-LABEL: func.func @no_layer(
// CHECK:         fact.linear
// CHECK-NOT:     func.func private
func.func @no_layer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  %y = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
