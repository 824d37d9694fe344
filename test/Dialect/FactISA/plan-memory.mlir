// Addresses of scratchpad buffers (lifetimes, reuse, other memories) and of DRAM.
// RUN: fact-opt %s --split-input-file --factisa-plan-memory | FileCheck %s
// Planning again gives the same plan.
// RUN: fact-opt %s --split-input-file --factisa-plan-memory | fact-opt --split-input-file --factisa-plan-memory | FileCheck %s

// A buffer lives from its op to its last use: %a and %c share a place, %b, which
// lives beside both, has its own. A view keeps its buffer alive.
// CHECK-LABEL: func.func @lifetimes
// CHECK: factisa.sram token 256 "a" at [[A:[0-9]+]]
// CHECK: factisa.sram token 256 "b" at 256
// CHECK: factisa.sram token 256 "c" at [[A]]
func.func @lifetimes() {
  %c0 = arith.constant 0 : index
  %a = factisa.sram token 256 "a"
  %b = factisa.sram token 256 "b"
  %v = factisa.view %a + 64 strides [] : !factisa.sram
  factisa.apu.add y=%b, a=%v, b=%v, row0=%c0, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  %c = factisa.sram token 256 "c"
  factisa.apu.add y=%c, a=%b, b=%b, row0=%c0, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}

// -----

// A use inside a loop that does not surround the buffer keeps it to the end of the
// loop: the next iteration reads it again. Buffers of the body live within it.
// CHECK-LABEL: func.func @loops
// CHECK: factisa.sram weight 256 "kept" at [[KEPT:[0-9]+]]
// CHECK: scf.for
// CHECK:   factisa.sram weight 256 "first" at [[FREE:[0-9]+]]
// CHECK:   factisa.sram weight 256 "second" at [[FREE]]
// CHECK: factisa.sram weight 256 "after" at [[KEPT]]
func.func @loops() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %kept = factisa.sram weight 256 "kept"
  scf.for %i = %c0 to %c4 step %c1 {
    %first = factisa.sram weight 256 "first"
    factisa.apu.activation y=%first, x=%kept, row0=%i, rows=1, n=64, y_stride=256, x_stride=256, kind=relu
    %second = factisa.sram weight 256 "second"
    factisa.apu.activation y=%second, x=%second, row0=%i, rows=1, n=64, y_stride=256, x_stride=256, kind=relu
  }
  %after = factisa.sram weight 256 "after"
  factisa.apu.activation y=%after, x=%after, row0=%c0, rows=1, n=64, y_stride=256, x_stride=256, kind=relu
  return
}

// -----

// What its own memory (96 KB of index buffer, from 1179648) cannot hold lies in
// another one, as a whole.
// CHECK-LABEL: func.func @elsewhere
// CHECK: factisa.sram index 65536 "here" at 1179648
// CHECK: factisa.sram index 65536 "there" at 655360
func.func @elsewhere() {
  %c0 = arith.constant 0 : index
  %here = factisa.sram index 65536 "here"
  %there = factisa.sram index 65536 "there"
  factisa.apu.add y=%here, a=%there, b=%here, row0=%c0, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}

// -----

// DRAM: constants from 0 in program order, then inputs, outputs and scratch, each
// on a multiple of 64.
// CHECK-LABEL: func.func @dram
// CHECK: factisa.dram scratch 100 "masks" at 2176
// CHECK: factisa.dram output 1000 "y" at 1152
// CHECK: factisa.dram input 1000 "x" at 128
// CHECK: factisa.dram input 500 "z" in %{{.*}} at 1152
// CHECK: factisa.dram constant 16 "w" at 0
// CHECK: factisa.dram constant 16 "v" at 64
func.func @dram() {
  %m = factisa.dram scratch 100 "masks"
  %y = factisa.dram output 1000 "y" {shape = array<i64: 1, -1, 4>}
  %x = factisa.dram input 1000 "x" {shape = array<i64: 1, -1, 4>}
  %z = factisa.dram input 500 "z" in %y {shape = array<i64: 1, -1, 4>}
  %w = factisa.dram constant 16 "w" {values = [dense<1> : tensor<4x4xi8>], stride = 16 : i64}
  %v = factisa.dram constant 16 "v" {values = [dense<2> : tensor<4x4xi8>], stride = 16 : i64}
  return
}
