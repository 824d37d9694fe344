//===- Interpreter.cpp - Sparse fact IR, op by op -------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions, constants, casts and reshapes; InterpretedOps.cpp has the ops of
// the dialect `fact`.
//
//===----------------------------------------------------------------------===//

#include "fact/Execution/Interpreter.h"

#include "InterpretedTensor.h"

#include "fact/Dialect/Fact/IR/Fact.h"
#include "fact/Dialect/Fact/IR/Recursion.h"
#include "fact/Dialect/Fact/IR/Weights.h"
#include "fact/Numerics/Formats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::fact;
using ::fact::NpyArray;
using Tensor = InterpretedTensor;

namespace {

/// Values of one call of a function.
using Frame = DenseMap<Value, InterpretedRef>;

template <typename T> bool copyConstant(Attribute attribute, Tensor &tensor) {
  auto elements = ConstantElements<T>::of(attribute);
  if (!elements)
    return false;
  std::memcpy(tensor.data.data(), elements->data(), tensor.data.size());
  return true;
}

/// The tensor of a constant; null for one that has no such form.
InterpretedRef tensorOf(Attribute attribute) {
  if (auto number = dyn_cast<IntegerAttr>(attribute)) {
    auto tensor =
        std::make_shared<Tensor>(number.getType(), std::vector<int64_t>());
    int64_t value = number.getValue().getSExtValue();
    std::memcpy(tensor->data.data(), &value, tensor->data.size());
    return tensor;
  }
  auto elements = dyn_cast<ElementsAttr>(attribute);
  if (!elements || !elements.getElementType().isIntOrFloat())
    return {};
  Type type = elements.getElementType();
  auto tensor = std::make_shared<Tensor>(
      type, std::vector<int64_t>(elements.getShapedType().getShape()));
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute);
      dense && type.isInteger(1)) {
    // The only type whose elements are packed.
    for (auto [i, value] : llvm::enumerate(dense.getValues<bool>()))
      tensor->as<uint8_t>()[i] = value;
    return tensor;
  }
  bool copied = type.isF32()         ? copyConstant<float>(attribute, *tensor)
                : type.isInteger(8)  ? copyConstant<int8_t>(attribute, *tensor)
                : type.isInteger(32) ? copyConstant<int32_t>(attribute, *tensor)
                : type.isInteger(64) ? copyConstant<int64_t>(attribute, *tensor)
                                     : false;
  return copied ? tensor : InterpretedRef();
}

/// The inverse of tensorOf.
Attribute attributeOf(const Tensor &tensor, Type type) {
  auto shaped = dyn_cast<RankedTensorType>(type);
  if (!shaped)
    return IntegerAttr::get(type, type.isIndex()
                                      ? *tensor.as<int64_t>()
                                      : int64_t(*tensor.as<int8_t>()));
  auto fixed = RankedTensorType::get(tensor.shape, shaped.getElementType());
  if (shaped.getElementType().isInteger(1)) {
    SmallVector<bool> values(tensor.as<uint8_t>(),
                             tensor.as<uint8_t>() + tensor.size());
    return DenseElementsAttr::get(fixed, values);
  }
  return DenseElementsAttr::getFromRawBuffer(fixed, tensor.data);
}

/// Whether a tensor of that shape may have the type.
LogicalResult checkType(Operation *op, const Tensor &tensor, Type type) {
  auto shaped = dyn_cast<RankedTensorType>(type);
  if (!shaped)
    return success();
  ArrayRef<int64_t> shape(tensor.shape);
  if (succeeded(verifyCompatibleShape(shaped.getShape(), shape)))
    return success();
  InFlightDiagnostic error = op->emitOpError()
                             << "makes a tensor that its type " << type
                             << " does not allow (was [";
  llvm::interleaveComma(shape, error);
  return error << "])";
}

class Interpreter {
public:
  LogicalResult call(func::FuncOp function, ArrayRef<InterpretedRef> arguments,
                     SmallVectorImpl<InterpretedRef> &results);

private:
  LogicalResult run(Operation *op, Frame &frame);
  LogicalResult runTyped(func::CallOp op, Frame &frame);
  LogicalResult runTyped(arith::ConstantOp op, Frame &frame);
  LogicalResult runTyped(tensor::CastOp op, Frame &frame);
  LogicalResult runTyped(tensor::CollapseShapeOp op, Frame &frame);
  LogicalResult runTyped(tensor::ExpandShapeOp op, Frame &frame);
  LogicalResult runTyped(tensor::DimOp op, Frame &frame);
  LogicalResult runFact(Operation *op, Frame &frame);
  LogicalResult runFolder(Operation *op, Frame &frame);
  LogicalResult set(Frame &frame, OpResult result, InterpretedRef tensor);
  LogicalResult reshape(Frame &frame, OpResult result,
                        const InterpretedRef &from, std::vector<int64_t> shape);

  /// Constants are read once, however often their function is called.
  DenseMap<Operation *, InterpretedRef> constants;
};

