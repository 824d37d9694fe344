//===- LinearTest.cpp - Instructions of linear layers ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Linear.h"
#include "fact/Numerics/RowOps.h"

using namespace fact;
using namespace fact::sim;

namespace {
constexpr int64_t rows = 13, in = 40, out = 24;

/// One linear layer of `rows` rows with some of them low, by Numerics and by
/// instructions.
struct Layer {
  std::vector<float> x = randomValues<float>(rows * in, -3, 3, 1);
  std::vector<float> weights = randomValues<float>(in * out, -1, 1, 2);
  std::vector<float> bias = randomValues<float>(out, -1, 1, 3);
  std::vector<uint8_t> low = {0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0};
  numerics::QuantizedWeights quantized =
      numerics::quantizeWeights(weights.data(), in, out);

  std::vector<float> reference(bool withLow, isa::Precision precision,
                               bool withBias) const {
    std::vector<float> y(rows * out);
    auto kind = precision == isa::Precision::A4W4
                    ? numerics::LowPrecision::A4W4
                    : numerics::LowPrecision::A4W8;
    for (int64_t r = 0; r < rows; ++r)
      numerics::linearRow(quantized, withBias ? bias.data() : nullptr,
                          withLow && low[r] ? &kind : nullptr,
                          x.data() + r * in, y.data() + r * out);
    return y;
  }
};

std::vector<float> runLayer(Bench &bench, const Layer &layer, bool withLow,
                            isa::Precision precision, bool withBias,
                            isa::SramRef list = isa::SramRef::absent(),
                            isa::SramRef *result = nullptr) {
  auto low = withLow ? bench.put(layer.low) : isa::SramRef::absent();
  auto q = bench.room<int8_t>(rows * in);
  auto scale = bench.room<float>(rows);
  auto acc = bench.room<int32_t>(rows * out);
  auto y = result ? *result : bench.room<float>(rows * out);
  auto w = bench.put(layer.quantized.codes);

  isa::ApuQuantize quantize;
  quantize.q = q;
  quantize.scale = scale;
  quantize.x = bench.put(layer.x);
  quantize.list = list;
  quantize.low = low;
  quantize.rows = 16;
  quantize.n = in;
  quantize.q_stride = in;
  quantize.x_stride = in * 4;

  // Two halves of the reduction, so that accumulation is tested, too.
  isa::PeGemm gemm;
  gemm.acc = acc;
  gemm.list = list;
  gemm.low = low;
  gemm.rows = 16;
  gemm.n = out;
  gemm.acc_stride = out * 4;
  gemm.x_stride = in;
  gemm.w_stride = out;
  gemm.precision = precision;
  gemm.role = isa::Role::FFN;
  gemm.x = q;
  gemm.w = w;
  gemm.k = 23;
  isa::PeGemm rest = gemm;
  rest.x.offset += 23;
  rest.w.offset += 23 * out;
  rest.k = in - 23;
  rest.accumulate = true;

  isa::ApuRescale rescale;
  rescale.y = y;
  rescale.acc = acc;
  rescale.w_scale = bench.put(layer.quantized.scales);
  rescale.scale = scale;
  rescale.bias = withBias ? bench.put(layer.bias) : isa::SramRef::absent();
  rescale.list = list;
  rescale.low = low;
  rescale.rows = 16;
  rescale.n = out;
  rescale.y_stride = out * 4;
  rescale.acc_stride = out * 4;
  rescale.precision = precision;
  bench.run({quantize, gemm, rest, rescale});
  return bench.get<float>(y, rows * out);
}

TEST(Linear, Int8RowsAreNumericsLinearRow) {
  Layer layer;
  for (bool bias : {false, true}) {
    Bench bench(rows);
    expectSameBits(runLayer(bench, layer, false, isa::Precision::A4W4, bias),
                   layer.reference(false, isa::Precision::A4W4, bias));
    EXPECT_EQ(bench.counters.total.macs[0], rows * in * out);
  }
}

TEST(Linear, LowRowsUseTheFormatsOfThePrecision) {
  Layer layer;
  for (isa::Precision precision :
       {isa::Precision::A4W4, isa::Precision::A4W8}) {
    Bench bench(rows);
    expectSameBits(runLayer(bench, layer, true, precision, true),
                   layer.reference(true, precision, true));
    auto kind =
        precision == isa::Precision::A4W4 ? MacKind::A4W4 : MacKind::A4W8;
    EXPECT_EQ(bench.counters.total.macs[static_cast<unsigned>(kind)],
              6 * in * out);
    EXPECT_EQ(bench.counters.total.macs[0], 7 * in * out);
    EXPECT_EQ(bench.counters.linearMacs[static_cast<unsigned>(isa::Role::FFN)]
                                       [static_cast<unsigned>(kind)],
              6 * in * out);
  }
}

TEST(Linear, AListLeavesOtherRowsAsTheyWere) {
  Layer layer;
  Bench bench(rows);
  auto y = bench.put(std::vector<float>(rows * out, 5.0f));
  auto list = bench.put(std::vector<uint32_t>{3, 1, 4, 12});
  std::vector<float> actual =
      runLayer(bench, layer, true, isa::Precision::A4W4, true, list, &y);
  std::vector<float> expected =
      layer.reference(true, isa::Precision::A4W4, true);
  for (int64_t r = 0; r < rows; ++r)
    if (r != 1 && r != 4 && r != 12)
      std::fill_n(expected.begin() + r * out, out, 5.0f);
  expectSameBits(actual, expected);
  EXPECT_EQ(bench.counters.total.macs[0], in * out);
  EXPECT_EQ(bench.counters.total.macs[2], 2 * in * out);
}

TEST(Linear, RescaleMayWriteWhereItReads) {
  Layer layer;
  Bench bench(rows);
  auto acc = bench.put(randomValues<int32_t>(rows * out, -9000, 9000, 4));
  auto sums = bench.get<int32_t>(acc, rows * out);
  std::vector<float> scales(rows, 0.125f), expected(rows * out);
  isa::ApuRescale i;
  i.y = i.acc = acc;
  i.w_scale = bench.put(layer.quantized.scales);
  i.scale = bench.put(scales);
  i.rows = rows;
  i.n = out;
  i.y_stride = i.acc_stride = out * 4;
  bench.run({i});
  for (int64_t r = 0; r < rows; ++r)
    numerics::rescaleRow(sums.data() + r * out, layer.quantized.scales.data(),
                         scales[r], nullptr, out, expected.data() + r * out);
  expectSameBits(bench.get<float>(acc, rows * out), expected);
}

/// What follows a linear layer element by element is one sweep with it, and
/// tiles of columns add up to the maxima of whole rows.
TEST(Linear, RescaleChainsWhatFollows) {
  constexpr int64_t first = out / 2 + 1; // columns of the first tile
  const std::pair<isa::OptActivation, std::optional<numerics::Activation>>
      kinds[] = {{isa::OptActivation::None, std::nullopt},
                 {isa::OptActivation::Gelu, numerics::Activation::Gelu},
                 {isa::OptActivation::GeluTanh, numerics::Activation::GeluTanh},
                 {isa::OptActivation::Swish, numerics::Activation::Swish},
                 {isa::OptActivation::Relu, numerics::Activation::Relu}};
  Layer layer;
  auto sums = randomValues<int32_t>(rows * out, -9000, 9000, 4);
  auto scales = randomValues<float>(rows, 0, 1, 5);
  auto others = randomValues<float>(rows * out, -9, 9, 6);
  for (auto [kind, activation] : kinds) {
    Bench bench(rows);
    isa::ApuRescale i;
    // In place over what is added.
    i.y = i.residual = bench.put(others);
    i.acc = bench.put(sums);
    i.w_scale = bench.put(layer.quantized.scales);
    i.scale = bench.put(scales);
    i.bias = bench.put(layer.bias);
    i.maximum = bench.room<float>(rows); // garbage: the first tile starts it
    i.rows = rows;
    i.n = first;
    i.y_stride = i.acc_stride = i.residual_stride = out * 4;
    i.activation = kind;
    isa::ApuRescale rest = i;
    for (isa::SramRef isa::ApuRescale::*operand :
         {&isa::ApuRescale::y, &isa::ApuRescale::residual,
          &isa::ApuRescale::acc, &isa::ApuRescale::w_scale,
          &isa::ApuRescale::bias})
      (rest.*operand).offset += first * 4;
    rest.n = out - first;
    rest.accumulate = true;
    isa::ApuQuantize quantize;
    quantize.q = bench.room<int8_t>(rows * out);
    quantize.scale = bench.room<float>(rows);
    quantize.x = i.y;
    quantize.maximum = i.maximum;
    quantize.rows = rows;
    quantize.n = quantize.q_stride = out;
    quantize.x_stride = out * 4;
    bench.run({i, rest, quantize});

    std::vector<float> expected(rows * out), maxima(rows), scale(rows);
    std::vector<int8_t> codes(rows * out);
    for (int64_t r = 0; r < rows; ++r) {
      float *row = expected.data() + r * out;
      numerics::rescaleRow(sums.data() + r * out, layer.quantized.scales.data(),
                           scales[r], layer.bias.data(), out, row);
      if (activation)
        numerics::activateRow(*activation, row, out, row);
      numerics::addRow(row, others.data() + r * out, out, row);
      maxima[r] = numerics::largestMagnitude(row, out);
      scale[r] = numerics::quantizeRowInt8(row, out, codes.data() + r * out);
    }
    expectSameBits(bench.get<float>(i.y, rows * out), expected);
    expectSameBits(bench.get<float>(i.maximum, rows), maxima);
    expectSameBits(bench.get<float>(quantize.scale, rows), scale);
    EXPECT_EQ(bench.get<int8_t>(quantize.q, rows * out), codes);
  }
}

TEST(Linear, AMaximumThatIsNoneIsAnError) {
  for (float known :
       {0.5f, 2.0f, -1.0f, std::numeric_limits<float>::quiet_NaN()}) {
    Bench bench(2);
    isa::ApuQuantize i;
    i.rows = 2;
    i.n = 1;
    i.q_stride = 1;
    i.x_stride = 4;
    i.q = bench.room<int8_t>(2);
    i.scale = bench.room<float>(2);
    i.x = bench.put(std::vector<float>{0.25f, -1.0f});
    i.maximum = bench.put(std::vector<float>{0.25f, known});
    EXPECT_NE(
        bench.error({i}).find("the maximum of row 1 must be 1.000000 (was "),
        std::string::npos);
  }
}

TEST(Linear, AWrongListIsAnError) {
  isa::ApuQuantize i;
  i.rows = 4;
  i.n = 1;
  i.q_stride = 1;
  i.x_stride = 4;
  for (std::vector<uint32_t> list :
       {std::vector<uint32_t>{5, 0, 1, 2, 3}, std::vector<uint32_t>{1, 4},
        std::vector<uint32_t>{2, 1, 1}, std::vector<uint32_t>{2, 2, 0}}) {
    Bench bench(4);
    i.q = bench.room<int8_t>(4);
    i.scale = bench.room<float>(4);
    i.x = bench.put(std::vector<float>(4, 1.0f));
    i.list = bench.put(list);
    EXPECT_NE(bench.error({i}).find("row list 'list'"), std::string::npos);
  }
}
} // namespace
