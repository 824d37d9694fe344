// A tensor between two loops becomes one buffer, in which its blocks are places. What programs
// compute with and without: test/tools/resident.test and utils/check-random.
// RUN: fact-opt %s --split-input-file --factisa-keep-in-scratchpad | FileCheck %s

// The buffer is there before the first block is made. Who makes a block of columns gets the
// tensor's stride.
// CHECK-LABEL: func.func @columns()
// CHECK-NOT:     factisa.dram scratch
// CHECK:         %[[SUMS:[0-9]+]] = factisa.sram temp 8192 "sums"
// CHECK:         scf.for %[[I:[a-z0-9]+]] =
// CHECK:           %[[TO:[0-9]+]] = factisa.view %[[SUMS]] + 64[%[[I]]] strides [128] : !factisa.sram
// CHECK:           factisa.load dst=%[[A:[0-9]+]],
// CHECK:           factisa.apu.add y=%[[TO]], a=%[[A]], b=%[[A]], row0=%[[I]], {{.*}} n=16, y_stride=128, a_stride=64, b_stride=64
// CHECK-NOT:       factisa.store
// CHECK:         scf.for %[[J:[a-z0-9]+]] =
// CHECK:           %[[FROM:[0-9]+]] = factisa.view %[[SUMS]] + 0[%[[J]]] strides [128] : !factisa.sram
// CHECK-NOT:       factisa.load
// CHECK:           factisa.apu.activation y=%{{[0-9]+}}, x=%[[FROM]],
// CHECK:           factisa.store
func.func @columns() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 4096 "x" {shape = array<i64: -1, 16>}
  %y = factisa.dram output 8192 "y" {shape = array<i64: -1, 32>}
  %sums = factisa.dram scratch 8192 "sums"
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram token 512 "a"
    %s = factisa.sram temp 512 "s"
    %from = factisa.view %x + 0[%i] strides [64] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    factisa.apu.add y=%s, a=%a, b=%a, row0=%i, rows=8, n=16, y_stride=64, a_stride=64, b_stride=64
    %to = factisa.view %sums + 64[%i] strides [128] : !factisa.dram
    factisa.store dst=%to, src=%s, row0=%i, rows=8, row_bytes=64, dst_stride=128, src_stride=64
  }
  scf.for %i = %c0 to %n step %c8 {
    %b = factisa.sram token 1024 "b"
    %r = factisa.sram token 1024 "r"
    %from = factisa.view %sums + 0[%i] strides [128] : !factisa.dram
    factisa.load dst=%b, src=%from, row0=%i, rows=8, row_bytes=128, dst_stride=128, src_stride=128
    factisa.apu.activation y=%r, x=%b, row0=%i, rows=8, n=32, y_stride=128, x_stride=128, kind=relu
    %to = factisa.view %y + 0[%i] strides [128] : !factisa.dram
    factisa.store dst=%to, src=%r, row0=%i, rows=8, row_bytes=128, dst_stride=128, src_stride=128
  }
  return
}

// -----

// Rows that are read, changed in their place and stored again, layer after layer: they are
// there before all layers.
// CHECK-LABEL: func.func @stream()
// CHECK:         %[[STREAM:[0-9]+]] = factisa.sram token 4096 "stream"
// CHECK:         scf.for
// CHECK:         scf.for
// CHECK:           scf.for %[[I:[a-z0-9]+]] =
// CHECK:             %[[BLOCK:[0-9]+]] = factisa.view %[[STREAM]] + 0[%[[I]]] strides [64] : !factisa.sram
// CHECK-NOT:         factisa.{{load|store}}
// CHECK:             factisa.apu.add y=%[[BLOCK]], a=%[[BLOCK]], b=%[[BLOCK]],
// CHECK-NOT:         factisa.{{load|store}}
// A tensor of each layer is in its loop.
// CHECK-LABEL: func.func @ofLayers()
// CHECK-NOT:     factisa.sram token 4096
// CHECK:         scf.for
// CHECK-NEXT:      %[[OWN:[0-9]+]] = factisa.sram token 4096 "own"
func.func @stream() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 4096 "x" {shape = array<i64: -1, 16>}
  %stream = factisa.dram scratch 4096 "stream"
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram token 512 "a"
    %from = factisa.view %x + 0[%i] strides [64] : !factisa.dram
    %to = factisa.view %stream + 0[%i] strides [64] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    factisa.store dst=%to, src=%a, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
  }
  scf.for %layer = %c0 to %c3 step %c1 {
    scf.for %i = %c0 to %n step %c8 {
      %b = factisa.sram token 512 "b"
      %at = factisa.view %stream + 0[%i] strides [64] : !factisa.dram
      factisa.load dst=%b, src=%at, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
      factisa.apu.add y=%b, a=%b, b=%b, row0=%i, rows=8, n=16, y_stride=64, a_stride=64, b_stride=64
      factisa.store dst=%at, src=%b, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    }
  }
  return
}
func.func @ofLayers() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 4096 "x" {shape = array<i64: -1, 16>}
  %y = factisa.dram output 4096 "y" {shape = array<i64: -1, 16>}
  %own = factisa.dram scratch 4096 "own"
  scf.for %layer = %c0 to %c3 step %c1 {
    scf.for %i = %c0 to %n step %c8 {
      %a = factisa.sram token 512 "a"
      %from = factisa.view %x + 0[%i] strides [64] : !factisa.dram
      %to = factisa.view %own + 0[%i] strides [64] : !factisa.dram
      factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
      factisa.store dst=%to, src=%a, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    }
    scf.for %i = %c0 to %n step %c8 {
      %a = factisa.sram token 512 "a"
      %from = factisa.view %own + 0[%i] strides [64] : !factisa.dram
      %to = factisa.view %y + 0[%i] strides [64] : !factisa.dram
      factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
      factisa.store dst=%to, src=%a, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    }
  }
  return
}

