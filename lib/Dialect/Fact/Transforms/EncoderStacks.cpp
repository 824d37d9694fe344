//===- EncoderStacks.cpp - What of a model the accelerator runs -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/Transforms/EncoderStacks.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Sequence.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/Transforms/InlineCalls.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::fact;

static int64_t attentionsIn(Block &block);

/// Attentions that an op does, itself or in what it calls.
static int64_t attentionsOf(Operation *op) {
  if (isa<AttentionOp>(op))
    return 1;
  auto call = dyn_cast<func::CallOp>(op);
  auto callee = call ? SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
                           call, call.getCalleeAttr())
                     : func::FuncOp();
  return callee && !callee.isExternal() ? attentionsIn(callee.getBody().front())
                                        : 0;
}

static int64_t attentionsIn(Block &block) {
  int64_t count = 0;
  for (Operation &op : block)
    count += attentionsOf(&op);
  return count;
}

int64_t mlir::fact::countAttentions(func::FuncOp function) {
  return attentionsIn(function.getBody().front());
}

namespace {

bool isLayerOp(Operation *op) {
  if (isa<FactDialect>(op->getDialect()))
    return true;
  auto call = dyn_cast<func::CallOp>(op);
  auto callee = call ? SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
                           call, call.getCalleeAttr())
                     : func::FuncOp();
  return callee && !callee.isExternal() &&
         llvm::all_of(callee.getBody().front(), [](Operation &inner) {
           return isLayerOp(&inner) || isa<arith::ConstantOp>(inner) ||
                  isReshape(&inner) || inner.hasTrait<OpTrait::IsTerminator>();
         });
}

/// Rows as a program takes and returns them: [L, d], [1, L, d] or [L, 1, d].
bool isPort(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getElementType().isF32() &&
         (tensor.getRank() == 2 ||
          (tensor.getRank() == 3 &&
           (tensor.getDimSize(0) == 1 || tensor.getDimSize(1) == 1)));
}

class StackFinder {
public:
  explicit StackFinder(func::FuncOp function)
      : block(function.getBody().front()) {}

  SmallVector<EncoderStack> run() {
    for (Operation &op : block)
      if (isLayerOp(&op))
        members.insert(&op);
    addReshapes();
    if (!hasOthers())
      return {};
    assignStages();
    return collect();
  }

private:
  /// Reshapes between members, and those that a program's port can take over.
  void addReshapes() {
    for (Operation &op : block) {
      if (!isReshape(&op) || op.use_empty())
        continue;
      Operation *source = op.getOperand(0).getDefiningOp();
      bool isBehind = members.contains(source);
      bool isBefore = llvm::all_of(op.getUsers(), [&](Operation *user) {
        return members.contains(user);
      });
      if ((isBehind && (isBefore || isPort(op.getResult(0).getType()))) ||
          (isBefore && isPort(op.getOperand(0).getType())))
        members.insert(&op);
    }
  }

  bool hasOthers() const {
    return llvm::any_of(block, [&](Operation &op) {
      return !members.contains(&op) && !isa<arith::ConstantOp>(op) &&
             !isa<tensor::DimOp>(op) && !op.hasTrait<OpTrait::IsTerminator>() &&
             !isReshape(&op);
    });
  }

