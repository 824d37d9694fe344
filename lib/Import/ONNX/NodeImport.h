//===- NodeImport.h - What an operator's builder sees ---------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One builder function per ONNX operator, in tables by kind; a builder reads
// inputs and attributes of its node and sets the results.
//
//===----------------------------------------------------------------------===//

#ifndef FACT_LIB_IMPORT_ONNX_NODEIMPORT_H
#define FACT_LIB_IMPORT_ONNX_NODEIMPORT_H

#include "Dim.h"
#include "Emitter.h"
#include "Model.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

#include <list>

namespace mlir::fact {

/// So many integers that count up from the first one, in row-major order, and
/// the same again and again.
struct Positions {
  Dim first, count;
};

/// What is known of one tensor of the model while it is imported.
struct ModelTensor {
  enum class Kind {
    /// Elements that exist at run time only.
    Runtime,
    /// Elements that the model fixes.
    Constant,
    /// Integers (or truth values, 0 and 1) that the import computes: shape
    /// arithmetic, index arithmetic of masks.
    Integers,
  };
  using ElementType = ::fact::onnx::ElementType;
  Kind kind = Kind::Runtime;
  ElementType type = ElementType::Float;
  Shape shape;
  /// Runtime.
  Value value;
  /// Runtime: it is computed, but of what the model fixes alone.
  bool ofConstants = false;
  /// Runtime: what the elements are, where they are positions.
  std::optional<Positions> positions = {};
  /// Constant.
  std::shared_ptr<const ::fact::onnx::Tensor> data;
  /// Integers, in row-major order.
  SmallVector<Dim> integers;

  static ModelTensor runtime(Value value, llvm::ArrayRef<Dim> shape);
  static ModelTensor constant(std::shared_ptr<const ::fact::onnx::Tensor> data);
  static ModelTensor constant(llvm::ArrayRef<int64_t> shape,
                              std::vector<float> elements);
  /// \p shape must be constant.
  static ModelTensor numbers(llvm::ArrayRef<Dim> shape,
                             SmallVector<Dim> integers,
                             ElementType type = ElementType::Int64);

  bool isRuntime() const { return kind == Kind::Runtime; }
  /// Whether no input of the model changes it.
  bool isFixed() const { return !isRuntime() || ofConstants; }
  bool isConstant() const { return kind == Kind::Constant; }
  /// A constant of floats.
  bool isFloats() const { return isConstant() && isFloat(); }
  bool isIntegers() const { return kind == Kind::Integers; }
  bool isFloat() const { return type == ElementType::Float; }
  int64_t rank() const { return shape.size(); }
};

class NodeImport {
public:
  NodeImport(const ::fact::onnx::Node &node, int64_t opset, int64_t bound,
             Emitter &emit, Location loc)
      : node(node), opset(opset), bound(bound), emit(emit), loc(loc) {}

  /// Tensors larger than this are an error, whoever asks for them.
  static constexpr int64_t maxElements = int64_t(1) << 40;
  static constexpr size_t maxRank = 16;

  /// Inputs; what is left out at the end or in between is not there.
  bool hasInput(size_t i) const { return i < inputs.size() && inputs[i]; }
  const ModelTensor &input(size_t i) const { return *inputs[i]; }
  /// Input \p i as f32 tensor; a constant is emitted here. Null, with an error,
  /// where it holds integers.
  Value value(size_t i) { return value(input(i), i); }
  Value value(const ModelTensor &tensor, size_t i = 0);
  /// A tensor of any type, with its constants emitted here.
  Value anyValue(const ModelTensor &tensor);
  Value anyValue(size_t i) { return anyValue(input(i)); }
  /// Input \p i as integers that must not depend on the sequence length.
  FailureOr<SmallVector<int64_t>> integers(size_t i);
  /// Input \p i as integers.
  FailureOr<SmallVector<Dim>> numbers(size_t i);

  /// Attributes. One that no builder asked for is an error in the end.
  bool hasAttribute(StringRef name);
  FailureOr<int64_t> intAttribute(StringRef name,
                                  std::optional<int64_t> absent);
  FailureOr<float> floatAttribute(StringRef name, float absent);
  FailureOr<SmallVector<int64_t>>
  intsAttribute(StringRef name,
                std::optional<SmallVector<int64_t>> absent = std::nullopt);
  FailureOr<StringRef> stringAttribute(StringRef name, StringRef absent);
  const ::fact::onnx::NodeAttribute *attribute(StringRef name);
  /// For attributes that change nothing here (a Dropout's seed).
  void ignoreAttribute(StringRef name) { seen.insert(name); }

  /// \p axis counted from the front; an error where it is outside [-rank,
  /// rank).
  FailureOr<int64_t> axis(int64_t axis, int64_t rank);
  /// The same of attribute 'axis'; an error also where it is missing and there
  /// is nothing in its place.
  FailureOr<int64_t> axisAttribute(std::optional<int64_t> absent, int64_t rank);
  /// The same of each; an error also where one is named twice.
  FailureOr<SmallVector<int64_t>> distinctAxes(llvm::ArrayRef<int64_t> axes,
                                               int64_t rank);

