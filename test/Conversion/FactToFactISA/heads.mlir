// What an attention needs head by head is one loop over heads: stage 1 of the prediction
// of one head, selection of the one before, generation of Q, K and V, attention. Sequences
// here are one block (but in the last test), so that nothing overlaps and what is done stands in its order. What
// is the same is named once (--cse).
// RUN: fact-opt %s --split-input-file --fact-sparsify --fact-to-factisa=resident=false --cse >%t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=SPECULATE
// RUN: fact-opt %s --split-input-file --fact-sparsify --fact-to-factisa="speculate=false resident=false" --cse | FileCheck %s --check-prefix=ALONE
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=PREDICT
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=SELECT
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=GENERATE
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=ATTEND
// RUN: fact-opt %s --split-input-file --fact-sparsify --fact-to-factisa="schedule=differential resident=false" --cse --remarks-filter=fact-to-factisa >%t.differential.mlir 2>%t.remarks
// RUN: FileCheck %s --input-file=%t.differential.mlir --check-prefix=DIFFERENTIAL
// RUN: FileCheck %s --input-file=%t.remarks --check-prefix=MISSED

// Of a selection that only its own layer's attention reads all is in one loop, of as many
// iterations as there are heads, and those that the last part is behind. A part has no
// rows where its head does not exist; weights are loaded for the next iteration, the first
// ones before the loop.
// CHECK-LABEL: func.func @selection()
// CHECK:       factisa.load {{.*}} row0=%c0, rows=4, row_bytes=1, {{.*}} whole
// CHECK:       scf.for %[[I:[a-z0-9]+]] = %c0 to %c5 step %c1 {
// CHECK-NOT:   scf.for
// CHECK-DAG:     %[[NEXT:[0-9]+]] = arith.addi %[[I]], %c1 : index
// CHECK-DAG:     %[[H1:[0-9]+]] = arith.addi %[[I]], %c-1 : index
// CHECK-DAG:     %[[H2:[0-9]+]] = arith.addi %[[I]], %c-2 : index
// CHECK-DAG:     %[[H3:[0-9]+]] = arith.addi %[[I]], %c-3 : index
// CHECK-DAG:     %[[ATNEXT:[0-9]+]] = factisa.in_range %[[NEXT]] below 2
// CHECK-DAG:     %[[AT0:[0-9]+]] = factisa.in_range %[[I]] below 2
// CHECK-DAG:     %[[AT1:[0-9]+]] = factisa.in_range %[[H1]] below 2
// CHECK-DAG:     %[[AT2:[0-9]+]] = factisa.in_range %[[H2]] below 2
// CHECK-DAG:     %[[AT3:[0-9]+]] = factisa.in_range %[[H3]] below 2
// CHECK-DAG:     factisa.load {{.*}} row0=%[[ATNEXT]], rows=4, {{.*}} whole
// CHECK-DAG:     factisa.ep.project {{.*}} row0=%[[AT0]],
// CHECK-DAG:     factisa.load {{.*}} row0=%[[AT0]], rows=4, {{.*}} whole
// CHECK-DAG:     factisa.sel.topk {{.*}} row0=%[[AT1]], {{.*}} head=%[[H1]]
// CHECK-DAG:     factisa.load {{.*}} row0=%[[AT1]], rows=4, {{.*}} whole
// CHECK-DAG:     factisa.pe.gemm {{.*}} row0=%[[AT1]], rows=8,
// CHECK-DAG:     factisa.pe.gemm {{.*}} row0=%[[AT2]], rows=8,
// CHECK-DAG:     factisa.pe.qk {{.*}} row0=%[[AT3]],
// CHECK:       factisa.pe.gemm {{.*}} role=output

