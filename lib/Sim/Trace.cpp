//===- Trace.cpp - A run to look at ---------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Trace.h"

#include "nlohmann/json.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

namespace fact::sim {

// Words of a bank: nothing that is written or read is much smaller.
constexpr uint64_t granuleBytes = 64;
// Points of a counter; more than a screen has.
constexpr int64_t counterPoints = 2000;

static std::string quote(const std::string &value) {
  return nlohmann::json(value).dump(-1, ' ', false,
                                    nlohmann::json::error_handler_t::replace);
}

namespace {
/// Row and column extents, layer and head of an instruction that has them.
class Arguments {
public:
  Arguments(const isa::Instruction &instruction, const isa::Resolver &resolver)
      : resolver(resolver) {
    std::visit(
        [this](const auto &i) {
          add("row", firstRow(i, 0));
          add("layer", layer(i, 0));
          add("head", head(i, 0));
        },
        instruction);
  }
  std::string text;

private:
  // A field where an instruction has it, else nothing.
  template <typename I> auto firstRow(const I &i, int) -> decltype(&i.row0) {
    return &i.row0;
  }
  template <typename I> const isa::ScalarRef *firstRow(const I &, long) {
    return nullptr;
  }
  template <typename I> auto layer(const I &i, int) -> decltype(&i.layer) {
    return &i.layer;
  }
  template <typename I> const isa::ScalarRef *layer(const I &, long) {
    return nullptr;
  }
  template <typename I> auto head(const I &i, int) -> decltype(&i.head) {
    return &i.head;
  }
  template <typename I> const isa::ScalarRef *head(const I &, long) {
    return nullptr;
  }

  void add(const char *name, const isa::ScalarRef *value) {
    if (value)
      text += std::string(",\"") + name +
              "\":" + std::to_string(resolver.resolve(*value));
  }

  const isa::Resolver &resolver;
};
} // namespace

Trace::Trace(const isa::Program &program)
    : program(program),
      granules((program.machine.scratchpadBytes() + granuleBytes - 1) /
               granuleBytes) {
  last.fill({-1, -1});
  text = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
         "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,\"tid\":0,\"args\":"
         "{\"name\":" +
         quote(program.machine.name) + "}}";
  for (unsigned engine = 1; engine < isa::numEngines; ++engine) {
    std::string thread = "\"pid\":1,\"tid\":" + std::to_string(engine);
    event("\"ph\":\"M\",\"name\":\"thread_name\"," + thread +
          ",\"args\":{\"name\":\"" +
          isa::engineName(static_cast<isa::Engine>(engine)) + "\"}");
    event("\"ph\":\"M\",\"name\":\"thread_sort_index\"," + thread +
          ",\"args\":{\"sort_index\":" + std::to_string(engine) + "}");
  }
}

void Trace::event(const std::string &fields) { text += ",\n{" + fields + "}"; }

std::string Trace::microseconds(double cycles) const {
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.6f",
                cycles / program.machine.clockMHz);
  return digits;
}

void Trace::slice(const Executed &executed, unsigned engine, const Span &span) {
  const isa::Resolver resolver = executed.state.resolver();
  event("\"ph\":\"X\",\"pid\":1,\"tid\":" + std::to_string(engine) +
        ",\"name\":\"" + isa::mnemonic(executed.instruction) +
        "\",\"ts\":" + microseconds(static_cast<double>(span.begin)) +
        ",\"dur\":" + microseconds(static_cast<double>(span.end - span.begin)) +
        ",\"args\":{\"source\":" +
        quote(program.sources[program.sourceOf[executed.index]]) +
        ",\"instruction\":" + std::to_string(executed.index) +
        ",\"cycles\":" + std::to_string(span.end - span.begin) +
        Arguments(executed.instruction, resolver).text + "}");
}

void Trace::arrow(const Token &from, unsigned engine, int64_t time) {
  auto end = [&](const char *kind, unsigned track, double at) {
    event(std::string("\"ph\":\"") + kind +
          "\",\"pid\":1,\"tid\":" + std::to_string(track) +
          ",\"name\":\"token\",\"cat\":\"token\",\"id\":" +
          std::to_string(arrows) + ",\"ts\":" + microseconds(at));
  };
  end("s", from.engine, from.time);
  end("f\",\"bp\":\"e", engine, static_cast<double>(time));
  ++arrows;
}

