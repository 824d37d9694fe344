//===- ReferenceTest.cpp - Whole layers against the golden vectors --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Reference.h"
#include "Golden.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

using namespace fact;
using namespace fact::numerics;

namespace {

struct GoldenLayer {
  explicit GoldenLayer(const std::string &path) : g(path) {
    std::vector<uint8_t> bytes = g.get<uint8_t>("meta");
    meta = nlohmann::json::parse(bytes.begin(), bytes.end());
    x = g.get<float>("x");
    rows = g.dim("x", 0);
    length = meta.value("length", rows);
    // A file of section 10 says `place` and what kind of norm.
    bool isModern = meta.contains("place");
    layer.preNorm = meta.at(isModern ? "place" : "norm") == "pre";
    layer.window = meta.value("causal", false) ? Window::causal() : window();
    std::string act = meta.at("act");
    layer.activation =
        parseActivation(act == "gelu_erf" ? "gelu" : act).value();
    layer.heads = meta.at("h");
    layer.keyHeads = meta.value("kv", layer.heads);
    layer.scale = meta.at("scale").get<float>();
    layer.query = linear("q");
    layer.key = linear("k");
    layer.value = linear("v");
    layer.output = linear("o");
    layer.ffn1 = linear("1");
    layer.ffn2 = linear("2");
    if (meta.value("gated", false))
      layer.gate = linear("3");
    std::string kind = isModern ? meta.at("norm") : "layer";
    layer.norm1 = norm("ln1", kind, "eps");
    layer.norm2 = norm("ln2", kind, "eps_2");
    if (meta.contains("head_norm") && !meta.at("head_norm").is_null()) {
      std::string of = meta.value("norm_of", "qk");
      if (of.find('q') != std::string::npos)
        layer.queryNorm = norm("q_norm", meta.at("head_norm"), "eps_q");
      if (of.find('k') != std::string::npos)
        layer.keyNorm = norm("k_norm", meta.at("head_norm"), "eps_k");
    }
    if (meta.contains("rotary") && !meta.at("rotary").is_null()) {
      RotaryEmbedding &rotary = layer.rotary.emplace();
      rotary.style =
          parseRotaryStyle(meta["rotary"]["style"].get<std::string>()).value();
      rotary.cos = g.get<float>("rotary.cos");
      rotary.sin = g.get<float>("rotary.sin");
      rotary.positions = g.dim("rotary.cos", 0);
      rotary.pairs = g.dim("rotary.cos", 1);
    }
  }

  Window window() {
    if (!meta.contains("window"))
      return {};
    auto end = [](const nlohmann::json &number) -> int64_t {
      return number.is_null() ? Window::unlimited : number.get<int64_t>();
    };
    return {end(meta["window"][0]), end(meta["window"][1])};
  }

  LinearLayer linear(const std::string &suffix) {
    LinearLayer result;
    result.weights = g.get<float>("W" + suffix);
    result.in = g.dim("W" + suffix, 0);
    result.out = g.dim("W" + suffix, 1);
    if (g.has("b" + suffix))
      result.bias = g.get<float>("b" + suffix);
    return result;
  }

  NormLayer norm(const std::string &name, const std::string &kind,
                 const char *eps) {
    NormLayer norm;
    norm.kind = parseNorm(kind).value();
    norm.gamma = g.get<float>(name + ".gamma");
    if (g.has(name + ".beta"))
      norm.beta = g.get<float>(name + ".beta");
    norm.epsilon = meta.value(eps, meta.at("eps").get<float>());
    return norm;
  }

  static Policy policy(const nlohmann::json &json) {
    Policy result;
    result.keep = keepIn1024ths(json.value("keep", 1.0));
    result.tail = parseTail(json.value("tail", "none")).value();
    result.dominance = json.value("dominance", 0.0f);
    result.importance = importanceIn256ths(json.value("importance", 0.0));
    result.lowPrecision = parseLowPrecision(json.value("low", "a4w4")).value();
    result.scope = parseScope(json.value("scope", "ffn")).value();
    result.predictor =
        parsePredictor(json.value("predictor", "leading-one")).value();
    return result;
  }

