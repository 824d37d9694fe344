//===- LookAhead.h - What raising would find ------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_CONVERSION_LINALGTOFACT_LOOKAHEAD_H
#define FACT_CONVERSION_LINALGTOFACT_LOOKAHEAD_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::fact {

/// What `fact-raise` would find in a function.
struct RaiseOutlook {
  /// Softmaxes of queries and keys, over values, that are attentions.
  int64_t attentions = 0;
  /// Whether a mask says which tokens of an open sequence are padding, and
  /// these can be left out.
  bool leavesPadding = false;
};

/// Looks, and changes nothing.
RaiseOutlook lookAhead(func::FuncOp function);

} // namespace mlir::fact

#endif // FACT_CONVERSION_LINALGTOFACT_LOOKAHEAD_H
