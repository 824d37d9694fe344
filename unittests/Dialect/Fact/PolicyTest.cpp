//===- PolicyTest.cpp - The policy attribute and Numerics::Policy ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Policy.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::fact;
namespace numerics = ::fact::numerics;

namespace {

class PolicyTest : public testing::Test {
protected:
  PolicyTest() { context.loadDialect<FactDialect>(); }

  /// Through the attribute, its text, and back.
  numerics::Policy roundTrip(const numerics::Policy &policy) {
    std::string text;
    llvm::raw_string_ostream(text) << policyFrom(policy, &context);
    auto attribute =
        dyn_cast_or_null<PolicyAttr>(parseAttribute(text, &context));
    EXPECT_TRUE(attribute) << text;
    return attribute ? policyFrom(attribute) : numerics::Policy();
  }

  MLIRContext context;
};

TEST_F(PolicyTest, PresetsSurviveTheAttribute) {
  for (const std::string &name : numerics::policyPresets()) {
    numerics::Policy policy = *numerics::policyPreset(name);
    EXPECT_EQ(roundTrip(policy).print(), policy.print()) << name;
  }
}

TEST_F(PolicyTest, EveryFieldSurvivesTheAttribute) {
  const std::vector<std::pair<const char *, std::vector<const char *>>> values =
      {
          {"keep", {"0.3", "0.0001", "1"}},
          {"tail", {"none", "mean"}},
          {"dominance",
           {"0", "0.1", "3", "1e10",
            "1e-30"}}, // 0.1 is no short binary fraction
          {"importance", {"0", "0.7", "1.2", "16"}},
          {"low-precision", {"a4w4", "a4w8"}},
          {"scope", {"ffn", "all"}},
          {"predictor", {"leading-one", "leading-two", "one-sided", "exact"}},
      };
  for (const auto &[field, list] : values)
    for (const char *value : list) {
      numerics::Policy policy = *numerics::policyPreset("balanced");
      ASSERT_EQ(policy.set(field, value), "") << field << "=" << value;
      EXPECT_TRUE(roundTrip(policy) == policy) << field << "=" << value;
    }
}

TEST_F(PolicyTest, TheClosestPolicyHolds) {
  Builder builder(&context);
  OwningOpRef<ModuleOp> outer = ModuleOp::create(builder.getUnknownLoc());
  ModuleOp inner = ModuleOp::create(builder.getUnknownLoc());
  outer->push_back(inner);
  EXPECT_FALSE(policyOf(inner));
  PolicyAttr fast = policyFrom(*numerics::policyPreset("fast"), &context);
  (*outer)->setAttr(kPolicyAttrName, fast);
  EXPECT_EQ(policyOf(inner), fast);
  PolicyAttr paper = policyFrom(*numerics::policyPreset("paper"), &context);
  inner->setAttr(kPolicyAttrName, paper);
  EXPECT_EQ(policyOf(inner), paper);
}

} // namespace