// -----

// What stays in DRAM: `changed` (a block that was loaded changes, and the tensor does not),
// `mixed` (a block is loaded while another one is being made), `part` (a place in a buffer
// that holds more), `wide` (nothing says the stride of flags), and of two tensors that one
// block is of, the second one.
// CHECK-LABEL: func.func @stay()
// CHECK-DAG:     factisa.dram scratch 4096 "changed"
// CHECK-DAG:     factisa.dram scratch 4096 "mixed"
// CHECK-DAG:     factisa.dram scratch 4096 "part"
// CHECK-DAG:     factisa.dram scratch 4096 "wide"
// CHECK-DAG:     factisa.dram scratch 4096 "{{one|two}}"
// CHECK-DAG:     factisa.sram token 4096 "{{one|two}}"
func.func @stay() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 4096 "x" {shape = array<i64: -1, 16>}
  %changed = factisa.dram scratch 4096 "changed"
  %mixed = factisa.dram scratch 4096 "mixed"
  %part = factisa.dram scratch 4096 "part"
  %wide = factisa.dram scratch 4096 "wide"
  %one = factisa.dram scratch 4096 "one"
  %two = factisa.dram scratch 4096 "two"
  scf.for %i = %c0 to %n step %c8 {
    %from = factisa.view %x + 0[%i] strides [64] : !factisa.dram
    %a = factisa.sram token 512 "a"
    %atChanged = factisa.view %changed + 0[%i] strides [64] : !factisa.dram
    factisa.load dst=%a, src=%atChanged, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    factisa.apu.add y=%a, a=%a, b=%a, row0=%i, rows=8, n=16, y_stride=64, a_stride=64, b_stride=64

    %b = factisa.sram token 512 "b"
    %c = factisa.sram token 512 "c"
    %atMixed = factisa.view %mixed + 0[%i] strides [64] : !factisa.dram
    factisa.apu.add y=%b, a=%a, b=%a, row0=%i, rows=8, n=16, y_stride=64, a_stride=64, b_stride=64
    factisa.load dst=%c, src=%atMixed, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    factisa.apu.add y=%a, a=%c, b=%b, row0=%i, rows=8, n=16, y_stride=64, a_stride=64, b_stride=64
    factisa.store dst=%atMixed, src=%b, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64

    %d = factisa.sram token 1024 "d"
    %atPart = factisa.view %part + 0[%i] strides [64] : !factisa.dram
    factisa.load dst=%d, src=%atPart, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64

    %e = factisa.sram index 64 "e"
    %atWide = factisa.view %wide + 0[%i] strides [64] : !factisa.dram
    factisa.sel.fill dst=%e, row0=%i, rows=8, width=1, value=1
    factisa.store dst=%atWide, src=%e, row0=%i, rows=8, row_bytes=1, dst_stride=64, src_stride=1

    %f = factisa.sram token 512 "f"
    %atOne = factisa.view %one + 0[%i] strides [64] : !factisa.dram
    %atTwo = factisa.view %two + 0[%i] strides [64] : !factisa.dram
    factisa.load dst=%f, src=%from, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    factisa.store dst=%atOne, src=%f, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    factisa.store dst=%atTwo, src=%f, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
  }
  return
}
