//===- LayerPolicies.cpp - Layers with policies of their own --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/Transforms/LayerPolicies.h"

#include "fact/Dialect/Fact/IR/Recursion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::fact;
namespace numerics = ::fact::numerics;

//===----------------------------------------------------------------------===//
// From the user's choice to attributes
//===----------------------------------------------------------------------===//

SmallVector<PolicyAttr> mlir::fact::layerPolicies(func::FuncOp main) {
  SmallVector<PolicyAttr> policies;
  // That of a call holds for the function that it calls.
  auto collect = [&](auto &self, func::FuncOp function,
                     PolicyAttr ofCall) -> void {
    function.walk([&](Operation *op) {
      if (isa<AttentionOp, QuantizedAttentionOp>(op)) {
        policies.push_back(ofCall ? ofCall : policyOf(op));
      } else if (auto call = dyn_cast<func::CallOp>(op)) {
        auto own = call->getAttrOfType<PolicyAttr>(kPolicyAttrName);
        if (func::FuncOp callee = calleeOf(call))
          self(self, callee, own);
      }
    });
  };
  collect(collect, main, {});
  return policies;
}

namespace {

/// Writes policies into a model, one for each layer.
class PolicyWriter {
public:
  explicit PolicyWriter(ModuleOp module) : symbols(module) {}

  /// The layers of a function that nothing else calls.
  void write(func::FuncOp function, ArrayRef<PolicyAttr> policies) {
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (isa<AttentionOp, func::CallOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      auto call = dyn_cast<func::CallOp>(op);
      func::FuncOp callee = call ? calleeOf(call) : func::FuncOp();
      size_t count = !call ? 1 : callee ? layerPolicies(callee).size() : 0;
      ArrayRef<PolicyAttr> own = policies.take_front(count);
      policies = policies.drop_front(count);
      if (call && count > 0)
        write(call, callee, own);
      else if (!call)
        op->setAttr(kPolicyAttrName, own.front());
    }
  }

private:
  void write(func::CallOp call, func::FuncOp callee,
             ArrayRef<PolicyAttr> policies) {
    // A copy of a function calls copies of others: forms are of the model's.
    func::FuncOp model = models.lookup(callee);
    if (!model)
      model = callee;
    // Calls have numbers of their own for one attention of their function, not
    // for several, nor for what that function calls.
    bool isOne = policies.size() == 1 && !model.getOps<AttentionOp>().empty();
    if (isOne)
      call->setAttr(kPolicyAttrName, policies.front());
    else
      call->removeAttr(kPolicyAttrName);
    for (Form &form : forms[model]) {
      bool fits = isOne ? policyFrom(form.policies.front())
                              .hasFormOf(policyFrom(policies.front()))
                        : llvm::equal(form.policies, policies);
      if (!fits)
        continue;
      call.setCallee(form.function.getSymName());
      return;
    }
    func::FuncOp own = model;
    if (!forms[model].empty()) {
      own = model.clone();
      symbols.insert(own, ++Block::iterator(forms[model].back().function));
      models[own] = model;
    }
    forms[model].push_back({own, llvm::to_vector(policies)});
    call.setCallee(own.getSymName());
    write(own, policies);
  }

  /// A function for layers of one form.
  struct Form {
    func::FuncOp function;
    SmallVector<PolicyAttr> policies; ///< of the first call
  };
  SymbolTable symbols;
  DenseMap<Operation *, std::vector<Form>> forms; ///< by the model's function
  DenseMap<Operation *, func::FuncOp> models;     ///< by copy, what it is of
};

} // namespace

LogicalResult
mlir::fact::setLayerPolicies(func::FuncOp main,
                             ArrayRef<numerics::LayerPolicy> overrides) {
  SmallVector<PolicyAttr> policies = layerPolicies(main);
  int64_t count = policies.size();
  for (const numerics::LayerPolicy &change : overrides) {
    if (change.last >= count)
      return main.emitError()
             << "has no layer " << change.last
             << " that could have a policy of its own: "
             << (count == 0
                     ? std::string("nothing in it is an attention")
                     : "its layers are 0 to " + std::to_string(count - 1));
    for (int64_t layer = change.first; layer <= change.last; ++layer) {
      numerics::Policy policy;
      if (policies[layer])
        policy = policyFrom(policies[layer]);
      std::string wrong = numerics::overridePolicy(change.text, policy);
      if (!wrong.empty())
        return main.emitError() << wrong;
      policies[layer] = policyFrom(policy, main.getContext());
    }
  }
  if (!overrides.empty())
    PolicyWriter(main->getParentOfType<ModuleOp>()).write(main, policies);
  return success();
}

