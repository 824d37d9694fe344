//===- EntryLength.cpp - The sequence lengths that a function serves ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/FactToLoops/EntryPoint.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Sequence.h"
#include "fact/Numerics/Policy.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::fact;

EntryLength mlir::fact::entryLength(func::FuncOp main) {
  EntryLength length{1, ::fact::numerics::longestSequence};
  bool isOpen = false;
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto type = dyn_cast<ShapedType>(main.getArgument(i).getType());
    isOpen |= type && type.hasRank() && !type.hasStaticShape();
    if (auto bound = main.getArgAttrOfType<IntegerAttr>(i, kBoundAttrName))
      length.largest = std::min(length.largest, bound.getInt());
  }
  if (isOpen)
    return length;
  for (Type type : main.getArgumentTypes())
    if (auto shaped = dyn_cast<ShapedType>(type);
        shaped && shaped.hasRank() && shaped.getRank() >= 2) {
      int64_t rows = shaped.getDimSize(sequenceDim(shaped));
      return {rows, rows};
    }
  return {1, 1}; // no rows at all
}
