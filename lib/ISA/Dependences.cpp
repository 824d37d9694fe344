//===- Dependences.cpp - Which instructions need which --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dependences.h"

#include "ByteRanges.h"
#include "CheckSupport.h"

#include <algorithm>
#include <set>

using namespace fact;
using namespace fact::isa;

// Lengths, each one iteration of a loop more, that must bring nothing new.
constexpr unsigned quietLengths = 6;

namespace {
/// An executed instruction, by its number; 0: none.
using Instance = uint32_t;

/// What engines did to a range of bytes since its last write.
struct Touches {
  unsigned writer = 0; ///< An engine.
  Instance write = 0;
  std::array<Instance, numEngines> reads{};
};

/// Region, engines and items of a dependence; its distance is the value.
using Key = std::tuple<unsigned, unsigned, unsigned, size_t, size_t>;
using Distances = std::map<Key, int64_t>;

/// One walk, for one length.
class Walk {
public:
  Walk(const Code &code, const Regions &regions, int64_t length,
       Distances &found)
      : code(code), regions(regions), length(length), found(found),
        constants(static_cast<int64_t>(code.program().constantsSize())),
        sram(static_cast<uint64_t>(code.program().machine.scratchpadBytes())),
        dram(code.program().dramBytes), iterations(regions.size()) {
    executed.emplace_back();
  }

  /// Whether there was something new.
  bool run() {
    int64_t registers[numRegisters] = {};
    Resolver resolver{registers, length};
    Walker walker(code, registers, length);
    for (size_t index; walker.next(index);) {
      // The first instruction of a body comes once an iteration.
      if (index > 0 && std::holds_alternative<Loop>(code[index - 1]))
        if (unsigned region = regions.regionOfLoop(index - 1))
          ++iterations[region];
      if (unsigned region = regions.regionAt(index))
        iterations[region] = -1;
      Engine engine = engineOf(code[index]);
      if (engine == Engine::CTRL)
        continue;
      begin(index);
      for (const Access &access : accesses(code[index], resolver))
        if (access.bytes > 0 && (access.read || access.write))
          touch(static_cast<unsigned>(engine), access);
    }
    return isNew;
  }

private:
  struct Executed {
    size_t index = 0;
    /// Where the iterations of its region and of those around it are, the
    /// program's first.
    size_t iterations = 0;
  };

  void begin(size_t index) {
    unsigned region = regions.regionOf(index);
    unsigned depth = regions[region].depth;
    executed.push_back({index, pool.size()});
    pool.resize(pool.size() + depth + 1);
    for (unsigned d = depth; d > 0; --d, region = regions[region].parent)
      pool[executed.back().iterations + d] =
          static_cast<int32_t>(iterations[region]);
  }

  void touch(unsigned engine, const Access &access) {
    auto now = static_cast<Instance>(executed.size() - 1);
    // Nobody writes constants: what reads them needs no order.
    if (access.dram && access.address + access.bytes <= constants)
      return;
    ByteRanges<Touches> &memory = access.dram ? dram : sram;
    for (auto *range : memory.touchedBy(access)) {
      Touches &last = range->known;
      if (last.write != 0 && last.writer != engine)
        depend(last.write, last.writer, engine);
      if (!access.write) {
        last.reads[engine] = now;
        continue;
      }
      for (unsigned other = 0; other < numEngines; ++other)
        if (last.reads[other] != 0 && other != engine)
          depend(last.reads[other], other, engine);
      last = Touches();
      last.writer = engine;
      last.write = now;
      // It reads, too: whoever writes next comes after both.
    }
  }

  /// The instruction at hand needs `source`.
  void depend(Instance source, unsigned from, unsigned to) {
    auto now = static_cast<Instance>(executed.size() - 1);
    if (lastFrom[from] == std::pair(source, now))
      return; // row by row, mostly
    lastFrom[from] = {source, now};
    const Executed &a = executed[source], &b = executed[now];
    // The innermost region whose same run both are in.
    unsigned ownA = regions.regionOf(a.index), ownB = regions.regionOf(b.index);
    size_t itemA = regions.itemOf(a.index), itemB = regions.itemOf(b.index);
    while (ownA != ownB || differs(a, b, regions[ownA].depth)) {
      // The deeper one, or both.
      unsigned depthA = regions[ownA].depth, depthB = regions[ownB].depth;
      if (depthA >= depthB) {
        itemA = regions[ownA].item;
        ownA = regions[ownA].parent;
      }
      if (depthB >= depthA) {
        itemB = regions[ownB].item;
        ownB = regions[ownB].parent;
      }
    }
    unsigned depth = regions[ownA].depth;
    int64_t distance = pool[b.iterations + depth] - pool[a.iterations + depth];
    auto [entry, added] =
        found.emplace(Key(ownA, from, to, itemA, itemB), distance);
    if (!added && entry->second <= distance)
      return;
    entry->second = distance;
    isNew = true;
  }

  /// Whether two instructions in regions of the same number and of this depth
  /// are in different runs of it: iterations around it differ.
  bool differs(const Executed &a, const Executed &b, unsigned depth) const {
    return !std::equal(pool.begin() + a.iterations,
                       pool.begin() + a.iterations + depth,
                       pool.begin() + b.iterations);
  }

  const Code &code;
  const Regions &regions;
  int64_t length;
  Distances &found;
  int64_t constants; ///< Bytes of DRAM, from 0 on.
  ByteRanges<Touches> sram, dram;
  std::vector<int64_t> iterations; ///< By region.
  std::vector<Executed> executed;
  std::vector<int32_t> pool;
  std::array<std::pair<Instance, Instance>, numEngines> lastFrom{};
  bool isNew = false;
};
} // namespace

/// The steps of loops over the sequence.
static std::set<int64_t> stepsOf(const Code &code) {
  std::set<int64_t> steps;
  for (size_t i = 0; i < code.size(); ++i)
    if (const auto *loop = std::get_if<Loop>(&code[i]); loop && loop->len)
      steps.insert(loop->step);
  return steps;
}

std::vector<Dependence> isa::findDependences(const Code &code,
                                             const Regions &regions) {
  Distances found;
  int64_t bound = sequenceBound(code.program()).rows;
  std::set<int64_t> walked;
  auto walk = [&](int64_t length) {
    walked.insert(length);
    return Walk(code, regions, length, found).run();
  };
  for (int64_t step : stepsOf(code)) {
    unsigned quiet = 0;
    // Of the lengths of as many iterations the longest one: it touches most.
    for (int64_t rows = step; rows < bound && quiet < quietLengths;
         rows += step)
      if (!walked.count(rows))
        quiet = walk(rows) ? 0 : quiet + 1;
  }
  // Last, so that what is new to a short one counts as new.
  walk(bound);
  std::vector<Dependence> dependences;
  for (const auto &[key, distance] : found) {
    auto [region, from, to, source, target] = key;
    dependences.push_back({region, from, to, source, target, distance});
  }
  return dependences;
}
