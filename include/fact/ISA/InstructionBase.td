//===- InstructionBase.td - How an instruction is described ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// An instruction is one record that is read twice: by mlir-tblgen as an op of
// the `factisa` dialect, and by fact-tblgen, which generates the C++ struct,
// encoder, decoder, assembler, disassembler, effect sets, dispatch and manual.
//
// Every entry of `fields` (and of `arguments`) is a field of the instruction, in encoding order.
// In the binary an instruction is one opcode byte, then its fields bit-packed in
// order, padded with zero bits to whole 64-bit words. In the IR, addresses and
// scalars are SSA values, everything else is an attribute.

#ifndef FACT_ISA_INSTRUCTIONBASE_TD
#define FACT_ISA_INSTRUCTIONBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Dialect and operand types
//===----------------------------------------------------------------------===//

def FactISA_Dialect : Dialect {
  let name = "factisa";
  let cppNamespace = "::mlir::factisa";
  let summary = "instructions of a FACT accelerator on SSA buffers";
  let description = [{
    One op per instruction (generated from the same records as encoder, decoder and
    manual), plus the few ops that give names to memory: `factisa.sram`,
    `factisa.dram`, `factisa.view` and `factisa.null`. Loops are `scf.for`, scalar
    registers are `index` values. Addresses appear only after planning, waits
    and signals after that.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

class FactISA_Type<string name, string typeMnemonic> : TypeDef<FactISA_Dialect, name> {
  let mnemonic = typeMnemonic;
}
def FactISA_Sram : FactISA_Type<"Sram", "sram"> {
  let summary = "address in the scratchpad";
  let description = [{ An SSA name of bytes in the scratchpad; placed by the planner. }];
}
def FactISA_Dram : FactISA_Type<"Dram", "dram"> {
  let summary = "address in DRAM";
  let description = [{ An SSA name of bytes in DRAM: inputs, outputs, constants, scratch. }];
}

//===----------------------------------------------------------------------===//
// Engines
//===----------------------------------------------------------------------===//

class Engine<string engineName, int engineId, string engineText> {
  string name = engineName;
  int id = engineId;
  string text = engineText;
}
def CTRL  : Engine<"CTRL", 0, "control processor: walks the instruction stream, executes loops and scalar instructions, dispatches to queues">;
def LOAD  : Engine<"LOAD", 1, "DMA from DRAM to the scratchpad">;
def STORE : Engine<"STORE", 2, "DMA from the scratchpad to DRAM">;
def EP    : Engine<"EP", 3, "eager prediction: leading-one detectors and add lanes">;
def SEL   : Engine<"SEL", 4, "top-k, column masks, dominance, importance, index lists">;
def PE    : Engine<"PE", 5, "multiplier array">;
def APU   : Engine<"APU", 6, "float32 lanes: everything else">;

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

// What a field is; fact-tblgen dispatches on `kind`.
class Field<string fieldKind, int fieldBits> {
  string kind = fieldKind;
  int width = fieldBits;
}

// A scratchpad operand: byte address = 24-bit immediate + scalar register (6 bits).
// `access` is "r", "w" or "rw". `bytes` is a C++ expression over the resolved values
// of the other fields (see Instructions.td): an upper bound of what is touched from
// the address on. The simulator touches memory only through views of this size.
// `readIf` is such an expression, too, for an operand that is read only then (and
// always written).
class SramField<string fieldAccess, string fieldBytes, bit isOptional, string fieldReadIf>
    : TypeConstraint<CPred<"::llvm::isa<::mlir::factisa::SramType>($_self)">, "scratchpad address", "::mlir::factisa::SramType">,
      BuildableType<"$_builder.getType<::mlir::factisa::SramType>()">,
      Field<"sram", 31> { // imm:24, reg:6, present:1
  string access = fieldAccess;
  string bytes = fieldBytes;
  bit optional = isOptional; // an absent operand is `factisa.null` in the IR
  string readIf = fieldReadIf;
}
class Sram<string access, string bytes, string readIf = ""> : SramField<access, bytes, 0, readIf>;
class OptSram<string access, string bytes, string readIf = ""> : SramField<access, bytes, 1, readIf>;

// A DRAM operand: byte address = 40-bit immediate + scalar register (6 bits).
class Dram<string fieldAccess, string fieldBytes>
    : TypeConstraint<CPred<"::llvm::isa<::mlir::factisa::DramType>($_self)">, "DRAM address", "::mlir::factisa::DramType">,
      BuildableType<"$_builder.getType<::mlir::factisa::DramType>()">,
      Field<"dram", 46> {
  string access = fieldAccess;
  string bytes = fieldBytes;
}

// A scalar operand: 24-bit immediate + scalar register (6 bits, register 0 is 0).
def Scalar
    : TypeConstraint<CPred<"::llvm::isa<::mlir::IndexType>($_self)">, "index", "::mlir::IndexType">,
      BuildableType<"$_builder.getIndexType()">,
      Field<"scalar", 30>;

// An unsigned immediate.
class Imm<int fieldBits>
    : ConfinedAttr<I64Attr, [IntNonNegative, IntMaxValue<!sub(!shl(1, fieldBits), 1)>]>, Field<"imm", fieldBits>;
// A signed immediate.
class SImm<int fieldBits> : ConfinedAttr<I64Attr, [
      IntMinValue<!sub(0, !shl(1, !sub(fieldBits, 1)))>,
      IntMaxValue<!sub(!shl(1, !sub(fieldBits, 1)), 1)>]>, Field<"simm", fieldBits>;
// A float32 immediate, by its bits; finite.
def FloatImm : ConfinedAttr<F32Attr, [AttrConstraint<CPred<"::llvm::cast<::mlir::FloatAttr>($_self).getValue().isFinite()">, "finite">]>,
                 Field<"float", 32>;
// One bit.
class UnitAttrBase : Attr<CPred<"::llvm::isa<::mlir::UnitAttr>($_self)">, "unit attribute"> {
  let storageType = [{ ::mlir::UnitAttr }];
  let constBuilderCall = "(($0) ? $_builder.getUnitAttr() : nullptr)";
  let convertFromStorage = "$_self != nullptr";
  let returnType = "bool";
  let defaultValue = "false";
  let valueType = NoneType;
  let isOptional = 1;
}
def Flag : UnitAttrBase, Field<"flag", 1>;
// A set of engines: those whose token an instruction waits for, or that it gives one
// to. Never its own. Bit e - 1 is engine e.
def EngineSet : DefaultValuedAttr<ConfinedAttr<I64Attr, [IntNonNegative, IntMaxValue<63>]>, "0">, Field<"engines", 6>;
// An enumeration; its cases are those of an EnumAttr of the dialect.
class EnumField<EnumAttrInfo info, int fieldBits> : EnumAttr<FactISA_Dialect, info, "">, Field<"enum", fieldBits>;

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

class Instruction<string mnemonic, int instructionOpcode, Engine instructionEngine, list<Trait> traits = []>
    : Op<FactISA_Dialect, mnemonic, traits # [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  int opcode = instructionOpcode;
  Engine engine = instructionEngine;
  // In encoding order.
  dag fields = (ins);
  let arguments = fields;
  // Of all instructions, like a line of a listing.
  let hasCustomAssemblyFormat = 1;
  // Of all instructions, by the accesses that the records declare.
  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser,
                                         ::mlir::OperationState &result) {
      return ::mlir::factisa::parseInstruction(parser, result);
    }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) {
      ::mlir::factisa::printInstruction(getOperation(), printer);
    }
    void $cppClass::getEffects(
        ::llvm::SmallVectorImpl<::mlir::MemoryEffects::EffectInstance> &effects) {
      ::mlir::factisa::instructionEffects(getOperation(), effects);
    }
  }];
}

// An instruction of an engine with work to do. It begins when there is a token of each
// engine in `wait`, and takes them; when it and all earlier ones of its engine are done,
// each engine in `signal` gets one.
class EngineInstruction<string mnemonic, int opcode, Engine engine>
    : Instruction<mnemonic, opcode, engine> {
  let arguments = !con(fields, (ins EngineSet:$wait, EngineSet:$signal));
}

#endif // FACT_ISA_INSTRUCTIONBASE_TD
