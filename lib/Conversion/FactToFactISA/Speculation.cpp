//===- Speculation.cpp - Q, K and V before their precision is known -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/schedule.md, "Speculation". The loop over heads that reads what is made
// here is HeadLoop::generate.
//
//===----------------------------------------------------------------------===//

#include "HeadLoop.h"
#include "HeadNest.h"
#include "Lowering.h"
#include "RowGroup.h"

#include "fact/Dialect/Fact/IR/Values.h"

using namespace mlir;
using namespace mlir::factisa;

//===----------------------------------------------------------------------===//
// What there is to speculate on
//===----------------------------------------------------------------------===//

static int64_t featuresOf(Value rows) {
  return cast<ShapedType>(rows.getType()).getDimSize(1);
}

std::vector<SpeculatedHeads>
factisa::findSpeculations(ArrayRef<Operation *> ops,
                          const PredictorCodes &codes) {
  DenseSet<Operation *> allowed(ops.begin(), ops.end());
  std::vector<SpeculatedHeads> all;
  for (Operation *op : ops) {
    auto attention = dyn_cast<fact::QuantizedAttentionOp>(op);
    auto select = attention
                      ? fact::definingOp<fact::SelectOp>(attention.getMask())
                      : fact::SelectOp();
    if (!select || !allowed.contains(select))
      continue;
    std::optional<HeadNest> reader = findHeadNest(attention, allowed, codes),
                            maker = findHeadNest(select, allowed, codes);
    if (!reader || reader->getGroups() == 1 || reader->select || !maker ||
        !maker->queryCode.matmul || maker->getHeads() != reader->getHeads() ||
        maker->getGroups() != reader->getGroups() ||
        featuresOf(maker->predict.getQuery()) !=
            featuresOf(attention.getQuery()))
      continue;
    fact::QuantizedLinearOp linear = reader->query.linear;
    auto exact = fact::definingOp<fact::QuantizeRowsOp>(maker->getTokens()),
         mixed = fact::definingOp<fact::QuantizeRowsOp>(linear.getInput());
    auto precision =
        linear.getLow()
            ? fact::definingOp<fact::SelectPrecisionOp>(linear.getLow())
            : fact::SelectPrecisionOp();
    // What is selected decides on the precision: the rows are the only ones
    // that this attention reads, and nobody else does.
    if (!exact || exact.getLow() || !mixed || !mixed.getLow() || !precision ||
        !allowed.contains(exact) || !allowed.contains(mixed) ||
        !allowed.contains(precision) ||
        llvm::any_of(
            all,
            [&](SpeculatedHeads &other) { return other.select == select; }) ||
        fact::sourceOf(precision.getCount()) != select.getCount() ||
        fact::sourceOf(mixed.getLow()) != precision.getLow() ||
        fact::sourceOf(linear.getScale()) != mixed.getScale() ||
        Lowering::root(exact.getInput()) != Lowering::root(mixed.getInput()))
      continue;
    auto isOfAttention = [&](Operation *user) {
      return llvm::is_contained({reader->query.linear.getOperation(),
                                 reader->key.linear.getOperation(),
                                 reader->value.linear.getOperation()},
                                user);
    };
    if (llvm::all_of(realUsers(mixed.getQuantized()), isOfAttention) &&
        llvm::all_of(realUsers(mixed.getScale()), isOfAttention)) {
      SpeculatedHeads found{
          select,      attention,     exact, mixed, reader->query,
          reader->key, reader->value, {},    {}};
      // A mean token that needs the selection is no part of its loop.
      HeadProjection tail = reader->tailKey;
      if (tail.linear && !fact::dependsOn(tail.linear.getInput(), select)) {
        found.tailKey = tail;
        found.tailValue = reader->tailValue;
      }
      all.push_back(found);
    }
  }
  return all;
}

