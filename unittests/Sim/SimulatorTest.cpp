//===- SimulatorTest.cpp - Arrays in, arrays, report and masks out --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Inputs/CallersFloatMode.h"
#include "JsonSchema.h"

#include "fact/Sim/Simulator.h"
#include "fact/Support/Error.h"
#include "fact/Support/InputFile.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

using namespace fact;
using namespace fact::sim;

namespace {
constexpr int64_t bound = 8, features = 4;
constexpr uint32_t rowBytes = features * 4;

/// y = x * w + b per feature, as an INT8 linear layer would not do it: an add
/// of a constant row, so that results are easy to see. With `select`, one head
/// keeps half of the columns of scores that are constants.
isa::Program sample(bool select = false) {
  isa::Program program;
  program.machine = isa::Machine::defaultMachine();
  std::vector<float> constants(bound * features, 0.5f);
  for (int64_t i = 0; i < bound * bound; ++i)
    constants.push_back(static_cast<float>(i * 7 % 11));
  constants.push_back(1); // scales of queries, rows and weights
  constants.resize(constants.size() + 7, 1.0f);
  for (uint32_t number : {512u, 0u, 256u}) { // keep, dominance, importance
    float bits;
    std::memcpy(&bits, &number, sizeof bits);
    constants.push_back(bits);
  }
  constants.resize((constants.size() + 15) / 16 * 16, 0.0f);
  program.setConstants(
      {reinterpret_cast<const char *>(constants.data()), constants.size() * 4});
  uint64_t at = program.constantsSize();
  isa::Port x;
  x.name = "x";
  x.shape = {1, isa::Port::openDimension, features};
  x.bound = bound;
  x.address = at;
  x.rowBytes = rowBytes;
  isa::Port y = x;
  y.name = "y";
  y.address = at + 128;
  program.inputs = {x};
  program.outputs = {y};
  program.dramBytes = at + 256;

  auto load = [&](uint32_t to, uint64_t from, uint32_t rows, uint32_t bytes) {
    isa::Load i;
    i.dst = {to, 0, true};
    i.src = {from, 0};
    i.rows = rows;
    i.row_bytes = i.dst_stride = bytes;
    i.src_stride = bytes;
    program.append(i, "Load_1");
  };
  load(0, x.address, bound, rowBytes);
  load(1024, 0, bound, rowBytes);
  isa::ApuAdd add;
  add.y = add.a = {0, 0, true};
  add.b = {1024, 0, true};
  add.rows = bound;
  add.n = features;
  add.y_stride = add.a_stride = add.b_stride = rowBytes;
  program.append(add, "Add_2");
  isa::Store store;
  store.dst = {y.address, 0};
  store.src = {0, 0, true};
  store.rows = bound;
  store.row_bytes = store.src_stride = rowBytes;
  store.dst_stride = rowBytes;
  program.append(store, "");

  if (select) {
    load(2048, bound * features * 4, bound, bound * 4);
    load(4096, (bound * features + bound * bound) * 4, 1, 44);
    isa::SelFill clear; // masks, counts and lists in one go
    clear.dst = {8192, 0, true};
    clear.rows = 1;
    clear.width = 4096;
    program.append(clear, "TopK_3");
    isa::SelTopK topK;
    topK.mask = {8192, 0, true};
    topK.dominated = {8256, 0, true};
    topK.argmax = {8320, 0, true};
    topK.k_rows = {8384, 0, true};
    topK.v_rows = {8448, 0, true};
    topK.count = {8512, 0, true};
    topK.score = {2048, 0, true};
    topK.query_scale = topK.scale = topK.weight_scales = {4096, 0, true};
    topK.rows = topK.cols = bound;
    topK.mask_stride = 1;
    topK.score_stride = bound * 4;
    topK.policy = {4128, 0, true};
    topK.attention_scale = 1;
    topK.layer = {1, 0};
    topK.head = {1, 0};
    program.append(topK, "TopK_3");
    isa::SelPrecision precision;
    precision.low = {8576, 0, true};
    precision.count = topK.count;
    precision.importance = {4136, 0, true};
    precision.layer = {1, 0};
    program.append(precision, "TopK_3");
  }
  program.append(isa::Halt(), "");
  program.metadata =
      R"({"policy": {"keep": 0.5}, "layers": [
          {"heads": 2, "window": [null, 0], "features": 4, "linears": [
            {"role": "qkv", "k": 4, "n": 12}, {"role": "output", "k": 4, "n": 4},
            {"role": "ffn", "k": 4, "n": 8}, {"role": "ffn", "k": 8, "n": 4}]},
          {"heads": 2, "features": 4}]})";
  return program;
}

