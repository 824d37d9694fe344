//===- Join.cpp - Features of several rows, one after the other -----------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A Concat along the features undoes a split, or stands where heads are each
// computed by themselves:
//   [x[0..4], x[4..8]] = x
//   [x W1, x W2] = x [W1, W2]             [x1 + b1, x2 + b2] = [x1, x2] + [b1,
//   b2] [softmax(q1 k1^T) v1, softmax(q2 k2^T) v2] = attention([q1, q2], [k1,
//   k2],
//                                                          [v1, v2])
// the last where all heads have one size, scale and mask. (In which order they
// come does not matter: the weights are put into the same one.)
//
//===----------------------------------------------------------------------===//

#include "Analysis.h"
#include "ConstantData.h"
#include "Match.h"

using namespace mlir;
using namespace mlir::fact;

static bool isConstant(Node *node) {
  return node->is(NodeKind::Column) || node->is(NodeKind::Scalar);
}

/// The operands with constants last: sums and products have them in any order.
static SmallVector<Node *> ordered(Node *node) {
  SmallVector<Node *> operands(node->operands.begin(), node->operands.end());
  if ((node->is(NodeKind::Add) || node->is(NodeKind::Mul)) &&
      isConstant(operands[0]))
    std::swap(operands[0], operands[1]);
  return operands;
}

Node *ExpressionPool::joinColumns(ArrayRef<Node *> parts,
                                  ArrayRef<int64_t> widths) {
  SmallVector<int64_t, 0> offsets;
  ElementsAttr data;
  for (Node *part : parts) {
    if (!part->data || (data && data != part->data)) {
      offsets.clear();
      break;
    }
    data = part->data;
    llvm::append_range(offsets, part->columnOffsets);
  }
  if (!offsets.empty())
    return column(data, std::move(offsets));
  SmallVector<float> elements;
  ElementsAttr like;
  for (auto [part, width] : llvm::zip_equal(parts, widths)) {
    if (part->is(NodeKind::Scalar)) {
      elements.append(width, part->scalar);
      continue;
    }
    like = part->data;
    ConstantData values = *ConstantData::get(part->data);
    for (int64_t offset : part->columnOffsets)
      elements.push_back(values[offset]);
  }
  if (!like) // numbers only
    return nullptr;
  auto count = static_cast<int64_t>(elements.size());
  return column(constantOf(like, {count}, elements), Offsets::upTo(count));
}

Node *ExpressionPool::joinWeights(ArrayRef<Node *> parts) {
  Node *first = parts.front();
  SmallVector<int64_t, 0> columns;
  bool isOne = true;
  for (Node *part : parts) {
    isOne &= part->data == first->data &&
             llvm::equal(part->rowOffsets, first->rowOffsets);
    llvm::append_range(columns, part->columnOffsets);
  }
  if (isOne)
    return weight(first->data, first->rowOffsets, std::move(columns));
  auto rows = static_cast<int64_t>(first->rowOffsets.size()),
       width = static_cast<int64_t>(columns.size());
  SmallVector<ConstantData> data;
  for (Node *part : parts)
    data.push_back(*ConstantData::get(part->data));
  std::vector<float> elements;
  elements.reserve(rows * width);
  for (int64_t i = 0; i < rows; ++i)
    for (auto [part, values] : llvm::zip_equal(parts, data))
      for (int64_t column : part->columnOffsets)
        elements.push_back(values[part->rowOffsets[i] + column]);
  SmallVector<int64_t, 0> begins;
  for (int64_t i = 0; i < rows; ++i)
    begins.push_back(i * width);
  return weight(constantOf(first->data, {rows, width}, elements),
                std::move(begins), Offsets::upTo(width));
}

Node *ExpressionPool::repeated(Node *rows, int64_t size, int64_t times) {
  SmallVector<int64_t> columns;
  for (int64_t head = 0; head < rows->width; head += size)
    for (int64_t i = 0; i < times; ++i)
      llvm::append_range(columns, llvm::seq<int64_t>(head, head + size));
  return this->columns(rows, columns);
}

