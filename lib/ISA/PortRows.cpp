//===- PortRows.cpp - The rows of an input or output in one run -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/PortRows.h"

#include <algorithm>

using namespace fact;
using namespace fact::isa;

/// Which extent of a port of fixed shape is the sequence: of [.., L, d] or
/// [L, 1, d]. The port has two at least.
static size_t sequenceIndex(const Port &port) {
  size_t rank = port.shape.size();
  bool isFirst = rank == 3 && port.shape[1] == 1 && port.shape[0] != 1;
  return isFirst ? 0 : rank - 2;
}

Sequence isa::sequenceBound(const Program &program) {
  int64_t longest = 0;
  for (const Port &port : program.inputs)
    if (port.openIndex() >= 0)
      longest = longest ? std::min(longest, port.bound) : port.bound;
  if (longest)
    return {longest, longest, false};
  longest = 1;
  for (const Port &port : program.inputs)
    if (port.shape.size() >= 2)
      longest = std::max(longest, port.shape[sequenceIndex(port)]);
  return {longest, longest, true};
}

PortRows PortRows::ofOutput(const Port &port, const Sequence &sequence) {
  int64_t open = port.openIndex();
  auto rank = static_cast<int64_t>(port.shape.size());
  if (sequence.fixed && open < 0 && rank >= 2 &&
      port.shape[sequenceIndex(port)] == sequence.rows)
    open = static_cast<int64_t>(sequenceIndex(port));
  return PortRows(port, sequence, open);
}

PortRows::PortRows(const Port &port, const Sequence &sequence, int64_t open)
    : port(port) {
  auto last = static_cast<int64_t>(port.shape.size()) - 1;
  for (int64_t i = 0; i < last; ++i)
    if (i != open)
      (i < open ? outer : inner) *= port.shape[i];
  if (last >= 0)
    columnCount = hostColumns =
        open == last ? sequence.length : port.shape[last];
  if (open == last && open >= 0) {
    hostColumns = sequence.rows;
  } else if (open >= 0) {
    rows = sequence.length;
    hostRows = sequence.rows;
    dramRows = port.openIndex() < 0 ? port.shape[open] : port.bound;
  }
}