  /// How often what an op needs has gone from members to others.
  void assignStages() {
    for (Operation &op : block) {
      int64_t stage = 0;
      bool isMember = members.contains(&op);
      op.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands()) {
          Operation *maker = operand.getDefiningOp();
          // Lengths are the same for all.
          if (!maker || maker->getBlock() != &block ||
              isa<tensor::DimOp>(maker))
            continue;
          bool leaves = members.contains(maker) && !isMember;
          stage = std::max(stage, stages.lookup(maker) + (leaves ? 1 : 0));
        }
      });
      stages[&op] = stage;
    }
  }

  SmallVector<EncoderStack> collect() {
    llvm::EquivalenceClasses<Operation *> together;
    for (Operation &op : block) {
      if (!members.contains(&op))
        continue;
      together.insert(&op);
      for (Value operand : op.getOperands())
        if (Operation *maker = operand.getDefiningOp();
            maker && members.contains(maker) &&
            stages.lookup(maker) == stages.lookup(&op))
          together.unionSets(maker, &op);
    }
    llvm::MapVector<Operation *, EncoderStack> byLeader;
    for (Operation &op : block)
      if (members.contains(&op)) {
        EncoderStack &stack = byLeader[together.getLeaderValue(&op)];
        stack.ops.push_back(&op);
        stack.attentions += attentionsOf(&op);
      }
    SmallVector<EncoderStack> stacks;
    for (auto &[leader, stack] : byLeader)
      if (stack.attentions > 0) {
        findBorder(stack);
        stacks.push_back(std::move(stack));
      }
    for (EncoderStack &stack : stacks)
      stack.between = findBetween(stack, stacks);
    return stacks;
  }

  static Operation *findBetween(const EncoderStack &stack,
                                ArrayRef<EncoderStack> stacks) {
    DenseSet<Operation *> others, seen;
    for (const EncoderStack &other : stacks)
      if (&other != &stack)
        others.insert(other.ops.begin(), other.ops.end());
    SmallVector<Value> work(stack.inputs.begin(), stack.inputs.end());
    Operation *reader = stack.ops.front();
    SmallVector<Operation *> readers(work.size(), reader);
    while (!work.empty()) {
      Operation *maker = work.pop_back_val().getDefiningOp();
      reader = readers.pop_back_val();
      if (maker && others.contains(maker))
        return reader;
      if (!maker || isa<tensor::DimOp>(maker) || !seen.insert(maker).second)
        continue;
      // What only moves elements is not what stands between.
      bool moves = isa<tensor::TensorDialect>(maker->getDialect()) ||
                   isa<linalg::TransposeOp, linalg::FillOp>(maker);
      Operation *named = moves ? reader : maker;
      maker->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands()) {
          work.push_back(operand);
          readers.push_back(named);
        }
      });
    }
    return nullptr;
  }

  static void findBorder(EncoderStack &stack) {
    DenseSet<Operation *> own(stack.ops.begin(), stack.ops.end());
    DenseSet<Value> seen;
    for (Operation *op : stack.ops) {
      for (Value operand : op->getOperands()) {
        Operation *maker = operand.getDefiningOp();
        if (isa<IndexType>(operand.getType()) ||
            isa_and_nonnull<arith::ConstantOp>(maker) || own.contains(maker))
          continue;
        if (seen.insert(operand).second)
          stack.inputs.push_back(operand);
      }
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) {
              return !own.contains(user) && !isa<tensor::DimOp>(user);
            }))
          stack.outputs.push_back(result);
    }
  }

  Block &block;
  DenseSet<Operation *> members;
  DenseMap<Operation *, int64_t> stages;
};

} // namespace

std::string mlir::fact::nameInModel(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
    if (function)
      if (auto name = function.getArgAttrOfType<StringAttr>(
              argument.getArgNumber(), kNameAttrName))
        return name.str();
  }
  // A reshape of rows is what it reshapes.
  Operation *op = value.getDefiningOp();
  while (op && isReshape(op) && op->getOperand(0).getDefiningOp() &&
         isa<UnknownLoc>(op->getLoc()))
    op = op->getOperand(0).getDefiningOp();
  if (op)
    if (auto tensor = op->getAttrOfType<StringAttr>(kTensorAttrName))
      return tensor.str();
  auto name = (op ? op->getLoc() : value.getLoc())->findInstanceOf<NameLoc>();
  return name ? name.getName().str() : std::string();
}

SmallVector<EncoderStack> mlir::fact::findEncoderStacks(func::FuncOp function) {
  // What is called may be layers with other ops among them.
  SmallVector<func::CallOp> calls(function.getOps<func::CallOp>());
  for (func::CallOp call : calls)
    if (!isLayerOp(call))
      inlineCall(call);
  return StackFinder(function).run();
}

std::string mlir::fact::describeBorder(ArrayRef<Value> values) {
  std::string text;
  for (Value value : values) {
    text += (text.empty() ? "'" : ", '") + nameInModel(value) + "' ";
    std::string shape;
    for (int64_t extent : cast<RankedTensorType>(value.getType()).getShape())
      shape += (shape.empty() ? "" : "x") + (ShapedType::isDynamic(extent)
                                                 ? std::string("L")
                                                 : std::to_string(extent));
    text += shape;
  }
  return text;
}

