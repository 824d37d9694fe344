//===- Passes.td - Conversions between dialects ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_CONVERSION_PASSES_TD
#define FACT_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def FactToFactISAPass : Pass<"fact-to-factisa", "::mlir::ModuleOp"> {
  let summary = "lower sparse fact ops to instructions on SSA buffers";
  let description = [{
    Turns the one public function of a module and the layers that it calls into a
    program: a function without arguments of `factisa` instructions in `scf.for` loops.
    Equal layers in a row become one loop with their weights side by side in DRAM.
    Prediction, selection, Q, K and V and attention are one loop over heads where they can
    be, everything else is loops over rows; iterations of innermost loops overlap, as
    `factisa-pipeline` does alone. Two schedules are there to be compared with: `in-order`
    has loops of their own for ops and groups of ops, and iterations do not overlap;
    with `differential` a block of queries makes the rows of K and V that none before it
    wanted, then its attention, instead of all masks of a head before. Where rows need the importance of all heads
    before their precision is known, Q, K and V of all rows are made at low precision
    beside the selection, and those rows again that are to be precise (`speculate`). Block sizes are the first of an order of preference
    with which the machine's scratchpad holds every buffer (docs/schedule.md). Where there is room left, tensors between
    loops stay there, as `factisa-keep-in-scratchpad` does with all of them (`resident`).

    Before: quantized, sparse fact IR, weights constant (`fact-sparsify`), an upper
    bound of the sequence length on each input (`fact.bound`) or in its type.
    After: addresses are those of the plan that decided on the block sizes, and there
    is no order between engines yet; `factisa-plan-memory` sets addresses anew,
    `factisa-order-engines` adds the order. An op without instruction is an error.

    ```mlir
    %y = fact.add %a, %b : tensor<?x64xf32>    // before

    scf.for %row = %c0 to %length step %c64 {  // after
      factisa.load dst=%0, src=%1, row0=%row, rows=64, ...
      ...
      factisa.apu.add y=%4, a=%0, b=%2, row0=%row, rows=64, n=64, ...
    }
    ```
  }];
  let options = [Option<"machine", "machine", "std::string", "", "machine description (JSON file); default: fact-28nm">,
                 Option<"schedule", "schedule", "::mlir::fact::Schedule", "::mlir::fact::Schedule::Overlap",
                        "what overlaps", [{::llvm::cl::values(
                          clEnumValN(::mlir::fact::Schedule::Overlap, "overlap", "heads, blocks and parts of a layer"),
                          clEnumValN(::mlir::fact::Schedule::Differential, "differential", "likewise, but K and V follow the selection block by block"),
                          clEnumValN(::mlir::fact::Schedule::InOrder, "in-order", "nothing but as far as tokens let engines run ahead"))}]>,
                 Option<"speculate", "speculate", "bool", "true", "make Q, K and V at low precision while the selection decides on the precision">,
                 Option<"resident", "resident", "bool", "true", "keep tensors between loops in the scratchpad where there is room">];
  let statistics = [Statistic<"rowsPerBlock", "rows-per-block", "Rows of a row block">,
                    Statistic<"residents", "residents", "Tensors between loops that stay in the scratchpad">];
  let dependentDialects = ["::mlir::factisa::FactISADialect", "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect"];
}

//===----------------------------------------------------------------------===//
// linalg to fact.
//===----------------------------------------------------------------------===//

