//===- LinalgToVector.cpp - Float loops in tiles of vectors ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tiles.h"

#include "fact/Conversion/Passes.h"

namespace mlir::fact {
#define GEN_PASS_DEF_LINALGTOVECTORPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

struct LinalgToVectorPass
    : mlir::fact::impl::LinalgToVectorPassBase<LinalgToVectorPass> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    for (auto [option, value] :
         {std::pair("lanes", int64_t(lanes)), std::pair("rows", int64_t(rows)),
          std::pair("vectors", int64_t(vectors))})
      if (value < 1)
        return emitError(UnknownLoc::get(context))
               << option << " must be positive (was " << value << ")";
    return success();
  }

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops) {
      if (!hasNest(op)) {
        ++numLeft;
        continue;
      }
      emitTiles(op, {lanes, rows, vectors});
      op->erase();
      ++numDone;
    }
  }
};

} // namespace
