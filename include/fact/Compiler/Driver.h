//===- Driver.h - From a model file to any stage of the compiler ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What fact-compile and fact-run share. Errors are kept, not printed: a tool
// prints the first one, once.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_COMPILER_DRIVER_H
#define FACT_COMPILER_DRIVER_H

#include "fact/Import/ONNX/Import.h"
#include "fact/Numerics/Policy.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fact {
struct CompileOptions;
} // namespace fact

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mlir::fact {

/// The stages that both back ends share, in order.
enum class Stage { Imported, Raised, Quantized, Sparse };

/// Runs the work of a tool in a thread with a stack for models of long chains
/// of operations, which some passes follow by recursion.
std::optional<std::string>
onLargeStack(llvm::function_ref<std::optional<std::string>()> work);

/// One model on its way through the compiler.
class Compilation {
public:
  explicit Compilation(const ::fact::CompileOptions &options);
  ~Compilation();

  /// Reads the model: the stage `Imported`. `arrays` are the shapes of what it
  /// is to be run on, where an ONNX model leaves an extent open.
  LogicalResult load(const std::vector<std::vector<int64_t>> &arrays = {});
  /// Reads a part of the model, an ONNX file, likewise.
  LogicalResult loadOnnx(const OnnxImportOptions &import);
  /// The nodes of an ONNX model.
  ArrayRef<OnnxNode> onnxNodes() const { return nodes; }
  /// Runs everything between the present stage and `stage`. IR that is past a
  /// stage already (fact ops in a .mlir file) goes through unchanged.
  LogicalResult runTo(Stage stage);
  /// Runs passes of a back end.
  LogicalResult run(llvm::function_ref<void(OpPassManager &)> build);

  /// Goes on with a part of the raised model in the place of all of it.
  LogicalResult replaceRaised(OwningOpRef<ModuleOp> part);

  ModuleOp module() { return *owned; }
  func::FuncOp main();
  MLIRContext &context() { return *context_; }
  /// Fails, with the reasons, where a part of the model was not raised: for a
  /// back end that runs nothing else. The stage is `Raised` or later.
  LogicalResult requireRaised();

  /// The policy of the model, where the IR still has one.
  std::optional<::fact::numerics::Policy> policy();
  /// The layers whose policies differ from that, with all that they say.
  std::vector<::fact::numerics::LayerPolicy> layerPolicies();
  /// The policy of the model and of layers with others, one line; empty where
  /// there is none.
  std::string policyLine();
  /// What is assumed about inputs, a line each.
  std::vector<std::string> assumptions();
  /// Prints these lines.
  void announce();

  /// A part of the model that `fact-raise` left alone.
  struct Miss {
    Location location;
    std::string reason, suggestion;
  };
  ArrayRef<Miss> notRaised() const { return misses; }

  /// Keeps an error that did not come through MLIR's diagnostics.
  LogicalResult fail(const Twine &text);
  /// The first error, with its notes; for a failure without one `otherwise`.
  std::string errorText(StringRef otherwise);

private:
  class Diagnostics;

  class MissCollector;

  LogicalResult checkLoaded();

  const ::fact::CompileOptions &options;
  std::unique_ptr<MLIRContext> context_;
  std::unique_ptr<Diagnostics> diagnostics;
  std::vector<Miss> misses;
  OwningOpRef<ModuleOp> owned;
  std::vector<OnnxNode> nodes;
  Stage stage = Stage::Imported;
  /// Whether the model came as fact IR, whose ops are on one sequence. One that
  /// was imported may have inputs of several lengths, as far as a CPU runs it.
  bool isOneSequence = false;
};

} // namespace mlir::fact

#endif // FACT_COMPILER_DRIVER_H
