// RUN: fact-opt %s --split-input-file --verify-diagnostics --fact-expose-masks

// expected-error @below {{has no function 'main'}}
module {
}

// -----

// expected-error @below {{calls itself: a model is as deep as it is}}
func.func @main(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // expected-note @below {{by this call}}
  %0 = call @main(%x) : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}
