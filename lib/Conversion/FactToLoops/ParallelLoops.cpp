//===- ParallelLoops.cpp - Loops that a caller may run in threads ---------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"
#include "FloatControl.h"

#include "fact/Conversion/FactToLoops/EntryPoint.h"
#include "fact/Conversion/Passes.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::fact {
#define GEN_PASS_DEF_PARALLELLOOPSPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

namespace {

/// The call that is all that a loop does.
func::CallOp onlyCall(scf::ForOp loop) {
  func::CallOp call;
  for (Operation &op : loop.getBody()->without_terminator()) {
    auto each = dyn_cast<func::CallOp>(op);
    if (!each || call)
      return {};
    call = each;
  }
  return call;
}

class Parallelizer {
public:
  Parallelizer(ModuleOp module, StringRef floatControl)
      : module(module), floatControl(floatControl),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        converter(module.getContext()) {}

  LogicalResult run();

private:
  /// The caller's parallel-for as an argument of a function, of those that call
  /// it, and so on.
  Value parallelOf(func::FuncOp function);
  LogicalResult convert(scf::ForOp loop);
  func::FuncOp makeTask(func::CallOp call, Value index, Type closure);
  Value field(OpBuilder &b, Location loc, Type type, Value at, int32_t number) {
    return LLVM::GEPOp::create(b, loc, pointer, type, at,
                               ArrayRef<LLVM::GEPArg>{0, number});
  }

  ModuleOp module;
  StringRef floatControl;
  Type pointer;
  LLVMTypeConverter converter;
  DenseMap<Operation *, Value> arguments;
};

Value Parallelizer::parallelOf(func::FuncOp function) {
  auto known = arguments.find(function);
  if (known != arguments.end())
    return known->second;
  unsigned at = function.getNumArguments();
  if (failed(function.insertArgument(at, pointer, DictionaryAttr(),
                                     function.getLoc())))
    llvm_unreachable("an argument at the end");
  Value argument = function.getArgument(at);
  arguments[function] = argument;
  auto uses = SymbolTable::getSymbolUses(function, module);
  for (SymbolTable::SymbolUse use : *uses) {
    auto call = cast<func::CallOp>(use.getUser());
    call.getOperandsMutable().append(
        parallelOf(call->getParentOfType<func::FuncOp>()));
  }
  return argument;
}

/// A function (closure, index) that calls what the loop calls.
func::FuncOp Parallelizer::makeTask(func::CallOp call, Value index,
                                    Type closure) {
  Location loc = call.getLoc();
  OpBuilder b(module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  std::string name = ("__fact_task_" + call.getCallee()).str();
  auto function = func::FuncOp::create(
      b, loc, name, b.getFunctionType({pointer, b.getI64Type()}, {}));
  function.setPrivate();
  SymbolTable(module).insert(function);
  Block *body = function.addEntryBlock();
  b.setInsertionPointToStart(body);
  ImplicitLocOpBuilder ib(loc, b);
  FloatControl control(ib, floatControl);
  control.set();
  SmallVector<Value> operands;
  int32_t number = 0;
  for (Value operand : call.getOperands()) {
    Type type = operand.getType();
    if (operand == index) {
      operands.push_back(arith::IndexCastOp::create(ib, ib.getIndexType(),
                                                    body->getArgument(1)));
      continue;
    }
    Value value = LLVM::LoadOp::create(
        ib, converter.convertType(type),
        field(ib, loc, closure, body->getArgument(0), number++));
    operands.push_back(
        UnrealizedConversionCastOp::create(ib, type, value).getResult(0));
  }
  func::CallOp::create(ib, call.getCallee(), TypeRange(), operands);
  control.restore();
  func::ReturnOp::create(ib);
  return function;
}

LogicalResult Parallelizer::convert(scf::ForOp loop) {
  func::CallOp call = onlyCall(loop);
  if (!call || call.getNumResults() != 0)
    return loop.emitOpError("must do nothing but call a function");
  Value parallel = parallelOf(loop->getParentOfType<func::FuncOp>());
  Value index = loop.getInductionVar();
  SmallVector<Type> fields;
  SmallVector<Value> values;
  for (Value operand : call.getOperands())
    if (operand != index) {
      fields.push_back(converter.convertType(operand.getType()));
      values.push_back(operand);
    }
  auto closure = LLVM::LLVMStructType::getLiteral(module.getContext(), fields);
  func::FuncOp task = makeTask(call, index, closure);

  ImplicitLocOpBuilder b(loop.getLoc(), loop);
  Emitter e(b, loop.getLoc(), LoopOptions());
  Value null = LLVM::ZeroOp::create(e.b, pointer);
  Value isGiven =
      LLVM::ICmpOp::create(e.b, LLVM::ICmpPredicate::ne, parallel, null);
  Value isLong =
      e.compare(arith::CmpIPredicate::ugt, loop.getUpperBound(), e.index(1));
  // Not in a branch: the memory is the function's.
  Value memory =
      LLVM::AllocaOp::create(e.b, pointer, closure, e.integer(e.i64, 1));
  auto branch =
      scf::IfOp::create(e.b, arith::AndIOp::create(e.b, isGiven, isLong),
                        /*withElseRegion=*/true);
  e.b.setInsertionPointToStart(branch.thenBlock());
  for (auto [number, value] : llvm::enumerate(values))
    LLVM::StoreOp::create(
        e.b,
        UnrealizedConversionCastOp::create(e.b, fields[number], value)
            .getResult(0),
        field(e.b, loop.getLoc(), closure, memory,
              static_cast<int32_t>(number)));
  // struct fact_parallel { void (*run)(...); void *context; }
  auto layout =
      LLVM::LLVMStructType::getLiteral(module.getContext(), {pointer, pointer});
  auto load = [&](int32_t number) -> Value {
    return LLVM::LoadOp::create(
        e.b, pointer, field(e.b, loop.getLoc(), layout, parallel, number));
  };
  Value address = UnrealizedConversionCastOp::create(
                      e.b, pointer,
                      func::ConstantOp::create(e.b, task.getFunctionType(),
                                               task.getSymName())
                          .getResult())
                      .getResult(0);
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(module.getContext()),
                                  {pointer, e.i64, pointer, pointer});
  LLVM::CallOp::create(e.b, type,
                       ValueRange{load(0), load(1),
                                  e.fromIndex(loop.getUpperBound(), e.i64),
                                  address, memory});
  loop->moveBefore(branch.elseBlock()->getTerminator());
  loop->removeAttr(parallelAttrName);
  return success();
}

LogicalResult Parallelizer::run() {
  SmallVector<scf::ForOp> loops;
  module.walk([&](scf::ForOp loop) {
    if (loop->hasAttr(parallelAttrName))
      loops.push_back(loop);
  });
  // Every main has the argument, so that its entry point need not ask.
  if (auto main = module.lookupSymbol<func::FuncOp>("main"))
    parallelOf(main);
  for (scf::ForOp loop : loops)
    if (failed(convert(loop)))
      return failure();
  return success();
}

struct ParallelLoopsPass
    : mlir::fact::impl::ParallelLoopsPassBase<ParallelLoopsPass> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(Parallelizer(getOperation(), floatControl).run()))
      signalPassFailure();
  }
};

} // namespace
