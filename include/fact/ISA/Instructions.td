//===- Instructions.td - The FACT instruction set -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// All instructions. Conventions that hold throughout:
//
// * LEN is the length of the sequence of this run. A row operand is a first row
//   `row0` and a largest number `rows`: the instruction works on
//   R = clamp(LEN - row0, 0, rows) rows, none where row0 < 0 (with the flag `whole` R = rows where row0
//   is a row of the sequence).
//   Likewise C = clamp(LEN - col0, 0, cols) columns (keys). R = 0 or C = 0: nothing is done
//   and nothing is touched.
// * Row r of a two-dimensional operand is `stride` bytes after row r - 1. Vectors
//   over rows, columns or features are dense. Operands point at the first row or
//   column of the instruction, not at row 0 of the sequence.
// * `list` is a row list of sel.list: u32 count, then u32 indices relative to row0.
//   With a list only these rows are worked on, the others keep what they had.
// * mask rows hold one bit per column of the SEQUENCE (bit j & 7 of byte j >> 3),
//   from column 0, also where an instruction starts at col0 (which then is a
//   multiple of 8).
// * A window, `left` and `right`: row i of the sequence sees columns i - (left - 1) ..
//   i + (right - 1), 0 is no limit. So left = 0, right = 1 is causal.
// * Codes of a leading one are i4, two to a byte, the first one in the lower half, an
//   odd last one beside a zero: 0 is 0, sign * 2^e is sign * (e + 1). Other codes are
//   bytes. Of a side (weight, query, key) a predictor has leading ones as in numerics
//   4.6, one_sided of weights and queries, not of keys.
// * Byte counts in operand descriptions use the names of other fields (as numbers),
//   R, C and LEN, span(n, stride, last) = n ? (n - 1) * stride + last : 0,
//   rowBytes(most, stride) = min(most, stride), of a row that may be compact, and
//   codeBytes(predictor, side, n), of n codes.
// * An instruction for head h of layer l carries both; only observers read them.

#ifndef FACT_ISA_INSTRUCTIONS_TD
#define FACT_ISA_INSTRUCTIONS_TD

include "fact/ISA/InstructionBase.td"

class ISAEnum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::mlir::factisa";
  let genSpecializedAttr = 0;
}
def ISA_PredictorInfo : ISAEnum<"Predictor", "predictor (numerics 4.6)", [
  I32EnumAttrCase<"LeadingOne", 0, "leading_one">, I32EnumAttrCase<"LeadingTwo", 1, "leading_two">,
  I32EnumAttrCase<"OneSided", 2, "one_sided">, I32EnumAttrCase<"Exact", 3, "exact">]>;
def ISA_Predictor : EnumField<ISA_PredictorInfo, 2> { let mnemonic = "predictor"; }
def ISA_OperandInfo : ISAEnum<"Operand", "side of the predicted scores that a code is for", [
  I32EnumAttrCase<"Query", 0, "query">, I32EnumAttrCase<"Key", 1, "key">]>;
def ISA_Operand : EnumField<ISA_OperandInfo, 1> { let mnemonic = "operand"; }
def ISA_PrecisionInfo : ISAEnum<"Precision", "formats of low-precision rows (numerics 7)", [
  I32EnumAttrCase<"A4W4", 0, "a4w4">, I32EnumAttrCase<"A4W8", 1, "a4w8">]>;
def ISA_Precision : EnumField<ISA_PrecisionInfo, 1> { let mnemonic = "precision"; }
def ISA_ActivationInfo : ISAEnum<"Activation", "activation function (numerics 2)", [
  I32EnumAttrCase<"Gelu", 0, "gelu">, I32EnumAttrCase<"GeluTanh", 1, "gelu_tanh">,
  I32EnumAttrCase<"QuickGelu", 2, "quick_gelu">, I32EnumAttrCase<"Swish", 3, "swish">,
  I32EnumAttrCase<"Relu", 4, "relu">]>;
def ISA_Activation : EnumField<ISA_ActivationInfo, 3> { let mnemonic = "activation"; }
def ISA_OptActivationInfo : ISAEnum<"OptActivation", "activation function (numerics 2), or none", [
  I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Gelu", 1, "gelu">, I32EnumAttrCase<"GeluTanh", 2, "gelu_tanh">,
  I32EnumAttrCase<"QuickGelu", 3, "quick_gelu">, I32EnumAttrCase<"Swish", 4, "swish">, I32EnumAttrCase<"Relu", 5, "relu">]>;
def ISA_OptActivation : EnumField<ISA_OptActivationInfo, 3> { let mnemonic = "opt_activation"; }
def ISA_NormInfo : ISAEnum<"Norm", "kind of a norm (numerics 2 and 10)", [
  I32EnumAttrCase<"Layer", 0, "layer">, I32EnumAttrCase<"RMS", 1, "rms">]>;
