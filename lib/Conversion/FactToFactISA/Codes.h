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

namespace mlir::factisa {

/// The formats of low rows of a linear layer.
Precision lowPrecisionOf(fact::QuantizedLinearOp op);

/// The INT8 rows that a product of codes multiplies, and the predictor with
/// which ep.project encodes them.
std::pair<Value, Predictor> projectionOf(fact::LogMatmulOp op);

/// The predictor that ep.score counts: what its queries are codes of.
Predictor scorePredictorOf(fact::PredictOp op);

/// The predictor and side with which ep.normalize encodes as `op` does.
std::pair<Predictor, Operand> normalizationFor(fact::EncodeOp op);

} // namespace mlir::factisa

#endif // FACT_LIB_CONVERSION_FACTTOFACTISA_CODES_H
