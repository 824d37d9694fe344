//===- Rotary.cpp - Rotary embeddings of queries and keys -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A rotary embedding turns pairs of a head's features by an angle that the
// position of the token decides. It is spelled as x * cos + rotate(x) * sin
// with rotate(x) = [-second half, first half], or of the halves, of neighbours,
// by slices, splits and reshapes. It is not matched but worked out: each
// feature of the result is a sum of features of one x, each times a column of a
// table of positions, and these must be those of a rotation:
//   y_a = x_a * cos - x_b * sin      y_b = x_b * cos + x_a * sin
// with the pairs (a, b) = (c, c + p), or (2c, 2c + 1), of each head's first 2p
// features; the others stay.
//
//===----------------------------------------------------------------------===//

#include "Analysis.h"
#include "ConstantData.h"
#include "Match.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::fact;

/// Deepest expression of one rotation.
static constexpr unsigned deepest = 12;

/// Whether a table of positions is a factor in it.
static bool isTurned(Node *node, unsigned depth = 0) {
  if (node->is(NodeKind::PositionTable))
    return true;
  return depth < deepest &&
         (node->is(NodeKind::Mul) || node->is(NodeKind::Add) ||
          node->is(NodeKind::Parts)) &&
         llvm::any_of(
             node->operands,
             [&](Node *operand) { return isTurned(operand, depth + 1); });
}

/// What a product is of beside a constant, and that; null for others.
static std::pair<Node *, Node *> factorsOf(Node *node) {
  if (node->is(NodeKind::Mul))
    for (unsigned i : {0, 1}) {
      Node *factor = node->operand(i);
      if (factor->is(NodeKind::Scalar) || factor->is(NodeKind::Column) ||
          factor->is(NodeKind::PositionTable))
        return {node->operand(1 - i), factor};
    }
  return {};
}

static void collectTerms(Node *node, const DenseSet<Node *> &origins,
                         SmallVectorImpl<Node *> &terms, unsigned depth = 0) {
  auto all = [&](ArrayRef<Node *> nodes) {
    for (Node *each : nodes)
      collectTerms(each, origins, terms, depth + 1);
  };
  if (node->origin || origins.contains(node) || depth == deepest)
    terms.push_back(node);
  else if (Node *rest = factorsOf(node).first)
    all(rest);
  else if (node->is(NodeKind::Rotated))
    all(node->operand(0));
  else if (node->is(NodeKind::Parts) ||
           (node->is(NodeKind::Add) && isTurned(node)))
    all(node->operands);
  else
    terms.push_back(node);
}

SmallVector<Node *> mlir::fact::rotatedTerms(ArrayRef<Node *> nodes) {
  // Of what others are chosen is no product of its own.
  DenseSet<Node *> origins;
  SmallVector<Node *> terms;
  for (bool again : {false, true}) {
    for (Node *term : terms)
      for (Node *from = term->origin; from; from = from->origin)
        origins.insert(from);
    terms.clear();
    for (Node *node : nodes)
      collectTerms(node, origins, terms);
    if (again)
      break;
  }
  return terms;
}

namespace {

/// A feature of x, times a number, times a column of a table if there is one.
struct Term {
  int64_t column;
  float number = 1;
  Node *table = nullptr;
  int64_t tableColumn = 0;
};
/// The terms of a feature.
using Form = SmallVector<Term, 2>;

class RotationReader {
public:
  /// `longest`: most tokens that there may be, 0 if unknown.
  RotationReader(Node *node, int64_t longest, Miss &miss)
      : node(node), longest(longest), miss(miss) {}

  bool run() {
    SmallVector<Node *> terms = rotatedTerms(node);
    origin = commonOrigin(terms);
    if (!origin)
      return fail("the features that are turned come from different rows",
                  "turn the halves of one row by the same angles");
    auto forms = formsOf(node, 0);
    if (!forms || forms->empty() ||
        static_cast<int64_t>(forms->size()) != node->width)
      return fail("rows are multiplied by a table of positions, but not turned",
                  "a rotary embedding is x * cos + rotate_half(x) * sin");
    if (!readOwn(*forms) || !readPairs(*forms) || !readHeads(*forms) ||
        !readTables(*forms))
      return false;
    if (longest > positions)
      return fail(
          "the tables of angles have " + Twine(positions) +
              " positions, but a sequence may have " + Twine(longest) +
              " tokens",
          "give a smaller length (--shape), or the model larger tables");
    return true;
  }

