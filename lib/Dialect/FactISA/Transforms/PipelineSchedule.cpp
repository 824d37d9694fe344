//===- PipelineSchedule.cpp - When the steps of a body begin --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The engine with the most work is the axis: its steps follow each other
// without a gap. They fall into levels: a step of a higher level needs, by way
// of other engines, one of the level before. Between a level and the next there
// is some time that the axis must fill with another level, of another
// iteration: of all orders of the levels the one is taken that needs the fewest
// stages. All other steps begin as soon as they can and their engine has time,
// those that the axis waits for first.
//
//===----------------------------------------------------------------------===//

#include "Pipeline.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

using namespace mlir;
using namespace mlir::factisa;
using ::fact::isa::Engine;
using ::fact::isa::numEngines;

namespace {
constexpr double noDeadline = std::numeric_limits<double>::infinity();
constexpr unsigned mostAttempts = 20;
/// Stages cost slots, and registers that say which slot is whose.
constexpr double mostStages = 3;
/// Orders of more levels than this are not tried out.
constexpr size_t mostLevels = 7;

/// How busy an engine is in each part of the interval.
class Timetable {
public:
  explicit Timetable(double interval)
      : width(interval / parts), free(parts, width) {}

  /// Takes `cycles` from time `ready` on; returns when they begin and end.
  std::pair<double, double> reserve(double ready, double cycles) {
    auto part = static_cast<int64_t>(std::floor(ready / width));
    double begin = -1;
    for (int64_t tried = 0;; ++part, ++tried) {
      double &left = free[index(part)];
      // An engine that is full takes no more than twice its time.
      double taken = tried > 2 * parts ? cycles : std::min(left, cycles);
      if (taken <= 0 && cycles > 0)
        continue;
      double at = std::max(ready, static_cast<double>(part) * width +
                                      std::max(0.0, width - left));
      if (begin < 0)
        begin = at;
      left -= taken;
      cycles -= taken;
      if (cycles <= 0)
        return {begin, at + taken};
    }
  }

  /// Takes `cycles` that end at time `due` or before; returns likewise.
  std::pair<double, double> reserveBefore(double due, double cycles) {
    auto part = static_cast<int64_t>(std::floor(due / width)) - 1;
    double end = static_cast<double>(part + 1) * width;
    for (int64_t tried = 0;; --part, ++tried) {
      double &left = free[index(part)];
      double taken = tried > 2 * parts ? cycles : std::min(left, cycles);
      left -= taken;
      cycles -= taken;
      if (cycles <= 0)
        return {static_cast<double>(part) * width, end};
    }
  }

private:
  static constexpr int64_t parts = 512;
  static size_t index(int64_t part) {
    return static_cast<size_t>(((part % parts) + parts) % parts);
  }

  double width;
  std::vector<double> free;
};

class Scheduler {
public:
  Scheduler(Body &body, int64_t turns)
      : body(body), steps(body.steps), turns(turns) {}

  std::optional<double> run(const char *&reason) {
    chooseAxis();
    findLevels();
    // What does not fit between two levels makes its gap wider.
    for (unsigned attempt = 0; attempt < mostAttempts; ++attempt) {
      isStrict = attempt < mostAttempts * 3 / 4;
      orderLevels();
      if (!place())
        continue;
      if (span() <= mostStages)
        return isInOrder(reason) ? std::optional(interval) : std::nullopt;
      // Latencies that are long for so little work.
      shortest = interval * 1.5;
    }
    reason = "no order of its steps was found";
    return std::nullopt;
  }

private:
  void chooseAxis() {
    std::array<double, numEngines> work{};
    for (const Step &step : steps)
      work[static_cast<unsigned>(step.engine)] += step.cycles;
    // Transfers hide behind all else: they are the axis of copies only.
    axis = Engine::PE;
    for (Engine engine : {Engine::APU, Engine::EP, Engine::SEL})
      if (work[static_cast<unsigned>(engine)] >
          work[static_cast<unsigned>(axis)])
        axis = engine;
    // The array's steps are those that all others are for.
    if (work[static_cast<unsigned>(Engine::PE)] >
        0.75 * work[static_cast<unsigned>(axis)])
      axis = Engine::PE;
    if (work[static_cast<unsigned>(axis)] == 0)
      axis = Engine::LOAD;
    // Loads without any slack would have to come far ahead.
    work[static_cast<unsigned>(Engine::LOAD)] *= loadSlack;
    busiest = *std::max_element(work.begin(), work.end());
  }

