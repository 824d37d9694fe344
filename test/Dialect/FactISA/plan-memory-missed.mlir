// Buffers that are not in the memory that they name: a remark for each memory.
// RUN: fact-opt %s --split-input-file --factisa-plan-memory --remarks-filter='factisa-plan-memory' 2>&1 >/dev/null | grep remark: | FileCheck %s --implicit-check-not=remark:

// CHECK: plan-memory-missed.mlir:[[@LINE+4]]:{{.*}} remark: [Missed] BuffersElsewhere | Category:factisa-plan-memory | Function=elsewhere | Reason="2 of 3 buffers for the index memory do not fit there and lie in another one, the largest is 'there' of 65600 bytes", Suggestion="they use banks of that memory: a machine with a larger index buffer has no such conflicts"
func.func @elsewhere() {
  %c0 = arith.constant 0 : index
  %here = factisa.sram index 98304 "here"
  %there = factisa.sram index 65600 "there"
  %too = factisa.sram index 65536 "too"
  %token = factisa.sram token 4096 "token"
  factisa.apu.add y=%here, a=%there, b=%too, row0=%c0, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  factisa.apu.add y=%here, a=%token, b=%too, row0=%c0, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}

// -----

// Nothing to say.
func.func @here() {
  %c0 = arith.constant 0 : index
  %token = factisa.sram token 4096 "token"
  factisa.apu.add y=%token, a=%token, b=%token, row0=%c0, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}
