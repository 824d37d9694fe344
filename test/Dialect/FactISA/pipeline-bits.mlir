// A loop computes the same whether its iterations overlap or not, for lengths that fill
// blocks and that do not, in any order that the tokens leave open.
// RUN: rm -rf %t && mkdir %t
// RUN: fact-opt %s --factisa-plan-memory --factisa-order-engines --factisa-check-program -o %t/apart.mlir
// RUN: fact-opt %s --factisa-pipeline --factisa-plan-memory --factisa-order-engines --factisa-check-program -o %t/overlap.mlir
// RUN: FileCheck %s --input-file=%t/overlap.mlir
// RUN: fact-translate --factisa-to-program %t/apart.mlir -o %t/apart.fact
// RUN: fact-translate --factisa-to-program %t/overlap.mlir -o %t/overlap.fact
// RUN: %python %fact_src/test/tools/Inputs/arrays.py random %t/x.npy 40x64
// RUN: sh -ec 'for n in 1 7 8 9 16 39 40; do fact-sim %t/apart.fact --input=%t/x.npy --length=$n --output=%t/y.npy --output=%t/sum.npy; for mode in --check-hazards --random-schedule=1 --random-schedule=2; do fact-sim %t/overlap.fact --input=%t/x.npy --length=$n --output=%t/y2.npy --output=%t/sum2.npy --fill-undefined=3 $mode; cmp %t/y.npy %t/y2.npy; cmp %t/sum.npy %t/sum2.npy; done; done'

// It takes less time.
// RUN: fact-sim %t/apart.fact --input=%t/x.npy --output=%t/y.npy --output=%t/sum.npy --report=%t/apart.json
// RUN: fact-sim %t/overlap.fact --input=%t/x.npy --output=%t/y.npy --output=%t/sum.npy --report=%t/overlap.json
// RUN: %python -c "import json; a, b = (json.load(open('%t/' + n + '.json')) for n in ('apart', 'overlap')); print(a['macs'] == b['macs'], b['cycles'] < a['cycles'])" | FileCheck %s --check-prefix=FASTER
// FASTER: True True

// CHECK:     scf.for
// CHECK-DAG: factisa.phase
// CHECK-DAG: factisa.pe.gemm
// CHECK-DAG: factisa.apu.column_sum
// CHECK-DAG: whole
// CHECK:     } {factisa.extra = {{[1-9]}} : i64}
func.func @main() attributes {factisa.bound = 40 : i64} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %none = factisa.null
  %x = factisa.dram input 10240 "x" {shape = array<i64: -1, 64>}
  %y = factisa.dram output 10240 "y" {shape = array<i64: -1, 64>}
  %total = factisa.dram output 256 "sum" {shape = array<i64: 64>}
  %weights = factisa.dram constant 4096 "w" {values = [dense<3> : tensor<64x64xi8>], stride = 4096 : i64}
  %ones = factisa.dram constant 256 "s" {values = [dense<1.5> : tensor<64xf32>], stride = 256 : i64}
  %n = factisa.length 40
  %w = factisa.sram weight 4096 "w"
  %sum = factisa.sram temp 256 "sum"
  factisa.load dst=%w, src=%weights, row0=%c0, rows=64, row_bytes=64, dst_stride=64, src_stride=64, whole
  scf.for %i = %c0 to %n step %c8 {
    %a = factisa.sram token 2048 "a"
    %s = factisa.sram weight 256 "s"
    %norm = factisa.sram token 2048 "norm"
    %q = factisa.sram token 512 "q"
    %q2 = factisa.sram token 512 "q2"
    %qs = factisa.sram index 32 "qs"
    %qs2 = factisa.sram index 32 "qs2"
    %acc = factisa.sram temp 2048 "acc"
    %acc2 = factisa.sram temp 2048 "acc2"
    %r = factisa.sram temp 2048 "r"
    %r2 = factisa.sram temp 2048 "r2"
    %from = factisa.view %x + 0[%i] strides [256] : !factisa.dram
    %to = factisa.view %y + 0[%i] strides [256] : !factisa.dram
    factisa.load dst=%a, src=%from, row0=%i, rows=8, row_bytes=256, dst_stride=256, src_stride=256
    factisa.load dst=%s, src=%ones, row0=%c0, rows=1, row_bytes=256, dst_stride=256, src_stride=256, whole
    factisa.apu.norm y=%norm, x=%a, gamma=%s, beta=%s, list=%none, maximum=%none, row0=%i, rows=8, n=64, y_stride=256, x_stride=256, kind=layer, eps=1.0e-5
    factisa.apu.quantize q=%q, scale=%qs, x=%norm, list=%none, low=%none, maximum=%none, row0=%i, rows=8, n=64, q_stride=64, x_stride=256
    factisa.pe.gemm acc=%acc, x=%q, w=%w, list=%none, low=%none, row0=%i, rows=8, k=64, n=64, acc_stride=256, x_stride=64, w_stride=64, precision=a4w4, role=other
    factisa.apu.rescale y=%r, acc=%acc, w_scale=%s, scale=%qs, bias=%none, residual=%none, list=%none, low=%none, maximum=%none, row0=%i, rows=8, n=64, y_stride=256, acc_stride=256, residual_stride=0, precision=a4w4, activation=none
    factisa.apu.activation y=%r, x=%r, row0=%i, rows=8, n=64, y_stride=256, x_stride=256, kind=gelu
    factisa.apu.quantize q=%q2, scale=%qs2, x=%r, list=%none, low=%none, maximum=%none, row0=%i, rows=8, n=64, q_stride=64, x_stride=256
    factisa.pe.gemm acc=%acc2, x=%q2, w=%w, list=%none, low=%none, row0=%i, rows=8, k=64, n=64, acc_stride=256, x_stride=64, w_stride=64, precision=a4w4, role=ffn
    factisa.apu.rescale y=%r2, acc=%acc2, w_scale=%s, scale=%qs2, bias=%none, residual=%none, list=%none, low=%none, maximum=%none, row0=%i, rows=8, n=64, y_stride=256, acc_stride=256, residual_stride=0, precision=a4w4, activation=none
    factisa.apu.add y=%r2, a=%r2, b=%a, row0=%i, rows=8, n=64, y_stride=256, a_stride=256, b_stride=256
    factisa.apu.column_sum sum=%sum, x=%r2, row0=%i, rows=8, n=64, x_stride=256
    factisa.store dst=%to, src=%r2, row0=%i, rows=8, row_bytes=256, dst_stride=256, src_stride=256
  } {factisa.independent = 2 : i64}
  factisa.store dst=%total, src=%sum, row0=%c0, rows=1, row_bytes=256, dst_stride=256, src_stride=256, whole
  return
}
