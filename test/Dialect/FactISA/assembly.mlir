// Instructions in IR read like the lines of a listing: every field in the order of its
// record. Whatever fact-opt reads here it writes again, letter by letter, also by way of
// the generic form and of bytecode.
// RUN: sed -n 's/^  factisa/    factisa/p' %s > %t.in
// RUN: fact-opt %s | grep '^    factisa' | diff %t.in -
// RUN: fact-opt %s --mlir-print-op-generic > %t.generic
// RUN: FileCheck %s --check-prefix=GENERIC < %t.generic
// RUN: fact-opt %t.generic | grep '^    factisa' | diff %t.in -
// RUN: fact-opt %s --emit-bytecode | fact-opt | grep '^    factisa' | diff %t.in -
// RUN: fact-opt %S/Inputs/other-order.mlir --mlir-print-debuginfo | FileCheck %s --check-prefix=ORDER

// Every instruction, with every flag and the largest number of each field.
// GENERIC-LABEL: sym_name = "every"
// GENERIC: "factisa.load"({{.*}}) <{dst_stride = 16777215 : i64, row_bytes = 16777215 : i64, rows = 1048575 : i64, signal = 62 : i64, src_stride = 4294967295 : i64, wait = 62 : i64, whole}> : (!factisa.sram, !factisa.dram, index) -> ()
func.func @every(%arg0: !factisa.sram, %arg1: !factisa.dram, %arg2: index) {
  factisa.halt
  factisa.loop rd=63, limit=16777215, step=16777215, extra=255, len
  factisa.endloop
  factisa.muladd rd=63, rs=63, rt=63, factor=549755813887, addend=2199023255551
  factisa.sync engine=APU, times=1023, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.load dst=%arg0, src=%arg1, row0=%arg2, rows=1048575, row_bytes=16777215, dst_stride=16777215, src_stride=4294967295, whole, wait=STORE+EP+SEL+PE+APU, signal=STORE+EP+SEL+PE+APU
  factisa.load.weight dst=%arg0, high=%arg1, low=%arg1, exact=%arg0, row0=%arg2, rows=1048575, n=1048575, dst_stride=16777215, src_stride=16777215, whole, wait=STORE+EP+SEL+PE+APU, signal=STORE+EP+SEL+PE+APU
  factisa.load.listed dst=%arg0, src=%arg1, list=%arg0, row0=%arg2, rows=1048575, row_bytes=16777215, dst_stride=16777215, src_stride=4294967295, wait=STORE+EP+SEL+PE+APU, signal=STORE+EP+SEL+PE+APU
  factisa.store dst=%arg1, src=%arg0, row0=%arg2, rows=1048575, row_bytes=16777215, dst_stride=4294967295, src_stride=16777215, whole, wait=LOAD+EP+SEL+PE+APU, signal=LOAD+EP+SEL+PE+APU
  factisa.ep.project acc=%arg0, x=%arg0, w=%arg0, row0=%arg2, rows=1048575, k=1048575, n=1048575, acc_stride=16777215, x_stride=16777215, w_stride=16777215, predictor=exact, accumulate, wait=LOAD+STORE+SEL+PE+APU, signal=LOAD+STORE+SEL+PE+APU
  factisa.ep.bias acc=%arg0, bias=%arg0, scale=%arg0, row0=%arg2, rows=1048575, n=1048575, acc_stride=16777215, wait=LOAD+STORE+SEL+PE+APU, signal=LOAD+STORE+SEL+PE+APU
  factisa.ep.normalize code=%arg0, scale=%arg0, acc=%arg0, row0=%arg2, rows=1048575, n=1048575, code_stride=16777215, acc_stride=16777215, predictor=exact, operand=key, wait=LOAD+STORE+SEL+PE+APU, signal=LOAD+STORE+SEL+PE+APU
  factisa.ep.encode code=%arg0, x=%arg0, row0=%arg2, rows=1048575, n=1048575, code_stride=16777215, x_stride=16777215, predictor=one_sided, operand=key, unpacked
  factisa.ep.score score=%arg0, q=%arg0, k=%arg0, key_scale=%arg0, scale=%arg0, row0=%arg2, rows=1048575, col0=%arg2, cols=1048575, n=1048575, score_stride=16777215, q_stride=16777215, k_stride=16777215, predictor=exact, left=65535, right=1, wait=LOAD+STORE+SEL+PE+APU, signal=LOAD+STORE+SEL+PE+APU
  factisa.sel.topk mask=%arg0, dominated=%arg0, argmax=%arg0, k_rows=%arg0, v_rows=%arg0, count=%arg0, score=%arg0, query_scale=%arg0, scale=%arg0, weight_scales=%arg0, policy=%arg0, row0=%arg2, rows=1048575, col0=%arg2, cols=1048575, mask_stride=16777215, score_stride=16777215, attention_scale=1.250000e-01, predictor=exact, head_norms=0, left=65535, right=1, layer=%arg2, head=%arg2, wait=LOAD+STORE+EP+PE+APU, signal=LOAD+STORE+EP+PE+APU
  factisa.sel.fill dst=%arg0, row0=%arg2, rows=1048575, width=1048575, value=255, wait=LOAD+STORE+EP+PE+APU, signal=LOAD+STORE+EP+PE+APU
  factisa.sel.count_all count=%arg0, row0=%arg2, rows=1048575, heads=4095, left=65535, right=1, wait=LOAD+STORE+EP+PE+APU, signal=LOAD+STORE+EP+PE+APU
  factisa.sel.precision low=%arg0, count=%arg0, importance=%arg0, left=0, right=0, layer=%arg2, wait=LOAD+STORE+EP+PE+APU, signal=LOAD+STORE+EP+PE+APU
  factisa.sel.list list=%arg0, flags=%arg0, unless=%arg0, row0=%arg2, rows=1048575, invert, wait=LOAD+STORE+EP+PE+APU, signal=LOAD+STORE+EP+PE+APU
  factisa.sel.count count=%arg0, flags=%arg0, row0=%arg2, rows=1048575, invert, wait=LOAD+STORE+EP+PE+APU, signal=LOAD+STORE+EP+PE+APU
  factisa.pe.gemm acc=%arg0, x=%arg0, w=%arg0, list=%arg0, low=%arg0, row0=%arg2, rows=1048575, k=1048575, n=1048575, acc_stride=16777215, x_stride=16777215, w_stride=16777215, precision=a4w8, role=other, accumulate, wait=LOAD+STORE+EP+SEL+APU, signal=LOAD+STORE+EP+SEL+APU
  factisa.pe.qk score=%arg0, q=%arg0, k=%arg0, mask=%arg0, dominated=%arg0, row0=%arg2, rows=1048575, col0=%arg2, cols=1048575, n=1048575, score_stride=16777215, q_stride=16777215, k_stride=16777215, mask_stride=16777215, left=65535, right=1, tail, wait=LOAD+STORE+EP+SEL+APU, signal=LOAD+STORE+EP+SEL+APU
  factisa.pe.pv num=%arg0, p=%arg0, v=%arg0, mask=%arg0, dominated=%arg0, row0=%arg2, rows=1048575, col0=%arg2, cols=1048575, n=1048575, num_stride=16777215, p_stride=16777215, v_stride=16777215, mask_stride=16777215, left=65535, right=1, accumulate, wait=LOAD+STORE+EP+SEL+APU, signal=LOAD+STORE+EP+SEL+APU
  factisa.apu.norm y=%arg0, x=%arg0, gamma=%arg0, beta=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=1048575, n=1048575, y_stride=16777215, x_stride=16777215, kind=layer, eps=1.250000e-01, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.rotate y=%arg0, x=%arg0, cos=%arg0, sin=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=1048575, n=1048575, pairs=1048575, y_stride=16777215, x_stride=16777215, cos_stride=16777215, sin_stride=16777215, style=interleaved
  factisa.apu.quantize q=%arg0, scale=%arg0, x=%arg0, list=%arg0, low=%arg0, maximum=%arg0, row0=%arg2, rows=1048575, n=1048575, q_stride=16777215, x_stride=16777215, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.rescale y=%arg0, acc=%arg0, w_scale=%arg0, scale=%arg0, bias=%arg0, residual=%arg0, list=%arg0, low=%arg0, maximum=%arg0, row0=%arg2, rows=1048575, n=1048575, y_stride=16777215, acc_stride=16777215, residual_stride=16777215, precision=a4w8, activation=none, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.activation y=%arg0, x=%arg0, row0=%arg2, rows=1048575, n=1048575, y_stride=16777215, x_stride=16777215, kind=relu, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.add y=%arg0, a=%arg0, b=%arg0, row0=%arg2, rows=1048575, n=1048575, y_stride=16777215, a_stride=16777215, b_stride=16777215, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.multiply y=%arg0, a=%arg0, b=%arg0, row0=%arg2, rows=1048575, n=1048575, y_stride=16777215, a_stride=16777215, b_stride=16777215, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.softmax p=%arg0, stats=%arg0, score=%arg0, query_scale=%arg0, key_scale=%arg0, value_scale=%arg0, mask=%arg0, dominated=%arg0, row0=%arg2, rows=1048575, col0=%arg2, cols=1048575, p_stride=16777215, score_stride=16777215, mask_stride=16777215, attention_scale=1.250000e-01, left=65535, right=1, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.context ctx=%arg0, num=%arg0, stats=%arg0, query_scale=%arg0, dominated=%arg0, tail_score=%arg0, tail_key_scale=%arg0, tail_value=%arg0, tail_value_scale=%arg0, row0=%arg2, rows=1048575, n=1048575, ctx_stride=16777215, num_stride=16777215, attention_scale=1.250000e-01, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.copy_dominated ctx=%arg0, v=%arg0, value_scale=%arg0, dominated=%arg0, argmax=%arg0, row0=%arg2, rows=1048575, col0=%arg2, cols=1048575, n=1048575, ctx_stride=16777215, v_stride=16777215, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.column_sum sum=%arg0, x=%arg0, row0=%arg2, rows=1048575, n=1048575, x_stride=16777215, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  factisa.apu.mean y=%arg0, sum=%arg0, n=1048575, wait=LOAD+STORE+EP+SEL+PE, signal=LOAD+STORE+EP+SEL+PE
  return
}