// Differential: the parts after stage 1 work on the same head. Rows of K and V are those
// that the block's masks want and no block's before did, whatever block they are in; the
// mask comes from its place, not from DRAM.
// DIFFERENTIAL-LABEL: func.func @selection()
// DIFFERENTIAL:       %[[ALL:[0-9]+]] = factisa.sram token 256 "all_rows"
// DIFFERENTIAL:       scf.for %[[I:[a-z0-9]+]] = %c0 to %c3 step %c1 {
// DIFFERENTIAL-DAG:     %[[H1:[0-9]+]] = arith.addi %[[I]], %c-1 : index
// DIFFERENTIAL-DAG:     %[[AT1:[0-9]+]] = factisa.in_range %[[H1]] below 2
// DIFFERENTIAL:         factisa.sel.topk mask=%[[MASK:[0-9]+]], {{.*}} k_rows=%[[KROWS:[0-9]+]], v_rows=%[[VROWS:[0-9]+]],
// DIFFERENTIAL:         factisa.sel.fill dst=%[[KNAMED:[0-9]+]], row0=%[[AT1]], rows=64, width=1,
// DIFFERENTIAL:         factisa.sel.list_new list=%[[LIST:[0-9]+]], flags=%[[KROWS]], named=%[[KNAMED]],
// DIFFERENTIAL:         factisa.pe.gemm {{.*}} x=%[[ALL]], {{.*}} list=%[[LIST]],
// DIFFERENTIAL:         factisa.sel.list_new list=%[[LIST:[0-9]+]], flags=%[[VROWS]],
// DIFFERENTIAL:         factisa.pe.gemm {{.*}} x=%[[ALL]], {{.*}} list=%[[LIST]],
// DIFFERENTIAL:         factisa.pe.qk {{.*}} mask=%[[MASK]], {{.*}} row0=%[[AT1]],
// MISSED: [Missed] NotDifferential | Category:fact-to-factisa {{.*}} Reason="no selection is made in the loop over heads, which would say block by block what rows of K and V are wanted"

// Stage 1, of keys and of queries, with the bias of queries. Its codes and scales have two
// slots: the head before is selected with the other one. Codes of weights, keys and
// queries are packed, two to a byte: rows of a head's n = 2 are one byte.
// PREDICT-LABEL: func.func @selection()
// PREDICT:       factisa.ep.project acc=%[[ACC:[0-9]+]], x=%[[ROWS:[0-9]+]], {{.*}} row0=%[[AT:[0-9]+]], {{.*}} n=2, {{.*}} w_stride=1, predictor=leading_one
// PREDICT:       factisa.ep.normalize {{.*}} acc=%[[ACC]], row0=%[[AT]], {{.*}} n=2, code_stride=1, {{.*}} operand=key
// PREDICT:       factisa.ep.project acc=%[[ACC:[0-9]+]], x=%[[ROWS]], {{.*}} row0=%[[AT]],
// PREDICT:       factisa.ep.bias acc=%[[ACC]], {{.*}} row0=%[[AT]],
// PREDICT:       factisa.ep.normalize {{.*}} acc=%[[ACC]], row0=%[[AT]], {{.*}} n=2, code_stride=1, {{.*}} operand=query

// Stage 2 and the selection: rows of K and V that are needed are cleared for each head,
// counts once for all. Then the head's queries, those that are not dominated.
// SELECT-LABEL: func.func @selection()
// SELECT:       factisa.sel.fill dst=%[[COUNTS:[0-9]+]], row0=%c0, {{.*}} width=4,
// SELECT:       scf.for
// SELECT:       factisa.sel.fill dst=%[[KROWS:[0-9]+]], row0=%[[AT:[0-9]+]], {{.*}} width=1,
// SELECT:       factisa.sel.fill dst=%[[VROWS:[0-9]+]], row0=%[[AT]], {{.*}} width=1,
// SELECT:       factisa.ep.score score=%[[SCORES:[0-9]+]], {{.*}} row0=%[[AT]], {{.*}} q_stride=1, k_stride=1,
// SELECT:       factisa.sel.topk mask=%[[MASK:[0-9]+]], dominated=%[[DOMINATED:[0-9]+]], {{.*}} k_rows=%[[KROWS]], v_rows=%[[VROWS]], count=%[[COUNTS]], score=%[[SCORES]], {{.*}} row0=%[[AT]],
// SELECT:       factisa.store {{.*}} src=%[[MASK]], row0=%[[AT]],
// SELECT:       factisa.sel.list list=%[[LIST:[0-9]+]], flags=%[[DOMINATED]], unless=%{{[0-9]+}}, row0=%[[AT]], {{.*}} invert
// SELECT:       factisa.pe.gemm acc=%[[ACC:[0-9]+]], {{.*}} list=%[[LIST]], {{.*}} row0=%[[AT]], {{.*}} n=2, {{.*}} role=qkv
// SELECT:       factisa.apu.rescale y=%[[TILE:[0-9]+]], acc=%[[ACC]], {{.*}} bias=%{{[0-9]+}}, {{.*}} list=%[[LIST]], {{.*}} maximum=%[[MAXIMUM:[0-9]+]], row0=%[[AT]],
// SELECT:       factisa.apu.quantize {{.*}} x=%[[TILE]], list=%[[LIST]], {{.*}} maximum=%[[MAXIMUM]], row0=%[[AT]],
// SELECT:       factisa.store {{.*}} src=%[[COUNTS]], row0=%c0,

