//===- ConstantData.cpp - Float constants, element by element -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantData.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;

/// Constants up to this size are kept in the attribute, as importers do.
static constexpr int64_t maxDenseElements = 16;

std::optional<ConstantData> ConstantData::get(Attribute attr) {
  auto typed = dyn_cast_or_null<ElementsAttr>(attr);
  if (!typed || !(typed.getElementType().isF32() ||
                  typed.getElementType().isSignlessInteger()))
    return std::nullopt;
  ConstantData data;
  data.type = typed.getShapedType();
  if (auto dense = dyn_cast<DenseIntElementsAttr>(attr)) {
    data.integers = dense;
    if (dense.isSplat())
      data.splat = data.numberAt(0);
    return data;
  }
  if (auto dense = dyn_cast<DenseFPElementsAttr>(attr)) {
    if (dense.isSplat())
      data.splat = dense.getSplatValue<float>();
    else
      data.elements = ArrayRef<float>(
          reinterpret_cast<const float *>(dense.getRawData().data()),
          dense.getRawData().size() / sizeof(float));
    return data;
  }
  if (auto resource = dyn_cast<DenseF32ResourceElementsAttr>(attr)) {
    std::optional<ArrayRef<float>> elements = resource.tryGetAsArrayRef();
    if (!elements ||
        static_cast<int64_t>(elements->size()) != data.type.getNumElements())
      return std::nullopt;
    data.elements = *elements;
    return data;
  }
  return std::nullopt;
}

float ConstantData::numberAt(int64_t index) const {
  APInt value = integers.getValues<APInt>()[index];
  return value.getBitWidth() == 1 ? static_cast<float>(value.getBoolValue())
                                  : static_cast<float>(value.getSExtValue());
}

std::optional<float> ConstantData::splatValue() const {
  if (splat || integers)
    return splat;
  if (elements.empty() || !llvm::all_equal(elements))
    return std::nullopt;
  return elements.front();
}

ElementsAttr mlir::fact::constantOf(ElementsAttr like, ArrayRef<int64_t> shape,
                                    ArrayRef<float> elements) {
  auto type = RankedTensorType::get(shape, Float32Type::get(like.getContext()));
  if (type.getNumElements() <= maxDenseElements)
    return DenseElementsAttr::get(type, elements);
  StringRef name = "weight";
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(like))
    name = resource.getRawHandle().getKey();
  return cast<ElementsAttr>(Attribute(DenseF32ResourceElementsAttr::get(
      type, name,
      HeapAsmResourceBlob::allocateAndCopyInferAlign(
          elements, /*dataIsMutable=*/false))));
}

ElementsAttr mlir::fact::gathered(ElementsAttr attr, ArrayRef<int64_t> shape,
                                  ArrayRef<int64_t> offsets) {
  auto type = RankedTensorType::get(shape, Float32Type::get(attr.getContext()));
  bool inOrder = llvm::equal(offsets, llvm::seq<int64_t>(0, offsets.size()));
  if (inOrder && attr.getShapedType() == type)
    return attr;
  ConstantData data = *ConstantData::get(attr);
  if (std::optional<float> value = data.splatValue())
    return DenseElementsAttr::get(type, *value);
  SmallVector<float, 0> elements;
  elements.reserve(offsets.size());
  for (int64_t offset : offsets)
    elements.push_back(data[offset]);
  return constantOf(attr, shape, elements);
}

std::optional<int64_t> mlir::fact::firstBadWeight(ElementsAttr attr) {
  ConstantData data = *ConstantData::get(attr);
  for (int64_t i = 0, e = data.size(); i < e; ++i)
    if (!(std::fabs(data[i]) <= 0x1p50f))
      return i;
  return std::nullopt;
}
