//===- Outline.cpp - Makes equal encoder layers one function --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Remarks.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::fact {
#define GEN_PASS_DEF_OUTLINEPASS
#include "fact/Dialect/Fact/Transforms/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

bool isConstant(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->hasTrait<OpTrait::ConstantLike>();
}

/// A constant that a layer takes as an argument; numbers stay inside.
bool isWeight(Value value) {
  return isConstant(value) && isa<TensorType>(value.getType());
}

/// A piece of a function between two cuts.
struct Layer {
  SmallVector<Operation *> ops; ///< no constants
  Value input, output;
  Operation *attention = nullptr; ///< the first one

  /// Calls `visit` for each use of a value from outside, in order.
  void forEachFreeUse(llvm::function_ref<void(OpOperand &)> visit) const {
    DenseSet<Operation *> inside(ops.begin(), ops.end());
    for (Operation *op : ops)
      op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
        for (OpOperand &use : inner->getOpOperands()) {
          Value value = use.get();
          Operation *owner = value.getDefiningOp();
          if (!owner)
            owner = cast<BlockArgument>(value).getOwner()->getParentOp();
          bool isLocal =
              inside.contains(owner) ||
              (owner && op->isAncestor(owner)); // in a region of the op
          if (!isLocal)
            visit(use);
        }
      });
  }
};

/// Finds the layers of one function.
class Cutter {
public:
  explicit Cutter(func::FuncOp function) {
    for (Operation &op : function.getBody().front().without_terminator())
      if (!op.hasTrait<OpTrait::ConstantLike>()) {
        position[&op] = ops.size();
        ops.push_back(&op);
      }
    terminator = function.getBody().front().getTerminator();
    findCuts(function);
  }

  /// From one cut to another; empty where more than the input comes from
  /// outside, more than the output is used there, or the input passes by what
  /// is in between.
  std::optional<Layer> piece(unsigned begin, unsigned end,
                             AttentionOp attention) const {
    Layer layer;
    layer.attention = attention;
    layer.input = alive[begin];
    layer.output = alive[end];
    layer.ops.assign(ops.begin() + begin, ops.begin() + end);
    bool isClosed = true;
    layer.forEachFreeUse([&](OpOperand &use) {
      isClosed &= isConstant(use.get()) || use.get() == layer.input;
    });
    // A cut knows nothing of values that are no tensors and of tensors whose
    // length only is read.
    Block *block = terminator->getBlock();
    for (Operation *op : layer.ops)
      for (OpResult result : op->getResults())
        for (Operation *user : result.getUsers()) {
          Operation *top = block->findAncestorOpInBlock(*user);
          isClosed &= result == layer.output ||
                      (top != terminator && position.lookup(top) < end);
        }
    if (!isClosed || layer.ops.empty() || !layer.input || !layer.output ||
        layer.output == layer.input)
      return std::nullopt;
    return layer;
  }

  /// The last cut at or before an op.
  std::optional<unsigned> lastCut(Operation *op) const {
    for (unsigned i = position.lookup(op) + 1; i-- > 0;)
      if (alive[i])
        return i;
    return std::nullopt;
  }
  /// Cuts after an op, up to and including `end`.
  SmallVector<unsigned> cutsAfter(Operation *op, unsigned end) const {
    SmallVector<unsigned> cuts;
    for (unsigned i = position.lookup(op) + 1; i <= end; ++i)
      if (alive[i])
        cuts.push_back(i);
    return cuts;
  }
  unsigned size() const { return ops.size(); }
  Operation *op(unsigned i) const { return ops[i]; }

private:
  /// Before each op, and at the end: the only tensor that is alive there and
  /// depends on the input, null where there are several. A tensor whose length
  /// only is read is not alive.
  void findCuts(func::FuncOp function) {
    SmallVector<Value> values(function.getArguments());
    for (Operation *op : ops)
      llvm::append_range(values, op->getResults());
    SmallVector<unsigned> count(ops.size() + 1, 0);
    alive.assign(ops.size() + 1, Value());
    for (Value value : values) {
      if (!isa<TensorType>(value.getType()))
        continue;
      Operation *def = value.getDefiningOp();
      unsigned first = def ? position[def] + 1 : 0, last = 0;
      bool isUsed = false;
      for (Operation *user : value.getUsers()) {
        if (isa<tensor::DimOp>(user))
          continue;
        Operation *top =
            function.getBody().front().findAncestorOpInBlock(*user);
        last = std::max<unsigned>(last, top == terminator ? ops.size()
                                                          : position[top]);
        isUsed = true;
      }
      for (unsigned i = first; isUsed && i <= last; ++i) {
        ++count[i];
        alive[i] = value;
      }
    }
    for (auto [i, n] : llvm::enumerate(count))
      if (n != 1)
        alive[i] = nullptr;
  }

  SmallVector<Operation *> ops;
  DenseMap<Operation *, unsigned> position;
  SmallVector<Value> alive;
  Operation *terminator;
};

