//===- Import.cpp - From ONNX to linalg on tensors ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Import/ONNX/Import.h"

#include "Cut.h"
#include "GraphImport.h"
#include "Model.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::ValueInfo;

/// Where the sequence cannot be open it has the model's own length, whatever
/// was given: puts that into \p cut and returns what to say about a difference.
static std::string closeSequence(Cut &cut) {
  std::string difference;
  for (Argument &argument : cut.arguments)
    for (size_t i = 0; i < argument.extents.size(); ++i) {
      if (!argument.declared[i] || *argument.declared[i] == argument.extents[i])
        continue;
      difference = "the sequence of '" + argument.name + "' must have length " +
                   std::to_string(*argument.declared[i]) + " (was " +
                   std::to_string(argument.extents[i]) + ")";
      argument.extents[i] = *argument.declared[i];
    }
  return difference;
}

/// Tables of positions that limit the length, one shorter than the other.
static constexpr int mostBounds = 8;

static void lowerBound(Cut &cut, int64_t bound) {
  for (Argument &argument : cut.arguments)
    for (auto [extent, isOpen] : llvm::zip(argument.extents, argument.open))
      if (isOpen)
        extent = bound;
  cut.bound = bound;
}

/// Names in a damaged file may hold anything; a message stays one line.
static std::string printable(std::string text) {
  for (char &c : text)
    if (!llvm::isPrint(c) && static_cast<unsigned char>(c) < 128)
      c = '?';
  return text;
}

static OwningOpRef<ModuleOp> failGraph(Location location, const Twine &before,
                                       const ImportError &error) {
  InFlightDiagnostic diagnostic = emitError(location)
                                  << printable((before + error.text).str());
  for (const auto &[node, text] : error.notes)
    diagnostic.attachNote(
        NameLoc::get(StringAttr::get(location.getContext(), printable(node))))
        << printable(text);
  return nullptr;
}

OnnxFile::OnnxFile(std::unique_ptr<::fact::onnx::Model> model,
                   Location location)
    : model(std::move(model)), location(location) {}

OnnxFile::~OnnxFile() = default;

std::unique_ptr<OnnxFile> OnnxFile::read(StringRef path,
                                         const OnnxImportOptions &options,
                                         MLIRContext *context) {
  context->loadDialect<arith::ArithDialect, func::FuncDialect,
                       linalg::LinalgDialect, math::MathDialect,
                       tensor::TensorDialect>();
  Location location = FileLineColLoc::get(context, path, 0, 0);
  // A tensor with a given shape needs no inference, nor does an input.
  std::vector<std::string> wanted;
  for (const std::string &name : options.from)
    if (options.shapes.count(name) == 0)
      wanted.push_back(name);
  std::string error;
  std::unique_ptr<::fact::onnx::Model> model =
      ::fact::onnx::readModel(path.str(), wanted, error);
  if (!model) {
    emitError(location) << printable(error);
    return nullptr;
  }
  return std::unique_ptr<OnnxFile>(new OnnxFile(std::move(model), location));
}

KnownShapes OnnxFile::findShapes(const OnnxImportOptions &options) const {
  OnnxImportOptions front = options;
  front.from.clear();
  front.to.clear();
  front.shapes.clear();
  front.arrays.clear();
  front.takesInputs = false;
  for (const ValueInfo &input : model->inputs)
    if (auto given = options.shapes.find(input.name);
        given != options.shapes.end())
      front.shapes.insert(*given);
  auto isInput = [&](const std::string &name) {
    return llvm::any_of(model->inputs, [&](const ValueInfo &input) {
      return input.name == name;
    });
  };
  for (const std::string &name : options.from) {
    // Others have their shapes from the file.
    const ValueInfo *info = model->findValueInfo(name);
    bool isTold = info && info->shape && !options.takesInputs;
    if (!isTold && !isInput(name) && options.shapes.count(name) == 0)
      front.to.push_back(name);
  }
  KnownShapes known;
  if (front.to.empty())
    return known;
  ScopedDiagnosticHandler silence(location.getContext(),
                                  [](Diagnostic &) { return success(); });
  front.opensBatch = false;
  OwningOpRef<ModuleOp> module = import(front), single;
  // The batch is what follows the number of sequences.
  front.batch = 1;
  if (options.batch > 1)
    single = import(front);
  if (!module || (options.batch > 1 && !single))
    return known;
  auto main = module->lookupSymbol<func::FuncOp>("main");
  auto shapeOf = [](func::FuncOp function, unsigned result) {
    return cast<RankedTensorType>(function.getResultTypes()[result]).getShape();
  };
  for (auto [n, name] : llvm::enumerate(front.to)) {
    ArrayRef<int64_t> shape = shapeOf(main, n);
    known.shapes[name] = llvm::to_vector<4>(shape);
    ArrayRef<int64_t> one =
        single ? shapeOf(single->lookupSymbol<func::FuncOp>("main"), n) : shape;
    if (one.size() != shape.size())
      continue;
    for (auto [i, extents] : llvm::enumerate(llvm::zip_equal(shape, one)))
      if (std::get<0>(extents) == options.batch && std::get<1>(extents) == 1)
        known.batchAxes[name] = i;
  }
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (auto bound = main.getArgAttrOfType<IntegerAttr>(i, "fact.bound"))
      known.bound = bound.getInt();
  return known;
}

