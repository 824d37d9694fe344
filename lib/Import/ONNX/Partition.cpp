//===- Partition.cpp - The parts of a model around its programs -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Import/ONNX/Partition.h"

#include "Functions.h"
#include "PartFile.h"
#include "ReadProto.h"
#include "fact/Support/Error.h"
#include "fact/Support/OutputFile.h"

#include <algorithm>
#include <filesystem>
#include <unordered_map>
#include <unordered_set>

using namespace fact;
using namespace fact::onnx;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;
using NameSet = std::unordered_set<std::string>;

/// Names in order, each once.
class NameList {
public:
  bool add(const std::string &name) {
    if (!seen.insert(name).second)
      return false;
    names.push_back(name);
    return true;
  }
  bool has(const std::string &name) const { return seen.count(name) != 0; }
  const Names &list() const { return names; }
  /// Those names, which each stand in one of the lists, in the lists' order.
  NameList inOrderOf(std::initializer_list<const NameList *> lists) const {
    NameList ordered;
    for (const NameList *list : lists)
      for (const std::string &name : list->list())
        if (has(name))
          ordered.add(name);
    return ordered;
  }

private:
  Names names;
  NameSet seen;
};

NameList namesOf(const std::vector<BorderTensor> &tensors) {
  NameList names;
  for (const BorderTensor &tensor : tensors)
    names.add(tensor.name);
  return names;
}

/// Some of a model's nodes, by their indices, and what they read from outside.
struct Part {
  std::vector<bool> nodes;
  NameList inputs, outputs;

  bool isEmpty() const {
    return std::find(nodes.begin(), nodes.end(), true) == nodes.end();
  }
};

class Partitioner {
public:
  Partitioner(const Partition &partition, ::onnx::ModelProto &model);

  void run();

  Part before, after;

private:
  const std::string &nameOf(size_t node) const {
    const ::onnx::NodeProto &proto = graph.node(static_cast<int>(node));
    return proto.name().empty() && proto.output_size() != 0 ? proto.output(0)
                                                            : proto.name();
  }
  void markInputs();
  void findInside();
  /// Adds what \p name needs to \p part; `stop` says of a tensor that the part
  /// takes it. The reader, for errors, is the node or the output of the model.
  template <typename Stop>
  void walk(Part &part, const std::string &name, Stop stop);
  void checkOutside(size_t node, const std::string &tensor,
                    const std::string &reader) const;
  void checkBorders() const;

  const Partition &partition;
  ::onnx::GraphProto &graph;
  const NameList taken, made;
  NameList inputs; ///< Of the model, without initializers.
  std::vector<Names> reads;
  std::unordered_map<std::string, size_t> producers;
  std::unordered_map<std::string, int32_t> types;
  std::vector<bool> isRuntime; ///< By node: depends on an input.
  std::vector<bool> isInside;  ///< By node: between what is taken and made.
};

} // namespace

Partitioner::Partitioner(const Partition &partition, ::onnx::ModelProto &model)
    : partition(partition), graph(*model.mutable_graph()),
      taken(namesOf(partition.taken)), made(namesOf(partition.made)) {
  NameSet initializers;
  for (const auto &each : graph.initializer())
    initializers.insert(each.name());
  for (const auto &input : graph.input())
    if (initializers.count(input.name()) == 0)
      inputs.add(input.name());
  auto note = [&](const auto &infos) {
    for (const auto &info : infos)
      if (info.type().has_tensor_type())
        types[info.name()] = info.type().tensor_type().elem_type();
  };
  note(graph.value_info());
  note(graph.input());
  note(graph.output());
  size_t count = static_cast<size_t>(graph.node_size());
  before.nodes = after.nodes = isRuntime = isInside = std::vector<bool>(count);
  reads.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const ::onnx::NodeProto &node = graph.node(static_cast<int>(i));
    reads[i] = readsOf(node);
    for (const std::string &output : node.output())
      if (!output.empty())
        producers[output] = i;
  }
}

/// The graph's nodes are sorted.
void Partitioner::markInputs() {
  for (size_t i = 0; i < reads.size(); ++i)
    for (const std::string &name : reads[i]) {
      auto producer = producers.find(name);
      if (inputs.has(name) ||
          (producer != producers.end() && isRuntime[producer->second]))
        isRuntime[i] = true;
    }
}

