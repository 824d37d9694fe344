//===- MachineTest.cpp - Machine descriptions: what is read, refused ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Machine.h"
#include "fact/Support/Error.h"
#include "fact/Support/InputFile.h"
#include "fact/Support/OutputFile.h"

#include "nlohmann/json.hpp"
#include "gtest/gtest.h"

#include <cstdlib>
#include <random>

using namespace fact;
using namespace fact::isa;
using Json = nlohmann::ordered_json;

namespace {
const std::string source = FACT_SOURCE_DIR;

Json defaults() { return Json::parse(Machine::defaultMachine().toJson()); }

std::string errorOf(const std::string &text) {
  return catchError([&] { Machine::fromJson(text, "m.json"); }).value_or("");
}
std::string errorOf(const Json &json) { return errorOf(json.dump()); }

TEST(Machine, ShippedDescriptionsAreReadAndWritten) {
  for (std::string name :
       {"fact-28nm", "fact-28nm-lean", "fact-128", "fact-hbm"}) {
    Machine machine = Machine::load(source + "/machines/" + name + ".json");
    EXPECT_EQ(machine.name, name);
    EXPECT_EQ(Machine::fromJson(machine.toJson(), name), machine);
  }
}

TEST(Machine, DefaultIsTheShippedDescription) {
  const Machine &machine = Machine::defaultMachine();
  EXPECT_EQ(machine, Machine::load(source + "/machines/fact-28nm.json"));
  EXPECT_EQ(machine.name, "fact-28nm");
  EXPECT_EQ(machine.pe.rows * machine.pe.columns, 512);
  EXPECT_EQ(machine.buffer(Buffer::Temp).bytes, 512 * 1024);
  EXPECT_DOUBLE_EQ(machine.dramBytesPerCycle(), 51.2 * 0.9);
  EXPECT_EQ(machine.bufferBase(Buffer::Token), 0);
  EXPECT_EQ(machine.bufferBase(Buffer::Temp), (384 + 256) * 1024);
  EXPECT_EQ(machine.scratchpadBytes(), (384 + 256 + 512 + 96) * 1024);
}

TEST(Machine, ShippedDescriptionsAreCanonical) {
  for (const char *name : {"fact-28nm", "fact-128", "fact-hbm"}) {
    std::string path = source + "/machines/" + name + ".json";
    Machine machine = Machine::load(path);
    EXPECT_EQ(machine.name, name);
    EXPECT_EQ(Machine::fromJson(machine.toJson(), "again").toJson(),
              machine.toJson());
    EXPECT_EQ(machine.toJson(), InputFile::open(path).text());
  }
  EXPECT_NE(Machine::defaultMachine(),
            Machine::load(source + "/machines/fact-hbm.json"));
}

/// Set FACT_UPDATE to write the file instead of comparing it.
TEST(Machine, SchemaIsUpToDate) {
  std::string path = source + "/docs/machine.schema.json";
  if (std::getenv("FACT_UPDATE"))
    writeFile(path, Machine::schema());
  EXPECT_TRUE(InputFile::open(path).text() == Machine::schema())
      << "docs/machine.schema.json is out of date: ninja update-docs";
}

TEST(Machine, CanonicalTextIsOneTextPerMachine) {
  Json json = defaults();
  json["clock_mhz"] = 500.0;
  EXPECT_EQ(Machine::fromJson(json.dump(), "m"), Machine::defaultMachine());
  json["clock_mhz"] = 500.25;
  EXPECT_NE(Machine::fromJson(json.dump(), "m"), Machine::defaultMachine());
}

TEST(Machine, SyntaxErrorsHaveLineAndColumn) {
  EXPECT_EQ(
      errorOf(std::string("{\n  \"name\": tru\n}")).rfind("m.json:2:14: ", 0),
      0u)
      << errorOf(std::string("{\n  \"name\": tru\n}"));
  EXPECT_EQ(errorOf(std::string("")).rfind("m.json:1:1: ", 0), 0u)
      << errorOf(std::string(""));
  EXPECT_EQ(errorOf(std::string("{\"name\": 1, \"name\": 2}")),
            "machine description 'm.json': field \"name\" occurs twice");
  EXPECT_EQ(errorOf(std::string(100000, '[')),
            "machine description 'm.json': nested too deeply");
}

TEST(Machine, WrongFieldsAreNamedWithTheirValue) {
  const std::string prefix = "machine description 'm.json': ";
  auto with = [&](const std::string &path, Json value) {
    Json json = defaults();
    Json *field = &json;
    for (size_t begin = 1, end; begin < path.size(); begin = end + 1) {
      end = std::min(path.find('/', begin), path.size());
      field = &(*field)[path.substr(begin, end - begin)];
    }
    *field = value;
    return errorOf(json);
  };
  EXPECT_EQ(with("/pe/rows", 0),
            prefix + "'pe.rows' must be in the range 1 to 1024 (was 0)");
  EXPECT_EQ(with("/pe/rows", UINT64_MAX),
            prefix + "'pe.rows' must be in the range 1 to 1024 (was "
                     "18446744073709551615)");
  EXPECT_EQ(with("/pe/rows", 8.5),
            prefix + "'pe.rows' must be an integer (was 8.5)");
  EXPECT_EQ(with("/pe/rows", "8"),
            prefix + "'pe.rows' must be an integer (was \"8\")");
  EXPECT_EQ(with("/pe/speed", 1),
            prefix + "'pe.speed' is not a field of a machine description "
                     "(was 1)");
  EXPECT_EQ(with("/diagonal_storage", 1),
            prefix + "'diagonal_storage' must be true or false (was 1)");
  EXPECT_EQ(with("/pe", nullptr), prefix + "'pe' must be an object (was null)");
  EXPECT_EQ(with("/dram/burst_bytes", 48),
            prefix + "'dram.burst_bytes' must be a power of two (was 48)");
  EXPECT_EQ(with("/buffers/temp/banks", 12),
            prefix + "'buffers.temp.banks' must be a power of two (was 12)");
  EXPECT_EQ(with("/buffers/temp/bytes", 1025),
            prefix + "'buffers.temp.bytes' must be a multiple of banks * "
                     "word_bytes = 1024 (was 1025)");
  EXPECT_EQ(with("/energy_pj/dram_bit/value", -1),
            prefix + "'energy_pj.dram_bit.value' must be in the range 0.0 to "
                     "1000000000.0 (was -1)");
  EXPECT_EQ(with("/buffers/temp/bytes", 16777216),
            prefix + "the buffers must have at most 16777216 bytes together "
                     "(was 17530880)");
  Json json = defaults();
  json["dram"].erase("latency_ns");
  EXPECT_EQ(errorOf(json), prefix + "field 'dram.latency_ns' is missing");
  EXPECT_EQ(errorOf(Json::array()),
            prefix + "the description must be an object (was [])");
}

TEST(Machine, DamagedTextsAreErrorsOrMachines) {
  std::string good = Machine::defaultMachine().toJson();
  std::mt19937 random(1);
  for (unsigned i = 0; i < 2000; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] = static_cast<char>(random());
    if (i % 4 == 0)
      bad.resize(random() % bad.size());
    std::string error = errorOf(bad); // anything but a crash
    EXPECT_TRUE(error.empty() || error.find("m.json") != std::string::npos)
        << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}
} // namespace
