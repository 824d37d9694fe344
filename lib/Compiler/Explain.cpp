//===- Explain.cpp - What of a model was recognised, as a table -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Explain.h"

#include "fact/Compiler/Driver.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Sequence.h"
#include "fact/Dialect/Fact/IR/Values.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatAdapters.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>

using namespace mlir;
using namespace mlir::fact;

namespace {

struct Row {
  std::string part, from;
  double macs = 0;
};

/// The names of the model's nodes at a location, the first and how many more.
std::string nodesAt(Location location) {
  SmallVector<StringRef> names;
  location->walk([&](Location inner) {
    if (auto name = dyn_cast<NameLoc>(inner))
      names.push_back(name.getName());
    return WalkResult::advance();
  });
  if (names.empty()) {
    auto file = location->findInstanceOf<FileLineColLoc>();
    return file ? "line " + std::to_string(file.getLine()) : "";
  }
  std::string more = names.size() > 1
                         ? " and " + std::to_string(names.size() - 1) + " more"
                         : "";
  return names.front().str() + more;
}

class Explainer {
public:
  explicit Explainer(func::FuncOp main) {
    for (BlockArgument argument : main.getArguments())
      length = std::max(length, sequenceBound(main, argument));
    for (Operation &op : main.getBody().front())
      visit(op);
    flush();
  }

  SmallVector<Row> rows;
  int64_t length = 1;

private:
  int64_t extent(int64_t size) const {
    return ShapedType::isDynamic(size) ? length : size;
  }

  double macsOf(Operation &op) const {
    if (auto call = dyn_cast<func::CallOp>(op)) {
      double sum = 0;
      auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
          call, call.getCalleeAttr());
      for (Operation &inner : callee.getBody().front())
        sum += macsOf(inner);
      return sum;
    }
    if (auto linear = dyn_cast<LinearOp>(op)) {
      auto weight = cast<ShapedType>(linear.getWeight().getType());
      auto result = cast<ShapedType>(linear.getType());
      return static_cast<double>(extent(result.getDimSize(0))) *
             static_cast<double>(weight.getNumElements());
    }
    if (auto attention = dyn_cast<AttentionOp>(op)) {
      auto type = cast<ShapedType>(attention.getType());
      auto pairs = static_cast<double>(windowOf(attention.getWindowAttr())
                                           .pairs(extent(type.getDimSize(0))));
      return 2 * pairs * static_cast<double>(type.getDimSize(1));
    }
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if (!linalgOp || linalgOp.getNumReductionLoops() == 0 ||
        linalgOp.getNumDpsInputs() < 2)
      return 0;
    double product = 1;
    for (int64_t size : linalgOp.getStaticLoopRanges())
      product *= static_cast<double>(extent(size));
    return product;
  }

  static std::string textOf(LinearOp op) {
    auto weight = cast<ShapedType>(op.getWeight().getType());
    return llvm::formatv("linear {0}x{1}", weight.getDimSize(0),
                         weight.getDimSize(1));
  }
  static std::string textOf(AttentionOp op) {
    auto features = cast<ShapedType>(op.getType()).getDimSize(1);
    ::fact::numerics::Window window = windowOf(op.getWindowAttr());
    std::string kind;
    if (window == ::fact::numerics::Window::causal())
      kind = "causal ";
    else if (!window.seesAll())
      kind = "window " + window.text() + " ";
    auto heads = static_cast<int64_t>(op.getHeads());
    std::string text = llvm::formatv("{0}attention, {1} heads of {2}", kind,
                                     heads, features / heads);
    if (int64_t groups = op.getGroups(); groups != heads)
      text += ", " + counted(groups, "head", "heads") + " of keys";
    return text + dressingOf(op);
  }

  /// What stands between the projections of queries and keys and attention.
  static std::string dressingOf(AttentionOp op) {
    bool hasNorm = false, hasRotary = false;
    SmallVector<Operation *> dressing;
    for (Value rows : {op.getQuery(), op.getKey()}) {
      undressed(rows, dressing);
      hasNorm |= llvm::any_of(dressing, llvm::IsaPred<NormOp>);
      hasRotary |= llvm::any_of(dressing, llvm::IsaPred<RotateOp>);
    }
    return std::string(hasNorm ? ", normalised" : "") +
           (hasRotary ? ", rotary embedding" : "");
  }

  /// What a fact op that has multiply-accumulates is; empty for others.
  static std::string textOf(Operation &op) {
    if (auto linear = dyn_cast<LinearOp>(op))
      return textOf(linear);
    if (auto attention = dyn_cast<AttentionOp>(op))
      return textOf(attention);
    return "";
  }

  /// Whether an op computes floats outside of the accelerator's arithmetic.
  static bool isFloat(Operation &op) {
    return isa<linalg::SoftmaxOp>(op) ||
           (isa<linalg::LinalgOp>(op) && !isa<linalg::FillOp>(op));
  }

