//===- RunOnFact.cpp - A model's encoder stacks in the simulator ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunOnFact.h"

#include "ProgramTarget.h"

#include "fact/Compiler/Driver.h"
#include "fact/Compiler/Options.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/Transforms/EncoderStacks.h"
#include "fact/Sim/Simulator.h"
#include "fact/Support/Error.h"

#include <algorithm>

using namespace mlir;
using namespace mlir::fact;
using ::fact::NpyArray;
using ::fact::NpzArchive;

FactStacks::FactStacks() = default;
FactStacks::~FactStacks() = default;

static std::string borderName(size_t stack, const char *side, size_t number) {
  return "stack" + std::to_string(stack) + "." + side + std::to_string(number);
}

/// Returns values at a function's end as dumps.
static void expose(func::FuncOp main,
                   ArrayRef<std::pair<std::string, Value>> borders) {
  auto last = cast<func::ReturnOp>(main.getBody().front().getTerminator());
  SmallVector<Type> types(main.getResultTypes());
  for (const auto &[name, value] : borders) {
    last.getOperandsMutable().append(value);
    types.push_back(value.getType());
  }
  unsigned next = main.getNumResults();
  main.setType(
      FunctionType::get(main.getContext(), main.getArgumentTypes(), types));
  for (const auto &[name, value] : borders)
    main.setResultAttr(next++, kDumpAttrName,
                       StringAttr::get(main.getContext(), name));
}

/// A program of a part runs for one sequence after the other.
static void forgetBatch(func::FuncOp main) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    main.removeArgAttr(i, kBatchAttrName);
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    main.removeResultAttr(i,
                          StringAttr::get(main.getContext(), kBatchAttrName));
}

LogicalResult FactStacks::prepare(Compilation &compilation,
                                  const ::fact::RunOptions &options) {
  ::fact::ObjectOptions target;
  static_cast<::fact::CompileOptions &>(target) = options;
  func::FuncOp main = compilation.main();
  SmallVector<EncoderStack> found = findEncoderStacks(main);
  if (failed(requireApart(found)))
    return failure();
  SmallVector<OwningOpRef<ModuleOp>> parts;
  isWhole = found.empty();
  if (isWhole) {
    if (failed(compilation.requireRaised()))
      return failure();
    parts.push_back(compilation.module().clone());
    stacks.push_back({"the model",
                      main.getNumArguments(),
                      main.getNumResults(),
                      nullptr,
                      {}});
  }
  SmallVector<std::pair<std::string, Value>> borders;
  for (auto [i, stack] : llvm::enumerate(found)) {
    parts.push_back(extractStack(main, stack));
    stacks.push_back(
        {"the encoder stack that makes " + describeBorder(stack.outputs),
         stack.inputs.size(),
         stack.outputs.size(),
         nullptr,
         {}});
    for (auto [j, value] : llvm::enumerate(stack.inputs))
      borders.push_back({borderName(i, "in", j), value});
    for (auto [j, value] : llvm::enumerate(stack.outputs))
      borders.push_back({borderName(i, "out", j), value});
  }
  expose(main, borders);
  OwningOpRef<ModuleOp> whole = compilation.module().clone();
  for (auto pair : llvm::zip(stacks, parts)) {
    auto &stack = std::get<0>(pair);
    auto &part = std::get<1>(pair);
    std::unique_ptr<::fact::isa::Program> program;
    if (failed(compilation.replaceRaised(std::move(part))))
      return failure();
    forgetBatch(compilation.main());
    if (failed(makeProgram(compilation, target, program)))
      return failure();
    std::optional<std::string> error = ::fact::catchError([&] {
      stack.simulator =
          std::make_unique<::fact::sim::Simulator>(std::move(*program));
    });
    if (error)
      return compilation.fail(*error);
  }
  return compilation.replaceRaised(std::move(whole));
}

/// The first element in which two arrays of one shape differ, or -1.
static int64_t firstDifference(const NpyArray &a, const NpyArray &b) {
  auto found = std::mismatch(a.data.begin(), a.data.end(), b.data.begin());
  int64_t elements = std::max<int64_t>(a.numElements(), 1);
  return found.first == a.data.end()
             ? -1
             : (found.first - a.data.begin()) /
                   (static_cast<int64_t>(a.data.size()) / elements);
}

std::string FactStacks::run(const std::vector<NpyArray> &inputs,
                            const std::vector<NpyArray> &outputs,
                            const NpzArchive &dumps) {
  std::string wrong;
  for (auto [i, stack] : llvm::enumerate(stacks)) {
    std::vector<NpyArray> taken = inputs, made = outputs;
    if (!isWhole) {
      taken.clear();
      made.clear();
      for (size_t j = 0; j < stack.inputs; ++j)
        taken.push_back(dumps.at(borderName(i, "in", j)));
      for (size_t j = 0; j < stack.outputs; ++j)
        made.push_back(dumps.at(borderName(i, "out", j)));
    }
    std::optional<std::string> error = ::fact::catchError([&, &stack = stack] {
      ::fact::sim::RunResult result = stack.simulator->run(taken, {});
      result.report.program = stack.name;
      for (size_t j = 0; j < stack.outputs && wrong.empty(); ++j)
        if (int64_t at = firstDifference(result.outputs[j], made[j]); at >= 0)
          wrong = "CPU and simulator differ in " + stack.name + ", element " +
                  std::to_string(at) + ": this is a bug";
      stack.report.add(result.report);
    });
    if (error)
      return *error;
    if (!wrong.empty())
      return wrong;
  }
  return "";
}

std::string FactStacks::summary() const {
  std::string text;
  for (const Stack &stack : stacks)
    text += (text.empty() ? "" : "\n") + stack.report.summary();
  return text;
}
