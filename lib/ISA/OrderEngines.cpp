//===- OrderEngines.cpp - Tokens that order a program's engines -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each region is ordered by itself; a region in it counts as one instruction of
// each of its engines. In a region with N items, "position p - dN" is item p
// of d iterations before.
//
// One counter for each ordered pair of engines is enough because of a pair's
// waits, in their order, each has a later signal than the one before: the k-th
// wait belongs to the k-th signal. What a wait needs of earlier iterations is
// given as tokens before the loop, and as many are taken after it.
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/OrderEngines.h"

#include "Dependences.h"

#include "fact/Support/Error.h"

#include <algorithm>
#include <limits>

using namespace fact;
using namespace fact::isa;

namespace {
constexpr int64_t never = std::numeric_limits<int64_t>::min() / 2;

/// What is known to be done on each engine: its last such position.
using Knowledge = std::array<int64_t, numEngines>;

void learn(Knowledge &knowledge, const Knowledge &other, int64_t shift) {
  for (unsigned e = 0; e < numEngines; ++e)
    if (other[e] != never)
      knowledge[e] = std::max(knowledge[e], other[e] + shift);
}

class RegionOrder {
public:
  /// Signals of a pair of engines cross no region that has some of its own.
  using HasPair =
      std::vector<std::array<std::array<bool, numEngines>, numEngines>>;

  RegionOrder(const Region &region, std::vector<Dependence> dependences,
              const HasPair &hasPair)
      : region(region), size(static_cast<int64_t>(region.items.size())),
        edges(std::move(dependences)) {
    for (Dependence &edge : edges)
      stopAtRegions(edge, hasPair);
    dropImpliedOfPair();
    dropImplied();
  }

  const std::vector<Dependence> &result() const { return edges; }

private:
  /// The wait of a pair may come earlier, so that it does not cross a region in
  /// which both engines meet.
  void stopAtRegions(Dependence &edge, const HasPair &hasPair) const {
    auto target = static_cast<int64_t>(edge.target) + edge.distance * size;
    for (auto at = static_cast<int64_t>(edge.source) + 1; at < target; ++at) {
      unsigned child = region.items[static_cast<size_t>(at % size)].region;
      if (child == 0 || !hasPair[child][edge.from][edge.to])
        continue;
      edge.target = static_cast<size_t>(at % size);
      edge.distance = at / size;
      return;
    }
  }

  /// The position that a wait needs, seen from its own iteration.
  int64_t need(const Dependence &edge) const {
    return static_cast<int64_t>(edge.source) - edge.distance * size;
  }

  /// Of the waits of a pair each needs more than the ones before.
  void dropImpliedOfPair() {
    std::sort(edges.begin(), edges.end(), [&](auto &a, auto &b) {
      return std::tuple(a.from, a.to, a.target, -need(a)) <
             std::tuple(b.from, b.to, b.target, -need(b));
    });
    std::vector<Dependence> kept;
    for (auto first = edges.begin(); first != edges.end();) {
      auto last = std::find_if(first, edges.end(), [&](const Dependence &e) {
        return e.from != first->from || e.to != first->to;
      });
      // What the iteration before has waited for.
      int64_t most = never;
      for (auto edge = first; edge != last; ++edge)
        most = std::max(most, need(*edge) - size);
      for (; first != last; ++first)
        if (need(*first) > most) {
          most = need(*first);
          kept.push_back(*first);
        }
    }
    edges = std::move(kept);
  }

  /// Drops what other pairs and the order of the queues imply, what reaches
  /// farthest first.
  void dropImplied() {
    std::vector<size_t> order(edges.size());
    for (size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    auto reach = [&](size_t i) {
      return static_cast<int64_t>(edges[i].target) - need(edges[i]);
    };
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::tuple(-reach(a), a) < std::tuple(-reach(b), b);
    });
    std::vector<bool> dropped(edges.size());
    for (size_t i : order) {
      dropped[i] = true;
      if (known(dropped, edges[i]) < need(edges[i]))
        dropped[i] = false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < edges.size(); ++i)
      if (!dropped[i])
        edges[kept++] = edges[i];
    edges.resize(kept);
  }

  /// What the wait's engine knows of the signal's when it gets to the wait.
  int64_t known(const std::vector<bool> &dropped, const Dependence &asked) {
    std::vector<std::vector<const Dependence *>> waits(region.items.size());
    for (size_t i = 0; i < edges.size(); ++i)
      if (!dropped[i])
        waits[edges[i].target].push_back(&edges[i]);
    // Of every item and engine, when it begins; more passes know more of
    // earlier iterations.
    Knowledge nothing;
    nothing.fill(never);
    std::vector<std::array<Knowledge, numEngines>> begins(region.items.size());
    for (auto &item : begins)
      item.fill(nothing);
    int64_t wanted = need(asked);
    for (bool changed = true; changed;) {
      changed = false;
      // Of every engine, behind its last item.
      std::array<Knowledge, numEngines> now;
      for (unsigned e = 0; e < numEngines; ++e) {
        now[e] = nothing;
        if (!region.itemsOf[e].empty()) {
          size_t last = region.itemsOf[e].back();
          learn(now[e], begins[last][e], -size);
          now[e][e] = static_cast<int64_t>(last) - size;
        }
      }
      for (size_t item = 0; item < region.items.size(); ++item) {
        for (const Dependence *edge : waits[item]) {
          learn(now[edge->to], begins[edge->source][edge->from],
                -edge->distance * size);
          int64_t &known = now[edge->to][edge->from];
          known = std::max(known, need(*edge));
        }
        for (unsigned e = 0; e < numEngines; ++e) {
          if (!std::binary_search(region.itemsOf[e].begin(),
                                  region.itemsOf[e].end(), item))
            continue;
          if (begins[item][e] != now[e]) {
            begins[item][e] = now[e];
            changed = true;
          }
          now[e][e] = static_cast<int64_t>(item);
        }
        if (begins[asked.target][asked.to][asked.from] >= wanted)
          return wanted;
      }
    }
    return begins[asked.target][asked.to][asked.from];
  }

