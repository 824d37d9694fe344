//===- Regions.h - A program's loops as a tree ----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_ISA_REGIONS_H
#define FACT_LIB_ISA_REGIONS_H

#include "fact/ISA/Walker.h"

#include <array>
#include <vector>

namespace fact::isa {

/// What is repeated as a whole: the program itself, or a nest of loops of which
/// all but the innermost one hold nothing but the next one. Such a nest counts
/// as one loop: its iterations are those of the innermost loop, one after the
/// other.
struct Region {
  /// The outermost and the innermost `loop`; both 0 of the program.
  size_t outer = 0, inner = 0;
  unsigned parent = 0; ///< Of the program: itself.
  size_t item = 0;     ///< Which one of the parent's.
  unsigned depth = 0;  ///< Of the program 0.

  /// An instruction of an engine, or a region, in order.
  struct Item {
    size_t instruction = 0;
    unsigned region = 0; ///< 0: an instruction.
  };
  std::vector<Item> items;
  /// Whether an engine has work in an item; not of the control processor.
  std::array<std::vector<size_t>, numEngines> itemsOf;
};

/// A program's tree of regions; the program is the first one, and a parent
/// comes before its children.
class Regions {
public:
  explicit Regions(const Code &code);

  size_t size() const { return regions.size(); }
  const Region &operator[](size_t i) const { return regions[i]; }

  /// The region of an instruction of an engine, and which item it is there.
  unsigned regionOf(size_t instruction) const { return owners[instruction]; }
  size_t itemOf(size_t instruction) const { return places[instruction]; }
  /// The region whose innermost loop is at this `loop`; 0: none.
  unsigned regionOfLoop(size_t loop) const { return owners[loop]; }
  /// The region whose outermost loop is at this instruction; 0: none.
  unsigned regionAt(size_t instruction) const { return begins[instruction]; }

private:
  size_t read(size_t position, unsigned region);
  void addLoop(size_t loop, unsigned parent);
  void note(unsigned region, Engine engine);

  const Code &code;
  std::vector<Region> regions;
  std::vector<unsigned> owners, begins;
  std::vector<size_t> places;
};

} // namespace fact::isa

#endif // FACT_LIB_ISA_REGIONS_H
