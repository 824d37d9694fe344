//===- Calls.cpp - The program's function; equal layers as loops ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "RowGroup.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::factisa;

static StringRef nameOf(Attribute attribute, StringRef fallback) {
  auto name = dyn_cast_or_null<StringAttr>(attribute);
  return name ? name.getValue() : fallback;
}

LogicalResult Lowering::lowerMain(func::FuncOp source) {
  loc = source.getLoc();
  // DRAM of an input or output, in the function's own shape.
  auto port = [&](Value value, DramKind kind,
                  StringRef name) -> FailureOr<Storage> {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !type.getElementType().isF32() ||
        (type.getRank() != 2 &&
         !(type.getRank() == 3 && type.getDimSize(0) == 1)))
      return emitError(loc)
                 << (kind == DramKind::Input ? "input '" : "output '") << name
                 << "' must be one sequence of rows, "
                 << "[L, d] or [1, L, d] in float32 (was " << value.getType()
                 << ")",
             failure();
    FailureOr<Layout> layout = layoutOf(value);
    if (failed(layout))
      return failure();
    Storage storage;
    storage.layout = *layout;
    storage.planeStride = llvm::alignTo(paddedRows * layout->rowBytes, 64);
    SmallVector<int64_t> shape;
    for (int64_t size : type.getShape())
      shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
    storage.base = DramBufferOp::create(
        builder, loc, DramType::get(builder.getContext()),
        DramKindAttr::get(builder.getContext(), kind),
        builder.getI64IntegerAttr(storage.planeStride),
        builder.getStringAttr(name), IntegerAttr(), ArrayAttr(), IntegerAttr(),
        builder.getDenseI64ArrayAttr(shape));
    return storage;
  };
  for (BlockArgument argument : source.getArguments()) {
    StringRef name = nameOf(
        source.getArgAttr(argument.getArgNumber(), fact::kNameAttrName), "x");
    FailureOr<Storage> storage = port(argument, DramKind::Input, name);
    if (failed(storage))
      return failure();
    setStorage(argument, *storage);
  }
  auto returned =
      cast<func::ReturnOp>(source.getBody().front().getTerminator());
  SmallVector<std::pair<Value, Storage>> copies;
  for (auto [i, value] : llvm::enumerate(returned.getOperands())) {
    FailureOr<Storage> storage =
        port(value, DramKind::Output,
             nameOf(source.getResultAttr(i, fact::kNameAttrName), "y"));
    if (failed(storage))
      return failure();
    if (storages.contains(root(value)))
      copies.push_back({value, *storage}); // an input, or returned twice
    else
      setStorage(value, *storage);
  }

  layer = index(0);
  SmallVector<Operation *> pending;
  SmallVector<func::CallOp> chain;
  auto flush = [&]() -> LogicalResult {
    if (!pending.empty()) {
      SmallVector<Operation *> ops = std::move(pending);
      pending.clear();
      int64_t found = noteLayers(ops, 1);
      layersDone -= found; // counted again below
      attentionsSeen = 0;
      layer = makeLayer(0);
      if (failed(lowerOps(ops)))
        return failure();
      layersDone += found;
    }
    if (!chain.empty()) {
      SmallVector<func::CallOp> calls = std::move(chain);
      chain.clear();
      return lowerCalls(calls);
    }
    return success();
  };
  for (Operation &op : source.getBody().front()) {
    auto call = dyn_cast<func::CallOp>(op);
    bool extends = call && pending.empty() && !chain.empty() &&
                   sameChain(chain.back(), call);
    if (!extends && (call || !chain.empty()) && !isa<arith::ConstantOp>(op))
      if (failed(flush()))
        return failure();
    if (call)
      chain.push_back(call);
    else
      pending.push_back(&op);
    if (isa<arith::ConstantOp>(op))
      pending.pop_back();
  }
  if (failed(flush()))
    return failure();
  for (auto &[value, to] : copies) {
    FailureOr<Storage> from = storageOf(value);
    if (failed(from) || failed(copyRows(*from, to, loc)))
      return failure();
  }
  return success();
}

