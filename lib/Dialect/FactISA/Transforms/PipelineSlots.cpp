//===- PipelineSlots.cpp - Where the buffers of a body are ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A buffer that an iteration needs for no longer than an interval is an arc on
// the circle of the body's steps. Buffers of one size whose arcs do not meet
// may be in one place, in all iterations the same. One that is needed for
// longer has several slots in turn.
//
//===----------------------------------------------------------------------===//

#include "Pipeline.h"

#include "llvm/ADT/MapVector.h"

#include <cmath>

using namespace mlir;
using namespace mlir::factisa;

namespace {
/// Steps, as positions in the order of the body, from the first that writes to
/// the last that uses; past the end where it is of the next interval.
struct Arc {
  unsigned buffer;
  int64_t first, last;
};

class Placer {
public:
  Placer(const Body &body, ArrayRef<unsigned> order, double interval,
         int64_t turns)
      : body(body), circle(static_cast<int64_t>(order.size())), turns(turns),
        interval(interval), positions(order.size()) {
    for (auto [position, step] : llvm::enumerate(order))
      positions[step] = static_cast<int64_t>(position) +
                        circle * stageOf(body.steps[step], interval);
  }

  Places run() {
    places.ofBuffer.resize(body.buffers.size());
    // Kinds: memory, size, and the engine that writes: no engine waits for what
    // another one has in turns.
    using Kind = std::tuple<Memory, int64_t, int>;
    llvm::MapVector<Kind, SmallVector<Arc>> kinds;
    llvm::MapVector<Kind, int64_t> counts;
    auto kindOf = [&](unsigned b) {
      SramBufferOp op = body.buffers[b].op;
      return Kind(op.getMemory(), static_cast<int64_t>(op.getBytes()),
                  writerOf(b));
    };
    for (unsigned b = 0; b < body.buffers.size(); ++b)
      ++counts[kindOf(b)];
    for (unsigned b = 0; b < body.buffers.size(); ++b) {
      SramBufferOp op = body.buffers[b].op;
      auto bytes = static_cast<int64_t>(op.getBytes());
      Arc arc = arcOf(b);
      int64_t slots = (arc.last - arc.first) / circle + 1;
      if (bytes <= kMostBytesInTurns && !isTight())
        slots = std::max(slots, slotsInTime(b));
      if (isLoaded(b) &&
          (counts[kindOf(b)] < turns || isSmall(bytes * counts[kindOf(b)])) &&
          bytes <= kMostBytesInTurns)
        slots += std::max<int64_t>(turns - 2, 0);
      if (slots > 1) {
        places.ofBuffer[b] = {slots, add(op, bytes * slots)};
        continue;
      }
      arc.last -= arc.first;
      arc.first = ((arc.first % circle) + circle) % circle;
      arc.last += arc.first;
      kinds[kindOf(b)].push_back(arc);
    }
    for (auto &[kind, arcs] : kinds)
      share(arcs);
    return std::move(places);
  }

private:
  /// One turn is for machines with little room: nobody has more than needed.
  bool isTight() const { return turns <= 1; }

  /// Buffers of one kind that have so little all together share no place: their
  /// engines would wait for each other.
  bool isSmall(int64_t bytes) const {
    constexpr int64_t few = 32768;
    return bytes <= few && !isTight();
  }

  bool isLoaded(unsigned buffer) const {
    return llvm::any_of(body.buffers[buffer].writers, [&](unsigned s) {
      return body.steps[s].engine == ::fact::isa::Engine::LOAD;
    });
  }

  /// The engine that writes a buffer first, or -1.
  int writerOf(unsigned buffer) const {
    ArrayRef<unsigned> writers = body.buffers[buffer].writers;
    return writers.empty() || isTight()
               ? -1
               : static_cast<int>(body.steps[writers.front()].engine);
  }

  Arc arcOf(unsigned buffer) const {
    const Buffer &of = body.buffers[buffer];
    Arc arc{buffer, std::numeric_limits<int64_t>::max(),
            std::numeric_limits<int64_t>::min()};
    for (unsigned s : of.users)
      arc.last = std::max(arc.last, positions[s]);
    for (unsigned s : of.writers.empty() ? of.users : of.writers)
      arc.first = std::min(arc.first, positions[s]);
    return arc;
  }

  /// How many iterations need a buffer at a time. A little of the next one's
  /// time is not worth the room: it waits.
  int64_t slotsInTime(unsigned buffer) const {
    const Buffer &of = body.buffers[buffer];
    double begin = std::numeric_limits<double>::infinity(), end = -begin;
    for (unsigned s : of.users)
      end = std::max(end, body.steps[s].end);
    for (unsigned s : of.writers)
      begin = std::min(begin, body.steps[s].begin);
    constexpr double little = 0.1;
    return of.writers.empty() ? 1
                              : static_cast<int64_t>(std::ceil(
                                    (end - begin) / interval - little));
  }

  unsigned add(SramBufferOp op, int64_t bytes) {
    places.storages.push_back(
        {op.getMemory(), bytes, op.getLabel().str(), op.getLoc()});
    return static_cast<unsigned>(places.storages.size() - 1);
  }

  bool meet(const Arc &a, const Arc &b) const {
    for (int64_t turn : {-circle, int64_t(0), circle})
      if (a.first <= b.last + turn && b.first + turn <= a.last)
        return true;
    return false;
  }

  void share(SmallVector<Arc> &arcs) {
    llvm::sort(arcs, [](const Arc &a, const Arc &b) {
      return std::pair(a.first, a.buffer) < std::pair(b.first, b.buffer);
    });
    struct Storage {
      unsigned number;
      SmallVector<Arc> arcs;
    };
    SmallVector<Storage> storages;
    for (const Arc &arc : arcs) {
      // The one that has been free for the longest time.
      Storage *best = nullptr;
      for (Storage &storage : storages)
        if (llvm::none_of(storage.arcs,
                          [&](const Arc &a) { return meet(a, arc); }) &&
            (!best || storage.arcs.back().last < best->arcs.back().last))
          best = &storage;
      SramBufferOp op = body.buffers[arc.buffer].op;
      auto bytes = static_cast<int64_t>(op.getBytes()),
           count = static_cast<int64_t>(arcs.size());
      bool isNew =
          static_cast<int64_t>(storages.size()) < std::min(turns, count) ||
          isSmall(bytes * count);
      if (!best || isNew) {
        storages.push_back({add(op, bytes), {}});
        best = &storages.back();
      }
      best->arcs.push_back(arc);
      places.ofBuffer[arc.buffer] = {1, best->number};
    }
  }

  const Body &body;
  int64_t circle, turns;
  double interval;
  /// Of a step: its place in the order, a circle later for each stage.
  std::vector<int64_t> positions;
  Places places;
};
} // namespace

Places factisa::placeBuffers(const Body &body, ArrayRef<unsigned> order,
                             double interval, int64_t turns) {
  return Placer(body, order, interval, turns).run();
}
