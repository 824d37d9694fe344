//===- Report.cpp - The numbers of one run --------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Report.h"

#include "fact/ISA/Area.h"
#include "fact/Sim/Energy.h"

#include "nlohmann/json.hpp"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

using Json = nlohmann::ordered_json;

namespace fact::sim {

DenseMacs denseMacs(const isa::Metadata &metadata, int64_t length) {
  DenseMacs result;
  for (const isa::LayerInfo &layer : metadata.layers) {
    for (const isa::LinearInfo &linear : layer.linears) {
      int64_t macs = length * linear.k * linear.n;
      switch (linear.role) {
      case isa::Role::QKV:
        result.qkv += macs;
        break;
      case isa::Role::Output:
        result.output += macs;
        break;
      case isa::Role::FFN:
        result.ffn += macs;
        break;
      case isa::Role::Other:
        result.other += macs;
        break;
      }
    }
    result.attention += 2 * layer.window.pairs(length) * layer.features;
  }
  return result;
}

static Json layersToJson(const std::vector<LayerShares> &layers) {
  Json result = Json::array();
  for (const LayerShares &layer : layers)
    result.push_back({{"kept_k", layer.keptK},
                      {"kept_v", layer.keptV},
                      {"live_q", layer.liveQ},
                      {"kept_scores", layer.keptScores},
                      {"int8_tokens", layer.int8Tokens}});
  return result;
}

void Report::add(const Report &own) {
  if (!machine) { // the first one
    *this = own;
    return;
  }
  if (sequences.empty())
    sequences.push_back(Report(*this));
  length = std::max(length, own.length);
  dense.qkv += own.dense.qkv;
  dense.attention += own.dense.attention;
  dense.output += own.dense.output;
  dense.ffn += own.dense.ffn;
  dense.other += own.dense.other;
  counters.add(own.counters);
  dramBoundCycles += own.dramBoundCycles;
  auto before = static_cast<double>(sequences.size());
  for (size_t i = 0; i < layers.size(); ++i)
    for (double LayerShares::*share :
         {&LayerShares::keptK, &LayerShares::keptV, &LayerShares::liveQ,
          &LayerShares::keptScores, &LayerShares::int8Tokens}) {
      double &mean = layers[i].*share;
      mean = (mean * before + own.layers[i].*share) / (before + 1);
    }
  if (times && own.times) {
    times->cycles += own.times->cycles;
    times->seconds += own.times->seconds;
    for (unsigned i = 0; i < isa::numEngines; ++i) {
      times->engines[i].busy += own.times->engines[i].busy;
      for (unsigned cause = 0; cause < numCauses; ++cause)
        times->engines[i].wait[cause] += own.times->engines[i].wait[cause];
    }
  }
  sequences.push_back(own);
}

static Json sequencesToJson(const std::vector<Report> &sequences) {
  Json result = Json::array();
  for (const Report &sequence : sequences) {
    Json own = {{"length", sequence.length}};
    if (sequence.times)
      own["cycles"] = sequence.times->cycles;
    own["layers"] = layersToJson(sequence.layers);
    result.push_back(own);
  }
  return result;
}

double Report::gops() const {
  if (!times || times->seconds <= 0)
    return 0;
  return 2 * static_cast<double>(dense.total()) / times->seconds / 1e9;
}

static const isa::Engine reportedEngines[] = {
    isa::Engine::LOAD, isa::Engine::STORE, isa::Engine::EP,
    isa::Engine::SEL,  isa::Engine::PE,    isa::Engine::APU};

static Json enginesToJson(const Report::Times &times) {
  Json result = Json::object();
  for (isa::Engine engine : reportedEngines) {
    const EngineTime &time = times.engines[static_cast<unsigned>(engine)];
    Json wait = Json::object();
    for (unsigned cause = 0; cause < numCauses; ++cause)
      if (time.wait[cause] != 0)
        wait[causeName(static_cast<Cause>(cause))] = time.wait[cause];
    result[isa::engineName(engine)] = {{"busy", time.busy}, {"wait", wait}};
  }
  return result;
}

static int64_t sum(const std::array<int64_t, numMacKinds> &macs) {
  int64_t result = 0;
  for (int64_t count : macs)
    result += count;
  return result;
}

static Json macsToJson(const Counters &counters) {
  auto of = [&](isa::Role role) -> const auto & {
    return counters.linearMacs[static_cast<unsigned>(role)];
  };
  int64_t int8 = of(isa::Role::FFN)[static_cast<unsigned>(MacKind::A8W8)];
  return {{"qkv", sum(of(isa::Role::QKV))},
          {"attention", counters.attentionMacs},
          {"output", sum(of(isa::Role::Output))},
          {"ffn_int8", int8},
          {"ffn_int4", sum(of(isa::Role::FFN)) - int8},
          {"other_linear", sum(of(isa::Role::Other))}};
}

static Json sramToJson(const Work &work) {
  Json result = Json::object();
  for (unsigned i = 0; i < isa::numBuffers; ++i)
    result[isa::bufferName(static_cast<isa::Buffer>(i))] = {
        {"read", work.sramRead[i]}, {"write", work.sramWritten[i]}};
  return result;
}

static int64_t wholeCycles(double cycles) {
  // Sums of fractions: a part of 1e-6 of a cycle is rounding.
  return static_cast<int64_t>(std::ceil(cycles - 1e-6));
}

/// Of all instructions, without static energy.
static EnergyUse energySum(const Report &report) {
  EnergyUse sum;
  for (const Counters::PartWork &part : report.counters.parts)
    sum += energyOf(part.work, part.arrayCycles, *report.machine);
  return sum;
}

/// In picojoules, of a run with times.
static double staticEnergy(const Report &report) {
  return report.machine->energy.staticMilliwatts.value * 1e9 *
         report.times->seconds;
}

static Json partsToJson(const Report &report) {
  Json parts = Json::object();
  for (unsigned i = 0; i < numParts; ++i) {
    const Counters::PartWork &part = report.counters.parts[i];
    EnergyUse use = energyOf(part.work, part.arrayCycles, *report.machine);
    parts[partName(static_cast<Part>(i))] = {{"array_cycles", part.arrayCycles},
                                             {"core_pj", use.core()},
                                             {"dram_pj", use.dram}};
  }
  return parts;
}

static Json energyToJson(const Report &report) {
  EnergyUse sum = energySum(report);
  Json result = Json::object();
  for (const EnergyUse::Field &field : EnergyUse::fields())
    result[field.name] = sum.*field.value;
  if (!report.times)
    return result;
  double always = staticEnergy(report);
  result["static"] = always;
  double slots =
      static_cast<double>(report.times->cycles) *
      static_cast<double>(report.machine->pe.rows * report.machine->pe.columns);
  result["core_per_mac_slot"] = (sum.core() + always) / slots;
  return result;
}

static Json areaToJson(const isa::Machine &machine) {
  Json result = Json::object();
  for (const isa::AreaPart &part : isa::areaOf(machine))
    result[part.name] = part.squareMillimetres;
  result["total"] = isa::totalArea(machine);
  return result;
}

//===----------------------------------------------------------------------===//
// Summary
//===----------------------------------------------------------------------===//

/// As printf, without its limits.
static std::string format(const char *text, ...) {
  va_list arguments, again;
  va_start(arguments, text);
  va_copy(again, arguments);
  std::string result(std::vsnprintf(nullptr, 0, text, arguments), '\0');
  std::vsnprintf(result.data(), result.size() + 1, text, again);
  va_end(again);
  va_end(arguments);
  return result;
}

/// Why an engine waited, the longest first; what is below one in a hundred of
/// the run is left out.
static std::string waitsText(const EngineTime &time, int64_t cycles) {
  std::vector<std::pair<int64_t, unsigned>> causes;
  for (unsigned cause = 0; cause < numCauses; ++cause)
    if (time.wait[cause] * 100 >= cycles)
      causes.push_back({-time.wait[cause], cause});
  std::sort(causes.begin(), causes.end());
  std::string result;
  for (auto [wait, cause] : causes)
    result +=
        format("%s%s %.1f %%", result.empty() ? "" : ", ",
               causeName(static_cast<Cause>(cause)),
               -100. * static_cast<double>(wait) / static_cast<double>(cycles));
  return result;
}

std::string Report::summary() const {
  if (!times)
    return "";
  auto run = static_cast<double>(times->cycles);
  std::string several = sequences.empty() ? std::string()
                                          : std::to_string(sequences.size()) +
                                                " sequences, up to ";
  std::string result = format(
      "%s on %s, %s%lld tokens: %lld cycles, %.6g us at %g MHz\n",
      program.c_str(), machine->name.c_str(), several.c_str(),
      static_cast<long long>(length), static_cast<long long>(times->cycles),
      times->seconds * 1e6, machine->clockMHz);
  if (dense.total() > 0) {
    double done = 0;
    for (int64_t macs : counters.total.macs)
      done += static_cast<double>(macs);
    result += format("multiply-accumulates  %.1f %% of the dense model's %.4g "
                     "million; dense-equivalent %.1f GOPS\n",
                     100 * done / static_cast<double>(dense.total()),
                     static_cast<double>(dense.total()) / 1e6, gops());
  }
  result += "\n            busy  bound  waits for\n";
  for (isa::Engine engine : reportedEngines) {
    auto index = static_cast<unsigned>(engine);
    const EngineTime &time = times->engines[index];
    bool isDma = engine == isa::Engine::LOAD || engine == isa::Engine::STORE;
    double ideal = isDma ? dramBoundCycles : counters.idealCycles[index];
    // LOAD and STORE share the channel: the bound is of both.
    std::string bound = engine == isa::Engine::STORE
                            ? std::string(7, ' ')
                            : format("%5.1f %%", 100 * ideal / run);
    result += format("  %-6s %5.1f %% %s  %s\n", isa::engineName(engine),
                     100 * static_cast<double>(time.busy) / run, bound.c_str(),
                     waitsText(time, times->cycles).c_str());
  }
  EnergyUse energy = energySum(*this);
  double always = staticEnergy(*this);
  result += format("\nenergy  %.4g uJ: core %.4g (%.3g W), DRAM %.4g\n",
                   (energy.core() + energy.dram + always) / 1e6,
                   (energy.core() + always) / 1e6,
                   (energy.core() + always) / 1e12 / times->seconds,
                   energy.dram / 1e6);
  result += format("area    %.2f mm2\n", isa::totalArea(*machine));
  if (layers.empty())
    return result;
  auto mean = [&](double LayerShares::*share) {
    double sum = 0;
    for (const LayerShares &layer : layers)
      sum += layer.*share;
    return 100 * sum / static_cast<double>(layers.size());
  };
  result += format("kept    K %.1f %%, V %.1f %%, Q %.1f %%, scores %.1f %%, "
                   "INT8 tokens %.1f %% (mean of %zu layers)\n",
                   mean(&LayerShares::keptK), mean(&LayerShares::keptV),
                   mean(&LayerShares::liveQ), mean(&LayerShares::keptScores),
                   mean(&LayerShares::int8Tokens), layers.size());
  return result;
}

std::string Report::toJson() const {
  Json json;
  json["program"] = program;
  json["machine"] = machine->name;
  json["length"] = length;
  if (times) {
    json["cycles"] = times->cycles;
    json["seconds"] = times->seconds;
    json["engines"] = enginesToJson(*times);
  }
  json["macs"] = macsToJson(counters);
  json["dense_macs"] = {{"qkv", dense.qkv},
                        {"attention", dense.attention},
                        {"output", dense.output},
                        {"ffn", dense.ffn},
                        {"other_linear", dense.other}};
  json["predictor_adds"] = counters.total.predictorAdds;
  json["policy"] = Json::parse(policy);
  json["layers"] = layersToJson(layers);
  if (!sequences.empty())
    json["sequences"] = sequencesToJson(sequences);
  json["dram_bytes"] = {{"read", counters.total.dramRead},
                        {"write", counters.total.dramWritten}};
  json["sram_bytes"] = sramToJson(counters.total);
  json["energy_pj"] = energyToJson(*this);
  json["parts"] = partsToJson(*this);
  json["area_mm2"] = areaToJson(*machine);
  if (times) {
    json["bank_conflict_cycles"] = counters.total.conflictCycles;
    auto bound = [&](isa::Engine engine) {
      return wholeCycles(counters.idealCycles[static_cast<unsigned>(engine)]);
    };
    json["bound_cycles"] = {{"PE", bound(isa::Engine::PE)},
                            {"EP", bound(isa::Engine::EP)},
                            {"SEL", bound(isa::Engine::SEL)},
                            {"APU", bound(isa::Engine::APU)},
                            {"dram", wholeCycles(dramBoundCycles)}};
    json["gops"] = gops();
  }
  return json.dump(2) + "\n";
}

} // namespace fact::sim
