//===- Metadata.cpp - What a program says about itself --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Sim/Metadata.h"

#include "fact/Support/Error.h"

#include "nlohmann/json.hpp"

#include <algorithm>

using Json = nlohmann::json;

namespace fact::sim {

/// An integer in 0 .. 2^40, or `instead` where there is none.
static int64_t number(const Json &object, const char *field, int64_t instead) {
  auto found = object.find(field);
  if (found == object.end())
    return instead;
  if (!found->is_number_integer() || *found < 0 || *found > int64_t(1) << 40)
    throw Error("metadata field '" + std::string(field) +
                "' must be an integer from 0 to 2^40 (was " + found->dump() +
                ")");
  return found->get<int64_t>();
}

static const Json &list(const Json &object, const char *field) {
  static const Json empty = Json::array();
  auto found = object.find(field);
  if (found == object.end())
    return empty;
  bool valid = found->is_array();
  for (const Json &entry : *found)
    valid = valid && entry.is_object();
  if (!valid)
    throw Error("metadata field '" + std::string(field) +
                "' must be a list of objects (was " + found->dump() + ")");
  return *found;
}

static isa::Role roleOf(const Json &linear) {
  std::string text;
  auto role = linear.find("role");
  if (role != linear.end() && role->is_string())
    text = role->get<std::string>();
  if (text == "qkv")
    return isa::Role::QKV;
  if (text == "output")
    return isa::Role::Output;
  if (text == "ffn")
    return isa::Role::FFN;
  return isa::Role::Other;
}

/// True or false, or false where there is none.
static bool flag(const Json &object, const char *field) {
  auto found = object.find(field);
  if (found == object.end())
    return false;
  if (!found->is_boolean())
    throw Error("metadata field '" + std::string(field) +
                "' must be true or false (was " + found->dump() + ")");
  return found->get<bool>();
}

static LayerInfo layerOf(const Json &json) {
  LayerInfo layer;
  layer.heads = number(json, "heads", 1);
  layer.features = number(json, "features", 0);
  layer.causal = flag(json, "causal");
  layer.maskGiven = flag(json, "mask_given");
  layer.selectsWith = number(json, "selects_with", 0);
  layer.lowersWith = number(json, "lowers_with", 0);
  for (const Json &linear : list(json, "linears"))
    layer.linears.push_back(
        {roleOf(linear), number(linear, "k", 0), number(linear, "n", 0)});
  return layer;
}

Metadata Metadata::of(const isa::Program &program) {
  Metadata result;
  Json json = Json::parse(program.metadata, nullptr, false);
  if (!json.is_object())
    throw Error("metadata must be a JSON object");
  for (const Json &layer : list(json, "layers"))
    result.layers.push_back(layerOf(layer));
  auto policy = json.find("policy");
  if (policy != json.end()) {
    if (!policy->is_object())
      throw Error("metadata field 'policy' must be an object (was " +
                  policy->dump() + ")");
    result.policy = policy->dump();
  }
  return result;
}

} // namespace fact::sim
