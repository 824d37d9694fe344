//===- GraphImport.cpp - From the nodes of a cut to a function ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphImport.h"
#include "Constants.h"
#include "NodeImport.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::Model;
using ::fact::onnx::Node;

/// The builder of an operator; those of the default domain by their name, of
/// another one with the domain in front.
const Operator *mlir::fact::findOperator(StringRef domain, StringRef name) {
  static const llvm::StringMap<const Operator *> table = [] {
    llvm::StringMap<const Operator *> table;
    for (llvm::ArrayRef<Operator> operators : {blockOperators(),
                                               convolutionOperators(),
                                               einsumOperators(),
                                               elementwiseOperators(),
                                               fusedAttentionOperators(),
                                               fusedElementwiseOperators(),
                                               fusedNormOperators(),
                                               graphOperators(),
                                               indexOperators(),
                                               logicOperators(),
                                               matmulOperators(),
                                               normalizationOperators(),
                                               padOperators(),
                                               poolOperators(),
                                               positionOperators(),
                                               quantizedOperators(),
                                               reduceOperators(),
                                               repeatOperators(),
                                               rotaryOperators(),
                                               shapeOperators(),
                                               sliceOperators(),
                                               softmaxOperators()})
      for (const Operator &op : operators)
        table[(op.domain + ":" + op.name).str()] = &op;
    return table;
  }();
  if (domain == "ai.onnx")
    domain = "";
  return table.lookup((domain + ":" + name).str());
}

namespace mlir::fact {

class GraphImport {
public:
  GraphImport(const Model &model, const Cut &cut, bool open,
              MLIRContext *context)
      : model(model), cut(cut), open(open), context(context), builder(context),
        module(ModuleOp::create(UnknownLoc::get(context))) {}

  OwningOpRef<ModuleOp> run(ImportError &error) {
    if (failed(importFunction())) {
      error = std::move(this->error);
      return nullptr;
    }
    return std::move(module);
  }

private:
  LogicalResult fail(const Twine &text) {
    error.text = text.str();
    return failure();
  }
  LogicalResult failNode(const Node &node, const Twine &reason) {
    return fail("node '" + node.name + "' (" + node.opType + "): " + reason);
  }

  /// The node whose result a tensor is, for errors where that is not computed.
  std::string makerOf(const std::string &name);
  /// Says where the inputs of a node that failed come from, and in what shape.
  void noteInputs(const NodeImport &import);

  LogicalResult importFunction();
  func::FuncOp createFunction();
  LogicalResult importNode(const Node &node, Emitter &emit);
  /// The branch that a condition chooses when the model is compiled.
  LogicalResult importIf(const Node &node, Emitter &emit);
  LogicalResult returnResults(func::FuncOp function, Emitter &emit);
  /// Null, with an error, where the tensor has no meaning in this import.
  const ModelTensor *lookUp(const Node &node, const std::string &name);

  Location nameLoc(const std::string &name) {
    return NameLoc::get(StringAttr::get(context, name));
  }

  const Model &model;
  const Cut &cut;
  const bool open;
  MLIRContext *context;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  /// Element addresses stay valid: NodeImport points to them.
  std::unordered_map<std::string, ModelTensor> tensors;
  /// Initializers of the branches that are taken, inside others.
  std::vector<const ::fact::onnx::Graph *> branches;
  /// Tensor -> the node that makes it.
  llvm::StringMap<const Node *> makers;
  Value length;
  ImportError error;
};

} // namespace mlir::fact

