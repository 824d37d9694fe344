//===- Fold.cpp - Constants, and tables that positions decide -------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Angles of a rotary embedding are computed from constants and the positions of
// the tokens, or kept as a buffer of which a model takes the first rows. Either
// way they are a table, [positions, features], for all positions that there may
// be: docs/numerics.md section 10 folds them operation by operation, each in
// double on its f32 operands and rounded to f32.
//
//===----------------------------------------------------------------------===//

#include "Analysis.h"
#include "ConstantData.h"

#include "fact/Numerics/Fold.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>
#include <map>

using namespace mlir;
using namespace mlir::fact;
namespace fold = ::fact::numerics::fold;

/// Most elements of a result.
static constexpr int64_t mostElements = int64_t(1) << 26;

/// A constant of which one dimension is the first rows, one for each token.
static std::optional<unsigned> slicedDim(const Contents &contents) {
  std::optional<unsigned> found;
  if (!contents || !contents.node->is(NodeKind::Weight))
    return std::nullopt;
  for (auto [dim, atoms] : llvm::enumerate(contents.layout.dims))
    if (atoms.size() == 1 && atoms.front().isSliced()) {
      if (found)
        return std::nullopt; // of queries and keys
      found = dim;
    }
  return found;
}

/// A number that the position decides; none where more does.
static std::optional<float> numberAt(Node *node, int64_t position) {
  if (node->is(NodeKind::TokenIndex))
    return static_cast<float>(position);
  if (node->is(NodeKind::Scalar))
    return node->scalar;
  if (node->operands.size() != 2)
    return std::nullopt;
  std::optional<float> a = numberAt(node->operand(0), position);
  std::optional<float> b = a ? numberAt(node->operand(1), position) : a;
  if (!b)
    return std::nullopt;
  switch (node->kind) {
  case NodeKind::Add:
    return *a + *b;
  case NodeKind::Mul:
    return *a * *b;
  case NodeKind::Div:
    return *a / *b;
  case NodeKind::Max:
    return std::fmax(*a, *b);
  default:
    return std::nullopt;
  }
}

static bool isPosition(Node *node) {
  return node->width == 0 && node->heads == 0 && !node->pair &&
         node->sequence >= 0 && numberAt(node, 0);
}

namespace {

/// A tensor as numbers: the element at some place is the one at the sum of its
/// dimensions' offsets.
struct Numbers {
  std::vector<float> own;
  std::optional<ConstantData> data;
  SmallVector<SmallVector<int64_t>> offsets; ///< none for a scalar
  int64_t first = 0;

  float operator[](int64_t offset) const {
    return data ? (*data)[first + offset] : own[first + offset];
  }
};

/// What the loops of an op walk over, in the order of the result.
struct FoldedLoops {
  SmallVector<unsigned> order;
  SmallVector<int64_t> extents; ///< by loop
  std::optional<unsigned> token;
  Atom sequence;
  int64_t positions = 0; ///< of the token loop
  int64_t count = 1;
};

/// The numbers of a body, for all elements of its loops.
class BodyFolder {
public:
  BodyFolder(linalg::LinalgOp op, const FoldedLoops &loops,
             llvm::function_ref<std::optional<Numbers>(Value)> numbersOf)
      : op(op), loops(loops), numbersOf(numbersOf) {}

  /// Empty where an operation has no rule here.
  std::vector<float> run() {
    for (OpOperand *operand : op.getDpsInputOperands()) {
      std::optional<Numbers> numbers = numbersOf(operand->get());
      AffineMap map = op.getMatchingIndexingMap(operand);
      if (!numbers || namesLoopTwice(map))
        return {};
      Value element = op.getMatchingBlockArgument(operand);
      std::vector<float> elements = elementsOf(*numbers, map);
      if (!isExact(element.getType(), elements))
        return {};
      values[keyOf(element)] = std::move(elements);
    }
    if (linalg::isaContractionOpInterface(op)) {
      // Each sum has one term.
      std::vector<float> x = values[keyOf(op.getBlock()->getArgument(0))];
      const std::vector<float> &y =
          values[keyOf(op.getBlock()->getArgument(1))];
      for (auto [a, b] : llvm::zip_equal(x, y))
        a *= b;
      return x;
    }
    const std::vector<float> *result =
        of(op.getBlock()->getTerminator()->getOperand(0));
    return result ? *result : std::vector<float>();
  }