NpyArray rows(std::vector<float> values) {
  auto count = static_cast<int64_t>(values.size()) / features;
  return NpyArray::from<float>({1, count, features}, values.data());
}

std::vector<float> values(const NpyArray &array) {
  const float *data = array.as<float>("array");
  return {data, data + array.numElements()};
}

std::string errorOf(const std::vector<NpyArray> &inputs,
                    RunOptions options = {}) {
  Simulator simulator(sample());
  return catchError([&] { simulator.run(inputs, options); }).value_or("");
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

TEST(Simulator, TheCallersFloatModeDoesNotMatter) {
  // x + 0.5 rounds, and the least denormal plus 0 is itself.
  isa::Program program = sample();
  std::vector<float> constants(bound * features + bound * bound + 16, 0.0f);
  constants[0] = 0.1f;
  program.setConstants({reinterpret_cast<const char *>(constants.data()),
                        program.constantsSize()});
  Simulator simulator(std::move(program));
  const float values[] = {0.3f, 1e-45f, 1, 1, 1, 1, 1, 1};
  NpyArray x = NpyArray::from({1, 2, features}, values);
  NpyArray expected = simulator.run({x}, {}).outputs[0];
  test::CallersFloatMode callers;
  uint32_t bits[2];
  std::memcpy(bits, simulator.run({x}, {}).outputs[0].data.data(), 8);
  EXPECT_EQ(std::memcmp(bits, expected.data.data(), 8), 0);
  EXPECT_EQ(bits[1], 1u);
}

TEST(Simulator, AddsAndKeepsTheShape) {
  Simulator simulator(sample());
  std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  RunResult result = simulator.run({rows(x)}, {});
  ASSERT_EQ(result.outputs.size(), 1u);
  EXPECT_EQ(result.outputs[0].shape, (std::vector<int64_t>{1, 3, features}));
  for (float &value : x)
    value += 0.5f;
  EXPECT_EQ(values(result.outputs[0]), x);
}

TEST(Simulator, RowsPastTheLengthAreZeroAndNotLookedAt) {
  Simulator simulator(sample());
  float bad = std::numeric_limits<float>::quiet_NaN();
  RunOptions options;
  options.length = 2;
  RunResult result = simulator.run(
      {rows({1, 2, 3, 4, 5, 6, 7, 8, bad, bad, 1e30f, 12})}, options);
  EXPECT_EQ(result.outputs[0].shape, (std::vector<int64_t>{1, 3, features}));
  EXPECT_EQ(
      values(result.outputs[0]),
      (std::vector<float>{1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 0, 0, 0, 0}));
  EXPECT_EQ(result.report.length, 2);
}

TEST(Simulator, UndefinedMemoryHasNoEffect) {
  Simulator simulator(sample(true));
  RunOptions options;
  options.masks = true;
  NpyArray x = rows({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  RunResult zeros = simulator.run({x}, options);
  for (uint64_t seed : {0, 1, 2}) {
    options.fillUndefined = seed;
    RunResult result = simulator.run({x}, options);
    EXPECT_EQ(result.outputs[0].data, zeros.outputs[0].data);
    for (const auto &[name, mask] : zeros.masks)
      EXPECT_EQ(result.masks.at(name).data, mask.data) << name;
  }
}

TEST(Simulator, FunctionalAndCycleModeAgree) {
  Simulator simulator(sample(true));
  NpyArray x = rows({1, 2, 3, 4, 5, 6, 7, 8});
  RunOptions functional;
  functional.functional = true;
  RunResult a = simulator.run({x}, functional), b = simulator.run({x}, {});
  EXPECT_EQ(a.outputs[0].data, b.outputs[0].data);
  EXPECT_FALSE(a.report.times);
  ASSERT_TRUE(b.report.times);
  EXPECT_EQ(a.report.counters.total.dramRead, b.report.counters.total.dramRead);
}

// `utils/check --sanitize` runs this with ThreadSanitizer, too.
TEST(Simulator, RunsFromSeveralThreadsAreLikeOne) {
  Simulator simulator(sample(/*select=*/true));
  RunOptions options;
  options.masks = true;
  options.length = 5;
  NpyArray x = rows(std::vector<float>(bound * features, 1.25f));
  RunResult alone = simulator.run({x}, options);
  std::vector<RunResult> results(4);
  std::vector<std::thread> threads;
  for (RunResult &result : results)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i)
        result = simulator.run({x}, options);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const RunResult &result : results) {
    EXPECT_EQ(values(result.outputs[0]), values(alone.outputs[0]));
    EXPECT_EQ(formatNpz(result.masks), formatNpz(alone.masks));
    EXPECT_EQ(result.report.toJson(), alone.report.toJson());
  }
}

TEST(Simulator, InputsThatDoNotFit) {
  EXPECT_EQ(errorOf({}), "the program has 1 inputs (was 0)");
  EXPECT_EQ(errorOf({NpyArray{"<f8", {1, 2, 4}, std::vector<char>(64)}}),
            "input 'x' must be float32 (was '<f8')");
  float x[64] = {};
  EXPECT_EQ(errorOf({NpyArray::from<float>({2, 4}, x)}),
            "input 'x' must have the shape 1x?x4 (was 2x4)");
  EXPECT_EQ(errorOf({NpyArray::from<float>({1, 2, 5}, x)}),
            "input 'x' must have the shape 1x?x4 (was 1x2x5)");
  EXPECT_EQ(errorOf({NpyArray::from<float>({1, 9, 4}, x)}),
            "input 'x' must have 1 to 8 rows (was 9)");
  EXPECT_EQ(errorOf({NpyArray::from<float>({1, 0, 4}, x)}),
            "input 'x' must have 1 to 8 rows (was 0)");
  for (int64_t length : {int64_t(0), int64_t(3), int64_t(-1)}) {
    RunOptions options;
    options.length = length;
    EXPECT_EQ(errorOf({NpyArray::from<float>({1, 2, 4}, x)}, options),
              "length must be between 1 and the input's 2 rows (was " +
                  std::to_string(length) + ")");
  }
}

TEST(Simulator, ValuesThatCannotCount) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(),
                    std::numeric_limits<float>::infinity(), -0x1.1p50f}) {
    std::string error = errorOf({rows({1, 2, 3, 4, 5, 6, bad, 8})});
    EXPECT_TRUE(contains(error, "input 'x' has a value that is not in -2^50 "
                                ".. 2^50 at row 1, column 2"))
        << error;
  }
  EXPECT_EQ(errorOf({rows({0x1p50f, -0x1p50f, 3, 4})}), "");
}

