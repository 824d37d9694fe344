// Ops that are linked by rows are one phase; it ends where all rows are needed.
// What a phase keeps to itself is never as long as the sequence, and what
// follows a product element by element is computed with its sums.
// RUN: fact-opt %s --fact-to-loops --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @feed_forward(
// CHECK-NOT:     memref<?x128xf32>
// CHECK:         call @phase(
// CHECK-NOT:     call
// CHECK:         return
func.func @feed_forward(%x: tensor<?x64xf32>, %w1: tensor<64x128xi8>, %s1: tensor<128xf32>, %b1: tensor<128xf32>,
                        %w2: tensor<128x64xi8>, %s2: tensor<64xf32>, %g: tensor<64xf32>) -> tensor<?x64xf32> {
  %q, %s = fact.quantize_rows %x : (tensor<?x64xf32>) -> (tensor<?x64xi8>, tensor<?xf32>)
  %h = fact.quantized_linear %q, %s, %w1, %s1 bias %b1
    : (tensor<?x64xi8>, tensor<?xf32>, tensor<64x128xi8>, tensor<128xf32>, tensor<128xf32>) -> tensor<?x128xf32>
  %a = fact.activation gelu %h : tensor<?x128xf32>
  %q2, %r = fact.quantize_rows %a : (tensor<?x128xf32>) -> (tensor<?x128xi8>, tensor<?xf32>)
  %y = fact.quantized_linear %q2, %r, %w2, %s2
    : (tensor<?x128xi8>, tensor<?xf32>, tensor<128x64xi8>, tensor<64xf32>) -> tensor<?x64xf32>
  %z = fact.add %x, %y : tensor<?x64xf32>
  %n = fact.norm rms %z, %g eps = 1.0e-6 : tensor<?x64xf32>, tensor<64xf32>
  return %n : tensor<?x64xf32>
}

// GELU and the sum are parts of products: the phase has two of these, and three
// sweeps over rows (the first quantization, the second, the norm).
// CHECK-LABEL: func.func private @panel(
// CHECK:           call @rows(
// CHECK:           call @product(
// CHECK:           call @rows_{{[0-9]+}}(
// CHECK:           call @product_{{[0-9]+}}(
// CHECK:           call @rows_{{[0-9]+}}(
// CHECK-NOT:       call
// CHECK-LABEL: func.func private @phase(
// CHECK:         scf.for
// CHECK:           call @panel(
// CHECK:         {fact_parallel}

// -----

// Attention needs all keys and values, and the rows of its queries alone.
// CHECK-LABEL: func.func @attention(
// CHECK:         call @phase(
// CHECK:         call @phase_{{[0-9]+}}(
// CHECK-NOT:     call
// CHECK:         return
func.func @attention(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %q, %s = fact.quantize_heads %x heads = 2 : (tensor<?x32xf32>) -> (tensor<?x32xi8>, tensor<2x?xf32>)
  %c = fact.quantized_attention %q, %s, %q, %s, %q, %s heads = 2 scale = 0.25
    : (tensor<?x32xi8>, tensor<2x?xf32>, tensor<?x32xi8>, tensor<2x?xf32>, tensor<?x32xi8>, tensor<2x?xf32>) -> tensor<?x32xf32>
  %y = fact.add %x, %c : tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// Layers of one shape share their functions, whatever their weights.
// CHECK-LABEL: func.func @twice(
// CHECK:         call @[[PHASE:phase]](
// CHECK:         call @opaque
// CHECK:         call @[[PHASE]](
// CHECK:         return
// CHECK:         func.func private @product(
// CHECK-NOT:     func.func private @product
func.func private @opaque(tensor<?x32xf32>) -> tensor<?x32xf32>
func.func @twice(%x: tensor<?x32xf32>, %v: tensor<32x32xi8>, %w: tensor<32x32xi8>, %ws: tensor<32xf32>) -> tensor<?x32xf32> {
  %q, %s = fact.quantize_rows %x : (tensor<?x32xf32>) -> (tensor<?x32xi8>, tensor<?xf32>)
  %y = fact.quantized_linear %q, %s, %v, %ws
    : (tensor<?x32xi8>, tensor<?xf32>, tensor<32x32xi8>, tensor<32xf32>) -> tensor<?x32xf32>
  %z = call @opaque(%y) : (tensor<?x32xf32>) -> tensor<?x32xf32>
  %q2, %s2 = fact.quantize_rows %z : (tensor<?x32xf32>) -> (tensor<?x32xi8>, tensor<?xf32>)
  %u = fact.quantized_linear %q2, %s2, %w, %ws
    : (tensor<?x32xi8>, tensor<?xf32>, tensor<32x32xi8>, tensor<32xf32>) -> tensor<?x32xf32>
  return %u : tensor<?x32xf32>
}
