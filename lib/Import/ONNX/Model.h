//===- Model.h - An ONNX file as plain data -------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the importer needs of an ONNX file, checked while it is read: no
// protobuf and no MLIR header, so that the code that may throw (libonnx) and
// the code that may not (MLIR) meet only here.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_MODEL_H
#define FACT_LIB_IMPORT_ONNX_MODEL_H

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace fact::onnx {

/// Element types by their number in the ONNX format.
enum class ElementType : int32_t {
  Undefined = 0,
  Float = 1,
  Uint8 = 2,
  Int8 = 3,
  Int32 = 6,
  Int64 = 7,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  Bfloat16 = 16,
};

/// The name that ONNX's own documents use, "type 42" for a number unknown here.
std::string elementTypeName(ElementType type);

/// A constant: an initializer or the value of a Constant node.
/// The type that values of a type have here: float for what is wider or
/// narrower, its own for all others.
ElementType readAs(ElementType type);
int64_t elementSize(ElementType type);

struct Tensor {
  std::string name;
  /// Never one that is read as another.
  ElementType type = ElementType::Undefined;
  /// Extents, none negative; their product times the element size is
  /// data.size(). Empty: a scalar.
  std::vector<int64_t> shape;
  /// Elements in row-major order and the host's byte order.
  std::string data;

  /// Whether ElementType names the type; a tensor of any other has no data.
  bool isSupported() const;
  int64_t numElements() const;
  /// Elements as 64-bit integers; only for integers and Bool.
  std::vector<int64_t> integers() const;
  /// Elements as float.
  std::vector<float> floats() const;
};

/// A dimension of a declared shape: a value, a name for an open one, or
/// neither.
struct Dimension {
  std::optional<int64_t> value;
  std::string name;
};

/// Declared type of a tensor (an input, an output or value_info).
struct ValueInfo {
  std::string name;
  ElementType type = ElementType::Undefined;
  /// Absent: the file does not even tell the rank.
  std::optional<std::vector<Dimension>> shape;
};

struct Graph;

struct NodeAttribute {
  enum class Kind {
    Int,
    Float,
    String,
    Tensor,
    Ints,
    Floats,
    Strings,
    Graph,
    Other
  };
  Kind kind = Kind::Other;
  int64_t i = 0;
  float f = 0;
  std::string s;
  std::shared_ptr<Tensor> tensor;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
  std::shared_ptr<Graph> graph;
};

struct Node {
  /// The node's name, or its first output's where the file gives none.
  std::string name;
  std::string opType;
  std::string domain;
  /// Version of the default operator set where the node stands.
  int64_t opset = 0;
  /// An empty name is an optional input or output that is left out.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, NodeAttribute> attributes;

  /// What the node reads: its inputs, and what graphs among its attributes read
  /// of the graph around them.
  std::vector<std::string> reads() const;
};

/// The body of a branch: nodes sorted, names different from all around it.
struct Graph {
  std::vector<Node> nodes;
  std::unordered_map<std::string, std::shared_ptr<Tensor>> initializers;
  /// Names of what a loop gives its body, and of what that returns.
  std::vector<std::string> inputs, outputs;
};

/// A model whose tensors are all defined once and before they are read.
struct Model {
  /// Version of the default operator set.
  int64_t opset = 0;
  std::vector<Node> nodes;
  std::unordered_map<std::string, std::shared_ptr<Tensor>> initializers;
  /// Graph inputs that are not initializers, in the file's order.
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
  /// Declared or inferred types of tensors in between, by name.
  std::unordered_map<std::string, ValueInfo> valueInfos;
  /// Where each node output comes from: index into nodes.
  std::unordered_map<std::string, size_t> producers;
  /// Other element types that the file has float values of, by their names.
  std::set<std::string> readAsFloat;

  /// Type of an input, output or inner tensor; null where the file has none.
  const ValueInfo *findValueInfo(const std::string &name) const;
};

/// Reads and checks the model at \p path. Shapes of the tensors
/// \p shapesWanted that the file does not tell are inferred by libonnx.
/// Returns null and sets \p error (one line, no full stop) where the file is
/// not a usable model; never throws and never allocates much more than a small
/// multiple of the file's size.
std::unique_ptr<Model> readModel(const std::string &path,
                                 const std::vector<std::string> &shapesWanted,
                                 std::string &error) noexcept;

} // namespace fact::onnx

#endif // FACT_LIB_IMPORT_ONNX_MODEL_H