void Lowering::addSpeculations(ArrayRef<Operation *> ops) {
  speculations.clear();
  if (!tiling.heads.speculates)
    return;
  for (const SpeculatedHeads &of : findSpeculations(ops, codes)) {
    fact::QuantizedAttentionOp attention = of.attention;
    auto heads = static_cast<int64_t>(attention.getHeads());
    int64_t n = featuresOf(attention.getQuery()) / heads,
            groups = attention.getGroups();
    SpeculatedRows rows;
    rows.of = of;
    loc = attention.getLoc();
    if (const SpeculatedRows *same = speculationOf(rows.of.exact)) {
      rows.tokens = same->tokens;
      rows.tokenScale = same->tokenScale;
    } else {
      rows.tokens = allocateStorage(
          {1, featuresOf(rows.of.exact.getQuantized()), /*single=*/false},
          "low_rows");
      rows.tokenScale =
          allocateStorage({1, 4, /*single=*/false}, "low_row_scales");
    }
    for (auto [made, scale, planes] :
         {std::tuple(&rows.query, &rows.queryScale, heads),
          std::tuple(&rows.key, &rows.keyScale, groups),
          std::tuple(&rows.value, &rows.valueScale, groups)}) {
      *made = allocateStorage({planes, n, /*single=*/false}, "low_heads");
      *scale =
          allocateStorage({planes, 4, /*single=*/false}, "low_head_scales");
    }
    speculations.push_back(rows);
  }
}

const SpeculatedRows *Lowering::speculationOf(Operation *op) const {
  for (const SpeculatedRows &rows : speculations) {
    SpeculatedHeads of = rows.of;
    if (llvm::is_contained(
            ArrayRef<Operation *>{of.select, of.attention, of.exact}, op))
      return &rows;
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Rows of X at low precision
//===----------------------------------------------------------------------===//

/// The rows once more, at low precision, before anybody knows which ones are.
void RowGroup::quantizeLow(fact::QuantizeRowsOp op, const Staged &x,
                           const SpeculatedRows &to) {
  int64_t n = to.tokens.layout.rowBytes;
  Value all = before([&] { return lowering.allFlags(rows); });
  Value q = lowering.sram(Memory::Token, rows * n, "low_rows"),
        scale = lowering.sram(Memory::Index, rows * 4, "low_row_scales");
  quantize(op, x, q, scale, all);
  Value zero = lowering.index(0);
  lowering.storeRows(to.tokens, q, zero, row0, rows);
  lowering.storeRows(to.tokenScale, scale, zero, row0, rows);
}

//===----------------------------------------------------------------------===//
// In loops over heads
//===----------------------------------------------------------------------===//

LogicalResult HeadLoop::prepareSpeculation() {
  exact = lowering.sram(Memory::Index, 4, "exact");
  SelFillOp::create(builder, lowering.loc, exact, zero, 1, 4, 0);
  if (failed(prepareGenerated(key, speculating, nest.key, "low_keys")) ||
      failed(prepareGenerated(value, speculating, nest.value, "low_values")) ||
      failed(
          prepareGenerated(query, speculatingQuery, nest.query, "low_queries")))
    return failure();
  lowTokenScale = lowering.sram(Memory::Index, padded * 4, "low_row_scales");
  lowering.loadRows(lowTokenScale, speculated->tokenScale, zero, zero, padded);
  allLow = lowering.allFlags(rows);
  // The attention's loop then needs no weights but for rows that it makes
  // again.
  if (nest.tailKey.linear)
    return prepareTail();
  return success();
}

/// A block of a head's rows at low precision, all of them.
void HeadLoop::speculate(Generated &each, int64_t part) {
  lowering.loc = fact::QuantizedLinearOp(each.op.linear).getLoc();
  loadWeights(each.weights, part, exactFor(each));
  Value at = row(part);
  Value made = lowering.sram(Memory::Temp, rows * n, "made"),
        scales = lowering.sram(Memory::Index, rows * 4, "scales");
  generateRows(each, each.op,
               {lowTokenRows, lowering.view(lowTokenScale, 0, {{block, 4}}), at,
                none, allLow, rows, block},
               part, made, scales);
  Value head = headOf(each.weights.tile, part);
  storeBlock(*each.low, made, head, at);
  storeBlock(*each.lowScale, scales, head, at);
  generateTail(each, part);
}