Node *ExpressionPool::joinTables(ArrayRef<Node *> parts) {
  size_t rows = parts.front()->rowOffsets.size(), width = 0;
  for (Node *part : parts) {
    rows = std::min(rows, part->rowOffsets.size());
    width += part->width;
  }
  std::vector<float> elements;
  elements.reserve(rows * width);
  SmallVector<ConstantData> data;
  for (Node *part : parts)
    data.push_back(*ConstantData::get(part->data));
  SmallVector<int64_t, 0> begins;
  for (size_t i = 0; i < rows; ++i) {
    begins.push_back(i * width);
    for (auto [part, values] : llvm::zip_equal(parts, data))
      for (int64_t column : part->columnOffsets)
        elements.push_back(values[part->rowOffsets[i] + column]);
  }
  auto shape = {static_cast<int64_t>(rows), static_cast<int64_t>(width)};
  return positionTable(numbers(parts.front()->data, shape, elements),
                       std::move(begins), Offsets::upTo(width),
                       parts.front()->sequence);
}

Node *ExpressionPool::join(ArrayRef<Node *> parts, ArrayRef<int64_t> widths,
                           unsigned depth) {
  constexpr unsigned deepest = 12; // an activation has about as many ops
  Node *first = parts.front();
  if (first->width == 0 && llvm::all_equal(parts))
    return first; // a number, or one of each token
  if (llvm::all_of(parts, isConstant))
    return joinColumns(parts, widths);
  bool isAlike = llvm::all_of(parts, [&](Node *part) {
    return part->kind == first->kind && part->width > 0;
  });
  if (!isAlike || depth == deepest)
    return nullptr;
  switch (first->kind) {
  case NodeKind::Columns: {
    // All of them, in order.
    int64_t next = 0;
    for (Node *part : parts)
      for (int64_t column : part->columnOffsets)
        if (part->operand(0) != first->operand(0) || column != next++)
          return nullptr;
    return next == first->operand(0)->width ? first->operand(0) : nullptr;
  }
  case NodeKind::PositionTable:
    return joinTables(parts);
  case NodeKind::Linear: {
    SmallVector<Node *> weights;
    for (Node *part : parts) {
      if (part->operand(0) != first->operand(0))
        return nullptr;
      weights.push_back(part->operand(1));
    }
    return linear(first->operand(0), joinWeights(weights));
  }
  case NodeKind::Add:
  case NodeKind::Mul:
  case NodeKind::Div:
  case NodeKind::Max:
  case NodeKind::Exp:
  case NodeKind::Erf:
  case NodeKind::Tanh:
  case NodeKind::Sqrt:
    break;
  default:
    return nullptr;
  }
  SmallVector<SmallVector<Node *>> operands =
      llvm::map_to_vector(parts, [](Node *part) { return ordered(part); });
  SmallVector<Node *, 2> joined;
  for (unsigned i = 0; i < first->operands.size(); ++i) {
    SmallVector<Node *> each;
    for (ArrayRef<Node *> of : operands)
      each.push_back(of[i]);
    joined.push_back(join(each, widths, depth + 1));
    if (!joined.back())
      return nullptr;
  }
  switch (first->kind) {
  case NodeKind::Add:
    return add(joined[0], joined[1]);
  case NodeKind::Mul:
    return mul(joined[0], joined[1]);
  case NodeKind::Div:
    return div(joined[0], joined[1]);
  case NodeKind::Max:
    return max(joined[0], joined[1]);
  default:
    return unary(first->kind, joined[0]);
  }
}