//===----------------------------------------------------------------------===//
// From attributes to operands
//===----------------------------------------------------------------------===//

SmallVector<std::pair<func::CallOp, PolicyAttr>>
PolicyNumbers::policiesOfCalls(Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  PolicyAttr otherwise = policyOf(op);
  SmallVector<std::pair<func::CallOp, PolicyAttr>> calls;
  module.walk([&](func::CallOp call) {
    if (call.getCallee() != function.getSymName())
      return;
    auto own = call->getAttrOfType<PolicyAttr>(kPolicyAttrName);
    calls.push_back({call, own ? own : otherwise});
  });
  return calls;
}

LogicalResult PolicyNumbers::verifyCalls() {
  WalkResult result = module.walk([&](func::CallOp call) {
    func::FuncOp callee = calleeOf(call);
    if (!call->hasAttr(kPolicyAttrName) || !callee)
      return WalkResult::advance();
    int64_t attentions = 0;
    callee.walk([&](Operation *op) {
      attentions += isa<AttentionOp, QuantizedAttentionOp>(op);
    });
    if (attentions == 1)
      return WalkResult::advance();
    call.emitOpError() << "has a policy, which is for a function with one "
                          "attention of its own (was "
                       << attentions << ")";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult PolicyNumbers::verify(Operation *op) {
  PolicyAttr policy = policyOf(op);
  for (auto [call, own] : policiesOfCalls(op)) {
    if (own == policy ||
        (own && policy && policyFrom(own).hasFormOf(policyFrom(policy))))
      continue;
    InFlightDiagnostic diagnostic =
        call.emitOpError()
        << "has a policy that differs from its function's in more than the "
           "values of keep, dominance and importance";
    diagnostic.attachNote(op->getLoc()) << "the function's is used here";
    return diagnostic;
  }
  return success();
}

OpFoldResult PolicyNumbers::number(Operation *op, Field field) {
  Builder builder(op->getContext());
  // As an operand has it.
  auto valueIn = [&](PolicyAttr policy) -> Attribute {
    if (field == Field::Dominance)
      return builder.getF32FloatAttr(
          static_cast<float>(policy.getDominance().getValueAsDouble()));
    return builder.getI32IntegerAttr(static_cast<int32_t>(
        field == Field::Keep ? policy.getKeep() : policy.getImportance()));
  };
  auto function = op->getParentOfType<func::FuncOp>();
  auto calls = policiesOfCalls(op);
  Attribute first =
      valueIn(calls.empty() ? policyOf(op) : calls.front().second);
  if (llvm::all_of(calls, [&](const auto &call) {
        return valueIn(call.second) == first;
      })) {
    auto integer = dyn_cast<IntegerAttr>(first);
    return integer ? builder.getI64IntegerAttr(integer.getInt()) : first;
  }

  Value &argument = arguments[{function, static_cast<int>(field)}];
  if (argument)
    return argument;
  auto type = RankedTensorType::get({}, cast<TypedAttr>(first).getType());
  unsigned number = function.getNumArguments();
  LogicalResult inserted =
      function.insertArgument(number, type, {}, op->getLoc());
  assert(succeeded(inserted) && "a function of a model takes any argument");
  (void)inserted;
  argument = function.getArgument(number);
  for (auto [call, policy] : calls) {
    OpBuilder atCall(call);
    Value constant = arith::ConstantOp::create(
        atCall, call.getLoc(), DenseElementsAttr::get(type, valueIn(policy)));
    call->insertOperands(number, constant);
  }
  return argument;
}

OpFoldResult PolicyNumbers::keep(Operation *op) {
  return number(op, Field::Keep);
}
OpFoldResult PolicyNumbers::dominance(Operation *op) {
  return number(op, Field::Dominance);
}
OpFoldResult PolicyNumbers::importance(Operation *op) {
  return number(op, Field::Importance);
}