  /// A number in the body for each step of one loop, the others at their first.
  std::vector<float> numbersAlong(Value number, unsigned loop) {
    const std::vector<float> *all = of(number);
    if (!all)
      return {};
    int64_t inner = stepsWithin(loop);
    std::vector<float> result;
    for (int64_t i = 0; i < loops.extents[loop]; ++i)
      result.push_back((*all)[i * inner]);
    return result;
  }

private:
  static void *keyOf(Value value) { return value.getAsOpaquePointer(); }

  /// Whether an operand is read on a diagonal.
  static bool namesLoopTwice(AffineMap map) {
    llvm::SmallBitVector named(map.getNumDims());
    for (AffineExpr expr : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        continue;
      if (named.test(dim.getPosition()))
        return true;
      named.set(dim.getPosition());
    }
    return false;
  }

  /// Whether no number is an integer that a float does not have, or was one
  /// before it was rounded.
  static bool isExact(Type type, ArrayRef<float> numbers) {
    return isa<FloatType>(type) || llvm::all_of(numbers, [](float number) {
             return std::fabs(number) < 0x1p24f;
           });
  }

  std::vector<float> elementsOf(const Numbers &numbers, AffineMap map) {
    std::vector<float> elements(loops.count);
    if (numbers.offsets.empty()) {
      llvm::fill(elements, numbers[0]);
      return elements;
    }
    SmallVector<const SmallVector<int64_t> *> byLoop(op.getNumLoops());
    int64_t base = 0;
    for (auto [expr, offsets] :
         llvm::zip_equal(map.getResults(), numbers.offsets)) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        byLoop[dim.getPosition()] = &offsets;
      else
        base += offsets[cast<AffineConstantExpr>(expr).getValue()];
    }
    int64_t at = 0;
    walk(0, base, byLoop,
         [&](int64_t place) { elements[at++] = numbers[place]; });
    return elements;
  }

  void walk(unsigned depth, int64_t place,
            ArrayRef<const SmallVector<int64_t> *> byLoop,
            llvm::function_ref<void(int64_t)> visit) {
    if (depth == loops.order.size())
      return visit(place);
    unsigned loop = loops.order[depth];
    for (int64_t i = 0; i < loops.extents[loop]; ++i)
      walk(depth + 1, place + (byLoop[loop] ? (*byLoop[loop])[i] : 0), byLoop,
           visit);
  }

  /// Steps of all loops within one: elements from its one step to the next.
  int64_t stepsWithin(unsigned loop) const {
    int64_t steps = 1;
    for (unsigned other : llvm::reverse(loops.order)) {
      if (other == loop)
        break;
      steps *= loops.extents[other];
    }
    return steps;
  }

  std::vector<float> indices(unsigned loop) {
    int64_t inner = stepsWithin(loop);
    std::vector<float> result(loops.count);
    for (auto [i, number] : llvm::enumerate(result))
      number = static_cast<float>(static_cast<int64_t>(i) / inner %
                                  loops.extents[loop]);
    return result;
  }

  /// An element of a tensor for each place.
  std::vector<float> picked(tensor::ExtractOp extract) {
    std::optional<Numbers> from = numbersOf(extract.getTensor());
    if (!from || from->offsets.size() != extract.getIndices().size())
      return {};
    std::vector<int64_t> places(loops.count, 0);
    for (auto [offsets, index] :
         llvm::zip_equal(from->offsets, extract.getIndices())) {
      const std::vector<float> *numbers = of(index);
      if (!numbers)
        return {};
      for (auto [place, number] : llvm::zip_equal(places, *numbers)) {
        if (!(number >= 0 && number < static_cast<float>(offsets.size())))
          return {};
        place += offsets[static_cast<size_t>(number)];
      }
    }
    std::vector<float> result(loops.count);
    for (auto [number, place] : llvm::zip_equal(result, places))
      number = (*from)[place];
    return result;
  }

