// Nothing of this is an encoder layer: softmax over the queries, functions that no
// activation has, sums over rows.
#map = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>

func.func @main(%x: tensor<1x?x12xf32> {fact.bound = 40 : i64, fact.name = "x"}) -> (tensor<1x?x12xf32> {fact.name = "y"}) {
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %power = arith.constant 3.0 : f32
  %length = tensor.dim %x, %c1 : tensor<1x?x12xf32>
  %square = tensor.empty(%length, %length) : tensor<1x?x?xf32>
  %columns = tensor.empty(%length) : tensor<1x12x?xf32>
  %features = tensor.empty(%length) : tensor<1x?x12xf32>
  %t = linalg.transpose ins(%x : tensor<1x?x12xf32>) outs(%columns : tensor<1x12x?xf32>) permutation = [0, 2, 1]
  %none = linalg.fill ins(%zero : f32) outs(%square : tensor<1x?x?xf32>) -> tensor<1x?x?xf32>
  %s = linalg.batch_matmul ins(%x, %t : tensor<1x?x12xf32>, tensor<1x12x?xf32>) outs(%none : tensor<1x?x?xf32>) -> tensor<1x?x?xf32>
  %p = linalg.softmax dimension(1) ins(%s : tensor<1x?x?xf32>) outs(%square : tensor<1x?x?xf32>) -> tensor<1x?x?xf32>
  %nothing = linalg.fill ins(%zero : f32) outs(%features : tensor<1x?x12xf32>) -> tensor<1x?x12xf32>
  %v = linalg.batch_matmul ins(%p, %x : tensor<1x?x?xf32>, tensor<1x?x12xf32>) outs(%nothing : tensor<1x?x12xf32>) -> tensor<1x?x12xf32>
  %sums = tensor.empty(%length) : tensor<1x?xf32>
  %empty = linalg.fill ins(%zero : f32) outs(%sums : tensor<1x?xf32>) -> tensor<1x?xf32>
  %sum = linalg.generic {indexing_maps = [#map, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%v : tensor<1x?x12xf32>) outs(%empty : tensor<1x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    linalg.yield %0 : f32
  } -> tensor<1x?xf32>
  %y = linalg.generic {indexing_maps = [#map, #row, #map], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%v, %sum : tensor<1x?x12xf32>, tensor<1x?xf32>) outs(%features : tensor<1x?x12xf32>) {
  ^bb0(%in: f32, %total: f32, %out: f32):
    %0 = math.erf %in : f32
    %1 = math.tanh %total : f32
    %2 = math.powf %in, %power : f32
    %3 = math.exp %2 : f32
    %4 = math.absf %in : f32
    %5 = math.sqrt %4 : f32
    %6 = math.sin %5 : f32
    %7 = math.log %3 : f32
    %8 = arith.addf %0, %1 : f32
    %9 = arith.addf %8, %7 : f32
    %10 = arith.mulf %9, %6 : f32
    linalg.yield %10 : f32
  } -> tensor<1x?x12xf32>
  return %y : tensor<1x?x12xf32>
}
