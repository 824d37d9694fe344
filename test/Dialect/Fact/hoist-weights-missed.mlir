// A weight that is not known while compiling is reported once, where it enters.
// RUN: fact-opt %s --fact-hoist-weights --remarks-filter=fact-hoist-weights -o /dev/null 2>&1 | FileCheck %s

// CHECK: [Missed] WeightNotConstant | Category:fact-hoist-weights | Function=main | Reason="the weight is not a constant: it is quantized at every run", Suggestion="pass weights as constants to private functions that are only called directly"
// CHECK-NOT: [Missed]
func.func @main(%w: tensor<2x2xf32>) -> tensor<2x2xi8> {
  %0 = call @layer(%w) : (tensor<2x2xf32>) -> tensor<2x2xi8>
  return %0 : tensor<2x2xi8>
}
func.func private @layer(%w: tensor<2x2xf32>) -> tensor<2x2xi8> {
  %p, %s = fact.quantize_predictor_weight %w : tensor<2x2xf32> -> tensor<2x2xi8>, tensor<f32>
  %c = fact.encode leading_one weight %p : tensor<2x2xi8>
  %x = fact.encode leading_one activation %c : tensor<2x2xi8>
  return %x : tensor<2x2xi8>
}