TEST(Simulator, OutputsThatAreNotFinite) {
  isa::Program program = sample();
  std::vector<float> constants(program.constantsSize() / 4, 0.0f);
  constants[features + 1] = std::numeric_limits<float>::infinity();
  program.setConstants(
      {reinterpret_cast<const char *>(constants.data()), constants.size() * 4});
  Simulator simulator(std::move(program));
  std::string error = catchError([&] {
                        simulator.run({rows({1, 2, 3, 4, 5, 6, 7, 8})}, {});
                      }).value_or("");
  EXPECT_EQ(error, "output 'y' is not finite at row 1, column 1 (was inf)");
  // A row that does not count is not looked at.
  EXPECT_EQ(catchError([&] { simulator.run({rows({1, 2, 3, 4})}, {}); }),
            std::nullopt);
}

TEST(Simulator, MasksOfLayersThatSelectAndOthers) {
  Simulator simulator(sample(true));
  RunOptions options;
  options.masks = true;
  RunResult result =
      simulator.run({rows({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})}, options);
  auto flags = [&](const char *name, std::vector<int64_t> shape) {
    const NpyArray &array = result.masks.at(name);
    EXPECT_EQ(array.dtype, "|b1");
    EXPECT_EQ(array.shape, shape);
    return std::vector<int>(array.data.begin(), array.data.end());
  };
  // Layer 0 predicts nothing and is causal.
  EXPECT_EQ(flags("layer0.mask", {2, 3, 3}),
            (std::vector<int>{1, 0, 0, 1, 1, 0, 1, 1, 1, //
                              1, 0, 0, 1, 1, 0, 1, 1, 1}));
  EXPECT_EQ(flags("layer0.dominated", {2, 3}), std::vector<int>(6, 0));
  EXPECT_EQ(flags("layer0.k_rows", {2, 3}), std::vector<int>(6, 1));
  EXPECT_EQ(flags("layer0.low", {3}), std::vector<int>(3, 0));
  // Head 1 of layer 1 keeps 2 of 3: scores 0 7 3, 1 8 4, 2 9 5.
  EXPECT_EQ(flags("layer1.mask", {2, 3, 3}),
            (std::vector<int>{1, 1, 1, 1, 1, 1, 1, 1, 1, //
                              0, 1, 1, 0, 1, 1, 0, 1, 1}));
  EXPECT_EQ(flags("layer1.k_rows", {2, 3}),
            (std::vector<int>{1, 1, 1, 0, 1, 1}));
  EXPECT_EQ(flags("layer1.v_rows", {2, 3}),
            (std::vector<int>{1, 1, 1, 0, 1, 1}));
  // Counts 0, 3, 3 of 6: low at no more than the mean of 2.
  EXPECT_EQ(flags("layer1.low", {3}), (std::vector<int>{1, 0, 0}));
  EXPECT_EQ(result.masks.size(), 10u);

  const LayerShares &share = result.report.layers.at(1);
  EXPECT_DOUBLE_EQ(share.keptScores, 2.0 / 3);
  EXPECT_DOUBLE_EQ(share.keptK, 2.0 / 3);
  EXPECT_DOUBLE_EQ(share.liveQ, 1);
  EXPECT_DOUBLE_EQ(share.int8Tokens, 2.0 / 3);
}

