//===- FactWeightOps.cpp - Folders of ops on weights ------------*- C++ -*-===//
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

using namespace mlir;
using namespace mlir::fact;

LogicalResult QuantizeWeightOp::fold(FoldAdaptor adaptor, SmallVectorImpl<OpFoldResult> &results) { return failure(); }

LogicalResult WeightPlanesOp::fold(FoldAdaptor adaptor, SmallVectorImpl<OpFoldResult> &results) { return failure(); }

LogicalResult QuantizePredictorWeightOp::fold(FoldAdaptor adaptor, SmallVectorImpl<OpFoldResult> &results) {
  return failure();
}

OpFoldResult PredictorBiasOp::fold(FoldAdaptor adaptor) { return {}; }

OpFoldResult EncodeOp::fold(FoldAdaptor adaptor) { return {}; }
