//===- BatchSplitter.cpp - A function for one sequence --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BatchSplitter.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Weights.h"

#include <cstring>

using namespace mlir;
using namespace mlir::fact;

RankedTensorType BatchSplitter::reduced(Value value, const Place &place) const {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[place.dim] = place.extent();
  return type.clone(shape);
}

bool BatchSplitter::hasBatch(Operation *op) const {
  bool found = false;
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      found |= places.contains(operand);
  });
  return found;
}

Value BatchSplitter::mapped(Operation *reader, Value value) {
  if (Value made = map.lookupOrNull(value))
    return made;
  fail(reader, "it needs a number that counts elements of all sequences");
  return {};
}

//===----------------------------------------------------------------------===//
// linalg
//===----------------------------------------------------------------------===//

Value BatchSplitter::makeInit(Value init, const Place &place,
                              function_ref<Value()> extent) {
  Operation *maker = init.getDefiningOp();
  if (auto empty = dyn_cast_or_null<tensor::EmptyOp>(maker)) {
    RankedTensorType type = reduced(init, place);
    SmallVector<Value> sizes;
    auto old = empty.getDynamicSizes().begin();
    for (int64_t i = 0; i < type.getRank(); ++i) {
      bool wasOpen = empty.getType().isDynamicDim(i);
      Value size = wasOpen ? *old++ : Value();
      if (!type.isDynamicDim(i))
        continue;
      size = i == place.dim ? extent() : mapped(empty, size);
      if (!size) {
        fail(empty, "nothing says its extent for one sequence");
        return {};
      }
      sizes.push_back(size);
    }
    return tensor::EmptyOp::create(builder, empty.getLoc(), type, sizes);
  }
  if (auto fill = dyn_cast_or_null<linalg::FillOp>(maker);
      fill && !placeOf(init)) {
    Value value = mapped(fill, fill.getInputs()[0]);
    Value made = makeInit(fill.getOutputs()[0], place, extent);
    if (!value || !made)
      return {};
    return linalg::FillOp::create(builder, fill.getLoc(), value, made)
        .getResult(0);
  }
  if (std::optional<Place> own = placeOf(init)) {
    if (*own == place)
      return map.lookup(init);
    fail(maker, "its operands have the batch at different places");
    return {};
  }
  return demand(init, place);
}

bool BatchSplitter::isBatchIndex(OpOperand &use) const {
  auto extract = dyn_cast<tensor::ExtractOp>(use.getOwner());
  return extract && static_cast<int64_t>(use.getOperandNumber()) ==
                        places.lookup(extract.getTensor()).dim + 1;
}

std::optional<unsigned> BatchSplitter::lookedUpLoop(Operation *op) const {
  auto extract = dyn_cast<tensor::ExtractOp>(op);
  std::optional<Place> place =
      extract ? placeOf(extract.getTensor()) : std::nullopt;
  if (!place || !place->isAlone())
    return std::nullopt;
  auto index =
      extract.getIndices()[place->dim].getDefiningOp<linalg::IndexOp>();
  return index ? std::optional<unsigned>(index.getDim()) : std::nullopt;
}

