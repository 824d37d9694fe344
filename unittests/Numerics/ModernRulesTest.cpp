//===- ModernRulesTest.cpp - Every rule of section 10 ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Against test/golden-modern/rules.npz.
//
//===----------------------------------------------------------------------===//

#include "Golden.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Fold.h"
#include "fact/Numerics/RowOps.h"
#include "fact/Numerics/Selection.h"

#include <cmath>

using namespace fact;
using namespace fact::numerics;

namespace {

struct ModernRules {
  static constexpr const char *path =
      FACT_TEST_GOLDEN_DIR "/../golden-modern/rules.npz";
};
using ModernRulesTest = GoldenTest<ModernRules>;

constexpr Predictor allPredictors[] = {Predictor::LeadingOne,
                                       Predictor::LeadingTwo,
                                       Predictor::OneSided, Predictor::Exact};

Window windowAt(Golden &g, const std::string &key) {
  std::vector<int32_t> ends = g.get<int32_t>(key);
  return {ends.at(0), ends.at(1)};
}

TEST_F(ModernRulesTest, QuickGelu) {
  std::vector<float> x = g.get<float>("quick_gelu.x"), y(x.size());
  activateRow(Activation::QuickGelu, x.data(), x.size(), y.data());
  EXPECT_TRUE(sameAs(g, "quick_gelu.y", y));
  for (size_t i = 0; i < x.size(); ++i)
    y[i] = activate(Activation::QuickGelu, x[i]);
  EXPECT_TRUE(sameAs(g, "quick_gelu.y", y)) << "scalar";
}

TEST_F(ModernRulesTest, Norms) {
  auto check = [&](const std::string &key, Norm kind) {
    SCOPED_TRACE(key);
    std::vector<float> x = g.get<float>(key + ".x"), y(x.size());
    NormLayer norm;
    norm.kind = kind;
    norm.gamma = g.get<float>(key + ".gamma");
    if (g.has(key + ".beta"))
      norm.beta = g.get<float>(key + ".beta");
    norm.epsilon = g.scalar<float>(key + ".eps");
    for (size_t i = 0; i < x.size(); i += norm.gamma.size())
      norm.apply(x.data() + i, y.data() + i);
    EXPECT_TRUE(sameAs(g, key + ".y", y));
  };
  check("rms_norm", Norm::RMS);
  for (const char *size : {"20", "37"}) {
    check(std::string("head_norm.layer") + size, Norm::Layer);
    check(std::string("head_norm.rms") + size, Norm::RMS);
  }
}

TEST_F(ModernRulesTest, Rotary) {
  int64_t heads = g.dim("rotary.x", 0), tokens = g.dim("rotary.x", 1),
          size = g.dim("rotary.x", 2);
  for (std::string tables : {"rotary.", "rotary.partial."})
    for (RotaryStyle style : {RotaryStyle::Half, RotaryStyle::Interleaved}) {
      RotaryEmbedding rotary;
      rotary.style = style;
      rotary.cos = g.get<float>(tables + "cos");
      rotary.sin = g.get<float>(tables + "sin");
      rotary.positions = g.dim(tables + "cos", 0);
      rotary.pairs = g.dim(tables + "cos", 1);
      std::vector<float> y = g.get<float>("rotary.x");
      Dressing dressing{nullptr, &rotary};
      for (int64_t row = 0; row < heads * tokens; ++row)
        dressing.apply(row % tokens, y.data() + row * size, size);
      EXPECT_TRUE(sameAs(g, tables + std::string(name(style)) + ".y", y));
    }
}

TEST_F(ModernRulesTest, Windows) {
  for (int i = 0; g.has("window" + std::to_string(i)); ++i) {
    std::string key = "window" + std::to_string(i);
    SCOPED_TRACE(key);
    Window window = windowAt(g, key);
    int64_t length = g.dim(key + ".allowed", 0);
    std::vector<uint8_t> allowed(length * length, 0);
    std::vector<int64_t> rows(length, 0);
    for (int64_t row = 0; row < length; ++row) {
      EXPECT_EQ(window.keysOf(row, length),
                window.end(row, length) - window.first(row));
      for (int64_t j = window.first(row); j < window.end(row, length); ++j) {
        allowed[row * length + j] = 1;
        ++rows[j];
      }
    }
    EXPECT_TRUE(sameAs(g, key + ".allowed", allowed));
    for (int64_t j = 0; j < length; ++j)
      EXPECT_EQ(window.rowsOf(j, length), rows[j]) << "key " << j;
  }
}

TEST_F(ModernRulesTest, Dominance) {
  std::vector<float> gap = g.get<float>("dominance.gap");
  std::vector<float> unit = g.get<float>("dominance.unit");
  for (Predictor predictor : allPredictors)
    for (int norms : {1, 2}) {
      std::string prefix = "dominance." + std::string(name(predictor)) +
                           ".norms" + std::to_string(norms);
      float gain = logitGain(predictor, norms);
      EXPECT_TRUE(sameAs(g, prefix + ".gain", std::vector<float>{gain}));
      std::vector<uint8_t> y;
      for (size_t i = 0; i < gap.size(); ++i) {
        TopTwo top;
        top.first = gap[i];
        y.push_back(isDominated(top, 2, unit[i], gain,
                                g.scalar<float>(prefix + ".threshold")));
      }
      EXPECT_TRUE(sameAs(g, prefix + ".y", y));
    }
}

TEST_F(ModernRulesTest, Importance) {
  auto check = [&](const std::string &key, const char *importance,
                   const Window &window) {
    std::vector<int32_t> count = g.get<int32_t>(key + ".count");
    std::vector<int64_t> wide(count.begin(), count.end());
    std::vector<uint8_t> low(count.size());
    lowPrecisionTokens(wide.data(), window, wide.size(),
                       importanceIn256ths(std::stod(importance)), low.data());
    return low;
  };
  for (int i = 0; i < 5; ++i) {
    std::string key = "importance_window" + std::to_string(i);
    Window window = windowAt(g, key + ".window");
    for (const char *importance : {"0.9", "1", "1.3"})
      EXPECT_TRUE(sameAs(g, key + "." + importance + ".low",
                         check(key, importance, window)));
  }
  // The names have six digits; the first number is just below 257.5 / 256.
  for (auto [name, importance] :
       {std::pair("1.00586", "1.0058593749"),
        std::pair("1.00195", "1.001953125"), std::pair("0.001", "0.001")}) {
    std::string key = std::string("importance_edge") + name;
    EXPECT_TRUE(sameAs(g, key + ".low", check(key, importance, Window())));
  }
}

TEST_F(ModernRulesTest, TopK) {
  std::vector<float> x = g.get<float>("topk.x");
  int64_t n = g.dim("topk.x", 2);
  for (const char *keep : {"0.030761718", "0.06103515625", "0.25048829"}) {
    std::vector<uint8_t> mask(x.size());
    for (size_t i = 0; i < x.size(); i += n)
      selectRow(x.data() + i, n, keptKeys(keepIn1024ths(std::stod(keep)), n),
                mask.data() + i);
    EXPECT_TRUE(sameAs(g, std::string("topk") + keep + ".mask", mask));
  }
}

TEST_F(ModernRulesTest, PredictedRows) {
  std::vector<int32_t> h = g.get<int32_t>("predicted_rows.H"),
                       e = g.get<int32_t>("predicted_rows.e");
  std::vector<float> bias = g.get<float>("predicted_rows.bias");
  int64_t n = static_cast<int64_t>(bias.size());
  for (Predictor predictor : allPredictors) {
    std::vector<float> biases(n), y(h.size());
    dressedBiases(predictor, bias.data(), n, biases.data());
    for (size_t row = 0; row < e.size(); ++row)
      predictedRow(h.data() + row * n, g.scalar<float>("predicted_rows.s"),
                   powerOfTwo(e[row]), biases.data(), n, y.data() + row * n);
    EXPECT_TRUE(
        sameAs(g, "predicted_rows." + std::string(name(predictor)) + ".y", y));
  }
}

TEST_F(ModernRulesTest, LayerScale) {
  std::vector<float> w = g.get<float>("layer_scale.W"),
                     b = g.get<float>("layer_scale.b"),
                     factor = g.get<float>("layer_scale.g");
  int64_t n = static_cast<int64_t>(factor.size());
  for (size_t i = 0; i < w.size(); i += n)
    multiplyRow(w.data() + i, factor.data(), n, w.data() + i);
  multiplyRow(b.data(), factor.data(), n, b.data());
  EXPECT_TRUE(sameAs(g, "layer_scale.W2", w));
  EXPECT_TRUE(sameAs(g, "layer_scale.b2", b));
}

TEST_F(ModernRulesTest, FoldedTables) {
  std::vector<float> exponent = g.get<float>("fold.exponent"), inverse;
  for (float e : exponent)
    inverse.push_back(
        static_cast<float>(1.0 / static_cast<double>(fold::pow(10000.0f, e))));
  EXPECT_TRUE(sameAs(g, "fold.inverse", inverse));
  std::vector<float> angle, cos, sin;
  for (int64_t position = 0; position < g.dim("fold.angle", 0); ++position)
    for (float f : inverse) {
      angle.push_back(static_cast<float>(position) * f);
      cos.push_back(fold::cos(angle.back()));
      sin.push_back(fold::sin(angle.back()));
    }
  EXPECT_TRUE(sameAs(g, "fold.angle", angle));
  EXPECT_TRUE(sameAs(g, "fold.cos", cos));
  EXPECT_TRUE(sameAs(g, "fold.sin", sin));
}

} // namespace