nlohmann::json schemaText() {
  return nlohmann::json::parse(
      InputFile::open(FACT_SOURCE_DIR "/docs/report-schema.json").text());
}

TEST(Report, FollowsItsSchema) {
  JsonSchema schema(schemaText());
  Simulator simulator(sample(true));
  NpyArray x = rows({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  for (bool functional : {false, true}) {
    RunOptions options;
    options.functional = functional;
    auto json =
        nlohmann::json::parse(simulator.run({x}, options).report.toJson());
    EXPECT_EQ(schema.check(json), "");
    EXPECT_EQ(json.contains("cycles"), !functional);
    // What the schema must refuse.
    for (const auto &[field, value] : json.items()) {
      nlohmann::json damaged = json;
      damaged.erase(field);
      EXPECT_NE(schema.check(damaged), "") << field;
      damaged = json;
      damaged[field] = nullptr;
      EXPECT_NE(schema.check(damaged), "") << field;
    }
    nlohmann::json damaged = json;
    damaged["watts"] = 1;
    EXPECT_EQ(schema.check(damaged), "report: has 'watts'");
    damaged = json;
    damaged["layers"][0]["kept_k"] = 1.5;
    EXPECT_EQ(schema.check(damaged), "report.layers[].kept_k: is above 1");
  }
}

TEST(Report, DenseMacsComeFromTheMetadata) {
  Simulator simulator(sample());
  auto json = nlohmann::json::parse(
      simulator.run({rows({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})}, {})
          .report.toJson());
  EXPECT_EQ(json["dense_macs"]["qkv"], 3 * 48);
  EXPECT_EQ(json["dense_macs"]["output"], 3 * 16);
  EXPECT_EQ(json["dense_macs"]["ffn"], 3 * 64);
  // Causal: 6 pairs; then all 9.
  EXPECT_EQ(json["dense_macs"]["attention"], 2 * 4 * (6 + 9));
  EXPECT_EQ(json["policy"]["keep"], 0.5);
  double seconds = json["seconds"], gops = json["gops"];
  EXPECT_DOUBLE_EQ(seconds, json["cycles"].get<double>() / 500e6);
  EXPECT_DOUBLE_EQ(gops, 2 * (144 + 48 + 192 + 120) / seconds / 1e9);
}

TEST(Simulator, WrongMetadataIsAnError) {
  for (const char *text :
       {R"({"layers": 3})", R"({"layers": [1]})",
        R"({"layers": [{"heads": "two"}]})", R"({"layers": [{"heads": -1}]})",
        R"({"layers": [{"window": 1}]})", R"({"policy": 3})"}) {
    isa::Program program = sample();
    program.metadata = text;
    EXPECT_NE(catchError([&] { Simulator simulator(program); }), std::nullopt)
        << text;
  }
}
} // namespace
