//===- Attention.cpp - Masked attention, by head and row block ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Numerics/Selection.h"

using namespace mlir;
using namespace mlir::factisa;

int64_t Lowering::scoreColumns(fact::QuantizedAttentionOp op) {
  auto select = op.getMask() ? fact::definingOp<fact::SelectOp>(op.getMask())
                             : fact::SelectOp();
  if (!select)
    return paddedRows;
  // A buffer serves all layers.
  double keep = *llvm::max_element(
      policyNumbers(select.getKeepValue(), select.getKeepAttr()));
  // The window of attention has all that is kept in it.
  ::fact::numerics::Window window = fact::windowOf(op.getWindowAttr());
  int64_t keys = window.left < 0 || window.right < 0
                     ? bound
                     : std::min(bound, window.left + window.right + 1);
  int64_t kept = ::fact::numerics::keptKeys(static_cast<int32_t>(keep), keys);
  return std::min<int64_t>(llvm::alignTo(kept, 16), paddedRows);
}

Lowering::KeyTile Lowering::keyTile(fact::WindowAttr attribute,
                                    std::optional<int64_t> compact) const {
  if (tiling.cols >= bound)
    return {KeyTile::Of::Head, blockRows(), paddedRows};
  ::fact::numerics::Window window = fact::windowOf(attribute);
  // Keys that some rows see, where the tiling has room for them.
  auto keysOf = [&](int64_t rows) -> std::optional<int64_t> {
    if (window.left < 0 || window.right < 0)
      return std::nullopt;
    int64_t keys = llvm::alignTo(window.left + rows + window.right, 16);
    return keys <= tiling.cols ? std::optional(keys) : std::nullopt;
  };
  KeyTile tile{KeyTile::Of::Part, blockRows(), tiling.cols};
  bool isOfBlock = keysOf(tile.rows).has_value();
  // Every block loads the keys that it sees: it has as many rows as fit where
  // scores of all keys would.
  int64_t most = tile.rows * paddedRows;
  for (int64_t rows = 2 * tile.rows;
       rows <= std::min(mostBlockRows, paddedRows); rows *= 2) {
    std::optional<int64_t> keys = keysOf(rows);
    if ((isOfBlock && !keys) ||
        rows * compact.value_or(keys.value_or(paddedRows)) > most)
      break;
    tile.rows = rows;
  }
  if (isOfBlock)
    tile = {KeyTile::Of::Block, tile.rows, *keysOf(tile.rows), window.left};
  return tile;
}

Value Lowering::firstKey(const KeyTile &tile, Value row0) {
  if (tile.of != KeyTile::Of::Block)
    return index(0);
  Value first = arith::AddIOp::create(builder, loc, row0, index(-tile.before));
  return AtLeastOp::create(builder, loc, 0, first);
}