  /// Whether a step needs nothing: it comes when it is needed, no sooner.
  bool isLoad(unsigned step) const {
    return steps[step].before.empty() && steps[step].engine == Engine::LOAD;
  }

  bool onAxis(unsigned step) const { return steps[step].engine == axis; }

  void findLevels() {
    levelOf.assign(steps.size(), -1);
    for (unsigned s = 0; s < steps.size(); ++s) {
      int level = onAxis(s) ? 0 : -1;
      for (unsigned b : steps[s].before)
        if (levelOf[b] >= 0)
          level =
              std::max(level, levelOf[b] + (onAxis(s) && !onAxis(b) ? 1 : 0));
      levelOf[s] = level;
    }
    for (unsigned s = 0; s < steps.size(); ++s) {
      if (!onAxis(s))
        continue;
      if (levels.size() <= static_cast<size_t>(levelOf[s]))
        levels.resize(levelOf[s] + 1);
      levels[levelOf[s]].push_back(s);
    }
    if (levels.empty())
      levels.emplace_back();
    findLengths();
    findDelays();
    gaps.assign(levels.size(), 0);
    double early = 0;
    for (unsigned s = 0; s < steps.size(); ++s)
      if (levelOf[s] < 0 && !isLoad(s))
        early += steps[s].cycles;
    leads.assign(steps.size(), prefetchCycles);
    for (unsigned s = 0; s < steps.size(); ++s)
      if (levelOf[s] < 0 && !isLoad(s))
        leads[s] += early;
  }

  /// A level is as long as its steps of the axis take, or, where there are more
  /// than can wait in turns, as those of another engine that follow them.
  void findLengths() {
    lengths.assign(levels.size(), 0);
    paces.assign(levels.size(), 1);
    for (size_t l = 0; l < levels.size(); ++l) {
      for (unsigned s : levels[l])
        lengths[l] += steps[s].cycles;
      if (lengths[l] == 0 ||
          static_cast<int64_t>(levels[l].size()) <= 2 * turns)
        continue;
      std::array<double, numEngines> work{};
      for (unsigned s = 0; s < steps.size(); ++s)
        if (levelOf[s] == static_cast<int>(l) && !isLoad(s))
          work[static_cast<unsigned>(steps[s].engine)] += steps[s].cycles;
      double longest = *std::max_element(work.begin(), work.end());
      paces[l] = longest / lengths[l];
      lengths[l] = longest;
    }
  }

  /// Of each level, the work between its last step and the next level's first:
  /// all that comes of the last step. Of the array's work, which is the most,
  /// that is too much: the first product is enough.
  void findDelays() {
    delays.assign(levels.size(), 0);
    for (size_t l = 0; l + 1 < levels.size(); ++l) {
      if (levels[l].empty() || levels[l + 1].empty())
        continue;
      unsigned end = static_cast<unsigned>(steps.size());
      if (axis != Engine::PE) {
        end = 0;
        for (unsigned b : steps[levels[l + 1].front()].before)
          if (!onAxis(b))
            end = std::max(end, b + 1);
      }
      std::vector<bool> follows(steps.size());
      follows[levels[l].back()] = true;
      for (unsigned s = levels[l].back() + 1; s < end; ++s) {
        if (onAxis(s))
          continue;
        for (unsigned b : steps[s].before)
          follows[s] = follows[s] || follows[b];
        if (follows[s] && levelOf[s] == static_cast<int>(l))
          delays[l] += steps[s].cycles;
      }
    }
  }

  /// Where each level begins in the interval, and its stage.
  struct LevelOrder {
    std::vector<double> begins;
    std::vector<int64_t> stages;
    double interval = 0;
    int64_t stageSum = 0;
  };

  LevelOrder evaluate(ArrayRef<size_t> order) const {
    LevelOrder result;
    result.begins.resize(levels.size());
    result.stages.resize(levels.size());
    double total = 0;
    for (size_t l : order) {
      result.begins[l] = total;
      total += lengths[l];
    }
    for (size_t l = 0; l + 1 < levels.size(); ++l) {
      double end = result.begins[l] + lengths[l] + delays[l] + gaps[l];
      auto ahead = static_cast<int64_t>(
          std::ceil((end - result.begins[l + 1]) / std::max(total, 1.0)));
      result.stages[l + 1] = result.stages[l] + std::max<int64_t>(ahead, 0);
    }
    for (int64_t stage : result.stages)
      result.stageSum += stage;
    result.interval = total;
    return result;
  }

