// fact-translate --factisa-to-program: planned ops to the bytes of a program, read
// back by fact-objdump.
// RUN: fact-translate --factisa-to-program %s -o %t.fact
// RUN: fact-objdump %t.fact --no-data | FileCheck %s
// The same input gives the same bytes, and text the same as bytecode.
// RUN: fact-opt %s --emit-bytecode --mlir-print-debuginfo | fact-translate --factisa-to-program -o %t.again.fact
// RUN: cmp %t.fact %t.again.fact
// A program can only run on the machine that it was made for.
// RUN: %python %fact_src/test/Inputs/machine.py %t.json token=1024
// RUN: fact-translate --factisa-to-program --factisa-machine=%t.json %s -o %t.other.fact
// RUN: fact-objdump %t.other.fact --no-data | FileCheck %s --check-prefix=MACHINE
// It computes relu(2 x).
// RUN: %python -c "import numpy; numpy.save('%t.x.npy', numpy.arange(-12, 8, dtype=numpy.float32).reshape(1, 5, 4))"
// RUN: fact-sim %t.fact --input=%t.x.npy --output=%t.y.npy
// RUN: %python -c "import numpy; print(numpy.load('%t.y.npy')[0].tolist())" | FileCheck %s --check-prefix=Y

// MACHINE: "name": "program.mlir.tmp"

// Y: [0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 4.0, 6.0], [8.0, 10.0, 12.0, 14.0]{{\]}}

// Loop counters are registers; what a view multiplies them by is a scalar
// instruction, which both views share; its offset and the buffer's address are the
// operand's immediate. Every instruction has the source of its op.
// CHECK:      .input "x" float32 [1, ?, 4] bound=8 address=0x0 row_bytes=16
// CHECK-NEXT: .output "y" float32 [1, ?, 4] bound=8 address=0x80 row_bytes=16
// CHECK:      .source "{{.*}}program.mlir:[[@LINE+19]]:3"
// CHECK-NEXT: loop rd=1, limit=8, step=2, extra=0, len=true
// CHECK-NEXT: .source "from DRAM"
// CHECK-NEXT: muladd rd=2, rs=1, rt=0, factor=16, addend=0
// CHECK-NEXT: load dst=[0x0], src=dram[0x0+r2], row0=0+r1, rows=2,
// CHECK-SAME: whole=false, signal=APU
// CHECK:      apu.add y=[0x0], a=[0x0], b=[0x0], row0=0+r1, {{.*}}, wait=LOAD
// CHECK:      apu.activation {{.*}} kind=relu, signal=STORE
// CHECK:      store dst=dram[0x80+r2], src=[0x0]{{.*}}, wait=APU, signal=LOAD
// CHECK:      sync engine=LOAD, times=1, wait=STORE
// CHECK:      endloop
// CHECK:      halt
func.func @main() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %length = factisa.length 8
  %x = factisa.dram input 128 "x" at 0 {shape = array<i64: 1, -1, 4>}
  %y = factisa.dram output 128 "y" at 128 {shape = array<i64: 1, -1, 4>}
  %a = factisa.sram token 64 "a" at 0
  scf.for %row = %c0 to %length step %c2 {
    %from = factisa.view %x + 0 [%row] strides [16] : !factisa.dram
    %to = factisa.view %y + 0 [%row] strides [16] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%row, rows=2, row_bytes=16, dst_stride=16, src_stride=16, signal=APU loc("from DRAM")
    factisa.apu.add y=%a, a=%a, b=%a, row0=%row, rows=2, n=4, y_stride=16, a_stride=16, b_stride=16, wait=LOAD
    factisa.apu.activation y=%a, x=%a, row0=%row, rows=2, n=4, y_stride=16, x_stride=16, kind=relu, signal=STORE
    factisa.store dst=%to, src=%a, row0=%row, rows=2, row_bytes=16, dst_stride=16, src_stride=16, wait=APU, signal=LOAD
    factisa.sync engine=LOAD, times=1, wait=STORE
  }
  return
}
