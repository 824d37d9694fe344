// Numbers and addresses in scalar registers: sums of counters, slots of rings, ranges.
// RUN: rm -rf %t && mkdir %t
// RUN: fact-opt %s --factisa-order-engines --factisa-check-program -o %t/ordered.mlir --mlir-print-debuginfo
// RUN: fact-translate --factisa-to-program %t/ordered.mlir -o %t/p.fact
// RUN: fact-objdump %t/p.fact --no-data | grep -v "^.source" >%t/p.s
// RUN: FileCheck %s --input-file=%t/p.s

// It doubles its input, each half of a row for itself.
// RUN: %python %fact_src/test/tools/Inputs/arrays.py random %t/x.npy 7x16
// RUN: fact-sim %t/p.fact --input=%t/x.npy --output=%t/y.npy --check-hazards
// RUN: %python -c "import numpy as np; print((np.load('%t/y.npy') == 2 * np.load('%t/x.npy')).all())" | FileCheck %s --check-prefix=DOUBLE
// DOUBLE: True

// Where registers run out, the numbers that were not used for the longest time give way:
// the same results with more instructions. Counters, rings and the operands of one
// instruction need their registers; without them it is an error at the op.
// RUN: %python %fact_src/test/Inputs/machine.py %t/9.json control.registers=9
// RUN: fact-translate --factisa-to-program --factisa-machine=%t/9.json %t/ordered.mlir -o %t/9.fact
// RUN: fact-objdump %t/9.fact --no-data >%t/9.s
// RUN: not grep -E 'rd=(9|[1-9][0-9])' %t/9.s
// RUN: grep -E 'rd=(9|[1-9][0-9])' %t/p.s
// RUN: sh -ec 'test $(grep -c muladd %t/9.s) -gt $(grep -c muladd %t/p.s)'
// RUN: fact-sim %t/9.fact --input=%t/x.npy --output=%t/y9.npy --check-hazards --random-schedule=1
// RUN: cmp %t/y.npy %t/y9.npy
// RUN: %python %fact_src/test/Inputs/machine.py %t/5.json control.registers=5
// RUN: not fact-translate --factisa-to-program --factisa-machine=%t/5.json %t/ordered.mlir -o %t/5.fact 2>&1 | FileCheck %s --check-prefix=FEW
// RUN: test ! -e %t/5.fact
// FEW: scalars.mlir:{{[0-9]+}}:{{[0-9]+}}: error: 'factisa.{{.*}}' op needs more scalar registers than there are (5)
// RUN: %python %fact_src/test/Inputs/machine.py %t/3.json control.registers=3
// RUN: not fact-translate --factisa-to-program --factisa-machine=%t/3.json %t/ordered.mlir -o %t/3.fact 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: 'scf.for' op needs more scalar registers than there are (3)

