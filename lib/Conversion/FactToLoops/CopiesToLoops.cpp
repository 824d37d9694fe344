//===- CopiesToLoops.cpp - Copies of buffers with strides -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"

namespace mlir::fact {
#define GEN_PASS_DEF_COPIESTOLOOPSPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

/// Whether a copy of such buffers is one of bytes: what LLVM makes a memcpy of.
static bool isDense(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  return type && (type.getLayout().isIdentity() ||
                  memref::isStaticShapeAndContiguousRowMajor(type));
}

namespace {

struct CopiesToLoopsPass
    : mlir::fact::impl::CopiesToLoopsPassBase<CopiesToLoopsPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation()->walk([](memref::CopyOp op) {
      if (isDense(op.getSource()) && isDense(op.getTarget()))
        return;
      OpBuilder builder(op);
      linalg::makeMemRefCopyOp(builder, op.getLoc(), op.getSource(),
                               op.getTarget());
      op.erase();
    });
  }
};

} // namespace
