// Modules that no pass was made for: empty, of other types, without a length, with control
// flow, recursive, half lowered. Split by --split-input-file.
module {}
// -----
#rows = affine_map<(i, j) -> (i, j)>
func.func @unranked(%x: tensor<*xf32>) -> tensor<*xf32> { return %x : tensor<*xf32> }
func.func @scalar(%x: tensor<f32>) -> tensor<f32> { return %x : tensor<f32> }
func.func @double(%x: tensor<?x4xf64>) -> tensor<?x4xf64> { return %x : tensor<?x4xf64> }
func.func @zero(%x: tensor<0x4xf32>) -> tensor<0x4xf32> {
  %y = fact.add %x, %x : tensor<0x4xf32>
  return %y : tensor<0x4xf32>
}
func.func @zero_features(%x: tensor<?x0xf32>) -> tensor<?x0xf32> {
  %y = fact.activation relu %x : tensor<?x0xf32>
  return %y : tensor<?x0xf32>
}
func.func @nothing() { return }
// -----
func.func @main(%x: tensor<*xf32>) -> tensor<*xf32> { return %x : tensor<*xf32> }
// -----
func.func @main(%x: tensor<0x4xf32>) -> tensor<0x4xf32> {
  %y = fact.add %x, %x : tensor<0x4xf32>
  return %y : tensor<0x4xf32>
}
// -----
func.func @main(%x: tensor<?x0xf32> {fact.bound = 8 : i64}) -> tensor<?x0xf32> {
  %y = fact.activation relu %x : tensor<?x0xf32>
  return %y : tensor<?x0xf32>
}
// -----
module attributes {fact.policy = #fact.policy<keep = 102, tail = mean, dominance = 3.0, importance = 512, low_precision = a4w4, scope = all, predictor = leading_one>} {
func.func @main(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %y = fact.attention %x, %x, %x heads = 2 scale = 0.5 : tensor<?x4xf32>
  return %y, %x : tensor<?x4xf32>, tensor<?x4xf32>
}
}
// -----
func.func @main(%x: tensor<?x4xf32> {fact.bound = 1 : i64}) -> tensor<?x4xf32> {
  %y = fact.attention %x, %x, %x heads = 2 scale = 0.5 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// -----
func.func @main(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  %y = call @main(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// -----
func.func private @external(tensor<?x4xf32>) -> tensor<?x4xf32>
func.func @main(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  cf.br ^next(%x : tensor<?x4xf32>)
^next(%y: tensor<?x4xf32>):
  %a = fact.attention %y, %y, %y heads = 2 scale = 0.5 : tensor<?x4xf32>
  return %a : tensor<?x4xf32>
}
// -----
func.func @main(%x: tensor<?x4xf32> {fact.bound = 8 : i64}, %c: i1) -> tensor<?x4xf32> {
  %r = scf.if %c -> tensor<?x4xf32> {
    %a = fact.attention %x, %x, %x heads = 2 scale = 0.5 : tensor<?x4xf32>
    scf.yield %a : tensor<?x4xf32>
  } else {
    scf.yield %x : tensor<?x4xf32>
  }
  return %r : tensor<?x4xf32>
}
// -----
llvm.func @f(%a: i64) -> i64 { llvm.return %a : i64 }
func.func @main(%x: memref<?x4xf32>) { return }
// -----
func.func @main(%i: index) {
  %a = factisa.sram token 64 "a" at 0
  %n = factisa.null
  %v = factisa.view %n + 4 [%i] strides [4] : !factisa.sram
  factisa.apu.add y=%v, a=%n, b=%a, row0=%i, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}
// -----
func.func @main(%x: tensor<?x?xf32> {fact.bound = 8 : i64}, %w: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %z = linalg.matmul ins(%x, %w : tensor<?x?xf32>, tensor<?x?xf32>) outs(%x : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %z : tensor<?x?xf32>
}