/// The first op of `b` that is not as in `a`, and why; null where the layers
/// are equal.
Operation *firstDifference(const Layer &a, const Layer &b, std::string &why) {
  DenseMap<Value, Value> same;
  same[a.input] = b.input;
  if (a.input.getType() != b.input.getType()) {
    why = "the rows that enter have another type";
    return b.ops.front();
  }
  auto check = [&](Value x, Value y) -> LogicalResult {
    if (x.getType() != y.getType())
      return failure();
    if (isConstant(x) != isConstant(y))
      return failure();
    if (!isConstant(x))
      return success(same.lookup(x) == y);
    if (isWeight(x))
      return success();
    Attribute left, right;
    return success(matchPattern(x, m_Constant(&left)) &&
                   matchPattern(y, m_Constant(&right)) && left == right);
  };
  auto mark = [&](Value x, Value y) { same[x] = y; };
  auto inOrder = [&](ValueRange x, ValueRange y) -> LogicalResult {
    if (x.size() != y.size())
      return failure();
    for (auto [left, right] : llvm::zip_equal(x, y))
      if (failed(check(left, right)))
        return failure();
    return success();
  };
  for (auto [x, y] : llvm::zip(a.ops, b.ops)) {
    if (OperationEquivalence::isEquivalentTo(
            x, y, check, mark, OperationEquivalence::IgnoreLocations, inOrder))
      continue;
    if (x->getName() != y->getName())
      why = ("'" + y->getName().getStringRef() + "' in place of '" +
             x->getName().getStringRef() + "'")
                .str();
    else if (x->getResultTypes() != y->getResultTypes() ||
             x->getOperandTypes() != y->getOperandTypes())
      why = ("'" + y->getName().getStringRef() + "' has other types").str();
    else if (x->getAttrDictionary() != y->getAttrDictionary())
      why =
          ("'" + y->getName().getStringRef() + "' has other attributes").str();
    else
      why = ("'" + y->getName().getStringRef() + "' has other operands").str();
    return y;
  }
  if (a.ops.size() != b.ops.size()) {
    why = "it has " + std::to_string(b.ops.size()) + " ops and not " +
          std::to_string(a.ops.size());
    return b.ops.back();
  }
  if (same.lookup(a.output) != b.output) {
    why = "it returns another value";
    return b.ops.back();
  }
  return nullptr;
}

struct OutlinePass : mlir::fact::impl::OutlinePassBase<OutlinePass> {
  using Base::Base;

  void runOnOperation() override {
    replaced.clear();
    names.clear();
    std::vector<std::vector<Layer>> groups; // layers of one structure each
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && function.getBody().hasOneBlock() &&
          !function.isPrivate()) {
        takeNames(function);
        collect(function, groups);
      }
    SymbolTable symbols(getOperation());
    for (auto [i, group] : llvm::enumerate(groups)) {
      std::string name = "encoder_layer";
      if (groups.size() > 1)
        name += "_" + std::to_string(i);
      outline(group, name, symbols);
    }
    // Not before the last group is done: a layer's input is the output of a
    // layer of perhaps another group, and the values are keys of `replaced`.
    for (const std::vector<Layer> &group : groups)
      for (const Layer &layer : group)
        for (Operation *op : llvm::reverse(layer.ops)) {
          names.erase(op);
          op->erase();
        }
    for (auto [op, name] : names)
      op->setAttr(kTensorAttrName, name);
  }

