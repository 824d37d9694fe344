// Linear layers before the first attention and behind the last one.
func.func @main(%x: tensor<?x8xf32> {fact.bound = 16 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %head = arith.constant dense<0.25> : tensor<8x4xf32>
  %front = fact.linear %x, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %q = fact.linear %front, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %v = arith.constant dense<0.125> : tensor<8x8xf32>
  %values = fact.linear %front, %v : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %u = arith.constant dense<0.75> : tensor<8x8xf32>
  %k = fact.linear %front, %u : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %a = fact.attention %q, %k, %values heads = 2 scale = 0.5 : tensor<?x8xf32>
  %y = fact.linear %a, %head : (tensor<?x8xf32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
