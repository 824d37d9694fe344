//===- Driver.cpp - From a model file to any stage of the compiler --------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Compiler/Driver.h"

#include "ImportTrial.h"

#include "fact/Compiler/Options.h"
#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Dialect/Fact/IR/Recursion.h"
#include "fact/Dialect/Fact/IR/Sequence.h"
#include "fact/Dialect/Fact/Transforms/EncoderStacks.h"
#include "fact/Dialect/Fact/Transforms/InlineCalls.h"
#include "fact/Dialect/Fact/Transforms/LayerPolicies.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"
#include "fact/Import/ONNX/Import.h"
#include "fact/InitAll.h"
#include "fact/Numerics/Limits.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/thread.h"

using namespace mlir;
using namespace mlir::fact;

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

static std::string textOf(Location location, const Twine &text) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  if (auto file = location->findInstanceOf<FileLineColLoc>()) {
    stream << file.getFilename().getValue();
    if (file.getLine() != 0)
      stream << ':' << file.getLine() << ':' << file.getColumn();
    stream << ": ";
  } else if (auto name = location->findInstanceOf<NameLoc>()) {
    stream << name.getName() << ": ";
  }
  stream << text;
  return result;
}

/// Keeps the first error; prints warnings and, if wanted, remarks.
class Compilation::Diagnostics {
public:
  Diagnostics(MLIRContext *context, StringRef tool, bool remarks)
      : handler(context, [this, tool = tool.str(),
                          remarks](Diagnostic &diagnostic) {
          std::string text = textOf(diagnostic.getLocation(), diagnostic.str());
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
            if (first.empty()) {
              first = text;
              for (Diagnostic &note : diagnostic.getNotes())
                first += "\n  note: " + textOf(note.getLocation(), note.str());
            }
          } else if (diagnostic.getSeverity() == DiagnosticSeverity::Warning) {
            llvm::errs() << tool << ": warning: " << text << "\n";
          } else if (remarks) {
            llvm::errs() << tool << ": remark: " << text << "\n";
          }
          return success();
        }) {}

  std::string first;

private:
  ScopedDiagnosticHandler handler;
};

/// Keeps why a batch is not taken apart and why `fact-raise` left ops alone,
/// whether remarks are printed or not.
class Compilation::MissCollector
    : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit MissCollector(std::vector<Miss> &misses) : misses(misses) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    if (!llvm::is_contained(categories, remark.getCategoryName()) ||
        remark.getRemarkType() != llvm::remarks::Type::Missed)
      return;
    Miss miss{remark.getLocation(), "", ""};
    for (const auto &argument : remark.getArgs())
      if (argument.key == "Reason")
        miss.reason = argument.val;
      else if (argument.key == "Suggestion")
        miss.suggestion = argument.val;
    misses.push_back(std::move(miss));
  }

  static constexpr StringRef categories[] = {"fact-split-batch", "fact-raise"};

private:
  std::vector<Miss> &misses;
};

std::optional<std::string> mlir::fact::onLargeStack(
    llvm::function_ref<std::optional<std::string>()> work) {
  constexpr unsigned bytes = 1u << 30; // of addresses, not of memory
  std::optional<std::string> result;
  llvm::thread thread(std::optional<unsigned>(bytes), [&] { result = work(); });
  thread.join();
  return result;
}

Compilation::Compilation(const ::fact::CompileOptions &options)
    : options(options) {
  DialectRegistry registry;
  registerAllDialects(registry);
  // One thread: a tool's work is short, and its order is the same every time.
  context_ =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context_->printOpOnDiagnostic(false);
  diagnostics = std::make_unique<Diagnostics>(context_.get(), options.tool,
                                              options.remarks);
  remark::RemarkCategories categories;
  categories.missed = llvm::join(ArrayRef(MissCollector::categories), "|");
  if (options.remarks)
    categories = {std::nullopt, ".*", ".*", ".*", ".*"};
  (void)remark::enableOptimizationRemarks(
      *context_, std::make_unique<MissCollector>(misses),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), categories,
      /*printAsEmitRemarks=*/options.remarks);
}

