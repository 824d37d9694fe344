// Returns the rows of K that attention would read, and those that it would not: these
// hold no value. No model does that; what is in them shows whether they were filled.
func.func @main(%x: tensor<?x4xf32> {fact.bound = 64 : i64, fact.name = "x"}) -> (tensor<?x4xi8> {fact.name = "y"}) {
  %w = arith.constant dense<[[1, -4, 2, 16], [-2, 1, 8, 1], [4, 2, -1, -8], [-1, 8, 4, 2]]> : tensor<4x4xi8>
  %ws = arith.constant dense<0.25> : tensor<4xf32>
  %s = arith.constant dense<0.25> : tensor<f32>
  %x8, %xs = fact.quantize_rows %x : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?xf32>)
  %xc = fact.encode leading_one activation %x8 : tensor<?x4xi8>
  %hq = fact.log_matmul %xc, %w : (tensor<?x4xi8>, tensor<4x4xi8>) -> tensor<?x4xi32>
  %hk = fact.log_matmul %xc, %w : (tensor<?x4xi8>, tensor<4x4xi8>) -> tensor<?x4xi32>
  %nq, %sq = fact.normalize_heads %hq heads = 2 : tensor<?x4xi32> -> tensor<?x4xi8>, tensor<2x?xf32>
  %nk, %sk = fact.normalize_heads %hk heads = 2 : tensor<?x4xi32> -> tensor<?x4xi8>, tensor<2x?xf32>
  %cq = fact.encode leading_one query %nq : tensor<?x4xi8>
  %ck = fact.encode leading_one key %nk : tensor<?x4xi8>
  %t, %u = fact.predict %cq, %sq, %ck, %sk, %xs, %s, %s heads = 2 scale = 0.5
    : (tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 102 dominance = 3.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %rows = fact.k_rows %mask, %dominated : tensor<2x?x?xi1>, tensor<2x?xi1>
  %k = fact.quantized_linear %x8, %xs, %w, %ws rows %rows : (tensor<?x4xi8>, tensor<?xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<2x?xi1>) -> tensor<?x4xf32>
  %k8, %ks = fact.quantize_heads %k rows %rows heads = 2 : (tensor<?x4xf32>, tensor<2x?xi1>) -> (tensor<?x4xi8>, tensor<2x?xf32>)
  return %k8 : tensor<?x4xi8>
}
