//===- Dma.cpp - LOAD and STORE -------------------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Semantics.h"

#include "fact/Numerics/Formats.h"

#include <cstring>

namespace fact::sim {

/// Counts rows of DRAM; those that touch are one piece.
static void transferRows(Meter &meter, int64_t address, int64_t rows,
                         int64_t bytes, int64_t stride) {
  if (stride == bytes)
    return meter.transfer(address, rows * bytes);
  for (int64_t r = 0; r < rows; ++r)
    meter.transfer(address + r * stride, bytes);
}

template <typename Instruction>
static int64_t rowsOf(const Instruction &i, Frame &frame) {
  return i.whole ? frame.extent(i.row0, 1).count * i.rows
                 : frame.extent(i.row0, i.rows).count;
}

template <typename Instruction>
static void copyRows(const Instruction &i, Frame &frame, bool isLoad) {
  int64_t rows = rowsOf(i, frame);
  auto dst = frame.out<uint8_t>("dst", i.dst_stride);
  auto src = frame.in<uint8_t>("src", i.src_stride);
  if (!dst) // no rows, or rows of no bytes
    return;
  for (int64_t r = 0; r < rows; ++r)
    std::memcpy(dst.row(r, i.row_bytes), src.row(r, i.row_bytes), i.row_bytes);
  transferRows(frame.meter,
               isLoad ? src.banked().address : dst.banked().address, rows,
               i.row_bytes, isLoad ? i.src_stride : i.dst_stride);
}

void execute(const isa::Load &i, Frame &frame) {
  copyRows(i, frame, /*isLoad=*/true);
}

void execute(const isa::LoadListed &i, Frame &frame) {
  Extent rows = frame.extent(i.row0, i.rows);
  auto dst = frame.out<uint8_t>("dst", i.dst_stride);
  auto src = frame.in<uint8_t>("src", i.src_stride);
  if (!dst)
    return;
  for (int64_t r : listedRows(frame, rows, "list")) {
    std::memcpy(dst.row(r, i.row_bytes), src.row(r, i.row_bytes), i.row_bytes);
    frame.meter.transfer(src.banked().address + r * i.src_stride, i.row_bytes);
  }
}

void execute(const isa::LoadWeight &i, Frame &frame) {
  int64_t rows = rowsOf(i, frame), n = i.n, packed = (n + 1) / 2;
  auto dst = frame.out<int8_t>("dst", i.dst_stride);
  auto high = frame.in<uint8_t>("high", i.src_stride),
       low = frame.in<uint8_t>("low", i.src_stride);
  auto exact = frame.in<uint32_t>("exact");
  if (!dst)
    return;
  bool isExact = !exact || *exact.vector(1) != 0;
  if (!isExact && i.only_exact)
    return;
  for (int64_t r = 0; r < rows; ++r)
    numerics::unpackPlanes(high.row(r, packed),
                           isExact ? low.row(r, packed) : nullptr, n,
                           dst.row(r, n));
  for (const auto *plane : {&high, &low})
    if (plane == &high || isExact)
      transferRows(frame.meter, plane->banked().address, rows, packed,
                   i.src_stride);
}

void execute(const isa::Store &i, Frame &frame) {
  copyRows(i, frame, /*isLoad=*/false);
}

} // namespace fact::sim
