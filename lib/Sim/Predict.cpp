//===- Predict.cpp - What a program is expected to take -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Predict.h"

#include "Meter.h"
#include "fact/ISA/TokenCounters.h"
#include "fact/ISA/Walker.h"
#include "fact/Sim/Timing.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <type_traits>
#include <vector>

namespace fact::sim {

namespace {

template <typename T, typename = void> struct HasRows : std::false_type {};
template <typename T>
struct HasRows<T, std::void_t<decltype(T::row0), decltype(T::rows)>>
    : std::true_type {};
template <typename T, typename = void> struct HasColumns : std::false_type {};
template <typename T>
struct HasColumns<T, std::void_t<decltype(T::col0)>> : std::true_type {};
template <typename T, typename = void> struct IsWhole : std::false_type {};
template <typename T>
struct IsWhole<T, std::void_t<decltype(T::whole)>> : std::true_type {};
template <typename T, typename = void> struct IsListed : std::false_type {};
template <typename T>
struct IsListed<T, std::void_t<decltype(T::list)>> : std::true_type {};

/// How long lists of rows are expected to be. Flags of rows at low precision
/// are followed from what makes them to the lists that are made of them; of
/// rows that are listed once, the first list has all.
class ListLengths {
public:
  explicit ListLengths(double lowShare) : share(lowShare) {}

  /// The share of its rows that a list names; all where there is none.
  double listed(const isa::SramRef &list, const isa::Resolver &at) const {
    auto found = list.present ? lists.find(at.resolve(list)) : lists.end();
    return found == lists.end() ? 1 : found->second;
  }

  void step(const isa::Instruction &instruction, const isa::Resolver &at) {
    isa::AccessList accesses = isa::accesses(instruction, at);
    const auto *once = std::get_if<isa::SelListNew>(&instruction);
    bool isFirst = once && named.count(at.resolve(once->named)) == 0;
    bool moves = false; // flags, with what else lies there
    for (const isa::Access &access : accesses)
      moves |= access.read && !access.write && access.bytes > 0 &&
               holdsFlags(access.dram, access.address);
    for (const isa::Access &access : accesses)
      if (access.write && access.bytes > 0)
        forget(access);
    if (const auto *list = std::get_if<isa::SelList>(&instruction)) {
      double length = 1;
      if (holdsFlags(/*dram=*/false, at.resolve(list->flags)))
        length = list->invert ? 1 - share : share;
      if (list->unless.present &&
          holdsFlags(/*dram=*/false, at.resolve(list->unless)))
        length *= 1 - share;
      lists[at.resolve(list->list)] = length;
      return;
    }
    if (once) {
      named.insert(at.resolve(once->named));
      lists[at.resolve(once->list)] = isFirst ? 1 : 0;
      return;
    }
    bool isMaker = std::holds_alternative<isa::SelPrecision>(instruction);
    isa::Engine engine = isa::engineOf(instruction);
    bool isTransfer =
        engine == isa::Engine::LOAD || engine == isa::Engine::STORE;
    if (!isMaker && !(isTransfer && moves))
      return;
    for (const isa::Access &access : accesses)
      if (access.write && access.bytes > 0)
        ranges.push_back(
            {access.dram, access.address, access.address + access.bytes});
  }

private:
  struct Range {
    bool dram;
    int64_t begin, end;
  };

  bool holdsFlags(bool dram, int64_t address) const {
    return std::any_of(ranges.begin(), ranges.end(), [&](const Range &range) {
      return range.dram == dram && range.begin <= address &&
             address < range.end;
    });
  }
  void forget(const isa::Access &access) {
    int64_t end = access.address + access.bytes;
    ranges.erase(std::remove_if(ranges.begin(), ranges.end(),
                                [&](const Range &range) {
                                  return range.dram == access.dram &&
                                         range.begin < end &&
                                         access.address < range.end;
                                }),
                 ranges.end());
    if (!access.dram)
      named.erase(named.lower_bound(access.address), named.lower_bound(end));
  }

