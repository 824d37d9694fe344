// Each form that --fact-raise knows, as small as it gets. (What front ends write is in
// raise-generated.test and raise-golden.test.)
// RUN: fact-opt %s --fact-raise | FileCheck %s --implicit-check-not=linalg.
// RUN: fact-opt %s --fact-raise --remarks-filter='fact-raise' 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>
#heads = affine_map<(h, i, j) -> (h, i, j)>

// A product of rows and a constant; the bias may come first in the sum.
// CHECK-LABEL: func.func @linear(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK-DAG:     %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<4x2xf32>
// CHECK-DAG:     %[[B:.*]] = arith.constant dense<[5.000000e-01, -5.000000e-01]> : tensor<2xf32>
// CHECK:         %[[Y:.*]] = fact.linear %[[X]], %[[W]] bias %[[B]] : (tensor<?x4xf32>, tensor<4x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @linear(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %b = arith.constant dense<[0.5, -0.5]> : tensor<2xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x2xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  %product = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.generic {indexing_maps = [#rows, #column, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%product, %b : tensor<?x2xf32>, tensor<2xf32>) outs(%init : tensor<?x2xf32>) {
  ^bb0(%in: f32, %bias: f32, %out: f32):
    %r = arith.addf %bias, %in : f32
    linalg.yield %r : f32
  } -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Without a bias, a sequence of rank 3, and a weight that is transposed first, as a
