//===- AnyIteration.cpp - What an op is in all iterations alike -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AnyIteration.h"

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Target/EncodeProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::factisa;

int64_t factisa::constantPart(Value value) {
  if (APInt constant; matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  if (auto sum = value.getDefiningOp<arith::AddIOp>())
    return constantPart(sum.getLhs()) + constantPart(sum.getRhs());
  auto view = value.getDefiningOp<ViewOp>();
  if (!view)
    return 0;
  int64_t offset = view.getOffset() + constantPart(view.getBase());
  for (auto [index, stride] : llvm::zip(view.getIndices(), view.getStrides()))
    offset += constantPart(index) * stride;
  return offset;
}

::fact::isa::Instruction factisa::inAnyIteration(Operation *op) {
  SmallVector<std::optional<Resolved>> operands;
  for (Value operand : op->getOperands()) {
    if (operand.getDefiningOp<NullOp>())
      operands.push_back(std::nullopt);
    else if (isa<IndexType>(operand.getType()))
      operands.push_back(Resolved());
    else
      operands.push_back(Resolved{constantPart(operand), 0});
  }
  return makeInstruction(op, operands);
}
