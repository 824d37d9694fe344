//===- Npy.cpp - NumPy array files (.npy) ---------------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Support/Npy.h"

#include "fact/Support/Float16.h"

#include "fact/Support/Error.h"
#include "fact/Support/InputFile.h"
#include "fact/Support/OutputFile.h"

#include <cctype>
#include <cstring>
#include <limits>

using namespace fact;

namespace {
constexpr char magic[] = "\x93NUMPY";
constexpr size_t magicSize = 6;
/// NumPy itself has no arrays of more dimensions (64 since version 2).
constexpr size_t maximumRank = 64;

/// Bytes of an element, 0 for a type that we do not read.
size_t itemSize(const std::string &dtype) {
  for (const char *known : {"|b1", "|i1", "|u1", "<i2", "<u2", "<f2", "<i4",
                            "<u4", "<f4", "<i8", "<u8", "<f8"})
    if (dtype == known)
      return static_cast<size_t>(dtype[2] - '0');
  return 0;
}

struct Header {
  std::string dtype;
  bool fortranOrder = false;
  std::vector<int64_t> shape;
};

/// Parses the header, a Python dictionary with exactly three known keys.
class HeaderParser {
public:
  HeaderParser(std::string_view text, const std::string &name)
      : text(text), name(name) {}

  Header parse() {
    Header header;
    bool hasType = false, hasOrder = false, hasShape = false;
    expect('{');
    while (!accept('}')) {
      std::string key = parseString();
      expect(':');
      if (key == "descr" && !hasType) {
        header.dtype = parseString();
        hasType = true;
      } else if (key == "fortran_order" && !hasOrder) {
        header.fortranOrder = parseBool();
        hasOrder = true;
      } else if (key == "shape" && !hasShape) {
        header.shape = parseShape();
        hasShape = true;
      } else {
        fail("unexpected header key '" + key + "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skipSpace();
    if (position != text.size())
      fail("unexpected text after the header's dictionary");
    for (auto [present, key] : {std::pair(hasType, "descr"),
                                {hasOrder, "fortran_order"},
                                {hasShape, "shape"}})
      if (!present)
        fail(std::string("header key '") + key + "' is missing");
    return header;
  }

private:
  [[noreturn]] void fail(const std::string &reason) {
    throw Error("'" + name + "' is not a valid .npy file: " + reason);
  }

  void skipSpace() {
    while (position < text.size() &&
           (text[position] == ' ' || text[position] == '\n'))
      ++position;
  }

  bool accept(char c) {
    skipSpace();
    if (position == text.size() || text[position] != c)
      return false;
    ++position;
    return true;
  }

  void expect(char c) {
    if (!accept(c))
      fail(std::string("expected '") + c + "' at header offset " +
           std::to_string(position));
  }

  std::string parseString() {
    skipSpace();
    char quote = position < text.size() ? text[position] : 0;
    if (quote != '\'' && quote != '"')
      fail("expected a string at header offset " + std::to_string(position));
    size_t end = text.find(quote, position + 1);
    if (end == std::string_view::npos)
      fail("unterminated string at header offset " + std::to_string(position));
    std::string result(text.substr(position + 1, end - position - 1));
    for (char c : result)
      if (c < ' ' || c > '~' || c == '\\')
        fail("unexpected character in a header string");
    position = end + 1;
    return result;
  }

  bool parseBool() {
    skipSpace();
    for (auto [word, value] : {std::pair("True", true), {"False", false}})
      if (text.substr(position, std::strlen(word)) == word) {
        position += std::strlen(word);
        return value;
      }
    fail("'fortran_order' is neither True nor False");
  }

  std::vector<int64_t> parseShape() {
    std::vector<int64_t> shape;
    expect('(');
    while (!accept(')')) {
      shape.push_back(parseSize());
      if (shape.size() > maximumRank)
        fail("more than 64 dimensions");
      if (!accept(',')) {
        // (3) is a number in Python, not a tuple.
        if (shape.size() == 1)
          fail("'shape' is not a tuple");
        expect(')');
        break;
      }
    }
    return shape;
  }

  int64_t parseSize() {
    skipSpace();
    size_t begin = position;
    int64_t value = 0;
    for (; position < text.size() && text[position] >= '0' &&
           text[position] <= '9';
         ++position) {
      int digit = text[position] - '0';
      if (value > (std::numeric_limits<int64_t>::max() - digit) / 10)
        fail("dimension too large");
      value = value * 10 + digit;
    }
    if (position == begin)
      fail("expected a dimension at header offset " + std::to_string(position));
    return value;
  }

  std::string_view text;
  const std::string &name;
  size_t position = 0;
};

/// Copies Fortran-ordered elements to C order.
void transposeToC(const char *source, const std::vector<int64_t> &shape,
                  size_t size, std::vector<char> &result) {
  // Beside a dimension of 0 others may be as large as they like.
  if (result.empty())
    return;
  std::vector<int64_t> index(shape.size(), 0), stride(shape.size(), 1);
  for (size_t d = 1; d < shape.size(); ++d)
    stride[d] = stride[d - 1] * shape[d - 1];
  int64_t offset = 0;
  for (size_t out = 0; out < result.size(); out += size) {
    std::memcpy(&result[out], source + offset * size, size);
    for (size_t d = shape.size(); d-- > 0;) {
      offset += stride[d];
      if (++index[d] < shape[d])
        break;
      offset -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
}
} // namespace

int64_t NpyArray::numElements() const {
  // Beside a dimension of 0 others may be as large as they like.
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return 0;
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

/// Elements of one step of an extent's index.
static int64_t elementsBehind(const NpyArray &array, size_t dim) {
  int64_t count = 1;
  for (size_t i = dim + 1; i < array.shape.size(); ++i)
    count *= array.shape[i];
  return count;
}

NpyArray fact::takeEntry(const NpyArray &array, size_t dim, int64_t index) {
  NpyArray result{array.dtype, array.shape, {}};
  result.shape[dim] = 1;
  int64_t elements = array.numElements();
  if (elements == 0)
    return result;
  int64_t bytes = static_cast<int64_t>(array.data.size()) / elements *
                  elementsBehind(array, dim);
  int64_t step = bytes * array.shape[dim];
  for (auto at = array.data.begin(); at != array.data.end(); at += step)
    result.data.insert(result.data.end(), at + index * bytes,
                       at + (index + 1) * bytes);
  return result;
}

NpyArray fact::joinEntries(const std::vector<NpyArray> &arrays, size_t dim) {
  const NpyArray &first = arrays.front();
  NpyArray result{first.dtype, first.shape, {}};
  result.shape[dim] = static_cast<int64_t>(arrays.size());
  int64_t elements = first.numElements();
  if (elements == 0)
    return result;
  int64_t bytes = static_cast<int64_t>(first.data.size()) / elements *
                  elementsBehind(first, dim);
  for (size_t at = 0; at < first.data.size(); at += bytes)
    for (const NpyArray &array : arrays)
      result.data.insert(result.data.end(), array.data.begin() + at,
                         array.data.begin() + at + bytes);
  return result;
}

void NpyArray::requireType(const char *type, bool orBool,
                           const std::string &what) const {
  if (dtype != type && !(orBool && dtype == "|b1"))
    throw Error(what + " must have elements of NumPy type '" + type +
                "' (was '" + dtype + "')");
}

NpyArray fact::parseNpy(std::string_view bytes, const std::string &name) {
  auto fail = [&](const std::string &reason) -> Error {
    return Error("'" + name + "' is not a valid .npy file: " + reason);
  };
  if (bytes.substr(0, magicSize) != std::string_view(magic, magicSize))
    throw fail("wrong magic");
  if (bytes.size() < magicSize + 4)
    throw fail("header is cut off");
  auto byteAt = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i]));
  };
  unsigned major = byteAt(6), minor = byteAt(7);
  if (major < 1 || major > 3 || minor != 0)
    throw fail("unknown format version " + std::to_string(major) + "." +
               std::to_string(minor));
  size_t headerBegin = major == 1 ? 10 : 12;
  if (bytes.size() < headerBegin)
    throw fail("header is cut off");
  size_t headerSize = byteAt(8) | byteAt(9) << 8;
  if (major != 1)
    headerSize |= byteAt(10) << 16 | byteAt(11) << 24;
  if (headerSize > bytes.size() - headerBegin)
    throw fail("header is cut off");
  Header header =
      HeaderParser(bytes.substr(headerBegin, headerSize), name).parse();

  size_t size = itemSize(header.dtype);
  if (size == 0)
    throw Error("'" + name + "' has elements of an unsupported type '" +
                header.dtype + "'");
  // The product is compared with the file before anything is allocated; a zero
  // anywhere makes the array empty, however large the other dimensions are.
  size_t available = bytes.size() - headerBegin - headerSize;
  bool empty = false;
  for (int64_t extent : header.shape)
    empty |= extent == 0;
  size_t expected = empty ? 0 : size;
  for (int64_t extent : header.shape) {
    if (empty)
      break;
    if (static_cast<uint64_t>(extent) > available / expected)
      throw fail("data is cut off");
    expected *= static_cast<size_t>(extent);
  }
  if (expected > available)
    throw fail("data is cut off");
  if (expected < available)
    throw fail(std::to_string(available - expected) +
               " unexpected bytes after the data");

  NpyArray array;
  array.dtype = header.dtype;
  array.shape = std::move(header.shape);
  array.data.resize(expected);
  const char *data = bytes.data() + headerBegin + headerSize;
  if (header.fortranOrder && array.shape.size() > 1)
    transposeToC(data, array.shape, size, array.data);
  else if (expected != 0)
    std::memcpy(array.data.data(), data, expected);
  if (array.dtype == "|b1")
    for (char c : array.data)
      if (c != 0 && c != 1)
        throw fail("a boolean is neither 0 nor 1");
  return array;
}

NpyArray fact::readNpy(const std::string &path) {
  InputFile file = InputFile::open(path);
  return parseNpy(file.text(), path);
}

std::string fact::formatNpy(const NpyArray &array) {
  std::string header =
      "{'descr': '" + array.dtype + "', 'fortran_order': False, 'shape': (";
  for (size_t d = 0; d < array.shape.size(); ++d)
    header += (d ? ", " : "") + std::to_string(array.shape[d]);
  header += array.shape.size() == 1 ? ",), }" : "), }";
  // NumPy pads with spaces so that the data starts at a multiple of 64, and
  // leaves room for the first dimension to grow to 20 digits.
  if (!array.shape.empty())
    header.append(21 - std::to_string(array.shape[0]).size(), ' ');
  size_t prefix = 10;
  size_t total = (prefix + header.size() + 1 + 63) / 64 * 64;
  if (total - prefix > 0xffff) {
    prefix = 12;
    total = (prefix + header.size() + 1 + 63) / 64 * 64;
  }
  header.append(total - prefix - header.size() - 1, ' ');
  header += '\n';
  std::string bytes(magic, magicSize);
  bytes += prefix == 10 ? '\1' : '\2';
  bytes += '\0';
  for (size_t i = 0; i < prefix - 8; ++i)
    bytes += static_cast<char>(header.size() >> (8 * i) & 0xff);
  bytes += header;
  bytes.append(array.data.data(), array.data.size());
  return bytes;
}

void fact::writeNpy(const std::string &path, const NpyArray &array) {
  writeFile(path, formatNpy(array));
}

NpyArray fact::readInput(const std::string &path) {
  NpyArray halves = readNpy(path);
  if (halves.dtype != "<f2")
    return halves;
  std::vector<float> values(halves.numElements());
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, halves.data.data() + 2 * i, sizeof(bits));
    values[i] = fromFloat16(bits);
  }
  return NpyArray::from(halves.shape, values.data());
}
