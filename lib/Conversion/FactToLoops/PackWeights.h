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

struct PackedWeight {
  Value codes; ///< tensor<?xi8>, B of Kernel.h
  /// tensor<?xi32>, -128 * the sum of each column, and of what rows in INT4 are
  /// multiplied with, (w + 8) >> 4. Null without offset.
  Value corrections, highCorrections;
};

class WeightPacker {
public:
  WeightPacker(ModuleOp module, const LoopOptions &options)
      : module(module), options(options) {}

  /// The weight [K, N] of i8 as tensors that can be used wherever it can be.
  PackedWeight pack(Value weight);

  /// Takes arguments away that nobody reads any more, with what calls pass,
  /// and constants.
  void dropUnused();

private:
  PackedWeight packConstant(Value weight);
  PackedWeight packArgument(BlockArgument weight);
  PackedWeight packAtRunTime(Value weight);

  ModuleOp module;
  const LoopOptions &options;
  DenseMap<Value, PackedWeight> packed;
};

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_PACKWEIGHTS_H
