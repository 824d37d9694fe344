//===- ProgramTarget.cpp - Compiling for the accelerator ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramTarget.h"

#include "fact/Compiler/Driver.h"
#include "fact/Compiler/Options.h"
#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/Transforms/EncoderStacks.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"
#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/Transforms/Passes.h"
#include "fact/ISA/Cost.h"
#include "fact/ISA/Metadata.h"
#include "fact/ISA/Program.h"
#include "fact/Sim/Predict.h"
#include "fact/Support/Error.h"
#include "fact/Support/OutputFile.h"
#include "fact/Target/CheckProgram.h"
#include "fact/Target/EncodeProgram.h"
#include "fact/Target/LoadMachine.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::fact;

LogicalResult mlir::fact::lowerForFact(Compilation &compilation,
                                       const ::fact::ObjectOptions &options,
                                       bool plan) {
  if (failed(compilation.requireRaised()))
    return failure();
  return compilation.run([&](OpPassManager &pm) {
    FactToFactISAPassOptions lowering;
    lowering.machine = options.machine;
    lowering.schedule = llvm::StringSwitch<Schedule>(options.schedule)
                            .Case("differential", Schedule::Differential)
                            .Case("in-order", Schedule::InOrder)
                            .Default(Schedule::Overlap);
    lowering.speculate = options.speculate == "on";
    lowering.resident = options.resident == "on";
    // A program has one sequence.
    pm.addPass(createFixLengthPass());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createFactToFactISAPass(lowering));
    if (!plan)
      return;
    OpPassManager &functions = pm.nest<func::FuncOp>();
    functions.addPass(factisa::createPlanMemoryPass({options.machine}));
    functions.addPass(factisa::createOrderEnginesPass({options.machine}));
  });
}

/// Compile-time decisions, for --report.
static std::string report(const ::fact::ObjectOptions &options,
                          const ::fact::isa::Program &program,
                          ModuleOp module) {
  llvm::json::Object object;
  object["model"] = options.model;
  object["target"] = options.target;
  object["machine"] = program.machine.name;
  llvm::Expected<llvm::json::Value> metadata =
      llvm::json::parse(program.metadata);
  if (metadata) {
    object["policy"] = *metadata->getAsObject()->get("policy");
    object["layers"] = *metadata->getAsObject()->get("layers");
    object["bound"] = *metadata->getAsObject()->get("bound");
  }
  int64_t peak = 0, buffers = 0;
  module.walk([&](factisa::SramBufferOp buffer) {
    ++buffers;
    peak = std::max<int64_t>(peak, *buffer.getAddress() + buffer.getBytes());
  });
  object["instructions"] = static_cast<int64_t>(program.instructions.size());
  object["scratchpad_buffers"] = buffers;
  object["scratchpad_peak_bytes"] = peak;
  object["constant_bytes"] = static_cast<int64_t>(program.constantsSize());
  object["dram_bytes"] = static_cast<int64_t>(program.dramBytes);
  // The longest sequence, as the schedule expects it.
  auto function = *module.getOps<func::FuncOp>().begin();
  ::fact::isa::Expectation expected = factisa::expectationOf(function);
  expected.length =
      function->getAttrOfType<IntegerAttr>(factisa::kBoundAttrName).getInt();
  ::fact::sim::PredictedTime time = ::fact::sim::predictTime(program, expected);
  llvm::json::Object busy;
  for (unsigned i = 1; i < ::fact::isa::numEngines; ++i)
    busy[::fact::isa::engineName(static_cast<::fact::isa::Engine>(i))] =
        time.busy[i];
  object["predicted_cycles"] = time.cycles;
  object["predicted_busy_cycles"] = std::move(busy);
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object)));
  return text;
}