  void orderLevels() {
    std::vector<size_t> order(levels.size()), best;
    for (size_t l = 0; l < order.size(); ++l)
      order[l] = l;
    LevelOrder found;
    auto consider = [&] {
      LevelOrder tried = evaluate(order);
      if (best.empty() || tried.stageSum < found.stageSum) {
        found = tried;
        best = order;
      }
    };
    if (levels.size() > mostLevels)
      consider();
    else
      do
        consider();
      while (std::next_permutation(order.begin(), order.end()));
    // Levels without work have an iteration all the same.
    interval = std::max({found.interval, busiest, shortest, 1.0});
    // Where another engine has more to do, the axis works at its pace.
    stretch = found.interval > 0 ? interval / found.interval : 1;
    beginOfLevel.resize(levels.size());
    for (size_t l = 0; l < levels.size(); ++l)
      beginOfLevel[l] = found.begins[l] * stretch +
                        static_cast<double>(found.stages[l]) * interval;
  }

  bool place() {
    for (size_t l = 0; l < levels.size(); ++l) {
      double time = beginOfLevel[l];
      for (unsigned s : levels[l]) {
        steps[s].begin = time;
        steps[s].end = time + steps[s].cycles;
        time += steps[s].cycles * stretch * paces[l];
      }
    }
    findTurns();
    findDeadlines();
    placeOthers();
    // The axis does not wait for a level that comes later.
    bool fits = true;
    std::vector<double> wider(gaps.size()), sooner(steps.size());
    auto raise = [](double &most, double value) {
      most = std::max(most, value);
    };
    for (unsigned s = 0; s < steps.size(); ++s)
      for (unsigned b : steps[s].before) {
        double late = steps[b].begin - steps[s].begin;
        bool isReady = late < 0 || (late == 0 && b < s);
        if (isStrict && onAxis(s) && !onAxis(b)) {
          late = std::max(late, steps[b].end - steps[s].begin);
          isReady = isReady && late <= 0;
        }
        if (isReady)
          continue;
        fits = false;
        if (steps[b].before.empty() || levelOf[b] < 0)
          raise(sooner[b], late + 1);
        else if (onAxis(s) && levelOf[s] > 0)
          raise(wider[levelOf[s] - 1], late + 1);
      }
    for (size_t l = 0; l < gaps.size(); ++l)
      gaps[l] += wider[l];
    for (size_t i = 0; i < steps.size(); ++i)
      leads[i] += sooner[i];
    return fits;
  }

  /// What reads a result of the axis gives its buffer back: to the step of the
  /// axis that comes when all others have had their turn.
  void findTurns() {
    std::vector<std::pair<double, unsigned>> axisOrder;
    for (unsigned s = 0; s < steps.size(); ++s)
      if (onAxis(s))
        axisOrder.push_back({std::fmod(steps[s].begin, interval), s});
    llvm::sort(axisOrder);
    deadlines.assign(steps.size(), noDeadline);
    auto count = static_cast<int64_t>(axisOrder.size());
    for (int64_t i = 0; i < count; ++i) {
      unsigned s = axisOrder[i].second;
      int64_t next = i + std::max<int64_t>(turns - 1, 1);
      double passed = static_cast<double>(next / count) * interval +
                      axisOrder[next % count].first - axisOrder[i].first;
      for (unsigned a : steps[s].after)
        if (!onAxis(a))
          deadlines[a] =
              std::min(deadlines[a], steps[s].begin + passed - steps[a].cycles);
    }
  }

  void findDeadlines() {
    for (unsigned s = static_cast<unsigned>(steps.size()); s-- > 0;) {
      if (onAxis(s)) {
        deadlines[s] = steps[s].begin;
        continue;
      }
      for (unsigned a : steps[s].after)
        deadlines[s] = std::min(deadlines[s], deadlines[a] - steps[s].cycles);
    }
  }

