//===- ControlProcessor.cpp - Runs the instruction stream -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ControlProcessor.h"

#include "Semantics.h"
#include "fact/ISA/Semaphores.h"
#include "fact/Support/Error.h"

namespace fact::sim {

namespace {
class Executor {
public:
  Executor(const isa::Code &code, State &state,
           const std::vector<Observer *> &observers)
      : code(code), state(state), observers(observers),
        semaphores(code, state.length), meter(code.program().machine) {}

  void run() {
    isa::Walker walker(code, state.registers, state.length);
    while (walker.next(index))
      std::visit([this](auto &i) { step(i); }, code[index]);
    for (Observer *observer : observers)
      observer->onEnd();
  }

private:
  /// Control instructions: the walker has done them.
  void step(const isa::Halt &) {
    require(semaphores.halt(index));
    notifyControl();
  }
  void step(const isa::Loop &) { notifyControl(); }
  void step(const isa::EndLoop &) { notifyControl(); }
  void step(const isa::MulAdd &) { notifyControl(); }
  void step(const isa::Wait &) {
    require(semaphores.wait(index));
    notifyControl();
  }
  void step(const isa::Signal &) {
    require(semaphores.signal(index));
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

  void require(const std::optional<isa::Fault> &fault) const {
    if (fault)
      throw Error(fault->text(code));
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

  const isa::Code &code;
  State &state;
  const std::vector<Observer *> &observers;
  isa::Semaphores semaphores;
  Meter meter;
  size_t index = 0;
};
} // namespace

void runProgram(const isa::Code &code, State &state,
                const std::vector<Observer *> &observers) {
  Executor(code, state, observers).run();
}

} // namespace fact::sim
