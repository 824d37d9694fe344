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

/// The predictor with which ep.project encodes activations as `op` does.
Predictor projectionFor(fact::EncodeOp op);

/// The predictor and side with which ep.normalize encodes as `op` does.
std::pair<Predictor, Operand> normalizationFor(fact::EncodeOp op);

} // namespace mlir::factisa

#endif // FACT_LIB_CONVERSION_FACTTOFACTISA_CODES_H
