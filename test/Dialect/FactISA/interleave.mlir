// Which ops come twice, which once, and in which order.
// RUN: fact-opt %s --split-input-file --factisa-interleave | FileCheck %s
// RUN: fact-opt %s --split-input-file --factisa-interleave --remarks-filter='factisa.*' 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// What one engine does at a stretch comes for one iteration, then for the other. The
// weight is loaded once: no load of it depends on the iteration.
// CHECK-LABEL: func.func @pairs
// CHECK:      %[[LENGTH:.*]] = factisa.length 99
// CHECK:      %[[STEP:.*]] = arith.constant 32 : index
// CHECK:      scf.for %[[I:.*]] = %{{.*}} to %[[LENGTH]] step %[[STEP]]
// CHECK-NEXT:   %[[J:.*]] = arith.addi %[[I]], %{{.*}}
// CHECK:        %[[A:.*]] = factisa.sram token 1024 "x"
// CHECK:        %[[W:.*]] = factisa.sram weight 64 "w"
// CHECK:        factisa.load dst=%[[A]], src=%{{.*}}, row0=%[[I]],
// CHECK:        factisa.load dst=%[[W]],
// CHECK:        %[[B:.*]] = factisa.sram token 1024 "x"
// CHECK-NOT:    "w"
// CHECK:        factisa.load dst=%[[B]], src=%{{.*}}, row0=%[[J]],
// CHECK-NOT:    factisa.load dst=%[[W]],
// CHECK:        factisa.apu.layer_norm y=%[[A]], x=%[[A]], gamma=%[[W]], beta=%[[W]], row0=%[[I]],
// CHECK:        factisa.apu.activation y=%[[A]], x=%[[A]], row0=%[[I]],
// CHECK:        factisa.apu.layer_norm y=%[[B]], x=%[[B]], gamma=%[[W]], beta=%[[W]], row0=%[[J]],
// CHECK:        factisa.apu.activation y=%[[B]], x=%[[B]], row0=%[[J]],
// CHECK:        factisa.store dst=%{{.*}}, src=%[[A]], row0=%[[I]],
// CHECK:        factisa.store dst=%{{.*}}, src=%[[B]], row0=%[[J]],
// CHECK:      } {factisa.independent}
func.func @pairs() {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %x = factisa.dram input 6400 "x" {shape = array<i64: -1, 16>}
  %y = factisa.dram output 6400 "y" {shape = array<i64: -1, 16>}
  %g = factisa.dram constant 64 "g" {values = [dense<1.0> : tensor<16xf32>], stride = 64 : i64}
  %length = factisa.length 99
  scf.for %i = %c0 to %length step %c16 {
    %a = factisa.sram token 1024 "x"
    %xi = factisa.view %x + 0[%i] strides [64] : !factisa.dram
    %yi = factisa.view %y + 0[%i] strides [64] : !factisa.dram
    %w = factisa.sram weight 64 "w"
    factisa.load dst=%a, src=%xi, row0=%i, rows=16, row_bytes=64, dst_stride=64, src_stride=64
    factisa.load dst=%w, src=%g, row0=%c0, rows=1, row_bytes=64, dst_stride=64, src_stride=64, whole
    factisa.apu.layer_norm y=%a, x=%a, gamma=%w, beta=%w, row0=%i, rows=16, n=16, y_stride=64, x_stride=64, eps=1.0e-5
    factisa.apu.activation y=%a, x=%a, row0=%i, rows=16, n=16, y_stride=64, x_stride=64, kind=relu
    factisa.store dst=%yi, src=%a, row0=%i, rows=16, row_bytes=64, dst_stride=64, src_stride=64
  } {factisa.independent}
  return
}

// -----

// Three iterations up to a constant: one pair, for which there is no loop, and one
// iteration after it.
// CHECK-LABEL: func.func @odd
// CHECK-NOT:  scf.for
// CHECK-COUNT-3: factisa.load
// CHECK-NOT:  factisa.load
func.func @odd() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %x = factisa.dram input 192 "x" {shape = array<i64: 3, 16>}
  scf.for %i = %c0 to %c3 step %c1 {
    %a = factisa.sram token 64 "a"
    %xi = factisa.view %x + 0[%i] strides [64] : !factisa.dram
    factisa.load dst=%a, src=%xi, row0=%c0, rows=1, row_bytes=64, dst_stride=64, src_stride=64, whole
  } {factisa.independent}
  return
}

// -----

// Only the inner loop, and nothing that is not known to be safe.
// CHECK-LABEL: func.func @alone
// CHECK-COUNT-3: scf.for
// REMARK-DAG: NotInterleaved{{.*}}Reason="it is not an innermost loop"
// REMARK-DAG: NotInterleaved{{.*}}Reason="its iterations may depend on each other: it is not marked 'factisa.independent'"
// REMARK-DAG: NotInterleaved{{.*}}Reason="it has one iteration"
func.func @alone() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %x = factisa.dram input 64 "x" {shape = array<i64: 1, 16>}
  %a = factisa.sram token 64 "a"
  scf.for %i = %c0 to %c4 step %c1 {
    scf.for %j = %c0 to %c1 step %c1 {
      factisa.load dst=%a, src=%x, row0=%c0, rows=1, row_bytes=64, dst_stride=64, src_stride=64, whole
    } {factisa.independent}
  } {factisa.independent}
  scf.for %i = %c0 to %c4 step %c1 {
    factisa.load dst=%a, src=%x, row0=%c0, rows=1, row_bytes=64, dst_stride=64, src_stride=64, whole
  }
  return
}
