//===- FlattenConstants.cpp - Constants with one dimension ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace mlir::fact {
#define GEN_PASS_DEF_FLATTENCONSTANTSPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

/// The same elements as one dimension; null where nothing is to be done.
static ElementsAttr flatten(memref::GlobalOp global) {
  Attribute value = global.getInitialValueAttr();
  MemRefType type = global.getType();
  if (type.getRank() < 2 || !type.getLayout().isIdentity())
    return {};
  auto flat =
      RankedTensorType::get(type.getNumElements(), type.getElementType());
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(value))
    return dense.reshape(flat);
  if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value))
    return DenseResourceElementsAttr::get(flat, resource.getRawHandle());
  return {};
}

namespace {

struct FlattenConstantsPass
    : mlir::fact::impl::FlattenConstantsPassBase<FlattenConstantsPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    DenseMap<StringAttr, MemRefType> flattened;
    for (auto global : module.getOps<memref::GlobalOp>()) {
      ElementsAttr value = flatten(global);
      if (!value)
        continue;
      auto type = MemRefType::get(cast<ShapedType>(value.getType()).getShape(),
                                  global.getType().getElementType(),
                                  MemRefLayoutAttrInterface(),
                                  global.getType().getMemorySpace());
      global.setInitialValueAttr(value);
      global.setType(type);
      flattened[global.getSymNameAttr()] = type;
      ++numFlattened;
    }
    module.walk([&](memref::GetGlobalOp op) {
      auto found = flattened.find(op.getNameAttr().getAttr());
      if (found == flattened.end())
        return;
      OpBuilder builder(op);
      MemRefType type = op.getType();
      Value flat = memref::GetGlobalOp::create(builder, op.getLoc(),
                                               found->second, op.getName());
      ReassociationIndices all =
          llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
      op.replaceAllUsesWith(
          memref::ExpandShapeOp::create(builder, op.getLoc(), type, flat,
                                        ArrayRef<ReassociationIndices>{all})
              .getResult());
      op.erase();
    });
  }
};

} // namespace
