//===- Run.cpp - What fact-run does ---------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Compiler/Run.h"

#include "RunArrays.h"
#include "RunOnFact.h"
#include "RunProfile.h"
#include "RunSignature.h"
#include "RunThreads.h"

#include "fact/Compiler/Driver.h"
#include "fact/Compiler/Options.h"
#include "fact/Conversion/FactToLoops/EntryPoint.h"
#include "fact/Conversion/FactToLoops/Tier.h"
#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"
#include "fact/Dialect/Fact/Transforms/SequenceExtents.h"
#include "fact/Execution/Interpreter.h"
#include "fact/Execution/Jit.h"
#include "fact/Execution/Reference.h"
#include "fact/Support/Batch.h"
#include "fact/Support/Error.h"
#include "fact/Support/TokenNumbers.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Target/TargetMachine.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>

using namespace mlir;
using namespace mlir::fact;
using ::fact::BatchAxis;
using ::fact::LayerShape;
using ::fact::NpyArray;
using ::fact::NpzArchive;
using ::fact::RunOptions;
using ::fact::TensorSpec;

namespace {

/// A result of a packed entry point, which is freed at the end.
class HandedOver {
public:
  explicit HandedOver(size_t rank) : words(packedExtents + rank) {}
  HandedOver(HandedOver &&) = default;
  ~HandedOver() {
    if (!words.empty())
      std::free(reinterpret_cast<void *>(words[0]));
  }

  void *place() { return words.data(); }
  NpyArray read(const std::string &dtype) const {
    NpyArray array{dtype, {words.begin() + packedExtents, words.end()}, {}};
    auto *data = reinterpret_cast<const char *>(words[1]);
    array.data.assign(data,
                      data + array.numElements() * ::fact::bytesOf(dtype));
    return array;
  }

private:
  std::vector<int64_t> words;
};

class Runner {
public:
  explicit Runner(const RunOptions &options)
      : options(options), compilation(options), threads(options.threads) {}

  LogicalResult run();
  std::string errorText() {
    return compilation.errorText("cannot run '" + options.model + "'");
  }

private:
  LogicalResult requireOtherFiles();
  LogicalResult readInputs();
  LogicalResult readSignature();
  LogicalResult countSequences();
  /// Calls run() for each sequence of a batch, with its inputs and length, and
  /// makes the results of what it leaves in `outputs`.
  LogicalResult forEachSequence(function_ref<LogicalResult()> run);
  /// The outputs of a sequence with zeros for what its inputs have more.
  std::vector<NpyArray> paddedOutputs();
  template <typename Each>
  static std::vector<BatchAxis> batchAxes(const std::vector<Each> &all) {
    std::vector<BatchAxis> axes;
    for (const Each &each : all)
      axes.push_back(each.batch);
    return axes;
  }
  LogicalResult matchInputs();
  LogicalResult applyPadding();
  LogicalResult requirePaddable();
  LogicalResult requireNoFactOps();
  LogicalResult makeSparse();
  LogicalResult compile();
  LogicalResult callEntry(int64_t times);
  LogicalResult simulate();
  LogicalResult runReference(std::vector<NpyArray> &results);
  void printMedian(std::vector<double> milliseconds);
  NpyArray withoutPadding(const NpyArray &expected);
  LogicalResult printAgreement(const NpyArray &reference);
  LogicalResult write();

