//===- ToolTest.cpp - Exit status and messages of tools -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Tool.h"
#include "fact/Support/Error.h"

#include "gtest/gtest.h"

#include <stdexcept>

using namespace fact;

namespace {
struct Outcome {
  int status;
  std::string output, errors;
};

Outcome run(
    std::vector<const char *> arguments,
    const std::function<int()> &body = [] { return 0; }) {
  arguments.insert(arguments.begin(), "fact-x");
  std::string file, option;
  int length = 0;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  int status = toolMain(static_cast<int>(arguments.size()),
                        const_cast<char **>(arguments.data()), "fact-x",
                        [&](CLI::App &app) -> ToolBody {
                          app.add_option("file", file, "a file")->required();
                          app.add_option("--name", option, "a name");
                          app.add_option("--length", length, "a length");
                          return body;
                        });
  return {status, testing::internal::GetCapturedStdout(),
          testing::internal::GetCapturedStderr()};
}

TEST(Tool, SuccessIsQuiet) {
  Outcome outcome = run({"a", "--length=3"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.errors, "");
}

TEST(Tool, UserErrorsExitWithOne) {
  Outcome outcome = run({"a"}, []() -> int { throw Error("no such thing"); });
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.errors, "fact-x: error: no such thing\n");
  outcome = run({"a"}, []() -> int { throw std::bad_alloc(); });
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.errors, "fact-x: error: out of memory\n");
}

TEST(Tool, WrongUsageExitsWithTwoAndOneLine) {
  for (std::vector<const char *> arguments :
       std::vector<std::vector<const char *>>{
           {},
           {"a", "--unknown"},
           {"a", "b"},
           {"a", "--length=x"},
           {"a", "--length"},
           {"a", "--length=1", "--length=2"}}) {
    bool called = false;
    Outcome outcome = run(arguments, [&] { return called = true; });
    EXPECT_EQ(outcome.status, 2);
    EXPECT_FALSE(called);
    EXPECT_EQ(outcome.errors.rfind("fact-x: error: ", 0), 0u);
    EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1);
  }
}

TEST(Tool, AnEmptyValueIsWrongUsage) {
  for (auto [arguments, text] :
       std::vector<std::pair<std::vector<const char *>, const char *>>{
           {{"a", "--length="}, "a value must follow '--length='"},
           {{"--length=", "3", "a"}, "a value must follow '--length='"},
           {{"a", "--unknown="}, "a value must follow '--unknown='"},
           {{"a", "--name", ""}, "'--name' must not be empty"},
           {{""}, "'file' must not be empty"}}) {
    bool called = false;
    Outcome outcome = run(arguments, [&] { return called = true; });
    EXPECT_EQ(outcome.status, 2);
    EXPECT_FALSE(called);
    EXPECT_EQ(outcome.errors, "fact-x: error: " + std::string(text) + "\n");
  }
  // A value may end in '='; what follows '--' is no flag.
  EXPECT_EQ(run({"a", "--name=x="}).status, 0);
  EXPECT_EQ(run({"--", "--length="}).status, 0);
}

TEST(Tool, HelpGoesToStandardOutput) {
  Outcome outcome = run({"--help"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.output.find("--length"), std::string::npos);
  EXPECT_EQ(outcome.errors, "");
}
} // namespace