// K and V: rows that the selection wants, and the row of the mean token by the weights
// that are there.
// GENERATE-LABEL: func.func @selection()
// GENERATE:       factisa.apu.column_sum
// GENERATE:       factisa.apu.mean
// GENERATE:       factisa.apu.quantize q=%{{[0-9]+}}, {{.*}} rows=1,
// GENERATE:       scf.for
// GENERATE:       factisa.sel.list list=%[[LIST:[0-9]+]], flags=%{{[0-9]+}}, unless=%{{[0-9]+}}, row0=%[[AT:[0-9]+]], rows=8{{$}}
// GENERATE:       factisa.pe.gemm acc=%[[ACC:[0-9]+]], x=%{{[0-9]+}}, w=%[[W:[0-9]+]], list=%[[LIST]], {{.*}} row0=%[[AT]], rows=8, {{.*}} role=qkv
// GENERATE:       factisa.apu.rescale y=%[[TILE:[0-9]+]], acc=%[[ACC]], {{.*}} list=%[[LIST]], {{.*}} row0=%[[AT]], rows=8,
// GENERATE:       factisa.apu.quantize {{.*}} x=%[[TILE]], list=%[[LIST]], {{.*}} row0=%[[AT]], rows=8,
// GENERATE:       factisa.pe.gemm acc=%[[ACC:[0-9]+]], x=%[[MEAN:[0-9]+]], w=%[[W]], {{.*}} row0=%[[AT]], rows=1, {{.*}} role=qkv
// GENERATE:       factisa.apu.rescale y=%[[TILE:[0-9]+]], acc=%[[ACC]], {{.*}} row0=%[[AT]], rows=1,
// GENERATE:       factisa.apu.quantize {{.*}} x=%[[TILE]], {{.*}} row0=%[[AT]], rows=1,
// GENERATE:       factisa.sel.list list=%[[LIST:[0-9]+]], flags=%{{[0-9]+}}, unless=%{{[0-9]+}}, row0=%[[AT]], rows=8{{$}}
// GENERATE:       factisa.pe.gemm acc=%[[ACC:[0-9]+]], x=%{{[0-9]+}}, w=%[[W:[0-9]+]], list=%[[LIST]], {{.*}} row0=%[[AT]], rows=8, {{.*}} role=qkv
// GENERATE:       factisa.apu.rescale y=%[[TILE:[0-9]+]], acc=%[[ACC]], {{.*}} list=%[[LIST]], {{.*}} row0=%[[AT]], rows=8,
// GENERATE:       factisa.apu.quantize {{.*}} x=%[[TILE]], list=%[[LIST]], {{.*}} row0=%[[AT]], rows=8,
// GENERATE:       factisa.pe.gemm acc=%[[ACC:[0-9]+]], x=%[[MEAN]], w=%[[W]], {{.*}} row0=%[[AT]], rows=1, {{.*}} role=qkv
// GENERATE:       factisa.apu.rescale y=%[[TILE:[0-9]+]], acc=%[[ACC]], {{.*}} row0=%[[AT]], rows=1,
// GENERATE:       factisa.apu.quantize {{.*}} x=%[[TILE]], {{.*}} row0=%[[AT]], rows=1,

// Attention, with the mean token's share.
// ATTEND-LABEL: func.func @selection()
// ATTEND:       scf.for
// ATTEND:       factisa.load dst=%[[MASK:[0-9]+]], {{.*}} row0=%[[AT:[0-9]+]], rows=8, row_bytes=8,
// ATTEND:       factisa.pe.qk score=%[[SCORES:[0-9]+]], q=%[[Q:[0-9]+]], {{.*}} mask=%[[MASK]], dominated=%[[DOMINATED:[0-9]+]], row0=%[[AT]],
// ATTEND:       factisa.pe.qk score=%[[TAIL:[0-9]+]], q=%[[Q]], {{.*}} dominated=%[[DOMINATED]], row0=%[[AT]], {{.*}} tail
// ATTEND:       factisa.apu.softmax p=%[[P:[0-9]+]], stats=%[[STATS:[0-9]+]], score=%[[SCORES]], {{.*}} mask=%[[MASK]], dominated=%[[DOMINATED]], row0=%[[AT]],
// ATTEND:       factisa.pe.pv num=%[[NUM:[0-9]+]], p=%[[P]], v=%[[V:[0-9]+]], mask=%[[MASK]], dominated=%[[DOMINATED]], row0=%[[AT]],
// ATTEND:       factisa.apu.copy_dominated ctx=%[[CTX:[0-9]+]], v=%[[V]], {{.*}} dominated=%[[DOMINATED]], {{.*}} row0=%[[AT]],
// ATTEND:       factisa.apu.context ctx=%[[CTX]], num=%[[NUM]], stats=%[[STATS]], {{.*}} tail_score=%[[TAIL]], {{.*}} row0=%[[AT]],
// ATTEND:       factisa.store {{.*}} src=%[[CTX]], row0=%[[AT]], rows=8, row_bytes=8, dst_stride=16,