  void placeOthers() {
    std::vector<Timetable> timetables(numEngines, Timetable(interval));
    std::vector<size_t> missing(steps.size());
    // Of the steps that may be placed, the one with the first deadline.
    using Candidate = std::pair<double, unsigned>;
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>>
        ready;
    auto done = [&](unsigned s, auto &self) -> void {
      for (unsigned a : steps[s].after)
        if (--missing[a] == 0) {
          if (onAxis(a) || isLoad(a))
            self(a, self);
          else
            ready.push({deadlines[a], a});
        }
    };
    for (unsigned s = 0; s < steps.size(); ++s)
      missing[s] = steps[s].before.size();
    for (unsigned s = 0; s < steps.size(); ++s)
      if (steps[s].before.empty()) {
        if (onAxis(s) || isLoad(s))
          done(s, done);
        else
          ready.push({deadlines[s], s});
      }
    while (!ready.empty()) {
      unsigned s = ready.top().second;
      ready.pop();
      Step &step = steps[s];
      double time = -noDeadline;
      for (unsigned b : step.before)
        if (!isLoad(b))
          time = std::max(time, steps[b].end);
      if (time == -noDeadline) // in time for who needs it
        time = deadlines[s] == noDeadline
                   ? 0
                   : deadlines[s] - step.cycles - leads[s];
      std::tie(step.begin, step.end) =
          timetables[static_cast<unsigned>(step.engine)].reserve(time,
                                                                 step.cycles);
      done(s, done);
    }
    placeLoads(timetables[static_cast<unsigned>(Engine::LOAD)]);
  }

  void placeLoads(Timetable &timetable) {
    std::vector<std::pair<double, unsigned>> needed;
    for (unsigned s = 0; s < steps.size(); ++s) {
      if (!isLoad(s) || onAxis(s))
        continue;
      // What no step of the iteration needs comes after all that some does.
      double first = steps[s].after.empty() ? interval : noDeadline;
      for (unsigned a : steps[s].after)
        first = std::min(first, steps[a].begin);
      needed.push_back({-(first - leads[s]), s});
    }
    llvm::sort(needed); // the last one first
    for (auto [time, s] : needed)
      std::tie(steps[s].begin, steps[s].end) =
          timetable.reserveBefore(-time, steps[s].cycles);
  }

  /// How many iterations are worked on at a time, about.
  double span() const {
    double first = noDeadline, last = -noDeadline;
    for (const Step &step : steps) {
      first = std::min(first, step.begin);
      last = std::max(last, step.begin);
    }
    return (last - first) / interval;
  }

  /// What adds up outside of the loop keeps its order.
  bool isInOrder(const char *&reason) const {
    for (auto [a, b] : body.inOrder)
      if (steps[b].begin > steps[a].begin + interval ||
          (steps[b].begin == steps[a].begin + interval && a != b)) {
        reason = "what its iterations add up needs them one after the other";
        return false;
      }
    return true;
  }

  /// How long before it is needed a load begins, beside the time that it takes.
  static constexpr double prefetchCycles = 200;
  static constexpr double loadSlack = 1.2;

  Body &body;
  std::vector<Step> &steps;
  int64_t turns;
  Engine axis = Engine::PE;
  std::vector<int> levelOf; ///< Of a step; -1: before all of the axis.
  std::vector<std::vector<unsigned>> levels;
  std::vector<double> lengths, paces, delays, gaps, beginOfLevel;
  std::vector<double> deadlines, leads; ///< Of each step.
  double interval = 0, shortest = 0;
  double busiest = 0;   ///< Work of the engine that has the most.
  double stretch = 1;   ///< Time of a step of the axis over its cycles.
  bool isStrict = true; ///< The axis never waits; else only the order holds.
};
} // namespace

std::optional<double> factisa::schedule(Body &body, int64_t turns,
                                        const char *&reason) {
  return Scheduler(body, turns).run(reason);
}

int64_t factisa::stageOf(const Step &step, double interval) {
  return static_cast<int64_t>(std::floor(step.begin / interval));
}

std::vector<unsigned> factisa::orderOf(const Body &body, double interval) {
  std::vector<unsigned> order(body.steps.size());
  for (unsigned s = 0; s < order.size(); ++s)
    order[s] = s;
  auto position = [&](unsigned s) {
    return body.steps[s].begin -
           static_cast<double>(stageOf(body.steps[s], interval)) * interval;
  };
  // A step of a later stage comes first: it is of an earlier iteration.
  llvm::stable_sort(order, [&](unsigned a, unsigned b) {
    return std::tuple(position(a), -stageOf(body.steps[a], interval)) <
           std::tuple(position(b), -stageOf(body.steps[b], interval));
  });
  return order;
}
