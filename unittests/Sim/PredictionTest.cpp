//===- PredictionTest.cpp - EP and SEL against Numerics -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Prediction.h"
#include "fact/Numerics/Selection.h"

#include <cstring>

using namespace fact;
using namespace fact::sim;

namespace {
constexpr int64_t length = 29, features = 26, heads = 2, size = 13;
constexpr int64_t block = 8; ///< rows of a block
constexpr int64_t maskBytes = (length + 7) / 8;

struct Model {
  std::vector<float> x = randomValues<float>(length * features, -3, 3, 1);
  std::vector<float> wq = randomValues<float>(features * features, -1, 1, 2);
  std::vector<float> wk = randomValues<float>(features * features, -1, 1, 3);
  std::vector<float> bq = randomValues<float>(features, -2, 2, 4);
  std::vector<int8_t> x8 = std::vector<int8_t>(length * features);
  std::vector<float> scales = std::vector<float>(length);

  Model() {
    for (int64_t r = 0; r < length; ++r)
      scales[r] = numerics::quantizeRowInt8(x.data() + r * features, features,
                                            x8.data() + r * features);
  }
};

/// Where instructions leave what they decide of one head.
struct HeadPlaces {
  isa::SramRef scores, mask, dominated, argmax, kRows, vRows;
};

/// The whole prediction and selection of a layer by instructions, in blocks of
/// rows.
class Selected {
public:
  Selected(const Model &model, const numerics::Policy &policy,
           const numerics::Window &window)
      : bench(length), policy(policy),
        predictor(numerics::asPredictor<isa::Predictor>(policy.predictor)) {
    auto query = numerics::predictorWeights(
        policy.predictor, model.wq.data(), model.bq.data(), features, features);
    auto key = numerics::predictorWeights(policy.predictor, model.wk.data(),
                                          nullptr, features, features);
    numerics::AttentionForm form;
    form.heads = form.keyHeads = heads;
    form.window = window;
    expectedPrediction =
        numerics::predict(policy.predictor, query, key, model.x8.data(),
                          model.scales.data(), length, form, 0.25f);
    expected = numerics::select(policy, &expectedPrediction, length, form);

    x = bench.put(model.x8);
    scale = bench.put(model.scales);
    weightScales = bench.put(std::vector<float>{query.scale, key.scale});
    uint32_t dominance;
    std::memcpy(&dominance, &policy.dominance, sizeof dominance);
    numbers = bench.put(
        std::vector<uint32_t>{static_cast<uint32_t>(policy.keep), dominance});
    count = bench.put(std::vector<uint32_t>(length, 99));
    isa::SelFill clear;
    clear.dst = count;
    clear.rows = 64;
    clear.width = 4;
    code.push_back(clear);

    auto hq = project(query, bench.put(query.biases));
    auto hk = project(key, isa::SramRef::absent());
    for (int64_t head = 0; head < heads; ++head)
      select(head, hq, hk, window);

    isa::SelPrecision precision;
    precision.low = low = bench.room<uint8_t>(length);
    precision.count = count;
    precision.left = isa::windowField(window.left);
    precision.right = isa::windowField(window.right);
    precision.importance = bench.put(
        std::vector<uint32_t>{static_cast<uint32_t>(policy.importance)});
    code.push_back(precision);
    bench.run(code);
  }

  Bench bench;
  numerics::Prediction expectedPrediction;
  numerics::Selection expected;
  std::vector<HeadPlaces> places;
  std::vector<std::pair<isa::SramRef, isa::SramRef>> codes; ///< Query, key.
  isa::SramRef count, low;

