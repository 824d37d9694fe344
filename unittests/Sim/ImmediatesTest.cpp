//===- ImmediatesTest.cpp - Every immediate at its edges ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No instruction crashes, reads outside of its operands or overflows, whatever
// its immediates are: it runs, or it is a fact::Error. (Sanitizers see the
// rest.)
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include <utility>

using namespace fact;
using namespace fact::sim;

namespace {
template <size_t... I>
std::vector<isa::Instruction> makeAll(std::index_sequence<I...>) {
  return {std::variant_alternative_t<I, isa::Instruction>()...};
}
const std::vector<isa::Instruction> all =
    makeAll(std::make_index_sequence<std::variant_size_v<isa::Instruction>>());

/// A machine with as large a scratchpad as instructions can address.
isa::Machine largeMachine() {
  isa::Machine machine = isa::Machine::defaultMachine();
  for (isa::Machine::Sram &buffer : machine.buffers)
    buffer.bytes = 1 << 22;
  return machine;
}

bool isControl(const isa::Instruction &i) {
  return isa::engineOf(i) == isa::Engine::CTRL ||
         std::holds_alternative<isa::Sync>(i);
}

/// A tile of 3 rows, 3 columns and 8 features, every operand in a place of its
/// own.
struct Reset {
  bool optional; ///< Are optional operands there?
  uint32_t next = 0;

  void operator()(const isa::FieldInfo &field, isa::SramRef &ref) {
    ref = field.optional && !optional ? isa::SramRef::absent()
                                      : isa::SramRef{next, 0, true};
    next += 1 << 20;
  }
  void operator()(const isa::FieldInfo &, isa::DramRef &ref) {
    ref = {1024, 0};
  }
  void operator()(const isa::FieldInfo &, isa::ScalarRef &ref) { ref = {}; }
  void operator()(const isa::FieldInfo &field, uint32_t &value) {
    std::string name = field.name;
    if (name == "rows" || name == "cols")
      value = 3;
    else if (name.find("stride") != std::string::npos)
      value = 64;
    else if (name == "pairs" || name == "head_norms")
      value = 0; // with every other immediate
    else
      value = 8;
  }
  template <typename T> void operator()(const isa::FieldInfo &, T &value) {
    value = T();
  }
};

/// Sets the immediates `first` and `second` (by their index) to `value`.
struct Set {
  int first, second;
  bool maximum;
  int index = 0;

  template <typename T> void operator()(const isa::FieldInfo &field, T &value) {
    if constexpr (std::is_same<T, uint32_t>::value ||
                  std::is_same<T, uint64_t>::value ||
                  std::is_same<T, int64_t>::value) {
      if (index == first || index == second)
        value = static_cast<T>(maximum ? field.maximum : field.minimum);
    }
    ++index;
  }
};

/// Zeros, which every operand may hold: everywhere, or where small tiles write.
void clear(Bench &bench, bool all) {
  uint8_t *sram = bench.state.sram.data();
  if (all)
    std::memset(sram, 0, bench.state.sram.size());
  else
    for (uint32_t at = 0; at < bench.state.sram.size(); at += 1 << 20)
      std::memset(sram + at, 0, 1024);
}

TEST(Immediates, AtTheirEdges) {
  int64_t ran = 0, refused = 0;
  Bench bench(3, largeMachine());
  clear(bench, true);
  for (isa::Instruction instruction : all) {
    if (isControl(instruction))
      continue;
    auto fields = static_cast<int>(isa::info(instruction).numFields);
    for (bool optional : {false, true})
      for (bool maximum : {false, true})
        for (int first = 0; first < fields; ++first)
          for (int second = first; second < (maximum ? first + 1 : fields);
               ++second) {
            isa::forEachField(instruction, Reset{optional});
            isa::forEachField(instruction, Set{first, second, maximum});
            clear(bench, maximum);
            std::string error = bench.error({instruction});
            ++(error.empty() ? ran : refused);
            // Zeros are extents: nothing to refuse but a stride of no use.
            if (!maximum) {
              EXPECT_EQ(error, "") << isa::print(instruction);
            }
          }
  }
  EXPECT_GT(ran, 500);
  EXPECT_GT(refused, 10);
}

/// A product over no features is 0, and costs no more than its rows.
TEST(Immediates, AProductOfNothingIsZero) {
  Bench bench(4);
  isa::PeGemm i;
  i.acc = bench.put(std::vector<int32_t>(32, 7));
  i.x = bench.room<int8_t>(64);
  i.w = bench.room<int8_t>(64);
  i.list = i.low = isa::SramRef::absent();
  i.rows = 4;
  i.n = 8;
  i.acc_stride = 32;
  bench.run({i});
  EXPECT_EQ(bench.get<int32_t>(i.acc, 32), std::vector<int32_t>(32, 0));
  EXPECT_EQ(bench.counters.total.conflictCycles, 0);
  i.accumulate = true;
  bench.put(std::vector<int32_t>(32, 7));
  bench.run({i});
  EXPECT_EQ(bench.get<int32_t>(i.acc, 32), std::vector<int32_t>(32, 0));
}

/// Rows of no features have a scale all the same.
TEST(Immediates, RowsOfNothingHaveAScale) {
  Bench bench(2);
  isa::ApuQuantize i;
  i.q = bench.room<int8_t>(8);
  i.x = bench.room<float>(8);
  i.scale = bench.put(std::vector<float>(2, -1));
  i.list = i.low = isa::SramRef::absent();
  i.rows = 2;
  bench.run({i});
  float scale = bench.get<float>(i.scale, 2)[1];
  EXPECT_GT(scale, 0);
}
} // namespace
