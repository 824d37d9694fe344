//===- FactISAOps.cpp - Ops of the factisa dialect -*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/FactISA/IR/FactISA.h"

#include "mlir/IR/Builders.h"

#define GET_OP_CLASSES
#include "fact/Dialect/FactISA/IR/FactISAOps.cpp.inc"

using namespace mlir;
using namespace mlir::factisa;

LogicalResult ViewOp::verify() {
  if (getIndices().size() != getStrides().size())
    return emitOpError() << "needs one stride per index (was " << getIndices().size() << " indices and "
                         << getStrides().size() << " strides)";
  return success();
}
