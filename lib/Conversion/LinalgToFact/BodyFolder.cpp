//===- BodyFolder.cpp - The numbers of an op's body -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BodyFolder.h"

#include "fact/Numerics/Fold.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;
namespace fold = ::fact::numerics::fold;

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

bool mlir::fact::isPosition(Node *node) {
  return node->width == 0 && node->heads == 0 && !node->pair &&
         node->sequence >= 0 && numberAt(node, 0);
}

std::optional<Numbers> mlir::fact::numbersIn(const Contents &contents,
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

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

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

std::vector<float> BodyFolder::run() {
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
    const std::vector<float> &y = values[keyOf(op.getBlock()->getArgument(1))];
    for (auto [a, b] : llvm::zip_equal(x, y))
      a *= b;
    return x;
  }
  const std::vector<float> *result =
      of(op.getBlock()->getTerminator()->getOperand(0));
  return result ? *result : std::vector<float>();
}

std::vector<float> BodyFolder::numbersAlong(Value number, unsigned loop) {
  const std::vector<float> *all = of(number);
  if (!all)
    return {};
  int64_t inner = stepsWithin(loop);
  std::vector<float> result;
  for (int64_t i = 0; i < loops.extents[loop]; ++i)
    result.push_back((*all)[i * inner]);
  return result;
}

std::vector<float> BodyFolder::elementsOf(const Numbers &numbers,
                                          AffineMap map) const {
  std::vector<float> elements(loops.count);
  if (numbers.offsets.empty()) {
    llvm::fill(elements, numbers[0]);
    return elements;
  }
  SmallVector<const SmallVector<int64_t> *> byLoop(map.getNumDims());
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

void BodyFolder::walk(unsigned depth, int64_t place,
                      ArrayRef<const SmallVector<int64_t> *> byLoop,
                      llvm::function_ref<void(int64_t)> visit) const {
  if (depth == loops.order.size())
    return visit(place);
  unsigned loop = loops.order[depth];
  for (int64_t i = 0; i < loops.extents[loop]; ++i)
    walk(depth + 1, place + (byLoop[loop] ? (*byLoop[loop])[i] : 0), byLoop,
         visit);
}

int64_t BodyFolder::stepsWithin(unsigned loop) const {
  int64_t steps = 1;
  for (unsigned other : llvm::reverse(loops.order)) {
    if (other == loop)
      break;
    steps *= loops.extents[other];
  }
  return steps;
}

std::vector<float> BodyFolder::indices(unsigned loop) const {
  int64_t inner = stepsWithin(loop);
  std::vector<float> result(loops.count);
  for (auto [i, number] : llvm::enumerate(result))
    number = static_cast<float>(static_cast<int64_t>(i) / inner %
                                loops.extents[loop]);
  return result;
}

std::vector<float> BodyFolder::picked(tensor::ExtractOp extract) {
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

const std::vector<float> *BodyFolder::of(Value value) {
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

std::vector<float> BodyFolder::compute(Value value) {
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
      .Case(
          [&](arith::IndexCastOp) { return each([](auto x) { return x(0); }); })
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
            1.0f,
            static_cast<int>(trunc.getType().getIntOrFloatBitWidth()) - !isBit);
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
