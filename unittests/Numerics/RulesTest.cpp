//===- RulesTest.cpp - Every rule against test/golden/rules.npz -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Golden.h"
#include "fact/Numerics/FloatRules.h"
#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Linear.h"
#include "fact/Numerics/Prediction.h"
#include "fact/Numerics/RowOps.h"
#include "fact/Numerics/Selection.h"

using namespace fact;
using namespace fact::numerics;

namespace {

struct Rules {
  static constexpr const char *path = FACT_TEST_GOLDEN_DIR "/rules.npz";
};
using RulesTest = GoldenTest<Rules>;

constexpr Predictor allPredictors[] = {Predictor::LeadingOne,
                                       Predictor::LeadingTwo,
                                       Predictor::OneSided, Predictor::Exact};

TEST_F(RulesTest, Exp) {
  std::vector<float> x = g.get<float>("exp.x"), y(x.size());
  expRow(x.data(), x.size(), y.data());
  EXPECT_TRUE(sameAs(g, "exp.y", y));
  for (size_t i = 0; i < x.size(); ++i)
    y[i] = numerics::exp(x[i]);
  EXPECT_TRUE(sameAs(g, "exp.y", y)) << "scalar";
}

TEST_F(RulesTest, Erf) {
  std::vector<float> x = g.get<float>("erf.x"), y(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    y[i] = numerics::erf(x[i]);
  EXPECT_TRUE(sameAs(g, "erf.y", y));
}

TEST_F(RulesTest, Activations) {
  struct {
    Activation activation;
    const char *key;
  } cases[] = {{Activation::Gelu, "gelu_erf"},
               {Activation::GeluTanh, "gelu_tanh"},
               {Activation::Swish, "swish"},
               {Activation::Relu, "relu"}};
  for (auto [activation, key] : cases) {
    std::vector<float> x = g.get<float>(key + std::string(".x")), y(x.size());
    activateRow(activation, x.data(), x.size(), y.data());
    EXPECT_TRUE(sameAs(g, key + std::string(".y"), y));
    for (size_t i = 0; i < x.size(); ++i)
      y[i] = activate(activation, x[i]);
    EXPECT_TRUE(sameAs(g, key + std::string(".y"), y)) << "scalar";
  }
}

TEST_F(RulesTest, Rsum) {
  for (const char *key :
       {"rsum1", "rsum15", "rsum16", "rsum17", "rsum100", "rsum768"}) {
    std::string name = key;
    std::vector<float> x = g.get<float>(name + ".x"), y;
    int64_t n = g.dim(name + ".x", 1);
    for (int64_t i = 0; i < g.dim(name + ".x", 0); ++i)
      y.push_back(rsum(x.data() + i * n, n));
    EXPECT_TRUE(sameAs(g, name + ".y", y));
  }
}

TEST_F(RulesTest, LayerNorm) {
  std::vector<float> x = g.get<float>("layer_norm.x"), y(x.size());
  std::vector<float> gamma = g.get<float>("layer_norm.gamma");
  std::vector<float> beta = g.get<float>("layer_norm.beta");
  int64_t n = gamma.size();
  for (size_t i = 0; i < x.size(); i += n)
    normRow(Norm::Layer, x.data() + i, gamma.data(), beta.data(),
            g.scalar<float>("layer_norm.eps"), n, y.data() + i);
  EXPECT_TRUE(sameAs(g, "layer_norm.y", y));
}

TEST_F(RulesTest, ColumnMean) {
  std::vector<float> x = g.get<float>("column_mean.x");
  int64_t n = g.dim("column_mean.x", 1);
  std::vector<float> y(n);
  columnMean(x.data(), g.dim("column_mean.x", 0), n, y.data());
  EXPECT_TRUE(sameAs(g, "column_mean.y", y));
}

TEST_F(RulesTest, QuantizeRows) {
  std::vector<float> x = g.get<float>("quant_rows.x");
  int64_t rows = g.dim("quant_rows.x", 0), n = g.dim("quant_rows.x", 1);
  std::vector<int8_t> q8(x.size()), q4(x.size());
  std::vector<float> s8(rows), s4(rows);
  for (int64_t i = 0; i < rows; ++i) {
    s8[i] = quantizeRowInt8(x.data() + i * n, n, q8.data() + i * n);
    s4[i] = quantizeRowInt4(x.data() + i * n, n, q4.data() + i * n);
    EXPECT_EQ(powerOfTwo(exponentOfScale(s8[i])), s8[i]);
  }
  EXPECT_TRUE(sameAs(g, "quant_rows.q", q8));
  EXPECT_TRUE(sameAs(g, "quant_rows.scale", s8));
  EXPECT_TRUE(sameAs(g, "quant_rows4.q", q4));
  EXPECT_TRUE(sameAs(g, "quant_rows4.scale", s4));
}

TEST_F(RulesTest, QuantizeWeights) {
  std::vector<float> x = g.get<float>("quant_weight.x");
  int64_t in = g.dim("quant_weight.x", 0), out = g.dim("quant_weight.x", 1);
  QuantizedWeights w = quantizeWeights(x.data(), in, out);
  EXPECT_TRUE(sameAs(g, "quant_weight.w", w.codes));
  EXPECT_TRUE(sameAs(g, "quant_weight.scale", w.scales));
  EXPECT_TRUE(sameAs(g, "high_nibble.w", w.high));
  for (int8_t code : w.codes) {
    EXPECT_EQ(16 * highPlane(code) + lowPlane(code), code);
    EXPECT_GE(lowPlane(code), -8);
    EXPECT_LE(lowPlane(code), 7);
  }

  std::vector<int8_t> p(x.size());
  std::vector<float> scale = {
      quantizePredictorWeights(x.data(), x.size(), p.data())};
  EXPECT_TRUE(sameAs(g, "predictor_weight.w", p));
  EXPECT_TRUE(sameAs(g, "predictor_weight.scale", scale));
  std::vector<float> zero(x.size(), 0.0f);
  scale = {quantizePredictorWeights(zero.data(), zero.size(), p.data())};
  EXPECT_TRUE(sameAs(g, "predictor_weight_zero.w", p));
  EXPECT_TRUE(sameAs(g, "predictor_weight_zero.scale", scale));
}

TEST_F(RulesTest, Linear) {
  std::vector<float> x = g.get<float>("linear.x"), W = g.get<float>("linear.W");
  std::vector<float> b = g.get<float>("linear.b");
  int64_t rows = g.dim("linear.x", 0), in = g.dim("linear.x", 1);
  int64_t out = b.size();
  QuantizedWeights w = quantizeWeights(W.data(), in, out);
  LowPrecision a4w4 = LowPrecision::A4W4, a4w8 = LowPrecision::A4W8;
  struct {
    const LowPrecision *low;
    const char *key;
  } cases[] = {{nullptr, "linear.int8.y"},
               {&a4w4, "linear.a4w4.y"},
               {&a4w8, "linear.a4w8.y"}};
  for (auto [low, key] : cases) {
    std::vector<float> y(rows * out);
    for (int64_t i = 0; i < rows; ++i)
      linearRow(w, b.data(), low, x.data() + i * in, y.data() + i * out);
    EXPECT_TRUE(sameAs(g, key, y));
  }
}

TEST_F(RulesTest, LeadingOnes) {
  std::vector<int32_t> x = g.get<int32_t>("leading.x"), one, two;
  for (int32_t q : x) {
    one.push_back(leadingOne(q));
    two.push_back(leadingTwo(q));
  }
  EXPECT_TRUE(sameAs(g, "leading_one.y", one));
  EXPECT_TRUE(sameAs(g, "leading_two.y", two));
}

TEST_F(RulesTest, PredictorBias) {
  std::vector<float> b = g.get<float>("predictor_bias.b");
  std::vector<int32_t> e = g.get<int32_t>("predictor_bias.e");
  for (Predictor predictor : allPredictors) {
    std::vector<float> biases(b.size());
    predictorBiases(predictor, b.data(), b.size(),
                    g.scalar<float>("predictor_bias.s"), biases.data());
    std::vector<int32_t> h(e.size() * b.size(), 0);
    for (size_t i = 0; i < e.size(); ++i)
      addPredictorBias(biases.data(), b.size(), powerOfTwo(e[i]),
                       h.data() + i * b.size());
    EXPECT_TRUE(
        sameAs(g, "predictor_bias." + std::string(name(predictor)) + ".h", h));
  }
}

TEST_F(RulesTest, Predict) {
  std::vector<float> x = g.get<float>("predict.x");
  std::vector<float> Wq = g.get<float>("predict.Wq");
  std::vector<float> Wk = g.get<float>("predict.Wk");
  std::vector<float> bq = g.get<float>("predict.bq");
  int64_t length = g.dim("predict.x", 0), d = g.dim("predict.x", 1);
  std::vector<int8_t> x8(x.size());
  std::vector<float> scales(length);
  for (int64_t i = 0; i < length; ++i)
    scales[i] = quantizeRowInt8(x.data() + i * d, d, x8.data() + i * d);
  for (Predictor predictor : allPredictors) {
    PredictorWeights query =
        predictorWeights(predictor, Wq.data(), bq.data(), d, d);
    PredictorWeights key =
        predictorWeights(predictor, Wk.data(), nullptr, d, d);
    AttentionForm form;
    form.heads = form.keyHeads = g.scalar<int32_t>("predict.heads");
    Prediction p = predict(predictor, query, key, x8.data(), scales.data(),
                           length, form, g.scalar<float>("predict.scale"));
    std::string prefix = "predict." + std::string(name(predictor)) + ".";
    EXPECT_TRUE(sameAs(g, prefix + "Hq", p.query.h));
    EXPECT_TRUE(sameAs(g, prefix + "Hk", p.key.h));
    EXPECT_TRUE(sameAs(g, prefix + "sq", exponentsOf(p.query.scales)));
    EXPECT_TRUE(sameAs(g, prefix + "sk", exponentsOf(p.key.scales)));
    EXPECT_TRUE(sameAs(g, prefix + "T", p.scores));
    EXPECT_TRUE(sameAs(g, prefix + "unit", p.unit));
  }
}

TEST_F(RulesTest, Unit) {
  std::vector<int32_t> sq = g.get<int32_t>("unit.sq");
  std::vector<int32_t> e = g.get<int32_t>("unit.e");
  std::vector<float> spq = g.get<float>("unit.s_pq");
  std::vector<float> spk = g.get<float>("unit.s_pk");
  std::vector<float> scale = g.get<float>("unit.scale"), y;
  for (size_t i = 0; i < sq.size(); ++i)
    y.push_back(predictorUnit(powerOfTwo(sq[i]), powerOfTwo(e[i]), spq[i],
                              spk[i], scale[i]));
  EXPECT_TRUE(sameAs(g, "unit.y", y));
}

TEST_F(RulesTest, TopK) {
  std::vector<float> x = g.get<float>("topk.x");
  int64_t n = g.dim("topk.x", 2), rows = x.size() / n;
  for (const char *keep : {"0.01", "0.1", "0.25", "0.5", "0.999", "1"}) {
    int64_t k = keptKeys(keepIn1024ths(std::stod(keep)), n);
    std::vector<uint8_t> mask(x.size()), fromIndices(x.size(), 0);
    for (int64_t i = 0; i < rows; ++i) {
      selectRow(x.data() + i * n, n, k, mask.data() + i * n);
      std::vector<int32_t> indices(n);
      int64_t count = selectRowIndices(x.data() + i * n, n, k, indices.data());
      EXPECT_EQ(count, std::min(k, n));
      for (int64_t c = 0; c < count; ++c) {
        EXPECT_TRUE(c == 0 || indices[c] > indices[c - 1]);
        fromIndices[i * n + indices[c]] = 1;
      }
    }
    EXPECT_TRUE(sameAs(g, std::string("topk") + keep + ".mask", mask));
    EXPECT_TRUE(sameBits(fromIndices, mask));
  }
}

TEST_F(RulesTest, Dominance) {
  std::vector<float> gap = g.get<float>("dominance.gap");
  std::vector<float> unit = g.get<float>("dominance.unit");
  for (Predictor predictor : allPredictors) {
    std::string prefix = "dominance." + std::string(name(predictor));
    std::vector<uint8_t> y;
    for (size_t i = 0; i < gap.size(); ++i) {
      TopTwo top;
      top.first = gap[i];
      y.push_back(isDominated(top, 2, unit[i], logitGain(predictor),
                              g.scalar<float>(prefix + ".threshold")));
    }
    EXPECT_TRUE(sameAs(g, prefix + ".y", y));
  }
}

TEST_F(RulesTest, TopTwoTakesTheLowerOfEqualColumns) {
  float scores[] = {1, 3, -2, 3, 2};
  TopTwo top = topTwo(scores, 5);
  EXPECT_EQ(top.argmax, 1);
  EXPECT_EQ(top.first, 3);
  EXPECT_EQ(top.second, 3);
  top = topTwo(scores + 3, 2);
  EXPECT_EQ(top.argmax, 0);
  EXPECT_EQ(top.second, 2);
  EXPECT_FALSE(isDominated(topTwo(scores, 1), 1, 1e30f, 1, 1));
}

TEST_F(RulesTest, Importance) {
  auto low = [&](const char *key, const char *importance) {
    std::vector<int32_t> count = g.get<int32_t>(std::string(key) + ".count");
    std::vector<int64_t> wide(count.begin(), count.end());
    std::vector<uint8_t> result(count.size());
    lowPrecisionTokens(wide.data(), Window(), wide.size(),
                       importanceIn256ths(std::stod(importance)),
                       result.data());
    EXPECT_TRUE(sameAs(g, std::string(key) + importance + ".low", result));
  };
  for (const char *importance : {"0.7", "0.75", "1", "1.37", "2"})
    low("importance", importance);
  for (const char *importance : {"1", "1.2"})
    low("importance_equal", importance);
}

} // namespace
