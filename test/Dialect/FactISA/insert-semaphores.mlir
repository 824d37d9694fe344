// Pairs of signal and wait: which engines, where, and how many.
// RUN: fact-opt %s --split-input-file --factisa-insert-semaphores | FileCheck %s

// A chain LOAD -> APU -> STORE has a pair for each link. The second instruction of
// the same engine needs none: engines run in order. No pair LOAD -> STORE either:
// they touch nothing in common. Numbers have no holes.
// CHECK-LABEL: func.func @chain
// CHECK:      factisa.load
// CHECK-NEXT: factisa.signal engine=LOAD, semaphore=[[A:0]]
// CHECK-NEXT: factisa.wait engine=APU, semaphore=[[A]]
// CHECK-NEXT: factisa.apu.activation
// CHECK-NEXT: factisa.apu.activation
// CHECK-NEXT: factisa.signal engine=APU, semaphore=[[B:1]]
// CHECK-NEXT: factisa.wait engine=STORE, semaphore=[[B]]
// CHECK-NEXT: factisa.store
// CHECK-NEXT: return
func.func @chain() {
  %c0 = arith.constant 0 : index
  %x = factisa.dram input 256 "x" at 0 {shape = array<i64: -1, 16>}
  %y = factisa.dram output 256 "y" at 256 {shape = array<i64: -1, 16>}
  %a = factisa.sram token 256 "a" at 0
  %b = factisa.sram token 256 "b" at 256
  factisa.load dst=%a, src=%x, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  factisa.apu.activation y=%b, x=%a, row0=%c0, rows=4, n=16, y_stride=64, x_stride=64, kind=relu
  factisa.apu.activation y=%b, x=%b, row0=%c0, rows=4, n=16, y_stride=64, x_stride=64, kind=swish
  factisa.store dst=%y, src=%b, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  return
}

// -----

// Two reads do not conflict; a buffer in the place of another one does, although
// they are two values. One wait for the later signal orders both.
// CHECK-LABEL: func.func @places
// CHECK:      factisa.load
// CHECK-NEXT: factisa.signal engine=LOAD,
// CHECK-NEXT: factisa.wait engine=APU,
// CHECK-NEXT: factisa.apu.add
// CHECK-NEXT: factisa.signal engine=APU, semaphore=[[FREE:[0-9]+]]
// CHECK-NEXT: factisa.wait engine=LOAD, semaphore=[[FREE]]
// CHECK-NEXT: factisa.load
// CHECK-NEXT: factisa.load
// CHECK-NEXT: return
func.func @places() {
  %c0 = arith.constant 0 : index
  %x = factisa.dram input 256 "x" at 0 {shape = array<i64: -1, 16>}
  %a = factisa.sram token 256 "a" at 0
  %b = factisa.sram token 256 "b" at 256
  %a2 = factisa.sram token 256 "a2" at 0
  %b2 = factisa.sram token 256 "b2" at 384
  factisa.load dst=%a, src=%x, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  factisa.apu.add y=%b, a=%a, b=%a, row0=%c0, rows=4, n=16, y_stride=64, a_stride=64, b_stride=64
  factisa.load dst=%a2, src=%x, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  factisa.load dst=%b2, src=%x, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  return
}

// -----

// In a loop the next iteration's load waits until this one's add is done: this
// semaphore is signalled once before the loop and waited for once after it. What
// comes after the loop waits for the loop as a whole.
// CHECK-LABEL: func.func @carried
// CHECK:      factisa.signal engine=APU, semaphore=[[CARRIED:[0-9]+]]
// CHECK-NEXT: scf.for
// CHECK:        factisa.wait engine=LOAD, semaphore=[[CARRIED]]
// CHECK-NEXT:   factisa.load
// CHECK-NEXT:   factisa.signal engine=LOAD, semaphore=[[IN:[0-9]+]]
// CHECK-NEXT:   factisa.wait engine=APU, semaphore=[[IN]]
// CHECK-NEXT:   factisa.apu.add
// CHECK-NEXT:   factisa.signal engine=APU, semaphore=[[CARRIED]]
// CHECK:      {{^ *[}]$}}
// CHECK-DAG:  factisa.wait engine=LOAD, semaphore=[[CARRIED]]
// CHECK-DAG:  factisa.signal engine=APU, semaphore=[[AFTER:[0-9]+]]
// CHECK:      factisa.wait engine=STORE, semaphore=[[AFTER]]
// CHECK-NEXT: factisa.store
func.func @carried() {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %length = factisa.length 16
  %x = factisa.dram input 1024 "x" at 0 {shape = array<i64: -1, 16>}
  %y = factisa.dram output 256 "y" at 1024 {shape = array<i64: -1, 16>}
  %a = factisa.sram token 256 "a" at 0
  %b = factisa.sram token 256 "b" at 256
  scf.for %row = %c0 to %length step %c4 {
    %from = factisa.view %x + 0 [%row] strides [64] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%row, rows=4, row_bytes=64, dst_stride=64, src_stride=64
    factisa.apu.add y=%b, a=%b, b=%a, row0=%row, rows=4, n=16, y_stride=64, a_stride=64, b_stride=64
  }
  factisa.store dst=%y, src=%b, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  return
}

// -----

// An absent operand touches nothing; DRAM orders engines like the scratchpad does.
// CHECK-LABEL: func.func @dram
// CHECK:      factisa.store
// CHECK-NEXT: factisa.signal engine=STORE, semaphore=[[S:[0-9]+]]
// CHECK-NEXT: factisa.wait engine=LOAD, semaphore=[[S]]
// CHECK-NEXT: factisa.load
// CHECK-NEXT: factisa.pe.gemm
// CHECK-NEXT: return
func.func @dram() {
  %c0 = arith.constant 0 : index
  %none = factisa.null
  %m = factisa.dram scratch 256 "m" at 0
  %a = factisa.sram token 256 "a" at 0
  %b = factisa.sram token 256 "b" at 256
  %acc = factisa.sram temp 256 "acc" at 512
  factisa.store dst=%m, src=%a, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  factisa.load dst=%b, src=%m, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  factisa.pe.gemm acc=%acc, x=%a, w=%a, list=%none, low=%none, row0=%c0, rows=4, k=4, n=4, acc_stride=16, x_stride=64, w_stride=64, precision=a4w4, role=ffn
  return
}
