//===- CostTest.cpp - Schedules expect what the simulator counts ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "fact/ISA/Cost.h"

#include <cmath>

using namespace fact;
using namespace fact::sim;

namespace {
constexpr uint32_t rows = 16, length = 96;

/// Estimates leave out what only the first row waits for.
isa::Machine machineWithoutFill() {
  isa::Machine machine = isa::Machine::defaultMachine();
  machine.pe.fillCycles = machine.ep.fillCycles = machine.sel.fillCycles =
      machine.apu.fillCycles = 0;
  return machine;
}

/// One instruction of `rows` rows on a machine, and how long it takes.
class CostTest : public testing::Test {
protected:
  int64_t estimated(const isa::Instruction &instruction, double kept = 1,
                    double low = 0) const {
    return isa::estimateCycles(instruction, bench.program.machine,
                               {length, kept, low});
  }
  int64_t counted(const isa::Instruction &instruction) {
    bench.run({instruction});
    return bench.counters.total.cycles;
  }

  isa::PeGemm gemm(uint32_t k, uint32_t n) {
    isa::PeGemm i;
    i.acc = bench.room<int32_t>(rows * n);
    i.x = bench.room<int8_t>(rows * k);
    i.w = bench.room<int8_t>(k * n);
    i.rows = rows;
    i.k = k;
    i.n = n;
    i.acc_stride = n * 4;
    i.x_stride = k;
    i.w_stride = n;
    return i;
  }
  isa::EpProject project(uint32_t k, uint32_t n, isa::Predictor predictor) {
    isa::EpProject i;
    i.acc = bench.room<int32_t>(rows * n);
    i.x = bench.put(std::vector<int8_t>(rows * k, 1));
    i.w = bench.put(std::vector<int8_t>(k * n, 1));
    i.rows = rows;
    i.k = k;
    i.n = n;
    i.acc_stride = n * 4;
    i.x_stride = k;
    i.w_stride = n;
    i.predictor = predictor;
    return i;
  }
  isa::ApuRescale rescale(uint32_t n) {
    isa::ApuRescale i;
    i.y = bench.room<float>(rows * n);
    i.acc = bench.room<int32_t>(rows * n);
    i.w_scale = bench.room<float>(n);
    i.scale = bench.room<float>(rows);
    i.bias = bench.room<float>(n);
    i.rows = rows;
    i.n = n;
    i.y_stride = i.acc_stride = n * 4;
    return i;
  }
  isa::ApuQuantize quantize(uint32_t n) {
    isa::ApuQuantize i;
    i.q = bench.room<int8_t>(rows * n);
    i.scale = bench.room<float>(rows);
    i.x = bench.put(std::vector<float>(rows * n, 1));
    i.rows = rows;
    i.n = n;
    i.q_stride = n;
    i.x_stride = n * 4;
    return i;
  }
  isa::ApuActivation activation(isa::Activation kind, uint32_t n) {
    isa::ApuActivation i;
    i.y = bench.room<float>(rows * n);
    i.x = bench.put(std::vector<float>(rows * n, 1));
    i.rows = rows;
    i.n = n;
    i.y_stride = i.x_stride = n * 4;
    i.kind = kind;
    return i;
  }
  isa::ApuAdd add(uint32_t n) {
    isa::ApuAdd i;
    i.y = i.a = i.b = bench.put(std::vector<float>(rows * n, 1));
    i.rows = rows;
    i.n = n;
    i.y_stride = i.a_stride = i.b_stride = n * 4;
    return i;
  }
  isa::SelTopK topK() {
    isa::SelTopK i;
    i.mask = bench.room<uint8_t>(rows * length / 8);
    i.dominated = bench.room<uint8_t>(rows);
    i.argmax = bench.room<int32_t>(rows);
    i.k_rows = bench.put(std::vector<uint8_t>(length, 0));
    i.v_rows = bench.put(std::vector<uint8_t>(length, 0));
    i.count = bench.put(std::vector<uint32_t>(length, 0));
    i.score = bench.put(randomValues<float>(rows * length, -1, 1, 1));
    i.query_scale = bench.put(std::vector<float>(rows, 1));
    i.scale = bench.put(std::vector<float>(rows, 1));
    i.weight_scales = bench.put(std::vector<float>{1, 1});
    i.policy = bench.put(std::vector<uint32_t>{256, 0});
    i.rows = rows;
    i.cols = length;
    i.mask_stride = length / 8;
    i.score_stride = length * 4;
    i.attention_scale = 1;
    return i;
  }
  /// Keys and queries of one head; a mask that keeps one column of `every`,
  /// where that is more than 1.
  isa::PeQk scores(uint32_t n, uint32_t every) {
    isa::PeQk i;
    i.score = bench.room<int32_t>(rows * length);
    i.q = bench.room<int8_t>(rows * n);
    i.k = bench.room<int8_t>(length * n);
    if (every > 1) {
      std::vector<uint8_t> mask(rows * length / 8, 0);
      for (uint32_t bit = 0; bit < rows * length; bit += every)
        mask[bit / 8] |= static_cast<uint8_t>(1 << (bit % 8));
      i.mask = bench.put(mask);
      i.mask_stride = length / 8;
    }
    i.rows = rows;
    i.cols = length;
    i.n = n;
    i.score_stride = length * 4;
    i.q_stride = i.k_stride = n;
    return i;
  }

