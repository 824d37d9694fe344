//===- RunArrays.cpp - fact-run's array files against a function's types --===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunArrays.h"

#include "fact/Support/Error.h"
#include "fact/Support/OutputFile.h"

#include <algorithm>
#include <cstring>

using namespace fact;

int64_t fact::bytesOf(const std::string &dtype) { return dtype.back() - '0'; }

static std::string text(const std::vector<int64_t> &shape) {
  std::string result = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    result += (i ? ", " : "") +
              (shape[i] < 0 ? std::string("?") : std::to_string(shape[i]));
  return result + "]";
}

std::vector<int64_t> TensorSpec::shapeAt(int64_t length) const {
  std::vector<int64_t> result = shape;
  std::replace(result.begin(), result.end(), int64_t(-1), length);
  return result;
}

int64_t fact::sequenceRows(const std::vector<TensorSpec> &specs,
                           const std::vector<NpyArray> &inputs,
                           const std::vector<std::string> &paths) {
  int64_t rows = 0;
  for (size_t n = 0; n < specs.size(); ++n) {
    const TensorSpec &spec = specs[n];
    const NpyArray &array = inputs[n];
    std::string what =
        "'" + paths[n] + "' is no input for '" + spec.name + "': ";
    if (array.dtype != spec.dtype)
      throw Error(what + "element type must be '" + spec.dtype + "' (was '" +
                  array.dtype + "')");
    if (array.shape.size() != spec.shape.size())
      throw Error(what + "shape must be " + text(spec.shape) + " (was " +
                  text(array.shape) + ")");
    for (size_t i = 0; i < spec.shape.size(); ++i) {
      if (spec.shape[i] >= 0) {
        if (array.shape[i] != spec.shape[i])
          throw Error(what + "shape must be " + text(spec.shape) + " (was " +
                      text(array.shape) + ")");
        continue;
      }
      if (array.shape[i] < 1)
        throw Error(what + "the sequence must not be empty (shape was " +
                    text(array.shape) + ")");
      if (rows != 0 && array.shape[i] != rows)
        throw Error(what + "the sequence has " + std::to_string(rows) +
                    " rows elsewhere (shape was " + text(array.shape) + ")");
      rows = array.shape[i];
    }
  }
  return rows;
}

/// Copies what two arrays of one rank have in common.
static void copyCommon(const NpyArray &from, NpyArray &to, int64_t size) {
  size_t rank = to.shape.size();
  int64_t common = 1;
  std::vector<int64_t> extents(rank);
  for (size_t i = 0; i < rank; ++i)
    common *= extents[i] = std::min(from.shape[i], to.shape[i]);
  std::vector<int64_t> at(rank);
  for (int64_t n = 0; n < common; ++n) {
    int64_t source = 0, target = 0;
    for (size_t i = 0; i < rank; ++i) {
      source = source * from.shape[i] + at[i];
      target = target * to.shape[i] + at[i];
    }
    std::memcpy(to.data.data() + target * size,
                from.data.data() + source * size, size);
    for (size_t i = rank; i-- > 0;) {
      if (++at[i] < extents[i])
        break;
      at[i] = 0;
    }
  }
}

static NpyArray resized(const TensorSpec &spec, const NpyArray &array,
                        int64_t length) {
  if (array.shape == spec.shapeAt(length))
    return array;
  NpyArray result{array.dtype, spec.shapeAt(length), {}};
  result.data.resize(result.numElements() * bytesOf(array.dtype));
  copyCommon(array, result, bytesOf(array.dtype));
  return result;
}

NpyArray fact::crop(const TensorSpec &spec, const NpyArray &array,
                    int64_t length) {
  return resized(spec, array, length);
}
NpyArray fact::pad(const TensorSpec &spec, const NpyArray &array,
                   int64_t rows) {
  return resized(spec, array, rows);
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

namespace {

/// One layer's arrays, completed.
struct LayerMasks {
  LayerMasks(NpzArchive &found, const std::string &prefix, LayerShape shape,
             int64_t length)
      : found(found), prefix(prefix), shape(shape), length(length) {}

  const uint8_t *bytes(const std::string &name) {
    auto array = found.find(prefix + name);
    return array == found.end()
               ? nullptr
               : reinterpret_cast<const uint8_t *>(array->second.data.data());
  }
  void add(NpzArchive &archive, const std::string &name,
           std::vector<int64_t> extents, const std::vector<uint8_t> &values) {
    NpyArray array{"|b1", std::move(extents), {}};
    array.data.assign(values.begin(), values.end());
    archive[prefix + name] = std::move(array);
  }

  void complete(NpzArchive &archive) {
    int64_t h = shape.heads, g = shape.keyHeads, n = length;
    std::vector<uint8_t> mask(h * n * n), dominated(h * n), k(g * n), v(g * n),
        low(n);
    if (const uint8_t *given = bytes("mask"))
      mask.assign(given, given + mask.size());
    else
      for (int64_t c = 0; c < h; ++c)
        for (int64_t i = 0; i < n; ++i)
          for (int64_t j = shape.window.first(i); j < shape.window.end(i, n);
               ++j)
            mask[(c * n + i) * n + j] = 1;
    if (const uint8_t *given = bytes("dominated"))
      dominated.assign(given, given + dominated.size());
    const int32_t *argmax = reinterpret_cast<const int32_t *>(bytes("argmax"));
    const uint8_t *givenK = bytes("k_rows"), *givenV = bytes("v_rows");
    // Rows that the IR derives for itself are shown; else they follow from the
    // mask.
    for (int64_t c = 0; c < h; ++c)
      for (int64_t i = 0; i < n; ++i) {
        int64_t keys = c / (h / g) * n;
        if (dominated[c * n + i]) {
          if (argmax)
            v[keys + argmax[c * n + i]] = 1;
          continue;
        }
        for (int64_t j = 0; j < n; ++j)
          k[keys + j] |= mask[(c * n + i) * n + j];
      }
    for (int64_t i = 0; i < g * n; ++i)
      v[i] |= k[i];
    if (givenK)
      k.assign(givenK, givenK + k.size());
    if (givenV)
      v.assign(givenV, givenV + v.size());
    if (const uint8_t *given = bytes("low"))
      low.assign(given, given + low.size());
    add(archive, "low", {n}, low);
    if (shape.given)
      return;
    add(archive, "mask", {h, n, n}, mask);
    add(archive, "dominated", {h, n}, dominated);
    add(archive, "k_rows", {g, n}, k);
    add(archive, "v_rows", {g, n}, v);
  }

  NpzArchive &found;
  std::string prefix;
  LayerShape shape;
  int64_t length;
};

} // namespace

NpzArchive fact::completeMasks(NpzArchive found,
                               const std::vector<LayerShape> &layers,
                               int64_t length) {
  NpzArchive archive;
  for (size_t i = 0; i < layers.size(); ++i)
    LayerMasks(found, "layer" + std::to_string(i) + ".", layers[i], length)
        .complete(archive);
  return archive;
}

void fact::writeAll(const std::vector<std::string> &paths,
                    const std::vector<NpyArray> &arrays,
                    const std::string &masksPath, const NpzArchive &masks,
                    const std::string &objectPath, const std::string &object) {
  OutputFiles files;
  for (size_t i = 0; i < paths.size(); ++i)
    files.open(paths[i]).write(formatNpy(arrays[i]));
  if (!masksPath.empty())
    files.open(masksPath).write(formatNpz(masks));
  if (!objectPath.empty())
    files.open(objectPath).write(object);
  files.commit();
}
