//===- PackWeights.h - Weights in the order of the products ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A weight that is a constant, of the function or of all that call it, is
// packed while compiling, once for all who share it.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_PACKWEIGHTS_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_PACKWEIGHTS_H

#include "Emitter.h"

#include "mlir/IR/BuiltinOps.h"

namespace mlir::fact::loops {

/// Which codes of a weight a product reads.
enum class WeightPlane {
  Whole,
  High ///< (w + 8) >> 4, of rows in INT4
};

struct PackedWeight {
  Value codes;       ///< tensor<?xi8>, B of Kernel.h
  Value corrections; ///< tensor<?xi32>, -128 * column sums; null without offset
};

class WeightPacker {
public:
  WeightPacker(ModuleOp module, const LoopOptions &options)
      : module(module), options(options) {}

  /// The weight [K, N] of i8 as tensors that can be used wherever it can be.
  PackedWeight pack(Value weight, WeightPlane plane);

  /// Takes arguments away that nobody reads any more, with what calls pass,
  /// and constants.
  void dropUnused();

private:
  PackedWeight packConstant(Value weight, WeightPlane plane);
  PackedWeight packArgument(BlockArgument weight, WeightPlane plane);
  PackedWeight packAtRunTime(Value weight, WeightPlane plane);

  ModuleOp module;
  const LoopOptions &options;
  DenseMap<std::pair<Value, int>, PackedWeight> packed;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_PACKWEIGHTS_H
