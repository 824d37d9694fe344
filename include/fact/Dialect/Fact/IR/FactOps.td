//===- FactOps.td - Operations of the fact dialect ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_OPS_TD
#define FACT_OPS_TD

include "fact/Dialect/Fact/IR/FactAttributes.td"
include "fact/Dialect/Fact/IR/FactInterfaces.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Types. L = tokens, d = features, h = heads, N = output features.
//===----------------------------------------------------------------------===//

// L may be open; how many features and heads there are is always known.
class Fact_KnownDim<list<Type> elements, int rank, int dim, string what>
    : Type<And<[TensorRankOf<elements, [rank]>.predicate,
                CPred<"::llvm::cast<::mlir::ShapedType>($_self).getDimSize(" # dim # ") > 0">]>,
           TensorRankOf<elements, [rank]>.summary # " with a known number of " # what, "::mlir::TensorType">;
class Fact_RowsOf<Type element> : Fact_KnownDim<[element], 2, 1, "features">;  // [L, d]
class Fact_HeadRowsOf<Type element> : Fact_KnownDim<[element], 2, 0, "heads">; // [h, L]
class Fact_ScoresOf<Type element> : Fact_KnownDim<[element], 3, 0, "heads">;   // [h, L, L]

def Fact_Rows : Fact_RowsOf<F32>;
def Fact_Rows8 : Fact_RowsOf<I8>;
def Fact_Rows32 : Fact_RowsOf<I32>;
def Fact_Vector : TensorRankOf<[F32], [1]>;      // [d] or [L] f32
def Fact_HeadScales : Fact_HeadRowsOf<F32>;
def Fact_Scalar : TensorRankOf<[F32], [0]>;      // f32
def Fact_HeadRows : Fact_HeadRowsOf<I1>;
def Fact_TokenMask : TensorRankOf<[I1], [1]>;    // [L] i1
def Fact_ScoreMask : Fact_ScoresOf<I1>;
def Fact_Scores : Fact_ScoresOf<F32>;
def Fact_Argmax : Fact_HeadRowsOf<I32>;
def Fact_Counts : TensorRankOf<[I64], [1]>;      // [L] i64

// A number of the policy that is an operand, since layers of one function differ in it.
class Fact_PolicyValue<Type element, string builder>
    : Type<TensorRankOf<[element], [0]>.predicate, TensorRankOf<[element], [0]>.summary, "::mlir::RankedTensorType">,
      BuildableType<"::mlir::RankedTensorType::get({}, $_builder." # builder # "())">;
def Fact_PolicyInteger : Fact_PolicyValue<I32, "getI32Type">;
def Fact_PolicyFloat : Fact_PolicyValue<F32, "getF32Type">;

class Fact_Op<string mnemonic, list<Trait> traits = []>
    : Op<Fact_Dialect, mnemonic, !listconcat([Pure], traits)>;

//===----------------------------------------------------------------------===//
// Dense ops: what raise produces.
//===----------------------------------------------------------------------===//

def Fact_LinearOp : Fact_Op<"linear"> {
  let summary = "dense linear layer on float32 rows";
  let description = [{
    `y[i][n] = sum_k x[i][k] * w[k][n] + bias[n]`. It exists apart from
    `linalg.matmul` because it says that the right operand is a weight, so that
    `quantize` may give it per-channel INT8 weights.

    ```mlir
    %y = fact.linear %x, %w bias %b : (tensor<?x64xf32>, tensor<64x256xf32>, tensor<256xf32>) -> tensor<?x256xf32>
    %z = fact.linear %x, %v : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Fact_Rows:$input, Fact_Rows:$weight, Optional<Fact_Vector>:$bias);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Fact_AttentionOp : Fact_Op<"attention", [
    AllTypesMatch<["query", "result"]>, AllTypesMatch<["key", "value"]>]> {
  let summary = "dense multi-head self-attention on float32 rows";
  let description = [{
    Head c of q, k, v is columns `c * dh .. (c+1) * dh`. k and v have `key_heads` of them
    (without it as many as q), G: head c of q reads head `c div (h/G)` (section 10). Per head
    `result = softmax(q k^T * scale) v`, over the keys of a row's window: all without
    one, keys 0..i of row i with `causal`, keys i - 8 .. i + 8 with `window = [8, 8]`
    (section 10; `*` is unlimited).
    `scale` is the attention's own, never folded into a projection.

    ```mlir
    %c = fact.attention %q, %k, %v heads = 8 scale = 0.2582 : tensor<?x120xf32>
    %c = fact.attention %q, %k, %v heads = 1 scale = 0.125 causal : tensor<?x64xf32>
    %c = fact.attention %q, %k, %v heads = 1 scale = 0.125 window = [8, 8] : tensor<?x64xf32>
    %c = fact.attention %q, %k, %v heads = 4 key_heads = 2 scale = 0.125 : tensor<?x64xf32>, tensor<?x32xf32>
    ```
  }];
  let arguments = (ins Fact_Rows:$query, Fact_Rows:$key, Fact_Rows:$value,
                       ConfinedAttr<I64Attr, [IntPositive]>:$heads, OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$key_heads,
                       F32Attr:$scale, OptionalAttr<Fact_WindowAttr>:$window);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value `heads` `=` $heads (`key_heads` `=` $key_heads^)? `scale` `=` $scale custom<Window>($window)
    attr-dict `:` custom<KeyTypes>(type($query), type($key))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getGroups() { return getKeyHeads().value_or(getHeads()); } // heads of key and value
  }];
}

def Fact_ActivationOp : Fact_Op<"activation", [AllTypesMatch<["input", "result"]>]> {
  let summary = "elementwise activation function";
  let description = [{
    The f32 formula of section 2 for `gelu` (erf), `gelu_tanh`, `quick_gelu`,
    `swish`, `relu`.

    ```mlir
    %y = fact.activation gelu_tanh %x : tensor<?x256xf32>
    ```
  }];
  let arguments = (ins Fact_ActivationAttr:$kind, Fact_Rows:$input);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = "$kind $input attr-dict `:` type($result)";
}

def Fact_NormOp : Fact_Op<"norm", [AllTypesMatch<["input", "result"]>, AttrSizedOperandSegments]> {
  let summary = "layer or RMS norm of each row";
  let description = [{
    `layer`: `mu = rsum(x)/d; c = x - mu; y = (c * (1/sqrt(rsum(c*c)/d + eps))) * gamma + beta`
    (section 2); `rms`: the same of x itself, c = x (section 10). Without beta nothing is
    added. With `heads` each head's slice of a row is normalised by itself, d = features of
    a head; `rows` [h, L] names the slices that hold a value, the others are undefined.

    ```mlir
    %y = fact.norm layer %x, %gamma, %beta eps = 1.0e-5 : tensor<?x64xf32>, tensor<64xf32>, tensor<64xf32>
    %z = fact.norm rms %x, %gamma eps = 1.0e-6 : tensor<?x64xf32>, tensor<64xf32>
    %n = fact.norm rms %q, %gamma heads = 4 rows %rows eps = 1.0e-6 : tensor<?x64xf32>, tensor<16xf32> rows tensor<4x?xi1>
    ```
  }];
  let arguments = (ins Fact_NormAttr:$kind, Fact_Rows:$input, Fact_Vector:$gamma, Optional<Fact_Vector>:$beta,
                       Optional<Fact_HeadRows>:$rows, OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$heads, F32Attr:$eps);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = [{
    $kind $input `,` $gamma (`,` $beta^)? (`heads` `=` $heads^)? (`rows` $rows^)? `eps` `=` $eps attr-dict
    `:` type($result) `,` type($gamma) (`,` type($beta)^)? (`rows` type($rows)^)?
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Fact_RotateOp : Fact_Op<"rotate", [AllTypesMatch<["input", "result"]>, AllTypesMatch<["cos", "sin"]>]> {
  let summary = "rotary embedding of each head's slice of each row";
  let description = [{
    Section 10: cos and sin [positions, p] are the model's tables, row i reads position i.
    The first 2p features of a head are rotated in pairs (a, b), `half`: (c, c + p),
    `interleaved`: (2c, 2c + 1): `y_a = x_a * cos - x_b * sin; y_b = x_b * cos + x_a * sin`;
    the others stay. `rows` [h, L] names the slices that hold a value.

    ```mlir
    %r = fact.rotate half %q, %cos, %sin heads = 4 : tensor<?x64xf32>, tensor<512x8xf32>
    ```
  }];
  let arguments = (ins Fact_RotaryStyleAttr:$style, Fact_Rows:$input, Fact_Rows:$cos, Fact_Rows:$sin,
                       Optional<Fact_HeadRows>:$rows, ConfinedAttr<I64Attr, [IntPositive]>:$heads);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = [{
    $style $input `,` $cos `,` $sin `heads` `=` $heads (`rows` $rows^)? attr-dict
    `:` type($input) `,` type($cos) (`rows` type($rows)^)?
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Fact_AddOp : Fact_Op<"add", [Commutative, AllTypesMatch<["lhs", "rhs", "result"]>]> {
  let summary = "residual addition of two streams of rows";
  let description = [{
    `y = lhs + rhs`, one f32 addition an element. It exists apart from
    `arith.addf` so that a residual stream is visible to the back ends.

    ```mlir
    %y = fact.add %x, %z : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Fact_Rows:$lhs, Fact_Rows:$rhs);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def Fact_MultiplyOp : Fact_Op<"multiply", [Commutative, AllTypesMatch<["lhs", "rhs", "result"]>]> {
  let summary = "product of two streams of rows: a gate";
  let description = [{
    `y = lhs * rhs`, one f32 multiplication an element: what a gated feed-forward
    network does with its two linear layers (section 10).

    ```mlir
    %u = fact.multiply %activated, %linear3 : tensor<?x256xf32>
    ```
  }];
  let arguments = (ins Fact_Rows:$lhs, Fact_Rows:$rhs);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// Quantization.
//===----------------------------------------------------------------------===//

def Fact_QuantizeRowsOp : Fact_Op<"quantize_rows"> {
  let summary = "quantize each row to INT8, or to INT4 where `low` says so";
  let description = [{
    Section 1. INT8 rows: `scale = 2^e`, `q = rne(y * 2^-e)` in -127..127.
    Rows with `low[i]`: INT4, `scale = amax / 7`, `q = clamp(rne(y * (7 / amax)), -7, 7)`.
    Either way `y ~ q * scale`, so a consumer multiplies by `scale` without
    asking for the format.

    ```mlir
    %q, %s = fact.quantize_rows %x : (tensor<?x64xf32>) -> (tensor<?x64xi8>, tensor<?xf32>)
    %q, %s = fact.quantize_rows %x low %low : (tensor<?x64xf32>, tensor<?xi1>) -> (tensor<?x64xi8>, tensor<?xf32>)
    ```
  }];
  let arguments = (ins Fact_Rows:$input, Optional<Fact_TokenMask>:$low);
  let results = (outs Fact_Rows8:$quantized, Fact_Vector:$scale);
  let assemblyFormat = "$input (`low` $low^)? attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Fact_QuantizeHeadsOp : Fact_Op<"quantize_heads"> {
  let summary = "quantize each head's slice of each row to INT8";
  let description = [{
    As `fact.quantize_rows`, with one exponent per (head, row): section 1,
    "for Q, K, V the slice of one head". `rows` [h, L] names the slices that hold
    a value; the others are undefined in both results.

    ```mlir
    %q, %s = fact.quantize_heads %x heads = 8 : (tensor<?x120xf32>) -> (tensor<?x120xi8>, tensor<8x?xf32>)
    ```
  }];
  let arguments = (ins Fact_Rows:$input, Optional<Fact_HeadRows>:$rows, ConfinedAttr<I64Attr, [IntPositive]>:$heads);
  let results = (outs Fact_Rows8:$quantized, Fact_HeadScales:$scale);
  let assemblyFormat = "$input (`rows` $rows^)? `heads` `=` $heads attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Fact_QuantizeWeightOp : Fact_Op<"quantize_weight", [Fact_CompileTimeInterface]> {
  let summary = "quantize a weight to INT8 per output channel";
  let description = [{
    Section 1, "Weights, INT8": per column n, `scale = amax / 119`,
    `w = clamp(rne(W / scale), -119, 119)`. Folds on constants: no weight is
    quantized at run time.

    ```mlir
    %w8, %s = fact.quantize_weight %w : tensor<64x256xf32> -> tensor<64x256xi8>, tensor<256xf32>
    ```
  }];
  let arguments = (ins Fact_Rows:$weight);
  let results = (outs Fact_Rows8:$quantized, Fact_Vector:$scale);
  let assemblyFormat = "$weight attr-dict `:` type($weight) `->` type($quantized) `,` type($scale)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Fact_QuantizedLinearOp : Fact_Op<"quantized_linear", [AttrSizedOperandSegments]> {
  let summary = "mixed-precision linear layer on quantized rows";
  let description = [{
    Section 3: `acc = INT sum of q * w; y = f32(acc) * ws[n]; y = y * scale[i];
    y = y + bias[n]`. For a row with `low[i]`: with `a4w4` w is the high plane
    `(w + 8) >> 4` in -7..7 and ws is `16 * ws`; with `a4w8` w and ws as they are
    (section 7). `rows` [h, L]: only channels of head `n / (N/h)` of row i with
    `rows[h][i]` are computed, the others are undefined.

    ```mlir
    %y = fact.quantized_linear %q, %s, %w8, %ws bias %b
        : (tensor<?x64xi8>, tensor<?xf32>, tensor<64x256xi8>, tensor<256xf32>, tensor<256xf32>) -> tensor<?x256xf32>
    %y = fact.quantized_linear %q, %s, %w8, %ws low %low precision = a4w4 rows %rows
        : (tensor<?x64xi8>, tensor<?xf32>, tensor<64x64xi8>, tensor<64xf32>, tensor<?xi1>, tensor<1x?xi1>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Fact_Rows8:$input, Fact_Vector:$scale, Fact_Rows8:$weight, Fact_Vector:$weight_scale,
                       Optional<Fact_Vector>:$bias, Optional<Fact_TokenMask>:$low, Optional<Fact_HeadRows>:$rows,
                       OptionalAttr<Fact_LowPrecisionAttr>:$precision);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = [{
    $input `,` $scale `,` $weight `,` $weight_scale (`bias` $bias^)? (`low` $low^)?
    (`precision` `=` $precision^)? (`rows` $rows^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

//===----------------------------------------------------------------------===//
// Eager prediction (section 4).
//===----------------------------------------------------------------------===//

def Fact_QuantizePredictorWeightOp : Fact_Op<"quantize_predictor_weight", [Fact_CompileTimeInterface]> {
  let summary = "quantize Wq or Wk for the predictor, one scale for the matrix";
  let description = [{
    Section 1, "Predictor weights": `s = amax / 127`, `w = clamp(rne(W / s), -127, 127)`.

    ```mlir
    %w8, %s = fact.quantize_predictor_weight %w : tensor<64x64xf32> -> tensor<64x64xi8>, tensor<f32>
    ```
  }];
  let arguments = (ins Fact_Rows:$weight);
  let results = (outs Fact_Rows8:$quantized, Fact_Scalar:$scale);
  let assemblyFormat = "$weight attr-dict `:` type($weight) `->` type($quantized) `,` type($scale)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Fact_PredictorBiasOp : Fact_Op<"predictor_bias", [Fact_CompileTimeInterface,
    AllTypesMatch<["bias", "result"]>]> {
  let summary = "a bias as the predictor adds it";
  let description = [{
    Section 4.3: `b = (bias * gain) / s`, in the unit of the predictor's accumulators; gain
    = the predictor's bias gain (0.53 for the leading one). K's bias adds a constant to a
    row of scores and has no such op, unless rows are dressed: then both have one, without
    `s`, `b = bias * gain` (section 10).

    ```mlir
    %b = fact.predictor_bias leading_one %bq, %s : tensor<120xf32>, tensor<f32>
    %c = fact.predictor_bias leading_one %bk : tensor<120xf32>
    ```
  }];
  let arguments = (ins Fact_PredictorAttr:$predictor, Fact_Vector:$bias, Optional<Fact_Scalar>:$scale);
  let results = (outs Fact_Vector:$result);
  let assemblyFormat = "$predictor $bias (`,` $scale^)? attr-dict `:` type($bias) (`,` type($scale)^)?";
  let hasFolder = 1;
}

def Fact_EncodeOp : Fact_Op<"encode", [Fact_CompileTimeInterface, AllTypesMatch<["input", "result"]>]> {
  let summary = "code of an operand of eager prediction: leading one, leading two, or as it is";
  let description = [{
    Section 4.1 and 4.6. `leading_one`: `sign(q) * 2^floor(log2 |q|)`, zero stays
    zero; `leading_two` keeps two leading ones; `one_sided` encodes weights and
    queries only; `exact` nothing. The result holds the value of the code: a back
    end stores it in as few bits as the code has (4 for a leading one).

    ```mlir
    %c = fact.encode leading_one activation %x8 : tensor<?x64xi8>
    ```
  }];
  let arguments = (ins Fact_PredictorAttr:$predictor, Fact_OperandAttr:$operand, Fact_Rows8:$input);
  let results = (outs Fact_Rows8:$result);
  let assemblyFormat = "$predictor $operand $input attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Fact_LogMatmulOp : Fact_Op<"log_matmul", [AttrSizedOperandSegments]> {
  let summary = "log-domain matrix product of activation and weight codes";
  let description = [{
    Section 4.2, 4.3: `H[i][n] = INT sum_k x[i][k] * w[k][n]`, additions of
    exponents and signs for leading-one codes. With `bias` b and `scale` (2^e of each
    row): `H[i][n] += rne(clamp(b[n] / 2^e_i, -2^30, 2^30))`.

    ```mlir
    %h = fact.log_matmul %xc, %wc : (tensor<?x64xi8>, tensor<64x64xi8>) -> tensor<?x64xi32>
    %h = fact.log_matmul %xc, %wc bias %b scale %s : (tensor<?x64xi8>, tensor<64x64xi8>, tensor<64xf32>, tensor<?xf32>) -> tensor<?x64xi32>
    ```
  }];
  let arguments = (ins Fact_Rows8:$input, Fact_Rows8:$weight, Optional<Fact_Vector>:$bias, Optional<Fact_Vector>:$scale);
  let results = (outs Fact_Rows32:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^ `scale` $scale)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Fact_NormalizeHeadsOp : Fact_Op<"normalize_heads"> {
  let summary = "shift each head's slice of a row of accumulators to seven octaves";
  let description = [{
    Section 4.4: per (head, row) `s = max(0, floor(log2 max|H|) - 6)` (0 for zeros);
    `result = sign(H) * (|H| >> s)`, `scale = 2^s`.

    ```mlir
    %n, %s = fact.normalize_heads %h heads = 8 : tensor<?x120xi32> -> tensor<?x120xi8>, tensor<8x?xf32>
    ```
  }];
  let arguments = (ins Fact_Rows32:$input, ConfinedAttr<I64Attr, [IntPositive]>:$heads);
  let results = (outs Fact_Rows8:$result, Fact_HeadScales:$scale);
  let assemblyFormat = "$input `heads` `=` $heads attr-dict `:` type($input) `->` type($result) `,` type($scale)";
  let hasVerifier = 1;
}

def Fact_RescaleOp : Fact_Op<"rescale"> {
  let summary = "predicted rows of Q or K in float32, to be dressed";
  let description = [{
    Section 10: `y[i][n] = (f32(H[i][n]) * s) * scale[i]`, then `+ bias[n]` where there is
    one; s is the scale of the predictor's weight, scale 2^e of the rows, and bias that of
    a `fact.predictor_bias` without a scale. What dresses the rows of the projection itself
    follows, and `fact.quantize_heads`.

    ```mlir
    %y = fact.rescale %h, %s, %ws bias %b : (tensor<?x64xi32>, tensor<?xf32>, tensor<f32>, tensor<64xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Fact_Rows32:$input, Fact_Vector:$scale, Fact_Scalar:$weight_scale, Optional<Fact_Vector>:$bias);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = [{
    $input `,` $scale `,` $weight_scale (`bias` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Fact_PredictOp : Fact_Op<"predict", [AttrSizedOperandSegments]> {
  let summary = "predicted scores of every query and key, per head";
  let description = [{
    Section 4.5: `A = INT sum over the head of query * key`,
    `scores[h][i][j] = f32(A) * (key_scale[g][j] * scale[j])`,
    `unit[h][i] = (query_scale[h][i] * scale[i]) * ((sq * sk) * attention_scale)`:
    `scores * unit` is in logits before the predictor's logit gain. Scores are defined
    for every pair; which of them a row may see is `fact.select`'s affair.
    query, key: codes of the shifted accumulators; `scale`: 2^e of the rows. Head h of the
    query reads head `g = h div (heads/G)` of the key, which has as many as its scales, G.
    Without scales of the rows and of the predictor's weights the codes are those of dressed
    rows (section 10): `scores[h][i][j] = f32(A) * key_scale[g][j]`, `unit[h][i] =
    query_scale[h][i] * attention_scale`.

    ```mlir
    %t, %u = fact.predict %q, %qs, %k, %ks, %s, %wqs, %wks heads = 8 scale = 0.2582
      : (tensor<?x120xi8>, tensor<8x?xf32>, tensor<?x120xi8>, tensor<8x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>)
        -> (tensor<8x?x?xf32>, tensor<8x?xf32>)
    %t, %u = fact.predict %q, %qs, %k, %ks heads = 8 scale = 0.2582
      : (tensor<?x120xi8>, tensor<8x?xf32>, tensor<?x30xi8>, tensor<2x?xf32>) -> (tensor<8x?x?xf32>, tensor<8x?xf32>)
    ```
  }];
  let arguments = (ins Fact_Rows8:$query, Fact_HeadScales:$query_scale, Fact_Rows8:$key, Fact_HeadScales:$key_scale,
                       Optional<Fact_Vector>:$scale, Optional<Fact_Scalar>:$query_weight_scale, Optional<Fact_Scalar>:$key_weight_scale,
                       ConfinedAttr<I64Attr, [IntPositive]>:$heads, F32Attr:$attention_scale);
  let results = (outs Fact_Scores:$scores, Fact_HeadScales:$unit);
  let assemblyFormat = [{
    $query `,` $query_scale `,` $key `,` $key_scale (`,` $scale^ `,` $query_weight_scale `,` $key_weight_scale)?
    `heads` `=` $heads `scale` `=` $attention_scale attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getGroups() { return getKeyScale().getType().getDimSize(0); } // heads of the key
    bool isDressed() { return !getScale(); }
  }];
}

//===----------------------------------------------------------------------===//
// Masking (section 5).
//===----------------------------------------------------------------------===//

def Fact_SelectOp : Fact_Op<"select", [AttrSizedOperandSegments]> {
  let summary = "row-wise top-k, dominance, argmax and counts: one per layer";
  let description = [{
    Row i of a head may attend to n_i keys: those of the window, as `fact.attention`.
    `mask`: the `max(1, (keep * n_i + 1023) >> 10)` largest scores, ties to the lower
    column; `keep` in 1024ths, 1024 keeps all n_i. `dominated`: n_i >= 2 and
    `((top1 - top2) * unit) * gain > dominance` (0 = off), gain = the predictor's
    logit gain, less where one or both sides of the scores have a head norm: `head_norms`
    (section 10). `argmax`: column of the largest score, ties to the lower.
    `count[j]`: number of (head, row) pairs that keep j. Everything in a layer that
    is sparse reads this op's results: sharing is SSA use of one select. `keep` (i32) and
    `dominance` (f32) may be operands, where layers of one function differ in them.

    ```mlir
    %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 205 dominance = 3.0
      : tensor<8x?x?xf32>, tensor<8x?xf32> -> tensor<8x?x?xi1>, tensor<8x?xi1>, tensor<8x?xi32>, tensor<?xi64>
    %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = %keep dominance = 3.0
      : tensor<8x?x?xf32>, tensor<8x?xf32> -> tensor<8x?x?xi1>, tensor<8x?xi1>, tensor<8x?xi32>, tensor<?xi64>
    ```
  }];
  let arguments = (ins Fact_PredictorAttr:$predictor, Fact_Scores:$scores, Fact_HeadScales:$unit,
                       OptionalAttr<ConfinedAttr<I64Attr, [IntNonNegative]>>:$keep, Optional<Fact_PolicyInteger>:$keep_value,
                       OptionalAttr<F32Attr>:$dominance, Optional<Fact_PolicyFloat>:$dominance_value,
                       OptionalAttr<ConfinedAttr<I64Attr, [IntMinValue<1>, IntMaxValue<2>]>>:$head_norms, OptionalAttr<Fact_WindowAttr>:$window);
  let results = (outs Fact_ScoreMask:$mask, Fact_HeadRows:$dominated, Fact_Argmax:$argmax, Fact_Counts:$count);
  let assemblyFormat = [{
    $predictor $scores `,` $unit `keep` `=` custom<PolicyInteger>($keep_value, $keep)
    `dominance` `=` custom<PolicyFloat>($dominance_value, $dominance) (`head_norms` `=` $head_norms^)? custom<Window>($window)
    attr-dict `:` type($scores) `,` type($unit) `->` type($mask) `,` type($dominated) `,` type($argmax) `,` type($count)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Fact_SelectAllOp : Fact_Op<"select_all"> {
  let summary = "the counts of a layer in which nothing is pruned";
  let description = [{
    Section 5's last rule: with keep = 1 and no dominance nothing is predicted and
    every allowed column is kept, so `count[j]` = heads * m_j, where m_j rows have j
    in their window. `rows` [L, d] only says how long the sequence is.

    ```mlir
    %count = fact.select_all %x heads = 8 : tensor<?x120xf32> -> tensor<?xi64>
    ```
  }];
  let arguments = (ins Fact_Rows:$input, ConfinedAttr<I64Attr, [IntPositive]>:$heads, OptionalAttr<Fact_WindowAttr>:$window);
  let results = (outs Fact_Counts:$count);
  let assemblyFormat = "$input `heads` `=` $heads custom<Window>($window) attr-dict `:` type($input) `->` type($count)";
  let hasVerifier = 1;
}

def Fact_KRowsOp : Fact_Op<"k_rows"> {
  let summary = "rows of K that attention reads";
  let description = [{
    `result[g][j]` = some row i of a head of group g, not dominated there, keeps j
    (sections 5 and 10). Of as many heads of K as the result has: those of the mask, if its
    type is not given.

    ```mlir
    %k = fact.k_rows %mask, %dominated : tensor<8x?x?xi1>, tensor<8x?xi1>
    %g = fact.k_rows %mask, %dominated : tensor<8x?x?xi1>, tensor<8x?xi1> -> tensor<2x?xi1>
    ```
  }];
  let arguments = (ins Fact_ScoreMask:$mask, Fact_HeadRows:$dominated);
  let results = (outs Fact_HeadRows:$result);
  let assemblyFormat = "$mask `,` $dominated attr-dict `:` type($mask) `,` custom<GroupTypes>(type($dominated), type($result))";
  let hasVerifier = 1;
}

def Fact_VRowsOp : Fact_Op<"v_rows"> {
  let summary = "rows of V that attention reads";
  let description = [{
    `result[g][j]` = K's row j is read, or some dominated row of a head of group g has its
    argmax at j.

    ```mlir
    %v = fact.v_rows %mask, %dominated, %argmax : tensor<8x?x?xi1>, tensor<8x?xi1>, tensor<8x?xi32>
    ```
  }];
  let arguments = (ins Fact_ScoreMask:$mask, Fact_HeadRows:$dominated, Fact_Argmax:$argmax);
  let results = (outs Fact_HeadRows:$result);
  let assemblyFormat = [{
    $mask `,` $dominated `,` $argmax attr-dict
    `:` type($mask) `,` type($dominated) `,` custom<GroupTypes>(type($argmax), type($result))
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Fact_QRowsOp : Fact_Op<"q_rows", [AllTypesMatch<["dominated", "result"]>]> {
  let summary = "rows of Q that attention reads";
  let description = [{
    `result[h][i]` = row i is not dominated.

    ```mlir
    %q = fact.q_rows %dominated : tensor<8x?xi1>
    ```
  }];
  let arguments = (ins Fact_HeadRows:$dominated);
  let results = (outs Fact_HeadRows:$result);
  let assemblyFormat = "$dominated attr-dict `:` type($result)";
}

def Fact_MeanTokenOp : Fact_Op<"mean_token"> {
  let summary = "mean of all rows: the token that stands for dropped keys";
  let description = [{
    `column_mean` of section 2: rows added one after the other, then divided by
    f32(L). A single row, whose K and V go through the same linear layers at INT8.

    ```mlir
    %m = fact.mean_token %a : tensor<?x64xf32> -> tensor<1x64xf32>
    ```
  }];
  let arguments = (ins Fact_Rows:$input);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Precision (sections 5 and 7).
//===----------------------------------------------------------------------===//

def Fact_SelectPrecisionOp : Fact_Op<"select_precision"> {
  let summary = "tokens that run at INT4, from their importance";
  let description = [{
    `low[j] = count[j] * 256 * sum(m) <= importance * m_j * sum(count)`, in 64 bits,
    where m_j rows have j in the window of the attention that is counted.
    `importance` in 256ths, or -1 for the tokens that nobody keeps; importance 0 means
    that no token is low, and then there is no such op. It may be an operand (i32), as
    `keep` of a select.

    ```mlir
    %low = fact.select_precision %count importance = 256 : tensor<?xi64> -> tensor<?xi1>
    ```
  }];
  let arguments = (ins Fact_Counts:$count, OptionalAttr<I64Attr>:$importance, Optional<Fact_PolicyInteger>:$importance_value,
                       OptionalAttr<Fact_WindowAttr>:$window);
  let results = (outs Fact_TokenMask:$low);
  let assemblyFormat = "$count `importance` `=` custom<PolicyInteger>($importance_value, $importance) custom<Window>($window) attr-dict `:` type($count) `->` type($low)";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

//===----------------------------------------------------------------------===//
// The sparse consumer.
//===----------------------------------------------------------------------===//

def Fact_QuantizedAttentionOp : Fact_Op<"quantized_attention", [AttrSizedOperandSegments]> {
  let summary = "masked multi-head attention on quantized heads";
  let description = [{
    Section 6. Head h of the query reads head `g = h div (heads/G)` of key and value, which
    have as many as their scales, G. Without `mask`, every allowed key is kept; `dominated` rows copy
    `v[argmax]`; `tail` (mean token's K and V, quantized per head: [1, d] i8 and
    [G, 1] f32) stands for the dropped keys of a row. Rows of k, v and q that the
    masks do not name may be undefined.

    ```mlir
    %c = fact.quantized_attention %q, %qs, %k, %ks, %v, %vs mask %m dominated %dm, %am
        tail %kb, %kbs, %vb, %vbs heads = 8 scale = 0.2582
      : (...) -> tensor<?x120xf32>
    ```
  }];
  let arguments = (ins Fact_Rows8:$query, Fact_HeadScales:$query_scale, Fact_Rows8:$key, Fact_HeadScales:$key_scale,
                       Fact_Rows8:$value, Fact_HeadScales:$value_scale,
                       Optional<Fact_ScoreMask>:$mask, Optional<Fact_HeadRows>:$dominated, Optional<Fact_Argmax>:$argmax,
                       Optional<Fact_Rows8>:$tail_key, Optional<Fact_HeadScales>:$tail_key_scale,
                       Optional<Fact_Rows8>:$tail_value, Optional<Fact_HeadScales>:$tail_value_scale,
                       ConfinedAttr<I64Attr, [IntPositive]>:$heads, F32Attr:$scale, OptionalAttr<Fact_WindowAttr>:$window);
  let results = (outs Fact_Rows:$result);
  let assemblyFormat = [{
    $query `,` $query_scale `,` $key `,` $key_scale `,` $value `,` $value_scale (`mask` $mask^)?
    (`dominated` $dominated^ `,` $argmax)?
    (`tail` $tail_key^ `,` $tail_key_scale `,` $tail_value `,` $tail_value_scale)?
    `heads` `=` $heads `scale` `=` $scale custom<Window>($window) attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
  let extraClassDeclaration = [{
    int64_t getGroups() { return getKeyScale().getType().getDimSize(0); } // heads of key and value
  }];
}

#endif // FACT_OPS_TD
