//===- Frame.cpp - What a semantic function sees of the machine -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Frame.h"

#include "fact/ISA/CheckProgram.h"
#include "fact/Support/Error.h"

#include <cstring>

namespace fact::sim {

static std::string quote(const char *operand) {
  return "'" + std::string(operand) + "'";
}

void failExtent(const char *operand, int64_t bytes, int64_t end) {
  throw Error("operand " + quote(operand) + " is declared to touch " +
              std::to_string(bytes) + " bytes but is used up to byte " +
              std::to_string(end));
}

Frame::Frame(State &state, const isa::Instruction &instruction, Meter &meter)
    : meter(meter), state(state), resolver(state.resolver()),
      list(isa::accesses(instruction, resolver)) {
  for (const isa::Access &access : list)
    if (auto reason = isa::whyNotAllowed(access, state.sram.size(),
                                         state.dram.size(), state.readOnly))
      throw Error(*reason);
}

Extent Frame::extent(const isa::ScalarRef &first, int64_t count) const {
  return {value(first), resolver.extent(first, count)};
}

const isa::Access &Frame::find(const char *operand) const {
  for (const isa::Access &access : list)
    if (std::strcmp(access.operand, operand) == 0)
      return access;
  throw Error("the instruction has no operand " + quote(operand));
}

void Frame::checkAlignment(const isa::Access &access, int64_t stride,
                           size_t alignment) const {
  uint64_t mask = alignment - 1;
  if (static_cast<uint64_t>(access.address) & mask)
    throw Error("operand " + quote(access.operand) + " is not aligned to " +
                std::to_string(alignment) + " bytes (address " +
                std::to_string(access.address) + ")");
  if (static_cast<uint64_t>(stride) & mask)
    throw Error("rows of operand " + quote(access.operand) +
                " are not aligned to " + std::to_string(alignment) +
                " bytes (stride " + std::to_string(stride) + ")");
}

} // namespace fact::sim