// dense layer with [out, in] weights is. Unit dimensions are looked through.
// CHECK-LABEL: func.func @linear_transposed(
// CHECK-DAG:     %[[W:.*]] = arith.constant dense<{{\[}}[1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK:         fact.linear %{{.*}}, %[[W]] : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
func.func @linear_transposed(%x: tensor<1x?x2xf32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %tokens = tensor.collapse_shape %x [[0, 1], [2]] : tensor<1x?x2xf32> into tensor<?x2xf32>
  %length = tensor.dim %tokens, %c0 : tensor<?x2xf32>
  %turned = tensor.empty() : tensor<2x2xf32>
  %wt = linalg.transpose ins(%w : tensor<2x2xf32>) outs(%turned : tensor<2x2xf32>) permutation = [1, 0]
  %init = tensor.empty(%length) : tensor<?x2xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul ins(%tokens, %wt : tensor<?x2xf32>, tensor<2x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// (x - mean) / sqrt(var + eps) * gamma + beta, in as few ops as it can be written in.
// CHECK-LABEL: func.func @layer_norm(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK-DAG:     %[[G:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK-DAG:     %[[B:.*]] = arith.constant dense<[5.000000e-01, 2.500000e-01, 1.250000e-01, 6.250000e-02]>
// CHECK:         fact.norm layer %[[X]], %[[G]], %[[B]] eps = 9.99999974E-6
// REMARK-DAG: remark: [Passed] LayerNorm | Category:fact-raise | Function=layer_norm | Epsilon="9.99999974E-6 : f32"
func.func @layer_norm(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %gamma = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %beta = arith.constant dense<[0.5, 0.25, 0.125, 0.0625]> : tensor<4xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %features = arith.constant 4.0 : f32
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
  %y = linalg.generic {indexing_maps = [#rows, #row, #column, #column, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%centred, %squares, %gamma, %beta : tensor<?x4xf32>, tensor<?xf32>, tensor<4xf32>, tensor<4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %s: f32, %g: f32, %b: f32, %out: f32):
    %variance = arith.divf %s, %features : f32
    %inner = arith.addf %variance, %eps : f32
    %deviation = math.sqrt %inner : f32
    %normal = arith.divf %in, %deviation : f32
    %scaled = arith.mulf %normal, %g : f32
    %r = arith.addf %scaled, %b : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// The folded form, x * g + (beta - mean * g) with g = gamma / sqrt(var + eps), and a
// gamma only.
// CHECK-LABEL: func.func @layer_norm_folded(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK-DAG:     %[[G:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK:         fact.norm layer %[[X]], %[[G]] eps = 9.99999974E-6
func.func @layer_norm_folded(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %gamma = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %quarter = arith.constant 0.25 : f32
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
  %squares = linalg.generic {indexing_maps = [#rows, #row, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x, %sum : tensor<?x4xf32>, tensor<?xf32>) outs(%zeros : tensor<?xf32>) {
  ^bb0(%in: f32, %s: f32, %out: f32):
    %mean = arith.mulf %s, %quarter : f32
    %centred = arith.subf %in, %mean : f32
    %square = arith.mulf %centred, %centred : f32
    %r = arith.addf %square, %out : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#rows, #row, #row, #column, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum, %squares, %gamma : tensor<?x4xf32>, tensor<?xf32>, tensor<?xf32>, tensor<4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %s: f32, %q: f32, %gm: f32, %out: f32):
    %mean = arith.mulf %s, %quarter : f32
    %variance = arith.mulf %q, %quarter : f32
    %inner = arith.addf %variance, %eps : f32
    %deviation = math.sqrt %inner : f32
    %g = arith.divf %gm, %deviation : f32
    %scaled = arith.mulf %in, %g : f32
    %shift = arith.mulf %mean, %g : f32
    %r = arith.subf %scaled, %shift : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// softmax(q k^T * scale) v for two heads, by reshape and transpose.
// CHECK-LABEL: func.func @attention(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK:         %[[Y:.*]] = fact.attention %[[X]], %[[X]], %[[X]] heads = 2 scale = 0.707106769 : tensor<?x4xf32>
// CHECK-NEXT:    return %[[Y]]
// REMARK-DAG: remark: [Passed] Attention | Category:fact-raise | Function=attention | Causal=false, Heads=2, Scale="0.707106769 : f32"
func.func @attention(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.707106769 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %heads = tensor.expand_shape %x [[0], [1, 2]] output_shape [%length, 2, 2] : tensor<?x4xf32> into tensor<?x2x2xf32>
  %init = tensor.empty(%length) : tensor<2x?x2xf32>
  %q = linalg.transpose ins(%heads : tensor<?x2x2xf32>) outs(%init : tensor<2x?x2xf32>) permutation = [1, 0, 2]
  %initk = tensor.empty(%length) : tensor<2x2x?xf32>
  %k = linalg.transpose ins(%heads : tensor<?x2x2xf32>) outs(%initk : tensor<2x2x?xf32>) permutation = [1, 2, 0]
  %inits = tensor.empty(%length, %length) : tensor<2x?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %scores = linalg.batch_matmul ins(%q, %k : tensor<2x?x2xf32>, tensor<2x2x?xf32>) outs(%zeros : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %scaled = linalg.generic {indexing_maps = [#heads, #heads], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores : tensor<2x?x?xf32>) outs(%inits : tensor<2x?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %r = arith.mulf %in, %scale : f32
    linalg.yield %r : f32
  } -> tensor<2x?x?xf32>
  %p = linalg.softmax dimension(2) ins(%scaled : tensor<2x?x?xf32>) outs(%inits : tensor<2x?x?xf32>) -> tensor<2x?x?xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<2x?x2xf32>) -> tensor<2x?x2xf32>
  %c = linalg.batch_matmul ins(%p, %q : tensor<2x?x?xf32>, tensor<2x?x2xf32>) outs(%zeroc : tensor<2x?x2xf32>) -> tensor<2x?x2xf32>
  %inity = tensor.empty(%length) : tensor<?x2x2xf32>
  %t = linalg.transpose ins(%c : tensor<2x?x2xf32>) outs(%inity : tensor<?x2x2xf32>) permutation = [1, 0, 2]
  %y = tensor.collapse_shape %t [[0], [1, 2]] : tensor<?x2x2xf32> into tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// One head without reshapes; the scores are divided (f32(1) / 2 is the scale) and
// causal: -inf where the key comes after the query.
// CHECK-LABEL: func.func @causal(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK:         fact.attention %[[X]], %[[X]], %[[X]] heads = 1 scale = 5.000000e-01 causal : tensor<?x4xf32>
// REMARK-DAG: remark: [Passed] Attention | Category:fact-raise | Function=causal | Causal=true, Heads=1, Scale="5.000000e-01 : f32"
func.func @causal(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %hidden = arith.constant 0xFF800000 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %initk = tensor.empty(%length) : tensor<4x?xf32>
  %k = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%initk : tensor<4x?xf32>) permutation = [1, 0]
  %inits = tensor.empty(%length, %length) : tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %scores = linalg.matmul ins(%x, %k : tensor<?x4xf32>, tensor<4x?xf32>) outs(%zeros : tensor<?x?xf32>) -> tensor<?x?xf32>
  %masked = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%scores : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %scaled = arith.divf %in, %two : f32
    %query = linalg.index 0 : index
    %key = linalg.index 1 : index
    %later = arith.cmpi sgt, %key, %query : index
    %r = arith.select %later, %hidden, %scaled : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %p = linalg.softmax dimension(1) ins(%masked : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%p, %x : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Activations: gelu (erf), gelu (tanh), swish, relu.
// CHECK-LABEL: func.func @gelu(
// CHECK:         fact.activation gelu %{{.*}} : tensor<?x4xf32>
// REMARK-DAG: remark: [Passed] Activation | Category:fact-raise | Function=gelu | Kind=gelu{{$}}
func.func @gelu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %half = arith.constant 0.5 : f32
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
    %3 = arith.mulf %in, %half : f32
    %4 = arith.mulf %3, %2 : f32
    linalg.yield %4 : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// What float16 makes of 1 / sqrt(2), and of sqrt(2), is gelu, too. A remark says so.
// CHECK-LABEL: func.func @gelu_float16(
// CHECK:         fact.activation gelu %{{.*}} : tensor<?x4xf32>
// REMARK-DAG: remark: [Passed] Activation | Category:fact-raise | Function=gelu_float16 | Kind=gelu, Reason="constants of the model are rounded to 16 bits; those of the contract are not"
func.func @gelu_float16(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 0.70703125 : f32
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
    %4 = arith.mulf %3, %2 : f32
    linalg.yield %4 : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @gelu_float16_divided(
// CHECK:         fact.activation gelu %{{.*}} : tensor<?x4xf32>
func.func @gelu_float16_divided(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 1.4140625 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.divf %in, %root : f32
    %1 = math.erf %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.mulf %in, %half : f32
    %4 = arith.mulf %3, %2 : f32
    linalg.yield %4 : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @gelu_tanh(
// CHECK:         fact.activation gelu_tanh %{{.*}} : tensor<?x4xf32>
// REMARK-DAG: remark: [Passed] Activation | Category:fact-raise | Function=gelu_tanh | Kind=gelu_tanh
func.func @gelu_tanh(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 0.79788456 : f32
  %cubic = arith.constant 0.044715 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %square = arith.mulf %in, %in : f32
    %cube = arith.mulf %square, %in : f32
    %0 = arith.mulf %cube, %cubic : f32
    %1 = arith.addf %in, %0 : f32
    %2 = arith.mulf %1, %root : f32
    %3 = math.tanh %2 : f32
    %4 = arith.addf %one, %3 : f32
    %5 = arith.mulf %in, %4 : f32
    %6 = arith.mulf %5, %half : f32
    linalg.yield %6 : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @swish(
// CHECK:         fact.activation swish %{{.*}} : tensor<?x4xf32>
// REMARK-DAG: remark: [Passed] Activation | Category:fact-raise | Function=swish | Kind=swish
func.func @swish(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    %1 = math.exp %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.divf %in, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @relu(
// CHECK:         fact.activation relu %{{.*}} : tensor<?x4xf32>
// REMARK-DAG: remark: [Passed] Activation | Category:fact-raise | Function=relu | Kind=relu
func.func @relu(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %r = arith.maximumf %zero, %in : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// The sum of two rows is a residual addition.
// CHECK-LABEL: func.func @add(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK:         %[[R:.*]] = fact.activation relu %[[X]]
// CHECK:         fact.add %[[X]], %[[R]] : tensor<?x4xf32>
func.func @add(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %zero : f32
    %r = arith.addf %in, %0 : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Three sequences of open length are rows, but not one sequence.
// CHECK-LABEL: func.func @three_sequences(
// CHECK-SAME:    %[[X:.*]]: tensor<3x?x4xf32>
// CHECK:         %[[Y:.*]] = fact.activation relu %{{.*}} : tensor<?x4xf32>
// CHECK:         %[[LENGTH:.*]] = tensor.dim %[[X]], %c1
// CHECK:         tensor.expand_shape %[[Y]] {{\[\[}}0, 1], [2]] output_shape [3, %[[LENGTH]], 4]
func.func @three_sequences(%x: tensor<3x?x4xf32>) -> tensor<3x?x4xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.collapse_shape %x [[0, 1], [2]] : tensor<3x?x4xf32> into tensor<?x4xf32>
  %count = tensor.dim %rows, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%count) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%rows : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<?x4xf32>
  %length = tensor.dim %x, %c1 : tensor<3x?x4xf32>
  %r = tensor.expand_shape %y [[0, 1], [2]] output_shape [3, %length, 4] : tensor<?x4xf32> into tensor<3x?x4xf32>
  return %r : tensor<3x?x4xf32>
}

// A dimension that a tensor does not have is legal, and its extent undefined: it stays.
// CHECK-LABEL: func.func @no_such_dimension(
// CHECK:         %[[M:.*]] = arith.constant -1 : index
// CHECK:         %[[N:.*]] = tensor.dim %{{.*}}, %[[M]] : tensor<1x?x8xf32>
// CHECK:         %[[C:.*]] = arith.constant 3 : index
// CHECK:         tensor.dim %{{.*}}, %[[C]] : tensor<1x?x8xf32>
func.func @no_such_dimension(%x: tensor<1x?x8xf32>) -> (tensor<1x?x8xf32>, index, index) {
  %m = arith.constant -1 : index
  %n = tensor.dim %x, %m : tensor<1x?x8xf32>
  %c3 = arith.constant 3 : index
  %k = tensor.dim %x, %c3 : tensor<1x?x8xf32>
  return %x, %n, %k : tensor<1x?x8xf32>, index, index
}

// In a slice, too: its size is no length of a sequence.
// CHECK-LABEL: func.func @slice_of_no_such_dimension(
// CHECK:         tensor.extract_slice
func.func @slice_of_no_such_dimension(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  %m = arith.constant -1 : index
  %n = tensor.dim %x, %m : tensor<?x8xf32>
  %y = tensor.extract_slice %x[0, 0] [%n, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Offsets that are operands say nothing to the verifier: there are no two features from the last of three on. (This
// took weights from behind the constant.)
// CHECK-LABEL: func.func @slice_beyond(
// CHECK:         fact.linear {{.*}} -> tensor<?x3xf32>
// CHECK-NEXT:    tensor.extract_slice
// CHECK-NEXT:    return
func.func @slice_beyond(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]> : tensor<3x3xf32>
  %length = tensor.dim %x, %c0 : tensor<?x3xf32>
  %init = tensor.empty(%length) : tensor<?x3xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%init : tensor<?x3xf32>) -> tensor<?x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x3xf32>, tensor<3x3xf32>) outs(%fill : tensor<?x3xf32>) -> tensor<?x3xf32>
  %s = tensor.extract_slice %y[0, %c2] [%length, 2] [1, 1] : tensor<?x3xf32> to tensor<?x2xf32>
  return %s : tensor<?x2xf32>
}

// RMS norm: no mean is subtracted; there is neither gamma nor beta.
// CHECK-LABEL: func.func @rms_norm(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK:         %[[G:.*]] = arith.constant dense<1.000000e+00> : tensor<4xf32>
// CHECK:         fact.norm rms %[[X]], %[[G]] eps = 9.99999974E-6
func.func @rms_norm(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %features = arith.constant 4.0 : f32
  %count = arith.constant 4.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %init1 = tensor.empty(%length) : tensor<?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%init1 : tensor<?xf32>) -> tensor<?xf32>
  %squares = linalg.generic {indexing_maps = [#rows, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x4xf32>) outs(%zeros : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %square = arith.mulf %in, %in : f32
    %r = arith.addf %square, %out : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#rows, #row, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %squares : tensor<?x4xf32>, tensor<?xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%in: f32, %s: f32, %out: f32):
    %variance = arith.divf %s, %count : f32
    %inner = arith.addf %variance, %eps : f32
    %deviation = math.sqrt %inner : f32
    %r = arith.divf %in, %deviation : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// The other way round: earlier keys are hidden.
// CHECK-LABEL: func.func @later_keys(
// CHECK:         fact.attention %{{.*}}, %{{.*}}, %{{.*}} heads = 1 scale = 1.000000e+00 window = [0, *]
func.func @later_keys(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %hidden = arith.constant 0xFF800000 : f32
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
    %later = arith.cmpi slt, %key, %query : index
    %r = arith.select %later, %hidden, %in : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<?x?xf32>) outs(%inits : tensor<?x?xf32>) -> tensor<?x?xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %zeroc = linalg.fill ins(%zero : f32) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%p, %x : tensor<?x?xf32>, tensor<?x4xf32>) outs(%zeroc : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// A gate, and 'quick gelu'.
// CHECK-LABEL: func.func @gate(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32>
// CHECK-DAG:     %[[A:.*]] = fact.activation quick_gelu %[[X]]
// CHECK-DAG:     %[[Z:.*]] = fact.add %[[X]], %[[X]]
// CHECK:         %[[B:.*]] = fact.activation swish %[[Z]]
// CHECK:         fact.multiply %[[A]], %[[B]]
func.func @gate(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %one = arith.constant 1.0 : f32
  %beta = arith.constant 1.702 : f32
  %c0 = arith.constant 0 : index
  %length = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%length) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %b = arith.addf %a, %a : f32
    %scaled = arith.mulf %a, %beta : f32
    %minus = arith.negf %scaled : f32
    %e = math.exp %minus : f32
    %more = arith.addf %e, %one : f32
    %quick = arith.divf %a, %more : f32
    %minus2 = arith.negf %b : f32
    %e2 = math.exp %minus2 : f32
    %more2 = arith.addf %e2, %one : f32
    %swish = arith.divf %b, %more2 : f32
    %r = arith.mulf %quick, %swish : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
