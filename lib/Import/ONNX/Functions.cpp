//===- Functions.cpp - A model's own functions ----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Functions.h"

#include <map>
#include <stdexcept>
#include <string>

using namespace fact::onnx;

namespace {

/// Calls in calls, and nodes of all of them: a small file may ask for very
/// many.
constexpr int deepestCall = 32;
constexpr int mostNodes = 1 << 20;

using Name = std::pair<std::string, std::string>; ///< Domain and operator.

std::string domainOf(const std::string &domain) {
  return domain == "ai.onnx" ? "" : domain;
}

class Inliner {
public:
  explicit Inliner(::onnx::ModelProto &model) : model(model) {
    for (const auto &function : model.functions())
      functions[{domainOf(function.domain()), function.name()}] = &function;
  }

  void run() {
    if (functions.empty())
      return;
    google::protobuf::RepeatedPtrField<::onnx::NodeProto> nodes;
    nodes.Swap(model.mutable_graph()->mutable_node());
    for (const auto &node : nodes)
      add(node, 0);
  }

private:
  void add(const ::onnx::NodeProto &node, int depth) {
    auto *result = model.mutable_graph()->mutable_node();
    auto found = functions.find({domainOf(node.domain()), node.op_type()});
    if (found == functions.end()) {
      if (result->size() == mostNodes)
        throw std::runtime_error("the model's functions have too many nodes");
      *result->Add() = node;
      return;
    }
    if (depth == deepestCall)
      throw std::runtime_error("function '" + node.op_type() +
                               "' calls itself, or calls go too deep");
    call(node, *found->second, depth);
  }

  void call(const ::onnx::NodeProto &node, const ::onnx::FunctionProto &callee,
            int depth) {
    std::map<std::string, std::string> names{{"", ""}};
    for (int i = 0; i < callee.input_size(); ++i)
      names[callee.input(i)] = i < node.input_size() ? node.input(i) : "";
    for (int i = 0; i < callee.output_size(); ++i)
      if (i < node.output_size() && !node.output(i).empty())
        names[callee.output(i)] = node.output(i);
    std::string caller = node.name();
    if (caller.empty() && node.output_size() != 0)
      caller = node.output(0);
    auto rename = [&](std::string *name) {
      auto known = names.find(*name);
      *name = known != names.end() ? known->second : caller + "/" + *name;
    };
    for (const auto &each : callee.node()) {
      ::onnx::NodeProto copy = each;
      copy.set_name(caller + "/" +
                    (each.name().empty() ? each.op_type() : each.name()));
      for (auto &input : *copy.mutable_input())
        rename(&input);
      for (auto &output : *copy.mutable_output())
        rename(&output);
      copy.clear_attribute();
      for (const auto &attribute : each.attribute())
        addAttribute(copy, attribute, node);
      add(copy, depth + 1);
    }
  }

  /// An attribute may stand for one of the calling node, and is not there where
  /// that one is not.
  static void addAttribute(::onnx::NodeProto &to,
                           const ::onnx::AttributeProto &attribute,
                           const ::onnx::NodeProto &caller) {
    if (attribute.ref_attr_name().empty()) {
      if (attribute.has_g())
        throw std::runtime_error("node '" + to.name() +
                                 "' of a function has a graph of its own");
      *to.add_attribute() = attribute;
      return;
    }
    for (const auto &given : caller.attribute())
      if (given.name() == attribute.ref_attr_name()) {
        ::onnx::AttributeProto *copy = to.add_attribute();
        *copy = given;
        copy->set_name(attribute.name());
        return;
      }
  }

  ::onnx::ModelProto &model;
  std::map<Name, const ::onnx::FunctionProto *> functions;
};

} // namespace

void fact::onnx::inlineFunctions(::onnx::ModelProto &model) {
  Inliner(model).run();
}
