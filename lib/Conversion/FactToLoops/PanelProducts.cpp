//===- PanelProducts.cpp - Linear layers on the rows of a panel -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What follows a product element by element is computed while the sums are
// there.
//
//===----------------------------------------------------------------------===//

#include "PanelProduct.h"
#include "Rules.h"

#include "fact/Numerics/FloatRules.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;
namespace numerics = ::fact::numerics;
using Predicate = arith::CmpIPredicate;

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

static int64_t lanesOfEach(ArrayRef<Value> rows, Value sums) {
  return cast<VectorType>(sums.getType()).getDimSize(0) /
         static_cast<int64_t>(rows.size());
}

Value PanelLoops::chainOf(Value result, SmallVectorImpl<Operation *> &chain) {
  while (result.hasOneUse() && !outputs.contains(result)) {
    Operation *user = *result.getUsers().begin();
    if (!isInside(user) || !isa<ActivationOp, AddOp, MultiplyOp>(user))
      break;
    // What else it reads must be there by now.
    bool isReady = llvm::all_of(user->getOperands(), [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      return operand == result || !source || !isInside(source) ||
             emitted.contains(source);
    });
    if (!isReady)
      break;
    chain.push_back(user);
    absorbed.insert(user);
    emitted.insert(user);
    result = user->getResult(0);
  }
  return result;
}

ListedRows PanelLoops::listRows(Value count,
                                llvm::function_ref<Value(Value)> keeps) {
  Value memory = scratch(e.b.getIndexType(), tier.panelRows + 1);
  Value listed = e.forReduce(
      e.index(0), count, 1, e.index(0), [&](Value row, ValueRange carried) {
        e.store(row, memory, carried[0]);
        Value one = arith::ExtUIOp::create(e.b, e.i64, keeps(row));
        return SmallVector<Value>{e.add(carried[0], e.toIndex(one))};
      })[0];
  return {listed, memory};
}

