//===- Panels.h - A phase as a loop over panels of rows -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A phase is a function: for each panel of rows, one part after the other. A
// part is a product with what follows it element by element, attention, or a
// sweep over the rows of the ops in between. What one part hands to the next
// lies in memory of the panel.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_PANELS_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_PANELS_H

#include "Kernel.h"
#include "PackWeights.h"
#include "Phases.h"

namespace mlir::fact::loops {

/// Rows of a value in flat memory: of all of the sequence, or of a panel.
struct RowsAt {
  Value memory;
  Value first;      ///< Where the panel's row 0 begins.
  int64_t stride;   ///< From row to row.
  Value headStride; ///< [h, L]: from head to head; else null.

  Value at(Emitter &e, Value row) const {
    return e.add(first, e.mul(row, stride));
  }
  Value at(Emitter &e, Value head, Value row) const {
    return e.add(e.mul(head, headStride), at(e, row));
  }
};

/// Codes of a panel as rows of a product.
struct CodesAt {
  Value memory;
  RowLayout layout;
};

/// Rows of a panel that a product works on.
struct ListedRows {
  Value count;
  Value list; ///< memref<?xindex>, or null: row i is i
  Value operator()(Emitter &e, Value i) const {
    return list ? e.load(list, i) : i;
  }
};

class Attention;
struct PanelProduct;

class PanelLoops {
public:
  PanelLoops(Phase phase, Emitter &e, WeightPacker &weights);

  ~PanelLoops();

  void emit();

private:
  //===--- Values ---------------------------------------------------------===//
  bool isInside(Operation *op) const { return members.contains(op); }
  bool isUsedOutside(Value value) const;
  bool isProductOperand(Value codes) const;
  bool isQuantized(Value rows) const;
  RowsAt rowsOf(Value value);     ///< [L] or [L, d]
  RowsAt headRowsOf(Value value); ///< [h, L]
  RowsAt rowsOf(Value value, bool ofHeads);
  /// Where a product finds codes; brings those from outside to the panel.
  CodesAt codesOf(Value codes);
  Value scratch(Type element, int64_t size);
  /// Memory for the largest magnitudes of a panel's rows, 16 lanes each; null
  /// where nobody asks for them.
  Value makeMaxima(Value rows);
  /// Both do nothing without memory. `width` of the values count.
  void clearMaxima(Value maxima);
  void raiseMaxima(Value maxima, Value row, const Real &values, int64_t width);
  /// Whether codes are read other than by a product.
  bool needsRows(Value codes) const;
  void storeOperand(const CodesAt &codes, Value row, Value column,
                    Value vector);

  //===--- Sweeps over rows (PanelRows.cpp) -------------------------------===//
  void flushRows();
  void emitRow(Operation *op, Value row);
  void row(NormOp op, Value row);
  void norm(NormOp op, ArrayRef<Value> rows);
  void row(RotateOp op, Value row);
  void row(ActivationOp op, Value row);
  void row(QuantizeRowsOp op, Value row);
  void row(QuantizeHeadsOp op, Value row);
  void row(EncodeOp op, Value row);
  void row(NormalizeHeadsOp op, Value row);
  void row(RescaleOp op, Value row);
  void pairs(Value lhs, Value rhs, Value result, Value row,
             llvm::function_ref<Real(const Real &, const Real &)> of);
  void forHeads(int64_t heads, Value rows, Value row,
                llvm::function_ref<void(Value)> body);
  /// What is a number for each head, of 16 heads at once: `lanesOf(head)` are
  /// 16 to combine; `finish` takes and gives vectors of a lane for each head.
  /// Returns the memory of its results; those of heads that `rows` leaves out
  /// may be anything.
  SmallVector<Value>
  ofHeads(int64_t heads, Value rows, Value row,
          llvm::function_ref<Value(Value)> lanesOf,
          llvm::function_ref<Value(Value, Value)> combine,
          llvm::function_ref<SmallVector<Value>(Value)> finish);
  Real magnitudeOf(Value rows, Value row);
  /// Of a part of a row, by looking at all of it, in 16 lanes.
  Value scanMagnitudes(Value rows, Value row, Value column, int64_t width);
  void quantizeInt8(Value input, Value codes, Value row, Value column,
                    int64_t width, const Real &exponent);
  void quantize(Value input, Value codes, Value row, Value column,
                int64_t width,
                llvm::function_ref<Real(const Real &, int64_t)> rule);
  void storeCodes(Value codes, Value row, Value column, Value vector,
                  int64_t width);

  //===--- Products (PanelProducts.cpp) -----------------------------------===//
  friend class Multiplier;
  void product(QuantizedLinearOp op);
  void product(LogMatmulOp op);
  void multiply(const PanelProduct &product);
  /// The ops that follow a product element by element, and what they make.
  Value chainOf(Value result, SmallVectorImpl<Operation *> &chain);
  ListedRows listRows(Value count, llvm::function_ref<Value(Value)> keeps);

  //===--- Attention (PanelAttention.cpp) ---------------------------------===//
  friend class Attention;
  void emitPart(Operation *op);

  Phase phase;
  DenseSet<Operation *> members, absorbed, emitted;
  Emitter &e;
  const Tier &tier;
  WeightPacker &weights;
  OpBuilder panelHead; ///< At the begin of the loop over panels.
  Value length, panelBegin, panelSize; ///< Rows of all, of the panel.
  DenseSet<Value> outputs;
  DenseMap<Value, Value> panelMemory, operandMemory, maximaMemory;
  DenseMap<Value, Value> magnitudes; ///< of the row that a sweep is at
  SmallVector<Operation *> pending;  ///< row ops of the next sweep
  DenseMap<Operation *, std::unique_ptr<Attention>> attentions;
};

/// Replaces a phase by a call of its function.
void lowerPhase(const Phase &phase, const LoopOptions &options,
                WeightPacker &weights);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_PANELS_H