  static std::string counted(int64_t number, StringRef one, StringRef several) {
    return std::to_string(number) + " " + (number == 1 ? one : several).str();
  }

  /// The parts of a layer that have multiply-accumulates, equal ones in a row
  /// once, and whether there is more that is no part of a layer.
  static std::string layerText(func::FuncOp layer) {
    SmallVector<std::pair<std::string, int64_t>> parts;
    int64_t floats = 0;
    for (Operation &op : layer.getBody().front()) {
      std::string part = textOf(op);
      floats += isFloat(op);
      if (part.empty())
        continue;
      if (!parts.empty() && parts.back().first == part)
        ++parts.back().second;
      else
        parts.push_back({part, 1});
    }
    std::string text;
    for (const auto &[part, times] : parts)
      text += (text.empty() ? "" : "; ") +
              (times > 1 ? std::to_string(times) + " times " : "") + part;
    if (floats > 0)
      text += "; " + counted(floats, "float32 operation", "float32 operations");
    return text;
  }

  void visit(Operation &op) {
    if (auto call = dyn_cast<func::CallOp>(op)) {
      if (call.getCallee() == callee) {
        ++calls;
        rows.back().macs += macsOf(op);
        lastCall = nodesAt(call.getLoc());
        return;
      }
      flush();
      callee = call.getCallee();
      calls = 1;
      auto layer = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
          call, call.getCalleeAttr());
      rows.push_back({layerText(layer), nodesAt(call.getLoc()), macsOf(op)});
      return;
    }
    bool isFact = isa<FactDialect>(op.getDialect());
    if (!isFact && !isFloat(op))
      return; // moves elements, or names memory
    double macs = macsOf(op);
    if (isFact && macs == 0) {
      ++smallFact;
      return;
    }
    if (macs == 0) {
      ++smallFloat;
      return;
    }
    flush();
    std::string what = textOf(op);
    rows.push_back(
        {what.empty() ? "product or convolution in float32 on the CPU" : what,
         nodesAt(op.getLoc()), macs});
  }

  void flush() {
    if (calls > 1)
      rows.back().from += " to " + lastCall;
    if (calls > 0)
      rows.back().part =
          (calls > 1 ? std::to_string(calls) + " layers, each: " : "layer: ") +
          rows.back().part;
    calls = 0;
    callee = "";
    if (smallFact > 0)
      rows.push_back({counted(smallFact, "norm, activation or addition",
                              "norms, activations or additions"),
                      "", 0});
    if (smallFloat > 0)
      rows.push_back(
          {counted(smallFloat, "float32 operation", "float32 operations") +
               " on the CPU without products",
           "", 0});
    smallFact = smallFloat = 0;
  }

  StringRef callee; ///< Of the calls in a row that the last row is of.
  std::string lastCall;
  int64_t calls = 0, smallFact = 0, smallFloat = 0;
};
} // namespace

std::string mlir::fact::explain(Compilation &compilation) {
  Explainer explainer(compilation.main());
  double total = 0;
  size_t width = 4;
  for (const Row &row : explainer.rows) {
    total += row.macs;
    width = std::max(width, std::min<size_t>(row.part.size(), 90));
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  if (std::string policy = compilation.policyLine(); !policy.empty())
    os << policy << "\n\n";
  for (const std::string &line : compilation.assumptions())
    os << line << "\n\n";
  os << llvm::formatv(
      "{0,8}  {1}  {2}\n", "MACs",
      llvm::fmt_align(StringRef("part"), llvm::AlignStyle::Left, width),
      "from");
  for (const Row &row : explainer.rows) {
    std::string share =
        row.macs > 0 ? llvm::formatv("{0:F1} %", 100 * row.macs / total).str()
                     : "";
    std::string line = llvm::formatv(
        "{0,8}  {1}  {2}", share,
        llvm::fmt_align(row.part, llvm::AlignStyle::Left, width), row.from);
    os << StringRef(line).rtrim() << "\n";
  }
  // Each reason once, where it is met first.
  llvm::MapVector<StringRef, std::pair<const Compilation::Miss *, int64_t>> why;
  for (const Compilation::Miss &miss : compilation.notRaised()) {
    auto [it, isNew] = why.try_emplace(miss.reason, &miss, 0);
    ++it->second.second;
  }
  if (!why.empty())
    os << "\nwhat was looked at and not taken, and why:\n";
  for (auto &[reason, first] : why) {
    auto [miss, times] = first;
    os << "  " << nodesAt(miss->location) << ": " << reason;
    if (times > 1)
      os << " (" << times << " times)";
    os << "\n    " << miss->suggestion << "\n";
  }
  return text;
}
