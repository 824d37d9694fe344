// What a profiled module says: where regions begin and end, their work, and
// their names and sources in order.
// RUN: fact-opt %s --fact-to-loops="tier=avx2 profile" | FileCheck %s

// CHECK:      module attributes {fact.profile_regions = [{name = "phase", ops = ["quantize_rows", "quantized_linear", "activation"], source = #
// CHECK-SAME: {name = "panel", ops = [], source = #
// CHECK-SAME: {name = "rows", ops = ["quantize_rows"], source = #
// CHECK-SAME: {name = "product", ops = ["quantized_linear", "activation"], source = #

// Of each row 32 * 48 multiplications, and 32 codes and 48 floats; the weight's codes.
// CHECK-LABEL: func.func private @product(
// CHECK-SAME:    %[[ROWS:.*]]: index, %{{.*}}: memref<1536xi8>
// CHECK:         call @fact_profile_enter(%c3_i64)
// CHECK:         %[[MULTIPLICATIONS:.*]] = arith.muli %[[ROWS]], %c1536
// CHECK:         %[[OFROWS:.*]] = arith.muli %[[ROWS]], %c224
// CHECK:         %[[BYTES:.*]] = arith.addi %[[OFROWS]], %c1536
// CHECK:         %[[M:.*]] = arith.index_cast %[[MULTIPLICATIONS]]
// CHECK:         %[[B:.*]] = arith.index_cast %[[BYTES]]
// CHECK:         call @fact_profile_work(%[[M]], %[[B]])
// CHECK:         call @fact_profile_leave()
// CHECK-NEXT:    return
func.func @main(%x: tensor<10x32xf32>, %w: tensor<32x48xi8>, %ws: tensor<48xf32>) -> tensor<10x48xf32> {
  %q, %s = fact.quantize_rows %x : (tensor<10x32xf32>) -> (tensor<10x32xi8>, tensor<10xf32>)
  %h = fact.quantized_linear %q, %s, %w, %ws : (tensor<10x32xi8>, tensor<10xf32>, tensor<32x48xi8>, tensor<48xf32>) -> tensor<10x48xf32>
  %y = fact.activation gelu %h : tensor<10x48xf32>
  return %y : tensor<10x48xf32>
}
