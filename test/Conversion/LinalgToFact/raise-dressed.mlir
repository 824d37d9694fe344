// What stands between a projection and attention: norms of heads, heads of keys that heads of queries share, rotary
// embeddings; and what only looks like them.
// RUN: fact-opt %s --fact-raise | FileCheck %s
// RUN: fact-opt %s --fact-raise --remarks-filter='fact-raise' 2>&1 >/dev/null | grep Missed | FileCheck %s --check-prefix=MISSED --implicit-check-not=remark:
// RUN: fact-opt %s --fact-raise --remarks-filter='fact-raise' 2>&1 >/dev/null | FileCheck %s --check-prefix=PASSED

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#bias = affine_map<(i, j) -> (j)>
#heads = affine_map<(i, h, j) -> (i, h, j)>
#head = affine_map<(i, h, j) -> (i, h)>
#feature = affine_map<(i, h, j) -> (j)>
#each = affine_map<(i, h, j) -> (h, j)>

// One gamma for both heads.
// CHECK-LABEL: func.func @norm_of_heads(
// CHECK:         %[[GAMMA:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK:         = fact.norm rms %{{.*}}, %[[GAMMA]] heads = 2 eps = 9.99999997E-7 : tensor<?x8xf32>, tensor<4xf32>
func.func @norm_of_heads(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %quarter = arith.constant 0.25 : f32
  %eps = arith.constant 1.0e-6 : f32
  %gamma = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %length = tensor.dim %x, %c0 : tensor<?x8xf32>
  %q = tensor.expand_shape %x [[0], [1, 2]] output_shape [%length, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %empty = tensor.empty(%length) : tensor<?x2xf32>
  %none = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x2xf32>) -> tensor<?x2xf32>
  %sums = linalg.generic {indexing_maps = [#heads, #head], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%q : tensor<?x2x4xf32>) outs(%none : tensor<?x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %0, %out : f32
    linalg.yield %1 : f32
  } -> tensor<?x2xf32>
  %init = tensor.empty(%length) : tensor<?x2x4xf32>
  %y = linalg.generic {indexing_maps = [#heads, #head, #feature, #heads], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q, %sums, %gamma : tensor<?x2x4xf32>, tensor<?x2xf32>, tensor<4xf32>) outs(%init : tensor<?x2x4xf32>) {
  ^bb0(%in: f32, %sum: f32, %g: f32, %out: f32):
    %0 = arith.mulf %sum, %quarter : f32
    %1 = arith.addf %0, %eps : f32
    %2 = math.rsqrt %1 : f32
    %3 = arith.mulf %in, %2 : f32
    %4 = arith.mulf %3, %g : f32
    linalg.yield %4 : f32
  } -> tensor<?x2x4xf32>
  %r = tensor.collapse_shape %y [[0], [1, 2]] : tensor<?x2x4xf32> into tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// Each head has a gamma of its own.
// MISSED: remark: [Missed] NotRaised | Category:fact-raise | Function=gamma_of_each_head | Reason="gamma or beta of a norm of heads differs from head to head", Suggestion="use one gamma and one beta, [features of a head], for all heads"
// CHECK-LABEL: func.func @gamma_of_each_head(
// CHECK-NOT:     = fact.
// CHECK:         return
func.func @gamma_of_each_head(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %quarter = arith.constant 0.25 : f32
  %eps = arith.constant 1.0e-6 : f32
  %gamma = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0]]> : tensor<2x4xf32>
  %length = tensor.dim %x, %c0 : tensor<?x8xf32>
  %q = tensor.expand_shape %x [[0], [1, 2]] output_shape [%length, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %empty = tensor.empty(%length) : tensor<?x2xf32>
  %none = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x2xf32>) -> tensor<?x2xf32>
  %sums = linalg.generic {indexing_maps = [#heads, #head], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%q : tensor<?x2x4xf32>) outs(%none : tensor<?x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %0, %out : f32
    linalg.yield %1 : f32
  } -> tensor<?x2xf32>
  %init = tensor.empty(%length) : tensor<?x2x4xf32>
  %y = linalg.generic {indexing_maps = [#heads, #head, #each, #heads], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q, %sums, %gamma : tensor<?x2x4xf32>, tensor<?x2xf32>, tensor<2x4xf32>) outs(%init : tensor<?x2x4xf32>) {
  ^bb0(%in: f32, %sum: f32, %g: f32, %out: f32):
    %0 = arith.mulf %sum, %quarter : f32
    %1 = arith.addf %0, %eps : f32
    %2 = math.rsqrt %1 : f32
    %3 = arith.mulf %in, %2 : f32
    %4 = arith.mulf %3, %g : f32
    linalg.yield %4 : f32
  } -> tensor<?x2x4xf32>
  %r = tensor.collapse_shape %y [[0], [1, 2]] : tensor<?x2x4xf32> into tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// One head, halves; of the tables one half is enough.
// CHECK-LABEL: func.func @rotary(
// CHECK-DAG:     %[[COS:.*]] = arith.constant dense<{{.*}}1.000000e+00, 1.000000e+00], [5.000000e-01, 7.500000e-01]]> : tensor<2x2xf32>
// CHECK-DAG:     %[[SIN:.*]] = arith.constant dense<{{.*}}0.000000e+00, 0.000000e+00], [8.750000e-01, 6.250000e-01]]> : tensor<2x2xf32>
// CHECK:         = fact.rotate half %{{.*}}, %[[COS]], %[[SIN]] heads = 1 : tensor<2x4xf32>, tensor<2x2xf32>
// PASSED: remark: [Passed] RotaryEmbedding | Category:fact-raise | Function=rotary | Heads=1, Style=half
func.func @rotary(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %cos = arith.constant dense<[[1.0, 1.0, 1.0, 1.0], [0.5, 0.75, 0.5, 0.75]]> : tensor<2x4xf32>
  %sin = arith.constant dense<[[0.0, 0.0, 0.0, 0.0], [0.875, 0.625, 0.875, 0.625]]> : tensor<2x4xf32>
  %a = tensor.extract_slice %x[0, 0] [2, 2] [1, 1] : tensor<2x4xf32> to tensor<2x2xf32>
  %b = tensor.extract_slice %x[0, 2] [2, 2] [1, 1] : tensor<2x4xf32> to tensor<2x2xf32>
  %half = tensor.empty() : tensor<2x2xf32>
  %minus = linalg.negf ins(%b : tensor<2x2xf32>) outs(%half : tensor<2x2xf32>) -> tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %first = tensor.insert_slice %minus into %empty[0, 0] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  %both = tensor.insert_slice %a into %first[0, 2] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows, #rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %both, %cos, %sin : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%own: f32, %other: f32, %c: f32, %s: f32, %out: f32):
    %0 = arith.mulf %own, %c : f32
    %1 = arith.mulf %other, %s : f32
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// Features 1 and 3 are turned by different angles.
// MISSED: remark: [Missed] NotRaised | Category:fact-raise | Function=unequal_cosines | Reason="features 1 and 3 are turned together, but by different cosines", Suggestion="use tables of two equal halves"
// CHECK-LABEL: func.func @unequal_cosines(
// CHECK-NOT:     = fact.
// CHECK:         return
func.func @unequal_cosines(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %cos = arith.constant dense<[[1.0, 1.0, 1.0, 1.0], [0.5, 0.75, 0.5, 0.25]]> : tensor<2x4xf32>
  %sin = arith.constant dense<[[0.0, 0.0, 0.0, 0.0], [0.875, 0.625, 0.875, 0.625]]> : tensor<2x4xf32>
  %a = tensor.extract_slice %x[0, 0] [2, 2] [1, 1] : tensor<2x4xf32> to tensor<2x2xf32>
  %b = tensor.extract_slice %x[0, 2] [2, 2] [1, 1] : tensor<2x4xf32> to tensor<2x2xf32>
  %half = tensor.empty() : tensor<2x2xf32>
  %minus = linalg.negf ins(%b : tensor<2x2xf32>) outs(%half : tensor<2x2xf32>) -> tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %first = tensor.insert_slice %minus into %empty[0, 0] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  %both = tensor.insert_slice %a into %first[0, 2] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows, #rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %both, %cos, %sin : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%own: f32, %other: f32, %c: f32, %s: f32, %out: f32):
    %0 = arith.mulf %own, %c : f32
    %1 = arith.mulf %other, %s : f32
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// Feature 3 is turned the other way.
// MISSED: remark: [Missed] NotRaised | Category:fact-raise | Function=unequal_sines | Reason="features 1 and 3 are turned together, but not by one sine, of opposite signs", Suggestion="use tables of two equal halves"
// CHECK-LABEL: func.func @unequal_sines(
// CHECK-NOT:     = fact.
// CHECK:         return
func.func @unequal_sines(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %cos = arith.constant dense<[[1.0, 1.0, 1.0, 1.0], [0.5, 0.75, 0.5, 0.75]]> : tensor<2x4xf32>
  %sin = arith.constant dense<[[0.0, 0.0, 0.0, 0.0], [0.875, 0.625, 0.875, -0.625]]> : tensor<2x4xf32>
  %a = tensor.extract_slice %x[0, 0] [2, 2] [1, 1] : tensor<2x4xf32> to tensor<2x2xf32>
  %b = tensor.extract_slice %x[0, 2] [2, 2] [1, 1] : tensor<2x4xf32> to tensor<2x2xf32>
  %half = tensor.empty() : tensor<2x2xf32>
  %minus = linalg.negf ins(%b : tensor<2x2xf32>) outs(%half : tensor<2x2xf32>) -> tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %first = tensor.insert_slice %minus into %empty[0, 0] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  %both = tensor.insert_slice %a into %first[0, 2] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows, #rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %both, %cos, %sin : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%own: f32, %other: f32, %c: f32, %s: f32, %out: f32):
    %0 = arith.mulf %own, %c : f32
    %1 = arith.mulf %other, %s : f32
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// Heads 0 and 1 read key head 0, the others key head 1.
// CHECK-LABEL: func.func @shared_keys(
// CHECK:         %[[Q:.*]] = fact.linear {{.*}} -> tensor<?x4xf32>
// CHECK:         %[[K:.*]] = fact.linear {{.*}} -> tensor<?x2xf32>
// CHECK:         = fact.attention %[[Q]], %[[K]], %[[K]] heads = 4 key_heads = 2 scale = 1.000000e+00 : tensor<?x4xf32>, tensor<?x2xf32>
func.func @shared_keys(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %wq = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 1.5, 2.5, 3.5], [4.5, 5.5, 6.5, 7.5]]> : tensor<4x4xf32>
  %wk = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %wide = tensor.empty(%length) : tensor<?x4xf32>
  %wide0 = linalg.fill ins(%zero : f32) outs(%wide : tensor<?x4xf32>) -> tensor<?x4xf32>
  %narrow = tensor.empty(%length) : tensor<?x2xf32>
  %narrow0 = linalg.fill ins(%zero : f32) outs(%narrow : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q = linalg.matmul ins(%x, %wq : tensor<?x4xf32>, tensor<4x4xf32>) outs(%wide0 : tensor<?x4xf32>) -> tensor<?x4xf32>
  %k = linalg.matmul ins(%x, %wk : tensor<?x4xf32>, tensor<4x2xf32>) outs(%narrow0 : tensor<?x2xf32>) -> tensor<?x2xf32>
  %many = tensor.empty(%length) : tensor<?x2x2xf32>
  %each = linalg.generic {indexing_maps = [affine_map<(i, a, b) -> (i, a)>, #heads], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<?x2xf32>) outs(%many : tensor<?x2x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<?x2x2xf32>
  %all = tensor.collapse_shape %each [[0], [1, 2]] : tensor<?x2x2xf32> into tensor<?x4xf32>
  %turned = tensor.empty(%length) : tensor<4x?xf32>
  %qt = linalg.transpose ins(%q : tensor<?x4xf32>) outs(%turned : tensor<4x?xf32>) permutation = [1, 0]
  %kt = linalg.transpose ins(%all : tensor<?x4xf32>) outs(%turned : tensor<4x?xf32>) permutation = [1, 0]
  %qh = tensor.expand_shape %qt [[0], [1, 2]] output_shape [4, %length, 1] : tensor<4x?xf32> into tensor<4x?x1xf32>
  %kh = tensor.expand_shape %kt [[0], [1, 2]] output_shape [4, 1, %length] : tensor<4x?xf32> into tensor<4x1x?xf32>
  %vh = tensor.expand_shape %kt [[0], [1, 2]] output_shape [4, %length, 1] : tensor<4x?xf32> into tensor<4x?x1xf32>
  %pairs = tensor.empty(%length, %length) : tensor<4x?x?xf32>
  %pairs0 = linalg.fill ins(%zero : f32) outs(%pairs : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %s = linalg.batch_matmul ins(%qh, %kh : tensor<4x?x1xf32>, tensor<4x1x?xf32>) outs(%pairs0 : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<4x?x?xf32>) outs(%pairs : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %single = tensor.empty(%length) : tensor<4x?x1xf32>
  %single0 = linalg.fill ins(%zero : f32) outs(%single : tensor<4x?x1xf32>) -> tensor<4x?x1xf32>
  %c = linalg.batch_matmul ins(%p, %vh : tensor<4x?x?xf32>, tensor<4x?x1xf32>) outs(%single0 : tensor<4x?x1xf32>) -> tensor<4x?x1xf32>
  %ct = tensor.collapse_shape %c [[0], [1, 2]] : tensor<4x?x1xf32> into tensor<4x?xf32>
  %y = linalg.transpose ins(%ct : tensor<4x?xf32>) outs(%wide : tensor<?x4xf32>) permutation = [1, 0]
  return %y : tensor<?x4xf32>
}

// Heads 0 and 2 read key head 0.
// MISSED: remark: [Missed] NotRaised | Category:fact-raise | Function=keys_by_turns | Reason="heads of the keys are repeated in another order than one after the other", Suggestion="repeat each head for the queries that follow each other (repeat_interleave): query head c reads key head c div (heads / key heads)"
// MISSED: remark: [Missed] NotRaised | Category:fact-raise | Function=keys_by_turns | Reason="'linalg.transpose' is no part of a layer that the fact dialect has"
// CHECK-LABEL: func.func @keys_by_turns(
// CHECK-NOT:     fact.attention
// CHECK:         return
func.func @keys_by_turns(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %wq = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 1.5, 2.5, 3.5], [4.5, 5.5, 6.5, 7.5]]> : tensor<4x4xf32>
  %wk = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %wide = tensor.empty(%length) : tensor<?x4xf32>
  %wide0 = linalg.fill ins(%zero : f32) outs(%wide : tensor<?x4xf32>) -> tensor<?x4xf32>
  %narrow = tensor.empty(%length) : tensor<?x2xf32>
  %narrow0 = linalg.fill ins(%zero : f32) outs(%narrow : tensor<?x2xf32>) -> tensor<?x2xf32>
  %q = linalg.matmul ins(%x, %wq : tensor<?x4xf32>, tensor<4x4xf32>) outs(%wide0 : tensor<?x4xf32>) -> tensor<?x4xf32>
  %k = linalg.matmul ins(%x, %wk : tensor<?x4xf32>, tensor<4x2xf32>) outs(%narrow0 : tensor<?x2xf32>) -> tensor<?x2xf32>
  %many = tensor.empty(%length) : tensor<?x2x2xf32>
  %each = linalg.generic {indexing_maps = [affine_map<(i, a, b) -> (i, b)>, #heads], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k : tensor<?x2xf32>) outs(%many : tensor<?x2x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<?x2x2xf32>
  %all = tensor.collapse_shape %each [[0], [1, 2]] : tensor<?x2x2xf32> into tensor<?x4xf32>
  %turned = tensor.empty(%length) : tensor<4x?xf32>
  %qt = linalg.transpose ins(%q : tensor<?x4xf32>) outs(%turned : tensor<4x?xf32>) permutation = [1, 0]
  %kt = linalg.transpose ins(%all : tensor<?x4xf32>) outs(%turned : tensor<4x?xf32>) permutation = [1, 0]
  %qh = tensor.expand_shape %qt [[0], [1, 2]] output_shape [4, %length, 1] : tensor<4x?xf32> into tensor<4x?x1xf32>
  %kh = tensor.expand_shape %kt [[0], [1, 2]] output_shape [4, 1, %length] : tensor<4x?xf32> into tensor<4x1x?xf32>
  %vh = tensor.expand_shape %kt [[0], [1, 2]] output_shape [4, %length, 1] : tensor<4x?xf32> into tensor<4x?x1xf32>
  %pairs = tensor.empty(%length, %length) : tensor<4x?x?xf32>
  %pairs0 = linalg.fill ins(%zero : f32) outs(%pairs : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %s = linalg.batch_matmul ins(%qh, %kh : tensor<4x?x1xf32>, tensor<4x1x?xf32>) outs(%pairs0 : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<4x?x?xf32>) outs(%pairs : tensor<4x?x?xf32>) -> tensor<4x?x?xf32>
  %single = tensor.empty(%length) : tensor<4x?x1xf32>
  %single0 = linalg.fill ins(%zero : f32) outs(%single : tensor<4x?x1xf32>) -> tensor<4x?x1xf32>
  %c = linalg.batch_matmul ins(%p, %vh : tensor<4x?x?xf32>, tensor<4x?x1xf32>) outs(%single0 : tensor<4x?x1xf32>) -> tensor<4x?x1xf32>
  %ct = tensor.collapse_shape %c [[0], [1, 2]] : tensor<4x?x1xf32> into tensor<4x?xf32>
  %y = linalg.transpose ins(%ct : tensor<4x?xf32>) outs(%wide : tensor<?x4xf32>) permutation = [1, 0]
  return %y : tensor<?x4xf32>
}

// Rows behind rows are no features of one.
// CHECK-LABEL: func.func @rows_twice(
func.func @rows_twice(%x: tensor<4x8xf32>) -> tensor<8x8xf32> {
  %empty = tensor.empty() : tensor<8x8xf32>
  %0 = tensor.insert_slice %x into %empty[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
  %1 = tensor.insert_slice %x into %0[4, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
  return %1 : tensor<8x8xf32>
}

// Bits that are widened with their sign are 0 and -1.
// CHECK-LABEL: func.func @signed_bits(
// CHECK:         %[[BIAS:.*]] = arith.constant dense<[-1.000000e+00, 0.000000e+00]>
// CHECK:         fact.linear {{.*}} bias %[[BIAS]] :
func.func @signed_bits(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %bits = arith.constant dense<[true, false]> : tensor<2xi1>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %e2 = tensor.empty() : tensor<2xf32>
  %bias = linalg.generic {indexing_maps = [affine_map<(j) -> (j)>, affine_map<(j) -> (j)>], iterator_types = ["parallel"]}
      ins(%bits : tensor<2xi1>) outs(%e2 : tensor<2xf32>) {
  ^bb0(%in: i1, %out: f32):
    %0 = arith.sitofp %in : i1 to f32
    linalg.yield %0 : f32
  } -> tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %none = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%none : tensor<4x2xf32>) -> tensor<4x2xf32>
  %z = linalg.generic {indexing_maps = [#rows, #bias, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%y, %bias : tensor<4x2xf32>, tensor<2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<4x2xf32>
  return %z : tensor<4x2xf32>
}
