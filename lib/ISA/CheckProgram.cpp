//===- CheckProgram.cpp - Writers before readers --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/CheckProgram.h"

#include "ByteSet.h"
#include "CheckSupport.h"

#include "fact/ISA/TokenCounters.h"

#include <algorithm>
#include <set>

using namespace fact;
using namespace fact::isa;

std::optional<std::string>
isa::whyNotAllowed(const Access &access, uint64_t scratchpadBytes,
                   uint64_t dramBytes,
                   const std::vector<ReadOnlyRange> &readOnly) {
  if (access.bytes == 0)
    return std::nullopt;
  uint64_t size = access.dram ? dramBytes : scratchpadBytes;
  auto begin = static_cast<uint64_t>(access.address);
  auto bytes = static_cast<uint64_t>(access.bytes);
  std::string operand = "operand '" + std::string(access.operand) + "' ";
  if (access.address < 0 || access.bytes < 0 || begin > size ||
      bytes > size - begin)
    return operand + "is outside of " +
           (access.dram ? "DRAM" : "the scratchpad") + " of " +
           std::to_string(size) + " bytes (address " +
           std::to_string(access.address) + ", " +
           std::to_string(access.bytes) + " bytes)";
  if (!access.dram || !access.write)
    return std::nullopt;
  for (const ReadOnlyRange &part : readOnly)
    if (begin < part.end && part.begin < begin + bytes)
      return operand + "writes " + part.name + " (address " +
             std::to_string(begin) + ", " + std::to_string(bytes) + " bytes)";
  return std::nullopt;
}

namespace {
/// One walk over a program, for one length.
class Check {
public:
  Check(const Code &code, const std::vector<BufferStart> &starts,
        const Sequence &sequence)
      : code(code), program(code.program()), starts(starts), sequence(sequence),
        length(sequence.length), scratchpadBytes(static_cast<uint64_t>(
                                     program.machine.scratchpadBytes())),
        readOnly(program.readOnly()), sram(scratchpadBytes),
        dram(program.dramBytes) {
    for (const Port &output : program.outputs)
      if (hadInput(output) && !stored)
        stored.emplace(program.dramBytes);
    dram.insert(0, program.constantsSize());
    for (const Port &port : program.inputs)
      forEachRow(PortRows::ofInput(port, sequence),
                 [&](uint64_t begin, uint64_t end) {
                   dram.insert(begin, end);
                   return true;
                 });
    for (const BufferStart &start : starts)
      startsAt.insert(start.instruction);
  }

  std::optional<Fault> run() {
    TokenCounters tokens(code, length);
    int64_t registers[numRegisters] = {};
    Resolver resolver{registers, length};
    Walker walker(code, registers, length);
    for (size_t index; walker.next(index); ++counts.instructions) {
      begin(index, [&](uint64_t from, uint64_t to) { sram.erase(from, to); });
      const Instruction &instruction = code[index];
      std::optional<Fault> fault = tokens.step(index);
      if (!fault && std::holds_alternative<Halt>(instruction))
        fault = atHalt(tokens, index);
      else if (!fault)
        fault = step(index, accesses(instruction, resolver));
      if (fault)
        return fault;
    }
    return std::nullopt;
  }

  CheckCounts counts;

private:
  ByteSet &memory(bool isDram) { return isDram ? dram : sram; }

  /// Calls body(begin, end) for the buffers that begin to live here, or as much
  /// of them as there is scratchpad.
  template <typename Body> void begin(size_t index, Body &&body) const {
    if (startsAt.empty() || !startsAt.count(index))
      return;
    auto start = std::lower_bound(
        starts.begin(), starts.end(), index,
        [](const BufferStart &s, size_t i) { return s.instruction < i; });
    for (; start != starts.end() && start->instruction == index; ++start)
      body(std::min(start->address, scratchpadBytes),
           std::min(start->address + start->bytes, scratchpadBytes));
  }

