//===- Dma.cpp - LOAD and STORE -------------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Semantics.h"

#include <cstring>

namespace fact::sim {

template <typename Instruction>
static void copyRows(const Instruction &i, Frame &frame, bool isLoad) {
  int64_t rows = i.whole ? frame.extent(i.row0, 1).count * i.rows
                         : frame.extent(i.row0, i.rows).count;
  auto dst = frame.out<uint8_t>("dst", i.dst_stride);
  auto src = frame.in<uint8_t>("src", i.src_stride);
  if (!dst) // no rows, or rows of no bytes
    return;
  for (int64_t r = 0; r < rows; ++r)
    std::memcpy(dst.row(r, i.row_bytes), src.row(r, i.row_bytes), i.row_bytes);
  // Rows that touch are one piece for DRAM.
  int64_t bytes = i.row_bytes, stride = isLoad ? i.src_stride : i.dst_stride;
  int64_t address = isLoad ? src.banked().address : dst.banked().address;
  if (stride == bytes) {
    frame.meter.transfer(address, rows * bytes);
    return;
  }
  for (int64_t r = 0; r < rows; ++r)
    frame.meter.transfer(address + r * stride, bytes);
}

void execute(const isa::Load &i, Frame &frame) {
  copyRows(i, frame, /*isLoad=*/true);
}

void execute(const isa::Store &i, Frame &frame) {
  copyRows(i, frame, /*isLoad=*/false);
}

} // namespace fact::sim
