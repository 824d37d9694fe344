// Where one length only can run, arguments and results have it.
// RUN: fact-opt %s --split-input-file --verify-diagnostics --fact-fix-length | FileCheck %s
// RUN: fact-opt %S/Inputs/several-lengths.mlir --fact-fix-length=one-sequence=false 2>%t | FileCheck %S/Inputs/several-lengths.mlir
// RUN: FileCheck %s --check-prefix=SAID --input-file=%t --implicit-check-not=warning
// SAID: several-lengths.mlir:11:8: warning: this has 8 tokens: no sequence of another length can run

// CHECK-LABEL: func.func @cast_of_an_input(
// CHECK-SAME:    %[[X:.*]]: tensor<8x4xf32>, %{{.*}}: tensor<1x8x4xf32>) -> (tensor<1x4xf32>, tensor<8x4xf32>)
// CHECK:         tensor.cast %[[X]] : tensor<8x4xf32> to tensor<?x4xf32>
func.func @cast_of_an_input(%x: tensor<?x4xf32> {fact.bound = 16 : i64}, %y: tensor<1x?x4xf32>)
    -> (tensor<1x4xf32>, tensor<?x4xf32>) {
  // expected-warning @below {{this has 8 tokens: no sequence of another length can run}}
  %c = tensor.cast %x : tensor<?x4xf32> to tensor<8x4xf32>
  %k = arith.constant dense<1.0> : tensor<1x4xf32>
  return %k, %x : tensor<1x4xf32>, tensor<?x4xf32>
}

// -----

