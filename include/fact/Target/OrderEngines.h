//===- OrderEngines.h - Tokens of a program in its ops --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_TARGET_ORDERENGINES_H
#define FACT_TARGET_ORDERENGINES_H

#include "fact/ISA/OrderEngines.h"
#include "fact/Target/EncodeProgram.h"

namespace mlir::factisa {

/// Orders the engines of an encoded program (fact/ISA/OrderEngines.h says how)
/// in the ops that it comes from; they are encoded again to have it in a
/// program. A program that has tokens already is an error, with a note at the
/// first op that does.
FailureOr<::fact::isa::EngineOrder>
orderEngines(const ::fact::isa::Program &program, const ProgramPlaces &places);

} // namespace mlir::factisa

#endif // FACT_TARGET_ORDERENGINES_H
