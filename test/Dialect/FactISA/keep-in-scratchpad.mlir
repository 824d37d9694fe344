// A tensor between two loops becomes one buffer, in which its blocks are places. What programs
// compute with and without: test/tools/resident.test and utils/check-random.
// RUN: fact-opt %s --split-input-file --factisa-keep-in-scratchpad | FileCheck %s
// RUN: fact-opt %s --split-input-file --factisa-keep-in-scratchpad --remarks-filter='factisa.*' 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

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

// What stays in DRAM, and why.
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Reason="a block changes, and the tensor does not", Tensor=changed
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Reason="a block changes while another one is in use", Tensor=mixed
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Reason="a buffer has more than a block of it", Tensor=part
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Reason="a user of a block of columns has no stride of its rows", Tensor=wide
// Of two tensors that one block is of, one stays.
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Reason="a block of it is a part of a buffer, or one of another loop", Tensor={{one|two}}
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

// -----

// A block is loaded outside of a loop in which others are read.
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Function=nested | Reason="a block changes while another one is in use", Tensor=t
func.func @nested() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %x = factisa.dram input 4096 "x" {shape = array<i64: -1, 16>}
  %y = factisa.dram output 4096 "y" {shape = array<i64: -1, 16>}
  %t = factisa.dram scratch 4096 "t"
  scf.for %i = %c0 to %n step %c8 {
    %from = factisa.view %x + 0[%i] strides [64] : !factisa.dram
    %at = factisa.view %t + 0[%i] strides [64] : !factisa.dram
    %b = factisa.sram token 512 "b"
    factisa.load dst=%b, src=%from, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    scf.for %j = %c0 to %n step %c8 {
      %c = factisa.sram token 512 "c"
      %fj = factisa.view %t + 0[%j] strides [64] : !factisa.dram
      %tj = factisa.view %y + 0[%j] strides [64] : !factisa.dram
      factisa.load dst=%c, src=%fj, row0=%j, rows=8, row_bytes=64, dst_stride=64, src_stride=64
      factisa.store dst=%tj, src=%c, row0=%j, rows=8, row_bytes=64, dst_stride=64, src_stride=64
    }
    factisa.store dst=%at, src=%b, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
  }
  return
}

// -----

// Compact rows have a stride that is also the most that a row has.
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Function=compact | Reason="a user of a block of columns has no stride of its rows", Tensor=t
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Function=compact | Reason="its rows are loaded by a list", Tensor=listed
func.func @compact() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %t = factisa.dram scratch 8192 "t"
  %listed = factisa.dram scratch 4096 "listed"
  %none = factisa.null
  %q = factisa.sram token 4096 "q"
  %m = factisa.sram index 512 "m"
  %list = factisa.sram index 256 "list"
  scf.for %i = %c0 to %n step %c8 {
    %s = factisa.sram temp 512 "s"
    factisa.pe.qk score=%s, q=%q, k=%q, mask=%m, dominated=%none, row0=%i, rows=8, col0=%c0, cols=64, n=64, score_stride=64, q_stride=64, k_stride=64, mask_stride=8, left=0, right=0
    %to = factisa.view %t + 0[%i] strides [128] : !factisa.dram
    factisa.store dst=%to, src=%s, row0=%i, rows=8, row_bytes=64, dst_stride=128, src_stride=64
    %r = factisa.sram token 512 "r"
    factisa.load.listed dst=%r, src=%listed, list=%list, row0=%i, rows=8, row_bytes=64, dst_stride=64, src_stride=64
  }
  return
}

// -----

// Users touch the rows that are transferred, and nothing else.
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Function=users | Reason="other rows of a block are made than are stored", Tensor=ahead
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Function=users | Reason="other rows of a block are made than are stored", Tensor=some
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Function=users | Reason="its rows lie over each other, or between words", Tensor=over
// REMARK-DAG: remark: [Missed] TensorInDram {{.*}} Function=users | Reason="a user of a block touches more than the block", Tensor=padding
func.func @users() attributes {factisa.bound = 64 : i64} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %n = factisa.length 64
  %a = factisa.sram token 512 "a"
  %ahead = factisa.dram scratch 4096 "ahead"
  %some = factisa.dram scratch 4096 "some"
  %over = factisa.dram scratch 4096 "over"
  %padding = factisa.dram scratch 4096 "padding"
  scf.for %i = %c0 to %n step %c8 {
    %b = factisa.sram token 512 "b"
    %next = arith.addi %i, %c4 : index
    %toAhead = factisa.view %ahead + 0[%i] strides [64] : !factisa.dram
    factisa.apu.add y=%b, a=%a, b=%a, row0=%i, rows=8, n=16, y_stride=64, a_stride=64, b_stride=64
    factisa.store dst=%toAhead, src=%b, row0=%next, rows=8, row_bytes=64, dst_stride=64, src_stride=64

    %c = factisa.sram token 512 "c"
    %first = factisa.in_range %i below 8
    %row = arith.addi %i, %first : index
    %toSome = factisa.view %some + 0[%i] strides [64] : !factisa.dram
    factisa.apu.add y=%c, a=%a, b=%a, row0=%i, rows=8, n=16, y_stride=64, a_stride=64, b_stride=64
    factisa.store dst=%toSome, src=%c, row0=%row, rows=8, row_bytes=64, dst_stride=64, src_stride=64

    %d = factisa.sram token 512 "d"
    %toOver = factisa.view %over + 0[%i] strides [32] : !factisa.dram
    factisa.apu.add y=%d, a=%a, b=%a, row0=%i, rows=8, n=16, y_stride=64, a_stride=64, b_stride=64
    factisa.store dst=%toOver, src=%d, row0=%i, rows=8, row_bytes=64, dst_stride=32, src_stride=64

    %e = factisa.sram index 64 "e"
    %toPadding = factisa.view %padding + 0[%i] strides [4] : !factisa.dram
    factisa.sel.fill dst=%e, row0=%i, rows=8, width=8, value=1
    factisa.store dst=%toPadding, src=%e, row0=%i, rows=8, row_bytes=4, dst_stride=4, src_stride=4
  }
  return
}
