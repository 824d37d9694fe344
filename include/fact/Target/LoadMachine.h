//===- LoadMachine.h - Machine descriptions as diagnostics ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_TARGET_LOADMACHINE_H
#define FACT_TARGET_LOADMACHINE_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"

namespace fact::isa {
struct Machine;
} // namespace fact::isa

namespace mlir::factisa {

/// The machine of a description's path, the default one for an empty path. An
/// unreadable or invalid description is an error at `loc`.
FailureOr<::fact::isa::Machine> loadMachine(StringRef path, Location loc);

} // namespace mlir::factisa

#endif // FACT_TARGET_LOADMACHINE_H
