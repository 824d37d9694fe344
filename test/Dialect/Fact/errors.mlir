// What the verifiers of the dialect refuse, one op after the other.
// RUN: fact-opt %s --split-input-file --verify-diagnostics

func.func @linear_features(%x: tensor<?x16xf32>, %w: tensor<8x16xf32>) {
  // expected-note @-1 {{a value of type 'tensor<?x16xf32>' comes from here}}
  // expected-note @-2 {{a value of type 'tensor<8x16xf32>' comes from here}}
  // expected-error @below {{'fact.linear' op input features and weight rows must be the same (was 16 and 8)}}
  %0 = fact.linear %x, %w : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @linear_result(%x: tensor<?x16xf32>, %w: tensor<16x8xf32>) {
  // expected-note @-1 {{a value of type 'tensor<16x8xf32>' comes from here}}
  // expected-error @below {{weight columns and result features must be the same (was 8 and 16)}}
  %0 = fact.linear %x, %w : (tensor<?x16xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @linear_tokens(%x: tensor<4x16xf32>, %w: tensor<16x16xf32>) {
  // expected-note @-1 {{a value of type 'tensor<4x16xf32>' comes from here}}
  // expected-error @below {{input and result tokens must be the same (was 4 and 5)}}
  %0 = fact.linear %x, %w : (tensor<4x16xf32>, tensor<16x16xf32>) -> tensor<5x16xf32>
  return
}

// -----

func.func @linear_bias(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %b: tensor<8xf32>) {
  // expected-note @-1 {{a value of type 'tensor<8xf32>' comes from here}}
  // expected-error @below {{bias and result features must be the same (was 8 and 16)}}
  %0 = fact.linear %x, %w bias %b : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<8xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @linear_element_type(%x: tensor<?x16xf64>, %w: tensor<16x16xf32>) {
  // expected-error @below {{'fact.linear' op operand #0 must be 2D tensor of 32-bit float values with a known number of features, but got 'tensor<?x16xf64>'}}
  %0 = fact.linear %x, %w : (tensor<?x16xf64>, tensor<16x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

// expected-note @below {{a value of type 'tensor<?x16xf32>' comes from here}}
func.func @attention_heads(%q: tensor<?x16xf32>) {
  // expected-error @below {{'fact.attention' op number of features must be a multiple of the number of heads 3 (was 16)}}
  %0 = fact.attention %q, %q, %q heads = 3 scale = 0.25 : tensor<?x16xf32>
  return
}

// -----

func.func @attention_no_head(%q: tensor<?x16xf32>) {
  // expected-error @below {{'fact.attention' op attribute 'heads' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %0 = fact.attention %q, %q, %q heads = 0 scale = 0.25 : tensor<?x16xf32>
  return
}

// -----

func.func @layer_norm(%x: tensor<?x16xf32>, %g: tensor<16xf32>, %b: tensor<15xf32>) {
  // expected-note @-1 {{a value of type 'tensor<15xf32>' comes from here}}
  // expected-error @below {{'fact.norm' op beta and input features must be the same (was 15 and 16)}}
  %0 = fact.norm layer %x, %g, %b eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<15xf32>
  return
}

// -----

func.func @quantize_rows(%x: tensor<4x16xf32>) {
  // expected-note @-1 {{a value of type 'tensor<4x16xf32>' comes from here}}
  // expected-error @below {{'fact.quantize_rows' op scale and input tokens must be the same (was 5 and 4)}}
  %q, %s = fact.quantize_rows %x : (tensor<4x16xf32>) -> (tensor<4x16xi8>, tensor<5xf32>)
  return
}

// -----

func.func @quantize_rows_low(%x: tensor<4x16xf32>, %low: tensor<5xi1>) {
  // expected-note @-1 {{a value of type 'tensor<5xi1>' comes from here}}
  // expected-note @-2 {{a value of type 'tensor<4x16xf32>' comes from here}}
  // expected-error @below {{'fact.quantize_rows' op low and input tokens must be the same (was 5 and 4)}}
  %q, %s = fact.quantize_rows %x low %low : (tensor<4x16xf32>, tensor<5xi1>) -> (tensor<4x16xi8>, tensor<4xf32>)
  return
}

// -----

func.func @quantize_heads(%x: tensor<?x16xf32>) {
  // expected-error @below {{'fact.quantize_heads' op scale rows and heads must be the same (was 4 and 2)}}
  %q, %s = fact.quantize_heads %x heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<4x?xf32>)
  return
}

// -----

func.func @quantize_heads_rows(%x: tensor<?x16xf32>, %rows: tensor<1x?xi1>) {
  // expected-note @-1 {{a value of type 'tensor<1x?xi1>' comes from here}}
  // expected-error @below {{'fact.quantize_heads' op row mask rows and heads must be the same (was 1 and 2)}}
  %q, %s = fact.quantize_heads %x rows %rows heads = 2 : (tensor<?x16xf32>, tensor<1x?xi1>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  return
}

// -----

func.func @quantize_weight(%w: tensor<16x8xf32>) {
  // expected-note @-1 {{a value of type 'tensor<16x8xf32>' comes from here}}
  // expected-error @below {{'fact.quantize_weight' op weight columns and scales must be the same (was 8 and 16)}}
  %q, %s = fact.quantize_weight %w : tensor<16x8xf32> -> tensor<16x8xi8>, tensor<16xf32>
  return
}

// -----

func.func @quantize_predictor_weight(%w: tensor<16x8xf32>) {
  // expected-note @-1 {{a value of type 'tensor<16x8xf32>' comes from here}}
  // expected-error @below {{'fact.quantize_predictor_weight' op weight rows and result rows must be the same (was 16 and 8)}}
  %q, %s = fact.quantize_predictor_weight %w : tensor<16x8xf32> -> tensor<8x8xi8>, tensor<f32>
  return
}

// -----

func.func @quantized_linear_low(%x: tensor<?x16xi8>, %s: tensor<?xf32>, %w: tensor<16x16xi8>, %ws: tensor<16xf32>, %low: tensor<?xi1>) {
  // expected-error @below {{'fact.quantized_linear' op needs 'precision' exactly where it has 'low'}}
  %0 = fact.quantized_linear %x, %s, %w, %ws low %low : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, tensor<?xi1>) -> tensor<?x16xf32>
  return
}

// -----

func.func @quantized_linear_precision(%x: tensor<?x16xi8>, %s: tensor<?xf32>, %w: tensor<16x16xi8>, %ws: tensor<16xf32>) {
  // expected-error @below {{'fact.quantized_linear' op needs 'precision' exactly where it has 'low'}}
  %0 = fact.quantized_linear %x, %s, %w, %ws precision = a4w4 : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @quantized_linear_rows(%x: tensor<?x16xi8>, %s: tensor<?xf32>, %w: tensor<16x16xi8>, %ws: tensor<16xf32>, %rows: tensor<3x?xi1>) {
  // expected-error @below {{'fact.quantized_linear' op number of features must be a multiple of the number of heads 3 (was 16)}}
  %0 = fact.quantized_linear %x, %s, %w, %ws rows %rows : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, tensor<3x?xi1>) -> tensor<?x16xf32>
  return
}

// -----

func.func @quantized_linear_heads(%x: tensor<?x16xi8>, %s: tensor<?xf32>, %w: tensor<16x16xi8>, %ws: tensor<16xf32>, %rows: tensor<?x?xi1>) {
  // expected-error @below {{'fact.quantized_linear' op operand #4 must be 2D tensor of 1-bit signless integer values with a known number of heads, but got 'tensor<?x?xi1>'}}
  %0 = fact.quantized_linear %x, %s, %w, %ws rows %rows : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, tensor<?x?xi1>) -> tensor<?x16xf32>
  return
}

// -----

func.func @quantized_linear_scales(%x: tensor<?x16xi8>, %s: tensor<?xf32>, %w: tensor<16x8xi8>, %ws: tensor<16xf32>) {
  // expected-note @-1 {{a value of type 'tensor<16x8xi8>' comes from here}}
  // expected-note @-2 {{a value of type 'tensor<16xf32>' comes from here}}
  // expected-error @below {{'fact.quantized_linear' op weight columns and weight scales must be the same (was 8 and 16)}}
  %0 = fact.quantized_linear %x, %s, %w, %ws : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x8xi8>, tensor<16xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @log_matmul(%x: tensor<?x16xi8>, %w: tensor<16x16xi8>, %b: tensor<8xf32>, %s: tensor<?xf32>) {
  // expected-note @-1 {{a value of type 'tensor<8xf32>' comes from here}}
  // expected-error @below {{'fact.log_matmul' op bias and result features must be the same (was 8 and 16)}}
  %0 = fact.log_matmul %x, %w bias %b scale %s : (tensor<?x16xi8>, tensor<16x16xi8>, tensor<8xf32>, tensor<?xf32>) -> tensor<?x16xi32>
  return
}

// -----

func.func @log_matmul_bias_alone(%x: tensor<?x16xi8>, %w: tensor<16x16xi8>, %b: tensor<16xf32>) {
  // expected-error @below {{'fact.log_matmul' op needs 'bias' and 'scale' together}}
  %0 = "fact.log_matmul"(%x, %w, %b) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> : (tensor<?x16xi8>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xi32>
  return
}

// -----

func.func @normalize_heads(%h: tensor<?x16xi32>) {
  // expected-error @below {{'fact.normalize_heads' op scale rows and heads must be the same (was 4 and 2)}}
  %n, %s = fact.normalize_heads %h heads = 2 : tensor<?x16xi32> -> tensor<?x16xi8>, tensor<4x?xf32>
  return
}

// -----

func.func @predictor_bias(%b: tensor<16xf32>, %s: tensor<1xf32>) {
  // expected-error @below {{'fact.predictor_bias' op operand #1 must be 0D tensor of 32-bit float values, but got 'tensor<1xf32>'}}
  %0 = fact.predictor_bias leading_one %b, %s : tensor<16xf32>, tensor<1xf32>
  return
}

// -----

func.func @encode(%x: tensor<?x16xi8>) {
  // expected-error @below {{expected ::mlir::fact::Predictor to be one of: leading_one, leading_two, one_sided, exact}}
  // expected-error @below {{failed to parse Fact_PredictorAttr parameter 'value'}}
  %0 = fact.encode leading_three activation %x : tensor<?x16xi8>
  return
}

// -----

func.func @predict(%q: tensor<?x16xi8>, %s: tensor<2x?xf32>, %r: tensor<?xf32>, %w: tensor<f32>) {
  // expected-error @below {{'fact.predict' op score heads and heads must be the same (was 1 and 2)}}
  %t, %u = fact.predict %q, %s, %q, %s, %r, %w, %w heads = 2 scale = 0.25
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<1x?x?xf32>, tensor<2x?xf32>)
  return
}

// -----

func.func @select_keep(%t: tensor<2x?x?xf32>, %u: tensor<2x?xf32>) {
  // expected-error @below {{'fact.select' op keep must be in 0..1024 (was 1025)}}
  %mask, %d, %a, %c = fact.select leading_one %t, %u keep = 1025 dominance = 3.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  return
}

// -----

func.func @select_keep_negative(%t: tensor<2x?x?xf32>, %u: tensor<2x?xf32>) {
  // expected-error @below {{'fact.select' op attribute 'keep' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  %mask, %d, %a, %c = fact.select leading_one %t, %u keep = -1 dominance = 3.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  return
}

// -----

func.func @select_dominance(%t: tensor<2x?x?xf32>, %u: tensor<2x?xf32>) {
  // expected-error @below {{'fact.select' op dominance must be in 0..1e30 (was -1)}}
  %mask, %d, %a, %c = fact.select leading_one %t, %u keep = 205 dominance = -1.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  return
}

// -----

func.func @select_heads(%t: tensor<2x?x?xf32>, %u: tensor<2x?xf32>) {
  // expected-note @-1 {{a value of type 'tensor<2x?x?xf32>' comes from here}}
  // expected-error @below {{'fact.select' op score and mask heads must be the same (was 2 and 4)}}
  %mask, %d, %a, %c = fact.select leading_one %t, %u keep = 205 dominance = 3.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<4x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  return
}

// -----

func.func @k_rows(%m: tensor<2x?x?xi1>, %d: tensor<4x?xi1>) {
  // expected-note @-1 {{a value of type 'tensor<2x?x?xi1>' comes from here}}
  // expected-note @-2 {{a value of type 'tensor<4x?xi1>' comes from here}}
  // expected-error @below {{'fact.k_rows' op mask heads and dominated rows must be the same (was 2 and 4)}}
  %0 = fact.k_rows %m, %d : tensor<2x?x?xi1>, tensor<4x?xi1>
  return
}

// -----

func.func @v_rows(%m: tensor<2x?x?xi1>, %d: tensor<2x?xi1>, %a: tensor<4x?xi32>) {
  // expected-note @-1 {{a value of type 'tensor<2x?x?xi1>' comes from here}}
  // expected-note @-2 {{a value of type 'tensor<4x?xi32>' comes from here}}
  // expected-error @below {{'fact.v_rows' op mask heads and argmax rows must be the same (was 2 and 4)}}
  %0 = fact.v_rows %m, %d, %a : tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<4x?xi32>
  return
}

// -----

func.func @select_all(%x: tensor<4x16xf32>) {
  // expected-note @-1 {{a value of type 'tensor<4x16xf32>' comes from here}}
  // expected-error @below {{'fact.select_all' op input tokens and counts must be the same (was 4 and 5)}}
  %0 = fact.select_all %x heads = 2 : tensor<4x16xf32> -> tensor<5xi64>
  return
}

// -----

func.func @mean_token(%x: tensor<4x16xf32>) {
  // expected-error @below {{'fact.mean_token' op result rows and one must be the same (was 4 and 1)}}
  %0 = fact.mean_token %x : tensor<4x16xf32> -> tensor<4x16xf32>
  return
}

// -----

func.func @select_precision(%c: tensor<?xi64>) {
  // expected-error @below {{'fact.select_precision' op importance must be in 1..4096, or -1 (was 0)}}
  %0 = fact.select_precision %c importance = 0 : tensor<?xi64> -> tensor<?xi1>
  return
}

// -----

func.func @select_precision_tokens(%c: tensor<4xi64>) {
  // expected-note @-1 {{a value of type 'tensor<4xi64>' comes from here}}
  // expected-error @below {{'fact.select_precision' op counts and low tokens must be the same (was 4 and 5)}}
  %0 = fact.select_precision %c importance = 256 : tensor<4xi64> -> tensor<5xi1>
  return
}

// -----

!q = tensor<?x16xi8>
!s = tensor<2x?xf32>
func.func @attention_dominated(%q: !q, %s: !s, %d: tensor<2x?xi1>, %a: tensor<2x?xi32>) {
  // expected-error @below {{'fact.quantized_attention' op 'dominated' needs a 'mask'}}
  %0 = fact.quantized_attention %q, %s, %q, %s, %q, %s dominated %d, %a heads = 2 scale = 0.25
    : (!q, !s, !q, !s, !q, !s, tensor<2x?xi1>, tensor<2x?xi32>) -> tensor<?x16xf32>
  return
}

// -----

!q = tensor<?x16xi8>
!s = tensor<2x?xf32>
func.func @attention_tail_without_mask(%q: !q, %s: !s, %t: tensor<1x16xi8>, %ts: tensor<2x1xf32>) {
  // expected-error @below {{'fact.quantized_attention' op 'tail' needs a 'mask'}}
  %0 = fact.quantized_attention %q, %s, %q, %s, %q, %s tail %t, %ts, %t, %ts heads = 2 scale = 0.25
    : (!q, !s, !q, !s, !q, !s, tensor<1x16xi8>, tensor<2x1xf32>, tensor<1x16xi8>, tensor<2x1xf32>) -> tensor<?x16xf32>
  return
}

// -----

!q = tensor<?x16xi8>
!s = tensor<2x?xf32>
func.func @attention_causal_tail(%q: !q, %s: !s, %m: tensor<2x?x?xi1>, %t: tensor<1x16xi8>, %ts: tensor<2x1xf32>) {
  // expected-error @below {{'fact.quantized_attention' op attention with a window has no 'tail'}}
  %0 = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m tail %t, %ts, %t, %ts heads = 2 scale = 0.25 causal
    : (!q, !s, !q, !s, !q, !s, tensor<2x?x?xi1>, tensor<1x16xi8>, tensor<2x1xf32>, tensor<1x16xi8>, tensor<2x1xf32>) -> tensor<?x16xf32>
  return
}

// -----

!q = tensor<?x16xi8>
!s = tensor<2x?xf32>
func.func @attention_mask(%q: !q, %s: !s, %m: tensor<1x?x?xi1>) {
  // expected-note @-1 {{a value of type 'tensor<1x?x?xi1>' comes from here}}
  // expected-error @below {{'fact.quantized_attention' op mask heads and heads must be the same (was 1 and 2)}}
  %0 = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 2 scale = 0.25
    : (!q, !s, !q, !s, !q, !s, tensor<1x?x?xi1>) -> tensor<?x16xf32>
  return
}

// -----

!q = tensor<?x16xi8>
!s = tensor<2x?xf32>
func.func @attention_tail_rows(%q: !q, %s: !s, %m: tensor<2x?x?xi1>, %t: tensor<2x16xi8>, %ts: tensor<2x2xf32>) {
  // expected-note @-1 {{a value of type 'tensor<2x16xi8>' comes from here}}
  // expected-error @below {{'fact.quantized_attention' op tail key rows and one must be the same (was 2 and 1)}}
  %0 = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m tail %t, %ts, %t, %ts heads = 2 scale = 0.25
    : (!q, !s, !q, !s, !q, !s, tensor<2x?x?xi1>, tensor<2x16xi8>, tensor<2x2xf32>, tensor<2x16xi8>, tensor<2x2xf32>) -> tensor<?x16xf32>
  return
}

// -----

!q = tensor<?x16xi8>
!s = tensor<2x?xf32>
func.func @attention_half_a_tail(%q: !q, %s: !s, %m: tensor<2x?x?xi1>, %t: tensor<1x16xi8>) {
  // expected-error @below {{'fact.quantized_attention' op needs all four 'tail' operands or none}}
  %0 = "fact.quantized_attention"(%q, %s, %q, %s, %q, %s, %m, %t) <{heads = 2 : i64, scale = 0.25 : f32, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0>}>
    : (!q, !s, !q, !s, !q, !s, tensor<2x?x?xi1>, tensor<1x16xi8>) -> tensor<?x16xf32>
  return
}

// -----

!q = tensor<?x16xi8>
!s = tensor<2x?xf32>
func.func @attention_dominated_alone(%q: !q, %s: !s, %m: tensor<2x?x?xi1>, %d: tensor<2x?xi1>) {
  // expected-error @below {{'fact.quantized_attention' op needs 'dominated' and argmax together}}
  %0 = "fact.quantized_attention"(%q, %s, %q, %s, %q, %s, %m, %d) <{heads = 2 : i64, scale = 0.25 : f32, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0>}>
    : (!q, !s, !q, !s, !q, !s, tensor<2x?x?xi1>, tensor<2x?xi1>) -> tensor<?x16xf32>
  return
}

// -----

// expected-error @below {{keep must be in 0..1024 (was 1025)}}
module attributes {fact.policy = #fact.policy<keep = 1025, tail = mean, dominance = 3.0, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>} {}

// -----

// expected-error @below {{dominance must be in 0..1e30 (was -1.0}}
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = -1.0, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>} {}

// -----

// expected-error @below {{dominance must be a 64-bit float literal}}
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 1.0 : f32, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>} {}

// -----

// expected-error @below {{importance must be in -1..4096 (was -2)}}
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 1.0, importance = -2, low_precision = a4w4, scope = ffn, predictor = leading_one>} {}

// -----

// expected-error @below {{'fact.policy' must be a #fact.policy (was 3 : i64)}}
module attributes {fact.policy = 3} {}

// -----

func.func @policy_place() {
  // expected-error @below {{'fact.policy' belongs on an attention, a call, a function or a module}}
  %0 = arith.constant {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 1.0, importance = 1, low_precision = a4w4, scope = ffn, predictor = leading_one>} 1 : i32
  return
}

// -----

// expected-error @below {{has no meaning for attribute 'fact.politics'}}
module attributes {fact.politics} {}

// -----

// expected-note @below {{this argument}}
// expected-error @+1 {{'fact.bound' of argument 0 must be a positive 64-bit integer (was -8 : i64)}}
func.func @bound(%x: tensor<?x4xf32> {fact.bound = -8 : i64}) {
  return
}

// -----

// expected-note @below {{this argument}}
// expected-error @+1 {{'fact.positions' of argument 0 has no value (was 1 : i64)}}
func.func @positions(%x: tensor<?xi64> {fact.positions = 1 : i64}) {
  return
}

// -----

// expected-note @below {{this argument}}
// expected-error @+1 {{'fact.name' of argument 0 must be a string without NUL (was 3 : i64)}}
func.func @name(%x: tensor<?x4xf32> {fact.name = 3 : i64}) {
  return
}

// -----

// expected-note @below {{this argument}}
// expected-error @+1 {{has no meaning for attribute 'fact.length' of argument 1}}
func.func @unknown(%x: tensor<?x4xf32>, %y: tensor<?x4xf32> {fact.length = 3 : i64}) {
  return
}

// -----

func.func @eps(%x: tensor<?x16xf32>, %g: tensor<16xf32>) {
  // expected-error @below {{'fact.norm' op eps must be positive}}
  %0 = fact.norm layer %x, %g, %g eps = 0.0 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  return
}

// -----

func.func @scale_not_finite(%q: tensor<?x16xf32>) {
  // expected-error @below {{'fact.attention' op scale must be finite}}
  %0 = fact.attention %q, %q, %q heads = 2 scale = 0x7FC00000 : tensor<?x16xf32>
  return
}

// -----

func.func @dominance_not_finite(%t: tensor<2x?x?xf32>, %u: tensor<2x?xf32>) {
  // expected-error @below {{'fact.select' op dominance must be in 0..1e30 (was +Inf)}}
  %m, %d, %a, %c = fact.select leading_one %t, %u keep = 205 dominance = 0x7F800000
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  return
}

// -----

// INT32 holds sums over 8192 features.
func.func @most_features(%x: tensor<?x8192xi8>, %s: tensor<?xf32>, %w: tensor<8192x8xi8>, %ws: tensor<8xf32>) {
  %0 = fact.quantized_linear %x, %s, %w, %ws
    : (tensor<?x8192xi8>, tensor<?xf32>, tensor<8192x8xi8>, tensor<8xf32>) -> tensor<?x8xf32>
  return
}

// -----

// expected-note @below {{a value of type 'tensor<?x8193xi8>' comes from here}}
func.func @too_many_features(%x: tensor<?x8193xi8>, %s: tensor<?xf32>, %w: tensor<8193x8xi8>, %ws: tensor<8xf32>) {
  // expected-error @below {{'fact.quantized_linear' op sums over 8192 features at most (was 8193)}}
  %0 = fact.quantized_linear %x, %s, %w, %ws
    : (tensor<?x8193xi8>, tensor<?xf32>, tensor<8193x8xi8>, tensor<8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @mean_of_open_length(%x: tensor<?x16xf32>) {
  // expected-error @below {{'fact.mean_token' op result rows and one must be the same (was open and 1)}}
  %0 = fact.mean_token %x : tensor<?x16xf32> -> tensor<?x16xf32>
  return
}

// -----

// expected-error @below {{importance must be in -1..4096 (was 4097)}}
module attributes {fact.policy = #fact.policy<keep = 1024, tail = mean, dominance = 1.0e30, importance = 4097, low_precision = a4w4, scope = ffn, predictor = leading_one>} {}

// -----

// expected-error @below {{importance must be in -1..4096 (was 2147483648)}}
module attributes {fact.policy = #fact.policy<keep = 1024, tail = mean, dominance = 1.0e30, importance = 2147483648, low_precision = a4w4, scope = ffn, predictor = leading_one>} {}

// -----

// expected-error @below {{dominance must be in 0..1e30 (was 1.1}}
module attributes {fact.policy = #fact.policy<keep = 0, tail = mean, dominance = 1.1e30, importance = 0, low_precision = a4w4, scope = ffn, predictor = leading_one>} {}

// -----

// The largest values are none too many.
module attributes {fact.policy = #fact.policy<keep = 1024, tail = mean, dominance = 1.0e30, importance = 4096, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
  func.func @largest(%c: tensor<4xi64>, %s: tensor<1x4x4xi32>, %t: tensor<1x4x4xf32>, %u: tensor<1x4xf32>) {
    %0 = fact.select_precision %c importance = 4096 : tensor<4xi64> -> tensor<4xi1>
    return
  }
}

// -----

func.func @importance(%c: tensor<4xi64>) {
  // expected-error @below {{'fact.select_precision' op importance must be in 1..4096, or -1 (was 4097)}}
  %0 = fact.select_precision %c importance = 4097 : tensor<4xi64> -> tensor<4xi1>
  return
}

// -----

func.func @importance_wide(%c: tensor<4xi64>) {
  // expected-error @below {{'fact.select_precision' op importance must be in 1..4096, or -1 (was 2147483648)}}
  %0 = fact.select_precision %c importance = 2147483648 : tensor<4xi64> -> tensor<4xi1>
  return
}

// -----

// expected-error @below {{'fact.bound' of argument 0 must not be below its rows (was 4 and 8)}}
// expected-note @below {{this argument}}
func.func @bound_below_the_rows(%x: tensor<8x4xf32> {fact.bound = 4 : i64}) {
  return
}

// -----

// expected-note @+2 {{a value of type 'tensor<8xf32>' comes from here}}
// expected-note @+1 {{a value of type 'tensor<?x8xi8>' comes from here}}
func.func @open_and_fixed(%x: tensor<?x8xi8>, %s: tensor<8xf32>, %w: tensor<8x8xi8>, %ws: tensor<8xf32>) {
  // expected-error @below {{'fact.quantized_linear' op scale and input tokens must be the same (was 8 and open)}}
  %0 = fact.quantized_linear %x, %s, %w, %ws
    : (tensor<?x8xi8>, tensor<8xf32>, tensor<8x8xi8>, tensor<8xf32>) -> tensor<?x8xf32>
  return
}

// -----

// expected-error @below {{'fact.name' of result 0 must be a string without NUL (was "\00y")}}
func.func @result_name(%x: tensor<?x4xf32>) -> (tensor<?x4xf32> {fact.name = "\00y"}) {
  return %x : tensor<?x4xf32>
}

// -----

// expected-error @below {{has no meaning for attribute 'fact.bound' of result 0}}
func.func @result_bound(%x: tensor<?x4xf32>) -> (tensor<?x4xf32> {fact.bound = 8 : i64}) {
  return %x : tensor<?x4xf32>
}

// -----

func.func @two_importances(%c: tensor<?xi64>, %i: tensor<i32>) {
  // expected-error @below {{'fact.select_precision' op needs 'importance' as a number or as an operand}}
  %l = "fact.select_precision"(%c, %i) {importance = 256 : i64} : (tensor<?xi64>, tensor<i32>) -> tensor<?xi1>
  return
}

// -----

func.func @no_keep(%t: tensor<2x?x?xf32>, %u: tensor<2x?xf32>) {
  // expected-error @below {{'fact.select' op needs 'keep' as a number or as an operand}}
  %m, %d, %a, %c = "fact.select"(%t, %u) <{predictor = #fact<predictor leading_one>, dominance = 0.0 : f32, operandSegmentSizes = array<i32: 1, 1, 0, 0>}>
    : (tensor<2x?x?xf32>, tensor<2x?xf32>) -> (tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>)
  return
}

// -----

func.func @text_for_keep(%t: tensor<2x?x?xf32>, %u: tensor<2x?xf32>) {
  // expected-error @below {{needs an integer}}
  %m, %d, %a, %c = fact.select leading_one %t, %u keep = "all" dominance = 3.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  return
}

// -----

func.func @window_of_everything(%q: tensor<?x16xf32>) {
  // expected-error @below {{a window must have an end that is a number}}
  %0 = fact.attention %q, %q, %q heads = 2 scale = 0.5 window = [*, *] : tensor<?x16xf32>
  return
}

// -----

func.func @window_end(%q: tensor<?x16xf32>) {
  // expected-error @below {{a window's end must be a number from 0 to 2147483647 or '*' (was -3)}}
  %0 = fact.attention %q, %q, %q heads = 2 scale = 0.5 window = [2, -3] : tensor<?x16xf32>
  return
}

// -----

func.func @window_end_too_large(%q: tensor<?x16xf32>) {
  // expected-error @below {{a window's end must be a number from 0 to 2147483647 or '*' (was 2147483648)}}
  %0 = fact.attention %q, %q, %q heads = 2 scale = 0.5 window = [2147483648, 3] : tensor<?x16xf32>
  return
}

// -----

func.func @norm_beta(%x: tensor<?x16xf32>, %g: tensor<16xf32>, %b: tensor<8xf32>) {
  // expected-error @+2 {{'fact.norm' op beta and input features must be the same (was 8 and 16)}}
  // expected-note @-2 {{a value of type 'tensor<8xf32>' comes from here}}
  %0 = fact.norm layer %x, %g, %b eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<8xf32>
  return
}

// -----

func.func @head_norm(%x: tensor<?x16xf32>, %g: tensor<16xf32>) {
  // expected-note @-1 {{a value of type 'tensor<16xf32>' comes from here}}
  // expected-error @below {{'fact.norm' op gamma and input features must be the same (was 16 and 8)}}
  %0 = fact.norm rms %x, %g heads = 2 eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>
  return
}

// -----

func.func @norm_rows(%x: tensor<?x16xf32>, %g: tensor<16xf32>, %r: tensor<1x?xi1>) {
  // expected-error @below {{'fact.norm' op needs 'heads' for its rows}}
  %0 = fact.norm rms %x, %g rows %r eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32> rows tensor<1x?xi1>
  return
}

// -----

func.func @rotate(%x: tensor<?x16xf32>, %t: tensor<32x5xf32>) {
  // expected-note @-1 {{a value of type 'tensor<32x5xf32>' comes from here}}
  // expected-error @below {{'fact.rotate' op rotates 8 features of a head at most (was 10)}}
  %0 = fact.rotate half %x, %t, %t heads = 2 : tensor<?x16xf32>, tensor<32x5xf32>
  return
}

// -----

func.func @positions(%x: tensor<48x16xf32>, %t: tensor<32x4xf32>) {
  // expected-note @-1 {{a value of type 'tensor<32x4xf32>' comes from here}}
  // expected-error @below {{'fact.rotate' op has 32 positions for 48 tokens}}
  %0 = fact.rotate half %x, %t, %t heads = 2 : tensor<48x16xf32>, tensor<32x4xf32>
  return
}

// -----

func.func @key_heads(%q: tensor<?x16xf32>, %k: tensor<?x12xf32>) {
  // expected-error @below {{'fact.attention' op number of heads must be a multiple of the number of key heads 3 (was 4)}}
  %0 = fact.attention %q, %k, %k heads = 4 key_heads = 3 scale = 0.5 : tensor<?x16xf32>, tensor<?x12xf32>
  return
}

// -----

func.func @key_features(%q: tensor<?x16xf32>) {
  // expected-note @-1 {{a value of type 'tensor<?x16xf32>' comes from here}}
  // expected-error @below {{'fact.attention' op 2 key heads of 4 features must have 8 features (was 16)}}
  %0 = fact.attention %q, %q, %q heads = 4 key_heads = 2 scale = 0.5 : tensor<?x16xf32>
  return
}

// -----

func.func @k_rows_of_groups(%m: tensor<4x?x?xi1>, %d: tensor<4x?xi1>) {
  // expected-error @below {{'fact.k_rows' op number of heads must be a multiple of the number of key heads 3 (was 4)}}
  %0 = fact.k_rows %m, %d : tensor<4x?x?xi1>, tensor<4x?xi1> -> tensor<3x?xi1>
  return
}

// -----

func.func @rescale(%h: tensor<?x16xi32>, %e: tensor<?xf32>, %s: tensor<f32>, %b: tensor<8xf32>) {
  // expected-note @-1 {{a value of type 'tensor<8xf32>' comes from here}}
  // expected-error @below {{'fact.rescale' op bias and result features must be the same (was 8 and 16)}}
  %0 = fact.rescale %h, %e, %s bias %b : (tensor<?x16xi32>, tensor<?xf32>, tensor<f32>, tensor<8xf32>) -> tensor<?x16xf32>
  return
}
