//===- AreaTest.cpp - How large a machine is ------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Area.h"

#include "gtest/gtest.h"

#include <map>
#include <string>

using namespace fact::isa;

namespace {
std::map<std::string, double> parts(const Machine &machine) {
  std::map<std::string, double> result;
  for (const AreaPart &part : areaOf(machine))
    result["total"] += result[part.name] = part.squareMillimetres;
  return result;
}

// Worked out apart from Area.cpp, from the same sources.
TEST(Area, OfTheDefaultMachine) {
  std::map<std::string, double> area = parts(Machine::defaultMachine());
  EXPECT_NEAR(area["pe"], 0.232, 5e-4);
  EXPECT_NEAR(area["accumulators"], 0.086, 1e-9);
  EXPECT_NEAR(area["ep"], 2048 * 0.351 / 4096, 1e-9);
  EXPECT_NEAR(area["apu_pipelines"], 8 * 0.0783, 5e-3);
  // 384 KB lie between 256 and 512, 96 KB between 64 and 128.
  EXPECT_NEAR(area["sram"], 0.631 + 0.402 + 0.869 + 0.155, 2e-3);
  EXPECT_NEAR(area["banking"], 0.12 * area["sram"], 1e-9);
  EXPECT_NEAR(area["total"], 4.34, 0.01);
}

TEST(Area, GrowsWithEachUnitAlone) {
  std::map<std::string, double> before = parts(Machine::defaultMachine());
  auto grown = [&](const char *name, auto &&grow) {
    Machine machine = Machine::defaultMachine();
    grow(machine);
    std::map<std::string, double> area = parts(machine);
    for (const auto &[part, value] : area) {
      bool grows = part == name || part == "total" ||
                   (part == "banking" && std::string(name) == "sram");
      EXPECT_EQ(value > before[part], grows) << part << " by " << name;
    }
  };
  grown("pe", [](Machine &m) { m.pe.rows *= 2; });
  grown("accumulators", [](Machine &m) { m.pe.accumulatorBytes *= 2; });
  grown("ep", [](Machine &m) { m.ep.lanes *= 2; });
  grown("sel", [](Machine &m) { m.sel.scoresPerCycle *= 2; });
  grown("apu_lanes", [](Machine &m) { m.apu.multiplyUnits *= 2; });
  grown("apu_pipelines", [](Machine &m) { m.apu.pipelines *= 2; });
  // Also beyond the largest memory that the table has.
  grown("sram", [](Machine &m) { m.buffers[0].bytes *= 8; });
}
} // namespace