// Through ops and calls; the function keeps its types.
// CHECK-LABEL: func.func @behind_a_call(%{{.*}}: tensor<8x4xf32>) -> tensor<8x4xf32>
// CHECK-LABEL: func.func private @layer(%{{.*}}: tensor<?x4xf32>) -> tensor<?x4xf32>
func.func @behind_a_call(%x: tensor<?x4xf32>) -> tensor<8x4xf32> {
  %0 = call @layer(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = call @layer(%0) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // expected-warning @below {{this has 8 tokens: no sequence of another length can run}}
  %c = tensor.cast %1 : tensor<?x4xf32> to tensor<8x4xf32>
  return %c : tensor<8x4xf32>
}
func.func private @layer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = fact.activation relu %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// A sum with rows of a constant.
// CHECK-LABEL: func.func @constant_rows(%{{.*}}: tensor<8x4xf32>) -> tensor<8x4xf32>
func.func @constant_rows(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %k = arith.constant dense<1.0> : tensor<8x4xf32>
  %o = tensor.cast %k : tensor<8x4xf32> to tensor<?x4xf32>
  // expected-warning @below {{this has 8 tokens: no sequence of another length can run}}
  %y = fact.add %x, %o : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// The one row of a mean token says nothing about the sequence.
// CHECK-LABEL: func.func @mean_token(%{{.*}}: tensor<?x4xf32> {fact.bound = 16 : i64}) -> (tensor<?x4xf32>, tensor<1x4xf32>)
func.func @mean_token(%x: tensor<?x4xf32> {fact.bound = 16 : i64}) -> (tensor<?x4xf32>, tensor<1x4xf32>) {
  %m = fact.mean_token %x : tensor<?x4xf32> -> tensor<1x4xf32>
  %o = tensor.cast %m : tensor<1x4xf32> to tensor<?x4xf32>
  %a = fact.activation relu %o : tensor<?x4xf32>
  %c = tensor.cast %a : tensor<?x4xf32> to tensor<1x4xf32>
  return %x, %c : tensor<?x4xf32>, tensor<1x4xf32>
}

// -----

// One sequence: where one input's rows are fixed, those of all are.
// CHECK-LABEL: func.func @two_inputs(%{{.*}}: tensor<8x4xf32>, %{{.*}}: tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>)
// expected-warning @below {{this has 8 tokens: no sequence of another length can run}}
func.func @two_inputs(%x: tensor<8x4xf32>, %z: tensor<?x4xf32>) -> (tensor<8x4xf32>, tensor<?x4xf32>) {
  %y = fact.activation relu %x : tensor<8x4xf32>
  %w = fact.activation relu %z : tensor<?x4xf32>
  return %y, %w : tensor<8x4xf32>, tensor<?x4xf32>
}

// -----

func.func @two_lengths(%x: tensor<?x4xf32>) {
  // expected-note @below {{namely this}}
  %a = tensor.cast %x : tensor<?x4xf32> to tensor<8x4xf32>
  // expected-error @below {{this needs a sequence of 9 tokens, something else one of 8}}
  %b = tensor.cast %x : tensor<?x4xf32> to tensor<9x4xf32>
  return
}

// -----

// expected-note @below {{which may have 7 at most}}
func.func @above_the_bound(%x: tensor<?x4xf32> {fact.bound = 7 : i64}) {
  // expected-error @below {{this needs a sequence of 8 tokens}}
  %a = tensor.cast %x : tensor<?x4xf32> to tensor<8x4xf32>
  return
}

// -----

func.func @mean_token_of_two_rows(%x: tensor<?x4xf32>) {
  %m = fact.mean_token %x : tensor<?x4xf32> -> tensor<1x4xf32>
  %o = tensor.cast %m : tensor<1x4xf32> to tensor<?x4xf32>
  // expected-error @below {{open dimensions of 1 and of 2 elements must be the same}}
  %c = tensor.cast %o : tensor<?x4xf32> to tensor<2x4xf32>
  return
}

// -----

// What is no fact op yet.
// CHECK-LABEL: func.func @other_dialects(%{{.*}}: tensor<8x4xf32>) -> tensor<8x4xf32>
func.func @other_dialects(%x: tensor<?x4xf32>) -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %s = linalg.abs ins(%x : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = math.cos %s : tensor<?x4xf32>
  // expected-warning @below {{this has 8 tokens: no sequence of another length can run}}
  %c = tensor.cast %y : tensor<?x4xf32> to tensor<8x4xf32>
  return %c : tensor<8x4xf32>
}

// -----

func.func @rows_of_two_constants(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %o = tensor.cast %x : tensor<8x4xf32> to tensor<?x4xf32>
  %k = arith.constant dense<1.0> : tensor<4x4xf32>
  %p = tensor.cast %k : tensor<4x4xf32> to tensor<?x4xf32>
  // expected-error @below {{open dimensions of 8 and of 4 elements must be the same}}
  %y = fact.add %o, %p : tensor<?x4xf32>
  %c = tensor.cast %y : tensor<?x4xf32> to tensor<8x4xf32>
  return %c : tensor<8x4xf32>
}

// -----

func.func @nobody_knows(%x: tensor<?x4xf32>, %n: index) {
  %e = tensor.empty(%n) : tensor<?x4xf32>
  // expected-error @below {{'tensor.cast' op has a source of which it is not known that it has 8 elements there}}
  %c = tensor.cast %e : tensor<?x4xf32> to tensor<8x4xf32>
  return
}

// -----

// Results have the sequence's rows, or one.
// CHECK-LABEL: func.func @rows_of_a_result(%{{.*}}: tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<1x4xf32>, tensor<8x4xf32>)
func.func @rows_of_a_result(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  %k = arith.constant dense<1.0> : tensor<8x4xf32>
  // expected-warning @below {{this has 8 tokens: no sequence of another length can run}}
  %o = tensor.cast %k : tensor<8x4xf32> to tensor<?x4xf32>
  %m = fact.mean_token %x : tensor<?x4xf32> -> tensor<1x4xf32>
  %p = tensor.cast %m : tensor<1x4xf32> to tensor<?x4xf32>
  return %o, %p, %x : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}
// CHECK-LABEL: func.func @mean_token_alone(%{{.*}}: tensor<?x4xf32>) -> tensor<1x4xf32>
func.func @mean_token_alone(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %m = fact.mean_token %x : tensor<?x4xf32> -> tensor<1x4xf32>
  %p = tensor.cast %m : tensor<1x4xf32> to tensor<?x4xf32>
  return %p : tensor<?x4xf32>
}

// -----

// A reshape may make another extent of the length.
// CHECK-LABEL: func.func @reshaped(%{{.*}}: tensor<6x4xf32>) -> (tensor<?x2xf32>, tensor<1x6x4xf32>)
func.func @reshaped(%x: tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<1x?x4xf32>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %m = arith.muli %n, %c2 : index
  %a = tensor.collapse_shape %x [[0, 1]] : tensor<?x4xf32> into tensor<?xf32>
  %y = tensor.expand_shape %a [[0, 1]] output_shape [%m, 2] : tensor<?xf32> into tensor<?x2xf32>
  %z = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, %n, 4] : tensor<?x4xf32> into tensor<1x?x4xf32>
  // expected-warning @below {{this has 6 tokens: no sequence of another length can run}}
  %c = tensor.cast %z : tensor<1x?x4xf32> to tensor<1x6x4xf32>
  return %y, %z : tensor<?x2xf32>, tensor<1x?x4xf32>
}

// -----

// A cast that opens something else says nothing.
// CHECK-LABEL: func.func @opened_features(%{{.*}}: tensor<?x4xf32>)
func.func @opened_features(%x: tensor<?x4xf32>) {
  %o = tensor.cast %x : tensor<?x4xf32> to tensor<?x?xf32>
  return
}

// -----

func.func @unranked(%x: tensor<?x4xf32>) -> tensor<9x4xf32> {
  %u = tensor.cast %x : tensor<?x4xf32> to tensor<*xf32>
  // expected-error @below {{'tensor.cast' op has an unranked source: the tensors of a model have a rank}}
  %c = tensor.cast %u : tensor<*xf32> to tensor<9x4xf32>
  return %c : tensor<9x4xf32>
}

// -----

func.func @inside_of_an_op(%x: tensor<?x4xf32>, %i: i1, %k: tensor<9x4xf32>) -> tensor<9x4xf32> {
  %y = scf.if %i -> tensor<9x4xf32> {
    // expected-error @below {{'tensor.cast' op to a fixed type is inside of 'scf.if', where it is not known how many elements it gets}}
    %c = tensor.cast %x : tensor<?x4xf32> to tensor<9x4xf32>
    scf.yield %c : tensor<9x4xf32>
  } else {
    scf.yield %k : tensor<9x4xf32>
  }
  return %y : tensor<9x4xf32>
}

// -----

// The other dimension of a tensor is none of the sequence; several are.
// CHECK-LABEL: func.func @features(%{{.*}}: tensor<?x4xf32>) -> tensor<4x4xi8>
func.func @features(%x: tensor<?x4xf32>) -> tensor<4x4xi8> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x4xi8>
  %c = tensor.cast %e : tensor<?x4xi8> to tensor<4x4xi8>
  return %c : tensor<4x4xi8>
}
// CHECK-LABEL: func.func @mask(%{{.*}}: tensor<8x4xf32>) -> tensor<2x8x8xi1>
func.func @mask(%x: tensor<?x4xf32>) -> tensor<2x8x8xi1> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n, %n) : tensor<2x?x?xi1>
  // expected-warning @below {{this has 8 tokens: no sequence of another length can run}}
  %c = tensor.cast %e : tensor<2x?x?xi1> to tensor<2x8x8xi1>
  return %c : tensor<2x8x8xi1>
}

// -----

// A weight is no sequence, wherever it is read; a function that is called keeps its type.
// CHECK-LABEL: func.func @weight(%{{.*}}: tensor<?x4xf32>, %{{.*}}: tensor<4x4xf32>)
func.func @weight(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %y = call @called(%x, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// CHECK-LABEL: func.func @called(%{{.*}}: tensor<?x4xf32>, %{{.*}}: tensor<4x4xf32>) -> tensor<?x4xf32>
func.func @called(%x: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %y = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