// The same without flags, with the smallest numbers and the first choices.
func.func @least(%arg0: !factisa.sram, %arg1: !factisa.dram, %arg2: index) {
  factisa.loop rd=0, limit=0, step=0, extra=0
  factisa.muladd rd=0, rs=0, rt=0, factor=-549755813888, addend=-2199023255552
  factisa.sync engine=LOAD, times=0
  factisa.load dst=%arg0, src=%arg1, row0=%arg2, rows=0, row_bytes=0, dst_stride=0, src_stride=0
  factisa.load.weight dst=%arg0, high=%arg1, low=%arg1, exact=%arg0, row0=%arg2, rows=0, n=0, dst_stride=0, src_stride=0
  factisa.load.listed dst=%arg0, src=%arg1, list=%arg0, row0=%arg2, rows=0, row_bytes=0, dst_stride=0, src_stride=0
  factisa.store dst=%arg1, src=%arg0, row0=%arg2, rows=0, row_bytes=0, dst_stride=0, src_stride=0
  factisa.ep.project acc=%arg0, x=%arg0, w=%arg0, row0=%arg2, rows=0, k=0, n=0, acc_stride=0, x_stride=0, w_stride=0, predictor=leading_one
  factisa.ep.bias acc=%arg0, bias=%arg0, scale=%arg0, row0=%arg2, rows=0, n=0, acc_stride=0
  factisa.ep.normalize code=%arg0, scale=%arg0, acc=%arg0, row0=%arg2, rows=0, n=0, code_stride=0, acc_stride=0, predictor=leading_one, operand=query
  factisa.ep.score score=%arg0, q=%arg0, k=%arg0, key_scale=%arg0, scale=%arg0, row0=%arg2, rows=0, col0=%arg2, cols=0, n=0, score_stride=0, q_stride=0, k_stride=0, predictor=leading_one, left=65535, right=1
  factisa.sel.topk mask=%arg0, dominated=%arg0, argmax=%arg0, k_rows=%arg0, v_rows=%arg0, count=%arg0, score=%arg0, query_scale=%arg0, scale=%arg0, weight_scales=%arg0, policy=%arg0, row0=%arg2, rows=0, col0=%arg2, cols=0, mask_stride=0, score_stride=0, attention_scale=-0.000000e+00, predictor=leading_one, head_norms=0, left=0, right=0, layer=%arg2, head=%arg2
  factisa.sel.fill dst=%arg0, row0=%arg2, rows=0, width=0, value=0
  factisa.sel.count_all count=%arg0, row0=%arg2, rows=0, heads=0, left=0, right=0
  factisa.sel.precision low=%arg0, count=%arg0, importance=%arg0, left=0, right=0, layer=%arg2
  factisa.sel.list list=%arg0, flags=%arg0, unless=%arg0, row0=%arg2, rows=0
  factisa.sel.count count=%arg0, flags=%arg0, row0=%arg2, rows=0
  factisa.pe.gemm acc=%arg0, x=%arg0, w=%arg0, list=%arg0, low=%arg0, row0=%arg2, rows=0, k=0, n=0, acc_stride=0, x_stride=0, w_stride=0, precision=a4w4, role=qkv
  factisa.pe.qk score=%arg0, q=%arg0, k=%arg0, mask=%arg0, dominated=%arg0, row0=%arg2, rows=0, col0=%arg2, cols=0, n=0, score_stride=0, q_stride=0, k_stride=0, mask_stride=0, left=0, right=0
  factisa.pe.pv num=%arg0, p=%arg0, v=%arg0, mask=%arg0, dominated=%arg0, row0=%arg2, rows=0, col0=%arg2, cols=0, n=0, num_stride=0, p_stride=0, v_stride=0, mask_stride=0, left=0, right=0
  factisa.apu.norm y=%arg0, x=%arg0, gamma=%arg0, beta=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=layer, eps=-0.000000e+00
  factisa.apu.quantize q=%arg0, scale=%arg0, x=%arg0, list=%arg0, low=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, q_stride=0, x_stride=0
  factisa.apu.rescale y=%arg0, acc=%arg0, w_scale=%arg0, scale=%arg0, bias=%arg0, residual=%arg0, list=%arg0, low=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, acc_stride=0, residual_stride=0, precision=a4w4, activation=none
  factisa.apu.activation y=%arg0, x=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=gelu
  factisa.apu.add y=%arg0, a=%arg0, b=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, a_stride=0, b_stride=0
  factisa.apu.softmax p=%arg0, stats=%arg0, score=%arg0, query_scale=%arg0, key_scale=%arg0, value_scale=%arg0, mask=%arg0, dominated=%arg0, row0=%arg2, rows=0, col0=%arg2, cols=0, p_stride=0, score_stride=0, mask_stride=0, attention_scale=-0.000000e+00, left=0, right=0
  factisa.apu.context ctx=%arg0, num=%arg0, stats=%arg0, query_scale=%arg0, dominated=%arg0, tail_score=%arg0, tail_key_scale=%arg0, tail_value=%arg0, tail_value_scale=%arg0, row0=%arg2, rows=0, n=0, ctx_stride=0, num_stride=0, attention_scale=-0.000000e+00
  factisa.apu.copy_dominated ctx=%arg0, v=%arg0, value_scale=%arg0, dominated=%arg0, argmax=%arg0, row0=%arg2, rows=0, col0=%arg2, cols=0, n=0, ctx_stride=0, v_stride=0
  factisa.apu.column_sum sum=%arg0, x=%arg0, row0=%arg2, rows=0, n=0, x_stride=0
  factisa.apu.mean y=%arg0, sum=%arg0, n=0
  return
}

