//===- Walker.cpp - Walks the instruction stream --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Walker.h"

#include <algorithm>

namespace fact::isa {

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

Code::Code(const Program &program)
    : source(&program), partners(program.instructions.size()) {
  program.validate();
  std::vector<size_t> loops;
  for (size_t index = 0; index < size(); ++index) {
    if (std::holds_alternative<Loop>((*this)[index])) {
      loops.push_back(index);
    } else if (std::holds_alternative<EndLoop>((*this)[index])) {
      partners[index] = loops.back();
      partners[loops.back()] = index;
      loops.pop_back();
    }
  }
}

std::string Code::describe(size_t index) const {
  std::string result = "instruction " + std::to_string(index);
  const std::string &text = source->sources[source->sourceOf[index]];
  if (!text.empty())
    result += " (" + text + ")";
  return result + " '" + print((*this)[index]) + "'";
}

//===----------------------------------------------------------------------===//
// Walker
//===----------------------------------------------------------------------===//

static int64_t wrappingMulAdd(int64_t a, int64_t b, int64_t c, int64_t d) {
  return static_cast<int64_t>(
      static_cast<uint64_t>(a) * static_cast<uint64_t>(b) +
      static_cast<uint64_t>(c) + static_cast<uint64_t>(d));
}

bool Walker::next(size_t &index) {
  if (halted)
    return false;
  index = position++;
  const Instruction &instruction = code[index];
  auto boundOf = [this](const Loop &loop) -> int64_t {
    int64_t limit = loop.limit, step = loop.step;
    int64_t bound = loop.len ? std::min(length, limit) : limit;
    return bound <= 0 ? 0 : ((bound + step - 1) / step + loop.extra) * step;
  };
  if (auto *loop = std::get_if<Loop>(&instruction)) {
    registers[loop->rd] = 0;
    if (boundOf(*loop) <= 0)
      position = code.partner(index) + 1;
  } else if (std::holds_alternative<EndLoop>(instruction)) {
    auto &loop = std::get<Loop>(code[code.partner(index)]);
    registers[loop.rd] += loop.step;
    if (registers[loop.rd] < boundOf(loop))
      position = code.partner(index) + 1;
  } else if (auto *add = std::get_if<MulAdd>(&instruction)) {
    registers[add->rd] = wrappingMulAdd(registers[add->rs], add->factor,
                                        registers[add->rt], add->addend);
  } else if (auto *rotate = std::get_if<Rotate>(&instruction)) {
    int64_t &slot = registers[rotate->rd];
    slot = wrappingMulAdd(slot, 1, rotate->step, 0);
    if (slot >= rotate->size)
      slot -= rotate->size;
  } else if (auto *clip = std::get_if<Clip>(&instruction)) {
    int64_t value = registers[clip->rs];
    registers[clip->rd] = value >= 0 && value < clip->limit ? 0 : clippedRow;
  } else if (auto *clamp = std::get_if<Clamp>(&instruction)) {
    registers[clamp->rd] =
        std::max<int64_t>(registers[clamp->rs], clamp->least);
  } else if (std::holds_alternative<Halt>(instruction)) {
    halted = true;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

std::string Fault::text(const Code &code) const {
  std::string result =
      instruction ? code.describe(*instruction) + ": " + reason : reason;
  if (other)
    result += "\nnote: " + code.describe(*other) + ": " + note;
  return result;
}

} // namespace fact::isa
