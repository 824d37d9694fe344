//===- Host.cpp - Arrays in and out of a machine's DRAM -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Host.h"

#include "fact/ISA/Metadata.h"
#include "fact/Numerics/Formats.h"
#include "fact/Support/Error.h"
#include "fact/Support/TokenNumbers.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace fact::sim {

static std::string shapeText(const std::vector<int64_t> &shape) {
  std::string result;
  for (int64_t extent : shape)
    result += (result.empty() ? "" : "x") +
              (extent < 0 ? std::string("?") : std::to_string(extent));
  return result.empty() ? "scalar" : result;
}

static void checkShape(const isa::Port &port, const NpyArray &array) {
  if (array.dtype != isa::npyType(port.type))
    throw Error("input '" + port.name + "' must be " +
                isa::elementTypeName(port.type) + " (was '" + array.dtype +
                "')");
  bool fits = array.shape.size() == port.shape.size();
  for (size_t i = 0; fits && i < port.shape.size(); ++i)
    fits = port.shape[i] == isa::Port::openDimension ||
           port.shape[i] == array.shape[i];
  if (!fits)
    throw Error("input '" + port.name + "' must have the shape " +
                shapeText(port.shape) + " (was " + shapeText(array.shape) +
                ")");
}

int64_t countSequences(const isa::Program &program,
                       const isa::Metadata &metadata,
                       const std::vector<NpyArray> &inputs) {
  const std::vector<BatchAxis> &batches = metadata.inputBatch;
  if (batches.empty())
    return 1;
  bool fits =
      batches.size() == program.inputs.size() + metadata.tokenInputs.size() &&
      metadata.outputBatch.size() == program.outputs.size();
  for (size_t j = 0; fits && j < program.outputs.size(); ++j)
    fits = metadata.outputBatch[j].dim <
           static_cast<int64_t>(program.outputs[j].shape.size());
  if (!fits)
    throw Error("metadata field 'batch' must be of the program's inputs and "
                "outputs");
  std::vector<std::string> names;
  for (size_t i = 0; i < batches.size(); ++i)
    names.push_back("input " + std::to_string(i));
  return fact::countSequences(batches, inputs, names);
}

std::optional<int64_t> takeTokenInputs(const isa::Program &program,
                                       const isa::Metadata &metadata,
                                       std::vector<NpyArray> &inputs,
                                       std::optional<int64_t> length,
                                       std::optional<int64_t> &rows) {
  const std::vector<isa::TokenInput> &taken = metadata.tokenInputs;
  size_t wanted = program.inputs.size() + taken.size();
  if (!taken.empty() && inputs.size() != wanted)
    throw Error("the program has " + std::to_string(wanted) + " inputs (was " +
                std::to_string(inputs.size()) + ")");
  const isa::TokenInput *first = nullptr, *firstOpen = nullptr;
  std::vector<std::pair<const isa::TokenInput *, NpyArray>> positions;
  for (size_t i = taken.size(); i-- > 0;) {
    const isa::TokenInput &input = taken[i];
    if (input.position >= static_cast<int64_t>(inputs.size()))
      throw Error(
          "metadata field 'token_inputs' names an input that is not there");
    NpyArray array = std::move(inputs[input.position]);
    inputs.erase(inputs.begin() + input.position);
    bool fits =
        array.dtype == input.dtype && array.shape.size() == input.shape.size();
    for (size_t d = 0; fits && d < input.shape.size(); ++d)
      fits = input.shape[d] < 0 || input.shape[d] == array.shape[d];
    if (!fits)
      throw Error("input '" + input.name + "' must be " + input.dtype +
                  " of shape " + shapeText(input.shape) + " (was " +
                  array.dtype + " of " + shapeText(array.shape) + ")");
    for (size_t d = 0; d < input.shape.size(); ++d)
      if (input.shape[d] < 0) {
        if (rows && *rows != array.shape[d])
          throw Error("inputs '" + input.name + "' and '" + firstOpen->name +
                      "' have numbers of " + std::to_string(array.shape[d]) +
                      " and " + std::to_string(*rows) + " tokens");
        rows = array.shape[d];
        firstOpen = &input;
      }
    if (!input.value) {
      positions.emplace_back(&input, std::move(array));
      continue;
    }
    int64_t real = countRealTokens(array, *input.value, input.name);
    bool isOpen = std::count(input.shape.begin(), input.shape.end(), -1) != 0;
    if (!isOpen && real != array.numElements())
      throw Error("padding mask '" + input.name + "' calls token " +
                  std::to_string(real) +
                  " padding, but the program's shapes are fixed: all tokens "
                  "must be real");
    if (isOpen && length && *length != real)
      throw Error("padding mask '" + input.name + "' has " +
                  std::to_string(real) + " real tokens, " +
                  (first ? "'" + first->name + "' has "
                         : std::string("the length is ")) +
                  std::to_string(*length));
    if (isOpen) {
      length = real;
      first = &input;
    }
  }
  for (const auto &[input, array] : positions) {
    int64_t all = rows.value_or(array.numElements());
    requireCounting(array, all, length.value_or(all), input->name);
  }
  return length;
}

