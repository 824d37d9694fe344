//===- Selection.cpp - What the selection unit chose ----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Selection.h"

#include "fact/Numerics/Selection.h"
#include "fact/Support/Error.h"

#include <algorithm>
#include <cstring>

namespace fact::sim {

// A wrong program must not make results of absurd size.
constexpr int64_t mostLayers = isa::noLayer, mostHeads = 1 << 12;

SelectionObserver::SelectionObserver(const isa::Metadata &metadata,
                                     int64_t length, bool keepMasks)
    : metadata(metadata), length(length), keepMasks(keepMasks) {}

void SelectionObserver::onInstruction(const Executed &executed) {
  if (auto *topK = std::get_if<isa::SelTopK>(&executed.instruction)) {
    onTopK(*topK, executed);
    return;
  }
  auto *precision = std::get_if<isa::SelPrecision>(&executed.instruction);
  if (!precision)
    return;
  if (const uint8_t *low = executed.operand("low")) {
    int64_t layer = executed.state.resolver().resolve(precision->layer);
    if (layer == isa::noLayer)
      return;
    if (layer < 0 || layer >= mostLayers)
      throw Error("sel.precision names layer " + std::to_string(layer) +
                  ", which no model has");
    layers[layer].low.assign(low, low + length);
  }
}

void SelectionObserver::onTopK(const isa::SelTopK &i,
                               const Executed &executed) {
  isa::Resolver resolver = executed.state.resolver();
  int64_t first = resolver.resolve(i.row0);
  int64_t rows = resolver.extent(i.row0, i.rows);
  if (rows == 0)
    return;
  int64_t layer = resolver.resolve(i.layer), number = resolver.resolve(i.head);
  if (layer == isa::noLayer)
    return;
  if (layer < 0 || layer >= mostLayers || number < 0 || number >= mostHeads)
    throw Error("sel.topk names layer " + std::to_string(layer) + ", head " +
                std::to_string(number) + ", which no model has");
  Head &head = layers[layer].heads[number];
  if (head.dominated.empty()) {
    for (auto *flags : {&head.dominated, &head.kRows, &head.vRows})
      flags->assign(length, 0);
    if (keepMasks)
      head.mask.assign(length * length, 0);
  }
  const uint8_t *mask = executed.operand("mask");
  const uint8_t *dominated = executed.operand("dominated");
  const uint8_t *argmax = executed.operand("argmax");
  std::copy(dominated, dominated + rows, head.dominated.begin() + first);
  for (int64_t r = 0; r < rows; ++r) {
    const uint8_t *bits = mask + r * static_cast<int64_t>(i.mask_stride);
    for (int64_t j = 0; j < (length + 7) / 8; ++j)
      head.kept += __builtin_popcount(bits[j]);
    head.allowed += isa::windowOf(i).keysOf(first + r, length);
    if (dominated[r]) {
      int32_t best;
      std::memcpy(&best, argmax + r * sizeof best, sizeof best);
      head.vRows[best] = 1;
    }
    for (int64_t j = 0; !dominated[r] && j < length; ++j)
      if (bits[j >> 3] >> (j & 7) & 1)
        head.kRows[j] = head.vRows[j] = 1;
    if (!keepMasks)
      continue;
    uint8_t *out = head.mask.data() + (first + r) * length;
    for (int64_t j = 0; j < length; ++j)
      out[j] = bits[j >> 3] >> (j & 7) & 1;
  }
}

int64_t SelectionObserver::numLayers() const {
  int64_t result = static_cast<int64_t>(metadata.layers.size());
  return layers.empty() ? result : std::max(result, layers.rbegin()->first + 1);
}

const SelectionObserver::Layer *SelectionObserver::find(int64_t layer) const {
  auto found = layers.find(layer);
  return found == layers.end() ? nullptr : &found->second;
}

int64_t SelectionObserver::numHeads(int64_t layer) const {
  int64_t heads = 1;
  if (layer < static_cast<int64_t>(metadata.layers.size()))
    heads = metadata.layers[layer].heads;
  const Layer *found = find(layer);
  return found && !found->heads.empty()
             ? std::max(heads, found->heads.rbegin()->first + 1)
             : heads;
}

int64_t SelectionObserver::numKeyHeads(int64_t layer) const {
  // Without metadata every head is its own.
  return layer < static_cast<int64_t>(metadata.layers.size())
             ? metadata.layers[layer].keyHeads
             : numHeads(layer);
}

numerics::Window SelectionObserver::window(int64_t layer) const {
  return layer < static_cast<int64_t>(metadata.layers.size())
             ? metadata.layers[layer].window
             : numerics::Window();
}

SelectionObserver::Selected SelectionObserver::selected(int64_t layer) const {
  isa::LayerInfo info;
  if (layer < static_cast<int64_t>(metadata.layers.size()))
    info = metadata.layers[layer];
  const Layer *selects = find(layer - info.selectsWith),
              *lowers = find(layer - info.lowersWith);
  Selected result;
  result.given = info.maskGiven;
  if (selects && !info.maskGiven)
    result.layer = selects;
  if (lowers && !lowers->low.empty())
    result.low = &lowers->low;
  return result;
}

std::map<int64_t, std::vector<uint8_t>>
SelectionObserver::wanted(int64_t layer, const Layer &selection,
                          std::vector<uint8_t> Head::*rows) const {
  int64_t keyHeads = numKeyHeads(layer),
          members = std::max<int64_t>(numHeads(layer) / keyHeads, 1);
  std::map<int64_t, std::vector<uint8_t>> result;
  for (const auto &[number, head] : selection.heads) {
    if (number / members >= keyHeads)
      continue;
    std::vector<uint8_t> &ofKeyHead = result[number / members];
    ofKeyHead.resize(length);
    for (int64_t j = 0; j < length; ++j)
      ofKeyHead[j] |= (head.*rows)[j];
  }
  return result;
}

static double shareOf(const std::vector<uint8_t> &flags, uint8_t value) {
  auto count = std::count(flags.begin(), flags.end(), value);
  return static_cast<double>(count) / static_cast<double>(flags.size());
}

/// Of rows that are wanted, over key heads.
static double
meanShare(const std::map<int64_t, std::vector<uint8_t>> &byKeyHead) {
  double sum = 0;
  for (const auto &[number, rows] : byKeyHead)
    sum += shareOf(rows, 1);
  return sum / static_cast<double>(byKeyHead.size());
}

std::vector<LayerShares> SelectionObserver::shares() const {
  std::vector<LayerShares> result(numLayers());
  for (int64_t index = 0; index < numLayers(); ++index) {
    Selected layer = selected(index);
    LayerShares &share = result[index];
    if (layer.low)
      share.int8Tokens = shareOf(*layer.low, 0);
    if (!layer.layer || layer.layer->heads.empty())
      continue;
    double q = 0, kept = 0, allowed = 0;
    for (const auto &[number, head] : layer.layer->heads) {
      q += shareOf(head.dominated, 0);
      kept += static_cast<double>(head.kept);
      allowed += static_cast<double>(head.allowed);
    }
    auto heads = static_cast<double>(layer.layer->heads.size());
    share.keptK = meanShare(wanted(index, *layer.layer, &Head::kRows));
    share.keptV = meanShare(wanted(index, *layer.layer, &Head::vRows));
    share.liveQ = q / heads;
    share.keptScores = kept / allowed;
  }
  return result;
}

NpzArchive SelectionObserver::masks() const {
  NpzArchive result;
  for (int64_t index = 0; index < numLayers(); ++index) {
    Selected layer = selected(index);
    int64_t heads = numHeads(index), keyHeads = numKeyHeads(index);
    // What a layer that predicts nothing keeps.
    std::vector<uint8_t> mask(heads * length * length);
    std::vector<uint8_t> dominated(heads * length), low(length);
    std::vector<uint8_t> kRows(keyHeads * length, 1), vRows = kRows;
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t row = 0; row < length; ++row) {
        uint8_t *out = mask.data() + (h * length + row) * length;
        numerics::Window keys = window(index);
        std::fill(out + keys.first(row), out + keys.end(row, length), 1);
      }
    if (layer.layer) {
      auto copy = [&](const std::vector<uint8_t> &from,
                      std::vector<uint8_t> &to, int64_t number, int64_t size) {
        std::copy(from.begin(), from.end(), to.begin() + number * size);
      };
      for (const auto &[number, head] : layer.layer->heads) {
        copy(head.mask, mask, number, length * length);
        copy(head.dominated, dominated, number, length);
      }
      for (const auto &[number, rows] :
           wanted(index, *layer.layer, &Head::kRows))
        copy(rows, kRows, number, length);
      for (const auto &[number, rows] :
           wanted(index, *layer.layer, &Head::vRows))
        copy(rows, vRows, number, length);
    }
    if (layer.low)
      low = *layer.low;
    std::string prefix = "layer" + std::to_string(index) + ".";
    auto add = [&](const char *name, std::vector<int64_t> shape,
                   const std::vector<uint8_t> &flags) {
      // Flags may be any number that is not zero.
      std::vector<uint8_t> bools(flags.size());
      std::transform(flags.begin(), flags.end(), bools.begin(),
                     [](uint8_t flag) { return flag != 0; });
      result[prefix + name] = NpyArray::from<bool>(
          std::move(shape), reinterpret_cast<const bool *>(bools.data()));
    };
    add("low", {length}, low);
    if (layer.given)
      continue;
    add("mask", {heads, length, length}, mask);
    add("dominated", {heads, length}, dominated);
    add("k_rows", {keyHeads, length}, kRows);
    add("v_rows", {keyHeads, length}, vRows);
  }
  return result;
}

} // namespace fact::sim
