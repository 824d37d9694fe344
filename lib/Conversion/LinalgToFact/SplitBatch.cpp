//===- SplitBatch.cpp - One sequence of a batch ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Follows the batch from the arguments through every op: a value has it in one
// extent, which is `outer * batch * inner` where other extents were merged with
// it (heads of all sequences in a row, say). An op that works on each element
// of the batch by itself becomes one for a batch of 1. If some op does not, no
// op is changed.
//
// A value that comes from no argument has no batch, but may have an extent as
// long (a constant that is added to all sequences): where the batch meets it,
// it is made for a batch of 1, too, if it is the same for all.
//
//===----------------------------------------------------------------------===//

#include "BatchPlace.h"

#include "fact/Conversion/Passes.h"
#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Weights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

namespace mlir::fact {
#define GEN_PASS_DEF_SPLITBATCHPASS
#include "fact/Conversion/Passes.h.inc"
} // namespace mlir::fact

using namespace mlir;
using namespace mlir::fact;

namespace {

/// What may be the batch of a function.
struct Batch {
  /// The extent of each argument that is the batch; none for one that all
  /// sequences share.
  SmallVector<std::optional<int64_t>> axes;
  int64_t sequences;
  bool isOpen; ///< Whether any number will do as well as this one.
};

class BatchSplitter {
public:
  BatchSplitter(func::FuncOp source, const Batch &batch)
      : source(source), axes(batch.axes), batch(batch.sequences),
        isOpen(batch.isOpen), builder(source) {}

  /// The function for a batch of 1, beside the other one; null where some op
  /// does not keep the sequences apart.
  func::FuncOp run();

  Operation *failedOp = nullptr;
  std::string reason;

private:
  bool fail(Operation *op, const Twine &why) {
    if (!failedOp) {
      failedOp = op;
      reason = why.str();
    }
    return false;
  }
  RankedTensorType reduced(Value value, const Place &place) const;
  std::optional<Place> placeOf(Value value) const {
    auto it = places.find(value);
    return it == places.end() ? std::nullopt : std::optional(it->second);
  }
  bool hasBatch(Operation *op) const;
  void set(Value value, Value made, const Place &place) {
    map.map(value, made);
    places[value] = place;
  }

  bool split(Operation &op);
  bool splitLinalg(linalg::LinalgOp op);
  bool splitSoftmax(linalg::SoftmaxOp op);
  bool splitReshape(Operation *op);
  bool splitSlice(tensor::ExtractSliceOp op);
  bool splitInsert(tensor::InsertSliceOp op);
  bool splitPad(tensor::PadOp op);
  bool splitReturn(func::ReturnOp op);

  /// The loop over the sequences of a linalg op whose body looks up an element
  /// of its own sequence.
  std::optional<unsigned> lookedUpLoop(Operation *op) const;
  bool isBatchIndex(OpOperand &use) const;
  /// A linalg op for a batch of 1 along a loop, its operands made for that.
  Operation *makeLinalg(linalg::LinalgOp op, unsigned loop, Place place);
  /// An operand that is not worked on but written to.
  Value makeInit(Value init, const Place &place, function_ref<Value()> extent);
  Value makeReshape(Operation *op, Value input, const Place &to);
  Value makeSlice(tensor::ExtractSliceOp op, Value input, const Place &from,
                  const Place &to);
  /// A value without a batch, for a batch of 1, made once for each place; null
  /// where it differs along it.
  Value demand(Value value, const Place &place);
  Value makeDemanded(Value value, const Place &place);
  Value demandConstant(arith::ConstantOp constant, const Place &place);
  Value mapped(Operation *reader, Value value);

  func::FuncOp source;
  SmallVector<std::optional<int64_t>> axes; ///< Of the arguments.
  int64_t batch;
  bool isOpen;
  OpBuilder builder;
  IRMapping map;
  DenseMap<Value, Place> places; ///< Of the source's values.
  /// By the value, and the dimension, outer and inner extent of the place.
  DenseMap<std::tuple<Value, int64_t, int64_t, int64_t>, Value> demanded;
  DenseSet<Value> merged; ///< Numbers that count elements of the whole batch.
};

} // namespace

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
// Reshapes
//===----------------------------------------------------------------------===//

