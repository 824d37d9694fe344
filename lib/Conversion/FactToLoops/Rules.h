//===- Rules.h - Rules of single values
//------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_RULES_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_RULES_H

#include "Emitter.h"

#include "fact/Numerics/Prediction.h"

namespace mlir::fact::loops {

Real activate(Activation kind, const Real &x);

/// A predictor's code of each lane of i8.
Value encode(Emitter &e, ::fact::numerics::PredictorCode code, Value q);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_RULES_H