  /// Whether the model gives result \p i a name.
  bool wantsResult(size_t i) const {
    return i < node.outputs.size() && !node.outputs[i].empty();
  }
  /// Whether an input is a tensor without elements, as only a past of no tokens
  /// and what is made of it are.
  bool readsNothing() const;
  /// An error where a tensor of the shape is larger than any may be, or empty
  /// though what it is made of is not; \p what says which one.
  LogicalResult checkSize(llvm::ArrayRef<Dim> shape, StringRef what);
  LogicalResult setResult(size_t i, ModelTensor tensor);
  LogicalResult setResult(Value value, llvm::ArrayRef<Dim> shape) {
    return setResult(0, ModelTensor::runtime(value, shape));
  }

  /// Fails with a reason that the driver prints together with the node.
  LogicalResult fail(const Twine &reason);

  const ::fact::onnx::Node &node;
  const int64_t opset;
  /// Largest length of the open dimension (1 where nothing is open).
  const int64_t bound;
  Emitter &emit;
  const Location loc;

  /// Set by the driver; a null entry is an input that is left out.
  SmallVector<const ModelTensor *> inputs;
  SmallVector<std::optional<ModelTensor>> results;
  /// Why the node failed.
  std::string reason;
  /// The length that the model itself fixes, where it is open nevertheless, or
  /// 0 (see OnnxImportOptions::opensLength).
  int64_t fixedLength = 0;
  /// Where the node fails because a constant has rows for so many tokens only:
  /// for shorter sequences it might not. Else 0.
  int64_t lowerBound = 0;

private:
  friend class GraphImport;
  llvm::StringSet<> seen;
};

/// One supported operator of the default domain, or of \p domain.
struct Operator {
  StringRef name;
  /// First operator set whose meaning the builder implements.
  int64_t minOpset;
  size_t minInputs, maxInputs;
  LogicalResult (*build)(NodeImport &node);
  StringRef domain = "";
};

/// The builder of an operator; null where there is none.
const Operator *findOperator(StringRef domain, StringRef name);

llvm::ArrayRef<Operator> blockOperators();
llvm::ArrayRef<Operator> convolutionOperators();
llvm::ArrayRef<Operator> einsumOperators();
llvm::ArrayRef<Operator> elementwiseOperators();
llvm::ArrayRef<Operator> fusedAttentionOperators();
llvm::ArrayRef<Operator> fusedElementwiseOperators();
llvm::ArrayRef<Operator> fusedNormOperators();
llvm::ArrayRef<Operator> graphOperators();
llvm::ArrayRef<Operator> indexOperators();
llvm::ArrayRef<Operator> logicOperators();
llvm::ArrayRef<Operator> matmulOperators();
llvm::ArrayRef<Operator> normalizationOperators();
llvm::ArrayRef<Operator> padOperators();
llvm::ArrayRef<Operator> poolOperators();
llvm::ArrayRef<Operator> positionOperators();
llvm::ArrayRef<Operator> quantizedOperators();
llvm::ArrayRef<Operator> reduceOperators();
llvm::ArrayRef<Operator> repeatOperators();
llvm::ArrayRef<Operator> rotaryOperators();
llvm::ArrayRef<Operator> shapeOperators();
llvm::ArrayRef<Operator> sliceOperators();
llvm::ArrayRef<Operator> softmaxOperators();

/// The index in \p indices at \p at, a number of the run time; a negative one
/// counts from \p extent. It may be out of range.
Value indexAtRunTime(OpBuilder &builder, Location loc, Value indices,
                     ValueRange at, Value extent);
/// The same as the number of an element that there is: what is out of range is
/// moved to the nearest one, as models rely on no particular behaviour there.
Value placeAtRunTime(OpBuilder &builder, Location loc, Value indices,
                     ValueRange at, Value extent);

/// Sets result 0 to elements of input 0 along \p axis, picked by the indices of
/// input 1; \p shape is the result's.
LogicalResult gatherAtRunTime(NodeImport &node, int64_t axis,
                              llvm::ArrayRef<Dim> shape);

/// What \p target, the extents of a reshape of \p from, is where the length of
/// the sequence is open: where its numbers are of elements that the sequence
/// counts they become that many. As it is where it does not say so.
SmallVector<Dim> openedTarget(llvm::ArrayRef<Dim> from,
                              llvm::ArrayRef<Dim> target, int64_t length);

/// Whether a constant extent counts the tokens of the model's own length, where
/// \p open counts those of any.
bool countsTokens(Dim extent, Dim open, int64_t length);

/// Replaces inputs of a node that no input of the model changes and that have
/// an element for each token of the model's own length by those of the first
/// tokens; \p own keeps these. Their last dimensions are aligned.
void openInputs(NodeImport &node, SmallVectorImpl<const ModelTensor *> &inputs,
                std::list<ModelTensor> &own);

/// Numpy's rule for two shapes; absent (with \p why) where they do not fit.
std::optional<Shape> broadcastShapes(llvm::ArrayRef<Dim> a,
                                     llvm::ArrayRef<Dim> b, std::string &why);

} // namespace mlir::fact

#endif // FACT_LIB_IMPORT_ONNX_NODEIMPORT_H
