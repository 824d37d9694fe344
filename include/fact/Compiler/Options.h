//===- Options.h - What fact-compile and fact-run are asked for -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_COMPILER_OPTIONS_H
#define FACT_COMPILER_OPTIONS_H

#include "fact/Numerics/Policy.h"

#include "CLI/CLI.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fact {

/// Model, policy and machine: the same for every tool that compiles.
struct CompileOptions {
  std::string tool;  ///< for messages
  std::string model; ///< .mlir, .mlirbc or .onnx
  std::vector<std::string> from;
  std::string to;
  std::vector<std::string> shapes; ///< NAME:1x512x120
  std::string machine;             ///< empty: the built-in default
  bool remarks = false;
  numerics::Policy policy;
  std::vector<numerics::LayerPolicy> layerPolicies; ///< on top of `policy`
  /// Whether a flag said anything about the policy. If not, a policy in the IR
  /// stands.
  bool policyGiven = false;
};

/// `fact-run` beyond that.
struct RunOptions : CompileOptions {
  std::vector<std::string> inputs, outputs;
  std::string dumpMasks;
  int64_t length = 0;     ///< 0: that of the input
  int64_t repeat = 0;     ///< 0: run once, measure nothing
  std::string reference;  ///< f32, numerics, or empty
  std::string on = "cpu"; ///< or fact: the encoder stacks in the simulator
  bool compare = false;
  bool fillUndefined = false;
  std::string cpu = "native";
  bool emulate = false;
  int64_t threads = 1;
  bool profile = false;
  std::string dumpObject; ///< file for what is compiled, or empty
};

/// `fact-compile` beyond that.
struct ObjectOptions : CompileOptions {
  std::string output;
  std::string target = "fact";
  std::string emit; ///< a stage, or empty
  bool explain = false;
  std::string partition; ///< folder for what is no program, or empty
  std::string report;    ///< JSON file of compile-time decisions, or empty
  std::string cpu = "native";
  std::string schedule = "overlap"; ///< or differential, in-order
  std::string speculate = "on";     ///< or off
  std::string resident = "on";      ///< or off
};

/// Adds the flags of CompileOptions to a tool. The policy is complete once the
/// command line is parsed; a wrong value is a usage error.
void addCompileFlags(CLI::App &app, CompileOptions &options);
void addRunFlags(CLI::App &app, RunOptions &options);
void addObjectFlags(CLI::App &app, ObjectOptions &options);

} // namespace fact

#endif // FACT_COMPILER_OPTIONS_H
