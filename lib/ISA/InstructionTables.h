//===- InstructionTables.h - What generated code gives to this library ----===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_INSTRUCTIONTABLES_H
#define FACT_LIB_ISA_INSTRUCTIONTABLES_H

#include "fact/ISA/Instructions.h"

namespace fact::isa {

/// An instruction of that opcode with its default fields; false if there is
/// none.
bool makeDefault(uint8_t opcode, Instruction &result);

} // namespace fact::isa

#endif // FACT_LIB_ISA_INSTRUCTIONTABLES_H
