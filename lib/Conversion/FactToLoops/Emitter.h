//===- Emitter.h - Loops, chunks of a row, buffers ------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the lowerings of all fact ops share. A row of static width is worked on
// in chunks of 16 lanes, the last of which may be narrower in memory but never
// in registers; a row as long as the sequence lives in scratch memory that is
// padded to a multiple of 16.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_CONVERSION_FACTTOLOOPS_EMITTER_H
#define FACT_LIB_CONVERSION_FACTTOLOOPS_EMITTER_H

#include "Real.h"

#include "fact/Conversion/FactToLoops/Tier.h"
#include "fact/Dialect/Fact/IR/Fact.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::fact::loops {

/// Lanes of every vector.
inline constexpr int64_t lanes = 16;

inline int64_t roundUp(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// What the pass decides for all lowerings.
struct LoopOptions {
  bool fillUndefined = false;
  /// What products are made for.
  const Tier *tier = nullptr;
  /// Plain arithmetic in place of the tier's instructions, with all that is
  /// laid out for them: for tests on hosts without them.
  bool emulate = false;
  /// See fact/Conversion/FactToLoops/Profile.h.
  bool profile = false;
};

/// Columns begin .. end - 1 of a row, as index values.
struct ColumnRange {
  Value begin, end;
};

class Emitter {
public:
  /// Inside of functions on buffers.
  Emitter(const OpBuilder &builder, Location loc, const LoopOptions &options);
  /// In front of an op on tensors, in whose place the emitted code is to come.
  Emitter(Operation *op, const LoopOptions &options);
  Emitter(const Emitter &) = delete;
  Emitter &operator=(const Emitter &) = delete;

  ImplicitLocOpBuilder b;
  LoopOptions options;
  RealContext real;

  //===--- Index arithmetic -----------------------------------------------===//
  Value index(int64_t value);
  Value add(Value x, Value y);
  Value add(Value x, int64_t y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value mul(Value x, int64_t y);
  Value div(Value x, Value y);
  Value div(Value x, int64_t y) { return div(x, index(y)); }
  Value rem(Value x, Value y);
  Value rem(Value x, int64_t y) { return rem(x, index(y)); }
  Value ceilDiv(Value x, int64_t y);
  Value roundUp(Value x, int64_t multiple);
  Value min(Value x, Value y);
  Value max(Value x, Value y);
  Value integer(Type type, int64_t value) {
    return integerConstant(b, type, value);
  }
  Value toIndex(Value x);
  /// An index as an integer of `type`.
  Value fromIndex(Value x, Type type);
  Value compare(arith::CmpIPredicate predicate, Value x, Value y);

  //===--- Floats ---------------------------------------------------------===//
  Real f32(Value value) { return {&real, value}; }
  Real f32(float value);
  Real splatReal(Value scalar);
  Value splatValue(Value scalar, int64_t n = lanes);
  Real splatReal(Value scalar, int64_t n) { return f32(splatValue(scalar, n)); }
  Real zeros();

  //===--- Control --------------------------------------------------------===//
  using Body = llvm::function_ref<void(Value)>;
  using ReduceBody = llvm::function_ref<SmallVector<Value>(Value, ValueRange)>;
  void forRange(Value begin, Value end, Value step, Body body);
  void forRange(Value begin, Value end, int64_t step, Body body) {
    forRange(begin, end, index(step), body);
  }
  void forRange(Value end, Body body) { forRange(index(0), end, 1, body); }
  /// start(i) and finish(i) of each index below `end`, in order; i + 1 starts
  /// before i finishes.
  void overlap(Value end, Body start, Body finish);
  SmallVector<Value> forReduce(Value begin, Value end, int64_t step,
                               ValueRange init, ReduceBody body);
  void ifThen(Value condition, llvm::function_ref<void()> body);
  void ifElse(Value condition, llvm::function_ref<void()> body,
              llvm::function_ref<void()> orElse);
  SmallVector<Value> select(Value condition,
                            llvm::function_ref<SmallVector<Value>()> body,
                            llvm::function_ref<SmallVector<Value>()> orElse);

  /// What `body` emits becomes a private function of its own, called from here,
  /// once `outlineParts` has run; equal ones are one function. `ops` are what a
  /// profile says that it computes.
  void part(StringRef name, ArrayRef<Operation *> ops,
            llvm::function_ref<void()> body);
  /// For a profile, inside of a part: see ProfileRegions.h.
  void countWork(llvm::function_ref<Value()> multiplications,
                 llvm::function_ref<Value()> bytes);

  /// Calls body(index) for each index below `count`, in any order or at the
  /// same time, as a function of its own. What it allocates is the iteration's.
  void parallelFor(StringRef name, ArrayRef<Operation *> ops, Value count,
                   Body body);

  /// The chunks of a row of `n` elements: their offset and their width in
  /// memory (16, but for the last one).
  using ChunkBody = llvm::function_ref<void(Value, int64_t)>;
  using ChunkReduceBody =
      llvm::function_ref<SmallVector<Value>(Value, int64_t, ValueRange)>;
  void forChunks(int64_t n, ChunkBody body);
  SmallVector<Value> reduceChunks(int64_t n, ValueRange init,
                                  ChunkReduceBody body);
  using VectorBody = llvm::function_ref<void(Value, int64_t, int64_t)>;
  /// The same with as many lanes as the tier works on at once where whole ones
  /// are left: offset, lanes, width in memory.
  void forVectors(int64_t n, VectorBody body) {
    forVectors(n, options.tier->floats, body);
  }
  /// Of codes of 8 bits: as many as a register has.
  void forCodes(int64_t n, VectorBody body) {
    forVectors(n, options.tier->sums * 4, body);
  }
  /// The chunks of a padded row of dynamic length.
  void forPadded(Value n, Body body) { forRange(index(0), n, lanes, body); }
  SmallVector<Value> reducePadded(Value n, ValueRange init, ReduceBody body) {
    return forReduce(index(0), n, lanes, init, body);
  }
  /// The same of the chunks that hold some columns.
  void forPadded(const ColumnRange &chunks, Body body) {
    forRange(chunks.begin, chunks.end, lanes, body);
  }
  SmallVector<Value> reducePadded(const ColumnRange &chunks, ValueRange init,
                                  ReduceBody body) {
    return forReduce(chunks.begin, chunks.end, lanes, init, body);
  }
  /// The columns that a row sees through a window (null: all of them).
  ColumnRange windowOf(WindowAttr window, Value row, Value length);
  ColumnRange chunksAround(const ColumnRange &columns);
  /// 0, 1, ... n - 1 as vector<n x i32>.
  Value laneNumbers(int64_t n = lanes);
  /// offset + lane < end, as vector<n x i1>.
  Value lanesBelow(Value offset, Value end, int64_t n = lanes);
  /// Whether offset + lane is one of the columns, as vector<n x i1>.
  Value lanesWithin(Value offset, const ColumnRange &columns,
                    int64_t n = lanes);

  //===--- Memory ---------------------------------------------------------===//
  /// Calls `body` with the builder in front of the emitted code.
  Value inFront(llvm::function_ref<Value()> body);
  /// The buffer of a tensor, dense; null for null. It, and what else is made of
  /// tensors, stands in front of the emitted code.
  Value buffer(Value tensor);
  /// The same with one dimension.
  Value flat(Value tensor);
  /// An extent of a tensor.
  Value extent(Value tensor, int64_t dimension);
  /// A new buffer for a result of an op, whose open dimensions are all
  /// `length`; with --fill-undefined full of garbage.
  Value allocResult(Value tensor, Value length);
  /// What would be seen at once if it reached a result.
  void fillWithGarbage(Value memref);
  /// Puts results' buffers in the place of the op's results, and erases it.
  void replace(Operation *op);
  Value alloc(Type element, ArrayRef<int64_t> shape,
              ValueRange dynamicSizes = {});
  /// One-dimensional scratch memory.
  Value scratch(Type element, Value size) {
    return alloc(element, {ShapedType::kDynamic}, size);
  }
  Value dim(Value memref, int64_t index);

  Value load(Value memref, ValueRange indices);
  void store(Value value, Value memref, ValueRange indices);
  /// `n` lanes of which the first `width` are in memory; the others are 0.
  Value loadLanes(Value memref, ValueRange indices, int64_t n, int64_t width);
  Value loadChunk(Value memref, ValueRange indices, int64_t width = lanes) {
    return loadLanes(memref, indices, lanes, width);
  }
  /// The first `width` lanes of a vector of any size.
  void storeChunk(Value vector, Value memref, ValueRange indices,
                  int64_t width = lanes);
  Real loadReal(Value memref, ValueRange indices, int64_t width = lanes) {
    return f32(loadChunk(memref, indices, width));
  }
  Real loadScalar(Value memref, ValueRange indices) {
    return f32(load(memref, indices));
  }
  void fill(Value flat, Value size, Value scalar);
  /// Asks for `n` elements from `index` on: into the nearest cache, or the
  /// second one.
  enum class Cache { Nearest, Second };
  void prefetch(Value flat, Value index, int64_t n,
                Cache cache = Cache::Nearest);

  VectorType vectorOf(Type element, int64_t n = lanes) {
    return VectorType::get({n}, element);
  }
  Type i1, i8, i16, i32, i64, f32Type;

  //===--- Lanes (EmitterLanes.cpp) ---------------------------------------===//
  /// `n` lanes from one on, and vectors of one type behind each other.
  Value slice(Value vector, int64_t first, int64_t n);
  Value join(ArrayRef<Value> parts);
  /// Groups of 16 lanes of a vector.
  SmallVector<Value> lanesOf(Value vector);
  /// Combines them into one.
  Value foldLanes(Value vector,
                  llvm::function_ref<Value(Value, Value)> combine);
  /// rsum's tree over 16 lane sums.
  Real sumTree(const Real &laneSums);
  /// A call of LLVM's intrinsic, in a function that LLVM inlines: bufferization
  /// knows what a call does to memory, and of an intrinsic it does not.
  Value callIntrinsic(StringRef intrinsic, Type result, ValueRange arguments);
  /// Lane i: the 16 lanes of vectors[i] combined, of 16 vectors at most. Lanes
  /// that no vector has may be anything.
  Value foldEach(ArrayRef<Value> vectors,
                 llvm::function_ref<Value(Value, Value)> combine);
  /// Combines the halves of a vector, and theirs, down to a scalar.
  Value foldAll(Value vector, llvm::function_ref<Value(Value, Value)> combine);
  /// Constant: lanes 0 .. width - 1 of 16.
  Value firstLanes(int64_t width);
  /// The larger ones of two vectors of floats that are not below 0, by their
  /// bits. (A compare and a select whose result goes back to memory become a
  /// store under a mask, from which no load can take its value in time.)
  Value largerMagnitudes(Value a, Value b);
  /// Largest of 16 magnitudes.
  Real largestOfLanes(Value magnitudes);
  /// A vector of i1 as an integer of as many bits, and back.
  Value toBits(Value mask);
  Value fromBits(Value bits);
  /// Codes of `type`, from 0 on or signed, of floats that all are such codes.
  /// (Where `roundToEven` made them, of what they were before: that is rounded
  /// on the way.)
  Value toCodes(const Real &rounded, Type type, bool isUnsigned = false);
  /// An unsigned integer of another width, or its low half.
  Value toI32(Value integer);
  /// How many lanes of a vector of i1 are set, as an index.
  Value countOnes(Value mask);
  Value reduceMax(Value vector);
  Value reduceMin(Value vector);
  Value reduceAdd(Value vector);
  /// 16 lanes whose largest is the largest |x| of `n` elements from one on.
  Value magnitudeLanes(Value memory, Value from, int64_t n);

private:
  void forVectors(int64_t n, int64_t wide, VectorBody body);
  /// What the emitted code is in.
  ModuleOp module();

  Operation *front = nullptr;
  DenseMap<Value, Value> buffers, flats, results;
};

/// Marks loops of Emitter::parallelFor.
inline constexpr StringLiteral parallelAttrName = "fact_parallel";

/// Makes functions of what Emitter::part marked; those of a profile say when
/// they run.
void outlineParts(ModuleOp module, bool profile);

} // namespace mlir::fact::loops

#endif // FACT_LIB_CONVERSION_FACTTOLOOPS_EMITTER_H
