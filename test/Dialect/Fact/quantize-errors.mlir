// Weights that no arithmetic could save are errors at the op that reads them.
// RUN: fact-opt %s --fact-quantize --split-input-file --verify-diagnostics

func.func @infinite(%x: tensor<?x2xf32>) -> tensor<?x3xf32> {
  // expected-note @below {{weight defined here}}
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 0x7F800000]]> : tensor<2x3xf32>
  // expected-error @below {{'fact.linear' op needs a finite weight of magnitude 2^50 at most (was inf at [1, 2])}}
  %0 = fact.linear %x, %w : (tensor<?x2xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// -----

// 2^50 is allowed, the next float32 is not.
func.func @large(%x: tensor<?x2xf32>) -> tensor<?x1xf32> {
  %w = arith.constant dense<[[1.0], [0x58800000]]> : tensor<2x1xf32>
  %0 = fact.linear %x, %w : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  // expected-note @below {{weight defined here}}
  %w1 = arith.constant dense<[[1.0], [0xD8800001]]> : tensor<2x1xf32>
  // expected-error @below {{'fact.linear' op needs a finite weight of magnitude 2^50 at most (was -1.126e+15 at [1, 0])}}
  %1 = fact.linear %x, %w1 : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  %2 = fact.add %0, %1 : tensor<?x1xf32>
  return %2 : tensor<?x1xf32>
}

// -----

// A resource, seen through the call of a layer.
func.func @main(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  // expected-note @below {{bias defined here}}
  %b = arith.constant dense_resource<b> : tensor<2xf32>
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %0 = func.call @layer(%x, %w, %b) : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
func.func private @layer(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>, %b: tensor<2xf32>) -> tensor<?x2xf32> {
  // expected-error @below {{'fact.linear' op needs a finite bias of magnitude 2^50 at most (was nan at [1])}}
  %0 = fact.linear %x, %w bias %b : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      b: "0x040000000000803F0000C07F"
    }
  }
#-}

// -----

func.func @gamma(%x: tensor<?x2xf32>, %b: tensor<2xf32>) -> tensor<?x2xf32> {
  // expected-note @below {{gamma defined here}}
  %g = arith.constant dense<0x7FC00000> : tensor<2xf32>
  // expected-error @below {{'fact.norm' op needs a finite gamma of magnitude 2^50 at most (was nan at [0])}}
  %0 = fact.norm layer %x, %g, %b eps = 1.0e-5 : tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

// Functions that call each other do not keep the check from ending.
func.func private @a(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %0 = func.call @b(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
func.func private @b(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %0 = func.call @a(%x, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = fact.linear %0, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}
