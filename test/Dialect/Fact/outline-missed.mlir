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
