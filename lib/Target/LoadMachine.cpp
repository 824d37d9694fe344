//===- LoadMachine.cpp - Machine descriptions as diagnostics --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Target/LoadMachine.h"

#include "fact/ISA/Machine.h"

#include "mlir/IR/Diagnostics.h"

#include <exception>

using namespace mlir;

FailureOr<::fact::isa::Machine> factisa::loadMachine(StringRef path,
                                                     Location loc) {
  if (path.empty())
    return ::fact::isa::Machine::defaultMachine();
  try {
    return ::fact::isa::Machine::load(path.str());
  } catch (const std::exception &error) {
    emitError(loc) << error.what();
    return failure();
  }
}
