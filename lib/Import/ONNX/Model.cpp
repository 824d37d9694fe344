//===- Model.cpp - Reading and checking an ONNX file ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"
#include "Functions.h"
#include "ReadProto.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/shape_inference/implementation.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <unordered_set>

using namespace fact::onnx;
namespace fs = std::filesystem;

/// Versions of the default operator set that the builders know.
static constexpr int64_t oldestOpset = 7, newestOpset = 24;
/// Graphs of branches in graphs of branches.
static constexpr int deepestGraph = 16;

const ValueInfo *Model::findValueInfo(const std::string &name) const {
  for (const ValueInfo &input : inputs)
    if (input.name == name)
      return &input;
  for (const ValueInfo &output : outputs)
    if (output.name == name)
      return &output;
  auto found = valueInfos.find(name);
  return found == valueInfos.end() ? nullptr : &found->second;
}

/// Protobuf's own messages are silenced: the caller prints one error.
::onnx::ModelProto fact::onnx::parseModel(const std::string &path) {
  std::error_code code;
  if (!fs::exists(path, code))
    throw std::runtime_error("no such file");
  if (fs::is_directory(path, code))
    throw std::runtime_error("is a directory");
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    throw std::runtime_error("cannot open the file");
  google::protobuf::LogSilencer silencer;
  google::protobuf::io::IstreamInputStream input(&stream);
  google::protobuf::io::CodedInputStream coded(&input);
  ::onnx::ModelProto proto;
  if (!proto.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
    throw std::runtime_error("not an ONNX model, or a damaged one");
  if (!proto.has_graph())
    throw std::runtime_error("the model has no graph");
  return proto;
}

namespace {

/// What all parts of a file are read with.
struct Reader {
  const std::string &path;
  Model &model;

  std::shared_ptr<Tensor> tensor(::onnx::TensorProto &proto) {
    auto type = static_cast<ElementType>(proto.data_type());
    if (readAs(type) != type)
      model.readAsFloat.insert(elementTypeName(type));
    return readTensor(proto, path);
  }
  ValueInfo valueInfo(const ::onnx::ValueInfoProto &proto);
  NodeAttribute attribute(::onnx::AttributeProto &proto, int depth);
  Node node(::onnx::NodeProto &proto, int depth);
  Graph graph(::onnx::GraphProto &proto, int depth);
};

} // namespace

ValueInfo Reader::valueInfo(const ::onnx::ValueInfoProto &proto) {
  ValueInfo info;
  info.name = proto.name();
  if (!proto.type().has_tensor_type())
    return info;
  const auto &type = proto.type().tensor_type();
  auto declared = static_cast<ElementType>(type.elem_type());
  info.type = readAs(declared);
  if (info.type != declared)
    model.readAsFloat.insert(elementTypeName(declared));
  if (!type.has_shape())
    return info;
  info.shape.emplace();
  for (const auto &dim : type.shape().dim()) {
    Dimension dimension;
    if (dim.has_dim_value())
      dimension.value = dim.dim_value();
    else
      dimension.name = dim.dim_param();
    // Some exporters write an open extent as -1 or 0.
    if (dimension.value && *dimension.value <= 0)
      dimension.value.reset();
    info.shape->push_back(std::move(dimension));
  }
  return info;
}

NodeAttribute Reader::attribute(::onnx::AttributeProto &proto, int depth) {
  using Kind = NodeAttribute::Kind;
  NodeAttribute attribute;
  switch (proto.type()) {
  case ::onnx::AttributeProto::INT:
    attribute.kind = Kind::Int;
    attribute.i = proto.i();
    break;
  case ::onnx::AttributeProto::FLOAT:
    attribute.kind = Kind::Float;
    attribute.f = proto.f();
    break;
  case ::onnx::AttributeProto::STRING:
    attribute.kind = Kind::String;
    attribute.s = proto.s();
    break;
  case ::onnx::AttributeProto::TENSOR:
    attribute.kind = Kind::Tensor;
    attribute.tensor = tensor(*proto.mutable_t());
    break;
  case ::onnx::AttributeProto::INTS:
    attribute.kind = Kind::Ints;
    attribute.ints.assign(proto.ints().begin(), proto.ints().end());
    break;
  case ::onnx::AttributeProto::FLOATS:
    attribute.kind = Kind::Floats;
    attribute.floats.assign(proto.floats().begin(), proto.floats().end());
    break;
  case ::onnx::AttributeProto::STRINGS:
    attribute.kind = Kind::Strings;
    attribute.strings.assign(proto.strings().begin(), proto.strings().end());
    break;
  case ::onnx::AttributeProto::GRAPH:
    attribute.kind = Kind::Graph;
    attribute.graph =
        std::make_shared<Graph>(graph(*proto.mutable_g(), depth + 1));
    break;
  default:
    break;
  }
  return attribute;
}

Node Reader::node(::onnx::NodeProto &proto, int depth) {
  Node node;
  node.opType = proto.op_type();
  node.domain = proto.domain();
  node.opset = model.opset;
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  node.name = proto.name();
  if (node.name.empty() && !node.outputs.empty())
    node.name = node.outputs.front();
  for (auto &each : *proto.mutable_attribute())
    if (!node.attributes.emplace(each.name(), attribute(each, depth)).second)
      throw std::runtime_error("node '" + node.name + "' has attribute '" +
                               each.name() + "' twice");
  return node;
}

/// The body of a branch, whose nodes must be sorted.
Graph Reader::graph(::onnx::GraphProto &proto, int depth) {
  if (depth > deepestGraph)
    throw std::runtime_error("graphs are nested too deeply");
  Graph graph;
  for (auto &initializer : *proto.mutable_initializer()) {
    std::string name = initializer.name();
    graph.initializers.emplace(name, tensor(initializer));
  }
  for (auto &each : *proto.mutable_node())
    graph.nodes.push_back(node(each, depth));
  for (const auto &input : proto.input())
    graph.inputs.push_back(input.name());
  for (const auto &output : proto.output())
    graph.outputs.push_back(output.name());
  return graph;
}

/// True where the file tells the wanted tensors' shapes to the last extent.
static bool tellsShapes(const ::onnx::GraphProto &graph,
                        const std::vector<std::string> &wanted) {
  std::unordered_set<std::string> open(wanted.begin(), wanted.end());
  auto visit = [&](const auto &infos) {
    for (const auto &info : infos) {
      if (!info.type().tensor_type().has_shape())
        continue;
      bool complete = true;
      for (const auto &dim : info.type().tensor_type().shape().dim())
        complete &= dim.has_dim_value();
      if (complete)
        open.erase(info.name());
    }
  };
  visit(graph.input());
  visit(graph.output());
  visit(graph.value_info());
  return open.empty();
}

/// A model that libonnx cannot digest keeps what it has: --shape may tell what
/// is missing.
void fact::onnx::inferShapes(::onnx::ModelProto &proto) {
  try {
    ::onnx::shape_inference::InferShapes(
        proto, ::onnx::OpSchemaRegistry::Instance(),
        {/*check_type=*/false, /*error_mode=*/0, /*data_prop=*/true});
  } catch (const std::exception &) {
  }
}

std::vector<std::string> Node::reads() const {
  std::vector<std::string> all = inputs;
  for (const auto &[name, attribute] : attributes) {
    if (!attribute.graph)
      continue;
    const Graph &graph = *attribute.graph;
    std::unordered_set<std::string> own;
    for (const auto &entry : graph.initializers)
      own.insert(entry.first);
    own.insert(graph.inputs.begin(), graph.inputs.end());
    for (const Node &node : graph.nodes)
      own.insert(node.outputs.begin(), node.outputs.end());
    auto read = [&](const std::string &tensor) {
      if (own.count(tensor) == 0)
        all.push_back(tensor);
    };
    for (const Node &node : graph.nodes)
      for (const std::string &tensor : node.reads())
        read(tensor);
    for (const std::string &output : graph.outputs)
      read(output);
  }
  return all;
}

/// Nodes such that each follows what makes its inputs, in the file's order
/// where that leaves a choice.
static void sortNodes(Model &model,
                      const std::unordered_set<std::string> &known) {
  std::vector<size_t> missing(model.nodes.size());
  std::vector<std::vector<size_t>> readers(model.nodes.size());
  std::set<size_t> ready;
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    for (const std::string &tensor : model.nodes[i].reads()) {
      if (tensor.empty() || known.count(tensor) != 0)
        continue;
      auto producer = model.producers.find(tensor);
      if (producer == model.producers.end())
        throw std::runtime_error("node '" + model.nodes[i].name +
                                 "' reads tensor '" + tensor +
                                 "', which nothing makes");
      readers[producer->second].push_back(i);
      ++missing[i];
    }
    if (missing[i] == 0)
      ready.insert(i);
  }
  std::vector<Node> sorted;
  sorted.reserve(model.nodes.size());
  while (!ready.empty()) {
    size_t next = *ready.begin();
    ready.erase(ready.begin());
    for (size_t reader : readers[next])
      if (--missing[reader] == 0)
        ready.insert(reader);
    sorted.push_back(std::move(model.nodes[next]));
  }
  for (size_t i = 0; i < missing.size(); ++i)
    if (missing[i] != 0)
      throw std::runtime_error("nodes form a cycle: node '" +
                               model.nodes[i].name +
                               "' needs what is made of its own result");
  model.nodes = std::move(sorted);
  for (size_t i = 0; i < model.nodes.size(); ++i)
    for (const std::string &output : model.nodes[i].outputs)
      if (!output.empty())
        model.producers[output] = i;
}