  Golden g;
  nlohmann::json meta;
  Layer layer;
  std::vector<float> x;
  int64_t rows = 0, length = 0;
};

void checkResult(Golden &g, const std::string &prefix,
                 const LayerResult &result) {
  EXPECT_TRUE(sameAs(g, prefix + "mask", result.selection.mask));
  EXPECT_TRUE(sameAs(g, prefix + "dominated", result.selection.dominated));
  EXPECT_TRUE(sameAs(g, prefix + "k_rows", result.selection.kRows));
  EXPECT_TRUE(sameAs(g, prefix + "v_rows", result.selection.vRows));
  EXPECT_TRUE(sameAs(g, prefix + "low", result.selection.low));
  EXPECT_TRUE(sameAs(g, prefix + "y", result.y));
}

/// Compares the rows of [heads, L, ...] that `counts` names.
template <typename T>
testing::AssertionResult sameRows(Golden &g, const std::string &key,
                                  const std::vector<T> &actual,
                                  const std::vector<uint8_t> &counts) {
  std::vector<T> expected = g.get<T>(key);
  if (actual.size() != expected.size())
    return sameBits(actual, expected) << " (" << key << ")";
  int64_t n = actual.size() / counts.size();
  std::vector<T> left, right;
  for (size_t row = 0; row < counts.size(); ++row)
    if (counts[row]) {
      left.insert(left.end(), actual.begin() + row * n,
                  actual.begin() + (row + 1) * n);
      right.insert(right.end(), expected.begin() + row * n,
                   expected.begin() + (row + 1) * n);
    }
  testing::AssertionResult result = sameBits(left, right);
  return result ? result : result << " of the rows that count (" << key << ")";
}

void checkPrediction(Golden &g, const std::string &t, bool isDressed,
                     const Prediction &prediction) {
  if (isDressed) {
    EXPECT_TRUE(sameAs(g, t + "pq8", prediction.query.codes));
    EXPECT_TRUE(sameAs(g, t + "pqs", prediction.query.scales));
    EXPECT_TRUE(sameAs(g, t + "pk8", prediction.key.codes));
    EXPECT_TRUE(sameAs(g, t + "pks", prediction.key.scales));
  } else {
    EXPECT_TRUE(sameAs(g, t + "sq", exponentsOf(prediction.query.scales)));
    EXPECT_TRUE(sameAs(g, t + "sk", exponentsOf(prediction.key.scales)));
  }
  EXPECT_TRUE(sameAs(g, t + "Hq", prediction.query.h));
  EXPECT_TRUE(sameAs(g, t + "Hk", prediction.key.h));
  EXPECT_TRUE(sameAs(g, t + "T", prediction.scores));
  EXPECT_TRUE(sameAs(g, t + "unit", prediction.unit));
}

void checkTrace(Golden &g, const std::string &prefix, const Policy &policy,
                const AttentionForm &form, const Selection &selection,
                const LayerTrace &trace) {
  std::string t = prefix + "trace.";
  EXPECT_EQ(g.has(t + "T"), policy.predicts());
  if (policy.predicts())
    checkPrediction(g, t, form.isDressed, trace.prediction);
  EXPECT_TRUE(sameAs(g, t + "q8", trace.q8));
  EXPECT_TRUE(sameAs(g, t + "qs", trace.qs));
  EXPECT_TRUE(sameAs(g, t + "k8", trace.k8));
  EXPECT_TRUE(sameAs(g, t + "ks", trace.ks));
  EXPECT_TRUE(sameAs(g, t + "v8", trace.v8));
  EXPECT_TRUE(sameAs(g, t + "vs", trace.vs));
  EXPECT_TRUE(sameAs(g, t + "r", trace.r));
  EXPECT_TRUE(sameAs(g, t + "hidden", trace.hidden));
  if (!g.has(t + "mx")) // the layers of section 10 stop here
    return;
  EXPECT_TRUE(sameRows(g, t + "mx", trace.mx, selection.qRows));
  EXPECT_TRUE(sameRows(g, t + "e16", trace.e16, selection.qRows));
  EXPECT_TRUE(sameRows(g, t + "p8", trace.p8, selection.qRows));
  EXPECT_TRUE(sameRows(g, t + "num", trace.num, selection.qRows));
  EXPECT_TRUE(sameRows(g, t + "den", trace.den, selection.qRows));
  bool hasMeanToken = policy.hasMeanToken() && form.canHaveMeanToken();
  EXPECT_EQ(g.has(t + "kb8"), hasMeanToken);
  if (hasMeanToken) {
    EXPECT_TRUE(sameAs(g, t + "kb8", trace.kb8));
    EXPECT_TRUE(sameAs(g, t + "kbs", trace.kbs));
    EXPECT_TRUE(sameAs(g, t + "vb8", trace.vb8));
    EXPECT_TRUE(sameAs(g, t + "vbs", trace.vbs));
    std::vector<uint8_t> withTail = selection.qRows;
    for (size_t row = 0; row < withTail.size(); ++row)
      if (selection.kept[row] == selection.length)
        withTail[row] = 0;
    EXPECT_TRUE(sameRows(g, t + "sb", trace.sb, withTail));
    EXPECT_TRUE(sameRows(g, t + "w", trace.w, withTail));
  }
  EXPECT_TRUE(sameAs(g, t + "o", trace.output));
}

void checkLayer(const std::string &path, bool traced) {
  GoldenLayer golden(path);
  Golden &g = golden.g;
  ReferenceLayer layer(golden.layer);
  const nlohmann::json &policies = golden.meta.at("policies");
  ASSERT_FALSE(policies.empty());
  for (size_t i = 0; i < policies.size(); ++i) {
    SCOPED_TRACE(policies[i].dump());
    std::string prefix = "p" + std::to_string(i) + ".";
    Policy policy = GoldenLayer::policy(policies[i]);
    LayerTrace trace;
    LayerResult all =
        layer.run(policy, golden.x.data(), golden.rows, golden.length, &trace);
    checkResult(g, prefix, all);
    EXPECT_TRUE(sameAs(g, "x8", trace.x8));
    EXPECT_TRUE(sameAs(g, "x.scale", trace.xScale));
    EXPECT_TRUE(sameAs(g, prefix + "ctx", trace.context));
    if (traced)
      checkTrace(g, prefix, policy, golden.layer.form(), all.selection, trace);
    // Without a trace, only the rows that the selection names are generated.
    LayerResult sparse =
        layer.run(policy, golden.x.data(), golden.rows, golden.length);
    EXPECT_TRUE(sameBits(sparse.y, all.y)) << "sparse";
  }
  for (const std::string &key : g.unused())
    ADD_FAILURE() << "no test reads " << key;
}

TEST(ReferenceTest, TracedLayer) {
  checkLayer(FACT_TEST_GOLDEN_DIR "/layer_traced.npz", true);
}

TEST(ReferenceTest, ModernTracedLayer) {
  checkLayer(FACT_TEST_GOLDEN_DIR "/../golden-modern/layer_traced.npz", true);
}

void checkFolder(const char *name) {
  const char *environment = std::getenv("FACT_TEST_DATA");
  std::string data = environment ? environment : FACT_TEST_DATA_DIR;
  std::filesystem::path folder = data + "/" + name;
  if (data.empty() || !std::filesystem::exists(folder))
    GTEST_SKIP() << "FACT_TEST_DATA is not set";
  std::vector<std::string> paths;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().rfind("layer_", 0) == 0)
      paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  ASSERT_FALSE(paths.empty());
  for (const std::string &path : paths) {
    SCOPED_TRACE(path);
    checkLayer(path, path.find("layer_traced") != std::string::npos);
  }
}

