//===- Model.cpp - Reading and checking an ONNX file ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"
#include "ReadTensor.h"

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

/// Parses the whole file. Protobuf's own messages are silenced: the caller
/// prints one error.
static ::onnx::ModelProto parse(const std::string &path) {
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

static ValueInfo readValueInfo(const ::onnx::ValueInfoProto &proto) {
  ValueInfo info;
  info.name = proto.name();
  if (!proto.type().has_tensor_type())
    return info;
  const auto &type = proto.type().tensor_type();
  info.type = static_cast<ElementType>(type.elem_type());
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

static NodeAttribute readAttribute(::onnx::AttributeProto &proto,
                                   const std::string &modelPath) {
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
    attribute.tensor = readTensor(*proto.mutable_t(), modelPath);
    break;
  case ::onnx::AttributeProto::INTS:
    attribute.kind = Kind::Ints;
    attribute.ints.assign(proto.ints().begin(), proto.ints().end());
    break;
  case ::onnx::AttributeProto::FLOATS:
    attribute.kind = Kind::Floats;
    attribute.floats.assign(proto.floats().begin(), proto.floats().end());
    break;
  default:
    break;
  }
  return attribute;
}

static Node readNode(::onnx::NodeProto &proto, const std::string &modelPath) {
  Node node;
  node.opType = proto.op_type();
  node.domain = proto.domain();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  node.name = proto.name();
  if (node.name.empty() && !node.outputs.empty())
    node.name = node.outputs.front();
  for (auto &attribute : *proto.mutable_attribute())
    if (!node.attributes
             .emplace(attribute.name(), readAttribute(attribute, modelPath))
             .second)
      throw std::runtime_error("node '" + node.name + "' has attribute '" +
                               attribute.name() + "' twice");
  return node;
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

/// Adds what libonnx can infer to value_info. A model that it cannot digest
/// keeps what it has: --shape may tell what is missing.
static void inferShapes(::onnx::ModelProto &proto) {
  try {
    ::onnx::shape_inference::InferShapes(
        proto, ::onnx::OpSchemaRegistry::Instance(),
        {/*check_type=*/false, /*error_mode=*/0, /*data_prop=*/true});
  } catch (const std::exception &) {
  }
}

/// Fills Model::producers; every tensor must be made once, and before it is
/// read.
static void checkOrder(Model &model) {
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
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    const Node &node = model.nodes[i];
    for (const std::string &input : node.inputs) {
      if (input.empty() || known.count(input) != 0)
        continue;
      auto producer = model.producers.find(input);
      if (producer == model.producers.end())
        throw std::runtime_error("node '" + node.name + "' reads tensor '" +
                                 input + "', which nothing makes");
      throw std::runtime_error(
          "nodes are not sorted, or form a cycle: node '" + node.name +
          "' reads tensor '" + input + "', which node '" +
          model.nodes[producer->second].name + "' makes no earlier");
    }
    for (const std::string &output : node.outputs)
      known.insert(output);
  }
  for (const ValueInfo &output : model.outputs)
    if (known.count(output.name) == 0)
      throw std::runtime_error("output '" + output.name +
                               "' is made by no node");
}

static std::unique_ptr<Model>
readChecked(const std::string &path,
            const std::vector<std::string> &shapesWanted) {
  ::onnx::ModelProto proto = parse(path);
  auto model = std::make_unique<Model>();
  for (const auto &opset : proto.opset_import())
    if (opset.domain().empty() || opset.domain() == "ai.onnx")
      model->opset = opset.version();
  if (model->opset < 7 || model->opset > 17)
    throw std::runtime_error("operator set version must be 7 to 17 (was " +
                             std::to_string(model->opset) + ")");
  if (!tellsShapes(proto.graph(), shapesWanted))
    inferShapes(proto);

  ::onnx::GraphProto &graph = *proto.mutable_graph();
  if (graph.sparse_initializer_size() != 0)
    throw std::runtime_error("sparse initializers are not supported");
  for (auto &initializer : *graph.mutable_initializer()) {
    std::string name = initializer.name();
    if (!model->initializers.emplace(name, readTensor(initializer, path))
             .second)
      throw std::runtime_error("two initializers are called '" + name + "'");
  }
  for (const auto &input : graph.input())
    if (model->initializers.count(input.name()) == 0)
      model->inputs.push_back(readValueInfo(input));
  for (const auto &output : graph.output())
    model->outputs.push_back(readValueInfo(output));
  for (const auto &info : graph.value_info())
    model->valueInfos.emplace(info.name(), readValueInfo(info));
  for (auto &node : *graph.mutable_node())
    model->nodes.push_back(readNode(node, path));
  checkOrder(*model);
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