// All choices.
func.func @choices(%arg0: !factisa.sram, %arg1: !factisa.dram, %arg2: index) {
  factisa.sync engine=STORE, times=1, wait=LOAD
  factisa.sync engine=EP, times=1, wait=STORE
  factisa.sync engine=SEL, times=1, wait=EP
  factisa.sync engine=PE, times=1, wait=SEL
  factisa.sync engine=APU, times=1, wait=PE
  factisa.sync engine=LOAD, times=1, signal=APU
  factisa.sync engine=LOAD, times=1, wait=STORE+SEL, signal=EP
  factisa.ep.project acc=%arg0, x=%arg0, w=%arg0, row0=%arg2, rows=0, k=0, n=0, acc_stride=0, x_stride=0, w_stride=0, predictor=leading_two
  factisa.ep.project acc=%arg0, x=%arg0, w=%arg0, row0=%arg2, rows=0, k=0, n=0, acc_stride=0, x_stride=0, w_stride=0, predictor=one_sided
  factisa.ep.project acc=%arg0, x=%arg0, w=%arg0, row0=%arg2, rows=0, k=0, n=0, acc_stride=0, x_stride=0, w_stride=0, predictor=exact
  factisa.ep.normalize code=%arg0, scale=%arg0, acc=%arg0, row0=%arg2, rows=0, n=0, code_stride=0, acc_stride=0, predictor=leading_one, operand=key
  factisa.pe.gemm acc=%arg0, x=%arg0, w=%arg0, list=%arg0, low=%arg0, row0=%arg2, rows=0, k=0, n=0, acc_stride=0, x_stride=0, w_stride=0, precision=a4w8, role=qkv
  factisa.pe.gemm acc=%arg0, x=%arg0, w=%arg0, list=%arg0, low=%arg0, row0=%arg2, rows=0, k=0, n=0, acc_stride=0, x_stride=0, w_stride=0, precision=a4w4, role=output
  factisa.pe.gemm acc=%arg0, x=%arg0, w=%arg0, list=%arg0, low=%arg0, row0=%arg2, rows=0, k=0, n=0, acc_stride=0, x_stride=0, w_stride=0, precision=a4w4, role=ffn
  factisa.pe.gemm acc=%arg0, x=%arg0, w=%arg0, list=%arg0, low=%arg0, row0=%arg2, rows=0, k=0, n=0, acc_stride=0, x_stride=0, w_stride=0, precision=a4w4, role=other
  factisa.apu.activation y=%arg0, x=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=gelu_tanh
  factisa.apu.activation y=%arg0, x=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=swish
  factisa.apu.activation y=%arg0, x=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=relu
  return
}

