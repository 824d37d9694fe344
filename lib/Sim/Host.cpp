//===- Host.cpp - Arrays in and out of a machine's DRAM -------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Host.h"

#include "fact/Numerics/Formats.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace fact::sim {

static const char *npyType(isa::ElementType type) {
  switch (type) {
  case isa::ElementType::Float32:
    return "<f4";
  case isa::ElementType::Int8:
    return "|i1";
  case isa::ElementType::Int32:
    return "<i4";
  case isa::ElementType::Int64:
    return "<i8";
  case isa::ElementType::Bool:
    return "|b1";
  }
  return "";
}

/// The open dimension, or -1.
static int64_t openDimension(const isa::Port &port) {
  for (size_t i = 0; i < port.shape.size(); ++i)
    if (port.shape[i] == isa::Port::openDimension)
      return static_cast<int64_t>(i);
  return -1;
}

static std::string shapeText(const std::vector<int64_t> &shape) {
  std::string result;
  for (int64_t extent : shape)
    result += (result.empty() ? "" : "x") +
              (extent < 0 ? std::string("?") : std::to_string(extent));
  return result.empty() ? "scalar" : result;
}

static void checkShape(const isa::Port &port, const NpyArray &array) {
  if (array.dtype != npyType(port.type))
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

Sequence sequenceOf(const isa::Program &program,
                    const std::vector<NpyArray> &inputs,
                    std::optional<int64_t> length) {
  if (inputs.size() != program.inputs.size())
    throw Error("the program has " + std::to_string(program.inputs.size()) +
                " inputs (was " + std::to_string(inputs.size()) + ")");
  Sequence sequence;
  const isa::Port *first = nullptr;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const isa::Port &port = program.inputs[i];
    checkShape(port, inputs[i]);
    int64_t open = openDimension(port);
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
  // Without an open dimension the sequence is the last but one of an input.
  if (!first)
    for (const NpyArray &input : inputs)
      if (input.shape.size() >= 2)
        sequence.rows =
            std::max(sequence.rows, input.shape[input.shape.size() - 2]);
  sequence.length = length.value_or(sequence.rows);
  if (sequence.length < 1 || sequence.length > sequence.rows)
    throw Error("length must be between 1 and the input's " +
                std::to_string(sequence.rows) + " rows (was " +
                std::to_string(sequence.length) + ")");
  return sequence;
}

namespace {
/// An array as planes of rows of the open dimension: element [p][r][c].
struct Layout {
  int64_t planes = 1;
  int64_t rows = 1;     ///< that count
  int64_t hostRows = 1; ///< of the array
  int64_t dramRows = 1; ///< of the port
  int64_t columns = 1;

  Layout(const isa::Port &port, const Sequence &sequence) {
    int64_t open = openDimension(port);
    auto rank = static_cast<int64_t>(port.shape.size());
    for (int64_t i = 0; i < rank; ++i)
      if (i != open)
        (i < open || (open < 0 && i + 1 < rank) ? planes : columns) *=
            port.shape[i];
    if (open >= 0) {
      rows = sequence.length;
      hostRows = sequence.rows;
      dramRows = port.bound;
    }
  }
};
} // namespace

static std::string valueText(float value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

void writeInput(const isa::Port &port, const NpyArray &array,
                const Sequence &sequence, State &state) {
  Layout layout(port, sequence);
  int64_t rowBytes = layout.columns * isa::elementTypeBytes(port.type);
  for (int64_t p = 0; p < layout.planes; ++p)
    for (int64_t r = 0; r < layout.rows; ++r) {
      const char *row =
          array.data.data() + (p * layout.hostRows + r) * rowBytes;
      uint8_t *out = state.dram.data() + port.address +
                     (p * layout.dramRows + r) * port.rowBytes;
      std::memcpy(out, row, rowBytes);
      if (port.type != isa::ElementType::Float32)
        continue;
      auto *values = reinterpret_cast<const float *>(out);
      int64_t column = numerics::findUnusable(values, layout.columns);
      if (column >= 0)
        throw Error("input '" + port.name + "' has a value that is not in " +
                    "-2^50 .. 2^50 at row " +
                    std::to_string(openDimension(port) < 0 ? p : r) +
                    ", column " + std::to_string(column) + " (was " +
                    valueText(values[column]) + ")");
    }
}

NpyArray readOutput(const isa::Port &port, const Sequence &sequence,
                    const State &state) {
  Layout layout(port, sequence);
  NpyArray result;
  result.dtype = npyType(port.type);
  result.shape = port.shape;
  int64_t open = openDimension(port);
  if (open >= 0)
    result.shape[open] = sequence.rows;
  int64_t rowBytes = layout.columns * isa::elementTypeBytes(port.type);
  result.data.assign(layout.planes * layout.hostRows * rowBytes, 0);
  for (int64_t p = 0; p < layout.planes; ++p)
    for (int64_t r = 0; r < layout.rows; ++r) {
      const uint8_t *row = state.dram.data() + port.address +
                           (p * layout.dramRows + r) * port.rowBytes;
      std::memcpy(result.data.data() + (p * layout.hostRows + r) * rowBytes,
                  row, rowBytes);
      if (port.type != isa::ElementType::Float32)
        continue;
      auto *values = reinterpret_cast<const float *>(row);
      int64_t column = numerics::findNotFinite(values, layout.columns);
      if (column >= 0)
        throw Error("output '" + port.name + "' is not finite at row " +
                    std::to_string(open < 0 ? p : r) + ", column " +
                    std::to_string(column) + " (was " +
                    valueText(values[column]) + ")");
    }
  return result;
}

} // namespace fact::sim