func::FuncOp GraphImport::createFunction() {
  SmallVector<Type> types;
  SmallVector<Location> locs;
  SmallVector<DictionaryAttr> attributes;
  SmallVector<Shape> shapes;
  for (const Argument &argument : cut.arguments) {
    Shape shape;
    SmallVector<int64_t> extents;
    for (auto [extent, isOpen] : llvm::zip(argument.extents, argument.open)) {
      bool unknown = open && isOpen;
      shape.push_back(unknown ? Dim(1, 0) : Dim(extent));
      extents.push_back(unknown ? ShapedType::kDynamic : extent);
    }
    NamedAttrList list;
    list.set("fact.name", builder.getStringAttr(argument.name));
    if (open && argument.isOpen())
      list.set("fact.bound", builder.getI64IntegerAttr(cut.bound));
    types.push_back(
        RankedTensorType::get(extents, mlirType(argument.type, context)));
    locs.push_back(nameLoc(argument.name));
    attributes.push_back(list.getDictionary(context));
    shapes.push_back(std::move(shape));
  }
  builder.setInsertionPointToEnd(module->getBody());
  auto function =
      func::FuncOp::create(builder, nameLoc(cut.results.front()), "main",
                           builder.getFunctionType(types, TypeRange()));
  function.setArgAttrsAttr(builder.getArrayAttr(
      SmallVector<Attribute>(attributes.begin(), attributes.end())));
  Block *block = builder.createBlock(&function.getBody(), {}, types, locs);
  builder.setInsertionPointToStart(block);
  for (auto [i, argument] : llvm::enumerate(cut.arguments)) {
    tensors.emplace(argument.name,
                    ModelTensor::runtime(block->getArgument(i), shapes[i]));
    const auto *isOpen = llvm::find(argument.open, true);
    if (open && !length && isOpen != argument.open.end())
      length = tensor::DimOp::create(builder, locs[i], block->getArgument(i),
                                     isOpen - argument.open.begin());
  }
  return function;
}

const ModelTensor *GraphImport::lookUp(const Node &node,
                                       const std::string &name) {
  auto found = tensors.find(name);
  if (found != tensors.end())
    return &found->second;
  const auto *initializers = &model.initializers;
  auto initializer = initializers->find(name);
  for (size_t i = branches.size();
       i-- > 0 && initializer == initializers->end();) {
    initializers = &branches[i]->initializers;
    initializer = initializers->find(name);
  }
  if (initializer == initializers->end()) {
    (void)failNode(node, "reads '" + name +
                             "', which the import does not compute" +
                             makerOf(name));
    return nullptr;
  }
  std::string why;
  FailureOr<ModelTensor> tensor = importConstant(initializer->second, why);
  if (failed(tensor)) {
    (void)failNode(node, why);
    return nullptr;
  }
  return &tensors.emplace(name, std::move(*tensor)).first->second;
}

std::string GraphImport::makerOf(const std::string &name) {
  const Node *maker = makers.lookup(name);
  return maker ? " (a result of node '" + maker->name + "', " + maker->opType +
                     ")"
               : "";
}

void GraphImport::noteInputs(const NodeImport &import) {
  constexpr size_t shown = 3;
  for (auto [name, tensor] : llvm::zip(import.node.inputs, import.inputs)) {
    auto maker = makers.find(name);
    if (!tensor || maker == makers.end() || error.notes.size() == shown)
      continue;
    const Node &node = *maker->second;
    error.notes.emplace_back(node.name, "input '" + name + "' of shape " +
                                            str(tensor->shape) +
                                            " is made by node '" + node.name +
                                            "' (" + node.opType + ")");
  }
}

LogicalResult GraphImport::importNode(const Node &node, Emitter &emit) {
  bool isDefault = node.domain.empty() || node.domain == "ai.onnx";
  if (isDefault && node.opType == "If")
    return importIf(node, emit);
  const Operator *op = findOperator(node.domain, node.opType);
  std::string made = node.outputs.empty() ? "" : node.outputs.front();
  if (!op)
    return fail("operator '" + node.opType + "'" +
                (isDefault ? "" : " of '" + node.domain + "'") +
                " is not supported: node '" + node.name + "' makes tensor '" +
                made + "' with it (--from and --to cut a part out of a model)");
  if (isDefault && node.opset < op->minOpset)
    return failNode(node, "needs operator set " + Twine(op->minOpset) +
                              ", the model has " + Twine(node.opset));
  if (node.inputs.size() < op->minInputs || node.inputs.size() > op->maxInputs)
    return failNode(node, "has a wrong number of inputs: " +
                              Twine(node.inputs.size()));
  NodeImport import(node, node.opset, open ? cut.bound : 1, emit,
                    nameLoc(node.name));
  for (auto [i, name] : llvm::enumerate(node.inputs)) {
    const ModelTensor *input = nullptr;
    if (!name.empty() && !(input = lookUp(node, name)))
      return failure();
    // Concat has no optional inputs; others have them behind the needed ones.
    bool needed = i < op->minInputs || op->maxInputs > 16;
    if (!input && needed)
      return failNode(node, "lacks input " + Twine(i));
    import.inputs.push_back(input);
  }
  if (failed(op->build(import))) {
    noteInputs(import);
    error.lowerBound = import.lowerBound;
    return failNode(node, import.reason);
  }
  for (const auto &attribute : node.attributes)
    if (!import.seen.contains(attribute.first))
      emitWarning(import.loc)
          << "attribute '" << attribute.first << "' of node '" << node.name
          << "' (" << node.opType << ") is unknown, and ignored";
  for (const std::string &name : node.outputs)
    makers[name] = &node;
  for (auto [name, tensor] : llvm::zip(node.outputs, import.results))
    if (tensor && !name.empty())
      tensors.insert_or_assign(name, std::move(*tensor));
  return success();
}

