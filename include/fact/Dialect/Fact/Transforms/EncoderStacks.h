//===- EncoderStacks.h - What of a model the accelerator runs -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model is more than encoder layers: embeddings or convolutions before them,
// a head behind. An encoder stack is a part of a function that consists of
// layers alone: fact ops that belong together, with an attention among them,
// and with no other op between them.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACT_TRANSFORMS_ENCODERSTACKS_H
#define FACT_DIALECT_FACT_TRANSFORMS_ENCODERSTACKS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::fact {

struct EncoderStack {
  SmallVector<Operation *> ops; ///< In program order, without constants.
  SmallVector<Value> inputs;    ///< What comes from outside, no constants.
  SmallVector<Value> outputs;   ///< What is read outside.
  int64_t attentions = 0;
  /// An op that is no part of a stack and makes what this stack needs of what
  /// another stack has made; null where none does.
  Operation *between = nullptr;
};

/// The stacks of a function after `fact-raise`, in program order. None where
/// all of the function is one: it needs no parting. Calls of functions that
/// have other ops than layers among them are inlined.
SmallVector<EncoderStack> findEncoderStacks(func::FuncOp function);

/// A module like the function's, with the stack for its function `main`.
/// Arguments and results have the names of what they are in the model.
OwningOpRef<ModuleOp> extractStack(func::FuncOp function,
                                   const EncoderStack &stack);

/// The attentions of a function and of what it calls.
int64_t countAttentions(func::FuncOp function);

/// What the model calls a value: an argument's name, or that of the node that
/// makes it; empty where neither has one.
std::string nameInModel(Value value);

/// "name, LENGTHxFEATURES" of each value, with commas.
std::string describeBorder(ArrayRef<Value> values);

} // namespace mlir::fact

#endif // FACT_DIALECT_FACT_TRANSFORMS_ENCODERSTACKS_H
