//===- AttentionTest.cpp - Attention of one head against Numerics ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "fact/Numerics/Attention.h"

#include <cmath>

using namespace fact;
using namespace fact::sim;

namespace {
constexpr int64_t length = 43, size = 20, stride = 24, block = 16;
constexpr int64_t maskBytes = (length + 7) / 8;
constexpr float attentionScale = 0.2236068f;

/// 2^e for e in -9 .. -2.
std::vector<float> randomScales(int64_t count, unsigned seed) {
  std::vector<float> scales(count);
  auto exponents = randomValues<int32_t>(count, -9, -2, seed);
  for (int64_t i = 0; i < count; ++i)
    scales[i] = std::ldexp(1.0f, exponents[i]);
  return scales;
}

struct Case {
  bool masked, dominance, tail;
  numerics::Window window;
};

struct Head {
  std::vector<int8_t> q = randomValues<int8_t>(length * stride, -127, 127, 1);
  std::vector<int8_t> k = randomValues<int8_t>(length * stride, -127, 127, 2);
  std::vector<int8_t> v = randomValues<int8_t>(length * stride, -127, 127, 3);
  std::vector<float> qs = randomScales(length, 4);
  std::vector<float> ks = randomScales(length, 5);
  std::vector<float> vs = randomScales(length, 6);
  std::vector<int8_t> tailKey = randomValues<int8_t>(size, -127, 127, 7);
  std::vector<int8_t> tailValue = randomValues<int8_t>(size, -127, 127, 8);
  std::vector<float> tailScales = randomScales(2, 9);
  std::vector<uint8_t> mask = randomValues<uint8_t>(length * length, 0, 1, 10);
  std::vector<uint8_t> dominated = randomValues<uint8_t>(length, 0, 1, 11);
  std::vector<int32_t> argmax =
      randomValues<int32_t>(length, 0, length - 1, 12);

  /// The columns that row r works on.
  std::vector<uint8_t> kept(int64_t r, const Case &c) const {
    std::vector<uint8_t> result(length, 1);
    for (int64_t j = 0; j < length; ++j) {
      if (c.masked)
        result[j] = mask[r * length + j];
      if (!c.window.sees(r, j))
        result[j] = 0;
    }
    result[r] = 1;
    return result;
  }