/// Nodes on the way from what is taken to what is made. A shape is not on it:
/// whoever needs that needs no row.
void Partitioner::findInside() {
  std::vector<bool> isBehind(reads.size());
  for (size_t i = 0; i < reads.size(); ++i) {
    const std::string &op = graph.node(static_cast<int>(i)).op_type();
    if (op == "Shape" || op == "Size")
      continue;
    for (const std::string &name : reads[i]) {
      auto producer = producers.find(name);
      if (taken.has(name) ||
          (producer != producers.end() && isBehind[producer->second]))
        isBehind[i] = true;
    }
  }
  // Nor is a cast, where the rows are not float32 in the model.
  auto isCastOfBorder = [&](size_t i) {
    const ::onnx::NodeProto &node = graph.node(static_cast<int>(i));
    return node.op_type() == "Cast" &&
           (taken.has(node.input(0)) || made.has(node.input(0)));
  };
  Part all;
  all.nodes.resize(reads.size());
  for (const std::string &name : made.list())
    walk(all, name,
         [&](const std::string &tensor) { return taken.has(tensor); });
  for (size_t i = 0; i < reads.size(); ++i)
    isInside[i] = all.nodes[i] && isBehind[i] && !isCastOfBorder(i);
}

template <typename Stop>
void Partitioner::walk(Part &part, const std::string &name, Stop stop) {
  std::vector<std::pair<std::string, std::string>> work{{name, ""}};
  while (!work.empty()) {
    auto [tensor, reader] = std::move(work.back());
    work.pop_back();
    auto producer = producers.find(tensor);
    bool isInput = inputs.has(tensor);
    if (isInput || (producer != producers.end() && stop(tensor))) {
      part.inputs.add(tensor);
      continue;
    }
    if (producer == producers.end()) // an initializer, or left out
      continue;
    size_t node = producer->second;
    checkOutside(node, tensor, reader);
    if (part.nodes[node])
      continue;
    part.nodes[node] = true;
    for (const std::string &read : reads[node])
      work.emplace_back(read, nameOf(node));
  }
}

void Partitioner::checkOutside(size_t node, const std::string &tensor,
                               const std::string &reader) const {
  if (!isInside[node])
    return;
  throw Error("'" + partition.model + "' cannot be parted: " +
              (reader.empty() ? "its output '" + tensor + "'"
                              : "node '" + reader + "' reads tensor '" +
                                    tensor + "', which") +
              " is made between '" + taken.list().front() + "' and '" +
              made.list().front() + "', inside of the program");
}

void Partitioner::checkBorders() const {
  for (const NameList *names : {&taken, &made})
    for (const std::string &name : names->list()) {
      auto type = types.find(name);
      if (type != types.end() &&
          type->second != ::onnx::TensorProto::UNDEFINED &&
          type->second != ::onnx::TensorProto::FLOAT)
        throw Error(
            "'" + partition.model + "' cannot be parted at tensor '" + name +
            "': it is an input or output of the model, and a "
            "program's rows are float32 (is " +
            elementTypeName(static_cast<ElementType>(type->second)) + ")");
    }
}

void Partitioner::run() {
  checkBorders();
  markInputs();
  findInside();
  auto never = [](const std::string &) { return false; };
  for (const std::string &name : taken.list())
    if (!inputs.has(name)) {
      walk(before, name, never);
      before.outputs.add(name);
    }
  // What both need is passed on rather than computed twice, unless it is a
  // constant, or nobody knows its type.
  auto isPassed = [&](const std::string &tensor) {
    if (made.has(tensor) || taken.has(tensor))
      return true;
    size_t node = producers.at(tensor);
    auto type = types.find(tensor);
    return before.nodes[node] && isRuntime[node] && type != types.end() &&
           type->second != ::onnx::TensorProto::UNDEFINED;
  };
  for (const auto &output : graph.output()) {
    const std::string &name = output.name();
    auto producer = producers.find(name);
    if (made.has(name))
      continue;
    if (producer != producers.end() && before.nodes[producer->second]) {
      before.outputs.add(name);
      continue;
    }
    walk(after, name, isPassed);
    after.outputs.add(name);
  }
  for (const std::string &name : after.inputs.list())
    if (!made.has(name) && !inputs.has(name))
      before.outputs.add(name);
  before.inputs = before.inputs.inOrderOf({&inputs});
  after.inputs = after.inputs.inOrderOf({&made, &before.outputs, &inputs});
}

/// Puts functions in the place of their calls, and what they need of operator
/// sets into the model.
static void inlineAll(::onnx::ModelProto &model) {
  auto nameOf = [](const std::string &domain) {
    return domain.empty() ? "ai.onnx" : domain;
  };
  for (const auto &function : model.functions())
    for (const auto &needed : function.opset_import()) {
      auto found =
          std::find_if(model.opset_import().begin(), model.opset_import().end(),
                       [&](const auto &has) {
                         return nameOf(has.domain()) == nameOf(needed.domain());
                       });
      if (found == model.opset_import().end())
        *model.add_opset_import() = needed;
      else if (found->version() != needed.version())
        throw Error("function '" + function.name() + "' is of version " +
                    std::to_string(needed.version()) + " of operator set '" +
                    nameOf(needed.domain()) + "', the model of " +
                    std::to_string(found->version()) +
                    ": a part cannot have both");
    }
  inlineFunctions(model);
}

