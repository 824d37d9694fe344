//===- BatchTest.cpp - The sequences of a batch, one after the other ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Batch.h"

#include "fact/Support/Error.h"

#include "gtest/gtest.h"

using namespace fact;

namespace {

NpyArray array(std::vector<int64_t> shape, std::vector<float> values) {
  return NpyArray::from<float>(std::move(shape), values.data());
}

std::vector<float> valuesOf(const NpyArray &array) {
  const float *values = array.as<float>("values");
  return {values, values + array.numElements()};
}

std::string countError(std::vector<BatchAxis> axes,
                       std::vector<std::vector<int64_t>> shapes) {
  std::vector<NpyArray> inputs;
  std::vector<std::string> names;
  for (const std::vector<int64_t> &shape : shapes) {
    inputs.push_back({"<f4", shape, {}});
    names.push_back("input " + std::to_string(names.size()));
  }
  return catchError([&] { countSequences(axes, inputs, names); }).value_or("");
}

TEST(Batch, CountsTheSequencesThatAreGiven) {
  std::vector<NpyArray> inputs = {{"<f4", {2, 5}, {}}, {"<f4", {4, 2}, {}}};
  EXPECT_EQ(countSequences({{0, 0}, {1, 2}}, inputs, {"x", "y"}), 2);
  EXPECT_EQ(countSequences({{}, {}}, inputs, {"x", "y"}), 1);
  EXPECT_EQ(countSequences({}, inputs, {}), 1);
}

TEST(Batch, NamesTheInputThatIsNoBatch) {
  EXPECT_EQ(countError({{0, 3}}, {{2, 5}}),
            "input 0 must have 3 sequences (was 2)");
  EXPECT_EQ(countError({{0, 0}}, {{0, 5}}),
            "input 0 must have 1 or more sequences (was 0)");
  EXPECT_EQ(countError({{0, 0}, {}, {1, 0}}, {{2, 5}, {7}, {5, 4}}),
            "input 2 must have 2 sequences, as many as input 0 (was 4)");
  EXPECT_EQ(countError({{2, 0}}, {{2, 5}}),
            "input 0 must have sequences along dimension 2 (was of rank 2)");
}

TEST(Batch, TakesAndJoinsSequences) {
  std::vector<NpyArray> inputs = {array({2, 2}, {1, 2, 3, 4}), array({1}, {9})};
  std::vector<NpyArray> second = takeSequence({{1, 0}, {}}, inputs, 1);
  EXPECT_EQ(second[0].shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(valuesOf(second[0]), (std::vector<float>{2, 4}));
  EXPECT_EQ(valuesOf(second[1]), (std::vector<float>{9}));
  BatchOutputs outputs({{1, 0}});
  for (int64_t i = 0; i < 2; ++i)
    outputs.add(takeSequence({{1, 0}}, inputs, i), 2);
  EXPECT_EQ(outputs.join()[0].shape, inputs[0].shape);
  EXPECT_EQ(outputs.join()[0].data, inputs[0].data);
}

TEST(Batch, WhatHasNoneIsThatOfTheLongest) {
  BatchOutputs outputs({{}});
  outputs.add({array({2}, {1, 0})}, 1);
  outputs.add({array({2}, {1, 2})}, 2);
  outputs.add({array({2}, {3, 4})}, 2);
  EXPECT_EQ(valuesOf(outputs.join()[0]), (std::vector<float>{1, 2}));
}

TEST(Batch, SequencesOfOneShapeAreJoined) {
  BatchOutputs outputs({{}, {0, 0}});
  outputs.add({array({1}, {1}), array({1, 1}, {1})}, 1);
  outputs.add({array({1}, {1}), array({1, 2}, {1, 2})}, 2);
  EXPECT_EQ(catchError([&] { outputs.join(); }).value_or(""),
            "output 1 has another shape for sequence 1 than for sequence 0");
}

} // namespace
