//===- Codes.cpp - Choices of the fact dialect in factisa -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codes.h"

#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Numerics/Prediction.h"

using namespace mlir;
using namespace mlir::factisa;
using NumericsOperand = ::fact::numerics::PredictorOperand;
using NumericsPredictor = ::fact::numerics::Predictor;
using ::fact::numerics::PredictorCode;

Precision factisa::lowPrecisionOf(fact::QuantizedLinearOp op) {
  return ::fact::numerics::asLowPrecision<Precision>(
      op.getPrecision().value_or(mlir::fact::LowPrecision::A4W4));
}

/// The code that an op makes; of none: the value itself.
static PredictorCode codeOf(mlir::fact::EncodeOp op) {
  return op ? ::fact::numerics::codeOf(
                  mlir::fact::numericsOf(op.getPredictor()),
                  mlir::fact::numericsOf(op.getOperand()))
            : PredictorCode::Exact;
}

/// The predictors that an instruction may name for a code, that of the op
/// first: it says what is counted.
static SmallVector<NumericsPredictor> predictorsFor(mlir::fact::EncodeOp op) {
  SmallVector<NumericsPredictor> all;
  if (op)
    all.push_back(mlir::fact::numericsOf(op.getPredictor()));
#define FACT_CASE(NAME) all.push_back(NumericsPredictor::NAME);
  FACT_PREDICTORS(FACT_CASE)
#undef FACT_CASE
  return all;
}

std::pair<Value, Predictor> factisa::projectionOf(mlir::fact::LogMatmulOp op) {
  auto encode = mlir::fact::definingOp<mlir::fact::EncodeOp>(op.getInput());
  Value rows = encode ? encode.getInput() : op.getInput();
  for (NumericsPredictor predictor : predictorsFor(encode))
    if (::fact::numerics::codeOf(predictor, NumericsOperand::Activation) ==
        codeOf(encode))
      return {rows, ::fact::numerics::asPredictor<Predictor>(predictor)};
  llvm_unreachable("every code is some predictor's of activations");
}

Predictor factisa::scorePredictorOf(mlir::fact::PredictOp op) {
  auto encode = mlir::fact::definingOp<mlir::fact::EncodeOp>(op.getQuery());
  return ::fact::numerics::asPredictor<Predictor>(
      encode ? encode.getPredictor() : mlir::fact::Predictor::Exact);
}

std::pair<Predictor, Operand>
factisa::normalizationFor(mlir::fact::EncodeOp op) {
  bool isKey = op && op.getOperand() == mlir::fact::PredictorOperand::Key;
  Operand own = isKey ? Operand::Key : Operand::Query,
          other = isKey ? Operand::Query : Operand::Key;
  for (NumericsPredictor predictor : predictorsFor(op))
    for (Operand operand : {own, other})
      if (::fact::numerics::codeOf(predictor, operand == Operand::Query
                                                  ? NumericsOperand::Query
                                                  : NumericsOperand::Key) ==
          codeOf(op))
        return {::fact::numerics::asPredictor<Predictor>(predictor), operand};
  llvm_unreachable("every code is some predictor's of queries or keys");
}
