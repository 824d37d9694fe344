//===- OperatorsTest.cpp - The list of imported operators -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Import/ONNX/Import.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

using namespace mlir::fact;

namespace {
TEST(Operators, ListIsUpToDate) {
  std::string generated = describeOnnxOperators();
  std::string path = std::string(FACT_SOURCE_DIR) + "/docs/onnx-operators.md";
  if (std::getenv("FACT_UPDATE")) {
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << generated;
  }
  auto text = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(bool(text));
  EXPECT_TRUE((*text)->getBuffer() == generated)
      << "docs/onnx-operators.md is out of date: ninja update-docs";
  EXPECT_NE(generated.find("| com.microsoft | SkipLayerNormalization |"),
            std::string::npos);
}
} // namespace
