// RUN: fact-opt %s --fact-assume-positions | FileCheck %s
// RUN: fact-opt %s --fact-assume-positions --remarks-filter=fact-assume-positions 2>&1 | FileCheck %s --check-prefix=REMARK

#ij = affine_map<(d0, d1) -> (d0, d1)>
#i = affine_map<(d0, d1) -> (d0)>
#j = affine_map<(d0, d1) -> (d1)>

// CHECK-LABEL: func @computed
// CHECK-SAME: %[[P:.*]]: tensor<?xi64> {fact.positions}
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xi64>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: %[[I:.*]] = linalg.index 0
// CHECK-NEXT: %[[N:.*]] = arith.index_cast %[[I]] : index to i64
// CHECK-NEXT: linalg.yield %[[N]]
func.func @computed(%x: tensor<?x4xf32>, %p: tensor<?xi64>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %p, %c0 : tensor<?xi64>
  %w = arith.constant dense<[1.0, 0.1, 0.01, 0.001]> : tensor<4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %cos = linalg.generic {indexing_maps = [#i, #j, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%p, %w : tensor<?xi64>, tensor<4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%a: i64, %b: f32, %c: f32):
    %f = arith.sitofp %a : i64 to f32
    %g = arith.mulf %f, %b : f32
    %h = math.cos %g : f32
    linalg.yield %h : f32
  } -> tensor<?x4xf32>
  %y = linalg.mul ins(%x, %cos : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Angles that are added, as embeddings of positions are, may be those of any positions.
// CHECK-LABEL: func @added
// CHECK-NOT: fact.positions
func.func @added(%x: tensor<?x4xf32>, %p: tensor<?xi64>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %p, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %cos = linalg.generic {indexing_maps = [#i, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<?xi64>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%a: i64, %c: f32):
    %f = arith.sitofp %a : i64 to f32
    %h = math.cos %f : f32
    linalg.yield %h : f32
  } -> tensor<?x4xf32>
  %y = linalg.add ins(%x, %cos : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Numbers that a table gives are angles only where they are cosines and sines.
// CHECK-LABEL: func @looked_up
// CHECK-NOT: fact.positions
func.func @looked_up(%x: tensor<?x2xf32>, %p: tensor<?xi64>) -> tensor<?x2xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %p, %c0 : tensor<?xi64>
  %t = arith.constant dense<[[1.0, 0.5], [0.3, 2.0], [4.0, 0.2]]> : tensor<3x2xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %row = linalg.generic {indexing_maps = [#i, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<?xi64>) outs(%e : tensor<?x2xf32>) {
  ^bb0(%a: i64, %c: f32):
    %at = arith.index_cast %a : i64 to index
    %j = linalg.index 1 : index
    %v = tensor.extract %t[%at, %j] : tensor<3x2xf32>
    linalg.yield %v : f32
  } -> tensor<?x2xf32>
  %y = linalg.mul ins(%x, %row : tensor<?x2xf32>, tensor<?x2xf32>) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Nor are those of tables that differ in length.
// CHECK-LABEL: func @other_lengths
// CHECK-NOT: fact.positions
func.func @other_lengths(%x: tensor<?x1xf32>, %p: tensor<?xi64>) -> tensor<?x1xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %p, %c0 : tensor<?xi64>
  %t = arith.constant dense<[[1.0], [0.0], [1.0]]> : tensor<3x1xf32>
  %u = arith.constant dense<[[0.0]]> : tensor<1x1xf32>
  %e = tensor.empty(%n) : tensor<?x1xf32>
  %row = linalg.generic {indexing_maps = [#i, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<?xi64>) outs(%e : tensor<?x1xf32>) {
  ^bb0(%a: i64, %c: f32):
    %at = arith.index_cast %a : i64 to index
    %j = linalg.index 1 : index
    %v = tensor.extract %t[%at, %j] : tensor<3x1xf32>
    %w = tensor.extract %u[%j, %j] : tensor<1x1xf32>
    %s = arith.addf %v, %w : f32
    linalg.yield %s : f32
  } -> tensor<?x1xf32>
  %y = linalg.mul ins(%x, %row : tensor<?x1xf32>, tensor<?x1xf32>) outs(%e : tensor<?x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// A number of the whole sequence is no position, nor are those of several sequences or axes.
// CHECK-LABEL: func @step
// CHECK-NOT: fact.positions
func.func @step(%x: tensor<?x4xf32>, %t: tensor<1xi64>, %b: tensor<2x?xi64>, %c: tensor<?x1xi64>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %one = tensor.empty() : tensor<1xf32>
  %cos = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%t : tensor<1xi64>) outs(%one : tensor<1xf32>) {
  ^bb0(%a: i64, %o: f32):
    %f = arith.sitofp %a : i64 to f32
    %h = math.cos %f : f32
    linalg.yield %h : f32
  } -> tensor<1xf32>
  %two = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (1, d0)>, affine_map<(d0, d1) -> (d0, 0)>, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%b, %c : tensor<2x?xi64>, tensor<?x1xi64>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%a: i64, %d: i64, %o: f32):
    %g = arith.addi %a, %d : i64
    %f = arith.sitofp %g : i64 to f32
    %h = math.cos %f : f32
    linalg.yield %h : f32
  } -> tensor<?x4xf32>
  %z = linalg.generic {indexing_maps = [#ij, affine_map<(d0, d1) -> (0)>, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%x, %cos : tensor<?x4xf32>, tensor<1xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%a: f32, %d: f32, %o: f32):
    %m = arith.mulf %a, %d : f32
    linalg.yield %m : f32
  } -> tensor<?x4xf32>
  %y = linalg.mul ins(%z, %two : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @both
// CHECK-NOT: fact.positions
// REMARK-COUNT-1: PositionsAssumed
// REMARK-COUNT-2: PositionsNotAssumed{{.*}}the table is not one of cosines and sines
// REMARK: PositionsNotAssumed{{.*}}positions that are an input turn features, and are read for something else, too
// REMARK-NOT: Positions
func.func @both(%x: tensor<?x4xf32>, %p: tensor<?xi64>) -> (tensor<?x4xf32>, tensor<?xi64>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %p, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %cos = linalg.generic {indexing_maps = [#i, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<?xi64>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%a: i64, %c: f32):
    %f = arith.sitofp %a : i64 to f32
    %h = math.sin %f : f32
    linalg.yield %h : f32
  } -> tensor<?x4xf32>
  %y = linalg.mul ins(%x, %cos : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y, %p : tensor<?x4xf32>, tensor<?xi64>
}
