// Iterations that a loop has for something that the pass does not know stay, behind those of
// the last stage.
// RUN: fact-opt %s --factisa-pipeline | FileCheck %s

// CHECK-LABEL: func.func @unknown()
// CHECK:       } {factisa.extra = {{(9|1[0-9])}} : i64}
func.func @unknown() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 131072 "x" {shape = array<i64: -1, 512>}
  %y = factisa.dram output 131072 "y" {shape = array<i64: -1, 512>}
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram token 16384 "a"
    %from = factisa.view %x + 0[%i] strides [2048] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [2048] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
    factisa.apu.activation y=%a, x=%a, row0=%i, rows=8, n=512, y_stride=2048, x_stride=2048, kind=gelu
    factisa.store dst=%to, src=%a, row0=%i, rows=8, row_bytes=2048, dst_stride=2048, src_stride=2048
  } {factisa.independent = 2 : i64, factisa.extra = 8 : i64}
  return
}
