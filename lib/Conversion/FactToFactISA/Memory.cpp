//===- Memory.cpp - Buffers, addresses and transfers of the lowering ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::factisa;

Lowering::Lowering(func::FuncOp program, int64_t bound, const Tiling &tiling)
    : builder(program.getBody()), loc(program.getLoc()), bound(bound),
      tiling(tiling), paddedRows(llvm::alignTo(bound, 64)), program(program) {
  builder.setInsertionPointToStart(&program.getBody().front());
}

Value Lowering::root(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto encode = dyn_cast<fact::EncodeOp>(op))
      value = encode.getInput();
    else if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
                 tensor::CastOp>(op))
      value = op->getOperand(0);
    else
      break;
  }
  return value;
}

SmallVector<Operation *> factisa::realUsers(Value value) {
  SmallVector<Operation *> users;
  for (Operation *user : value.getUsers()) {
    if (isa<fact::EncodeOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp,
            tensor::CastOp>(user))
      llvm::append_range(users, realUsers(user->getResult(0)));
    else
      users.push_back(user);
  }
  return users;
}

int64_t factisa::storedBytes(Type elementType) {
  if (elementType.isInteger(64))
    return 4; // counts
  return std::max<int64_t>(1, elementType.getIntOrFloatBitWidth() / 8);
}

/// Whether a tensor of rank 2 is [heads, tokens]; all others are [tokens,
/// features].
static bool isHeadMajor(Value value) {
  Type element = cast<RankedTensorType>(value.getType()).getElementType();
  if (element.isInteger(1))
    return true;
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return false;
  if (isa<fact::SelectOp>(result.getOwner()))
    return true;
  return result.getResultNumber() == 1 &&
         isa<fact::QuantizeHeadsOp, fact::NormalizeHeadsOp>(result.getOwner());
}

FailureOr<Layout> Lowering::layoutOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Layout layout;
  int64_t tokens = 0;
  if (type) {
    int64_t bytes = storedBytes(type.getElementType());
    switch (type.getRank()) {
    case 1: // [L]
      layout.rowBytes = bytes;
      tokens = type.getDimSize(0);
      break;
    case 2:
      if (isHeadMajor(value)) { // [h, L]
        layout.planes = type.getDimSize(0);
        layout.rowBytes = bytes;
        tokens = type.getDimSize(1);
      } else { // [L, d]
        layout.rowBytes = type.getDimSize(1) * bytes;
        tokens = type.getDimSize(0);
      }
      break;
    case 3:
      if (type.getElementType().isInteger(1)) { // [h, L, L], bits
        layout.planes = type.getDimSize(0);
        layout.rowBytes = maskStride();
        tokens = type.getDimSize(1);
      } else if (type.getDimSize(0) == 1) { // [1, L, d]
        layout.rowBytes = type.getDimSize(2) * bytes;
        tokens = type.getDimSize(1);
      }
      break;
    default:
      break;
    }
  }
  layout.single =
      tokens == 1 &&
      bound !=
          1; // where all sequences have one row, there is nothing to tell apart
  bool fits = ShapedType::isDynamic(tokens) || tokens == 1 || tokens == bound;
  if (!fits || layout.planes < 1 || layout.rowBytes < 1) {
    emitError(value.getLoc())
        << "cannot lay out a tensor of type " << value.getType()
        << " as rows of a sequence of at most " << bound << " tokens";
    return failure();
  }
  return layout;
}

Storage Lowering::allocateStorage(const Layout &layout, StringRef label) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&program.getBody().front());
  Storage storage;
  storage.layout = layout;
  storage.planeStride =
      llvm::alignTo((layout.single ? 1 : paddedRows) * layout.rowBytes, 64);
  storage.base = DramBufferOp::create(
      builder, loc, DramType::get(builder.getContext()),
      DramKindAttr::get(builder.getContext(), DramKind::Scratch),
      builder.getI64IntegerAttr(storage.planeStride * layout.planes),
      builder.getStringAttr(label), IntegerAttr(), ArrayAttr(), IntegerAttr(),
      DenseI64ArrayAttr());
  return storage;
}

FailureOr<Storage> Lowering::storageOf(Value value) {
  value = root(value);
  auto it = storages.find(value);
  if (it != storages.end())
    return it->second;
  FailureOr<Layout> layout = layoutOf(value);
  if (failed(layout))
    return failure();
  Storage storage = allocateStorage(
      *layout, value.getDefiningOp()
                   ? value.getDefiningOp()->getName().stripDialect()
                   : "argument");
  storages[value] = storage;
  return storage;
}

