// Functions that nobody calls, public ones beside main, names of our own, arguments
// that nobody reads.
// RUN: %python %S/Inputs/all_sides.py %s 7x4,7x4

func.func private @dead(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = fact.activation gelu %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func @other(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}
func.func @main(%x: tensor<?x4xf32> {fact.bound = 12 : i64}, %z: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<?x4xf32>
  %y = call @main.program(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func private @main.program(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = fact.activation gelu %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