TEST(ReferenceTest, AllLayers) { checkFolder("golden"); }
TEST(ReferenceTest, AllModernLayers) { checkFolder("golden-modern"); }

class ReferenceErrorTest : public testing::Test {
protected:
  GoldenLayer golden{FACT_TEST_GOLDEN_DIR "/layer_traced.npz"};

  std::string runError(int64_t length) {
    try {
      referenceLayer(golden.layer, Policy(), golden.x.data(), golden.rows,
                     length);
    } catch (const Error &error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(ReferenceErrorTest, InputThatIsNotFinite) {
  int64_t d = golden.layer.query.in;
  golden.x[5 * d + 3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(runError(golden.rows),
            "input 'x' is not finite or above 2^50 at row 5, column 3 "
            "(was nan)");
  EXPECT_EQ(runError(5), "") << "rows past the length are not looked at";
  golden.x[2] = -std::ldexp(1.5f, 50);
  EXPECT_NE(runError(1).find("row 0, column 2"), std::string::npos);
}

TEST_F(ReferenceErrorTest, WeightThatIsNotFinite) {
  golden.layer.ffn1.weights[50] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(runError(golden.rows),
            "weight of 'ffn1' is not finite or above 2^50 at row 1, column 2 "
            "(was inf)");
}

TEST_F(ReferenceErrorTest, OutputThatIsNotFinite) {
  for (float &weight : golden.layer.ffn2.weights)
    weight = 0x1p50f;
  for (float &weight : golden.layer.ffn1.weights)
    weight = 0x1p50f;
  for (float &gamma : golden.layer.norm2.gamma)
    gamma = 0x1p50f;
  EXPECT_EQ(runError(golden.rows).rfind("output is not finite at row ", 0), 0u);
}

TEST_F(ReferenceErrorTest, Shapes) {
  EXPECT_EQ(runError(0), "length must be between 1 and 24 (was 0)");
  EXPECT_EQ(runError(25), "length must be between 1 and 24 (was 25)");
  golden.layer.heads = 3;
  EXPECT_EQ(runError(24), "width of the query must be a positive multiple of "
                          "the 3 heads (was 32)");
  golden.layer.heads = 2;
  golden.layer.norm1.beta.pop_back();
  EXPECT_EQ(runError(24), "beta of 'norm1' must have 32 elements (was 31)");
}

} // namespace
