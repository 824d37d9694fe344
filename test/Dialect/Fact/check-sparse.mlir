// What no back end can run, since of where operands come from: one explanation.
// RUN: fact-opt %s --split-input-file --fact-check-sparse --verify-diagnostics

// Constants, selections and weights behind calls and casts are fine.
func.func @fine(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %g = arith.constant dense<1.0> : tensor<4xf32>
  %m = arith.constant dense<true> : tensor<2x8x8xi1>
  %y = call @layer(%x, %g, %m) : (tensor<8x4xf32>, tensor<4xf32>, tensor<2x8x8xi1>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
func.func private @layer(%x: tensor<8x4xf32>, %g: tensor<4xf32>, %m: tensor<2x8x8xi1>) -> tensor<8x4xf32> {
  %n = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>
  %c = tensor.cast %m : tensor<2x8x8xi1> to tensor<2x?x?xi1>
  %o = tensor.cast %n : tensor<8x4xf32> to tensor<?x4xf32>
  %q, %s = fact.quantize_heads %o heads = 2 : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<2x?xf32>)
  %y = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %c heads = 2 scale = 0.5
    : (tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x4xf32>
  %z = tensor.cast %y : tensor<?x4xf32> to tensor<8x4xf32>
  return %z : tensor<8x4xf32>
}

// -----

// expected-note @+1 {{it comes from here}}
func.func @weight(%x: tensor<8x4xf32>, %g: tensor<4xf32>) -> tensor<8x4xf32> {
  %y = call @layer(%x, %g) : (tensor<8x4xf32>, tensor<4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
func.func private @layer(%x: tensor<8x4xf32>, %g: tensor<4xf32>) -> tensor<8x4xf32> {
  // expected-error @+1 {{'fact.norm' op needs a weight that is known while compiling, as operand 1}}
  %n = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>
  return %n : tensor<8x4xf32>
}

// -----

// expected-note @+1 {{it comes from here}}
func.func @mask(%q: tensor<8x4xi8>, %s: tensor<2x8xf32>, %m: tensor<2x8x8xi1>) -> tensor<8x4xf32> {
  // expected-error @+1 {{'fact.quantized_attention' op needs 'mask' from a 'fact.select' or a constant}}
  %y = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 2 scale = 0.5
    : (tensor<8x4xi8>, tensor<2x8xf32>, tensor<8x4xi8>, tensor<2x8xf32>, tensor<8x4xi8>, tensor<2x8xf32>, tensor<2x8x8xi1>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

func.func @dominated(%m: tensor<2x8x8xi1>) -> tensor<2x8xi1> {
  %d = arith.constant dense<false> : tensor<2x8xi1>
  %c = arith.constant dense<true> : tensor<2x8x8xi1>
  // expected-note @+1 {{it comes from here}}
  %r = fact.q_rows %d : tensor<2x8xi1>
  // expected-error @+1 {{'fact.k_rows' op needs 'dominated' from a 'fact.select' or a constant}}
  %k = fact.k_rows %c, %r : tensor<2x8x8xi1>, tensor<2x8xi1>
  return %k : tensor<2x8xi1>
}

// -----

// expected-note @+1 {{scores from here}}
func.func @scores(%t: tensor<2x8x8xf32>, %u: tensor<2x8xf32>) -> tensor<8xi64> {
  // expected-error @+1 {{'fact.select' op needs scores and unit of one 'fact.predict'}}
  %m, %d, %a, %c = fact.select leading_one %t, %u keep = 205 dominance = 3.0
    : tensor<2x8x8xf32>, tensor<2x8xf32> -> tensor<2x8x8xi1>, tensor<2x8xi1>, tensor<2x8xi32>, tensor<8xi64>
  return %c : tensor<8xi64>
}

// -----

func.func @argmax(%m: tensor<2x2x2xi1>) -> tensor<2x2xi1> {
  %c = arith.constant dense<true> : tensor<2x2x2xi1>
  %d = arith.constant dense<true> : tensor<2x2xi1>
  // expected-note @+1 {{it comes from here}}
  %a = arith.constant dense<[[0, 1], [2, 0]]> : tensor<2x2xi32>
  // expected-error @+1 {{'fact.v_rows' op needs an argmax in 0..1 (was 2)}}
  %v = fact.v_rows %c, %d, %a : tensor<2x2x2xi1>, tensor<2x2xi1>, tensor<2x2xi32>
  return %v : tensor<2x2xi1>
}

// -----

func.func @counts() -> tensor<2xi1> {
  // expected-note @+1 {{they come from here}}
  %c = arith.constant dense<[7, -1]> : tensor<2xi64>
  // expected-error @+1 {{'fact.select_precision' op needs counts in 0..2^32-1 (was -1)}}
  %l = fact.select_precision %c importance = 256 : tensor<2xi64> -> tensor<2xi1>
  return %l : tensor<2xi1>
}

// -----

func.func @empty_row(%q: tensor<2x4xi8>, %s: tensor<1x2xf32>) -> tensor<2x4xf32> {
  // expected-note @+1 {{the mask is made here}}
  %m = arith.constant dense<[[[false, true], [true, true]]]> : tensor<1x2x2xi1>
  // expected-error @+1 {{'fact.quantized_attention' op has a mask that keeps no key for row 0 of head 0}}
  %y = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 1 scale = 0.5 causal
    : (tensor<2x4xi8>, tensor<1x2xf32>, tensor<2x4xi8>, tensor<1x2xf32>, tensor<2x4xi8>, tensor<1x2xf32>, tensor<1x2x2xi1>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @causal(%q: tensor<2x4xi8>, %s: tensor<1x2xf32>, %r: tensor<2xf32>) -> tensor<2x4xf32> {
  %w = arith.constant dense<1.0> : tensor<f32>
  %t, %u = fact.predict %q, %s, %q, %s, %r, %w, %w heads = 1 scale = 0.5
    : (tensor<2x4xi8>, tensor<1x2xf32>, tensor<2x4xi8>, tensor<1x2xf32>, tensor<2xf32>, tensor<f32>, tensor<f32>) -> (tensor<1x2x2xf32>, tensor<1x2xf32>)
  // expected-note @+1 {{the mask is made here}}
  %m, %d, %a, %c = fact.select leading_one %t, %u keep = 205 dominance = 3.0
    : tensor<1x2x2xf32>, tensor<1x2xf32> -> tensor<1x2x2xi1>, tensor<1x2xi1>, tensor<1x2xi32>, tensor<2xi64>
  // expected-error @+1 {{'fact.quantized_attention' op has a window and needs a mask of a 'fact.select' within it: a row may keep keys outside alone}}
  %y = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 1 scale = 0.5 causal
    : (tensor<2x4xi8>, tensor<1x2xf32>, tensor<2x4xi8>, tensor<1x2xf32>, tensor<2x4xi8>, tensor<1x2xf32>, tensor<1x2x2xi1>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @rows_that_are_no_numbers(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // expected-note @below {{of this constant}}
  %c = arith.constant dense<[[0.0, 0x7FC00000], [1.0, 2.0]]> : tensor<2x2xf32>
  // expected-error-re @below {{'fact.add' op needs rows in -2^50 .. 2^50 (element 1 was {{.*}})}}
  %z = fact.add %x, %c : tensor<2x2xf32>
  return %z : tensor<2x2xf32>
}

// -----

func.func @weights_without_a_high_plane(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %ct = arith.constant dense<1> : tensor<2xi64>
  %low = fact.select_precision %ct importance = 256 : tensor<2xi64> -> tensor<2xi1>
  %q, %s = fact.quantize_rows %x low %low : (tensor<2x4xf32>, tensor<2xi1>) -> (tensor<2x4xi8>, tensor<2xf32>)
  // expected-note @below {{of this constant}}
  %w = arith.constant dense<120> : tensor<4x4xi8>
  %ws = arith.constant dense<0.5> : tensor<4xf32>
  // expected-error @below {{'fact.quantized_linear' op needs weights in -119 .. 119 for rows at INT4 (element 0 was 120)}}
  %y = fact.quantized_linear %q, %s, %w, %ws low %low precision = a4w4
    : (tensor<2x4xi8>, tensor<2xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<2xi1>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @gamma_that_is_no_number(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // expected-note @below {{of this constant}}
  %g = arith.constant dense<[1.0, 0x7F800000]> : tensor<2xf32>
  %b = arith.constant dense<0.0> : tensor<2xf32>
  // expected-error-re @below {{'fact.norm' op needs finite weights (element 1 was {{.*}})}}
  %y = fact.norm layer %x, %g, %b eps = 1.0e-5 : tensor<2x2xf32>, tensor<2xf32>, tensor<2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// Numbers of a policy, across calls.
func.func @main(%x8: tensor<8x4xi8>, %s: tensor<2x8xf32>, %r: tensor<8xf32>) -> tensor<8xi64> {
  %w = arith.constant dense<0.5> : tensor<f32>
  %fits = arith.constant dense<1024> : tensor<i32>
  %wrong = arith.constant dense<1025> : tensor<i32>
  %0 = call @layer(%x8, %s, %r, %w, %fits) : (tensor<8x4xi8>, tensor<2x8xf32>, tensor<8xf32>, tensor<f32>, tensor<i32>) -> tensor<8xi64>
  %1 = call @layer(%x8, %s, %r, %w, %wrong) : (tensor<8x4xi8>, tensor<2x8xf32>, tensor<8xf32>, tensor<f32>, tensor<i32>) -> tensor<8xi64>
  return %1 : tensor<8xi64>
}
func.func private @layer(%x8: tensor<8x4xi8>, %s: tensor<2x8xf32>, %r: tensor<8xf32>, %w: tensor<f32>, %keep: tensor<i32>) -> tensor<8xi64> {
  %t, %u = fact.predict %x8, %s, %x8, %s, %r, %w, %w heads = 2 scale = 0.5
    : (tensor<8x4xi8>, tensor<2x8xf32>, tensor<8x4xi8>, tensor<2x8xf32>, tensor<8xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x8x8xf32>, tensor<2x8xf32>)
  // expected-error @+1 {{'fact.select' op keep must be in 0..1024 (was 1025)}}
  %m, %d, %a, %c = fact.select leading_one %t, %u keep = %keep dominance = 3.0
    : tensor<2x8x8xf32>, tensor<2x8xf32> -> tensor<2x8x8xi1>, tensor<2x8xi1>, tensor<2x8xi32>, tensor<8xi64>
  return %c : tensor<8xi64>
}

// -----

// expected-note @+1 {{it comes from here}}
func.func @importance(%x: tensor<8x4xf32>, %importance: tensor<i32>) -> tensor<8xi1> {
  %c = fact.select_all %x heads = 2 : tensor<8x4xf32> -> tensor<8xi64>
  // expected-error @+1 {{'fact.select_precision' op needs 'importance' to be known while compiling}}
  %l = fact.select_precision %c importance = %importance : tensor<8xi64> -> tensor<8xi1>
  return %l : tensor<8xi1>
}

// -----

func.func @none_is_low(%x: tensor<8x4xf32>) -> tensor<8xi1> {
  %importance = arith.constant dense<0> : tensor<i32>
  %c = fact.select_all %x heads = 2 : tensor<8x4xf32> -> tensor<8xi64>
  // expected-error @+1 {{'fact.select_precision' op importance must be in 1..4096, or -1 (was 0)}}
  %l = fact.select_precision %c importance = %importance : tensor<8xi64> -> tensor<8xi1>
  return %l : tensor<8xi1>
}

// -----

// 64 heads of 32768 tokens: 2^51.
func.func @main(%x: tensor<?x64xf32> {fact.name = "x", fact.bound = 32768 : i64}) -> (tensor<?xi1> {fact.name = "y"}) {
  %count = fact.select_all %x heads = 64 : tensor<?x64xf32> -> tensor<?xi64>
  // expected-error @+1 {{'fact.select_precision' op needs heads * length^3 below 2^51 (was 64 heads, length 32768)}}
  %low = fact.select_precision %count importance = 256 : tensor<?xi64> -> tensor<?xi1>
  return %low : tensor<?xi1>
}

// -----

func.func @main(%x: tensor<?x63xf32> {fact.name = "x", fact.bound = 32768 : i64}) -> (tensor<?xi1> {fact.name = "y"}) {
  %count = fact.select_all %x heads = 63 : tensor<?x63xf32> -> tensor<?xi64>
  %low = fact.select_precision %count importance = 256 : tensor<?xi64> -> tensor<?xi1>
  return %low : tensor<?xi1>
}

// -----

// Every token needs a row of a rotary embedding's tables.
func.func @main(%x: tensor<?x4xf32> {fact.bound = 9 : i64}) -> tensor<?x4xf32> {
  // expected-note @below {{its tables come from here}}
  %cos = arith.constant dense<1.0> : tensor<8x2xf32>
  %sin = arith.constant dense<0.0> : tensor<8x2xf32>
  // expected-error @below {{has 8 positions for sequences of 9 tokens}}
  %y = fact.rotate half %x, %cos, %sin heads = 1 : tensor<?x4xf32>, tensor<8x2xf32>
  return %y : tensor<?x4xf32>
}
