// Weights that are constants are packed while compiling, through calls too:
// groups of 16 columns, pairs or quads of rows next to each other.
// RUN: fact-opt %s --fact-to-loops="tier=avx2" | FileCheck %s --check-prefixes=CHECK,PAIR
// RUN: fact-opt %s --fact-to-loops="tier=avx512vnni" | FileCheck %s --check-prefixes=CHECK,QUAD

// 4 rows, 2 columns: 1 2 / 3 4 / 5 6 / 7 8.
// PAIR: memref.global "private" constant @{{.*}} : memref<64xi8> = dense<[1, 3, 2, 4, 0, {{.*}}0, 5, 7, 6, 8, 0,
// QUAD-DAG: memref.global "private" constant @{{.*}} : memref<64xi8> = dense<[1, 3, 5, 7, 2, 4, 6, 8, 0,
// -128 times the sums of the columns, where rows are stored as code + 128.
// QUAD-DAG: memref.global "private" constant @{{.*}} : memref<16xi32> = dense<[-2048, -2560, 0,
// CHECK-NOT: memref<4x2xi8>
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8]]> : tensor<4x2xi8>
  %ws = arith.constant dense<1.0> : tensor<2xf32>
  %y = call @layer(%x, %w, %ws) : (tensor<?x4xf32>, tensor<4x2xi8>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
func.func private @layer(%x: tensor<?x4xf32>, %w: tensor<4x2xi8>, %ws: tensor<2xf32>) -> tensor<?x2xf32> {
  %q, %s = fact.quantize_rows %x : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?xf32>)
  %y = fact.quantized_linear %q, %s, %w, %ws
    : (tensor<?x4xi8>, tensor<?xf32>, tensor<4x2xi8>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
