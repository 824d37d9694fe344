//===- SampleProgram.h - Programs that several tests use ------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_UNITTESTS_ISA_SAMPLEPROGRAM_H
#define FACT_UNITTESTS_ISA_SAMPLEPROGRAM_H

#include "fact/ISA/Program.h"

#include <initializer_list>

namespace fact::isa {

inline EngineSet setOf(std::initializer_list<Engine> engines) {
  EngineSet set;
  for (Engine engine : engines)
    set.insert(engine);
  return set;
}

/// An instruction with tokens.
template <typename I> I withTokens(I i, EngineSet wait, EngineSet signal) {
  i.wait = wait;
  i.signal = signal;
  return i;
}
/// An instruction that waits for one engine, and one that signals one.
template <typename I> I waiting(I i, Engine engine) {
  return withTokens(i, setOf({engine}), i.signal);
}
template <typename I> I signalling(I i, Engine engine) {
  return withTokens(i, i.wait, setOf({engine}));
}

inline Sync waitFor(EngineId engine, Engine from, uint32_t times = 1) {
  return {engine, times, setOf({from}), {}};
}
inline Sync signalTo(EngineId engine, Engine to, uint32_t times = 1) {
  return {engine, times, {}, setOf({to})};
}

/// A small program that uses every part of the format.
inline Program sampleProgram() {
  Program program;
  program.machine = Machine::defaultMachine();
  Load load;
  load.rows = 64;
  load.row_bytes = 256;
  program.append(signalTo(EngineId::PE, Engine::LOAD, 10), "");
  program.append(Loop{1, 512, 64, 0, true}, "");
  for (unsigned i = 0; i < 10; ++i) {
    load.dst.offset = 64 * i;
    load.row0 = {0, 1};
    program.append(withTokens(load, setOf({Engine::PE}), setOf({Engine::PE})),
                   i % 3 ? "MatMul_3" : "");
    program.append(
        withTokens(PeGemm(), setOf({Engine::LOAD}), setOf({Engine::LOAD})),
        "Add_4");
  }
  program.append(EndLoop(), "");
  program.append(waitFor(EngineId::LOAD, Engine::PE, 10), "");
  program.append(Halt(), "");
  program.setConstants(std::string(1000, 'w'));
  program.dramBytes = 1 << 20;
  program.inputs = {{"x", {1, -1, 64}, ElementType::Float32, 99, 1024, 256},
                    {"scale", {}, ElementType::Float32, 0, 32768, 4}};
  program.outputs = {{"y", {1, -1, 60}, ElementType::Float32, 99, 65536, 256}};
  program.metadata = "{\"layers\": 12}";
  program.mlir = "module {}\n";
  return program;
}

/// A load and a store of copyProgram().
inline Load copyLoad() {
  Load load;
  load.rows = 9;
  load.row_bytes = load.src_stride = load.dst_stride = 16;
  return load;
}
inline Store copyStore() {
  Store store;
  store.dst.offset = 1024;
  store.rows = 9;
  store.row_bytes = store.src_stride = store.dst_stride = 16;
  return store;
}

/// y = x, at most 9 rows of 4 numbers, by these instructions and a `halt`; they
/// go through the begin of the scratchpad.
inline Program copyProgram(const std::vector<Instruction> &instructions = {
                               copyLoad(), copyStore()}) {
  Program program;
  program.machine = Machine::defaultMachine();
  program.dramBytes = 4096;
  program.inputs = {{"x", {-1, 4}, ElementType::Float32, 9, 0, 16}};
  program.outputs = {{"y", {-1, 4}, ElementType::Float32, 9, 1024, 16}};
  for (const Instruction &instruction : instructions)
    program.append(instruction, "");
  program.append(Halt(), "");
  return program;
}

/// Whether a message has a part.
inline bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

} // namespace fact::isa

#endif // FACT_UNITTESTS_ISA_SAMPLEPROGRAM_H
