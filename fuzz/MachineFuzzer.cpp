//===- MachineFuzzer.cpp - Fuzzes the machine description -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "fact/ISA/Machine.h"

using namespace fact;
using namespace fact::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  isa::Machine machine;
  if (!accepts([&] {
        machine = isa::Machine::fromJson(textOf(data, size), "fuzz.json");
      }))
    return 0;
  // A machine that was accepted has one text, which is accepted, too.
  std::string text = machine.toJson();
  require(isa::Machine::fromJson(text, "again.json").toJson() == text,
          "the canonical text of a machine is that of the same machine");
  require(machine.scratchpadBytes() > 0 &&
              machine.scratchpadBytes() <= int64_t(1) << 24,
          "instructions can address the scratchpad");
  return 0;
}