  Node *origin = nullptr;
  SmallVector<int64_t> own; ///< The origin's features that are x.
  bool interleaved = false;
  int64_t pairs = 0, part = 0, positions = 0;
  SmallVector<float, 0> cos, sin; ///< [positions, pairs]
  ElementsAttr like;

private:
  bool fail(const Twine &reason, const Twine &suggestion) {
    miss = {reason.str(), suggestion.str()};
    return false;
  }

  std::optional<SmallVector<Form, 0>> formsOf(Node *of, unsigned depth) {
    bool isOfOrigin = false;
    for (Node *from = of; from; from = from->origin)
      isOfOrigin |= from == origin;
    SmallVector<Form, 0> forms;
    if (isOfOrigin) {
      for (int64_t column : columnsOf(of, origin))
        forms.push_back({Term{column}});
      return forms;
    }
    if (depth == deepest)
      return std::nullopt;
    if (auto [rest, factor] = factorsOf(of); rest) {
      auto scaled = formsOf(rest, depth + 1);
      bool isOfEach =
          scaled && (factor->is(NodeKind::Scalar) ||
                     static_cast<int64_t>(scaled->size()) == factor->width);
      if (!isOfEach || !scale(*scaled, factor))
        return std::nullopt;
      return scaled;
    }
    if (of->is(NodeKind::Rotated))
      return turned(of, depth);
    SmallVector<SmallVector<Form, 0>, 2> operands;
    if (!of->is(NodeKind::Add) && !of->is(NodeKind::Parts))
      return std::nullopt;
    for (Node *operand : of->operands) {
      auto each = formsOf(operand, depth + 1);
      if (!each)
        return std::nullopt;
      operands.push_back(std::move(*each));
    }
    if (of->is(NodeKind::Add)) {
      if (operands[0].size() != operands[1].size())
        return std::nullopt;
      for (auto [a, b] : llvm::zip_equal(operands[0], operands[1]))
        llvm::append_range(a, b);
      return std::move(operands[0]);
    }
    SmallVector<Form *, 0> all;
    for (auto &each : operands)
      for (Form &form : each)
        all.push_back(&form);
    for (int64_t column : of->columnOffsets)
      forms.push_back(*all[column]);
    return forms;
  }

  static bool scale(MutableArrayRef<Form> forms, Node *factor) {
    std::optional<ConstantData> numbers;
    if (factor->is(NodeKind::Column))
      numbers = ConstantData::get(factor->data);
    for (auto [i, form] : llvm::enumerate(forms))
      for (Term &term : form) {
        if (factor->is(NodeKind::PositionTable)) {
          if (term.table)
            return false;
          term.table = factor;
          term.tableColumn = i;
        } else {
          term.number *=
              numbers ? (*numbers)[factor->columnOffsets[i]] : factor->scalar;
        }
      }
    return true;
  }

  /// A part of the features was turned before.
  std::optional<SmallVector<Form, 0>> turned(Node *of, unsigned depth) {
    auto rows = formsOf(of->operand(0), depth + 1);
    if (!rows)
      return std::nullopt;
    SmallVector<Form, 0> forms = *rows;
    int64_t count = of->operand(1)->width;
    for (int64_t head = 0; head < of->width; head += of->part)
      for (int64_t c = 0; c < count; ++c) {
        int64_t a = head + (of->interleaved ? 2 * c : c),
                b = of->interleaved ? a + 1 : a + count;
        Form x = (*rows)[a], y = (*rows)[b];
        if (x.size() != 1 || y.size() != 1 || x[0].table || y[0].table)
          return std::nullopt;
        auto times = [&](Term term, unsigned table, float number) {
          term.table = of->operand(table);
          term.tableColumn = c;
          term.number *= number;
          return term;
        };
        forms[a] = {times(x[0], 1, 1), times(y[0], 2, -1)};
        forms[b] = {times(y[0], 1, 1), times(x[0], 2, 1)};
      }
    return forms;
  }

