// Near misses: each stays as it is, and its remark says why and what would help.
// RUN: fact-opt %s --fact-raise | FileCheck %s --check-prefix=IR
// RUN: fact-opt %s --fact-raise --remarks-filter='fact-raise' 2>&1 >/dev/null | grep remark: | FileCheck %s --implicit-check-not=remark:

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// A slice that reaches behind its weights.
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=slice_of_weights | Reason="the slice reaches beyond its source, or divides a dimension unevenly"
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=slice_of_weights | Reason="the product is not over the features of two tokens"
// IR-LABEL: func.func @slice_of_weights(
// IR-NOT:     = fact.
// IR:         return
func.func @slice_of_weights(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]> : tensor<3x3xf32>
  %length = tensor.dim %x, %c0 : tensor<?x3xf32>
  %s = tensor.extract_slice %w[0, %c2] [3, 2] [1, 1] : tensor<3x3xf32> to tensor<3x2xf32>
  %init = tensor.empty(%length) : tensor<?x2xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul ins(%x, %s : tensor<?x3xf32>, tensor<3x2xf32>) outs(%fill : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Neither swish nor 'quick gelu'.
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=swish_beta | Reason="swish with beta other than 1 (was 1.500000)", Suggestion="only beta = 1 (swish) and 1.702 (quick_gelu) are raised"
// IR-LABEL: func.func @swish_beta(
// IR-NOT:     = fact.
// IR:         return
func.func @swish_beta(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %one = arith.constant 1.0 : f32
  %beta = arith.constant 1.5 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %beta : f32
    %1 = arith.negf %0 : f32
    %2 = math.exp %1 : f32
    %3 = arith.addf %2, %one : f32
    %r = arith.divf %in, %3 : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Without the factor 0.5.
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=gelu_factor | Reason="the factor of gelu is not 0.5 (was 1.000000)", Suggestion="write gelu as 0.5 * x * (1 + erf(x / sqrt(2)))"
// IR-LABEL: func.func @gelu_factor(
// IR-NOT:     = fact.
// IR:         return
func.func @gelu_factor(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %one = arith.constant 1.0 : f32
  %root = arith.constant 0.70710678 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %root : f32
    %1 = math.erf %0 : f32
    %2 = arith.addf %1, %one : f32
    %r = arith.mulf %in, %2 : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// 0.7 is not 1 / sqrt(2) within 1e-6.
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=gelu_argument | Reason="the argument of erf is not x / sqrt(2)", Suggestion="write gelu as 0.5 * x * (1 + erf(x / sqrt(2)))"
// IR-LABEL: func.func @gelu_argument(
// IR-NOT:     = fact.
// IR:         return
func.func @gelu_argument(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 0.7 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %root : f32
    %1 = math.erf %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.mulf %in, %half : f32
    %r = arith.mulf %3, %2 : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=relu6 | Reason="no rule for 'arith.minimumf' on these operands", Suggestion="end the subgraph before it ('--to')"
// IR-LABEL: func.func @relu6(
// IR-NOT:     = fact.
// IR:         return
func.func @relu6(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %six = arith.constant 6.0 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %zero : f32
    %r = arith.minimumf %0, %six : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=leaky_relu | Reason="a choice between two values", Suggestion="only relu, x > 0 ? x : 0, is raised"
// IR-LABEL: func.func @leaky_relu(
// IR-NOT:     = fact.
// IR:         return
func.func @leaky_relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %slope = arith.constant 0.01 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %slope : f32
    %1 = arith.cmpf ogt, %in, %zero : f32
    %r = arith.select %1, %in, %0 : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=variable_weight | Reason="the product is not over the features of two tokens", Suggestion="only linear layers, q k^T and softmax(q k^T) v are raised"
// IR-LABEL: func.func @variable_weight(
// IR-NOT:     = fact.
// IR:         return
func.func @variable_weight(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x2xf32>
  %init = tensor.empty(%length) : tensor<?x2xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=sum_of_products | Reason="the product is added to a tensor that is not zero", Suggestion="add it in an op of its own"
// IR-LABEL: func.func @sum_of_products(
// IR-NOT:     = fact.
// IR:         return
func.func @sum_of_products(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x2xf32>
  %init = tensor.empty(%length) : tensor<?x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%x : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// The variance is divided by n - 1.
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=corrected_variance | Reason="the variance is not the sum of squares divided by the number of features", Suggestion="divide by all features (no correction by one)"
// IR-LABEL: func.func @corrected_variance(
// IR-NOT:     = fact.
// IR:         return
func.func @corrected_variance(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %features = arith.constant 4.0 : f32
  %count = arith.constant 3.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %init1 = tensor.empty(%length) : tensor<?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%init1 : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#rows, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x4xf32>) outs(%zeros : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %r = arith.addf %in, %out : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %centred = linalg.generic {indexing_maps = [#rows, #row, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum : tensor<?x4xf32>, tensor<?xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %s: f32, %out: f32):
    %mean = arith.divf %s, %features : f32
    %r = arith.subf %in, %mean : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  %squares = linalg.generic {indexing_maps = [#rows, #row], iterator_types = ["parallel", "reduction"]}
      ins(%centred : tensor<?x4xf32>) outs(%zeros : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %square = arith.mulf %in, %in : f32
    %r = arith.addf %square, %out : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#rows, #row, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%centred, %squares : tensor<?x4xf32>, tensor<?xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %s: f32, %out: f32):
    %variance = arith.divf %s, %count : f32
    %inner = arith.addf %variance, %eps : f32
    %deviation = math.sqrt %inner : f32
    %r = arith.divf %in, %deviation : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=no_softmax | Reason="the probabilities are not the result of a softmax", Suggestion="multiply softmax(q k^T) by v with nothing between"
// IR-LABEL: func.func @no_softmax(
// IR-NOT:     = fact.
// IR:         return
func.func @no_softmax(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %scale = arith.constant 0.5 : f32
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %initk = tensor.empty(%length) : tensor<4x?xf32>
  %k = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %inits = tensor.empty(%length, %length) : tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scores = linalg.matmul ins(%x, %k : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%scores : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %r = arith.mulf %in, %scale : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%s, %x : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=cross_attention | Reason="queries and keys come from different sequences", Suggestion="only self-attention is raised"
// IR-LABEL: func.func @cross_attention(
// IR-NOT:     = fact.
// IR:         return
func.func @cross_attention(%x: tensor<?x4xf32>, %memory: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %scale = arith.constant 0.5 : f32
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %keys = tensor.dim %memory, %c0 : tensor<?x4xf32>
  %initk = tensor.empty(%keys) : tensor<4x?xf32>
  %k = linalg.transpose ins(%memory : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %inits = tensor.empty(%length, %keys) : tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scores = linalg.matmul ins(%x, %k : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%scores : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %r = arith.mulf %in, %scale : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%p, %memory : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=soft_cap | Reason="the scores are capped by a tanh", Suggestion="only a scale and a mask are raised"
// IR-LABEL: func.func @soft_cap(
// IR-NOT:     = fact.
// IR:         return
func.func @soft_cap(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %initk = tensor.empty(%length) : tensor<4x?xf32>
  %k = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %inits = tensor.empty(%length, %length) : tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scores = linalg.matmul ins(%x, %k : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%scores : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %r = math.tanh %in : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%p, %x : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -9000 hides nothing for sure.
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=weak_mask | Reason="something is added to the scores of query 0 and key 1 that hides no key (-9000.000000)", Suggestion="a bias on the scores is not raised; numbers that hide a key are -1e4 or less"
// IR-LABEL: func.func @weak_mask(
// IR-NOT:     = fact.
// IR:         return
func.func @weak_mask(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %hidden = arith.constant -9000.0 : f32
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %initk = tensor.empty(%length) : tensor<4x?xf32>
  %k = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %inits = tensor.empty(%length, %length) : tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scores = linalg.matmul ins(%x, %k : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%scores : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %query = linalg.index 0 : index
    %key = linalg.index 1 : index
    %later = arith.cmpi sgt, %key, %query : index
    %r = arith.select %later, %hidden, %in : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%p, %x : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=scaled_after | Reason="something is added to the scores of query 0 and key 1 that hides no key (-5000.000000)", Suggestion="a bias on the scores is not raised; numbers that hide a key are -1e4 or less"
// IR-LABEL: func.func @scaled_after(
// IR-NOT:     = fact.
// IR:         return
func.func @scaled_after(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %scale = arith.constant 0.5 : f32
  %hidden = arith.constant -1.0e4 : f32
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %initk = tensor.empty(%length) : tensor<4x?xf32>
  %k = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %inits = tensor.empty(%length, %length) : tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scores = linalg.matmul ins(%x, %k : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%scores : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %query = linalg.index 0 : index
    %key = linalg.index 1 : index
    %later = arith.cmpi sgt, %key, %query : index
    %0 = arith.select %later, %hidden, %in : f32
    %r = arith.mulf %0, %scale : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%p, %x : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=negative_scale | Reason="the scale of the scores is not a positive number (was -0.500000)", Suggestion="use a positive scale, 1/sqrt(d / heads) as a rule"
// IR-LABEL: func.func @negative_scale(
// IR-NOT:     = fact.
// IR:         return
func.func @negative_scale(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %scale = arith.constant -0.5 : f32
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %initk = tensor.empty(%length) : tensor<4x?xf32>
  %k = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %inits = tensor.empty(%length, %length) : tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scores = linalg.matmul ins(%x, %k : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%scores : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %r = arith.mulf %in, %scale : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%p, %x : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK: remark: [Missed] ControlFlow | Category:fact-raise | Function=branches | Reason="the function has more than one block", Suggestion="raise before lowering control flow"
// IR-LABEL: func.func @branches(
// IR:         cf.br
func.func @branches(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  cf.br ^next
^next:
  return %x : tensor<?x4xf32>
}

// What stays may read rows with the heads in the extent of the tokens, alone or beside one of extent 1.
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=heads_among_tokens |
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=heads_among_tokens |
// IR-LABEL: func.func @heads_among_tokens(
// IR:         %[[ROWS:.*]] = fact.linear
// IR:         %[[HEADS:.*]] = tensor.expand_shape %[[ROWS]] {{.*}} : tensor<?x4xf32> into tensor<?x2x2xf32>
// IR:         %[[MERGED:.*]] = tensor.collapse_shape %[[HEADS]] {{\[\[0, 1\], \[2\]\]}} : tensor<?x2x2xf32> into tensor<?x2xf32>
// IR:         %[[UNIT:.*]] = tensor.expand_shape %[[MERGED]] {{\[\[0\], \[1, 2\]\]}} output_shape [%[[TWICE:.*]], 1, 2] : tensor<?x2xf32> into tensor<?x1x2xf32>
// IR:         linalg.exp ins(%[[UNIT]] : tensor<?x1x2xf32>)
// IR:         %[[AGAIN:.*]] = tensor.collapse_shape {{.*}} : tensor<?x2x2xf32> into tensor<?x2xf32>
// IR:         linalg.exp ins(%[[AGAIN]] : tensor<?x2xf32>)
func.func @heads_among_tokens(%x: tensor<?x3xf32>) -> (tensor<?x1x2xf32>, tensor<?x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 1.0, 2.0, 3.0]]> : tensor<3x4xf32>
  %length = tensor.dim %x, %c0 : tensor<?x3xf32>
  %twice = arith.muli %length, %c2 : index
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x3xf32>, tensor<3x4xf32>) outs(%fill : tensor<?x4xf32>) -> tensor<?x4xf32>
  %heads = tensor.expand_shape %y [[0], [1, 2]] output_shape [%length, 2, 2] : tensor<?x4xf32> into tensor<?x2x2xf32>
  %merged = tensor.collapse_shape %heads [[0, 1], [2]] : tensor<?x2x2xf32> into tensor<?x2xf32>
  %unit = tensor.expand_shape %merged [[0, 1], [2]] output_shape [%twice, 1, 2] : tensor<?x2xf32> into tensor<?x1x2xf32>
  %init1 = tensor.empty(%twice) : tensor<?x1x2xf32>
  %a = linalg.exp ins(%unit : tensor<?x1x2xf32>) outs(%init1 : tensor<?x1x2xf32>) -> tensor<?x1x2xf32>
  %init2 = tensor.empty(%twice) : tensor<?x2xf32>
  %b = linalg.exp ins(%merged : tensor<?x2xf32>) outs(%init2 : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %a, %b : tensor<?x1x2xf32>, tensor<?x2xf32>
}

// A bias for each head and pair of tokens.
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=bias_for_each_head | Reason="'linalg.transpose' is no part
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=bias_for_each_head | Reason="the scores get a constant of their own for each head: a bias, which no layer has, or a mask for each head"
// IR-LABEL: func.func @bias_for_each_head(
// IR-NOT:     = fact.
// IR:         return
func.func @bias_for_each_head(%q: tensor<2x2xf32>, %k: tensor<2x2xf32>, %v: tensor<2x2xf32>) -> tensor<2x2x1xf32> {
  %zero = arith.constant 0.0 : f32
  %bias = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 2.0], [3.0, 4.0]]]> : tensor<2x2x2xf32>
  %qh = tensor.expand_shape %q [[0], [1, 2]] output_shape [2, 2, 1] : tensor<2x2xf32> into tensor<2x2x1xf32>
  %kh = tensor.expand_shape %k [[0], [1, 2]] output_shape [2, 2, 1] : tensor<2x2xf32> into tensor<2x2x1xf32>
  %vh = tensor.expand_shape %v [[0], [1, 2]] output_shape [2, 2, 1] : tensor<2x2xf32> into tensor<2x2x1xf32>
  %rows = tensor.empty() : tensor<2x2x1xf32>
  %qt = linalg.transpose ins(%qh : tensor<2x2x1xf32>) outs(%rows : tensor<2x2x1xf32>) permutation = [1, 0, 2]
  %vt = linalg.transpose ins(%vh : tensor<2x2x1xf32>) outs(%rows : tensor<2x2x1xf32>) permutation = [1, 0, 2]
  %columns = tensor.empty() : tensor<2x1x2xf32>
  %kt = linalg.transpose ins(%kh : tensor<2x2x1xf32>) outs(%columns : tensor<2x1x2xf32>) permutation = [1, 2, 0]
  %square = tensor.empty() : tensor<2x2x2xf32>
  %squares = linalg.fill ins(%zero : f32) outs(%square : tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  %s = linalg.batch_matmul ins(%qt, %kt : tensor<2x2x1xf32>, tensor<2x1x2xf32>) outs(%squares : tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  %biased = linalg.add ins(%s, %bias : tensor<2x2x2xf32>, tensor<2x2x2xf32>) outs(%square : tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  %p = linalg.softmax dimension(2) ins(%biased : tensor<2x2x2xf32>) outs(%square : tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%rows : tensor<2x2x1xf32>) -> tensor<2x2x1xf32>
  %y = linalg.batch_matmul ins(%p, %vt : tensor<2x2x2xf32>, tensor<2x2x1xf32>) outs(%fill : tensor<2x2x1xf32>) -> tensor<2x2x1xf32>
  return %y : tensor<2x2x1xf32>
}

// A hole in the middle of what queries see.
// CHECK: remark: [Missed] NotRaised | Category:fact-raise | Function=hole | Reason="the mask is no window: query 1 does not see key 0, but other queries see keys as far away", Suggestion="only attention to the keys from some number before to some number after the query's own is raised"
// IR-LABEL: func.func @hole(
// IR-NOT:     = fact.
// IR:         return
func.func @hole(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %hidden = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %initk = tensor.empty(%length) : tensor<4x?xf32>
  %k = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %inits = tensor.empty(%length, %length) : tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scores = linalg.matmul ins(%x, %k : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%scores : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %query = linalg.index 0 : index
    %key = linalg.index 1 : index
    %next = arith.addi %key, %c1 : index
    %later = arith.cmpi eq, %next, %query : index
    %r = arith.select %later, %hidden, %in : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%p, %x : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