Node *ExpressionPool::heads(ArrayRef<Node *> contexts, Node *query, Node *key,
                            Node *value) {
  SmallVector<Node *> operands(contexts);
  operands.append({query, key, value});
  return make(NodeKind::Heads, operands);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// The insertions that fill a tensor, first one first; none where another one
/// follows, or where they start with more than an empty tensor.
static SmallVector<tensor::InsertSliceOp> piecesOf(tensor::InsertSliceOp op) {
  for (OpOperand &use : op->getUses())
    if (auto next = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
        next && use == next.getDestMutable())
      return {};
  SmallVector<tensor::InsertSliceOp> pieces;
  Value into = op.getResult();
  while (auto piece = into.getDefiningOp<tensor::InsertSliceOp>()) {
    pieces.push_back(piece);
    into = piece.getDest();
  }
  if (!into.getDefiningOp<tensor::EmptyOp>())
    return {};
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

/// Where a piece begins along the one dimension that it does not fill; none
/// where there is no such dimension, or it is an open one.
static std::optional<std::pair<unsigned, int64_t>>
placeOf(tensor::InsertSliceOp op) {
  RankedTensorType from = op.getSourceType(), to = op.getDestType();
  std::optional<std::pair<unsigned, int64_t>> place;
  if (from.getRank() != to.getRank())
    return std::nullopt;
  for (unsigned dim = 0; dim < to.getRank(); ++dim) {
    std::optional<int64_t> offset =
        getConstantIntValue(op.getMixedOffsets()[dim]);
    if (!offset || getConstantIntValue(op.getMixedStrides()[dim]) != 1)
      return std::nullopt;
    if (*offset == 0 && from.getDimSize(dim) == to.getDimSize(dim))
      continue;
    if (place || to.isDynamicDim(dim) || from.isDynamicDim(dim))
      return std::nullopt;
    place = {dim, *offset};
  }
  return place;
}

int Analysis::insertedSequence(tensor::InsertSliceOp op) {
  Contents source = contents(op.getSource());
  auto place = placeOf(op);
  if (!source || !source.node->isRows() || !place ||
      isSequence(source.layout.dims[place->first])) // tokens beside others
    return -1;
  // Open extents of what it goes into are the sequence's, too.
  Value into = op.getDest();
  while (auto insert = into.getDefiningOp<tensor::InsertSliceOp>())
    into = insert.getDest();
  auto made = into.getDefiningOp<tensor::EmptyOp>();
  if (!made)
    return -1;
  for (auto [size, atoms] :
       llvm::zip_equal(made.getMixedSizes(), source.layout.dims)) {
    if (getConstantIntValue(size))
      continue;
    std::optional<Atom> atom = sequenceOf(size);
    if (!atom || atom->sequence != source.node->sequence || atoms.size() != 1 ||
        atoms.front().axis != Axis::Token)
      return -1;
  }
  return source.node->sequence;
}

/// Where each feature of rows comes from whose parts are laid out like that,
/// one after the other along `dim`, counted through all parts, and the layout
/// of those rows; none where a dimension has tokens and features.
static std::optional<std::pair<Layout, SmallVector<int64_t>>>
placesOf(ArrayRef<Layout> parts, ArrayRef<int64_t> widths,
         RankedTensorType type, unsigned dim) {
  SmallVector<Atoms> like(parts.front().dims.begin(), parts.front().dims.end());
  if (like[dim].empty())
    for (const Layout &part : llvm::reverse(parts))
      if (!part.dims[dim].empty())
        like[dim] = part.dims[dim];
  Layout layout = renumbered(like, type.getShape());
  // By part, and each in its own order.
  SmallVector<SmallVector<int64_t>> columns;
  SmallVector<int64_t> extents;
  int64_t before = 0, total = 1;
  for (auto [part, width] : llvm::zip_equal(parts, widths)) {
    SmallVector<SmallVector<int64_t>> offsets;
    for (auto [i, atoms] : llvm::enumerate(part.dims)) {
      if (isSequence(atoms) != isSequence(like[i]) ||
          (!isSequence(atoms) && llvm::any_of(atoms, [](const Atom &atom) {
            return atom.isSequence();
          })))
        return std::nullopt;
      if (i == dim && isSequence(atoms)) // tokens behind others
        return std::nullopt;
      offsets.push_back(isSequence(atoms) ? SmallVector<int64_t>()
                                          : offsetsOf(atoms));
    }
    extents.push_back(offsets[dim].size());
    // In the order of the whole, whatever the part's own is.
    columns.push_back(offsetsBy(layout, offsets));
    if (static_cast<int64_t>(columns.back().size()) != width)
      return std::nullopt;
    for (int64_t &column : columns.back())
      column += before + part.offset;
    before += width;
  }
  // The joined dimension has more or fewer features within it.
  const Atoms &joined = layout.dims[dim];
  int64_t inner = joined.empty() ? 1 : joined.front().stride;
  for (auto [i, atoms] : llvm::enumerate(layout.dims))
    if (!isSequence(atoms))
      total *= type.getDimSize(i);
  SmallVector<int64_t> places;
  SmallVector<size_t> next(parts.size(), 0);
  while (static_cast<int64_t>(places.size()) < total)
    for (auto [i, extent] : llvm::enumerate(extents))
      for (int64_t n = 0; n < extent * inner; ++n)
        places.push_back(columns[i][next[i]++]);
  return std::pair(std::move(layout), std::move(places));
}

/// The layout of rows whose parts are laid out like that, one after the other
/// along `dim`; none where the features do not come in the same order.
static std::optional<Layout>
joinedLayout(ArrayRef<Layout> parts, ArrayRef<int64_t> widths, unsigned dim) {
  Layout result = parts.front();
  int64_t total = 0;
  bool areWhole = true;
  for (auto [part, width] : llvm::zip_equal(parts, widths)) {
    if (part.offset != 0)
      return std::nullopt;
    for (auto [i, atoms] : llvm::enumerate(part.dims))
      if (i != dim && atoms != result.dims[i])
        return std::nullopt;
    areWhole &= part.dims[dim] == merged(Atom{Axis::Feature, width});
    total += width;
  }
  if (areWhole) {
    result.dims[dim] = merged(Atom{Axis::Feature, total});
    return result;
  }
  if (!llvm::all_equal(parts))
    return std::nullopt;
  Atoms atoms{{Axis::Feature, static_cast<int64_t>(parts.size()), widths[0]}};
  llvm::append_range(atoms, result.dims[dim]);
  if (llvm::any_of(atoms, [](const Atom &atom) { return atom.isSequence(); }))
    return std::nullopt;
  result.dims[dim] = merged(atoms);
  return result;
}

bool Analysis::joinTurnedTokens(tensor::InsertSliceOp op,
                                ArrayRef<tensor::InsertSliceOp> pieces) {
  if (pieces.size() != 2)
    return false;
  tensor::InsertSliceOp front = pieces[0], rest = pieces[1];
  Contents before = contents(front.getSource()),
           turned = contents(rest.getSource());
  auto place = placeOf(rest);
  if (!before || !turned || !place || !before.node->is(NodeKind::Tokens) ||
      before.node->first != 0 || !turned.node->is(NodeKind::Rotated))
    return false;
  // All tokens of some rows, one after the other.
  Node *rows = before.node->operand(0), *part = turned.node->operand(0);
  auto [dim, offset] = *place;
  int64_t length = longestOf(rows->sequence);
  if (!part->is(NodeKind::Tokens) || part->operand(0) != rows ||
      part->first != offset || longestOf(before.node->sequence) != offset ||
      op.getDestType().getDimSize(dim) != length ||
      placeOf(front) != std::pair(dim, int64_t(0)) ||
      before.layout.offset != turned.layout.offset)
    return false;
  Layout layout = turned.layout;
  for (auto [i, atoms] : llvm::enumerate(layout.dims))
    if (i == dim ? !isAxis(atoms, Axis::Token) ||
                       !isAxis(before.layout.dims[i], Axis::Token)
                 : atoms != before.layout.dims[i])
      return false;
  layout.dims[dim] = {{Axis::Token, length, 1, rows->sequence}};
  // No angle: a cosine of 1, a sine of 0.
  auto extended = [&](Node *table, float first) {
    ConstantData data = *ConstantData::get(table->data);
    std::vector<float> elements(offset * table->width, first);
    for (int64_t begin : table->rowOffsets)
      for (int64_t column : table->columnOffsets)
        elements.push_back(data[begin + column]);
    auto positions = static_cast<int64_t>(elements.size()) / table->width;
    SmallVector<int64_t, 0> begins;
    for (int64_t i = 0; i < positions; ++i)
      begins.push_back(i * table->width);
    return pool.positionTable(
        pool.numbers(table->data, {positions, table->width}, elements),
        std::move(begins), Offsets::upTo(table->width), rows->sequence);
  };
  set(op.getResult(),
      pool.rotated(rows, extended(turned.node->operand(1), 1),
                   extended(turned.node->operand(2), 0), turned.node->part,
                   turned.node->interleaved),
      std::move(layout));
  return true;
}

bool Analysis::visitInsert(tensor::InsertSliceOp op) {
  SmallVector<tensor::InsertSliceOp> pieces = piecesOf(op);
  // The first rows of constants are tables where they are put together.
  for (tensor::InsertSliceOp piece : pieces) {
    Contents source = contents(piece.getSource());
    for (auto [dim, atoms] : llvm::enumerate(source.layout.dims))
      if (source.node->is(NodeKind::Weight) && atoms.size() == 1 &&
          atoms.front().sequence >= 0) {
        Atom token{Axis::Token, piece.getSourceType().getDimSize(dim), 1,
                   atoms.front().sequence};
        if (Contents table = tableOf(source, token))
          tensors[piece.getSource()] = table;
        break;
      }
  }
  if (foldInsert(op, pieces) || joinTurnedTokens(op, pieces))
    return true;
  int sequence = insertedSequence(op);
  if (sequence < 0)
    return false;
  SmallVector<Node *> parts;
  SmallVector<int64_t> widths;
  SmallVector<Layout, 0> layouts;
  std::optional<unsigned> dim;
  int64_t end = 0;
  for (tensor::InsertSliceOp piece : pieces) {
    auto place = placeOf(piece);
    if (insertedSequence(piece) != sequence || (dim && place->first != *dim) ||
        place->second != end)
      break;
    Contents part = contents(piece.getSource());
    dim = place->first;
    end += piece.getSourceType().getDimSize(*dim);
    parts.push_back(part.node);
    widths.push_back(part.node->width);
    layouts.push_back(part.layout);
  }
  Node *joined = nullptr;
  std::optional<Layout> layout;
  bool areAll = parts.size() > 1 && parts.size() == pieces.size() &&
                end == op.getDestType().getDimSize(*dim);
  bool areHeads = llvm::all_of(parts, [](Node *part) {
    return part->is(NodeKind::Context) || part->is(NodeKind::Heads);
  });
  // What is chosen from other rows is another choice from those.
  SmallVector<Node *> terms;
  if (areAll && !areHeads)
    terms = rotatedTerms(parts);
  Node *origin = commonOrigin(terms);
  if (origin)
    if (auto places = placesOf(layouts, widths, op.getDestType(), *dim)) {
      layout = std::move(places->first);
      joined = pool.parts(parts, places->second);
      if (terms == parts) {
        SmallVector<int64_t> columns;
        for (Node *part : parts)
          llvm::append_range(columns, columnsOf(part, origin));
        for (int64_t &place : places->second)
          place = columns[place];
        joined = pool.columns(origin, places->second);
      }
      joined = readRotation(joined);
    }
  if (areAll && !joined)
    layout = joinedLayout(layouts, widths, *dim);
  if (layout && !joined)
    joined = areHeads ? joinHeads(op, parts) : pool.join(parts, widths);
  if (joined)
    set(op.getResult(), joined, std::move(*layout));
  else
    makeLeaf(op.getResult(), sequence);
  return true;
}

/// Leaves one of the keys and values that heads side by side share; of how many
/// heads each is then.
static int64_t dropRepeated(SmallVectorImpl<Node *> &keys,
                            SmallVectorImpl<Node *> &values,
                            SmallVectorImpl<int64_t> &widths) {
  auto count = static_cast<int64_t>(keys.size());
  int64_t times = 1;
  while (times < count && keys[times] == keys[0] && values[times] == values[0])
    ++times;
  for (int64_t i = 0; i < count; ++i)
    if (count % times != 0 || keys[i] != keys[i - i % times] ||
        values[i] != values[i - i % times])
      return 1;
  for (auto *list : {&keys, &values}) {
    for (int64_t i = 0; i < count / times; ++i)
      (*list)[i] = (*list)[i * times];
    list->resize(count / times);
  }
  widths.resize(keys.size());
  return times;
}

Node *Analysis::joinHeads(tensor::InsertSliceOp op, ArrayRef<Node *> parts) {
  SmallVector<AttentionMatch> heads;
  for (Node *part : parts) {
    Miss miss;
    std::optional<AttentionMatch> head = matchAttention(part, miss);
    if (!head)
      return nullptr; // which has the reason
    heads.push_back(*head);
  }
  const AttentionMatch &first = heads.front();
  auto differ = [&](const AttentionMatch &head, const Twine &what,
                    const Twine &suggestion) {
    auto nameOf = [&](const AttentionMatch &each) {
      return std::to_string(&each - heads.data()) +
             bracketedNode(each.softmax->op);
    };
    missed(op,
           "the heads that are joined differ: heads " + nameOf(first) +
               " and " + nameOf(head) + what,
           suggestion);
    return nullptr;
  };
  SmallVector<Node *> queries, keys, values;
  SmallVector<int64_t> widths, keyWidths;
  // Heads share keys in each of them, or with those beside them.
  int64_t shared = first.heads / first.keyHeads;
  for (const AttentionMatch &head : heads) {
    int64_t size = head.query->width / head.heads,
            firstSize = first.query->width / first.heads;
    if (size != firstSize)
      return differ(head,
                    " have " + Twine(firstSize) + " and " + Twine(size) +
                        " features",
                    "use heads of one size");
    if (head.scale != first.scale)
      return differ(head,
                    " are scaled by " + Twine(std::to_string(first.scale)) +
                        " and " + Twine(std::to_string(head.scale)),
                    "use one scale for all heads");
    if (head.window != first.window || head.padding != first.padding ||
        head.padValue != first.padValue)
      return differ(head, " are masked differently",
                    "use one mask for all heads");
    if (head.heads / head.keyHeads != shared)
      return differ(head, " share keys with different numbers of others",
                    "use as many heads of queries for each head of keys");
    queries.push_back(head.query);
    keys.push_back(head.key);
    values.push_back(head.value);
    widths.push_back(head.query->width);
    keyWidths.push_back(head.key->width);
  }
  int64_t size = first.query->width / first.heads;
  if (shared == 1) {
    size = first.key->width;
    shared = dropRepeated(keys, values, keyWidths);
  }
  Node *joined[3];
  for (auto [i, of, what] : {std::tuple(0, ArrayRef(queries), "queries"),
                             std::tuple(1, ArrayRef(keys), "keys"),
                             std::tuple(2, ArrayRef(values), "values")}) {
    joined[i] = pool.join(of, i == 0 ? widths : keyWidths);
    if (joined[i] && i > 0 && shared > 1)
      joined[i] = pool.repeated(joined[i], size, shared);
    if (joined[i])
      continue;
    missed(op,
           Twine("the ") + what +
               " of the heads that are joined are not linear layers of the "
               "same rows",
           "compute those of all heads from one tensor");
    return nullptr;
  }
  return pool.heads(parts, joined[0], joined[1], joined[2]);
}
