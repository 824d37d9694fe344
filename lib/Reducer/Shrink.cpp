//===- Shrink.cpp - Makes a failing model small ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Recursion.h"
#include "fact/Dialect/Fact/Transforms/InlineCalls.h"
#include "fact/Reducer/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Reducer/Tester.h"

namespace mlir::fact {
#define GEN_PASS_DEF_SHRINKPASS
#include "fact/Reducer/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

/// Changes a module by its candidate number `index`; false where there are not
/// so many. The same module has the same candidates, in the same order.
using Step = bool (*)(ModuleOp module, int64_t index);

/// Counts candidates down: `take` is true at the wanted one.
class Candidates {
public:
  explicit Candidates(int64_t index) : left(index) {}
  bool take() { return left-- == 0; }

private:
  int64_t left;
};

SmallVector<Operation *> opsOf(ModuleOp module) {
  SmallVector<Operation *> ops;
  for (auto function : module.getOps<func::FuncOp>())
    for (Block &block : function.getBody())
      for (Operation &op : block)
        ops.push_back(&op);
  return ops;
}

/// Erases what nobody reads, last first.
void eraseAllDead(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    for (Block &block : llvm::reverse(function.getBody()))
      eraseDead(block);
}

/// Returns `values` instead of what a function returned.
void setReturned(func::FuncOp function, ValueRange values,
                 ArrayRef<Attribute> attributes) {
  Operation *exit = function.getBody().front().getTerminator();
  exit->setOperands(values);
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getArgumentTypes(),
                        llvm::to_vector(values.getTypes())));
  function.setAllResultAttrs(attributes);
}

SmallVector<Attribute> resultAttributes(func::FuncOp function) {
  if (ArrayAttr attributes = function.getAllResultAttrs())
    return llvm::to_vector(attributes);
  return SmallVector<Attribute>(function.getNumResults(),
                                DictionaryAttr::get(function.getContext()));
}

//===----------------------------------------------------------------------===//
// Steps, from large to small
//===----------------------------------------------------------------------===//

/// A result of main less.
bool dropResult(ModuleOp module, int64_t index) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.getNumResults() < 2 || index >= main.getNumResults())
    return false;
  SmallVector<Value> values(
      main.getBody().front().getTerminator()->getOperands());
  SmallVector<Attribute> attributes = resultAttributes(main);
  values.erase(values.begin() + index);
  attributes.erase(attributes.begin() + index);
  setReturned(main, values, attributes);
  eraseAllDead(module);
  return true;
}

/// Main returns rows that an earlier op of it made.
bool returnEarlier(ModuleOp module, int64_t index) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return false;
  Operation *exit = main.getBody().front().getTerminator();
  Candidates candidates(index);
  for (OpOperand &returned : exit->getOpOperands())
    for (Operation &op : main.getBody().front()) {
      // What comes after is none the smaller.
      if (&op == returned.get().getDefiningOp())
        break;
      for (Value value : op.getResults()) {
        auto type = dyn_cast<RankedTensorType>(value.getType());
        auto wanted = dyn_cast<RankedTensorType>(returned.get().getType());
        if (!type || type.getRank() != 2 || !type.getElementType().isF32() ||
            !wanted || wanted.getRank() < 2 ||
            failed(verifyCompatibleDims(
                {type.getDimSize(0), wanted.getShape().end()[-2]})) ||
            isa<arith::ConstantOp>(op) || !candidates.take())
          continue;
        SmallVector<Value> values(exit->getOperands());
        values[returned.getOperandNumber()] = value;
        setReturned(main, values, resultAttributes(main));
        eraseAllDead(module);
        return true;
      }
    }
  return false;
}

bool eraseFunction(ModuleOp module, int64_t index) {
  Candidates candidates(index);
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPrivate() &&
        SymbolTable::symbolKnownUseEmpty(function, module) &&
        candidates.take()) {
      function.erase();
      return true;
    }
  return false;
}

/// A call becomes the body of its function.
bool inlineOne(ModuleOp module, int64_t index) {
  Candidates candidates(index);
  for (Operation *op : opsOf(module)) {
    auto call = dyn_cast<func::CallOp>(op);
    func::FuncOp callee = call ? calleeOf(call) : nullptr;
    if (!callee || callee.isExternal() || !callee.getBody().hasOneBlock() ||
        callee->isAncestor(call) || !candidates.take())
      continue;
    inlineCall(call);
    return true;
  }
  return false;
}

/// What an op makes becomes one of its operands, or an argument of its
/// function, of the same type.
bool replaceByOperand(ModuleOp module, int64_t index) {
  Candidates candidates(index);
  SmallVector<Operation *> ops = opsOf(module);
  for (Operation *op : llvm::reverse(ops))
    for (Value result : op->getResults()) {
      if (result.use_empty())
        continue;
      SetVector<Value> sources(op->operand_begin(), op->operand_end());
      for (Value operand : op->getOperands())
        if (Operation *definer = operand.getDefiningOp())
          sources.insert(definer->operand_begin(), definer->operand_end());
      sources.insert(op->getBlock()->args_begin(), op->getBlock()->args_end());
      for (Value source : sources)
        if (source.getType() == result.getType() && candidates.take()) {
          result.replaceAllUsesWith(source);
          eraseAllDead(module);
          return true;
        }
    }
  return false;
}

