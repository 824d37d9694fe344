// Iterations overlap: which loops, what becomes of rows and buffers. Exact times are not
// looked at, nor what they make of an order. What programs compute: pipeline-bits.mlir.
// RUN: fact-opt %s --split-input-file --factisa-pipeline | FileCheck %s
// RUN: fact-opt %s --split-input-file --factisa-pipeline --remarks-filter='factisa.*' 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Rows, places in DRAM and slots of an instruction are of one iteration; the loop has as
// many iterations more as the last one is behind.
// RUN: fact-opt %s --split-input-file --factisa-pipeline | %python %S/Inputs/check_pipeline.py | FileCheck %s --check-prefix=AGREE
// AGREE: {{^}}8 loops, {{[1-9][0-9]+}} instructions, {{[1-9][0-9]*}} slots: all agree
// RUN: fact-compile %fact_src/test/tools/Inputs/layer.mlir --preset=fast --emit=scheduled | %python %S/Inputs/check_pipeline.py | FileCheck %s --check-prefix=LAYER
// LAYER: {{^}}{{[1-9]}} loops, {{[1-9][0-9]+}} instructions, {{[1-9][0-9]+}} slots: all agree
// RUN: fact-opt %s --split-input-file --factisa-pipeline | sed 's/delay 0 slots/delay 9 slots/' | %python %S/Inputs/check_pipeline.py | FileCheck %s --check-prefix=WRONG
// WRONG: works for the iterations ['0', '9']

// Two products with other work between: while the one's results are rescaled, another
// iteration's product keeps the multipliers busy. So they work for different rows, and
// the loop has more iterations, in which the later rows are worked on.
// RUN: fact-opt %s --split-input-file --factisa-pipeline | sed -n '/@levels/,/return/p' | grep pe.gemm | grep -o ' row0=[^,]*' | sort -u | count 2
// CHECK-LABEL: func.func @levels()
// CHECK:       scf.for %[[I:[a-z0-9]+]] = %{{.*}} to %{{.*}} step %{{.*}}
// CHECK-DAG:     arith.addi %[[I]], %c-16
// CHECK-DAG:     factisa.load dst={{.*}} row0=%[[I]],
// CHECK-DAG:     factisa.pe.gemm {{.*}} role=other
// CHECK-DAG:     factisa.pe.gemm {{.*}} role=ffn
// CHECK-DAG:     factisa.apu.add
// CHECK-DAG:     factisa.store
// CHECK:       } {factisa.extra = {{[1-9][0-9]*}} : i64}
// CHECK-NOT:   factisa.independent
func.func @levels() attributes {factisa.bound = 96 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %x = factisa.dram input 24576 "x" {shape = array<i64: -1, 256>}
  %y = factisa.dram output 98304 "y" {shape = array<i64: -1, 256>}
  %weights = factisa.dram constant 65536 "w" {values = [dense<1> : tensor<65536xi8>], stride = 65536 : i64}
  %ones = factisa.dram constant 1024 "s" {values = [dense<1.0> : tensor<256xf32>], stride = 1024 : i64}
  %none = factisa.null
  %n = factisa.length 96
  %w = factisa.sram weight 65536 "w"
  %s = factisa.sram weight 1024 "s"
  factisa.load dst=%w, src=%weights, row0=%c0, rows=1, row_bytes=65536, dst_stride=65536, src_stride=65536, whole
  factisa.load dst=%s, src=%ones, row0=%c0, rows=1, row_bytes=1024, dst_stride=1024, src_stride=1024, whole
  scf.for %i = %c0 to %n step %c16 {
    %a = factisa.sram token 4096 "a"
    %acc = factisa.sram temp 16384 "acc"
    %r = factisa.sram temp 16384 "r"
    %q = factisa.sram token 4096 "q"
    %qs = factisa.sram index 64 "qs"
    %acc2 = factisa.sram temp 16384 "acc2"
    %r2 = factisa.sram temp 16384 "r2"
    %from = factisa.view %x + 0[%i] strides [256] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [1024] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=16, row_bytes=256, dst_stride=256, src_stride=256
    factisa.pe.gemm acc=%acc, x=%a, w=%w, list=%none, low=%none, row0=%i, rows=16, k=256, n=256, acc_stride=1024, x_stride=256, w_stride=256, precision=a4w4, role=other
    factisa.apu.rescale y=%r, acc=%acc, w_scale=%s, scale=%s, bias=%none, residual=%none, list=%none, low=%none, maximum=%none, row0=%i, rows=16, n=256, y_stride=1024, acc_stride=1024, residual_stride=0, precision=a4w4, activation=none
    factisa.apu.quantize q=%q, scale=%qs, x=%r, list=%none, low=%none, maximum=%none, row0=%i, rows=16, n=256, q_stride=256, x_stride=1024
    factisa.pe.gemm acc=%acc2, x=%q, w=%w, list=%none, low=%none, row0=%i, rows=16, k=256, n=256, acc_stride=1024, x_stride=256, w_stride=256, precision=a4w4, role=ffn
    factisa.apu.rescale y=%r2, acc=%acc2, w_scale=%s, scale=%qs, bias=%none, residual=%none, list=%none, low=%none, maximum=%none, row0=%i, rows=16, n=256, y_stride=1024, acc_stride=1024, residual_stride=0, precision=a4w4, activation=none
    factisa.apu.add y=%r2, a=%r2, b=%r, row0=%i, rows=16, n=256, y_stride=1024, a_stride=1024, b_stride=1024
    factisa.store dst=%to, src=%r2, row0=%i, rows=16, row_bytes=1024, dst_stride=1024, src_stride=1024
  } {factisa.independent = 2 : i64}
  return
}

