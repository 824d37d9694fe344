//===- Padding.cpp - Masks that say which tokens are padding --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Padding may be left out where nothing of a real token depends on it: all
// attentions hide it, and every other op works token by token, on those up to
// its own, or takes all tokens together so that padding adds nothing (pooling
// by the mask).
//
//===----------------------------------------------------------------------===//

#include "Mask.h"
#include "Raiser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::fact;

namespace {

/// Numbers that tokens have if they are padding, whatever else they hold.
class PaddingNumbers {
public:
  PaddingNumbers(Node *mask, double number) { numbers[mask] = number; }

  std::optional<double> of(Node *node) {
    if (auto known = numbers.find(node); known != numbers.end())
      return known->second;
    return numbers[node] = compute(node);
  }
  bool isZero(Node *node) { return of(node) == 0; }

private:
  std::optional<double> compute(Node *node) {
    if (node->is(NodeKind::Scalar))
      return node->scalar;
    if (node->pair || node->is(NodeKind::TokenSum) || node->is(NodeKind::Sum) ||
        node->is(NodeKind::HeadSum))
      return std::nullopt;
    if (node->is(NodeKind::Select)) {
      std::optional<double> condition = of(node->operand(0));
      return condition ? of(node->operand(*condition != 0 ? 1 : 2))
                       : std::nullopt;
    }
    if (node->operands.empty() || node->operands.size() > 2)
      return std::nullopt;
    std::optional<double> x = of(node->operand(0)),
                          y = of(node->operands.back());
    if (node->is(NodeKind::Mul) && (x == 0 || y == 0))
      return 0;
    if (!x || !y)
      return std::nullopt;
    switch (node->kind) {
    case NodeKind::Add:
      return *x + *y;
    case NodeKind::Mul:
      return *x * *y;
    case NodeKind::Greater:
      return *x > *y;
    case NodeKind::Equal:
      return *x == *y;
    case NodeKind::And:
      return *x != 0 && *y != 0;
    case NodeKind::Or:
      return *x != 0 || *y != 0;
    case NodeKind::Not:
      return *x == 0;
    default:
      return std::nullopt;
    }
  }

  DenseMap<Node *, std::optional<double>> numbers;
};

/// Says of each op whether tokens that are padding would change anything but
/// their own rows. All that is not known not to is taken to do so.
class PaddingReaders {
public:
  /// `hiding`: softmaxes, and what is weighted by them, that hide the padding.
  PaddingReaders(const Analysis &analysis, const DenseSet<Node *> &hiding,
                 PaddingNumbers numbers)
      : analysis(analysis), hiding(hiding), numbers(std::move(numbers)) {}

  bool seesPadding(Operation &op) {
    if (auto reshape = dyn_cast<tensor::ExpandShapeOp>(op);
        reshape && mixesTokens(op, reshape.getReassociationIndices(),
                               reshape.getResultType()))
      return true;
    if (auto reshape = dyn_cast<tensor::CollapseShapeOp>(op);
        reshape && mixesTokens(op, reshape.getReassociationIndices(),
                               reshape.getSrcType()))
      return true;
    if (isa<arith::ConstantOp, tensor::DimOp, tensor::EmptyOp,
            tensor::ExpandShapeOp, tensor::CollapseShapeOp, linalg::FillOp>(
            op) ||
        op.hasTrait<OpTrait::IsTerminator>())
      return llvm::any_of(op.getOperands(), [](Value operand) {
        // The length itself.
        return operand.getType().isInteger(64) &&
               !matchPattern(operand, m_Constant());
      });
    // Lengths of tensors, for other tensors' extents.
    if (isa<arith::AddIOp, arith::MulIOp, arith::SubIOp, arith::DivUIOp>(op))
      return !op.getResult(0).getType().isIndex();
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      return takesLastTokens(slice);
    // Features beside those of the same tokens.
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
      Contents source = analysis.contents(insert.getSource()),
               result = analysis.contents(insert.getResult());
      bool isSameRows = source && result && source.node->isRows() &&
                        source.node->sequence == result.node->sequence;
      return !isSameRows && movesTokens(insert);
    }
    if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op)) {
      Contents result = analysis.contents(softmax->getResult(0));
      return !(result && hiding.contains(result.node)) &&
             softmax.getInputOperandType().isDynamicDim(softmax.getDimension());
    }
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      return readsOthers(linalgOp);
    return true;
  }

