// The pipeline raises, cleans up and outlines: two layers, each attention and a linear
// layer, as linalg ops, end as one function that main calls twice.
// RUN: fact-opt %s --fact-raise-pipeline | FileCheck %s --implicit-check-not=linalg.
// It is its passes in that order.
// RUN: fact-opt %s --fact-raise-pipeline -o %t.pipeline.mlir
// RUN: fact-opt %s --pass-pipeline='builtin.module(func.func(fact-raise),canonicalize,cse,fact-outline)' -o %t.passes.mlir
// RUN: cmp %t.pipeline.mlir %t.passes.mlir

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK:         %[[A:.*]] = call @encoder_layer(%[[X]], %{{.*}})
// CHECK-NEXT:    %[[B:.*]] = call @encoder_layer(%[[A]], %{{.*}})
// CHECK-NEXT:    return %[[B]]
// CHECK-LABEL: func.func private @encoder_layer(
// CHECK-NEXT:    %[[C:.*]] = fact.attention %{{.*}} heads = 1 scale = 1.0
// CHECK-NEXT:    %[[L:.*]] = fact.linear %[[C]], %{{.*}} :
// CHECK-NEXT:    return %[[L]]
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w0 = arith.constant dense<0.5> : tensor<4x4xf32>
  %w1 = arith.constant dense<0.25> : tensor<4x4xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %initk = tensor.empty(%length) : tensor<4x?xf32>
  %inits = tensor.empty(%length, %length) : tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>

  %k0 = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %s0 = linalg.matmul ins(%x, %k0 : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %p0 = linalg.softmax dimension(1) ins(%s0 : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %a0 = linalg.matmul ins(%p0, %x : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  %l0 = linalg.matmul ins(%a0, %w0 : tensor<?x4xf32>, tensor<4x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>

  %k1 = linalg.transpose ins(%l0 : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %s1 = linalg.matmul ins(%l0, %k1 : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %p1 = linalg.softmax dimension(1) ins(%s1 : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %a1 = linalg.matmul ins(%p1, %l0 : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  %l1 = linalg.matmul ins(%a1, %w1 : tensor<?x4xf32>, tensor<4x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %l1 : tensor<?x4xf32>
}
