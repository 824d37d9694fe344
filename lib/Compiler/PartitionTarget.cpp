//===- PartitionTarget.cpp - Programs and the model around them -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PartitionTarget.h"
#include "ProgramTarget.h"

#include "fact/Compiler/Driver.h"
#include "fact/Compiler/Options.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/Transforms/EncoderStacks.h"
#include "fact/Dialect/Fact/Transforms/LayerPolicies.h"
#include "fact/ISA/Machine.h"
#include "fact/Import/ONNX/Import.h"
#include "fact/Import/ONNX/Partition.h"
#include "fact/Support/Error.h"
#include "fact/Support/OutputFile.h"
#include "fact/Target/LoadMachine.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::ObjectOptions;
using ::fact::onnx::BorderTensor;
using ::fact::onnx::PartOfModel;

using Files = std::vector<std::pair<std::string, std::string>>;

namespace {

/// An encoder stack by what the model's file calls its borders.
struct NamedStack {
  std::vector<std::string> inputs, outputs; ///< Tensors.
  int64_t attentions = 0;
  int64_t longest = 0; ///< Sequence.
  /// Its layers' policies, numbered from its first one.
  std::vector<::fact::numerics::LayerPolicy> policies;
};

/// What is written at the end.
struct Outputs {
  Files files; ///< Programs and reports.
  ::fact::onnx::Partition partition;
  std::string text; ///< For stderr.
};

/// A model's nodes, to be followed from tensor to tensor.
class Graph {
public:
  explicit Graph(ArrayRef<OnnxNode> nodes) : nodes(nodes) {
    for (auto [i, node] : llvm::enumerate(nodes)) {
      for (const std::string &tensor : node.makes)
        makers[tensor] = i;
      for (const std::string &tensor : node.reads)
        read.insert(tensor);
    }
  }

  /// What nodes of a name make, as far as that may be rows: statistics that
  /// nobody reads, or that stand behind the rows of a norm, are not.
  std::vector<std::string> tensorsOf(StringRef name) const {
    std::vector<std::string> tensors;
    for (const OnnxNode &node : nodes) {
      if (node.name != name)
        continue;
      std::vector<std::string> rows = node.makes;
      if (rows.size() > 1)
        llvm::erase_if(rows, [&](const std::string &tensor) {
          return !read.contains(tensor);
        });
      if (rows.empty() || StringRef(node.opType).ends_with("Normalization"))
        rows = ArrayRef(node.makes).take_front().vec();
      llvm::append_range(tensors, rows);
    }
    return tensors;
  }

  /// The tensors that those of `outputs` are made of, as far as they depend on
  /// elements of `inputs`; empty where one is made of none, or of an input.
  std::vector<std::string> oneNodeBack(ArrayRef<std::string> outputs,
                                       ArrayRef<std::string> inputs) const {
    llvm::StringSet<> inside, all;
    for (const std::string &input : inputs)
      all.insert(input);
    for (const OnnxNode &node : nodes)
      if (node.opType != "Shape" && node.opType != "Size" &&
          llvm::any_of(node.reads, [&](const std::string &tensor) {
            return all.contains(tensor);
          }))
        for (const std::string &tensor : node.makes) {
          inside.insert(tensor);
          all.insert(tensor);
        }
    std::vector<std::string> back;
    for (const std::string &output : outputs) {
      size_t count = 0;
      auto maker = makers.find(output);
      if (maker == makers.end())
        return {};
      for (const std::string &tensor : nodes[maker->second].reads) {
        if (!inside.contains(tensor))
          continue;
        ++count;
        if (!llvm::is_contained(back, tensor))
          back.push_back(tensor);
      }
      if (count == 0)
        return {};
    }
    return back;
  }

private:
  std::vector<OnnxNode> nodes;
  llvm::StringMap<size_t> makers;
  llvm::StringSet<> read;
};

} // namespace

/// "'a', 'b'".
static std::string listNames(ArrayRef<std::string> names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

//===----------------------------------------------------------------------===//
// Where to cut
//===----------------------------------------------------------------------===//

/// The tensor of the file that a value should be: whether it is, the program
/// between two of them shows.
static LogicalResult findTensor(const Graph &graph, Value value,
                                std::vector<std::string> &tensors) {
  std::string tensor = nameInModel(value);
  if (!isa<BlockArgument>(value)) {
    std::vector<std::string> made = graph.tensorsOf(tensor);
    if (made.size() != 1)
      return emitError(value.getLoc())
             << "is at the border of an encoder stack, and makes "
             << (made.empty() ? "no tensor of the model" : "several tensors")
             << ": the model cannot be parted there (--from and --to choose "
                "other tensors)";
    tensor = made.front();
  }
  if (!llvm::is_contained(tensors, tensor))
    tensors.push_back(tensor);
  return success();
}

/// The longest sequence of a model, from its arguments or from a stack's rows.
static int64_t longestSequence(func::FuncOp main, const EncoderStack &stack) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (auto bound = main.getArgAttrOfType<IntegerAttr>(i, kBoundAttrName))
      return bound.getInt();
  int64_t longest = 1;
  for (Value input : stack.inputs)
    for (int64_t extent :
         cast<RankedTensorType>(input.getType()).getShape().drop_back())
      longest = std::max(longest, extent);
  return longest;
}

