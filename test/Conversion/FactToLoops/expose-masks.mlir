// What a layer selected becomes results of its function and of main, one after
// the other in the order in which main runs the layers.
// RUN: fact-opt %s --split-input-file --fact-expose-masks | FileCheck %s

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    -> (tensor<?x16xf32>, tensor<2x?x?xi1> {fact.dump = "layer0.mask"}, tensor<2x?xi1> {fact.dump = "layer0.dominated"}, tensor<2x?xi32> {fact.dump = "layer0.argmax"}, tensor<?xi1> {fact.dump = "layer0.low"}, tensor<2x?x?xi1> {fact.dump = "layer1.mask"}
// CHECK-SAME:    fact.layers = [{given = false, heads = 2 : i64, key_heads = 2 : i64}, {given = false, heads = 2 : i64, key_heads = 2 : i64}]
// CHECK:         %[[A:.*]]:5 = call @layer
// CHECK:         %[[B:.*]]:5 = call @layer
// CHECK:         return %[[B]]#0, %[[A]]#1, %[[A]]#2, %[[A]]#3, %[[A]]#4, %[[B]]#1
func.func @main(%x: tensor<?x16xf32>, %t: tensor<2x?x?xf32>, %u: tensor<2x?xf32>) -> tensor<?x16xf32> {
  %0 = call @layer(%x, %t, %u) : (tensor<?x16xf32>, tensor<2x?x?xf32>, tensor<2x?xf32>) -> tensor<?x16xf32>
  %1 = call @layer(%0, %t, %u) : (tensor<?x16xf32>, tensor<2x?x?xf32>, tensor<2x?xf32>) -> tensor<?x16xf32>
  return %1 : tensor<?x16xf32>
}

// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    -> (tensor<?x16xf32>, tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi1>)
func.func private @layer(%x: tensor<?x16xf32>, %t: tensor<2x?x?xf32>, %u: tensor<2x?xf32>) -> tensor<?x16xf32> {
  %m, %d, %a, %n = fact.select leading_one %t, %u keep = 205 dominance = 3.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %low = fact.select_precision %n importance = 256 : tensor<?xi64> -> tensor<?xi1>
  %q, %s = fact.quantize_heads %x heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %c = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 2 scale = 0.25
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// -----

// One select for two attentions is both layers'; a mask of the model's own is no
// selection.
// CHECK-LABEL: func.func @main(
// CHECK-SAME:    {fact.dump = "layer0.mask"}
// CHECK-SAME:    {fact.dump = "layer1.mask"}
// CHECK-NOT:     layer2
// CHECK-SAME:    fact.layers = [{given = false, heads = 2 : i64, key_heads = 2 : i64}, {given = false, heads = 2 : i64, key_heads = 2 : i64}, {given = true, heads = 2 : i64, key_heads = 2 : i64}]
func.func @main(%x: tensor<8x16xf32>, %t: tensor<2x8x8xf32>, %u: tensor<2x8xf32>) -> tensor<8x16xf32> {
  %m, %d, %a, %n = fact.select leading_one %t, %u keep = 205 dominance = 0.0
    : tensor<2x8x8xf32>, tensor<2x8xf32> -> tensor<2x8x8xi1>, tensor<2x8xi1>, tensor<2x8xi32>, tensor<8xi64>
  %all = arith.constant dense<true> : tensor<2x8x8xi1>
  %q, %s = fact.quantize_heads %x heads = 2 : (tensor<8x16xf32>) -> (tensor<8x16xi8>, tensor<2x8xf32>)
  %0 = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 2 scale = 0.25
    : (tensor<8x16xi8>, tensor<2x8xf32>, tensor<8x16xi8>, tensor<2x8xf32>, tensor<8x16xi8>, tensor<2x8xf32>, tensor<2x8x8xi1>) -> tensor<8x16xf32>
  %1 = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 2 scale = 0.5
    : (tensor<8x16xi8>, tensor<2x8xf32>, tensor<8x16xi8>, tensor<2x8xf32>, tensor<8x16xi8>, tensor<2x8xf32>, tensor<2x8x8xi1>) -> tensor<8x16xf32>
  %2 = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %all heads = 2 scale = 0.5
    : (tensor<8x16xi8>, tensor<2x8xf32>, tensor<8x16xi8>, tensor<2x8xf32>, tensor<8x16xi8>, tensor<2x8xf32>, tensor<2x8x8xi1>) -> tensor<8x16xf32>
  %3 = fact.add %0, %1 : tensor<8x16xf32>
  %4 = fact.add %2, %3 : tensor<8x16xf32>
  return %4 : tensor<8x16xf32>
}

// -----

// Rows of K and V are those of their own heads; a mask for other heads is not the layer's.
// CHECK-LABEL: func.func @main(
// CHECK-SAME:    tensor<4x?xi1> {fact.dump = "layer0.dominated"}, tensor<4x?xi32> {fact.dump = "layer0.argmax"}, tensor<2x?xi1> {fact.dump = "layer0.k_rows"})
// CHECK-SAME:    fact.layers = [{given = false, heads = 4 : i64, key_heads = 2 : i64}]
// CHECK:         %[[ROWS:.*]] = fact.k_rows {{.*}} -> tensor<2x?xi1>
// CHECK:         return {{.*}}, %[[ROWS]] :
func.func @main(%x: tensor<?x16xf32>, %y: tensor<?x8xf32>, %t: tensor<4x?x?xf32>, %u: tensor<4x?xf32>) -> tensor<?x16xf32> {
  %m, %d, %a, %n = fact.select leading_one %t, %u keep = 205 dominance = 3.0
    : tensor<4x?x?xf32>, tensor<4x?xf32> -> tensor<4x?x?xi1>, tensor<4x?xi1>, tensor<4x?xi32>, tensor<?xi64>
  %all = fact.k_rows %m, %d : tensor<4x?x?xi1>, tensor<4x?xi1>
  %rows = fact.k_rows %m, %d : tensor<4x?x?xi1>, tensor<4x?xi1> -> tensor<2x?xi1>
  %z, %e = fact.quantize_heads %x rows %all heads = 4 : (tensor<?x16xf32>, tensor<4x?xi1>) -> (tensor<?x16xi8>, tensor<4x?xf32>)
  %q, %s = fact.quantize_heads %x heads = 4 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<4x?xf32>)
  %k, %r = fact.quantize_heads %y rows %rows heads = 2 : (tensor<?x8xf32>, tensor<2x?xi1>) -> (tensor<?x8xi8>, tensor<2x?xf32>)
  %c = fact.quantized_attention %q, %s, %k, %r, %k, %r mask %m dominated %d, %a heads = 4 scale = 0.25
    : (tensor<?x16xi8>, tensor<4x?xf32>, tensor<?x8xi8>, tensor<2x?xf32>, tensor<?x8xi8>, tensor<2x?xf32>, tensor<4x?x?xi1>, tensor<4x?xi1>, tensor<4x?xi32>) -> tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}