// -----

// A buffer that an iteration needs for longer than an interval is a ring: each use has the
// slot of its own iteration. What is loaded as a whole is loaded for iterations that have
// rows.
// CHECK-LABEL: func.func @ring()
// CHECK-DAG:   %[[C0:.*]] = arith.constant 0 : index
// CHECK:       %[[RING:[0-9]+]] = factisa.sram temp {{32768|49152|65536}} "a"
// CHECK-DAG:   scf.for %[[I:[a-z0-9]+]] = %[[C0]] to
// CHECK-DAG:     %[[PHASE:[0-9]+]] = factisa.phase %[[I]] delay 0 slots {{[2-4]}}
// CHECK-DAG:     %[[SLOT:[0-9]+]] = factisa.view %[[RING]] + 0[%[[PHASE]]] strides [16384] : !factisa.sram
// CHECK-DAG:     factisa.load dst=%[[SLOT]], src=%{{[0-9]+}}, row0=%[[I]], rows=8,
// CHECK-DAG:     factisa.load dst=%{{[0-9]+}}, src=%{{[0-9]+}}, row0=%[[I]], rows=1, row_bytes=2048, {{.*}} whole
// CHECK-DAG:     factisa.apu.norm y=%[[USED:[0-9]+]], x=%[[USED]],
// CHECK:       } {factisa.extra
func.func @ring() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 131072 "x" {shape = array<i64: -1, 512>}
  %none = factisa.null
  %y = factisa.dram output 131072 "y" {shape = array<i64: -1, 512>}
  %ones = factisa.dram constant 2048 "g" {values = [dense<1.0> : tensor<512xf32>], stride = 2048 : i64}
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram temp 16384 "a"
    %g = factisa.sram weight 2048 "g"
    %from = factisa.view %x + 0[%i] strides [2048] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [2048] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    factisa.load dst=%g, src=%ones, row0=%c0, rows=1, row_bytes=2048, dst_stride=2048, src_stride=2048, whole
    factisa.apu.norm y=%a, x=%a, gamma=%g, beta=%g, list=%none, maximum=%none, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=layer, eps=1.0e-5
    factisa.store dst=%to, src=%a, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
  } {factisa.independent = 2 : i64}
  return
}

// -----

