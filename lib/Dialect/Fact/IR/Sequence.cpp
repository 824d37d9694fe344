//===- Sequence.cpp - How long a model's sequence may be ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Sequence.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Numerics/Limits.h"

using namespace mlir;

unsigned mlir::fact::sequenceDim(ShapedType type) {
  int64_t rank = type.getRank();
  if (rank < 3)
    return 0;
  bool isFirst =
      rank == 3 && type.getDimSize(1) == 1 && type.getDimSize(0) != 1;
  return isFirst ? 0 : rank - 2;
}

int64_t mlir::fact::sequenceBound(func::FuncOp function,
                                  BlockArgument argument) {
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (!type || type.getRank() < 2)
    return 0;
  if (auto bound = function.getArgAttrOfType<IntegerAttr>(
          argument.getArgNumber(), kBoundAttrName))
    return bound.getInt();
  int64_t tokens = type.getDimSize(sequenceDim(type));
  return ShapedType::isDynamic(tokens) ? 0 : tokens;
}

LogicalResult mlir::fact::verifySequenceLength(func::FuncOp function) {
  int64_t longest = ::fact::numerics::longestSequence;
  for (BlockArgument argument : function.getArguments()) {
    int64_t tokens = sequenceBound(function, argument);
    if (tokens <= longest)
      continue;
    InFlightDiagnostic diagnostic = function.emitError()
                                    << "the sequence of '" << function.getName()
                                    << "' may have at most " << longest
                                    << " tokens (was " << tokens << ")";
    diagnostic.attachNote(argument.getLoc()) << "by this argument";
    return diagnostic;
  }
  return success();
}
