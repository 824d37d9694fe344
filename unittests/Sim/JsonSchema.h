//===- JsonSchema.h - Checks JSON against the schema of reports -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_UNITTESTS_SIM_JSONSCHEMA_H
#define FACT_UNITTESTS_SIM_JSONSCHEMA_H

#include "nlohmann/json.hpp"

#include <set>
#include <string>

namespace fact::sim {

/// The part of JSON Schema that docs/report-schema.json uses. A keyword that is
/// not known here is an error, too: nothing is skipped silently.
class JsonSchema {
public:
  using Json = nlohmann::json;

  explicit JsonSchema(Json root) : root(std::move(root)) {}

  /// "" if `value` is valid, else where and why not.
  std::string check(const Json &value) const {
    return check(value, root, "report");
  }

private:
  std::string check(const Json &value, const Json &schema,
                    const std::string &path) const {
    static const std::set<std::string> silent = {"$schema", "$defs", "title",
                                                 "description"};
    static const std::set<std::string> known = {"$ref",
                                                "type",
                                                "required",
                                                "properties",
                                                "items",
                                                "minimum",
                                                "maximum",
                                                "dependentRequired",
                                                "additionalProperties"};
    for (const auto &[keyword, rule] : schema.items()) {
      if (silent.count(keyword))
        continue;
      if (!known.count(keyword))
        return path + ": unknown keyword '" + keyword + "'";
      std::string problem = apply(keyword, rule, value, schema, path);
      if (!problem.empty())
        return problem;
    }
    return "";
  }

  std::string apply(const std::string &keyword, const Json &rule,
                    const Json &value, const Json &schema,
                    const std::string &path) const {
    if (keyword == "$ref")
      return check(
          value, root.at(Json::json_pointer(rule.get<std::string>().substr(1))),
          path);
    if (keyword == "type" && !hasType(value, rule))
      return path + ": is no " + rule.get<std::string>();
    if (keyword == "minimum" && value < rule)
      return path + ": is below " + rule.dump();
    if (keyword == "maximum" && value > rule)
      return path + ": is above " + rule.dump();
    if (keyword == "required")
      for (const Json &field : rule)
        if (!value.contains(field.get<std::string>()))
          return path + ": lacks " + field.dump();
    if (keyword == "dependentRequired")
      for (const auto &[field, others] : rule.items())
        for (const Json &other : others)
          if (value.contains(field) &&
              !value.contains(other.get<std::string>()))
            return path + ": lacks " + other.dump();
    if (keyword == "additionalProperties")
      for (const auto &[field, unused] : value.items())
        if (!schema.at("properties").contains(field))
          return path + ": has '" + field + "'";
    if (keyword == "properties")
      for (const auto &[field, inner] : rule.items())
        if (value.contains(field)) {
          std::string problem =
              check(value.at(field), inner, path + "." + field);
          if (!problem.empty())
            return problem;
        }
    if (keyword == "items")
      for (const Json &item : value) {
        std::string problem = check(item, rule, path + "[]");
        if (!problem.empty())
          return problem;
      }
    return "";
  }

  static bool hasType(const Json &value, const std::string &type) {
    if (type == "object")
      return value.is_object();
    if (type == "array")
      return value.is_array();
    if (type == "string")
      return value.is_string();
    if (type == "integer")
      return value.is_number_integer();
    if (type == "number")
      return value.is_number();
    return false;
  }

  Json root;
};

} // namespace fact::sim

#endif // FACT_UNITTESTS_SIM_JSONSCHEMA_H
