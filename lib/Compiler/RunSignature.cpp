//===- RunSignature.cpp - What a model takes and returns ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunSignature.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/Transforms/SequenceExtents.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::BatchAxis;
using ::fact::TensorSpec;

/// The array type of a tensor, if array files have one.
static std::optional<TensorSpec> specOf(Type type, std::string name) {
  auto shaped = dyn_cast<RankedTensorType>(type);
  if (!shaped)
    return std::nullopt;
  TensorSpec spec;
  spec.name = std::move(name);
  Type element = shaped.getElementType();
  if (element.isF32())
    spec.dtype = "<f4";
  else if (element.isInteger(1))
    spec.dtype = "|b1";
  else if (element.isInteger(8))
    spec.dtype = "|i1";
  else if (element.isInteger(32))
    spec.dtype = "<i4";
  else if (element.isInteger(64))
    spec.dtype = "<i8";
  else
    return std::nullopt;
  for (int64_t extent : shaped.getShape())
    spec.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
  return spec;
}

/// Where an argument's or a result's attributes say that its batch is.
static BatchAxis batchOf(DenseI64ArrayAttr attribute) {
  return attribute ? BatchAxis{attribute[0], attribute[1]} : BatchAxis();
}

std::string mlir::fact::readInputsOf(func::FuncOp main,
                                     std::vector<ModelInput> &inputs) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto name = main.getArgAttrOfType<StringAttr>(i, kNameAttrName);
    std::string called = name ? name.str() : "input " + std::to_string(i);
    Type type = main.getArgument(i).getType();
    auto spec = specOf(type, called);
    if (!spec)
      return "'" + called + "' has a type that no array file holds";
    ModelInput input;
    input.spec = std::move(*spec);
    input.isFixed = cast<RankedTensorType>(type).hasStaticShape();
    if (auto padding = main.getArgAttrOfType<IntegerAttr>(i, kPaddingAttrName))
      input.padding = padding.getInt();
    input.isPositions = bool(main.getArgAttr(i, kPositionsAttrName));
    input.batch =
        batchOf(main.getArgAttrOfType<DenseI64ArrayAttr>(i, kBatchAttrName));
    inputs.push_back(std::move(input));
  }
  return "";
}

std::string mlir::fact::readOutputsOf(func::FuncOp main,
                                      std::vector<ModelOutput> &own,
                                      std::vector<ModelOutput> &dumps) {
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    std::string called = "output " + std::to_string(i);
    auto dump = main.getResultAttrOfType<StringAttr>(i, kDumpAttrName);
    auto name = main.getResultAttrOfType<StringAttr>(i, kNameAttrName);
    auto spec = specOf(main.getResultTypes()[i], dump   ? dump.str()
                                                 : name ? name.str()
                                                        : called);
    if (!spec)
      return called + " has a type that no array file holds";
    (dump ? dumps : own)
        .push_back({std::move(*spec), resultExtents(main, i),
                    batchOf(main.getResultAttrOfType<DenseI64ArrayAttr>(
                        i, kBatchAttrName))});
  }
  return "";
}