// Buffers of one size that are not needed at the same time take turns in a few places: as
// many as the loop says, and no more than there are buffers, for each engine that writes;
// with one turn as few as there can be.
// CHECK-LABEL: func.func @shared()
// CHECK-COUNT-3: factisa.sram temp 16384
// CHECK-NOT:   factisa.sram
// CHECK:       scf.for
// CHECK-NOT:     factisa.phase
// CHECK-COUNT-5: factisa.apu.activation
// CHECK:       } {factisa.extra
// RUN: sed 's/factisa.independent = 2/factisa.independent = 4/' %s | fact-opt --split-input-file --factisa-pipeline | FileCheck %s --check-prefix=FOUR
// FOUR-LABEL: func.func @shared()
// FOUR-COUNT-5: factisa.sram temp 16384
// FOUR-NOT:    factisa.sram
// FOUR:        scf.for
// RUN: sed 's/factisa.independent = 2/factisa.independent = 1/' %s | fact-opt --split-input-file --factisa-pipeline | FileCheck %s --check-prefix=ONE
// ONE-LABEL:   func.func @shared()
// ONE-COUNT-2: factisa.sram temp 16384
// ONE-NOT:     factisa.sram
// ONE:         scf.for
// RUN: sed 's/factisa.independent = 2/factisa.independent = 99/' %s | fact-opt --split-input-file --factisa-pipeline | FileCheck %s --check-prefix=ALL
// ALL-LABEL:   func.func @shared()
// ALL-COUNT-6: factisa.sram temp 16384
// ALL-NOT:     factisa.sram
// ALL:         scf.for
func.func @shared() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 131072 "x" {shape = array<i64: -1, 512>}
  %y = factisa.dram output 131072 "y" {shape = array<i64: -1, 512>}
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram temp 16384 "a"
    %b = factisa.sram temp 16384 "b"
    %c = factisa.sram temp 16384 "c"
    %d = factisa.sram temp 16384 "d"
    %e = factisa.sram temp 16384 "e"
    %f = factisa.sram temp 16384 "f"
    %from = factisa.view %x + 0[%i] strides [2048] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [2048] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    factisa.apu.activation y=%b, x=%a, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.apu.activation y=%c, x=%b, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.apu.activation y=%d, x=%c, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.apu.activation y=%e, x=%d, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.apu.activation y=%f, x=%e, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.store dst=%to, src=%f, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
  } {factisa.independent = 2 : i64}
  return
}

// -----

// What adds up outside of the loop keeps its order: within an iteration, and before what
// the next one adds.
// CHECK-LABEL: func.func @sums()
// CHECK:       %[[SUM:[0-9]+]] = factisa.sram temp 2048 "sum"
// CHECK:       scf.for
// CHECK:         factisa.apu.column_sum sum=%[[SUM]], x=%[[A:[0-9]+]], row0=%[[ROW:[a-z0-9]+]],
// CHECK:         factisa.apu.activation y=%[[B:[0-9]+]], x=%[[A]], row0=%[[ROW]],
// CHECK:         factisa.apu.column_sum sum=%[[SUM]], x=%[[B]], row0=%[[ROW]],
// CHECK:       } {factisa.extra
func.func @sums() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 131072 "x" {shape = array<i64: -1, 512>}
  %sum = factisa.sram temp 2048 "sum"
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram temp 16384 "a"
    %b = factisa.sram temp 16384 "b"
    %from = factisa.view %x + 0[%i] strides [2048] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    factisa.apu.column_sum sum=%sum, x=%a, row0=%i, rows=8, n=512, x_stride=2048
    factisa.apu.activation y=%b, x=%a, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.apu.column_sum sum=%sum, x=%b, row0=%i, rows=8, n=512, x_stride=2048
  } {factisa.independent = 2 : i64}
  return
}

// -----

// One that would have to wait for the iteration before is left alone.
// CHECK-LABEL: func.func @one_after_the_other()
// CHECK:       } {factisa.independent = 2 : i64}
// REMARK-DAG:  pipeline.mlir:[[@LINE+14]]:3: remark: [Missed] NotPipelined | Category:factisa-pipeline | Function=one_after_the_other | Reason="what its iterations add up needs them one after the other"
func.func @one_after_the_other() attributes {factisa.bound = 96 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %none = factisa.null
  %n = factisa.length 96
  %w = factisa.sram weight 65536 "w"
  %s = factisa.sram weight 1024 "s"
  %x = factisa.sram token 4096 "x"
  %acc = factisa.sram temp 16384 "acc"
  // The buffer of sums is one for all iterations: what the second product adds to, the next
  // iteration's first one writes.
  %q = factisa.sram token 4096 "q"
  %qs = factisa.sram index 64 "qs"
  scf.for %i = %c0 to %n step %c16 {
    %r = factisa.sram temp 16384 "r"
    factisa.pe.gemm acc=%acc, x=%x, w=%w, list=%none, low=%none, row0=%i, rows=16, k=256, n=256, acc_stride=1024, x_stride=256, w_stride=256, precision=a4w4, role=other
    factisa.apu.rescale y=%r, acc=%acc, w_scale=%s, scale=%s, bias=%none, residual=%none, list=%none, low=%none, maximum=%none, row0=%i, rows=16, n=256, y_stride=1024, acc_stride=1024, residual_stride=0, precision=a4w4, activation=none
    factisa.apu.quantize q=%q, scale=%qs, x=%r, list=%none, low=%none, maximum=%none, row0=%i, rows=16, n=256, q_stride=256, x_stride=1024
    factisa.pe.gemm acc=%acc, x=%q, w=%w, list=%none, low=%none, row0=%i, rows=16, k=256, n=256, acc_stride=1024, x_stride=256, w_stride=256, precision=a4w4, role=ffn, accumulate
  } {factisa.independent = 2 : i64}
  return
}

