// What cannot become loops says why.
// RUN: fact-opt %s --fact-to-loops --split-input-file --verify-diagnostics

func.func @dense(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>) -> tensor<?x16xf32> {
  // expected-error @below {{'fact.linear' op must be quantized before it becomes loops}}
  %y = fact.linear %x, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// expected-note @below {{this one is not}}
func.func @weight(%w: tensor<16x16xf32>) -> (tensor<16x16xi8>, tensor<16xf32>) {
  // expected-error @below {{'fact.quantize_weight' op is computed while compiling: its operands must be constants}}
  %w8, %s = fact.quantize_weight %w : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
  return %w8, %s : tensor<16x16xi8>, tensor<16xf32>
}
