//===- RowGroup.h - Row-by-row ops in one loop over row blocks ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOFACTISA_ROWGROUP_H
#define FACT_LIB_CONVERSION_FACTTOFACTISA_ROWGROUP_H

#include "Lowering.h"

namespace mlir::factisa {

/// Whether an op needs nothing but its own row of its operands.
bool isRowLocal(Operation *op);

/// (first column, columns) of each head of n features.
SmallVector<std::pair<int64_t, int64_t>> slicesOf(int64_t heads, int64_t n);

/// The current row block of a tensor in the scratchpad.
struct Staged {
  Layout layout;
  int64_t planeBytes = 0;
  Value buffer; ///< !factisa.sram

  /// Address of one plane (head).
  Value plane(Lowering &lowering, int64_t plane) const;
};

/// How a weight [k, n] comes to the scratchpad: in tiles, each in a buffer of
/// its own, or as a whole.
struct WeightTiles {
  Weight weight;
  Value whole; ///< !factisa.sram, or null
  int64_t k = 0, n = 0, tileK = 0, tileN = 0;
  Value exact; ///< Whether a block needs both planes: counts, by first row.

  /// Columns of the tile from n0 on that end before `end`.
  int64_t columns(int64_t n0, int64_t end) const {
    if (weight.planes) { // none is of two tiles
      int64_t tile = weight.planes->getTileColumns();
      end = std::min(end, (n0 / tile + 1) * tile);
    }
    return std::min(tileN, end - n0);
  }
};

/// One loop over row blocks. Intermediate rows stay in the scratchpad; a result
/// that an op outside of the group reads is stored as well.
class RowGroup {
public:
  /// `next`: ops of the next layer, which read this one's result.
  RowGroup(Lowering &lowering, ArrayRef<Operation *> ops, bool single,
           ArrayRef<Operation *> next = {});

  LogicalResult lower();

private:
  LogicalResult lowerOp(Operation *op);
  LogicalResult lowerTyped(fact::NormOp op);
  LogicalResult lowerTyped(fact::RotateOp op);
  LogicalResult lowerTyped(fact::RescaleOp op);
  LogicalResult lowerTyped(fact::ActivationOp op);
  LogicalResult lowerTyped(fact::AddOp op);
  LogicalResult lowerTyped(fact::MultiplyOp op);
  template <typename Instruction, typename Op>
  LogicalResult lowerPair(Op op, StringRef label);
  LogicalResult lowerTyped(fact::QuantizeRowsOp op);
  /// The block x in pieces; `low` as for apu.quantize.
  void quantize(fact::QuantizeRowsOp op, const Staged &x, Value q, Value scale,
                Value low);
  void quantizeLow(fact::QuantizeRowsOp op, const Staged &x,
                   const SpeculatedRows &to);
  LogicalResult lowerTyped(fact::QuantizeHeadsOp op);
  LogicalResult lowerTyped(fact::QuantizedLinearOp op);
  LogicalResult lowerTyped(fact::NormalizeHeadsOp op);
  LogicalResult lowerTyped(fact::EncodeOp op);
  LogicalResult lowerTyped(fact::MeanTokenOp op);