std::optional<DenseMap<Value, int64_t>>
BatchSplitter::lookedUpByNumber(linalg::LinalgOp op, unsigned loop,
                                const Place &place) const {
  DenseMap<Value, int64_t> found;
  auto dimOf = [&](OpOperand &use) -> std::optional<int64_t> {
    auto extract = dyn_cast<tensor::ExtractOp>(use.getOwner());
    int64_t dim = int64_t(use.getOperandNumber()) - 1;
    if (!extract || dim < 0 || placeOf(extract.getTensor()) ||
        op->isAncestor(extract.getTensor().getParentRegion()->getParentOp()) ||
        extract.getTensor().getType().getDimSize(dim) != batch)
      return std::nullopt;
    return dim;
  };
  bool isLookup = true;
  op.getBlock()->walk([&](linalg::IndexOp index) {
    if (index.getDim() != loop)
      return;
    for (OpOperand &use : index->getUses()) {
      if (lookedUpLoop(use.getOwner()) == loop && isBatchIndex(use))
        continue;
      std::optional<int64_t> dim = dimOf(use);
      isLookup &= dim && place.isAlone();
      if (dim)
        isLookup &= found.try_emplace(use.getOwner()->getOperand(0), *dim)
                        .first->second == *dim;
    }
  });
  // No other element of these.
  op.getBlock()->walk([&](tensor::ExtractOp extract) {
    auto it = found.find(extract.getTensor());
    if (it == found.end())
      return;
    for (auto [i, value] : llvm::enumerate(extract.getIndices())) {
      auto index = value.getDefiningOp<linalg::IndexOp>();
      bool isNumber = index && index.getDim() == loop;
      isLookup &= isNumber == (static_cast<int64_t>(i) == it->second);
    }
  });
  return isLookup ? std::optional(std::move(found)) : std::nullopt;
}

Operation *BatchSplitter::makeLinalg(linalg::LinalgOp op, unsigned loop,
                                     Place place) {
  if (op.getIteratorTypesArray()[loop] != utils::IteratorType::parallel) {
    fail(op, "it adds up or compares elements of different sequences");
    return nullptr;
  }
  std::optional<DenseMap<Value, int64_t>> byNumber =
      lookedUpByNumber(op, loop, place);
  if (!byNumber) {
    fail(op, "it does something else for each sequence");
    return nullptr;
  }
  SmallVector<Value> operands;
  SmallVector<std::pair<Value, int64_t>> withLoop; // made operands, their dim
  auto extent = [&]() -> Value {
    if (withLoop.empty())
      return {};
    auto [value, dim] = withLoop.front();
    return tensor::DimOp::create(builder, op.getLoc(), value, dim);
  };
  for (OpOperand &operand : op->getOpOperands()) {
    Value value = operand.get();
    AffineMap indexing = op.getMatchingIndexingMap(&operand);
    std::optional<int64_t> dim;
    for (auto [i, result] : llvm::enumerate(indexing.getResults())) {
      if (!result.isFunctionOfDim(loop))
        continue;
      if (!isa<AffineDimExpr>(result) || dim) {
        fail(op, "it reads elements of one sequence beside those of another");
        return nullptr;
      }
      dim = static_cast<int64_t>(i);
    }
    Value made;
    if (!dim) {
      made = placeOf(value) ? Value() : mapped(op, value);
      if (placeOf(value))
        fail(op, "it reads elements of one sequence for another");
    } else {
      Place own{*dim, place.outer, place.inner};
      if (op.isDpsInit(&operand))
        made = makeInit(value, own, extent);
      else if (!placeOf(value))
        made = demand(value, own);
      else if (*placeOf(value) == own)
        made = map.lookup(value);
      else
        fail(op, "its operands have the batch at different places");
      if (made)
        withLoop.push_back({made, *dim});
    }
    if (!made)
      return nullptr;
    operands.push_back(made);
  }
  // What the body reads from outside. (Not all of `map`: the op may have been
  // made before, for all sequences.)
  IRMapping outside;
  bool isClosed = true;
  op.getBlock()->walk([&](Operation *inner) {
    bool isOwn = lookedUpLoop(inner) == loop;
    for (Value value : inner->getOperands())
      if (!op->isAncestor(value.getParentRegion()->getParentOp())) {
        if (auto it = byNumber->find(value); it != byNumber->end()) {
          if (Value made = demand(value, {it->second, {}, {}}))
            outside.map(value, made);
          else
            isClosed = false;
        } else if (map.contains(value) && (!placeOf(value) || isOwn))
          outside.map(value, map.lookup(value));
        else
          isClosed = false;
      }
  });
  if (!isClosed) {
    fail(op, "it looks up elements of other sequences");
    return nullptr;
  }
  SmallVector<Type> types;
  for (OpOperand &init : op.getDpsInitsMutable())
    types.push_back(operands[init.getOperandNumber()].getType());
  OperationState state(op.getLoc(), op->getName(), operands, types,
                       op->getAttrs());
  for (Region &region : op->getRegions())
    builder.cloneRegionBefore(region, *state.addRegion(),
                              state.regions.back()->begin(), outside);
  return builder.create(state);
}