Value BatchSplitter::makeReshape(Operation *op, Value input, const Place &to) {
  RankedTensorType type = reduced(op->getResult(0), to);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return tensor::CollapseShapeOp::create(builder, op->getLoc(), type, input,
                                           collapse.getReassociationIndices());
  auto expand = cast<tensor::ExpandShapeOp>(op);
  SmallVector<ReassociationIndices> groups = expand.getReassociationIndices();
  SmallVector<OpFoldResult> extents;
  for (auto [i, extent] : llvm::enumerate(expand.getMixedOutputShape())) {
    auto dim = static_cast<int64_t>(i);
    if (dim != to.dim) {
      if (auto value = dyn_cast<Value>(extent)) {
        Value made = mapped(op, value);
        if (!made)
          return {};
        extents.push_back(made);
      } else {
        extents.push_back(extent);
      }
      continue;
    }
    if (!ShapedType::isDynamic(to.extent())) {
      extents.push_back(builder.getIndexAttr(to.extent()));
      continue;
    }
    // What the other extents of the group leave.
    for (auto [from, group] : llvm::enumerate(groups))
      if (llvm::is_contained(group, dim)) {
        Value whole = tensor::DimOp::create(builder, op->getLoc(), input,
                                            static_cast<int64_t>(from));
        Count others;
        for (int64_t member : group)
          if (member != dim)
            others = others * countOf(type.getDimSize(member));
        if (others.isOpen) {
          fail(op, "it merges the batch with two open extents");
          return {};
        }
        Value by = arith::ConstantIndexOp::create(builder, op->getLoc(),
                                                  others.factor);
        extents.push_back(others.isOne() ? whole
                                         : arith::DivUIOp::create(
                                               builder, op->getLoc(), whole, by)
                                               .getResult());
      }
  }
  return tensor::ExpandShapeOp::create(builder, op->getLoc(), type, input,
                                       groups, extents);
}

bool BatchSplitter::splitReshape(Operation *op) {
  Place from = *placeOf(op->getOperand(0));
  auto sourceType = cast<RankedTensorType>(op->getOperand(0).getType()),
       resultType = cast<RankedTensorType>(op->getResult(0).getType());
  std::optional<Place> to;
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    to = from.expanded(resultType.getShape(),
                       expand.getReassociationIndices()[from.dim], batch);
  } else {
    auto collapse = cast<tensor::CollapseShapeOp>(op);
    for (auto [dim, group] :
         llvm::enumerate(collapse.getReassociationIndices()))
      if (llvm::is_contained(group, from.dim))
        to = from.collapsed(sourceType.getShape(), group,
                            static_cast<int64_t>(dim));
  }
  if (!to || (to->outer.isOpen && to->inner.isOpen))
    return fail(op, "its reshape mixes the batch with other extents");
  Value made = makeReshape(op, map.lookup(op->getOperand(0)), *to);
  if (!made)
    return false;
  set(op->getResult(0), made, *to);
  return true;
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

