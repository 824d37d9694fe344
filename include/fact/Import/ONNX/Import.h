//===- Import.h - From ONNX to linalg on tensors --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The way of an ONNX file into the compiler.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_IMPORT_ONNX_IMPORT_H
#define FACT_IMPORT_ONNX_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fact::onnx {
struct Model;
} // namespace fact::onnx

namespace mlir::fact {

struct KnownShapes;

/// Which part of a model is imported, and how long its sequences get.
struct OnnxImportOptions {
  /// Tensors that become the function's arguments, in this order. Empty: the
  /// graph's inputs that `to` depends on, in the file's order.
  std::vector<std::string> from;
  /// The tensors that the function returns. Empty: all outputs of the graph.
  std::vector<std::string> to;
  /// Whether inputs of the graph that `to` depends on beside `from` become
  /// arguments behind them; else that is an error.
  bool takesInputs = false;
  /// Shapes of arguments, by name, the sequence with its largest length. Where
  /// the model leaves an extent open and nobody says what it is, it is `length`
  /// or `batch`, with a remark.
  std::map<std::string, std::vector<int64_t>> shapes;
  /// Shapes of the arrays that are to be run, in the arguments' order: for what
  /// is still open then.
  std::vector<std::vector<int64_t>> arrays;
  /// The largest length of a sequence that is still open then.
  int64_t length = 512;
  /// How many sequences a batch that is still open then has. If there are more
  /// than one, arguments say where it is (`fact.batch`).
  int64_t batch = 1;
  /// Whether such a batch is the one extent that is `?`, up to `batch`; the
  /// sequence has its largest length. An error where a node needs its value.
  bool opensBatch = false;
  /// Whether a length that the model fixes is open nevertheless, up to that:
  /// where a node has the number itself, as an extent or in a constant, it
  /// stands for the length, or the first tokens.
  bool opensLength = false;
  /// Whether tokens [a, b] and rows [a, b, features] have their sequence first.
  bool sequenceFirst = false;
};

/// What a node of a model is called, reads and makes.
struct OnnxNode {
  /// The location of its operations. Nothing keeps two nodes from having one.
  std::string name;
  std::string opType;
  /// Tensors; those without a name are left out.
  std::vector<std::string> reads, makes;
};

/// An ONNX model that was read, to be imported once or more often: all imports
/// share the data of its weights.
class OnnxFile {
public:
  /// Reads the model at \p path for imports with these `from` and `shapes`.
  /// Returns null after one error (in MLIR's diagnostic engine, with the file
  /// as location) where the file is no usable model. Loads the dialects that
  /// imports need into \p context.
  static std::unique_ptr<OnnxFile>
  read(StringRef path, const OnnxImportOptions &options, MLIRContext *context);
  ~OnnxFile();

  /// Imports the model as one function `@main` of linalg on f32 tensors. The
  /// last dimension but one of the first argument (of rank 2 and more) is the
  /// sequence; it is `?`, in this and every other argument of the same length,
  /// unless a node needs its value: then the shapes are static and a remark
  /// names the node. An argument with an open sequence carries `fact.bound`,
  /// the largest length; arguments and result carry `fact.name`. Every
  /// operation has the name of its ONNX node as location.
  ///
  /// Returns null after one error, located as above, where the model has a node
  /// that the importer does not know.
  OwningOpRef<ModuleOp> import(const OnnxImportOptions &options) const;

  /// The model's nodes, each behind what makes its inputs.
  std::vector<OnnxNode> nodes() const;

  MLIRContext *getContext() const { return location.getContext(); }

private:
  OnnxFile(std::unique_ptr<::fact::onnx::Model> model, Location location);
  /// The shapes of `from` as an import of what makes these tensors has them,
  /// open extents as ShapedType::kDynamic, and the longest sequence there.
  /// Empty where that cannot be imported.
  KnownShapes findShapes(const OnnxImportOptions &options) const;

  std::unique_ptr<::fact::onnx::Model> model;
  Location location; ///< Of the file.
};

/// Reads the model at \p path and imports it once.
OwningOpRef<ModuleOp> importOnnx(StringRef path,
                                 const OnnxImportOptions &options,
                                 MLIRContext *context);

/// Parses "NAME:1x512x120", the value of a --shape flag, into \p shapes.
/// Returns an empty text on success, else what is wrong with \p text.
std::string
parseShapeOption(StringRef text,
                 std::map<std::string, std::vector<int64_t>> &shapes);

/// A page of Markdown with the operators that the import knows.
std::string describeOnnxOperators();

/// Registers `--import-onnx` with its options --from, --to and --shape for
/// fact-translate.
void registerFromOnnxTranslation();

} // namespace mlir::fact

#endif // FACT_IMPORT_ONNX_IMPORT_H
