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

// Loads of more than 24 KiB come in pieces, each with its rows, so that others get in
// between.
// CHECK-LABEL: func.func @large_block()
// CHECK-DAG:   factisa.load {{.*}} rows=6, row_bytes=4096,
// CHECK-DAG:   factisa.load {{.*}} rows=6, row_bytes=4096,
// CHECK-DAG:   factisa.load {{.*}} rows=4, row_bytes=4096,
// CHECK-DAG:   factisa.view %{{[0-9]+}} + 24576 strides [] : !factisa.dram
// CHECK-DAG:   factisa.view %{{[0-9]+}} + 49152 strides [] : !factisa.sram
// CHECK:       return
func.func @large_block() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %n = factisa.length 64
  %x = factisa.dram input 262144 "x" {shape = array<i64: -1, 1024>}
  %y = factisa.dram output 262144 "y" {shape = array<i64: -1, 1024>}
  scf.for %i = %c0 to %n step %c16 {
    %a = factisa.sram token 65536 "a"
    %from = factisa.view %x + 0[%i] strides [4096] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [4096] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=16, row_bytes=4096, dst_stride=4096, src_stride=4096
    factisa.apu.activation y=%a, x=%a, row0=%i, rows=16, n=1024, y_stride=4096, x_stride=4096, kind=gelu
    factisa.store dst=%to, src=%a, row0=%i, rows=16, row_bytes=4096, dst_stride=4096, src_stride=4096
  } {factisa.independent = 2 : i64}
  return
}
