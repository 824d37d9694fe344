// Ops on weights leave layer functions; with equal arguments they are shared.
// RUN: fact-opt %s --allow-unregistered-dialect --fact-hoist-weights --split-input-file | FileCheck %s
// RUN: fact-opt %s --allow-unregistered-dialect --fact-hoist-weights --canonicalize --split-input-file | FileCheck %s --check-prefix=FOLD

// Two calls share %w but not %b. The order of the new arguments is that of the
// arguments that they come from; %w itself goes, %b stays because it is read.

// FOLD-LABEL: func.func @main(
// FOLD-NOT:     fact.
// FOLD:         call @layer
// FOLD:         call @layer
// CHECK-LABEL: func.func @main(
// CHECK-SAME:    %[[X:.*]]: tensor<?x2xf32>
// CHECK:         %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x3xf32>
// CHECK-NEXT:    %[[P:.*]], %[[PS:.*]] = fact.quantize_predictor_weight %[[W]]
// CHECK-NEXT:    %[[PB1:.*]] = fact.predictor_bias leading_one %[[B1:.*]], %[[PS]]
// CHECK-NEXT:    %[[PB0:.*]] = fact.predictor_bias leading_one %[[B0:.*]], %[[PS]]
// CHECK-NEXT:    %[[PC:.*]] = fact.encode leading_one weight %[[P]]
// CHECK-NEXT:    %[[W8:.*]], %[[WS:.*]] = fact.quantize_weight %[[W]]
// CHECK:         %[[Y:.*]] = call @layer(%[[X]], %[[W8]], %[[WS]], %[[PC]], %[[B0]], %[[PB0]])
// CHECK:         call @layer(%[[Y]], %[[W8]], %[[WS]], %[[PC]], %[[B1]], %[[PB1]])
// CHECK-SAME:      : (tensor<?x2xf32>, tensor<2x3xi8>, tensor<3xf32>, tensor<2x3xi8>, tensor<3xf32>, tensor<3xf32>) -> tensor<?x2xf32>
// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    %[[X:.*]]: tensor<?x2xf32> {fact.name = "x"}, %[[W8:.*]]: tensor<2x3xi8>, %[[WS:.*]]: tensor<3xf32>, %[[PC:.*]]: tensor<2x3xi8>, %[[B:.*]]: tensor<3xf32>, %[[PB:.*]]: tensor<3xf32>)
// CHECK-NOT:     fact.quantize_weight
// CHECK:         %[[X8:.*]], %[[XS:.*]] = fact.quantize_rows %[[X]]
// CHECK:         %[[XC:.*]] = fact.encode leading_one activation %[[X8]]
// CHECK:         fact.log_matmul %[[XC]], %[[PC]] bias %[[PB]] scale %[[XS]]
// CHECK:         fact.quantized_linear %[[X8]], %[[XS]], %[[W8]], %[[WS]] bias %[[B]]
func.func @main(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %b0 = arith.constant dense<1.0> : tensor<3xf32>
  %b1 = arith.constant dense<2.0> : tensor<3xf32>
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %0 = call @layer(%x, %w, %b0) : (tensor<?x2xf32>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<?x2xf32>
  %1 = call @layer(%0, %w, %b1) : (tensor<?x2xf32>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}
func.func private @layer(%x: tensor<?x2xf32> {fact.name = "x"}, %w: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<?x2xf32> {
  %x8, %xs = fact.quantize_rows %x : (tensor<?x2xf32>) -> (tensor<?x2xi8>, tensor<?xf32>)
  %w8, %ws = fact.quantize_weight %w : tensor<2x3xf32> -> tensor<2x3xi8>, tensor<3xf32>
  %p, %ps = fact.quantize_predictor_weight %w : tensor<2x3xf32> -> tensor<2x3xi8>, tensor<f32>
  %pc = fact.encode leading_one weight %p : tensor<2x3xi8>
  %pb = fact.predictor_bias leading_one %b, %ps : tensor<3xf32>, tensor<f32>
  %xc = fact.encode leading_one activation %x8 : tensor<?x2xi8>
  %h = fact.log_matmul %xc, %pc bias %pb scale %xs : (tensor<?x2xi8>, tensor<2x3xi8>, tensor<3xf32>, tensor<?xf32>) -> tensor<?x3xi32>
  %y = fact.quantized_linear %x8, %xs, %w8, %ws bias %b : (tensor<?x2xi8>, tensor<?xf32>, tensor<2x3xi8>, tensor<3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  "test.use"(%h, %y) : (tensor<?x3xi32>, tensor<?x3xf32>) -> ()
  return %x : tensor<?x2xf32>
}

// -----

// Through a function that calls a layer.

// CHECK-LABEL: func.func @outer(
// CHECK:         %[[W8:.*]], %[[WS:.*]] = fact.quantize_weight
// CHECK:         call @middle(%{{.*}}, %[[W8]], %[[WS]])
// CHECK-LABEL: func.func private @middle(
// CHECK-SAME:    %{{.*}}: tensor<?x2xf32>, %[[W8:.*]]: tensor<2x2xi8>, %[[WS:.*]]: tensor<2xf32>)
// CHECK-NOT:     fact.quantize_weight
// CHECK:         call @inner(%{{.*}}, %[[W8]], %[[WS]])
// CHECK-LABEL: func.func private @inner(
// CHECK-NOT:     fact.quantize_weight
func.func @outer(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %0 = call @middle(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
func.func private @middle(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %0 = call @inner(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
func.func private @inner(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %x8, %xs = fact.quantize_rows %x : (tensor<?x2xf32>) -> (tensor<?x2xi8>, tensor<?xf32>)
  %w8, %ws = fact.quantize_weight %w : tensor<2x2xf32> -> tensor<2x2xi8>, tensor<2xf32>
  %y = fact.quantized_linear %x8, %xs, %w8, %ws : (tensor<?x2xi8>, tensor<?xf32>, tensor<2x2xi8>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Signatures that are not ours to change: a public function, one whose address
// is taken, one that calls itself.

// CHECK-LABEL: func.func @public(
// CHECK:         fact.quantize_weight
// CHECK-LABEL: func.func private @referenced(
// CHECK:         fact.quantize_weight
// CHECK-LABEL: func.func private @recursive(
// CHECK:         fact.quantize_weight
func.func @public(%w: tensor<2x2xf32>) -> tensor<2x2xi8> {
  %w8, %ws = fact.quantize_weight %w : tensor<2x2xf32> -> tensor<2x2xi8>, tensor<2xf32>
  %f = func.constant @referenced : (tensor<2x2xf32>) -> tensor<2x2xi8>
  %0 = call @referenced(%w) : (tensor<2x2xf32>) -> tensor<2x2xi8>
  %1 = call @recursive(%w) : (tensor<2x2xf32>) -> tensor<2x2xi8>
  "test.use"(%f, %0, %1) : ((tensor<2x2xf32>) -> tensor<2x2xi8>, tensor<2x2xi8>, tensor<2x2xi8>) -> ()
  return %w8 : tensor<2x2xi8>
}
func.func private @referenced(%w: tensor<2x2xf32>) -> tensor<2x2xi8> {
  %w8, %ws = fact.quantize_weight %w : tensor<2x2xf32> -> tensor<2x2xi8>, tensor<2xf32>
  return %w8 : tensor<2x2xi8>
}
func.func private @recursive(%w: tensor<2x2xf32>) -> tensor<2x2xi8> {
  %w8, %ws = fact.quantize_weight %w : tensor<2x2xf32> -> tensor<2x2xi8>, tensor<2xf32>
  %0 = call @recursive(%w) : (tensor<2x2xf32>) -> tensor<2x2xi8>
  return %w8 : tensor<2x2xi8>
}

// -----

// What a layer has for itself beside a weight goes with it.
// CHECK-LABEL: func.func @beside_constant(
// CHECK-DAG:     %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
// CHECK-DAG:     %[[B:.*]] = arith.constant dense<1.000000e+00> : tensor<2xf32>
// CHECK:         %[[P:.*]] = fact.predictor_bias leading_one %[[B]], %[[S]]
// CHECK:         call @layer(%[[P]])
func.func @beside_constant() -> tensor<2xf32> {
  %b = arith.constant dense<1.0> : tensor<2xf32>
  %0 = call @layer(%b) : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func private @layer(%b: tensor<2xf32>) -> tensor<2xf32> {
  %s = arith.constant dense<0.5> : tensor<f32>
  %p = fact.predictor_bias leading_one %b, %s : tensor<2xf32>, tensor<f32>
  return %p : tensor<2xf32>
}
