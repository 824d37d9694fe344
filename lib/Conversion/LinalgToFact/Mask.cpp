//===- Mask.cpp - Which keys an attention sees ----------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mask.h"

#include "ConstantData.h"

#include "llvm/ADT/DenseSet.h"

#include <cmath>

using namespace mlir;
using namespace mlir::fact;
using ::fact::numerics::Window;

namespace {

/// kHiddenScore for numbers that the scale of the scores has made smaller, and
/// how much smaller rounding may have made them beside it.
constexpr double hiddenWhenScaled = -1e3, rounding = 0.9999;
/// Tokens that a mask of index arithmetic is looked at for, at least; and most
/// tokens that a number in it may need.
constexpr int64_t fewest = 256, longest = 2048;

/// a * score + b.
struct Form {
  double a = 0, b = 0;
  bool isConstant() const { return a == 0; }
};

class Evaluator {
public:
  /// Whether all of the expression can be evaluated, else why not.
  bool collect(Node *node) {
    if (!seen.insert(node).second)
      return true;
    switch (node->kind) {
    case NodeKind::Scores:
      if (scores && scores != node)
        return fail("two products of queries and keys are added up");
      scores = node;
      return true;
    case NodeKind::Leaf:
      if (node->width != 0)
        return fail("scores and rows of features are mixed");
      if (padding && padding != node)
        return fail("two inputs say which keys are visible");
      padding = node;
      return true;
    case NodeKind::Table:
      tables.try_emplace(node, *ConstantData::get(node->data));
      for (const auto *offsets : {&node->rowOffsets, &node->columnOffsets})
        if (!offsets->empty())
          most = std::min<int64_t>(most, offsets->size());
      return true;
    case NodeKind::Scalar:
      return true;
    case NodeKind::TokenSum:
      counted.insert(node->operand(0)->sequence);
      return collect(node->operand(0));
    case NodeKind::Greater:
    case NodeKind::Equal:
      if (!collectOperands(node))
        return false;
      if (hasPosition(node->operand(0)) || hasPosition(node->operand(1)))
        for (Node *side : node->operands)
          findNumbers(side);
      return true;
    case NodeKind::TokenIndex:
    case NodeKind::KeyIndex:
      hasIndex = true;
      return true;
    case NodeKind::Mul:
    case NodeKind::Div:
      if (!collectOperands(node))
        return false;
      for (unsigned i : {0, 1})
        if (hasPosition(node->operand(i))) {
          // Two slopes may be nearly the same, so only 1 is one.
          Node *factor = node->operand(1 - i);
          scalesPositions |= !node->is(NodeKind::Mul) ||
                             !factor->is(NodeKind::Scalar) ||
                             std::fabs(factor->scalar) != 1;
        }
      return true;
    case NodeKind::Add:
    case NodeKind::Max:
    case NodeKind::AtKeys:
    case NodeKind::And:
    case NodeKind::Or:
    case NodeKind::Not:
    case NodeKind::Select:
      return collectOperands(node);
    case NodeKind::Tanh:
      return fail("the scores are capped by a tanh");
    case NodeKind::Softmax:
      return fail("a softmax is taken of a softmax");
    default:
      return fail("something between q k^T and the softmax is neither a scale "
                  "nor a mask");
    }
  }