  const std::vector<float> *of(Value value) {
    if (auto known = values.find(keyOf(value)); known != values.end())
      return &known->second;
    std::vector<float> result = compute(value);
    if (static_cast<int64_t>(result.size()) != loops.count)
      return nullptr;
    if (!isExact(value.getType(), result))
      return nullptr;
    return &(values[keyOf(value)] = std::move(result));
  }

  static bool hasNegative(ArrayRef<const std::vector<float> *> operands) {
    return llvm::any_of(operands, [](const std::vector<float> *numbers) {
      return llvm::any_of(*numbers, [](float number) { return number < 0; });
    });
  }

  /// Of numbers that are not negative where they have no sign.
  static std::vector<float>
  compared(arith::CmpIOp cmp,
           llvm::function_ref<std::vector<float>(
               llvm::function_ref<float(llvm::function_ref<float(unsigned)>)>)>
               each) {
    using P = arith::CmpIPredicate;
    return each([&](llvm::function_ref<float(unsigned)> x) -> float {
      switch (cmp.getPredicate()) {
      case P::eq:
        return x(0) == x(1);
      case P::ne:
        return x(0) != x(1);
      case P::slt:
      case P::ult:
        return x(0) < x(1);
      case P::sle:
      case P::ule:
        return x(0) <= x(1);
      case P::sgt:
      case P::ugt:
        return x(0) > x(1);
      case P::sge:
      case P::uge:
        return x(0) >= x(1);
      }
      llvm_unreachable("all predicates are above");
    });
  }

  std::vector<float> compute(Value value) {
    Operation *def = value.getDefiningOp();
    if (!def)
      return {};
    auto all = [&](double number) {
      return std::vector<float>(loops.count, static_cast<float>(number));
    };
    bool isBit = value.getType().isInteger(1);
    if (FloatAttr number; matchPattern(value, m_Constant(&number)))
      return all(number.getValueAsDouble());
    if (IntegerAttr number; matchPattern(value, m_Constant(&number)))
      return all(isBit ? number.getValue().getBoolValue()
                       : static_cast<double>(number.getValue().getSExtValue()));
    if (auto index = dyn_cast<linalg::IndexOp>(def))
      return indices(index.getDim());
    if (auto extract = dyn_cast<tensor::ExtractOp>(def))
      return picked(extract);
    SmallVector<const std::vector<float> *> in;
    for (Value operand : def->getOperands()) {
      in.push_back(of(operand)); // a map's elements stay where they are
      if (!in.back())
        return {};
    }
    auto each = [&](auto function) {
      std::vector<float> result(loops.count);
      for (int64_t i = 0; i < loops.count; ++i)
        result[i] = function([&](unsigned k) { return (*in[k])[i]; });
      return result;
    };
    using Result = std::vector<float>;
    return llvm::TypeSwitch<Operation *, Result>(def)
        .Case([&](arith::IndexCastOp) {
          return each([](auto x) { return x(0); });
        })
        .Case<arith::ExtUIOp, arith::UIToFPOp>([&](auto) {
          return hasNegative(in) ? Result() : each([](auto x) { return x(0); });
        })
        .Case<arith::ExtSIOp, arith::SIToFPOp>([&](auto) {
          // The sign of a single bit is the bit.
          bool isSign = def->getOperand(0).getType().isInteger(1);
          return each([&](auto x) { return isSign ? 0 - x(0) : x(0); });
        })
        .Case([&](arith::TruncIOp trunc) {
          float limit = std::ldexp(
              1.0f, static_cast<int>(trunc.getType().getIntOrFloatBitWidth()) -
                        !isBit);
          bool loses = llvm::any_of(*in[0], [&](float number) {
            return number >= limit || number < (isBit ? 0 : -limit);
          });
          return loses ? Result() : each([](auto x) { return x(0); });
        })
        .Case<arith::AddFOp, arith::AddIOp>(
            [&](auto) { return each([](auto x) { return x(0) + x(1); }); })
        .Case<arith::SubFOp, arith::SubIOp>(
            [&](auto) { return each([](auto x) { return x(0) - x(1); }); })
        .Case<arith::MulFOp, arith::MulIOp>(
            [&](auto) { return each([](auto x) { return x(0) * x(1); }); })
        .Case([&](arith::DivFOp) {
          return each([](auto x) { return x(0) / x(1); });
        })
        .Case<arith::MaxSIOp, arith::MaximumFOp>([&](auto) {
          return each([](auto x) { return std::fmax(x(0), x(1)); });
        })
        .Case<arith::MinSIOp, arith::MinimumFOp>([&](auto) {
          // An index beyond the end of a tensor is no position of a table.
          bool isBeyond =
              value.getType().isIndex() &&
              !llvm::all_of(llvm::zip_equal(*in[0], *in[1]), [](auto pair) {
                return std::get<0>(pair) <= std::get<1>(pair);
              });
          return isBeyond ? Result()
                          : each([](auto x) { return std::fmin(x(0), x(1)); });
        })
        .Case([&](arith::CmpIOp cmp) {
          bool isUnsigned = cmp.getPredicate() >= arith::CmpIPredicate::ult;
          return isUnsigned && hasNegative(in) ? Result() : compared(cmp, each);
        })
        .Case([&](arith::AndIOp) {
          return isBit ? each([](auto x) { return x(0) * x(1); }) : Result();
        })
        .Case([&](arith::OrIOp) {
          return isBit ? each([](auto x) { return std::fmax(x(0), x(1)); })
                       : Result();
        })
        .Case([&](arith::XOrIOp) {
          return isBit ? each([](auto x) -> float { return x(0) != x(1); })
                       : Result();
        })
        .Case<math::AbsIOp, math::AbsFOp>(
            [&](auto) { return each([](auto x) { return std::fabs(x(0)); }); })
        .Case([&](arith::SelectOp) {
          return each([](auto x) { return x(0) != 0 ? x(1) : x(2); });
        })
        .Case([&](arith::NegFOp) { return each([](auto x) { return -x(0); }); })
        .Case([&](math::SqrtOp) {
          return each([](auto x) { return std::sqrt(x(0)); });
        })
        .Case([&](math::ExpOp) {
          return each([](auto x) { return fold::exp(x(0)); });
        })
        .Case([&](math::LogOp) {
          return each([](auto x) { return fold::log(x(0)); });
        })
        .Case([&](math::PowFOp) {
          return each([](auto x) { return fold::pow(x(0), x(1)); });
        })
        .Case([&](math::CosOp) {
          return each([](auto x) { return fold::cos(x(0)); });
        })
        .Case([&](math::SinOp) {
          return each([](auto x) { return fold::sin(x(0)); });
        })
        .Default(Result());
  }

