//===- Codes.h - Choices of the fact dialect in factisa -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOFACTISA_CODES_H
#define FACT_LIB_CONVERSION_FACTTOFACTISA_CODES_H

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Numerics/Prediction.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::factisa {

/// The formats of low rows of a linear layer.
Precision lowPrecisionOf(fact::QuantizedLinearOp op);

/// Whether the code of an operand of eager prediction is the operand itself.
bool isIdentity(fact::EncodeOp op);

/// The predictor and side with which an instruction encodes as `op` does.
std::pair<Predictor, Operand> encodingOf(fact::EncodeOp op);

/// The quantization head by head that an op is, or that it dresses rows for;
/// null where several ops read them, or it is another op.
fact::QuantizeHeadsOp quantizationBy(Operation *op);
/// Columns of which predicted rows are made at a time: a head's, where that is
/// known, else all.
int64_t headFeaturesOf(fact::RescaleOp op);

/// How a module's codes of eager prediction are stored, and by which predictors
/// instructions name them. A predictor says what all sides of a product are
/// codes of: leading ones are packed, two to a byte, wherever one says that
/// they are leading ones, and bytes where ops mix the codes of several, or read
/// a code as a number.
class PredictorCodes {
public:
  explicit PredictorCodes(ModuleOp module);

  /// Heads of a code's rows that are packed, each in whole bytes of its own; 0
  /// where it is a row of bytes.
  int64_t packedHeads(Value code) const;
  /// Columns of a head of the prediction's weights that are packed; 0 where
  /// they are bytes.
  int64_t packedColumns(Value weight) const;
  /// Bytes of `n` numbers of a head of a code.
  int64_t bytesOf(Value code, int64_t n) const;

  /// Whether a code is worked out by itself; else it is part of the product
  /// that reads it, or of the shift that it is the code of.
  bool isEncodedAlone(fact::EncodeOp op) const;
  /// Whether a shift leaves this code of its result; else the result as it is.
  bool isOfShift(fact::EncodeOp op) const;

  /// The INT8 rows that a product of codes multiplies, and the predictor with
  /// which ep.project encodes them.
  std::pair<Value, Predictor> projectionOf(fact::LogMatmulOp op) const;

  /// The predictor that ep.score counts: what its queries and keys are codes
  /// of.
  Predictor scorePredictorOf(fact::PredictOp op) const;

private:
  void addRows(ModuleOp module);
  void addWeights(ModuleOp module);

  DenseMap<Value, int64_t> heads, columns; ///< Of what is packed.
};

} // namespace mlir::factisa

#endif // FACT_LIB_CONVERSION_FACTTOFACTISA_CODES_H
