//===- ControlProcessor.cpp - Walks the instruction stream ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ControlProcessor.h"

#include "Deadlock.h"
#include "Semantics.h"
#include "fact/Support/Error.h"

#include <algorithm>

namespace fact::sim {

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

Code::Code(const isa::Program &program)
    : source(&program), partners(program.instructions.size()) {
  program.validate();
  std::vector<size_t> loops;
  for (size_t index = 0; index < size(); ++index) {
    if (std::holds_alternative<isa::Loop>((*this)[index])) {
      loops.push_back(index);
    } else if (std::holds_alternative<isa::EndLoop>((*this)[index])) {
      partners[index] = loops.back();
      partners[loops.back()] = index;
      loops.pop_back();
    }
  }
}

std::string Code::describe(size_t index) const {
  std::string result = "instruction " + std::to_string(index);
  const isa::Program &program = *source;
  if (!program.sources[program.sourceOf[index]].empty())
    result += " (" + program.sources[program.sourceOf[index]] + ")";
  return result + " '" + isa::print((*this)[index]) + "'";
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
  const isa::Instruction &instruction = code[index];
  auto boundOf = [this](const isa::Loop &loop) {
    int64_t limit = loop.limit;
    return loop.len ? std::min(length, limit) : limit;
  };
  if (auto *loop = std::get_if<isa::Loop>(&instruction)) {
    registers[loop->rd] = 0;
    if (boundOf(*loop) <= 0)
      position = code.partner(index) + 1;
  } else if (std::holds_alternative<isa::EndLoop>(instruction)) {
    auto &loop = std::get<isa::Loop>(code[code.partner(index)]);
    registers[loop.rd] += loop.step;
    if (registers[loop.rd] < boundOf(loop))
      position = code.partner(index) + 1;
  } else if (auto *add = std::get_if<isa::MulAdd>(&instruction)) {
    registers[add->rd] = wrappingMulAdd(registers[add->rs], add->factor,
                                        registers[add->rt], add->addend);
  } else if (std::holds_alternative<isa::Halt>(instruction)) {
    halted = true;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

namespace {
class Executor {
public:
  Executor(const Code &code, State &state,
           const std::vector<Observer *> &observers)
      : code(code), state(state), observers(observers),
        meter(code.program().machine) {}

  void run() {
    Walker walker(code, state.registers, state.length);
    while (walker.next(index))
      std::visit([this](auto &i) { step(i); }, code[index]);
    for (Observer *observer : observers)
      observer->onEnd();
  }

private:
  /// Control instructions: the walker has done them.
  void step(const isa::Halt &) { notifyControl(); }
  void step(const isa::Loop &) { notifyControl(); }
  void step(const isa::EndLoop &) { notifyControl(); }
  void step(const isa::MulAdd &) { notifyControl(); }
  void step(const isa::Wait &i) {
    if (state.semaphores[i.semaphore] == 0)
      failWait(code, index, state.length);
    --state.semaphores[i.semaphore];
    notifyControl();
  }
  void step(const isa::Signal &i) {
    ++state.semaphores[i.semaphore];
    notifyControl();
  }

  template <typename Instruction> void step(const Instruction &i) {
    meter.begin();
    try {
      Frame frame(state, code[index], meter);
      execute(i, frame);
      meter.end(Instruction::engine);
      notify(frame.accesses());
    } catch (const Error &error) {
      throw Error(code.describe(index) + ": " + error.what());
    }
  }

  void notifyControl() {
    meter.begin();
    notify(isa::AccessList());
  }

  void notify(const isa::AccessList &accesses) {
    Executed executed = {index, code[index], state, accesses, meter.work};
    for (Observer *observer : observers)
      observer->onInstruction(executed);
  }

  const Code &code;
  State &state;
  const std::vector<Observer *> &observers;
  Meter meter;
  size_t index = 0;
};
} // namespace

void runProgram(const Code &code, State &state,
                const std::vector<Observer *> &observers) {
  Executor(code, state, observers).run();
}

} // namespace fact::sim
