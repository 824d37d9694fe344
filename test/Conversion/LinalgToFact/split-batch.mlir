// A model of a batch becomes one of a single sequence where every op works on each by itself.
// What such models compute: test/Import/batches.test.
// RUN: fact-opt %s --split-input-file --fact-split-batch --canonicalize | FileCheck %s
// RUN: fact-opt %s --split-input-file --fact-split-batch --remarks-filter=fact-split-batch 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// The batch merged with heads, and with tokens; a constant that is the same for all.
// CHECK-LABEL: func.func @merged(
// CHECK-SAME:  %[[X:.*]]: tensor<1x?x8xf32> {fact.batch = array<i64: 0, 3>, fact.name = "x"}) -> (tensor<1x?x8xf32> {fact.batch = array<i64: 0, 3>})
// CHECK-DAG:   %[[TABLE:.*]] = arith.constant dense<{{.*}}> : tensor<1x8xf32>
// CHECK:       tensor.collapse_shape %[[X]] {{\[\[0, 1\], \[2\]\]}} : tensor<1x?x8xf32> into tensor<?x8xf32>
// CHECK:       tensor.expand_shape {{.*}} : tensor<?x8xf32> into tensor<1x?x2x4xf32>
// CHECK:       linalg.transpose {{.*}} outs({{.*}} : tensor<1x2x?x4xf32>)
// CHECK:       tensor.collapse_shape {{.*}} : tensor<1x2x?x4xf32> into tensor<2x?x4xf32>
// CHECK:       linalg.softmax dimension(2) ins({{.*}} : tensor<2x?x4xf32>)
// CHECK:       linalg.generic {{.*}} ins({{.*}}, %[[TABLE]] : tensor<1x?x8xf32>, tensor<1x8xf32>)
// REMARK:      remark: [Passed] BatchSplit {{.*}} Function=merged | Sequences=3
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#table = affine_map<(d0, d1, d2) -> (d0, d2)>
func.func @merged(%x: tensor<3x?x8xf32> {fact.name = "x"}) -> tensor<3x?x8xf32> {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %table = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]]> : tensor<3x8xf32>
  %length = tensor.dim %x, %c1 : tensor<3x?x8xf32>
  %tokens = tensor.collapse_shape %x [[0, 1], [2]] : tensor<3x?x8xf32> into tensor<?x8xf32>
  %all = arith.muli %length, %c3 : index
  %init = tensor.empty(%all) : tensor<?x8xf32>
  %exp = linalg.exp ins(%tokens : tensor<?x8xf32>) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  %heads = tensor.expand_shape %exp [[0, 1], [2, 3]] output_shape [3, %length, 2, 4] : tensor<?x8xf32> into tensor<3x?x2x4xf32>
  %init1 = tensor.empty(%length) : tensor<3x2x?x4xf32>
  %byHead = linalg.transpose ins(%heads : tensor<3x?x2x4xf32>) outs(%init1 : tensor<3x2x?x4xf32>) permutation = [0, 2, 1, 3]
  %inBatch = tensor.collapse_shape %byHead [[0, 1], [2], [3]] : tensor<3x2x?x4xf32> into tensor<6x?x4xf32>
  %init2 = tensor.empty(%length) : tensor<6x?x4xf32>
  %soft = linalg.softmax dimension(2) ins(%inBatch : tensor<6x?x4xf32>) outs(%init2 : tensor<6x?x4xf32>) -> tensor<6x?x4xf32>
  %apart = tensor.expand_shape %soft [[0, 1], [2], [3]] output_shape [3, 2, %length, 4] : tensor<6x?x4xf32> into tensor<3x2x?x4xf32>
  %init3 = tensor.empty(%length) : tensor<3x?x2x4xf32>
  %back = linalg.transpose ins(%apart : tensor<3x2x?x4xf32>) outs(%init3 : tensor<3x?x2x4xf32>) permutation = [0, 2, 1, 3]
  %rows = tensor.collapse_shape %back [[0], [1], [2, 3]] : tensor<3x?x2x4xf32> into tensor<3x?x8xf32>
  %init4 = tensor.empty(%length) : tensor<3x?x8xf32>
  %sum = linalg.generic {indexing_maps = [#map3, #table, #map3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%rows, %table : tensor<3x?x8xf32>, tensor<3x8xf32>) outs(%init4 : tensor<3x?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<3x?x8xf32>
  return %sum : tensor<3x?x8xf32>
}

// -----

// Behind the length, merged in front of the heads of its own, in rows of all and back.
// CHECK-LABEL: func.func @second(
// CHECK-SAME:  %{{.*}}: tensor<?x1x8xf32> {fact.batch = array<i64: 1, 3>}) -> (tensor<?x1x8xf32> {fact.batch = array<i64: 1, 3>})
// CHECK:       linalg.exp ins({{.*}} : tensor<?x8xf32>)
// CHECK:       tensor.expand_shape {{.*}} into tensor<?x1x8xf32>
// REMARK:      remark: [Passed] BatchSplit {{.*}} Function=second | Sequences=3
func.func @second(%x: tensor<?x3x8xf32>) -> tensor<?x3x8xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %length = tensor.dim %x, %c0 : tensor<?x3x8xf32>
  %flat = tensor.collapse_shape %x [[0], [1, 2]] : tensor<?x3x8xf32> into tensor<?x24xf32>
  %heads = tensor.expand_shape %flat [[0], [1, 2]] output_shape [%length, 6, 4] : tensor<?x24xf32> into tensor<?x6x4xf32>
  %one = tensor.collapse_shape %heads [[0, 1, 2]] : tensor<?x6x4xf32> into tensor<?xf32>
  %all = arith.muli %length, %c3 : index
  %rows = tensor.expand_shape %one [[0, 1]] output_shape [%all, 8] : tensor<?xf32> into tensor<?x8xf32>
  %init = tensor.empty(%all) : tensor<?x8xf32>
  %exp = linalg.exp ins(%rows : tensor<?x8xf32>) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = tensor.expand_shape %exp [[0, 1], [2]] output_shape [%length, 3, 8] : tensor<?x8xf32> into tensor<?x3x8xf32>
  return %y : tensor<?x3x8xf32>
}

