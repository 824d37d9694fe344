// Prediction, selection and what they make sparse, in instructions. The IR is one layer
// under three policies; --fact-sparsify brings it to the form that the pass takes.
// In which order, and for which head: heads.mlir.
// RUN: fact-opt %s --split-input-file --fact-sparsify --fact-to-factisa | FileCheck %s
// RUN: fact-opt %s --split-input-file --fact-sparsify --fact-to-factisa | FileCheck %s --check-prefix=NOT

// Everything on. Stage 1 of the prediction, per head: Q^ (with its bias) and K^. Stage 2
// and the selection, per head and row block. Lists of the rows that are needed. INT4
// for unimportant tokens, in the feed-forward network only.
// CHECK-LABEL: func.func @main()
// Keep and dominance of the policy, in memory.
// CHECK-DAG:   %[[KEEP:[0-9]+]] = factisa.dram constant {{.*}} values = [dense<102> : tensor<i32>]
// CHECK-DAG:   %[[GAP:[0-9]+]] = factisa.dram constant {{.*}} values = [dense<3.000000e+00> : tensor<f32>]
// CHECK-DAG:   %[[POLICY:[0-9]+]] = factisa.sram index 64 "policy"
// CHECK-DAG:   factisa.load dst=%[[POLICY]], src=%[[KEEP]],
// CHECK-DAG:   %[[SECOND:[0-9]+]] = factisa.view %[[POLICY]] + 4
// CHECK-DAG:   factisa.load dst=%[[SECOND]], src=%[[GAP]],
// Stage 1: codes of Q (with bias) and of K.
// CHECK-DAG:   factisa.ep.project {{.*}} predictor=leading_one
// CHECK-DAG:   factisa.ep.bias
// CHECK-DAG:   factisa.ep.normalize {{.*}} predictor=leading_one, operand=query
// CHECK-DAG:   factisa.ep.normalize {{.*}} predictor=leading_one, operand=key
// Stage 2 and selection, whose counts and column masks start at zero.
// CHECK-DAG:   factisa.sel.fill dst=%[[COUNTS:[0-9]+]], row0=%c0, {{.*}} width=4,
// CHECK-DAG:   factisa.sel.fill {{.*}} width=1,
// CHECK-DAG:       factisa.ep.score score=%[[SCORES:[0-9]+]],
// CHECK-DAG:       factisa.sel.topk {{.*}} score=%[[SCORES]], {{.*}} policy=%[[POLICY]], {{.*}} attention_scale=0.707106769,
// Rows of Q, K and V are generated as listed: Q's list is of those that are not dominated.
// CHECK-DAG:   factisa.sel.list {{.*}}, invert{{$}}
// CHECK-DAG:   factisa.sel.list {{.*}} rows={{[0-9]+$}}
// CHECK-DAG:   factisa.pe.gemm {{.*}} list=%[[LIST:[0-9]+]], {{.*}} n=2, {{.*}} role=qkv
// CHECK-DAG:   factisa.apu.quantize
// The mean token is a row of its own: a running sum over row blocks, its K and V.
// CHECK-DAG:       factisa.apu.column_sum sum=%[[SUM:[0-9]+]], {{.*}} n=4,
// CHECK-DAG:       factisa.apu.mean y=%{{[0-9]+}}, sum=%[[SUM]], n=4{{$}}
// CHECK-DAG:       factisa.pe.gemm {{.*}} rows=1, {{.*}} role=qkv
// Attention reads mask and dominated rows.
// CHECK-DAG:       factisa.pe.qk {{.*}} mask=%[[MASK:[0-9]+]], dominated=%[[DOMINATED:[0-9]+]],
// CHECK-DAG:       factisa.pe.qk {{.*}}, tail{{$}}
// CHECK-DAG:       factisa.apu.softmax {{.*}} mask=%[[MASK]], dominated=%[[DOMINATED]],
// CHECK-DAG:       factisa.pe.pv {{.*}} mask=%[[MASK]], dominated=%[[DOMINATED]],
// CHECK-DAG:       factisa.apu.copy_dominated {{.*}} dominated=%[[DOMINATED]],
// CHECK-DAG:       factisa.apu.context {{.*}} dominated=%[[DOMINATED]],
// CHECK:       role=output
// The feed-forward network's linear layer takes the tokens' precision, in quantization,
// product and rescaling.
// CHECK:       factisa.apu.quantize q=%[[X:[0-9]+]], {{.*}} low=%[[LOW:[0-9]+]], {{.*}} row0=%{{.*}} n=4,
// CHECK:       factisa.pe.gemm {{.*}} x=%[[X]], {{.*}} low=%[[LOW]], {{.*}} precision=a4w4, role=ffn
// CHECK:       factisa.apu.rescale {{.*}} low=%[[LOW]], {{.*}} row0=%{{.*}} precision=a4w4
// NOT-LABEL: func.func @main()
// NOT-NOT:     {{factisa.*, causal}}
module attributes {fact.policy = #fact.policy<keep = 102, tail = mean, dominance = 3.0, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @main(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %b = arith.constant dense<[0.5, 0.25, -0.5, 1.0]> : tensor<4xf32>
  %q = fact.linear %x, %w bias %b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  %o = fact.linear %c, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %r = fact.add %x, %o : tensor<?x4xf32>
  %h = fact.linear %r, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = fact.add %r, %h : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}

