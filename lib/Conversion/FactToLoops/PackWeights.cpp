//===- PackWeights.cpp - Weights in the order of the products -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackWeights.h"

#include "Kernel.h"

#include "fact/Dialect/Fact/IR/Weights.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

namespace {

/// Sizes of a packed weight.
struct Shape {
  Shape(Value weight, const Tier &tier)
      : k(cast<ShapedType>(weight.getType()).getDimSize(0)),
        n(cast<ShapedType>(weight.getType()).getDimSize(1)),
        step(Tier::step(tier.dot)), codes(packedCodes(tier.dot, k)),
        groups((n + groupColumns - 1) / groupColumns) {}
  int64_t k, n, step, codes, groups;

  int64_t size() const { return groups * codes * groupColumns; }
};

/// All calls of a private function, if nothing else uses it.
std::optional<SmallVector<func::CallOp>> callsOf(func::FuncOp function,
                                                 ModuleOp module) {
  if (!function.isPrivate())
    return std::nullopt;
  SmallVector<func::CallOp> calls;
  auto uses = SymbolTable::getSymbolUses(function, module);
  if (!uses)
    return std::nullopt;
  for (SymbolTable::SymbolUse use : *uses) {
    auto call = dyn_cast<func::CallOp>(use.getUser());
    if (!call)
      return std::nullopt;
    calls.push_back(call);
  }
  return calls;
}

} // namespace

PackedWeight WeightPacker::pack(Value weight) {
  auto found = packed.find(weight);
  if (found != packed.end())
    return found->second;
  PackedWeight result;
  if (matchPattern(weight, m_Constant()))
    result = packConstant(weight);
  else if (auto argument = dyn_cast<BlockArgument>(weight))
    result = packArgument(argument);
  if (!result.codes)
    result = packAtRunTime(weight);
  return packed[weight] = result;
}

PackedWeight WeightPacker::packConstant(Value weight) {
  Attribute attribute;
  matchPattern(weight, m_Constant(&attribute));
  auto elements = ConstantElements<int8_t>::of(attribute);
  if (!elements)
    return {};
  Shape shape(weight, *options.tier);
  std::vector<int8_t> codes(shape.size(), 0);
  std::vector<int32_t> corrections(shape.groups * groupColumns, 0),
      highCorrections(shape.groups * groupColumns, 0);
  const int8_t *source = elements->data();
  for (int64_t group = 0; group < shape.groups; ++group) {
    int64_t first = group * groupColumns,
            columns = std::min(groupColumns, shape.n - first);
    int8_t *to = &codes[group * shape.codes * groupColumns];
    for (int64_t row = 0; row < shape.k; ++row) {
      const int8_t *from = source + row * shape.n + first;
      int8_t *step =
          to + row / shape.step * shape.step * groupColumns + row % shape.step;
      for (int64_t column = 0; column < columns; ++column) {
        int code = from[column];
        step[column * shape.step] = from[column];
        corrections[first + column] -= 128 * code;
        highCorrections[first + column] -= 128 * ((code + 8) >> 4);
      }
    }
  }
  OpBuilder builder(weight.getContext());
  builder.setInsertionPointAfterValue(weight);
  Location loc = weight.getLoc();
  PackedWeight result;
  result.codes = arith::ConstantOp::create(
      builder, loc,
      constantOf(RankedTensorType::get(shape.size(), builder.getI8Type()),
                 ArrayRef<int8_t>(codes), elements->key(), "_packed"));
  auto sums = [&](ArrayRef<int32_t> values) -> Value {
    auto type = RankedTensorType::get(values.size(), builder.getI32Type());
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(type, values));
  };
  if (options.tier->offset)
    result.corrections = sums(corrections),
    result.highCorrections = sums(highCorrections);
  return result;
}

