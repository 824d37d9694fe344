// A copy of a buffer with strides becomes linalg, one of dense buffers stays.
// RUN: fact-opt %s --fact-copies-to-loops | FileCheck %s

// CHECK-LABEL: func @slices(
// CHECK-SAME:    %[[X:.*]]: memref<?x8xf32, strided<[16, 1]>>, %[[Y:.*]]: memref<?x8xf32>)
// CHECK:         linalg.generic
// CHECK-SAME:      ins(%[[X]] : {{.*}}) outs(%[[Y]] :
// CHECK:           linalg.yield %in
// CHECK:         linalg.generic
// CHECK-SAME:      ins(%[[Y]] : {{.*}}) outs(%[[X]] :
// CHECK-NOT:     memref.copy
// CHECK:         return
func.func @slices(%x: memref<?x8xf32, strided<[16, 1]>>, %y: memref<?x8xf32>) {
  memref.copy %x, %y : memref<?x8xf32, strided<[16, 1]>> to memref<?x8xf32>
  memref.copy %y, %x : memref<?x8xf32> to memref<?x8xf32, strided<[16, 1]>>
  return
}

// CHECK-LABEL: func @dense(
// CHECK-NOT:     linalg.generic
// CHECK:         memref.copy
// CHECK-NEXT:    memref.copy
// CHECK-NEXT:    return
func.func @dense(%x: memref<?x8xf32>, %y: memref<?x8xf32>, %z: memref<4x8xf32, strided<[8, 1], offset: ?>>, %w: memref<4x8xf32>) {
  memref.copy %x, %y : memref<?x8xf32> to memref<?x8xf32>
  memref.copy %z, %w : memref<4x8xf32, strided<[8, 1], offset: ?>> to memref<4x8xf32>
  return
}