  /// What a score becomes; null where that is no line in it. `real` says of
  /// each token what the padding's number is.
  std::optional<Form> at(Node *node, int64_t i, int64_t j,
                         llvm::function_ref<double(int64_t)> number) {
    switch (node->kind) {
    case NodeKind::Scores:
      return Form{1, 0};
    case NodeKind::Scalar:
      return Form{0, node->scalar};
    case NodeKind::TokenIndex:
      return Form{0, static_cast<double>(i)};
    case NodeKind::KeyIndex:
      return Form{0, static_cast<double>(j)};
    case NodeKind::AtKeys:
      return at(node->operand(0), j, j, number);
    case NodeKind::TokenSum: {
      if (auto known = sums.find(node); known != sums.end())
        return Form{0, known->second};
      double sum = 0;
      for (int64_t t = 0; t < tokens; ++t) {
        std::optional<Form> each = at(node->operand(0), t, t, number);
        if (!each || !each->isConstant())
          return std::nullopt;
        sum += each->b;
      }
      sums[node] = sum;
      return Form{0, sum};
    }
    case NodeKind::Leaf:
      return Form{0, number(i)};
    case NodeKind::Table: {
      int64_t offset =
          (node->rowOffsets.empty() ? 0 : node->rowOffsets[i]) +
          (node->columnOffsets.empty() ? 0 : node->columnOffsets[j]);
      return Form{0, tables.find(node)->second[offset]};
    }
    default:
      break;
    }
    std::optional<Form> x = at(node->operand(0), i, j, number), y;
    if (!x)
      return std::nullopt;
    if (node->is(NodeKind::Select)) {
      if (!x->isConstant())
        return std::nullopt;
      return at(node->operand(x->b != 0 ? 1 : 2), i, j, number);
    }
    if (node->operands.size() > 1) {
      y = at(node->operand(1), i, j, number);
      if (!y)
        return std::nullopt;
    }
    if (node->is(NodeKind::Add))
      return Form{x->a + y->a, x->b + y->b};
    if (node->is(NodeKind::Mul) && !x->isConstant())
      std::swap(x, y);
    if (node->is(NodeKind::Mul))
      return x->isConstant() ? std::optional(Form{x->b * y->a, x->b * y->b})
                             : std::nullopt;
    if (node->is(NodeKind::Div))
      return y->isConstant() ? std::optional(Form{x->a / y->b, x->b / y->b})
                             : std::nullopt;
    if (node->is(NodeKind::Max) && x->isConstant() != y->isConstant()) {
      // A bound below all scores keeps hidden keys from becoming -inf.
      if (y->isConstant())
        std::swap(x, y);
      if (std::isnan(y->b))
        return y;
      return x->b <= kHiddenScore && y->a > 0
                 ? std::optional(Form{y->a, std::max(x->b, y->b)})
                 : std::nullopt;
    }
    if (!x->isConstant() || (y && !y->isConstant()))
      return std::nullopt;
    switch (node->kind) {
    case NodeKind::Max:
      return Form{0, std::fmax(x->b, y->b)};
    case NodeKind::Greater:
      return Form{0, static_cast<double>(x->b > y->b)};
    case NodeKind::Equal:
      return Form{0, static_cast<double>(x->b == y->b)};
    case NodeKind::And:
      return Form{0, static_cast<double>(x->b != 0 && y->b != 0)};
    case NodeKind::Or:
      return Form{0, static_cast<double>(x->b != 0 || y->b != 0)};
    case NodeKind::Not:
      return Form{0, static_cast<double>(x->b == 0)};
    default:
      return std::nullopt;
    }
  }

  bool fail(StringRef text) {
    reason = text.str();
    return false;
  }

  Node *scores = nullptr, *padding = nullptr;
  int64_t tokens = 0; ///< Of the sequence that is looked at.
  /// Whether the expression has positions; the largest number beside them;
  /// whether they are multiplied; whether it has tables.
  bool hasIndex = false;
  double largest = 0;
  bool scalesPositions = false;
  bool hasTable() const { return !tables.empty(); }
  /// Positions behind which nothing changes.
  double reach() const {
    return scalesPositions ? std::numeric_limits<double>::infinity()
                           : 2 * largest + fewest;
  }
  /// The sequences whose tokens are counted.
  DenseSet<int> counted;
  /// Before another sequence, or other numbers of its tokens.
  void start(int64_t count) {
    tokens = count;
    sums.clear();
  }
  int64_t most = std::numeric_limits<int64_t>::max();
  std::string reason;

private:
  bool collectOperands(Node *node) {
    if (!llvm::all_of(node->operands,
                      [&](Node *operand) { return collect(operand); }))
      return false;
    if (hasPosition(node))
      findNumbers(node);
    return true;
  }

  /// Whether a node grows with positions.
  bool hasPosition(Node *node) {
    switch (node->kind) {
    case NodeKind::TokenIndex:
    case NodeKind::KeyIndex:
    case NodeKind::TokenSum:
      return true;
    case NodeKind::Scores:
    case NodeKind::Greater:
    case NodeKind::Equal:
    case NodeKind::And:
    case NodeKind::Or:
    case NodeKind::Not:
      return false;
    default:
      break;
    }
    if (auto known = growing.find(node); known != growing.end())
      return known->second;
    bool grows = llvm::any_of(
        node->operands, [&](Node *operand) { return hasPosition(operand); });
    return growing[node] = grows;
  }

