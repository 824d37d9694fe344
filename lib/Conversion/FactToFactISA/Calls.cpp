//===- Calls.cpp - The program's function; equal layers as loops ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "RowGroup.h"
#include "fact/Dialect/FactISA/IR/Instructions.h"

#include "fact/Dialect/Fact/IR/Recursion.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/Transforms/EncoderLayers.h"
#include "fact/Dialect/Fact/Transforms/InlineCalls.h"
#include "fact/ISA/Operands.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::factisa;

/// Names for the inputs or outputs of a program, each of its own: what the
/// attributes say, or `fallback`, with a number where that is taken.
static SmallVector<std::string> namesOf(ArrayRef<Attribute> attributes,
                                        StringRef fallback) {
  SmallVector<std::string> names;
  for (Attribute attribute : attributes) {
    auto given = dyn_cast_or_null<StringAttr>(attribute);
    std::string wanted = given && !given.empty() ? given.str() : fallback.str(),
                name = wanted;
    for (int64_t number = 1; llvm::is_contained(names, name); ++number)
      name = wanted + std::to_string(number);
    names.push_back(name);
  }
  return names;
}

void Lowering::noteBatch(func::FuncOp source) {
  std::vector<::fact::BatchAxis> inputs, outputs;
  bool hasBatch = false;
  auto note = [&](Attribute attribute, auto &to) {
    auto batch = dyn_cast_or_null<DenseI64ArrayAttr>(attribute);
    hasBatch |= batch != nullptr;
    to.push_back(batch ? ::fact::BatchAxis{batch[0], batch[1]}
                       : ::fact::BatchAxis());
  };
  for (unsigned i = 0; i < source.getNumArguments(); ++i)
    note(source.getArgAttr(i, fact::kBatchAttrName), inputs);
  for (unsigned i = 0; i < source.getNumResults(); ++i)
    note(source.getResultAttr(i, fact::kBatchAttrName), outputs);
  if (!hasBatch)
    return;
  described.inputBatch = std::move(inputs);
  described.outputBatch = std::move(outputs);
}

bool Lowering::noteTokenInput(func::FuncOp source, BlockArgument argument,
                              StringRef name) {
  unsigned position = argument.getArgNumber();
  auto value =
      source.getArgAttrOfType<IntegerAttr>(position, fact::kPaddingAttrName);
  bool arePositions =
      bool(source.getArgAttr(position, mlir::fact::kPositionsAttrName));
  bool isRead = llvm::any_of(argument.getUsers(), [](Operation *user) {
    return !isa<tensor::DimOp>(user);
  });
  if ((!value && !arePositions) || isRead)
    return false;
  auto type = cast<RankedTensorType>(argument.getType());
  ::fact::isa::TokenInput input;
  input.position = position;
  input.name = name.str();
  Type element = type.getElementType();
  input.dtype = element.isF32()         ? "<f4"
                : element.isInteger(32) ? "<i4"
                : element.isInteger(64) ? "<i8"
                                        : "|b1";
  for (int64_t extent : type.getShape())
    input.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
  if (value)
    input.value = value.getInt();
  described.tokenInputs.push_back(std::move(input));
  return true;
}

SmallVector<SmallVector<func::CallOp>> Lowering::chainsOf(func::FuncOp source) {
  SmallVector<SmallVector<func::CallOp>> chains;
  bool extends = false;
  for (Operation &op : source.getBody().front()) {
    if (isa<arith::ConstantOp>(op) || fact::isReshape(&op))
      continue; // nothing by itself
    auto call = dyn_cast<func::CallOp>(op);
    if (call && extends && sameChain(chains.back().back(), call))
      chains.back().push_back(call);
    else if (call)
      chains.push_back({call});
    extends = call != nullptr;
  }
  return chains;
}

