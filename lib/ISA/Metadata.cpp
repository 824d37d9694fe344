//===- Metadata.cpp - What a program says about itself --------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Metadata.h"

#include "fact/Support/Error.h"

#include "nlohmann/json.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>

using Json = nlohmann::json;

namespace fact::isa {

/// The roles by number.
static std::vector<EnumCaseInfo> findRoleCases() {
  const InstructionInfo &gemm = info(Opcode::PeGemm);
  for (unsigned i = 0; i < gemm.numFields; ++i)
    if (std::string_view(gemm.fields[i].name) == "role")
      return {gemm.fields[i].cases,
              gemm.fields[i].cases + gemm.fields[i].numCases};
  return {};
}
static const std::vector<EnumCaseInfo> &roleCases() {
  static const std::vector<EnumCaseInfo> cases = findRoleCases();
  return cases;
}

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

static Role roleOf(const Json &linear) {
  auto role = linear.find("role");
  if (role != linear.end() && role->is_string())
    for (const EnumCaseInfo &c : roleCases())
      if (*role == c.text)
        return static_cast<Role>(c.value);
  return Role::Other;
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

/// `window`, a pair of numbers or null for unlimited; all keys where there is
/// none.
static numerics::Window windowOf(const Json &layer) {
  auto found = layer.find("window");
  if (found == layer.end())
    return {};
  if (!found->is_array() || found->size() != 2)
    throw Error("metadata field 'window' must be a pair (was " + found->dump() +
                ")");
  auto end = [](const Json &number) -> int64_t {
    if (number.is_null())
      return numerics::Window::unlimited;
    if (!number.is_number_unsigned() ||
        number.get<uint64_t>() > numerics::Window::largest)
      throw Error("metadata field 'window' must have numbers to 2147483647 or "
                  "null (was " +
                  number.dump() + ")");
    return number.get<int64_t>();
  };
  return {end((*found)[0]), end((*found)[1])};
}

static LayerInfo layerOf(const Json &json) {
  LayerInfo layer;
  layer.heads = number(json, "heads", 1);
  layer.keyHeads = number(json, "key_heads", layer.heads);
  if (layer.keyHeads < 1 || layer.heads % layer.keyHeads != 0)
    throw Error("metadata field 'key_heads' must divide the " +
                std::to_string(layer.heads) + " heads (was " +
                std::to_string(layer.keyHeads) + ")");
  layer.features = number(json, "features", 0);
  layer.window = windowOf(json);
  layer.maskGiven = flag(json, "mask_given");
  layer.selectsWith = number(json, "selects_with", 0);
  layer.lowersWith = number(json, "lowers_with", 0);
  for (const Json &linear : list(json, "linears"))
    layer.linears.push_back(
        {roleOf(linear), number(linear, "k", 0), number(linear, "n", 0)});
  return layer;
}

static TokenInput tokenInputOf(const Json &json) {
  TokenInput info;
  info.position = number(json, "position", 0);
  if (json.contains("value"))
    info.value = number(json, "value", 0);
  auto name = json.find("name"), dtype = json.find("dtype"),
       shape = json.find("shape");
  bool valid = name != json.end() && name->is_string() && dtype != json.end() &&
               dtype->is_string() && shape != json.end() && shape->is_array() &&
               info.value.value_or(0) <= 1;
  for (size_t i = 0; valid && i < shape->size(); ++i)
    valid = (*shape)[i].is_number_integer() && (*shape)[i] >= -1;
  if (!valid)
    throw Error("metadata field 'token_inputs' has a wrong entry (was " +
                json.dump() + ")");
  info.name = name->get<std::string>();
  info.dtype = dtype->get<std::string>();
  info.shape = shape->get<std::vector<int64_t>>();
  return info;
}

static std::vector<BatchAxis> batchesOf(const Json &batch, const char *field) {
  std::vector<BatchAxis> result;
  auto pairs = batch.find(field);
  if (pairs == batch.end() || !pairs->is_array())
    throw Error("metadata field 'batch' must have lists of inputs and outputs");
  for (const Json &pair : *pairs) {
    bool valid = pair.is_array() && pair.size() == 2 &&
                 pair[0].is_number_integer() && pair[0] >= -1 && pair[0] < 8 &&
                 pair[1].is_number_integer() && pair[1] >= 0;
    if (!valid)
      throw Error("metadata field 'batch' has a wrong entry (was " +
                  pair.dump() + ")");
    result.push_back({pair[0].get<int64_t>(), pair[1].get<int64_t>()});
  }
  return result;
}

Metadata Metadata::parse(std::string_view text) {
  Metadata result;
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object())
    throw Error("metadata must be a JSON object");
  for (const Json &layer : list(json, "layers"))
    result.layers.push_back(layerOf(layer));
  for (const Json &input : list(json, "token_inputs"))
    result.tokenInputs.push_back(tokenInputOf(input));
  if (auto batch = json.find("batch"); batch != json.end()) {
    if (!batch->is_object())
      throw Error("metadata field 'batch' must be an object (was " +
                  batch->dump() + ")");
    result.inputBatch = batchesOf(*batch, "inputs");
    result.outputBatch = batchesOf(*batch, "outputs");
  }
  if (json.contains("bound"))
    result.bound = number(json, "bound", 0);
  auto policy = json.find("policy");
  if (policy != json.end()) {
    if (!policy->is_object())
      throw Error("metadata field 'policy' must be an object (was " +
                  policy->dump() + ")");
    result.policy = policy->dump();
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Writing: by hand, so that numbers are always the same text
//===----------------------------------------------------------------------===//

static std::string toJson(const LayerInfo &layer) {
  std::string text = "{\"features\":" + std::to_string(layer.features) +
                     ",\"heads\":" + std::to_string(layer.heads);
  if (layer.keyHeads != layer.heads)
    text += ",\"key_heads\":" + std::to_string(layer.keyHeads);
  text += ",\"linears\":[";
  for (size_t i = 0; i < layer.linears.size(); ++i) {
    const LinearInfo &linear = layer.linears[i];
    text += std::string(i ? "," : "") + "{\"k\":" + std::to_string(linear.k) +
            ",\"n\":" + std::to_string(linear.n) + ",\"role\":\"" +
            roleCases()[static_cast<size_t>(linear.role)].text + "\"}";
  }
  text += "]";
  if (!layer.window.seesAll()) {
    auto end = [](int64_t number) {
      return number == numerics::Window::unlimited ? "null"
                                                   : std::to_string(number);
    };
    text += ",\"window\":[" + end(layer.window.left) + "," +
            end(layer.window.right) + "]";
  }
  if (layer.lowersWith)
    text += ",\"lowers_with\":" + std::to_string(layer.lowersWith);
  if (layer.maskGiven)
    text += ",\"mask_given\":true";
  if (layer.selectsWith)
    text += ",\"selects_with\":" + std::to_string(layer.selectsWith);
  return text + "}";
}

static std::string toJson(const TokenInput &info) {
  std::string shape;
  for (int64_t extent : info.shape)
    shape += (shape.empty() ? "" : ",") + std::to_string(extent);
  return "{\"dtype\":" + Json(info.dtype).dump() +
         ",\"name\":" + Json(info.name).dump() +
         ",\"position\":" + std::to_string(info.position) + ",\"shape\":[" +
         shape + "]" +
         (info.value ? ",\"value\":" + std::to_string(*info.value) : "") + "}";
}

static std::string toJson(const std::vector<BatchAxis> &batches) {
  std::string text;
  for (const BatchAxis &batch : batches)
    text += (text.empty() ? "[" : ",[") + std::to_string(batch.dim) + "," +
            std::to_string(batch.sequences) + "]";
  return "[" + text + "]";
}

std::string Metadata::toJson() const {
  std::string text = "{";
  if (!inputBatch.empty())
    text += "\"batch\":{\"inputs\":" + isa::toJson(inputBatch) +
            ",\"outputs\":" + isa::toJson(outputBatch) + "},";
  if (bound)
    text += "\"bound\":" + std::to_string(*bound) + ",";
  text += "\"layers\":[";
  for (size_t i = 0; i < layers.size(); ++i)
    text += (i ? "," : "") + isa::toJson(layers[i]);
  text += "]";
  if (policy)
    text += ",\"policy\":" + *policy;
  if (!tokenInputs.empty()) {
    text += ",\"token_inputs\":[";
    for (size_t i = 0; i < tokenInputs.size(); ++i)
      text += (i ? "," : "") + isa::toJson(tokenInputs[i]);
    text += "]";
  }
  return text + "}";
}

/// A policy's fields by rising name: "\"dominance\":3,...".
static std::string fieldsJson(const numerics::Policy &policy) {
  std::map<std::string, std::string> fields;
  for (const std::string &field : numerics::policyFields()) {
    std::string key = field, value = policy.get(field);
    std::replace(key.begin(), key.end(), '-', '_');
    double number;
    auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc() && end == value.data() + value.size()) {
      char digits[40];
      std::snprintf(digits, sizeof digits, "%.17g", number);
      fields[key] = digits;
    } else {
      fields[key] = "\"" + value + "\"";
    }
  }
  std::string text;
  for (const auto &[key, value] : fields)
    text += (text.empty() ? "\"" : ",\"") + key + "\":" + value;
  return text;
}

std::string policyJson(const std::optional<numerics::Policy> &policy,
                       const std::vector<numerics::LayerPolicy> &layers) {
  if (!policy)
    return "{}";
  std::string text = "{" + fieldsJson(*policy);
  for (const numerics::LayerPolicy &own : layers) {
    numerics::Policy fields = *policy;
    numerics::overridePolicy(own.text, fields);
    text += (&own == &layers.front() ? ",\"layers\":[{" : ",{") +
            std::string("\"first\":") + std::to_string(own.first) +
            ",\"last\":" + std::to_string(own.last) + "," + fieldsJson(fields) +
            "}";
  }
  return text + (layers.empty() ? "}" : "]}");
}

} // namespace fact::isa