void Trace::hold(int64_t begin, int64_t end) {
  if (begin >= 0 && end > begin)
    held.push_back({begin, end});
}

void Trace::touch(const Executed &executed, const Span &span) {
  for (const isa::Access &access : executed.accesses) {
    if (access.dram || access.bytes == 0)
      continue;
    uint64_t begin = static_cast<uint64_t>(access.address) / granuleBytes;
    uint64_t end = (static_cast<uint64_t>(access.address + access.bytes) +
                    granuleBytes - 1) /
                   granuleBytes;
    for (uint64_t at = begin; at < end; ++at) {
      Granule &granule = granules[at];
      if (access.read)
        granule.read = std::max(granule.read, span.end);
      if (access.write && !access.read) {
        // What was there is not read any more.
        if (granule.read >= granule.written) {
          hold(granule.written, granule.read);
          granule.written = span.begin;
          granule.read = -1;
        }
      } else if (access.write && granule.written < 0) {
        granule.written = span.begin;
      }
    }
  }
}

void Trace::onSpan(const Executed &executed, const Span &span) {
  auto engine = static_cast<unsigned>(isa::engineOf(executed.instruction));
  isa::Tokens tokens = isa::tokensOf(executed.instruction);
  tokens.wait.forEach([&](isa::Engine from) {
    std::deque<Token> &given = signals[static_cast<unsigned>(from)][engine];
    auto end = given.begin() + tokens.times;
    waitedFor[engine].insert(waitedFor[engine].end(), given.begin(), end);
    given.erase(given.begin(), end);
  });
  if (span.end > span.begin) // else nothing to do
    show(executed, engine, span);
  // An arrow begins inside the slice that the signal comes after.
  Token token{engine, static_cast<double>(last[engine].end) - 0.5};
  tokens.signal.forEach([&](isa::Engine to) {
    std::deque<Token> &given = signals[engine][static_cast<unsigned>(to)];
    given.insert(given.end(), static_cast<size_t>(tokens.times), token);
  });
}

void Trace::show(const Executed &executed, unsigned engine, const Span &span) {
  slice(executed, engine, span);
  for (const Token &token : waitedFor[engine])
    if (token.time >= 0)
      arrow(token, engine, span.begin);
  waitedFor[engine].clear();
  last[engine] = span;
  touch(executed, span);
  if (executed.work.dramMoved > 0)
    transfers.push_back(span);
}

void Trace::counter(const char *name, const std::vector<Span> &spans,
                    double scale, int64_t cycles) {
  int64_t points = std::min(counterPoints, cycles);
  auto begin = [&](int64_t point) { return point * cycles / points; };
  auto pointOf = [&](int64_t cycle) {
    int64_t point = cycle * points / cycles;
    while (point + 1 < points && begin(point + 1) <= cycle)
      ++point;
    return point;
  };
  // Cycles of the spans in each point's interval. Intervals that lie in a span
  // as a whole are a difference that is summed up.
  std::vector<int64_t> parts(points), wholes(points + 1);
  for (const Span &span : spans) {
    int64_t first = pointOf(span.begin), last = pointOf(span.end - 1);
    if (first == last) {
      parts[first] += span.end - span.begin;
      continue;
    }
    parts[first] += begin(first + 1) - span.begin;
    parts[last] += span.end - begin(last);
    ++wholes[first + 1];
    --wholes[last];
  }
  int64_t whole = 0;
  std::string before;
  for (int64_t point = 0; point < points; ++point) {
    whole += wholes[point];
    int64_t width = begin(point + 1) - begin(point);
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.3f",
                  scale * static_cast<double>(parts[point] + whole * width) /
                      static_cast<double>(width));
    if (digits == before)
      continue;
    before = digits;
    event(std::string("\"ph\":\"C\",\"pid\":1,\"tid\":0,\"name\":\"") + name +
          "\",\"ts\":" + microseconds(static_cast<double>(begin(point))) +
          ",\"args\":{\"value\":" + digits + "}");
  }
}

void Trace::onEnd(int64_t cycles) {
  for (const Granule &granule : granules)
    hold(granule.written, granule.read);
  // A program of a halt alone has a cycle.
  counter("scratchpad in use (KB)", held,
          static_cast<double>(granuleBytes) / 1024, cycles);
  counter("DRAM busy (%)", transfers, 100, cycles);
  text += "\n]}\n";
}

} // namespace fact::sim