bool Lowering::sameChain(func::CallOp previous, func::CallOp next) {
  if (previous.getCallee() != next.getCallee() || next.getNumResults() != 1)
    return false;
  int64_t streams = 0;
  for (Value operand : next.getOperands()) {
    if (isConstant(operand))
      continue;
    ++streams;
    if (root(operand) != previous.getResult(0) ||
        realUsers(previous.getResult(0)).size() != 1)
      return false;
  }
  return streams == 1;
}

LogicalResult Lowering::copyRows(const Storage &from, const Storage &to,
                                 Location where) {
  loc = where;
  int64_t rows = blockRows();
  loop(Over::Rows, bound, rows, [&](Value row0) {
    Value block = sram(Memory::Token, rows * from.layout.rowBytes, "copy");
    loadRows(block, from, index(0), row0, rows);
    storeRows(to, block, index(0), row0, rows);
  });
  return success();
}

Value Lowering::makeLayer(int64_t ordinal) {
  int64_t first = layersDone + ordinal;
  if (!layerIndex)
    return index(first);
  Value scaled = layerIndex;
  if (layersPerCall != 1)
    scaled = arith::MulIOp::create(builder, loc, scaled, index(layersPerCall));
  return first == 0 ? scaled
                    : arith::AddIOp::create(builder, loc, scaled, index(first))
                          .getResult();
}

LogicalResult Lowering::lowerCalls(ArrayRef<func::CallOp> calls) {
  func::CallOp first = calls.front(), last = calls.back();
  loc = first.getLoc();
  auto callee = dyn_cast_or_null<func::FuncOp>(
      SymbolTable::lookupNearestSymbolFrom(first, first.getCalleeAttr()));
  if (!callee || callee.isExternal())
    return first.emitOpError() << "calls a function without a body";
  if (callee.getNumResults() != 1)
    return first.emitOpError() << "must call a function with one result (was "
                               << callee.getNumResults() << ")";
  auto returned =
      cast<func::ReturnOp>(callee.getBody().front().getTerminator());
  Value result = returned.getOperand(0);
  if (result.getDefiningOp() == nullptr)
    return first.emitOpError() << "calls a function that returns its argument";

  FailureOr<Storage> output = storageOf(last.getResult(0));
  if (failed(output))
    return failure();

  // Arguments: weights side by side, the stream of rows in one place.
  BlockArgument stream;
  Storage input;
  for (auto [i, argument] : llvm::enumerate(callee.getArguments())) {
    storages.erase(argument);
    constants.erase(argument);
    if (isConstant(first.getOperand(i))) {
      SmallVector<ElementsAttr> values;
      for (func::CallOp call : calls) {
        auto constant = call.getOperand(i).getDefiningOp<arith::ConstantOp>();
        if (!constant)
          return call.emitOpError()
                 << "must pass a constant as argument " << i
                 << ", as other calls of '" << call.getCallee() << "' do";
        auto elements = dyn_cast<ElementsAttr>(constant.getValue());
        if (!elements)
          return call.emitOpError()
                 << "passes a number as argument " << i
                 << ": it must be a constant of the function";
        values.push_back(elements);
      }
      if (llvm::all_equal(values))
        values.resize(1);
      constants[argument] = constantBuffer(values);
      if (values.size() == 1)
        constants[argument].layerStride = 0;
      continue;
    }
    FailureOr<Storage> storage = storageOf(first.getOperand(i));
    if (failed(storage))
      return failure();
    storages[argument] = *storage;
    stream = argument;
    input = *storage;
  }
  // The values inside are lowered once per run of calls: forget the last time.
  callee.walk([&](Operation *op) {
    for (Value value : op->getResults())
      storages.erase(value);
  });

  SmallVector<Operation *> body;
  for (Operation &op : callee.getBody().front().without_terminator())
    body.push_back(&op);
  layersPerCall = noteLayers(body, calls.size());
  layersDone -= layersPerCall * calls.size(); // counted again below

  auto lowerBody = [&]() -> LogicalResult {
    attentionsSeen = 0;
    layer = makeLayer(0);
    return lowerOps(body);
  };
  LogicalResult lowered = success();
  if (calls.size() == 1) {
    setStorage(result, *output);
    lowered = lowerBody();
  } else {
    // All layers work in the place of the last one's result. A layer may write
    // its result over its input when the op that makes it works row by row and
    // comes after every reader of the input.
    if (failed(copyRows(input, *output, loc)))
      return failure();
    storages[stream] = *output;
    BackwardSliceOptions options;
    options.inclusive = true;
    SetVector<Operation *> slice;
    (void)getBackwardSlice(root(result).getDefiningOp(), &slice, options);
    bool inPlace = isRowLocal(root(result).getDefiningOp()) &&
                   llvm::all_of(realUsers(stream), [&](Operation *user) {
                     return slice.contains(user);
                   });
    Storage own =
        inPlace ? *output : allocateStorage(output->layout, "layer_result");
    setStorage(result, own);
    loop(Over::Layers, calls.size(), 1, [&](Value iteration) {
      layerIndex = iteration;
      lowered = lowerBody();
      if (!inPlace && succeeded(lowered))
        lowered = copyRows(own, *output, loc);
      layerIndex = Value();
    });
  }
  layersDone += layersPerCall * calls.size();
  return lowered;
}