  const RunOptions &options;
  Compilation compilation;
  std::vector<ModelInput> ports;
  std::vector<NpyArray> given; ///< of all sequences
  int64_t sequences = 1;
  std::vector<NpyArray> inputs;   ///< of a sequence, cropped to the length
  std::vector<NpyArray> outputs;  ///< of a sequence: own, then dumped ones
  std::vector<NpyArray> results;  ///< of all sequences, as they are written
  std::vector<ModelOutput> own;   ///< what the model returns
  std::vector<ModelOutput> dumps; ///< what is dumped beside it
  std::vector<LayerShape> layers;
  EntryLength range;
  int64_t rows = 0, length = 0;
  std::vector<int64_t> lengths;    ///< of all sequences that have run
  OwningOpRef<ModuleOp> unchanged; ///< the model for the f32 reference
  std::unique_ptr<Jit> jit;
  RunThreads threads;
  RunProfile profile;
  ProfilePeak peak;
  int64_t calls = 0;  ///< of compiled code
  double inCalls = 0; ///< milliseconds of all of them
  FactStacks onFact;
};

LogicalResult Runner::readInputs() {
  std::optional<std::string> error = ::fact::catchError([&] {
    for (const std::string &path : options.inputs)
      given.push_back(::fact::readInput(path));
  });
  return error ? compilation.fail(*error) : success();
}

LogicalResult Runner::readSignature() {
  func::FuncOp main = compilation.main();
  std::string wrong = readInputsOf(main, ports);
  if (wrong.empty())
    wrong = readOutputsOf(main, own, dumps);
  if (!wrong.empty())
    return compilation.fail(wrong);
  range = entryLength(main);
  if (ports.size() != options.inputs.size())
    return compilation.fail("the model takes " + Twine(ports.size()) +
                            " inputs (was given " +
                            Twine(options.inputs.size()) + ")");
  return countSequences();
}

LogicalResult Runner::countSequences() {
  std::vector<std::string> names;
  for (auto [port, array] : llvm::zip(ports, given)) {
    // What does not fit is said later.
    if (array.shape.size() != port.spec.shape.size())
      port.batch = {};
    names.push_back("'" + port.spec.name + "'");
  }
  std::optional<std::string> error = ::fact::catchError([&] {
    sequences = ::fact::countSequences(batchAxes(ports), given, names);
  });
  if (error)
    return compilation.fail(*error);
  if (sequences > 1 && !options.dumpMasks.empty())
    return compilation.fail("--dump-masks is for one sequence (was given " +
                            Twine(sequences) + ")");
  return success();
}

LogicalResult Runner::forEachSequence(function_ref<LogicalResult()> run) {
  ::fact::BatchOutputs all(batchAxes(own));
  for (int64_t i = 0; i < sequences; ++i) {
    inputs = ::fact::takeSequence(batchAxes(ports), given, i);
    if (failed(matchInputs()) || failed(run()))
      return failure();
    all.add(paddedOutputs(), length);
    lengths.push_back(length);
  }
  std::optional<std::string> error =
      ::fact::catchError([&] { results = all.join(); });
  return error ? compilation.fail(*error) : success();
}

std::vector<NpyArray> Runner::paddedOutputs() {
  std::vector<NpyArray> padded;
  for (auto [output, array] : llvm::zip(own, outputs))
    padded.push_back(length == rows ? array : pad(output.spec, array, rows));
  return padded;
}

LogicalResult Runner::matchInputs() {
  std::vector<TensorSpec> specs;
  for (const ModelInput &port : ports)
    specs.push_back(port.spec);
  std::optional<std::string> error = ::fact::catchError(
      [&] { rows = sequenceRows(specs, inputs, options.inputs); });
  if (error)
    return compilation.fail(*error);
  bool isOpen = rows != 0;
  if (isOpen && (rows < range.smallest || rows > range.largest))
    return compilation.fail("the inputs must have " + Twine(range.smallest) +
                            " to " + Twine(range.largest) + " rows (was " +
                            Twine(rows) + ")");
  if (!isOpen)
    rows = range.largest;
  length = options.length ? options.length : rows;
  if (failed(applyPadding()))
    return failure();
  if (!isOpen && length != rows)
    return compilation.fail("length must be " + Twine(rows) +
                            ": the model's shapes are fixed (was " +
                            Twine(length) + ")");
  if (length > rows)
    return compilation.fail("length must be between 1 and the input's " +
                            Twine(rows) + " rows (was " + Twine(length) + ")");
  error = ::fact::catchError([&] {
    for (auto [port, array] : llvm::zip(ports, inputs))
      if (port.isPositions)
        ::fact::requireCounting(array, rows, length, port.spec.name);
  });
  if (error)
    return compilation.fail(*error + "\nnote: --reference=f32 takes any");
  for (size_t i = 0; i < specs.size(); ++i)
    inputs[i] = crop(specs[i], inputs[i], length);
  return requirePaddable();
}

/// Padding that is left out comes back as zeros behind a result's rows: it has
/// to have a row for each token.
LogicalResult Runner::requirePaddable() {
  if (length == rows)
    return success();
  for (const ModelOutput &output : own)
    if (!isSequenceOrFixed(output.extents))
      return compilation.fail(
          "output '" + Twine(output.spec.name) + "' has the shape [" +
          llvm::join(llvm::map_range(output.extents, extentText), ", ") +
          "], which has no place for padding: the length must be the input's " +
          Twine(rows) + " rows (was " + Twine(length) + ")");
  return success();
}

/// The real tokens of the model's padding masks are the length.
LogicalResult Runner::applyPadding() {
  for (auto pair : llvm::zip(ports, inputs)) {
    auto &port = std::get<0>(pair);
    auto &array = std::get<1>(pair);
    if (!port.padding)
      continue;
    const std::string &name = port.spec.name;
    int64_t real = 0;
    std::optional<std::string> error = ::fact::catchError(
        [&] { real = ::fact::countRealTokens(array, *port.padding, name); });
    if (error)
      return compilation.fail(*error);
    if (port.isFixed) {
      if (real != array.numElements())
        return compilation.fail("padding mask '" + name + "' calls token " +
                                Twine(real) +
                                " padding, but the model's shapes are fixed: "
                                "all tokens must be real (--reference=f32 "
                                "takes any mask)");
      continue;
    }
    if (length != real && length != rows)
      return compilation.fail("padding mask '" + name + "' has " + Twine(real) +
                              " real tokens, the length is " + Twine(length));
    length = real;
  }
  return success();
}

/// The f32 reference runs models as they were before they were raised.
LogicalResult Runner::requireNoFactOps() {
  WalkResult result = compilation.module().walk([&](Operation *op) {
    if (!isa_and_nonnull<FactDialect>(op->getDialect()))
      return WalkResult::advance();
    op->emitOpError() << "is raised already: the f32 reference runs models in "
                         "float32, as they are imported";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult Runner::makeSparse() {
  if (failed(compilation.runTo(Stage::Sparse)))
    return failure();
  if (!options.dumpMasks.empty() &&
      failed(compilation.run(
          [](OpPassManager &pm) { pm.addPass(createExposeMasksPass()); })))
    return failure();
  func::FuncOp main = compilation.main();
  if (auto described = main->getAttrOfType<ArrayAttr>(kLayersAttrName))
    for (auto layer : described.getAsRange<DictionaryAttr>())
      layers.push_back({layer.getAs<IntegerAttr>("heads").getInt(),
                        layer.getAs<IntegerAttr>("key_heads").getInt(),
                        windowOf(layer.getAs<WindowAttr>("window")),
                        layer.getAs<BoolAttr>("given").getValue()});
  return success();
}

LogicalResult Runner::compile() {
  // What is emulated runs here.
  std::string cpu = options.emulate ? "native" : options.cpu;
  auto machine = createTargetMachine(cpu);
  if (!machine)
    return compilation.fail(llvm::toString(machine.takeError()));
  CpuPipelineOptions pipeline = pipelineOptionsFor(**machine);
  if (options.emulate) {
    if (!findTier(options.cpu))
      return compilation.fail("--emulate needs a tier: --cpu=" + options.cpu +
                              " is none (there are " + tierNames() + ")");
    pipeline.tier = options.cpu;
    pipeline.emulate = true;
  }
  pipeline.packed = true;
  pipeline.fillUndefined = options.fillUndefined;
  pipeline.profile = options.profile;
  if (options.profile) {
    auto measured =
        measurePeak(compilation.module().getContext(), pipeline, cpu);
    if (!measured)
      return compilation.fail(llvm::toString(measured.takeError()));
    peak = *measured;
  }
  auto begin = std::chrono::steady_clock::now();
  auto toLoops = [&](OpPassManager &pm) {
    buildFactToLoopsPipeline(pm, pipeline);
  };
  if (failed(compilation.run(toLoops)))
    return failure();
  if (options.profile)
    profile.takeRegions(compilation.module());
  auto toLLVM = [&](OpPassManager &pm) {
    buildLoopsToLLVMPipeline(pm, pipeline);
  };
  if (failed(compilation.run(toLLVM)))
    return failure();
  auto compiled = Jit::compile(compilation.module(), pipeline.entryPoint, cpu,
                               RunProfile::symbols(),
                               /*keepObject=*/!options.dumpObject.empty());
  if (!compiled)
    return compilation.fail(llvm::toString(compiled.takeError()));
  jit = std::move(*compiled);
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - begin;
  if (options.repeat)
    llvm::errs() << "fact-run: tier " << pipeline.tier
                 << (pipeline.emulate ? " (emulated)" : "") << ", "
                 << options.threads
                 << (options.threads == 1 ? " thread" : " threads")
                 << llvm::format(", compiled in %.2f s\n", seconds.count());
  return success();
}

LogicalResult Runner::callEntry(int64_t times) {
  outputs.clear();
  std::vector<const TensorSpec *> specs;
  for (const ModelOutput &output : own)
    specs.push_back(&output.spec);
  for (const ModelOutput &dump : dumps)
    specs.push_back(&dump.spec);
  auto entry = reinterpret_cast<PackedEntry>(jit->address());
  std::vector<double> milliseconds;
  for (int64_t i = 0; i < std::max<int64_t>(times, 1); ++i) {
    EntryError error;
    std::vector<void *> pointers;
    std::vector<HandedOver> made;
    for (NpyArray &input : inputs)
      pointers.push_back(input.data.data());
    for (const TensorSpec *spec : specs)
      pointers.push_back(made.emplace_back(spec->shape.size()).place());
    auto begin = std::chrono::steady_clock::now();
    int32_t status = entry(pointers.data(), length, &error, threads.parallel());
    auto end = std::chrono::steady_clock::now();
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(end - begin).count());
    std::string where =
        ("'" + Twine(error.tensor ? error.tensor : "?") + "' row " +
         Twine(error.row) + ", column " + Twine(error.column))
            .str();
    switch (static_cast<EntryStatus>(status)) {
    case EntryStatus::Ok:
      break;
    case EntryStatus::BadLength:
      return compilation.fail("the entry point refuses length " +
                              Twine(length));
    case EntryStatus::BadInput:
      return compilation.fail("input " + where +
                              " is not finite or above 2^50 in magnitude");
    case EntryStatus::BadHost:
      return compilation.fail(
          "this processor has no " + Twine(error.tensor ? error.tensor : "?") +
          ", for which the model is compiled (--cpu=" + options.cpu +
          "; --emulate runs a tier's code in plain arithmetic)");
    case EntryStatus::BadOutput:
      return compilation.fail("output " + where + " is not finite");
    }
    if (i + 1 >= times)
      for (auto [spec, output] : llvm::zip(specs, made))
        outputs.push_back(output.read(spec->dtype));
  }
  calls += static_cast<int64_t>(milliseconds.size());
  inCalls = std::accumulate(milliseconds.begin(), milliseconds.end(), inCalls);
  if (times > 0)
    printMedian(std::move(milliseconds));
  return success();
}

void Runner::printMedian(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  size_t n = milliseconds.size();
  double median = (milliseconds[(n - 1) / 2] + milliseconds[n / 2]) / 2;
  std::printf("median %.3f ms\n", median);
}

LogicalResult Runner::runReference(std::vector<NpyArray> &results) {
  auto function = compileReference(*unchanged);
  if (!function)
    return compilation.fail(llvm::toString(function.takeError()));
  bool isReference = !options.reference.empty();
  std::vector<double> milliseconds;
  for (int64_t i = 0;
       i < std::max<int64_t>(isReference ? options.repeat : 1, 1); ++i) {
    auto begin = std::chrono::steady_clock::now();
    auto called = (*function)->invoke(inputs);
    auto end = std::chrono::steady_clock::now();
    if (!called)
      return compilation.fail(llvm::toString(called.takeError()));
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(end - begin).count());
    results = std::move(*called);
  }
  if (isReference && options.repeat > 0)
    printMedian(std::move(milliseconds));
  return success();
}

/// What the reference makes of a batch's padding is zero on the other side.
NpyArray Runner::withoutPadding(const NpyArray &expected) {
  const ModelOutput &output = own.front();
  ::fact::BatchOutputs all({output.batch});
  for (size_t i = 0; i < lengths.size(); ++i) {
    NpyArray one = ::fact::takeSequence({output.batch}, {expected}, i).front();
    if (lengths[i] != rows)
      one = pad(output.spec, crop(output.spec, one, lengths[i]), rows);
    all.add({std::move(one)}, lengths[i]);
  }
  return all.join().front();
}

LogicalResult Runner::printAgreement(const NpyArray &reference) {
  const NpyArray &got = sequences > 1 ? results.front() : outputs.front();
  if (got.dtype != "<f4" || got.shape != reference.shape)
    return compilation.fail(
        "the output cannot be compared with the f32 reference");
  NpyArray expected = sequences > 1 ? withoutPadding(reference) : reference;
  const float *a = reinterpret_cast<const float *>(got.data.data());
  const float *b = reinterpret_cast<const float *>(expected.data.data());
  double aa = 0, bb = 0, ab = 0, largest = 0;
  for (int64_t i = 0, n = got.numElements(); i < n; ++i) {
    aa += double(a[i]) * a[i], bb += double(b[i]) * b[i],
        ab += double(a[i]) * b[i];
    largest = std::max(largest, std::fabs(double(a[i]) - b[i]));
  }
  double norms = std::sqrt(aa) * std::sqrt(bb);
  std::printf("cosine %.6f, largest difference %g\n",
              norms > 0 ? ab / norms : (aa == bb ? 1.0 : 0.0), largest);
  return success();
}

LogicalResult Runner::write() {
  std::string object;
  if (!options.dumpObject.empty()) {
    auto kept = jit->object();
    if (!kept)
      return compilation.fail(llvm::toString(kept.takeError()));
    object = std::move(*kept);
  }
  std::optional<std::string> error = ::fact::catchError([&] {
    NpzArchive masks;
    if (!options.dumpMasks.empty()) {
      NpzArchive found;
      for (size_t i = 0; i < dumps.size(); ++i)
        found[dumps[i].spec.name] = outputs[own.size() + i];
      masks = completeMasks(std::move(found), layers, length);
    }
    writeAll(options.outputs, results, options.dumpMasks, masks,
             options.dumpObject, object);
  });
  return error ? compilation.fail(*error) : success();
}

/// No output may take the place of the model.
LogicalResult Runner::requireOtherFiles() {
  std::vector<std::string> written = options.outputs;
  written.push_back(options.dumpMasks);
  written.push_back(options.dumpObject);
  for (const std::string &path : written)
    if (!path.empty() && llvm::sys::fs::equivalent(path, options.model))
      return compilation.fail("an output must not be the model (was '" + path +
                              "')");
  return success();
}

LogicalResult Runner::run() {
  if (failed(requireOtherFiles()) || failed(readInputs()))
    return failure();
  std::vector<std::vector<int64_t>> shapes;
  for (const NpyArray &input : given)
    shapes.push_back(input.shape);
  if (failed(compilation.load(shapes)))
    return failure();
  // Stages may make another function of it.
  size_t returned = compilation.main().getNumResults();
  if (options.outputs.size() != returned)
    return compilation.fail("the model has " + Twine(returned) +
                            " outputs (was given " +
                            Twine(options.outputs.size()) + " --output)");
  bool inFloat = options.reference == "f32";
  if (inFloat || options.compare) {
    if (failed(requireNoFactOps()))
      return failure();
    if (options.compare)
      unchanged = compilation.module().clone();
  }
  if (inFloat) {
    auto fixLength = [](OpPassManager &pm) {
      pm.addPass(createFixLengthPass({/*oneSequence=*/false}));
    };
    if (failed(compilation.run(fixLength)) || failed(readSignature()))
      return failure();
    inputs = given;
    if (failed(matchInputs()))
      return failure();
    unchanged = compilation.module().clone();
    if (failed(runReference(outputs)))
      return failure();
    results = paddedOutputs();
    return write();
  }
  if (failed(compilation.runTo(Stage::Raised)))
    return failure();
  compilation.announce();
  if (options.on == "fact" && failed(onFact.prepare(compilation, options)))
    return failure();
  // The model may fix the length of its inputs.
  if (failed(makeSparse()) || failed(readSignature()))
    return failure();
  if (options.reference == "numerics") {
    auto interpretOne = [&]() {
      outputs.clear();
      return interpret(compilation.main(), inputs, outputs);
    };
    return failed(forEachSequence(interpretOne)) ? failure() : write();
  }
  // What does not fit is said before the model is compiled.
  auto callOne = [&]() {
    if (!jit && failed(compile()))
      return failure();
    if (failed(callEntry(options.repeat)))
      return failure();
    return options.on == "fact" ? simulate() : success();
  };
  if (failed(forEachSequence(callOne)))
    return failure();
  if (options.profile)
    llvm::outs() << profile.table(calls, inCalls, peak);
  llvm::outs().flush();
  if (options.compare) {
    if (sequences > 1)
      inputs = given;
    std::vector<NpyArray> expected;
    if (failed(runReference(expected)) ||
        failed(printAgreement(expected.front())))
      return failure();
  }
  if (failed(write()))
    return failure();
  if (options.on == "fact")
    llvm::outs() << onFact.summary();
  return success();
}

/// Holds the programs of the encoder stacks against what the CPU has made.
LogicalResult Runner::simulate() {
  NpzArchive borders;
  for (size_t i = 0; i < dumps.size(); ++i)
    borders[dumps[i].spec.name] = outputs[own.size() + i];
  std::string wrong = onFact.run(inputs, outputs, borders);
  return wrong.empty() ? success() : compilation.fail(wrong);
}

} // namespace

namespace fact {
std::optional<std::string> runModel(const RunOptions &options) {
  return onLargeStack([&]() -> std::optional<std::string> {
    Runner runner(options);
    if (succeeded(runner.run()))
      return std::nullopt;
    return runner.errorText();
  });
}
} // namespace fact