private:
  /// Whether elements of a token may go to other ones: where an open extent is
  /// put together with others, or taken apart, and it is not known which of
  /// them are the tokens.
  bool mixesTokens(Operation &op, ArrayRef<ReassociationIndices> groups,
                   RankedTensorType apart) {
    Contents before = analysis.contents(op.getOperand(0)),
             after = analysis.contents(op.getResult(0));
    if (before && before.node == after.node)
      return false;
    return llvm::any_of(groups, [&](const ReassociationIndices &group) {
      int64_t more = llvm::count_if(
          group, [&](int64_t dim) { return apart.getDimSize(dim) != 1; });
      return more > 1 && llvm::any_of(group, [&](int64_t dim) {
               return apart.isDynamicDim(dim);
             });
    });
  }

  /// Whether tokens may come to another place: an open dimension is not written
  /// from its beginning.
  static bool movesTokens(tensor::InsertSliceOp op) {
    for (auto [i, offset] : llvm::enumerate(op.getMixedOffsets()))
      if (op.getResultType().isDynamicDim(i) &&
          getConstantIntValue(offset) != 0)
        return true;
    return llvm::any_of(op.getMixedStrides(), [](OpFoldResult stride) {
      return getConstantIntValue(stride) != 1;
    });
  }

  /// Whether a slice takes or leaves tokens by their distance from the end.
  bool takesLastTokens(tensor::ExtractSliceOp op) {
    for (auto [i, offset, size] :
         llvm::enumerate(op.getMixedOffsets(), op.getMixedSizes())) {
      auto open = dyn_cast<Value>(size);
      if (op.getSourceType().isDynamicDim(i) &&
          (getConstantIntValue(offset) != 0 ||
           (open && !open.getDefiningOp<tensor::DimOp>())))
        return true;
    }
    // Features may be taken at any distance.
    for (auto [i, stride] : llvm::enumerate(op.getMixedStrides()))
      if (op.getSourceType().isDynamicDim(i) &&
          getConstantIntValue(stride) != 1)
        return true;
    return false;
  }

  bool readsOthers(linalg::LinalgOp op) {
    if (op->getNumResults() != 1)
      return true;
    Contents result = analysis.contents(op->getResult(0));
    Node *node = result ? result.node : nullptr;
    if (node && hiding.contains(node))
      return false;
    if (isPrefixSum(op) || isTermsOfPrefixSum(op))
      return false;
    if (readsFromOutside(op))
      return true;
    // A number of all tokens is for masks.
    for (Value operand : op->getOperands())
      if (Contents input = analysis.contents(operand);
          input && holdsTokenSum(input.node) && !(node && node->width == 0))
        return true;
    bool reduces = false;
    for (auto [extent, type] :
         llvm::zip(op.getStaticLoopRanges(), op.getIteratorTypesArray()))
      reduces |= ShapedType::isDynamic(extent) &&
                 type == utils::IteratorType::reduction;
    if (!reduces || passesOverPadding(op))
      return false;
    // A number of all tokens is for masks; parts of a softmax in steps go back
    // to the keys.
    bool isPart =
        node && (node->is(NodeKind::TokenSum) || node->is(NodeKind::KeySum) ||
                 node->is(NodeKind::KeyMax));
    return !isPart || llvm::any_of(op->getUsers(), [&](Operation *user) {
      return !goesToPairs(user);
    });
  }

  /// A sum over tokens of what is zero for padding, or the largest of what is
  /// hidden there: pooling by the mask.
  bool passesOverPadding(linalg::LinalgOp op) {
    if (linalg::isaContractionOpInterface(op))
      return llvm::any_of(op.getDpsInputs(), [&](Value factor) {
        Contents factors = analysis.contents(factor);
        return factors && numbers.isZero(factors.node);
      });
    Contents input = op.getNumDpsInputs() == 1
                         ? analysis.contents(op.getDpsInputOperand(0)->get())
                         : Contents();
    Operation *combine =
        op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
    if (!input || !combine ||
        !llvm::all_of(combine->getOperands(), llvm::IsaPred<BlockArgument>))
      return false;
    std::optional<double> number = numbers.of(input.node);
    return isa<arith::AddFOp, arith::AddIOp>(combine)
               ? number == 0
               : isa<arith::MaximumFOp, arith::MaxNumFOp>(combine) && number &&
                     *number <= kHiddenScore;
  }

  /// The loop of an op over the terms of a sum up to each token: those of later
  /// tokens are zero. None where it has no such form.
  static std::optional<unsigned> loopOfTerms(linalg::LinalgOp op) {
    if (op.getNumReductionLoops() > 0 || op->getNumResults() != 1)
      return std::nullopt;
    Value made = op.getBlock()->getTerminator()->getOperand(0);
    auto choice = made.getDefiningOp<arith::SelectOp>();
    auto upTo =
        choice ? choice.getCondition().getDefiningOp<arith::CmpIOp>() : nullptr;
    auto element =
        choice ? choice.getTrueValue().getDefiningOp<tensor::ExtractOp>()
               : nullptr;
    if (!upTo || !element ||
        !(matchPattern(choice.getFalseValue(), m_Zero()) ||
          matchPattern(choice.getFalseValue(), m_AnyZeroFloat())) ||
        !(upTo.getPredicate() == arith::CmpIPredicate::sle ||
          upTo.getPredicate() == arith::CmpIPredicate::slt))
      return std::nullopt;
    auto term = upTo.getLhs().getDefiningOp<linalg::IndexOp>(),
         token = upTo.getRhs().getDefiningOp<linalg::IndexOp>();
    // The element of the term's token, at the place of the sum's.
    bool readsTerm = term && token && term.getDim() + 1 == op.getNumLoops();
    for (auto [i, index] : llvm::enumerate(element.getIndices())) {
      auto loop = index.getDefiningOp<linalg::IndexOp>();
      readsTerm &= loop && token &&
                   loop.getDim() == (i == token.getDim() ? term.getDim() : i);
    }
    return readsTerm ? std::optional<unsigned>(term.getDim()) : std::nullopt;
  }

  /// A sum over such terms: no token sees those behind it.
  static bool isPrefixSum(linalg::LinalgOp op) {
    if (op.getNumDpsInputs() != 1 || op.getNumReductionLoops() != 1)
      return false;
    auto terms =
        op.getDpsInputOperand(0)->get().getDefiningOp<linalg::LinalgOp>();
    std::optional<unsigned> loop = terms ? loopOfTerms(terms) : std::nullopt;
    Operation *sum =
        op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
    return loop && isa_and_nonnull<arith::AddFOp, arith::AddIOp>(sum) &&
           op.getMatchingIndexingMap(op.getDpsInputOperand(0)).isIdentity() &&
           terms.getMatchingIndexingMap(terms.getDpsInitOperand(0))
               .isIdentity() &&
           op.getIteratorTypesArray()[*loop] == utils::IteratorType::reduction;
  }

  static bool isTermsOfPrefixSum(linalg::LinalgOp op) {
    return loopOfTerms(op) && llvm::all_of(op->getUsers(), [](Operation *user) {
             auto sum = dyn_cast<linalg::LinalgOp>(user);
             return sum && isPrefixSum(sum);
           });
  }

  /// Whether all that is made of an op's result depends on a key again.
  bool goesToPairs(Operation *op) {
    if (op->getNumResults() != 1)
      return false;
    Contents result = analysis.contents(op->getResult(0));
    if (!result)
      return false;
    if (result.node->pair)
      return true;
    auto elements = dyn_cast<linalg::LinalgOp>(op);
    bool isElementwise = elements && elements.getNumReductionLoops() == 0 &&
                         result.node->width == 0;
    return (isElementwise ||
            isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op)) &&
           !op->use_empty() &&
           llvm::all_of(op->getUsers(),
                        [&](Operation *user) { return goesToPairs(user); });
  }

  /// Whether a body reads what is no element: other tensors, a length.
  bool readsFromOutside(linalg::LinalgOp op) {
    bool found = false;
    op->walk([&](Operation *inner) {
      if (inner == op.getOperation())
        return;
      for (Value operand : inner->getOperands()) {
        Operation *maker = operand.getDefiningOp();
        bool isInside =
            maker ? op->isProperAncestor(maker)
                  : cast<BlockArgument>(operand).getOwner() == op.getBlock();
        bool isConstant = isa_and_nonnull<arith::ConstantOp>(maker);
        // Rows of a table, whatever index a token has.
        found |= !isInside && !isConstant &&
                 !(isa<tensor::ExtractOp>(inner) && isIndexOf(operand, op));
      }
    });
    return found;
  }

  /// A tensor of numbers for each token that is read at that token.
  static bool isIndexOf(Value tensor, linalg::LinalgOp op) {
    auto type = dyn_cast<RankedTensorType>(tensor.getType());
    if (!type || !type.getElementType().isInteger())
      return false;
    bool own = true;
    op->walk([&](tensor::ExtractOp extract) {
      if (extract.getTensor() == tensor)
        for (Value index : extract.getIndices())
          own &= isa_and_nonnull<linalg::IndexOp>(index.getDefiningOp());
    });
    return own;
  }

  bool holdsTokenSum(Node *node) {
    if (node->is(NodeKind::Context) || node->is(NodeKind::Leaf))
      return false;
    if (node->is(NodeKind::TokenSum) && numbers.isZero(node->operand(0)))
      return holdsTokenSum(node->operand(0)); // padding adds nothing
    auto [it, isNew] = sums.try_emplace(node, node->is(NodeKind::TokenSum));
    if (!isNew || it->second)
      return it->second;
    bool holds = llvm::any_of(
        node->operands, [&](Node *operand) { return holdsTokenSum(operand); });
    return sums[node] = holds;
  }

  const Analysis &analysis;
  const DenseSet<Node *> &hiding;
  PaddingNumbers numbers;
  DenseMap<Node *, bool> sums;
};