bool Lowering::isConstant(Value value) {
  return constants.contains(value) || value.getDefiningOp<arith::ConstantOp>();
}

FailureOr<Value> Lowering::constantAddress(Value value) {
  auto it = constants.find(value);
  if (it != constants.end())
    return layerIndex ? view(it->second.base, 0,
                             {{layerIndex, it->second.layerStride}})
                      : it->second.base;
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    return constantBuffer({cast<ElementsAttr>(constant.getValue())}).base;
  emitError(loc) << "needs a weight that is known while compiling";
  return failure();
}

Constant Lowering::constantBuffer(ArrayRef<ElementsAttr> values) {
  auto type = cast<ShapedType>(values.front().getType());
  Constant constant;
  constant.layerStride = llvm::alignTo(
      type.getNumElements() * storedBytes(type.getElementType()), 64);
  SmallVector<Attribute> attributes(values.begin(), values.end());
  ArrayAttr key = builder.getArrayAttr(attributes);
  auto [it, isNew] = constantBuffers.try_emplace(key);
  if (isNew) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&program.getBody().front());
    it->second = DramBufferOp::create(
        builder, loc, DramType::get(builder.getContext()),
        DramKindAttr::get(builder.getContext(), DramKind::Constant),
        builder.getI64IntegerAttr(constant.layerStride * values.size()),
        builder.getStringAttr("weight"), IntegerAttr(), key,
        builder.getI64IntegerAttr(constant.layerStride), DenseI64ArrayAttr());
  }
  constant.base = it->second;
  return constant;
}

Value Lowering::sram(Memory memory, int64_t bytes, StringRef label) {
  return SramBufferOp::create(builder, loc, SramType::get(builder.getContext()),
                              memory, llvm::alignTo(bytes, 64), label,
                              IntegerAttr());
}

Value Lowering::index(int64_t value) {
  auto [it, isNew] = indices.try_emplace(value);
  if (isNew) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&program.getBody().front());
    it->second = arith::ConstantIndexOp::create(builder, loc, value);
  }
  return it->second;
}

Value Lowering::view(Value base, int64_t offset,
                     ArrayRef<std::pair<Value, int64_t>> terms) {
  SmallVector<Value> values;
  SmallVector<int64_t> strides;
  for (auto [value, stride] : terms) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      offset += constant.getSExtValue() * stride;
    } else {
      values.push_back(value);
      strides.push_back(stride);
    }
  }
  if (offset == 0 && values.empty())
    return base;
  return ViewOp::create(builder, loc, base.getType(), base, offset, values,
                        strides);
}

FailureOr<Value> Lowering::loadConstant(Value constant, Memory memory,
                                        StringRef label) {
  FailureOr<Value> address = constantAddress(constant);
  if (failed(address))
    return failure();
  auto type = cast<ShapedType>(constant.getType());
  int64_t bytes = type.getNumElements() * storedBytes(type.getElementType());
  Value buffer = sram(memory, bytes, label);
  LoadOp::create(builder, loc, buffer, *address, index(0), 1, bytes, bytes,
                 bytes, /*whole=*/true);
  return buffer;
}

void Lowering::loadRows(Value buffer, const Storage &from, Value plane,
                        Value row0, int64_t rows) {
  int64_t rowBytes = from.layout.rowBytes;
  Value source =
      view(from.base, 0, {{plane, from.planeStride}, {row0, rowBytes}});
  LoadOp::create(builder, loc, buffer, source, row0, rows, rowBytes, rowBytes,
                 rowBytes, from.layout.single);
}

void Lowering::storeRows(const Storage &to, Value buffer, Value plane,
                         Value row0, int64_t rows) {
  int64_t rowBytes = to.layout.rowBytes;
  Value destination =
      view(to.base, 0, {{plane, to.planeStride}, {row0, rowBytes}});
  StoreOp::create(builder, loc, destination, buffer, row0, rows, rowBytes,
                  rowBytes, rowBytes, to.layout.single);
}

void Lowering::loop(Over over, int64_t limit, int64_t step,
                    function_ref<void(Value)> body) {
  if (limit <=
      step) { // a single iteration needs no loop: clamping does the rest
    body(index(0));
    return;
  }
  Value upper = over == Over::Rows
                    ? LengthOp::create(builder, loc, limit).getResult()
                    : index(limit);
  auto op = scf::ForOp::create(builder, loc, index(0), upper, index(step));
  if (over != Over::Layers)
    op->setAttr(kIndependentAttrName, builder.getUnitAttr());
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}