  /// Which features x has: as many as the result, in the order of the rows that
  /// they are chosen from. From here on they are counted in x.
  bool readOwn(MutableArrayRef<Form> forms) {
    for (Form &form : forms)
      for (Term &term : form)
        own.push_back(term.column);
    llvm::sort(own);
    own.erase(llvm::unique(own), own.end());
    if (own.size() != forms.size())
      return fail("as many features are not turned as there are in the rows "
                  "that are turned",
                  "turn pairs of features");
    for (Form &form : forms)
      for (Term &term : form)
        term.column = llvm::lower_bound(own, term.column) - own.begin();
    return true;
  }

  /// Each feature's partner, or itself where it stays.
  bool readPairs(MutableArrayRef<Form> forms) {
    auto width = static_cast<int64_t>(forms.size());
    for (auto [i, form] : llvm::enumerate(forms)) {
      auto c = static_cast<int64_t>(i);
      if (form.size() == 1 && !form[0].table && form[0].number == 1 &&
          form[0].column == c) {
        partners.push_back(c);
        continue;
      }
      if (form.size() == 2 && form[0].column != c)
        std::swap(form[0], form[1]);
      bool isTurn = form.size() == 2 && form[0].column == c &&
                    form[1].column != c && form[0].table && form[1].table &&
                    form[0].number == 1 && std::fabs(form[1].number) == 1;
      if (!isTurn)
        return fail("feature " + Twine(c) +
                        " of the turned rows is not x * cos + partner * sin "
                        "with one partner",
                    "turn pairs of features by an angle for each position, "
                    "without another factor");
      partners.push_back(form[1].column);
    }
    for (int64_t c = 0; c < width; ++c)
      if (partners[partners[c]] != c)
        return fail("feature " + Twine(c) + " is turned with feature " +
                        Twine(partners[c]) + ", which is turned with another",
                    "turn pairs of features");
    if (partners[0] == 0)
      return fail(
          "the first feature of the heads is not turned, but others are",
          "turn the first features of each head");
    return true;
  }

  bool isSameColumn(const Term &a, const Term &b, float sign = 1) const {
    float number = a.number * b.number * sign;
    if (a.table == b.table && a.tableColumn == b.tableColumn)
      return number == 1;
    ConstantData x = *ConstantData::get(a.table->data),
                 y = *ConstantData::get(b.table->data);
    int64_t columnX = a.table->columnOffsets[a.tableColumn],
            columnY = b.table->columnOffsets[b.tableColumn];
    bool isSameTable = a.table->data == b.table->data &&
                       a.table->rowOffsets == b.table->rowOffsets;
    if (isSameTable && columnX == columnY && number == 1)
      return true;
    for (int64_t i = 0; i < positions; ++i)
      if (x[a.table->rowOffsets[i] + columnX] !=
          number * y[b.table->rowOffsets[i] + columnY])
        return false;
    return true;
  }

  /// Which features are a head, and which pairs turn in it.
  bool readHeads(ArrayRef<Form> forms) {
    positions = std::numeric_limits<int64_t>::max();
    for (const Form &form : forms)
      for (const Term &term : form)
        if (term.table)
          positions =
              std::min<int64_t>(positions, term.table->rowOffsets.size());
    auto width = static_cast<int64_t>(forms.size());
    // Whether all features of heads of that size turn in one way.
    auto areHeads = [&](int64_t size, int64_t turned, bool byNeighbours) {
      if (size <= 0 || width % size != 0 || 2 * turned > size)
        return false;
      for (int64_t c = 0; c < width; ++c) {
        int64_t in = c % size;
        int64_t expected = in >= 2 * turned ? in
                           : byNeighbours   ? in ^ 1
                           : in < turned    ? in + turned
                                            : in - turned;
        if (partners[c] != c - in + expected)
          return false;
        if (c >= size && in < 2 * turned)
          for (unsigned t : {0, 1})
            if (!isSameColumn(forms[c][t], forms[in][t]))
              return false;
      }
      return true;
    };
    int64_t distance = partners[0];
    for (bool byNeighbours : {false, true}) {
      if (byNeighbours && distance != 1)
        break;
      // Where features stay, heads begin behind them.
      int64_t turned = 0;
      while (turned < width && partners[turned] != turned)
        ++turned;
      int64_t size = turned;
      while (size < width && partners[size] == size)
        ++size;
      if (turned == width) {
        size = turned = byNeighbours ? 2 : 2 * distance;
        while (byNeighbours && size < width &&
               !areHeads(size, size / 2, byNeighbours))
          size += 2;
        turned = size;
      }
      if (!areHeads(size, turned / 2, byNeighbours))
        continue;
      interleaved = byNeighbours;
      part = size;
      pairs = turned / 2;
      return true;
    }
    return fail(
        "heads are not turned alike, as the first features of each with "
        "their neighbours or half of them with the other half",
        "turn all heads by one table [positions, features of a head]");
  }

