//===- Machine.cpp - Reads and writes machine descriptions ----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/ISA/Machine.h"

#include "MachineFields.h"

#include "fact/ISA/Operands.h"
#include "fact/Support/Error.h"
#include "fact/Support/InputFile.h"

#include "nlohmann/json.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

using namespace fact;
using namespace fact::isa;
using Json = nlohmann::ordered_json;

const char *isa::bufferName(Buffer buffer) {
  static const char *const names[numBuffers] = {"token", "weight", "temp",
                                                "index"};
  return names[static_cast<unsigned>(buffer)];
}

namespace {
/// A short text for a value in a message.
std::string shown(const Json &value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

/// Fills a Machine from parsed JSON.
class Reader {
public:
  Reader(const Json &root, const std::string &name) : name(name) {
    enter(root, "");
  }

  void text(const char *key, std::string &field, const char *) {
    const Json &value = take(key);
    if (!value.is_string())
      fail(key, "must be a string", value);
    field = value.get<std::string>();
    if (field.empty() || field.size() > 200)
      fail(key, "must have 1 to 200 characters", value);
  }

  void flag(const char *key, bool &field, const char *) {
    const Json &value = take(key);
    if (!value.is_boolean())
      fail(key, "must be true or false", value);
    field = value.get<bool>();
  }

  void integer(const char *key, int64_t &field, int64_t minimum,
               int64_t maximum, const char *) {
    const Json &value = take(key);
    if (!value.is_number_integer())
      fail(key, "must be an integer", value);
    // Above the range of int64_t, the value would wrap around.
    if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX)
      fail(key, range(minimum, maximum), value);
    field = value.get<int64_t>();
    if (field < minimum || field > maximum)
      fail(key, range(minimum, maximum), value);
  }

  void number(const char *key, double &field, double minimum, double maximum,
              const char *) {
    const Json &value = take(key);
    if (!value.is_number())
      fail(key, "must be a number", value);
    field = value.get<double>();
    if (!(field >= minimum && field <= maximum))
      fail(key, range(Json(minimum), Json(maximum)), value);
  }

  void energy(const char *key, Energy &field, const char *) {
    group(key, "", [&] {
      number("value", field.value, 0, 1e9, "");
      text("source", field.source, "");
    });
  }

  template <typename Body>
  void group(const char *key, const char *, Body body) {
    const Json &value = take(key);
    enter(value, path(key));
    body();
    leave();
  }

  /// Ends the innermost group: whatever was not taken is unknown.
  void leave() {
    const Level &level = levels.back();
    for (const auto &item : level.object->items())
      if (!level.taken.count(item.key()))
        fail(item.key(), "is not a field of a machine description",
             item.value());
    levels.pop_back();
  }

  [[noreturn]] void fail(const std::string &key, const std::string &reason,
                         const Json &value) const {
    throw Error("machine description '" + name + "': '" + path(key) + "' " +
                reason + " (was " + shown(value) + ")");
  }

private:
  struct Level {
    const Json *object;
    std::string prefix;
    std::set<std::string> taken;
  };

  template <typename T> static std::string range(T minimum, T maximum) {
    return "must be in the range " + Json(minimum).dump() + " to " +
           Json(maximum).dump();
  }

  std::string path(const std::string &key) const {
    return levels.empty() || levels.back().prefix.empty()
               ? key
               : levels.back().prefix + "." + key;
  }

  void enter(const Json &value, const std::string &prefix) {
    if (!value.is_object())
      throw Error("machine description '" + name + "': " +
                  (prefix.empty() ? "the description" : "'" + prefix + "'") +
                  " must be an object (was " + shown(value) + ")");
    levels.push_back({&value, prefix, {}});
  }

  const Json &take(const char *key) {
    Level &level = levels.back();
    auto found = level.object->find(key);
    if (found == level.object->end())
      throw Error("machine description '" + name + "': field '" + path(key) +
                  "' is missing");
    level.taken.insert(key);
    return *found;
  }

  const std::string &name;
  std::vector<Level> levels;
};

/// Makes JSON from a Machine.
class Writer {
public:
  void text(const char *key, const std::string &field, const char *) {
    at(key) = field;
  }
  void flag(const char *key, bool field, const char *) { at(key) = field; }
  void integer(const char *key, int64_t field, int64_t, int64_t, const char *) {
    at(key) = field;
  }
  void number(const char *key, double field, double, double, const char *) {
    // 20.0 and 20 are the same value: one text for both.
    if (field == std::floor(field) && std::fabs(field) < 1e15)
      at(key) = static_cast<int64_t>(field);
    else
      at(key) = field;
  }
  void energy(const char *key, const Energy &field, const char *) {
    group(key, "", [&] {
      number("value", field.value, 0, 0, "");
      text("source", field.source, "");
    });
  }
  template <typename Body>
  void group(const char *key, const char *, Body body) {
    Json outer = std::move(object);
    object = Json::object();
    body();
    outer[key] = std::move(object);
    object = std::move(outer);
  }

