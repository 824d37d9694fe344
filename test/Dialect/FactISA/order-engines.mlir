// Tokens of each instruction, and of loops.
// RUN: fact-opt %s --split-input-file --factisa-order-engines | FileCheck %s

// A chain LOAD -> APU -> STORE has a pair for each link. The second instruction of
// the same engine needs none: engines run in order. No pair LOAD -> STORE either:
// they touch nothing in common.
// CHECK-LABEL: func.func @chain
// CHECK:      factisa.load {{.*}}, src_stride=64, signal=APU{{$}}
// CHECK-NEXT: factisa.apu.activation {{.*}}, kind=relu, wait=LOAD{{$}}
// CHECK-NEXT: factisa.apu.activation {{.*}}, kind=swish, signal=STORE{{$}}
// CHECK-NEXT: factisa.store {{.*}}, src_stride=64, wait=APU{{$}}
// CHECK-NEXT: return
func.func @chain() attributes {factisa.bound = 4 : i64} {
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
// CHECK:      factisa.load {{.*}}, src_stride=64, signal=APU{{$}}
// CHECK-NEXT: factisa.apu.add {{.*}}, b_stride=64, wait=LOAD, signal=LOAD{{$}}
// CHECK-NEXT: factisa.load {{.*}}, src_stride=64, wait=APU{{$}}
// CHECK-NEXT: factisa.load {{.*}}, src_stride=64{{$}}
// CHECK-NEXT: return
func.func @places() attributes {factisa.bound = 4 : i64} {
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

// In a loop the next iteration's load waits until this one's add is done: the APU gives
// a token before the loop, and LOAD takes one after it. What comes after the loop waits
// for the loop as a whole.
// CHECK-LABEL: func.func @carried
// CHECK:      factisa.sync engine=APU, times=1, signal=LOAD{{$}}
// CHECK-NEXT: scf.for
// CHECK-NEXT:   factisa.view
// CHECK-NEXT:   factisa.load {{.*}}, src_stride=64, wait=APU, signal=APU{{$}}
// CHECK-NEXT:   factisa.apu.add {{.*}}, b_stride=64, wait=LOAD, signal=LOAD{{$}}
// CHECK-NEXT: {{^ *[}]$}}
// CHECK-NEXT: factisa.sync engine=APU, times=1, signal=STORE{{$}}
// CHECK-NEXT: factisa.sync engine=LOAD, times=1, wait=APU{{$}}
// CHECK-NEXT: factisa.store {{.*}}, src_stride=64, wait=APU{{$}}
func.func @carried() attributes {factisa.bound = 16 : i64} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %length = factisa.length 16
  %x = factisa.dram input 1024 "x" at 0 {shape = array<i64: -1, 16>}
  %y = factisa.dram output 1024 "y" at 1024 {shape = array<i64: -1, 16>}
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

// Every row has a place of its own. In the second iteration of the outer loop, LOAD waits
// for what the APU did in the first one: of the shortest sequences, one iteration before.
// The two loops are one: the outer one has nothing else.
// CHECK-LABEL: func.func @parts
// CHECK:      factisa.sync engine=APU, times=1, signal=LOAD{{$}}
// CHECK-NEXT: scf.for
// CHECK-NEXT:   scf.for
// CHECK:          factisa.load {{.*}}, src_stride=64, wait=APU, signal=APU{{$}}
// CHECK-NEXT:     factisa.apu.add {{.*}}, b_stride=64, wait=LOAD, signal=LOAD{{$}}
// CHECK-NEXT: {{^ *[}]$}}
// CHECK-NEXT: {{^ *[}]$}}
// CHECK-NEXT: factisa.sync engine=LOAD, times=1, wait=APU{{$}}
// CHECK-NEXT: return
func.func @parts() attributes {factisa.bound = 16 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %length = factisa.length 16
  %x = factisa.dram input 1024 "x" at 0 {shape = array<i64: -1, 16>}
  %a = factisa.sram token 1024 "a" at 0
  %b = factisa.sram token 1024 "b" at 1024
  scf.for %head = %c0 to %c2 step %c1 {
    scf.for %row = %c0 to %length step %c4 {
      %from = factisa.view %x + 0 [%row] strides [64] : !factisa.dram
      %p = factisa.view %a + 0 [%row] strides [64] : !factisa.sram
      %q = factisa.view %b + 0 [%row] strides [64] : !factisa.sram
      factisa.load dst=%p, src=%from, row0=%row, rows=4, row_bytes=64, dst_stride=64, src_stride=64
      factisa.apu.add y=%q, a=%p, b=%p, row0=%row, rows=4, n=16, y_stride=64, a_stride=64, b_stride=64
    }
  }
  return
}

// -----

// A loop without tokens of its own stands for its instructions: who waits for it and
// whom it waits for has a `sync`, before and after it.
// CHECK-LABEL: func.func @around
// CHECK:      factisa.load {{.*}}, src_stride=64, signal=SEL{{$}}
// CHECK-NEXT: factisa.sync engine=SEL, times=1, wait=LOAD{{$}}
// CHECK-NEXT: scf.for
// CHECK-NEXT:   factisa.sel.list {{.*}}, rows=4{{$}}
// CHECK-NEXT: {{^ *[}]$}}
// CHECK-NEXT: factisa.sync engine=SEL, times=1, signal=LOAD+STORE{{$}}
// CHECK-NEXT: factisa.store {{.*}}, src_stride=64, wait=SEL{{$}}
// CHECK-NEXT: factisa.load {{.*}}, src_stride=64, wait=SEL{{$}}
func.func @around() attributes {factisa.bound = 16 : i64} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %length = factisa.length 16
  %x = factisa.dram input 1024 "x" at 0 {shape = array<i64: -1, 16>}
  %y = factisa.dram output 1024 "y" at 1024 {shape = array<i64: -1, 16>}
  %none = factisa.null
  %a = factisa.sram token 256 "a" at 0
  %b = factisa.sram index 64 "b" at 256
  factisa.load dst=%a, src=%x, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  scf.for %row = %c0 to %length step %c4 {
    factisa.sel.list list=%b, flags=%a, unless=%none, row0=%row, rows=4
  }
  factisa.store dst=%y, src=%b, row0=%c0, rows=1, row_bytes=20, dst_stride=64, src_stride=64
  factisa.load dst=%a, src=%x, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  return
}

// -----

// An absent operand touches nothing; DRAM orders engines like the scratchpad does.
// CHECK-LABEL: func.func @dram
// CHECK:      factisa.store {{.*}}, signal=LOAD{{$}}
// CHECK-NEXT: factisa.load {{.*}}, wait=STORE{{$}}
// CHECK-NEXT: factisa.pe.gemm {{.*}}, role=ffn{{$}}
// CHECK-NEXT: return
func.func @dram() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  %none = factisa.null
  %x = factisa.dram input 256 "x" at 256 {shape = array<i64: -1, 16>}
  %m = factisa.dram scratch 256 "m" at 0
  %a = factisa.sram token 256 "a" at 0
  %b = factisa.sram token 256 "b" at 256
  %acc = factisa.sram temp 256 "acc" at 512
  factisa.store dst=%m, src=%a, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  factisa.load dst=%b, src=%m, row0=%c0, rows=4, row_bytes=64, dst_stride=64, src_stride=64
  factisa.pe.gemm acc=%acc, x=%a, w=%a, list=%none, low=%none, row0=%c0, rows=4, k=4, n=4, acc_stride=16, x_stride=64, w_stride=64, precision=a4w4, role=ffn
  return
}
