//===- Memory.cpp - Buffers, addresses and transfers of the lowering ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codes.h"
#include "Lowering.h"

#include "fact/Dialect/Fact/IR/Policy.h"
#include "fact/Dialect/Fact/IR/Sequence.h"
#include "fact/Dialect/Fact/IR/Values.h"
#include "fact/Dialect/Fact/IR/Weights.h"
#include "fact/Numerics/Prediction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::factisa;

Lowering::Lowering(func::FuncOp program, int64_t bound, const Tiling &tiling,
                   const PredictorCodes &codes)
    : builder(program.getBody()), loc(program.getLoc()),
      loopTurns(tiling.turns), bound(bound), tiling(tiling), codes(codes),
      paddedRows(llvm::alignTo(bound, 64)), program(program) {
  builder.setInsertionPointToStart(&program.getBody().front());
}

/// Ops whose result has its operand's bytes.
static bool isFree(Operation *op) {
  auto encode = dyn_cast_or_null<mlir::fact::EncodeOp>(op);
  return mlir::fact::isReshape(op) || (encode && isIdentity(encode));
}

Value Lowering::root(Value value) {
  while (isFree(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value;
}

SmallVector<Operation *> factisa::realUsers(Value value) {
  SmallVector<Operation *> users;
  for (Operation *user : value.getUsers()) {
    if (isa<tensor::DimOp>(user))
      continue; // the length is no row
    if (isFree(user))
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

bool Lowering::isHeadMajor(Value value) {
  value = root(value);
  Type element = cast<ShapedType>(value.getType()).getElementType();
  if (element.isInteger(1))
    return true;
  auto result = dyn_cast<OpResult>(value);
  if (!result)
    return false;
  if (isa<mlir::fact::SelectOp>(result.getOwner()))
    return true;
  return result.getResultNumber() == 1 &&
         isa<mlir::fact::QuantizeHeadsOp, mlir::fact::NormalizeHeadsOp>(
             result.getOwner());
}

bool Lowering::isSingle(Value value, bool headMajor) {
  value = root(value);
  if (auto it = storages.find(value); it != storages.end())
    return it->second.layout.single;
  // Where all sequences have one row, there is nothing to tell apart.
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || bound == 1 || type.getRank() == 0)
    return false;
  unsigned dim = type.getRank() == 2 && headMajor ? 1 : fact::sequenceDim(type);
  if (!type.isDynamicDim(dim))
    return type.getDimSize(dim) == 1;
  Operation *op = value.getDefiningOp();
  return op && isa<mlir::fact::FactDialect>(op->getDialect()) &&
         !isa<mlir::fact::MeanTokenOp>(op) && isSingle(op->getOperand(0));
}

FailureOr<Layout> Lowering::layoutOf(Value value, bool headMajor) {
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
      if (headMajor) { // [h, L]
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
      } else if (type.getDimSize(0) == 1 || type.getDimSize(1) == 1) {
        // [1, L, d] or [L, 1, d]
        layout.rowBytes = type.getDimSize(2) * bytes;
        tokens = type.getDimSize(fact::sequenceDim(type));
      }
      break;
    default:
      break;
    }
  }
  bool fits = ShapedType::isDynamic(tokens) || tokens == 1 || tokens == bound;
  if (!fits || layout.planes < 1 || layout.rowBytes < 1) {
    emitError(value.getLoc())
        << "cannot lay out a tensor of type " << value.getType()
        << " as rows of a sequence of at most " << bound << " tokens";
    return failure();
  }
  // Packed codes lie head by head: a head's need not begin with a whole byte of
  // a row.
  if (int64_t heads = codes.packedHeads(value)) {
    layout.planes = heads;
    layout.rowBytes = codes.bytesOf(value, layout.rowBytes / heads);
  }
  layout.single = isSingle(value, headMajor);
  return layout;
}

Storage Lowering::allocateStorage(const Layout &layout, StringRef label) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&program.getBody().front());
  Storage storage;
  storage.layout = layout;
  storage.planeStride =
      llvm::alignTo((layout.single ? 1 : paddedRows) * layout.rowBytes, 64);
  storage.base =
      DramBufferOp::create(builder, loc, DramKind::Scratch,
                           storage.planeStride * layout.planes, label);
  return storage;
}

