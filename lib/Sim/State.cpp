//===- State.cpp - Everything that a machine remembers --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/State.h"

#include "fact/Sim/Observer.h"
#include "fact/Support/Error.h"

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace fact::sim {

Memory::Memory(uint64_t size, const char *what)
    : bytes(nullptr, Unmap{size}), length(size) {
  if (size == 0)
    return;
  void *address = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    throw Error("no memory for " + std::string(what) + " of " +
                std::to_string(size) + " bytes");
  bytes.reset(static_cast<uint8_t *>(address));
}

void Memory::Unmap::operator()(uint8_t *bytes) const { munmap(bytes, length); }

State::State(const isa::Machine &machine, uint64_t dramBytes)
    : sram(static_cast<uint64_t>(machine.scratchpadBytes()), "the scratchpad"),
      dram(dramBytes, "DRAM") {
  uint64_t end = 0;
  for (unsigned i = 0; i < isa::numBuffers; ++i)
    bufferEnd[i] = end += static_cast<uint64_t>(machine.buffers[i].bytes);
}

isa::Buffer State::bufferOf(uint64_t address) const {
  unsigned i = 0;
  while (i + 1 < isa::numBuffers && address >= bufferEnd[i])
    ++i;
  return static_cast<isa::Buffer>(i);
}

/// splitmix64: any seed gives well-mixed words.
static uint64_t mix(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static void fill(uint8_t *begin, uint8_t *end, uint64_t &seed) {
  for (; begin + 8 <= end; begin += 8) {
    uint64_t word = mix(seed);
    // One word in eight holds the floats that show best what went wrong.
    if ((word >> 61) == 0)
      word = 0x7fc000017f800000; // infinity, NaN
    std::memcpy(begin, &word, 8);
  }
  for (; begin < end; ++begin)
    *begin = static_cast<uint8_t>(mix(seed));
}

void State::fillUndefined(uint64_t seed) {
  // Unlike a run, this touches every page.
  auto available = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                   static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  if (dram.size() > available)
    throw Error("no memory to fill DRAM of " + std::to_string(dram.size()) +
                " bytes");
  fill(sram.data(), sram.data() + sram.size(), seed);
  fill(dram.data(), dram.data() + dram.size(), seed);
}

Observer::~Observer() = default;

const uint8_t *Executed::operand(const char *operand) const {
  for (const isa::Access &access : accesses)
    if (access.bytes > 0 && !access.dram &&
        std::strcmp(access.operand, operand) == 0)
      return state.sram.data() + access.address;
  return nullptr;
}

} // namespace fact::sim