private:
  static constexpr StringLiteral flag = "fact-outline";

  /// What a tensor is called makes no difference between layers.
  void takeNames(func::FuncOp function) {
    for (Operation &op : function.getBody().front())
      if (Attribute name = op.removeDiscardableAttr(kTensorAttrName))
        names[&op] = name;
  }

  /// What a layer returned before it became a call: the result of the call.
  Value current(Value value) const {
    Value call = replaced.lookup(value);
    return call ? call : value;
  }

  void collect(func::FuncOp function, std::vector<std::vector<Layer>> &groups) {
    Cutter cutter(function);
    // Attentions that share their cut are one layer.
    SmallVector<std::pair<unsigned, AttentionOp>> begins;
    for (auto attention : function.getBody().front().getOps<AttentionOp>()) {
      std::optional<unsigned> begin = cutter.lastCut(attention);
      if (!begin) {
        miss(attention,
             "more than one tensor is alive all the way to this attention",
             "raise the whole encoder: a layer takes one tensor of rows");
        continue;
      }
      if (begins.empty() || begins.back().first != *begin)
        begins.push_back({*begin, attention});
    }
    std::optional<Layer> previous;
    for (auto [i, entry] : llvm::enumerate(begins)) {
      auto [begin, attention] = entry;
      bool isLast = i + 1 == begins.size();
      unsigned end = isLast ? cutter.size() : begins[i + 1].first;
      std::optional<Layer> layer =
          isLast ? lastLayer(cutter, begin, attention, previous)
                 : cutter.piece(begin, end, attention);
      if (!layer) {
        miss(attention,
             "the layer shares values with what is around it other than its "
             "input and its output",
             "raise what is left of the layer to fact ops first");
        continue;
      }
      add(*layer, groups);
      previous = layer;
    }
  }

  /// Up to where it equals the layer before, or else its last fact op.
  std::optional<Layer> lastLayer(const Cutter &cutter, unsigned begin,
                                 AttentionOp attention,
                                 const std::optional<Layer> &previous) {
    std::optional<Layer> best;
    for (unsigned end : cutter.cutsAfter(attention, cutter.size())) {
      std::optional<Layer> layer = cutter.piece(begin, end, attention);
      std::string why;
      if (layer && previous && !firstDifference(*previous, *layer, why))
        return layer;
      bool isFact = cutter.op(end - 1)->getName().getDialectNamespace() ==
                    FactDialect::getDialectNamespace();
      if (layer && isFact)
        best = layer;
    }
    return best;
  }

  /// Into the group of its equals, or a new one.
  void add(const Layer &layer, std::vector<std::vector<Layer>> &groups) {
    std::string why;
    for (std::vector<Layer> &group : groups)
      if (!firstDifference(group.front(), layer, why)) {
        group.push_back(layer);
        return;
      }
    if (!groups.empty()) {
      Operation *op = firstDifference(groups.back().front(), layer, why);
      missed(op, "LayerDiffers", flag)
          << remark::reason("the layer differs from the one at {0}: {1}",
                            describe(groups.back().front().attention), why)
          << remark::suggest(
                 "equal layers share one function; this one gets its own");
    }
    groups.push_back({layer});
  }

  static std::string describe(Operation *op) {
    std::string text;
    llvm::raw_string_ostream(text) << op->getLoc();
    return text;
  }

  void miss(Operation *op, StringRef reason, StringRef suggestion) {
    ++missedLayers;
    missed(op, "NotOutlined", flag) << remark::reason("{0}", reason.str())
                                    << remark::suggest("{0}", suggestion.str());
  }

  void outline(ArrayRef<Layer> group, StringRef name, SymbolTable &symbols) {
    const Layer &first = group.front();
    OpBuilder builder(&getContext());
    // What made the input may have become a call.
    Value input = current(first.input);
    // Every use of a weight is an argument of its own: two that are one
    // constant in this layer may be two in the next.
    SmallVector<Type> types{input.getType()};
    SmallVector<Location> locations{input.getLoc()};
    first.forEachFreeUse([&](OpOperand &use) {
      if (isWeight(use.get())) {
        types.push_back(use.get().getType());
        locations.push_back(use.get().getLoc());
      }
    });
    auto type = builder.getFunctionType(types, first.output.getType());
    auto function = func::FuncOp::create(first.attention->getLoc(), name, type);
    function.setPrivate();
    symbols.insert(function);
    ++numFunctions;

    Block *block =
        builder.createBlock(&function.getBody(), {}, types, locations);
    IRMapping mapping;
    mapping.map(input, block->getArgument(0));
    for (auto [i, op] : llvm::enumerate(first.ops)) {
      Operation *copy = builder.clone(*op, mapping);
      SmallVector<Location> origins;
      for (const Layer &layer : group)
        origins.push_back(layer.ops[i]->getLoc());
      copy->setLoc(FusedLoc::get(&getContext(), origins));
    }
    // The copies still read the constants of the first layer.
    Layer body;
    for (Operation &op : *block)
      body.ops.push_back(&op);
    unsigned next = 1;
    DenseMap<Value, Value> numbers;
    body.forEachFreeUse([&](OpOperand &use) {
      Value value = use.get();
      if (value == block->getArgument(0))
        return;
      if (isWeight(value)) {
        use.set(block->getArgument(next++));
        return;
      }
      Value &number = numbers[value];
      if (!number) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(block);
        number = builder.clone(*value.getDefiningOp())->getResult(0);
      }
      use.set(number);
    });
    builder.setInsertionPointToEnd(block);
    func::ReturnOp::create(builder, function.getLoc(),
                           mapping.lookup(first.output));

    for (const Layer &layer : group) {
      SmallVector<Value> operands{current(layer.input)};
      layer.forEachFreeUse([&](OpOperand &use) {
        if (isWeight(use.get()))
          operands.push_back(use.get());
      });
      builder.setInsertionPointAfter(layer.ops.back());
      auto call = func::CallOp::create(builder, layer.attention->getLoc(),
                                       function, operands);
      Value output = layer.output;
      if (Attribute name = names.lookup(output.getDefiningOp()))
        call->setAttr(kTensorAttrName, name);
      output.replaceAllUsesWith(call.getResult(0));
      replaced[output] = call.getResult(0);
      ++numLayers;
    }
    remark::passed(function.getLoc(), remarkOn(function, "Outlined", flag))
        << remark::metric("Layers", group.size());
  }

  DenseMap<Value, Value> replaced;
  /// Of ops that make a tensor of the model, which a call has afterwards.
  llvm::MapVector<Operation *, Attribute> names;
};

} // namespace
