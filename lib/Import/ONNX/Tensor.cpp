//===- Tensor.cpp - Constants of an ONNX file -----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Turns TensorProto, whose elements may be in any of seven fields or in a
// second file, into rows of bytes of the expected size.
//
//===----------------------------------------------------------------------===//

#include "ReadProto.h"

#include "fact/Support/Float16.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

using namespace fact::onnx;
namespace fs = std::filesystem;

std::string fact::onnx::elementTypeName(ElementType type) {
  static const char *names[] = {
      "undefined", "float",  "uint8",     "int8",       "uint16",  "int16",
      "int32",     "int64",  "string",    "bool",       "float16", "double",
      "uint32",    "uint64", "complex64", "complex128", "bfloat16"};
  auto number = static_cast<int32_t>(type);
  if (number >= 0 && number < static_cast<int32_t>(std::size(names)))
    return names[number];
  return "type " + std::to_string(number);
}

/// Bytes per element; 0 where the importer has no use for the type.
ElementType fact::onnx::readAs(ElementType type) {
  switch (type) {
  case ElementType::Float16:
  case ElementType::Bfloat16:
  case ElementType::Double:
    return ElementType::Float;
  default:
    return type;
  }
}

int64_t fact::onnx::elementSize(ElementType type) {
  switch (type) {
  case ElementType::Float16:
  case ElementType::Bfloat16:
    return 2;
  case ElementType::Uint8:
  case ElementType::Int8:
    return 1;
  case ElementType::Float:
  case ElementType::Int32:
    return 4;
  case ElementType::Int64:
  case ElementType::Double:
    return 8;
  case ElementType::Bool:
    return 1;
  default:
    return 0;
  }
}

bool Tensor::isSupported() const { return elementSize(type) != 0; }

int64_t Tensor::numElements() const {
  return isSupported() ? static_cast<int64_t>(data.size()) / elementSize(type)
                       : 0;
}

template <typename Stored, typename Result>
static std::vector<Result> convert(const std::string &data) {
  std::vector<Result> result(data.size() / sizeof(Stored));
  for (size_t i = 0; i < result.size(); ++i) {
    Stored value;
    std::memcpy(&value, data.data() + i * sizeof(Stored), sizeof(Stored));
    result[i] = static_cast<Result>(value);
  }
  return result;
}

std::vector<int64_t> Tensor::integers() const {
  switch (type) {
  case ElementType::Int32:
    return convert<int32_t, int64_t>(data);
  case ElementType::Int64:
    return convert<int64_t, int64_t>(data);
  case ElementType::Int8:
    return convert<int8_t, int64_t>(data);
  default:
    return convert<uint8_t, int64_t>(data);
  }
}

std::vector<float> Tensor::floats() const {
  switch (type) {
  case ElementType::Float:
    return convert<float, float>(data);
  case ElementType::Int8:
    return convert<int8_t, float>(data);
  case ElementType::Int32:
    return convert<int32_t, float>(data);
  case ElementType::Int64:
    return convert<int64_t, float>(data);
  default:
    return convert<uint8_t, float>(data);
  }
}

/// Number of bytes that the extents ask for; throws where that overflows.
static int64_t expectedBytes(const ::onnx::TensorProto &proto, int64_t size) {
  int64_t bytes = size;
  for (int64_t extent : proto.dims()) {
    if (extent < 0)
      throw std::runtime_error(
          "tensor '" + proto.name() +
          "' has a negative extent: " + std::to_string(extent));
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      throw std::runtime_error("tensor '" + proto.name() +
                               "' has more elements than fit into memory");
  }
  return bytes;
}

ExternalData fact::onnx::findExternal(const ::onnx::TensorProto &proto,
                                      const std::string &modelPath) {
  std::string location;
  int64_t offset = 0, length = -1;
  auto number = [&](const std::string &text) {
    int64_t value = 0;
    if (text.empty())
      throw std::runtime_error("tensor '" + proto.name() +
                               "' has an empty offset or length");
    for (char c : text)
      if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, c - '0', &value))
        throw std::runtime_error("tensor '" + proto.name() +
                                 "' has a bad offset or length: '" + text +
                                 "'");
    return value;
  };
  for (const auto &entry : proto.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset")
      offset = number(entry.value());
    else if (entry.key() == "length")
      length = number(entry.value());
  }
  fs::path relative(location);
  bool escapes = relative.empty() || relative.is_absolute();
  for (const fs::path &part : relative)
    escapes |= part == "..";
  if (escapes)
    throw std::runtime_error("data of tensor '" + proto.name() +
                             "' must be in a file below the model's folder "
                             "(was '" +
                             location + "')");
  int64_t element = elementSize(static_cast<ElementType>(proto.data_type()));
  int64_t expected = element == 0 ? length : expectedBytes(proto, element);
  if (expected < 0)
    throw std::runtime_error("tensor '" + proto.name() +
                             "' does not tell the length of its external data");
  if (length >= 0 && length != expected)
    throw std::runtime_error(
        "tensor '" + proto.name() + "' needs " + std::to_string(expected) +
        " bytes, its external data has " + std::to_string(length));
  fs::path file = fs::path(modelPath).parent_path() / relative;
  std::error_code code;
  auto size = static_cast<int64_t>(fs::file_size(file, code));
  if (code || !fs::is_regular_file(file))
    throw std::runtime_error("cannot read the data of tensor '" + proto.name() +
                             "' in '" + file.string() + "'");
  if (offset > size || expected > size - offset)
    throw std::runtime_error("data of tensor '" + proto.name() +
                             "' ends past the end of '" + file.string() + "'");
  return {file.string(), offset, expected};
}

