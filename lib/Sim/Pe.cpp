//===- Pe.cpp - The multiplier array --------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, sections 3, 6 and 7. All sums are exact in any order.
//
//===----------------------------------------------------------------------===//

#include "Semantics.h"

#include "fact/Numerics/Formats.h"
#include "fact/Numerics/Linear.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace fact::sim {

namespace {
/// acc (+)= x * w for some rows of a tile, as one matrix product: in place, or
/// of rows that are gathered before and scattered behind it.
class Tile {
public:
  Tile(const isa::PeGemm &i, const View<int32_t> &acc,
       const View<const int8_t> &x)
      : i(i), acc(acc), x(x), k(i.k), n(i.n) {}

  void run(const std::vector<int32_t> &rows, const int8_t *w, int64_t strideW) {
    int64_t count = static_cast<int64_t>(rows.size());
    if (count == 0)
      return;
    if (rows.back() - rows.front() + 1 == count && canRunInPlace())
      return runInPlace(rows, w, strideW);
    gathered.resize(count * k);
    sums.assign(count * n, 0);
    for (int64_t r = 0; r < count; ++r)
      if (k > 0)
        std::memcpy(gathered.data() + r * k, x.row(rows[r], k), k);
    if (k > 0)
      numerics::matmulInt8(gathered.data(), k, w, strideW, sums.data(), n,
                           count, n, k);
    for (int64_t r = 0; r < count; ++r) {
      int32_t *out = acc.row(rows[r], n);
      const int32_t *sum = sums.data() + r * n;
      if (i.accumulate)
        for (int64_t c = 0; c < n; ++c)
          out[c] += sum[c];
      else
        std::copy(sum, sum + n, out);
    }
  }

private:
  /// Whether no row's sums lie in another row, or over a row of x.
  bool canRunInPlace() const {
    if (i.acc_stride < 4 * n)
      return false;
    isa::Rows sums{i.rows, i.acc_stride, 4 * n}, in{i.rows, i.x_stride, k};
    auto accAt = acc.banked().address, xAt = x.banked().address;
    return accAt + sums.span() <= xAt || xAt + in.span() <= accAt;
  }

  /// Rows that follow each other need not be moved.
  void runInPlace(const std::vector<int32_t> &rows, const int8_t *w,
                  int64_t strideW) {
    int64_t count = static_cast<int64_t>(rows.size());
    const int8_t *first = nullptr;
    int32_t *firstOut = nullptr;
    for (int32_t r : rows) {
      int32_t *out = acc.row(r, n);
      if (!i.accumulate)
        std::fill(out, out + n, 0);
      const int8_t *in = x.row(r, k);
      if (r == rows.front()) {
        first = in;
        firstOut = out;
      }
    }
    if (k > 0 && n > 0)
      numerics::matmulInt8(first, i.x_stride, w, strideW, firstOut,
                           i.acc_stride / 4, count, n, k);
  }

  const isa::PeGemm &i;
  const View<int32_t> &acc;
  const View<const int8_t> &x;
  int64_t k, n;
  std::vector<int8_t> gathered;
  std::vector<int32_t> sums;
};
} // namespace