bool BatchSplitter::splitLinalg(linalg::LinalgOp op) {
  std::optional<unsigned> loop;
  std::optional<Place> place;
  for (OpOperand &operand : op->getOpOperands()) {
    std::optional<Place> own = placeOf(operand.get());
    if (!own)
      continue;
    auto dim = dyn_cast<AffineDimExpr>(
        op.getMatchingIndexingMap(&operand).getResult(own->dim));
    if (!dim || (loop && *loop != dim.getPosition()))
      return fail(op, "it combines elements of different sequences");
    loop = dim.getPosition();
    if (!place)
      place = own;
  }
  bool isApart = true, reads = place.has_value();
  op.getBlock()->walk([&](Operation *inner) {
    if (std::optional<unsigned> own = lookedUpLoop(inner)) {
      isApart &= !loop || loop == own;
      loop = own;
      if (!place)
        place = Place();
    }
  });
  if (!loop || !isApart)
    return fail(op, "it looks up elements of other sequences");
  // A loop that only looks up need not go through all sequences.
  for (OpOperand &init : op.getDpsInitsMutable())
    if (std::optional<unsigned> dim =
            op.getMatchingIndexingMap(&init).getResultPosition(
                getAffineDimExpr(*loop, builder.getContext()));
        !reads && dim &&
        cast<RankedTensorType>(init.get().getType()).getDimSize(*dim) != batch)
      return fail(op, "it looks up elements of some of the sequences");
  Operation *made = makeLinalg(op, *loop, *place);
  if (!made)
    return false;
  for (auto [result, init] :
       llvm::zip(op->getResults(), op.getDpsInitsMutable())) {
    AffineMap indexing = op.getMatchingIndexingMap(&init);
    std::optional<unsigned> dim = indexing.getResultPosition(
        getAffineDimExpr(*loop, builder.getContext()));
    if (!dim)
      return fail(op, "its result is of all sequences together");
    set(result, made->getResult(result.getResultNumber()),
        {*dim, place->outer, place->inner});
  }
  return true;
}

bool BatchSplitter::splitSoftmax(linalg::SoftmaxOp op) {
  std::optional<Place> place = placeOf(op.getInput());
  if (!place || static_cast<int64_t>(op.getDimension()) == place->dim)
    return fail(op, "it adds up elements of different sequences");
  Value input = map.lookup(op.getInput());
  Value init = makeInit(op.getOutput(), *place, [&]() -> Value {
    return tensor::DimOp::create(builder, op.getLoc(), input, place->dim);
  });
  if (!init)
    return false;
  IRMapping own;
  own.map(op.getInput(), input);
  own.map(op.getOutput(), init);
  Operation *made = builder.clone(*op, own);
  made->getResult(0).setType(cast<RankedTensorType>(init.getType()));
  set(op->getResult(0), made->getResult(0), *place);
  return true;
}

//===----------------------------------------------------------------------===//
// Values without a batch
//===----------------------------------------------------------------------===//