Compilation::~Compilation() = default;

LogicalResult Compilation::fail(const Twine &text) {
  if (diagnostics->first.empty())
    diagnostics->first = text.str();
  return failure();
}

std::string Compilation::errorText(StringRef otherwise) {
  return diagnostics->first.empty() ? otherwise.str() : diagnostics->first;
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

func::FuncOp Compilation::main() {
  return owned->lookupSymbol<func::FuncOp>("main");
}

LogicalResult
Compilation::load(const std::vector<std::vector<int64_t>> &arrays) {
  StringRef extension = llvm::sys::path::extension(options.model);
  if (extension == ".onnx") {
    OnnxImportOptions import;
    import.from = options.from;
    if (!options.to.empty())
      import.to = {options.to};
    import.arrays = arrays;
    for (const std::string &shape : options.shapes)
      if (std::string wrong = parseShapeOption(shape, import.shapes);
          !wrong.empty())
        return fail(wrong);
    return loadOnnx(import);
  }
  if (extension == ".mlir" || extension == ".mlirbc") {
    if (!options.from.empty() || !options.to.empty() || !options.shapes.empty())
      return fail("--from, --to and --shape are for ONNX models (model is '" +
                  options.model + "')");
    std::string reason;
    auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(
        options.model, /*IsText=*/extension == ".mlir");
    if (!buffer)
      return fail("cannot read '" + options.model +
                  "': " + buffer.getError().message());
    llvm::SourceMgr sources;
    sources.AddNewSourceBuffer(std::move(*buffer), SMLoc());
    owned = parseSourceFile<ModuleOp>(sources, context_.get());
  } else {
    return fail("a model is a .mlir, .mlirbc or .onnx file (was '" +
                options.model + "')");
  }
  return checkLoaded();
}

LogicalResult Compilation::loadOnnx(const OnnxImportOptions &import) {
  std::unique_ptr<OnnxFile> file =
      OnnxFile::read(options.model, import, context_.get());
  if (!file)
    return failure();
  nodes = file->nodes();
  owned = importModel(*file, import);
  misses.clear(); // of imports that were tried
  return checkLoaded();
}

LogicalResult Compilation::checkLoaded() {
  if (!owned)
    return fail("cannot read '" + options.model + "'");
  if (!main() || main().isExternal())
    return fail("'" + options.model + "' has no function 'main'");
  for (TypeRange types : {TypeRange(main().getArgumentTypes()),
                          TypeRange(main().getResultTypes())})
    for (Type type : types)
      if (!isa<RankedTensorType>(type)) {
        std::string text;
        llvm::raw_string_ostream(text) << type;
        return fail("'main' must take and return ranked tensors (was '" + text +
                    "')");
      }
  for (unsigned i = 0; i < main().getNumResults(); ++i)
    if (main().getResultAttr(i, kDumpAttrName))
      return fail("'main' has '" + kDumpAttrName + "' at result " + Twine(i) +
                  ", which is what --dump-masks adds");
  if (failed(verifyNotRecursive(main())))
    return failure();
  // A model is 'main' and what it calls; a call that nobody reads is no layer.
  for (auto function : owned->getOps<func::FuncOp>()) {
    for (Block &block : llvm::reverse(function.getBody()))
      eraseDead(block);
    function.setVisibility(function == main()
                               ? SymbolTable::Visibility::Public
                               : SymbolTable::Visibility::Private);
  }
  if (failed(run([](OpPassManager &pm) { pm.addPass(createSymbolDCEPass()); })))
    return failure();
  WalkResult sparse = owned->walk([](arith::ConstantOp op) {
    if (!isa<SparseElementsAttr>(op.getValue()))
      return WalkResult::advance();
    op.emitOpError() << "is sparse: constants of a model must be 'dense' or "
                        "'dense_resource'";
    return WalkResult::interrupt();
  });
  return failure(sparse.wasInterrupted());
}

LogicalResult
Compilation::run(llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(context_.get());
  build(pm);
  return pm.run(*owned);
}

LogicalResult Compilation::replaceRaised(OwningOpRef<ModuleOp> part) {
  owned = std::move(part);
  stage = Stage::Raised;
  misses.clear();
  for (auto function : owned->getOps<func::FuncOp>())
    if (function != main())
      function.setPrivate();
  return run([](OpPassManager &pm) { pm.addPass(createSymbolDCEPass()); });
}

template <typename... Ops> static bool hasAny(ModuleOp module) {
  return module
      ->walk([](Operation *op) {
        return isa<Ops...>(op) ? WalkResult::interrupt()
                               : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether anything of a module is an encoder layer's.
static bool hasFactOps(ModuleOp module) {
  return module
      ->walk([](Operation *op) {
        return isa<FactDialect>(op->getDialect()) ? WalkResult::interrupt()
                                                  : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Adds what is made of a value by one operation after another, up to the next
/// product.
static void addUpToProduct(Value value, SetVector<Operation *> &ops) {
  for (Operation *user : value.getUsers())
    if (ops.insert(user) && user->getNumResults() == 1 &&
        !linalg::isaContractionOpInterface(dyn_cast<linalg::LinalgOp>(user)))
      addUpToProduct(user->getResult(0), ops);
}

/// Of a model without attention that has softmaxes, what is between the layers
/// and a softmax, or between it and the product with the values, says why: that
/// comes first, and is not one of many.
static void putSoftmaxReasonsFirst(func::FuncOp main,
                                   std::vector<Compilation::Miss> &misses) {
  if (countAttentions(main) > 0)
    return;
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.filter = [](Operation *op) {
    return !isa_and_nonnull<FactDialect>(op->getDialect());
  };
  main.walk([&](linalg::SoftmaxOp softmax) {
    (void)getBackwardSlice(softmax, &slice, options);
    addUpToProduct(softmax.getResult()[0], slice);
  });
  DenseSet<Location> locations;
  for (Operation *op : slice)
    locations.insert(op->getLoc());
  std::stable_partition(misses.begin(), misses.end(), [&](const auto &miss) {
    return locations.contains(miss.location);
  });
}

LogicalResult Compilation::requireRaised() {
  bool anyLeft = owned
                     ->walk([](Operation *op) {
                       return isa<linalg::LinalgDialect>(op->getDialect()) &&
                                      !isa<linalg::FillOp, linalg::YieldOp>(op)
                                  ? WalkResult::interrupt()
                                  : WalkResult::advance();
                     })
                     .wasInterrupted();
  if (!anyLeft || misses.empty())
    return success();
  putSoftmaxReasonsFirst(main(), misses);
  const Miss &first = misses.front();
  InFlightDiagnostic diagnostic =
      emitError(first.location)
      << "is no part of an encoder layer, and nothing else runs on the "
         "accelerator: "
      << first.reason;
  diagnostic.attachNote(first.location) << first.suggestion;
  constexpr size_t shown = 4;
  ArrayRef<Miss> others = ArrayRef<Miss>(misses).drop_front();
  for (const Miss &other : others.take_front(shown))
    diagnostic.attachNote(other.location) << "nor is this: " << other.reason;
  if (others.size() > shown)
    diagnostic.attachNote(first.location)
        << others.size() - shown << " more: see --remarks";
  diagnostic.attachNote(first.location)
      << "the CPU runs it in float32 (fact-run, --target=cpu); --from and --to "
         "cut the layers out of an ONNX model";
  return diagnostic;
}

/// The policy in the IR: that of the module, or else the first one in it.
static PolicyAttr findPolicy(ModuleOp module) {
  PolicyAttr found;
  module->walk<WalkOrder::PreOrder>([&](Operation *op) {
    found = op->getAttrOfType<PolicyAttr>(kPolicyAttrName);
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

std::optional<::fact::numerics::Policy> Compilation::policy() {
  PolicyAttr attribute = findPolicy(*owned);
  return attribute ? std::optional(policyFrom(attribute)) : std::nullopt;
}

std::vector<::fact::numerics::LayerPolicy> Compilation::layerPolicies() {
  std::vector<::fact::numerics::LayerPolicy> result;
  std::optional<::fact::numerics::Policy> whole = policy();
  int64_t layer = 0;
  for (PolicyAttr attribute : mlir::fact::layerPolicies(main())) {
    std::string text = attribute ? policyFrom(attribute).print() : "";
    if (whole && attribute && text != whole->print()) {
      if (result.empty() || result.back().last != layer - 1 ||
          result.back().text != text)
        result.push_back({layer, layer, text});
      result.back().last = layer;
    }
    ++layer;
  }
  return result;
}

std::string Compilation::policyLine() {
  std::optional<::fact::numerics::Policy> found = policy();
  if (!found)
    return "";
  std::string line = "policy: " + found->print();
  for (const ::fact::numerics::LayerPolicy &own : layerPolicies())
    line += (own.first == own.last ? "; layer " + std::to_string(own.first)
                                   : "; layers " + std::to_string(own.first) +
                                         " to " + std::to_string(own.last)) +
            ": " + own.text;
  return line;
}

std::vector<std::string> Compilation::assumptions() {
  std::vector<std::string> lines;
  func::FuncOp function = main();
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (function.getArgAttr(i, kPositionsAttrName)) {
      auto name = function.getArgAttrOfType<StringAttr>(i, kNameAttrName);
      lines.push_back("positions '" +
                      (name ? name.str() : "input " + std::to_string(i)) +
                      "' are taken to be 0, 1, 2, ...");
    }
  return lines;
}

void Compilation::announce() {
  std::vector<std::string> lines = assumptions();
  if (std::string policy = policyLine(); !policy.empty())
    lines.insert(lines.begin(), policy);
  for (const std::string &line : lines)
    llvm::errs() << options.tool << ": " << line << "\n";
}

LogicalResult Compilation::runTo(Stage wanted) {
  while (stage < wanted) {
    LogicalResult result = success();
    switch (stage) {
    case Stage::Imported:
      isOneSequence = hasFactOps(*owned);
      if (hasAny<linalg::LinalgOp>(*owned))
        result = run(buildRaisePipeline);
      // The policy is input to the passes from here on.
      if (hasAny<LinearOp, AttentionOp>(*owned)) {
        if (options.policyGiven || !findPolicy(*owned)) {
          owned->walk([](Operation *op) { op->removeAttr(kPolicyAttrName); });
          (*owned)->setAttr(kPolicyAttrName,
                            policyFrom(options.policy, context_.get()));
        }
        if (succeeded(result))
          result = setLayerPolicies(main(), options.layerPolicies);
      } else if (!options.layerPolicies.empty()) {
        return fail("--layer-policy needs layers that are not quantized yet, "
                    "and this model has none");
      }
      if (succeeded(result) && hasFactOps(*owned))
        result = verifySequenceLength(main());
      stage = Stage::Raised;
      break;
    case Stage::Raised:
      if (hasAny<LinearOp, AttentionOp>(*owned))
        result =
            run([](OpPassManager &pm) { pm.addPass(createQuantizePass()); });
      stage = Stage::Quantized;
      break;
    case Stage::Quantized:
      // Quantizing again changes nothing.
      if (findPolicy(*owned))
        result = run([&](OpPassManager &pm) {
          buildSparsifyPipeline(pm, isOneSequence);
        });
      // Without one all is decided.
      else
        result = run(
            [&](OpPassManager &pm) { buildFinishPipeline(pm, isOneSequence); });
      stage = Stage::Sparse;
      break;
    case Stage::Sparse:
      break;
    }
    if (failed(result))
      return failure();
  }
  return success();
}
