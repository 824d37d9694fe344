// Calls of layers stay, all others go, the innermost first; so does what nobody reads.
// RUN: fact-opt %s --split-input-file --fact-inline-calls | FileCheck %s

// CHECK-LABEL: func.func @main(
// CHECK:         %[[A:.*]] = call @layer(%{{.*}}, %[[G:.*]]) :
// CHECK-NEXT:    %[[B:.*]] = call @layer(%[[A]], %[[G]]) :
// Two streams; a constant that is rows and not a weight.
// CHECK-NEXT:    %[[S:.*]] = fact.add %[[B]], %arg0
// CHECK-NEXT:    %[[T:.*]] = fact.add %[[S]], %cst
// CHECK-NEXT:    return %[[T]]
// CHECK-LABEL: func.func private @layer(
// What a layer calls is part of it.
// CHECK-NEXT:    fact.activation relu
// CHECK-NEXT:    fact.norm
// CHECK-NEXT:    return
// CHECK-NOT:   func.func
func.func @main(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %c = arith.constant dense<1.0> : tensor<8x4xf32>
  %g = arith.constant dense<2.0> : tensor<4xf32>
  %0 = call @layer(%x, %g) : (tensor<8x4xf32>, tensor<4xf32>) -> tensor<8x4xf32>
  %1 = call @layer(%0, %g) : (tensor<8x4xf32>, tensor<4xf32>) -> tensor<8x4xf32>
  %2 = call @sum(%1, %x) : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  %3 = call @sum(%2, %c) : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  %dead = call @sum(%2, %3) : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  %4 = call @same(%3) : (tensor<8x4xf32>) -> tensor<8x4xf32>
  return %4 : tensor<8x4xf32>
}
func.func private @layer(%x: tensor<8x4xf32>, %g: tensor<4xf32>) -> tensor<8x4xf32> {
  %a = call @positive(%x) : (tensor<8x4xf32>) -> tensor<8x4xf32>
  %n = fact.norm layer %a, %g, %g eps = 1.0e-5 : tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>
  return %n : tensor<8x4xf32>
}
func.func private @positive(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %a = fact.activation relu %x : tensor<8x4xf32>
  return %a : tensor<8x4xf32>
}
func.func private @sum(%a: tensor<8x4xf32>, %b: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %y = fact.add %a, %b : tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
func.func private @same(%a: tensor<8x4xf32>) -> tensor<8x4xf32> {
  return %a : tensor<8x4xf32>
}
// Nobody calls the first, so that nobody calls the second.
func.func private @uncalled(%a: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %y = call @called_by_uncalled(%a, %a) : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
func.func private @called_by_uncalled(%a: tensor<8x4xf32>, %b: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %y = fact.add %a, %b : tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