def SplitBatchPass : Pass<"fact-split-batch", "::mlir::ModuleOp"> {
  let summary = "a model of a batch as one of a single sequence";
  let description = [{
    A batch is what arguments say it is (`fact.batch`); all sequences share the others. If
    none does, it is an extent of 2 or more in front of tokens [batch, length] or rows
    [batch, length, features], or the second one of [length, batch, features], and every
    argument with as many there has it. Follows it through every op. Where all of them work on each sequence by itself, also where the
    batch is merged with heads or tokens, the function becomes one of a single sequence;
    arguments and results that have the batch say where it is, and how many sequences
    there were:

    ```mlir
    func.func @main(%x: tensor<3x?x64xf32>) -> tensor<3x?x64xf32>
    func.func @main(%x: tensor<1x?x64xf32> {fact.batch = array<i64: 0, 3>})
        -> (tensor<1x?x64xf32> {fact.batch = array<i64: 0, 3>})
    ```

    Constants and what is computed from them must be the same for all sequences. Else the
    function stays as it is, with a missed remark at the op that mixes sequences.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numSplit", "split", "functions of a batch that became one of a sequence">,
    Statistic<"numMissed", "missed", "functions of a batch left alone">];
}

def RaisePass : Pass<"fact-raise", "::mlir::func::FuncOp"> {
  let summary = "recognise encoder layers in linalg on tensors as dense fact ops";
  let description = [{
    Finds linear layers, attention, layer norm, activations and residual
    additions in float32 linalg, as importers and front ends write them, and
    replaces them by `fact` ops on rows [tokens, features].

    Before (one op in each body, shapes as the model has them):
    ```mlir
    %0 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<1x?x64xf32> into tensor<?x64xf32>
    %1 = linalg.matmul ins(%0, %w : ...) outs(%zero : ...) -> tensor<?x256xf32>
    %2 = linalg.generic {...} ins(%1, %b : ...) outs(...) { arith.addf } -> tensor<?x256xf32>
    %3 = linalg.generic {...} ins(%2 : ...) outs(...) { arith.maximumf %in, %c0 } -> tensor<?x256xf32>
    ```
    After:
    ```mlir
    %0 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<1x?x64xf32> into tensor<?x64xf32>
    %1 = fact.linear %0, %w bias %b : (tensor<?x64xf32>, tensor<64x256xf32>, tensor<256xf32>) -> tensor<?x256xf32>
    %2 = fact.activation relu %1 : tensor<?x256xf32>
    ```

    Shapes are looked through: unit dimensions, heads by reshape and transpose, a
    fused projection that is sliced afterwards (its weight is sliced instead).
    Elementwise ops are matched as expressions with factors and terms in any
    order, spread over as many ops as they like:
    * linear: rows times a constant, a constant for each output added or not;
    * attention: softmax(q k^T) v for any number of heads; the scale is on q, k
      or the scores, as a product or a quotient (c becomes f32(1) / c), its bits
      stay; causal where later keys are replaced by, or get added, -1e9 or less.
      Heads that are each computed by themselves and then put side by side are one
      attention if they have the same size, scale and mask;
    * layer norm: (x - mean) / sqrt(var + eps) * gamma + beta, or the folded form
      x * g + (beta - mean * g), g = gamma / sqrt(var + eps); mean of squares of
      the centred row over the features, gamma and beta may be absent;
    * activations: gelu with erf, gelu with tanh, swish with beta 1, relu. The
      constants 1/sqrt(2), sqrt(2/pi), 0.044715 are accepted within a relative
      1e-6, all others must be exact.

    What looks like one of these and is not stays as it is, with a missed remark
    that says why and what would help (`--remarks-filter=fact-raise`); what was
    raised has a passed remark. A raised op has the location of the model's op
    that names it: the matrix product of a linear, the softmax of an attention,
    the last op of the others.

    Before: float32 tensors, one block. After: no f32 linalg op on the way from
    arguments to results, unless a remark says so. A weight that is not finite or
    beyond 2^50 is an error.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::fact::FactDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numLinear", "linear", "linear layers raised">,
    Statistic<"numAttention", "attention", "attentions raised">,
    Statistic<"numLayerNorm", "layer-norm", "layer norms raised">,
    Statistic<"numActivation", "activation", "activation functions raised">,
    Statistic<"numAdd", "add", "residual additions raised">,
    Statistic<"numMissed", "missed-ops", "f32 linalg ops that stay">,
  ];
}

//===----------------------------------------------------------------------===//
// The CPU back end
//===----------------------------------------------------------------------===//

def PrepareLinalgPass : Pass<"fact-prepare-linalg", "::mlir::ModuleOp"> {
  let summary = "linalg that was not raised, in the form that becomes loops";
  let description = [{
    What `fact-raise` leaves runs in float32 on the CPU, in the order of the
    float reference (`fact-run --reference=f32`), which starts with this pass,
    too. `linalg.softmax`, which has no lowering to loops, becomes maximum, exp,
    sum and division; matrix products run along the rows of their result in the
    innermost loop:

    ```mlir
    %y = linalg.matmul ins(%a, %b : ...) outs(%c : ...) -> tensor<?x8xf32>
    // becomes a linalg.generic with the iterators (m, k, n) in place of (m, n, k):
    // each element is still summed over k in order.
    ```

    Before: tensors. After: no `linalg.softmax`, `linalg.matmul` or
    `linalg.batch_matmul`; every other op as it was.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def FactToLoopsPass : Pass<"fact-to-loops", "::mlir::ModuleOp"> {
  let summary = "fact ops and tensors to loops over buffers";
  let description = [{
    One-shot bufferization of the module, across functions, in which every fact
    op becomes loops over vectors of 16 lanes:

    ```mlir
    %y = fact.add %x, %z : tensor<?x64xf32>
    // becomes
    scf.for %i = %c0 to %length step %c1 {
      scf.for %j = %c0 to %c64 step %c16 {
        %0 = vector.load %x[%i, %j] : memref<?x64xf32>, vector<16xf32>
        %1 = vector.load %z[%i, %j] : memref<?x64xf32>, vector<16xf32>
        %2 = arith.addf %0, %1 : vector<16xf32>
        vector.store %2, %y[%i, %j] : memref<?x64xf32>, vector<16xf32>
      }
    }
    ```

    The float rules are the templates of fact/Numerics/FloatRules.h, run on
    values of the IR. No operation carries fast-math flags. Rows that a mask
    does not name are not computed. A `fact.predict` whose scores only a
    `fact.select` reads is lowered together with it, a row at a time. Integer
    products call `__fact_gemm`, which the pass adds.

    Before: sparse fact IR without policy; ops on weights are folded. After: no
    tensors, no fact ops; results of functions belong to their callers, nothing
    is freed yet.
  }];
  let options = [
    Option<"fillUndefined", "fill-undefined", "bool", "false",
           "Fill every result of a fact op with garbage first: rows that no mask names must not matter">,
    Option<"nativeRound", "native-round", "bool", "false",
           "The target rounds to even in one instruction (SSE4.1, NEON)">,
    Option<"rowBlock", "row-block", "int64_t", "4", "Rows that a matrix product works on at once (1, 2, 3, 4, 6)">,
    Option<"columnTiles", "column-tiles", "int64_t", "2", "Groups of 16 columns likewise">,
  ];
}

def CopiesToLoopsPass : Pass<"fact-copies-to-loops", "::mlir::ModuleOp"> {
  let summary = "copies of buffers with strides to linalg";
  let description = [{
    A copy of a buffer with strides (a slice that is returned) would become a call
    of MLIR's runtime library, which neither an object file nor the JIT has. It
    becomes a `linalg.generic`, from which loops are made:

    ```mlir
    memref.copy %slice, %y : memref<?x8xf32, strided<[16, 1]>> to memref<?x8xf32>
    // becomes
    linalg.generic {...} ins(%slice : ...) outs(%y : ...) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    }
    ```

    Copies of dense buffers stay: they are a `memcpy`.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect"];
}

def ExposeMasksPass : Pass<"fact-expose-masks", "::mlir::ModuleOp"> {
  let summary = "return what each layer selected from the main function";
  let description = [{
    For observers (`fact-run --dump-masks`): what the layer of every attention
    selected, as `fact-print-layers` shows it, becomes results of its function and
    of `main`: `mask`, `dominated`, `argmax`, `k_rows`, `v_rows` and `low`, named
    by the result attribute `fact.dump`, `layer0.mask` for example. Layers count in
    the order in which `main` runs them. What a layer does not select (no mask:
    everything is kept) is left out; `fact.layers` of `main` says of each layer how
    many heads it has, whether it is causal, and whether its mask was given by the
    model.
  }];
}

def EntryPointPass : Pass<"fact-entry-point", "::mlir::ModuleOp"> {
  let summary = "add the C entry point of the main function";
  let description = [{
    Runs on buffers, after deallocation. Adds

    ```c
    int NAME(const T *input..., int64_t length, T *output..., fact_error *error)
    ```

    or, with `packed`, `int NAME(void **inputs_and_outputs, int64_t length,
    fact_error *error)`, which hands over the outputs that `main` has made, with
    their extents, in place of copying them. Every open dimension of an input is
    `length`. The entry point checks the length, refuses inputs that are not finite or above 2^50, runs `main`
    with denormals on and rounding to nearest whatever the caller's mode is, and
    reports an output that is not finite. `main` becomes private.
  }];
  let options = [
    Option<"name", "name", "std::string", "\"fact_main\"", "Name of the entry point">,
    Option<"packed", "packed", "bool", "false", "Take one array of pointers">,
    Option<"floatControl", "float-control", "std::string", "\"x86\"",
           "How the floating-point mode is set: x86, aarch64 or none">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // FACT_CONVERSION_PASSES_TD
