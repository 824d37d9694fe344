//===- FactISAOps.td - Ops of the factisa dialect -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACTISA_OPS_TD
#define FACTISA_OPS_TD

include "fact/ISA/Instructions.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Ops that give names to memory. They take no time and become no instruction.
//===----------------------------------------------------------------------===//

def FactISA_MemoryInfo : ISAEnum<"Memory", "memory of the scratchpad that a buffer would like to be in", [
  I32EnumAttrCase<"Token", 0, "token">, I32EnumAttrCase<"Weight", 1, "weight">,
  I32EnumAttrCase<"Temp", 2, "temp">, I32EnumAttrCase<"Index", 3, "index">]>;
def FactISA_Memory : EnumAttr<FactISA_Dialect, FactISA_MemoryInfo, "memory">;

def FactISA_DramKindInfo : ISAEnum<"DramKind", "what a range of DRAM holds", [
  I32EnumAttrCase<"Constant", 0, "constant">, I32EnumAttrCase<"Input", 1, "input">,
  I32EnumAttrCase<"Output", 2, "output">, I32EnumAttrCase<"Scratch", 3, "scratch">]>;
def FactISA_DramKind : EnumAttr<FactISA_Dialect, FactISA_DramKindInfo, "dram_kind">;

def FactISA_Address : ConfinedAttr<I64Attr, [IntNonNegative]>;

// Where effects are (fact/Dialect/FactISA/IR/Instructions.h).
def FactISA_ScratchpadResource : Resource<"::mlir::factisa::ScratchpadResource">;

def FactISA_SramBufferOp : Op<FactISA_Dialect, "sram"> {
  let summary = "a buffer in the scratchpad";
  let description = [{
    `bytes` bytes that live from here to the last use (through every loop around a use
    that does not surround this op). `address` is set by the planner.

    ```mlir
    %x = factisa.sram token 4096 "x"
    %w = factisa.sram weight 4096 "w" at 393216
    ```
  }];
  let arguments = (ins FactISA_Memory:$memory, ConfinedAttr<I64Attr, [IntPositive]>:$bytes, StrAttr:$label,
                       OptionalAttr<FactISA_Address>:$address);
  let results = (outs Res<FactISA_Sram, "", [MemAlloc<FactISA_ScratchpadResource>]>:$result);
  let assemblyFormat = "$memory $bytes $label (`at` $address^)? attr-dict";
}

def FactISA_DramBufferOp : Op<FactISA_Dialect, "dram", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "a range of DRAM";
  let description = [{
    `constant`: the bytes of `values`, one array every `stride` bytes (several equal
    layers keep the same weight side by side), padded to 64 bytes at most. With
    `tile_columns` the values are weights [k, n], INT8, whose planes lie apart, in tiles of
    so many columns, as `load.weight` reads them (`fact/ISA/WeightPlanes.h`); with `codes`,
    too, they are codes of a leading one, in tiles of i4 numbers, as `ep.project` reads them. `input`, `output`: one sequence of rows;
    `shape` is that of the model's tensor, -1 for the length. An input may be `in` an output:
    the host writes it to where the output will be, and instructions read it there.
    `address` is set by the planner. Two others of them are two ranges, however alike; inputs
    and outputs are the program's interface and stay, used or not.

    ```mlir
    %w = factisa.dram constant 4096 "weight" {values = [dense<1> : tensor<64x64xi8>], stride = 4096 : i64}
    %y = factisa.dram output 25344 "y" at 8192 {shape = array<i64: -1, 64>}
    %x = factisa.dram input 25344 "x" in %y at 8192 {shape = array<i64: -1, 64>}
    ```
  }];
  let arguments = (ins FactISA_DramKind:$kind, ConfinedAttr<I64Attr, [IntPositive]>:$bytes, StrAttr:$label, Optional<FactISA_Dram>:$place,
                       OptionalAttr<FactISA_Address>:$address, OptionalAttr<ArrayAttr>:$values, OptionalAttr<I64Attr>:$stride,
                       OptionalAttr<DenseI64ArrayAttr>:$shape, OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$tile_columns,
                       UnitAttr:$codes);
  let results = (outs FactISA_Dram:$result);
  let assemblyFormat = "$kind $bytes $label (`in` $place^)? (`at` $address^)? attr-dict";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::factisa::DramKind":$kind, "int64_t":$bytes, "::llvm::StringRef":$label), [{
    $_state.addTypes(DramType::get($_builder.getContext()));
    Properties &properties = $_state.getOrAddProperties<Properties>();
    properties.kind = DramKindAttr::get($_builder.getContext(), kind);
    properties.bytes = $_builder.getI64IntegerAttr(bytes);
    properties.label = $_builder.getStringAttr(label);
  }]>];
  let extraClassDeclaration = [{
    /// How a value's planes lie; nothing where it lies as it is.
    std::optional<::fact::isa::WeightPlanes> planesOf(ElementsAttr value);
  }];
}