isa::Sequence sequenceOf(const isa::Program &program,
                         const std::vector<NpyArray> &inputs,
                         std::optional<int64_t> length) {
  if (inputs.size() != program.inputs.size())
    throw Error("the program has " + std::to_string(program.inputs.size()) +
                " inputs (was " + std::to_string(inputs.size()) + ")");
  isa::Sequence sequence;
  const isa::Port *first = nullptr;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const isa::Port &port = program.inputs[i];
    checkShape(port, inputs[i]);
    int64_t open = port.openIndex();
    if (open < 0)
      continue;
    int64_t rows = inputs[i].shape[open];
    if (rows < 1 || rows > port.bound)
      throw Error("input '" + port.name + "' must have 1 to " +
                  std::to_string(port.bound) + " rows (was " +
                  std::to_string(rows) + ")");
    if (first && rows != sequence.rows)
      throw Error("inputs '" + first->name + "' and '" + port.name +
                  "' must have the same number of rows (was " +
                  std::to_string(sequence.rows) + " and " +
                  std::to_string(rows) + ")");
    first = &port;
    sequence.rows = rows;
  }
  if (!first)
    sequence = isa::sequenceBound(program);
  sequence.length = length.value_or(sequence.rows);
  if (!first && sequence.length != sequence.rows)
    throw Error("length must be " + std::to_string(sequence.rows) +
                ": the program's shapes are fixed (was " +
                std::to_string(sequence.length) + ")");
  if (sequence.length < 1 || sequence.length > sequence.rows)
    throw Error("length must be between 1 and the input's " +
                std::to_string(sequence.rows) + " rows (was " +
                std::to_string(sequence.length) + ")");
  return sequence;
}

static std::string valueText(float value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

void writeInput(const isa::Port &port, const NpyArray &array,
                const isa::Sequence &sequence, State &state) {
  auto rows = isa::PortRows::ofInput(port, sequence);
  rows.forEach([&](int64_t offset, uint64_t address, int64_t row) {
    const char *in = array.data.data() + offset;
    std::memcpy(state.dram.data() + address, in, rows.columnBytes());
    if (port.type != isa::ElementType::Float32)
      return;
    auto *values = reinterpret_cast<const float *>(in);
    int64_t column = numerics::findUnusable(values, rows.columns());
    if (column >= 0)
      throw Error("input '" + port.name + "' has a value that is not in " +
                  "-2^50 .. 2^50 at row " + std::to_string(row) + ", column " +
                  std::to_string(column) + " (was " +
                  valueText(values[column]) + ")");
  });
}

NpyArray readOutput(const isa::Port &port, const isa::Sequence &sequence,
                    const State &state) {
  auto rows = isa::PortRows::ofOutput(port, sequence);
  NpyArray result;
  result.dtype = isa::npyType(port.type);
  result.shape = port.shape;
  int64_t open = port.openIndex();
  if (open >= 0)
    result.shape[open] = sequence.rows;
  result.data.assign(rows.hostBytes(), 0);
  rows.forEach([&](int64_t offset, uint64_t address, int64_t row) {
    char *out = result.data.data() + offset;
    std::memcpy(out, state.dram.data() + address, rows.columnBytes());
    if (port.type != isa::ElementType::Float32)
      return;
    auto *values = reinterpret_cast<const float *>(out);
    int64_t column = numerics::findNotFinite(values, rows.columns());
    if (column >= 0)
      throw Error("output '" + port.name + "' is not finite at row " +
                  std::to_string(row) + ", column " + std::to_string(column) +
                  " (was " + valueText(values[column]) + ")");
  });
  return result;
}

} // namespace fact::sim
