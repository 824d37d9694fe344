//===- Instructions.cpp - What an op of a program does to memory ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Instructions.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/ISA/Instructions.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::factisa;
using ::fact::isa::FieldInfo;
using ::fact::isa::FieldKind;
using ::fact::isa::InstructionInfo;

const InstructionInfo *factisa::instructionOf(Operation *op) {
  static const llvm::StringMap<const InstructionInfo *> table = [] {
    llvm::StringMap<const InstructionInfo *> infos;
    for (const InstructionInfo &info : ::fact::isa::instructionInfos())
      infos[info.mnemonic] = &info;
    return infos;
  }();
  if (!isa_and_nonnull<FactISADialect>(op->getDialect()))
    return nullptr;
  return table.lookup(op->getName().stripDialect());
}

SmallVector<AddressUse> factisa::addressesOf(Operation *op) {
  SmallVector<AddressUse> uses;
  const InstructionInfo *info = instructionOf(op);
  if (!info)
    return uses;
  unsigned operand = 0;
  for (const FieldInfo &field : ArrayRef(info->fields, info->numFields)) {
    bool dram = field.kind == FieldKind::Dram;
    if (!dram && field.kind != FieldKind::Sram &&
        field.kind != FieldKind::Scalar)
      continue; // an attribute
    Value value = op->getOperand(operand++);
    if (field.kind == FieldKind::Scalar ||
        bufferOf(value).getDefiningOp<NullOp>())
      continue;
    uses.push_back({value, dram, StringRef(field.access).contains('w')});
  }
  return uses;
}

Value factisa::bufferOf(Value address) {
  while (auto view = address.getDefiningOp<ViewOp>())
    address = view.getBase();
  return address;
}
