// What a layer selected becomes results of its function and of main, one after
// the other in the order in which main runs the layers.
// RUN: fact-opt %s --fact-expose-masks | FileCheck %s

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    -> (tensor<?x16xf32>, tensor<2x?x?xi1> {fact.dump = "layer0.mask"}, tensor<2x?x?xi1> {fact.dump = "layer1.mask"})
// CHECK-SAME:    fact.layers = [{causal = false, heads = 2 : i64}, {causal = false, heads = 2 : i64}]
// CHECK:         %[[A:.*]]:2 = call @layer
// CHECK:         %[[B:.*]]:2 = call @layer
// CHECK:         return %[[B]]#0, %[[A]]#1, %[[B]]#1
func.func @main(%x: tensor<?x16xf32>, %m: tensor<2x?x?xi1>) -> tensor<?x16xf32> {
  %0 = call @layer(%x, %m) : (tensor<?x16xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  %1 = call @layer(%0, %m) : (tensor<?x16xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  return %1 : tensor<?x16xf32>
}

// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    -> (tensor<?x16xf32>, tensor<2x?x?xi1>)
func.func private @layer(%x: tensor<?x16xf32>, %m: tensor<2x?x?xi1>) -> tensor<?x16xf32> {
  %q, %s = fact.quantize_heads %x heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %c = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 2 scale = 0.25
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
