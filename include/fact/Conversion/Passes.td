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

def AssumePositionsPass : Pass<"fact-assume-positions", "::mlir::func::FuncOp"> {
  let summary = "positions that are an input as those that count the tokens";
  let description = [{
    Exporters give decoders the positions of their tokens as an input. Where an argument of
    integers, [tokens] or [1, tokens], only says by which angles features are turned (through
    Cos and Sin, or through tables of cosines and sines), it is taken to hold 0, 1, 2, ...,
    and nothing reads it any more. The argument says so; who runs the function checks it.
    Others get a missed remark: positions that are read for something else, too, and tables of
    other numbers, and any where the model has a past. A single position is left alone.

    ```mlir
    func.func @main(%x: tensor<1x?x64xf32>, %p: tensor<1x?xi64>)
    func.func @main(%x: tensor<1x?x64xf32>, %p: tensor<1x?xi64> {fact.positions})
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numAssumed", "assumed", "arguments taken to count the tokens">,
    Statistic<"numMissed", "missed", "arguments that multiply features otherwise">];
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
      stay; the window of the keys that are not replaced by, and do not get added,
      -1e4 or less.
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
    Statistic<"numNorm", "norm", "layer and RMS norms raised">,
    Statistic<"numRotate", "rotate", "rotary embeddings raised">,
    Statistic<"numMultiply", "multiply", "products of two streams of rows raised">,
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

def FuseElementwisePass : Pass<"fact-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "elementwise linalg ops that follow each other as one";
  let description = [{
    An elementwise op that one other reads becomes part of that: a hard swish of five
    ops goes over memory once. Sums and broadcasts do not take in what they read, which
    they would compute once for each of their elements. The arithmetic stays, op by op:

    ```mlir
    %1 = linalg.generic {...} ins(%x : tensor<64xf32>) ... { arith.addf %in, %c3 }
    %2 = linalg.generic {...} ins(%1 : tensor<64xf32>) ... { arith.divf %in, %c6 }
    // becomes
    %2 = linalg.generic {...} ins(%x : tensor<64xf32>) ... { arith.addf, arith.divf }
    ```

    Before and after: linalg on tensors.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def FactToLoopsPass : Pass<"fact-to-loops", "::mlir::ModuleOp"> {
  let summary = "fact ops and tensors to loops over buffers";
  let description = [{
    `fact` ops become functions on buffers; what is around them goes through one-shot bufferization,
    across functions. Row ops that are linked by rows are one function, a loop over panels of rows that calls
    a function for each product, each attention, and the ops between them (docs/cpu.md):

    ```mlir
    %q, %s = fact.quantize_rows %x : (tensor<?x64xf32>) -> (tensor<?x64xi8>, tensor<?xf32>)
    %h = fact.quantized_linear %q, %s, %w, %ws : (...) -> tensor<?x128xf32>
    %y = fact.activation gelu %h : tensor<?x128xf32>
    // becomes
    call @phase(%length, %x, %w, %ws, %y)
    // in which, for each panel of rows,
    call @rows(%x, %codes, %scales, %rows)               // codes and scales of the panel
    call @product(%codes, %scales, %w, %ws, %y, %rows)   // GELU is computed with the sums
    ```

    The float rules are the templates of fact/Numerics/FloatRules.h, run on values of the IR. No operation
    carries fast-math flags. Weights that are constants are packed while compiling, through calls too. A
    `fact.predict` whose scores only a `fact.select` reads is lowered together with it, a block of rows at a time.
    Masks become words of 16 columns.

    Before: sparse fact IR without policy; ops on weights are folded. After: no
    tensors, no fact ops; results of functions belong to their callers, nothing
    is freed yet.
  }];
  let options = [
    Option<"fillUndefined", "fill-undefined", "bool", "false",
           "Fill every result of a fact op with garbage first: rows that no mask names must not matter">,
    Option<"tier", "tier", "std::string", "\"portable\"",
           "What products are made for: amx, avx512vnni, avx512, avxvnni, avx2, x86, dotprod or portable">,
    Option<"emulate", "emulate", "bool", "false",
           "Plain arithmetic in place of the tier's instructions, laid out as for them: for tests on other hosts">,
    Option<"profile", "profile", "bool", "false",
           "Call who runs it where a region begins and ends (fact/Conversion/FactToLoops/Profile.h)">,
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

def FlattenConstantsPass : Pass<"fact-flatten-constants", "::mlir::ModuleOp"> {
  let summary = "constants of buffers with one dimension";
  let description = [{
    LLVM holds an array of arrays as one object for each inner array, which for the weights
    of a 1x1 convolution is one for each element. Constants become one array, and a
    view has the shape:

    ```mlir
    memref.global "private" constant @w : memref<32x16x1x1xf32> = dense<...>
    %w = memref.get_global @w : memref<32x16x1x1xf32>
    // becomes
    memref.global "private" constant @w : memref<512xf32> = dense<...>
    %0 = memref.get_global @w : memref<512xf32>
    %w = memref.expand_shape %0 [[0, 1, 2, 3]] output_shape [32, 16, 1, 1] : memref<512xf32> into memref<32x16x1x1xf32>
    ```
  }];
  let statistics = [Statistic<"numFlattened", "flattened", "constants that have one dimension now">];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def FreeEarlyPass : Pass<"fact-free-early", "::mlir::func::FuncOp"> {
  let summary = "buffers are freed where they were last used";
  let description = [{
    The buffer deallocation pipeline frees at the end of a block. For a model of hundreds of
    ops that is fresh memory for each of them, which the system hands out page by page,
    and that takes as long as what is computed in it:

    ```mlir
    %a = memref.alloc() : memref<64xf32>
    call @f(%x, %a)
    call @f(%a, %b)
    memref.dealloc %a : memref<64xf32>  // was before the return
    call @f(%b, %y)
    ```

    Whatever an op makes of a buffer may be that buffer: casts between types too, which
    MLIR's `optimize-allocation-liveness` takes for a last use.
  }];
  let statistics = [Statistic<"numMoved", "moved", "deallocations that follow the last use">];
}

def OutlineKernelsPass : Pass<"fact-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "one function for each distinct linalg operation on buffers";
  let description = [{
    LLVM takes more than linear time for a function of hundreds of loop nests. Every linalg
    operation becomes a call of a private function that has a copy of it; equal ones
    share theirs:

    ```mlir
    linalg.generic {...} ins(%x : memref<4xf32>) outs(%y : memref<4xf32>) {...}
    // becomes
    call @kernel(%x, %y) : (memref<4xf32>, memref<4xf32>) -> ()
    ```

    One whose body uses values of the function other than constants stays.
  }];
  let options = [
    Option<"profile", "profile", "bool", "false", "See --fact-to-loops">,
  ];
  let statistics = [
    Statistic<"numKernels", "kernels", "functions that were made">,
    Statistic<"numCalls", "calls", "ops that are calls now">];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def LinalgToVectorPass : Pass<"fact-linalg-to-vector", "::mlir::func::FuncOp"> {
  let summary = "linalg on buffers to loops over tiles of vectors";
  let description = [{
    What was not raised, fast: convolutions, matrix products, pools, elementwise ops and
    transpositions all become loops around a tile of results, `rows` times `vectors`
    vectors of `lanes` elements, which stays in registers while the sums run:

    ```mlir
    linalg.generic {...} ins(%x, %w : memref<1x64x24x212xf32>, memref<32x64x1x1xf32>) outs(%y : ...)
    // becomes, with lanes=16 rows=8 vectors=3
    scf.for %pixel = %c0 to %c5088 step %c48 {
      scf.for %channel = %c0 to %c32 step %c8 {
        %t:24 = ... vector.load %y ...
        %s:24 = scf.for %k = %c0 to %c64 step %c1 iter_args(...) -> (vector<16xf32>, ...)
        ... vector.store %s#0, %y ...
      }
    }
    ```

    Buffers are one-dimensional here, and a loop is how far it moves each of them.
    Vectors run along a parallel loop in which results lie next to each other, rows
    along the one that shares most of what is read. No sum changes its order and nothing
    is fused: the results are those of the loops of `convert-linalg-to-loops`, bit by bit.

    Before: linalg on buffers. After: none but with indices that are not linear (`linalg.index`
    and the like), which stay as they are.
  }];
  let options = [
    Option<"lanes", "lanes", "int64_t", "16", "Elements of a vector">,
    Option<"rows", "rows", "int64_t", "4", "Rows of a tile">,
    Option<"vectors", "vectors", "int64_t", "2", "Vectors of a row of a tile">,
  ];
  let statistics = [
    Statistic<"numDone", "done", "ops that became tiles">,
    Statistic<"numLeft", "left", "ops that stay">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
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
    many heads it has, and of K and V where those are fewer, its window, and
    whether its mask was given by the model.
  }];
}

def ParallelLoopsPass : Pass<"fact-parallel-loops", "::mlir::ModuleOp"> {
  let summary = "let a caller run loops in threads";
  let description = [{
    Runs on buffers, after deallocation. A loop that is marked `fact_parallel` does nothing but call
    a function with its index. It becomes

    ```c
    if (parallel && count > 1)
      parallel->run(parallel->context, count, task, arguments);
    else
      for (int64_t i = 0; i < count; ++i) task(arguments, i);
    ```

    where `task` sets the floating-point mode for its thread and calls the function. `parallel`, a
    pointer to a `fact_parallel` or null, becomes the last argument of the function that has the
    loop, of those that call it, and of `main`.
  }];
  let options = [
    Option<"floatControl", "float-control", "std::string", "\"x86\"",
           "How the floating-point mode is set: x86, aarch64 or none">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect"];
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
    reports an output that is not finite. `main` becomes private. With `required` it first asks the
    processor for these features, and the operating system for tiles where they are among them,
    in code that any processor runs.
  }];
  let options = [
    Option<"name", "name", "std::string", "\"fact_main\"", "Name of the entry point">,
    Option<"packed", "packed", "bool", "false", "Take one array of pointers">,
    Option<"floatControl", "float-control", "std::string", "\"x86\"",
           "How the floating-point mode is set: x86, aarch64 or none">,
    ListOption<"required", "required", "std::string",
               "Features of the processor (x86) without which the entry point returns FACT_BAD_HOST">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // FACT_CONVERSION_PASSES_TD