def FactISA_ViewOp : Op<FactISA_Dialect, "view", [Pure, AllTypesMatch<["base", "result"]>]> {
  let summary = "an address inside a buffer";
  let description = [{
    `base + offset + sum of indices[i] * strides[i]` bytes.

    ```mlir
    %r = factisa.view %x + 128 [%row, %head] strides [256, 64] : !factisa.dram
    ```
  }];
  let arguments = (ins AnyTypeOf<[FactISA_Sram, FactISA_Dram]>:$base, I64Attr:$offset, Variadic<Index>:$indices,
                       DenseI64ArrayAttr:$strides);
  let results = (outs AnyTypeOf<[FactISA_Sram, FactISA_Dram]>:$result);
  let assemblyFormat = "$base `+` $offset (`[` $indices^ `]`)? `strides` $strides attr-dict `:` type($base)";
  let hasVerifier = 1;
}

def FactISA_NullOp : Op<FactISA_Dialect, "null", [Pure]> {
  let summary = "an operand that an instruction does without";
  let description = [{
    Stands for an absent optional operand, such as the row list of a tile of which
    every row is computed.

    ```mlir
    %none = factisa.null
    ```
  }];
  let results = (outs FactISA_Sram:$result);
  let assemblyFormat = "attr-dict";
}

def FactISA_LengthOp : Op<FactISA_Dialect, "length", [Pure]> {
  let summary = "length of the sequence of this run, at most `bound`";
  let description = [{
    The upper bound of a loop over rows or keys.

    ```mlir
    %n = factisa.length 512
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntPositive]>:$bound);
  let results = (outs Index:$result);
  let assemblyFormat = "$bound attr-dict";
}

//===----------------------------------------------------------------------===//
// Numbers of loops whose iterations overlap.
//===----------------------------------------------------------------------===//

// As wide as the fields of `rotate`, `clip` and `clamp`.
def FactISA_Positive24 : ConfinedAttr<I64Attr, [IntPositive, IntMaxValue<16777215>]>;

def FactISA_PhaseOp : Op<FactISA_Dialect, "phase", [Pure]> {
  let summary = "which slot of a ring an iteration has";
  let description = [{
    The number of the iteration of the loop that `counter` counts, less `delay`, modulo
    `slots`. A register that `rotate` moves on at the end of each iteration.

    ```mlir
    %slot = factisa.phase %row delay 1 slots 3
    ```
  }];
  let arguments = (ins Index:$counter, ConfinedAttr<I64Attr, [IntNonNegative]>:$delay,
                       FactISA_Positive24:$slots);
  let results = (outs Index:$result);
  let assemblyFormat = "$counter `delay` $delay `slots` $slots attr-dict";
  let hasVerifier = 1;
}

def FactISA_InRangeOp : Op<FactISA_Dialect, "in_range", [Pure]> {
  let summary = "0 where a number is in a range, else a row before all rows";
  let description = [{
    0 where `0 <= index < limit`, else -2^30: what an instruction does for a head that
    does not exist has no rows. The `clip` of the instruction set.

    ```mlir
    %none = factisa.in_range %head below 12
    ```
  }];
  let arguments = (ins Index:$index, FactISA_Positive24:$limit);
  let results = (outs Index:$result);
  let assemblyFormat = "$index `below` $limit attr-dict";
}

def FactISA_AtLeastOp : Op<FactISA_Dialect, "at_least", [Pure]> {
  let summary = "a number, but not below another one";
  let description = [{
    The larger one of `index` and `least`: the first key that a row's window reaches. The
    `clamp` of the instruction set.

    ```mlir
    %key = factisa.at_least 0 of %row
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative, IntMaxValue<16777215>]>:$least, Index:$index);
  let results = (outs Index:$result);
  let assemblyFormat = "$least `of` $index attr-dict";
}

#endif // FACTISA_OPS_TD
