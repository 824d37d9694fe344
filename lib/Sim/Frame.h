//===- Frame.h - What a semantic function sees of the machine -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A semantic function touches memory only through views of its operands. A
// view is limited to the extent that the instruction set declares, so that the
// declaration (which planner and hazard checks trust) cannot lie; and it counts
// the bytes that are touched.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_SIM_FRAME_H
#define FACT_LIB_SIM_FRAME_H

#include "Meter.h"
#include "fact/Sim/State.h"

#include <string>
#include <type_traits>

namespace fact::sim {

/// Rows or columns that an instruction works on: `count` from `first` on, in
/// the sequence.
struct Extent {
  int64_t first = 0;
  int64_t count = 0;
};

/// Throws the error of a view that is too small for what is done with it.
[[noreturn]] void failExtent(const char *operand, int64_t bytes, int64_t end);

/// Elements of type T (const T: only read) of one operand. Converts to false
/// where the operand is absent.
template <typename T> class View {
public:
  View() = default;
  explicit operator bool() const { return base != nullptr; }

  /// `n` elements of row `r`; counted as touched. For n = 0 the pointer must
  /// not be used.
  T *row(int64_t r, int64_t n) const { return touch(r * stride, n); }

  /// `n` elements of row `r` from element `first` on.
  T *part(int64_t r, int64_t first, int64_t n) const {
    return touch(r * stride + first * static_cast<int64_t>(sizeof(T)), n);
  }

  /// `n` elements of a vector.
  T *vector(int64_t n) const { return row(0, n); }

  /// Where its rows lie, for bank conflicts.
  BankedRows banked() const {
    return {buffer, static_cast<int64_t>(address), stride};
  }

  /// Counts `n` elements as read once more: by a further sweep, or by another
  /// tile of what they meet.
  void readAgain(int64_t n) const {
    if (read)
      *read += n * static_cast<int64_t>(sizeof(T));
  }

private:
  using Byte =
      std::conditional_t<std::is_const<T>::value, const uint8_t, uint8_t>;
  friend class Frame;

  T *touch(int64_t begin, int64_t n) const {
    if (n == 0) // also where nothing is there: an operand of no bytes
      return reinterpret_cast<T *>(base);
    int64_t size = n * static_cast<int64_t>(sizeof(T));
    if (begin < 0 || begin + size > bytes)
      failExtent(operand, bytes, begin + size);
    if (read)
      *read += size;
    if (written)
      *written += size;
    return reinterpret_cast<T *>(base + begin);
  }

  Byte *base = nullptr;
  int64_t bytes = 0;
  int64_t stride = 0;
  int64_t *read = nullptr, *written = nullptr;
  isa::Buffer buffer = isa::Buffer::Token;
  uint64_t address = 0;
  const char *operand = "";
};

class Frame {
public:
  /// Checks that all operands lie in memory and that nothing read-only is
  /// written; fact::Error otherwise.
  Frame(State &state, const isa::Instruction &instruction, Meter &meter);

  int64_t length() const { return state.length; }
  int64_t value(const isa::ScalarRef &scalar) const {
    return resolver.resolve(scalar);
  }

  /// The part of `rows` rows from row0 on that is in the sequence; none where
  /// row0 is not.
  Extent extent(const isa::ScalarRef &first, int64_t count) const;

  /// An operand by its field's name. `stride` is in bytes. A misaligned operand
  /// is a fact::Error.
  template <typename T>
  View<const T> in(const char *operand, int64_t stride = 0) {
    return view<const T>(operand, stride, true, false);
  }
  template <typename T> View<T> out(const char *operand, int64_t stride = 0) {
    return view<T>(operand, stride, false, true);
  }
  template <typename T> View<T> inOut(const char *operand, int64_t stride = 0) {
    return view<T>(operand, stride, true, true);
  }

  const isa::AccessList &accesses() const { return list; }

  Meter &meter;

private:
  const isa::Access &find(const char *operand) const;
  void checkAlignment(const isa::Access &access, int64_t stride,
                      size_t alignment) const;

  template <typename T>
  View<T> view(const char *operand, int64_t stride, bool read, bool written) {
    const isa::Access &access = find(operand);
    View<T> view;
    if (access.bytes == 0)
      return view;
    checkAlignment(access, stride, alignof(T));
    uint64_t address = static_cast<uint64_t>(access.address);
    view.bytes = access.bytes;
    view.stride = stride;
    view.operand = access.operand;
    view.address = address;
    Work &work = meter.work;
    if (access.dram) {
      view.base = state.dram.data() + address;
      view.read = read ? &work.dramRead : nullptr;
      view.written = written ? &work.dramWritten : nullptr;
    } else {
      view.buffer = state.bufferOf(address);
      unsigned buffer = static_cast<unsigned>(view.buffer);
      view.base = state.sram.data() + address;
      view.read = read ? &work.sramRead[buffer] : nullptr;
      view.written = written ? &work.sramWritten[buffer] : nullptr;
    }
    return view;
  }

  State &state;
  isa::Resolver resolver;
  isa::AccessList list;
};

} // namespace fact::sim

#endif // FACT_LIB_SIM_FRAME_H
