//===- EmitterLanes.cpp - Lanes of vectors --------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "fact/Numerics/FloatRules.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::fact;
using namespace mlir::fact::loops;

Value Emitter::slice(Value vector, int64_t first, int64_t n) {
  assert(first + n <= cast<VectorType>(vector.getType()).getDimSize(0));
  if (cast<VectorType>(vector.getType()).getDimSize(0) == n)
    return vector;
  return vector::ExtractStridedSliceOp::create(
      b, vector, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{n},
      ArrayRef<int64_t>{1});
}

Value Emitter::join(ArrayRef<Value> parts) {
  if (parts.size() == 1)
    return parts[0];
  auto type = cast<VectorType>(parts[0].getType());
  int64_t n = type.getDimSize(0);
  Value all = arith::ConstantOp::create(
      b, b.getZeroAttr(vectorOf(type.getElementType(),
                                n * static_cast<int64_t>(parts.size()))));
  for (auto [i, part] : llvm::enumerate(parts))
    all = vector::InsertStridedSliceOp::create(
        b, part, all, ArrayRef<int64_t>{static_cast<int64_t>(i) * n},
        ArrayRef<int64_t>{1});
  return all;
}

SmallVector<Value> Emitter::lanesOf(Value vector) {
  int64_t n = cast<VectorType>(vector.getType()).getDimSize(0);
  SmallVector<Value> parts;
  for (int64_t at = 0; at < n; at += lanes)
    parts.push_back(slice(vector, at, lanes));
  return parts;
}

Value Emitter::foldLanes(Value vector,
                         llvm::function_ref<Value(Value, Value)> combine) {
  SmallVector<Value> parts = lanesOf(vector);
  Value all = parts.front();
  for (Value part : ArrayRef(parts).drop_front())
    all = combine(all, part);
  return all;
}

ModuleOp Emitter::module() {
  return b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
}

Value Emitter::toBits(Value mask) {
  int64_t n = cast<VectorType>(mask.getType()).getDimSize(0);
  Type type = b.getIntegerType(static_cast<unsigned>(n));
  return vector::ExtractOp::create(
      b, vector::BitCastOp::create(b, VectorType::get({1}, type), mask), 0);
}

Value Emitter::fromBits(Value bits) {
  int64_t n = bits.getType().getIntOrFloatBitWidth();
  return vector::BitCastOp::create(
      b, vectorOf(i1, n),
      vector::BroadcastOp::create(b, VectorType::get({1}, bits.getType()),
                                  bits));
}

Value Emitter::toCodes(const Real &rounded, Type type, bool isUnsigned) {
  auto vector = dyn_cast<VectorType>(rounded.value.getType());
  constexpr int64_t n = 64;
  bool packs = options.tier->hasMasks() && !options.emulate;
  if (!packs || type != i8 || !vector || vector.getDimSize(0) != n)
    return toInteger(rounded, type);
  // Of truncations LLVM makes instructions that each do the work of two.
  SmallVector<Value> words;
  for (Value part : lanesOf(rounded.unrounded ? rounded.unrounded : rounded))
    words.push_back(callIntrinsic("llvm.lrint", vectorOf(i32), part));
  auto pack = [&](StringRef intrinsic, Type element, Value a, Value b) {
    int64_t n = 2 * cast<VectorType>(a.getType()).getDimSize(0);
    return callIntrinsic(intrinsic, vectorOf(element, n), {a, b});
  };
  StringRef toWords = "llvm.x86.avx512.packssdw.512",
            toBytes = isUnsigned ? "llvm.x86.avx512.packuswb.512"
                                 : "llvm.x86.avx512.packsswb.512";
  Value codes = pack(toBytes, i8, pack(toWords, i16, words[0], words[1]),
                     pack(toWords, i16, words[2], words[3]));
  // They work in quarters of a register: four codes of the first words, four of
  // the second ones, ...
  SmallVector<int64_t> order;
  for (int64_t word = 0; word < 4; ++word)
    for (int64_t quarter = 0; quarter < 4; ++quarter)
      order.push_back(quarter * 4 + word);
  Value fours = vector::BitCastOp::create(b, vectorOf(i32), codes);
  fours = vector::ShuffleOp::create(b, fours, fours, order);
  return vector::BitCastOp::create(b, vectorOf(i8, n), fours);
}

Value Emitter::toI32(Value integer) {
  unsigned width = integer.getType().getIntOrFloatBitWidth();
  if (width > 32)
    return arith::TruncIOp::create(b, i32, integer);
  return width == 32 ? integer : arith::ExtUIOp::create(b, i32, integer);
}

Value Emitter::countOnes(Value mask) {
  Value ones = math::CtPopOp::create(b, toBits(mask));
  if (ones.getType().getIntOrFloatBitWidth() < 64)
    ones = arith::ExtUIOp::create(b, i64, ones);
  return toIndex(ones);
}