// -----

// Without dominance nothing is copied and Q has no list; another predictor and causal
// attention reach every instruction that depends on them; a4w8 in every linear layer.
// CHECK-LABEL: func.func @main()
// CHECK-DAG:       factisa.ep.project {{.*}} predictor=one_sided
// CHECK-DAG:       factisa.ep.normalize {{.*}} predictor=one_sided, operand=query
// CHECK-DAG:       factisa.ep.normalize {{.*}} predictor=one_sided, operand=key
// CHECK-DAG:       factisa.sel.topk {{.*}} predictor=one_sided, head_norms=0, left=0, right=1,
// CHECK-DAG:       factisa.pe.gemm {{.*}} precision=a4w8, role=qkv
// NOT-LABEL:   func.func @main()
// NOT-NOT:     {{copy_dominated|column_sum|tail$}}
module attributes {fact.policy = #fact.policy<keep = 512, tail = none, dominance = 0.0, importance = 256, low_precision = a4w8, scope = all, predictor = one_sided>} {
func.func @main(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %b = arith.constant dense<[0.5, 0.25, -0.5, 1.0]> : tensor<4xf32>
  %q = fact.linear %x, %w bias %b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 causal : tensor<?x4xf32>
  %o = fact.linear %c, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %r = fact.add %x, %o : tensor<?x4xf32>
  %h = fact.linear %r, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = fact.add %r, %h : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}

// -----

// Nothing pruned, but precision by importance: the counts of a layer that keeps all.
// CHECK-LABEL: func.func @main()
// CHECK-NOT:   factisa.ep
// CHECK-NOT:   factisa.sel.topk
// CHECK-DAG:       factisa.sel.count_all {{.*}} heads=2, left=0, right=0{{$}}
// CHECK-DAG:       %[[VALUE:[0-9]+]] = factisa.dram constant {{.*}} values = [dense<512> : tensor<i32>]
// CHECK-DAG:       factisa.load dst=%[[IMPORTANCE:[0-9]+]], src=%[[VALUE]],
// CHECK-DAG:       factisa.sel.precision {{.*}} importance=%[[IMPORTANCE]],
// CHECK-NOT:   factisa.ep
// CHECK-NOT:   factisa.sel.topk
// NOT-LABEL:   func.func @main()
module attributes {fact.policy = #fact.policy<keep = 1024, tail = none, dominance = 0.0, importance = 512, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @main(%x: tensor<?x4xf32> {fact.bound = 8 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %w = arith.constant dense<[[0.5, -0.25, 0.1, 0.7], [1.0, 0.3, -0.9, 0.2], [0.4, -0.6, 0.8, -1.0], [0.15, 0.35, -0.55, 0.75]]> : tensor<4x4xf32>
  %b = arith.constant dense<[0.5, 0.25, -0.5, 1.0]> : tensor<4xf32>
  %q = fact.linear %x, %w bias %b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %k = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %v = fact.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.707106769 : tensor<?x4xf32>
  %o = fact.linear %c, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %r = fact.add %x, %o : tensor<?x4xf32>
  %h = fact.linear %r, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = fact.add %r, %h : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
}