  /// Calls body(begin, end) for the rows of a port that this run uses, until it
  /// returns false.
  template <typename Body>
  static void forEachRow(const PortRows &rows, Body &&body) {
    auto bytes = static_cast<uint64_t>(rows.columnBytes());
    bool more = true;
    rows.forEach([&](int64_t, uint64_t address, int64_t) {
      more = more && body(address, address + bytes);
    });
  }

  std::optional<Fault> step(size_t index, const AccessList &list) {
    std::optional<Fault> fault;
    bool isCopy = std::holds_alternative<Load>(code[index]) ||
                  std::holds_alternative<Store>(code[index]);
    for (const Access &access : list) {
      if (auto reason = whyNotAllowed(access, scratchpadBytes,
                                      program.dramBytes, readOnly)) {
        fault.emplace();
        fault->instruction = index;
        fault->field = access.field;
        fault->reason = *reason;
        return fault;
      }
      counts.reads += access.read && access.bytes > 0;
      if (!access.read || isCopy)
        continue;
      forEachRange(access, [&](uint64_t begin, uint64_t end) {
        uint64_t missing = memory(access.dram).find(false, begin, end);
        if (missing != end)
          fault = unwritten(index, access, missing, end);
        return missing == end;
      });
      if (fault)
        return fault;
    }
    if (isCopy)
      return copy(index, list);
    // All operands are read before one is written: a result may lie in the
    // place of an operand.
    for (const Access &access : list)
      if (access.write)
        forEachRange(access, [&](uint64_t begin, uint64_t end) {
          memory(access.dram).insert(begin, end);
          if (access.dram && stored)
            stored->insert(begin, end);
          return true;
        });
    return std::nullopt;
  }

  /// Rows are copied with their padding, which need not be written: what
  /// nothing wrote is in the copy what nothing wrote. But a row has some byte.
  std::optional<Fault> copy(size_t index, const AccessList &list) {
    std::optional<Fault> fault = copyWritten(index, list);
    const Access &to = list[0].write ? list[0] : list[1];
    if (to.dram && stored)
      forEachRange(to, [&](uint64_t begin, uint64_t end) {
        for (uint64_t at = dram.find(true, begin, end); at != end;
             at = dram.find(true, at, end)) {
          uint64_t stop = dram.find(false, at, end);
          stored->insert(at, stop);
          at = stop;
        }
        return true;
      });
    return fault;
  }

  std::optional<Fault> copyWritten(size_t index, const AccessList &list) {
    const Access &to = list[0].write ? list[0] : list[1];
    const Access &from = list[0].write ? list[1] : list[0];
    ByteSet &source = memory(from.dram), &target = memory(to.dram);
    for (int64_t r = 0; r < from.rows.count; ++r) {
      auto row = static_cast<uint64_t>(from.address + r * from.rows.stride);
      auto copied = static_cast<uint64_t>(to.address + r * to.rows.stride);
      auto bytes = static_cast<uint64_t>(from.rows.bytes);
      uint64_t end = row + bytes, missing = source.find(false, row, end);
      if (missing == end) {
        target.insert(copied, copied + bytes);
        continue;
      }
      uint64_t written = source.find(true, row, end);
      if (written == end)
        return unwritten(index, from, row, end);
      ++counts.paddedRows;
      target.erase(copied, copied + bytes);
      for (uint64_t begin = written; begin != end;
           begin = source.find(true, begin, end)) {
        uint64_t stop = source.find(false, begin, end);
        target.insert(copied + (begin - row), copied + (stop - row));
        begin = stop;
      }
    }
    return std::nullopt;
  }

  Fault unwritten(size_t index, const Access &access, uint64_t missing,
                  uint64_t end) {
    uint64_t next = memory(access.dram).find(true, missing, end);
    Fault fault;
    fault.instruction = index;
    fault.field = access.field;
    fault.reason = "operand '" + std::string(access.operand) + "' reads " +
                   bytesText(access.dram, missing, next) +
                   ", which nothing wrote before";
    noteWriter(access.dram, static_cast<uint64_t>(access.address),
               static_cast<uint64_t>(access.address + access.bytes), fault);
    return fault;
  }

