//===- Emitter.h - The linalg forms that an import consists of ------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every operation that the importer emits is built here, so that its form
// (which the raising passes match) is decided in one place.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_EMITTER_H
#define FACT_LIB_IMPORT_ONNX_EMITTER_H

#include "Dim.h"
#include "Model.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::fact {

/// An operand of an elementwise operation: a tensor, or one number that is
/// written into the body.
struct ElementwiseOperand {
  Value value;
  Shape shape;
  float scalar = 0;
  /// A number of another type than f32, in the place of `scalar`.
  TypedAttr number = {};
};

/// A window that moves over the last dimensions of a tensor: how many elements
/// it reads, and how far its places and its elements lie apart.
struct Window {
  SmallVector<int64_t> extents, strides, dilations;
};

/// The MLIR type of elements that the import handles, and back.
Type mlirType(::fact::onnx::ElementType type, MLIRContext *context);
::fact::onnx::ElementType typeOf(Type element);

class Emitter {
public:
  using Body = llvm::function_ref<Value(OpBuilder &, Location, ValueRange)>;

  /// \p length is the value of the open dimension, null where there is none.
  Emitter(OpBuilder &builder, Value length)
      : builder(builder), length(length) {}

  /// tensor<..xf32>, or of another element type, with `?` for open extents.
  RankedTensorType type(llvm::ArrayRef<Dim> shape, Type element = {});
  /// The extent as attribute or, where it is open, as a value.
  OpFoldResult extent(Location loc, Dim dim);
  Value empty(Location loc, llvm::ArrayRef<Dim> shape, Type element = {});
  Value filled(Location loc, llvm::ArrayRef<Dim> shape, TypedAttr number);
  TypedAttr number(float value) { return builder.getF32FloatAttr(value); }

  /// A constant: dense for a few elements and for what holds no floats, else a
  /// dense resource that shares the tensor's memory.
  Value constant(Location loc,
                 const std::shared_ptr<const ::fact::onnx::Tensor> &tensor);

  /// Integers of the import; extents of the sequence become numbers of the run
  /// time.
  Value integers(Location loc, llvm::ArrayRef<Dim> shape,
                 ::fact::onnx::ElementType type, llvm::ArrayRef<Dim> values);

  /// One linalg.generic over \p shape, of f32 or of \p element. An operand's
  /// extents are those of the last dimensions of \p shape or 1 (broadcast,
  /// through its map).
  Value elementwise(Location loc, llvm::ArrayRef<Dim> shape,
                    llvm::ArrayRef<ElementwiseOperand> operands, Body body,
                    Type element = {});
  /// A tensor of \p element whose elements follow from their indices.
  Value generate(Location loc, llvm::ArrayRef<Dim> shape, Type element,
                 Body body);
  Value broadcast(Location loc, Value value, llvm::ArrayRef<Dim> from,
                  llvm::ArrayRef<Dim> to);

  /// Reduces the dimensions that \p reduced names (they vanish from the
  /// result's type), starting from \p initial. \p body combines an element and
  /// what there is so far.
  Value reduce(Location loc, Value value, llvm::ArrayRef<Dim> shape,
               llvm::ArrayRef<bool> reduced, TypedAttr initial, Body body);
  /// Divides by the number of elements \p count.
  Value divideByCount(Location loc, Value value, llvm::ArrayRef<Dim> shape,
                      const Product &count);

  /// collapse_shape and expand_shape, as many as are needed (none, one or
  /// both). Null where the two shapes do not have the same number of elements
  /// for every length.
  Value reshape(Location loc, Value value, llvm::ArrayRef<Dim> from,
                llvm::ArrayRef<Dim> to);
  /// The value itself where the permutation is the identity.
  Value transpose(Location loc, Value value, llvm::ArrayRef<Dim> shape,
                  llvm::ArrayRef<int64_t> permutation);
  Value slice(Location loc, Value value, llvm::ArrayRef<Dim> offsets,
              llvm::ArrayRef<Dim> sizes, llvm::ArrayRef<int64_t> strides);
  /// Puts \p value into \p into at \p offsets.
  Value insert(Location loc, Value value, Value into,
               llvm::ArrayRef<Dim> offsets, llvm::ArrayRef<Dim> sizes);

  /// Puts \p value of shape \p from at \p before into a tensor of shape \p to
  /// that holds \p number elsewhere.
  Value pad(Location loc, Value value, llvm::ArrayRef<Dim> from,
            llvm::ArrayRef<Dim> to, llvm::ArrayRef<int64_t> before,
            TypedAttr number);

  /// Adds the products of weights [f, c, window] and what the window reads of
  /// [b, c, ..] to \p init, which is [b, f, ..]. Where it is grouped, f and c
  /// have a dimension of groups before them.
  Value convolve(Location loc, Value value, Value weights, Value init,
                 const Window &window, bool isGrouped);
  /// Combines what the window reads at each place, as reduce does.
  Value pool(Location loc, Value value, llvm::ArrayRef<Dim> result,
             const Window &window, TypedAttr initial, Body body);

  /// [m, k] x [k, n], or [b, m, k] x [b, k, n].
  Value matmul(Location loc, Value lhs, Value rhs, llvm::ArrayRef<Dim> result);
  Value softmax(Location loc, Value value, llvm::ArrayRef<Dim> shape,
                int64_t dimension);

  Value index(Location loc, Dim dim);

  OpBuilder &builder;

private:
  Value length;
};

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_EMITTER_H
