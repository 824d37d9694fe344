// Scores that only a select reads are never a buffer of their own; those that
// somebody else reads are.
// RUN: fact-opt %s --fact-to-loops --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @fused(
// CHECK-NOT:     memref<2x?x?xf32>
// CHECK:         call @predict_and_select(
// CHECK-NOT:     memref<2x?x?xf32>
// CHECK:         return
func.func @fused(%q: tensor<?x16xi8>, %qs: tensor<2x?xf32>, %k: tensor<?x16xi8>, %ks: tensor<2x?xf32>,
                 %s: tensor<?xf32>, %sq: tensor<f32>, %sk: tensor<f32>) -> tensor<2x?x?xi1> {
  %t, %u = fact.predict %q, %qs, %k, %ks, %s, %sq, %sk heads = 2 scale = 0.25
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>)
      -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 205 dominance = 3.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  return %mask : tensor<2x?x?xi1>
}

// -----

// CHECK-LABEL: func.func @separate(
// CHECK:         memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<2x?x?xf32>
func.func @separate(%q: tensor<?x16xi8>, %qs: tensor<2x?xf32>, %k: tensor<?x16xi8>, %ks: tensor<2x?xf32>,
                    %s: tensor<?xf32>, %sq: tensor<f32>, %sk: tensor<f32>) -> (tensor<2x?x?xi1>, tensor<2x?x?xf32>) {
  %t, %u = fact.predict %q, %qs, %k, %ks, %s, %sq, %sk heads = 2 scale = 0.25
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>)
      -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 205 dominance = 3.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  return %mask, %t : tensor<2x?x?xi1>, tensor<2x?x?xf32>
}
