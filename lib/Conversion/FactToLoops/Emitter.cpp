//===- Emitter.cpp - Loops, chunks of a row, buffers ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"
#include "ProfileRegions.h"
#include "SharedFunctions.h"

#include "fact/Numerics/FloatRules.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

Emitter::Emitter(const OpBuilder &builder, Location loc,
                 const LoopOptions &options)
    : b(loc, builder), options(options),
      real{b, options.tier && options.tier->fused}, i1(b.getI1Type()),
      i8(b.getI8Type()), i16(b.getI16Type()), i32(b.getI32Type()),
      i64(b.getI64Type()), f32Type(b.getF32Type()) {}

Emitter::Emitter(Operation *op, const LoopOptions &options)
    : Emitter(OpBuilder(op), op->getLoc(), options) {
  front = arith::ConstantIndexOp::create(b, 0);
}

//===----------------------------------------------------------------------===//
// Index arithmetic and floats
//===----------------------------------------------------------------------===//

Value Emitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}
Value Emitter::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(x, y);
}
Value Emitter::add(Value x, int64_t y) {
  return y == 0 ? x : add(x, integer(x.getType(), y));
}
Value Emitter::sub(Value x, Value y) {
  return b.createOrFold<arith::SubIOp>(x, y);
}
Value Emitter::mul(Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(x, y);
}
Value Emitter::mul(Value x, int64_t y) {
  return y == 1 ? x : mul(x, integer(x.getType(), y));
}
Value Emitter::div(Value x, Value y) {
  return b.createOrFold<arith::DivUIOp>(x, y);
}
Value Emitter::rem(Value x, Value y) {
  return b.createOrFold<arith::RemUIOp>(x, y);
}
Value Emitter::ceilDiv(Value x, int64_t y) { return div(add(x, y - 1), y); }
Value Emitter::roundUp(Value x, int64_t multiple) {
  return mul(ceilDiv(x, multiple), multiple);
}
Value Emitter::min(Value x, Value y) {
  return b.createOrFold<arith::MinUIOp>(x, y);
}
Value Emitter::max(Value x, Value y) {
  return b.createOrFold<arith::MaxUIOp>(x, y);
}
Value Emitter::toIndex(Value x) {
  return arith::IndexCastOp::create(b, b.getIndexType(), x);
}
Value Emitter::fromIndex(Value x, Type type) {
  return arith::IndexCastOp::create(b, type, x);
}
Value Emitter::compare(arith::CmpIPredicate predicate, Value x, Value y) {
  return arith::CmpIOp::create(b, predicate, x, y);
}

