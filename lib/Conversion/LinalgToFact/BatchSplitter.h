//===- BatchSplitter.h - A function for one sequence ------------*- C++ -*-===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Follows the batch from the arguments through every op: a value has it in one
// extent, which is `outer * batch * inner` where other extents were merged with
// it (heads of all sequences in a row, say). An op that works on each element
// of the batch by itself becomes one for a batch of 1. If some op does not, no
// op is changed.
//
// A value that comes from no argument has no batch, but may have an extent as
// long (a constant that is added to all sequences): where the batch meets it,
// it is made for a batch of 1, too, if it is the same for all.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_LINALGTOFACT_BATCHSPLITTER_H
#define FACT_LIB_CONVERSION_LINALGTOFACT_BATCHSPLITTER_H

#include "BatchPlace.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::fact {

/// What may be the batch of a function.
struct Batch {
  /// The extent of each argument that is the batch; none for one that all
  /// sequences share.
  SmallVector<std::optional<int64_t>> axes;
  int64_t sequences;
  bool isOpen; ///< Whether any number will do as well as this one.
};

/// Makes one function for one sequence. Used once.
class BatchSplitter {
public:
  BatchSplitter(func::FuncOp source, const Batch &batch)
      : source(source), axes(batch.axes), batch(batch.sequences),
        isOpen(batch.isOpen), builder(source) {}

  /// The function for a batch of 1, beside the other one; null where some op
  /// does not keep the sequences apart.
  func::FuncOp run();

  /// The op that does not, and why.
  Operation *failedOp = nullptr;
  std::string reason;

private:
  bool fail(Operation *op, const Twine &why) {
    if (!failedOp) {
      failedOp = op;
      reason = why.str();
    }
    return false;
  }
  RankedTensorType reduced(Value value, const Place &place) const;
  std::optional<Place> placeOf(Value value) const {
    auto it = places.find(value);
    return it == places.end() ? std::nullopt : std::optional(it->second);
  }
  bool hasBatch(Operation *op) const;
  void set(Value value, Value made, const Place &place) {
    map.map(value, made);
    places[value] = place;
  }

  bool split(Operation &op);
  bool splitLinalg(linalg::LinalgOp op);
  bool splitSoftmax(linalg::SoftmaxOp op);
  bool splitReshape(Operation *op);
  bool splitSlice(tensor::ExtractSliceOp op);
  bool splitInsert(tensor::InsertSliceOp op);
  bool splitPad(tensor::PadOp op);
  bool splitReturn(func::ReturnOp op);

  /// The loop over the sequences of a linalg op whose body looks up an element
  /// of its own sequence.
  std::optional<unsigned> lookedUpLoop(Operation *op) const;
  bool isBatchIndex(OpOperand &use) const;
  /// Tensors without a batch in which a body looks up an element for each
  /// sequence, and the dimension that counts these. None where it does
  /// anything else with the number of the sequence.
  std::optional<DenseMap<Value, int64_t>>
  lookedUpByNumber(linalg::LinalgOp op, unsigned loop,
                   const Place &place) const;
  /// A linalg op for a batch of 1 along a loop, its operands made for that.
  Operation *makeLinalg(linalg::LinalgOp op, unsigned loop, Place place);
  /// An operand that is not worked on but written to.
  Value makeInit(Value init, const Place &place, function_ref<Value()> extent);
  Value makeReshape(Operation *op, Value input, const Place &to);
  /// The place of the batch in a slice that takes all sequences, if it does.
  static std::optional<Place> placeInSlice(tensor::ExtractSliceOp op,
                                           Place place);
  Value makeSlice(tensor::ExtractSliceOp op, Value input, const Place &from,
                  const Place &to);
  Value makeInsert(tensor::InsertSliceOp op, const Place &place);
  /// A value without a batch, for a batch of 1, made once for each place; null
  /// where it differs along it.
  Value demand(Value value, const Place &place);
  Value makeDemanded(Value value, const Place &place);
  Value demandConstant(arith::ConstantOp constant, const Place &place);
  Value mapped(Operation *reader, Value value);

  func::FuncOp source;
  SmallVector<std::optional<int64_t>> axes; ///< Of the arguments.
  int64_t batch;
  bool isOpen;
  OpBuilder builder;
  IRMapping map;
  DenseMap<Value, Place> places; ///< Of the source's values.
  /// By the value, and the dimension, outer and inner extent of the place.
  DenseMap<std::tuple<Value, int64_t, int64_t, int64_t>, Value> demanded;
  DenseSet<Value> merged; ///< Numbers that count elements of the whole batch.
};

} // namespace mlir::fact

#endif // FACT_LIB_CONVERSION_LINALGTOFACT_BATCHSPLITTER_H
