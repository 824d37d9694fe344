//===- CheckProgram.cpp - Writers before readers, as diagnostics ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Target/CheckProgram.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/IR/Instructions.h"

#include <exception>

using namespace mlir;
using namespace mlir::factisa;
namespace target = ::fact::isa;

/// The buffer that a field of an instruction is in; null where it is none.
static Operation *bufferOfField(Operation *op,
                                const target::Instruction &instruction,
                                unsigned field) {
  const target::InstructionInfo &info = target::info(instruction);
  unsigned operand = 0;
  for (unsigned i = 0; i < field; ++i)
    operand += target::isOperand(info.fields[i].kind);
  if (operand >= op->getNumOperands())
    return nullptr;
  return bufferOf(op->getOperand(operand)).getDefiningOp();
}

static void report(const target::Fault &fault, const target::Program &program,
                   const ProgramPlaces &places) {
  Operation *op = places.function;
  if (fault.instruction)
    op = places.instructions[*fault.instruction];
  else if (fault.output)
    op = places.outputs[*fault.output];
  InFlightDiagnostic diagnostic = op->emitOpError() << fault.reason;
  if (fault.instruction && fault.field)
    if (Operation *buffer = bufferOfField(
            op, program.instructions[*fault.instruction], *fault.field)) {
      std::optional<int64_t> address;
      Diagnostic &note = diagnostic.attachNote(buffer->getLoc());
      if (auto sram = dyn_cast<SramBufferOp>(buffer)) {
        note << "buffer '" << sram.getLabel() << "' of " << sram.getBytes()
             << " bytes";
        address = sram.getAddress();
      } else if (auto dram = dyn_cast<DramBufferOp>(buffer)) {
        note << "buffer '" << dram.getLabel() << "' of " << dram.getBytes()
             << " bytes";
        address = dram.getAddress();
      }
      if (address)
        note << " at " << *address;
    }
  if (fault.other)
    diagnostic.attachNote(places.instructions[*fault.other]->getLoc())
        << fault.note;
}

LogicalResult factisa::checkProgram(const target::Program &program,
                                    const ProgramPlaces &places,
                                    target::CheckCounts *counts) {
  try {
    target::Code code(program);
    std::optional<target::Fault> fault =
        target::checkProgram(code, places.starts, counts);
    if (!fault)
      return success();
    report(*fault, program, places);
  } catch (const std::exception &error) {
    places.function->emitError() << error.what();
  }
  return failure();
}
