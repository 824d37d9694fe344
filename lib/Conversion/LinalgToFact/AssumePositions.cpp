//===- AssumePositions.cpp - Positions that are an input ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantData.h"

#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

#include <cmath>

namespace mlir::fact {
#define GEN_PASS_DEF_ASSUMEPOSITIONSPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

/// The tensors that an op reads, also one by one in its body.
static SetVector<Value> tensorsRead(Operation *op) {
  SetVector<Value> tensors;
  auto take = [&](Value value) {
    Operation *maker = value.getDefiningOp();
    bool isInside = maker ? op->isProperAncestor(maker)
                          : value.getParentRegion()->getParentOp() == op;
    if (isa<RankedTensorType>(value.getType()) && !isInside)
      tensors.insert(value);
  };
  op->walk([&](Operation *inner) {
    if (!isa<tensor::DimOp, tensor::EmptyOp>(inner))
      llvm::for_each(inner->getOperands(), take);
  });
  return tensors;
}

/// Whether all columns of tables [.., positions, features] are cosines or
/// sines: for each there is one that completes its squares to the same number
/// at all positions.
static bool holdsAngles(ArrayRef<Value> tables) {
  struct Column {
    ConstantData data;
    int64_t first, step, rows;
    double at(int64_t row) const { return data[first + row * step]; }
  };
  std::vector<Column> columns;
  for (Value table : tables) {
    ElementsAttr attr;
    auto type = cast<RankedTensorType>(table.getType());
    if (!matchPattern(table, m_Constant(&attr)) || type.getRank() < 2)
      return false;
    std::optional<ConstantData> data = ConstantData::get(attr);
    if (!data || !type.getElementType().isF32())
      return false;
    int64_t width = type.getShape().back();
    for (int64_t i = 0; i < width; ++i)
      columns.push_back({*data, i, width, type.getNumElements() / width});
  }
  auto completes = [](const Column &a, const Column &b) {
    auto squares = [&](int64_t row) {
      return a.at(row) * a.at(row) + b.at(row) * b.at(row);
    };
    constexpr int64_t most = 64;
    double first = squares(0);
    for (int64_t row = 1; row < std::min(a.rows, most); ++row)
      if (!(std::fabs(squares(row) - first) <= 1e-3 * first))
        return false;
    return a.rows == b.rows && first > 0;
  };
  return llvm::all_of(columns, [&](const Column &column) {
    return llvm::any_of(columns, [&](const Column &other) {
      return &column != &other && completes(column, other);
    });
  });
}

namespace {

/// What becomes of one argument of integers, from op to op.
class PositionUses {
public:
  explicit PositionUses(BlockArgument argument) {
    known[argument] = Kind::Positions;
    for (Operation &op : *argument.getOwner())
      visit(&op);
  }

  /// Whether it says by which angles features are turned.
  bool turnsFeatures() const {
    return turns && (tables.empty() || holdsAngles(tables));
  }
  /// An op that reads it for something else.
  Operation *otherUse() const { return other; }

private:
  /// What a tensor is made of: nothing that an input of the model changes but
  /// by its extents, the positions, or cosines and sines of them.
  enum class Kind { Fixed, Positions, Angles };

  void visit(Operation *op) {
    Kind kind = Kind::Fixed;
    bool readsRows = false;
    for (Value tensor : tensorsRead(op)) {
      auto found = known.find(tensor);
      if (found == known.end())
        readsRows = true;
      else
        kind = std::max(kind, found->second);
    }
    if (kind == Kind::Fixed) {
      if (!readsRows)
        know(op, Kind::Fixed);
      return;
    }
    if (readsRows && kind == Kind::Angles && isProduct(op)) {
      turns = true;
      return;
    }
    bool isFollowed =
        isa<linalg::LinalgOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp,
            tensor::ExtractSliceOp, tensor::InsertSliceOp>(op);
    if (readsRows || !isFollowed) {
      other = other ? other : op;
      return;
    }
    op->walk([&](Operation *inner) {
      if (isa<math::CosOp, math::SinOp>(inner))
        kind = Kind::Angles;
      auto extract = dyn_cast<tensor::ExtractOp>(inner);
      if (!extract || known.lookup(extract.getTensor()) != Kind::Fixed)
        return;
      kind = Kind::Angles;
      if (!llvm::is_contained(tables, extract.getTensor()))
        tables.push_back(extract.getTensor());
    });
    know(op, kind);
  }

  void know(Operation *op, Kind kind) {
    for (Value result : op->getResults())
      known[result] = kind;
  }

  static bool isProduct(Operation *op) {
    if (isa<linalg::MulOp>(op))
      return true;
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic || generic.getNumParallelLoops() != generic.getNumLoops())
      return false;
    auto ops = generic.getBody()->without_terminator();
    return llvm::hasSingleElement(ops) && isa<arith::MulFOp>(*ops.begin());
  }

  DenseMap<Value, Kind> known;
  SmallVector<Value> tables; ///< picked from by the position
  bool turns = false;
  Operation *other = nullptr;
};

struct AssumePositionsPass
    : public mlir::fact::impl::AssumePositionsPassBase<AssumePositionsPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || !function.getBody().hasOneBlock())
      return;
    for (BlockArgument argument : function.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      if (!type || !type.getElementType().isSignlessInteger() ||
          type.getElementType().isInteger(1) || type.getRank() < 1 ||
          type.getRank() > 2)
        continue;
      PositionUses uses(argument);
      if (!uses.turnsFeatures())
        continue;
      if (Operation *other = uses.otherUse())
        remark::missed(other->getLoc(),
                       remark::RemarkOpts::name("PositionsNotAssumed")
                           .category("fact-assume-positions")
                           .function(function.getName()))
            << remark::reason("positions that are an input turn features, and "
                              "are read for something else, too")
            << remark::suggest("count the tokens in the model itself");
      else
        assume(function, argument);
    }
  }

private:
  void assume(func::FuncOp function, BlockArgument argument) {
    Location loc = argument.getLoc();
    auto type = cast<RankedTensorType>(argument.getType());
    OpBuilder builder = OpBuilder::atBlockBegin(argument.getOwner());
    Value empty = tensor::EmptyOp::create(
        builder, loc, tensor::getMixedSizes(builder, loc, argument),
        type.getElementType());
    AffineMap map = builder.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> loops(type.getRank(),
                                           utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        builder, loc, type, ValueRange(), empty, map, loops,
        [&](OpBuilder &inner, Location loc, ValueRange) {
          Value index = linalg::IndexOp::create(inner, loc, type.getRank() - 1);
          Value number = arith::IndexCastOp::create(
              inner, loc, type.getElementType(), index);
          linalg::YieldOp::create(inner, loc, number);
        });
    argument.replaceUsesWithIf(generic.getResult(0), [](OpOperand &use) {
      return !isa<tensor::DimOp>(use.getOwner());
    });
    function.setArgAttr(argument.getArgNumber(), kPositionsAttrName,
                        builder.getUnitAttr());
    remark::passed(loc, remark::RemarkOpts::name("PositionsAssumed")
                            .category("fact-assume-positions")
                            .function(function.getName()));
    ++numAssumed;
  }
};

} // namespace
