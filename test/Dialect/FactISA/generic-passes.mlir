// Generic passes know what instructions do to memory.

// What they do to a whole program, before and after planning: nothing that shows.
// RUN: rm -rf %t
// RUN: %python %S/Inputs/generic_passes.py %fact_obj/bin %t %fact_src/test/tools/Inputs/layer.mlir | FileCheck %s --check-prefix=PROGRAM
// PROGRAM-COUNT-10: {{^}}unplanned: --{{.*}}: same results
// PROGRAM-COUNT-10: {{^}}planned: --{{.*}}: same results
// PROGRAM-NOT: {{.}}

// RUN: fact-opt %s --cse --canonicalize --loop-invariant-code-motion | FileCheck %s

// Equal ranges of DRAM and equal buffers are two; a scratch range and a buffer that
// nobody uses go, an input and an output stay. The views of one address become one
// and leave the loop; instructions stay where they are, and both.
// CHECK-LABEL: func.func @twins
// CHECK:         factisa.dram input 64 "x"
// CHECK:         factisa.dram output 64 "y"
// CHECK:         %[[A:.*]] = factisa.dram scratch 64 "s"
// CHECK-NEXT:    %[[B:.*]] = factisa.dram scratch 64 "s"
// CHECK-NEXT:    %[[V:.*]] = factisa.view %[[A]]
// CHECK-NOT:     factisa.view
// CHECK:         scf.for
// CHECK-NEXT:      %[[P:.*]] = factisa.sram token 64 "p"
// CHECK-NEXT:      %[[Q:.*]] = factisa.sram token 64 "p"
// CHECK-NEXT:      factisa.load dst=%[[P]], src=%[[V]],
// CHECK-NEXT:      factisa.load dst=%[[P]], src=%[[V]],
// CHECK-NEXT:      factisa.load dst=%[[Q]], src=%[[B]],
// CHECK-NEXT:    {{^ *}}}
// CHECK-NEXT:    factisa.sync
// CHECK-NEXT:    factisa.sync
// CHECK-NEXT:    return
func.func @twins() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %x = factisa.dram input 64 "x" {shape = array<i64: -1, 4>}
  %y = factisa.dram output 64 "y" {shape = array<i64: -1, 4>}
  %a = factisa.dram scratch 64 "s"
  %b = factisa.dram scratch 64 "s"
  %unused = factisa.dram scratch 64 "unused"
  %nobody = factisa.sram token 64 "nobody"
  scf.for %i = %c0 to %c4 step %c1 {
    %p = factisa.sram token 64 "p"
    %q = factisa.sram token 64 "p"
    %v = factisa.view %a + 16 strides [] : !factisa.dram
    %w = factisa.view %a + 16 strides [] : !factisa.dram
    factisa.load dst=%p, src=%v, row0=%i, rows=1, row_bytes=16, dst_stride=16, src_stride=16
    factisa.load dst=%p, src=%w, row0=%i, rows=1, row_bytes=16, dst_stride=16, src_stride=16
    factisa.load dst=%q, src=%b, row0=%i, rows=1, row_bytes=16, dst_stride=16, src_stride=16
  }
  factisa.sync engine=PE, times=1, wait=LOAD
  factisa.sync engine=PE, times=1, wait=LOAD
  return
}