/// Makes a tensor of another type float32 and that type again, so that a
/// program takes or makes the float32 between the two.
static void castToFloat(::onnx::GraphProto &graph, const std::string &name,
                        int32_t type) {
  std::string typeName = elementTypeName(static_cast<ElementType>(type));
  std::string before = name + "/" + typeName, after = before + "_again";
  for (auto &node : *graph.mutable_node()) {
    renameReads(node, name, after);
    for (auto &output : *node.mutable_output())
      if (output == name)
        output = before;
  }
  auto add = [&](const std::string &from, const std::string &to, int32_t kind) {
    ::onnx::NodeProto &node = *graph.add_node();
    node.set_op_type("Cast");
    node.set_name(to + "/Cast");
    node.add_input(from);
    node.add_output(to);
    auto &attribute = *node.add_attribute();
    attribute.set_name("to");
    attribute.set_type(::onnx::AttributeProto::INT);
    attribute.set_i(kind);
  };
  add(before, name, ::onnx::TensorProto::FLOAT);
  add(name, after, type);
}

/// Does so with all borders between nodes that are known to need it.
static void castBorders(const Partition &partition, ::onnx::GraphProto &graph) {
  NameSet ends;
  for (const auto *list : {&graph.input(), &graph.output()})
    for (const auto &info : *list)
      ends.insert(info.name());
  NameSet borders;
  for (const auto *list : {&partition.taken, &partition.made})
    for (const BorderTensor &border : *list)
      borders.insert(border.name);
  for (auto &info : *graph.mutable_value_info()) {
    auto &type = *info.mutable_type()->mutable_tensor_type();
    int32_t kind = type.elem_type();
    if (borders.count(info.name()) == 0 || ends.count(info.name()) != 0 ||
        kind == ::onnx::TensorProto::UNDEFINED ||
        kind == ::onnx::TensorProto::FLOAT)
      continue;
    castToFloat(graph, info.name(), kind);
    type.set_elem_type(::onnx::TensorProto::FLOAT);
  }
}

/// Puts each node behind what makes its inputs, in the file's order where that
/// leaves a choice. The import has seen that there is no cycle.
static void sortNodes(::onnx::GraphProto &graph) {
  auto count = static_cast<size_t>(graph.node_size());
  std::unordered_map<std::string, size_t> producers;
  for (size_t i = 0; i < count; ++i)
    for (const std::string &output : graph.node(static_cast<int>(i)).output())
      if (!output.empty())
        producers[output] = i;
  std::vector<int> state(count); // 1: what it reads is on the stack, 2: placed
  std::vector<int> order;
  for (size_t first = 0; first < count; ++first) {
    std::vector<size_t> stack{first};
    while (!stack.empty()) {
      size_t i = stack.back();
      if (state[i] != 0) {
        stack.pop_back();
        if (state[i] == 1)
          order.push_back(static_cast<int>(i));
        state[i] = 2;
        continue;
      }
      state[i] = 1;
      for (const std::string &name : readsOf(graph.node(static_cast<int>(i))))
        if (auto found = producers.find(name);
            found != producers.end() && state[found->second] == 0)
          stack.push_back(found->second);
    }
  }
  google::protobuf::RepeatedPtrField<::onnx::NodeProto> sorted;
  for (int i : order)
    sorted.Add()->Swap(graph.mutable_node(i));
  graph.mutable_node()->Swap(&sorted);
}

