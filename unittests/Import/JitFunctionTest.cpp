//===- JitFunctionTest.cpp - Compiled functions on float tensors ----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Execution/Reference.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::fact;
using ::fact::NpyArray;

static constexpr StringLiteral addRow = R"mlir(
  #id = affine_map<(d0, d1) -> (d0, d1)>
  #row = affine_map<(d0, d1) -> (d1)>
  func.func @main(%x: tensor<?x3xf32>, %row: tensor<3xf32>, %y: tensor<?x3xf32>)
      -> (tensor<?x3xf32>, tensor<?x3xf32>) {
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : tensor<?x3xf32>
    %init = tensor.empty(%n) : tensor<?x3xf32>
    %sum = linalg.generic {indexing_maps = [#id, #row, #id],
                           iterator_types = ["parallel", "parallel"]}
        ins(%x, %row : tensor<?x3xf32>, tensor<3xf32>)
        outs(%init : tensor<?x3xf32>) {
    ^bb0(%a: f32, %b: f32, %out: f32):
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
    } -> tensor<?x3xf32>
    return %sum, %y : tensor<?x3xf32>, tensor<?x3xf32>
  }
)mlir";

namespace {

class JitFunctionTest : public ::testing::Test {
protected:
  JitFunctionTest() {
    DialectRegistry registry;
    registry.insert<arith::ArithDialect, func::FuncDialect,
                    linalg::LinalgDialect, tensor::TensorDialect>();
    context.appendDialectRegistry(registry);
  }

  std::unique_ptr<JitFunction> compile(StringRef text) {
    auto module = parseSourceString<ModuleOp>(text, &context);
    if (!module) {
      message = "does not parse";
      return nullptr;
    }
    auto function = compileReference(*module);
    if (!function) {
      message = llvm::toString(function.takeError());
      return nullptr;
    }
    return std::move(*function);
  }

  std::string errorOf(JitFunction &function, llvm::ArrayRef<NpyArray> inputs) {
    auto results = function.invoke(inputs);
    return results ? "" : llvm::toString(results.takeError());
  }

  static NpyArray floats(std::vector<int64_t> shape,
                         const std::vector<float> &values) {
    return NpyArray::from<float>(std::move(shape), values.data());
  }

  MLIRContext context;
  std::string message;
};

} // namespace

TEST_F(JitFunctionTest, RunsAtEveryLength) {
  auto function = compile(addRow);
  ASSERT_TRUE(function) << message;
  for (int64_t length : {1, 2, 5}) {
    NpyArray x = floats({length, 3}, std::vector<float>(length * 3, 1.0f));
    std::vector<float> numbers{0.5f, 1.5f, 2.5f};
    NpyArray row = floats({3}, numbers);
    NpyArray y = floats({length, 3}, std::vector<float>(length * 3, 7.0f));
    auto results = function->invoke({x, row, y});
    ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
    ASSERT_EQ(results->size(), 2u);
    EXPECT_EQ((*results)[0].shape, x.shape);
    for (int64_t i = 0; i < length * 3; ++i)
      EXPECT_EQ((*results)[0].as<float>("")[i], 1.0f + numbers[i % 3]);
    // An argument that is returned comes back as a copy.
    EXPECT_EQ((*results)[1].data, y.data);
  }
}

TEST_F(JitFunctionTest, RefusesInputsThatDoNotFit) {
  auto function = compile(addRow);
  ASSERT_TRUE(function) << message;
  NpyArray row = floats({3}, {1, 2, 3}),
           x = floats({2, 3}, std::vector<float>(6));
  EXPECT_EQ(errorOf(*function, {x, row}),
            "function takes 3 inputs (was given 2)");
  EXPECT_EQ(errorOf(*function, {row, row, x}),
            "input 0 must have 2 dimensions (has 1)");
  EXPECT_EQ(errorOf(*function, {floats({2, 4}, std::vector<float>(8)), row, x}),
            "dimension 1 of input 0 must be 3 (was 4)");
  EXPECT_EQ(errorOf(*function, {x, row, floats({3, 3}, std::vector<float>(9))}),
            "dimension 0 of input 2 must be 2 (was 3)");
  EXPECT_EQ(errorOf(*function, {floats({0, 3}, {}), row, x}),
            "dimension 0 of input 0 must be positive (was 0)");
  NpyArray damaged = x;
  damaged.data.resize(20);
  EXPECT_EQ(errorOf(*function, {x, row, damaged}),
            "input 2 needs 6 elements (has 5)");
  NpyArray integers = x;
  integers.dtype = "<i4";
  EXPECT_EQ(errorOf(*function, {x, row, integers}),
            "elements of input 2 must be '<f4' (were '<i4')");
}

TEST_F(JitFunctionTest, RefusesOtherTypes) {
  EXPECT_FALSE(compile(R"mlir(
    func.func @main(%x: tensor<3xi16>) -> tensor<3xi16> {
      return %x : tensor<3xi16>
    })mlir"));
  EXPECT_EQ(message, "argument 0 holds no f32, i1, i32 or i64");
  EXPECT_FALSE(compile("func.func private @other()"));
  EXPECT_EQ(message, "module has no function 'main'");
}
