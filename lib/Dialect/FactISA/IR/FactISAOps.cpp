//===- FactISAOps.cpp - Ops of the factisa dialect ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/FactISA/IR/FactISA.h"
#include "fact/Dialect/FactISA/IR/Instructions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

#define GET_OP_CLASSES
#include "fact/Dialect/FactISA/IR/FactISAOps.cpp.inc"

using namespace mlir;
using namespace mlir::factisa;

LogicalResult DramBufferOp::verify() {
  bool isConstant = getKind() == DramKind::Constant,
       isPort = getKind() == DramKind::Input || getKind() == DramKind::Output;
  if (isConstant != bool(getValuesAttr()) ||
      isConstant != getStride().has_value())
    return emitOpError() << "must have 'values' and 'stride' if it is a "
                            "constant, and only then";
  if (isPort != bool(getShapeAttr()))
    return emitOpError()
           << "must have 'shape' if it is an input or output, and only then";
  if (isPort && getShapeAttr().empty())
    return emitOpError() << "must have one dimension at least";
  if (getPlace()) {
    auto output = getPlace().getDefiningOp<DramBufferOp>();
    if (getKind() != DramKind::Input || !output ||
        output.getKind() != DramKind::Output)
      return emitOpError() << "must be an input to lie in another range, and "
                              "that one an output";
    for (Operation *user : output.getResult().getUsers())
      if (user != getOperation() && isa<DramBufferOp>(user))
        return emitOpError() << "must be the only input in that output";
    if (getAddress() && getAddress() != output.getAddress())
      return emitOpError() << "must have the output's address (was "
                           << *getAddress() << ")";
    if (!getResult().use_empty())
      return emitOpError()
             << "must have no users: the output that it lies in has them";
    if (getBytes() > output.getBytes())
      return emitOpError() << "must have no more bytes than the output that it "
                              "lies in, "
                           << output.getBytes() << " (was " << getBytes()
                           << ")";
  }
  if (getTileColumns() && !isConstant)
    return emitOpError() << "must be a constant to have 'tile_columns'";
  if (getCodes() && !getTileColumns())
    return emitOpError() << "must have 'tile_columns' to have 'codes'";
  if (!isConstant)
    return success();
  if (getValuesAttr().empty())
    return emitOpError() << "must have one value at least";
  int64_t stride = *getStride(), end = 0;
  for (auto [i, value] : llvm::enumerate(getValuesAttr())) {
    auto elements = dyn_cast<ElementsAttr>(value);
    if (!elements || !elements.getElementType().isIntOrFloat() ||
        elements.getElementType().getIntOrFloatBitWidth() % 8 != 0)
      return emitOpError()
             << "must have values that are arrays of whole bytes (was " << value
             << ")";
    int64_t bytes = elements.getNumElements() *
                    (elements.getElementType().getIntOrFloatBitWidth() / 8);
    if (getTileColumns()) {
      std::optional<::fact::isa::WeightPlanes> planes = planesOf(elements);
      if (!planes)
        return emitOpError() << "must have values that are INT8 matrices to "
                                "have 'tile_columns' (was "
                             << elements.getType() << ")";
      bytes = planes->bytes();
    }
    if (stride < bytes || stride - bytes >= 64)
      return emitOpError() << "must have values of " << bytes
                           << " bytes, padded to its stride by at most 63 (was "
                           << stride << ")";
    end = i * stride + bytes;
  }
  int64_t bytes = getBytes();
  if (bytes < end || bytes - end >= 64)
    return emitOpError() << "must have values of " << end
                         << " bytes in all, padded by at most 63 (was "
                         << getBytes() << ")";
  return success();
}

std::optional<::fact::isa::WeightPlanes>
DramBufferOp::planesOf(ElementsAttr value) {
  auto type = cast<ShapedType>(value.getType());
  if (!getTileColumns() || type.getRank() != 2 ||
      !type.getElementType().isInteger(8))
    return std::nullopt;
  return ::fact::isa::WeightPlanes(
      type.getDimSize(0), type.getDimSize(1),
      static_cast<int64_t>(*getTileColumns()),
      getCodes() ? ::fact::isa::WeightPlanes::Kind::Codes
                 : ::fact::isa::WeightPlanes::Kind::HighAndLow);
}

void DramBufferOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  effects.emplace_back(MemoryEffects::Allocate::get(),
                       getOperation()->getOpResult(0), DramResource::get());
  // The host writes inputs and reads outputs: they are no ranges of our own.
  if (getKind() == DramKind::Input || getKind() == DramKind::Output)
    effects.emplace_back(MemoryEffects::Write::get(), DramResource::get());
}

LogicalResult PhaseOp::verify() {
  auto counter = dyn_cast<BlockArgument>(getCounter());
  auto loop =
      counter ? dyn_cast_or_null<scf::ForOp>(counter.getOwner()->getParentOp())
              : scf::ForOp();
  if (!loop || loop.getInductionVar() != counter)
    return emitOpError() << "needs the counter of a loop";
  return success();
}

LogicalResult ViewOp::verify() {
  if (getIndices().size() != getStrides().size())
    return emitOpError() << "needs one stride per index (was "
                         << getIndices().size() << " indices and "
                         << getStrides().size() << " strides)";
  return success();
}
