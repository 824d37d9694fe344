// A number that gives way takes along what was worked out with it, and the registers of
// all of these are free: what the operands of one instruction need is enough for any
// number of instructions. Here two counters, an address, a product and a sum.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %fact_src/test/Inputs/machine.py %t/m.json control.registers=6
// RUN: fact-translate --factisa-to-program --factisa-machine=%t/m.json %s -o %t/few.fact
// RUN: fact-objdump %t/few.fact --no-data | FileCheck %s
// RUN: fact-translate --factisa-to-program %s -o %t/many.fact
// RUN: %python %fact_src/test/tools/Inputs/arrays.py random %t/x.npy 6x8
// RUN: fact-sim %t/few.fact --input=%t/x.npy --output=%t/few.npy
// RUN: fact-sim %t/many.fact --input=%t/x.npy --output=%t/many.npy
// RUN: cmp %t/few.npy %t/many.npy
// RUN: cmp %t/few.npy %t/x.npy
// RUN: %python %fact_src/test/Inputs/machine.py %t/m.json control.registers=5
// RUN: not fact-translate --factisa-to-program --factisa-machine=%t/m.json %s -o %t/none.fact 2>&1 | FileCheck %s --check-prefix=FEW
// RUN: test ! -e %t/none.fact

// FEW: scalars-evicted.mlir:[[@LINE+24]]:7: error: 'factisa.load' op needs more scalar registers than there are (5)

// CHECK:     loop rd=1,
// CHECK:     loop rd=2,
// CHECK-NOT: rd=6
// CHECK:     store
// CHECK:     halt
func.func @main() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %length = factisa.length 8
  %x = factisa.dram input 256 "x" at 0 {shape = array<i64: -1, 8>}
  %y = factisa.dram output 256 "y" at 256 {shape = array<i64: -1, 8>}
  %scratch = factisa.dram scratch 1024 "scratch" at 512
  %a = factisa.sram token 512 "a" at 0
  %b = factisa.sram token 2048 "b" at 512
  scf.for %column = %c0 to %c8 step %c1 {
    scf.for %row = %c0 to %length step %c1 {
      %of_x = factisa.view %x + 0[%column, %row] strides [4, 32] : !factisa.dram
      %of_a = factisa.view %a + 0[%column, %row] strides [64, 4] : !factisa.sram
      %of_scratch = factisa.view %scratch + 0[%column, %row] strides [128, 8] : !factisa.dram
      %of_b = factisa.view %b + 0[%column, %row] strides [32, 256] : !factisa.sram
      %of_y = factisa.view %y + 0[%column, %row] strides [4, 32] : !factisa.dram
      factisa.load dst=%of_a, src=%of_x, row0=%row, rows=1, row_bytes=4, dst_stride=4, src_stride=4
      factisa.store dst=%of_scratch, src=%of_a, row0=%row, rows=1, row_bytes=4, dst_stride=4, src_stride=4
      factisa.load dst=%of_b, src=%of_scratch, row0=%row, rows=1, row_bytes=4, dst_stride=4, src_stride=4
      factisa.store dst=%of_y, src=%of_b, row0=%row, rows=1, row_bytes=4, dst_stride=4, src_stride=4
    }
  }
  return
}