Real Emitter::f32(float value) {
  return f32(arith::ConstantOp::create(b, b.getF32FloatAttr(value)));
}
Value Emitter::splatValue(Value scalar, int64_t n) {
  return vector::BroadcastOp::create(b, vectorOf(scalar.getType(), n), scalar);
}
Real Emitter::splatReal(Value scalar) { return f32(splatValue(scalar)); }
Real Emitter::zeros() {
  return f32(arith::ConstantOp::create(
      b, cast<TypedAttr>(DenseElementsAttr::get(
             vectorOf(f32Type), cast<Attribute>(b.getF32FloatAttr(0.0f))))));
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

void Emitter::forRange(Value begin, Value end, Value step, Body body) {
  auto loop = scf::ForOp::create(b, begin, end, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  body(loop.getInductionVar());
}

void Emitter::overlap(Value end, Body start, Body finish) {
  using Predicate = arith::CmpIPredicate;
  forRange(add(end, 1), [&](Value i) {
    ifThen(compare(Predicate::ult, i, end), [&] { start(i); });
    ifThen(compare(Predicate::ne, i, index(0)),
           [&] { finish(sub(i, index(1))); });
  });
}

SmallVector<Value> Emitter::forReduce(Value begin, Value end, int64_t step,
                                      ValueRange init, ReduceBody body) {
  auto loop = scf::ForOp::create(b, begin, end, index(step), init);
  OpBuilder::InsertionGuard guard(b);
  if (init.empty()) // which makes the loop with its end
    loop.getBody()->getTerminator()->erase();
  b.setInsertionPointToEnd(loop.getBody());
  SmallVector<Value> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
}

void Emitter::ifThen(Value condition, llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

void Emitter::ifElse(Value condition, llvm::function_ref<void()> body,
                     llvm::function_ref<void()> orElse) {
  auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
  b.setInsertionPointToStart(branch.elseBlock());
  orElse();
}

SmallVector<Value>
Emitter::select(Value condition, llvm::function_ref<SmallVector<Value>()> body,
                llvm::function_ref<SmallVector<Value>()> orElse) {
  // The result types are those of the first branch. What a branch emits may
  // look for its module, so it is emitted in place, and moves to an op with
  // results once they are known.
  auto draft = scf::IfOp::create(b, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  auto emit = [&](Block *block,
                  llvm::function_ref<SmallVector<Value>()> branch) {
    block->getTerminator()->erase();
    b.setInsertionPointToEnd(block);
    SmallVector<Value> values = branch();
    scf::YieldOp::create(b, values);
    return llvm::to_vector(ValueRange(values).getTypes());
  };
  SmallVector<Type> types = emit(draft.thenBlock(), body);
  emit(draft.elseBlock(), orElse);
  b.setInsertionPoint(draft);
  OperationState state(b.getLoc(), scf::IfOp::getOperationName());
  state.addOperands(condition);
  state.addTypes(types);
  for (Region *region : {&draft.getThenRegion(), &draft.getElseRegion()})
    state.addRegion()->takeBody(*region);
  Operation *branch = b.create(state);
  draft.erase();
  return SmallVector<Value>(branch->getResults());
}

static constexpr StringLiteral partAttrName = "fact_part",
                               partOpsAttrName = "fact_part_ops";

void Emitter::part(StringRef name, ArrayRef<Operation *> ops,
                   llvm::function_ref<void()> body) {
  SetVector<StringRef> names;
  SmallVector<Location> locations;
  for (Operation *op : ops) {
    names.insert(op->getName().stripDialect());
    locations.push_back(op->getLoc());
  }
  Location loc = b.getLoc();
  if (options.profile && !ops.empty())
    b.setLoc(b.getFusedLoc(locations));
  auto region = scf::ExecuteRegionOp::create(b, TypeRange());
  b.setLoc(loc);
  region->setAttr(partAttrName, b.getStringAttr(name));
  if (options.profile)
    region->setAttr(partOpsAttrName, b.getStrArrayAttr(names.getArrayRef()));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&region.getRegion().emplaceBlock());
  body();
  scf::YieldOp::create(b);
}

void Emitter::countWork(llvm::function_ref<Value()> multiplications,
                        llvm::function_ref<Value()> bytes) {
  if (options.profile)
    ProfileRegions(module()).work(b, b.getLoc(), multiplications(), bytes());
}

void Emitter::parallelFor(StringRef name, ArrayRef<Operation *> ops,
                          Value count, Body body) {
  auto loop = scf::ForOp::create(b, index(0), count, index(1));
  loop->setAttr(parallelAttrName, b.getUnitAttr());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  part(name, ops, [&] { body(loop.getInductionVar()); });
}

/// A function of a part, whose arguments are the values from outside that it
/// reads; constants are its own.
static func::FuncOp makeFunction(OpBuilder &builder, scf::ExecuteRegionOp part,
                                 SmallVectorImpl<Value> &arguments) {
  SetVector<Value> captures;
  getUsedValuesDefinedAbove(part.getRegion(), captures);
  Block *body = &part.getRegion().front();
  builder.setInsertionPointToStart(body);
  for (Value capture : captures) {
    Operation *source = capture.getDefiningOp();
    if (!source || !source->hasTrait<OpTrait::ConstantLike>()) {
      arguments.push_back(capture);
      continue;
    }
    Value own = builder.clone(*source)->getResult(0);
    replaceAllUsesInRegionWith(capture, own, part.getRegion());
  }
  auto function = func::FuncOp::create(
      part.getLoc(), part->getAttrOfType<StringAttr>(partAttrName),
      builder.getFunctionType(TypeRange(ValueRange(arguments)), TypeRange()));
  function.setPrivate();
  function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
  Block *entry = function.addEntryBlock();
  for (auto [capture, argument] : llvm::zip(arguments, entry->getArguments()))
    replaceAllUsesInRegionWith(capture, argument, part.getRegion());
  body->getTerminator()->erase();
  entry->getOperations().splice(entry->end(), body->getOperations());
  builder.setInsertionPointToEnd(entry);
  func::ReturnOp::create(builder, part.getLoc());
  return function;
}

/// Says when a part runs, of which nothing is shared from then on: each is a
/// region of its own.
static void profilePart(ProfileRegions &regions, scf::ExecuteRegionOp part) {
  Block &body = part.getRegion().front();
  SmallVector<StringRef> ops =
      llvm::to_vector(part->getAttrOfType<ArrayAttr>(partOpsAttrName)
                          .getAsValueRange<StringAttr>());
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  regions.enter(b, part.getLoc(),
                part->getAttrOfType<StringAttr>(partAttrName).getValue(), ops);
  b.setInsertionPoint(body.getTerminator());
  regions.leave(b, part.getLoc());
}

void loops::outlineParts(ModuleOp module, bool profile) {
  SmallVector<scf::ExecuteRegionOp> parts;
  module.walk([&](scf::ExecuteRegionOp op) { // the inner ones first
    if (op->hasAttr(partAttrName))
      parts.push_back(op);
  });
  if (profile) {
    ProfileRegions regions(module);
    // In the order of the model.
    module.walk<WalkOrder::PreOrder>([&](scf::ExecuteRegionOp op) {
      if (op->hasAttr(partAttrName))
        profilePart(regions, op);
    });
  }
  SharedFunctions functions(module);
  OpBuilder builder(module.getContext());
  for (scf::ExecuteRegionOp part : parts) {
    SmallVector<Value> arguments;
    func::FuncOp function =
        functions.add(makeFunction(builder, part, arguments)).first;
    builder.setInsertionPoint(part);
    func::CallOp::create(builder, part.getLoc(), function, arguments);
    part->erase();
  }
}

void Emitter::forChunks(int64_t n, ChunkBody body) {
  int64_t whole = n / lanes * lanes;
  if (whole == lanes)
    body(index(0), lanes);
  else if (whole > 0)
    forRange(index(0), index(whole), lanes,
             [&](Value offset) { body(offset, lanes); });
  if (n > whole)
    body(index(whole), n - whole);
}

void Emitter::forVectors(int64_t n, int64_t wide, VectorBody body) {
  int64_t whole = n / wide * wide;
  if (whole > 0 && wide > lanes)
    forRange(index(0), index(whole), wide,
             [&](Value offset) { body(offset, wide, wide); });
  else
    whole = 0;
  forChunks(n - whole, [&](Value offset, int64_t width) {
    body(add(offset, whole), lanes, width);
  });
}

SmallVector<Value> Emitter::reduceChunks(int64_t n, ValueRange init,
                                         ChunkReduceBody body) {
  int64_t whole = n / lanes * lanes;
  SmallVector<Value> values(init);
  if (whole == lanes)
    values = body(index(0), lanes, values);
  else if (whole > 0)
    values = forReduce(index(0), index(whole), lanes, values,
                       [&](Value offset, ValueRange carried) {
                         return body(offset, lanes, carried);
                       });
  if (n > whole)
    values = body(index(whole), n - whole, values);
  return values;
}

Value Emitter::laneNumbers(int64_t n) {
  SmallVector<int32_t> numbers;
  for (int32_t i = 0; i < n; ++i)
    numbers.push_back(i);
  auto attribute =
      DenseElementsAttr::get(vectorOf(i32, n), ArrayRef<int32_t>(numbers));
  return arith::ConstantOp::create(b, cast<TypedAttr>(attribute));
}

Value Emitter::lanesBelow(Value offset, Value end, int64_t n) {
  return compare(arith::CmpIPredicate::slt, laneNumbers(n),
                 splatValue(fromIndex(sub(end, offset), i32), n));
}

Value Emitter::lanesWithin(Value offset, const ColumnRange &columns,
                           int64_t n) {
  Value below = lanesBelow(offset, columns.end, n);
  if (isZeroInteger(columns.begin))
    return below;
  return arith::AndIOp::create(
      b, below,
      compare(arith::CmpIPredicate::sge, laneNumbers(n),
              splatValue(fromIndex(sub(columns.begin, offset), i32), n)));
}

ColumnRange Emitter::windowOf(WindowAttr attribute, Value row, Value length) {
  constexpr int64_t unlimited = ::fact::numerics::Window::unlimited;
  ::fact::numerics::Window window = fact::windowOf(attribute);
  ColumnRange columns{index(0), length};
  if (window.left != unlimited)
    columns.begin = sub(max(row, index(window.left)), index(window.left));
  if (window.right != unlimited)
    columns.end = min(add(row, window.right + 1), length);
  return columns;
}

ColumnRange Emitter::chunksAround(const ColumnRange &columns) {
  Value begin = columns.begin;
  if (!isZeroInteger(begin))
    begin = mul(div(begin, lanes), lanes);
  return {begin, roundUp(columns.end, lanes)};
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Emitter::alloc(Type element, ArrayRef<int64_t> shape,
                     ValueRange dynamicSizes) {
  return memref::AllocOp::create(b, MemRefType::get(shape, element),
                                 dynamicSizes, b.getI64IntegerAttr(64));
}

Value Emitter::dim(Value memref, int64_t index) {
  return b.createOrFold<memref::DimOp>(memref, index);
}

Value Emitter::inFront(llvm::function_ref<Value()> body) {
  OpBuilder::InsertionGuard guard(b);
  if (front)
    b.setInsertionPoint(front);
  return body();
}

Value Emitter::buffer(Value tensor) {
  if (!tensor)
    return {};
  Value &found = buffers[tensor];
  if (!found)
    found = inFront([&] {
      auto type = cast<RankedTensorType>(tensor.getType());
      return bufferization::ToBufferOp::create(
                 b, MemRefType::get(type.getShape(), type.getElementType()),
                 tensor, /*read_only=*/true)
          .getResult();
    });
  return found;
}

/// A memref of any rank with identity layout as one dimension.
static Value flatten(Emitter &e, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  if (type.getRank() == 1)
    return memref;
  if (type.getRank() == 0)
    return memref::ExpandShapeOp::create(
        e.b, MemRefType::get({1}, type.getElementType()), memref,
        ArrayRef<ReassociationIndices>{});
  ReassociationIndices all =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  return memref::CollapseShapeOp::create(e.b, memref,
                                         ArrayRef<ReassociationIndices>{all});
}

Value Emitter::flat(Value tensor) {
  if (!tensor)
    return {};
  Value &found = flats[tensor];
  if (!found) {
    Value memref = buffer(tensor);
    found = inFront([&] { return flatten(*this, memref); });
  }
  return found;
}

Value Emitter::extent(Value tensor, int64_t dimension) {
  return inFront(
      [&] { return b.createOrFold<tensor::DimOp>(tensor, dimension); });
}

Value Emitter::allocResult(Value tensor, Value length) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<Value> sizes(
      llvm::count_if(type.getShape(), ShapedType::isDynamic), length);
  return buffers[tensor] = inFront([&] {
           Value memref = alloc(type.getElementType(), type.getShape(), sizes);
           if (options.fillUndefined)
             fillWithGarbage(memref);
           results[tensor] = bufferization::ToTensorOp::create(
               b, type, memref, /*restrict=*/true, /*writable=*/false);
           return memref;
         });
}

void Emitter::fillWithGarbage(Value memref) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  Value garbage =
      isa<FloatType>(element)
          ? arith::ConstantOp::create(
                b, b.getF32FloatAttr(std::numeric_limits<float>::quiet_NaN()))
                .getResult()
          : integer(element, element.isInteger(1) ? 1 : -91);
  Value all = flatten(*this, memref);
  forRange(dim(all, 0), [&](Value at) { store(garbage, all, at); });
}

void Emitter::replace(Operation *op) {
  for (Value result : op->getResults())
    if (Value tensor = results.lookup(result))
      result.replaceAllUsesWith(tensor);
  op->erase();
}

Value Emitter::load(Value memref, ValueRange indices) {
  return memref::LoadOp::create(b, memref, indices);
}
void Emitter::store(Value value, Value memref, ValueRange indices) {
  memref::StoreOp::create(b, value, memref, indices);
}

Value Emitter::loadLanes(Value memref, ValueRange indices, int64_t n,
                         int64_t width) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  Value vector =
      vector::LoadOp::create(b, vectorOf(element, width), memref, indices);
  if (width == n)
    return vector;
  Value padding =
      arith::ConstantOp::create(b, b.getZeroAttr(vectorOf(element, n)));
  return vector::InsertStridedSliceOp::create(
      b, vector, padding, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
}

void Emitter::storeChunk(Value vector, Value memref, ValueRange indices,
                         int64_t width) {
  vector::StoreOp::create(b, slice(vector, 0, width), memref, indices);
}

void Emitter::fill(Value flat, Value size, Value scalar) {
  Value vector = splatValue(scalar);
  forPadded(size, [&](Value offset) { storeChunk(vector, flat, offset); });
}

void Emitter::prefetch(Value flat, Value index, int64_t n, Cache cache) {
  constexpr int64_t lineBits = 512;
  int64_t line =
      lineBits / cast<MemRefType>(flat.getType()).getElementTypeBitWidth();
  for (int64_t at = 0; at < n; at += line)
    memref::PrefetchOp::create(b, flat, add(index, at), /*isWrite=*/false,
                               /*localityHint=*/cache == Cache::Nearest ? 3 : 2,
                               /*isDataCache=*/true);
}
