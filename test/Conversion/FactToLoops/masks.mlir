// Masks in words of 16 columns: a given one is packed once for each window that
// reads it, a selection makes words itself, and bytes too for who else asks.
// RUN: fact-opt %s --fact-to-loops="tier=avx2" --split-input-file | FileCheck %s
// RUN: fact-opt %s --fact-to-loops="tier=avx512vnni" --split-input-file | FileCheck %s --check-prefix=KEPT

// Three readers, two windows.
// CHECK-LABEL: func.func @given(
// CHECK:         call @pack_mask(
// CHECK:         call @pack_mask
// CHECK-NOT:     call @pack_mask
// CHECK:         return
// Who knows how many a given mask keeps.
// KEPT-LABEL:  func.func @given(
// KEPT-NOT:    vector.compress
func.func @given(%q: tensor<?x16xi8>, %qs: tensor<2x?xf32>, %m: tensor<2x?x?xi1>) -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %a = fact.quantized_attention %q, %qs, %q, %qs, %q, %qs mask %m heads = 2 scale = 0.5
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  %b = fact.quantized_attention %q, %qs, %q, %qs, %q, %qs mask %m heads = 2 scale = 0.25
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  %c = fact.quantized_attention %q, %qs, %q, %qs, %q, %qs mask %m heads = 2 scale = 0.5 causal
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  return %a, %b, %c : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}

// -----

// CHECK-LABEL: func.func @selected(
// CHECK-NOT:     memref<2x?x?xi1>
// CHECK-NOT:     pack_mask
// CHECK:         return
// A fifth is kept: softmax is of these alone, where instructions move lanes.
// KEPT-LABEL:  func.func @selected(
// KEPT:        llvm.experimental.vector.compress
// KEPT:        vector.expandload
func.func @selected(%q: tensor<?x16xi8>, %qs: tensor<2x?xf32>) -> tensor<?x16xf32> {
  %t, %u = fact.predict %q, %qs, %q, %qs heads = 2 scale = 0.5 : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %m, %d, %x, %n = fact.select leading_one %t, %u keep = 205 dominance = 0.0 : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %a = fact.quantized_attention %q, %qs, %q, %qs, %q, %qs mask %m heads = 2 scale = 0.5
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  return %a : tensor<?x16xf32>
}

// -----

// Most are kept.
// CHECK-LABEL: func.func @most(
// KEPT-LABEL:  func.func @most(
// KEPT-NOT:    vector.compress
func.func @most(%q: tensor<?x16xi8>, %qs: tensor<2x?xf32>) -> (tensor<?x16xf32>, tensor<2x?x?xi1>) {
  // CHECK: memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<2x?x?xi1>
  %t, %u = fact.predict %q, %qs, %q, %qs heads = 2 scale = 0.5 : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %m, %d, %x, %n = fact.select leading_one %t, %u keep = 800 dominance = 0.0 : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %a = fact.quantized_attention %q, %qs, %q, %qs, %q, %qs mask %m heads = 2 scale = 0.5
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  return %a, %m : tensor<?x16xf32>, tensor<2x?x?xi1>
}