//===----------------------------------------------------------------------===//
// What reports need to know of the layers
//===----------------------------------------------------------------------===//

Role factisa::roleOf(fact::QuantizedLinearOp op) {
  for (Operation *user : op.getResult().getUsers())
    if (auto heads = dyn_cast<fact::QuantizeHeadsOp>(user))
      for (Operation *reader : heads.getQuantized().getUsers())
        if (isa<fact::QuantizedAttentionOp>(reader))
          return Role::QKV;
  if (auto rows = op.getInput().getDefiningOp<fact::QuantizeRowsOp>())
    if (rows.getInput().getDefiningOp<fact::QuantizedAttentionOp>())
      return Role::Output;
  for (Operation &other : *op->getBlock())
    if (isa<fact::QuantizedAttentionOp>(other))
      return Role::FFN;
  return Role::Other;
}

int64_t Lowering::noteLayers(ArrayRef<Operation *> ops, int64_t times) {
  SmallVector<llvm::json::Object> found;
  llvm::json::Array linears;
  for (Operation *op : ops) {
    if (auto linear = dyn_cast<fact::QuantizedLinearOp>(op)) {
      auto weight = cast<ShapedType>(linear.getWeight().getType());
      if (cast<ShapedType>(linear.getInput().getType()).getDimSize(0) == 1 &&
          bound != 1)
        continue; // the mean token's: not part of the dense model
      linears.push_back(
          llvm::json::Object{{"role", stringifyRole(roleOf(linear))},
                             {"k", weight.getDimSize(0)},
                             {"n", weight.getDimSize(1)}});
    }
    if (auto attention = dyn_cast<fact::QuantizedAttentionOp>(op)) {
      if (!found.empty())
        found.back()["linears"] = std::exchange(linears, {});
      found.push_back(llvm::json::Object{
          {"heads", static_cast<int64_t>(attention.getHeads())},
          {"causal", attention.getCausal()},
          {"features", cast<ShapedType>(attention.getType()).getDimSize(1)}});
    }
  }
  if (!found.empty())
    found.back()["linears"] = std::move(linears);
  for (int64_t i = 0; i < times; ++i)
    for (llvm::json::Object &layerObject : found)
      layers.push_back(llvm::json::Object(layerObject));
  layersDone += found.size() * times;
  return found.size();
}

std::string Lowering::metadata() const {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(
      llvm::json::Object{{"layers", llvm::json::Array(layers)}});
  return text;
}
