//===- Dependences.h - Which instructions need which ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_DEPENDENCES_H
#define FACT_LIB_ISA_DEPENDENCES_H

#include "Regions.h"

#include <map>
#include <tuple>

namespace fact::isa {

/// What engine `from` does in item `source` of a region must be done before
/// what engine `to` does in item `target`, `distance` iterations later.
struct Dependence {
  unsigned region;
  unsigned from, to;
  size_t source, target;
  int64_t distance;
};

/// The dependences of a program: from what its instructions touch, byte by
/// byte. It is walked in program order for sequences of so many lengths that
/// every loop over one makes 1, 2, 3, ... iterations, up to its most or until
/// nothing new has come for several more, and for the longest one. Of the same
/// instructions in several walks and iterations the smallest distance counts:
/// it holds for all of them.
std::vector<Dependence> findDependences(const Code &code,
                                        const Regions &regions);

} // namespace fact::isa

#endif // FACT_LIB_ISA_DEPENDENCES_H