  double share; ///< of the rows, at low precision
  std::vector<Range> ranges;
  std::set<int64_t> named; ///< by address, flags of rows that were listed
  std::map<int64_t, double> lists; ///< by address, what listed() says
};

/// Gives an instruction the rows and columns that there are of its extents.
struct Clamp {
  const isa::Resolver &at;
  const ListLengths &lengths;
  bool isEmpty = false;

  template <typename T> void operator()(T &i) {
    if constexpr (HasRows<T>::value) {
      bool isWhole = false;
      if constexpr (IsWhole<T>::value)
        isWhole = i.whole;
      int64_t rows =
          isWhole ? at.extent(i.row0, 1) * i.rows : at.extent(i.row0, i.rows);
      // What load.listed and selections make of a list, its cost knows.
      if constexpr (IsListed<T>::value && (T::engine == isa::Engine::PE ||
                                           T::engine == isa::Engine::APU))
        rows =
            std::lround(lengths.listed(i.list, at) * static_cast<double>(rows));
      isEmpty |= rows == 0;
      i.rows = static_cast<decltype(i.rows)>(rows);
    }
    if constexpr (HasColumns<T>::value) {
      int64_t columns = at.extent(i.col0, i.cols);
      isEmpty |= columns == 0;
      i.cols = static_cast<decltype(i.cols)>(columns);
    }
  }
};

} // namespace

/// Bytes of DRAM that a transfer of so many cycles moves, in whole bursts.
static int64_t bytesMoved(const isa::Instruction &instruction,
                          const isa::Resolver &at, int64_t cycles,
                          const isa::Machine &machine, Meter &meter) {
  if (cycles == 0)
    return 0;
  int64_t bytes = 0;
  meter.begin();
  for (const isa::Access &access : isa::accesses(instruction, at)) {
    if (!access.dram)
      continue;
    const isa::Rows &rows = access.rows;
    bytes += rows.count * rows.bytes;
    bool isOnePiece = rows.stride == rows.bytes;
    for (int64_t row = 0; row < (isOnePiece ? 1 : rows.count); ++row)
      meter.transfer(access.address + row * rows.stride,
                     isOnePiece ? rows.count * rows.bytes : rows.bytes);
  }
  // Of all that an instruction may move, what it is expected to.
  double expected = static_cast<double>(cycles) * machine.dramBytesPerCycle();
  return std::llround(static_cast<double>(meter.work.dramMoved) *
                      std::min(1.0, expected / static_cast<double>(bytes)));
}

PredictedTime predictTime(const isa::Program &program,
                          const isa::Expectation &expected) {
  const isa::Machine &machine = program.machine;
  isa::Code code(program);
  // Nothing is in memory: only control flow runs.
  State state(machine, 0);
  state.length = expected.length;
  isa::TokenCounters tokens(code, state.length);
  Timing timing(machine);
  Meter meter(machine);
  ListLengths lengths(expected.low);
  const isa::AccessList accesses{};
  isa::Walker walker(code, state.registers, state.length);
  size_t index = 0;
  while (walker.next(index)) {
    if (std::optional<isa::Fault> fault = tokens.step(index))
      throw Error(fault->text(code));
    isa::Engine engine = isa::engineOf(code[index]);
    isa::Instruction instruction = code[index];
    isa::Resolver at = state.resolver();
    Clamp clamp{at, lengths};
    std::visit(clamp, instruction);
    lengths.step(code[index], at);
    meter.begin();
    int64_t cycles =
        clamp.isEmpty ? 0 : isa::estimateCycles(instruction, machine, expected);
    if (engine == isa::Engine::LOAD || engine == isa::Engine::STORE) {
      int64_t moved = bytesMoved(instruction, at, cycles, machine, meter);
      meter.begin();
      meter.work.dramMoved = moved;
      (engine == isa::Engine::LOAD ? meter.work.dramRead
                                   : meter.work.dramWritten) = moved;
    } else {
      meter.work.cycles = cycles;
      meter.end(engine);
    }
    timing.onInstruction({index, instruction, state, accesses, meter.work});
  }
  timing.onEnd();

  PredictedTime result;
  result.cycles = timing.cycles();
  for (unsigned i = 0; i < isa::numEngines; ++i)
    result.busy[i] = timing.engine(static_cast<isa::Engine>(i)).busy;
  return result;
}

} // namespace fact::sim
