//===- ExposeMasks.cpp - Returns what each layer selected -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Recursion.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::fact {
#define GEN_PASS_DEF_EXPOSEMASKSPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

/// One attention of a function and what it, or its layer, reads of a selection.
struct Layer {
  int64_t heads;
  bool causal;
  SmallVector<std::pair<StringRef, Value>> values;
};

class Exposer {
public:
  /// The layers that `function` runs, in order, as values of its own; those of
  /// callees become results of the calls.
  SmallVector<Layer> layersOf(func::FuncOp function);

private:
  Layer layerOf(QuantizedAttentionOp attention, func::FuncOp function,
                int64_t number);
  /// Returns the layers of a callee, whose values are results from
  /// `originalResults` on.
  const SmallVector<Layer> &exposed(func::FuncOp function);

  DenseMap<Operation *, SmallVector<Layer>> done;
};

/// The only result of the first op of kind `Op` that reads `value`.
template <typename Op> Value readBy(Value value) {
  for (Operation *user : value.getUsers())
    if (auto op = dyn_cast<Op>(user))
      return op->getResult(0);
  return {};
}

Layer Exposer::layerOf(QuantizedAttentionOp attention, func::FuncOp function,
                       int64_t number) {
  Layer layer{
      static_cast<int64_t>(attention.getHeads()), attention.getCausal(), {}};
  auto add = [&](StringRef name, Value value) {
    if (value)
      layer.values.push_back({name, value});
  };
  Value mask = attention.getMask();
  if (!mask) {
    // Counts of a layer that prunes nothing: the n-th such op.
    int64_t seen = 0;
    Value low;
    function.walk([&](SelectAllOp op) {
      Value candidate = readBy<SelectPrecisionOp>(op.getCount());
      if (candidate && seen++ <= number)
        low = candidate;
    });
    add("low", low);
    return layer;
  }
  add("mask", mask);
  add("dominated", attention.getDominated());
  add("argmax", attention.getArgmax());
  add("k_rows", readBy<KRowsOp>(mask));
  add("v_rows", readBy<VRowsOp>(mask));
  if (auto select = mask.getDefiningOp<SelectOp>())
    add("low", readBy<SelectPrecisionOp>(select.getCount()));
  return layer;
}

SmallVector<Layer> Exposer::layersOf(func::FuncOp function) {
  SmallVector<Layer> layers;
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    if (isa<QuantizedAttentionOp, func::CallOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    if (auto attention = dyn_cast<QuantizedAttentionOp>(op)) {
      layers.push_back(layerOf(attention, function, layers.size()));
      continue;
    }
    auto call = cast<func::CallOp>(op);
    auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
    if (!callee || callee.isExternal())
      continue;
    unsigned before = call.getNumResults();
    const SmallVector<Layer> &inside = exposed(callee);
    OpBuilder builder(call);
    auto extended = func::CallOp::create(builder, call.getLoc(), callee,
                                         call.getOperands());
    call->replaceAllUsesWith(extended.getResults().take_front(before));
    unsigned next = before;
    for (const Layer &layer : inside) {
      layers.push_back({layer.heads, layer.causal, {}});
      for (auto &[name, value] : layer.values)
        layers.back().values.push_back({name, extended.getResult(next++)});
    }
    call.erase();
  }
  return layers;
}

const SmallVector<Layer> &Exposer::exposed(func::FuncOp function) {
  auto found = done.find(function);
  if (found != done.end())
    return found->second;
  SmallVector<Layer> layers = layersOf(function);
  auto exit = cast<func::ReturnOp>(function.getBody().back().getTerminator());
  SmallVector<Type> types(function.getResultTypes());
  for (const Layer &layer : layers)
    for (auto &[name, value] : layer.values) {
      exit.getOperandsMutable().append(value);
      types.push_back(value.getType());
    }
  function.setFunctionType(FunctionType::get(
      function.getContext(), function.getArgumentTypes(), types));
  if (ArrayAttr attributes = function.getAllResultAttrs()) {
    SmallVector<Attribute> extended(attributes.getValue());
    extended.resize(types.size(), DictionaryAttr::get(function.getContext()));
    function.setAllResultAttrs(extended);
  }
  return done.insert({function, std::move(layers)}).first->second;
}

struct ExposeMasksPass : fact::impl::ExposeMasksPassBase<ExposeMasksPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal()) {
      module.emitError("has no function 'main'");
      return signalPassFailure();
    }
    if (isRecursive(main)) {
      main.emitError("calls itself: it has no number of layers");
      return signalPassFailure();
    }
    Builder builder(module.getContext());
    unsigned before = main.getNumResults();
    SmallVector<NamedAttrList> names;
    Exposer exposer;
    SmallVector<Layer> layers = exposer.layersOf(main);
    auto exit = cast<func::ReturnOp>(main.getBody().back().getTerminator());
    SmallVector<Type> types(main.getResultTypes());
    SmallVector<std::string> dumps;
    SmallVector<Attribute> descriptions;
    for (auto [number, layer] : llvm::enumerate(layers)) {
      descriptions.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("heads",
                                builder.getI64IntegerAttr(layer.heads)),
           builder.getNamedAttr("causal", builder.getBoolAttr(layer.causal))}));
      for (auto &[name, value] : layer.values) {
        exit.getOperandsMutable().append(value);
        types.push_back(value.getType());
        dumps.push_back(("layer" + Twine(number) + "." + name).str());
      }
    }
    SmallVector<DictionaryAttr> attributes;
    main.getAllResultAttrs(attributes);
    attributes.resize(before, builder.getDictionaryAttr({}));
    for (const std::string &dump : dumps)
      attributes.push_back(builder.getDictionaryAttr(
          builder.getNamedAttr(kDumpAttrName, builder.getStringAttr(dump))));
    main.setFunctionType(
        FunctionType::get(module.getContext(), main.getArgumentTypes(), types));
    main.setAllResultAttrs(attributes);
    main->setAttr(kLayersAttrName, builder.getArrayAttr(descriptions));
  }
};

} // namespace
