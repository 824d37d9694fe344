//===- Tier.cpp - What a processor multiplies integers with ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Conversion/FactToLoops/Tier.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::fact;

// Sums of a block, one group of columns and a code of a row fill the registers:
// 32 of 512 bits, 16 of 256 or 128, 32 of 128 on AArch64.
static constexpr Tier all[] = {
    {"amx", "x86",
     "sse4.1,popcnt,avx2,fma,avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,"
     "avx512vbmi2,gfni,amx-tile,amx-int8",
     Dot::Tile, Dot::Tile, /*offset=*/false, "", /*sums=*/16,
     /*rows=*/32, /*tiles=*/2, /*unroll=*/1, /*attentionRows=*/32,
     /*panelRows=*/128,
     /*floats=*/64, /*fused=*/true, /*compressBits=*/8},
    {"avx512vnni", "x86",
     "sse4.1,popcnt,avx2,fma,avx512f,avx512dq,avx512bw,avx512vl,avx512vnni",
     Dot::Quad, Dot::Quad, /*offset=*/true, "llvm.x86.avx512.vpdpbusd.512",
     /*sums=*/16,
     /*rows=*/8, /*tiles=*/2, /*unroll=*/2,
     /*attentionRows=*/32, /*panelRows=*/128, /*floats=*/64, /*fused=*/true,
     /*compressBits=*/32},
    {"avx512", "x86",
     "sse4.1,popcnt,avx2,fma,avx512f,avx512dq,avx512bw,avx512vl", Dot::Pair,
     Dot::Pair, /*offset=*/false, "", /*sums=*/16,
     /*rows=*/8, /*tiles=*/2, /*unroll=*/2, /*attentionRows=*/32,
     /*panelRows=*/128,
     /*floats=*/64, /*fused=*/true, /*compressBits=*/32},
    {"avxvnni", "x86", "sse4.1,avx2,fma,avxvnni", Dot::Quad, Dot::Quad,
     /*offset=*/true, "llvm.x86.avx512.vpdpbusd.256", /*sums=*/8, /*rows=*/6,
     /*tiles=*/1, /*unroll=*/1,
     /*attentionRows=*/24, /*panelRows=*/96, /*floats=*/16, /*fused=*/true,
     /*compressBits=*/0},
    {"avx2", "x86", "sse4.1,avx2,fma", Dot::Pair, Dot::Pair, /*offset=*/false,
     "", /*sums=*/8,
     /*rows=*/6, /*tiles=*/1, /*unroll=*/1, /*attentionRows=*/24,
     /*panelRows=*/96,
     /*floats=*/16, /*fused=*/true, /*compressBits=*/0},
    {"x86", "x86", "", Dot::Pair, Dot::Pair, /*offset=*/false, "", /*sums=*/4,
     /*rows=*/2, /*tiles=*/1, /*unroll=*/1, /*attentionRows=*/24,
     /*panelRows=*/96,
     /*floats=*/16, /*fused=*/false, /*compressBits=*/0},
    {"dotprod", "aarch64", "dotprod", Dot::Quad, Dot::Pair, /*offset=*/false,
     "llvm.aarch64.neon.sdot.v4i32.v16i8", /*sums=*/4, /*rows=*/6,
     /*tiles=*/1, /*unroll=*/2, /*attentionRows=*/24, /*panelRows=*/96,
     /*floats=*/16, /*fused=*/true, /*compressBits=*/0},
    {"portable", "", "", Dot::Pair, Dot::Pair, /*offset=*/false, "", /*sums=*/4,
     /*rows=*/4, /*tiles=*/1, /*unroll=*/2, /*attentionRows=*/24,
     /*panelRows=*/96,
     /*floats=*/16, /*fused=*/false, /*compressBits=*/0},
};

ArrayRef<Tier> mlir::fact::tiers() { return all; }

SmallVector<StringRef> Tier::featureNames() const {
  SmallVector<StringRef> names;
  features.split(names, ',', -1, /*KeepEmpty=*/false);
  return names;
}

std::string mlir::fact::tierNames() {
  SmallVector<StringRef> names;
  for (const Tier &tier : all)
    names.push_back(tier.name);
  return llvm::join(names, ", ");
}

const Tier *mlir::fact::findTier(StringRef name) {
  const Tier *found =
      llvm::find_if(all, [&](const Tier &tier) { return tier.name == name; });
  return found == std::end(all) ? nullptr : found;
}
