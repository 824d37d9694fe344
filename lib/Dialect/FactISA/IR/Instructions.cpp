//===- Instructions.cpp - What an op of a program does to memory ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/FactISA/IR/Instructions.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/ISA/Instructions.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::factisa;
using ::fact::isa::FieldInfo;
using ::fact::isa::FieldKind;
using ::fact::isa::InstructionInfo;

/// An empty instruction of every kind, by mnemonic.
template <size_t... I>
static llvm::StringMap<::fact::isa::Instruction>
makePrototypes(std::index_sequence<I...>) {
  using ::fact::isa::Instruction;
  llvm::StringMap<Instruction> prototypes;
  ((prototypes[::fact::isa::mnemonic(
        Instruction(std::variant_alternative_t<I, Instruction>()))] =
        std::variant_alternative_t<I, Instruction>()),
   ...);
  return prototypes;
}

const ::fact::isa::Instruction *factisa::emptyInstruction(OperationName name) {
  static const auto prototypes =
      makePrototypes(std::make_index_sequence<
                     std::variant_size_v<::fact::isa::Instruction>>());
  if (name.getDialectNamespace() != FactISADialect::getDialectNamespace())
    return nullptr;
  auto it = prototypes.find(name.stripDialect());
  return it == prototypes.end() ? nullptr : &it->second;
}

const InstructionInfo *factisa::instructionOf(Operation *op) {
  const ::fact::isa::Instruction *empty = emptyInstruction(op->getName());
  return empty ? &::fact::isa::info(*empty) : nullptr;
}

SmallVector<AddressUse> factisa::addressesOf(Operation *op) {
  SmallVector<AddressUse> uses;
  const InstructionInfo *info = instructionOf(op);
  if (!info)
    return uses;
  unsigned operand = 0;
  for (const FieldInfo &field : ArrayRef(info->fields, info->numFields)) {
    if (!::fact::isa::isOperand(field.kind))
      continue; // an attribute
    bool dram = field.kind == FieldKind::Dram;
    OpOperand &use = op->getOpOperand(operand++);
    if (field.kind == FieldKind::Scalar ||
        bufferOf(use.get()).getDefiningOp<NullOp>())
      continue;
    StringRef access(field.access);
    uses.push_back(
        {&use, &field, dram, access.contains('r'), access.contains('w')});
  }
  return uses;
}

Value factisa::bufferOf(Value address) {
  while (auto view = address.getDefiningOp<ViewOp>())
    address = view.getBase();
  return address;
}

/// Whether the planner has placed what a value points into.
static bool isPlanned(Value address) {
  Operation *buffer = factisa::bufferOf(address).getDefiningOp();
  if (auto sram = dyn_cast_or_null<SramBufferOp>(buffer))
    return sram.getAddress().has_value();
  if (auto dram = dyn_cast_or_null<DramBufferOp>(buffer))
    return dram.getAddress().has_value();
  return true; // unknown: it may be anywhere
}

void factisa::instructionEffects(
    Operation *op, SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  SideEffects::Resource *memories[] = {ScratchpadResource::get(),
                                       DramResource::get()};
  const InstructionInfo *info = instructionOf(op);
  if (!info || info->engine == ::fact::isa::Engine::CTRL) {
    for (SideEffects::Resource *resource :
         {memories[0], memories[1],
          static_cast<SideEffects::Resource *>(
              SideEffects::DefaultResource::get())}) {
      effects.emplace_back(MemoryEffects::Read::get(), resource);
      effects.emplace_back(MemoryEffects::Write::get(), resource);
    }
    return;
  }
  for (const AddressUse &use : addressesOf(op)) {
    SideEffects::Resource *resource = memories[use.dram];
    auto add = [&](MemoryEffects::Effect *effect) {
      if (isPlanned(use.address()))
        effects.emplace_back(effect, resource);
      else
        effects.emplace_back(effect, use.operand, resource);
    };
    if (use.read)
      add(MemoryEffects::Read::get());
    if (use.write)
      add(MemoryEffects::Write::get());
  }
}