  Staged stage(Value source, const Layout &layout, Memory memory,
               StringRef label);
  /// The buffer of a result of this group.
  FailureOr<Staged> define(Value value, Memory memory, StringRef label);
  /// The block of an operand; loads it where it comes from outside.
  FailureOr<Staged> use(Value value);
  bool isInside(Operation *op) const;
  LogicalResult finish(Value value);
  /// A small constant, loaded before the loop.
  FailureOr<Value> constant(Value value, StringRef label);
  /// Accumulators of what is to be shifted: of a product, one head at a time,
  /// or stored ones.
  LogicalResult projectHead(fact::LogMatmulOp op, WeightTiles &tiles, Value acc,
                            int64_t head, int64_t group);
  /// Where a code's columns lie, from `column` on, which packed ones have in
  /// one head, of `group` columns.
  std::pair<Value, int64_t> codeColumns(fact::EncodeOp code, const Staged &rows,
                                        int64_t column, int64_t group);
  /// Calls body(first row in the block, rows, row0 of these) for pieces of a
  /// block of n elements a row: what sweeps rows several times does not keep
  /// others waiting.
  void forEachPiece(int64_t n,
                    function_ref<void(int64_t, int64_t, Value)> body);
  static constexpr int64_t pieceElements = 6144; ///< 8 rows of 768
  /// Whether an op is the last of the group that reads a value of its block, so
  /// that its result may take the place.
  bool isLastReader(Operation *op, Value value);
  /// The buffer of an op's result: an operand's block, if it may take the
  /// place.
  FailureOr<Staged> defineOver(Operation *op, Value operand,
                               const Staged &block, Memory memory,
                               StringRef label);
  /// What a linear layer's rescaling does as well: the ops behind it that work
  /// on each element of its result and nothing else.
  struct Epilogue {
    fact::ActivationOp activation; ///< or null
    fact::AddOp add;               ///< or null
    Value residual;                ///< What is added.
    Value result;                  ///< Of the last of them.
  };
  Epilogue epilogueOf(fact::QuantizedLinearOp op);
  /// Largest magnitudes of rows, or of slices of them, which whatever makes the
  /// rows finds on the way: so that to quantize them takes one sweep.
  struct Maxima {
    Value buffer; ///< [slices, rows], f32
    int64_t columns = 0, sliceBytes = 0;
    Value rows; ///< Mask of the rows of each slice that are made; null: all.

    Value of(Lowering &lowering, int64_t slice, int64_t row = 0) const;
  };
  /// Maxima of a value that is made in tiles of columns (first, count), of the
  /// rows of a mask alone where there is one; null where nothing in this loop
  /// quantizes it so. Where the tiles do not accumulate, each must be a slice.
  const Maxima *defineMaxima(Value value,
                             ArrayRef<std::pair<int64_t, int64_t>> tiles,
                             Value mask = {}, bool accumulates = false);
  /// Those of a slice that an op quantizes, from a row of the block on, or
  /// null.
  Value maximum(Operation *quantize, int64_t slice, int64_t row = 0);
  FailureOr<Value> lowFlags(Value low);
  /// How many rows of each block are not at low precision; null where that does
  /// not matter.
  FailureOr<Value> exactCounts(fact::QuantizedLinearOp op);
  FailureOr<Value> rowList(Value mask, int64_t head);
  /// Calls body(head, list of its rows that `mask` names) for each head.
  LogicalResult forEachHead(Value mask, int64_t heads,
                            function_ref<void(int64_t, Value)> body);
  FailureOr<WeightTiles> weightTiles(Value weight, int64_t columnGroup);
  /// Address and row stride of a tile, after loading it if need be.
  std::pair<Value, int64_t> loadTile(WeightTiles &tiles, int64_t k0, int64_t k,
                                     int64_t n0, int64_t n);
  /// Builds before the loop.
  template <typename Build> auto before(Build build) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(marker);
    return build();
  }

  Lowering &lowering;
  OpBuilder &builder;
  ArrayRef<Operation *> ops, next;
  DenseSet<Operation *> members;
  bool single;
  int64_t rows;
  Value row0;
  Operation *marker = nullptr; ///< Stands before the loop while it is built.
  DenseSet<Operation *> done;  ///< Lowered, or part of one that is.
  DenseMap<Value, Staged> staging;
  SmallVector<std::function<void()>> afterLoop;
  DenseMap<Value, Maxima> maxima;
  DenseMap<Value, Value> constants, exacts;
  DenseMap<std::pair<Value, int64_t>, Value> lists;
};

} // namespace mlir::factisa

#endif // FACT_LIB_CONVERSION_FACTTOFACTISA_ROWGROUP_H
