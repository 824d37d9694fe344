// RUN: fact-opt %s --fact-flatten-constants | FileCheck %s

// CHECK: memref.global "private" constant @weight : memref<4xf32> = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> {alignment = 64 : i64}
memref.global "private" constant @weight : memref<4x1x1xf32> = dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> {alignment = 64 : i64}
// CHECK: memref.global "private" constant @flat : memref<4xi8> = dense<1>
memref.global "private" constant @flat : memref<4xi8> = dense<1>
// CHECK: memref.global "private" @memory : memref<2x2xf32> = uninitialized
memref.global "private" @memory : memref<2x2xf32> = uninitialized

// CHECK-LABEL: func.func @read(
// CHECK:         %[[FLAT:.*]] = memref.get_global @weight : memref<4xf32>
// CHECK:         %[[SHAPED:.*]] = memref.expand_shape %[[FLAT]] {{\[\[}}0, 1, 2]] output_shape [4, 1, 1] : memref<4xf32> into memref<4x1x1xf32>
// CHECK:         memref.get_global @flat : memref<4xi8>
// CHECK:         memref.get_global @memory : memref<2x2xf32>
// CHECK:         return %[[SHAPED]]
func.func @read() -> (memref<4x1x1xf32>, memref<4xi8>, memref<2x2xf32>) {
  %0 = memref.get_global @weight : memref<4x1x1xf32>
  %1 = memref.get_global @flat : memref<4xi8>
  %2 = memref.get_global @memory : memref<2x2xf32>
  return %0, %1, %2 : memref<4x1x1xf32>, memref<4xi8>, memref<2x2xf32>
}