  Bench bench{length, machineWithoutFill()};
};

TEST_F(CostTest, Products) {
  // One tile of weights, several, and edges.
  for (auto [k, n] : {std::pair(8u, 64u), std::pair(64u, 8u),
                      std::pair(256u, 128u), std::pair(100u, 70u)}) {
    isa::Instruction i = gemm(k, n);
    EXPECT_EQ(estimated(i), counted(i)) << k << " x " << n;
  }
  EXPECT_EQ(estimated(gemm(64, 64)), rows * 8);
}

TEST_F(CostTest, PredictionsTakeWhatTheirPredictorTakes) {
  for (isa::Predictor predictor :
       {isa::Predictor::LeadingOne, isa::Predictor::LeadingTwo,
        isa::Predictor::OneSided, isa::Predictor::Exact})
    for (auto [k, n] : {std::pair(64u, 64u), std::pair(70u, 100u)}) {
      isa::Instruction i = project(k, n, predictor);
      EXPECT_EQ(estimated(i), counted(i))
          << k << " x " << n << ", " << static_cast<int>(predictor);
    }
  EXPECT_EQ(isa::addsPerProduct(isa::Predictor::LeadingTwo,
                                isa::Machine::defaultMachine()),
            4);
}

TEST_F(CostTest, RowsOfTheLanes) {
  for (uint32_t n : {32u, 48u, 256u}) {
    for (const isa::Instruction &i :
         {isa::Instruction(rescale(n)), isa::Instruction(quantize(n)),
          isa::Instruction(add(n)),
          isa::Instruction(activation(isa::Activation::Relu, n)),
          isa::Instruction(activation(isa::Activation::Gelu, n)),
          isa::Instruction(activation(isa::Activation::GeluTanh, n)),
          isa::Instruction(activation(isa::Activation::Swish, n))})
      EXPECT_EQ(estimated(i), counted(i)) << isa::print(i);
  }
}

TEST_F(CostTest, ChainsAreOneSweep) {
  // Two multiplications and two additions, on two units of each.
  isa::ApuRescale chain = rescale(64);
  chain.residual = chain.y;
  chain.residual_stride = chain.y_stride;
  chain.maximum = bench.room<float>(rows);
  EXPECT_EQ(counted(chain), counted(rescale(64)));
  EXPECT_EQ(estimated(chain), counted(chain));
  // The pipelines of an error function take longer than the lanes.
  chain.activation = isa::OptActivation::Gelu;
  EXPECT_EQ(counted(chain), counted(activation(isa::Activation::Gelu, 64)));
  EXPECT_EQ(estimated(chain), counted(chain));
  // Where maxima are known, quantization need not look for them.
  isa::ApuQuantize codes = quantize(64);
  int64_t alone = counted(codes);
  codes.maximum = bench.put(std::vector<float>(rows, 1));
  EXPECT_EQ(2 * counted(codes), alone);
  EXPECT_EQ(estimated(codes), counted(codes));
}

TEST_F(CostTest, Selection) {
  isa::Instruction i = topK();
  EXPECT_EQ(estimated(i), counted(i));
  // Longer rows take more steps of each pass.
  EXPECT_EQ(isa::estimateCycles(i, bench.program.machine, {257}),
            2 * estimated(i));
}

TEST_F(CostTest, GatheredColumnsAreThoseThatAreKept) {
  isa::Instruction all = scores(64, 1), some = scores(64, 4);
  EXPECT_EQ(estimated(all), counted(all));
  EXPECT_EQ(estimated(some, 0.25), counted(some));
  EXPECT_EQ(4 * estimated(some, 0.25), estimated(all));
  // What is expected of masks does not count without one.
  EXPECT_EQ(estimated(all, 0.25), estimated(all));
}

TEST_F(CostTest, RowsAtLowPrecision) {
  isa::PeGemm i = gemm(768, 64);
  int64_t all = estimated(i);
  // What is expected of rows does not count where all are precise.
  EXPECT_EQ(estimated(i, 1, 0.5), all);
  for (isa::Precision precision :
       {isa::Precision::A4W4, isa::Precision::A4W8}) {
    i.precision = precision;
    i.low = bench.put(std::vector<uint8_t>(rows, 1));
    EXPECT_EQ(estimated(i, 1, 1), counted(i));
    EXPECT_EQ(estimated(i, 1, 0), all);
    std::vector<uint8_t> half(rows, 1);
    std::fill(half.begin(), half.begin() + rows / 2, 0);
    i.low = bench.put(half);
    EXPECT_EQ(estimated(i, 1, 0.5), counted(i));
  }
}

TEST_F(CostTest, FillComesOnTop) {
  Bench whole(length);
  isa::Instruction i = gemm(64, 64);
  whole.run({i});
  EXPECT_EQ(whole.counters.total.cycles,
            isa::estimateCycles(i, whole.program.machine, {length}) +
                whole.program.machine.pe.fillCycles);
}

TEST_F(CostTest, TransfersTakeTheirBytes) {
  isa::Load load;
  load.rows = 64;
  load.row_bytes = 1000;
  double perCycle = bench.program.machine.dramBytesPerCycle();
  EXPECT_EQ(estimated(load),
            static_cast<int64_t>(std::ceil(64 * 1000 / perCycle)));
  isa::Store store;
  store.rows = 64;
  store.row_bytes = 1000;
  EXPECT_EQ(estimated(store), estimated(load));
  EXPECT_EQ(estimated(isa::Rotate()), 0);
  isa::LoadListed listed;
  listed.rows = 64;
  listed.row_bytes = 1000;
  EXPECT_EQ(estimated(listed), estimated(load));
  EXPECT_EQ(estimated(listed, 1, 0.5),
            static_cast<int64_t>(std::ceil(32 * 1000 / perCycle)));
  isa::LoadWeight weight;
  weight.rows = 64;
  weight.n = 1000;
  weight.exact = isa::SramRef::absent();
  EXPECT_EQ(estimated(weight, 1, 1), estimated(load));
  // A single row that is precise needs the low plane.
  weight.exact.present = true;
  EXPECT_EQ(estimated(weight, 1, 0.99), estimated(load));
  EXPECT_EQ(estimated(weight, 1, 1),
            static_cast<int64_t>(std::ceil(64 * 500 / perCycle)));
  weight.only_exact = true;
  EXPECT_EQ(estimated(weight, 1, 0.99), estimated(load));
  EXPECT_EQ(estimated(weight, 1, 1), 0);
}
} // namespace