  linalg::LinalgOp op;
  const FoldedLoops &loops;
  llvm::function_ref<std::optional<Numbers>(Value)> numbersOf;
  std::map<void *, std::vector<float>> values; ///< by value
};

} // namespace

/// The first `positions` rows of what has rows, or all of a constant.
static std::optional<Numbers> numbersOf(const Contents &contents,
                                        int64_t positions) {
  if (!contents)
    return std::nullopt;
  Node *node = contents.node;
  Numbers numbers;
  if (node->is(NodeKind::Scalar)) {
    numbers.own = {node->scalar};
    return numbers;
  }
  numbers.first = contents.layout.offset;
  bool isTable = node->is(NodeKind::PositionTable);
  if (node->is(NodeKind::Weight)) {
    numbers.data = ConstantData::get(node->data);
  } else if (isTable) {
    if (static_cast<int64_t>(node->rowOffsets.size()) < positions)
      return std::nullopt;
    ConstantData data = *ConstantData::get(node->data);
    for (int64_t i = 0; i < positions; ++i)
      for (int64_t column : node->columnOffsets)
        numbers.own.push_back(data[node->rowOffsets[i] + column]);
  } else if (isPosition(node)) {
    for (int64_t i = 0; i < positions; ++i)
      numbers.own.push_back(*numberAt(node, i));
  } else {
    return std::nullopt;
  }
  for (const Atoms &atoms : contents.layout.dims) {
    bool isRows = atoms.size() == 1 && atoms.front().sequence >= 0;
    if (!isRows) {
      if (llvm::any_of(atoms, [](const Atom &a) { return a.sequence >= 0; }))
        return std::nullopt;
      numbers.offsets.push_back(offsetsOf(atoms));
      continue;
    }
    Atom rows = atoms.front();
    if (rows.axis == Axis::Data && rows.size < positions)
      return std::nullopt;
    if (rows.axis == Axis::Token)
      rows.stride = isTable ? node->width : 1;
    rows.size = positions;
    numbers.offsets.push_back(offsetsOf(rows));
  }
  return numbers;
}

