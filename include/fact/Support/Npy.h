//===- Npy.h - NumPy array files (.npy) and archives of them (.npz) -------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SUPPORT_NPY_H
#define FACT_SUPPORT_NPY_H

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fact {

/// An array in C order with its NumPy type: "|b1", "|i1", "|u1", "<i2", "<u2",
/// "<f2", "<i4", "<u4", "<f4", "<i8", "<u8" or "<f8".
struct NpyArray {
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<char> data;

  int64_t numElements() const;

  /// The elements; a fact::Error that starts with `what` unless the type is
  /// exactly T's (bool and uint8_t both read "|b1", whose bytes are 0 or 1).
  template <typename T> const T *as(const std::string &what) const {
    requireType(npyTypeOf<T>(), std::is_same<T, uint8_t>::value, what);
    return reinterpret_cast<const T *>(data.data());
  }

  template <typename T>
  static NpyArray from(std::vector<int64_t> shape, const T *values) {
    NpyArray array{npyTypeOf<T>(), std::move(shape), {}};
    const char *bytes = reinterpret_cast<const char *>(values);
    array.data.assign(bytes, bytes + array.numElements() * sizeof(T));
    return array;
  }

  /// NumPy's name of a C++ type.
  template <typename T> static const char *npyTypeOf() {
    if constexpr (std::is_same<T, bool>::value)
      return "|b1";
    else if constexpr (std::is_same<T, int8_t>::value)
      return "|i1";
    else if constexpr (std::is_same<T, uint8_t>::value)
      return "|u1";
    else if constexpr (std::is_same<T, int16_t>::value)
      return "<i2";
    else if constexpr (std::is_same<T, uint16_t>::value)
      return "<u2";
    else if constexpr (std::is_same<T, int32_t>::value)
      return "<i4";
    else if constexpr (std::is_same<T, uint32_t>::value)
      return "<u4";
    else if constexpr (std::is_same<T, float>::value)
      return "<f4";
    else if constexpr (std::is_same<T, int64_t>::value)
      return "<i8";
    else if constexpr (std::is_same<T, uint64_t>::value)
      return "<u8";
    else {
      static_assert(std::is_same<T, double>::value, "no NumPy type");
      return "<f8";
    }
  }

private:
  void requireType(const char *type, bool orBool,
                   const std::string &what) const;
};

/// Entry `index` of extent `dim` of an array, which is 1 then: one sequence of
/// a batch.
NpyArray takeEntry(const NpyArray &array, size_t dim, int64_t index);
/// Arrays of one type and shape, one after the other along extent `dim`, which
/// is 1.
NpyArray joinEntries(const std::vector<NpyArray> &arrays, size_t dim);

/// An archive: array names without ".npy", in alphabetical order.
using NpzArchive = std::map<std::string, NpyArray>;

/// Reads format versions 1 to 3; Fortran order is converted to C order. Strict:
/// the data must be exactly as long as the header says, which is checked before
/// anything is allocated. fact::Error names the file and the reason.
NpyArray readNpy(const std::string &path);

/// The same for what a model reads: half precision becomes float32, exactly.
NpyArray readInput(const std::string &path);

/// The same from memory; `name` is for messages.
NpyArray parseNpy(std::string_view bytes, const std::string &name);

/// Reads every array of an archive. A member that is no .npy file, a wrong
/// checksum and a name that occurs twice are errors.
NpzArchive readNpz(const std::string &path);

/// The same from memory; `name` is for messages.
NpzArchive parseNpz(std::string_view bytes, const std::string &name);

/// Format version 1 (2 where the header is too long), byte for byte what
/// NumPy's save writes.
void writeNpy(const std::string &path, const NpyArray &array);
std::string formatNpy(const NpyArray &array);

/// An uncompressed archive with fixed time stamps: the same arrays give the
/// same bytes.
void writeNpz(const std::string &path, const NpzArchive &arrays);
std::string formatNpz(const NpzArchive &arrays);

} // namespace fact

#endif // FACT_SUPPORT_NPY_H