  std::vector<float> reference(const Case &c) const {
    numerics::AttentionHead head;
    head.keys = k.data();
    head.keyScales = ks.data();
    head.values = v.data();
    head.valueScales = vs.data();
    head.stride = stride;
    head.headSize = size;
    head.scale = attentionScale;
    if (c.tail) {
      head.tailKey = tailKey.data();
      head.tailValue = tailValue.data();
      head.tailKeyScale = tailScales[0];
      head.tailValueScale = tailScales[1];
    }
    std::vector<float> context(length * size);
    for (int64_t r = 0; r < length; ++r) {
      float *out = context.data() + r * size;
      if (c.dominance && dominated[r])
        numerics::dominatedContext(v.data() + argmax[r] * stride, vs[argmax[r]],
                                   size, out);
      else
        numerics::attendRow(head, q.data() + r * stride, qs[r],
                            kept(r, c).data(), length, out);
    }
    return context;
  }
};

/// Attention of one head by instructions: blocks of 16 rows, tiles of 24
/// columns.
std::vector<float> attend(Bench &bench, const Head &head, const Case &c) {
  auto q = bench.put(head.q), k = bench.put(head.k), v = bench.put(head.v);
  auto qs = bench.put(head.qs), ks = bench.put(head.ks),
       vs = bench.put(head.vs);
  auto tailKey = bench.put(head.tailKey), tailValue = bench.put(head.tailValue);
  auto tailKeyScale = bench.put(std::vector<float>{head.tailScales[0]});
  auto tailValueScale = bench.put(std::vector<float>{head.tailScales[1]});
  std::vector<uint8_t> bits(length * maskBytes, 0);
  for (int64_t r = 0; r < length; ++r) {
    std::vector<uint8_t> kept = head.kept(r, {true, false, false, {}});
    for (int64_t j = 0; j < length; ++j)
      bits[r * maskBytes + j / 8] |= static_cast<uint8_t>(kept[j] << (j % 8));
  }
  auto mask = bench.put(bits);
  auto dominated = bench.put(head.dominated);
  auto argmax = bench.put(head.argmax);
  // Compact rows are as long as the longest one.
  uint32_t width = length;
  if (c.masked) {
    width = 0;
    for (int64_t r = 0; r < length; ++r) {
      std::vector<uint8_t> kept = head.kept(r, c);
      width =
          std::max<uint32_t>(width, std::count(kept.begin(), kept.end(), 1));
    }
  }
  auto score = bench.room<int32_t>(block * width);
  auto p = bench.room<uint8_t>(block * width);
  auto stats = bench.room<float>(block * 4);
  auto num = bench.room<int32_t>(block * size);
  auto tailScore = bench.room<int32_t>(block);
  auto context = bench.room<float>(length * size);

  std::vector<isa::Instruction> code;
  for (uint32_t row = 0; row < length; row += block) {
    auto at = [&](isa::SramRef ref, uint32_t bytes) {
      ref.offset += row * bytes;
      return ref;
    };
    auto maskAt = c.masked ? at(mask, maskBytes) : isa::SramRef::absent();
    auto dominatedAt = c.dominance ? at(dominated, 1) : isa::SramRef::absent();
    isa::PeQk qk;
    qk.q = at(q, stride);
    qk.mask = maskAt;
    qk.dominated = dominatedAt;
    qk.row0 = {row, 0};
    qk.rows = block;
    qk.n = size;
    qk.score_stride = width * 4;
    qk.q_stride = qk.k_stride = stride;
    qk.mask_stride = maskBytes;
    qk.left = isa::windowField(c.window.left);
    qk.right = isa::windowField(c.window.right);
    for (uint32_t column = 0; column < length; column += 24) {
      qk.score = score;
      qk.score.offset += c.masked ? 0 : column * 4;
      qk.k = k;
      qk.k.offset += column * stride;
      qk.col0 = {column, 0};
      qk.cols = 24;
      code.push_back(qk);
    }
    if (c.tail) {
      isa::PeQk tail = qk;
      tail.score = tailScore;
      tail.score_stride = 4;
      tail.k = tailKey;
      tail.mask = isa::SramRef::absent();
      tail.col0 = {0, 0};
      tail.cols = 1;
      tail.tail = true;
      code.push_back(tail);
    }
    isa::ApuSoftmax softmax;
    softmax.p = p;
    softmax.stats = stats;
    softmax.score = score;
    softmax.query_scale = at(qs, 4);
    softmax.key_scale = ks;
    softmax.value_scale = vs;
    softmax.mask = maskAt;
    softmax.dominated = dominatedAt;
    softmax.row0 = {row, 0};
    softmax.rows = block;
    // The columns that the block sees, the whole row without a window.
    auto first = static_cast<uint32_t>(c.window.first(row));
    softmax.p.offset += c.masked ? 0 : first;
    softmax.score.offset += c.masked ? 0 : first * 4;
    softmax.key_scale.offset += first * 4;
    softmax.value_scale.offset += first * 4;
    softmax.col0 = {first, 0};
    softmax.cols = static_cast<uint32_t>(
        c.window.end(std::min<int64_t>(row + block, length) - 1, length) -
        first);
    softmax.p_stride = width;
    softmax.score_stride = width * 4;
    softmax.mask_stride = maskBytes;
    softmax.attention_scale = attentionScale;
    softmax.left = isa::windowField(c.window.left);
    softmax.right = isa::windowField(c.window.right);
    code.push_back(softmax);
    for (uint32_t column = 0; column < length; column += 24) {
      isa::PePv pv;
      pv.num = num;
      pv.p = p;
      pv.p.offset += c.masked ? 0 : column;
      pv.v = v;
      pv.v.offset += column * stride;
      pv.mask = maskAt;
      pv.dominated = dominatedAt;
      pv.row0 = {row, 0};
      pv.rows = block;
      pv.col0 = {column, 0};
      pv.cols = 24;
      pv.n = size;
      pv.num_stride = size * 4;
      pv.p_stride = width;
      pv.v_stride = stride;
      pv.mask_stride = maskBytes;
      pv.left = isa::windowField(c.window.left);
      pv.right = isa::windowField(c.window.right);
      pv.accumulate = column > 0;
      code.push_back(pv);
    }
    isa::ApuContext last;
    last.ctx = at(context, size * 4);
    last.num = num;
    last.stats = stats;
    last.query_scale = at(qs, 4);
    last.dominated = dominatedAt;
    if (c.tail) {
      last.tail_score = tailScore;
      last.tail_key_scale = tailKeyScale;
      last.tail_value = tailValue;
      last.tail_value_scale = tailValueScale;
    }
    last.row0 = {row, 0};
    last.rows = block;
    last.n = size;
    last.ctx_stride = last.num_stride = size * 4;
    last.attention_scale = attentionScale;
    code.push_back(last);
    if (!c.dominance)
      continue;
    for (uint32_t column = 0; column < length; column += 24) {
      isa::ApuCopyDominated copy;
      copy.ctx = at(context, size * 4);
      copy.v = v;
      copy.v.offset += column * stride;
      copy.value_scale = vs;
      copy.value_scale.offset += column * 4;
      copy.dominated = dominatedAt;
      copy.argmax = at(argmax, 4);
      copy.row0 = {row, 0};
      copy.rows = block;
      copy.col0 = {column, 0};
      copy.cols = 24;
      copy.n = size;
      copy.ctx_stride = size * 4;
      copy.v_stride = stride;
      code.push_back(copy);
    }
  }
  bench.run(code);
  return bench.get<float>(context, length * size);
}

TEST(Attention, IsNumericsAttendRow) {
  const numerics::Window all, causal = numerics::Window::causal();
  Head head;
  for (Case c :
       {Case{false, false, false, all}, Case{true, false, false, all},
        Case{true, true, false, all}, Case{false, false, false, causal},
        Case{true, true, false, causal}, Case{false, false, false, {5, 3}},
        Case{true, true, false, {5, 3}}, Case{false, false, false, {0, -1}},
        Case{true, false, false, {2, 0}}, Case{true, false, true, all},
        Case{true, true, true, all},
        // Nothing is dropped: the tail must have no effect.
        Case{false, false, true, all}}) {
    SCOPED_TRACE(testing::Message()
                 << c.masked << c.dominance << c.tail << c.window.text());
    Bench bench(length);
    expectSameBits(attend(bench, head, c), head.reference(c));

    int64_t kept = 0, rows = 0;
    for (int64_t r = 0; r < length; ++r) {
      if (c.dominance && head.dominated[r])
        continue;
      ++rows;
      for (uint8_t bit : head.kept(r, c))
        kept += bit;
    }
    EXPECT_EQ(bench.counters.attentionMacs,
              2 * kept * size + (c.tail ? rows * size : 0));
  }
}

TEST(Attention, CompactRowsHaveRoomForWhatIsKept) {
  Bench bench(4);
  isa::ApuSoftmax i;
  i.p = bench.room<uint8_t>(4 * 3);
  i.stats = bench.room<float>(4 * 4);
  i.score = bench.put(std::vector<int32_t>(4 * 3, 1));
  i.query_scale = i.key_scale = i.value_scale =
      bench.put(std::vector<float>(4, 1));
  i.mask = bench.put(std::vector<uint8_t>{7, 1, 2, 4});
  i.rows = i.cols = 4;
  i.p_stride = 3;
  i.score_stride = 12;
  i.mask_stride = 1;
  i.attention_scale = 1;
  EXPECT_EQ(bench.error({i}), "");
  i.p_stride = 2;
  EXPECT_NE(
      bench.error({i}).find("a row of 'p' has room for 2 kept columns (was 3)"),
      std::string::npos);
  i.p_stride = 3;
  i.score_stride = 8;
  EXPECT_NE(bench.error({i}).find(
                "a row of 'score' has room for 2 kept columns (was 3)"),
            std::string::npos);
  i.score_stride = 12;
  i.cols = 3;
  EXPECT_NE(bench.error({i}).find("scores must be of all columns that row 0 "
                                  "sees, 0 to 4 (were 0 to 3)"),
            std::string::npos);
  isa::PeQk qk;
  qk.score = i.score;
  qk.q = qk.k = bench.put(std::vector<int8_t>(4, 1));
  qk.mask = i.mask;
  qk.dominated = isa::SramRef::absent();
  qk.rows = qk.cols = 4;
  qk.n = qk.q_stride = qk.k_stride = qk.mask_stride = 1;
  qk.score_stride = 8;
  EXPECT_NE(bench.error({qk}).find(
                "a row of 'score' has room for 2 kept columns (was 3)"),
            std::string::npos);
  isa::PePv pv;
  pv.num = bench.room<int32_t>(4);
  pv.p = i.p;
  pv.v = qk.k;
  pv.mask = i.mask;
  pv.dominated = isa::SramRef::absent();
  pv.rows = pv.cols = 4;
  pv.n = pv.v_stride = pv.mask_stride = 1;
  pv.num_stride = 4;
  pv.p_stride = 2;
  EXPECT_NE(bench.error({pv}).find(
                "a row of 'p' has room for 2 kept columns (was 3)"),
            std::string::npos);
}

TEST(Attention, ATailNeedsAllItsOperands) {
  Bench bench(4);
  isa::ApuContext i;
  i.ctx = bench.room<float>(4);
  i.num = bench.put(std::vector<int32_t>(4, 1));
  i.stats = bench.put(std::vector<float>(16, 1));
  i.query_scale = bench.put(std::vector<float>(4, 1));
  i.rows = 4;
  i.n = 1;
  i.ctx_stride = i.num_stride = 4;
  EXPECT_EQ(bench.error({i}), "");
  i.tail_score = bench.put(std::vector<int32_t>(4, 1));
  EXPECT_NE(bench.error({i}).find("a tail has all four operands or none"),
            std::string::npos);
}
} // namespace