/// The arguments whose elements an op's results depend on.
class Origins {
public:
  explicit Origins(func::FuncOp function)
      : body(&function.getBody().front()), count(function.getNumArguments()) {
    for (Operation &op : *body) {
      llvm::SmallBitVector bits(count);
      if (!isa<tensor::DimOp>(op)) // a length only
        op.walk([&](Operation *inner) {
          for (Value operand : inner->getOperands())
            bits |= of(operand);
        });
      origins[&op] = std::move(bits);
    }
  }

  llvm::SmallBitVector of(Value value) const {
    llvm::SmallBitVector bits(count);
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() == body)
        bits.set(argument.getArgNumber());
      return bits;
    }
    auto it = origins.find(value.getDefiningOp());
    return it == origins.end() ? bits : it->second;
  }
  llvm::SmallBitVector of(const Node *node) const {
    if (node->op)
      return origins.lookup(node->op);
    return node->leaf ? of(node->leaf) : llvm::SmallBitVector(count);
  }

private:
  Block *body;
  unsigned count;
  DenseMap<Operation *, llvm::SmallBitVector> origins;
};

/// Whether a value in a body is made of an element of the tensor.
bool isMadeOf(Value value, Value tensor) {
  Operation *op = value.getDefiningOp();
  if (auto extract = dyn_cast_or_null<tensor::ExtractOp>(op))
    return extract.getTensor() == tensor;
  if (auto element = dyn_cast<BlockArgument>(value)) {
    auto reader = dyn_cast<linalg::LinalgOp>(element.getOwner()->getParentOp());
    return reader && reader.getMatchingOpOperand(element)->get() == tensor;
  }
  return op && llvm::any_of(op->getOperands(), [&](Value operand) {
           return isMadeOf(operand, tensor);
         });
}

