// Every op that names memory, and an instruction of each engine, printed and
// parsed again, as text and as bytecode.
// RUN: fact-opt %s | fact-opt | FileCheck %s
// RUN: fact-opt %s --emit-bytecode | fact-opt | FileCheck %s
// RUN: fact-opt %s --mlir-print-op-generic | fact-opt | FileCheck %s

// CHECK-LABEL: func.func @main()
func.func @main() {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  // CHECK: %[[W:.*]] = factisa.dram constant 128 "weight" at 64 {stride = 64 : i64, values = [dense<1> : tensor<4x8xi8>, dense<2> : tensor<4x8xi8>]}
  %w = factisa.dram constant 128 "weight" at 64 {values = [dense<1> : tensor<4x8xi8>, dense<2> : tensor<4x8xi8>], stride = 64 : i64}
  // CHECK: factisa.dram constant 64 "codes" at 192 {codes, stride = 64 : i64, tile_columns = 5 : i64, values = [dense<2> : tensor<4x10xi8>]}
  %codes = factisa.dram constant 64 "codes" at 192 {values = [dense<2> : tensor<4x10xi8>], stride = 64 : i64, tile_columns = 5 : i64, codes}
  // CHECK: %[[X:.*]] = factisa.dram input 1024 "x" {shape = array<i64: 1, -1, 4>}
  %x = factisa.dram input 1024 "x" {shape = array<i64: 1, -1, 4>}
  // CHECK: factisa.dram output 1024 "y"
  %y = factisa.dram output 1024 "y" {shape = array<i64: 1, -1, 4>}
  // CHECK: factisa.dram scratch 256 "masks"
  %m = factisa.dram scratch 256 "masks"
  // CHECK: %[[NONE:.*]] = factisa.null
  %none = factisa.null
  // CHECK: %[[LENGTH:.*]] = factisa.length 64
  %length = factisa.length 64
  // CHECK: scf.for %[[LAYER:.*]] =
  scf.for %layer = %c0 to %c2 step %c8 {
    // CHECK: scf.for %[[ROW:.*]] = %{{.*}} to %[[LENGTH]]
    scf.for %row = %c0 to %length step %c8 {
      // CHECK: %[[TILE:.*]] = factisa.sram weight 64 "tile" at 393216
      %tile = factisa.sram weight 64 "tile" at 393216
      // CHECK: factisa.sram token 64 "rows"
      %rows = factisa.sram token 64 "rows"
      // CHECK: factisa.sram temp 256 "acc"
      %acc = factisa.sram temp 256 "acc"
      // CHECK: factisa.sram index 64 "flags"
      %flags = factisa.sram index 64 "flags"
      // CHECK: %[[FROM:.*]] = factisa.view %[[W]] + 16[%[[LAYER]], %[[ROW]]] strides [64, 4] : !factisa.dram
      %from = factisa.view %w + 16[%layer, %row] strides [64, 4] : !factisa.dram
      // CHECK: factisa.view %[[TILE]] + 32 strides [] : !factisa.sram
      %part = factisa.view %tile + 32 strides [] : !factisa.sram
      // CHECK: factisa.sync engine=LOAD, times=3, wait=EP+PE{{$}}
      factisa.sync engine=LOAD, times=3, wait=EP+PE
      // CHECK: factisa.load dst=%[[TILE]], src=%[[FROM]], row0=%{{.*}}, rows=4, row_bytes=8, dst_stride=8, src_stride=8, whole, signal=EP+PE{{$}}
      factisa.load dst=%tile, src=%from, row0=%row, rows=4, row_bytes=8, dst_stride=8, src_stride=8, whole, signal=EP+PE
      // CHECK: factisa.ep.project {{.*}} predictor=leading_two, wait=LOAD{{$}}
      factisa.ep.project acc=%acc, x=%rows, w=%tile, row0=%row, rows=8, k=4, n=8, acc_stride=32, x_stride=4, w_stride=8, predictor=leading_two, wait=LOAD
      // CHECK: factisa.sel.list list=%{{.*}}, flags=%{{.*}}, unless=%[[NONE]], row0=%[[ROW]], rows=8, invert{{$}}
      factisa.sel.list list=%part, flags=%flags, unless=%none, row0=%row, rows=8, invert
      // CHECK: factisa.pe.gemm acc=%{{.*}}, x=%{{.*}}, w=%[[TILE]], list=%[[NONE]], low=%[[NONE]], row0=%[[ROW]],
      // CHECK-SAME: precision=a4w8, role=ffn{{$}}
      factisa.pe.gemm acc=%acc, x=%rows, w=%tile, list=%none, low=%none, row0=%row, rows=8, k=4, n=8, acc_stride=32, x_stride=4, w_stride=8, precision=a4w8, role=ffn
      // CHECK: factisa.apu.activation {{.*}} kind=relu{{$}}
      factisa.apu.activation y=%acc, x=%acc, row0=%row, rows=8, n=8, y_stride=32, x_stride=32, kind=relu
      // CHECK: factisa.store
      factisa.store dst=%m, src=%acc, row0=%row, rows=8, row_bytes=32, dst_stride=32, src_stride=32
    }
  }
  return
}