void PanelLoops::product(QuantizedLinearOp op) {
  int64_t k = cast<ShapedType>(op.getWeight().getType()).getDimSize(0),
          n = cast<ShapedType>(op.getWeight().getType()).getDimSize(1);
  Location loc = op.getLoc();
  CodesAt input = codesOf(op.getInput());
  RowsAt scale = rowsOf(op.getScale());
  Value weightScale = e.flat(op.getWeightScale()), bias = e.flat(op.getBias());
  SmallVector<Operation *> chain;
  Value last = chainOf(op.getResult(), chain);
  RowsAt y = rowsOf(last);
  Value maxima = makeMaxima(last);
  bool split = op.getLow() && *op.getPrecision() == LowPrecision::A4W4;
  // Heads of which not all rows are wanted: each on its own where its columns
  // are whole groups.
  int64_t heads =
      op.getRows() ? cast<ShapedType>(op.getRows().getType()).getDimSize(0) : 1;
  bool byHead =
      op.getRows() && tier.dot != Dot::Tile && n / heads % groupColumns == 0;
  PackedWeight weight = weights.pack(op.getWeight());

  auto apply = [&](bool isHigh) {
    return [&, isHigh](ArrayRef<Value> rows, Value column, int64_t width,
                       Value sums) {
      e.b.setLoc(loc);
      int64_t n = lanesOfEach(rows, sums);
      auto ofColumns = [&](Value memory) {
        Value once = e.loadLanes(memory, column, n, width);
        return e.f32(e.join(SmallVector<Value>(rows.size(), once)));
      };
      auto ofRows = [&](llvm::function_ref<Value(Value)> of) {
        return e.f32(e.join(llvm::map_to_vector(rows, of)));
      };
      Real channelScale = ofColumns(weightScale);
      if (isHigh)
        channelScale = splat(channelScale, 16.0f) * channelScale;
      Real rowScale = ofRows([&](Value row) {
        return e.splatValue(e.load(scale.memory, scale.at(e, row)), n);
      });
      Real value =
          numerics::rescale(fromInteger(e.real, sums), channelScale, rowScale);
      if (bias)
        value = value + ofColumns(bias);
      Value current = op.getResult();
      for (Operation *each : chain) {
        e.b.setLoc(each->getLoc());
        if (auto activation = dyn_cast<ActivationOp>(each)) {
          value = activate(activation.getKind(), value);
        } else {
          bool isFirst = each->getOperand(0) == current;
          RowsAt others = rowsOf(each->getOperand(isFirst ? 1 : 0));
          Real other = ofRows([&](Value row) {
            return e.loadLanes(others.memory, e.add(others.at(e, row), column),
                               n, width);
          });
          const Real &lhs = isFirst ? value : other,
                     &rhs = isFirst ? other : value;
          value = isa<AddOp>(each) ? lhs + rhs : lhs * rhs;
        }
        current = each->getResult(0);
      }
      for (auto [i, row] : llvm::enumerate(rows)) {
        Real ofRow = e.f32(e.slice(value, static_cast<int64_t>(i) * n, n));
        e.storeChunk(ofRow, y.memory, e.add(y.at(e, row), column), width);
        raiseMaxima(maxima, row, ofRow, width);
      }
    };
  };

  SmallVector<Operation *> ops = {op};
  llvm::append_range(ops, chain);
  bool isLong = llvm::any_of(chain, llvm::IsaPred<ActivationOp>);
  e.part("product", ops, [&] {
    clearMaxima(maxima);
    auto ofHead = [&](Value head, int64_t columns) {
      SmallVector<PanelProduct::Rows, 2> sets;
      for (bool isHigh : {false, true}) {
        if (isHigh && !split)
          continue;
        ListedRows rows{panelSize, {}};
        if (byHead || split)
          rows = listRows(panelSize, [&](Value row) {
            Value keeps = e.integer(e.i1, 1);
            if (byHead) {
              RowsAt named = headRowsOf(op.getRows());
              keeps = e.load(named.memory, named.at(e, head, row));
            }
            if (!split)
              return keeps;
            RowsAt low = rowsOf(op.getLow());
            Value wanted = arith::CmpIOp::create(
                e.b, Predicate::eq, e.load(low.memory, low.at(e, row)),
                e.integer(e.i1, isHigh));
            return arith::AndIOp::create(e.b, keeps, wanted).getResult();
          });
        sets.push_back({rows, isHigh, apply(isHigh)});
      }
      int64_t groups = (columns + groupColumns - 1) / groupColumns;
      multiply({input, k, weight, e.mul(head, columns / groupColumns), groups,
                columns - (groups - 1) * groupColumns, isLong, sets});
    };
    if (byHead)
      e.forRange(e.index(heads), [&](Value head) { ofHead(head, n / heads); });
    else
      ofHead(e.index(0), n);
  });
}

void PanelLoops::product(LogMatmulOp op) {
  int64_t k = cast<ShapedType>(op.getWeight().getType()).getDimSize(0),
          n = cast<ShapedType>(op.getWeight().getType()).getDimSize(1);
  CodesAt input = codesOf(op.getInput());
  Value bias = e.flat(op.getBias());
  RowsAt y = rowsOf(op.getResult());
  std::optional<RowsAt> scale;
  if (bias)
    scale = rowsOf(op.getScale());
  PackedWeight weight = weights.pack(op.getWeight());
  auto use = [&](ArrayRef<Value> rows, Value column, int64_t width,
                 Value sums) {
    int64_t n = lanesOfEach(rows, sums);
    for (auto [i, row] : llvm::enumerate(rows)) {
      Value ofRow = e.slice(sums, static_cast<int64_t>(i) * n, n);
      if (bias) {
        // Lanes past the row divide 0, not garbage.
        Real term = numerics::predictorBiasOfRow(
            e.f32(e.loadLanes(bias, column, n, width)),
            e.splatReal(e.load(scale->memory, scale->at(e, row)), n));
        ofRow = arith::AddIOp::create(e.b, ofRow, toInteger(term, e.i32));
      }
      e.storeChunk(ofRow, y.memory, e.add(y.at(e, row), column), width);
    }
  };
  int64_t groups = (n + groupColumns - 1) / groupColumns;
  e.part("product", op.getOperation(), [&] {
    multiply({input,
              k,
              weight,
              e.index(0),
              groups,
              n - (groups - 1) * groupColumns,
              /*isLong=*/false,
              {{ListedRows{panelSize, {}}, /*isHigh=*/false, use}}});
  });
}
