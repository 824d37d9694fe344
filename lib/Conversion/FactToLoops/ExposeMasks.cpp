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
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/Transforms/EncoderLayers.h"

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
  int64_t heads, keyHeads;
  WindowAttr window; ///< null: all keys
  bool given;        ///< its mask is the model's, not selected
  SmallVector<std::pair<StringRef, Value>> values;
};

class Exposer {
public:
  /// The layers that `function` runs, in order, as values of its own; those of
  /// callees become results of the calls.
  SmallVector<Layer> layersOf(func::FuncOp function);

private:
  /// Returns the layers of a callee, whose values are results from
  /// `originalResults` on.
  const SmallVector<Layer> &exposed(func::FuncOp function);

  DenseMap<Operation *, SmallVector<Layer>> done;
};

/// The row mask of a kind, for so many heads of K and V, that is made of what
/// `select` selected alone.
template <typename Op> Value rowsOf(SelectOp select, int64_t keyHeads) {
  for (OpOperand *use : readersOf(select.getMask()))
    if (auto rows = dyn_cast<Op>(use->getOwner()))
      if (rows.getType().getDimSize(0) == keyHeads &&
          llvm::all_of(rows->getOperands(), [&](Value operand) {
            return sourceOf(operand).getDefiningOp() == select;
          }))
        return rows.getResult();
  return {};
}

Layer layerOf(const EncoderLayer &layer) {
  Layer result{layer.getHeads(),
               layer.getGroups(),
               layer.getWindow(),
               layer.hasGivenMask(),
               {}};
  auto add = [&](StringRef name, Value value) {
    if (value)
      result.values.push_back({name, value});
  };
  if (SelectOp select = layer.select) {
    add("mask", select.getMask());
    add("dominated", select.getDominated());
    add("argmax", select.getArgmax());
    add("k_rows", rowsOf<KRowsOp>(select, result.keyHeads));
    add("v_rows", rowsOf<VRowsOp>(select, result.keyHeads));
  }
  if (SelectPrecisionOp precision = layer.precision)
    add("low", precision.getLow());
  return result;
}

SmallVector<Layer> Exposer::layersOf(func::FuncOp function) {
  SmallVector<Layer> layers;
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    if (isa<QuantizedAttentionOp, func::CallOp>(op))
      ops.push_back(op);
  });
  EncoderLayers own(function);
  auto next = own.getLayers().begin();
  for (Operation *op : ops) {
    if (isa<QuantizedAttentionOp>(op)) {
      while (next->attention != op)
        ++next; // a dense one, which selects nothing
      layers.push_back(layerOf(*next++));
      continue;
    }
    auto call = cast<func::CallOp>(op);
    func::FuncOp callee = calleeOf(call);
    if (!callee || callee.isExternal())
      continue;
    unsigned before = call.getNumResults();
    const SmallVector<Layer> &inside = exposed(callee);
    OpBuilder builder(call);
    auto extended = func::CallOp::create(builder, call.getLoc(), callee,
                                         call.getOperands());
    call->replaceAllUsesWith(extended.getResults().take_front(before));
    unsigned result = before;
    for (const Layer &layer : inside) {
      layers.push_back(
          {layer.heads, layer.keyHeads, layer.window, layer.given, {}});
      for (auto &[name, value] : layer.values)
        layers.back().values.push_back({name, extended.getResult(result++)});
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

struct ExposeMasksPass
    : mlir::fact::impl::ExposeMasksPassBase<ExposeMasksPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal()) {
      module.emitError("has no function 'main'");
      return signalPassFailure();
    }
    if (failed(verifyNotRecursive(main)))
      return signalPassFailure();
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
      NamedAttrList description;
      description.set("heads", builder.getI64IntegerAttr(layer.heads));
      description.set("key_heads", builder.getI64IntegerAttr(layer.keyHeads));
      if (layer.window)
        description.set("window", layer.window);
      description.set("given", builder.getBoolAttr(layer.given));
      descriptions.push_back(description.getDictionary(builder.getContext()));
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
