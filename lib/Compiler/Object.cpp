//===- Object.cpp - What fact-compile does --------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Compiler/Object.h"

#include "CHeader.h"
#include "Explain.h"
#include "PartitionTarget.h"
#include "ProgramTarget.h"

#include "fact/Compiler/Driver.h"
#include "fact/Compiler/Options.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/Transforms/SequenceExtents.h"
#include "fact/Execution/Jit.h"
#include "fact/ISA/Machine.h"
#include "fact/Support/Error.h"
#include "fact/Support/OutputFile.h"
#include "fact/Target/LoadMachine.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Path.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::ObjectOptions;

/// The function's name in C: the output file's, without extension.
static std::string functionName(StringRef output) {
  std::string name;
  for (char c : llvm::sys::path::stem(output))
    name.push_back(llvm::isAlnum(c) ? c : '_');
  if (name.empty() || llvm::isDigit(name.front()))
    name.insert(0, "fact_");
  return name;
}

/// What a model has to go through for a CPU: the stages `cpu` and `llvm`.
static LogicalResult lowerForCpu(Compilation &compilation,
                                 llvm::TargetMachine &machine,
                                 const std::string &name, bool toLLVM) {
  CpuPipelineOptions pipeline = pipelineOptionsFor(machine);
  pipeline.entryPoint = name;
  return compilation.run([&](OpPassManager &pm) {
    buildFactToLoopsPipeline(pm, pipeline);
    if (toLLVM)
      buildLoopsToLLVMPipeline(pm, pipeline);
  });
}

/// Callers in C have to know how large an output is.
static LogicalResult requireExtents(Compilation &compilation) {
  func::FuncOp main = compilation.main();
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    SmallVector<AffineExpr> extents = resultExtents(main, i);
    const auto *unknown = llvm::find(extents, AffineExpr());
    if (unknown == extents.end())
      continue;
    auto name = main.getResultAttrOfType<StringAttr>(i, kNameAttrName);
    return compilation.fail("output '" +
                            (name ? name.str() : std::to_string(i)) +
                            "' cannot be described in a C header: extent " +
                            Twine(unknown - extents.begin()) +
                            " does not follow from the sequence's length");
  }
  return success();
}

/// Object file and header.
static LogicalResult compileForCpu(Compilation &compilation,
                                   const ObjectOptions &options) {
  auto machine = createTargetMachine(options.cpu);
  if (!machine)
    return compilation.fail(llvm::toString(machine.takeError()));
  std::string name = functionName(options.output);
  std::string policy = compilation.policyLine();
  if (failed(compilation.runTo(Stage::Sparse)))
    return failure();
  if (failed(requireExtents(compilation)))
    return failure();
  std::string header = cHeader(compilation.main(), name, policy);
  if (failed(lowerForCpu(compilation, **machine, name, /*toLLVM=*/true)))
    return failure();
  auto object = emitObject(compilation.module(), **machine, name);
  if (!object)
    return compilation.fail(llvm::toString(object.takeError()));
  SmallString<128> headerPath(options.output);
  llvm::sys::path::replace_extension(headerPath, "h");
  if (headerPath == options.output)
    return compilation.fail("the object file must not end in '.h' (was '" +
                            options.output + "')");
  std::optional<std::string> error = ::fact::catchError([&] {
    ::fact::writeFiles(
        {{options.output, *object}, {headerPath.str().str(), header}});
  });
  return error ? compilation.fail(*error) : success();
}

/// Prints on standard output.
static LogicalResult print(Compilation &compilation,
                           llvm::function_ref<void()> text) {
  text();
  llvm::outs().flush();
  if (std::error_code error = llvm::outs().error()) {
    llvm::outs().clear_error(); // otherwise LLVM ends the process itself
    return compilation.fail("cannot write to standard output: " +
                            error.message());
  }
  return success();
}

/// Prints a stage on standard output.
static LogicalResult emitStage(Compilation &compilation,
                               const ObjectOptions &options) {
  static const std::pair<StringRef, Stage> shared[] = {
      {"imported", Stage::Imported},
      {"raised", Stage::Raised},
      {"quantized", Stage::Quantized},
      {"sparse", Stage::Sparse}};
  bool done = false;
  for (auto [name, stage] : shared)
    if (options.emit == name) {
      if (failed(compilation.runTo(stage)))
        return failure();
      done = true;
    }
  if (options.emit == "cpu" || options.emit == "llvm") {
    auto machine = createTargetMachine(options.cpu);
    if (!machine)
      return compilation.fail(llvm::toString(machine.takeError()));
    if (failed(compilation.runTo(Stage::Sparse)) ||
        failed(lowerForCpu(compilation, **machine,
                           functionName(llvm::sys::path::stem(options.model)),
                           options.emit == "llvm")))
      return failure();
    done = true;
  }
  if (options.emit == "scheduled" || options.emit == "factisa") {
    if (failed(compilation.runTo(Stage::Sparse)) ||
        failed(lowerForFact(compilation, options,
                            /*plan=*/options.emit == "factisa")))
      return failure();
    done = true;
  }
  if (!done)
    return compilation.fail("the stage '" + options.emit +
                            "' is not there yet");
  return print(compilation, [&] { compilation.module().print(llvm::outs()); });
}

static LogicalResult compile(Compilation &compilation,
                             const ObjectOptions &options) {
  // First, and not as something about a line of the model.
  if (failed(factisa::loadMachine(options.machine,
                                  UnknownLoc::get(&compilation.context()))) ||
      failed(compilation.load()))
    return failure();
  if (!options.emit.empty())
    return emitStage(compilation, options);
  if (options.output.empty() && !options.explain)
    return compilation.fail("needs an output file (-o)");
  if (failed(compilation.runTo(Stage::Raised)))
    return failure();
  if (options.explain)
    return print(compilation, [&] { llvm::outs() << explain(compilation); });
  compilation.announce();
  if (options.target == "cpu")
    return compileForCpu(compilation, options);
  return compileForFact(compilation, options);
}

namespace fact {
std::optional<std::string> compileModel(const ObjectOptions &options) {
  return onLargeStack([&]() -> std::optional<std::string> {
    if (!options.partition.empty())
      return compilePartition(options);
    Compilation compilation(options);
    if (succeeded(compile(compilation, options)))
      return std::nullopt;
    return compilation.errorText("cannot compile '" + options.model + "'");
  });
}
} // namespace fact
