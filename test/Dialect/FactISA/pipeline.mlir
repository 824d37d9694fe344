// Iterations overlap: a stage works for an iteration before, buffers that live longer
// than an interval have slots, and the loop has iterations more.
// RUN: fact-opt %s --split-input-file --factisa-pipeline | FileCheck %s
// RUN: fact-opt %s --split-input-file --factisa-pipeline --factisa-plan-memory --factisa-order-engines | fact-opt --split-input-file >/dev/null

// CHECK-LABEL: func.func @overlap()
// CHECK:       scf.for %[[I:[a-z0-9]+]] =
// CHECK-DAG:   arith.addi %[[I]],
// CHECK-DAG:   factisa.phase %[[I]] delay 0 slots
// CHECK-DAG:   factisa.load
// CHECK-DAG:   factisa.apu.activation
// CHECK-DAG:   factisa.store
// CHECK:       } {factisa.extra = {{[1-9][0-9]*}} : i64}
func.func @overlap() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %x = factisa.dram input 4096 "x" {shape = array<i64: -1, 16>}
  %y = factisa.dram output 4096 "y" {shape = array<i64: -1, 16>}
  %n = factisa.length 64
  scf.for %i = %c0 to %n step %c8 {
    %b = factisa.sram token 512 "b"
    %from = factisa.view %x + 0[%i] strides [64] : !factisa.dram
    factisa.load dst=%b, src=%from, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    factisa.apu.activation y=%b, x=%b, row0=%i, rows=8, n=16, y_stride=64, x_stride=64, kind=relu
    %to = factisa.view %y + 0[%i] strides [64] : !factisa.dram
    factisa.store dst=%to, src=%b, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
  } {factisa.independent = 4 : i64}
  return
}

// -----

// A loop that is not marked stays as it is.
// CHECK-LABEL: func.func @unmarked()
// CHECK-NOT:   factisa.extra
func.func @unmarked() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %b = factisa.sram index 64 "b"
  scf.for %i = %c0 to %n step %c8 {
    %none = factisa.in_range %i below 1
    %row = arith.addi %i, %none : index
    factisa.sel.fill dst=%b, row0=%row, rows=8, width=1, value=0
  }
  return
}
