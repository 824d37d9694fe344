//===- PartFile.cpp - Writing a part of a model ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PartFile.h"

#include "ReadProto.h"
#include "fact/Support/Error.h"
#include "fact/Support/OutputFile.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <unordered_set>

using namespace fact;
using namespace fact::onnx;
namespace fs = std::filesystem;

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

static void addReads(const ::onnx::NodeProto &node,
                     std::vector<std::string> &reads);

static void addReads(const ::onnx::GraphProto &graph,
                     std::vector<std::string> &reads) {
  std::unordered_set<std::string> own;
  std::vector<std::string> all;
  for (const auto &input : graph.input())
    own.insert(input.name());
  for (const auto &initializer : graph.initializer())
    own.insert(initializer.name());
  for (const auto &node : graph.node()) {
    own.insert(node.output().begin(), node.output().end());
    addReads(node, all);
  }
  for (const auto &output : graph.output())
    all.push_back(output.name());
  for (std::string &name : all)
    if (own.count(name) == 0)
      reads.push_back(std::move(name));
}

static void addReads(const ::onnx::NodeProto &node,
                     std::vector<std::string> &reads) {
  reads.insert(reads.end(), node.input().begin(), node.input().end());
  for (const auto &attribute : node.attribute()) {
    if (attribute.has_g())
      addReads(attribute.g(), reads);
    for (const auto &graph : attribute.graphs())
      addReads(graph, reads);
  }
}

std::vector<std::string> fact::onnx::readsOf(const ::onnx::NodeProto &node) {
  std::vector<std::string> reads;
  addReads(node, reads);
  reads.erase(std::remove(reads.begin(), reads.end(), ""), reads.end());
  return reads;
}

void fact::onnx::renameReads(::onnx::NodeProto &node, const std::string &from,
                             const std::string &to) {
  // No name stands for another tensor inside.
  auto rename = [&](::onnx::GraphProto &graph) {
    for (auto &inner : *graph.mutable_node())
      renameReads(inner, from, to);
    for (auto &output : *graph.mutable_output())
      if (output.name() == from)
        output.set_name(to);
  };
  for (auto &input : *node.mutable_input())
    if (input == from)
      input = to;
  for (auto &attribute : *node.mutable_attribute()) {
    if (attribute.has_g())
      rename(*attribute.mutable_g());
    for (auto &graph : *attribute.mutable_graphs())
      rename(graph);
  }
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

using Visit = std::function<void(::onnx::TensorProto &)>;

/// Every constant of a graph, those of its nodes and branches as well.
static void forEachTensor(::onnx::GraphProto &graph, const Visit &visit) {
  for (auto &initializer : *graph.mutable_initializer())
    visit(initializer);
  for (auto &node : *graph.mutable_node())
    for (auto &attribute : *node.mutable_attribute()) {
      if (attribute.has_t())
        visit(*attribute.mutable_t());
      for (auto &tensor : *attribute.mutable_tensors())
        visit(tensor);
      if (attribute.has_g())
        forEachTensor(*attribute.mutable_g(), visit);
      for (auto &inner : *attribute.mutable_graphs())
        forEachTensor(inner, visit);
    }
}

/// Copies the elements of tensors to one file.
class DataFile {
public:
  DataFile(std::string path, OutputFiles &files)
      : path(std::move(path)), files(files) {}

  void move(::onnx::TensorProto &tensor, const std::string &modelPath) {
    ExternalData from = findExternal(tensor, modelPath);
    if (!file)
      file = &files.open(path);
    constexpr int64_t alignment = 4096; // for runtimes that map the file
    std::string padding(
        static_cast<size_t>((alignment - size % alignment) % alignment), '\0');
    file->write(padding);
    size += static_cast<int64_t>(padding.size());
    copy(from, tensor.name());
    tensor.clear_external_data();
    auto add = [&](const char *key, const std::string &value) {
      auto *entry = tensor.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    };
    add("location", fs::path(path).filename().string());
    add("offset", std::to_string(size));
    add("length", std::to_string(from.bytes));
    size += from.bytes;
  }

private:
  void copy(const ExternalData &from, const std::string &name) {
    std::ifstream stream(from.file, std::ios::binary);
    stream.seekg(from.offset);
    std::vector<char> buffer(1 << 20);
    for (int64_t left = from.bytes; left > 0;) {
      auto part = std::min(left, static_cast<int64_t>(buffer.size()));
      if (!stream.read(buffer.data(), part))
        throw Error("cannot read the data of tensor '" + name + "' in '" +
                    from.file + "'");
      file->write(buffer.data(), static_cast<size_t>(part));
      left -= part;
    }
  }

  std::string path;
  OutputFiles &files;
  OutputFile *file = nullptr;
  int64_t size = 0;
};

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

NewFolder::NewFolder(const std::string &path) {
  std::error_code code;
  if (fs::is_directory(path, code))
    return;
  if (fs::exists(path, code))
    throw Error("'" + path + "' is no folder");
  if (!fs::create_directory(path, code))
    throw Error("cannot make folder '" + path + "': " + code.message());
  made = path;
}

NewFolder::~NewFolder() {
  std::error_code code;
  if (!made.empty())
    fs::remove(made, code);
}

namespace {

/// From protobuf, which should not see exceptions, to a file.
class Stream : public google::protobuf::io::CopyingOutputStream {
public:
  explicit Stream(OutputFile &file) : file(file) {}
  bool Write(const void *data, int size) override {
    try {
      file.write(data, static_cast<size_t>(size));
      return true;
    } catch (...) {
      error = std::current_exception();
      return false;
    }
  }
  std::exception_ptr error;

private:
  OutputFile &file;
};

} // namespace

static fs::path folderOf(const std::string &path) {
  return fs::absolute(path).parent_path();
}

void fact::onnx::writePart(::onnx::ModelProto &part,
                           const std::string &modelPath,
                           const std::string &path, OutputFiles &files) {
  if (!fs::equivalent(folderOf(path), folderOf(modelPath))) {
    DataFile data(path + ".data", files);
    forEachTensor(*part.mutable_graph(), [&](::onnx::TensorProto &tensor) {
      if (tensor.data_location() == ::onnx::TensorProto::EXTERNAL)
        data.move(tensor, modelPath);
    });
  }
  if (part.ByteSizeLong() > std::numeric_limits<int32_t>::max())
    throw Error("cannot write '" + path +
                "': more than 2 GB, which ONNX files only have in external "
                "data");
  Stream stream(files.open(path));
  bool written;
  {
    google::protobuf::io::CopyingOutputStreamAdaptor adaptor(&stream);
    written = part.SerializeToZeroCopyStream(&adaptor) && adaptor.Flush();
  }
  if (stream.error)
    std::rethrow_exception(stream.error);
  if (!written)
    throw Error("cannot write '" + path + "'");
}
