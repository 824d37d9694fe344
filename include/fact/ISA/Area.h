//===- Area.h - How large a machine is ------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ISA_AREA_H
#define FACT_ISA_AREA_H

#include "fact/ISA/Machine.h"

#include <vector>

namespace fact::isa {

/// One unit of a machine.
struct AreaPart {
  const char *name; ///< "pe", "sram", ...
  double squareMillimetres;
};

/// The area of a machine's units at 28 nm, an estimate from published areas of
/// arithmetic units and memories (Area.cpp has them with their sources).
std::vector<AreaPart> areaOf(const Machine &machine);

/// Of all of them, in square millimetres.
double totalArea(const Machine &machine);

} // namespace fact::isa

#endif // FACT_ISA_AREA_H