static std::string readExternal(const ::onnx::TensorProto &proto,
                                const std::string &modelPath) {
  ExternalData data = findExternal(proto, modelPath);
  std::string bytes(static_cast<size_t>(data.bytes), '\0');
  std::ifstream stream(data.file, std::ios::binary);
  stream.seekg(data.offset);
  stream.read(bytes.data(), data.bytes);
  if (!stream)
    throw std::runtime_error("cannot read the data of tensor '" + proto.name() +
                             "' in '" + data.file + "'");
  return bytes;
}

template <typename Stored, typename Field>
static std::string pack(const Field &field) {
  std::string bytes(field.size() * sizeof(Stored), '\0');
  char *out = bytes.data();
  for (auto element : field) {
    auto value = static_cast<Stored>(element);
    std::memcpy(out, &value, sizeof(Stored));
    out += sizeof(Stored);
  }
  return bytes;
}

/// The elements from whichever of the format's typed fields has them.
static std::string readTyped(const ::onnx::TensorProto &proto,
                             ElementType type) {
  switch (type) {
  case ElementType::Float:
    return pack<float>(proto.float_data());
  case ElementType::Int32:
    return pack<int32_t>(proto.int32_data());
  case ElementType::Bool:
  case ElementType::Uint8:
    return pack<uint8_t>(proto.int32_data());
  case ElementType::Int8:
    return pack<int8_t>(proto.int32_data());
  case ElementType::Float16:
  case ElementType::Bfloat16:
    return pack<uint16_t>(proto.int32_data());
  case ElementType::Int64:
    return pack<int64_t>(proto.int64_data());
  default:
    return pack<double>(proto.double_data());
  }
}

static float fromBfloat16(uint16_t bits) {
  uint32_t word = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &word, sizeof(value));
  return value;
}

template <typename Stored>
static std::string toFloats(const std::string &data,
                            float (*convertOne)(Stored)) {
  size_t count = data.size() / sizeof(Stored);
  std::string bytes(count * sizeof(float), '\0');
  for (size_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, data.data() + i * sizeof(Stored), sizeof(Stored));
    float value = convertOne(stored);
    std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(float));
  }
  return bytes;
}

/// Gives a tensor the type that it is read as.
static void widen(Tensor &tensor) {
  switch (tensor.type) {
  case ElementType::Float16:
    tensor.data = toFloats<uint16_t>(tensor.data, fact::fromFloat16);
    break;
  case ElementType::Bfloat16:
    tensor.data = toFloats<uint16_t>(tensor.data, fromBfloat16);
    break;
  case ElementType::Double:
    tensor.data = toFloats<double>(
        tensor.data, [](double x) { return static_cast<float>(x); });
    break;
  default:
    break;
  }
  tensor.type = readAs(tensor.type);
}

std::shared_ptr<Tensor> fact::onnx::readTensor(::onnx::TensorProto &proto,
                                               const std::string &modelPath) {
  auto tensor = std::make_shared<Tensor>();
  tensor->name = proto.name();
  tensor->type = static_cast<ElementType>(proto.data_type());
  tensor->shape.assign(proto.dims().begin(), proto.dims().end());
  int64_t size = elementSize(tensor->type);
  // A tensor of another type is an error only where something reads it.
  if (size == 0)
    return tensor;
  if (proto.has_segment())
    throw std::runtime_error("tensor '" + proto.name() +
                             "' is stored in segments");
  int64_t expected = expectedBytes(proto, size);
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL)
    tensor->data = readExternal(proto, modelPath);
  else if (proto.has_raw_data())
    tensor->data = std::move(*proto.mutable_raw_data());
  else
    tensor->data = readTyped(proto, tensor->type);
  if (static_cast<int64_t>(tensor->data.size()) != expected)
    throw std::runtime_error("tensor '" + proto.name() + "' needs " +
                             std::to_string(expected) +
                             " bytes for its shape, the file has " +
                             std::to_string(tensor->data.size()));
  widen(*tensor);
  return tensor;
}