  numerics::PredictorCode codeOf(numerics::PredictorOperand side) const {
    return numerics::codeOf(policy.predictor, side);
  }
  /// Bytes of a head's row of codes.
  int64_t codeStride(isa::Operand operand) const {
    return numerics::codeBytes(
        codeOf(numerics::asScoreOperand<numerics::PredictorOperand>(operand)),
        size);
  }

private:
  isa::SramRef project(const numerics::PredictorWeights &weights,
                       isa::SramRef bias) {
    numerics::PredictorCode kind = codeOf(numerics::PredictorOperand::Weight);
    int64_t stride = numerics::codeBytes(kind, features);
    std::vector<uint8_t> packed(features * stride);
    for (int64_t k = 0; k < features; ++k)
      EXPECT_TRUE(numerics::packCodes(kind, weights.codes.data() + k * features,
                                      features, packed.data() + k * stride));
    isa::EpProject i;
    i.acc = bench.room<int32_t>(length * features);
    isa::SramRef w = bench.put(packed);
    i.rows = 64;
    i.acc_stride = features * 4;
    i.x_stride = features;
    i.w_stride = static_cast<uint32_t>(stride);
    i.predictor = predictor;
    // Two parts of the reduction, two tiles of columns.
    const isa::SramRef acc = i.acc;
    for (int64_t n0 : {0, 10})
      for (int64_t k0 : {0, 11}) {
        i.k = k0 == 0 ? 11 : features - 11;
        i.n = n0 == 0 ? 10 : features - 10;
        i.acc.offset = static_cast<uint32_t>(acc.offset + n0 * 4);
        i.x = x;
        i.x.offset += static_cast<uint32_t>(k0);
        i.w = w;
        i.w.offset +=
            static_cast<uint32_t>(k0 * stride + numerics::codeBytes(kind, n0));
        i.accumulate = k0 != 0;
        code.push_back(i);
      }
    i.acc = acc;
    if (bias.present) {
      isa::EpBias b;
      b.acc = i.acc;
      b.bias = bias;
      b.scale = scale;
      b.rows = 64;
      b.n = features;
      b.acc_stride = features * 4;
      code.push_back(b);
    }
    return i.acc;
  }

  isa::EpNormalize normalize(int64_t head, isa::SramRef acc,
                             isa::Operand operand) {
    isa::EpNormalize i;
    int64_t stride = codeStride(operand);
    i.code = bench.room<uint8_t>(length * stride);
    i.scale = bench.room<float>(length);
    i.acc = acc;
    i.acc.offset += static_cast<uint32_t>(head * size * 4);
    i.rows = 64;
    i.n = size;
    i.code_stride = static_cast<uint32_t>(stride);
    i.acc_stride = features * 4;
    i.predictor = predictor;
    i.operand = operand;
    code.push_back(i);
    return i;
  }

  void select(int64_t head, isa::SramRef hq, isa::SramRef hk,
              const numerics::Window &window) {
    isa::EpNormalize q = normalize(head, hq, isa::Operand::Query);
    isa::EpNormalize k = normalize(head, hk, isa::Operand::Key);
    codes.push_back({q.code, k.code});
    HeadPlaces place;
    place.scores = bench.room<float>(length * length);
    place.mask = bench.room<uint8_t>(length * maskBytes);
    place.dominated = bench.room<uint8_t>(length);
    place.argmax = bench.room<int32_t>(length);
    place.kRows = bench.put(std::vector<uint8_t>(length, 0));
    place.vRows = bench.put(std::vector<uint8_t>(length, 0));
    places.push_back(place);
    for (int64_t row = 0; row < length; row += block) {
      auto at = [&](isa::SramRef ref, int64_t bytes) {
        ref.offset += static_cast<uint32_t>(row * bytes);
        return ref;
      };
      for (int64_t column = 0; column < length; column += 16) {
        isa::EpScore i;
        i.score = at(place.scores, length * 4);
        i.score.offset += static_cast<uint32_t>(column * 4);
        i.q = at(q.code, q.code_stride);
        i.k = k.code;
        i.k.offset += static_cast<uint32_t>(column * k.code_stride);
        i.key_scale = k.scale;
        i.key_scale.offset += static_cast<uint32_t>(column * 4);
        i.scale = scale;
        i.scale.offset += static_cast<uint32_t>(column * 4);
        i.row0 = {static_cast<uint32_t>(row), 0};
        i.rows = block;
        i.col0 = {static_cast<uint32_t>(column), 0};
        i.cols = 16;
        i.n = size;
        i.score_stride = length * 4;
        i.q_stride = q.code_stride;
        i.k_stride = k.code_stride;
        i.predictor = predictor;
        i.left = isa::windowField(window.left);
        i.right = isa::windowField(window.right);
        code.push_back(i);
      }
      isa::SelTopK i;
      i.mask = at(place.mask, maskBytes);
      i.dominated = at(place.dominated, 1);
      i.argmax = at(place.argmax, 4);
      i.k_rows = place.kRows;
      i.v_rows = place.vRows;
      i.count = count;
      auto first = static_cast<uint32_t>(window.first(row));
      i.score = at(place.scores, length * 4);
      i.score.offset += first * 4;
      i.col0 = {first, 0};
      i.cols = static_cast<uint32_t>(
          window.end(std::min<int64_t>(row + block, length) - 1, length) -
          first);
      i.query_scale = at(q.scale, 4);
      i.scale = at(scale, 4);
      i.weight_scales = weightScales;
      i.row0 = {static_cast<uint32_t>(row), 0};
      i.rows = block;
      i.mask_stride = maskBytes;
      i.score_stride = length * 4;
      i.policy = numbers;
      i.attention_scale = 0.25f;
      i.predictor = predictor;
      i.left = isa::windowField(window.left);
      i.right = isa::windowField(window.right);
      code.push_back(i);
    }
  }