/// Checks that every tensor is made once and that all that is read is made.
static void checkTensors(Model &model) {
  std::unordered_set<std::string> known;
  for (const ValueInfo &input : model.inputs)
    if (!known.insert(input.name).second)
      throw std::runtime_error("two inputs are called '" + input.name + "'");
  for (const auto &entry : model.initializers)
    known.insert(entry.first);
  for (size_t i = 0; i < model.nodes.size(); ++i)
    for (const std::string &output : model.nodes[i].outputs)
      if (!output.empty() && (known.count(output) != 0 ||
                              !model.producers.emplace(output, i).second))
        throw std::runtime_error("tensor '" + output +
                                 "' is made twice, the second time by node '" +
                                 model.nodes[i].name + "'");
  sortNodes(model, known);
  for (const ValueInfo &output : model.outputs)
    if (known.count(output.name) == 0 &&
        model.producers.count(output.name) == 0)
      throw std::runtime_error("output '" + output.name +
                               "' is made by no node");
}

static std::unique_ptr<Model>
readChecked(const std::string &path,
            const std::vector<std::string> &shapesWanted) {
  ::onnx::ModelProto proto = parseModel(path);
  auto model = std::make_unique<Model>();
  for (const auto &opset : proto.opset_import())
    if (opset.domain().empty() || opset.domain() == "ai.onnx")
      model->opset = opset.version();
  if (model->opset < oldestOpset || model->opset > newestOpset)
    throw std::runtime_error("operator set version must be " +
                             std::to_string(oldestOpset) + " to " +
                             std::to_string(newestOpset) + " (was " +
                             std::to_string(model->opset) + ")");
  inlineFunctions(proto);
  if (!tellsShapes(proto.graph(), shapesWanted))
    inferShapes(proto);

  Reader reader{path, *model};
  ::onnx::GraphProto &graph = *proto.mutable_graph();
  if (graph.sparse_initializer_size() != 0)
    throw std::runtime_error("sparse initializers are not supported");
  for (auto &initializer : *graph.mutable_initializer()) {
    std::string name = initializer.name();
    if (!model->initializers.emplace(name, reader.tensor(initializer)).second)
      throw std::runtime_error("two initializers are called '" + name + "'");
  }
  for (const auto &input : graph.input())
    if (model->initializers.count(input.name()) == 0)
      model->inputs.push_back(reader.valueInfo(input));
  for (const auto &output : graph.output())
    model->outputs.push_back(reader.valueInfo(output));
  for (const auto &info : graph.value_info())
    model->valueInfos.emplace(info.name(), reader.valueInfo(info));
  for (auto &node : *graph.mutable_node())
    model->nodes.push_back(reader.node(node, /*depth=*/0));
  checkTensors(*model);
  return model;
}

std::unique_ptr<Model>
fact::onnx::readModel(const std::string &path,
                      const std::vector<std::string> &shapesWanted,
                      std::string &error) noexcept {
  try {
    return readChecked(path, shapesWanted);
  } catch (const std::exception &exception) {
    error = exception.what();
  }
  return nullptr;
}