// Floats keep every bit: of the smallest subnormal, the largest number, and one that six
// digits do not tell.
func.func @floats(%arg0: !factisa.sram, %arg1: !factisa.dram, %arg2: index) {
  factisa.apu.norm y=%arg0, x=%arg0, gamma=%arg0, beta=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=layer, eps=1.401300e-45
  factisa.apu.norm y=%arg0, x=%arg0, gamma=%arg0, beta=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=layer, eps=1.17549435E-38
  factisa.apu.norm y=%arg0, x=%arg0, gamma=%arg0, beta=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=layer, eps=3.40282347E+38
  factisa.apu.norm y=%arg0, x=%arg0, gamma=%arg0, beta=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=layer, eps=9.99999974E-6
  factisa.apu.norm y=%arg0, x=%arg0, gamma=%arg0, beta=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=layer, eps=-3.000000e+00
  factisa.apu.norm y=%arg0, x=%arg0, gamma=%arg0, beta=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=layer, eps=0.333333343
  factisa.apu.norm y=%arg0, x=%arg0, gamma=%arg0, beta=%arg0, list=%arg0, maximum=%arg0, row0=%arg2, rows=0, n=0, y_stride=0, x_stride=0, kind=layer, eps=0.333333313
  return
}

// Attributes that are no fields, and locations.
func.func @attributes(%arg0: !factisa.sram, %arg1: !factisa.dram, %arg2: index) {
  factisa.halt {mine}
  factisa.sync engine=PE, times=3, wait=SEL {dst = "x", "not a name" = 1 : i64}
  factisa.sel.list list=%arg0, flags=%arg0, unless=%arg0, row0=%arg2, rows=8, invert {test.rows = 2 : i64}
  return
}

// An operand that is not there.
func.func @absent(%arg0: !factisa.sram, %arg1: !factisa.dram, %arg2: index) {
  %0 = factisa.null
  factisa.pe.gemm acc=%arg0, x=%arg0, w=%arg0, list=%0, low=%0, row0=%arg2, rows=8, k=4, n=8, acc_stride=32, x_stride=4, w_stride=8, precision=a4w8, role=ffn
  return
}

// Fields and engines of a set are read in any order and with blanks, floats by their
// bits, too.
// ORDER: factisa.load dst=%arg0, src=%arg1, row0=%arg2, rows=4, row_bytes=8, dst_stride=8, src_stride=16, whole loc(
// ORDER: factisa.apu.norm {{.*}} eps=9.99999974E-6 loc(
// ORDER: factisa.sync engine=EP, times=2, wait=LOAD+SEL, signal=PE+APU loc(
// ORDER: factisa.muladd rd=1, rs=2, rt=3, factor=-16, addend=2 loc(#
