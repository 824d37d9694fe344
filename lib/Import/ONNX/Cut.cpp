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

static std::string findResults(const Model &model,
                               const OnnxImportOptions &options, Cut &cut) {
  if (!options.to.empty()) {
    cut.results = options.to;
    for (const std::string &name : options.to)
      if (std::string error = checkName(model, "--to", name); !error.empty())
        return error;
    return "";
  }
  if (model.outputs.empty())
    return "the model has no output; name a tensor with --to";
  for (const ValueInfo &output : model.outputs)
    cut.results.push_back(output.name);
  return "";
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
    if (llvm::is_contained(cut.results, name))
      return "--from and --to both name '" + name + "'";
  }
  std::vector<bool> needed(model.nodes.size());
  std::vector<std::string> work = cut.results;
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
    llvm::append_range(work, node.reads());
  }
  for (size_t i = 0; i < needed.size(); ++i)
    if (needed[i])
      cut.nodes.push_back(i);

  if (!options.from.empty() && !inputs.empty() && !options.takesInputs)
    return list(cut.results) +
           " depends not only on what --from names, but "
           "also on input " +
           list(inputs.front()) + ": cut nearer to it or name the input too";
  for (const std::string &name : options.from) {
    if (!reached.contains(name))
      return list(cut.results) + " does not depend on '" + name +
             "', which --from names";
    cut.arguments.emplace_back().name = name;
  }
  if (options.from.empty() || options.takesInputs)
    for (const ValueInfo &input : model.inputs)
      if (reached.contains(input.name) && !stops.contains(input.name))
        cut.arguments.emplace_back().name = input.name;
  if (cut.arguments.empty())
    return list(cut.results) + " depends on no input";
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

/// Which extent is the sequence, if one is: of tokens [batch, length], of rows
/// [length, features] or [batch, length, features], or, where the last extent
/// but one is 1, [length, 1, features]; the last one where it is left open and
/// the one before is not, [batch, features, length] and masks [batch, 1,
/// length].
static std::optional<size_t> sequenceAxis(const Argument &argument) {
  llvm::ArrayRef<std::optional<int64_t>> extents = argument.declared;
  SmallVector<std::optional<int64_t>> given(argument.extents.begin(),
                                            argument.extents.end());
  if (!given.empty())
    extents = given;
  size_t rank = extents.size();
  auto isOne = [&](size_t i) { return extents[i] && *extents[i] == 1; };
  if (rank == 0 || argument.pastAxis)
    return std::nullopt;
  if (rank == 1)
    return argument.type == ElementType::Float || argument.isPerSequence
               ? std::optional<size_t>()
               : size_t(0);
  if (rank == 2) {
    // [batch, features], where other inputs have a batch in front, too.
    if (argument.hasBatch && !argument.declared[0] && argument.declared[1] &&
        argument.type == ElementType::Float)
      return std::nullopt;
    if (argument.sequenceFirst && !argument.declared[0])
      return 0;
    bool isPerToken = argument.type != ElementType::Float || isOne(0) ||
                      (!argument.declared[0] && !argument.declared[1]);
    return isPerToken ? 1 : 0;
  }
  if (argument.sequenceFirst && rank == 3 && argument.declared[0] != 1 &&
      (!argument.declared[0] || !argument.declared[1]))
    return 0;
  if (!argument.declared[rank - 1] && argument.declared[rank - 2])
    return rank - 1;
  if (rank == 3 && isOne(1) && !isOne(0))
    return 0;
  return rank - 2;
}

/// The names that the model gives to its open extents; empty where it has none.
static SmallVector<std::string> extentNames(const Model &model,
                                            const std::string &tensor) {
  SmallVector<std::string> names;
  const ValueInfo *info = model.findValueInfo(tensor);
  if (info && info->shape)
    for (const Dimension &dim : *info->shape)
      names.push_back(dim.value ? "" : dim.name);
  return names;
}

/// Finds what the names of extents tell.
/// * The state that a decoder takes from earlier runs: floats [.., past,
///   features] of at least 4 dimensions whose last extent but one has a name,
///   one that is none of the tokens', and whose others are fixed or the batch.
/// * A list of numbers for each sequence, as long as the batch of others.
static void readNames(const Model &model, Cut &cut) {
  llvm::StringSet<> batches, lengths;
  for (const Argument &argument : cut.arguments)
    if (auto names = extentNames(model, argument.name);
        names.size() == 2 || names.size() == 3) {
      batches.insert(names[0]);
      lengths.insert(names[1]);
    }
  for (Argument &argument : cut.arguments) {
    const ValueInfo *info = model.findValueInfo(argument.name);
    auto names = extentNames(model, argument.name);
    size_t rank = names.size();
    argument.isPerSequence = rank == 1 && !names[0].empty() &&
                             batches.contains(names[0]) &&
                             !lengths.contains(names[0]);
    // Without tokens or rows there is nothing that goes on.
    if (rank < 4 || lengths.empty() || info->type != ElementType::Float ||
        !(*info->shape)[rank - 1].value || names[rank - 2].empty() ||
        lengths.contains(names[rank - 2]))
      continue;
    bool isState = true;
    for (size_t i = 0; i + 2 < rank; ++i)
      isState &= (*info->shape)[i].value || batches.contains(names[i]);
    if (isState)
      argument.pastAxis = rank - 2;
  }
}