// -----

// What the first iteration alone does keeps none of the next ones from overlapping.
// CHECK-LABEL: func.func @first()
// CHECK:       %[[FLAGS:[0-9]+]] = factisa.sram index 64 "flags"
// CHECK:       scf.for
// CHECK:         factisa.sel.fill dst=%[[FLAGS]],
// CHECK:       } {factisa.extra = {{[1-9]}} : i64}
func.func @first() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %none = factisa.null
  %n = factisa.length 64
  %x = factisa.dram input 16384 "x" {shape = array<i64: -1, 64>}
  %y = factisa.dram output 4096 "y" {shape = array<i64: -1, 16>}
  %flags = factisa.sram index 64 "flags"
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram temp 2048 "a"
    %q = factisa.sram token 512 "q"
    %s = factisa.sram index 64 "s"
    %in_first = factisa.in_range %i below 1
    %from = factisa.view %x + 0[%i] strides [256] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [64] : !factisa.dram
    %low = factisa.view %flags + 0[%i] strides [1] : !factisa.sram
    factisa.sel.fill dst=%flags, row0=%in_first, rows=64, width=1, value=1
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=256, dst_stride=256, src_stride=256
    factisa.apu.quantize q=%q, scale=%s, x=%a, list=%none, low=%low, maximum=%none, row0=%i, rows=8, n=64, q_stride=64, x_stride=256
    factisa.store dst=%to, src=%q, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
  } {factisa.independent = 2 : i64}
  return
}

// -----

// Only innermost loops over rows that are marked, and of more than one iteration.
// CHECK-LABEL: func.func @alone()
// CHECK-NOT:   factisa.extra
// CHECK:       return
// REMARK-DAG:  pipeline.mlir:[[@LINE+11]]:3: remark: [Missed] NotPipelined | Category:factisa-pipeline | Function=alone | Reason="its iterations may depend on each other: it is not marked 'factisa.independent'"
// REMARK-DAG:  pipeline.mlir:[[@LINE+13]]:3: remark: {{.*}} Reason="it does not run from 0 to factisa.length in constant steps, without results"
// REMARK-DAG:  pipeline.mlir:[[@LINE+15]]:3: remark: {{.*}} Reason="it does not run from 0 to factisa.length in constant steps, without results"
// REMARK-DAG:  pipeline.mlir:[[@LINE+17]]:3: remark: {{.*}} Reason="it is not an innermost loop"
// REMARK-DAG:  pipeline.mlir:[[@LINE+17]]:5: remark: {{.*}} Reason="it has one iteration"
func.func @alone() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %a = factisa.sram index 64 "a"
  %n = factisa.length 64
  scf.for %i = %c0 to %n step %c8 {
    factisa.sel.fill dst=%a, row0=%i, rows=8, width=1, value=0
  }
  scf.for %i = %c0 to %c64 step %c8 {
    factisa.sel.fill dst=%a, row0=%i, rows=8, width=1, value=0
  } {factisa.independent = 2 : i64}
  scf.for %i = %c8 to %n step %c8 {
    factisa.sel.fill dst=%a, row0=%i, rows=8, width=1, value=0
  } {factisa.independent = 2 : i64}
  scf.for %i = %c0 to %n step %c8 {
    scf.for %j = %c0 to %n step %c64 {
      factisa.sel.fill dst=%a, row0=%i, rows=8, width=1, value=0
    } {factisa.independent = 2 : i64}
  } {factisa.independent = 2 : i64}
  return
}

// -----

