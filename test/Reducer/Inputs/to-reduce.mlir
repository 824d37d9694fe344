// A layer norm behind two calls, among what has nothing to do with it.
func.func private @unused(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  return %x : tensor<8x16xf32>
}
func.func private @inner(%x: tensor<?x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
  %b = arith.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : tensor<16xf32>
  %a = fact.activation gelu %x : tensor<?x16xf32>
  %n = fact.norm layer %a, %g, %b eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  return %n : tensor<?x16xf32>
}
func.func private @outer(%x: tensor<8x16xf32>, %z: tensor<8x16xf32>, %g: tensor<16xf32>) -> tensor<8x16xf32> {
  %s = fact.add %x, %z : tensor<8x16xf32>
  %c = tensor.cast %s : tensor<8x16xf32> to tensor<?x16xf32>
  %n = call @inner(%c, %g) : (tensor<?x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %y = tensor.cast %n : tensor<?x16xf32> to tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}
func.func @main(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
  %g = arith.constant dense<[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : tensor<16xf32>
  %w = arith.constant dense<0.5> : tensor<16x16xf32>
  %l = fact.linear %x, %w bias %g : (tensor<8x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
  %a = fact.attention %l, %x, %l heads = 2 scale = 0.5 causal : tensor<8x16xf32>
  %y = call @outer(%a, %l, %g) : (tensor<8x16xf32>, tensor<8x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
  %r = fact.activation relu %y : tensor<8x16xf32>
  return %r, %x : tensor<8x16xf32>, tensor<8x16xf32>
}