/// The loops of an op whose operands are constants and positions; none where
/// they are something else, or several dimensions are tokens.
static std::optional<FoldedLoops>
foldedLoops(linalg::LinalgOp op, int64_t bound, ArrayRef<Value> tensors,
            llvm::function_ref<Contents(Value)> contents,
            llvm::function_ref<std::optional<Atom>(OpFoldResult)> sequenceOf) {
  FoldedLoops loops;
  loops.extents = op.getStaticLoopRanges();
  int64_t rows = std::numeric_limits<int64_t>::max();
  bool hasConstant = false;
  auto takeToken = [&](unsigned loop, const Atom &atom) {
    if (loops.token &&
        (*loops.token != loop || loops.sequence.sequence != atom.sequence))
      return false;
    loops.token = loop;
    loops.sequence = atom;
    return true;
  };
  for (Value tensor : tensors) {
    Contents input = contents(tensor);
    if (!input)
      return std::nullopt;
    Node *node = input.node;
    bool isTable = node->is(NodeKind::PositionTable);
    if (!isTable && !node->is(NodeKind::Weight) &&
        !node->is(NodeKind::Scalar) && !isPosition(node))
      return std::nullopt;
    hasConstant |= isTable || node->is(NodeKind::Weight);
    if (isTable)
      rows = std::min<int64_t>(rows, node->rowOffsets.size());
    for (const Atoms &atoms : input.layout.dims)
      if (atoms.size() == 1 && atoms.front().isSliced())
        rows = std::min(rows, atoms.front().size);
  }
  // Or indices of a tensor whose extents are all known.
  if (!hasConstant &&
      (!tensors.empty() ||
       !cast<RankedTensorType>(op->getResult(0).getType()).hasStaticShape()))
    return std::nullopt;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    Contents input = contents(operand->get());
    AffineMap map = op.getMatchingIndexingMap(operand);
    for (auto [i, expr] : llvm::enumerate(map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim && !isa<AffineConstantExpr>(expr))
        return std::nullopt;
      if (input.layout.dims.empty())
        continue;
      const Atoms &atoms = input.layout.dims[i];
      if (dim && atoms.size() == 1 && atoms.front().sequence >= 0 &&
          !takeToken(dim.getPosition(), atoms.front()))
        return std::nullopt;
    }
  }
  OpOperand *init = op.getDpsInitOperand(0);
  AffineMap written = op.getMatchingIndexingMap(init);
  Value into = init->get();
  if (auto fill = into.getDefiningOp<linalg::FillOp>())
    into = fill.getOutputs().front();
  auto made = into.getDefiningOp<tensor::EmptyOp>();
  for (auto [i, expr] : llvm::enumerate(written.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return std::nullopt;
    loops.order.push_back(dim.getPosition());
    std::optional<Atom> atom =
        made ? sequenceOf(made.getMixedSizes()[i]) : std::nullopt;
    if (atom && !takeToken(dim.getPosition(), *atom))
      return std::nullopt;
  }
  for (auto [i, extent] : llvm::enumerate(loops.extents)) {
    if (loops.token && i == *loops.token) {
      int64_t longest = ShapedType::isDynamic(extent) ? bound : extent;
      loops.positions = longest > 0 ? std::min(longest, rows) : rows;
      if (loops.positions == std::numeric_limits<int64_t>::max())
        return std::nullopt;
      extent = loops.positions;
    }
    if (ShapedType::isDynamic(extent))
      return std::nullopt;
    // Others than those of the result have one step.
    if (!llvm::is_contained(loops.order, i) && extent != 1)
      return std::nullopt;
    if (extent > mostElements / loops.count)
      return std::nullopt;
    loops.count *= extent;
  }
  return loops;
}

