// What no program can be made of: one error at the op.
// RUN: fact-opt %s --split-input-file --fact-to-factisa --verify-diagnostics
// RUN: %python %fact_src/test/Inputs/machine.py %t.json token=1024 weight=1024 temp=1024 index=1024
// RUN: not fact-opt %S/tiles.mlir --fact-to-factisa=machine=%t.json 2>&1 | FileCheck %s --check-prefix=ROOM --implicit-check-not=error:
// RUN: not fact-opt %S/tiles.mlir --fact-to-factisa=machine=%t.none.json 2>&1 | FileCheck %s --check-prefix=MACHINE --implicit-check-not=error:

// The smallest blocks that there are do not fit: the memory map says what is in the way.
// ROOM: error: no room in the scratchpad for buffer '{{.*}}' of {{[0-9]+}} bytes
// ROOM: note: memory map of what lives beside it:
// ROOM: note: compile for a machine with larger buffers, or for a shorter sequence (--shape)
// MACHINE: error: cannot read '{{.*}}none.json'

// expected-error @+1 {{there is no public function with a body to make a program of}}
module {
  func.func private @layer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
    return %x : tensor<?x4xf32>
  }
}

// -----

// expected-note @+1 {{first one here}}
func.func @one(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}
// expected-error @+1 {{a program has one public function}}
func.func @two(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}

// -----

// expected-note @+2 {{give its inputs the attribute 'fact.bound', or a shape by --shape}}
// expected-error @+1 {{the sequence of 'open' has no upper bound}}
func.func @open(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}

// -----

