// --factisa-check-program: programs in which every byte has its writer.
// It changes nothing.
// RUN: fact-opt %s --split-input-file > %t.in
// RUN: fact-opt %s --split-input-file --factisa-check-program > %t.out
// RUN: cmp %t.in %t.out

// The host writes the input, every block of rows its own bytes, the last block of an
// odd length only one row.
func.func @blocks() attributes {factisa.bound = 5 : i64} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %length = factisa.length 5
  %x = factisa.dram input 128 "x" at 0 {shape = array<i64: 1, -1, 4>}
  %y = factisa.dram output 128 "y" at 128 {shape = array<i64: 1, -1, 4>}
  scf.for %row = %c0 to %length step %c2 {
    %a = factisa.sram token 32 "a" at 0
    %from = factisa.view %x + 0 [%row] strides [16] : !factisa.dram
    %to = factisa.view %y + 0 [%row] strides [16] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%row, rows=2, row_bytes=16, dst_stride=16, src_stride=16, signal=APU
    factisa.apu.add y=%a, a=%a, b=%a, row0=%row, rows=2, n=4, y_stride=16, a_stride=16, b_stride=16, wait=LOAD, signal=STORE
    factisa.store dst=%to, src=%a, row0=%row, rows=2, row_bytes=16, dst_stride=16, src_stride=16, wait=APU, signal=LOAD
    factisa.sync engine=LOAD, times=1, wait=STORE
  }
  return
}

// -----

// Accumulators are read where they are added to only; a sum starts at row 0; a row
// list writes all rows; masks are moved with their padding, which nobody wrote.
func.func @partly() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %none = factisa.null
  %w = factisa.dram constant 64 "w" at 0 {values = [dense<1> : tensor<8x8xi8>], stride = 64 : i64}
  %x = factisa.dram input 64 "x" at 64 {shape = array<i64: -1, 4>}
  %y = factisa.dram output 64 "y" at 128 {shape = array<i64: -1, 4>}
  %s = factisa.dram scratch 64 "s" at 192
  %weights = factisa.sram weight 64 "weights" at 0
  factisa.load dst=%weights, src=%w, row0=%c0, rows=1, row_bytes=64, dst_stride=64, src_stride=64, whole
  %flags = factisa.sram index 4 "flags" at 64
  factisa.sel.fill dst=%flags, row0=%c0, rows=4, width=1, value=1
  %list = factisa.sram index 20 "list" at 128
  factisa.sel.list list=%list, flags=%flags, unless=%none, row0=%c0, rows=4
  %acc = factisa.sram temp 128 "acc" at 192
  factisa.pe.gemm acc=%acc, x=%weights, w=%weights, list=%list, low=%none, row0=%c0, rows=4, k=4, n=8, acc_stride=32, x_stride=8, w_stride=8, precision=a4w4, role=ffn
  factisa.pe.gemm acc=%acc, x=%weights, w=%weights, list=%none, low=%none, row0=%c0, rows=4, k=4, n=8, acc_stride=32, x_stride=8, w_stride=8, precision=a4w4, role=ffn, accumulate
  %rows = factisa.sram token 64 "rows" at 320
  factisa.load dst=%rows, src=%x, row0=%c0, rows=4, row_bytes=16, dst_stride=16, src_stride=16
  %sum = factisa.sram temp 16 "sum" at 384
  factisa.apu.column_sum sum=%sum, x=%rows, row0=%c0, rows=2, n=4, x_stride=16
  factisa.apu.column_sum sum=%sum, x=%rows, row0=%c2, rows=2, n=4, x_stride=16
  %padded = factisa.sram temp 64 "padded" at 448
  factisa.sel.fill dst=%padded, row0=%c0, rows=1, width=10, value=0
  factisa.store dst=%s, src=%padded, row0=%c0, rows=1, row_bytes=16, dst_stride=16, src_stride=16
  %back = factisa.sram temp 64 "back" at 512
  factisa.load dst=%back, src=%s, row0=%c0, rows=1, row_bytes=16, dst_stride=16, src_stride=16
  factisa.sel.list list=%list, flags=%back, unless=%none, row0=%c0, rows=4
  factisa.store dst=%y, src=%rows, row0=%c0, rows=4, row_bytes=16, dst_stride=16, src_stride=16
  return
}