LogicalResult GraphImport::importIf(const Node &node, Emitter &emit) {
  const ModelTensor *condition =
      node.inputs.size() == 1 ? lookUp(node, node.inputs.front()) : nullptr;
  if (!condition)
    return error.text.empty() ? failNode(node, "lacks its condition")
                              : failure();
  if (!condition->isIntegers() || condition->integers.size() != 1 ||
      !condition->integers.front().isConstant())
    return failNode(node, "its condition '" + node.inputs.front() +
                              "' is not known when the model is compiled");
  StringRef name =
      condition->integers.front().isConstant(0) ? "else_branch" : "then_branch";
  auto branch = node.attributes.find(name.str());
  if (branch == node.attributes.end() || !branch->second.graph)
    return failNode(node, "attribute '" + name + "' must be a graph");
  const ::fact::onnx::Graph &graph = *branch->second.graph;
  if (graph.outputs.size() != node.outputs.size())
    return failNode(node, "has " + Twine(node.outputs.size()) +
                              " outputs, its branch " +
                              Twine(graph.outputs.size()));
  branches.push_back(&graph);
  for (const Node &inner : graph.nodes)
    if (failed(importNode(inner, emit)))
      return failure();
  for (auto [outer, inner] : llvm::zip(node.outputs, graph.outputs)) {
    const ModelTensor *tensor = lookUp(node, inner);
    if (!tensor)
      return failure();
    ModelTensor copy = *tensor;
    if (!outer.empty())
      tensors.insert_or_assign(outer, std::move(copy));
  }
  branches.pop_back();
  return success();
}

LogicalResult GraphImport::returnResults(func::FuncOp function, Emitter &emit) {
  SmallVector<Value> values;
  SmallVector<Type> types;
  for (const std::string &name : cut.results) {
    // A constant is a result, too, if there are others.
    auto found = tensors.find(name);
    if (found == tensors.end()) {
      auto initializer = model.initializers.find(name);
      std::string why;
      if (initializer != model.initializers.end())
        if (auto constant = importConstant(initializer->second, why);
            succeeded(constant))
          found = tensors.emplace(name, std::move(*constant)).first;
    }
    if (found == tensors.end())
      return fail("the import does not compute '" + name + "'" + makerOf(name));
    const ModelTensor &tensor = found->second;
    if (!tensor.isRuntime() && cut.results.size() == 1)
      return fail("'" + name + "' does not depend on the inputs' elements");
    Node none;
    NodeImport import(none, model.opset, cut.bound, emit, nameLoc(name));
    values.push_back(import.anyValue(tensor));
    types.push_back(values.back().getType());
  }
  func::ReturnOp::create(builder, nameLoc(cut.results.front()), values);
  function.setType(builder.getFunctionType(function.getArgumentTypes(), types));
  for (auto [i, name] : llvm::enumerate(cut.results))
    function.setResultAttr(i, "fact.name", builder.getStringAttr(name));
  return success();
}

LogicalResult GraphImport::importFunction() {
  func::FuncOp function = createFunction();
  Emitter emit(builder, length);
  for (size_t index : cut.nodes)
    if (failed(importNode(model.nodes[index], emit)))
      return failure();
  if (failed(returnResults(function, emit)))
    return failure();
  if (length && length.use_empty()) {
    Operation *dim = length.getDefiningOp();
    Operation *index = dim->getOperand(1).getDefiningOp();
    dim->erase();
    index->erase();
  }
  return success();
}

OwningOpRef<ModuleOp> mlir::fact::importGraph(const Model &model,
                                              const Cut &cut, bool open,
                                              MLIRContext *context,
                                              ImportError &error) {
  return GraphImport(model, cut, open, context).run(error);
}