static std::vector<::fact::numerics::LayerPolicy>
policiesOf(func::FuncOp main, const EncoderStack &stack) {
  OwningOpRef<ModuleOp> alone = extractStack(main, stack);
  std::vector<::fact::numerics::LayerPolicy> policies;
  for (auto [i, policy] : llvm::enumerate(
           layerPolicies(alone->lookupSymbol<func::FuncOp>("main"))))
    if (policy) {
      auto layer = static_cast<int64_t>(i);
      policies.push_back({layer, layer, policyFrom(policy).print()});
    }
  return policies;
}

static LogicalResult findStacks(Compilation &whole, const Graph &graph,
                                SmallVectorImpl<NamedStack> &named) {
  SmallVector<EncoderStack> stacks = findEncoderStacks(whole.main());
  if (failed(requireApart(stacks)))
    return failure();
  for (const EncoderStack &stack : stacks) {
    NamedStack &names = named.emplace_back();
    names.attentions = stack.attentions;
    names.longest = longestSequence(whole.main(), stack);
    names.policies = policiesOf(whole.main(), stack);
    for (Value input : stack.inputs)
      if (failed(findTensor(graph, input, names.inputs)))
        return failure();
    for (Value output : stack.outputs)
      if (failed(findTensor(graph, output, names.outputs)))
        return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The programs
//===----------------------------------------------------------------------===//

/// Inputs that the model needs for an extent alone.
static void eraseUnused(func::FuncOp main) {
  for (unsigned i = main.getNumArguments(); i-- > 0;)
    if (main.getArgument(i).use_empty() &&
        !main.getArgAttr(i, kPaddingAttrName) &&
        !main.getArgAttr(i, kPositionsAttrName))
      (void)main.eraseArgument(i);
}

/// An argument or result of `main`, with its shape; -1 also stands for a batch.
static BorderTensor borderTensor(Type type, DictionaryAttr attributes) {
  BorderTensor border;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(type).getShape();
  for (int64_t extent : shape)
    border.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
  if (!attributes)
    return border;
  if (auto name = attributes.getAs<StringAttr>(kNameAttrName))
    border.name = name.str();
  if (auto batch = attributes.getAs<DenseI64ArrayAttr>(kBatchAttrName))
    border.shape[batch[0]] = -1;
  return border;
}

/// "'name' 1xLx64", of one sequence.
static std::string describe(ArrayRef<BorderTensor> borders, TypeRange types) {
  std::string text;
  for (auto [border, type] : llvm::zip(borders, types)) {
    text += (text.empty() ? "'" : ", '") + border.name + "' ";
    for (auto [i, extent] :
         llvm::enumerate(cast<RankedTensorType>(type).getShape()))
      text += (i == 0 ? "" : "x") +
              (ShapedType::isDynamic(extent) ? "L" : std::to_string(extent));
  }
  return text;
}

/// Names what is no part of a stack.
static LogicalResult failBeside(ArrayRef<EncoderStack> stacks) {
  Block *block = stacks.front().ops.front()->getBlock();
  for (Operation &op : *block)
    if (isa<linalg::LinalgOp>(op) && !isa<linalg::FillOp>(op))
      return emitError(op.getLoc())
             << "computes also what is no part of an encoder layer";
  return emitError(stacks.front().ops.front()->getLoc())
         << "is in a stack with more around it";
}

/// Raises the model between a stack's borders. Fails where that is not the
/// stack alone.
static LogicalResult raiseBetween(Compilation &part, const NamedStack &stack,
                                  const OnnxImportOptions &import) {
  if (failed(part.loadOnnx(import)) || failed(part.runTo(Stage::Raised)))
    return failure();
  func::FuncOp main = part.main();
  SmallVector<EncoderStack> inside = findEncoderStacks(main);
  if (!inside.empty())
    return failBeside(inside);
  if (failed(part.requireRaised()))
    return failure();
  if (int64_t found = countAttentions(main); found != stack.attentions)
    return part.fail("it has " + Twine(found) + " attentions, the stack has " +
                     Twine(stack.attentions));
  eraseUnused(main);
  return success();
}

/// Compiles what lies between a stack's borders, adds its files and notes the
/// borders' shapes. Returns an error.
static std::optional<std::string> compileBetween(const ObjectOptions &options,
                                                 const NamedStack &stack,
                                                 Outputs &outputs) {
  OnnxImportOptions import;
  import.from = stack.inputs;
  import.to = stack.outputs;
  import.takesInputs = true;
  import.length = stack.longest;
  // Layers are numbered in the whole model.
  ObjectOptions ofPart = options;
  if (!options.layerPolicies.empty())
    ofPart.layerPolicies = stack.policies;
  Compilation part(ofPart);
  Files own;
  if (failed(raiseBetween(part, stack, import)))
    return part.errorText("it cannot be read");
  func::FuncOp main = part.main();
  std::vector<BorderTensor> taken, made;
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    taken.push_back(
        borderTensor(main.getArgumentTypes()[i], main.getArgAttrDict(i)));
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    made.push_back(
        borderTensor(main.getResultTypes()[i], main.getResultAttrDict(i)));
  std::string text;
  llvm::raw_string_ostream(text)
      << options.tool << ": '" << options.output << "' is an encoder stack of "
      << stack.attentions << " attentions: takes "
      << describe(taken, main.getArgumentTypes()) << "; makes "
      << describe(made, main.getResultTypes()) << "\n";
  llvm::erase_if(taken, [&](const BorderTensor &border) {
    return !llvm::is_contained(stack.inputs, border.name);
  });
  if (failed(addProgramFiles(part, options, own)))
    return part.errorText("it cannot be compiled");
  outputs.text += text;
  llvm::append_range(outputs.files, own);
  llvm::append_range(outputs.partition.taken, taken);
  llvm::append_range(outputs.partition.made, made);
  return std::nullopt;
}

/// Compiles a stack. Where it does not end in tensors of the model (a last
/// reshape, say, is another one than the model's, or half of a node), it ends
/// in those from which the next nodes make them.
static std::optional<std::string> compileStack(const ObjectOptions &options,
                                               NamedStack stack,
                                               const Graph &graph,
                                               Outputs &outputs) {
  constexpr int mostNodesBack = 4;
  std::string between = "the model between " + listNames(stack.inputs) +
                        " and " + listNames(stack.outputs);
  std::optional<std::string> first;
  for (int back = 0; back <= mostNodesBack && !stack.outputs.empty(); ++back) {
    std::optional<std::string> error = compileBetween(options, stack, outputs);
    if (!error)
      return std::nullopt;
    if (!first)
      first = error;
    stack.outputs = graph.oneNodeBack(stack.outputs, stack.inputs);
  }
  return between +
         ", where an encoder stack was found, is no program: " + *first;
}

//===----------------------------------------------------------------------===//
// All of it
//===----------------------------------------------------------------------===//

/// Writes a program for a model that is one encoder stack.
static LogicalResult writeWhole(Compilation &whole,
                                const ObjectOptions &options) {
  if (failed(whole.requireRaised()))
    return failure();
  Files files;
  if (failed(addProgramFiles(whole, options, files)))
    return failure();
  if (std::optional<std::string> error =
          ::fact::catchError([&] { ::fact::writeFiles(files); }))
    return whole.fail(*error);
  llvm::errs() << options.tool << ": '" << options.output
               << "' is the whole model: nothing is before or after it\n";
  return success();
}

static void print(const ObjectOptions &options, const PartOfModel &part,
                  StringRef otherwise) {
  llvm::errs() << options.tool << ": ";
  if (part.path.empty())
    llvm::errs() << otherwise << "\n";
  else
    llvm::errs() << "'" << part.path << "' makes " << listNames(part.outputs)
                 << " of " << listNames(part.inputs) << "\n";
}

std::optional<std::string>
mlir::fact::compilePartition(const ObjectOptions &options) {
  SmallVector<NamedStack> stacks;
  std::optional<Graph> graph;
  {
    Compilation whole(options);
    auto fail = [&] {
      return whole.errorText("cannot compile '" + options.model + "'");
    };
    if (llvm::sys::path::extension(options.model) != ".onnx")
      return "--partition is for ONNX models (model is '" + options.model +
             "')";
    if (failed(factisa::loadMachine(options.machine,
                                    UnknownLoc::get(&whole.context()))) ||
        failed(whole.load()) || failed(whole.runTo(Stage::Raised)))
      return fail();
    whole.announce();
    graph.emplace(whole.onnxNodes());
    if (failed(findStacks(whole, *graph, stacks)))
      return fail();
    if (stacks.empty()) {
      if (failed(writeWhole(whole, options)))
        return fail();
      return std::nullopt;
    }
  }
  Outputs outputs;
  outputs.partition.model = options.model;
  outputs.partition.folder = options.partition;
  for (auto [i, stack] : llvm::enumerate(stacks)) {
    ObjectOptions own = options;
    if (stacks.size() > 1) {
      own.output = numbered(options.output, i + 1);
      if (!options.report.empty())
        own.report = numbered(options.report, i + 1);
    }
    if (std::optional<std::string> error =
            compileStack(own, stack, *graph, outputs))
      return error;
  }
  ::fact::onnx::PartsOfModel parts;
  if (std::optional<std::string> error = ::fact::catchError([&] {
        parts = ::fact::onnx::writePartition(outputs.partition, outputs.files);
      }))
    return error;
  llvm::errs() << outputs.text;
  print(options, parts.before,
        "no before.onnx: what is taken are the model's own inputs");
  print(options, parts.after,
        "no after.onnx: what is made are the model's own outputs");
  return std::nullopt;
}
