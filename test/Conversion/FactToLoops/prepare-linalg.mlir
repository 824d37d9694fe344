// RUN: fact-opt %s --fact-prepare-linalg | FileCheck %s

// Sums over k stay in order; the innermost loop runs along rows.
// CHECK-LABEL: func.func @products(
// CHECK:         linalg.generic {{{.*}} iterator_types = ["parallel", "reduction", "parallel"]} ins(%{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<8x4xf32>)
// CHECK:         linalg.generic {{{.*}} iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
// CHECK-NOT:     matmul
func.func @products(%a: tensor<?x8xf32>, %b: tensor<8x4xf32>, %c: tensor<?x4xf32>, %d: tensor<2x?x4xf32>, %e: tensor<2x4x?xf32>, %f: tensor<2x?x?xf32>) -> (tensor<?x4xf32>, tensor<2x?x?xf32>) {
  %0 = linalg.matmul ins(%a, %b : tensor<?x8xf32>, tensor<8x4xf32>) outs(%c : tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = linalg.batch_matmul ins(%d, %e : tensor<2x?x4xf32>, tensor<2x4x?xf32>) outs(%f : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<2x?x?xf32>
}

// CHECK-LABEL: func.func @softmax(
// CHECK:         arith.maximumf
// CHECK:         arith.subf
// CHECK:         math.exp
// CHECK:         arith.addf
// CHECK:         arith.divf
// CHECK-NOT:     linalg.softmax
func.func @softmax(%x: tensor<?x?xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = linalg.softmax dimension(0) ins(%x : tensor<?x?xf32>) outs(%y : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// Everything else stays.
// CHECK-LABEL: func.func @others(
// CHECK:         fact.add
// CHECK:         linalg.transpose
func.func @others(%x: tensor<?x8xf32>, %y: tensor<8x?xf32>) -> tensor<8x?xf32> {
  %0 = fact.add %x, %x : tensor<?x8xf32>
  %1 = linalg.transpose ins(%0 : tensor<?x8xf32>) outs(%y : tensor<8x?xf32>) permutation = [1, 0]
  return %1 : tensor<8x?xf32>
}