/// The extents that the model leaves open and no flag tells.
static std::string chooseExtents(Argument &argument,
                                 const std::vector<int64_t> *array,
                                 int64_t length, int64_t batch, Cut &cut) {
  if (array && array->size() == argument.declared.size()) {
    for (size_t i = 0; i < array->size(); ++i)
      argument.extents.push_back(argument.declared[i].value_or((*array)[i]));
    if (argument.sequenceFirst && (array->size() == 2 || array->size() == 3) &&
        sequenceAxis(argument) == 0 && !argument.declared[1] &&
        argument.extents[1] > 1)
      argument.batchAxis = 1;
    return "";
  }
  if (argument.isKnown) {
    for (std::optional<int64_t> extent : argument.declared)
      argument.extents.push_back(extent.value_or(length));
    return "";
  }
  std::optional<size_t> axis = sequenceAxis(argument);
  SmallVector<int64_t> extents;
  for (auto [i, extent] : llvm::enumerate(argument.declared)) {
    bool isBatch = i == 0 || (i == 1 && axis && *axis == 0);
    if (argument.pastAxis) {
      extents.push_back(extent.value_or(argument.pastAxis == i ? 0 : batch));
      if (!extent && argument.pastAxis != i && batch > 1)
        argument.batchAxis = i;
      continue;
    }
    if (!extent && axis != i && !isBatch)
      return "the model leaves the shape of '" + argument.name +
             "' open: give the largest with --shape=" + argument.name + ":" +
             shapeText(argument.declared, "N") + ", where N are numbers";
    extents.push_back(extent.value_or(axis == i ? length : batch));
    if (!extent && axis != i && batch > 1)
      argument.batchAxis = i;
  }
  argument.extents = extents;
  if (!llvm::is_contained(argument.declared, std::nullopt))
    return "";
  cut.isBoundChosen |= axis && !argument.declared[*axis];
  SmallVector<std::optional<int64_t>> chosen(extents.begin(), extents.end());
  cut.remarks.push_back("the model leaves the shape of '" + argument.name +
                        "' open, it is taken to be " + shapeText(chosen, "") +
                        ": --shape=" + argument.name + ":" +
                        shapeText(argument.declared, "N") + " says otherwise");
  return "";
}

