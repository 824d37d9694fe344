//===- RunOnFact.h - A model's encoder stacks in the simulator ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `fact-run --on=fact`: the CPU computes all of the model, and what its encoder
// stacks take and make on the way. Each stack's program runs in the simulator
// on what it takes, and must make the same bits. So there is one way from the
// model to its results, and each run holds the two back ends against each
// other.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_COMPILER_RUNONFACT_H
#define FACT_LIB_COMPILER_RUNONFACT_H

#include "fact/Sim/Report.h"
#include "fact/Support/Npy.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>

namespace fact {
struct RunOptions;
namespace sim {
class Simulator;
} // namespace sim
} // namespace fact

namespace mlir::fact {

class Compilation;

class FactStacks {
public:
  FactStacks();
  ~FactStacks();

  /// Compiles the stacks of a raised model. Its function returns what they take
  /// and make as well then, each as a dump ("stack0.in0", "stack0.out0", ...);
  /// a model that is a stack as a whole stays as it is.
  LogicalResult prepare(Compilation &compilation,
                        const ::fact::RunOptions &options);

  /// Runs the programs for one sequence; `dumps` are what the function returned
  /// so, by name. A text that is not empty says what is wrong.
  std::string run(const std::vector<::fact::NpyArray> &inputs,
                  const std::vector<::fact::NpyArray> &outputs,
                  const ::fact::NpzArchive &dumps);

  /// Of each program, of all sequences together.
  std::string summary() const;

private:
  struct Stack {
    std::string name;
    size_t inputs = 0, outputs = 0;
    std::unique_ptr<::fact::sim::Simulator> simulator;
    ::fact::sim::Report report;
  };
  std::vector<Stack> stacks;
  bool isWhole = false;
};

} // namespace mlir::fact

#endif // FACT_LIB_COMPILER_RUNONFACT_H