bool Analysis::foldConstants(linalg::LinalgOp op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !op.getBlock() ||
      !(type.getElementType().isF32() ||
        type.getElementType().isSignlessInteger()))
    return false;
  bool isProduct = linalg::isaContractionOpInterface(op);
  if (!isProduct && (op.getNumReductionLoops() > 0 ||
                     !op.getRegionOutputArgs().front().use_empty()))
    return false;
  // What is moved about only stays as it is, unless it is repeated.
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  SmallVector<Value> tensors(op.getDpsInputs());
  if (op.getNumDpsInputs() == 1 && yielded == op.getBlock()->getArgument(0)) {
    Contents input = contents(tensors.front());
    if (!input || !input.node->is(NodeKind::Weight))
      return false;
  }
  if (!isProduct)
    op->walk([&](tensor::ExtractOp extract) {
      tensors.push_back(extract.getTensor());
    });
  auto lookup = [&](Value value) { return contents(value); };
  std::optional<FoldedLoops> loops =
      foldedLoops(op, bound, tensors, lookup,
                  [&](OpFoldResult size) { return sequenceOf(size); });
  if (!loops)
    return false;
  // Along its own length a constant may be a mask's: of keys.
  if (loops->token) {
    if (!type.getElementType().isF32())
      return false;
    loops->sequence = {Axis::Token, op.getStaticLoopRanges()[*loops->token], 1,
                       loops->sequence.sequence};
    for (auto [i, extent] : llvm::enumerate(loops->extents))
      if (i != *loops->token && extent > 1 && extent == loops->sequence.size)
        return false;
  }
  auto numbers = [&](Value tensor) {
    return numbersOf(contents(tensor), loops->positions);
  };
  BodyFolder folder(op, *loops, numbers);
  std::vector<float> elements = folder.run();
  if (elements.empty())
    return false;
  SmallVector<int64_t> shape;
  for (unsigned loop : loops->order)
    shape.push_back(loops->token == loop ? loops->positions
                                         : loops->extents[loop]);
  ElementsAttr like = DenseElementsAttr::get(
      RankedTensorType::get({1}, Float32Type::get(op->getContext())), 0.0f);
  for (Value tensor : tensors)
    if (Contents input = contents(tensor); input.node->data)
      like = input.node->data;
  setFolded(op->getResult(0), pool.numbers(like, shape, elements), shape,
            loops->token ? std::optional<unsigned>(
                               llvm::find(loops->order, *loops->token) -
                               loops->order.begin())
                         : std::nullopt,
            loops->sequence);
  return true;
}

/// The loop whose steps decide a number; none where there are several.
static std::optional<unsigned> loopOf(Value number, linalg::LinalgOp op) {
  std::optional<unsigned> loop;
  bool isOne = true;
  auto visit = [&](auto &self, Value value) -> void {
    Operation *def = value.getDefiningOp();
    if (!def || !op->isProperAncestor(def))
      return;
    if (auto index = dyn_cast<linalg::IndexOp>(def)) {
      isOne &= !loop || *loop == index.getDim();
      loop = index.getDim();
    }
    for (Value operand : def->getOperands())
      self(self, operand);
  };
  visit(visit, number);
  return isOne ? loop : std::nullopt;
}