LogicalResult Lowering::checkView(Value value, bool headMajor,
                                  const Layout &stored) {
  FailureOr<Layout> wanted = layoutOf(value, headMajor);
  if (failed(wanted))
    return failure();
  // [L, 1] may be read as [L], for example.
  if (wanted->planes == stored.planes && wanted->rowBytes == stored.rowBytes)
    return success();
  InFlightDiagnostic diagnostic =
      emitError(loc) << "reads a tensor in another order than it is stored in "
                        "(as "
                     << value.getType() << ")";
  diagnostic.attachNote(root(value).getLoc())
      << "made here, as " << root(value).getType();
  return diagnostic;
}

FailureOr<Storage> Lowering::storageOf(Value value, bool headMajor) {
  Value source = root(value);
  auto checked = [&](const Storage &storage) -> FailureOr<Storage> {
    if (failed(checkView(value, headMajor, storage.layout)))
      return failure();
    return storage;
  };
  if (auto it = storages.find(source); it != storages.end())
    return checked(it->second);
  if (auto constant = source.getDefiningOp<arith::ConstantOp>()) {
    std::pair<Value, unsigned> key = {source, headMajor};
    auto it = constantStorages.find(key);
    if (it != constantStorages.end())
      return checked(it->second);
    FailureOr<Layout> layout = layoutOf(source, headMajor);
    if (failed(layout))
      return failure();
    FailureOr<Storage> storage = constantRows(constant, *layout);
    if (failed(storage))
      return failure();
    constantStorages[key] = *storage;
    return checked(*storage);
  }
  if (Operation *op = source.getDefiningOp();
      isa_and_nonnull<mlir::fact::PredictOp, mlir::fact::LogMatmulOp,
                      mlir::fact::KRowsOp, mlir::fact::VRowsOp,
                      mlir::fact::QRowsOp>(op)) {
    InFlightDiagnostic diagnostic =
        emitError(loc) << "reads what no instruction leaves in memory";
    diagnostic.attachNote(op->getLoc())
        << "'" << op->getName().getStringRef()
        << "' is part of the instructions that make a selection or a code";
    return diagnostic;
  }
  FailureOr<Layout> layout = layoutOf(source);
  if (failed(layout))
    return failure();
  Storage storage = allocateStorage(
      *layout, source.getDefiningOp()
                   ? source.getDefiningOp()->getName().stripDialect()
                   : "argument");
  storages[source] = storage;
  return checked(storage);
}

/// The bytes of a constant's elements as instructions store them: flags as
/// bytes, masks as bits, counts in 32 bits, all else as it is.
static FailureOr<std::vector<int8_t>>
packRows(ElementsAttr values, const Layout &layout, int64_t planeStride) {
  auto type = cast<ShapedType>(values.getType());
  Type element = type.getElementType();
  bool bits = element.isInteger(1) && type.getRank() == 3;
  int64_t bytes = storedBytes(element);
  int64_t columns = bits ? type.getShape().back() : layout.rowBytes / bytes;
  int64_t rows = type.getNumElements() / layout.planes / columns;
  std::vector<int8_t> image(planeStride * layout.planes);
  auto at = [&](int64_t index) {
    int64_t plane = index / (rows * columns), row = index / columns % rows,
            column = index % columns;
    return image.data() + plane * planeStride + row * layout.rowBytes +
           (bits ? column / 8 : column * bytes);
  };
  auto copy = [&](auto elements, auto store) {
    for (auto [index, value] : llvm::enumerate(elements))
      store(at(index), value, static_cast<int64_t>(index));
  };
  auto raw = [](int8_t *to, const auto &value, int64_t) {
    std::memcpy(to, &value, sizeof(value));
  };
  if (auto data = mlir::fact::ConstantElements<float>::of(values)) {
    copy(ArrayRef(data->data(), data->size()), raw);
  } else if (auto data = mlir::fact::ConstantElements<int8_t>::of(values)) {
    copy(ArrayRef(data->data(), data->size()), raw);
  } else if (auto data = mlir::fact::ConstantElements<int32_t>::of(values)) {
    copy(ArrayRef(data->data(), data->size()), raw);
  } else if (auto data = mlir::fact::ConstantElements<int64_t>::of(values)) {
    copy(ArrayRef(data->data(), data->size()),
         [](int8_t *to, int64_t value, int64_t) {
           auto count = static_cast<uint32_t>(value);
           std::memcpy(to, &count, sizeof(count));
         });
  } else if (auto flags = dyn_cast<DenseElementsAttr>(values);
             flags && element.isInteger(1)) {
    copy(flags.getValues<bool>(), [&](int8_t *to, bool value, int64_t index) {
      if (bits)
        *to |= value << (index % columns % 8);
      else
        *to = value;
    });
  } else {
    return failure();
  }
  return image;
}