/// An attention of a policy that keeps a part of the keys, though nothing can
/// say which ones before its queries and keys are there: they come from
/// outside.
static LogicalResult requirePredictable(Compilation &compilation) {
  WalkResult result = compilation.module().walk([&](AttentionOp op) {
    PolicyAttr policy = policyOf(op);
    if (!policy || !policyFrom(policy).predicts() ||
        !isa<BlockArgument>(sourceOf(op.getQuery())) ||
        !isa<BlockArgument>(sourceOf(op.getKey())))
      return WalkResult::advance();
    InFlightDiagnostic diagnostic =
        emitError(op.getLoc())
        << "takes its queries and keys from outside of the program: nothing "
           "predicts which keys a query keeps";
    diagnostic.attachNote(op.getLoc())
        << "with the linear layers that make them in the program it is "
           "predicted; --preset=dense computes it as it is";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult
mlir::fact::makeProgram(Compilation &compilation,
                        const ::fact::ObjectOptions &options,
                        std::unique_ptr<::fact::isa::Program> &program) {
  std::string policyJson = ::fact::isa::policyJson(compilation.policy(),
                                                   compilation.layerPolicies());
  // IR is taken as it is.
  bool isOnnx = llvm::sys::path::extension(options.model) == ".onnx";
  if ((isOnnx && failed(requirePredictable(compilation))) ||
      failed(compilation.runTo(Stage::Sparse)) ||
      failed(lowerForFact(compilation, options, /*plan=*/true)))
    return failure();
  FailureOr<::fact::isa::Machine> machine =
      factisa::loadMachine(options.machine, compilation.module().getLoc());
  if (failed(machine))
    return failure();
  factisa::EncodeOptions encode;
  encode.policyJson = policyJson;
  factisa::ProgramPlaces places;
  program =
      factisa::encodeProgram(compilation.module(), *machine, encode, &places);
  return failure(!program || failed(factisa::checkProgram(*program, places)));
}

LogicalResult mlir::fact::addProgramFiles(
    Compilation &compilation, const ::fact::ObjectOptions &options,
    std::vector<std::pair<std::string, std::string>> &files) {
  std::unique_ptr<::fact::isa::Program> program;
  if (failed(makeProgram(compilation, options, program)))
    return failure();
  std::optional<std::string> error = ::fact::catchError([&] {
    files.emplace_back(options.output, program->toBytes());
    if (!options.report.empty())
      files.emplace_back(options.report,
                         report(options, *program, compilation.module()));
  });
  return error ? compilation.fail(*error) : success();
}

/// Writes the program of the module as it is.
static LogicalResult compileProgram(Compilation &compilation,
                                    const ::fact::ObjectOptions &options) {
  std::vector<std::pair<std::string, std::string>> files;
  if (failed(addProgramFiles(compilation, options, files)))
    return failure();
  std::optional<std::string> error =
      ::fact::catchError([&] { ::fact::writeFiles(files); });
  return error ? compilation.fail(*error) : success();
}

/// The argument that says which tokens are padding; empty if there is none.
static std::string paddingName(func::FuncOp main) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (main.getArgAttr(i, kPaddingAttrName)) {
      auto name = main.getArgAttrOfType<StringAttr>(i, kNameAttrName);
      return name ? name.str() : "argument " + std::to_string(i);
    }
  return "";
}

std::string mlir::fact::numbered(StringRef path, size_t number) {
  SmallString<128> result(path);
  llvm::sys::path::replace_extension(result, "");
  return (result + "-" + Twine(number) + llvm::sys::path::extension(path))
      .str();
}

LogicalResult mlir::fact::requireApart(ArrayRef<EncoderStack> stacks) {
  for (const EncoderStack &stack : stacks)
    if (stack.between) {
      InFlightDiagnostic diagnostic = emitError(stack.between->getLoc())
                                      << "stands between encoder layers, and "
                                         "is none: the accelerator would "
                                         "wait for it";
      diagnostic.attachNote(stack.ops.front()->getLoc())
          << "layers behind it begin here";
      diagnostic.attachNote(stack.between->getLoc())
          << "the CPU runs all of the model (fact-run, --target=cpu); --from "
             "and --to cut out the layers on one side";
      return failure();
    }
  return success();
}

LogicalResult mlir::fact::compileForFact(Compilation &compilation,
                                         const ::fact::ObjectOptions &options) {
  func::FuncOp main = compilation.main();
  SmallVector<EncoderStack> stacks = findEncoderStacks(main);
  if (stacks.empty())
    return compileProgram(compilation, options);
  if (failed(requireApart(stacks)))
    return failure();
  if (std::string padding = paddingName(main); !padding.empty())
    llvm::errs() << options.tool << ": tokens that '" << padding
                 << "' calls padding are to be left out: run the program on "
                    "the others (--length)\n";
  SmallVector<OwningOpRef<ModuleOp>> parts;
  for (auto [i, stack] : llvm::enumerate(stacks)) {
    ::fact::ObjectOptions own = options;
    if (stacks.size() > 1)
      own.output = numbered(options.output, i + 1);
    llvm::errs() << options.tool << ": '" << own.output
                 << "' is an encoder stack of " << stack.attentions
                 << " attentions: takes " << describeBorder(stack.inputs)
                 << "; makes " << describeBorder(stack.outputs)
                 << "; the rest of the model is for the CPU\n";
    parts.push_back(extractStack(main, stack));
  }
  for (auto [i, part] : llvm::enumerate(parts)) {
    ::fact::ObjectOptions own = options;
    if (parts.size() > 1) {
      own.output = numbered(options.output, i + 1);
      if (!options.report.empty())
        own.report = numbered(options.report, i + 1);
    }
    if (failed(compilation.replaceRaised(std::move(part))) ||
        failed(compileProgram(compilation, own)))
      return failure();
  }
  return success();
}