/// Features of rows at places that constants say: heads, taken once more or in
/// another order.
bool Analysis::visitGather(linalg::LinalgOp op) {
  auto extract = op.getBlock()
                     ->getTerminator()
                     ->getOperand(0)
                     .getDefiningOp<tensor::ExtractOp>();
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  Contents input = extract ? contents(extract.getTensor()) : Contents();
  if (!input || !input.node->isRows() || op.getNumReductionLoops() > 0 ||
      !map.isIdentity())
    return false;
  FoldedLoops loops;
  loops.extents = op.getStaticLoopRanges();
  unsigned rank = loops.extents.size();
  SmallVector<Atoms> like(rank);
  SmallVector<std::optional<Value>> places(rank);
  int64_t features = 1;
  for (auto [atoms, index] :
       llvm::zip_equal(input.layout.dims, extract.getIndices())) {
    std::optional<unsigned> loop = loopOf(index, op);
    if (!loop && atoms.empty())
      continue;
    if (!loop || places[*loop])
      return false;
    places[*loop] = index;
    like[*loop] = atoms;
    bool isRow = isSequence(atoms);
    if (isRow && !isa_and_nonnull<linalg::IndexOp>(index.getDefiningOp()))
      return false; // tokens in another order
    if (!isRow &&
        llvm::any_of(atoms, [](const Atom &a) { return a.isSequence(); }))
      return false;
    if (isRow)
      loops.extents[*loop] = 1;
  }
  for (unsigned i = 0; i < rank; ++i) {
    loops.order.push_back(i);
    if (ShapedType::isDynamic(loops.extents[i]) ||
        loops.extents[i] > mostElements / loops.count)
      return false;
    loops.count *= loops.extents[i];
  }
  auto numbers = [&](Value tensor) { return numbersOf(contents(tensor), 0); };
  BodyFolder folder(op, loops, numbers);
  SmallVector<SmallVector<int64_t>> offsets(rank);
  for (unsigned i = 0; i < rank; ++i) {
    if (isSequence(like[i]))
      continue;
    SmallVector<int64_t> from = offsetsOf(like[i]);
    if (!places[i]) {
      offsets[i].assign(loops.extents[i], 0);
      continue;
    }
    features *= from.size();
    std::vector<float> steps = folder.numbersAlong(*places[i], i);
    if (steps.empty())
      return false;
    for (float step : steps) {
      if (!(step >= 0 && step < static_cast<float>(from.size())))
        return false;
      offsets[i].push_back(from[static_cast<size_t>(step)]);
    }
  }
  if (features != input.node->width)
    return false;
  Layout layout = renumbered(like, loops.extents);
  Node *node = pool.columns(input.node, offsetsBy(layout, offsets));
  set(op->getResult(0), node, std::move(layout));
  return true;
}

void Analysis::setFolded(Value result, ElementsAttr data,
                         ArrayRef<int64_t> shape,
                         std::optional<unsigned> tokenDim, Atom sequence) {
  Layout layout = dataLayout(shape);
  if (!tokenDim) {
    if (data.getNumElements() == 1)
      set(result, pool.scalar((*ConstantData::get(data))[0]), {});
    else
      set(result, pool.weight(data, {}, Offsets::upTo(data.getNumElements())),
          std::move(layout));
    return;
  }
  int64_t stride = llvm::product_of(shape.drop_front(*tokenDim + 1));
  layout.dims[*tokenDim] = {
      {Axis::Data, shape[*tokenDim], stride, sequence.sequence}};
  Contents table = tableOf(
      {pool.weight(data, {}, Offsets::upTo(data.getNumElements())), layout},
      sequence);
  set(result, table.node, std::move(table.layout));
}

Contents Analysis::tableOf(const Contents &constant, const Atom &sequence) {
  std::optional<unsigned> tokenDim = slicedDim(constant);
  if (!tokenDim)
    return {};
  const Layout &from = constant.layout;
  Layout layout;
  SmallVector<SmallVector<int64_t>> offsets;
  SmallVector<int64_t> extents;
  SmallVector<Atoms> like;
  for (auto [dim, atoms] : llvm::enumerate(from.dims)) {
    bool isToken = dim == *tokenDim;
    like.push_back(
        isToken ? Atoms{{Axis::Token, sequence.size, 1, sequence.sequence}}
                : Atoms());
    offsets.push_back(isToken ? SmallVector<int64_t>() : offsetsOf(atoms));
    extents.push_back(isToken ? 1 : offsets.back().size());
  }
  layout = renumbered(like, extents);
  SmallVector<int64_t> columns = offsetsBy(layout, offsets);
  for (int64_t &column : columns)
    column += from.offset;
  const Atom &rows = from.dims[*tokenDim].front();
  Atom unmarked{Axis::Data, rows.size, rows.stride};
  Node *node = pool.positionTable(constant.node->data, offsetsOf(unmarked),
                                  columns, sequence.sequence);
  return {node, std::move(layout)};
}