Operation *BatchSplitter::makeLinalg(linalg::LinalgOp op, unsigned loop,
                                     Place place) {
  if (op.getIteratorTypesArray()[loop] != utils::IteratorType::parallel) {
    fail(op, "it adds up or compares elements of different sequences");
    return nullptr;
  }
  bool usesIndex = false;
  op.getBlock()->walk([&](linalg::IndexOp index) {
    if (index.getDim() == loop)
      for (OpOperand &use : index->getUses())
        usesIndex |= lookedUpLoop(use.getOwner()) != loop || !isBatchIndex(use);
  });
  if (usesIndex) {
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
        if (map.contains(value) && (!placeOf(value) || isOwn))
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
// Parts of tensors
//===----------------------------------------------------------------------===//

/// Whether a part takes all of an extent.
static bool isWhole(Value source, int64_t dim, OpFoldResult offset,
                    OpFoldResult size, OpFoldResult stride) {
  int64_t extent = cast<RankedTensorType>(source.getType()).getDimSize(dim);
  auto isExtent = [&]() {
    if (!ShapedType::isDynamic(extent))
      return getConstantIntValue(size) == extent;
    auto value = dyn_cast<Value>(size);
    auto of = value ? value.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
    return of && of.getSource() == source && of.getConstantIndex() == dim;
  };
  return getConstantIntValue(offset) == 0 && getConstantIntValue(stride) == 1 &&
         isExtent();
}

namespace {
/// The numbers of a part in the new function.
struct Part {
  SmallVector<OpFoldResult> offsets, sizes, strides;
};
} // namespace

/// Those of a slice; the extent of the batch is `extent`. None where one of
/// them is not there.
static std::optional<Part> mapPart(OffsetSizeAndStrideOpInterface slice,
                                   int64_t dim, OpFoldResult extent,
                                   function_ref<Value(Value)> mapped) {
  bool isThere = true;
  auto map = [&](SmallVector<OpFoldResult> numbers) {
    for (OpFoldResult &number : numbers)
      if (auto value = dyn_cast_or_null<Value>(number); value && isThere) {
        Value made = mapped(value);
        isThere = made != nullptr;
        number = made;
      }
    return numbers;
  };
  SmallVector<OpFoldResult> offsets = map(slice.getMixedOffsets());
  // The batch's own size counts the sequences: it is not there.
  SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
  sizes[dim] = OpFoldResult();
  sizes = map(sizes);
  sizes[dim] = extent;
  SmallVector<OpFoldResult> strides = map(slice.getMixedStrides());
  if (!isThere)
    return std::nullopt;
  return Part{offsets, sizes, strides};
}

/// Whether a slice takes all sequences, and the place of the batch in it.
static std::optional<Place> sliced(tensor::ExtractSliceOp op, Place place) {
  llvm::SmallBitVector dropped = op.getDroppedDims();
  if (!isWhole(op.getSource(), place.dim, op.getMixedOffsets()[place.dim],
               op.getMixedSizes()[place.dim],
               op.getMixedStrides()[place.dim]) ||
      dropped[place.dim])
    return std::nullopt;
  Place to = place;
  for (int64_t i = 0; i < place.dim; ++i)
    to.dim -= dropped[i];
  return to;
}

Value BatchSplitter::makeSlice(tensor::ExtractSliceOp op, Value input,
                               const Place &from, const Place &to) {
  OpFoldResult extent =
      ShapedType::isDynamic(from.extent())
          ? OpFoldResult(
                tensor::DimOp::create(builder, op.getLoc(), input, from.dim)
                    .getResult())
          : OpFoldResult(builder.getIndexAttr(from.extent()));
  auto value = [&](Value number) { return mapped(op, number); };
  std::optional<Part> part = mapPart(op, from.dim, extent, value);
  if (!part)
    return {};
  return tensor::ExtractSliceOp::create(
      builder, op.getLoc(), reduced(op.getResult(), to), input, part->offsets,
      part->sizes, part->strides);
}

bool BatchSplitter::splitSlice(tensor::ExtractSliceOp op) {
  Place from = *placeOf(op.getSource());
  std::optional<Place> to = sliced(op, from);
  if (!to)
    return fail(op, "it takes some of the sequences");
  Value made = makeSlice(op, map.lookup(op.getSource()), from, *to);
  if (!made)
    return false;
  set(op.getResult(), made, *to);
  return true;
}

bool BatchSplitter::splitInsert(tensor::InsertSliceOp op) {
  auto offsets = op.getMixedOffsets(), sizes = op.getMixedSizes(),
       strides = op.getMixedStrides();
  if (op.getSourceType().getRank() != op.getDestType().getRank())
    return fail(op, "it writes a part of another rank");
  std::optional<Place> from = placeOf(op.getSource()),
                       to = placeOf(op.getDest());
  Place place = from ? *from : *to;
  if ((from && to && !(*from == *to)) ||
      !isWhole(op.getDest(), place.dim, offsets[place.dim], sizes[place.dim],
               strides[place.dim]))
    return fail(op, "it writes some of the sequences");
  Value input =
      from ? map.lookup(op.getSource()) : demand(op.getSource(), place);
  if (!input)
    return false;
  auto extent = [&]() -> Value {
    return tensor::DimOp::create(builder, op.getLoc(), input, place.dim);
  };
  Value dest = makeInit(op.getDest(), place, extent);
  if (!dest)
    return false;
  OpFoldResult size = ShapedType::isDynamic(place.extent())
                          ? OpFoldResult(extent())
                          : OpFoldResult(builder.getIndexAttr(place.extent()));
  auto value = [&](Value number) { return mapped(op, number); };
  std::optional<Part> part = mapPart(op, place.dim, size, value);
  if (!part)
    return false;
  Value made =
      tensor::InsertSliceOp::create(builder, op.getLoc(), input, dest,
                                    part->offsets, part->sizes, part->strides);
  set(op.getResult(), made, place);
  return true;
}

bool BatchSplitter::splitPad(tensor::PadOp op) {
  std::optional<Place> place = placeOf(op.getSource());
  if (!place || getConstantIntValue(op.getMixedLowPad()[place->dim]) != 0 ||
      getConstantIntValue(op.getMixedHighPad()[place->dim]) != 0)
    return fail(op, "it adds sequences");
  bool isOpen = llvm::any_of(op->getOperands().drop_front(),
                             [&](Value value) { return !map.contains(value); });
  bool readsOthers = false;
  op.getRegion().walk([&](Operation *inner) {
    for (Value value : inner->getOperands())
      readsOthers |= placeOf(value).has_value();
  });
  if (isOpen || readsOthers)
    return fail(op, "its padding depends on the sequences");
  Operation *made = builder.clone(*op, map);
  made->getResult(0).setType(reduced(op.getResult(), *place));
  set(op.getResult(), made->getResult(0), *place);
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
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(maker)) {
    for (int64_t dim = 0; dim < slice.getSourceType().getRank(); ++dim) {
      Place from{dim, place.outer, place.inner};
      if (std::optional<Place> to = sliced(slice, from); to && *to == place) {
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
      places[argument] = {*axis};
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

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// What arguments say is the batch of a function; null where none does. An
/// argument of as many rows that does not say so is shared by all sequences.
static std::optional<Batch> saidBatch(func::FuncOp function) {
  std::optional<Batch> batch;
  for (BlockArgument argument : function.getArguments()) {
    unsigned i = argument.getArgNumber();
    auto said = function.getArgAttrOfType<DenseI64ArrayAttr>(i, kBatchAttrName);
    if (!said)
      continue;
    int64_t extent =
        cast<RankedTensorType>(argument.getType()).getDimSize(said[0]);
    if (!batch)
      batch = Batch{{}, extent, said[1] == 0};
    batch->axes.resize(function.getNumArguments());
    batch->axes[i] = said[0];
    if (batch->sequences != extent)
      batch->sequences = 1; // not the same number everywhere
  }
  return batch;
}

/// The arguments with that many sequences along an extent.
static Batch batchAlong(func::FuncOp function, int64_t axis,
                        int64_t sequences) {
  Batch batch{{}, sequences, false};
  for (Type type : function.getArgumentTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    bool fits = tensor && tensor.getRank() > axis &&
                tensor.getDimSize(axis) == sequences;
    batch.axes.push_back(fits ? std::optional(axis) : std::nullopt);
  }
  return batch;
}

/// What may be the batch of a function: what its arguments say it is, else the
/// first extent of tokens [batch, length] or of rows [batch, length, features],
/// then the second one of [length, batch, features]. None below 2, which is
/// split already.
static SmallVector<Batch> batchesOf(func::FuncOp function) {
  if (std::optional<Batch> said = saidBatch(function))
    return said->sequences < 2 ? SmallVector<Batch>()
                               : SmallVector<Batch>{*said};
  SmallVector<Batch> batches;
  for (int64_t axis : {0, 1})
    for (Type type : function.getArgumentTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || tensor.getRank() < 2 || tensor.isDynamicDim(axis) ||
          tensor.getDimSize(axis) < 2)
        continue;
      bool isTokens = tensor.getElementType().isInteger(),
           isRows = tensor.getRank() >= 3;
      if (axis == 0 ? isTokens || isRows : tensor.getRank() == 3) {
        batches.push_back(batchAlong(function, axis, tensor.getDimSize(axis)));
        break;
      }
    }
  return batches;
}

namespace {
struct SplitBatchPass
    : public mlir::fact::impl::SplitBatchPassBase<SplitBatchPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && !function.isExternal() &&
          function.getBody().hasOneBlock() &&
          SymbolTable::symbolKnownUseEmpty(function, getOperation()))
        functions.push_back(function);
    for (func::FuncOp function : functions)
      splitFunction(function);
  }

private:
  void splitFunction(func::FuncOp function) {
    SmallVector<Batch> batches = batchesOf(function);
    std::optional<BatchSplitter> first;
    for (const Batch &batch : batches) {
      BatchSplitter splitter(function, batch);
      if (splitter.run()) {
        remark::passed(function.getLoc(), remark::RemarkOpts::name("BatchSplit")
                                              .category("fact-split-batch")
                                              .function(function.getName()))
            << remark::metric("Sequences", batch.sequences);
        function.erase();
        ++numSplit;
        return;
      }
      if (!first)
        first.emplace(std::move(splitter));
    }
    if (!first)
      return;
    remark::missed(first->failedOp->getLoc(),
                   remark::RemarkOpts::name("BatchNotSplit")
                       .category("fact-split-batch")
                       .function(function.getName()))
        << remark::reason("{0} (of a batch of {1})", first->reason,
                          batches.front().sequences)
        << remark::suggest("a model of one sequence has its layers raised");
    ++numMissed;
  }
};
} // namespace
