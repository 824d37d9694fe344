//===- Golden.h - Golden vectors, compared bit by bit ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_UNITTESTS_NUMERICS_GOLDEN_H
#define FACT_UNITTESTS_NUMERICS_GOLDEN_H

#include "fact/Numerics/FloatRules.h"
#include "fact/Support/Npy.h"

#include <cstring>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

namespace fact {

/// An archive that remembers which of its arrays were looked at.
class Golden {
public:
  explicit Golden(const std::string &path) : arrays(readNpz(path)) {}

  bool has(const std::string &key) const { return arrays.count(key) != 0; }

  const NpyArray &array(const std::string &key) {
    auto found = arrays.find(key);
    if (found == arrays.end())
      throw std::runtime_error("no golden array " + key);
    used.insert(key);
    return found->second;
  }

  template <typename T> std::vector<T> get(const std::string &key) {
    const NpyArray &found = array(key);
    const T *data = found.as<T>(key);
    return std::vector<T>(data, data + found.numElements());
  }

  template <typename T> T scalar(const std::string &key) {
    return get<T>(key).at(0);
  }

  int64_t dim(const std::string &key, size_t i) {
    return array(key).shape.at(i);
  }

  std::vector<std::string> unused() const {
    std::vector<std::string> rest;
    for (const auto &entry : arrays)
      if (!used.count(entry.first))
        rest.push_back(entry.first);
    return rest;
  }

private:
  NpzArchive arrays;
  std::set<std::string> used;
};

/// Tests that share the archive at Path::path; when all have run, no array may
/// be left over.
template <typename Path> class GoldenTest : public testing::Test {
protected:
  static void SetUpTestSuite() { golden = new Golden(Path::path); }
  static void TearDownTestSuite() {
    const testing::TestSuite *suite =
        testing::UnitTest::GetInstance()->current_test_suite();
    if (suite->test_to_run_count() == suite->total_test_count())
      for (const std::string &key : golden->unused())
        ADD_FAILURE() << "no test reads " << key;
    delete golden;
    golden = nullptr;
  }
  static inline Golden *golden = nullptr;
  Golden &g = *golden;
};

/// Whether two arrays have the same bits; the message names the first
/// difference.
template <typename T>
testing::AssertionResult sameBits(const std::vector<T> &actual,
                                  const std::vector<T> &expected) {
  if (actual.size() != expected.size())
    return testing::AssertionFailure() << actual.size() << " elements instead "
                                       << "of " << expected.size();
  for (size_t i = 0; i < actual.size(); ++i)
    if (std::memcmp(&actual[i], &expected[i], sizeof(T)) != 0)
      return testing::AssertionFailure()
             << "element " << i << " is " << +actual[i] << " instead of "
             << +expected[i];
  return testing::AssertionSuccess();
}

/// e of each scale 2^e.
inline std::vector<int32_t> exponentsOf(const std::vector<float> &scales) {
  std::vector<int32_t> result;
  for (float scale : scales)
    result.push_back(numerics::exponentOfScale(scale));
  return result;
}

/// Compares with the golden array of that name.
template <typename T>
testing::AssertionResult sameAs(Golden &golden, const std::string &key,
                                const std::vector<T> &actual) {
  testing::AssertionResult result = sameBits(actual, golden.get<T>(key));
  return result ? result : result << " (" << key << ")";
}

} // namespace fact

#endif // FACT_UNITTESTS_NUMERICS_GOLDEN_H
