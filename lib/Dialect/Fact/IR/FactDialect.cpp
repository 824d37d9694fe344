//===- FactDialect.cpp - The fact dialect ---------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Sequence.h"

#include "fact/Numerics/Limits.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::fact;
namespace numerics = ::fact::numerics;

#include "fact/Dialect/Fact/IR/FactDialect.cpp.inc"

#include "fact/Dialect/Fact/IR/FactEnums.cpp.inc"

#include "fact/Dialect/Fact/IR/FactInterfaces.cpp.inc"

static constexpr StringLiteral windowEndRule =
    "a window's end must be a number from 0 to 2147483647 or '*' (was ";

ParseResult mlir::fact::parseWindowEnd(AsmParser &parser, int64_t &end) {
  end = numerics::Window::unlimited;
  if (succeeded(parser.parseOptionalStar()))
    return success();
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseInteger(end))
    return failure();
  return end >= 0 && end <= numerics::Window::largest
             ? ParseResult::success()
             : parser.emitError(where, windowEndRule) << end << ")";
}

void mlir::fact::printWindowEnd(AsmPrinter &printer, int64_t end) {
  if (end == numerics::Window::unlimited)
    printer << '*';
  else
    printer << end;
}

#define GET_ATTRDEF_CLASSES
#include "fact/Dialect/Fact/IR/FactAttributes.cpp.inc"

void FactDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "fact/Dialect/Fact/IR/FactAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "fact/Dialect/Fact/IR/FactOps.cpp.inc"
      >();
}

Operation *FactDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  if (auto elements = dyn_cast<TypedAttr>(value);
      elements && elements.getType() == type)
    return arith::ConstantOp::create(builder, loc, elements);
  return nullptr;
}

LogicalResult FactDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  if (attribute.getName() == kLayersAttrName &&
      isa<ArrayAttr>(attribute.getValue()))
    return success();
  if (attribute.getName() == kProfileRegionsAttrName && isa<ModuleOp>(op) &&
      isa<ArrayAttr>(attribute.getValue()))
    return success();
  if (attribute.getName() != kPolicyAttrName)
    return op->emitOpError() << "has no meaning for attribute '"
                             << attribute.getName().getValue() << "'";
  if (!isa<ModuleOp, FunctionOpInterface, CallOpInterface, AttentionOp,
           QuantizedAttentionOp>(op))
    return op->emitOpError()
           << "'" << kPolicyAttrName
           << "' belongs on an attention, a call, a function or a module";
  if (!isa<PolicyAttr>(attribute.getValue()))
    return op->emitOpError()
           << "'" << kPolicyAttrName << "' must be a #fact.policy (was "
           << attribute.getValue() << ")";
  return success();
}

// What a program file holds.
constexpr size_t longestName = 65536;

/// Names end in C strings of object files.
static bool isName(Attribute value) {
  auto name = dyn_cast<StringAttr>(value);
  return name && !name.getValue().contains('\0') &&
         name.getValue().size() <= longestName;
}

/// Whether `fact.batch` of an argument or a result names a fixed extent and a
/// number of sequences.
static bool isBatch(Attribute attribute, Type type) {
  auto batch = dyn_cast<DenseI64ArrayAttr>(attribute);
  auto tensor = dyn_cast<ShapedType>(type); // or a buffer
  return batch && batch.size() == 2 && tensor && tensor.hasRank() &&
         batch[0] >= 0 && batch[0] < tensor.getRank() &&
         !tensor.isDynamicDim(batch[0]) && batch[1] >= 0;
}

