//===- Passes.td - Passes on the fact dialect -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_TRANSFORMS_PASSES_TD
#define FACT_DIALECT_FACT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// From dense to sparse, in this order: the pipeline `fact-sparsify`.
//===----------------------------------------------------------------------===//

def OutlinePass : Pass<"fact-outline", "::mlir::ModuleOp"> {
  let summary = "make equal encoder layers one private function";
  let description = [{
    Cuts a function where a single stream of rows is alive, so that each piece
    has one attention with its projections, norms and feed-forward network, and
    moves pieces that are equal (same ops, types and attributes in the same order;
    constants may differ) into one private function that takes the constants as
    arguments. Compile time and program size then do not grow with the depth.

    Before:
    ```mlir
    func.func @main(%x: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
      %0 = tensor.collapse_shape %x ...
      %q = fact.linear %0, %wq0 : ...
      ...
      %7 = fact.norm layer %6, %gamma0, %beta0 ...
      %q1 = fact.linear %7, %wq1 : ...
      ...
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
      %0 = tensor.collapse_shape %x ...
      %1 = call @encoder_layer(%0, %wq0, ...) : ...
      %2 = call @encoder_layer(%1, %wq1, ...) : ...
      ...
    func.func private @encoder_layer(%x: tensor<?x64xf32>, %wq: tensor<64x64xf32>, ...) -> tensor<?x64xf32>
    ```

    A layer begins at the last cut before its attention and reaches to the
    beginning of the next one; the last layer ends where it equals the one before
    it or else where the last fact op is. Layers of several structures become
    `@encoder_layer_0`, `@encoder_layer_1`, ...; each missed remark names the first
    op that differs from the layer before. Every op keeps its location, fused with
    those of the same op in equal layers; a call has the location of its
    attention.

    Before: `fact-raise`. After: functions keep their attributes; an attention
    stays in its function only where a remark says so.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let statistics = [
    Statistic<"numLayers", "layers", "layers that became a call">,
    Statistic<"numFunctions", "functions", "functions made">,
    Statistic<"missedLayers", "missed-layers", "attentions that stay where they are">,
  ];
}

def QuantizePass : Pass<"fact-quantize", "::mlir::ModuleOp"> {
  let summary = "dense linear layers and attention to INT8";
  let description = [{
    Every `fact.linear` and `fact.attention` becomes its quantized form, exactly
    as section 3 and 6 of docs/numerics.md compute it; layers that read the same
    rows share their quantization. Layer norm, activations and additions stay f32.

    Before:
    ```mlir
    %q = fact.linear %a, %wq bias %bq : ...
    %c = fact.attention %q, %k, %v heads = 8 scale = 0.2582 : tensor<?x120xf32>
    ```
    After:
    ```mlir
    %a8, %as = fact.quantize_rows %a : ...
    %wq8, %wqs = fact.quantize_weight %wq : ...
    %q = fact.quantized_linear %a8, %as, %wq8, %wqs bias %bq : ...
    %q8, %qs = fact.quantize_heads %q heads = 8 : ...
    %c = fact.quantized_attention %q8, %qs, %k8, %ks, %v8, %vs heads = 8 scale = 0.2582 : ...
    ```

    Before: any `fact` IR. After: no `fact.linear` or `fact.attention`. A weight,
    bias, gamma or beta whose value is known here or at the calls of a private
    function and that is not finite, or larger than 2^50, is an error at the op.
  }];
  let statistics = [
    Statistic<"numLinear", "linear", "linear layers quantized">,
    Statistic<"numAttention", "attention", "attentions quantized">,
  ];
}

def PredictPass : Pass<"fact-predict", "::mlir::ModuleOp"> {
  let summary = "eager prediction and row-wise selection for attention";
  let description = [{
    Gives every `fact.quantized_attention` the mask that its policy asks for,
    predicted from the rows that enter the projections and from Wq and Wk
    (sections 4 and 5); with `tail = mean` also the mean token (section 6).
    Nothing but the attention changes.

    Before, in a function or module with `fact.policy`:
    ```mlir
    %q = fact.quantized_linear %a8, %as, %wq8, %wqs bias %bq : ...   // k likewise
    %c = fact.quantized_attention %q8, %qs, %k8, %ks, %v8, %vs heads = 8 scale = 0.2582 : ...
    ```
    After, with `keep = 205, dominance = 3.0, tail = none`:
    ```mlir
    %ac = fact.encode leading_one activation %a8 : ...
    %wq8p, %wqps = fact.quantize_predictor_weight %wq : ...          // k likewise, without bias
    %wqc = fact.encode leading_one weight %wq8p : ...
    %b = fact.predictor_bias leading_one %bq, %wqps : ...
    %hq = fact.log_matmul %ac, %wqc bias %b scale %as : ...
    %nq, %sq = fact.normalize_heads %hq heads = 8 : ...
    %cq = fact.encode leading_one query %nq : ...
    %t, %u = fact.predict %cq, %sq, %ck, %sk, %as, %wqps, %wkps heads = 8 scale = 0.2582 : ...
    %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 205 dominance = 3.0 : ...
    %c = fact.quantized_attention %q8, %qs, %k8, %ks, %v8, %vs mask %mask dominated %dominated, %argmax
        heads = 8 scale = 0.2582 : ...
    ```

    Before: quantized IR whose weights are still f32 somewhere in the function
    (before `--fact-hoist-weights`). After: every attention that could be
    predicted has a mask with one `fact.select` behind it. A policy with keep =
    1024 and dominance = 0 predicts nothing. Attention without a policy, cross
    attention, and projections that are not visible are left as they are, with a
    missed remark.
  }];
  let statistics = [
    Statistic<"numPredicted", "predicted", "attentions with a predicted mask">,
    Statistic<"numMeanToken", "mean-token", "attentions with a mean token">,
    Statistic<"missedAttention", "missed-attention", "attentions left dense although a policy might prune them">,
  ];
}

def PrecisionPass : Pass<"fact-precision", "::mlir::ModuleOp"> {
  let summary = "low-precision tokens for the linear layers in the policy's scope";
  let description = [{
    Where the policy's importance is not 0, tokens that a layer's selection keeps
    seldom run at INT4 (section 7). The pass decides *which* linear layers take
    them: with scope `ffn` those between the output projection and the residual
    addition that ends the layer, with `all` also the projections of Q, K and V
    and the output projection. The mean token's never do. `--fact-print-layers`
    shows what the pass takes for what.

    Before:
    ```mlir
    %mask, %dominated, %argmax, %count = fact.select ... : ...
    %t8, %ts = fact.quantize_rows %t : (tensor<?x64xf32>) -> ...
    %y = fact.quantized_linear %t8, %ts, %w8, %ws bias %b : ...
    ```
    After:
    ```mlir
    %mask, %dominated, %argmax, %count = fact.select ... : ...
    %low = fact.select_precision %count importance = 256 : tensor<?xi64> -> tensor<?xi1>
    %t8, %ts = fact.quantize_rows %t low %low : (tensor<?x64xf32>, tensor<?xi1>) -> ...
    %y = fact.quantized_linear %t8, %ts, %w8, %ws bias %b low %low precision = a4w4 : ...
    ```

    Before: `--fact-predict` has run. After: linear layers in scope have `low`
    from the select of their own layer (`fact.select_all` where nothing is
    pruned); linears that get none are reported with the reason.
  }];
  let statistics = [
    Statistic<"numLowered", "lowered", "linear layers with low-precision tokens">,
    Statistic<"numLeft", "left", "linear layers left at INT8 because the policy says so">,
    Statistic<"missedLinear", "missed-linear", "linear layers or attentions for which no tokens were found">,
  ];
}

def FusePass : Pass<"fact-fuse", "::mlir::ModuleOp"> {
  let summary = "generate only the rows of Q, K and V that attention reads";
  let description = [{
    Demand, backwards from every masked attention: where nothing else reads a
    projection, it and its quantization get the `rows` of section 5. What nobody
    reads any more goes, and so does the policy: from here on the IR alone says
    what is computed.

    Before:
    ```mlir
    %k = fact.quantized_linear %a8, %as, %wk8, %wks bias %bk : ...
    %k8, %ks = fact.quantize_heads %k heads = 8 : ...
    %c = fact.quantized_attention %q8, %qs, %k8, %ks, %v8, %vs mask %mask dominated %dominated, %argmax ...
    ```
    After:
    ```mlir
    %rk = fact.k_rows %mask, %dominated : ...
    %k = fact.quantized_linear %a8, %as, %wk8, %wks bias %bk rows %rk : ...
    %k8, %ks = fact.quantize_heads %k rows %rk heads = 8 : ...
    ```

    Before: `--fact-predict`, `--fact-precision`. After: no `fact.policy`, no dead
    ops. A projection that something else reads as well is generated in full, with
    a missed remark; without dominance every row of Q is read, so that Q has no
    `rows` and V those of K.
  }];
  let statistics = [
    Statistic<"numProjections", "projections", "projections that skip rows">,
    Statistic<"numHeads", "quantizations", "quantizations of Q, K or V that skip rows">,
    Statistic<"numErased", "erased", "dead ops erased">,
    Statistic<"missedProjections", "missed-projections", "projections of a masked attention generated in full">,
  ];
}

def InlineCallsPass : Pass<"fact-inline-calls", "::mlir::ModuleOp"> {
  let summary = "inline calls that are no layers of a chain";
  let description = [{
    A call stays where it may be one of a chain of equal layers: one operand is a
    stream of rows [L, d], all others are constants that the callee takes for weights,
    and it returns one stream of rows. Every other call in a public function, and
    every call in what it calls, is inlined, the innermost first; what nobody reads
    goes, ops and private functions.

    Before:
    ```mlir
    %0 = call @layer(%x, %w0) : ...          // a layer: stays
    %1 = call @sum(%0, %x) : ...             // two streams
    ```
    After:
    ```mlir
    %0 = call @layer(%x, %w0) : ...
    %1 = fact.add %0, %x : ...
    ```

    Before: functions of one block, not recursive; policies of callees are used up
    (`fact-fuse`). After: functions that are called call nothing.
  }];
  let statistics = [
    Statistic<"numInlined", "inlined", "calls inlined">,
    Statistic<"numKept", "kept", "calls of layers that stay">,
  ];
}

def FixLengthPass : Pass<"fact-fix-length", "::mlir::ModuleOp"> {
  let summary = "where the sequence can have one length only, say so";
  let description = [{
    The open dimensions of a value are as many as the sequence has tokens, or as
    those of a value of a fixed type behind a cast (the row of a mean token, rows of
    a constant). Where a cast to a fixed type, or an op, needs two such numbers to be
    the same, a sequence of another length cannot run: the arguments of the
    function get the one that can, and so do its results.

    Before:
    ```mlir
    func.func @main(%x: tensor<?x4xf32> {fact.bound = 16 : i64}) -> tensor<?x4xf32> {
      %c = tensor.cast %x : tensor<?x4xf32> to tensor<8x4xf32>
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
      %o = tensor.cast %x : tensor<8x4xf32> to tensor<?x4xf32>
      %c = tensor.cast %o : tensor<?x4xf32> to tensor<8x4xf32>
    ```

    With `one-sequence` (the default) the model has one, as a program for the
    accelerator must: where the rows of one argument or result are fixed, and are
    not a single one, those of all are. Without it, as for a model that was
    imported and runs on a CPU, they may be something else: what a decoder looks
    at, what was pooled.

    A warning names the op that decides. It is an error where two ops need other
    lengths, where the bound is below, where two fixed numbers differ, and where
    nobody knows what a cast gets.

    Before: `fact-inline-calls`. After: every cast to a fixed type holds, if ops of
    other dialects get as many rows as they expect; none is inside of an op.
  }];
  let options = [Option<"oneSequence", "one-sequence", "bool", "true",
                        "all arguments and results are rows of the one sequence">];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numFixed", "fixed", "functions whose sequence got one length">,
  ];
}

def HoistWeightsPass : Pass<"fact-hoist-weights", "::mlir::ModuleOp"> {
  let summary = "move ops on weights from layer functions to their call sites";
  let description = [{
    An op with `CompileTimeOpInterface` on arguments of a private function, and on
    constants beside them, moves
    to every call, where its operands are constants and it folds; the function
    takes its results instead. Calls with equal arguments share the moved ops.

    Before:
    ```mlir
    func.func @main(...) { ... %y = call @layer(%x, %w) : ... }
    func.func private @layer(%x: tensor<?x64xf32>, %w: tensor<64x64xf32>) -> ... {
      %w8, %s = fact.quantize_weight %w : tensor<64x64xf32> -> tensor<64x64xi8>, tensor<64xf32>
      ...
    ```
    After:
    ```mlir
    func.func @main(...) {
      %w8, %s = fact.quantize_weight %w : tensor<64x64xf32> -> tensor<64x64xi8>, tensor<64xf32>
      %y = call @layer(%x, %w8, %s) : ...
    }
    func.func private @layer(%x: tensor<?x64xf32>, %w8: tensor<64x64xi8>, %s: tensor<64xf32>) -> ... {
    ```

    Results take the place of the argument that they come from, which goes where
    nothing else reads it. Restrictions: functions that are public, recursive, or
    referenced other than by `func.call` keep their signature. A weight that is no
    constant is reported: it would be quantized at every run.
  }];
  let statistics = [
    Statistic<"numHoisted", "hoisted", "ops moved out of layer functions">,
    Statistic<"missedWeights", "missed-weights", "weights that are not constant while compiling">,
  ];
}

def CheckSparsePass : Pass<"fact-check-sparse", "::mlir::ModuleOp"> {
  let summary = "refuse sparse fact IR that no back end can run";
  let description = [{
    What a verifier cannot say, since it is about where operands come from, through
    casts, reshapes and calls. Changes nothing; both back ends rely on it:

    * weights (also gamma, beta, biases and scales of weights) are constants, or made
      of constants by ops that fold;
    * scores and unit of a `fact.select` are those of one `fact.predict`;
    * masks, dominated rows, argmax and counts come from `fact.select` (counts also
      from `fact.select_all`) or are constants; a constant argmax names a column, a
      constant count is in 0..2^32-1;
    * every row of an attention keeps a key that it may see: no row of a constant mask
      is empty, an attention with a window has a select within it.

    ```mlir
    // error: needs 'mask' from a 'fact.select' or a constant
    func.func @main(%x: tensor<8x16xf32>, %m: tensor<2x8x8xi1>) -> tensor<8x16xf32> {
      ...
      %y = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m heads = 2 scale = 0.5 : ...
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Analyses.
//===----------------------------------------------------------------------===//

def PrintLayersPass : Pass<"fact-print-layers", "::mlir::ModuleOp"> {
  let summary = "print the encoder layers of each function on standard error";
  let description = [{
    Prints the analysis that `--fact-precision` relies on: for every attention its
    select, its projections, the output projection and the linears of the
    feed-forward network, and every linear that belongs to no layer with the
    reason. Works on dense and on quantized IR.

    ```
    layers of 'encoder_layer': 1
      layer 0:
        attention: fact.quantized_attention %20
        select: fact.select %13#0
        query projection: fact.quantized_linear %1
        ...
    ```
  }];
}

#endif // FACT_DIALECT_FACT_TRANSFORMS_PASSES_TD
