// A result of as many rows as a loop counts.
func.func @main(%x: tensor<1x?x8xf32> {fact.name = "x", fact.bound = 16 : i64}) -> (tensor<?x8xf32> {fact.name = "y"}) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %n = scf.for %i = %c0 to %c5 step %c1 iter_args(%sum = %c0) -> index {
    %next = arith.addi %sum, %c1 : index
    scf.yield %next : index
  }
  %init = tensor.empty(%n) : tensor<?x8xf32>
  %y = linalg.fill ins(%zero : f32) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