// -----

// An embedding of ids, one table for all; what does not depend on an argument is made for
// one sequence, too. Any number of sequences stays any number.
// CHECK-LABEL: func.func @ids(
// CHECK-SAME:  %[[IDS:.*]]: tensor<1x?xi64> {fact.batch = array<i64: 0, 0>}) -> (tensor<1x?x4xf32> {fact.batch = array<i64: 0, 0>})
// CHECK:       linalg.generic {{.*}} outs({{.*}} : tensor<1x?x4xf32>)
// CHECK:         tensor.extract %[[IDS]][%{{.*}}, %{{.*}}] : tensor<1x?xi64>
// REMARK:      remark: [Passed] BatchSplit {{.*}} Function=ids | Sequences=2
#ids = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#pair = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1, d2) -> (d0, d2)>
func.func @ids(%ids: tensor<2x?xi64> {fact.batch = array<i64: 0, 0>}) -> tensor<2x?x4xf32> {
  %c1 = arith.constant 1 : index
  %table = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]> : tensor<2x4xf32>
  %length = tensor.dim %ids, %c1 : tensor<2x?xi64>
  %init = tensor.empty(%length) : tensor<2x?x4xf32>
  %rows = linalg.generic {indexing_maps = [#ids], iterator_types = ["parallel", "parallel", "parallel"]} outs(%init : tensor<2x?x4xf32>) {
  ^bb0(%out: f32):
    %b = linalg.index 0 : index
    %i = linalg.index 1 : index
    %c = linalg.index 2 : index
    %id = tensor.extract %ids[%b, %i] : tensor<2x?xi64>
    %at = arith.index_cast %id : i64 to index
    %v = tensor.extract %table[%at, %c] : tensor<2x4xf32>
    linalg.yield %v : f32
  } -> tensor<2x?x4xf32>
  %init1 = tensor.empty() : tensor<2x4xf32>
  %same = linalg.generic {indexing_maps = [#pair], iterator_types = ["parallel", "parallel"]} outs(%init1 : tensor<2x4xf32>) {
  ^bb0(%out: f32):
    %c = linalg.index 1 : index
    %n = arith.index_cast %c : index to i32
    %f = arith.sitofp %n : i32 to f32
    linalg.yield %f : f32
  } -> tensor<2x4xf32>
  %sum = linalg.generic {indexing_maps = [#ids, #row, #ids], iterator_types = ["parallel", "parallel", "parallel"]} ins(%rows, %same : tensor<2x?x4xf32>, tensor<2x4xf32>) outs(%init : tensor<2x?x4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x?x4xf32>
  return %sum : tensor<2x?x4xf32>
}

// -----

// What mixes sequences leaves all of the function as it is, and is named.
// CHECK-LABEL: func.func @ownIndex(%{{.*}}: tensor<3x?x8xf32>) -> tensor<3x?x8xf32>
// REMARK:      split-batch.mlir:[[# @LINE + 6]]:{{.*}}: remark: [Missed] BatchNotSplit {{.*}} Reason="it does something else for each sequence (of a batch of 3)"
#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @ownIndex(%x: tensor<3x?x8xf32>) -> tensor<3x?x8xf32> {
  %c1 = arith.constant 1 : index
  %length = tensor.dim %x, %c1 : tensor<3x?x8xf32>
  %init = tensor.empty(%length) : tensor<3x?x8xf32>
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<3x?x8xf32>) outs(%init : tensor<3x?x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %b = linalg.index 0 : index
    %n = arith.index_cast %b : index to i32
    %f = arith.sitofp %n : i32 to f32
    %s = arith.addf %a, %f : f32
    linalg.yield %s : f32
  } -> tensor<3x?x8xf32>
  return %y : tensor<3x?x8xf32>
}

// -----

// CHECK-LABEL: func.func @cut(%{{.*}}: tensor<4x?x8xf32>) -> tensor<2x?x8xf32>
// REMARK:      remark: [Missed] BatchNotSplit {{.*}} Reason="its reshape mixes the batch with other extents (of a batch of 4)"
func.func @cut(%x: tensor<4x?x8xf32>) -> tensor<2x?x8xf32> {
  %c1 = arith.constant 1 : index
  %length = tensor.dim %x, %c1 : tensor<4x?x8xf32>
  %cut = tensor.expand_shape %x [[0, 1], [2], [3]] output_shape [2, 2, %length, 8] : tensor<4x?x8xf32> into tensor<2x2x?x8xf32>
  %part = tensor.extract_slice %cut[0, 0, 0, 0] [2, 1, %length, 8] [1, 1, 1, 1] : tensor<2x2x?x8xf32> to tensor<2x?x8xf32>
  return %part : tensor<2x?x8xf32>
}

// -----

// CHECK-LABEL: func.func @first_two(%{{.*}}: tensor<3x1x8xf32>) -> tensor<2x1x8xf32>
// REMARK:      remark: [Missed] BatchNotSplit {{.*}} Reason="it looks up elements of some of the sequences (of a batch of 3)"
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @first_two(%x: tensor<3x1x8xf32>) -> tensor<2x1x8xf32> {
  %init = tensor.empty() : tensor<2x1x8xf32>
  %y = linalg.generic {indexing_maps = [#map3], iterator_types = ["parallel", "parallel", "parallel"]} outs(%init : tensor<2x1x8xf32>) {
  ^bb0(%out: f32):
    %a = linalg.index 0 : index
    %b = linalg.index 1 : index
    %c = linalg.index 2 : index
    %v = tensor.extract %x[%a, %b, %c] : tensor<3x1x8xf32>
    linalg.yield %v : f32
  } -> tensor<2x1x8xf32>
  return %y : tensor<2x1x8xf32>
}

// -----

// CHECK-LABEL: func.func @no_sequence(%{{.*}}: tensor<0x2x8xf32>)
func.func @no_sequence(%x: tensor<0x2x8xf32>) -> tensor<0x2x8xf32> {
  %a = tensor.collapse_shape %x [[0, 1], [2]] : tensor<0x2x8xf32> into tensor<0x8xf32>
  %b = tensor.expand_shape %a [[0, 1], [2]] output_shape [0, 2, 8] : tensor<0x8xf32> into tensor<0x2x8xf32>
  return %b : tensor<0x2x8xf32>
}

// -----

// Where arguments say what the batch is, one that does not is shared by all sequences, however many rows it has.
// CHECK-LABEL: func.func @shared(
// CHECK-SAME:  %[[X:.*]]: tensor<1x?x8xf32> {fact.batch = array<i64: 0, 0>}, %[[W:.*]]: tensor<2x8xf32>) -> (tensor<1x?x8xf32> {fact.batch = array<i64: 0, 0>})
// CHECK:       linalg.generic {{.*}} ins(%[[X]], %[[W]] : tensor<1x?x8xf32>, tensor<2x8xf32>)
// REMARK:      remark: [Passed] BatchSplit {{.*}} Function=shared | Sequences=2
#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#rows = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
func.func @shared(%x: tensor<2x?x8xf32> {fact.batch = array<i64: 0, 0>}, %w: tensor<2x8xf32>) -> tensor<2x?x8xf32> {
  %c1 = arith.constant 1 : index
  %length = tensor.dim %x, %c1 : tensor<2x?x8xf32>
  %init = tensor.empty(%length) : tensor<2x?x8xf32>
  %y = linalg.generic {indexing_maps = [#map, #rows, #map], iterator_types = ["parallel", "parallel", "reduction", "parallel"]} ins(%x, %w : tensor<2x?x8xf32>, tensor<2x8xf32>) outs(%init : tensor<2x?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x?x8xf32>
  return %y : tensor<2x?x8xf32>
}

// -----

// It would have to be another one for each sequence to have an element of its own for it.
// CHECK-LABEL: func.func @row_for_each(%{{.*}}: tensor<2x?x8xf32> {{.*}}, %{{.*}}: tensor<2x8xf32>) -> tensor<2x?x8xf32>
// REMARK:      remark: [Missed] BatchNotSplit {{.*}} Reason="it may be another one for each sequence (of a batch of 2)"
#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
func.func @row_for_each(%x: tensor<2x?x8xf32> {fact.batch = array<i64: 0, 0>}, %w: tensor<2x8xf32>) -> tensor<2x?x8xf32> {
  %c1 = arith.constant 1 : index
  %length = tensor.dim %x, %c1 : tensor<2x?x8xf32>
  %init = tensor.empty(%length) : tensor<2x?x8xf32>
  %y = linalg.generic {indexing_maps = [#map, #rows, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x, %w : tensor<2x?x8xf32>, tensor<2x8xf32>) outs(%init : tensor<2x?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x?x8xf32>
  return %y : tensor<2x?x8xf32>
}

// -----

// The batch of each argument where it says, one behind the length.
// CHECK-LABEL: func.func @two_places(
// CHECK-SAME:  tensor<?x1x8xf32> {fact.batch = array<i64: 1, 0>}, %{{.*}}: tensor<1x8xf32> {fact.batch = array<i64: 0, 0>}) -> (tensor<?x1x8xf32> {fact.batch = array<i64: 1, 0>})
// REMARK:      remark: [Passed] BatchSplit {{.*}} Function=two_places | Sequences=2
#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#rows = affine_map<(d0, d1, d2) -> (d1, d2)>
func.func @two_places(%x: tensor<?x2x8xf32> {fact.batch = array<i64: 1, 0>}, %w: tensor<2x8xf32> {fact.batch = array<i64: 0, 0>}) -> tensor<?x2x8xf32> {
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x2x8xf32>
  %init = tensor.empty(%length) : tensor<?x2x8xf32>
  %y = linalg.generic {indexing_maps = [#map, #rows, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x, %w : tensor<?x2x8xf32>, tensor<2x8xf32>) outs(%init : tensor<?x2x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x2x8xf32>
  return %y : tensor<?x2x8xf32>
}

// -----

// All elements in a row become rows again, where a sequence has a whole number of them: 12 features are 2 rows of 3x2,
// whatever the length. (12 are no multiple of 8.)
// CHECK-LABEL: func.func @in_a_row(
// CHECK-SAME:  %[[X:.*]]: tensor<1x?x12xf32>
// CHECK:       %[[FLAT:.*]] = tensor.collapse_shape %[[X]] {{\[\[0, 1, 2\]\]}} : tensor<1x?x12xf32> into tensor<?xf32>
// CHECK:       %[[ROWS:.*]] = arith.divui %{{.*}}, %c6
// CHECK:       tensor.expand_shape %[[FLAT]] {{\[\[0, 1, 2\]\]}} output_shape [%[[ROWS]], 3, 2] : tensor<?xf32> into tensor<?x3x2xf32>
// REMARK:      remark: [Passed] BatchSplit {{.*}} Function=in_a_row | Sequences=2
func.func @in_a_row(%x: tensor<2x?x12xf32>) -> tensor<2x?x12xf32> {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %length = tensor.dim %x, %c1 : tensor<2x?x12xf32>
  %all = arith.muli %length, %c4 : index
  %flat = tensor.collapse_shape %x [[0, 1, 2]] : tensor<2x?x12xf32> into tensor<?xf32>
  %rows = tensor.expand_shape %flat [[0, 1, 2]] output_shape [%all, 3, 2] : tensor<?xf32> into tensor<?x3x2xf32>
  %init = tensor.empty(%all) : tensor<?x3x2xf32>
  %exp = linalg.exp ins(%rows : tensor<?x3x2xf32>) outs(%init : tensor<?x3x2xf32>) -> tensor<?x3x2xf32>
  %again = tensor.collapse_shape %exp [[0, 1, 2]] : tensor<?x3x2xf32> into tensor<?xf32>
  %y = tensor.expand_shape %again [[0, 1, 2]] output_shape [2, %length, 12] : tensor<?xf32> into tensor<2x?x12xf32>
  return %y : tensor<2x?x12xf32>
}

// CHECK-LABEL: func.func @no_whole_rows(%{{.*}}: tensor<2x?x12xf32>)
// REMARK:      remark: [Missed] BatchNotSplit {{.*}} Function=no_whole_rows | Reason="its reshape mixes the batch with other extents (of a batch of 2)"
func.func @no_whole_rows(%x: tensor<2x?x12xf32>) -> tensor<?x2x4xf32> {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %length = tensor.dim %x, %c1 : tensor<2x?x12xf32>
  %all = arith.muli %length, %c3 : index
  %flat = tensor.collapse_shape %x [[0, 1, 2]] : tensor<2x?x12xf32> into tensor<?xf32>
  %rows = tensor.expand_shape %flat [[0, 1, 2]] output_shape [%all, 2, 4] : tensor<?xf32> into tensor<?x2x4xf32>
  return %rows : tensor<?x2x4xf32>
}

// -----

// Zeros of two signs are two constants.
// CHECK-LABEL: func.func @signs_of_zero(%{{.*}}: tensor<2x4x2xf32> {{.*}}) -> tensor<2x4x2xf32>
// REMARK:      remark: [Missed] BatchNotSplit {{.*}} Reason="it may be another one for each sequence (of a batch of 2)"
#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
func.func @signs_of_zero(%x: tensor<2x4x2xf32> {fact.batch = array<i64: 0, 2>}) -> tensor<2x4x2xf32> {
  %signs = arith.constant dense<[[1.0, 0.0], [1.0, -0.0]]> : tensor<2x2xf32>
  %init = tensor.empty() : tensor<2x4x2xf32>
  %y = linalg.generic {indexing_maps = [#map, #rows, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x, %signs : tensor<2x4x2xf32>, tensor<2x2xf32>) outs(%init : tensor<2x4x2xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %v = math.copysign %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<2x4x2xf32>
  return %y : tensor<2x4x2xf32>
}

// -----

// A slice of what is the same for all sequences is, too, where it takes all of them.
// CHECK-LABEL: func.func @slice_of_shared(
// CHECK-SAME:  tensor<1x4xf32> {fact.batch = array<i64: 0, 2>}
// CHECK:       %[[SAME:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x3x6xf32>)
// CHECK:       %[[PART:.*]] = tensor.extract_slice %[[SAME]][0, 1, 2] [1, 1, 4] [1, 1, 1] : tensor<1x3x6xf32> to tensor<1x4xf32>
// CHECK:       linalg.add ins(%{{.*}}, %[[PART]] : tensor<1x4xf32>, tensor<1x4xf32>)
// REMARK:      remark: [Passed] BatchSplit {{.*}} Function=slice_of_shared | Sequences=2
#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @slice_of_shared(%x: tensor<2x4xf32> {fact.batch = array<i64: 0, 2>}) -> tensor<2x4xf32> {
  %init = tensor.empty() : tensor<2x3x6xf32>
  %same = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel", "parallel"]} outs(%init : tensor<2x3x6xf32>) {
  ^bb0(%out: f32):
    %c = linalg.index 2 : index
    %n = arith.index_cast %c : index to i32
    %f = arith.sitofp %n : i32 to f32
    linalg.yield %f : f32
  } -> tensor<2x3x6xf32>
  %part = tensor.extract_slice %same[0, 1, 2] [2, 1, 4] [1, 1, 1] : tensor<2x3x6xf32> to tensor<2x4xf32>
  %out = tensor.empty() : tensor<2x4xf32>
  %y = linalg.add ins(%x, %part : tensor<2x4xf32>, tensor<2x4xf32>) outs(%out : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// A row that all sequences share in front of each, put there before the batch comes.
// CHECK-LABEL: func.func @row_in_front(
// CHECK-SAME:  %[[X:.*]]: tensor<1x?x4xf32>
// CHECK:       %[[FRONT:.*]] = tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0] [1, 1, 4] [1, 1, 1] : tensor<1x1x4xf32> into tensor<1x?x4xf32>
// CHECK:       tensor.insert_slice %[[X]] into %[[FRONT]][0, 1, 0] [1, %{{.*}}, 4] [1, 1, 1] : tensor<1x?x4xf32> into tensor<1x?x4xf32>
// REMARK:      remark: [Passed] BatchSplit {{.*}} Function=row_in_front | Sequences=2
func.func @row_in_front(%x: tensor<2x?x4xf32> {fact.batch = array<i64: 0, 2>}) -> tensor<2x?x4xf32> {
  %c1 = arith.constant 1 : index
  %row = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0]], [[1.0, 2.0, 3.0, 4.0]]]> : tensor<2x1x4xf32>
  %length = tensor.dim %x, %c1 : tensor<2x?x4xf32>
  %more = arith.addi %length, %c1 : index
  %init = tensor.empty(%more) : tensor<2x?x4xf32>
  %front = tensor.insert_slice %row into %init[0, 0, 0] [2, 1, 4] [1, 1, 1] : tensor<2x1x4xf32> into tensor<2x?x4xf32>
  %all = tensor.insert_slice %x into %front[0, 1, 0] [2, %length, 4] [1, 1, 1] : tensor<2x?x4xf32> into tensor<2x?x4xf32>
  return %all : tensor<2x?x4xf32>
}

// -----

// Numbers that are the same for all sequences, and looked up for each of them.
// CHECK-LABEL: func.func @looked_up_by_number(
// CHECK:       %[[PLACES:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4xi64>)
// CHECK:       linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4xf32>)
// CHECK:         tensor.extract %[[PLACES]][%{{.*}}, %{{.*}}] : tensor<1x4xi64>
// REMARK:      remark: [Passed] BatchSplit {{.*}} Function=looked_up_by_number | Sequences=2
#map = affine_map<(d0, d1) -> (d0, d1)>
func.func @looked_up_by_number(%x: tensor<2x4xf32> {fact.batch = array<i64: 0, 2>}) -> tensor<2x4xf32> {
  %table = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %init = tensor.empty() : tensor<2x4xi64>
  %places = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel"]} outs(%init : tensor<2x4xi64>) {
  ^bb0(%out: i64):
    %i = linalg.index 1 : index
    %n = arith.index_cast %i : index to i64
    linalg.yield %n : i64
  } -> tensor<2x4xi64>
  %init1 = tensor.empty() : tensor<2x4xf32>
  %rows = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel"]} outs(%init1 : tensor<2x4xf32>) {
  ^bb0(%out: f32):
    %b = linalg.index 0 : index
    %i = linalg.index 1 : index
    %n = tensor.extract %places[%b, %i] : tensor<2x4xi64>
    %at = arith.index_cast %n : i64 to index
    %v = tensor.extract %table[%at] : tensor<4xf32>
    linalg.yield %v : f32
  } -> tensor<2x4xf32>
  %y = linalg.add ins(%x, %rows : tensor<2x4xf32>, tensor<2x4xf32>) outs(%init1 : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// Those of another sequence are not looked up there.
// CHECK-LABEL: func.func @number_of_another(%{{.*}}: tensor<2x4xf32> {{.*}}) -> tensor<2x4xf32>
// REMARK:      remark: [Missed] BatchNotSplit {{.*}} Reason="it does something else for each sequence (of a batch of 2)"
#map = affine_map<(d0, d1) -> (d0, d1)>
func.func @number_of_another(%x: tensor<2x4xf32> {fact.batch = array<i64: 0, 2>}) -> tensor<2x4xf32> {
  %c1 = arith.constant 1 : index
  %init = tensor.empty() : tensor<2x4xf32>
  %same = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel"]} outs(%init : tensor<2x4xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 1 : index
    %n = arith.index_cast %i : index to i32
    %f = arith.sitofp %n : i32 to f32
    linalg.yield %f : f32
  } -> tensor<2x4xf32>
  %rows = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel"]} outs(%init : tensor<2x4xf32>) {
  ^bb0(%out: f32):
    %b = linalg.index 0 : index
    %i = linalg.index 1 : index
    %own = tensor.extract %same[%b, %i] : tensor<2x4xf32>
    %last = tensor.extract %same[%c1, %i] : tensor<2x4xf32>
    %v = arith.addf %own, %last : f32
    linalg.yield %v : f32
  } -> tensor<2x4xf32>
  %y = linalg.add ins(%x, %rows : tensor<2x4xf32>, tensor<2x4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