  Json object = Json::object();

private:
  Json &at(const char *key) { return object[key]; }
};

/// Makes the JSON schema.
class SchemaWriter {
public:
  void text(const char *key, const std::string &, const char *what) {
    add(key, {{"description", what},
              {"type", "string"},
              {"minLength", 1},
              {"maxLength", 200}});
  }
  void flag(const char *key, bool, const char *what) {
    add(key, {{"description", what}, {"type", "boolean"}});
  }
  void integer(const char *key, int64_t, int64_t minimum, int64_t maximum,
               const char *what) {
    add(key, {{"description", what},
              {"type", "integer"},
              {"minimum", minimum},
              {"maximum", maximum}});
  }
  void number(const char *key, double, double minimum, double maximum,
              const char *what) {
    add(key, {{"description", what},
              {"type", "number"},
              {"minimum", minimum},
              {"maximum", maximum}});
  }
  void energy(const char *key, const Energy &field, const char *what) {
    group(key, what, [&] {
      number("value", field.value, 0, 1e9, "the value");
      text("source", field.source, "where the value comes from");
    });
  }
  template <typename Body>
  void group(const char *key, const char *what, Body body) {
    Json outerProperties = std::move(properties), outerNames = std::move(names);
    properties = Json::object();
    names = Json::array();
    body();
    Json schema = finish(what);
    properties = std::move(outerProperties);
    names = std::move(outerNames);
    add(key, std::move(schema));
  }
  Json finish(const char *what) {
    return {{"description", what},
            {"type", "object"},
            {"properties", std::move(properties)},
            {"required", std::move(names)},
            {"additionalProperties", false}};
  }

private:
  void add(const char *key, Json schema) {
    properties[key] = std::move(schema);
    names.push_back(key);
  }

  Json properties = Json::object(), names = Json::array();
};

/// Parses JSON; repeated keys and nesting that no description has are errors.
Json parse(std::string_view text, const std::string &name) {
  constexpr int deepest = 8;
  std::vector<std::set<std::string>> keys;
  auto check = [&](int depth, Json::parse_event_t event, Json &value) {
    if (depth > deepest)
      throw Error("machine description '" + name + "': nested too deeply");
    if (event == Json::parse_event_t::object_start)
      keys.emplace_back();
    else if (event == Json::parse_event_t::object_end)
      keys.pop_back();
    else if (event == Json::parse_event_t::key &&
             !keys.back().insert(value.get<std::string>()).second)
      throw Error("machine description '" + name + "': field " + shown(value) +
                  " occurs twice");
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::parse_error &error) {
    size_t end = std::min<size_t>(error.byte ? error.byte - 1 : 0, text.size());
    size_t line = 1 + std::count(text.begin(), text.begin() + end, '\n');
    size_t lineBegin = text.substr(0, end).rfind('\n');
    size_t column =
        lineBegin == std::string_view::npos ? end + 1 : end - lineBegin;
    // "[json.exception.parse_error.101] parse error at line 1, column 2: why"
    std::string reason = error.what();
    size_t colon = reason.find(": ");
    if (colon != std::string::npos)
      reason = reason.substr(colon + 2);
    for (char &c : reason)
      if (static_cast<unsigned char>(c) < ' ')
        c = ' ';
    throw Error(name + ":" + std::to_string(line) + ":" +
                std::to_string(column) + ": " + reason);
  } catch (const Json::exception &error) { // a number beyond double
    throw Error("machine description '" + name + "': " + error.what());
  }
}

bool isPowerOfTwo(int64_t value) { return (value & (value - 1)) == 0; }
} // namespace

Machine Machine::fromJson(std::string_view text, const std::string &name) {
  Json root = parse(text, name);
  Reader reader(root, name);
  Machine machine;
  visitFields(machine, reader);
  for (unsigned i = 0; i < numBuffers; ++i) {
    const Sram &sram = machine.buffers[i];
    std::string prefix =
        std::string("buffers.") + bufferName(static_cast<Buffer>(i)) + ".";
    if (!isPowerOfTwo(sram.banks))
      reader.fail(prefix + "banks", "must be a power of two", sram.banks);
    if (!isPowerOfTwo(sram.wordBytes))
      reader.fail(prefix + "word_bytes", "must be a power of two",
                  sram.wordBytes);
    if (sram.bytes % (sram.banks * sram.wordBytes) != 0)
      reader.fail(prefix + "bytes",
                  "must be a multiple of banks * word_bytes = " +
                      std::to_string(sram.banks * sram.wordBytes),
                  sram.bytes);
  }
  if (!isPowerOfTwo(machine.dram.burstBytes))
    reader.fail("dram.burst_bytes", "must be a power of two",
                machine.dram.burstBytes);
  reader.leave();
  if (machine.scratchpadBytes() > int64_t(1) << sramBits)
    throw Error("machine description '" + name +
                "': the buffers must have at most 16777216 bytes together "
                "(was " +
                std::to_string(machine.scratchpadBytes()) + ")");
  return machine;
}

Machine Machine::load(const std::string &path) {
  InputFile file = InputFile::open(path);
  return fromJson(file.text(), path);
}

std::string Machine::toJson() const {
  Writer writer;
  visitFields(*this, writer);
  return writer.object.dump(2) + "\n";
}

std::string Machine::schema() {
  SchemaWriter writer;
  visitFields(defaultMachine(), writer);
  Json body = writer.finish("A machine that programs are compiled for");
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "Machine description"}};
  for (auto &item : body.items())
    schema[item.key()] = item.value();
  return schema.dump(2) + "\n";
}
