// Layers of two kinds in turns: one function each, and every call takes what
// the call before it returned, whichever kind that was.
// RUN: fact-opt %s --fact-outline | FileCheck %s

// CHECK-LABEL: func.func @turns(
// CHECK-SAME:      %[[X:.*]]: tensor<?x4xf32>)
// CHECK:         %[[C0:.*]] = call @encoder_layer_0(%[[X]])
// CHECK-NEXT:    %[[C1:.*]] = call @encoder_layer_1(%[[C0]])
// CHECK-NEXT:    %[[C2:.*]] = call @encoder_layer_0(%[[C1]])
// CHECK-NEXT:    %[[C3:.*]] = call @encoder_layer_0(%[[C2]])
// CHECK-NEXT:    %[[C4:.*]] = call @encoder_layer_1(%[[C3]])
// CHECK-NEXT:    return %[[C4]]
func.func @turns(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = fact.attention %x, %x, %x heads = 2 scale = 5.000000e-01 : tensor<?x4xf32>
  %1 = fact.add %x, %0 : tensor<?x4xf32>
  %2 = fact.attention %1, %1, %1 heads = 1 scale = 5.000000e-01 : tensor<?x4xf32>
  %3 = fact.add %1, %2 : tensor<?x4xf32>
  %4 = fact.attention %3, %3, %3 heads = 2 scale = 5.000000e-01 : tensor<?x4xf32>
  %5 = fact.add %3, %4 : tensor<?x4xf32>
  %6 = fact.attention %5, %5, %5 heads = 2 scale = 5.000000e-01 : tensor<?x4xf32>
  %7 = fact.add %5, %6 : tensor<?x4xf32>
  %8 = fact.attention %7, %7, %7 heads = 1 scale = 5.000000e-01 : tensor<?x4xf32>
  %9 = fact.add %7, %8 : tensor<?x4xf32>
  return %9 : tensor<?x4xf32>
}

// What is inside of a layer is not outlined while others read its length.
// CHECK-LABEL: func.func @length(
// CHECK:         fact.attention
// CHECK-NEXT:    %[[INSIDE:.*]] = fact.add
// CHECK:         %[[OUT:.*]] = call @encoder_layer_0(
// CHECK:         tensor.dim %[[INSIDE]]
// CHECK:         return %[[OUT]]
func.func @length(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, index) {
  %c0 = arith.constant 0 : index
  %0 = fact.attention %x, %x, %x heads = 2 scale = 5.000000e-01 : tensor<?x4xf32>
  %1 = fact.add %x, %0 : tensor<?x4xf32>
  %2 = fact.activation gelu %1 : tensor<?x4xf32>
  %4 = fact.attention %2, %2, %2 heads = 2 scale = 5.000000e-01 : tensor<?x4xf32>
  %5 = fact.add %2, %4 : tensor<?x4xf32>
  %n = tensor.dim %1, %c0 : tensor<?x4xf32>
  return %5, %n : tensor<?x4xf32>, index
}

// CHECK-LABEL: func.func private @encoder_layer_0(
// CHECK:         fact.attention {{.*}} heads = 2
// CHECK-LABEL: func.func private @encoder_layer_1(
// CHECK:         fact.attention {{.*}} heads = 1
