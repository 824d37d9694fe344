//===- Deadlock.h - Why a wait never ends ---------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_DEADLOCK_H
#define FACT_LIB_ISA_DEADLOCK_H

#include "fact/ISA/Walker.h"

namespace fact::isa {

/// Runs the engines as far as the semaphores let them. Where they block each
/// other: every blocked engine and what it waits for.
std::optional<std::string> findDeadlock(const Code &code, int64_t length);

} // namespace fact::isa

#endif // FACT_LIB_ISA_DEADLOCK_H
