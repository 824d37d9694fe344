// Features of several rows that are put side by side: heads that are computed each by themselves are one attention.
// RUN: fact-opt %s --fact-raise | FileCheck %s
// RUN: fact-opt %s --fact-raise --remarks-filter='fact-raise' 2>&1 >/dev/null | grep Missed | FileCheck %s --check-prefix=MISSED --implicit-check-not=remark:

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
#left = affine_map<(i, j, k) -> (i, k)>
#right = affine_map<(i, j, k) -> (j, k)>
#out = affine_map<(i, j, k) -> (i, j)>

// CHECK-LABEL: func.func @heads(
// CHECK-SAME:    %[[X:.*]]: tensor
// CHECK-NEXT:    %[[Y:.*]] = fact.attention %[[X]], %[[X]], %[[X]] heads = 2 scale = 5.000000e-01
// CHECK-NEXT:    return %[[Y]]
func.func @heads(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %scale0 = arith.constant 0.5 : f32
  %scale1 = arith.constant 0.5 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %pairs = tensor.empty(%length, %length) : tensor<?x?xf32>
  %none = linalg.fill ins(%zero : f32) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %half = tensor.empty(%length) : tensor<?x2xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%half : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q0 = tensor.extract_slice %x[0, 0] [%length, 2] [1, 1] : tensor<?x4xf32> to tensor<?x2xf32>
  %s0 = linalg.matmul indexing_maps = [#left, #right, #out]
      ins(%q0, %q0 : tensor<?x2xf32>, tensor<?x2xf32>) outs(%none : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scaled0 = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%s0 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %scale0 : f32
    linalg.yield %m : f32
  } -> tensor<?x?xf32>
  %p0 = linalg.softmax dimension(1) ins(%scaled0 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y0 = linalg.matmul ins(%p0, %q0 : tensor<?x?xf32>, tensor<?x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q1 = tensor.extract_slice %x[0, 2] [%length, 2] [1, 1] : tensor<?x4xf32> to tensor<?x2xf32>
  %s1 = linalg.matmul indexing_maps = [#left, #right, #out]
      ins(%q1, %q1 : tensor<?x2xf32>, tensor<?x2xf32>) outs(%none : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scaled1 = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%s1 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %scale1 : f32
    linalg.yield %m : f32
  } -> tensor<?x?xf32>
  %p1 = linalg.softmax dimension(1) ins(%scaled1 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y1 = linalg.matmul ins(%p1, %q1 : tensor<?x?xf32>, tensor<?x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %first = tensor.insert_slice %y0 into %init[0, 0] [%length, 2] [1, 1] : tensor<?x2xf32> into tensor<?x4xf32>
  %y = tensor.insert_slice %y1 into %first[0, 2] [%length, 2] [1, 1] : tensor<?x2xf32> into tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Heads with scales of their own are attentions of their own.
// MISSED: remark: [Missed] NotRaised | Category:fact-raise | Function=scales | Reason="the heads that are joined differ: heads 0 and 1 are scaled by 0.500000 and 0.250000"
// CHECK-LABEL: func.func @scales(
// CHECK:         fact.attention {{.*}} heads = 1 scale = 5.000000e-01
// CHECK:         fact.attention {{.*}} heads = 1 scale = 2.500000e-01
// CHECK:         insert_slice
func.func @scales(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %scale0 = arith.constant 0.5 : f32
  %scale1 = arith.constant 0.25 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %pairs = tensor.empty(%length, %length) : tensor<?x?xf32>
  %none = linalg.fill ins(%zero : f32) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %half = tensor.empty(%length) : tensor<?x2xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%half : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q0 = tensor.extract_slice %x[0, 0] [%length, 2] [1, 1] : tensor<?x4xf32> to tensor<?x2xf32>
  %s0 = linalg.matmul indexing_maps = [#left, #right, #out]
      ins(%q0, %q0 : tensor<?x2xf32>, tensor<?x2xf32>) outs(%none : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scaled0 = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%s0 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %scale0 : f32
    linalg.yield %m : f32
  } -> tensor<?x?xf32>
  %p0 = linalg.softmax dimension(1) ins(%scaled0 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y0 = linalg.matmul ins(%p0, %q0 : tensor<?x?xf32>, tensor<?x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q1 = tensor.extract_slice %x[0, 2] [%length, 2] [1, 1] : tensor<?x4xf32> to tensor<?x2xf32>
  %s1 = linalg.matmul indexing_maps = [#left, #right, #out]
      ins(%q1, %q1 : tensor<?x2xf32>, tensor<?x2xf32>) outs(%none : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scaled1 = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%s1 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %scale1 : f32
    linalg.yield %m : f32
  } -> tensor<?x?xf32>
  %p1 = linalg.softmax dimension(1) ins(%scaled1 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y1 = linalg.matmul ins(%p1, %q1 : tensor<?x?xf32>, tensor<?x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %first = tensor.insert_slice %y0 into %init[0, 0] [%length, 2] [1, 1] : tensor<?x2xf32> into tensor<?x4xf32>
  %y = tensor.insert_slice %y1 into %first[0, 2] [%length, 2] [1, 1] : tensor<?x2xf32> into tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// The second head is written over a feature of the first one.
// CHECK-LABEL: func.func @overlap(
// CHECK:         fact.attention {{.*}} heads = 1
// CHECK:         fact.attention {{.*}} heads = 1
// CHECK:         insert_slice
func.func @overlap(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %scale0 = arith.constant 0.5 : f32
  %scale1 = arith.constant 0.5 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %pairs = tensor.empty(%length, %length) : tensor<?x?xf32>
  %none = linalg.fill ins(%zero : f32) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %half = tensor.empty(%length) : tensor<?x2xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%half : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q0 = tensor.extract_slice %x[0, 0] [%length, 2] [1, 1] : tensor<?x4xf32> to tensor<?x2xf32>
  %s0 = linalg.matmul indexing_maps = [#left, #right, #out]
      ins(%q0, %q0 : tensor<?x2xf32>, tensor<?x2xf32>) outs(%none : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scaled0 = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%s0 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %scale0 : f32
    linalg.yield %m : f32
  } -> tensor<?x?xf32>
  %p0 = linalg.softmax dimension(1) ins(%scaled0 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y0 = linalg.matmul ins(%p0, %q0 : tensor<?x?xf32>, tensor<?x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q1 = tensor.extract_slice %x[0, 2] [%length, 2] [1, 1] : tensor<?x4xf32> to tensor<?x2xf32>
  %s1 = linalg.matmul indexing_maps = [#left, #right, #out]
      ins(%q1, %q1 : tensor<?x2xf32>, tensor<?x2xf32>) outs(%none : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scaled1 = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%s1 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %scale1 : f32
    linalg.yield %m : f32
  } -> tensor<?x?xf32>
  %p1 = linalg.softmax dimension(1) ins(%scaled1 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y1 = linalg.matmul ins(%p1, %q1 : tensor<?x?xf32>, tensor<?x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %first = tensor.insert_slice %y0 into %init[0, 0] [%length, 2] [1, 1] : tensor<?x2xf32> into tensor<?x4xf32>
  %y = tensor.insert_slice %y1 into %first[0, 1] [%length, 2] [1, 1] : tensor<?x2xf32> into tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Not into an empty tensor (which makes no difference, but is no Concat).
// CHECK-LABEL: func.func @into_rows(
// CHECK:         fact.attention {{.*}} heads = 1
// CHECK:         fact.attention {{.*}} heads = 1
// CHECK:         insert_slice
func.func @into_rows(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %scale0 = arith.constant 0.5 : f32
  %scale1 = arith.constant 0.5 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %pairs = tensor.empty(%length, %length) : tensor<?x?xf32>
  %none = linalg.fill ins(%zero : f32) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %half = tensor.empty(%length) : tensor<?x2xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%half : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q0 = tensor.extract_slice %x[0, 0] [%length, 2] [1, 1] : tensor<?x4xf32> to tensor<?x2xf32>
  %s0 = linalg.matmul indexing_maps = [#left, #right, #out]
      ins(%q0, %q0 : tensor<?x2xf32>, tensor<?x2xf32>) outs(%none : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scaled0 = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%s0 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %scale0 : f32
    linalg.yield %m : f32
  } -> tensor<?x?xf32>
  %p0 = linalg.softmax dimension(1) ins(%scaled0 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y0 = linalg.matmul ins(%p0, %q0 : tensor<?x?xf32>, tensor<?x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q1 = tensor.extract_slice %x[0, 2] [%length, 2] [1, 1] : tensor<?x4xf32> to tensor<?x2xf32>
  %s1 = linalg.matmul indexing_maps = [#left, #right, #out]
      ins(%q1, %q1 : tensor<?x2xf32>, tensor<?x2xf32>) outs(%none : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scaled1 = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%s1 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.mulf %in, %scale1 : f32
    linalg.yield %m : f32
  } -> tensor<?x?xf32>
  %p1 = linalg.softmax dimension(1) ins(%scaled1 : tensor<?x?xf32>) outs(%pairs : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y1 = linalg.matmul ins(%p1, %q1 : tensor<?x?xf32>, tensor<?x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %first = tensor.insert_slice %y0 into %x[0, 0] [%length, 2] [1, 1] : tensor<?x2xf32> into tensor<?x4xf32>
  %y = tensor.insert_slice %y1 into %first[0, 2] [%length, 2] [1, 1] : tensor<?x2xf32> into tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Linear layers of the same rows are one, with their weights and biases side by side.
// CHECK-LABEL: func.func @linear(
// CHECK-DAG:     %[[W:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 5.000000e+00, 6.000000e+00], [2.000000e+00, 7.000000e+00, 8.000000e+00]]> : tensor<2x3xf32>
// CHECK-DAG:     %[[B:.*]] = arith.constant dense<[3.000000e+00, 4.000000e+00, 4.000000e+00]> : tensor<3xf32>
// CHECK:         fact.linear %{{.*}}, %[[W]] bias %[[B]]
// CHECK-NOT:     insert_slice
func.func @linear(%x: tensor<?x2xf32>) -> tensor<?x3xf32> {
  %zero = arith.constant 0.0 : f32
  %four = arith.constant 4.0 : f32
  %c0 = arith.constant 0 : index
  %a = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %b = arith.constant dense<[[5.0, 6.0], [7.0, 8.0]]> : tensor<2x2xf32>
  %bias = arith.constant dense<[3.0, 4.0, 4.0]> : tensor<3xf32>
  %length = tensor.dim %x, %c0 : tensor<?x2xf32>
  %e1 = tensor.empty(%length) : tensor<?x1xf32>
  %e2 = tensor.empty(%length) : tensor<?x2xf32>
  %e3 = tensor.empty(%length) : tensor<?x3xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?x1xf32>) -> tensor<?x1xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<?x2xf32>) -> tensor<?x2xf32>
  %xa = linalg.matmul ins(%x, %a : tensor<?x2xf32>, tensor<2x1xf32>) outs(%z1 : tensor<?x1xf32>) -> tensor<?x1xf32>
  %xb = linalg.matmul ins(%x, %b : tensor<?x2xf32>, tensor<2x2xf32>) outs(%z2 : tensor<?x2xf32>) -> tensor<?x2xf32>
  %first = tensor.insert_slice %xa into %e3[0, 0] [%length, 1] [1, 1] : tensor<?x1xf32> into tensor<?x3xf32>
  %both = tensor.insert_slice %xb into %first[0, 1] [%length, 2] [1, 1] : tensor<?x2xf32> into tensor<?x3xf32>
  %y = linalg.generic {indexing_maps = [#rows, #row, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%both, %bias : tensor<?x3xf32>, tensor<3xf32>) outs(%e3 : tensor<?x3xf32>) {
  ^bb0(%in: f32, %c: f32, %out: f32):
    %m = arith.addf %in, %c : f32
    linalg.yield %m : f32
  } -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// Rows of other tokens, one after the other, stay.
// CHECK-LABEL: func.func @tokens(
// CHECK-COUNT-2: insert_slice
func.func @tokens(%x: tensor<3x2xf32>, %y: tensor<3x2xf32>) -> tensor<6x2xf32> {
  %init = tensor.empty() : tensor<6x2xf32>
  %first = tensor.insert_slice %x into %init[0, 0] [3, 2] [1, 1] : tensor<3x2xf32> into tensor<6x2xf32>
  %both = tensor.insert_slice %y into %first[3, 0] [3, 2] [1, 1] : tensor<3x2xf32> into tensor<6x2xf32>
  return %both : tensor<6x2xf32>
}

// Features in another order than the rows have them: the weight's rows are put into that order.
// CHECK-LABEL: func.func @interleaved(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK:         %[[W:.*]] = arith.constant dense<{{\[\[}}1.000000e+00], [3.000000e+00], [2.000000e+00], [4.000000e+00]]> : tensor<4x1xf32>
// CHECK:         fact.linear %[[X]], %[[W]]
func.func @interleaved(%x: tensor<?x4xf32>) -> tensor<?x1xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %w = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %halves = tensor.expand_shape %x [[0], [1, 2]] output_shape [%length, 2, 2] : tensor<?x4xf32> into tensor<?x2x2xf32>
  %other = tensor.empty(%length) : tensor<?x2x2xf32>
  %turned = linalg.transpose ins(%halves : tensor<?x2x2xf32>) outs(%other : tensor<?x2x2xf32>) permutation = [0, 2, 1]
  %flat = tensor.collapse_shape %turned [[0], [1, 2]] : tensor<?x2x2xf32> into tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x1xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%init : tensor<?x1xf32>) -> tensor<?x1xf32>
  %y = linalg.matmul ins(%flat, %w : tensor<?x4xf32>, tensor<4x1xf32>) outs(%fill : tensor<?x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// What stays reads rows in its own order, though it has their type.
// CHECK-LABEL: func.func @order_kept(
// CHECK:         %[[Y:.*]] = fact.activation relu
// CHECK:         %[[HALVES:.*]] = tensor.expand_shape %[[Y]]
// CHECK:         %[[TURNED:.*]] = linalg.transpose ins(%[[HALVES]] {{.*}} permutation = [0, 2, 1]
// CHECK:         %[[FLAT:.*]] = tensor.collapse_shape %[[TURNED]]
// CHECK:         return %[[FLAT]]
func.func @order_kept(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %r = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %m = arith.maximumf %in, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?x4xf32>
  %halves = tensor.expand_shape %r [[0], [1, 2]] output_shape [%length, 2, 2] : tensor<?x4xf32> into tensor<?x2x2xf32>
  %other = tensor.empty(%length) : tensor<?x2x2xf32>
  %turned = linalg.transpose ins(%halves : tensor<?x2x2xf32>) outs(%other : tensor<?x2x2xf32>) permutation = [0, 2, 1]
  %flat = tensor.collapse_shape %turned [[0], [1, 2]] : tensor<?x2x2xf32> into tensor<?x4xf32>
  return %flat : tensor<?x4xf32>
}