  bool readTables(ArrayRef<Form> forms) {
    for (int64_t c = 0; c < pairs; ++c) {
      int64_t a = interleaved ? 2 * c : c, b = interleaved ? a + 1 : a + pairs;
      const Form &first = forms[a], &second = forms[b];
      if (!isSameColumn(first[0], second[0]))
        return fail("features " + Twine(a) + " and " + Twine(b) +
                        " are turned together, but by different cosines",
                    "use tables of two equal halves");
      if (!isSameColumn(first[1], second[1], -1))
        return fail("features " + Twine(a) + " and " + Twine(b) +
                        " are turned together, but not by one sine, of "
                        "opposite signs",
                    "use tables of two equal halves");
    }
    cos.resize(positions * pairs);
    sin.resize(positions * pairs);
    for (int64_t c = 0; c < pairs; ++c) {
      const Form &form = forms[interleaved ? 2 * c + 1 : c + pairs];
      for (auto [numbers, term] :
           {std::pair(&cos, form[0]), std::pair(&sin, form[1])}) {
        like = term.table->data;
        ConstantData data = *ConstantData::get(like);
        int64_t column = term.table->columnOffsets[term.tableColumn];
        for (int64_t i = 0; i < positions; ++i)
          (*numbers)[i * pairs + c] =
              term.number * data[term.table->rowOffsets[i] + column];
      }
    }
    return true;
  }

  Node *node;
  int64_t longest;
  Miss &miss;
  SmallVector<int64_t> partners;
};

} // namespace

bool mlir::fact::explainRotation(Node *node, int64_t longest, Miss &miss) {
  if (!isTurned(node))
    return false;
  RotationReader reader(node, longest, miss);
  if (!reader.run() || miss)
    return true;
  miss = {"a rotary embedding is turned into something else",
          "let attention read the turned queries and keys"};
  return true;
}

int64_t Analysis::longestOf(int sequence) const {
  auto [tensor, dim] = sequences[sequence];
  int64_t length = cast<RankedTensorType>(tensor.getType()).getDimSize(dim);
  return ShapedType::isDynamic(length) ? bound : length;
}

Node *Analysis::readRotation(Node *node) {
  if ((!node->is(NodeKind::Add) && !node->is(NodeKind::Parts)) ||
      !(isTurned(node) || llvm::any_of(node->operands, [](Node *part) {
          return part->is(NodeKind::Rotated);
        })))
    return node;
  Miss miss;
  int64_t longest = longestOf(node->sequence);
  RotationReader reader(node, longest, miss);
  if (!reader.run())
    return node;
  // Positions that no token has are left out.
  int64_t positions = longest > 0 ? longest : reader.positions;
  auto table = [&](ArrayRef<float> elements) {
    SmallVector<int64_t, 2> shape{positions, reader.pairs};
    elements = elements.take_front(positions * reader.pairs);
    SmallVector<int64_t, 0> begins;
    for (int64_t i = 0; i < positions; ++i)
      begins.push_back(i * reader.pairs);
    return pool.positionTable(pool.numbers(reader.like, shape, elements),
                              std::move(begins), Offsets::upTo(reader.pairs),
                              node->sequence);
  };
  Node *cos = table(reader.cos), *sin = table(reader.sin);
  return pool.rotated(pool.columns(reader.origin, reader.own), cos, sin,
                      reader.part, reader.interleaved);
}
