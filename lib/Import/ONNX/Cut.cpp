//===- Cut.cpp - The part of a model that is imported ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cut.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"

#include <algorithm>

using namespace mlir;
using namespace mlir::fact;
using ::fact::onnx::Dimension;
using ::fact::onnx::ElementType;
using ::fact::onnx::Model;
using ::fact::onnx::ValueInfo;

/// "'a', 'b' and 'c'".
static std::string list(llvm::ArrayRef<std::string> names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i != 0)
      text += i + 1 == names.size() ? " and " : ", ";
    text += "'" + names[i] + "'";
  }
  return text;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// " (did you mean 'a' or 'b'?)", or nothing.
static std::string nearMatches(const Model &model, StringRef name) {
  std::vector<std::pair<unsigned, std::string>> found;
  unsigned limit = std::max<size_t>(2, name.size() / 3);
  auto consider = [&](StringRef candidate) {
    unsigned distance =
        candidate.edit_distance(name, /*AllowReplacements=*/true, limit);
    if (distance <= limit)
      found.emplace_back(distance, candidate.str());
  };
  for (const ValueInfo &input : model.inputs)
    consider(input.name);
  for (const auto &entry : model.producers)
    consider(entry.first);
  llvm::sort(found);
  std::string text;
  for (size_t i = 0; i < found.size() && i < 3; ++i)
    text += (i == 0 ? " (did you mean '" : " or '") + found[i].second + "'";
  return text.empty() ? text : text + "?)";
}

static bool isInput(const Model &model, StringRef name) {
  return llvm::any_of(
      model.inputs, [&](const ValueInfo &input) { return input.name == name; });
}

/// Checks that a flag names a tensor that is computed.
static std::string checkName(const Model &model, StringRef flag,
                             const std::string &name) {
  if (model.producers.count(name) != 0 || isInput(model, name))
    return "";
  if (model.initializers.count(name) != 0)
    return flag.str() + " names '" + name + "', which is a constant";
  return flag.str() + " names '" + name + "', which the model does not have" +
         nearMatches(model, name);
}