LogicalResult Interpreter::call(func::FuncOp function,
                                ArrayRef<InterpretedRef> arguments,
                                SmallVectorImpl<InterpretedRef> &results) {
  if (function.isExternal())
    return function.emitError("has no body to interpret");
  if (!function.getBody().hasOneBlock())
    return function.emitError("must have one block to be interpreted");
  Frame frame;
  for (auto [argument, tensor] :
       llvm::zip_equal(function.getArguments(), arguments)) {
    frame[argument] = tensor;
    if (failed(checkType(function, *tensor, argument.getType())))
      return failure();
  }
  for (Operation &op : function.getBody().front().without_terminator())
    if (failed(run(&op, frame)))
      return failure();
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    results.push_back(frame.lookup(value));
  return success();
}

LogicalResult Interpreter::set(Frame &frame, OpResult result,
                               InterpretedRef tensor) {
  if (failed(checkType(result.getOwner(), *tensor, result.getType())))
    return failure();
  frame[result] = std::move(tensor);
  return success();
}

LogicalResult Interpreter::run(Operation *op, Frame &frame) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<func::CallOp, arith::ConstantOp, tensor::CastOp,
            tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::DimOp>(
          [&](auto typed) { return runTyped(typed, frame); })
      // Rows are encoded while running, weights while compiling.
      .Case<EncodeOp>([&](EncodeOp encode) { return runFact(encode, frame); })
      .Case<CompileTimeOpInterface>(
          [&](Operation *weights) { return runFolder(weights, frame); })
      .Default([&](Operation *other) -> LogicalResult {
        if (isa_and_nonnull<FactDialect>(other->getDialect()))
          return runFact(other, frame);
        if (llvm::all_of(other->getOperandTypes(),
                         [](Type type) { return type.isIntOrIndex(); }))
          return runFolder(other, frame);
        return other->emitOpError(
            "cannot be interpreted: it was not raised to the fact dialect "
            "(fact-compile --explain says why), whose numerics these are");
      });
}

LogicalResult Interpreter::runTyped(func::CallOp op, Frame &frame) {
  SmallVector<InterpretedRef> arguments, results;
  for (Value operand : op.getOperands())
    arguments.push_back(frame.lookup(operand));
  if (failed(call(calleeOf(op), arguments, results)))
    return failure();
  for (auto [result, tensor] : llvm::zip_equal(op->getResults(), results))
    if (failed(set(frame, result, tensor)))
      return failure();
  return success();
}

LogicalResult Interpreter::runTyped(arith::ConstantOp op, Frame &frame) {
  InterpretedRef &tensor = constants[op];
  if (!tensor)
    tensor = tensorOf(op.getValue());
  if (!tensor)
    return op.emitOpError("has a value that cannot be interpreted");
  return set(frame, op->getResult(0), tensor);
}

LogicalResult Interpreter::runTyped(tensor::CastOp op, Frame &frame) {
  return set(frame, op->getResult(0), frame.lookup(op.getSource()));
}

LogicalResult Interpreter::reshape(Frame &frame, OpResult result,
                                   const InterpretedRef &from,
                                   std::vector<int64_t> shape) {
  auto tensor = std::make_shared<Tensor>(*from);
  tensor->shape = std::move(shape);
  if (tensor->size() != from->size())
    return result.getOwner()->emitOpError()
           << "changes the number of elements from " << from->size() << " to "
           << tensor->size();
  return set(frame, result, std::move(tensor));
}

LogicalResult Interpreter::runTyped(tensor::CollapseShapeOp op, Frame &frame) {
  InterpretedRef from = frame.lookup(op.getSrc());
  std::vector<int64_t> shape;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    shape.push_back(1);
    for (int64_t dim : group)
      shape.back() *= from->dim(dim);
  }
  return reshape(frame, op->getResult(0), from, std::move(shape));
}

LogicalResult Interpreter::runTyped(tensor::ExpandShapeOp op, Frame &frame) {
  std::vector<int64_t> shape;
  for (OpFoldResult extent : op.getMixedOutputShape()) {
    auto value = dyn_cast<Value>(extent);
    shape.push_back(value ? *frame.lookup(value)->as<int64_t>()
                          : *getConstantIntValue(extent));
  }
  return reshape(frame, op->getResult(0), frame.lookup(op.getSrc()),
                 std::move(shape));
}

LogicalResult Interpreter::runTyped(tensor::DimOp op, Frame &frame) {
  InterpretedRef source = frame.lookup(op.getSource());
  int64_t index = *frame.lookup(op.getIndex())->as<int64_t>(),
          rank = source->shape.size();
  if (index < 0 || index >= rank)
    return op.emitOpError()
           << "index must be in 0.." << rank - 1 << " (was " << index << ")";
  auto extent = std::make_shared<Tensor>(op.getType(), std::vector<int64_t>());
  *extent->as<int64_t>() = source->dim(index);
  return set(frame, op->getResult(0), std::move(extent));
}

