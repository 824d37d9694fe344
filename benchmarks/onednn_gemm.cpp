//===- onednn_gemm.cpp - Times an integer product by oneDNN ---------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// usage: onednn_gemm ROWS K N TYPE REPEAT
//
// [ROWS, K] of TYPE (s8 or u8) times [K, N] of s8, sums in s32, with the weight
// in the order that the library prefers. Prints the median time of a call, and
// how many sums of the first rows are not exact.
// Built and run by gemm.py, with one thread.
//
//===----------------------------------------------------------------------===//

#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

int main(int argc, char **argv) {
  if (argc != 6)
    return 2;
  dnnl::memory::dim rows = std::atol(argv[1]), k = std::atol(argv[2]),
                    n = std::atol(argv[3]);
  bool isUnsigned = std::string(argv[4]) == "u8";
  int repeat = std::atoi(argv[5]);
  using Type = dnnl::memory::data_type;
  using Tag = dnnl::memory::format_tag;
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  dnnl::memory::desc a({rows, k}, isUnsigned ? Type::u8 : Type::s8, Tag::ab),
      b({k, n}, Type::s8, Tag::ab), any({k, n}, Type::s8, Tag::any),
      c({rows, n}, Type::s32, Tag::ab);
  dnnl::matmul::primitive_desc product(dnnl::matmul::desc(a, any, c), engine);
  std::mt19937 random(0);
  std::vector<int8_t> x(rows * k), w(k * n);
  for (int8_t &code : x)
    code = static_cast<int8_t>(static_cast<int>(random() % 239) - 119);
  for (int8_t &code : w)
    code = static_cast<int8_t>(static_cast<int>(random() % 239) - 119);
  dnnl::memory input(a, engine, x.data()), plain(b, engine, w.data()),
      packed(product.weights_desc(), engine), sums(c, engine);
  dnnl::reorder(plain, packed).execute(stream, plain, packed);
  stream.wait();
  dnnl::matmul matmul(product);
  std::vector<double> times;
  for (int i = 0; i < repeat + 2; ++i) {
    auto begin = std::chrono::steady_clock::now();
    matmul.execute(stream, {{DNNL_ARG_SRC, input},
                            {DNNL_ARG_WEIGHTS, packed},
                            {DNNL_ARG_DST, sums}});
    stream.wait();
    auto end = std::chrono::steady_clock::now();
    if (i >= 2) // the first ones make kernels, and touch memory
      times.push_back(
          std::chrono::duration<double, std::milli>(end - begin).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("median %.3f ms\n", times[times.size() / 2]);
  const auto *got = static_cast<const int32_t *>(sums.get_data_handle());
  long wrong = 0;
  dnnl::memory::dim checked = std::min<dnnl::memory::dim>(rows, 8);
  for (dnnl::memory::dim i = 0; i < checked; ++i)
    for (dnnl::memory::dim j = 0; j < n; ++j) {
      int32_t sum = 0;
      for (dnnl::memory::dim l = 0; l < k; ++l) {
        int8_t code = x[i * k + l];
        sum += (isUnsigned ? static_cast<uint8_t>(code) : code) * w[l * n + j];
      }
      wrong += sum != got[i * n + j];
    }
  std::printf("%ld of %ld sums differ\n", wrong,
              static_cast<long>(checked * n));
}
