// RUN: fact-opt %s --fact-linalg-to-vector='lanes=8 rows=4 vectors=2' --split-input-file | FileCheck %s

// 37 columns are two tiles of 16 and one of 5; seven rows are four and three. The sum
// runs inside, over tiles in registers.
// CHECK-LABEL: func.func @product(
// CHECK-DAG:     %[[A:.*]] = memref.reinterpret_cast %arg0 to offset: [0], sizes: [63], strides: [1]
// CHECK-DAG:     %[[B:.*]] = memref.reinterpret_cast %arg1 to offset: [0], sizes: [333], strides: [1]
// CHECK:         scf.for %{{.*}} = %c0{{.*}} to %c32{{.*}} step %c16
// CHECK:           %[[SUMS:.*]]:8 = scf.for
// CHECK-SAME:        -> (vector<8xf32>
// CHECK-COUNT-2:     vector.load %[[B]]
// CHECK:             vector.broadcast
// CHECK:             arith.mulf
// CHECK-NEXT:        arith.addf
// CHECK:             scf.yield
// CHECK:           vector.store %[[SUMS]]#0
// CHECK:           scf.for
// CHECK-SAME:        -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK:         scf.for
// CHECK-SAME:      -> (vector<5xf32>, vector<5xf32>, vector<5xf32>, vector<5xf32>)
// CHECK-NOT:     linalg
func.func @product(%a: memref<7x9xf32>, %b: memref<9x37xf32>, %c: memref<7x37xf32>) {
  linalg.matmul ins(%a, %b : memref<7x9xf32>, memref<9x37xf32>) outs(%c : memref<7x37xf32>)
  return
}

// -----

// Both dimensions of a picture are one loop; what is left over by an open one goes
// element by element.
// CHECK-LABEL: func.func @copies(
// CHECK:         scf.for %{{.*}} = %c0{{.*}} to %c48{{.*}} step %c8
// CHECK:           vector.load {{.*}} : memref<51xf32, strided<[1]>>, vector<8xf32>
// CHECK:         vector.load {{.*}} : memref<51xf32, strided<[1]>>, vector<3xf32>
// CHECK:         scf.for %{{.*}} step %c8
// CHECK:           vector.store
// CHECK:         scf.for %{{.*}} step %c1
// CHECK:           memref.store
func.func @copies(%a: memref<3x17xf32>, %b: memref<3x17xf32>, %c: memref<?xf32>, %d: memref<?xf32>) {
  linalg.copy ins(%a : memref<3x17xf32>) outs(%b : memref<3x17xf32>)
  linalg.copy ins(%c : memref<?xf32>) outs(%d : memref<?xf32>)
  return
}

// -----

// Every other element: of two vectors, the second of which ends at the last one.
// CHECK-LABEL: func.func @strided(
// CHECK:         vector.shuffle %{{.*}}, %{{.*}} [0, 2, 4, 6, 9, 11, 13, 15] : vector<8xf32>, vector<8xf32>
#in = affine_map<(x, k) -> (x * 2 + k)>
#window = affine_map<(x, k) -> (k)>
#out = affine_map<(x, k) -> (x)>
func.func @strided(%a: memref<17xf32>, %w: memref<2xf32>, %b: memref<8xf32>) {
  linalg.generic {indexing_maps = [#in, #window, #out], iterator_types = ["parallel", "reduction"]} ins(%a, %w : memref<17xf32>, memref<2xf32>) outs(%b : memref<8xf32>) {
  ^bb0(%x: f32, %k: f32, %y: f32):
    %0 = arith.mulf %x, %k : f32
    %1 = arith.addf %y, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// Sums along rows are scalars, four rows at once.
// CHECK-LABEL: func.func @sums(
// CHECK:         %{{.*}}:4 = scf.for {{.*}} -> (f32, f32, f32, f32)
// CHECK-NOT:     vector
func.func @sums(%a: memref<8x100xf32>, %b: memref<8xf32>) {
  linalg.reduce ins(%a : memref<8x100xf32>) outs(%b : memref<8xf32>) dimensions = [1] (%x: f32, %y: f32) {
    %0 = arith.addf %x, %y : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// What has no such loops stays.
// CHECK-LABEL: func.func @left(
// CHECK-COUNT-2: linalg.generic
#row = affine_map<(x) -> (x)>
#turn = affine_map<(x) -> (x mod 4)>
func.func @left(%a: memref<4xf32>, %b: memref<8xf32>, %c: memref<8xindex>) {
  linalg.generic {indexing_maps = [#turn, #row], iterator_types = ["parallel"]} ins(%a : memref<4xf32>) outs(%b : memref<8xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#row], iterator_types = ["parallel"]} outs(%c : memref<8xindex>) {
  ^bb0(%y: index):
    %0 = linalg.index 0 : index
    linalg.yield %0 : index
  }
  return
}