Value Emitter::callIntrinsic(StringRef intrinsic, Type result,
                             ValueRange arguments) {
  std::string name = ("__fact_" + intrinsic).str();
  llvm::replace(name, '.', '_');
  auto function = module().lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!function) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(module().getBody());
    function = LLVM::LLVMFuncOp::create(
        b, name,
        LLVM::LLVMFunctionType::get(result,
                                    llvm::to_vector(arguments.getTypes())),
        LLVM::Linkage::Internal);
    function->setAttr("passthrough", b.getStrArrayAttr({"alwaysinline"}));
    Block *body = function.addEntryBlock(b);
    b.setInsertionPointToStart(body);
    auto call = LLVM::CallIntrinsicOp::create(
        b, result, b.getStringAttr(intrinsic), body->getArguments());
    LLVM::ReturnOp::create(b, call->getResults());
  }
  assert(function.getFunctionType().getReturnType() == result &&
         "of one type in a module");
  return LLVM::CallOp::create(b, function, arguments).getResult();
}

Value Emitter::foldAll(Value vector,
                       llvm::function_ref<Value(Value, Value)> combine) {
  int64_t n = cast<VectorType>(vector.getType()).getDimSize(0);
  for (; n > 1; n /= 2)
    vector = combine(slice(vector, 0, n / 2), slice(vector, n / 2, n / 2));
  return vector::ExtractOp::create(b, vector, 0);
}

Value Emitter::foldEach(ArrayRef<Value> vectors,
                        llvm::function_ref<Value(Value, Value)> combine) {
  assert(!vectors.empty() && vectors.size() <= lanes);
  SmallVector<Value> parts(vectors);
  parts.resize(lanes);
  // In each round vectors of which half of the lanes are of one, half of
  // another: runs of 8 lanes, of 4, ... In the end lane i is vector i's.
  for (int64_t run = lanes / 2; run > 0; run /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      bool isSecond = lane / run % 2;
      int64_t begin = lane / (2 * run) * (2 * run) + (isSecond ? lanes : 0);
      low.push_back(begin + lane % run);
      high.push_back(begin + run + lane % run);
    }
    size_t half = parts.size() / 2;
    for (size_t i = 0; i < half; ++i) {
      if (!parts[i])
        continue;
      Value other = parts[i + half] ? parts[i + half] : parts[i];
      parts[i] = combine(vector::ShuffleOp::create(b, parts[i], other, low),
                         vector::ShuffleOp::create(b, parts[i], other, high));
    }
    parts.resize(half);
  }
  return parts.front();
}

Real Emitter::sumTree(const Real &laneSums) {
  Real scalars[lanes];
  for (int64_t i = 0; i < lanes; ++i)
    scalars[i] = f32(vector::ExtractOp::create(b, laneSums.value, i));
  return ::fact::numerics::rsumTree(scalars);
}

static Value reduce(Emitter &e, vector::CombiningKind kind, Value vector) {
  return vector::ReductionOp::create(e.b, kind, vector);
}

Value Emitter::reduceMax(Value vector) {
  return reduce(*this, vector::CombiningKind::MAXSI, vector);
}
Value Emitter::reduceMin(Value vector) {
  return reduce(*this, vector::CombiningKind::MINSI, vector);
}
Value Emitter::reduceAdd(Value vector) {
  return reduce(*this, vector::CombiningKind::ADD, vector);
}

Value Emitter::magnitudeLanes(Value memory, Value from, int64_t n) {
  // Several registers of the largest, which do not wait for each other.
  int64_t wide = options.tier->floats, whole = n / wide * wide;
  auto larger = [&](Value offset, int64_t n, int64_t width, Value largest) {
    Real x = f32(loadLanes(memory, add(from, offset), n, width));
    return SmallVector<Value>{maximum(absolute(x), f32(largest)).value};
  };
  Value largest = foldLanes(
      forReduce(index(0), index(whole), wide, splatReal(f32(0.0f), wide).value,
                [&](Value offset, ValueRange carried) {
                  return larger(offset, wide, wide, carried[0]);
                })[0],
      [&](Value a, Value b) { return maximum(f32(a), f32(b)).value; });
  return reduceChunks(
      n - whole, largest, [&](Value offset, int64_t width, ValueRange carried) {
        return larger(add(offset, whole), lanes, width, carried[0]);
      })[0];
}

Value Emitter::largerMagnitudes(Value a, Value b) {
  auto bits = [&](Value floats) -> Value {
    return arith::BitcastOp::create(this->b, shapedLike(floats.getType(), i32),
                                    floats);
  };
  return arith::BitcastOp::create(
      this->b, a.getType(), arith::MaxSIOp::create(this->b, bits(a), bits(b)));
}

Real Emitter::largestOfLanes(Value magnitudes) {
  // They order as their bits: an integer reduction needs no rule for NaN.
  Value bits = arith::BitcastOp::create(b, vectorOf(i32), magnitudes);
  return f32(arith::BitcastOp::create(b, f32Type, reduceMax(bits)));
}

Value Emitter::firstLanes(int64_t width) {
  SmallVector<bool> inside(lanes, false);
  std::fill(inside.begin(), inside.begin() + width, true);
  return arith::ConstantOp::create(
      b, cast<TypedAttr>(
             cast<Attribute>(DenseElementsAttr::get(vectorOf(i1), inside))));
}
