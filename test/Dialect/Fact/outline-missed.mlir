// An attention that stays in its function: the remark says why.
// RUN: fact-opt %s --split-input-file --fact-outline | FileCheck %s --check-prefix=IR
// RUN: fact-opt %s --split-input-file --fact-outline --remarks-filter='fact-outline' 2>&1 >/dev/null | grep remark: | FileCheck %s --implicit-check-not=remark:

// Two streams of rows from the beginning.
// IR-LABEL: func.func @two_inputs(
// IR-NEXT:    fact.attention
// IR-NOT:     func.func private
// CHECK: outline-missed.mlir:[[@LINE+2]]:{{.*}} remark: [Missed] NotOutlined | Category:fact-outline | Function=two_inputs | Reason="more than one tensor is alive all the way to this attention", Suggestion="raise the whole encoder: a layer takes one tensor of rows"
func.func @two_inputs(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %a = fact.attention %x, %x, %x heads = 2 scale = 0.5 : tensor<?x4xf32>
  %b = fact.add %a, %z : tensor<?x4xf32>
  return %b : tensor<?x4xf32>
}

// -----

// A number that is computed outside of the layer.
// IR-LABEL: func.func @number(
// IR:         fact.attention
// IR-NOT:     func.func private
// CHECK: outline-missed.mlir:[[@LINE+4]]:{{.*}} remark: [Missed] NotOutlined | Category:fact-outline | Function=number | Reason="the layer shares values with what is around it other than its input and its output", Suggestion="raise what is left of the layer to fact ops first"
func.func @number(%x: tensor<?x4xf32>, %n: index) -> tensor<?x4xf32> {
  %0 = tensor.expand_shape %x [[0], [1, 2]] output_shape [%n, 2, 2] : tensor<?x4xf32> into tensor<?x2x2xf32>
  %k = tensor.collapse_shape %0 [[0], [1, 2]] : tensor<?x2x2xf32> into tensor<?x4xf32>
  %a = fact.attention %x, %k, %k heads = 2 scale = 0.5 : tensor<?x4xf32>
  return %a : tensor<?x4xf32>
}

// -----

// What enters the second layer passes it by: nothing reads the layer's result,
// and the length is taken of its input.
// IR-LABEL: func.func @passed_by(
// IR:         %[[X:.*]] = call @encoder_layer
// IR:         fact.attention
// IR:         %[[N:.*]] = tensor.dim
// IR:         return %[[X]], %[[N]]
// CHECK: outline-missed.mlir:[[@LINE+7]]:{{.*}} remark: [Missed] NotOutlined | Category:fact-outline | Function=passed_by | Reason="the layer shares values with what is around it other than its input and its output", Suggestion="raise what is left of the layer to fact ops first"
// CHECK: remark: [Passed] Outlined | Category:fact-outline | Function=encoder_layer | Layers=1
func.func @passed_by(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, index) {
  %c0 = arith.constant 0 : index
  %0 = fact.attention %x, %x, %x heads = 2 scale = 0.5 : tensor<?x4xf32>
  %1 = fact.add %x, %0 : tensor<?x4xf32>
  %2 = fact.activation gelu %1 : tensor<?x4xf32>
  %3 = fact.attention %2, %2, %2 heads = 2 scale = 0.5 : tensor<?x4xf32>
  %4 = fact.add %2, %3 : tensor<?x4xf32>
  %n = tensor.dim %1, %c0 : tensor<?x4xf32>
  return %1, %n : tensor<?x4xf32>, index
}