module attributes {fact.policy = #fact.policy<keep = 102, tail = mean, dominance = 3.0, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @selection(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %b = arith.constant dense<[0.5, 0.25, -0.5, 1.0]> : tensor<4xf32>
  %q = fact.linear %x, %w bias %b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  %o = fact.linear %c, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = fact.add %x, %o : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}

// -----

// Rows at low precision need the importance of all heads: the selection is a loop of its
// own, which stores what the other one loads.
// ALONE-LABEL: func.func @importance_of_all_heads()
// ALONE:       scf.for %{{[a-z0-9]+}} = %c0 to %c4 step %c1 {
// ALONE-NOT:     {{pe.gemm|pe.qk}}
// ALONE:         factisa.ep.score
// ALONE-NOT:     {{pe.gemm|pe.qk}}
// ALONE:         factisa.sel.topk mask=%[[MASK:[0-9]+]], dominated=%[[FLAGS:[0-9]+]], argmax=%[[ARGMAX:[0-9]+]],
// ALONE-DAG:     factisa.store {{.*}} src=%[[MASK]],
// ALONE-DAG:     factisa.store {{.*}} src=%[[FLAGS]],
// ALONE-DAG:     factisa.store {{.*}} src=%[[ARGMAX]],
// ALONE-NOT:     {{pe.gemm|pe.qk}}
// ALONE:       {{^    }}}
// ALONE:       factisa.sel.precision low=%[[LOW:[0-9]+]],
// ALONE:       factisa.apu.quantize {{.*}} low=%
// ALONE:       scf.for %[[I:[a-z0-9]+]] = %c0 to %c3 step %c1 {
// ALONE-NOT:     {{factisa.ep|sel.topk}}
// ALONE-DAG:     %[[H1:[0-9]+]] = arith.addi %[[I]], %c-1 : index
// ALONE-DAG:     %[[AT0:[0-9]+]] = factisa.in_range %[[I]] below 2
// ALONE-DAG:     %[[AT1:[0-9]+]] = factisa.in_range %[[H1]] below 2
// ALONE-DAG:     factisa.pe.gemm {{.*}} list=%{{[0-9]+}}, low=%[[ROWS:[0-9]+]], row0=%[[AT0]], {{.*}} precision=a4w8, role=qkv
// ALONE-DAG:     factisa.apu.rescale {{.*}} low=%[[ROWS]], {{.*}} row0=%[[AT0]], {{.*}} precision=a4w8
// ALONE-DAG:     factisa.pe.qk {{.*}} row0=%[[AT1]],
// ALONE-DAG:     factisa.pe.pv {{.*}} row0=%[[AT1]],
// ALONE:       {{^    }}}
// ALONE:       return
//
// Beside that selection, Q, K and V of all rows are made at low precision, by an INT4 form
// of the rows, and stored; then the other loop takes them from there and makes the listed
// rows again that are wanted and not at low precision. Their INT8 form is stage 1's, and
// comes by list, too.
// SPECULATE-LABEL: func.func @importance_of_all_heads()
// SPECULATE:       factisa.sel.fill dst=%[[ALL:[0-9]+]], row0=%c0, rows=8, width=1, value=1
// SPECULATE:       factisa.apu.quantize q=%[[EXACT:[0-9]+]], {{.*}} low=%[[NONE:[0-9]+]], maximum=%{{[0-9]+}}, row0=%c0,
// SPECULATE:       factisa.apu.quantize q=%[[LOW:[0-9]+]], {{.*}} low=%[[ALL]], maximum=%{{[0-9]+}}, row0=%c0,
// SPECULATE-DAG:   factisa.store dst=%[[LOWROWS:[0-9]+]], src=%[[LOW]],
// SPECULATE-DAG:   factisa.store dst=%[[ROWS:[0-9]+]], src=%[[EXACT]],
// SPECULATE:       factisa.sel.fill dst=%[[ALL:[0-9]+]], row0=%c0, rows=8, width=1, value=1
// SPECULATE:       scf.for
// SPECULATE-DAG:     factisa.load dst=%[[X:[0-9]+]], src=%[[LOWROWS]],
// SPECULATE-DAG:     factisa.sel.topk
// SPECULATE-COUNT-3: factisa.pe.gemm {{.*}} x=%[[X]], {{.*}} list=%[[NONE]], low=%[[ALL]], {{.*}} precision=a4w8, role=qkv
// SPECULATE-NOT:     factisa.pe
// SPECULATE:       {{^    }}}
// SPECULATE:       factisa.sel.precision low=%[[LOW:[0-9]+]],
// SPECULATE-NOT:   factisa.apu.quantize
// SPECULATE:       factisa.load dst=%[[FLAGS:[0-9]+]], src=%{{[0-9]+}}, row0=%c0, rows=64, row_bytes=1,
// SPECULATE:       factisa.sel.list list=%[[AGAIN:[0-9]+]], flags=%[[FLAGS]], unless=%[[NONE]], {{.*}} invert
// SPECULATE:       scf.for
// SPECULATE:         factisa.load.listed dst=%[[X:[0-9]+]], src=%[[ROWS]], list=%[[AGAIN]],
// SPECULATE:         factisa.sel.list list=%[[LIST:[0-9]+]], flags=%{{[0-9]+}}, unless=%[[FLAGS]], row0=%[[AT:[0-9]+]],
// SPECULATE:         factisa.load dst=%[[MADE:[0-9]+]], {{.*}} row0=%[[AT]], rows=8, row_bytes=2,
// SPECULATE:         factisa.pe.gemm acc=%[[ACC:[0-9]+]], x=%[[X]], {{.*}} list=%[[LIST]], low=%[[NONE]], row0=%[[AT]],
// SPECULATE:         factisa.apu.rescale y=%[[TILE:[0-9]+]], acc=%[[ACC]], {{.*}} list=%[[LIST]], low=%[[NONE]],
// SPECULATE:         factisa.apu.quantize q=%[[MADE]], {{.*}} x=%[[TILE]], list=%[[LIST]],
module attributes {fact.policy = #fact.policy<keep = 512, tail = none, dominance = 0.0, importance = 256, low_precision = a4w8, scope = all, predictor = one_sided>} {
func.func @importance_of_all_heads(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %wk = arith.constant dense<[[0.3, 0.25, -0.1, 0.7], [-1.0, 0.3, 0.9, 0.2], [0.4, 0.6, 0.8, 1.0], [0.15, 0.35, 0.55, -0.75]]> : tensor<4x4xf32>
  %q = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}

// -----

// Without a selection queries, keys and values are made in one part.
// CHECK-LABEL: func.func @dense()
// CHECK:       scf.for %[[I:[a-z0-9]+]] = %c0 to %c3 step %c1 {
// CHECK-NOT:     {{factisa.ep|factisa.sel}}
// CHECK-DAG:     %[[AT0:[0-9]+]] = factisa.in_range %[[I]] below 2
// CHECK-COUNT-3: factisa.pe.gemm {{.*}} row0=%[[AT0]], {{.*}} role=qkv
// CHECK-NOT:     {{factisa.ep|factisa.sel}}
// CHECK:       {{^    }}}
// CHECK-NOT:   scf.for
func.func @dense(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %q = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Keys that two attentions read are made once, before both: neither makes what it needs
// head by head.
// CHECK-LABEL: func.func @shared_keys()
// CHECK-COUNT-5: factisa.pe.gemm {{.*}} k=4, n=4,
// CHECK-NOT:   factisa.pe.gemm
// CHECK:       scf.for
// CHECK-NOT:   factisa.in_range
// CHECK:       factisa.pe.qk
// CHECK-NOT:   factisa.in_range
// CHECK:       scf.for
// CHECK:       factisa.pe.qk
// CHECK-NOT:   factisa.in_range
func.func @shared_keys(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %b1 = arith.constant dense<1.0> : tensor<4xf32>
  %b2 = arith.constant dense<2.0> : tensor<4xf32>
  %b3 = arith.constant dense<3.0> : tensor<4xf32>
  %b4 = arith.constant dense<4.0> : tensor<4xf32>
  %q1 = fact.linear %x, %w bias %b1 : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %q2 = fact.linear %x, %w bias %b2 : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v1 = fact.linear %x, %w bias %b3 : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %v2 = fact.linear %x, %w bias %b4 : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %c1 = fact.attention %q1, %k, %v1 heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  %c2 = fact.attention %q2, %k, %v2 heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  %y = fact.add %c1, %c2 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Several blocks are a loop in that of the heads; its iterations overlap, and weights come
// in a head's first three iterations, which a sequence of one block has, too.
// CHECK-LABEL: func.func @blocks()
// CHECK:       scf.for %[[I:[a-z0-9]+]] = %c0 to %c3 step %c1 {
// CHECK:         scf.for %[[ROW:[a-z0-9]+]] = %c0 to %{{[0-9]+}} step
// CHECK-DAG:       factisa.phase %[[I]] delay 1 slots 2
// CHECK-DAG:       %[[NEXT:[0-9]+]] = arith.addi %[[I]], %c1 : index
// CHECK-DAG:       factisa.in_range %[[NEXT]] below 2
// CHECK-DAG:       %[[FIRST:[0-9]+]] = factisa.in_range %{{[a-z0-9]+}} below 1
// CHECK-DAG:       arith.addi %{{[0-9]+}}, %[[FIRST]]
// CHECK-DAG:       factisa.load {{.*}} rows=32, row_bytes=16, dst_stride=16, src_stride=32, whole
// CHECK-DAG:       factisa.pe.gemm {{.*}} role=qkv
// CHECK-DAG:       factisa.pe.qk
// CHECK-DAG:       factisa.pe.pv
// CHECK:         } {factisa.extra = {{[1-9]}} : i64}
func.func @blocks(%x: tensor<?x32xf32> {fact.bound = 200 : i64, fact.name = "x"}) -> (tensor<?x32xf32> {fact.name = "y"}) {
  %w = arith.constant dense<0.25> : tensor<32x32xf32>
  %q = fact.linear %x, %w : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  %k = fact.linear %x, %w : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  %v = fact.linear %x, %w : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  %y = fact.attention %q, %k, %v heads = 2 scale = 0.25 : tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// With weights in two planes, and a mean token: K and V of it are made in the first loop, by
// the weights that are there; the second loop loads what they are, and weights only where a
// row is precise.
// SPECULATE-LABEL: func.func @mean_token_speculated()
// SPECULATE:       factisa.load.weight {{.*}} rows=4, n=2, {{.*}} whole
// SPECULATE:       scf.for
// SPECULATE:         factisa.pe.gemm acc=%[[ACC:[0-9]+]], {{.*}} rows=1, {{.*}} role=qkv
// SPECULATE:         factisa.apu.rescale y=%[[TILE:[0-9]+]], acc=%[[ACC]],
// SPECULATE:         factisa.apu.quantize q=%[[MEAN:[0-9]+]], {{.*}} x=%[[TILE]],
// SPECULATE:         factisa.store dst=%{{[0-9]+}}, src=%[[MEAN]], {{.*}} rows=1, row_bytes=2,
// SPECULATE-NOT:     only_exact
// SPECULATE:       factisa.sel.precision
// SPECULATE:       scf.for
// SPECULATE-NOT:     factisa.pe.gemm {{.*}} rows=1,
// SPECULATE-COUNT-3: factisa.load.weight {{.*}} only_exact
// SPECULATE-NOT:     factisa.pe.gemm {{.*}} rows=1,
// SPECULATE:       return
module attributes {fact.policy = #fact.policy<keep = 512, tail = mean, dominance = 3.0, importance = 256, low_precision = a4w4, scope = all, predictor = leading_one>} {
func.func @mean_token_speculated(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %wk = arith.constant dense<[[0.3, 0.25, -0.1, 0.7], [-1.0, 0.3, 0.9, 0.2], [0.4, 0.6, 0.8, 1.0], [0.15, 0.35, 0.55, -0.75]]> : tensor<4x4xf32>
  %wv = arith.constant dense<[[0.1, 0.2, 0.3, 0.4], [-0.5, 0.6, -0.7, 0.8], [0.9, 0.1, 0.2, -0.3], [-0.4, 0.5, 0.6, 0.7]]> : tensor<4x4xf32>
  %q = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %wk : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %wv : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}