bool Analysis::foldInsert(tensor::InsertSliceOp op,
                          ArrayRef<tensor::InsertSliceOp> pieces) {
  RankedTensorType type = op.getDestType();
  if (pieces.empty() || !type.hasStaticShape() ||
      type.getNumElements() > mostElements)
    return false;
  std::vector<float> elements(type.getNumElements());
  int64_t filled = 0;
  ElementsAttr like;
  Layout whole = dataLayout(type.getShape());
  for (tensor::InsertSliceOp piece : pieces) {
    Contents source = contents(piece.getSource());
    if (!source || !source.node->is(NodeKind::Weight) || slicedDim(source) ||
        piece.getSourceType().getRank() != type.getRank())
      return false;
    like = source.node->data;
    ConstantData data = *ConstantData::get(like);
    Layout to = whole;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      std::optional<int64_t> offset =
          getConstantIntValue(piece.getMixedOffsets()[dim]);
      std::optional<int64_t> stride =
          getConstantIntValue(piece.getMixedStrides()[dim]);
      std::optional<Layout> part;
      if (offset && stride)
        part = to.sliced(dim, *offset, piece.getSourceType().getDimSize(dim),
                         *stride);
      if (!part)
        return false;
      to = std::move(*part);
    }
    SmallVector<Atom> fromAtoms, toAtoms;
    for (const Atoms &atoms : source.layout.dims)
      llvm::append_range(fromAtoms, atoms);
    for (const Atoms &atoms : to.dims)
      llvm::append_range(toAtoms, atoms);
    for (auto [into, from] :
         llvm::zip_equal(offsetsOf(toAtoms, to.offset),
                         offsetsOf(fromAtoms, source.layout.offset)))
      elements[into] = data[from], ++filled;
  }
  if (filled != type.getNumElements())
    return false;
  setFolded(op.getResult(), pool.numbers(like, type.getShape(), elements),
            type.getShape(), std::nullopt, {});
  return true;
}

/// Whether all that is read of a body's element are products with it.
static bool isFactorOnly(BlockArgument element) {
  return llvm::all_of(element.getUsers(), llvm::IsaPred<arith::MulFOp>);
}

Node *Analysis::positionOperand(linalg::LinalgOp op, OpOperand *operand,
                                ArrayRef<Atoms> loops) {
  Contents input = contents(operand->get());
  bool isTable = input.node->is(NodeKind::PositionTable);
  // What is added to rows, an embedding of positions, is no part of a layer.
  if (!isTable && !isFactorOnly(op.getMatchingBlockArgument(operand)))
    return nullptr;
  AffineMap map = op.getMatchingIndexingMap(operand);
  Atoms features, elements;
  llvm::SmallBitVector isRead(loops.size());
  std::optional<Atom> rows, token;
  for (auto [expr, atoms] :
       llvm::zip_equal(map.getResults(), input.layout.dims)) {
    if (atoms.empty())
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    const Atoms &loop = dim ? loops[dim.getPosition()] : Atoms();
    if (isAxis(loop, Axis::Token)) {
      bool isRow = atoms.size() == 1 &&
                   (atoms.front().sequence == loop.front().sequence ||
                    (atoms.front().axis == Axis::Data &&
                     atoms.front().size == loop.front().size));
      if (!isRow || rows)
        return nullptr;
      rows = atoms.front();
      token = loop.front();
      continue;
    }
    if (loop.empty() ||
        llvm::any_of(
            loop,
            [](const Atom &atom) { return atom.axis != Axis::Feature; }) ||
        llvm::any_of(atoms,
                     [](const Atom &atom) { return atom.sequence >= 0; }))
      return nullptr;
    llvm::append_range(features, loop);
    llvm::append_range(elements, atoms);
    isRead.set(dim.getPosition());
  }
  if (!rows)
    return nullptr;
  for (auto [i, loop] : llvm::enumerate(loops))
    for (const Atom &atom : loop)
      if (!isRead[i] && atom.axis == Axis::Feature) {
        features.push_back(atom);
        elements.push_back({Axis::Data, atom.size, 0});
      }
  SmallVector<int64_t> columns = offsetsOf(features),
                       offsets = offsetsOf(elements, input.layout.offset);
  auto width = static_cast<int64_t>(columns.size());
  if (columns.size() != offsets.size() ||
      llvm::any_of(columns, [&](int64_t c) { return c >= width; }))
    return nullptr;
  SmallVector<int64_t> byColumn(width);
  for (auto [column, offset] : llvm::zip_equal(columns, offsets))
    byColumn[column] = offset;
  if (isTable)
    return pool.columns(input.node, byColumn);
  Atom unmarked{Axis::Data, rows->size, rows->stride};
  return pool.positionTable(input.node->data, offsetsOf(unmarked), byColumn,
                            token->sequence);
}