/// The argument's type and extents from the model and --shape.
static std::string findExtents(const Model &model,
                               const OnnxImportOptions &options,
                               const KnownShapes &known,
                               const std::vector<int64_t> *array,
                               Argument &argument, Cut &cut) {
  const ValueInfo *info = model.findValueInfo(argument.name);
  if (info && info->type != ElementType::Undefined)
    argument.type = info->type;
  if (!llvm::is_contained({ElementType::Float, ElementType::Int32,
                           ElementType::Int64, ElementType::Bool},
                          argument.type))
    return "input '" + argument.name +
           "' must hold floats, int32, int64 or bool (holds " +
           ::fact::onnx::elementTypeName(argument.type) + ")";
  auto given = options.shapes.find(argument.name);
  auto found = known.shapes.find(argument.name);
  bool hasShape = info && info->shape;
  if (found != known.shapes.end()) {
    argument.isKnown = hasShape = true;
    if (auto axis = known.batchAxes.find(argument.name);
        axis != known.batchAxes.end())
      argument.batchAxis = axis->second;
    for (int64_t extent : found->second)
      argument.declared.push_back(
          ShapedType::isDynamic(extent) ? std::nullopt : std::optional(extent));
  } else if (hasShape)
    for (const Dimension &dim : *info->shape)
      argument.declared.push_back(dim.value);
  if (given == options.shapes.end()) {
    if (!hasShape && array)
      argument.declared.assign(array->size(), std::nullopt);
    else if (!hasShape)
      return "the model does not tell the shape of '" + argument.name +
             "': give it with --shape=" + argument.name + ":1x...";
    if (std::string error = chooseExtents(
            argument, array, known.bound > 0 ? known.bound : options.length,
            options.batch, cut);
        !error.empty())
      return error;
  } else {
    argument.extents.assign(given->second.begin(), given->second.end());
    if (!hasShape)
      argument.declared.assign(argument.extents.size(), std::nullopt);
    bool fits = argument.extents.size() == argument.declared.size();
    size_t rank = argument.extents.size();
    std::optional<size_t> axis = fits ? sequenceAxis(argument) : std::nullopt;
    for (size_t i = 0; fits && i < rank; ++i)
      fits = !argument.declared[i] || axis == i || i + 2 == rank ||
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
  for (auto [i, extent] : llvm::enumerate(argument.extents))
    if (extent < (argument.pastAxis == i ? 0 : 1) || extent > largest)
      return "extents of '" + argument.name + "' must be 1 to 2^31 (one was " +
             std::to_string(extent) + ")";
  argument.open.assign(argument.extents.size(), false);
  return "";
}

/// Opens the sequence of the argument that has the longest one, of what the
/// model leaves open rather than what it fixes and of rows rather than of
/// numbers, and every other extent of the arguments that is the same length:
/// another argument's sequence, or one to which the model gives the same name
/// (or, like the sequence, none). Where nothing is past, what tokens of all
/// runs have is the sequence's length, too, whatever it is called.
static void openSequence(const Model &model, bool opensLength, Cut &cut) {
  const Argument *sequence = nullptr;
  auto weight = [](const Argument &argument) {
    bool isLong = argument.extents[*sequenceAxis(argument)] > 1;
    return std::pair(isLong ? argument.extents.size() : 1, isLong);
  };
  // What comes out of the rest of the model says itself where it has the
  // length.
  auto inside = llvm::find_if(cut.arguments, [](const Argument &each) {
    return each.isKnown && llvm::is_contained(each.declared, std::nullopt);
  });
  bool fromInside = inside != cut.arguments.end();
  auto isLeftOpen = [](const Argument &argument) {
    std::optional<size_t> axis = sequenceAxis(argument);
    return axis && !argument.declared[*axis];
  };
  bool anyLeftOpen = llvm::any_of(cut.arguments, isLeftOpen);
  for (const Argument &argument : cut.arguments)
    if (sequenceAxis(argument) && isLeftOpen(argument) == anyLeftOpen &&
        (!sequence || weight(argument) > weight(*sequence)))
      sequence = &argument;
  if (fromInside)
    sequence = &*inside;
  if (!sequence)
    return;
  size_t dimension = fromInside ? llvm::find(inside->declared, std::nullopt) -
                                      inside->declared.begin()
                                : *sequenceAxis(*sequence);
  cut.bound = sequence->extents[dimension];
  bool hasNoPast = llvm::any_of(
      cut.arguments, [](const Argument &each) { return each.hasNoPast(); });
  // tf2onnx names what has no name "unk__7", each extent with its own number.
  auto nameOf = [&](const Argument &argument, size_t i) -> std::string {
    const ValueInfo *info = model.findValueInfo(argument.name);
    std::string name = info && info->shape ? (*info->shape)[i].name : "";
    return StringRef(name).starts_with("unk__") ? "" : name;
  };
  std::string name = nameOf(*sequence, dimension);
  bool named = !sequence->declared[dimension];
  if (opensLength && cut.bound > 1)
    cut.fixedLength = cut.bound;
  // A mask of tokens that has the scores' rank.
  auto isAlone = [&](const Argument &argument, size_t i) {
    return cut.fixedLength > 0 &&
           llvm::all_of(llvm::enumerate(argument.extents), [&](auto extent) {
             return extent.index() == i || extent.value() == 1;
           });
  };
  for (Argument &argument : cut.arguments)
    for (size_t i = 0, rank = argument.extents.size(); i < rank; ++i) {
      bool bothOpen = named && !argument.declared[i];
      bool same = argument.extents[i] == cut.bound &&
                  (nameOf(argument, i) == name || cut.fixedLength > 0 ||
                   hasNoPast || fromInside) &&
                  (cut.bound > 1 || (bothOpen && !name.empty()));
      argument.open[i] = (&argument == sequence && i == dimension) ||
                         (argument.isKnown && !argument.declared[i]) ||
                         (same && (sequenceAxis(argument) == i || bothOpen ||
                                   isAlone(argument, i)));
    }
}

/// Opens the batch instead.
static void openBatch(int64_t most, Cut &cut) {
  cut.bound = most;
  cut.isBoundChosen = false;
  for (Argument &argument : cut.arguments)
    if (argument.batchAxis)
      argument.open[*argument.batchAxis] = true;
}

std::string mlir::fact::makeCut(const Model &model,
                                const OnnxImportOptions &options,
                                const KnownShapes &known, Cut &cut) {
  if (std::string error = findResults(model, options, cut); !error.empty())
    return error;
  if (std::string error = findNodes(model, options, cut); !error.empty())
    return error;
  std::vector<std::string> names;
  for (const Argument &argument : cut.arguments)
    names.push_back(argument.name);
  for (const auto &entry : options.shapes)
    if (llvm::find(names, entry.first) == names.end())
      return "--shape names '" + entry.first + "', inputs are " + list(names);
  bool hasBatch = llvm::any_of(cut.arguments, [&](const Argument &argument) {
    const ValueInfo *info = model.findValueInfo(argument.name);
    return info && info->shape && info->shape->size() >= 3 &&
           !info->shape->front().value;
  });
  readNames(model, cut);
  for (auto [i, argument] : llvm::enumerate(cut.arguments)) {
    argument.hasBatch = hasBatch;
    argument.sequenceFirst = options.sequenceFirst;
    const std::vector<int64_t> *array =
        options.arrays.size() == cut.arguments.size() ? &options.arrays[i]
                                                      : nullptr;
    if (std::string error =
            findExtents(model, options, known, array, argument, cut);
        !error.empty())
      return error;
  }
  if (options.opensBatch)
    openBatch(options.batch, cut);
  else
    openSequence(model, options.opensLength, cut);
  return "";
}