FailureOr<Storage> Lowering::constantRows(arith::ConstantOp constant,
                                          const Layout &layout) {
  Storage storage;
  storage.layout = layout;
  storage.planeStride =
      llvm::alignTo((layout.single ? 1 : paddedRows) * layout.rowBytes, 64);
  FailureOr<std::vector<int8_t>> image = packRows(
      cast<ElementsAttr>(constant.getValue()), layout, storage.planeStride);
  if (failed(image)) {
    InFlightDiagnostic diagnostic =
        constant.emitOpError()
        << "has values that no instruction reads (of type "
        << constant.getType() << ")";
    for (Operation *user : constant->getUsers())
      diagnostic.attachNote(user->getLoc()) << "used here";
    return diagnostic;
  }
  auto type = RankedTensorType::get({static_cast<int64_t>(image->size())},
                                    builder.getI8Type());
  storage.base =
      constantBuffer({DenseElementsAttr::get(type, ArrayRef(*image))}).base;
  return storage;
}

bool Lowering::isConstant(Value value) {
  value = root(value);
  return constants.contains(value) || value.getDefiningOp<arith::ConstantOp>();
}

SmallVector<ElementsAttr> Lowering::constantValues(Value value) {
  value = root(value);
  if (auto known = constants.find(value); known != constants.end())
    return known->second.values;
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    return {cast<ElementsAttr>(constant.getValue())};
  return {};
}

FailureOr<Value> Lowering::constantAddress(Value value) {
  value = root(value);
  auto it = constants.find(value);
  if (it != constants.end())
    return layerIndex ? view(it->second.base, 0,
                             {{layerIndex, it->second.layerStride}})
                      : it->second.base;
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    return constantBuffer({cast<ElementsAttr>(constant.getValue())},
                          planesOf(value))
        .base;
  InFlightDiagnostic diagnostic =
      emitError(loc) << "needs a weight that is known while compiling";
  diagnostic.attachNote(value.getLoc()) << "it comes from here";
  return diagnostic;
}

FailureOr<Weight> Lowering::weightOf(Value value) {
  FailureOr<Value> address = constantAddress(value);
  if (failed(address))
    return failure();
  auto type = cast<ShapedType>(root(value).getType());
  return Weight{*address, type.getDimSize(0), type.getDimSize(1),
                planesOf(value)};
}

int64_t Weight::rowBytes(int64_t columns) const {
  return planes && planes->areCodes() ? planes->rowBytes(columns) : columns;
}

/// Columns of the tiles in which a weight's planes lie apart; 0 where no rows
/// multiply the high one alone.
static int64_t tileColumnsOf(Value weight) {
  bool hasLow = false;
  int64_t columns = 0;
  for (Operation *user : realUsers(weight)) {
    auto linear = dyn_cast<mlir::fact::QuantizedLinearOp>(user);
    if (!linear || Lowering::root(linear.getWeight()) != weight)
      continue;
    hasLow |= linear.getLow() && lowPrecisionOf(linear) == Precision::A4W4;
    int64_t features = cast<ShapedType>(linear.getType()).getDimSize(1);
    SmallVector<int64_t> widths;
    // A head's columns are taken at a time.
    if (linear.getRows())
      widths.push_back(
          features /
          cast<ShapedType>(linear.getRows().getType()).getDimSize(0));
    for (Operation *reader : realUsers(linear.getResult()))
      if (mlir::fact::QuantizeHeadsOp heads = quantizationBy(reader))
        widths.push_back(features / static_cast<int64_t>(heads.getHeads()));
    if (widths.empty())
      widths.push_back(std::min<int64_t>(features, 64));
    for (int64_t width : widths) {
      if (columns > 0 && width != columns)
        return 0; // no tile is right for all of them
      columns = width;
    }
  }
  return hasLow ? columns : 0;
}

