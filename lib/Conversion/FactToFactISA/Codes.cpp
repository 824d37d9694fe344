//===- Codes.cpp - Choices of the fact dialect in factisa -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codes.h"

#include "Lowering.h"

#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/IR/Weights.h"
#include "fact/Numerics/Prediction.h"

#include "mlir/IR/Matchers.h"

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

bool factisa::isIdentity(mlir::fact::EncodeOp op) {
  return codeOf(op) == PredictorCode::Exact;
}

static bool isLeadingOne(mlir::fact::EncodeOp op) {
  return op && codeOf(op) == PredictorCode::LeadingOne;
}

/// Whether a predictor's codes of an operand are packed.
static bool packs(NumericsPredictor predictor, NumericsOperand operand) {
  return ::fact::numerics::storedBits(
             ::fact::numerics::codeOf(predictor, operand)) < 8;
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

/// The first of these whose codes of activations are those of the op.
static NumericsPredictor predictorOfRows(mlir::fact::EncodeOp op) {
  for (NumericsPredictor predictor : predictorsFor(op))
    if (::fact::numerics::codeOf(predictor, NumericsOperand::Activation) ==
        codeOf(op))
      return predictor;
  llvm_unreachable("every code is some predictor's of activations");
}

std::pair<Predictor, Operand> factisa::encodingOf(mlir::fact::EncodeOp op) {
  bool isKey = op && op.getOperand() == mlir::fact::PredictorOperand::Key;
  Operand own = isKey ? Operand::Key : Operand::Query,
          other = isKey ? Operand::Query : Operand::Key;
  for (NumericsPredictor predictor : predictorsFor(op))
    for (Operand operand : {own, other})
      if (::fact::numerics::codeOf(
              predictor, ::fact::numerics::asScoreOperand<NumericsOperand>(
                             operand)) == codeOf(op))
        return {::fact::numerics::asPredictor<Predictor>(predictor), operand};
  llvm_unreachable("every code is some predictor's of queries or keys");
}

mlir::fact::QuantizeHeadsOp factisa::quantizationBy(Operation *op) {
  while (isa_and_nonnull<mlir::fact::NormOp, mlir::fact::RotateOp>(op)) {
    SmallVector<Operation *> readers = realUsers(op->getResult(0));
    op = readers.size() == 1 ? readers.front() : nullptr;
  }
  return dyn_cast_or_null<mlir::fact::QuantizeHeadsOp>(op);
}

int64_t factisa::headFeaturesOf(mlir::fact::RescaleOp op) {
  int64_t features = cast<ShapedType>(op.getType()).getDimSize(1);
  SmallVector<Operation *> readers = realUsers(op.getResult());
  mlir::fact::QuantizeHeadsOp quantize =
      readers.size() == 1 ? factisa::quantizationBy(readers.front())
                          : mlir::fact::QuantizeHeadsOp();
  return quantize ? features / static_cast<int64_t>(quantize.getHeads())
                  : features;
}

//===----------------------------------------------------------------------===//
// What is packed
//===----------------------------------------------------------------------===//

/// Every use of a value, looking through what is free.
static void collectUses(Value value, SmallVectorImpl<OpOperand *> &uses) {
  for (OpOperand *use : mlir::fact::readersOf(value)) {
    auto encode = dyn_cast<mlir::fact::EncodeOp>(use->getOwner());
    if (encode && isIdentity(encode))
      collectUses(encode.getResult(), uses);
    else
      uses.push_back(use);
  }
}
static SmallVector<OpOperand *> usesOf(Value value) {
  SmallVector<OpOperand *> uses;
  collectUses(value, uses);
  return uses;
}

PredictorCodes::PredictorCodes(ModuleOp module) {
  addRows(module);
  addWeights(module);
}

int64_t PredictorCodes::packedHeads(Value code) const {
  return heads.lookup(Lowering::root(code));
}

int64_t PredictorCodes::packedColumns(Value weight) const {
  return columns.lookup(Lowering::root(weight));
}

int64_t PredictorCodes::bytesOf(Value code, int64_t n) const {
  return ::fact::numerics::codeBytes(
      packedHeads(code) > 0 ? PredictorCode::LeadingOne : PredictorCode::Exact,
      n);
}

/// The heads into which all that makes and reads a code splits its rows, if
/// only scores read it, all of them on the side `operand`; else 0.
static int64_t headsOfScores(mlir::fact::EncodeOp op, unsigned operand) {
  SmallVector<int64_t> found;
  if (auto normalize =
          mlir::fact::definingOp<mlir::fact::NormalizeHeadsOp>(op.getInput()))
    found.push_back(normalize.getHeads());
  if (auto quantize =
          mlir::fact::definingOp<mlir::fact::QuantizeHeadsOp>(op.getInput()))
    found.push_back(quantize.getHeads());
  SmallVector<OpOperand *> uses = usesOf(op.getResult());
  for (OpOperand *use : uses) {
    auto predict = dyn_cast<mlir::fact::PredictOp>(use->getOwner());
    if (!predict || use->getOperandNumber() != operand)
      return 0;
    found.push_back(operand == 0 ? predict.getHeads() : predict.getGroups());
  }
  return !uses.empty() && llvm::all_equal(found) ? found.front() : 0;
}

void PredictorCodes::addRows(ModuleOp module) {
  SmallVector<mlir::fact::EncodeOp> all;
  module.walk([&](mlir::fact::EncodeOp op) {
    if (isLeadingOne(op))
      all.push_back(op);
  });
  SmallVector<std::pair<mlir::fact::EncodeOp, int64_t>> keys;
  for (mlir::fact::EncodeOp op : all) {
    if (int64_t found = headsOfScores(op, /*query=*/0))
      heads[op.getResult()] = found;
    else if (int64_t found = headsOfScores(op, /*key=*/2))
      keys.push_back({op, found});
  }
  // No predictor has leading ones of keys alone.
  for (auto [op, found] : keys)
    if (llvm::all_of(usesOf(op.getResult()), [&](OpOperand *use) {
          return packedHeads(
                     cast<mlir::fact::PredictOp>(use->getOwner()).getQuery()) >
                 0;
        }))
      heads[op.getResult()] = found;
}

static bool hasOnlyLeadingOnes(Value weight) {
  ElementsAttr values;
  if (!matchPattern(weight, m_Constant(&values)))
    return false;
  auto elements = mlir::fact::ConstantElements<int8_t>::of(values);
  return elements &&
         std::all_of(elements->data(), elements->data() + elements->size(),
                     [](int8_t value) {
                       return ::fact::numerics::leadingOne(value) == value;
                     });
}

void PredictorCodes::addWeights(ModuleOp module) {
  SymbolTableCollection symbols;
  SymbolUserMap users(symbols, module);
  module.walk([&](mlir::fact::LogMatmulOp op) {
    Value weight = Lowering::root(op.getWeight());
    if (columns.contains(weight))
      return;
    columns[weight] = 0;
    SmallVector<int64_t> found; // by what shifts the products
    for (OpOperand *use : usesOf(weight)) {
      // What a call is given is another value inside.
      if (isa<func::CallOp>(use->getOwner()))
        continue;
      auto matmul = dyn_cast<mlir::fact::LogMatmulOp>(use->getOwner());
      if (!matmul || use->getOperandNumber() != 1 ||
          !packs(predictorOfRows(mlir::fact::definingOp<mlir::fact::EncodeOp>(
                     matmul.getInput())),
                 NumericsOperand::Weight))
        return;
      int64_t features = cast<ShapedType>(matmul.getType()).getDimSize(1);
      for (Operation *user : realUsers(matmul.getResult()))
        if (auto normalize = dyn_cast<mlir::fact::NormalizeHeadsOp>(user))
          found.push_back(features /
                          static_cast<int64_t>(normalize.getHeads()));
        else if (auto rescale = dyn_cast<mlir::fact::RescaleOp>(user))
          found.push_back(headFeaturesOf(rescale));
    }
    // In all calls.
    SmallVector<Value> values = mlir::fact::sourcesAcrossCalls(weight, users);
    if (!found.empty() && llvm::all_equal(found) && !values.empty() &&
        llvm::all_of(values, hasOnlyLeadingOnes))
      columns[weight] = found.front();
  });
}

//===----------------------------------------------------------------------===//
// By which predictor
//===----------------------------------------------------------------------===//

bool PredictorCodes::isOfShift(mlir::fact::EncodeOp op) const {
  return mlir::fact::definingOp<mlir::fact::NormalizeHeadsOp>(op.getInput()) &&
         (!isLeadingOne(op) || packedHeads(op.getResult()) > 0);
}

bool PredictorCodes::isEncodedAlone(mlir::fact::EncodeOp op) const {
  if (isOfShift(op))
    return false;
  // ep.project encodes its rows.
  return llvm::any_of(usesOf(op.getResult()), [&](OpOperand *use) {
    auto matmul = dyn_cast<mlir::fact::LogMatmulOp>(use->getOwner());
    return !matmul || use->getOperandNumber() != 0 ||
           (isLeadingOne(op) && packedColumns(matmul.getWeight()) == 0);
  });
}

std::pair<Value, Predictor>
PredictorCodes::projectionOf(mlir::fact::LogMatmulOp op) const {
  auto encode = mlir::fact::definingOp<mlir::fact::EncodeOp>(op.getInput());
  NumericsPredictor predictor = predictorOfRows(encode);
  Value rows = encode ? encode.getInput() : op.getInput();
  if (packs(predictor, NumericsOperand::Weight) &&
      packedColumns(op.getWeight()) == 0) {
    predictor = NumericsPredictor::Exact;
    // Codes of rows that no predictor has with bytes of weights.
    if (isLeadingOne(encode))
      rows = op.getInput();
  }
  return {rows, ::fact::numerics::asPredictor<Predictor>(predictor)};
}

Predictor PredictorCodes::scorePredictorOf(mlir::fact::PredictOp op) const {
  bool query = packedHeads(op.getQuery()) > 0,
       key = packedHeads(op.getKey()) > 0;
  auto encode = mlir::fact::definingOp<mlir::fact::EncodeOp>(op.getQuery());
  SmallVector<NumericsPredictor> all = predictorsFor(encode);
  // Bytes that no op of their own makes are numbers.
  if (!query)
    all.insert(all.begin() + (encode ? 1 : 0), NumericsPredictor::Exact);
  for (NumericsPredictor predictor : all)
    if (packs(predictor, NumericsOperand::Query) == query &&
        packs(predictor, NumericsOperand::Key) == key)
      return ::fact::numerics::asPredictor<Predictor>(predictor);
  llvm_unreachable("keys are packed where queries are");
}