/// A part as a model, with the tensors of \p model, which it may lose unless
/// \p keep says that another part needs them.
static ::onnx::ModelProto makePart(const Part &part, ::onnx::ModelProto &model,
                                   const NameSet &keep) {
  ::onnx::GraphProto &graph = *model.mutable_graph();
  ::onnx::ModelProto result;
  result.set_ir_version(model.ir_version());
  *result.mutable_opset_import() = model.opset_import();
  *result.mutable_metadata_props() = model.metadata_props();
  result.set_producer_name(model.producer_name());
  result.set_producer_version(model.producer_version());
  result.set_domain(model.domain());
  result.set_model_version(model.model_version());
  ::onnx::GraphProto &to = *result.mutable_graph();
  to.set_name(graph.name());
  NameSet tensors;
  for (int i = 0; i < graph.node_size(); ++i) {
    if (!part.nodes[static_cast<size_t>(i)])
      continue;
    for (const std::string &name : readsOf(graph.node(i)))
      tensors.insert(name);
    for (const std::string &name : graph.node(i).output())
      tensors.insert(name);
    *to.add_node() = graph.node(i);
  }
  tensors.insert(part.outputs.list().begin(), part.outputs.list().end());
  NameSet initializers;
  for (auto &each : *graph.mutable_initializer()) {
    if (tensors.count(each.name()) == 0)
      continue;
    initializers.insert(each.name());
    if (keep.count(each.name()) != 0)
      *to.add_initializer() = each;
    else
      to.add_initializer()->Swap(&each);
  }
  std::unordered_map<std::string, const ::onnx::ValueInfoProto *> infos;
  for (const auto *list :
       {&graph.value_info(), &graph.output(), &graph.input()})
    for (const auto &info : *list)
      infos[info.name()] = &info;
  auto add = [&](::onnx::ValueInfoProto *info, const std::string &name) {
    if (auto known = infos.find(name); known != infos.end())
      *info = *known->second;
    info->set_name(name);
  };
  for (const std::string &name : part.inputs.list())
    add(to.add_input(), name);
  // Old models have their weights among the inputs.
  for (const auto &input : graph.input())
    if (initializers.count(input.name()) != 0)
      *to.add_input() = input;
  for (const std::string &name : part.outputs.list())
    add(to.add_output(), name);
  for (const auto &info : graph.value_info())
    if (tensors.count(info.name()) != 0 && !part.inputs.has(info.name()) &&
        !part.outputs.has(info.name()))
      *to.add_value_info() = info;
  for (const auto &each : graph.quantization_annotation())
    if (tensors.count(each.tensor_name()) != 0)
      *to.add_quantization_annotation() = each;
  return result;
}

/// Tells the model what the program knows of its borders.
static void describeBorders(const std::vector<BorderTensor> &borders,
                            ::onnx::GraphProto &graph) {
  auto find = [&](const std::string &name) -> ::onnx::ValueInfoProto * {
    for (auto *list : {graph.mutable_value_info(), graph.mutable_output(),
                       graph.mutable_input()})
      for (auto &info : *list)
        if (info.name() == name)
          return &info;
    return graph.add_value_info();
  };
  for (const BorderTensor &border : borders) {
    ::onnx::ValueInfoProto *info = find(border.name);
    info->set_name(border.name);
    auto &type = *info->mutable_type()->mutable_tensor_type();
    if (type.elem_type() == ::onnx::TensorProto::UNDEFINED)
      type.set_elem_type(::onnx::TensorProto::FLOAT);
    if (type.has_shape())
      continue;
    type.mutable_shape();
    for (int64_t extent : border.shape) {
      auto *dim = type.mutable_shape()->add_dim();
      if (extent >= 0)
        dim->set_dim_value(extent);
    }
  }
}

/// The tensors that some nodes read, those of branches among them.
static NameSet tensorsOf(const Part &part, const ::onnx::GraphProto &graph) {
  NameSet names;
  for (int i = 0; i < graph.node_size(); ++i)
    if (part.nodes[static_cast<size_t>(i)])
      for (const std::string &name : readsOf(graph.node(i)))
        names.insert(name);
  names.insert(part.outputs.list().begin(), part.outputs.list().end());
  return names;
}

PartsOfModel fact::onnx::writePartition(
    const Partition &partition,
    const std::vector<std::pair<std::string, std::string>> &others) try {
  ::onnx::ModelProto model = parseModel(partition.model);
  inlineAll(model);
  inferShapes(model);
  castBorders(partition, *model.mutable_graph());
  sortNodes(*model.mutable_graph());
  Partitioner partitioner(partition, model);
  partitioner.run();
  describeBorders(partition.taken, *model.mutable_graph());
  describeBorders(partition.made, *model.mutable_graph());

  NewFolder folder(partition.folder);
  OutputFiles files;
  for (const auto &[path, contents] : others)
    files.open(path).write(contents);
  PartsOfModel result;
  auto write = [&](const Part &part, const char *name, const NameSet &keep,
                   PartOfModel &written) {
    fs::path path = fs::path(partition.folder) / name;
    if (part.isEmpty()) {
      if (fs::exists(path))
        throw Error("nothing of '" + partition.model + "' is for '" +
                    path.string() + "', which is there: remove it");
      return;
    }
    ::onnx::ModelProto proto = makePart(part, model, keep);
    written = {path.string(), part.inputs.list(), part.outputs.list()};
    writePart(proto, partition.model, path.string(), files);
  };
  write(partitioner.before, "before.onnx",
        tensorsOf(partitioner.after, model.graph()), result.before);
  write(partitioner.after, "after.onnx", {}, result.after);
  files.commit();
  folder.keep();
  return result;
} catch (const Error &) {
  throw;
} catch (const std::exception &exception) {
  throw Error("cannot part '" + partition.model + "': " + exception.what());
}