// Copies by way of one place in DRAM: each waits for the one before.
// REMARK-DAG:  Function=copies | Reason="no order of its steps was found"
// CHECK-LABEL: func.func @copies()
// CHECK:       } {factisa.independent = 2 : i64}
func.func @copies() attributes {factisa.bound = 96 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %n = factisa.length 96
  %x = factisa.dram input 24576 "x" {shape = array<i64: -1, 256>}
  %scratch = factisa.dram scratch 65536 "s"
  scf.for %i = %c0 to %n step %c16 {
    %a = factisa.sram temp 4096 "a"
    %b = factisa.sram temp 4096 "b"
    %c = factisa.sram temp 4096 "c"
    %from = factisa.view %x + 0[%i] strides [256] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=16, row_bytes=256, dst_stride=256, src_stride=256
    factisa.store dst=%scratch, src=%a, row0=%i, rows=16, row_bytes=64, dst_stride=64, src_stride=64
    factisa.load dst=%b, src=%scratch, row0=%i, rows=16, row_bytes=64, dst_stride=64, src_stride=64
    factisa.store dst=%scratch, src=%b, row0=%i, rows=16, row_bytes=64, dst_stride=64, src_stride=64
    factisa.load dst=%c, src=%scratch, row0=%i, rows=16, row_bytes=64, dst_stride=64, src_stride=64
  } {factisa.independent = 2 : i64}
  return
}

// -----

// Iterations that have rows of their own in one buffer do not wait for each other; those
// that share a row do, where it is read and written.
// CHECK-LABEL: func.func @own_rows()
// CHECK:       } {factisa.extra
func.func @own_rows() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 131072 "x" {shape = array<i64: -1, 512>}
  %y = factisa.dram output 131072 "y" {shape = array<i64: -1, 512>}
  %all = factisa.sram temp 131072 "all"
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram token 16384 "a"
    %from = factisa.view %x + 0[%i] strides [2048] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [2048] : !factisa.dram
    %own = factisa.view %all + 0[%i] strides [2048] : !factisa.sram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    factisa.apu.activation y=%own, x=%a, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.store dst=%to, src=%own, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
  } {factisa.independent = 2 : i64}
  return
}

// -----

// CHECK-LABEL: func.func @shared_rows()
// CHECK-NOT:   factisa.extra
func.func @shared_rows() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 131072 "x" {shape = array<i64: -1, 512>}
  %y = factisa.dram output 131072 "y" {shape = array<i64: -1, 512>}
  %all = factisa.sram temp 131072 "all"
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram token 16384 "a"
    %from = factisa.view %x + 0[%i] strides [2048] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [2048] : !factisa.dram
    %next = factisa.view %all + 0[%i] strides [1024] : !factisa.sram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    factisa.apu.activation y=%next, x=%a, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.store dst=%to, src=%next, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
  } {factisa.independent = 2 : i64}
  return
}

// -----

// What happens in one iteration alone, here the one of number 2, which a short sequence has
// not: the loop keeps an iteration for it, as many more as the instruction is behind. It may
// be written in either order.
// CHECK-LABEL: func.func @late()
// CHECK:       } {factisa.extra = [[LATE:[2-9]]] : i64}
// CHECK-LABEL: func.func @late_swapped()
// CHECK:       } {factisa.extra = [[LATE]] : i64}
func.func @late() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %cm16 = arith.constant -16 : index
  %n = factisa.length 64
  %x = factisa.dram input 131072 "x" {shape = array<i64: -1, 512>}
  %y = factisa.dram output 131072 "y" {shape = array<i64: -1, 512>}
  %w = factisa.sram weight 2048 "w"
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram token 16384 "a"
    %from = factisa.view %x + 0[%i] strides [2048] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [2048] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    factisa.apu.activation y=%a, x=%a, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.store dst=%to, src=%a, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    %third = arith.addi %i, %cm16 : index
    %once = factisa.in_range %third below 1
    factisa.load dst=%w, src=%x, row0=%once, rows=1, row_bytes=2048, dst_stride=2048, src_stride=2048, whole
  } {factisa.independent = 2 : i64, factisa.extra = 2 : i64}
  return
}
func.func @late_swapped() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %cm16 = arith.constant -16 : index
  %n = factisa.length 64
  %x = factisa.dram input 131072 "x" {shape = array<i64: -1, 512>}
  %y = factisa.dram output 131072 "y" {shape = array<i64: -1, 512>}
  %w = factisa.sram weight 2048 "w"
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram token 16384 "a"
    %from = factisa.view %x + 0[%i] strides [2048] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [2048] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    factisa.apu.activation y=%a, x=%a, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.store dst=%to, src=%a, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    %third = arith.addi %cm16, %i : index
    %once = factisa.in_range %third below 1
    factisa.load dst=%w, src=%x, row0=%once, rows=1, row_bytes=2048, dst_stride=2048, src_stride=2048, whole
  } {factisa.independent = 2 : i64, factisa.extra = 2 : i64}
  return
}
