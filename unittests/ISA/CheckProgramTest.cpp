//===- CheckProgramTest.cpp - Writers before readers ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SampleProgram.h"

#include "fact/ISA/CheckProgram.h"

#include "gtest/gtest.h"

using namespace fact;
using namespace fact::isa;

namespace {
std::string check(const Program &program,
                  const std::vector<BufferStart> &starts = {}) {
  Code code(program);
  std::optional<Fault> fault = checkProgram(code, starts);
  return fault ? fault->text(code) : "";
}

TEST(CheckProgram, CountsWhatItLooksAt) {
  Program program = copyProgram();
  Code code(program);
  CheckCounts counts;
  EXPECT_FALSE(checkProgram(code, {}, &counts));
  // Lengths 9, 8 and 1.
  EXPECT_EQ(counts.instructions, 3u * 3);
  EXPECT_EQ(counts.reads, 3u * 2);
  EXPECT_EQ(counts.paddedRows, 0u);
}

TEST(CheckProgram, ShortLengthsAreChecked) {
  // Right for 9 rows: the store of the last row needs no load of its own.
  Program program = copyProgram();
  std::get<Load>(program.instructions[0]).row0.value = 1;
  std::get<Load>(program.instructions[0]).rows = 8;
  std::get<Load>(program.instructions[0]).src.offset = 16;
  std::get<Load>(program.instructions[0]).dst.offset = 16;
  EXPECT_TRUE(contains(check(program), "'src' reads bytes 0 to 15 of the "
                                       "scratchpad, which nothing wrote before "
                                       "(sequence length 9)"));
  // Rows past the length are none, whatever the load says; the first one must
  // be loaded for length 1, too.
  program = copyProgram();
  std::get<Load>(program.instructions[0]).row0.value = 1;
  EXPECT_TRUE(contains(check(program), "'src' reads bytes 128 to 143"));
}

TEST(CheckProgram, RowsBetweenGapsAreTheirOwn) {
  // Rows of 8 bytes, 16 apart: the gaps need no writer, and a load there is
  // none for the rows.
  Program program = copyProgram();
  auto &load = std::get<Load>(program.instructions[0]);
  load.row_bytes = 8;
  load.dst.offset = 8;
  auto &store = std::get<Store>(program.instructions[1]);
  store.row_bytes = 8;
  EXPECT_TRUE(contains(check(program), "'src' reads bytes 0 to 7 of the"));
  store.src.offset = 8;
  EXPECT_TRUE(contains(check(program), "output 'y' is bytes 1032 to 1039"));
}

TEST(CheckProgram, PaddingIsCopiedButNotRead) {
  // 5 bytes of flags, moved as a row of 16.
  SelFill fill;
  fill.dst.offset = 512;
  fill.rows = 1;
  fill.width = 5;
  Store store;
  store.src.offset = 512;
  store.dst.offset = 2048;
  store.rows = 1;
  store.row_bytes = 16;
  Load load;
  load.src.offset = 2048;
  load.dst.offset = 576;
  load.rows = 1;
  load.row_bytes = 16;
  SelList list;
  list.list.offset = 640;
  list.flags.offset = 576;
  list.rows = 5;
  Program program =
      copyProgram({copyLoad(), copyStore(), fill, store, load, list});
  EXPECT_EQ(check(program), "");
  std::get<SelList>(program.instructions[5]).rows = 6;
  EXPECT_TRUE(contains(check(program), "'flags' reads bytes 581 to 581"));
  // A row of nothing but padding is no row.
  std::get<Load>(program.instructions[4]).src.offset = 2064;
  EXPECT_TRUE(
      contains(check(program), "'src' reads bytes 2064 to 2079 of DRAM"));
}

TEST(CheckProgram, ANewBufferHoldsNothing) {
  Program program = copyProgram();
  EXPECT_EQ(check(program, {{0, 0, 144}}), "");
  EXPECT_EQ(check(program, {{1, 144, 64}}), "");
  EXPECT_TRUE(
      contains(check(program, {{1, 128, 64}}), "reads bytes 128 to 143"));
  // A part of a row is padding to the store, but not to the host.
  EXPECT_TRUE(contains(check(program, {{1, 140, 64}}),
                       "output 'y' is bytes 1164 to 1167"));
  // Outside of the scratchpad there is nothing to forget.
  EXPECT_EQ(check(program, {{1, uint64_t(1) << 23, uint64_t(1) << 62}}), "");
}

TEST(CheckProgram, OutputsOfAFixedShapeEndAtTheLength) {
  Program program = copyProgram();
  program.inputs = {{"x", {9, 4}, ElementType::Float32, 0, 0, 16}};
  program.outputs = {{"y", {9, 4}, ElementType::Float32, 0, 1024, 16}};
  EXPECT_EQ(check(program), "");
  program.outputs[0].shape = {10, 4};
  EXPECT_TRUE(contains(check(program), "output 'y' is bytes 1168 to 1183"));
}

TEST(CheckProgram, AnOutputInAnInputsPlaceMustBeWritten) {
  Program program = copyProgram();
  ASSERT_TRUE(std::holds_alternative<Store>(program.instructions[1]));
  Store &store = std::get<Store>(program.instructions[1]);
  program.outputs[0].address = program.inputs[0].address;
  // That the host wrote there does not count.
  EXPECT_TRUE(contains(check(program), "output 'y' is bytes 0 to "));
  store.dst.offset = program.inputs[0].address;
  EXPECT_EQ(check(program), "");
  // Elsewhere inputs are only read.
  program.outputs[0].address = 1024;
  EXPECT_TRUE(contains(check(program), "writes input 'x'"));
}
} // namespace
