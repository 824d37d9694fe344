//===- AssumePositions.cpp - Positions that are an input ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Analysis.h"
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
/// at some positions, which are taken from the whole table, and at position 0
/// their angle is 0.
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
    if (a.rows != b.rows || a.rows == 0)
      return false;
    constexpr int64_t most = 64;
    double first = squares(0);
    if (a.at(0) != 0 && b.at(0) != 0)
      return false;
    for (int64_t i = 1, e = std::min(a.rows, most); i < e; ++i)
      if (int64_t row = i * (a.rows - 1) / (e - 1);
          !(std::fabs(squares(row) - first) <= 1e-3 * first))
        return false;
    return first > 0;
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

  /// Why it is not taken to count the tokens; empty where it is. Only where it
  /// says by which numbers features are multiplied.
  Miss why(bool hasPast) const {
    if (hasPast)
      return {"positions that are an input are behind those of a past",
              "give arrays without elements for the past"};
    if (other)
      return {"positions that are an input turn features, and are read for "
              "something else, too",
              "count the tokens in the model itself"};
    if (!tables.empty() && !holdsAngles(tables))
      return {"numbers that an input picks from a table multiply features, and "
              "the table is not one of cosines and sines",
              "count the tokens in the model itself"};
    return {};
  }
  bool multipliesFeatures() const { return turns; }
  /// Where that is.
  Operation *place() const { return other ? other : turns; }

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
      turns = op;
      return;
    }
    if (readsRows || !keepsTokens(op)) {
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

  /// Whether each element of the result is of one token: elements are moved
  /// about, repeated, or computed each by itself; a sum has one term.
  static bool keepsTokens(Operation *op) {
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp,
            tensor::ExtractSliceOp, tensor::InsertSliceOp>(op))
      return true;
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if (!linalgOp)
      return false;
    SmallVector<int64_t> extents = linalgOp.getStaticLoopRanges();
    return llvm::all_of(
        llvm::zip_equal(extents, linalgOp.getIteratorTypesArray()),
        [](auto loop) {
          return std::get<1>(loop) == utils::IteratorType::parallel ||
                 std::get<0>(loop) == 1;
        });
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
  SmallVector<Value> tables;  ///< picked from by the position
  Operation *turns = nullptr; ///< One that multiplies features.
  Operation *other = nullptr;
};

struct AssumePositionsPass
    : public mlir::fact::impl::AssumePositionsPassBase<AssumePositionsPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || !function.getBody().hasOneBlock())
      return;
    bool hasPast = llvm::any_of(function.getArgumentTypes(), isPast);
    for (BlockArgument argument : function.getArguments()) {
      if (!mayCountTokens(argument.getType()))
        continue;
      PositionUses uses(argument);
      // Ids are read for something else, and multiply nothing by angles.
      if (!uses.multipliesFeatures())
        continue;
      if (Miss miss = uses.why(hasPast)) {
        remark::missed(uses.place()->getLoc(),
                       remark::RemarkOpts::name("PositionsNotAssumed")
                           .category("fact-assume-positions")
                           .function(function.getName()))
            << remark::reason("{0}", miss.reason)
            << remark::suggest("{0}", miss.suggestion);
        ++numMissed;
        continue;
      }
      assume(function, argument);
    }
  }

private:
  /// Keys or values of tokens before the sequence, [.., heads, tokens, size].
  static bool isPast(Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getElementType().isF32() && tensor.getRank() >= 4 &&
           !llvm::is_contained(tensor.getShape(), 0);
  }

  /// Integers [tokens] or [1, tokens], of one sequence. A single one may be a
  /// later token's, or a number of the whole sequence.
  static bool mayCountTokens(Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getElementType().isSignlessInteger() &&
           !tensor.getElementType().isInteger(1) && tensor.getRank() >= 1 &&
           tensor.getRank() <= 2 && tensor.getShape().back() != 1 &&
           (tensor.getRank() == 1 || tensor.getDimSize(0) == 1);
  }

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
