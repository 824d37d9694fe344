//===- CheckOrder.cpp - Engines wait for each other -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/CheckOrder.h"

#include "ByteRanges.h"
#include "CheckSupport.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>

using namespace fact;
using namespace fact::isa;

namespace {
/// Per engine, how many of its instructions are known to be done.
using Clock = std::array<uint64_t, numEngines>;

/// Where an engine touched bytes last; time 0 is never.
struct Touch {
  uint64_t time = 0;
  size_t instruction = 0;
};

/// What engines did to a range of bytes since the last write that all of them
/// know of.
struct Touches {
  std::array<Touch, numEngines> reads{}, writes{};
};

/// One walk, for one length.
class Order {
public:
  Order(const Code &code, int64_t length)
      : code(code), length(length),
        sram(static_cast<uint64_t>(code.program().machine.scratchpadBytes())),
        dram(code.program().dramBytes) {}

  std::optional<Fault> run() {
    int64_t registers[numRegisters] = {};
    Resolver resolver{registers, length};
    Walker walker(code, registers, length);
    for (size_t index; walker.next(index);) {
      const Instruction &instruction = code[index];
      auto engine = static_cast<unsigned>(engineOf(instruction));
      Tokens moved = tokensOf(instruction);
      moved.wait.forEach([&](Engine from) {
        take(signals[static_cast<unsigned>(from)][engine], moved.times,
             clocks[engine]);
      });
      ++clocks[engine][engine];
      for (const Access &access : accesses(instruction, resolver))
        if (access.bytes > 0 && (access.read || access.write))
          touch(index, engine, access);
      if (found)
        return found;
      moved.signal.forEach([&](Engine to) {
        std::deque<Clock> &queue = signals[engine][static_cast<unsigned>(to)];
        queue.insert(queue.end(), static_cast<size_t>(moved.times),
                     clocks[engine]);
      });
    }
    return std::nullopt;
  }

private:
  /// That there are as many is checkProgram's affair.
  static void take(std::deque<Clock> &queue, int64_t times, Clock &clock) {
    for (; times > 0 && !queue.empty(); --times) {
      for (unsigned e = 0; e < numEngines; ++e)
        clock[e] = std::max(clock[e], queue.front()[e]);
      queue.pop_front();
    }
  }

  void touch(size_t index, unsigned engine, const Access &access) {
    ByteRanges<Touches> &memory = access.dram ? dram : sram;
    for (auto *range : memory.touchedBy(access)) {
      Touches &last = range->known;
      for (unsigned other = 0; other < numEngines && !found; ++other) {
        if (other == engine)
          continue;
        // A write after a read, or anything after a write.
        for (const Touch *touch : {&last.writes[other], &last.reads[other]}) {
          bool isRead = touch == &last.reads[other];
          if (found || touch->time <= clocks[engine][other] ||
              (isRead && !access.write))
            continue;
          found.emplace();
          found->instruction = index;
          found->field = access.field;
          found->other = touch->instruction;
          found->reason = "operand '" + std::string(access.operand) + "' " +
                          (access.write ? "writes " : "reads ") +
                          bytesText(access.dram, range->begin, range->end) +
                          ", which " + engineName(static_cast<Engine>(other)) +
                          " may " +
                          (isRead ? "still read" : "not have written yet") +
                          ": no token puts one after the other";
          found->note = std::string("the ") + (isRead ? "read" : "write");
        }
      }
      Touch now{clocks[engine][engine], index};
      if (access.write)
        last.writes[engine] = now;
      if (access.read)
        last.reads[engine] = now;
      if (found)
        return;
    }
  }

  const Code &code;
  int64_t length;
  ByteRanges<Touches> sram, dram;
  std::array<Clock, numEngines> clocks{};
  /// By engine that signals and engine that waits.
  std::array<std::array<std::deque<Clock>, numEngines>, numEngines> signals;
  std::optional<Fault> found;
};
} // namespace

std::optional<Fault> isa::checkOrder(const Code &code) {
  return forEachCheckedLength(code.program(), [&](const Sequence &sequence) {
    return checkOrder(code, sequence);
  });
}

std::optional<Fault> isa::checkOrder(const Code &code,
                                     const Sequence &sequence) {
  return Order(code, sequence.length).run();
}