def ISA_Norm : EnumField<ISA_NormInfo, 1> { let mnemonic = "norm"; }
def ISA_RotaryStyleInfo : ISAEnum<"RotaryStyle", "pairs that a rotary embedding rotates (numerics 10)", [
  I32EnumAttrCase<"Half", 0, "half">, I32EnumAttrCase<"Interleaved", 1, "interleaved">]>;
def ISA_RotaryStyle : EnumField<ISA_RotaryStyleInfo, 1> { let mnemonic = "rotary_style"; }
def ISA_EngineInfo : ISAEnum<"EngineId", "engine that an instruction is queued to", [
  I32EnumAttrCase<"LOAD", 1, "LOAD">, I32EnumAttrCase<"STORE", 2, "STORE">, I32EnumAttrCase<"EP", 3, "EP">,
  I32EnumAttrCase<"SEL", 4, "SEL">, I32EnumAttrCase<"PE", 5, "PE">, I32EnumAttrCase<"APU", 6, "APU">]>;
def ISA_Engine : EnumField<ISA_EngineInfo, 3> { let mnemonic = "engine"; }
// What a linear layer's multiply-accumulates are counted as in reports.
def ISA_RoleInfo : ISAEnum<"Role", "what a tile of a linear layer belongs to", [
  I32EnumAttrCase<"QKV", 0, "qkv">, I32EnumAttrCase<"Output", 1, "output">,
  I32EnumAttrCase<"FFN", 2, "ffn">, I32EnumAttrCase<"Other", 3, "other">]>;
def ISA_Role : EnumField<ISA_RoleInfo, 2> { let mnemonic = "role"; }

//===----------------------------------------------------------------------===//
// Control processor
//===----------------------------------------------------------------------===//

// Registers are 64-bit signed; r0 is always 0. These instructions exist in the
// binary only: in the IR they are scf.for, arith and factisa.view.
// `rd`, `rs` are register numbers.
class ControlInstruction<string mnemonic, int opcode> : Instruction<mnemonic, opcode, CTRL>;

