// A cast inside the model fixes its length: another one is refused by all.
// RUN: %python %S/Inputs/all_sides.py %s 8x4

func.func @main(%x: tensor<?x4xf32> {fact.bound = 16 : i64}) -> tensor<?x4xf32> {
  %c = tensor.cast %x : tensor<?x4xf32> to tensor<8x4xf32>
  %y = fact.activation gelu %c : tensor<8x4xf32>
  %r = tensor.cast %y : tensor<8x4xf32> to tensor<?x4xf32>
  return %r : tensor<?x4xf32>
}