// expected-note @below {{it comes from here}}
// expected-error @+1 {{input 'x' must be one sequence of rows, [L, d], [1, L, d] or [L, 1, d] in float32 (was 'tensor<2x8x4xf32>')}}
func.func @batch(%x: tensor<2x8x4xf32>) -> tensor<8x4xf32> {
  %y = tensor.empty() : tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// expected-error @below {{output 'y' must be one sequence of rows, [L, d], [1, L, d] or [L, 1, d] in float32 (was 'tensor<2x8x4xf32>')}}
func.func @batch_out(%x: tensor<8x4xf32>) -> tensor<2x8x4xf32> {
  // expected-note @below {{it comes from here}}
  %y = tensor.empty() : tensor<2x8x4xf32>
  return %y : tensor<2x8x4xf32>
}

// -----

// expected-note @+1 {{it comes from here}}
func.func @weight(%x: tensor<?x4xf32> {fact.bound = 8 : i64}, %g: tensor<1x4xf32>) -> tensor<?x4xf32> {
  %c = tensor.collapse_shape %g [[0, 1]] : tensor<1x4xf32> into tensor<4xf32>
  // expected-error @+1 {{needs a weight that is known while compiling}}
  %y = fact.norm layer %x, %c, %c eps = 1.0e-05 : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  return %y : tensor<?x4xf32>
}

// -----

func.func @not_raised(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  // expected-error @+2 {{cannot be lowered to instructions}}
  // expected-note @+1 {{the accelerator runs encoder layers: what --fact-raise and --fact-quantize leave alone has no instruction; see their remarks}}
  %y = math.tanh %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Dense f32 ops are for --fact-quantize.
func.func @not_quantized(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  // expected-error @+2 {{cannot be lowered to instructions}}
  // expected-note @+1 {{the accelerator runs encoder layers}}
  %y = fact.attention %x, %x, %x heads = 2 scale = 0.5 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

func.func @head_flags(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %d = arith.constant dense<false> : tensor<2x8xi1>
  // expected-note @+1 {{'fact.q_rows' is part of the instructions that make a selection or a code}}
  %r = fact.q_rows %d : tensor<2x8xi1>
  %m = arith.constant dense<true> : tensor<2x8x8xi1>
  %a = arith.constant dense<0> : tensor<2x8xi32>
  %q, %s = fact.quantize_heads %x heads = 2 : (tensor<8x4xf32>) -> (tensor<8x4xi8>, tensor<2x8xf32>)
  // expected-error @+1 {{reads what no instruction leaves in memory}}
  %y = fact.quantized_attention %q, %s, %q, %s, %q, %s mask %m dominated %r, %a heads = 2 scale = 0.5
    : (tensor<8x4xi8>, tensor<2x8xf32>, tensor<8x4xi8>, tensor<2x8xf32>, tensor<8x4xi8>, tensor<2x8xf32>, tensor<2x8x8xi1>,
       tensor<2x8xi1>, tensor<2x8xi32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// -----

// One row that is no row of the sequence has no attention of its own.
func.func @sequence_of_one(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  // expected-note @below {{the row comes from here}}
  %t = fact.mean_token %x : tensor<?x4xf32> -> tensor<1x4xf32>
  // expected-error @+1 {{works on a sequence of its own, of one row: a program has one sequence of at most 8 tokens}}
  %u = fact.mean_token %t : tensor<1x4xf32> -> tensor<1x4xf32>
  %w = tensor.cast %u : tensor<1x4xf32> to tensor<?x4xf32>
  return %w : tensor<?x4xf32>
}

// -----

// Nor has a loop over heads one to work on.
func.func @heads_of_one(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<1x4xf32> {
  %t = fact.mean_token %x : tensor<?x4xf32> -> tensor<1x4xf32>
  // expected-note @below {{the row comes from here}}
  %q, %s = fact.quantize_heads %t heads = 2 : (tensor<1x4xf32>) -> (tensor<1x4xi8>, tensor<2x1xf32>)
  // expected-error @+1 {{works on a sequence of its own, of one row: a program has one sequence of at most 8 tokens}}
  %y = fact.quantized_attention %q, %s, %q, %s, %q, %s heads = 2 scale = 0.5
    : (tensor<1x4xi8>, tensor<2x1xf32>, tensor<1x4xi8>, tensor<2x1xf32>, tensor<1x4xi8>, tensor<2x1xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

func.func @external(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  // expected-error @+1 {{calls a function without a body}}
  %y = call @layer(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// expected-note @+1 {{declared here}}
func.func private @layer(tensor<?x4xf32>) -> tensor<?x4xf32>

// -----

// expected-error @+1 {{calls itself: a model is as deep as it is}}
func.func @recursive(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  %y = call @layer(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func private @layer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // expected-note @below {{by this call}}
  %y = call @layer(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

func.func @blocks(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x4xf32> {
  %y = call @layer(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// expected-error @+1 {{must have one block: a model has no control flow (was 2 blocks)}}
func.func private @layer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  cf.br ^next
^next:
  return %x : tensor<?x4xf32>
}

// -----

// expected-note @below {{by this argument}}
// expected-error @+1 {{the sequence of 'long' may have at most 32768 tokens (was 32769)}}
func.func @long(%x: tensor<?x4xf32> {fact.bound = 32769 : i64}) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}

// -----

func.func @other_groups(%x: tensor<?x4xf32> {fact.bound = 8 : i64}) -> tensor<?x2xf32> {
  %w = arith.constant dense<1> : tensor<4x4xi8>
  %half = arith.constant dense<1> : tensor<4x2xi8>
  %scale = arith.constant dense<1.0> : tensor<f32>
  %scales = arith.constant dense<1.0> : tensor<2xf32>
  %r:2 = fact.quantize_rows %x : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?xf32>)
  %p = fact.log_matmul %r#0, %w : (tensor<?x4xi8>, tensor<4x4xi8>) -> tensor<?x4xi32>
  %c:2 = fact.normalize_heads %p heads = 2 : tensor<?x4xi32> -> tensor<?x4xi8>, tensor<2x?xf32>
  %s:2 = fact.predict %c#0, %c#1, %c#0, %c#1, %r#1, %scale, %scale heads = 2 scale = 1.0 : (tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  // expected-note @below {{the selection is here}}
  %m:4 = fact.select exact %s#0, %s#1 keep = 100 dominance = 0.0 : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  // expected-error @below {{needs a selection whose scores are of as many heads of keys as it names rows for, 1 (was 2)}}
  %k = fact.k_rows %m#0, %m#1 : tensor<2x?x?xi1>, tensor<2x?xi1> -> tensor<1x?xi1>
  %y = fact.quantized_linear %r#0, %r#1, %half, %scales rows %k : (tensor<?x4xi8>, tensor<?xf32>, tensor<4x2xi8>, tensor<2xf32>, tensor<1x?xi1>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
