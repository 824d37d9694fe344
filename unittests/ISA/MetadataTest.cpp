//===- MetadataTest.cpp - What a program says about itself ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Metadata.h"
#include "fact/Support/Error.h"

#include "gtest/gtest.h"

using namespace fact;
using namespace fact::isa;

namespace {
TEST(Metadata, ReadsWhatItWrites) {
  Metadata metadata;
  EXPECT_EQ(metadata.toJson(), R"({"layers":[]})");
  metadata.layers.resize(2);
  metadata.layers[0].heads = 2;
  metadata.layers[0].window = {3, numerics::Window::unlimited};
  metadata.layers[0].features = 64;
  metadata.layers[0].linears = {{Role::QKV, 64, 192}, {Role::FFN, 64, 8}};
  metadata.layers[1].features = 4;
  metadata.layers[1].selectsWith = 1;
  metadata.layers[1].lowersWith = 1;
  metadata.layers[1].maskGiven = true;
  metadata.bound = 99;
  metadata.policy = R"({"keep":0.5})";
  std::string text = metadata.toJson();
  EXPECT_EQ(text,
            R"({"bound":99,"layers":[{"features":64,"heads":2,"key_heads":1,)"
            R"("linears":)"
            R"([{"k":64,"n":192,"role":"qkv"},{"k":64,"n":8,"role":"ffn"}],)"
            R"("window":[3,null]},)"
            R"({"features":4,"heads":1,"linears":[],)"
            R"("lowers_with":1,"mask_given":true,"selects_with":1}],)"
            R"("policy":{"keep":0.5}})");
  EXPECT_EQ(Metadata::parse(text).toJson(), text);
}

TEST(Metadata, APolicyKeepsItsNumbers) {
  EXPECT_EQ(policyJson(std::nullopt), "{}");
  // 17 digits: the same text for the same double, whatever prints it.
  EXPECT_EQ(policyJson(*numerics::policyPreset("balanced")),
            R"({"dominance":3,"importance":1,"keep":0.20000000000000001,)"
            R"("low_precision":"a4w4","predictor":"leading-one",)"
            R"("scope":"ffn","tail":"mean"})");
  EXPECT_EQ(
      policyJson(numerics::Policy(), {{0, 1, "keep=0.5"}, {3, 3, "keep=0.25"}}),
      R"({"dominance":0,"importance":0,"keep":1,)"
      R"("low_precision":"a4w4","predictor":"leading-one",)"
      R"("scope":"ffn","tail":"none","layers":[{"first":0,"last":1,)"
      R"("dominance":0,"importance":0,"keep":0.5,)"
      R"("low_precision":"a4w4","predictor":"leading-one",)"
      R"("scope":"ffn","tail":"none"},{"first":3,"last":3,)"
      R"("dominance":0,"importance":0,"keep":0.25,)"
      R"("low_precision":"a4w4","predictor":"leading-one",)"
      R"("scope":"ffn","tail":"none"}]})");
}

TEST(Metadata, WrongTextsAreErrors) {
  EXPECT_THROW(Metadata::parse("[1"), Error);
  EXPECT_THROW(Metadata::parse(R"({"bound":"x"})"), Error);
  EXPECT_THROW(Metadata::parse(R"({"policy":1})"), Error);
}
} // namespace
