//===- RowsTest.cpp - Norms, activations, sums of rows --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "fact/Numerics/Formats.h"
#include "fact/Numerics/RowOps.h"

using namespace fact;
using namespace fact::sim;

namespace {
constexpr int64_t rows = 7, n = 37, stride = 40;

/// Rows of n elements, `stride` apart.
std::vector<float> padded(unsigned seed) {
  return randomValues<float>(rows * stride, -4, 4, seed);
}

TEST(Rows, NormsOfRowsWithMaxima) {
  for (bool isRms : {false, true}) {
    Bench bench(rows);
    std::vector<float> x = padded(1), y(rows * stride, 1.5f);
    auto gamma = randomValues<float>(n, 0, 2, 2);
    auto beta = randomValues<float>(n, -1, 1, 3);
    isa::ApuNorm i;
    i.kind = isRms ? isa::Norm::RMS : isa::Norm::Layer;
    i.y = bench.put(y);
    i.x = bench.put(x);
    i.gamma = bench.put(gamma);
    if (!isRms)
      i.beta = bench.put(beta);
    i.rows = 16;
    i.n = n;
    i.x_stride = i.y_stride = stride * 4;
    i.eps = 1e-5f;
    i.maximum = bench.room<float>(rows);
    bench.run({i});
    for (int64_t r = 0; r < rows; ++r)
      numerics::normRow(isRms ? numerics::Norm::RMS : numerics::Norm::Layer,
                        x.data() + r * stride, gamma.data(),
                        isRms ? nullptr : beta.data(), 1e-5f, n,
                        y.data() + r * stride);
    expectSameBits(bench.get<float>(i.y, rows * stride), y);
    std::vector<float> maxima(rows);
    for (int64_t r = 0; r < rows; ++r)
      maxima[r] = numerics::largestMagnitude(y.data() + r * stride, n);
    expectSameBits(bench.get<float>(i.maximum, rows), maxima);
  }
}

TEST(Rows, ActivationsInPlace) {
  const std::pair<isa::Activation, numerics::Activation> kinds[] = {
      {isa::Activation::Gelu, numerics::Activation::Gelu},
      {isa::Activation::GeluTanh, numerics::Activation::GeluTanh},
      {isa::Activation::QuickGelu, numerics::Activation::QuickGelu},
      {isa::Activation::Swish, numerics::Activation::Swish},
      {isa::Activation::Relu, numerics::Activation::Relu}};
  for (auto [kind, reference] : kinds) {
    Bench bench(rows);
    std::vector<float> x = padded(4);
    isa::ApuActivation i;
    i.x = i.y = bench.put(x);
    i.row0 = {2, 0};
    i.rows = 3;
    i.n = n;
    i.x_stride = i.y_stride = stride * 4;
    i.kind = kind;
    bench.run({i});
    for (int64_t r = 0; r < 3; ++r)
      numerics::activateRow(reference, x.data() + r * stride, n,
                            x.data() + r * stride);
    expectSameBits(bench.get<float>(i.y, rows * stride), x);
  }
}

/// Of some rows in place, with tables whose rows are further apart.
TEST(Rows, RotateListed) {
  constexpr int64_t pairs = 2, tableStride = 3;
  for (isa::RotaryStyle style :
       {isa::RotaryStyle::Half, isa::RotaryStyle::Interleaved}) {
    Bench bench(rows);
    std::vector<float> x = padded(8);
    auto cos = randomValues<float>(rows * tableStride, -1, 1, 9),
         sin = randomValues<float>(rows * tableStride, -1, 1, 10);
    isa::ApuRotate i;
    i.x = i.y = bench.put(x);
    i.cos = bench.put(cos);
    i.sin = bench.put(sin);
    i.list = bench.put(std::vector<uint32_t>{2, 0, 3});
    i.maximum = bench.put(std::vector<float>(rows, -1));
    i.rows = rows;
    i.n = n;
    i.pairs = pairs;
    i.x_stride = i.y_stride = stride * 4;
    i.cos_stride = i.sin_stride = tableStride * 4;
    i.style = style;
    bench.run({i});
    std::vector<float> maximum(rows, -1);
    for (int64_t r : {0, 3}) {
      float *row = x.data() + r * stride;
      numerics::rotateRow(numerics::asRotaryStyle<numerics::RotaryStyle>(style),
                          cos.data() + r * tableStride,
                          sin.data() + r * tableStride, pairs, row, n, row);
      maximum[r] = numerics::largestMagnitude(row, n);
    }
    expectSameBits(bench.get<float>(i.y, rows * stride), x);
    expectSameBits(bench.get<float>(i.maximum, rows), maximum);
    i.pairs = n / 2 + 1;
    EXPECT_NE(bench.error({i}), "");
  }
}

TEST(Rows, NormListed) {
  Bench bench(rows);
  std::vector<float> x = padded(11);
  auto gamma = randomValues<float>(n, -1, 1, 12);
  isa::ApuNorm i;
  i.x = i.y = bench.put(x);
  i.gamma = bench.put(gamma);
  i.beta = i.maximum = isa::SramRef::absent();
  i.list = bench.put(std::vector<uint32_t>{1, 2});
  i.rows = rows;
  i.n = n;
  i.x_stride = i.y_stride = stride * 4;
  i.kind = isa::Norm::RMS;
  i.eps = 1e-6f;
  bench.run({i});
  float *row = x.data() + 2 * stride;
  std::vector<float> normal(n);
  numerics::normRow(numerics::Norm::RMS, row, gamma.data(), nullptr, 1e-6f, n,
                    normal.data());
  std::copy(normal.begin(), normal.end(), row);
  expectSameBits(bench.get<float>(i.y, rows * stride), x);
}

/// Rows of two streams, the result in the place of one of them.
template <typename Instruction, typename Combine>
void checkPair(isa::SramRef Instruction::*place, Combine combine) {
  Bench bench(rows);
  std::vector<float> a = padded(5), b = padded(6);
  Instruction i;
  i.a = bench.put(a);
  i.b = bench.put(b);
  i.y = i.*place;
  i.rows = rows;
  i.n = n;
  i.y_stride = i.a_stride = i.b_stride = stride * 4;
  bench.run({i});
  std::vector<float> y = place == &Instruction::a ? a : b;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = r * stride; c < r * stride + n; ++c)
      y[c] = combine(a[c], b[c]);
  expectSameBits(bench.get<float>(i.y, rows * stride), y);
}

TEST(Rows, Add) {
  checkPair(&isa::ApuAdd::a, [](float a, float b) { return a + b; });
}

TEST(Rows, MultiplyInPlace) {
  checkPair(&isa::ApuMultiply::b, [](float a, float b) { return a * b; });
}

TEST(Rows, ColumnMeanInBlocks) {
  Bench bench(rows);
  auto x = randomValues<float>(rows * n, -4, 4, 7);
  std::vector<float> mean(n);
  isa::ApuColumnSum first;
  first.sum = bench.room<float>(n); // garbage: row 0 starts the sum
  first.x = bench.put(x);
  first.rows = 4;
  first.n = n;
  first.x_stride = n * 4;
  isa::ApuColumnSum second = first;
  second.row0 = {4, 0};
  second.x.offset += 4 * n * 4;
  isa::ApuColumnSum third = first; // past LEN
  third.row0 = {8, 0};
  isa::ApuMean last;
  last.y = bench.room<float>(n);
  last.sum = first.sum;
  last.n = n;
  bench.run({first, second, third, last});
  numerics::columnMean(x.data(), rows, n, mean.data());
  expectSameBits(bench.get<float>(last.y, n), mean);
}
} // namespace
