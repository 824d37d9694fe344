// A buffer without a place: one error with the memory map of what lives beside it.
// RUN: %python %fact_src/test/Inputs/machine.py %t.json token=1024 weight=1024 temp=1024 index=1024
// RUN: not fact-opt %s --factisa-plan-memory=machine=%t.json 2>&1 | FileCheck %s --implicit-check-not=error:
// The default machine has room.
// RUN: fact-opt %s --factisa-plan-memory -o /dev/null
// RUN: not fact-opt %s --factisa-plan-memory=machine=%t.none.json 2>&1 | FileCheck %s --check-prefix=MACHINE --implicit-check-not=error:

// MACHINE: error: {{.*}}none.json

// CHECK: plan-memory-errors.mlir:[[@LINE+13]]:{{[0-9]+}}: error: no room in the scratchpad for buffer 'e' of 640 bytes
// CHECK: note: memory map of what lives beside it:
// CHECK-NEXT: token memory [0, 1024)
// CHECK-NEXT: weight memory [1024, 2048)
// CHECK-NEXT: temp memory [2048, 3072)
// CHECK-NEXT: index memory [3072, 4096)
// CHECK-NEXT: [0, 1024) 1024 bytes 'a' for loc({{.*}}plan-memory-errors.mlir
// CHECK-NEXT: [1024, 2048) 1024 bytes 'b' for
// CHECK-NEXT: [2048, 2752) 704 bytes 'c' for
// CHECK-NEXT: [3072, 3776) 704 bytes 'd' for
// CHECK: note: compile for a machine with larger buffers, or for a shorter sequence (--shape)
func.func @full() {
  %c0 = arith.constant 0 : index
  %e = factisa.sram token 640 "e"
  %a = factisa.sram token 1024 "a"
  %b = factisa.sram weight 1024 "b"
  %c = factisa.sram temp 704 "c"
  %d = factisa.sram index 704 "d"
  factisa.apu.add y=%a, a=%b, b=%c, row0=%c0, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  factisa.apu.add y=%a, a=%d, b=%e, row0=%c0, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}
