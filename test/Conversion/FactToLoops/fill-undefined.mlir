// With the test mode, a result is full of garbage before its rows are computed.
// RUN: fact-opt %s --fact-to-loops="fill-undefined=true" | FileCheck %s
// RUN: fact-opt %s --fact-to-loops | FileCheck %s --check-prefix=NORMAL

// CHECK-LABEL: func.func @heads(
// CHECK-DAG:     arith.constant -91 : i8
// CHECK-DAG:     arith.constant 0x7FC00000 : f32
// NORMAL-NOT:    0x7FC00000
func.func @heads(%x: tensor<?x16xf32>, %rows: tensor<2x?xi1>) -> (tensor<?x16xi8>, tensor<2x?xf32>) {
  %q, %s = fact.quantize_heads %x rows %rows heads = 2
    : (tensor<?x16xf32>, tensor<2x?xi1>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  return %q, %s : tensor<?x16xi8>, tensor<2x?xf32>
}