Lowering::Planes Lowering::planesOf(Value weight) const {
  using ::fact::isa::WeightPlanes;
  weight = root(weight);
  int64_t ofCodes = codes.packedColumns(weight),
          columns = ofCodes ? ofCodes : tileColumnsOf(weight);
  if (columns == 0)
    return std::nullopt;
  auto type = cast<ShapedType>(weight.getType());
  return WeightPlanes(type.getDimSize(0), type.getDimSize(1), columns,
                      ofCodes ? WeightPlanes::Kind::Codes
                              : WeightPlanes::Kind::HighAndLow);
}

Constant Lowering::constantBuffer(ArrayRef<ElementsAttr> values,
                                  const Planes &planes) {
  auto type = cast<ShapedType>(values.front().getType());
  Constant constant;
  constant.layerStride = llvm::alignTo(
      planes ? planes->bytes()
             : type.getNumElements() * storedBytes(type.getElementType()),
      64);
  int64_t tileColumns = planes ? planes->getTileColumns() : 0;
  bool areCodes = planes && planes->areCodes();
  SmallVector<Attribute> attributes(values.begin(), values.end());
  ArrayAttr key = builder.getArrayAttr(attributes);
  auto [it, isNew] = constantBuffers.try_emplace(
      std::tuple<Attribute, int64_t, unsigned>(key, tileColumns, areCodes));
  if (isNew) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&program.getBody().front());
    auto buffer = DramBufferOp::create(
        builder, loc, DramKind::Constant,
        constant.layerStride * static_cast<int64_t>(values.size()), "weight");
    buffer.setValuesAttr(key);
    buffer.setStride(constant.layerStride);
    if (planes)
      buffer.setTileColumns(tileColumns);
    buffer.setCodes(areCodes);
    it->second = buffer;
  }
  constant.base = it->second;
  constant.values.assign(values.begin(), values.end());
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
  auto type = cast<ShapedType>(root(constant).getType());
  int64_t bytes = type.getNumElements() * storedBytes(type.getElementType());
  Planes planes = planesOf(constant);
  if (planes && planes->areCodes()) {
    bytes = planes->bytes();
  } else if (planes) {
    int64_t columns = planes->getTileColumns();
    FailureOr<Weight> weight = weightOf(constant);
    if (failed(weight))
      return failure();
    Value buffer = sram(memory, bytes, label);
    for (int64_t n0 = 0; n0 < weight->n; n0 += columns)
      loadWeight(view(buffer, n0), *weight, 0, weight->k, n0, Value(),
                 std::min(columns, weight->n - n0), weight->n, index(0),
                 null());
    return buffer;
  }
  FailureOr<Value> address = constantAddress(constant);
  if (failed(address))
    return failure();
  Value buffer = sram(memory, bytes, label);
  LoadOp::create(builder, loc, buffer, *address, index(0), 1, bytes, bytes,
                 bytes, /*whole=*/true);
  return buffer;
}

FailureOr<Value> Lowering::loadRepeated(Value scalar, int64_t n, Memory memory,
                                        StringRef label) {
  SmallVector<ElementsAttr> values = constantValues(scalar);
  if (values.empty()) {
    FailureOr<Value> address = constantAddress(scalar); // reports it
    assert(failed(address));
    return address;
  }
  auto type = RankedTensorType::get(
      {n}, cast<ShapedType>(scalar.getType()).getElementType());
  for (ElementsAttr &value : values)
    value = DenseElementsAttr::get(type, *value.getValues<Attribute>().begin());
  Constant all = constantBuffer(values);
  Value address = all.base;
  if (layerIndex && values.size() > 1)
    address = view(all.base, 0, {{layerIndex, all.layerStride}});
  int64_t bytes = n * storedBytes(type.getElementType());
  Value buffer = sram(memory, bytes, label);
  LoadOp::create(builder, loc, buffer, address, index(0), 1, bytes, bytes,
                 bytes, /*whole=*/true);
  return buffer;
}

FailureOr<Storage> Lowering::tableOf(Value table) {
  FailureOr<Value> address = constantAddress(table);
  if (failed(address))
    return failure();
  auto type = cast<ShapedType>(table.getType());
  Storage storage;
  storage.base = *address;
  storage.layout.rowBytes =
      type.getDimSize(1) * storedBytes(type.getElementType());
  return storage;
}

Value Lowering::headIn(Value group, int64_t members, int64_t member) {
  if (members == 1)
    return group;
  Value first = arith::MulIOp::create(builder, loc, group, index(members));
  return member == 0
             ? first
             : arith::AddIOp::create(builder, loc, first, index(member));
}