LogicalResult Interpreter::runFact(Operation *op, Frame &frame) {
  SmallVector<Tensor> computed;
  auto at = [&](Value value) -> const Tensor & { return *frame.lookup(value); };
  if (failed(interpretFactOp(op, at, computed)))
    return failure();
  for (auto [result, tensor] : llvm::zip_equal(op->getResults(), computed)) {
    // Beyond an overflow the contract says nothing.
    if (tensor.element.isF32())
      for (int64_t i = 0, n = tensor.size(); i < n; ++i)
        if (::fact::numerics::findNotFinite(tensor.as<float>() + i, 1) == 0)
          tensor.forget(i, 1);
    if (failed(set(frame, result, std::make_shared<Tensor>(std::move(tensor)))))
      return failure();
  }
  return success();
}

/// Ops on weights and on numbers: what their folders say.
LogicalResult Interpreter::runFolder(Operation *op, Frame &frame) {
  SmallVector<Attribute> operands;
  for (Value value : op->getOperands()) {
    InterpretedRef tensor = frame.lookup(value);
    operands.push_back(tensor->isDefined()
                           ? attributeOf(*tensor, value.getType())
                           : Attribute());
  }
  SmallVector<OpFoldResult> folded;
  if (op->getNumRegions() != 0 || failed(op->fold(operands, folded)) ||
      folded.size() != op->getNumResults())
    return op->emitOpError("cannot be interpreted");
  for (auto [result, value] : llvm::zip_equal(op->getResults(), folded)) {
    InterpretedRef tensor = isa<Value>(value)
                                ? frame.lookup(cast<Value>(value))
                                : tensorOf(cast<Attribute>(value));
    if (!tensor)
      return op->emitOpError("cannot be interpreted");
    if (failed(set(frame, result, tensor)))
      return failure();
  }
  return success();
}

/// "'x' row 3, column 7" of an element.
std::string placeOf(StringRef name, int64_t index, const Tensor &tensor) {
  int64_t columns = tensor.shape.empty() ? 1 : tensor.shape.back();
  return ("'" + name + "' row " + Twine(index / columns) + ", column " +
          Twine(index % columns))
      .str();
}

std::string nameOf(StringAttr name, const Twine &otherwise) {
  return name ? name.str() : otherwise.str();
}

} // namespace

LogicalResult mlir::fact::interpret(func::FuncOp main,
                                    ArrayRef<NpyArray> inputs,
                                    std::vector<NpyArray> &results) {
  if (failed(verifyNotRecursive(main)))
    return failure();
  SmallVector<InterpretedRef> arguments, returned;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    auto type = cast<RankedTensorType>(main.getArgument(i).getType());
    auto tensor = std::make_shared<Tensor>(type.getElementType(), input.shape);
    if (tensor->data.size() != input.data.size())
      return main.emitError() << "argument " << i << " has another element type"
                              << " than its array '" << input.dtype << "'";
    tensor->data = input.data;
    if (tensor->element.isF32())
      if (int64_t bad = ::fact::numerics::findUnusable(tensor->as<float>(),
                                                       tensor->size());
          bad >= 0)
        return emitError(UnknownLoc::get(main.getContext()))
               << "input "
               << placeOf(nameOf(main.getArgAttrOfType<StringAttr>(
                                     i, kNameAttrName),
                                 "input " + Twine(i)),
                          bad, *tensor)
               << " is not finite or above 2^50 in magnitude";
    arguments.push_back(std::move(tensor));
  }
  if (failed(Interpreter().call(main, arguments, returned)))
    return failure();
  Operation *exit = main.getBody().front().getTerminator();
  for (auto [i, tensor] : llvm::enumerate(returned)) {
    std::string name =
        nameOf(main.getResultAttrOfType<StringAttr>(i, kNameAttrName),
               "output " + Twine(i));
    for (int64_t at = 0, n = tensor->size(); at < n; ++at)
      if (!tensor->isDefined(at, 1)) {
        InFlightDiagnostic error =
            emitError(exit->getLoc())
            << "output " << placeOf(name, at, *tensor)
            << " holds no value: it comes from an overflow, or from a row that "
               "no mask names";
        error.attachNote(exit->getOperand(i).getLoc()) << "made here";
        return failure();
      }
    if (tensor->element.isF32())
      if (int64_t bad = ::fact::numerics::findNotFinite(tensor->as<float>(),
                                                        tensor->size());
          bad >= 0)
        return emitError(UnknownLoc::get(main.getContext()))
               << "output " << placeOf(name, bad, *tensor) << " is not finite";
    NpyArray array;
    Type type = tensor->element;
    array.dtype = type.isF32()         ? "<f4"
                  : type.isInteger(1)  ? "|b1"
                  : type.isInteger(8)  ? "|i1"
                  : type.isInteger(32) ? "<i4"
                                       : "<i8";
    array.shape = tensor->shape;
    array.data = tensor->data;
    results.push_back(std::move(array));
  }
  return success();
}
