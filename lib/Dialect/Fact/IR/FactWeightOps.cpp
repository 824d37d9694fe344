//===- FactWeightOps.cpp - Folders of ops on weights ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the compile-time ops compute on constants, by calling Numerics.
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Dialect/Fact/IR/Weights.h"
#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Prediction.h"

using namespace mlir;
using namespace mlir::fact;
namespace numerics = ::fact::numerics;

/// Constants of at least this many bytes are resources: text and uniquing of
/// `dense` cost more than they are worth.
static constexpr size_t resourceBytes = 1024;
/// Alignment of resources, for code that maps or vectorises over them.
static constexpr size_t resourceAlignment = 64;

template <typename T>
static ElementsAttr makeConstant(RankedTensorType type, ArrayRef<T> values,
                                 StringRef key, StringRef suffix) {
  ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()),
                       values.size() * sizeof(T));
  if (bytes.size() < resourceBytes)
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  std::string name = ((key.empty() ? StringRef("weight") : key) + suffix).str();
  return DenseResourceElementsAttr::get(
      type, name,
      HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, resourceAlignment,
                                                    /*dataIsMutable=*/false));
}

ElementsAttr mlir::fact::constantOf(RankedTensorType type,
                                    ArrayRef<float> values, StringRef key,
                                    StringRef suffix) {
  return makeConstant(type, values, key, suffix);
}

ElementsAttr mlir::fact::constantOf(RankedTensorType type,
                                    ArrayRef<int8_t> values, StringRef key,
                                    StringRef suffix) {
  return makeConstant(type, values, key, suffix);
}

LogicalResult QuantizeWeightOp::fold(FoldAdaptor adaptor,
                                     SmallVectorImpl<OpFoldResult> &results) {
  auto weight = ConstantElements<float>::of(adaptor.getWeight());
  auto type = cast<RankedTensorType>(getQuantized().getType());
  auto scaleType = cast<RankedTensorType>(getScale().getType());
  if (!weight || !type.hasStaticShape() || !scaleType.hasStaticShape())
    return failure();
  // The caller of a folder need not have run the check of --fact-quantize.
  if (numerics::findUnusable(weight->data(), weight->size()) >= 0)
    return failure();
  std::vector<int8_t> codes(type.getNumElements());
  std::vector<float> scales(type.getDimSize(1));
  numerics::quantizeWeights(weight->data(), type.getDimSize(0),
                            type.getDimSize(1), codes.data(), scales.data());
  results.push_back(constantOf(type, codes, weight->key(), "_int8"));
  results.push_back(constantOf(scaleType, scales, weight->key(), "_scale"));
  return success();
}

LogicalResult
QuantizePredictorWeightOp::fold(FoldAdaptor adaptor,
                                SmallVectorImpl<OpFoldResult> &results) {
  auto weight = ConstantElements<float>::of(adaptor.getWeight());
  auto type = cast<RankedTensorType>(getQuantized().getType());
  if (!weight || !type.hasStaticShape() ||
      numerics::findUnusable(weight->data(), weight->size()) >= 0)
    return failure();
  std::vector<int8_t> codes(type.getNumElements());
  float scale = numerics::quantizePredictorWeights(
      weight->data(), weight->size(), codes.data());
  results.push_back(constantOf(type, codes, weight->key(), "_predictor"));
  results.push_back(DenseElementsAttr::get(
      cast<RankedTensorType>(getScale().getType()), scale));
  return success();
}

OpFoldResult PredictorBiasOp::fold(FoldAdaptor adaptor) {
  auto bias = ConstantElements<float>::of(adaptor.getBias());
  auto scale = ConstantElements<float>::of(adaptor.getScale());
  auto type = cast<RankedTensorType>(getType());
  if (!bias || (getScale() && !scale) || !type.hasStaticShape())
    return {};
  std::vector<float> result(bias->size());
  numerics::Predictor predictor = numericsOf(getPredictor());
  if (scale)
    numerics::predictorBiases(predictor, bias->data(), bias->size(),
                              (*scale)[0], result.data());
  else
    numerics::dressedBiases(predictor, bias->data(), bias->size(),
                            result.data());
  return constantOf(type, result, bias->key(), "_predictor");
}

OpFoldResult EncodeOp::fold(FoldAdaptor adaptor) {
  auto input = ConstantElements<int8_t>::of(adaptor.getInput());
  auto type = cast<RankedTensorType>(getType());
  if (!input || !type.hasStaticShape())
    return {};
  numerics::PredictorCode code =
      numerics::codeOf(numericsOf(getPredictor()), numericsOf(getOperand()));
  std::vector<int8_t> result(input->size());
  numerics::encodeRow(code, input->data(), input->size(), result.data());
  return constantOf(type, result, input->key(), "_code");
}