FailureOr<Value> Lowering::loadVector(Value vector, StringRef label) {
  FailureOr<Storage> storage = storageOf(vector);
  if (failed(storage))
    return failure();
  Value buffer =
      sram(Memory::Index, paddedRows * storage->layout.rowBytes, label);
  loadRows(buffer, *storage, index(0), index(0), paddedRows);
  return buffer;
}

void Lowering::loadWeight(Value buffer, const Weight &from, int64_t k0,
                          int64_t k, int64_t n0, Value head, int64_t n,
                          int64_t bufferStride, Value first, Value exact,
                          bool onlyExact) {
  auto at = [&](int64_t offset, int64_t headBytes) {
    return head ? view(from.address, offset, {{head, headBytes}})
                : view(from.address, offset);
  };
  if (!from.planes) {
    LoadOp::create(builder, loc, buffer, at(k0 * from.n + n0, n), first, k, n,
                   bufferStride, from.n, /*whole=*/true);
    return;
  }
  assert((!head || from.planes->getTileColumns() == n) &&
         "a head's columns are a tile");
  ::fact::isa::WeightPlanes::Part part = from.planes->part(k0, n0);
  int64_t headBytes = from.planes->tileBytes();
  if (from.planes->areCodes()) {
    LoadOp::create(builder, loc, buffer, at(part.high, headBytes), first, k,
                   from.rowBytes(n), bufferStride, part.stride, /*whole=*/true);
    return;
  }
  LoadWeightOp::create(builder, loc, buffer, at(part.high, headBytes),
                       at(part.low, headBytes), exact, first, k, n,
                       bufferStride, part.stride, onlyExact, /*whole=*/true);
}

void Lowering::loadRows(Value buffer, const Storage &from, Value plane,
                        Value row0, int64_t rows, Value first) {
  int64_t rowBytes = from.layout.rowBytes;
  Value source =
      view(from.base, 0, {{plane, from.planeStride}, {row0, rowBytes}});
  LoadOp::create(builder, loc, buffer, source, first ? first : row0, rows,
                 rowBytes, rowBytes, rowBytes, from.layout.single);
}

void Lowering::storeRows(const Storage &to, Value buffer, Value plane,
                         Value row0, int64_t rows, Value first) {
  int64_t rowBytes = to.layout.rowBytes;
  Value destination =
      view(to.base, 0, {{plane, to.planeStride}, {row0, rowBytes}});
  StoreOp::create(builder, loc, destination, buffer, first ? first : row0, rows,
                  rowBytes, rowBytes, rowBytes, to.layout.single);
}

void Lowering::loadHead(Value buffer, const Storage &from, Value head,
                        int64_t bytes, Value row0, int64_t rows, Value first) {
  int64_t rowBytes = from.layout.rowBytes;
  Value source = view(from.base, 0, {{head, bytes}, {row0, rowBytes}});
  LoadOp::create(builder, loc, buffer, source, first ? first : row0, rows,
                 bytes, bytes, rowBytes, from.layout.single);
}

void Lowering::loadCodes(Value buffer, Value code, const Storage &from,
                         Value head, int64_t n, Value row0, int64_t rows,
                         Value first) {
  if (codes.packedHeads(code) > 0)
    loadRows(buffer, from, head, row0, rows, first);
  else
    loadHead(buffer, from, head, n, row0, rows, first);
}

void Lowering::storeHead(const Storage &to, Value buffer, Value head,
                         int64_t bytes, Value row0, int64_t rows, Value first) {
  int64_t rowBytes = to.layout.rowBytes;
  Value destination = view(to.base, 0, {{head, bytes}, {row0, rowBytes}});
  StoreOp::create(builder, loc, destination, buffer, first ? first : row0, rows,
                  bytes, rowBytes, bytes, to.layout.single);
}

scf::ForOp Lowering::loop(Over over, int64_t limit, int64_t step,
                          function_ref<void(Value)> body) {
  if (limit <=
      step) { // a single iteration needs no loop: clamping does the rest
    body(index(0));
    return {};
  }
  Value upper = over == Over::Rows
                    ? LengthOp::create(builder, loc, limit).getResult()
                    : index(limit);
  auto op = scf::ForOp::create(builder, loc, index(0), upper, index(step));
  if (loopTurns > 0 && (over == Over::Rows || over == Over::Heads))
    op->setAttr(kIndependentAttrName, builder.getI64IntegerAttr(loopTurns));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
  return op;
}