static std::string findResult(const Model &model,
                              const OnnxImportOptions &options, Cut &cut) {
  cut.result = options.to;
  if (!cut.result.empty())
    return checkName(model, "--to", cut.result);
  if (model.outputs.size() == 1) {
    cut.result = model.outputs.front().name;
    return "";
  }
  if (model.outputs.empty())
    return "the model has no output; name a tensor with --to";
  std::vector<std::string> names;
  for (const ValueInfo &output : model.outputs)
    names.push_back(output.name);
  return "the model has several outputs, choose one with --to: " + list(names);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

/// Walks from the result back to the arguments.
static std::string findNodes(const Model &model,
                             const OnnxImportOptions &options, Cut &cut) {
  llvm::StringSet<> stops, reached;
  for (const std::string &name : options.from) {
    if (std::string error = checkName(model, "--from", name); !error.empty())
      return error;
    if (!stops.insert(name).second)
      return "--from names '" + name + "' twice";
    if (name == cut.result)
      return "--from and --to both name '" + name + "'";
  }
  std::vector<bool> needed(model.nodes.size());
  std::vector<std::string> work{cut.result};
  std::vector<std::string> inputs;
  while (!work.empty()) {
    std::string name = std::move(work.back());
    work.pop_back();
    if (name.empty() || !reached.insert(name).second || stops.contains(name))
      continue;
    auto producer = model.producers.find(name);
    if (producer == model.producers.end()) {
      if (isInput(model, name))
        inputs.push_back(name);
      continue;
    }
    if (needed[producer->second])
      continue;
    needed[producer->second] = true;
    const ::fact::onnx::Node &node = model.nodes[producer->second];
    work.insert(work.end(), node.inputs.begin(), node.inputs.end());
  }
  for (size_t i = 0; i < needed.size(); ++i)
    if (needed[i])
      cut.nodes.push_back(i);

  if (!options.from.empty() && !inputs.empty())
    return "'" + cut.result +
           "' depends not only on what --from names, but "
           "also on input " +
           list(inputs.front()) + ": cut nearer to it or name the input too";
  for (const std::string &name : options.from) {
    if (!reached.contains(name))
      return "'" + cut.result + "' does not depend on '" + name +
             "', which --from names";
    cut.arguments.push_back({name, {}, {}, {}});
  }
  if (options.from.empty())
    for (const ValueInfo &input : model.inputs)
      if (reached.contains(input.name))
        cut.arguments.push_back({input.name, {}, {}, {}});
  if (cut.arguments.empty())
    return "'" + cut.result + "' depends on no input";
  return "";
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static std::string shapeText(llvm::ArrayRef<std::optional<int64_t>> extents,
                             StringRef unknown) {
  std::string text;
  for (std::optional<int64_t> extent : extents)
    text += (text.empty() ? "" : "x") +
            (extent ? std::to_string(*extent) : unknown.str());
  return text;
}

/// The argument's extents from the model and --shape.
static std::string findExtents(const Model &model,
                               const OnnxImportOptions &options,
                               Argument &argument) {
  const ValueInfo *info = model.findValueInfo(argument.name);
  if (info && info->type != ElementType::Undefined &&
      info->type != ElementType::Float)
    return "input '" + argument.name + "' must hold floats (holds " +
           ::fact::onnx::elementTypeName(info->type) + ")";
  auto given = options.shapes.find(argument.name);
  bool hasShape = info && info->shape;
  if (hasShape)
    for (const Dimension &dim : *info->shape)
      argument.declared.push_back(dim.value);
  if (given == options.shapes.end()) {
    if (!hasShape)
      return "the model does not tell the shape of '" + argument.name +
             "': give it with --shape=" + argument.name + ":1x...";
    for (std::optional<int64_t> extent : argument.declared) {
      if (!extent)
        return "the model leaves the shape of '" + argument.name +
               "' open: give the largest with --shape=" + argument.name + ":" +
               shapeText(argument.declared, "N") + ", where N are numbers";
      argument.extents.push_back(*extent);
    }
  } else {
    argument.extents.assign(given->second.begin(), given->second.end());
    if (!hasShape)
      argument.declared.assign(argument.extents.size(), std::nullopt);
    bool fits = argument.extents.size() == argument.declared.size();
    size_t rank = argument.extents.size();
    for (size_t i = 0; fits && i < rank; ++i)
      fits = !argument.declared[i] || i + 2 == rank ||
             argument.extents[i] == *argument.declared[i];
    if (!fits) {
      SmallVector<std::optional<int64_t>> extents(argument.extents.begin(),
                                                  argument.extents.end());
      return "--shape gives '" + argument.name + "' the shape " +
             shapeText(extents, "?") + ", the model says " +
             shapeText(argument.declared, "?");
    }
  }
  constexpr int64_t largest = int64_t(1) << 31;
  for (int64_t extent : argument.extents)
    if (extent < 1 || extent > largest)
      return "extents of '" + argument.name + "' must be 1 to 2^31 (one was " +
             std::to_string(extent) + ")";
  argument.open.assign(argument.extents.size(), false);
  return "";
}

/// Opens the last extent but one of the argument that has the sequence, and
/// every other extent of the arguments that is the same length: the last but
/// one of another argument, or one to which the model gives the same name (or,
/// like the sequence, none).
static void openSequence(const Model &model, Cut &cut) {
  const Argument *sequence = nullptr;
  for (const Argument &argument : cut.arguments) {
    size_t rank = argument.extents.size();
    if (rank < 2)
      continue;
    if (!sequence)
      sequence = &argument;
    if (argument.extents[rank - 2] > 1) {
      sequence = &argument;
      break;
    }
  }
  if (!sequence)
    return;
  size_t dimension = sequence->extents.size() - 2;
  cut.bound = sequence->extents[dimension];
  auto nameOf = [&](const Argument &argument, size_t i) -> std::string {
    const ValueInfo *info = model.findValueInfo(argument.name);
    return info && info->shape ? (*info->shape)[i].name : "";
  };
  std::string name = nameOf(*sequence, dimension);
  bool named = !sequence->declared[dimension];
  for (Argument &argument : cut.arguments)
    for (size_t i = 0, rank = argument.extents.size(); i < rank; ++i) {
      bool same = argument.extents[i] == cut.bound &&
                  nameOf(argument, i) == name && cut.bound > 1;
      bool lastButOne = i + 2 == rank;
      bool bothOpen = named && !argument.declared[i];
      argument.open[i] = (&argument == sequence && i == dimension) ||
                         (same && (lastButOne || bothOpen));
    }
}

std::string mlir::fact::makeCut(const Model &model,
                                const OnnxImportOptions &options, Cut &cut) {
  if (std::string error = findResult(model, options, cut); !error.empty())
    return error;
  if (std::string error = findNodes(model, options, cut); !error.empty())
    return error;
  std::vector<std::string> names;
  for (const Argument &argument : cut.arguments)
    names.push_back(argument.name);
  for (const auto &entry : options.shapes)
    if (llvm::find(names, entry.first) == names.end())
      return "--shape names '" + entry.first + "', inputs are " + list(names);
  for (Argument &argument : cut.arguments)
    if (std::string error = findExtents(model, options, argument);
        !error.empty())
      return error;
  openSequence(model, cut);
  return "";
}
