// The mean token is one row, also where its type leaves that open.
// RUN: %python %S/Inputs/all_sides.py %s 8x16

func.func @main(%x: tensor<?x16xf32> {fact.bound = 12 : i64}) -> tensor<1x16xf32> {
  %m = fact.mean_token %x : tensor<?x16xf32> -> tensor<1x16xf32>
  %c = tensor.cast %m : tensor<1x16xf32> to tensor<?x16xf32>
  %r = fact.activation gelu %c : tensor<?x16xf32>
  %o = tensor.cast %r : tensor<?x16xf32> to tensor<1x16xf32>
  return %o : tensor<1x16xf32>
}