PackedWeight WeightPacker::packArgument(BlockArgument weight) {
  auto function = dyn_cast<func::FuncOp>(weight.getOwner()->getParentOp());
  if (!function)
    return {};
  auto calls = callsOf(function, module);
  if (!calls || calls->empty())
    return {};
  unsigned number = weight.getArgNumber();
  SmallVector<PackedWeight> passed;
  for (func::CallOp call : *calls)
    passed.push_back(pack(call.getOperand(number)));
  auto add = [&](auto member) {
    unsigned at = function.getNumArguments();
    Type type = (passed.front().*member).getType();
    if (failed(function.insertArgument(at, type, DictionaryAttr(),
                                       weight.getLoc())))
      llvm_unreachable("an argument at the end");
    for (auto [call, values] : llvm::zip(*calls, passed))
      call.getOperandsMutable().append(values.*member);
    return Value(function.getArgument(at));
  };
  PackedWeight result;
  result.codes = add(&PackedWeight::codes);
  if (passed.front().corrections)
    result.corrections = add(&PackedWeight::corrections),
    result.highCorrections = add(&PackedWeight::highCorrections);
  return result;
}

PackedWeight WeightPacker::packAtRunTime(Value weight) {
  OpBuilder builder(weight.getContext());
  builder.setInsertionPointAfterValue(weight);
  Emitter e(builder, weight.getLoc(), options);
  Shape shape(weight, *options.tier);
  auto type = cast<RankedTensorType>(weight.getType());
  Value source = bufferization::ToBufferOp::create(
      e.b, MemRefType::get(type.getShape(), type.getElementType()), weight,
      /*read_only=*/true);
  Value codes = e.alloc(e.i8, {shape.size()}),
        sums = e.alloc(e.i32, {shape.groups * groupColumns}),
        highSums = e.alloc(e.i32, {shape.groups * groupColumns});
  e.forRange(e.index(shape.size()),
             [&](Value at) { e.store(e.integer(e.i8, 0), codes, at); });
  e.forRange(e.index(shape.groups * groupColumns), [&](Value at) {
    e.store(e.integer(e.i32, 0), sums, at);
    e.store(e.integer(e.i32, 0), highSums, at);
  });
  auto subtract = [&](Value code, Value from, Value column) {
    e.store(e.sub(e.load(from, column), e.mul(code, 128)), from, column);
  };
  e.forRange(e.index(shape.k), [&](Value row) {
    e.forRange(e.index(shape.n), [&](Value column) {
      Value code =
          arith::ExtSIOp::create(e.b, e.i32, e.load(source, {row, column}));
      Value at =
          e.add(e.mul(e.add(e.mul(e.div(column, groupColumns), shape.codes),
                            e.mul(e.div(row, shape.step), shape.step)),
                      groupColumns),
                e.add(e.mul(e.rem(column, groupColumns), shape.step),
                      e.rem(row, shape.step)));
      e.store(arith::TruncIOp::create(e.b, e.i8, code), codes, at);
      subtract(code, sums, column);
      subtract(arith::ShRSIOp::create(e.b, e.add(code, 8), e.integer(e.i32, 4)),
               highSums, column);
    });
  });
  auto asTensor = [&](Value memref) -> Value {
    return bufferization::ToTensorOp::create(
        e.b, memref::getTensorTypeFromMemRefType(memref.getType()), memref,
        /*restrict=*/true, /*writable=*/false);
  };
  PackedWeight result{asTensor(codes), {}, {}};
  if (options.tier->offset)
    result.corrections = asTensor(sums),
    result.highCorrections = asTensor(highSums);
  return result;
}

void WeightPacker::dropUnused() {
  // From the inside out: what a callee drops its caller may drop too.
  bool changed = true;
  while (changed) {
    changed = false;
    for (auto function : module.getOps<func::FuncOp>()) {
      auto calls = callsOf(function, module);
      if (!calls || calls->empty() || function.isExternal())
        continue;
      llvm::BitVector unused(function.getNumArguments());
      for (BlockArgument argument : function.getArguments())
        if (argument.use_empty())
          unused.set(argument.getArgNumber());
      if (unused.none())
        continue;
      changed = true;
      if (failed(function.eraseArguments(unused)))
        llvm_unreachable("nobody reads them");
      for (func::CallOp call : *calls)
        call->eraseOperands(unused);
    }
  }
  module.walk([](arith::ConstantOp constant) {
    if (constant->use_empty())
      constant.erase();
  });
}
