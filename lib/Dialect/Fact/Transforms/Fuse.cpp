//===- Fuse.cpp - Generates only the rows that attention reads ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Remarks.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"

#include "fact/Dialect/Fact/IR/Values.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::fact {
#define GEN_PASS_DEF_FUSEPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

/// The row masks of one attention, made when first asked for.
class Demand {
public:
  explicit Demand(QuantizedAttentionOp op) : op(op), builder(op) {
    dominated = op.getDominated();
    if (auto select = definingOp<SelectOp>(op.getMask());
        !dominated && select && select.getDominance() &&
        select.getDominance()->isZero())
      dominated = select.getDominated(); // all false
  }
  /// Whether `k_rows` can be made at all.
  bool isKnown() const { return bool(dominated); }

  Value keyRows() {
    if (!key)
      key = KRowsOp::create(builder, op.getLoc(), keyType(), op.getMask(),
                            dominated);
    return key;
  }
  Value valueRows() {
    if (!op.getDominated())
      return keyRows();
    if (!value)
      value = VRowsOp::create(builder, op.getLoc(), keyType(), op.getMask(),
                              dominated, op.getArgmax());
    return value;
  }
  /// Null: every row is read.
  Value queryRows() {
    if (!op.getDominated())
      return {};
    if (!query)
      query =
          QRowsOp::create(builder, op.getLoc(), dominated.getType(), dominated);
    return query;
  }

private:
  /// Flags of rows of all heads of the key.
  Type keyType() {
    auto type = cast<RankedTensorType>(dominated.getType());
    return type.clone({op.getGroups(), type.getDimSize(1)});
  }

  QuantizedAttentionOp op;
  OpBuilder builder;
  Value dominated, key, value, query;
};

struct FusePass : mlir::fact::impl::FusePassBase<FusePass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<QuantizedAttentionOp> attentions;
    getOperation().walk([&](QuantizedAttentionOp op) {
      if (op.getMask())
        attentions.push_back(op);
    });
    for (QuantizedAttentionOp op : attentions)
      propagate(op);
    eraseDeadOps();
    getOperation()->walk(
        [](Operation *op) { op->removeAttr(kPolicyAttrName); });
  }

private:
  void propagate(QuantizedAttentionOp op);
  bool restrict(QuantizedAttentionOp attention, StringRef name,
                QuantizeHeadsOp heads, Value rows);
  void eraseDeadOps();
  void miss(Operation *op, const Twine &reason, const Twine &suggestion) {
    ++missedProjections;
    missed(op, "RowsNotSkipped", "fact-fuse")
        << remark::reason("{0}", reason.str())
        << remark::suggest("{0}", suggestion.str());
  }
};

} // namespace

/// Bits for the operands of attention that one `fact.quantize_heads` feeds.
enum Reader : unsigned { readsQuery = 1, readsKey = 2, readsValue = 4 };

void FusePass::propagate(QuantizedAttentionOp op) {
  Demand demand(op);
  if (!demand.isKnown())
    return miss(op,
                "its mask comes from no 'fact.select' and no 'dominated' says "
                "which rows count",
                "let --fact-predict make the mask");

  llvm::SmallMapVector<QuantizeHeadsOp, unsigned, 4> readers;
  auto read = [&](StringRef name, Value operand, Reader reader) {
    if (auto heads = definingOp<QuantizeHeadsOp>(operand))
      readers[heads] |= reader;
    else
      miss(op, name + " is not the result of 'fact.quantize_heads'",
           "let --fact-quantize make the attention");
  };
  read("query", op.getQuery(), readsQuery);
  read("key", op.getKey(), readsKey);
  read("value", op.getValue(), readsValue);

  bool changed = false;
  for (auto [heads, reader] : readers) {
    if (reader == readsKey)
      changed |= restrict(op, "key", heads, demand.keyRows());
    else if (reader == readsQuery)
      changed |= restrict(op, "query", heads, demand.queryRows());
    else if ((reader & readsQuery) == 0)
      changed |= restrict(op, "value", heads,
                          demand.valueRows()); // covers the key's rows
    else
      miss(heads, "one projection is the query and the key or value too",
           "give the query its own projection");
  }
  // Projections stand in front of the masks that they read now.
  if (changed)
    sortTopologically(op->getBlock());
}