  /// What positions are compared or reckoned with, however large it is.
  void findNumbers(Node *node) {
    if (!compared.insert(node).second)
      return;
    if (node->is(NodeKind::Scalar) && std::isfinite(node->scalar))
      largest = std::max<double>(largest, std::fabs(node->scalar));
    if (!node->is(NodeKind::TokenSum))
      for (Node *operand : node->operands)
        findNumbers(operand);
  }

  DenseMap<Node *, bool> growing; ///< hasPosition
  DenseSet<Node *> compared;      ///< findNumbers
  DenseSet<Node *> seen;
  DenseMap<Node *, ConstantData> tables;
  DenseMap<Node *, double> sums; ///< TokenSum
};

class MaskReader {
public:
  MaskReader(Node *node, Miss &miss) : node(node), miss(miss) {}

  std::optional<MaskedScores> run() {
    if (!evaluator.collect(node))
      return fail(evaluator.reason, "only a scale and a mask are raised");
    if (!evaluator.scores)
      return fail("the softmax is not of products of queries and keys",
                  "take it of q k^T");
    for (int sequence : evaluator.counted)
      if (sequence >= 0 && sequence != evaluator.scores->sequence)
        return fail("the mask depends on the length of another sequence",
                    "mask by the tokens of this one");
    length = evaluator.scores->length;
    if (length <= 0) // nobody says how long it may get
      length = std::numeric_limits<int64_t>::max();
    length = std::min(length, evaluator.most);
    if (!evaluator.hasTable() && !evaluator.hasIndex)
      length = std::min<int64_t>(length, 4); // all positions are alike
    else if (!evaluator.hasTable()) {
      // What a mask says of positions is the same farther on than twice the
      // numbers that it compares them with.
      double reach = evaluator.reach();
      if (length > longest && reach > longest)
        return fail("what the mask of so long a sequence says of positions may "
                    "change behind " +
                        Twine(longest) + " tokens",
                    "give a smaller length (--shape)");
      // A window that is wider than the longest sequence is still a window.
      double widest = (reach - fewest) / 2 + 2;
      if (widest > static_cast<double>(length) && widest <= longest)
        length = static_cast<int64_t>(widest);
      length = reach < static_cast<double>(length) ? static_cast<int64_t>(reach)
                                                   : length;
    }
    for (int64_t i = 0; i < length; ++i)
      positions.push_back(i);
    if (!evaluator.padding)
      return withPadding(std::nullopt);
    // The padding's numbers are 0 and 1; one of them means a real token.
    Miss first;
    for (float padValue : {0.0f, 1.0f}) {
      miss = {};
      if (auto found = withPadding(padValue))
        return found;
      if (padValue == 0)
        first = miss;
    }
    // With the wrong meaning of 0 and 1 all is hidden, which is no reason.
    if (StringRef(miss.reason).contains("sees no key"))
      miss = first;
    return std::nullopt;
  }

private:
  std::nullopt_t fail(const Twine &reason, const Twine &suggestion) {
    miss = {reason.str(), suggestion.str()};
    return std::nullopt;
  }

  std::optional<MaskedScores> withPadding(std::optional<float> padValue) {
    double real = padValue ? 1 - *padValue : 0;
    scale = std::nullopt;
    evaluator.start(length);
    auto isSeen = [&](int64_t i, int64_t j) {
      return isVisible(i, j, [&](int64_t) { return real; });
    };
    // How far a query sees, and whether anything on that side is hidden.
    int64_t before = 0, after = 0;
    bool isHiddenBefore = false, isHiddenAfter = false;
    for (int64_t i : positions) {
      bool any = false;
      for (int64_t j : positions) {
        std::optional<bool> visible = isSeen(i, j);
        if (!visible)
          return std::nullopt;
        any |= *visible;
        if (*visible)
          before = std::max(before, i - j), after = std::max(after, j - i);
        isHiddenBefore |= !*visible && j <= i;
        isHiddenAfter |= !*visible && j >= i;
      }
      if (!any)
        return fail("query " + Twine(i) + " sees no key at all",
                    "let each token see at least itself");
    }
    Window window;
    if (isHiddenBefore)
      window.left = before;
    if (isHiddenAfter)
      window.right = after;
    for (int64_t i : positions)
      for (int64_t j : positions)
        // By construction it sees nothing outside of the window.
        if (window.sees(i, j) && isSeen(i, j) == std::optional(false))
          return fail("the mask is no window: query " + Twine(i) +
                          " does not see key " + Twine(j) +
                          ", but other queries see keys as far away",
                      "only attention to the keys from some number before to "
                      "some number after the query's own is raised");
    if (!isAlikeForAllLengths(real, window))
      return fail("the mask is another one for another length",
                  "mask by positions alone");
    if (padValue && !hidesPadding(real, window))
      return std::nullopt;
    if (!scale)
      return fail("no key is visible", "mask fewer keys");
    return MaskedScores{evaluator.scores, static_cast<float>(*scale), window,
                        evaluator.padding, padValue.value_or(0)};
  }

