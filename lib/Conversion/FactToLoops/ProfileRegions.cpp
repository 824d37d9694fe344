//===- ProfileRegions.cpp - Calls that say where time goes ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProfileRegions.h"

#include "fact/Dialect/Fact/IR/Fact.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

void ProfileRegions::call(OpBuilder &b, Location loc, StringRef name,
                          ValueRange arguments) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    function = func::FuncOp::create(
        b, module.getLoc(), name,
        b.getFunctionType(TypeRange(arguments), TypeRange()));
    function.setPrivate();
  }
  func::CallOp::create(b, loc, function, arguments);
}

void ProfileRegions::enter(OpBuilder &b, Location source, StringRef name,
                           ArrayRef<StringRef> ops) {
  SmallVector<Attribute> regions;
  if (auto known = module->getAttrOfType<ArrayAttr>(kProfileRegionsAttrName))
    regions.assign(known.begin(), known.end());
  Value number = arith::ConstantIntOp::create(
      b, source, b.getI64Type(), static_cast<int64_t>(regions.size()));
  regions.push_back(
      b.getDictionaryAttr({b.getNamedAttr("name", b.getStringAttr(name)),
                           b.getNamedAttr("ops", b.getStrArrayAttr(ops)),
                           b.getNamedAttr("source", LocationAttr(source))}));
  module->setAttr(kProfileRegionsAttrName, b.getArrayAttr(regions));
  call(b, source, profileEnterName, number);
}

void ProfileRegions::leave(OpBuilder &b, Location loc) {
  call(b, loc, profileLeaveName, {});
}

void ProfileRegions::work(OpBuilder &b, Location loc, Value multiplications,
                          Value bytes) {
  auto wide = [&](Value value) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
  };
  call(b, loc, profileWorkName, {wide(multiplications), wide(bytes)});
}