def ISA_HaltOp : ControlInstruction<"halt", 0> {
  let summary = "end of the program";
  let description = [{ Every queue drains, then the run is over. Exactly one, the last instruction. All counters of tokens are 0 then. }];
}
def ISA_LoopOp : ControlInstruction<"loop", 1> {
  let summary = "start of a loop";
  let description = [{
    `rd = 0; while (rd < bound) { ... rd += step }`, up to the matching `endloop`.
    bound = `limit`, or min(LEN, `limit`) with `len`, in whole steps and `extra` steps
    more: `ceil(bound / step) * step + extra * step`. A bound of 0 skips the body.
    The body does not write rd. Loops nest up to 16 deep.
  }];
  let fields = (ins Imm<6>:$rd, Imm<24>:$limit, Imm<24>:$step, Imm<8>:$extra, Flag:$len);
}
def ISA_EndLoopOp : ControlInstruction<"endloop", 2> {
  let summary = "end of the innermost loop";
  let description = [{ Adds the step to the loop's register and starts the next iteration, if there is one. }];
}
def ISA_MulAddOp : ControlInstruction<"muladd", 3> {
  let summary = "scalar multiply-add";
  let description = [{ `rd = rs * factor + rt + addend`; rd is not 0 and not the register of a loop around it. }];
  let fields = (ins Imm<6>:$rd, Imm<6>:$rs, Imm<6>:$rt, SImm<40>:$factor, SImm<42>:$addend);
}
def ISA_RotateOp : ControlInstruction<"rotate", 5> {
  let summary = "next slot of a ring of buffers";
  let description = [{
    `rd = rd + step`, less `size` where that is `size` or more; rd is not 0 and not the
    register of a loop around it.
  }];
  let fields = (ins Imm<6>:$rd, Imm<24>:$step, Imm<24>:$size);
}
def ISA_ClipOp : ControlInstruction<"clip", 6> {
  let summary = "whether a number is in a range, to be added to a first row";
  let description = [{
    `rd = 0` where `0 <= rs < limit`, else -2^30: added to a first row it leaves no rows.
    rd is not 0 and not the register of a loop around it.
  }];
  let fields = (ins Imm<6>:$rd, Imm<6>:$rs, Imm<24>:$limit);
}
def ISA_ClampOp : ControlInstruction<"clamp", 7> {
  let summary = "a number, but not below another one";
  let description = [{
    `rd = max(rs, least)`: the first of the columns that a window reaches from a row. rd is not 0
    and not the register of a loop around it.
  }];
  let fields = (ins Imm<6>:$rd, Imm<6>:$rs, Imm<24>:$least);
}

//===----------------------------------------------------------------------===//
// Order between engines
//===----------------------------------------------------------------------===//

// Of an ordered pair of engines, one that signals and one that waits, there is one
// counter of tokens. Its waits are met in the order of its signals: both engines
// work in order.
def ISA_SyncOp : Instruction<"sync", 4, CTRL> {
  let summary = "wait and signal without work";
  let description = [{
    Queued to `engine`: takes `times` tokens of each engine in `wait`, then, when all
    its earlier instructions are done, gives `times` tokens to each engine in `signal`.
    `times` is positive.
  }];
  let fields = (ins ISA_Engine:$engine, Imm<10>:$times, EngineSet:$wait, EngineSet:$signal);
}

//===----------------------------------------------------------------------===//
// DMA
//===----------------------------------------------------------------------===//

def ISA_LoadOp : EngineInstruction<"load", 16, LOAD> {
  let summary = "copy rows from DRAM to the scratchpad";
  let description = [{
    Copies `row_bytes` bytes of each of R rows, `src_stride` apart in DRAM and
    `dst_stride` apart in the scratchpad. With `whole` the rows are not rows of the
    sequence (those of a weight, say): R = rows where `row0` is a row of the sequence.
  }];
  let fields = (ins
    Sram<"w", "span(R, dst_stride, row_bytes)">:$dst, Dram<"r", "span(R, src_stride, row_bytes)">:$src,
    Scalar:$row0, Imm<20>:$rows, Imm<24>:$row_bytes, Imm<24>:$dst_stride, Imm<32>:$src_stride, Flag:$whole);
}
def ISA_LoadListedOp : EngineInstruction<"load.listed", 19, LOAD> {
  let summary = "copy some rows from DRAM to the scratchpad";
  let description = [{
    As load, of R rows of the sequence those that `list` names.
  }];
  let fields = (ins
    Sram<"w", "span(R, dst_stride, row_bytes)">:$dst, Dram<"r", "span(R, src_stride, row_bytes)">:$src,
    Sram<"r", "4 + R * 4">:$list, Scalar:$row0, Imm<20>:$rows, Imm<24>:$row_bytes, Imm<24>:$dst_stride, Imm<32>:$src_stride);
}
def ISA_LoadWeightOp : EngineInstruction<"load.weight", 18, LOAD> {
  let summary = "copy a tile of a weight, of which DRAM has the planes apart";
  let description = [{
    `dst[r][c] = 16 * high[r][c] + low[r][c]` of each of R rows; dst i8 [R, n], high and
    low i4 [R, n], two to a byte, the first one in the lower half. Where `exact` (u32 [1]) is
    there and 0, no row needs the low plane (numerics 7): it is not read, and counts as 0.
    `only_exact`: nor is the high plane, since no row is left that needs the tile; nothing
    is written. `whole` as for load.
  }];
  let fields = (ins
    Sram<"w", "span(R, dst_stride, n)">:$dst, Dram<"r", "span(R, src_stride, (n + 1) / 2)">:$high,
    Dram<"r", "span(R, src_stride, (n + 1) / 2)">:$low, OptSram<"r", "4">:$exact,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$dst_stride, Imm<24>:$src_stride, Flag:$only_exact, Flag:$whole);
}
def ISA_StoreOp : EngineInstruction<"store", 17, STORE> {
  let summary = "copy rows from the scratchpad to DRAM";
  let description = [{
    Copies `row_bytes` bytes of each of R rows, `src_stride` apart in the scratchpad
    and `dst_stride` apart in DRAM; `whole` as for load.
  }];
  let fields = (ins
    Dram<"w", "span(R, dst_stride, row_bytes)">:$dst, Sram<"r", "span(R, src_stride, row_bytes)">:$src,
    Scalar:$row0, Imm<20>:$rows, Imm<24>:$row_bytes, Imm<32>:$dst_stride, Imm<24>:$src_stride, Flag:$whole);
}

//===----------------------------------------------------------------------===//
// EP: eager prediction (numerics 4)
//===----------------------------------------------------------------------===//

def ISA_EpProjectOp : EngineInstruction<"ep.project", 32, EP> {
  let summary = "stage 1: log-domain product of activation rows and weight codes";
  let description = [{
    `acc[r][n] (+)= INT sum over k of one(x[r][k]) * w[k][n]`: x i8 [R, k] is encoded
    here, w [k, n] holds codes of weights, i4 or i8, acc is i32 [R, n]. `accumulate`: adds to acc.
  }];
  let fields = (ins
    Sram<"rw", "span(R, acc_stride, n * 4)", "accumulate">:$acc, Sram<"r", "span(R, x_stride, k)">:$x, Sram<"r", "span(k, w_stride, codeBytes(predictor, weight, n))">:$w,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$k, Imm<20>:$n,
    Imm<24>:$acc_stride, Imm<24>:$x_stride, Imm<24>:$w_stride, ISA_Predictor:$predictor, Flag:$accumulate);
}
def ISA_EpBiasOp : EngineInstruction<"ep.bias", 33, EP> {
  let summary = "add Q's bias to stage 1's accumulators";
  let description = [{
    `acc[r][c] += rne(clamp(bias[c] / scale[r], -2^30, 2^30))`; acc i32 [R, n], bias f32 [n], scale f32 [R].
  }];
  let fields = (ins
    Sram<"rw", "span(R, acc_stride, n * 4)">:$acc, Sram<"r", "n * 4">:$bias, Sram<"r", "R * 4">:$scale,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$acc_stride);
}
def ISA_EpNormalizeOp : EngineInstruction<"ep.normalize", 34, EP> {
  let summary = "shift one head's accumulators to seven octaves and encode them";
  let description = [{
    Per row of acc i32 [R, n] (n = features of a head): `s = max(0, floor(log2 max|H|) - 6)`,
    `code[r][c] = one(sign(H) * (|H| >> s))` for the side `operand`, `scale[r] = 2^s`;
    code i4 or i8 [R, n], scale f32 [R].
  }];
  let fields = (ins
    Sram<"w", "span(R, code_stride, codeBytes(predictor, operand, n))">:$code, Sram<"w", "R * 4">:$scale, Sram<"r", "span(R, acc_stride, n * 4)">:$acc,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$code_stride, Imm<24>:$acc_stride,
    ISA_Predictor:$predictor, ISA_Operand:$operand);
}
def ISA_EpEncodeOp : EngineInstruction<"ep.encode", 36, EP> {
  let summary = "codes of INT8 rows";
  let description = [{
    `code[r][c] = one(x[r][c])` for the side `operand`; x i8 [R, n], code i4 or i8 [R, n],
    with `unpacked` always i8, the value of the code.
  }];
  let fields = (ins
    Sram<"w", "span(R, code_stride, i.unpacked ? n : codeBytes(predictor, operand, n))">:$code, Sram<"r", "span(R, x_stride, n)">:$x,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$code_stride, Imm<24>:$x_stride,
    ISA_Predictor:$predictor, ISA_Operand:$operand, Flag:$unpacked);
}
def ISA_EpScoreOp : EngineInstruction<"ep.score", 35, EP> {
  let summary = "stage 2: predicted scores of a tile of queries and keys";
  let description = [{
    `score[r][j] = f32(INT sum over c of q[r][c] * k[j][c]) * (key_scale[j] * scale[j])`, without
    scale (of dressed rows, numerics 10) `* key_scale[j]`;
    q [R, n] and k [C, n] codes of queries and keys, each i4 or i8, key_scale and scale (2^e) f32 [C], score f32 [R, C]
    (points at column col0). Of the columns, from the first to the last that a row of the R sees; the others are
    not worked on.
  }];
  let fields = (ins
    Sram<"w", "span(R, score_stride, C * 4)">:$score, Sram<"r", "span(R, q_stride, codeBytes(predictor, query, n))">:$q,
    Sram<"r", "span(C, k_stride, codeBytes(predictor, key, n))">:$k, Sram<"r", "C * 4">:$key_scale, OptSram<"r", "C * 4">:$scale,
    Scalar:$row0, Imm<20>:$rows, Scalar:$col0, Imm<20>:$cols, Imm<20>:$n,
    Imm<24>:$score_stride, Imm<24>:$q_stride, Imm<24>:$k_stride, ISA_Predictor:$predictor, Imm<16>:$left, Imm<16>:$right);
}

//===----------------------------------------------------------------------===//
// SEL: selection (numerics 5)
//===----------------------------------------------------------------------===//

def ISA_SelTopKOp : EngineInstruction<"sel.topk", 48, SEL> {
  let summary = "row-wise top-k, dominance, argmax, column masks and counts of a block of rows of one head";
  let description = [{
    For R rows of score f32 [R, C] (points at column col0), whose windows are all in these
    columns: mask bits of the k_i largest of n_i (ties to the lower column), argmax i32 [R],
    dominated u8 [R]:
    `((top1 - top2) * unit) * logit gain > dominance`, n_i >= 2, dominance 0 = off, with
    `unit[r] = (query_scale[r] * scale[r]) * ((weight_scales[0] * weight_scales[1]) * attention_scale)`,
    query_scale and scale f32 [R], weight_scales f32 [2]; without scale and weight_scales (both or
    none; of dressed rows, numerics 10) `unit[r] = query_scale[r] * attention_scale`. The logit
    gain is less where `head_norms`, 0 to 2, sides of the scores have a head norm. `policy`: keep in 1024ths, u32, and
    dominance, f32: a table in memory, so that one loop runs layers that differ. Then, for the whole sequence of this
    head: k_rows u8 [LEN] and v_rows u8 [LEN] are set (never cleared) to 1 where K and V are
    needed by these rows, and count u32 [LEN] is increased where a row keeps a column.
    Columns outside of a row's window are never kept.
  }];
  let fields = (ins
    Sram<"w", "span(R, mask_stride, (LEN + 7) / 8)">:$mask, Sram<"w", "R">:$dominated, Sram<"w", "R * 4">:$argmax,
    Sram<"rw", "R ? LEN : 0">:$k_rows, Sram<"rw", "R ? LEN : 0">:$v_rows, Sram<"rw", "R ? LEN * 4 : 0">:$count,
    Sram<"r", "span(R, score_stride, C * 4)">:$score, Sram<"r", "R * 4">:$query_scale, OptSram<"r", "R * 4">:$scale,
    OptSram<"r", "R ? 8 : 0">:$weight_scales, Sram<"r", "R ? 8 : 0">:$policy,
    Scalar:$row0, Imm<20>:$rows, Scalar:$col0, Imm<20>:$cols, Imm<24>:$mask_stride, Imm<24>:$score_stride,
    FloatImm:$attention_scale, ISA_Predictor:$predictor, Imm<2>:$head_norms, Imm<16>:$left, Imm<16>:$right,
    Scalar:$layer, Scalar:$head);
}
def ISA_SelFillOp : EngineInstruction<"sel.fill", 49, SEL> {
  let summary = "fill rows of bytes";
  let description = [{ dst u8 [R, width] = `value`: clears masks and counts before a layer. }];
  let fields = (ins Sram<"w", "span(R, width, width)">:$dst, Scalar:$row0, Imm<20>:$rows, Imm<20>:$width, Imm<8>:$value);
}
def ISA_SelCountAllOp : EngineInstruction<"sel.count_all", 50, SEL> {
  let summary = "counts of a layer in which nothing is pruned";
  let description = [{
    count u32 [R]: `heads * m_j`, j = row0 + r, where m_j rows have column j in their window.
  }];
  let fields = (ins Sram<"w", "R * 4">:$count, Scalar:$row0, Imm<20>:$rows, Imm<12>:$heads, Imm<16>:$left, Imm<16>:$right);
}
def ISA_SelPrecisionOp : EngineInstruction<"sel.precision", 51, SEL> {
  let summary = "low-precision tokens from their importance";
  let description = [{
    `low[j] = count[j] * 256 * (sum of m) <= importance * m_j * (sum of count)` in 64 bits, where
    m_j rows have column j in their window; count u32 [LEN], low u8 [LEN], importance i32 in
    256ths, 0 (none is low) to 4096, or -1: low are those that no row keeps.
  }];
  let fields = (ins Sram<"w", "LEN">:$low, Sram<"r", "LEN * 4">:$count, Sram<"r", "4">:$importance,
    Imm<16>:$left, Imm<16>:$right, Scalar:$layer);
}
def ISA_SelListOp : EngineInstruction<"sel.list", 52, SEL> {
  let summary = "row list of a block of rows from a mask";
  let description = [{
    list: u32 count, then the u32 indices r (in rising order) with `flags[r] != 0`, or == 0 with
    `invert`, and not `unless[r]`; flags and unless u8 [R].
  }];
  let fields = (ins
    Sram<"w", "4 + R * 4">:$list, Sram<"r", "R">:$flags, OptSram<"r", "R">:$unless, Scalar:$row0, Imm<20>:$rows, Flag:$invert);
}

def ISA_SelListNewOp : EngineInstruction<"sel.list_new", 54, SEL> {
  let summary = "row list of what no list has named yet";
  let description = [{
    list: u32 count, then the u32 indices r (in rising order) with `flags[r] != 0` and
    `named[r] == 0`; then `named[r] = 1` for each of them. Flags and named u8 [R].
  }];
  let fields = (ins
    Sram<"w", "4 + R * 4">:$list, Sram<"r", "R">:$flags, Sram<"rw", "R">:$named, Scalar:$row0, Imm<20>:$rows);
}

def ISA_SelCountOp : EngineInstruction<"sel.count", 53, SEL> {
  let summary = "how many rows of a block have a flag";
  let description = [{
    count u32 [1]: how many rows have `flags[r] != 0`, or == 0 with `invert`; flags u8 [R].
  }];
  let fields = (ins Sram<"w", "4">:$count, Sram<"r", "R">:$flags, Scalar:$row0, Imm<20>:$rows, Flag:$invert);
}

//===----------------------------------------------------------------------===//
// PE: multiplier array
//===----------------------------------------------------------------------===//

def ISA_PeGemmOp : EngineInstruction<"pe.gemm", 64, PE> {
  let summary = "tile of a mixed-precision linear layer";
  let description = [{
    `acc[r][c] (+)= INT sum over k of x[r][k] * w[k][c]`; x i8 [R, k], w i8 [k, n], acc i32
    [R, n]. Rows with `low[r]` (u8 [R]) hold INT4 activations and, with a4w4, use the high
    plane `(w + 8) >> 4`. `role` is what the work is counted as.
  }];
  let fields = (ins
    Sram<"rw", "span(R, acc_stride, n * 4)", "accumulate">:$acc, Sram<"r", "span(R, x_stride, k)">:$x, Sram<"r", "span(k, w_stride, n)">:$w,
    OptSram<"r", "4 + R * 4">:$list, OptSram<"r", "R">:$low,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$k, Imm<20>:$n,
    Imm<24>:$acc_stride, Imm<24>:$x_stride, Imm<24>:$w_stride, ISA_Precision:$precision, ISA_Role:$role, Flag:$accumulate);
}
def ISA_PeQkOp : EngineInstruction<"pe.qk", 65, PE> {
  let summary = "scores of the kept columns (dot mode)";
  let description = [{
    `score[r][j] = INT sum over c of q[r][c] * k[j][c]` for all allowed columns, not for rows
    with `dominated[r]`; q i8 [R, n], k i8 [C, n], score i32 [R, C] (points at column col0).
    With a mask for the columns of mask row r alone, and score is compact: the sum of the
    k-th column that the whole row keeps is at k. Columns outside of a row's window are not
    worked on.
    `tail`: k is the one row of the mean token, there is no column 0 to clamp or mask: C = 1.
  }];
  let fields = (ins
    Sram<"w", "span(R, score_stride, i.mask.present ? rowBytes(LEN * 4, score_stride) : C * 4)">:$score, Sram<"r", "span(R, q_stride, n)">:$q, Sram<"r", "span(C, k_stride, n)">:$k,
    OptSram<"r", "span(R, mask_stride, (LEN + 7) / 8)">:$mask, OptSram<"r", "R">:$dominated,
    Scalar:$row0, Imm<20>:$rows, Scalar:$col0, Imm<20>:$cols, Imm<20>:$n,
    Imm<24>:$score_stride, Imm<24>:$q_stride, Imm<24>:$k_stride, Imm<24>:$mask_stride, Imm<16>:$left, Imm<16>:$right, Flag:$tail);
}
def ISA_PePvOp : EngineInstruction<"pe.pv", 66, PE> {
  let summary = "weighted sum of the kept values (axpy mode)";
  let description = [{
    `num[r][c] (+)= INT sum over j of p[r][j] * v[j][c]` over the same columns as pe.qk;
    p u8 [R, C] (points at column col0; compact with a mask), v i8 [C, n], num i32 [R, n].
  }];
  let fields = (ins
    Sram<"rw", "span(R, num_stride, n * 4)", "accumulate">:$num, Sram<"r", "span(R, p_stride, i.mask.present ? rowBytes(LEN, p_stride) : C)">:$p, Sram<"r", "span(C, v_stride, n)">:$v,
    OptSram<"r", "span(R, mask_stride, (LEN + 7) / 8)">:$mask, OptSram<"r", "R">:$dominated,
    Scalar:$row0, Imm<20>:$rows, Scalar:$col0, Imm<20>:$cols, Imm<20>:$n,
    Imm<24>:$num_stride, Imm<24>:$p_stride, Imm<24>:$v_stride, Imm<24>:$mask_stride, Imm<16>:$left, Imm<16>:$right, Flag:$accumulate);
}

//===----------------------------------------------------------------------===//
// APU: float32 lanes
//===----------------------------------------------------------------------===//

def ISA_ApuNormOp : EngineInstruction<"apu.norm", 80, APU> {
  let summary = "layer or RMS norm of rows";
  let description = [{
    y f32 [R, n] = norm(x f32 [R, n]) of this kind with eps, gamma f32 [n] and, where there is
    one, beta f32 [n] (numerics 2 and 10); y may be x. `maximum` f32 [R], where there is one: the largest
    magnitude of each row of y.
  }];
  let fields = (ins
    Sram<"w", "span(R, y_stride, n * 4)">:$y, Sram<"r", "span(R, x_stride, n * 4)">:$x, Sram<"r", "n * 4">:$gamma, OptSram<"r", "n * 4">:$beta,
    OptSram<"r", "4 + R * 4">:$list, OptSram<"w", "R * 4">:$maximum,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$y_stride, Imm<24>:$x_stride, ISA_Norm:$kind, FloatImm:$eps);
}
def ISA_ApuRotateOp : EngineInstruction<"apu.rotate", 91, APU> {
  let summary = "rotary embedding of one head's slices of rows";
  let description = [{
    `y_a = x_a * cos[r][c] - x_b * sin[r][c]; y_b = x_b * cos[r][c] + x_a * sin[r][c]` for p =
    `pairs` pairs (a, b) of features, `half`: (c, c + p), `interleaved`: (2c, 2c + 1); features from
    2p on as they are (numerics 10). x and y f32 [R, n], y may be x; cos and sin f32 [R, p].
    `maximum` f32 [R], where there is one: the largest magnitude of each row of y.
  }];
  let fields = (ins
    Sram<"w", "span(R, y_stride, n * 4)">:$y, Sram<"r", "span(R, x_stride, n * 4)">:$x,
    Sram<"r", "span(R, cos_stride, pairs * 4)">:$cos, Sram<"r", "span(R, sin_stride, pairs * 4)">:$sin,
    OptSram<"r", "4 + R * 4">:$list, OptSram<"w", "R * 4">:$maximum,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<20>:$pairs, Imm<24>:$y_stride, Imm<24>:$x_stride,
    Imm<24>:$cos_stride, Imm<24>:$sin_stride, ISA_RotaryStyle:$style);
}
def ISA_ApuQuantizeOp : EngineInstruction<"apu.quantize", 81, APU> {
  let summary = "quantize rows, or one head's slices of rows";
  let description = [{
    q i8 [R, n], scale f32 [R] from x f32 [R, n]: INT8 with 2^e, INT4 where `low[r]` (numerics 1).
    `maximum` f32 [R]: the largest magnitude of each row, where it is known; else a sweep finds it.
  }];
  let fields = (ins
    Sram<"w", "span(R, q_stride, n)">:$q, Sram<"w", "R * 4">:$scale, Sram<"r", "span(R, x_stride, n * 4)">:$x,
    OptSram<"r", "4 + R * 4">:$list, OptSram<"r", "R">:$low, OptSram<"r", "R * 4">:$maximum,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$q_stride, Imm<24>:$x_stride);
}
def ISA_ApuRescaleOp : EngineInstruction<"apu.rescale", 82, APU> {
  let summary = "accumulators of a linear layer to float32, and what follows element by element";
  let description = [{
    `y[r][c] = f32(acc[r][c]) * w_scale[c]` (16 * w_scale for low rows at a4w4), `* scale[r]`, `+ bias[c]`
    where there is one; then the activation, then `+ residual[r][c]` where there is one, all in one sweep.
    acc i32 [R, n], y and residual f32 [R, n], w_scale and bias f32 [n], scale f32 [R]; y may be residual.
    `maximum` f32 [R], where there is one: the largest magnitude of each row of y; with `accumulate` of
    that and what was there, so that tiles of columns make the maximum of whole rows.
  }];
  let fields = (ins
    Sram<"w", "span(R, y_stride, n * 4)">:$y, Sram<"r", "span(R, acc_stride, n * 4)">:$acc, Sram<"r", "n * 4">:$w_scale,
    Sram<"r", "R * 4">:$scale, OptSram<"r", "n * 4">:$bias, OptSram<"r", "span(R, residual_stride, n * 4)">:$residual,
    OptSram<"r", "4 + R * 4">:$list, OptSram<"r", "R">:$low, OptSram<"rw", "R * 4", "accumulate">:$maximum,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$y_stride, Imm<24>:$acc_stride, Imm<24>:$residual_stride,
    ISA_Precision:$precision, ISA_OptActivation:$activation, Flag:$accumulate);
}
def ISA_ApuActivationOp : EngineInstruction<"apu.activation", 83, APU> {
  let summary = "activation function of rows";
  let description = [{ y f32 [R, n] = kind(x f32 [R, n]) elementwise (numerics 2); y may be x. }];
  let fields = (ins
    Sram<"w", "span(R, y_stride, n * 4)">:$y, Sram<"r", "span(R, x_stride, n * 4)">:$x,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$y_stride, Imm<24>:$x_stride, ISA_Activation:$kind);
}
def ISA_ApuAddOp : EngineInstruction<"apu.add", 84, APU> {
  let summary = "residual addition of rows";
  let description = [{ y f32 [R, n] = a + b; y may be a or b. }];
  let fields = (ins
    Sram<"w", "span(R, y_stride, n * 4)">:$y, Sram<"r", "span(R, a_stride, n * 4)">:$a, Sram<"r", "span(R, b_stride, n * 4)">:$b,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$y_stride, Imm<24>:$a_stride, Imm<24>:$b_stride);
}
def ISA_ApuMultiplyOp : EngineInstruction<"apu.multiply", 90, APU> {
  let summary = "product of rows, element by element: a gate";
  let description = [{ y f32 [R, n] = a * b; y may be a or b. }];
  let fields = (ins
    Sram<"w", "span(R, y_stride, n * 4)">:$y, Sram<"r", "span(R, a_stride, n * 4)">:$a, Sram<"r", "span(R, b_stride, n * 4)">:$b,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$y_stride, Imm<24>:$a_stride, Imm<24>:$b_stride);
}
def ISA_ApuSoftmaxOp : EngineInstruction<"apu.softmax", 85, APU> {
  let summary = "the three sweeps of softmax over the kept columns of rows";
  let description = [{
    Per row over the same columns as pe.qk: `S = f32(score[r][j]) *
    key_scale[j]; S = S * (query_scale[r] * attention_scale)`; mx, den and `g_j = E_j *
    value_scale[j]`, gm; `p[r][j] = rne(g * (255 / gm))` (numerics 6). score i32 [R, C], p u8
    [R, C] (point at column col0, and the windows of all rows are in these columns), both compact
    with a mask, key_scale and value_scale f32 [C], stats f32 [R, 4] = mx, den, gm, f32(kept
    columns).
  }];
  let fields = (ins
    Sram<"w", "span(R, p_stride, i.mask.present ? rowBytes(LEN, p_stride) : C)">:$p, Sram<"w", "R * 16">:$stats,
    Sram<"r", "span(R, score_stride, i.mask.present ? rowBytes(LEN * 4, score_stride) : C * 4)">:$score,
    Sram<"r", "R * 4">:$query_scale, Sram<"r", "R ? C * 4 : 0">:$key_scale, Sram<"r", "R ? C * 4 : 0">:$value_scale,
    OptSram<"r", "span(R, mask_stride, (LEN + 7) / 8)">:$mask, OptSram<"r", "R">:$dominated,
    Scalar:$row0, Imm<20>:$rows, Scalar:$col0, Imm<20>:$cols, Imm<24>:$p_stride, Imm<24>:$score_stride,
    Imm<24>:$mask_stride, FloatImm:$attention_scale, Imm<16>:$left, Imm<16>:$right);
}
def ISA_ApuContextOp : EngineInstruction<"apu.context", 86, APU> {
  let summary = "rows of the context from the weighted sums, with the mean tail";
  let description = [{
    `ctx[r][c] = (f32(num[r][c]) * (gm / 255)) * (1 / den)`, for rows that are not dominated;
    num i32 [R, n], stats as apu.softmax wrote it, ctx f32 [R, n]. With a tail (all four
    operands or none; tail_score i32 [R], tail_key_scale and tail_value_scale f32 [1], tail_value i8
    [n]): rows that dropped keys get the mean token's share (numerics 6, Tail).
  }];
  let fields = (ins
    Sram<"w", "span(R, ctx_stride, n * 4)">:$ctx, Sram<"r", "span(R, num_stride, n * 4)">:$num, Sram<"r", "R * 16">:$stats,
    Sram<"r", "R * 4">:$query_scale, OptSram<"r", "R">:$dominated,
    OptSram<"r", "R * 4">:$tail_score, OptSram<"r", "R ? 4 : 0">:$tail_key_scale,
    OptSram<"r", "R ? n : 0">:$tail_value, OptSram<"r", "R ? 4 : 0">:$tail_value_scale,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$ctx_stride, Imm<24>:$num_stride, FloatImm:$attention_scale);
}
def ISA_ApuCopyDominatedOp : EngineInstruction<"apu.copy_dominated", 87, APU> {
  let summary = "context of dominated rows: a copy of one value";
  let description = [{
    For rows with `dominated[r]` whose argmax[r] (i32, a column of the sequence) is in col0 ..
    col0 + C: `ctx[r][c] = f32(v[argmax - col0][c]) * value_scale[argmax - col0]`; v i8 [C, n], value_scale f32
    [C].
  }];
  let fields = (ins
    Sram<"w", "span(R, ctx_stride, n * 4)">:$ctx, Sram<"r", "span(C, v_stride, n)">:$v, Sram<"r", "C * 4">:$value_scale,
    Sram<"r", "R">:$dominated, Sram<"r", "R * 4">:$argmax,
    Scalar:$row0, Imm<20>:$rows, Scalar:$col0, Imm<20>:$cols, Imm<20>:$n, Imm<24>:$ctx_stride, Imm<24>:$v_stride);
}
def ISA_ApuColumnSumOp : EngineInstruction<"apu.column_sum", 88, APU> {
  let summary = "running sum of rows, one after the other";
  let description = [{
    `sum[c] = sum[c] + x[r][c]` for r = 0, 1, ... (f32, in this order); row 0 of the sequence
    starts the sum: `sum[c] = x[0][c]`. x f32 [R, n].
  }];
  let fields = (ins
    Sram<"rw", "R ? n * 4 : 0", "row0 != 0">:$sum, Sram<"r", "span(R, x_stride, n * 4)">:$x,
    Scalar:$row0, Imm<20>:$rows, Imm<20>:$n, Imm<24>:$x_stride);
}
def ISA_ApuMeanOp : EngineInstruction<"apu.mean", 89, APU> {
  let summary = "mean token from the running sum";
  let description = [{ y f32 [n] = sum[c] / f32(LEN). }];
  let fields = (ins Sram<"w", "n * 4">:$y, Sram<"r", "n * 4">:$sum, Imm<20>:$n);
}

#endif // FACT_ISA_INSTRUCTIONS_TD