Value BatchSplitter::demandConstant(arith::ConstantOp constant,
                                    const Place &place) {
  RankedTensorType type = reduced(constant.getResult(), place);
  if (!type.hasStaticShape())
    return {};
  auto make = [&](ElementsAttr values) -> Value {
    return arith::ConstantOp::create(builder, constant.getLoc(), values);
  };
  auto values = dyn_cast<ElementsAttr>(constant.getValue());
  if (auto splat = dyn_cast_or_null<SplatElementsAttr>(values))
    return make(splat.resizeSplat(type));
  // Groups of bytes: before the batch, of the batch, behind it.
  auto shape = cast<RankedTensorType>(constant.getType()).getShape();
  int64_t before = (countOf(shape.take_front(place.dim)) * place.outer).factor,
          behind =
              (countOf(shape.drop_front(place.dim + 1)) * place.inner).factor;
  auto sameForAll = [&](auto elements) -> Value {
    if (!elements)
      return {};
    using T = std::decay_t<decltype(elements->data()[0])>;
    std::vector<T> kept;
    const T *data = elements->data();
    for (int64_t i = 0; i < before; ++i) {
      const T *first = data + i * batch * behind;
      for (int64_t b = 1; b < batch; ++b)
        // All bits: zeros of two signs are equal numbers.
        if (std::memcmp(first, first + b * behind, behind * sizeof(T)) != 0)
          return {};
      kept.insert(kept.end(), first, first + behind);
    }
    return make(DenseElementsAttr::get(type, ArrayRef<T>(kept)));
  };
  Type element = type.getElementType();
  if (element.isF32())
    return sameForAll(ConstantElements<float>::of(values));
  if (element.isInteger(32))
    return sameForAll(ConstantElements<int32_t>::of(values));
  if (element.isInteger(64))
    return sameForAll(ConstantElements<int64_t>::of(values));
  return {};
}

Value BatchSplitter::demand(Value value, const Place &place) {
  std::tuple key(value, place.dim, place.outer.extent(), place.inner.extent());
  if (auto known = demanded.find(key); known != demanded.end())
    return known->second;
  Value made = makeDemanded(value, place);
  demanded[key] = made;
  return made;
}

Value BatchSplitter::makeDemanded(Value value, const Place &place) {
  auto type = cast<RankedTensorType>(value.getType());
  Operation *maker = value.getDefiningOp();
  int64_t extent = (place.outer * place.inner * Count(batch)).extent();
  Value made;
  if (!maker || type.getDimSize(place.dim) != extent) {
    // Nothing says how long it is, or that it is as long.
  } else if (auto constant = dyn_cast<arith::ConstantOp>(maker)) {
    made = demandConstant(constant, place);
  } else if (isa<tensor::EmptyOp, linalg::FillOp>(maker)) {
    made = makeInit(value, place, []() -> Value { return {}; });
  } else if (auto op = dyn_cast<linalg::LinalgOp>(maker)) {
    OpOperand *init =
        op.getDpsInitOperand(cast<OpResult>(value).getResultNumber());
    auto loop = dyn_cast<AffineDimExpr>(
        op.getMatchingIndexingMap(init).getResult(place.dim));
    Operation *of = loop ? makeLinalg(op, loop.getPosition(), place) : nullptr;
    if (of)
      made = of->getResult(cast<OpResult>(value).getResultNumber());
  } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(maker)) {
    for (auto [dim, group] : llvm::enumerate(expand.getReassociationIndices()))
      if (llvm::is_contained(group, place.dim)) {
        Place from =
            place.collapsed(type.getShape(), group, static_cast<int64_t>(dim));
        if (Value input = demand(expand.getSrc(), from))
          made = makeReshape(maker, input, place);
      }
  } else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(maker)) {
    std::optional<Place> from =
        place.expanded(collapse.getSrcType().getShape(),
                       collapse.getReassociationIndices()[place.dim], batch);
    if (Value input = from ? demand(collapse.getSrc(), *from) : Value())
      made = makeReshape(maker, input, place);
  } else if (auto insert = dyn_cast<tensor::InsertSliceOp>(maker)) {
    made = makeInsert(insert, place);
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(maker)) {
    for (int64_t dim = 0; dim < slice.getSourceType().getRank(); ++dim) {
      Place from{dim, place.outer, place.inner};
      if (std::optional<Place> to = placeInSlice(slice, from);
          to && *to == place) {
        if (Value input = demand(slice.getSource(), from))
          made = makeSlice(slice, input, from, place);
        break;
      }
    }
  }
  if (!made)
    fail(maker ? maker : source.getOperation(),
         "it may be another one for each sequence");
  return made;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

