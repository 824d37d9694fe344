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

#include <cmath>

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
        break;
      }
    }
    int64_t pairs = layer.causal ? length * (length + 1) / 2 : length * length;
    result.attention += 2 * pairs * layer.features;
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
          {"ffn_int4", sum(of(isa::Role::FFN)) - int8}};
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

static Json energyToJson(const Report &report) {
  Json parts = Json::object();
  EnergyUse sum;
  for (unsigned i = 0; i < numParts; ++i) {
    const Counters::PartWork &part = report.counters.parts[i];
    EnergyUse use = energyOf(part.work, part.arrayCycles, *report.machine);
    parts[partName(static_cast<Part>(i))] = {{"core", use.core()},
                                             {"dram", use.dram}};
    sum += use;
  }
  Json result = {{"macs", sum.macs},
                 {"registers", sum.registers},
                 {"latches", sum.latches},
                 {"accumulators", sum.accumulators},
                 {"prediction", sum.prediction},
                 {"selection", sum.selection},
                 {"floats", sum.floats},
                 {"sram", sum.sram},
                 {"dram", sum.dram},
                 {"parts", parts}};
  if (!report.times)
    return result;
  double always = report.machine->energy.staticMilliwatts.value * 1e9 *
                  report.times->seconds;
  result["static"] = always;
  auto slots =
      static_cast<double>(report.times->cycles * report.machine->pe.rows *
                          report.machine->pe.columns);
  result["core_per_mac_slot"] = (sum.core() + always) / slots;
  return result;
}

static Json areaToJson(const isa::Machine &machine) {
  Json result = Json::object();
  double total = 0;
  for (const isa::AreaPart &part : isa::areaOf(machine)) {
    result[part.name] = part.squareMillimetres;
    total += part.squareMillimetres;
  }
  result["total"] = total;
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
                        {"ffn", dense.ffn}};
  json["predictor_adds"] = counters.total.predictorAdds;
  json["policy"] = Json::parse(policy);
  json["layers"] = Json::array();
  for (const LayerShares &layer : layers)
    json["layers"].push_back({{"kept_k", layer.keptK},
                              {"kept_v", layer.keptV},
                              {"live_q", layer.liveQ},
                              {"kept_scores", layer.keptScores},
                              {"int8_tokens", layer.int8Tokens}});
  json["dram_bytes"] = {{"read", counters.total.dramRead},
                        {"write", counters.total.dramWritten}};
  json["sram_bytes"] = sramToJson(counters.total);
  json["energy_pj"] = energyToJson(*this);
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
