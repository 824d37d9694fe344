// A phase goes over panels of rows; each part of it is a function. Rows are
// worked on 16 lanes at a time, one rounded operation each.
// RUN: fact-opt %s --fact-to-loops --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @add(
// CHECK-SAME:    %[[X:.*]]: memref<?x64xf32>, %[[Z:.*]]: memref<?x64xf32>) -> memref<?x64xf32>
// CHECK:         %[[Y:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x64xf32>
// CHECK:         call @phase(
// CHECK:         return %[[Y]]
func.func @add(%x: tensor<?x64xf32>, %z: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = fact.add %x, %z : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: func.func private @rows(
// CHECK:         scf.for %[[ROW:.*]] =
// CHECK:           scf.for %[[COLUMN:.*]] =
// CHECK:             %[[A:.*]] = vector.load %{{.*}} : memref<?xf32>, vector<16xf32>
// CHECK:             %[[B:.*]] = vector.load %{{.*}} : memref<?xf32>, vector<16xf32>
// CHECK:             %[[SUM:.*]] = arith.addf %[[A]], %[[B]] : vector<16xf32>
// CHECK:             vector.store %[[SUM]], %{{.*}} : memref<?xf32>, vector<16xf32>
// CHECK-NOT:     fastmath
// CHECK-LABEL: func.func private @panel(
// CHECK:         call @rows(
// CHECK-LABEL: func.func private @phase(
// CHECK:         scf.for
// CHECK:           func.call @panel(

// -----

// A row of 20 features ends in a chunk of 4, which is 4 lanes in memory only.
// CHECK-LABEL: func.func private @rows(
// CHECK:         vector.load %{{.*}} : memref<?xf32>, vector<16xf32>
// CHECK:         vector.load %{{.*}} : memref<?xf32>, vector<4xf32>
// CHECK:         vector.insert_strided_slice
// CHECK:         vector.extract_strided_slice
// CHECK:         vector.store %{{.*}} : memref<?xf32>, vector<4xf32>
func.func @tail(%x: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %y = fact.activation relu %x : tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// -----

// The mean token adds rows in order; a reduction of vectors would not.
// CHECK-LABEL: func.func private @mean_token(
// CHECK-SAME:    %[[X:.*]]: memref<?x16xf32>, %[[Y:.*]]: memref<1x16xf32>,
// CHECK:         %[[FIRST:.*]] = vector.load %[[X]]
// CHECK:         vector.store %[[FIRST]], %[[Y]]
// CHECK:         scf.for %[[ROW:.*]] =
// CHECK:           %[[NEXT:.*]] = vector.load %[[X]][%[[ROW]],
// CHECK:           %[[BEFORE:.*]] = vector.load %[[Y]]
// CHECK:           %[[SUM:.*]] = arith.addf %[[BEFORE]], %[[NEXT]] : vector<16xf32>
// CHECK:           vector.store %[[SUM]], %[[Y]]
// CHECK:         %[[ALL:.*]] = vector.load %[[Y]]
// CHECK:         arith.divf %[[ALL]], %{{.*}} : vector<16xf32>
func.func @mean(%x: tensor<?x16xf32>) -> tensor<1x16xf32> {
  %m = fact.mean_token %x : tensor<?x16xf32> -> tensor<1x16xf32>
  return %m : tensor<1x16xf32>
}

// -----

// The exponents of all heads of a row at once: 16 lanes of each are combined to
// a lane of each, by halves.
// CHECK-LABEL: func.func private @rows(
// CHECK:         scf.for %[[ROW:.*]] =
// CHECK:           scf.for %[[HEAD:.*]] =
// CHECK:             vector.store %{{.*}} : memref<64xf32>, vector<16xf32>
// CHECK-COUNT-3:   vector.load %{{.*}} : memref<64xf32>, vector<16xf32>
// CHECK:           vector.shuffle %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK:           vector.shuffle %{{.*}} [0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30]
// CHECK:           vector.shuffle %{{.*}} [1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31]
// CHECK-COUNT-2:   vector.store %{{.*}} : memref<32xf32>, vector<16xf32>
// CHECK:           scf.for %{{.*}} =
func.func @heads(%x: tensor<?x48xf32>) -> (tensor<?x48xi8>, tensor<3x?xf32>) {
  %q, %s = fact.quantize_heads %x heads = 3 : (tensor<?x48xf32>) -> (tensor<?x48xi8>, tensor<3x?xf32>)
  return %q, %s : tensor<?x48xi8>, tensor<3x?xf32>
}

// -----

// More than 16 heads: twice.
// CHECK-LABEL: func.func private @rows(
// CHECK:           vector.shuffle
// CHECK:           vector.store %{{.*}}, %[[EXPONENTS:.*]][%c0{{.*}}] : memref<48xf32>, vector<16xf32>
// CHECK:           vector.store %{{.*}}, %[[SCALES:.*]][%c0{{.*}}] : memref<48xf32>, vector<16xf32>
// CHECK:           vector.shuffle
// CHECK:           vector.store %{{.*}}, %[[EXPONENTS]][%c16{{.*}}] : memref<48xf32>, vector<16xf32>
// CHECK:           vector.store %{{.*}}, %[[SCALES]][%c16{{.*}}] : memref<48xf32>, vector<16xf32>
func.func @twenty_heads(%x: tensor<?x80xf32>, %rows: tensor<20x?xi1>) -> (tensor<?x80xi8>, tensor<20x?xf32>) {
  %q, %s = fact.quantize_heads %x rows %rows heads = 20 : (tensor<?x80xf32>, tensor<20x?xi1>) -> (tensor<?x80xi8>, tensor<20x?xf32>)
  return %q, %s : tensor<?x80xi8>, tensor<20x?xf32>
}