FailureOr<Storage> Lowering::makePort(Value value, DramKind kind,
                                      StringRef name, Value place) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.getElementType().isF32() ||
      (type.getRank() != 2 &&
       !(type.getRank() == 3 &&
         (type.getDimSize(0) == 1 || type.getDimSize(1) == 1)))) {
    InFlightDiagnostic diagnostic =
        emitError(loc) << (kind == DramKind::Input ? "input '" : "output '")
                       << name << "' must be one sequence of rows, "
                       << "[L, d], [1, L, d] or [L, 1, d] in float32 (was "
                       << value.getType() << ")";
    diagnostic.attachNote(value.getLoc()) << "it comes from here";
    return diagnostic;
  }
  FailureOr<Layout> layout = layoutOf(value);
  if (failed(layout))
    return failure();
  Storage storage;
  storage.layout = *layout;
  storage.planeStride = llvm::alignTo(paddedRows * layout->rowBytes, 64);
  SmallVector<int64_t> shape;
  for (int64_t size : type.getShape())
    shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
  auto buffer =
      DramBufferOp::create(builder, loc, kind, storage.planeStride, name);
  buffer.setShapeAttr(builder.getDenseI64ArrayAttr(shape));
  buffer.getPlaceMutable().assign(place ? ValueRange(place) : ValueRange());
  storage.base = buffer;
  return storage;
}

LogicalResult
Lowering::makePorts(func::FuncOp source,
                    ArrayRef<SmallVector<func::CallOp>> chains,
                    SmallVectorImpl<std::pair<Value, Storage>> &copies) {
  SmallVector<Attribute> inputs, outputs;
  for (unsigned i = 0; i < source.getNumArguments(); ++i)
    inputs.push_back(source.getArgAttr(i, fact::kNameAttrName));
  for (unsigned i = 0; i < source.getNumResults(); ++i)
    outputs.push_back(source.getResultAttr(i, fact::kNameAttrName));
  SmallVector<std::string> inputNames = namesOf(inputs, "x"),
                           outputNames = namesOf(outputs, "y");
  Operation *returned = source.getBody().front().getTerminator();
  for (auto [i, value] : llvm::enumerate(returned->getOperands())) {
    FailureOr<Storage> storage =
        makePort(value, DramKind::Output, outputNames[i]);
    if (failed(storage))
      return failure();
    // An input, or returned twice.
    if (isa<BlockArgument>(root(value)) || hasStorage(value) ||
        isConstant(value))
      copies.push_back({value, *storage});
    else
      setStorage(value, *storage);
  }
  if (failed(placeStreams(chains)))
    return failure();
  for (BlockArgument argument : source.getArguments()) {
    StringRef name = inputNames[argument.getArgNumber()];
    if (noteTokenInput(source, argument, name))
      continue;
    Value place = hasStorage(argument) ? storages.at(argument).base : Value();
    FailureOr<Storage> storage =
        makePort(argument, DramKind::Input, name, place);
    if (failed(storage))
      return failure();
    if (!place)
      setStorage(argument, *storage);
  }
  return success();
}

