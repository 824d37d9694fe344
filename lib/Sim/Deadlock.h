//===- Deadlock.h - Why a wait never ends ---------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_SIM_DEADLOCK_H
#define FACT_LIB_SIM_DEADLOCK_H

#include "ControlProcessor.h"

namespace fact::sim {

/// Throws the fact::Error of a wait that found no signal in program order:
/// either the engines block each other (then every blocked engine is named
/// with what it waits for), or the signal comes later in program order.
[[noreturn]] void failWait(const Code &code, size_t index, int64_t length);

} // namespace fact::sim

#endif // FACT_LIB_SIM_DEADLOCK_H