/// Whether an element of the tensor says where another one is read: ids, if
/// need be as another type.
bool holdsIndices(Value tensor) {
  return llvm::any_of(tensor.getUsers(), [&](Operation *user) {
    Operation *outer = user;
    while (!isa<func::FuncOp>(outer->getParentOp()))
      outer = outer->getParentOp();
    bool isIndex = outer
                       ->walk([&](tensor::ExtractOp extract) {
                         return llvm::any_of(extract.getIndices(),
                                             [&](Value index) {
                                               return isMadeOf(index, tensor);
                                             })
                                    ? WalkResult::interrupt()
                                    : WalkResult::advance();
                       })
                       .wasInterrupted();
    if (isIndex)
      return true;
    bool keeps = isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(outer);
    if (auto elements = dyn_cast<linalg::LinalgOp>(outer))
      keeps = elements->getNumResults() == 1 &&
              llvm::all_of(elements.getBlock()->without_terminator(),
                           llvm::IsaPred<CastOpInterface>);
    return keeps && holdsIndices(outer->getResult(0));
  });
}

} // namespace

void Raiser::findPadding() {
  Origins origins(function);
  llvm::SmallBitVector masked(function.getNumArguments());
  Node *found = nullptr, *without = nullptr;
  DenseSet<Node *> hiding;
  auto refuse = [&](const Twine &reason) { whyNoPadding = reason.str(); };
  for (Node *context : analysis.contexts()) {
    Miss miss;
    std::optional<AttentionMatch> match = matchAttention(context, miss);
    if (!match)
      continue;
    if (!match->padding) {
      without = match->softmax;
      continue;
    }
    auto argument = dyn_cast<BlockArgument>(match->padding->leaf);
    if (!argument)
      return refuse("the mask is not an input of the model, but computed from "
                    "its data");
    if (holdsIndices(argument))
      return refuse(
          "the mask is computed from ids, which are more than a mask");
    auto value = static_cast<int64_t>(match->padValue);
    if (found && (padding != argument || padValue != value))
      return refuse("attentions are masked by different inputs");
    // What is padding for the keys need not be so for tokens of another input.
    llvm::SmallBitVector others = origins.of(match->query);
    others.reset(argument.getArgNumber());
    others.reset(origins.of(match->key));
    if (others.any()) {
      auto name = function.getArgAttrOfType<StringAttr>(others.find_first(),
                                                        kNameAttrName);
      return refuse("the queries come from an input that the mask says nothing "
                    "of" +
                    (name ? " ('" + name.getValue().str() + "')" : ""));
    }
    masked |= origins.of(match->key);
    masked.reset(argument.getArgNumber());
    found = match->padding;
    padding = argument;
    padValue = value;
    hiding.insert(context);
    hiding.insert(context->operand(0));
    hiding.insert(match->softmax);
  }
  if (!found)
    return;
  if (without)
    return refuse("an attention of the same tokens does not hide the padding" +
                  bracketedNode(without->op));
  for (Value result :
       function.getBody().front().getTerminator()->getOperands()) {
    // What follows from the length, or from the mask, is of the same tokens.
    llvm::SmallBitVector of = origins.of(result);
    of.reset(padding.getArgNumber());
    if (of.any() && !of.anyCommon(masked) &&
        !cast<RankedTensorType>(result.getType()).hasStaticShape())
      return refuse("a result of the same length comes from other inputs than "
                    "the masked keys" +
                    bracketedNode(result.getDefiningOp()));
  }
  // Of a fixed length all tokens must be real: nothing is left out.
  if (cast<RankedTensorType>(padding.getType()).hasStaticShape())
    return;
  PaddingReaders readers(analysis, hiding,
                         PaddingNumbers(found, static_cast<double>(padValue)));
  for (Operation &op : function.getBody().front())
    if (readers.seesPadding(op))
      return refuse("an operation may see the padding of the same tokens" +
                    bracketedNode(&op));
}
