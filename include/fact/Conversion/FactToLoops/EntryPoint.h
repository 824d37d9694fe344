//===- EntryPoint.h - What callers of a compiled function must know -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_CONVERSION_FACTTOLOOPS_ENTRYPOINT_H
#define FACT_CONVERSION_FACTTOLOOPS_ENTRYPOINT_H

#include <cstdint>

namespace mlir {
class Operation;
namespace func {
class FuncOp;
} // namespace func
} // namespace mlir

namespace mlir::fact {

/// What an entry point returns, and puts in `fact_error::code`.
enum class EntryStatus : int32_t {
  Ok = 0,
  BadLength = 1, ///< `row` is the length
  BadInput = 2,  ///< NaN, infinite or above 2^50 in magnitude
  BadOutput = 3, ///< not finite
  BadHost = 4,   ///< the processor lacks a feature, which `tensor` names
};

/// `fact_error` of the C header.
struct EntryError {
  int32_t code = 0;
  const char *tensor = nullptr;
  int64_t row = 0;
  int64_t column = 0;
};

/// What a packed entry point writes of an output, as 64-bit words: the address
/// that its caller passes to free(), the address of the elements, which are
/// dense and in C order, and the extents. Nothing is written unless all is
/// well.
constexpr int packedExtents = 2; ///< The word of the first extent.

/// `fact_parallel` of the C header: calls task(arguments, i) for each i below
/// `count`, in any order, in any threads, and returns when all are done.
struct EntryParallel {
  void (*run)(void *context, int64_t count,
              void (*task)(void *arguments, int64_t index), void *arguments);
  void *context;
};

/// A packed entry point: pointers to the inputs, then to what it writes of each
/// output. Without `parallel` it runs alone.
using PackedEntry = int32_t (*)(void **pointers, int64_t length,
                                EntryError *error,
                                const EntryParallel *parallel);

/// The sequence lengths that a function serves: 1 to the smallest `fact.bound`
/// of its arguments, or the one length that their types fix.
struct EntryLength {
  int64_t smallest = 1;
  int64_t largest = 0;
};
EntryLength entryLength(func::FuncOp main);

} // namespace mlir::fact

#endif // FACT_CONVERSION_FACTTOLOOPS_ENTRYPOINT_H
