//===- PortRowsTest.cpp - The rows of an input or output in one run -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/PortRows.h"

#include "SampleProgram.h"

#include "gtest/gtest.h"

using namespace fact;
using namespace fact::isa;

namespace {
TEST(SequenceBound, IsTheInputs) {
  Program program = copyProgram();
  EXPECT_EQ(sequenceBound(program).rows, 9);
  program.inputs[0].bound = 7;
  EXPECT_EQ(sequenceBound(program).rows, 7);
  program.inputs[0] = {"x", {3, 5, 4}, ElementType::Float32, 0, 0, 16};
  EXPECT_EQ(sequenceBound(program).rows, 5);
  EXPECT_TRUE(sequenceBound(program).fixed);
  program.inputs.clear();
  EXPECT_EQ(sequenceBound(program).rows, 1);
}

struct Row {
  int64_t offset;
  uint64_t address;
  int64_t row;
  bool operator==(const Row &o) const {
    return offset == o.offset && address == o.address && row == o.row;
  }
};

std::vector<Row> rowsOf(const PortRows &rows) {
  std::vector<Row> result;
  rows.forEach([&](int64_t offset, uint64_t address, int64_t row) {
    result.push_back({offset, address, row});
  });
  return result;
}

TEST(PortRows, AnOpenPortHasTheRowsThatCount) {
  // Two planes of at most 9 rows of 3 numbers, which DRAM pads to 64 bytes; the
  // host has 4 rows of which 2 count.
  Port port{"x", {2, -1, 3}, ElementType::Float32, 9, 128, 64};
  auto rows = PortRows::ofInput(port, {4, 2, false});
  EXPECT_EQ(rows.columns(), 3);
  EXPECT_EQ(rows.columnBytes(), 12);
  EXPECT_EQ(rows.hostBytes(), 2 * 4 * 3 * 4);
  EXPECT_EQ(rowsOf(rows), (std::vector<Row>{{0, 128, 0},
                                            {12, 128 + 64, 1},
                                            {4 * 12, 128 + 9 * 64, 0},
                                            {5 * 12, 128 + 10 * 64, 1}}));
}

TEST(PortRows, IndicesAfterTheOpenOneAreRowsOfTheirOwn) {
  Port port{"x", {-1, 2, 3}, ElementType::Int8, 9, 0, 64};
  EXPECT_EQ(
      rowsOf(PortRows::ofInput(port, {4, 2, false})),
      (std::vector<Row>{{0, 0, 0}, {3, 64, 0}, {6, 128, 1}, {9, 192, 1}}));
}

TEST(PortRows, AnOpenLastDimensionHasFewerColumns) {
  Port port{"flags", {2, -1}, ElementType::Bool, 9, 0, 64};
  auto rows = PortRows::ofInput(port, {4, 3, false});
  EXPECT_EQ(rows.columns(), 3);
  EXPECT_EQ(rows.hostBytes(), 2 * 4);
  EXPECT_EQ(rowsOf(rows), (std::vector<Row>{{0, 0, 0}, {4, 64, 1}}));
}

TEST(PortRows, AScalarIsOneRow) {
  Port port{"scale", {}, ElementType::Float32, 0, 64, 4};
  auto rows = PortRows::ofInput(port, {4, 2, false});
  EXPECT_EQ(rows.hostBytes(), 4);
  EXPECT_EQ(rowsOf(rows), (std::vector<Row>{{0, 64, 0}}));
}

TEST(PortRows, AnOutputOfAFixedSequenceEndsAtTheLength) {
  // Only where it has as many rows as the sequence; an input is there whole.
  Port port{"y", {9, 4}, ElementType::Float32, 0, 0, 16};
  EXPECT_EQ(rowsOf(PortRows::ofOutput(port, {9, 2, true})).size(), 2u);
  EXPECT_EQ(rowsOf(PortRows::ofOutput(port, {8, 2, true})).size(), 9u);
  EXPECT_EQ(rowsOf(PortRows::ofOutput(port, {9, 2, false})).size(), 9u);
  EXPECT_EQ(rowsOf(PortRows::ofInput(port, {9, 2, true})).size(), 9u);
}
} // namespace
