// Layers that lie behind calls of calls have policies of their own as those of main have.

// A function of two layers, called twice: each of its copies calls its own copies of the layer,
// and none writes into those of the other.
// RUN: fact-compile %s --preset=dense --keep=0.3 --layer-policy=1:predictor=leading-two --layer-policy=2:predictor=exact --layer-policy=3:dense --emit=raised | FileCheck %s --check-prefix=FORMS
// FORMS-LABEL: func.func @main
// FORMS:         call @two(
// FORMS:         call @two_[[N:[0-9]+]](
// FORMS:         call @wrapped(
// FORMS:         call @wrapped(
// FORMS:       func.func private @two(
// FORMS:         call @layer({{.*}}predictor = leading_one>}
// FORMS:         call @layer_[[TWO:[0-9]+]]({{.*}}predictor = leading_two>}
// FORMS:       func.func private @two_[[N]](
// FORMS:         call @layer_[[EXACT:[0-9]+]]({{.*}}predictor = exact>}
// FORMS:         call @layer_[[DENSE:[0-9]+]]({{.*}}keep = 1024
// FORMS:       func.func private @layer(
// FORMS:         fact.attention {{.*}}predictor = leading_one>
// FORMS-DAG:   func.func private @layer_[[TWO]](
// FORMS-DAG:   func.func private @layer_[[EXACT]](
// FORMS-DAG:   func.func private @layer_[[DENSE]](

// A function that does nothing but call a layer: the numbers are those of that call.
// RUN: fact-compile %s --preset=dense --keep=0.3 --layer-policy=5:keep=0.75 --emit=raised | FileCheck %s --check-prefix=VALUES
// VALUES-LABEL: func.func @main
// VALUES:         call @wrapped(
// VALUES:         call @wrapped_[[N:[0-9]+]](
// VALUES:       func.func private @wrapped(
// VALUES:         call @layer({{.*}}keep = 307,
// VALUES:       func.func private @wrapped_[[N]](
// VALUES:         call @layer({{.*}}keep = 768,

// RUN: %python %S/../Cases/Inputs/all_sides.py %s 8x4 --preset=dense --keep=0.3 --layer-policy=1:predictor=leading-two --layer-policy=2:predictor=exact --layer-policy=3:dense --layer-policy=5:keep=0.75 | FileCheck %s --check-prefix=BITS
// BITS: same bits: y0
func.func @main(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %0 = call @two(%x, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %1 = call @two(%0, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %2 = call @wrapped(%1, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %3 = call @wrapped(%2, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %3 : tensor<?x4xf32>
}
func.func private @two(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %0 = call @layer(%x, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %1 = call @layer(%0, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}
func.func private @wrapped(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %0 = call @layer(%x, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
func.func private @layer(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %q = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.5 : tensor<?x4xf32>
  %o = fact.linear %c, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = fact.add %x, %o : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