OwningOpRef<ModuleOp> OnnxFile::import(const OnnxImportOptions &options) const {
  MLIRContext *context = location.getContext();
  Cut cut;
  if (std::string error = makeCut(*model, options, findShapes(options), cut);
      !error.empty()) {
    emitError(location) << printable(error);
    return nullptr;
  }
  // Of a part, the import of the whole model has said it.
  for (const std::string &remark :
       options.takesInputs ? std::vector<std::string>() : cut.remarks)
    emitRemark(location) << printable(remark);
  if (!model->readAsFloat.empty())
    emitRemark(location) << "values of type "
                         << llvm::join(model->readAsFloat, " and ")
                         << " are read as float32";
  bool hasSequence = llvm::any_of(
      cut.arguments, [](const Argument &each) { return each.isOpen(); });
  ImportError whyClosed;
  OwningOpRef<ModuleOp> module;
  if (hasSequence)
    module = importGraph(*model, cut, /*open=*/true, context, whyClosed);
  // The model itself may be for shorter sequences than were chosen here.
  for (int attempt = 0;
       attempt < mostBounds && !module && cut.isBoundChosen &&
       whyClosed.lowerBound > 0 && whyClosed.lowerBound < cut.bound;
       ++attempt) {
    lowerBound(cut, whyClosed.lowerBound);
    emitRemark(location) << printable("the model is for " +
                                      std::to_string(cut.bound) +
                                      " tokens at most: " + whyClosed.text);
    whyClosed = {};
    module = importGraph(*model, cut, /*open=*/true, context, whyClosed);
  }
  if (!module && options.opensBatch)
    return failGraph(location, "", whyClosed);
  if (!module) {
    // The error that counts is the one with all shapes known, if there is one.
    std::string difference = closeSequence(cut);
    ImportError why;
    module = importGraph(*model, cut, /*open=*/false, context, why);
    if (!module)
      return failGraph(location, "", why);
    if (!difference.empty())
      return failGraph(location, difference + ": ", whyClosed);
    if (hasSequence)
      emitRemark(location) << "the sequence keeps its length, " << cut.bound
                           << ": " << printable(whyClosed.text);
  }
  if (failed(verify(*module)))
    return nullptr;
  return module;
}

std::vector<OnnxNode> OnnxFile::nodes() const {
  std::vector<OnnxNode> nodes;
  for (const ::fact::onnx::Node &node : model->nodes) {
    nodes.push_back({node.name, node.opType, node.reads(), node.outputs});
    for (auto *names : {&nodes.back().reads, &nodes.back().makes})
      llvm::erase(*names, "");
  }
  return nodes;
}

OwningOpRef<ModuleOp> mlir::fact::importOnnx(StringRef path,
                                             const OnnxImportOptions &options,
                                             MLIRContext *context) {
  std::unique_ptr<OnnxFile> file = OnnxFile::read(path, options, context);
  return file ? file->import(options) : nullptr;
}

std::string mlir::fact::parseShapeOption(
    StringRef text, std::map<std::string, std::vector<int64_t>> &shapes) {
  // Names may contain colons, extents do not.
  auto [name, extents] = text.rsplit(':');
  SmallVector<StringRef> parts;
  extents.split(parts, 'x');
  std::vector<int64_t> shape;
  for (StringRef part : parts) {
    int64_t extent;
    if (part.getAsInteger(10, extent) || extent < 0)
      return "shape must be NAME:1x512x120, with extents of 0 or more (was '" +
             text.str() + "')";
    shape.push_back(extent);
  }
  if (name.empty() || name.size() == text.size())
    return "shape must be NAME:1x512x120 (was '" + text.str() + "')";
  if (!shapes.emplace(name.str(), std::move(shape)).second)
    return "shape of '" + name.str() + "' is given twice";
  return "";
}
