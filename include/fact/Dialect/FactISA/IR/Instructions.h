//===- Instructions.h - What an op of a program does to memory ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACTISA_IR_INSTRUCTIONS_H
#define FACT_DIALECT_FACTISA_IR_INSTRUCTIONS_H

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/ISA/Instructions.h"

#include "mlir/IR/Operation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::factisa {

/// The memories that effects are on.
struct ScratchpadResource : SideEffects::Resource::Base<ScratchpadResource> {
  StringRef getName() final { return "scratchpad"; }
};
struct DramResource : SideEffects::Resource::Base<DramResource> {
  StringRef getName() final { return "dram"; }
};

/// The instruction of that name with no fields set; null for ops that only name
/// memory or numbers, and for those of other dialects.
const ::fact::isa::Instruction *emptyInstruction(OperationName name);

/// The description of an instruction; null for ops that only name memory or
/// numbers, and for those of other dialects.
const ::fact::isa::InstructionInfo *instructionOf(Operation *op);

/// An operand that is an address, and whether the instruction reads and writes
/// there, as its record says. Both is also what is read under a condition.
struct AddressUse {
  OpOperand *operand;
  const ::fact::isa::FieldInfo *field;
  bool dram, read, write;

  Value address() const { return operand->get(); }
};

/// The addresses of an instruction that are there; none for any other op.
SmallVector<AddressUse> addressesOf(Operation *op);

/// What an instruction may touch, as generic passes ask for it: reads and
/// writes of the scratchpad and of DRAM, each at its operand as long as
/// addresses are not planned (then two buffers may share bytes). `wait` and
/// `signal` read and write everything: nothing moves across them.
void instructionEffects(
    Operation *op, SmallVectorImpl<MemoryEffects::EffectInstance> &effects);

/// The assembly of an instruction: its fields in the order of the record, as
/// `name=value` and flags that are set by their name, then attributes that are
/// no fields. Fields may be read in any order; what is wrong with one is said
/// at its place.
ParseResult parseInstruction(OpAsmParser &parser, OperationState &result);
void printInstruction(Operation *op, OpAsmPrinter &printer);

/// The attribute of a field that is one of fact/ISA's enumerations, which are
/// made from the same records as the dialect's.
template <typename EnumT> struct FieldAttrOf;
template <> struct FieldAttrOf<::fact::isa::Predictor> {
  using type = PredictorAttr;
};
template <> struct FieldAttrOf<::fact::isa::Operand> {
  using type = OperandAttr;
};
template <> struct FieldAttrOf<::fact::isa::Precision> {
  using type = PrecisionAttr;
};
template <> struct FieldAttrOf<::fact::isa::Activation> {
  using type = ActivationAttr;
};
template <> struct FieldAttrOf<::fact::isa::OptActivation> {
  using type = OptActivationAttr;
};
template <> struct FieldAttrOf<::fact::isa::Norm> {
  using type = NormAttr;
};
template <> struct FieldAttrOf<::fact::isa::RotaryStyle> {
  using type = RotaryStyleAttr;
};
template <> struct FieldAttrOf<::fact::isa::EngineId> {
  using type = EngineIdAttr;
};
template <> struct FieldAttrOf<::fact::isa::Role> {
  using type = RoleAttr;
};
template <typename EnumT> using FieldAttr = typename FieldAttrOf<EnumT>::type;

/// A role in the enumeration of fact/ISA, which is made from the same record.
inline ::fact::isa::Role isaOf(Role role) {
  return static_cast<::fact::isa::Role>(role);
}

/// The buffer that an address is in: what the views are of.
Value bufferOf(Value address);

} // namespace mlir::factisa

#endif // FACT_DIALECT_FACTISA_IR_INSTRUCTIONS_H
