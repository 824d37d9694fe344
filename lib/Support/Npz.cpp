//===- Npz.cpp - Archives of NumPy arrays (.npz) --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Error.h"
#include "fact/Support/InputFile.h"
#include "fact/Support/Npy.h"
#include "fact/Support/OutputFile.h"

#include <algorithm>
#include <memory>

#include <zip.h>

using namespace fact;

namespace {
struct Discard {
  void operator()(zip_t *archive) const { zip_discard(archive); }
  void operator()(zip_file_t *file) const { zip_fclose(file); }
};
using ArchiveHandle = std::unique_ptr<zip_t, Discard>;
using MemberHandle = std::unique_ptr<zip_file_t, Discard>;

std::string text(zip_error_t *error) {
  std::string result = zip_error_strerror(error);
  zip_error_fini(error);
  return result;
}

/// DEFLATE cannot do better than this, so a larger claim is a lie.
constexpr uint64_t largestRatio = 1100;

std::string readMember(zip_t *archive, zip_uint64_t index,
                       const zip_stat_t &status, const std::string &what) {
  if (!(status.valid & ZIP_STAT_SIZE) || !(status.valid & ZIP_STAT_COMP_SIZE) ||
      status.size / largestRatio > status.comp_size)
    throw Error(what + " has an implausible size");
  MemberHandle member(zip_fopen_index(archive, index, 0));
  if (!member)
    throw Error(what + " cannot be read: " + zip_strerror(archive));
  std::string contents;
  std::vector<char> block(1 << 18);
  while (true) {
    zip_int64_t count = zip_fread(member.get(), block.data(), block.size());
    if (count < 0) // A wrong checksum shows up here.
      throw Error(what + " cannot be read: " + zip_file_strerror(member.get()));
    if (count == 0)
      break;
    contents.append(block.data(), static_cast<size_t>(count));
    if (contents.size() > status.size)
      throw Error(what + " is longer than its archive says");
  }
  if (contents.size() != status.size)
    throw Error(what + " is shorter than its archive says");
  return contents;
}
} // namespace

NpzArchive fact::readNpz(const std::string &path) {
  InputFile file = InputFile::open(path);
  return parseNpz(file.text(), path);
}

NpzArchive fact::parseNpz(std::string_view bytes, const std::string &name) {
  auto fail = [&](const std::string &reason) {
    return Error("'" + name + "' is not a valid .npz file: " + reason);
  };
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t *source =
      zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (!source)
    throw fail(text(&error));
  ArchiveHandle archive(
      zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (!archive) {
    zip_source_free(source);
    throw fail(text(&error));
  }
  zip_error_fini(&error);

  NpzArchive result;
  zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t status;
    zip_stat_init(&status);
    if (zip_stat_index(archive.get(), i, 0, &status) != 0 ||
        !(status.valid & ZIP_STAT_NAME))
      throw fail(zip_strerror(archive.get()));
    std::string member = status.name;
    if (member.size() < 5 || member.compare(member.size() - 4, 4, ".npy") != 0)
      throw fail("member '" + member + "' is no array");
    std::string what = name + ":" + member;
    std::string contents =
        readMember(archive.get(), i, status, "'" + what + "'");
    NpyArray array = parseNpy(contents, what);
    member.resize(member.size() - 4);
    if (!result.emplace(member, std::move(array)).second)
      throw fail("array '" + member + "' occurs twice");
  }
  return result;
}

void fact::writeNpz(const std::string &path, const NpzArchive &arrays) {
  writeFile(path, formatNpz(arrays));
}

std::string fact::formatNpz(const NpzArchive &arrays) {
  zip_error_t error;
  zip_error_init(&error);
  // libzip frees a source when its archive goes; we still need the bytes then.
  zip_source_t *source = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (!source)
    throw Error("cannot make an archive: " + text(&error));
  std::unique_ptr<zip_source_t, void (*)(zip_source_t *)> keep(source,
                                                               zip_source_free);
  zip_source_keep(source);
  ArchiveHandle archive(
      zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error));
  if (!archive) {
    zip_source_free(source);
    throw Error("cannot make an archive: " + text(&error));
  }
  zip_error_fini(&error);
  std::vector<std::string> contents;
  contents.reserve(arrays.size());
  for (const auto &[name, array] : arrays) {
    contents.push_back(formatNpy(array));
    const std::string &bytes = contents.back();
    zip_source_t *member =
        zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
    zip_int64_t index =
        member ? zip_file_add(archive.get(), (name + ".npy").c_str(), member,
                              ZIP_FL_ENC_UTF_8)
               : -1;
    if (index < 0) {
      zip_source_free(member);
      throw Error(std::string("cannot make an archive: ") +
                  zip_strerror(archive.get()));
    }
    // 1980-01-01 00:00, the zip format's zero.
    zip_file_set_dostime(archive.get(), index, 0, 0x21, 0);
    zip_set_file_compression(archive.get(), index, ZIP_CM_STORE, 0);
  }
  if (zip_close(archive.get()) != 0)
    throw Error(std::string("cannot make an archive: ") +
                zip_strerror(archive.get()));
  archive.release();

  // An archive without members leaves its source empty; NumPy writes the end
  // record alone.
  zip_stat_t status;
  if (zip_source_stat(source, &status) != 0 || zip_source_open(source) != 0) {
    static const char emptyArchive[22] = {'P', 'K', 5, 6};
    return std::string(emptyArchive, sizeof(emptyArchive));
  }
  std::string result;
  std::vector<char> block(1 << 18);
  while (true) {
    zip_int64_t size = zip_source_read(source, block.data(), block.size());
    if (size < 0)
      throw Error(std::string("cannot make an archive: ") +
                  zip_error_strerror(zip_source_error(source)));
    if (size == 0)
      break;
    result.append(block.data(), static_cast<size_t>(size));
  }
  zip_source_close(source);
  return result;
}