LogicalResult FactDialect::verifyRegionArgAttribute(Operation *op,
                                                    unsigned region,
                                                    unsigned argument,
                                                    NamedAttribute attribute) {
  // A function without a body has types only, and a body that is not verified
  // yet may lack arguments.
  auto noteArgument = [&](InFlightDiagnostic &diagnostic) -> LogicalResult {
    Region &body = op->getRegion(region);
    if (!body.empty() && argument < body.getNumArguments())
      diagnostic.attachNote(body.getArgument(argument).getLoc())
          << "this argument";
    return diagnostic;
  };
  if (attribute.getName() == kNameAttrName) {
    if (isName(attribute.getValue()))
      return success();
    InFlightDiagnostic diagnostic =
        op->emitOpError() << "'" << kNameAttrName << "' of argument "
                          << argument << " must be a string without NUL (was "
                          << attribute.getValue() << ")";
    return noteArgument(diagnostic);
  }
  if (attribute.getName() == kPaddingAttrName) {
    auto value = dyn_cast<IntegerAttr>(attribute.getValue());
    if (value && value.getType().isInteger(64) &&
        (value.getInt() == 0 || value.getInt() == 1))
      return success();
    InFlightDiagnostic diagnostic =
        op->emitOpError() << "'" << kPaddingAttrName << "' of argument "
                          << argument << " must be the 64-bit integer 0 or 1 "
                          << "(was " << attribute.getValue() << ")";
    return noteArgument(diagnostic);
  }
  if (attribute.getName() == kPositionsAttrName) {
    if (isa<UnitAttr>(attribute.getValue()))
      return success();
    InFlightDiagnostic diagnostic =
        op->emitOpError() << "'" << kPositionsAttrName << "' of argument "
                          << argument << " has no value (was "
                          << attribute.getValue() << ")";
    return noteArgument(diagnostic);
  }
  if (attribute.getName() == kBatchAttrName) {
    if (isBatch(attribute.getValue(),
                cast<FunctionOpInterface>(op).getArgumentTypes()[argument]))
      return success();
    InFlightDiagnostic diagnostic =
        op->emitOpError() << "'" << kBatchAttrName << "' of argument "
                          << argument
                          << " must be a fixed extent and a number of "
                             "sequences (was "
                          << attribute.getValue() << ")";
    return noteArgument(diagnostic);
  }
  if (attribute.getName() != kBoundAttrName) {
    InFlightDiagnostic diagnostic = op->emitOpError()
                                    << "has no meaning for attribute '"
                                    << attribute.getName().getValue()
                                    << "' of argument " << argument;
    return noteArgument(diagnostic);
  }
  auto bound = dyn_cast<IntegerAttr>(attribute.getValue());
  if (bound && bound.getType().isInteger(64) && bound.getInt() >= 1) {
    auto type = dyn_cast<RankedTensorType>(
        cast<FunctionOpInterface>(op).getArgumentTypes()[argument]);
    // The open extent may be another one than the rows'.
    bool isOpen = type && !type.hasStaticShape();
    int64_t rows = type && type.getRank() >= 2 && !isOpen
                       ? type.getDimSize(mlir::fact::sequenceDim(type))
                       : ShapedType::kDynamic;
    if (ShapedType::isDynamic(rows) || rows <= bound.getInt())
      return success();
    InFlightDiagnostic diagnostic =
        op->emitOpError() << "'" << kBoundAttrName << "' of argument "
                          << argument << " must not be below its rows (was "
                          << bound.getInt() << " and " << rows << ")";
    return noteArgument(diagnostic);
  }
  InFlightDiagnostic diagnostic =
      op->emitOpError() << "'" << kBoundAttrName << "' of argument " << argument
                        << " must be a positive 64-bit integer (was "
                        << attribute.getValue() << ")";
  return noteArgument(diagnostic);
}

LogicalResult FactDialect::verifyRegionResultAttribute(
    Operation *op, unsigned region, unsigned result, NamedAttribute attribute) {
  if (attribute.getName() == kBatchAttrName) {
    if (isBatch(attribute.getValue(),
                cast<FunctionOpInterface>(op).getResultTypes()[result]))
      return success();
    return op->emitOpError()
           << "'" << kBatchAttrName << "' of result " << result
           << " must be a fixed extent and a number of sequences (was "
           << attribute.getValue() << ")";
  }
  if (attribute.getName() != kNameAttrName &&
      attribute.getName() != kDumpAttrName)
    return op->emitOpError()
           << "has no meaning for attribute '" << attribute.getName().getValue()
           << "' of result " << result;
  if (!isName(attribute.getValue()))
    return op->emitOpError()
           << "'" << attribute.getName().getValue() << "' of result " << result
           << " must be a string without NUL (was " << attribute.getValue()
           << ")";
  return success();
}

LogicalResult WindowAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t left, int64_t right) {
  for (int64_t end : {left, right})
    if (end < numerics::Window::unlimited || end > numerics::Window::largest)
      return emitError() << windowEndRule << end << ")";
  if (numerics::Window{left, right}.seesAll())
    return emitError() << "a window must have an end that is a number";
  return success();
}

WindowAttr WindowAttr::orNull(MLIRContext *context,
                              const numerics::Window &window) {
  return window.seesAll() ? WindowAttr()
                          : get(context, window.left, window.right);
}

numerics::Window mlir::fact::windowOf(WindowAttr window) {
  return window ? window.asWindow() : numerics::Window();
}

LogicalResult PolicyAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t keep, Tail tail, FloatAttr dominance,
                                 int64_t importance, LowPrecision lowPrecision,
                                 Scope scope, Predictor predictor) {
  if (!numerics::isKeep(keep))
    return emitError() << "keep must be in 0.." << numerics::keepAll << " (was "
                       << keep << ")";
  if (!dominance || !dominance.getType().isF64())
    return emitError() << "dominance must be a 64-bit float literal";
  double threshold = dominance.getValueAsDouble();
  if (!numerics::isDominance(threshold))
    return emitError() << "dominance must be in 0..1e30 (was " << threshold
                       << ")";
  if (!numerics::isImportance256(importance))
    return emitError() << "importance must be in " << numerics::keptByNone
                       << ".." << numerics::largestImportance256 << " (was "
                       << importance << ")";
  return success();
}