  /// Whether shorter sequences have the same mask, where a mask depends on how
  /// long they are.
  bool isAlikeForAllLengths(double real, const Window &window) {
    Value made = evaluator.scores->value;
    if (evaluator.counted.empty() ||
        (made && cast<RankedTensorType>(made.getType()).hasStaticShape()))
      return true;
    auto longestOne = static_cast<int64_t>(positions.size());
    for (int64_t count = 1; count < longestOne;
         count = count < 8 ? count + 1 : 2 * count) {
      evaluator.start(count);
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < count; ++j)
          if (isVisible(i, j, [&](int64_t) { return real; }) !=
              std::optional(window.sees(i, j)))
            return false;
    }
    return true;
  }

  /// Whether tokens that are padding, the last ones, are visible to nobody who
  /// is real, and change nothing else. A few lengths are tried: the number of
  /// one token enters the expression as that of any other does.
  bool hidesPadding(double real, const Window &window) {
    // All positions of a shorter sequence, in some of its lengths.
    auto count = static_cast<int64_t>(positions.size());
    // With small numbers only, half of the positions show it.
    if (!evaluator.hasTable() && evaluator.reach() - fewest < fewest / 2)
      count = std::min(count, fewest / 2);
    // Where they are counted, how many are real matters.
    bool isCounted = !evaluator.counted.empty();
    for (int64_t numReal = 1; numReal < count;
         numReal = numReal < 8 || isCounted
                       ? numReal + 1
                       : std::min(2 * numReal, count - 1)) {
      evaluator.start(count);
      auto number = [&](int64_t t) { return t < numReal ? real : 1 - real; };
      for (int64_t i = 0; i < numReal; ++i)
        for (int64_t j = 0; j < count; ++j) {
          std::optional<bool> visible = isVisible(i, j, number);
          if (!visible)
            return false;
          bool expected = j < numReal && window.sees(i, j);
          if (*visible != expected) {
            fail("an input says which keys are visible, but not as padding",
                 "a padding mask hides the tokens that are not real from all "
                 "others");
            return false;
          }
        }
      if (numReal == count - 1)
        break;
    }
    return true;
  }

  std::optional<bool> isVisible(int64_t i, int64_t j,
                                llvm::function_ref<double(int64_t)> number) {
    std::optional<Form> form = evaluator.at(node, i, j, number);
    if (!form || std::isnan(form->a) || std::isnan(form->b)) {
      fail("the scores are changed by more than a scale and a mask",
           "only a scale and a mask are raised");
      return std::nullopt;
    }
    if (form->b <= kHiddenScore ||
        (form->a > 0 && form->a < 1 && form->b <= hiddenWhenScaled &&
         form->b <= kHiddenScore * form->a * rounding))
      return false;
    if (form->isConstant() || form->b != 0) {
      fail("something is added to the scores of query " + Twine(i) +
               " and key " + Twine(j) + " that hides no key (" +
               Twine(std::to_string(form->b)) + ")",
           "a bias on the scores is not raised; numbers that hide a key are "
           "-1e4 or less");
      return std::nullopt;
    }
    if (scale && *scale != form->a) {
      fail("the scores of query " + Twine(i) + " and key " + Twine(j) +
               " are scaled by " + Twine(std::to_string(form->a)) +
               ", others by " + Twine(std::to_string(*scale)),
           "use one scale for all scores");
      return std::nullopt;
    }
    scale = form->a;
    return true;
  }

  Node *node;
  Miss &miss;
  Evaluator evaluator;
  int64_t length = 0;
  SmallVector<int64_t> positions;
  std::optional<double> scale;
};

} // namespace

std::optional<MaskedScores> mlir::fact::readMask(Node *node, Miss &miss) {
  return MaskReader(node, miss).run();
}
