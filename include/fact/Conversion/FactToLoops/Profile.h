//===- Profile.h - What compiled code says of its regions -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With the option `profile`, compiled code calls three functions of whoever
// runs it: where a region begins, where it ends, and, inside of it, for the
// work that it does. Regions nest, in each thread on its own. The
// module's attribute fact.profile_regions names them in order.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_CONVERSION_FACTTOLOOPS_PROFILE_H
#define FACT_CONVERSION_FACTTOLOOPS_PROFILE_H

#include "llvm/ADT/StringRef.h"

namespace mlir::fact {

/// void(int64_t region)
inline constexpr llvm::StringLiteral profileEnterName = "fact_profile_enter";
/// void()
inline constexpr llvm::StringLiteral profileLeaveName = "fact_profile_leave";
/// void(int64_t multiplications, int64_t bytes): multiplications with an
/// addition, bytes of operands and results outside of the region.
inline constexpr llvm::StringLiteral profileWorkName = "fact_profile_work";

} // namespace mlir::fact

#endif // FACT_CONVERSION_FACTTOLOOPS_PROFILE_H