bool eraseDeadOp(ModuleOp module, int64_t index) {
  Candidates candidates(index);
  for (Operation *op : opsOf(module))
    if (isDead(op) && candidates.take()) {
      op->erase();
      return true;
    }
  return false;
}

/// Operands and attributes that an op may have or not.
bool dropOptional(ModuleOp module, int64_t index) {
  Candidates candidates(index);
  auto drop = [&](bool isThere, llvm::function_ref<void()> clear) {
    if (!isThere || !candidates.take())
      return false;
    clear();
    eraseAllDead(module);
    return true;
  };
  // A range knows where it stands only until another one of its op is cleared.
  for (Operation *op : opsOf(module)) {
    if (auto typed = dyn_cast<LinearOp>(op))
      if (drop(bool(typed.getBias()), [&] { typed.getBiasMutable().clear(); }))
        return true;
    if (auto typed = dyn_cast<QuantizeRowsOp>(op))
      if (drop(bool(typed.getLow()), [&] { typed.getLowMutable().clear(); }))
        return true;
    if (auto typed = dyn_cast<QuantizeHeadsOp>(op))
      if (drop(bool(typed.getRows()), [&] { typed.getRowsMutable().clear(); }))
        return true;
    if (auto typed = dyn_cast<LogMatmulOp>(op))
      if (drop(bool(typed.getBias()), [&] {
            typed.getBiasMutable().clear();
            typed.getScaleMutable().clear();
          }))
        return true;
    if (auto typed = dyn_cast<QuantizedLinearOp>(op))
      if (drop(bool(typed.getBias()),
               [&] { typed.getBiasMutable().clear(); }) ||
          drop(bool(typed.getRows()),
               [&] { typed.getRowsMutable().clear(); }) ||
          drop(bool(typed.getLow()), [&] {
            typed.getLowMutable().clear();
            typed.removePrecisionAttr();
          }))
        return true;
    if (auto typed = dyn_cast<QuantizedAttentionOp>(op))
      if (drop(bool(typed.getTailKey()),
               [&] {
                 typed.getTailKeyMutable().clear();
                 typed.getTailKeyScaleMutable().clear();
                 typed.getTailValueMutable().clear();
                 typed.getTailValueScaleMutable().clear();
               }) ||
          drop(bool(typed.getDominated()),
               [&] {
                 typed.getDominatedMutable().clear();
                 typed.getArgmaxMutable().clear();
               }) ||
          drop(bool(typed.getMask()), [&] { typed.getMaskMutable().clear(); }))
        return true;
    if (op->hasAttr("window") && candidates.take()) {
      op->removeAttr("window");
      return true;
    }
  }
  return false;
}

/// All elements of a constant become its first one, or zero.
bool simplifyConstant(ModuleOp module, int64_t index) {
  Candidates candidates(index);
  for (Operation *op : opsOf(module)) {
    auto constant = dyn_cast<arith::ConstantOp>(op);
    auto elements =
        constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
    if (!elements || elements.isSplat())
      continue;
    for (bool zero : {true, false})
      if (candidates.take()) {
        Attribute element = *elements.value_begin<Attribute>();
        if (zero)
          element =
              Builder(op->getContext()).getZeroAttr(elements.getElementType());
        constant.setValueAttr(
            DenseElementsAttr::get(elements.getType(), element));
        return true;
      }
  }
  return false;
}

constexpr Step steps[] = {dropResult,   returnEarlier,    eraseFunction,
                          inlineOne,    replaceByOperand, eraseDeadOp,
                          dropOptional, simplifyConstant};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct ShrinkPass : mlir::fact::impl::ShrinkPassBase<ShrinkPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<std::string> arguments(scriptArguments.begin(),
                                       scriptArguments.end());
    Tester tester(script, arguments);
    int64_t tests = 0;
    auto isInteresting = [&](ModuleOp candidate) {
      ++tests;
      return tester.isInteresting(candidate).first ==
             Tester::Interestingness::True;
    };
    if (!isInteresting(module)) {
      module.emitError() << "is not what '" << script << "' exits with 1 for";
      return signalPassFailure();
    }
    // A candidate that does not verify is no error of the user's.
    ScopedDiagnosticHandler silence(&getContext(),
                                    [](Diagnostic &) { return success(); });
    for (bool changed = true; changed;) {
      changed = false;
      for (Step step : steps)
        for (int64_t index = 0;;) {
          OwningOpRef<ModuleOp> smaller(module.clone());
          if (!step(*smaller, index))
            break;
          if (maxTests > 0 && tests >= maxTests)
            return;
          if (failed(verify(*smaller)) || !isInteresting(*smaller)) {
            ++index;
            continue;
          }
          // The candidates from here on are new ones: go on with this number.
          module.getBodyRegion().takeBody(smaller->getBodyRegion());
          changed = true;
        }
    }
  }
};

} // namespace