  std::optional<Fault> atHalt(const TokenCounters &tokens, size_t index) {
    if (std::optional<Fault> fault = tokens.halt(index))
      return fault;
    std::optional<Fault> fault;
    for (size_t i = 0; i < program.outputs.size() && !fault; ++i)
      forEachRow(PortRows::ofOutput(program.outputs[i], sequence),
                 [&](uint64_t begin, uint64_t end) {
                   if (written(i).find(false, begin, end) != end)
                     fault = unwritten(i, begin, end);
                   return !fault;
                 });
    return fault;
  }

  /// What of DRAM is an output's by now: of one in whose place an input came,
  /// what instructions wrote.
  const ByteSet &written(size_t output) const {
    return hadInput(program.outputs[output]) ? *stored : dram;
  }
  bool hadInput(const Port &output) const {
    return std::any_of(
        program.inputs.begin(), program.inputs.end(),
        [&](const Port &input) { return input.address == output.address; });
  }

  Fault unwritten(size_t output, uint64_t begin, uint64_t end) const {
    const Port &port = program.outputs[output];
    const ByteSet &bytes = written(output);
    uint64_t missing = bytes.find(false, begin, end);
    Fault fault;
    fault.output = output;
    fault.reason = "output '" + port.name + "' is " +
                   bytesText(true, missing, bytes.find(true, missing, end)) +
                   ", which nothing wrote";
    noteWriter(true, port.address, port.address + port.byteSize(), fault);
    return fault;
  }

  /// Walks once more, to the last instruction before the fault that wrote some
  /// of these bytes.
  void noteWriter(bool isDram, uint64_t from, uint64_t to, Fault &fault) const {
    int64_t registers[numRegisters] = {};
    Resolver resolver{registers, length};
    Walker walker(code, registers, length);
    size_t index;
    for (uint64_t i = 0; walker.next(index); ++i) {
      begin(index, [&](uint64_t begin, uint64_t end) {
        if (!isDram && begin < to && from < end)
          fault.other.reset(); // of the buffer that was here before
      });
      if (i == counts.instructions)
        return;
      for (const Access &access : accesses(code[index], resolver)) {
        if (!access.write || access.dram != isDram || access.bytes == 0)
          continue;
        auto begin = static_cast<uint64_t>(access.address);
        uint64_t end = begin + static_cast<uint64_t>(access.bytes);
        if (begin >= to || from >= end)
          continue;
        fault.other = index;
        fault.note = "the last one to write there writes " +
                     bytesText(isDram, begin, end);
      }
    }
  }

  const Code &code;
  const Program &program;
  std::vector<BufferStart> starts;
  Sequence sequence;
  int64_t length;
  uint64_t scratchpadBytes;
  std::vector<ReadOnlyRange> readOnly;
  ByteSet sram, dram; ///< What was written.
  /// Of DRAM, by instructions; where no output had an input in its place, that
  /// is what of the output was written.
  std::optional<ByteSet> stored;
  std::set<size_t> startsAt;
};
} // namespace

std::optional<Fault> isa::checkProgram(const Code &code,
                                       const std::vector<BufferStart> &starts,
                                       CheckCounts *counts) {
  return forEachCheckedLength(code.program(), [&](const Sequence &sequence) {
    Check check(code, starts, sequence);
    std::optional<Fault> fault = check.run();
    if (counts) {
      counts->instructions += check.counts.instructions;
      counts->reads += check.counts.reads;
      counts->paddedRows += check.counts.paddedRows;
    }
    return fault;
  });
}

std::optional<Fault> isa::checkProgram(const Code &code,
                                       const Sequence &sequence) {
  return Check(code, {}, sequence).run();
}
