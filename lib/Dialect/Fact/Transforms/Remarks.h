//===- Remarks.h - Remarks of the passes on the fact dialect --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_DIALECT_FACT_TRANSFORMS_REMARKS_H
#define FACT_LIB_DIALECT_FACT_TRANSFORMS_REMARKS_H

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::fact {

/// Options of a remark called `name` on `op` by the pass with flag `pass`.
/// All three strings outlive the remark: literals, or names in the IR.
inline remark::RemarkOpts remarkOn(Operation *op, StringRef name,
                                   StringRef pass) {
  auto options = remark::RemarkOpts::name(name).category(pass);
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!function)
    function = op->getParentOfType<FunctionOpInterface>();
  if (function)
    options = options.function(function.getName());
  return options;
}

/// A missed remark; the caller adds `remark::reason` and `remark::suggest`.
inline remark::detail::InFlightRemark missed(Operation *op, StringRef name,
                                             StringRef pass) {
  return remark::missed(op->getLoc(), remarkOn(op, name, pass));
}

} // namespace mlir::fact

#endif // FACT_LIB_DIALECT_FACT_TRANSFORMS_REMARKS_H
