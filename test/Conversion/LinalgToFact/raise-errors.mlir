// A weight that no program can hold: one error, whatever reads it.
// RUN: fact-opt %s --split-input-file --fact-raise --verify-diagnostics

func.func @not_finite(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  // expected-error @+1 {{weight must be finite and at most 2^50 in magnitude (element 2 was nan)}}
  %w = arith.constant dense<[[1.0, 2.0], [0x7FC00000, 4.0]]> : tensor<2x2xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x2xf32>
  %init = tensor.empty(%length) : tensor<?x2xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  %1 = linalg.matmul ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  %2 = linalg.matmul ins(%1, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %2 : tensor<?x2xf32>
}

// -----

func.func @too_large(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  // expected-error @+1 {{weight must be finite and at most 2^50 in magnitude (element 1 was 2}}
  %w = arith.constant dense<[[1.0, 2.0e15], [3.0, 4.0]]> : tensor<2x2xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %length = tensor.dim %x, %c0 : tensor<?x2xf32>
  %init = tensor.empty(%length) : tensor<?x2xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  %1 = linalg.matmul ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%zeros : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}