  const Region &region;
  int64_t size;
  std::vector<Dependence> edges;
};

class Orderer {
public:
  explicit Orderer(const Code &code)
      : code(code), regions(code), hasPair(regions.size()) {}

  EngineOrder run() {
    order.tokens.resize(code.size());
    std::vector<std::vector<Dependence>> found(regions.size());
    for (const Dependence &dependence : findDependences(code, regions)) {
      found[dependence.region].push_back(dependence);
      ++order.dependences;
    }
    std::vector<std::vector<Dependence>> kept(regions.size());
    for (size_t r = regions.size(); r-- > 0;) { // children first
      kept[r] = RegionOrder(regions[r], std::move(found[r]), hasPair).result();
      auto &pairs = hasPair[r];
      for (const Dependence &edge : kept[r])
        pairs[edge.from][edge.to] = true;
      for (const Region::Item &item : regions[r].items)
        for (unsigned from = 0; from < numEngines && item.region; ++from)
          for (unsigned to = 0; to < numEngines; ++to)
            pairs[from][to] |= hasPair[item.region][from][to];
    }
    for (size_t r = 0; r < regions.size(); ++r)
      emit(regions[r], kept[r]);
    return std::move(order);
  }

private:
  using Counts = std::array<std::array<int64_t, numEngines>, numEngines>;
  using Sets = std::array<EngineSet, numEngines>;

  void emit(const Region &region, const std::vector<Dependence> &edges) {
    order.pairs += static_cast<int64_t>(edges.size());
    Counts carried{};
    std::vector<Sets> waits(region.items.size()), signals(region.items.size());
    for (const Dependence &edge : edges) {
      order.carried += edge.distance > 0;
      carried[edge.from][edge.to] += edge.distance;
      waits[edge.target][edge.to].insert(static_cast<Engine>(edge.from));
      signals[edge.source][edge.from].insert(static_cast<Engine>(edge.to));
    }
    for (size_t i = 0; i < region.items.size(); ++i)
      if (region.items[i].region == 0)
        emitInstruction(region.items[i].instruction, waits[i], signals[i]);
      else
        emitRegion(regions[region.items[i].region], waits[i], signals[i]);
    if (&region != &regions[0])
      emitCarried(region, carried);
  }

  void emitInstruction(size_t index, const Sets &waits, const Sets &signals) {
    auto engine = static_cast<unsigned>(engineOf(code[index]));
    order.tokens[index] = {waits[engine], signals[engine], 1};
  }

  void emitRegion(const Region &region, const Sets &waits,
                  const Sets &signals) {
    for (unsigned e = 1; e < numEngines; ++e) {
      addSync(region, /*after=*/false, e, 1, waits[e], EngineSet());
      addSync(region, /*after=*/true, e, 1, EngineSet(), signals[e]);
    }
  }

  /// The tokens that are given before the loop, and those taken after it.
  void emitCarried(const Region &region, const Counts &carried) {
    for (unsigned from = 1; from < numEngines; ++from)
      for (unsigned to = 1; to < numEngines; ++to) {
        if (carried[from][to] == 0)
          continue;
        EngineSet source, target;
        source.insert(static_cast<Engine>(from));
        target.insert(static_cast<Engine>(to));
        addSync(region, /*after=*/false, from, carried[from][to], EngineSet(),
                target);
        addSync(region, /*after=*/true, to, carried[from][to], source,
                EngineSet());
      }
  }

  void addSync(const Region &region, bool after, unsigned engine, int64_t times,
               EngineSet wait, EngineSet signal) {
    if (wait.empty() && signal.empty())
      return;
    if (times > maximumTokens)
      throw Error(code.describe(region.outer) + ": needs " +
                  std::to_string(times) + " tokens of a pair of engines (of " +
                  std::to_string(maximumTokens) + ")");
    Sync sync;
    sync.engine = static_cast<EngineId>(engine);
    sync.times = static_cast<uint32_t>(times);
    sync.wait = wait;
    sync.signal = signal;
    // Same place, engine and number: one sync.
    for (EngineOrder::LoopSync &other : order.syncs)
      if (other.loop == region.outer && other.after == after &&
          other.sync.engine == sync.engine && other.sync.times == sync.times &&
          other.sync.wait.empty() == wait.empty()) {
        other.sync.wait.insert(wait);
        other.sync.signal.insert(signal);
        return;
      }
    // Nobody waits for who gives tokens and then waits itself, nor for who
    // signals and then takes some: the region's own come first and last.
    order.syncs.insert(after ? order.syncs.end() : order.syncs.begin(),
                       {region.outer, after, sync});
  }

  const Code &code;
  Regions regions;
  RegionOrder::HasPair hasPair;
  EngineOrder order;
};
} // namespace

EngineOrder isa::orderEngines(const Code &code) { return Orderer(code).run(); }
