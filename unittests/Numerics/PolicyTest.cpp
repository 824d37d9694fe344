//===- PolicyTest.cpp - Presets, fields and their text --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Numerics/Policy.h"
#include "fact/Numerics/AttentionForm.h"

#include <gtest/gtest.h>

using namespace fact::numerics;

namespace {

TEST(PolicyTest, Presets) {
  EXPECT_EQ(policyPreset("dense")->print(),
            "keep=1 tail=none dominance=0 importance=0 low-precision=a4w4 "
            "scope=ffn predictor=leading-one");
  EXPECT_EQ(policyPreset("paper")->print(),
            "keep=0.2 tail=none dominance=3 importance=1 low-precision=a4w4 "
            "scope=ffn predictor=leading-one");
  EXPECT_EQ(policyPreset("balanced")->print(),
            "keep=0.2 tail=mean dominance=3 importance=1 low-precision=a4w4 "
            "scope=ffn predictor=leading-one");
  EXPECT_EQ(policyPreset("fast")->print(),
            "keep=0.1 tail=mean dominance=3 importance=2 low-precision=a4w4 "
            "scope=all predictor=leading-one");
  EXPECT_FALSE(policyPreset("quick"));
  for (const std::string &preset : policyPresets())
    EXPECT_TRUE(policyPreset(preset)) << preset;
  EXPECT_FALSE(policyPreset("dense")->predicts());
  EXPECT_EQ(policyPreset("paper")->keep, 205);
}

TEST(PolicyTest, EveryShareIsPrintedAsItIsRead) {
  Policy policy, read;
  for (policy.keep = 0; policy.keep <= 1024; ++policy.keep) {
    EXPECT_EQ(parsePolicy(policy.print(), read), "");
    EXPECT_EQ(read, policy) << policy.print();
  }
  policy.keep = 1024;
  for (policy.importance = 0; policy.importance < 2000; ++policy.importance) {
    EXPECT_EQ(parsePolicy(policy.print(), read), "");
    EXPECT_EQ(read, policy) << policy.print();
  }
  policy.importance = 384;
  EXPECT_EQ(policy.get("importance"), "1.5");
  policy.dominance = 2.7f;
  EXPECT_EQ(policy.get("dominance"), "2.7");
}

TEST(PolicyTest, Fields) {
  Policy policy;
  for (const std::string &preset : policyPresets())
    for (const std::string &field : policyFields()) {
      Policy from = *policyPreset(preset);
      EXPECT_EQ(policy.set(field, from.get(field)), "") << field;
      EXPECT_EQ(policy.get(field), from.get(field)) << field;
    }
  for (const char *predictor :
       {"leading-one", "leading-two", "one-sided", "exact"}) {
    EXPECT_EQ(policy.set("predictor", predictor), "");
    EXPECT_EQ(policy.get("predictor"), predictor);
  }
  EXPECT_EQ(policy.set("low-precision", "a4w8"), "");
  EXPECT_EQ(policy.lowPrecision, LowPrecision::A4W8);
}

TEST(PolicyTest, PresetThenOverrides) {
  Policy policy;
  EXPECT_EQ(parsePolicy("fast keep=0.3, predictor=exact", policy), "");
  EXPECT_EQ(policy.print(),
            "keep=0.3 tail=mean dominance=3 importance=2 low-precision=a4w4 "
            "scope=all predictor=exact");
}

TEST(PolicyTest, Errors) {
  Policy policy;
  EXPECT_EQ(policy.set("keep", "0"),
            "keep must be a number above 0 and at most 1 (was '0')");
  EXPECT_EQ(policy.set("keep", "1.01"),
            "keep must be a number above 0 and at most 1 (was '1.01')");
  for (const char *bad : {"", "nan", "inf", "0.5x", "-0.5", " 0.5"})
    EXPECT_NE(policy.set("keep", bad), "") << bad;
  EXPECT_EQ(policy.set("dominance", "-1"),
            "dominance must be a number of logits from 0 to 1e30 (was '-1')");
  EXPECT_EQ(policy.set("importance", "16.001"),
            "importance must be a number from 0 to 16 (was '16.001')");
  for (const char *bad : {"8388608", "1e9", "-1", "nan"})
    EXPECT_NE(policy.set("importance", bad), "") << bad;
  EXPECT_NE(policy.set("dominance", "1.1e30"), "");
  EXPECT_EQ(policy.set("scope", "qkv"), "scope must be ffn or all (was 'qkv')");
  EXPECT_EQ(policy.set("predictor", "one"),
            "predictor must be leading-one, leading-two, one-sided or exact "
            "(was 'one')");
  EXPECT_EQ(policy.set("kep", "1"), "unknown policy field 'kep'");
  EXPECT_EQ(policy, Policy()) << "errors change nothing";
  EXPECT_EQ(parsePolicy("quick", policy), "unknown preset 'quick'");
  EXPECT_EQ(parsePolicy("keep=0.2 fast", policy),
            "a preset must come first (was 'fast')");
  EXPECT_EQ(policy, Policy());
}

TEST(PolicyTest, TheLargestValuesAreAccepted) {
  Policy policy;
  EXPECT_EQ(policy.set("keep", "1"), "");
  EXPECT_EQ(policy.keep, keepAll);
  EXPECT_EQ(policy.set("dominance", "1e30"), "");
  EXPECT_EQ(policy.dominance, largestDominance);
  EXPECT_EQ(policy.set("importance", "16"), "");
  EXPECT_EQ(policy.importance, largestImportance256);
}

TEST(PolicyTest, MeanTokenNeedsDroppedKeys) {
  Policy policy = *policyPreset("balanced");
  EXPECT_TRUE(policy.hasMeanToken());
  policy.keep = 1024;
  EXPECT_FALSE(policy.hasMeanToken());
  EXPECT_TRUE(policy.predicts()) << "dominance needs scores";
}

TEST(PolicyTest, MeanTokenNeedsOneSetOfKeys) {
  AttentionForm form;
  EXPECT_TRUE(form.canHaveMeanToken());
  form.window = Window::causal();
  EXPECT_FALSE(form.canHaveMeanToken());
  form.window = {100000, 100000};
  EXPECT_FALSE(form.canHaveMeanToken()) << "whatever the length is";
  form.window = Window();
  form.isDressed = true;
  EXPECT_FALSE(form.canHaveMeanToken());
}

TEST(PolicyTest, AnImportanceThatRoundsToZeroIsNotOff) {
  Policy policy;
  EXPECT_EQ(policy.set("importance", "0.001"), "");
  EXPECT_EQ(policy.importance, keptByNone);
  EXPECT_TRUE(policy.hasLowTokens());
  EXPECT_EQ(policy.get("importance"), "0.001");
  EXPECT_EQ(policy.set("importance", "0"), "");
  EXPECT_FALSE(policy.hasLowTokens());
}

TEST(PolicyTest, OverridesKeepTheRest) {
  Policy policy = *policyPreset("balanced");
  EXPECT_EQ(overridePolicy("keep=0.5,importance=2", policy), "");
  EXPECT_EQ(policy.print(),
            "keep=0.5 tail=mean dominance=3 importance=2 low-precision=a4w4 "
            "scope=ffn predictor=leading-one");
  Policy before = policy;
  EXPECT_EQ(overridePolicy("keep=0.1 keep=2", policy),
            "keep must be a number above 0 and at most 1 (was '2')");
  EXPECT_EQ(policy, before);
  EXPECT_EQ(overridePolicy("dense", policy), "");
  EXPECT_EQ(policy, Policy());
}

TEST(PolicyTest, LayersAndTheirPolicies) {
  LayerPolicy policy;
  EXPECT_EQ(parseLayerPolicy("3:dense", policy), "");
  EXPECT_EQ(policy.first, 3);
  EXPECT_EQ(policy.last, 3);
  EXPECT_EQ(policy.text, "dense");
  EXPECT_EQ(parseLayerPolicy("0-11:fast,keep=0.5", policy), "");
  EXPECT_EQ(policy.first, 0);
  EXPECT_EQ(policy.last, 11);
  EXPECT_EQ(policy.text, "fast,keep=0.5");
  for (const char *text :
       {"", ":", "keep=0.5", "x:dense", "-1:dense", "1-:dense", "1-2-3:dense",
        "99999999999999999999:dense"})
    EXPECT_EQ(parseLayerPolicy(text, policy),
              std::string("must be LAYERS:POLICY, as 0:dense or "
                          "0-3:keep=0.5,tail=none (was '") +
                  text + "')")
        << text;
  EXPECT_EQ(parseLayerPolicy("2-1:dense", policy),
            "layers must be in rising order (was '2-1:dense')");
  EXPECT_EQ(parseLayerPolicy("2:, ", policy),
            "names no preset and no field for the layers (was '2:, ')");
  EXPECT_EQ(parseLayerPolicy("2:thick", policy), "unknown preset 'thick'");
  EXPECT_EQ(policy.text, "fast,keep=0.5");
}

TEST(PolicyTest, FormIsWhatIsOn) {
  const Policy base = *policyPreset("balanced");
  for (const char *same : {"keep=0.9", "dominance=0.1", "importance=7"}) {
    Policy other = base;
    EXPECT_EQ(overridePolicy(same, other), "");
    EXPECT_TRUE(other.hasFormOf(base)) << same;
  }
  for (const char *differs :
       {"keep=1", "dominance=0", "importance=0", "tail=none", "scope=all",
        "low-precision=a4w8", "predictor=exact"}) {
    Policy other = base;
    EXPECT_EQ(overridePolicy(differs, other), "");
    EXPECT_FALSE(other.hasFormOf(base)) << differs;
  }
}

} // namespace