/// What depends on the sequence of a batch: the arguments that have it, and
/// what is computed from them.
static DenseSet<Value> valuesOfBatch(func::FuncOp function) {
  DenseSet<Value> values;
  for (BlockArgument argument : function.getArguments())
    if (function.getArgAttr(argument.getArgNumber(), kBatchAttrName))
      values.insert(argument);
  for (Operation &op : function.getBody().front()) {
    bool reads = false;
    if (!isa<tensor::DimOp>(op))
      op.walk([&](Operation *inner) {
        reads |= llvm::any_of(inner->getOperands(), [&](Value operand) {
          return values.contains(operand);
        });
      });
    if (reads)
      values.insert(op.result_begin(), op.result_end());
  }
  return values;
}

OwningOpRef<ModuleOp> mlir::fact::extractStack(func::FuncOp function,
                                               const EncoderStack &stack) {
  auto source = function->getParentOfType<ModuleOp>();
  OwningOpRef<ModuleOp> result = ModuleOp::create(source.getLoc());
  (*result)->setAttrs(source->getAttrDictionary());
  OpBuilder builder(result->getBodyRegion());
  IntegerAttr bound;
  for (unsigned i = 0; i < function.getNumArguments() && !bound; ++i)
    bound = function.getArgAttrOfType<IntegerAttr>(i, kBoundAttrName);
  DenseSet<Value> ofBatch = valuesOfBatch(function);
  // Rows between ops have the model's batch where its inputs have it.
  auto batchOf = [&](Value value) -> DenseI64ArrayAttr {
    auto type = cast<RankedTensorType>(value.getType());
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (auto batch =
              function.getArgAttrOfType<DenseI64ArrayAttr>(i, kBatchAttrName);
          batch && type.getRank() == 3 && ofBatch.contains(value) &&
          batch[0] < 3 && type.getDimSize(batch[0]) == 1)
        return batch;
    return {};
  };
  SmallVector<Type> inputs, outputs;
  for (Value input : stack.inputs)
    inputs.push_back(input.getType());
  for (Value output : stack.outputs)
    outputs.push_back(output.getType());
  auto main = func::FuncOp::create(builder, function.getLoc(), "main",
                                   builder.getFunctionType(inputs, outputs));
  if (Attribute policy = function->getAttr(kPolicyAttrName))
    main->setAttr(kPolicyAttrName, policy);
  Block *body = main.addEntryBlock();
  IRMapping map;
  for (auto [i, input] : llvm::enumerate(stack.inputs)) {
    map.map(input, body->getArgument(i));
    body->getArgument(i).setLoc(input.getLoc());
    if (std::string name = nameInModel(input); !name.empty())
      main.setArgAttr(i, kNameAttrName, builder.getStringAttr(name));
    if (bound && !cast<RankedTensorType>(input.getType()).hasStaticShape())
      main.setArgAttr(i, kBoundAttrName, bound);
    if (DenseI64ArrayAttr batch = batchOf(input))
      main.setArgAttr(i, kBatchAttrName, batch);
  }
  for (auto [i, output] : llvm::enumerate(stack.outputs)) {
    if (std::string name = nameInModel(output); !name.empty())
      main.setResultAttr(i, kNameAttrName, builder.getStringAttr(name));
    if (DenseI64ArrayAttr batch = batchOf(output))
      main.setResultAttr(i, kBatchAttrName, batch);
  }
  builder.setInsertionPointToStart(body);
  // The one length of the stack's rows, for reshapes.
  Value length;
  auto lengthOf = [&]() {
    if (length)
      return length;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(body);
    for (BlockArgument argument : body->getArguments()) {
      auto type = cast<RankedTensorType>(argument.getType());
      for (int64_t i = 0; i < type.getRank() && !length; ++i)
        if (type.isDynamicDim(i))
          length =
              tensor::DimOp::create(builder, argument.getLoc(), argument, i);
    }
    return length;
  };
  for (Operation *op : stack.ops) {
    for (Value operand : op->getOperands()) {
      if (map.contains(operand))
        continue;
      Operation *maker = operand.getDefiningOp();
      if (isa_and_nonnull<arith::ConstantOp>(maker))
        builder.clone(*maker, map);
      else if (isa<IndexType>(operand.getType()))
        map.map(operand, lengthOf());
    }
    builder.clone(*op, map);
  }
  SmallVector<Value> returned;
  for (Value output : stack.outputs)
    returned.push_back(map.lookup(output));
  func::ReturnOp::create(builder, function.getLoc(), returned);
  // Layers that are called, and what they call.
  builder.setInsertionPointToEnd(result->getBody());
  for (auto other : source.getOps<func::FuncOp>())
    if (other != function)
      builder.clone(*other);
  return result;
}