/// The ops that read a result of `op`.
static SmallVector<Operation *> realReaders(Operation *op) {
  SmallVector<Operation *> readers;
  for (Value result : op->getResults())
    for (OpOperand *use : readersOf(result))
      readers.push_back(use->getOwner());
  return readers;
}

/// The operand that names the rows of an op that make a projection's rows, or
/// what attention reads of them; null of other ops, and of a norm over heads.
static std::optional<MutableOperandRange> rowsOf(Operation *op, int64_t heads) {
  if (auto quantize = dyn_cast_or_null<QuantizeHeadsOp>(op))
    return quantize.getRowsMutable();
  if (auto linear = dyn_cast_or_null<QuantizedLinearOp>(op))
    return linear.getRowsMutable();
  if (auto norm = dyn_cast_or_null<NormOp>(op);
      norm && norm.getHeads() == static_cast<uint64_t>(heads))
    return norm.getRowsMutable();
  if (auto rotate = dyn_cast_or_null<RotateOp>(op);
      rotate && static_cast<int64_t>(rotate.getHeads()) == heads)
    return rotate.getRowsMutable();
  return std::nullopt;
}

/// Gives `rows` to `heads`, to the projection behind it and to what dresses its
/// rows, as far as nothing else reads them. Returns whether anything changed.
bool FusePass::restrict(QuantizedAttentionOp attention, StringRef name,
                        QuantizeHeadsOp heads, Value rows) {
  if (!rows || heads.getRows())
    return false;
  Operation *reader = attention;
  bool changed = false;
  for (Operation *op = heads; op;
       op = sourceOf(op->getOperand(0)).getDefiningOp()) {
    std::optional<MutableOperandRange> own =
        rowsOf(op, static_cast<int64_t>(heads.getHeads()));
    if (!own && !isa<NormOp, RotateOp>(op))
      break;
    if (!own) {
      miss(op, "it makes the " + name + " of several heads at once",
           "every row is generated; rows of a head are skipped where it works "
           "head by head");
      return changed;
    }
    bool isLinear = isa<QuantizedLinearOp>(op);
    if (!own->empty())
      return changed;
    std::string what = (op == heads ? "quantized " + name
                        : isLinear  ? name + " projection"
                                    : "dressed " + name)
                           .str();
    for (Operation *user : realReaders(op))
      if (user != reader) {
        miss(op,
             "'" + user->getName().getStringRef() + "' reads the " + what +
                 " too",
             "every row is generated; rows are skipped where attention alone "
             "reads them");
        return changed;
      }
    if (op->getBlock() != attention->getBlock()) {
      miss(op, "it is in another block than its attention",
           "keep a layer in one block");
      return changed;
    }
    if (dependsOn(rows, op)) {
      miss(op, "which rows of the " + name + " are read depends on it",
           "every row is generated: the mask is made from other rows where "
           "they shall be skipped");
      return changed;
    }
    own->assign(castTokens(rows, {1}, op->getOperand(0)));
    changed = true;
    if (op == heads)
      ++numHeads;
    if (isLinear) {
      ++numProjections;
      return changed;
    }
    reader = op;
  }
  miss(heads, "the " + name + " projection is not visible",
       "keep it in the attention's own function");
  return changed;
}

/// What nobody reads is not generated.
void FusePass::eraseDeadOps() {
  getOperation()->walk<WalkOrder::PostOrder, mlir::ReverseIterator>(
      [&](Operation *op) {
        if (!isOpTriviallyDead(op))
          return;
        op->erase();
        ++numErased;
      });
}