LogicalResult Lowering::lowerMain(func::FuncOp source) {
  loc = source.getLoc();
  noteBatch(source);
  const SmallVector<SmallVector<func::CallOp>> chains = chainsOf(source);
  SmallVector<std::pair<Value, Storage>> copies;
  if (failed(makePorts(source, chains, copies)))
    return failure();

  const LayerNumbers ofMain(source);
  auto chain = chains.begin();
  SmallVector<Operation *> pending;
  auto flush = [&]() -> LogicalResult {
    if (pending.empty())
      return success();
    SmallVector<Operation *> ops = std::move(pending);
    pending.clear();
    numbers = ofMain;
    firstLayer = 0;
    noteLayers(ops, 1);
    addSpeculations(ops);
    return lowerOps(ops);
  };
  for (Operation &op : source.getBody().front()) {
    if (isa<arith::ConstantOp>(op) || fact::isReshape(&op))
      continue; // nothing by itself
    if (!isa<func::CallOp>(op))
      pending.push_back(&op);
    else if (chain != chains.end() && chain->front() == &op)
      if (failed(flush()) || failed(lowerCalls(*chain++)))
        return failure();
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

LogicalResult
Lowering::placeStreams(ArrayRef<SmallVector<func::CallOp>> chains) {
  for (ArrayRef<func::CallOp> chain : llvm::reverse(chains)) {
    func::CallOp first = chain.front(), last = chain.back();
    Value stream = root(first.getOperand(*fact::layerStream(first))),
          result = last.getResult(0);
    if (chain.size() == 1 || isConstant(stream) || hasStorage(stream) ||
        realUsers(stream).size() != 1)
      continue;
    FailureOr<Layout> rows = layoutOf(stream);
    FailureOr<Storage> place = storageOf(result);
    if (failed(rows) || failed(place))
      return failure();
    // The host writes an input where it reads an output, but nowhere else.
    bool isOutput =
        place->base.getDefiningOp<DramBufferOp>().getKind() == DramKind::Output;
    if (rows->rowBytes == place->layout.rowBytes &&
        rows->single == place->layout.single &&
        (isOutput || !isa<BlockArgument>(stream)))
      setStorage(stream, *place);
  }
  return success();
}

bool Lowering::sameChain(func::CallOp previous, func::CallOp next) {
  std::optional<unsigned> stream = fact::layerStream(next);
  Value between = previous.getResult(0);
  return previous.getCallee() == next.getCallee() && stream &&
         stream == fact::layerStream(previous) &&
         root(next.getOperand(*stream)) == between &&
         realUsers(between).size() == 1;
}

LogicalResult Lowering::copyRows(const Storage &from, const Storage &to,
                                 Location where) {
  loc = where;
  bool single = from.layout.single;
  int64_t rows = single ? 1 : blockRows();
  loop(Over::Rows, single ? 1 : bound, rows, [&](Value row0) {
    Value block = sram(Memory::Token, rows * from.layout.rowBytes, "copy");
    loadRows(block, from, index(0), row0, rows);
    storeRows(to, block, index(0), row0, rows);
  });
  return success();
}

Value Lowering::layerOf(Operation *op) {
  auto found = numbers.number.find(op);
  if (found == numbers.number.end())
    return index(::fact::isa::noLayer);
  int64_t first = firstLayer + found->second;
  if (!layerIndex)
    return index(first);
  Value scaled = layerIndex;
  if (layersPerCall != 1)
    scaled = arith::MulIOp::create(builder, loc, scaled, index(layersPerCall));
  return first == 0 ? scaled
                    : arith::AddIOp::create(builder, loc, scaled, index(first))
                          .getResult();
}

/// What of a layer needs nothing but the rows that come in, and no weights, so
/// that it can be done where the layer before makes them: `first`, and what
/// comes of their mean. `rest` is everything else.
static void splitFirst(ArrayRef<Operation *> body, Value stream,
                       SmallVectorImpl<Operation *> &rest,
                       SmallVectorImpl<Operation *> &first,
                       SmallVectorImpl<Operation *> &firstOfMean) {
  for (Operation *op : body) {
    auto isFrom = [&](ArrayRef<Operation *> makers) {
      return llvm::all_of(op->getOperands(), [&](Value operand) {
        Value source = Lowering::root(operand);
        return makers.empty()
                   ? source == stream
                   : llvm::is_contained(makers, source.getDefiningOp());
      });
    };
    if (isa<mlir::fact::QuantizeRowsOp, mlir::fact::MeanTokenOp>(op) &&
        isFrom({}))
      first.push_back(op);
    else if (isa<mlir::fact::QuantizeRowsOp>(op) && !first.empty() &&
             isFrom(first) &&
             Lowering::root(op->getOperand(0))
                 .getDefiningOp<mlir::fact::MeanTokenOp>())
      firstOfMean.push_back(op);
    else
      rest.push_back(op);
  }
}

void Lowering::bindArguments(ArrayRef<func::CallOp> calls, BlockArgument stream,
                             const Storage &input) {
  func::FuncOp callee = fact::calleeOf(calls.front());
  for (auto [i, argument] : llvm::enumerate(callee.getArguments())) {
    storages.erase(argument);
    constants.erase(argument);
    if (argument == stream) {
      storages[argument] = input;
      continue;
    }
    SmallVector<ElementsAttr> values;
    for (func::CallOp call : calls) {
      ElementsAttr value;
      bool isKnown = matchPattern(call.getOperand(i), m_Constant(&value));
      assert(isKnown && "all but the stream are weights");
      (void)isKnown;
      values.push_back(value);
    }
    if (llvm::all_equal(values))
      values.resize(1);
    constants[argument] = constantBuffer(values, planesOf(argument));
    if (values.size() == 1)
      constants[argument].layerStride = 0;
  }
  // The values inside are lowered once per run of calls: forget the last time.
  callee.walk([&](Operation *op) {
    for (Value value : op->getResults())
      storages.erase(value);
  });
}

LogicalResult Lowering::lowerCalls(ArrayRef<func::CallOp> calls) {
  func::CallOp first = calls.front(), last = calls.back();
  loc = first.getLoc();
  func::FuncOp callee = fact::calleeOf(first);
  unsigned streamNumber = *fact::layerStream(first); // all others are inlined
  BlockArgument stream = callee.getArgument(streamNumber);
  Value result = callee.getBody().front().getTerminator()->getOperand(0);

  FailureOr<Storage> output = storageOf(last.getResult(0));
  if (failed(output))
    return failure();
  // Weights side by side, the stream of rows in one place.
  FailureOr<Storage> input = storageOf(first.getOperand(streamNumber));
  if (failed(input))
    return failure();
  bindArguments(calls, stream, *input);

  SmallVector<Operation *> body;
  for (Operation &op : callee.getBody().front().without_terminator())
    body.push_back(&op);
  numbers = LayerNumbers(callee);
  firstLayer = layersDone;
  layersPerCall = noteLayers(body, calls.size());
  addSpeculations(body);
  if (calls.size() == 1) {
    setStorage(result, *output);
    return lowerOps(body);
  }
  // All layers work in the place of the last one's result.
  if (input->base != output->base && failed(copyRows(*input, *output, loc)))
    return failure();
  storages[stream] = *output;
  return lowerLayers(body, calls.size(), stream, result, *output);
}

LogicalResult Lowering::lowerLayers(ArrayRef<Operation *> body, int64_t times,
                                    BlockArgument stream, Value result,
                                    const Storage &place) {
  // A layer may write its result over its input when the op that makes it works
  // row by row and comes after every reader of the input.
  BackwardSliceOptions options;
  options.inclusive = true;
  SetVector<Operation *> slice;
  (void)getBackwardSlice(root(result).getDefiningOp(), &slice, options);
  bool inPlace = isRowLocal(root(result).getDefiningOp()) &&
                 llvm::all_of(realUsers(stream), [&](Operation *user) {
                   return slice.contains(user);
                 });
  Storage own = inPlace ? place : allocateStorage(place.layout, "layer_result");
  setStorage(result, own);
  SmallVector<Operation *> rest, first, firstOfMean;
  if (inPlace)
    splitFirst(body, stream, rest, first, firstOfMean);
  if (first.empty())
    rest.assign(body.begin(), body.end());
  SmallVector<Operation *> all =
      llvm::to_vector(llvm::concat<Operation *>(first, firstOfMean));
  if (failed(lowerOps(all)))
    return failure();
  LogicalResult lowered = success();
  loop(Over::Layers, times, 1, [&](Value iteration) {
    layerIndex = iteration;
    nextLayer = {root(stream), root(result)};
    lowered = lowerOps(rest, first);
    if (succeeded(lowered) && !firstOfMean.empty())
      lowered = lowerOps(firstOfMean);
    nextLayer = {};
    if (!inPlace && succeeded(lowered))
      lowered = copyRows(own, place, loc);
    layerIndex = Value();
  });
  return lowered;
}

//===----------------------------------------------------------------------===//
// What reports need to know of the layers
//===----------------------------------------------------------------------===//

LayerNumbers::LayerNumbers(func::FuncOp function) {
  fact::EncoderLayers found(function);
  ArrayRef<fact::EncoderLayer> layers = found.getLayers();
  int64_t next = 0;
  for (Operation &op : function.getBody().front()) {
    if (isa<fact::QuantizedAttentionOp>(op))
      number[&op] = next++;
    else if (auto call = dyn_cast<func::CallOp>(op))
      fact::calleeOf(call).walk([&](fact::QuantizedAttentionOp) { ++next; });
    else if (isa<fact::QuantizedLinearOp>(op))
      roles[&op] = layers.empty() ? Role::Other : Role::FFN;
  }
  for (const fact::EncoderLayer &layer : layers) {
    int64_t own = number.lookup(layer.attention);
    selections[layer.attention] = {layer.select, layer.precision,
                                   layer.hasGivenMask()};
    if (layer.select)
      number.try_emplace(layer.select, own);
    if (layer.precision)
      number.try_emplace(layer.precision, own);
    if (layer.output)
      roles[layer.output] = Role::Output;
  }
  for (const fact::EncoderLayer &layer : layers) {
    for (Operation *projection : {layer.query, layer.key, layer.value})
      if (projection)
        roles[projection] = Role::QKV;
    for (Operation *projection : layer.meanToken)
      roles[projection] = Role::QKV;
  }
}

int64_t Lowering::noteLayers(ArrayRef<Operation *> ops, int64_t times) {
  std::vector<::fact::isa::LayerInfo> found;
  std::vector<::fact::isa::LinearInfo> linears;
  for (Operation *op : ops) {
    if (auto linear = dyn_cast<fact::QuantizedLinearOp>(op)) {
      auto weight = cast<ShapedType>(linear.getWeight().getType());
      if (isSingle(linear.getInput()))
        continue; // the mean token's: not part of the dense model
      linears.push_back({isaOf(numbers.roles.lookup(linear)),
                         weight.getDimSize(0), weight.getDimSize(1)});
    }
    if (auto attention = dyn_cast<fact::QuantizedAttentionOp>(op)) {
      if (!found.empty())
        found.back().linears = std::exchange(linears, {});
      ::fact::isa::LayerInfo layer;
      layer.heads = static_cast<int64_t>(attention.getHeads());
      layer.keyHeads = attention.getGroups();
      layer.window = fact::windowOf(attention.getWindowAttr());
      layer.features = cast<ShapedType>(attention.getType()).getDimSize(1);
      // Relative to the layer: what several layers share is made once.
      int64_t own = numbers.number.lookup(op);
      const LayerNumbers::Selection &selection = numbers.selections.at(op);
      layer.maskGiven = selection.given;
      if (selection.select)
        layer.selectsWith = own - numbers.number.lookup(selection.select);
      if (selection.precision)
        layer.lowersWith = own - numbers.number.lookup(selection.precision);
      found.push_back(std::move(layer));
    }
  }
  if (found.empty()) {
    // Those of no layer are noted with the one before, or else the first.
    auto &others = described.layers.empty() ? linearsBefore
                                            : described.layers.back().linears;
    for (int64_t i = 0; i < times; ++i)
      llvm::append_range(others, linears);
    return 0;
  }
  found.back().linears = std::move(linears);
  size_t first = described.layers.size();
  for (int64_t i = 0; i < times; ++i)
    described.layers.insert(described.layers.end(), found.begin(), found.end());
  llvm::append_range(described.layers[first].linears,
                     std::exchange(linearsBefore, {}));
  layersDone += found.size() * times;
  return found.size();
}
