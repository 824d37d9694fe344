//===- Regions.cpp - A program's loops as a tree --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Regions.h"

using namespace fact;
using namespace fact::isa;

Regions::Regions(const Code &code)
    : code(code), owners(code.size()), begins(code.size()),
      places(code.size()) {
  regions.emplace_back();
  read(0, 0);
}

/// Reads the body from `position` on into a region; returns where it ends.
size_t Regions::read(size_t position, unsigned region) {
  for (; position < code.size(); ++position) {
    if (std::holds_alternative<EndLoop>(code[position]))
      return position;
    if (std::holds_alternative<Loop>(code[position])) {
      addLoop(position, region);
      position = code.partner(position);
      continue;
    }
    Engine engine = engineOf(code[position]);
    if (engine == Engine::CTRL)
      continue;
    owners[position] = region;
    places[position] = regions[region].items.size();
    regions[region].items.push_back({position, 0});
    note(region, engine);
  }
  return position;
}

/// The one loop that a loop's body has, where it has no instruction of an
/// engine; else the loop itself.
static size_t innermost(const Code &code, size_t loop) {
  size_t only = 0;
  for (size_t i = loop + 1; i < code.partner(loop); ++i) {
    if (std::holds_alternative<Loop>(code[i])) {
      if (only != 0)
        return loop;
      only = i;
      i = code.partner(i);
    } else if (engineOf(code[i]) != Engine::CTRL) {
      return loop;
    }
  }
  return only == 0 ? loop : innermost(code, only);
}

void Regions::addLoop(size_t loop, unsigned parent) {
  auto number = static_cast<unsigned>(regions.size());
  Region region;
  region.outer = loop;
  region.inner = innermost(code, loop);
  region.parent = parent;
  region.item = regions[parent].items.size();
  region.depth = regions[parent].depth + 1;
  regions.push_back(region);
  regions[parent].items.push_back({loop, number});
  owners[region.inner] = begins[loop] = number;
  read(region.inner + 1, number);
}

/// An engine has work in a region's last item, and so in that of each region
/// around it.
void Regions::note(unsigned region, Engine engine) {
  for (;; region = regions[region].parent) {
    std::vector<size_t> &items =
        regions[region].itemsOf[static_cast<unsigned>(engine)];
    size_t item = regions[region].items.size() - 1;
    if (!items.empty() && items.back() == item)
      return;
    items.push_back(item);
    if (region == 0)
      return;
  }
}