// A ring has one register, at its first slot before the loop; a delayed slot is a copy,
// moved on by what is missing to a round.
// CHECK:      loop rd=[[H:[0-9]+]], limit=3, step=1, extra=0, len=false
// CHECK:      muladd rd=[[RING:[0-9]+]], rs=0, rt=0, factor=0, addend=0
// CHECK-NEXT: loop rd=[[I:[0-9]+]], limit=8, step=2, extra=1, len=true
// A ring's slot is an offset like any other.
// CHECK-NEXT: muladd rd=[[SLOT:[0-9]+]], rs=[[RING]], rt=0, factor=64, addend=0
// Sums of counters begin with the outermost one.
// CHECK-NEXT: muladd rd=[[HEAD:[0-9]+]], rs=[[H]], rt=0, factor=32, addend=0
// CHECK-NEXT: muladd rd=[[ROW:[0-9]+]], rs=[[I]], rt=[[HEAD]], factor=64, addend=0
// A range is checked by an instruction of its own; what it says adds to the first row.
// CHECK-NEXT: clip rd=[[NOHEAD:[0-9]+]], rs=[[H]], limit=2
// CHECK-NEXT: muladd rd=[[FIRST:[0-9]+]], rs=[[NOHEAD]], rt=[[I]], factor=1, addend=0
// CHECK-NEXT: load dst=[0x0+r[[SLOT]]], src=dram[0x0+r[[ROW]]], row0=0+r[[FIRST]],
// CHECK-NEXT: muladd rd=[[LATE:[0-9]+]], rs=0, rt=[[RING]], factor=0, addend=0
// CHECK-NEXT: rotate rd=[[LATE]], step=2, size=3
// CHECK-NEXT: muladd rd=[[OTHER:[0-9]+]], rs=[[LATE]], rt=0, factor=64, addend=0
// What is below zero is no immediate.
// CHECK-NEXT: muladd rd=[[BEFORE:[0-9]+]], rs=0, rt=[[FIRST]], factor=0, addend=-2
// CHECK-NEXT: apu.add y=[0x0+r[[OTHER]]], a=[0x0+r[[OTHER]]], b=[0x0+r[[OTHER]]], row0=0+r[[BEFORE]],
// Another delay of as many slots is the same; an address below its buffer is one still.
// CHECK-NEXT: store dst=dram[{{0x[0-9a-f]+}}+r[[ROW]]], src=[0x0+r[[OTHER]]], row0=0+r[[BEFORE]],
// Numbers that a range is asked of may be sums.
// CHECK-NEXT: muladd rd=[[LESS:[0-9]+]], rs=0, rt=[[H]], factor=0, addend=-2
// CHECK-NEXT: clip rd=[[LAST:[0-9]+]], rs=[[LESS]], limit=1
// CHECK-NEXT: muladd rd=[[CLEAR:[0-9]+]], rs=[[LAST]], rt=[[I]], factor=1, addend=0
// CHECK-NEXT: sel.fill dst=[0x100], row0=0+r[[CLEAR]],
// A number that is not below another one has an instruction, too.
// CHECK-NEXT: muladd rd=[[MINUS:[0-9]+]], rs=0, rt=[[I]], factor=0, addend=-2
// CHECK-NEXT: clamp rd=[[SEEN:[0-9]+]], rs=[[MINUS]], least=0
// CHECK-NEXT: sel.fill dst=[0x100+r[[SEEN]]], row0=0+r[[SEEN]],
// CHECK:      rotate rd=[[RING]], step=1, size=3
// CHECK-NEXT: endloop
// CHECK-NEXT: endloop
func.func @main() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %m1 = arith.constant -1 : index
  %m2 = arith.constant -2 : index
  %length = factisa.length 8
  %x = factisa.dram input 512 "x" at 0 {shape = array<i64: -1, 16>}
  %y = factisa.dram output 512 "y" at 512 {shape = array<i64: -1, 16>}
  %ring = factisa.sram token 192 "ring" at 0
  %flags = factisa.sram token 64 "flags" at 256
  scf.for %h = %c0 to %c3 step %c1 {
    scf.for %i = %c0 to %length step %c2 {
      %p0 = factisa.phase %i delay 0 slots 3
      %p1 = factisa.phase %i delay 1 slots 3
      %p4 = factisa.phase %i delay 4 slots 3
      %v0 = factisa.view %ring + 0[%p0] strides [64] : !factisa.sram
      %v1 = factisa.view %ring + 0[%p1] strides [64] : !factisa.sram
      %v4 = factisa.view %ring + 0[%p4] strides [64] : !factisa.sram
      %from = factisa.view %x + 0[%i, %h] strides [64, 32] : !factisa.dram
      %in_heads = factisa.in_range %h below 2
      %row = arith.addi %i, %in_heads : index
      factisa.load dst=%v0, src=%from, row0=%row, rows=2, row_bytes=32, dst_stride=32, src_stride=64
      %before = arith.addi %i, %m2 : index
      %late = arith.addi %before, %in_heads : index
      factisa.apu.add y=%v1, a=%v1, b=%v1, row0=%late, rows=2, n=8, y_stride=32, a_stride=32, b_stride=32
      %to = factisa.view %y + 0[%before, %h] strides [64, 32] : !factisa.dram
      factisa.store dst=%to, src=%v4, row0=%late, rows=2, row_bytes=32, dst_stride=64, src_stride=32
      %less = arith.addi %h, %m2 : index
      %last = factisa.in_range %less below 1
      %clear = arith.addi %last, %i : index
      factisa.sel.fill dst=%flags, row0=%clear, rows=2, width=1, value=0
      %seen = factisa.at_least 0 of %before
      %here = factisa.view %flags + 0[%seen] strides [1] : !factisa.sram
      factisa.sel.fill dst=%here, row0=%seen, rows=2, width=1, value=0
    } {factisa.extra = 1 : i64}
  }
  return
}
