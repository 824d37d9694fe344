// The installed MLIR parses and verifies the forms that everything here starts
// from, and FileCheck and `not` are those of the suite.
// RUN: mlir-opt %s | FileCheck %s
// RUN: not FileCheck %s --check-prefix=ABSENT --input-file=%s

// CHECK-LABEL: func.func @linear(
// CHECK-SAME:    %[[X:.*]]: tensor<?x64xf32>, %[[W:.*]]: tensor<64x32xf32>, %[[INIT:.*]]: tensor<?x32xf32>
// CHECK:         linalg.matmul ins(%[[X]], %[[W]] : {{.*}}) outs(%[[INIT]] : {{.*}}) -> tensor<?x32xf32>
// ABSENT:      this line {{is}} nowhere
func.func @linear(%x: tensor<?x64xf32>, %w: tensor<64x32xf32>, %init: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<?x64xf32>, tensor<64x32xf32>) outs(%init : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