  numerics::Policy policy;
  isa::Predictor predictor;
  std::vector<isa::Instruction> code;
  isa::SramRef x, scale, weightScales, numbers;
};

template <typename T>
std::vector<T> slice(const std::vector<T> &values, int64_t head,
                     int64_t count) {
  return {values.begin() + head * count, values.begin() + (head + 1) * count};
}

constexpr numerics::Window windows[] = {
    numerics::Window(), numerics::Window::causal(), {3, 2}, {0, 0}, {1, -1}};

class PredictionTest : public testing::TestWithParam<numerics::Predictor> {};

/// Codes of INT8 rows, as narrow as the predictor says or as bytes.
TEST_P(PredictionTest, RowsAreEncoded) {
  Model model;
  for (isa::Operand operand : {isa::Operand::Query, isa::Operand::Key})
    for (bool unpacked : {false, true}) {
      numerics::PredictorCode code = numerics::codeOf(
          GetParam(),
          numerics::asScoreOperand<numerics::PredictorOperand>(operand));
      numerics::PredictorCode stored =
          unpacked ? numerics::PredictorCode::Exact : code;
      int64_t stride = numerics::codeBytes(stored, size);
      Bench bench(length);
      isa::EpEncode i;
      i.x = bench.put(model.x8);
      i.code = bench.room<uint8_t>(length * stride);
      i.rows = 64;
      i.n = size;
      i.code_stride = static_cast<uint32_t>(stride);
      i.x_stride = features;
      i.predictor = numerics::asPredictor<isa::Predictor>(GetParam());
      i.operand = operand;
      i.unpacked = unpacked;
      bench.run({i});
      std::vector<uint8_t> expected(length * stride);
      std::vector<int8_t> row(size);
      for (int64_t r = 0; r < length; ++r) {
        numerics::encodeRow(code, model.x8.data() + r * features, size,
                            row.data());
        EXPECT_TRUE(numerics::packCodes(stored, row.data(), size,
                                        expected.data() + r * stride));
      }
      EXPECT_EQ(bench.get<uint8_t>(i.code, length * stride), expected);
    }
}

/// A row of a head's codes is whole bytes: of a leading one half of them, the
/// odd last code beside a zero.
TEST_P(PredictionTest, CodesAreAsNarrowAsTheirPredictorSays) {
  numerics::Policy policy;
  policy.predictor = GetParam();
  Selected run(Model(), policy, numerics::Window());
  const bool narrow[] = {GetParam() == numerics::Predictor::LeadingOne ||
                             GetParam() == numerics::Predictor::OneSided,
                         GetParam() == numerics::Predictor::LeadingOne};
  for (int64_t head = 0; head < heads; ++head)
    for (auto operand : {isa::Operand::Query, isa::Operand::Key}) {
      bool isKey = operand == isa::Operand::Key;
      numerics::PredictorCode kind = run.codeOf(
          numerics::asScoreOperand<numerics::PredictorOperand>(operand));
      int64_t stride = run.codeStride(operand);
      EXPECT_EQ(stride, narrow[isKey] ? (size + 1) / 2 : size);
      std::vector<uint8_t> packed = run.bench.get<uint8_t>(
          isKey ? run.codes[head].second : run.codes[head].first,
          length * stride);
      const numerics::PredictedHeads &predicted =
          isKey ? run.expectedPrediction.key : run.expectedPrediction.query;
      for (int64_t r = 0; r < length; ++r) {
        std::vector<int8_t> expected(size), codes(size);
        numerics::encodeRow(kind,
                            predicted.codes.data() + (head * length + r) * size,
                            size, expected.data());
        numerics::unpackCodes(kind, packed.data() + r * stride, size,
                              codes.data());
        EXPECT_EQ(codes, expected) << "row " << r;
        if (narrow[isKey])
          EXPECT_EQ(packed[(r + 1) * stride - 1] >> 4, 0);
      }
    }
}

TEST_P(PredictionTest, IsNumericsPredictAndSelect) {
  numerics::Policy policy;
  policy.keep = 300;
  policy.dominance = 0.5f;
  policy.importance = 256;
  policy.predictor = GetParam();
  Model model;
  bool anyDominated = false;
  for (const numerics::Window &window : windows) {
    Selected run(model, policy, window);
    for (int64_t head = 0; head < heads; ++head) {
      const HeadPlaces &place = run.places[head];
      std::vector<float> scores =
          run.bench.get<float>(place.scores, length * length);
      std::vector<float> predicted =
          slice(run.expectedPrediction.scores, head, length * length);
      // Others may be left out.
      auto seen = [&](const std::vector<float> &of, int64_t r) {
        auto row = of.begin() + r * length;
        return std::vector<float>(row + window.first(r),
                                  row + window.end(r, length));
      };
      for (int64_t r = 0; r < length; ++r)
        expectSameBits(seen(scores, r), seen(predicted, r));
      std::vector<uint8_t> mask =
          slice(run.expected.mask, head, length * length);
      std::vector<uint8_t> bits(length * maskBytes, 0);
      for (int64_t i = 0; i < length * length; ++i)
        bits[i / length * maskBytes + i % length / 8] |=
            static_cast<uint8_t>(mask[i] << (i % length % 8));
      EXPECT_EQ(run.bench.get<uint8_t>(place.mask, length * maskBytes), bits);
      std::vector<uint8_t> dominated =
          slice(run.expected.dominated, head, length);
      EXPECT_EQ(run.bench.get<uint8_t>(place.dominated, length), dominated);
      std::vector<int32_t> argmax =
          run.bench.get<int32_t>(place.argmax, length);
      for (int64_t r = 0; r < length; ++r)
        if (dominated[r]) {
          anyDominated = true;
          EXPECT_EQ(argmax[r], run.expected.argmax[head * length + r]);
        }
      EXPECT_EQ(run.bench.get<uint8_t>(place.kRows, length),
                slice(run.expected.kRows, head, length));
      EXPECT_EQ(run.bench.get<uint8_t>(place.vRows, length),
                slice(run.expected.vRows, head, length));
    }
    std::vector<uint32_t> count(run.expected.count.begin(),
                                run.expected.count.end());
    EXPECT_EQ(run.bench.get<uint32_t>(run.count, length), count);
    EXPECT_EQ(run.bench.get<uint8_t>(run.low, length), run.expected.low);
    // Products: two projections, and scores of the columns that a block sees.
    int64_t products = 2 * length * features * features;
    for (int64_t row = 0; row < length; row += block) {
      int64_t last = std::min<int64_t>(row + block, length) - 1;
      products += (last + 1 - row) * features *
                  (window.end(last, length) - window.first(row));
    }
    const auto &ep = isa::Machine::defaultMachine().ep;
    const int64_t perProduct[] = {ep.addsLeadingOne, ep.addsLeadingTwo,
                                  ep.addsOneSided, ep.addsExact};
    EXPECT_EQ(run.bench.counters.total.predictorAdds,
              products * perProduct[static_cast<unsigned>(GetParam())]);
  }
  EXPECT_TRUE(anyDominated);
}

INSTANTIATE_TEST_SUITE_P(All, PredictionTest,
                         testing::Values(numerics::Predictor::LeadingOne,
                                         numerics::Predictor::LeadingTwo,
                                         numerics::Predictor::OneSided,
                                         numerics::Predictor::Exact));

TEST(Prediction, CountsOfALayerThatPrunesNothing) {
  for (const numerics::Window &window : windows) {
    Bench bench(length);
    isa::SelCountAll i;
    i.count = bench.room<uint32_t>(length);
    i.rows = 8;
    i.heads = heads;
    i.left = isa::windowField(window.left);
    i.right = isa::windowField(window.right);
    isa::SelCountAll rest = i;
    rest.row0 = {8, 0};
    rest.rows = 64;
    rest.count.offset += 8 * 4;
    bench.run({i, rest});
    numerics::AttentionForm form;
    form.heads = form.keyHeads = heads;
    form.window = window;
    numerics::Selection all =
        numerics::select(numerics::Policy(), nullptr, length, form);
    std::vector<uint32_t> expected(all.count.begin(), all.count.end());
    EXPECT_EQ(bench.get<uint32_t>(i.count, length), expected);
  }
}

TEST(Prediction, ScoresAreOfAllThatARowSees) {
  Bench bench(4);
  isa::SelTopK i;
  i.mask = bench.room<uint8_t>(4);
  i.dominated = bench.room<uint8_t>(4);
  i.argmax = bench.room<int32_t>(4);
  i.k_rows = i.v_rows = bench.put(std::vector<uint8_t>(4, 0));
  i.count = bench.put(std::vector<uint32_t>(4, 0));
  i.score = bench.put(std::vector<float>(16, 1));
  i.query_scale = bench.put(std::vector<float>(4, 1));
  i.scale = i.weight_scales = isa::SramRef::absent();
  i.policy = bench.put(std::vector<uint32_t>{512, 0});
  i.rows = 4;
  i.mask_stride = 1;
  i.score_stride = 16;
  i.attention_scale = 1;
  // Each row itself and the one before.
  i.left = isa::windowField(1);
  i.right = isa::windowField(0);
  i.cols = 4;
  EXPECT_EQ(bench.error({i}), "");
  i.cols = 3;
  EXPECT_NE(bench.error({i}).find(
                "scores must be of all columns that row 3 sees, 2 to 4 (were "
                "0 to 3)"),
            std::string::npos);
  i.col0 = {1, 0};
  EXPECT_NE(bench.error({i}).find(
                "scores must be of all columns that row 0 sees, 0 to 1 (were "
                "1 to 4)"),
            std::string::npos);
}

TEST(Prediction, ListsOfRows) {
  Bench bench(6);
  isa::SelList i;
  i.flags = bench.put(std::vector<uint8_t>{0, 1, 2, 0, 0, 1, 1, 1});
  i.list = bench.put(std::vector<uint32_t>(9, 77));
  i.rows = 8;
  isa::SelList inverse = i;
  inverse.list = bench.put(std::vector<uint32_t>(9, 77));
  inverse.invert = true;
  isa::SelList others = i;
  others.list = bench.put(std::vector<uint32_t>(9, 77));
  others.unless = bench.put(std::vector<uint8_t>{1, 0, 1, 1, 1, 0, 0, 0});
  isa::SelCount count;
  count.flags = bench.put(std::vector<uint8_t>{0, 1, 2, 0, 5, 1, 1, 1});
  count.count = bench.put(std::vector<uint32_t>{77, 77});
  count.rows = 8;
  isa::SelCount inverseCount = count;
  inverseCount.count.offset += 4;
  inverseCount.invert = true;
  bench.run({i, inverse, others, count, inverseCount});
  EXPECT_EQ(bench.get<uint32_t>(i.list, 5),
            (std::vector<uint32_t>{3, 1, 2, 5, 77}));
  EXPECT_EQ(bench.get<uint32_t>(inverse.list, 5),
            (std::vector<uint32_t>{3, 0, 3, 4, 77}));
  EXPECT_EQ(bench.get<uint32_t>(others.list, 4),
            (std::vector<uint32_t>{2, 1, 5, 77}));
  EXPECT_EQ(bench.get<uint32_t>(count.count, 2), (std::vector<uint32_t>{4, 2}));
}

TEST(Prediction, ListsOfNewRows) {
  Bench bench(6);
  isa::SelListNew i;
  i.flags = bench.put(std::vector<uint8_t>{0, 1, 2, 0, 0, 1, 1, 1});
  i.named = bench.put(std::vector<uint8_t>{0, 0, 1, 1, 0, 0, 0, 0});
  i.list = bench.put(std::vector<uint32_t>(9, 77));
  i.rows = 8;
  isa::SelListNew again = i;
  again.list = bench.put(std::vector<uint32_t>(9, 77));
  bench.run({i, again});
  EXPECT_EQ(bench.get<uint32_t>(i.list, 4),
            (std::vector<uint32_t>{2, 1, 5, 77}));
  EXPECT_EQ(bench.get<uint32_t>(again.list, 2), (std::vector<uint32_t>{0, 77}));
  // Row 6 and 7 are beyond the sequence.
  EXPECT_EQ(bench.get<uint8_t>(i.named, 8),
            (std::vector<uint8_t>{0, 1, 1, 1, 0, 1, 0, 0}));
}
} // namespace