LogicalResult Lowering::lowerAttention(fact::QuantizedAttentionOp op) {
  int64_t groups = op.getGroups(),
          members = static_cast<int64_t>(op.getHeads()) / groups,
          features = cast<ShapedType>(op.getQuery().getType()).getDimSize(1);
  bool hasMask = bool(op.getMask()), hasDominated = bool(op.getDominated());
  KeyTile tile =
      keyTile(op.getWindowAttr(),
              hasMask ? std::optional(scoreColumns(op)) : std::nullopt);
  bool isOfHead = tile.of == KeyTile::Of::Head;
  int64_t n = features / (groups * members), rows = tile.rows, cols = tile.cols;
  WindowFields window(op.getWindowAttr()), all{{}};
  bool hasTail = bool(op.getTailKey());

  FailureOr<Storage> q = storageOf(op.getQuery()), k = storageOf(op.getKey()),
                     v = storageOf(op.getValue());
  FailureOr<Storage> queryScale = headsOf(op.getQueryScale()),
                     keyScale = headsOf(op.getKeyScale());
  FailureOr<Storage> valueScale = headsOf(op.getValueScale()),
                     context = storageOf(op.getResult());
  if (failed(q) || failed(k) || failed(v) || failed(queryScale) ||
      failed(keyScale) || failed(valueScale) || failed(context))
    return failure();
  auto optional = [&](Value value, bool present) {
    return present ? storageOf(value) : FailureOr<Storage>(Storage());
  };
  FailureOr<Storage> mask = optional(op.getMask(), hasMask),
                     dominated = optional(op.getDominated(), hasDominated);
  auto optionalHeads = [&](Value value, bool present) {
    return present ? headsOf(value) : FailureOr<Storage>(Storage());
  };
  FailureOr<Storage> argmax = optionalHeads(op.getArgmax(), hasDominated),
                     tailKey = optional(op.getTailKey(), hasTail);
  FailureOr<Storage> tailKeyScale =
                         optionalHeads(op.getTailKeyScale(), hasTail),
                     tailValue = optional(op.getTailValue(), hasTail);
  FailureOr<Storage> tailValueScale =
      optionalHeads(op.getTailValueScale(), hasTail);
  if (failed(mask) || failed(dominated) || failed(argmax) || failed(tailKey) ||
      failed(tailKeyScale) || failed(tailValue) || failed(tailValueScale))
    return failure();

  Value zero = index(0), none = null();
  auto loadKeys = [&](Value head, Value col0) {
    Value keys = sram(Memory::Temp, cols * n, "keys");
    loadHead(keys, *k, head, n, col0, cols);
    return keys;
  };
  auto loadValues = [&](Value head, Value col0) {
    Value values = sram(Memory::Temp, cols * n, "values");
    loadHead(values, *v, head, n, col0, cols);
    return values;
  };

  loop(Over::Heads, groups, 1, [&](Value group) {
    Value keyScales = sram(Memory::Index, paddedRows * 4, "key_scales");
    Value valueScales = sram(Memory::Index, paddedRows * 4, "value_scales");
    loadRows(keyScales, *keyScale, group, zero, paddedRows);
    loadRows(valueScales, *valueScale, group, zero, paddedRows);
    Value allKeyRows = isOfHead ? loadKeys(group, zero) : Value(),
          allValueRows = isOfHead ? loadValues(group, zero) : Value();
    Value tailKeyRow = none, tailKeyScaleRow = none, tailValueRow = none,
          tailValueScaleRow = none;
    if (hasTail) {
      tailKeyRow = sram(Memory::Temp, n, "mean_key");
      tailValueRow = sram(Memory::Temp, n, "mean_value");
      tailKeyScaleRow = sram(Memory::Index, 4, "mean_key_scale");
      tailValueScaleRow = sram(Memory::Index, 4, "mean_value_scale");
      loadHead(tailKeyRow, *tailKey, group, n, zero, 1);
      loadHead(tailValueRow, *tailValue, group, n, zero, 1);
      loadRows(tailKeyScaleRow, *tailKeyScale, group, zero, 1);
      loadRows(tailValueScaleRow, *tailValueScale, group, zero, 1);
    }
    auto attendBlock = [&](Value head, Value row0) {
      Value queries = sram(Memory::Token, rows * n, "queries"),
            queryScales = sram(Memory::Index, rows * 4, "query_scales");
      loadHead(queries, *q, head, n, row0, rows);
      loadRows(queryScales, *queryScale, head, row0, rows);
      Value maskRows = none, dominatedRows = none, argmaxRows = none;
      if (hasMask) {
        maskRows = sram(Memory::Index, rows * maskStride(), "mask");
        loadRows(maskRows, *mask, head, row0, rows);
      }
      if (hasDominated) {
        dominatedRows = sram(Memory::Index, rows, "dominated");
        argmaxRows = sram(Memory::Index, rows * 4, "argmax");
        loadRows(dominatedRows, *dominated, head, row0, rows);
        loadRows(argmaxRows, *argmax, head, row0, rows);
      }
      Value firstCol = firstKey(tile, row0);
      int64_t allCols = scoredKeys(tile),
              width = std::min(scoreColumns(op), allCols);
      Value scores = sram(Memory::Temp, rows * width * 4, "scores"),
            probabilities = sram(Memory::Temp, rows * width, "probabilities");
      Value stats = sram(Memory::Index, rows * 16, "softmax_stats");
      Value sums = sram(Memory::Temp, rows * n * 4, "weighted_sums"),
            rowsOut = sram(Memory::Token, rows * n * 4, "context");
      Value tailScores =
          hasTail ? sram(Memory::Index, rows * 4, "mean_scores") : none;
      int64_t maskBytes = hasMask ? maskStride() : 0;

      // Compact rows begin where they begin, whatever block of keys comes, and
      // those of one tile with it.
      auto at = [&](Value block, Value col0, int64_t bytes) {
        return hasMask || tile.isAtOnce() ? block
                                          : view(block, 0, {{col0, bytes}});
      };
      auto scalesFrom = [&](Value scales, Value col0) {
        return view(scales, 0, {{col0, 4}});
      };
      auto qk = [&](Value col0, Value keys) {
        PeQkOp::create(builder, loc, at(scores, col0, 4), queries, keys,
                       maskRows, dominatedRows, row0, rows, col0, cols, n,
                       width * 4, n, n, maskBytes, window.left, window.right,
                       /*tail=*/false);
      };
      auto pv = [&](Value col0, Value values, bool accumulate) {
        PePvOp::create(builder, loc, sums, at(probabilities, col0, 1), values,
                       maskRows, dominatedRows, row0, rows, col0, cols, n,
                       n * 4, width, n, maskBytes, window.left, window.right,
                       accumulate);
      };
      auto copyDominated = [&](Value col0, Value values) {
        if (hasDominated)
          ApuCopyDominatedOp::create(
              builder, loc, rowsOut, values, scalesFrom(valueScales, col0),
              dominatedRows, argmaxRows, row0, rows, col0, cols, n, n * 4, n);
      };

      if (tile.isAtOnce())
        qk(firstCol, isOfHead ? allKeyRows : loadKeys(group, firstCol));
      else
        loop(Over::Rows, bound, cols,
             [&](Value col0) { qk(col0, loadKeys(group, col0)); });
      if (hasTail)
        PeQkOp::create(builder, loc, tailScores, queries, tailKeyRow, none,
                       dominatedRows, row0, rows, zero, 1, n, 4, n, n, 0,
                       all.left, all.right, /*tail=*/true);
      ApuSoftmaxOp::create(
          builder, loc, probabilities, stats, scores, queryScales,
          scalesFrom(keyScales, firstCol), scalesFrom(valueScales, firstCol),
          maskRows, dominatedRows, row0, rows, firstCol, allCols, width,
          width * 4, maskBytes, op.getScale(), window.left, window.right);
      if (tile.isAtOnce()) {
        Value values = isOfHead ? allValueRows : loadValues(group, firstCol);
        pv(firstCol, values, /*accumulate=*/false);
        copyDominated(firstCol, values);
      } else {
        // The sums start at zero and every key block adds to them.
        SelFillOp::create(builder, loc, sums, row0, rows, n * 4, 0);
        loop(Over::Rows, bound, cols, [&](Value col0) {
          Value values = loadValues(group, col0);
          pv(col0, values, /*accumulate=*/true);
          copyDominated(col0, values);
        });
      }
      ApuContextOp::create(builder, loc, rowsOut, sums, stats, queryScales,
                           dominatedRows, tailScores, tailKeyScaleRow,
                           tailValueRow, tailValueScaleRow, row0, rows, n,
                           n * 4, n * 4, op.getScale());
      storeHead(*context, rowsOut, head, n * 4, row0, rows);
    };
    for (int64_t member = 0; member < members; ++member) {
      Value head = headIn(group, members, member);
      loop(Over::Rows, bound, rows,
           [&](Value row0) { attendBlock(head, row0); });
    }
  });
  return success();
}
