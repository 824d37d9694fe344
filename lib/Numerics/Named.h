//===- Named.h - Enumerators and the names that texts give them -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_NUMERICS_NAMED_H
#define FACT_LIB_NUMERICS_NAMED_H

#include <cstddef>
#include <optional>
#include <string_view>

namespace fact::numerics {

template <typename E> struct Named {
  E value;
  std::string_view name;
};

template <typename E, size_t N>
std::string_view nameIn(const Named<E> (&table)[N], E value) {
  for (const Named<E> &entry : table)
    if (entry.value == value)
      return entry.name;
  return "?";
}

template <typename E, size_t N>
std::optional<E> parseIn(const Named<E> (&table)[N], std::string_view text) {
  for (const Named<E> &entry : table)
    if (entry.name == text)
      return entry.value;
  return std::nullopt;
}

} // namespace fact::numerics

#endif // FACT_LIB_NUMERICS_NAMED_H