void execute(const isa::PeGemm &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto acc = i.accumulate ? frame.inOut<int32_t>("acc", i.acc_stride)
                          : frame.out<int32_t>("acc", i.acc_stride);
  auto x = frame.in<int8_t>("x", i.x_stride);
  auto w = frame.in<int8_t>("w", i.w_stride);
  auto lowView = frame.in<uint8_t>("low");
  int64_t k = i.k, n = i.n;
  if (!acc)
    return;
  std::vector<int32_t> all = listedRows(frame, rows, "list"), low;
  if (lowView) {
    const uint8_t *flags = lowView.vector(rows.count);
    auto isLow = [flags](int32_t r) { return flags[r] != 0; };
    std::copy_if(all.begin(), all.end(), std::back_inserter(low), isLow);
    all.erase(std::remove_if(all.begin(), all.end(), isLow), all.end());
  }
  if (all.empty() && low.empty())
    return;
  for (int64_t l = 0; l < k; ++l)
    w.row(l, n);
  const int8_t *weights = k > 0 ? w.row(0, 0) : nullptr;

  Tile tile(i, acc, x);
  tile.run(all, weights, i.w_stride);
  bool highPlane = i.precision == isa::Precision::A4W4;
  if (!low.empty() && highPlane) {
    std::vector<int8_t> high(k * n);
    for (int64_t l = 0; l < k; ++l)
      numerics::splitPlanes(weights + l * i.w_stride, n, high.data() + l * n,
                            nullptr);
    tile.run(low, high.data(), n);
  } else {
    tile.run(low, weights, i.w_stride);
  }
  auto numRows = static_cast<int64_t>(all.size()),
       numLow = static_cast<int64_t>(low.size());
  int64_t times = frame.meter.gemm(numRows, numLow,
                                   highPlane ? MacKind::A4W4 : MacKind::A4W8, k,
                                   n, w.banked());
  x.readAgain((numRows + numLow) * k * std::max<int64_t>(times - 1, 0));
}

void execute(const isa::PeQk &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  Extent columns = i.tail ? Extent{0, 1} : frame.extent(i.col0, i.cols);
  auto score = frame.out<int32_t>("score", i.score_stride);
  auto q = frame.in<int8_t>("q", i.q_stride);
  auto k = frame.in<int8_t>("k", i.k_stride);
  int64_t n = i.n;
  if (!score)
    return;
  const std::vector<int32_t> meanToken = {0};
  Columns kept(frame, rows, columns, i.mask_stride, isa::windowOf(i));
  for (int64_t r = 0; r < rows.count; ++r) {
    if (kept.isDominated(r))
      continue;
    const std::vector<int32_t> &keys = i.tail ? meanToken : kept.of(r);
    int64_t count = static_cast<int64_t>(keys.size());
    int64_t place = i.tail ? 0 : kept.place(r);
    checkCompact("score", i.mask, place + count, i.score_stride / 4);
    int32_t *sums = score.part(r, place, count);
    std::fill(sums, sums + count, 0);
    for (int32_t j : keys)
      k.row(j, n);
    if (n > 0)
      numerics::dotColumns(q.row(r, n), k.row(0, 0), i.k_stride, keys.data(),
                           count, n, sums);
    frame.meter.dotRow(keys.data(), count, n, k.banked());
  }
}

void execute(const isa::PePv &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  Extent columns = frame.extent(i.col0, i.cols);
  auto num = i.accumulate ? frame.inOut<int32_t>("num", i.num_stride)
                          : frame.out<int32_t>("num", i.num_stride);
  auto p = frame.in<uint8_t>("p", i.p_stride);
  auto v = frame.in<int8_t>("v", i.v_stride);
  int64_t n = i.n;
  if (!num)
    return;
  Columns kept(frame, rows, columns, i.mask_stride, isa::windowOf(i));
  for (int64_t r = 0; r < rows.count; ++r) {
    if (kept.isDominated(r))
      continue;
    const std::vector<int32_t> &keys = kept.of(r);
    int32_t *out = num.row(r, n);
    if (!i.accumulate)
      std::fill(out, out + n, 0);
    int64_t count = static_cast<int64_t>(keys.size());
    if (count == 0)
      continue;
    int64_t place = kept.place(r);
    checkCompact("p", i.mask, place + count, i.p_stride);
    for (int32_t j : keys)
      v.row(j, n);
    numerics::accumulateValues(p.part(r, place, count), v.row(0, 0), i.v_stride,
                               keys.data(), count, n, out);
    frame.meter.axpyRow(keys.data(), count, n, v.banked());
  }
}

} // namespace fact::sim