bool BatchSplitter::split(Operation &op) {
  if (auto last = dyn_cast<func::ReturnOp>(op))
    return splitReturn(last);
  if (hasBatch(&op)) {
    if (auto dim = dyn_cast<tensor::DimOp>(op)) {
      std::optional<Place> place = placeOf(dim.getSource());
      if (!place || dim.getConstantIndex() == place->dim ||
          !dim.getConstantIndex())
        merged.insert(dim.getResult());
      else
        builder.clone(op, map);
      return true;
    }
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      return splitLinalg(linalgOp);
    if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op))
      return splitSoftmax(softmax);
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
      return splitReshape(&op);
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      return splitSlice(slice);
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      return splitInsert(insert);
    if (auto pad = dyn_cast<tensor::PadOp>(op))
      return splitPad(pad);
    return fail(&op, "it is not known to keep the sequences apart");
  }
  // Of the whole batch: made where it is needed, for one sequence.
  bool isMerged = false;
  op.walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      isMerged |= merged.contains(operand);
  });
  if (isMerged) {
    for (Value result : op.getResults())
      merged.insert(result);
    return true;
  }
  builder.clone(op, map);
  return true;
}

bool BatchSplitter::splitReturn(func::ReturnOp op) {
  SmallVector<Value> values;
  for (Value value : op.getOperands()) {
    std::optional<Place> place = placeOf(value);
    if (place && !place->isAlone())
      return fail(op, "a result has the batch merged with another extent");
    Value made = mapped(op, value);
    if (!made)
      return false;
    values.push_back(made);
  }
  func::ReturnOp::create(builder, op.getLoc(), values);
  return true;
}

func::FuncOp BatchSplitter::run() {
  SmallVector<Type> inputs, outputs;
  for (auto [argument, axis] : llvm::zip(source.getArguments(), axes)) {
    Type type = argument.getType();
    if (axis) {
      places[argument].dim = *axis;
      type = reduced(argument, places[argument]);
    }
    inputs.push_back(type);
  }
  auto target = func::FuncOp::create(
      builder, source.getLoc(), source.getName(),
      builder.getFunctionType(inputs, source.getResultTypes()));
  target->setDiscardableAttrs(source->getDiscardableAttrDictionary());
  target.setVisibility(source.getVisibility());
  if (ArrayAttr attributes = source.getArgAttrsAttr())
    target.setAllArgAttrs(attributes);
  if (ArrayAttr attributes = source.getResAttrsAttr())
    target.setAllResultAttrs(attributes);
  Block *body = target.addEntryBlock();
  for (auto [from, to] :
       llvm::zip(source.getArguments(), body->getArguments())) {
    to.setLoc(from.getLoc());
    map.map(from, to);
  }
  builder.setInsertionPointToStart(body);
  for (Operation &op : source.getBody().front())
    if (!split(op)) {
      target.erase();
      return {};
    }
  Operation *last = body->getTerminator();
  target.setType(builder.getFunctionType(inputs, last->getOperandTypes()));
  auto where = [&](int64_t dim) {
    return builder.getDenseI64ArrayAttr({dim, isOpen ? 0 : batch});
  };
  for (auto [i, axis] : llvm::enumerate(axes))
    if (axis)
      target.setArgAttr(i, kBatchAttrName, where(*axis));
  for (auto [i, value] :
       llvm::enumerate(source.getBody().front().getTerminator()->getOperands()))
    if (std::optional<Place> place = placeOf(value))
      target.setResultAttr(i, kBatchAttrName, where(place->dim));
  return target;
}
