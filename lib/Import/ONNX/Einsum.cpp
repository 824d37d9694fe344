//===- Einsum.cpp - Sums of products by letters ---------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands are multiplied one after the other: by transposes, reshapes and a
// MatMul in the order in which an exporter writes them where something is
// summed, else by a broadcast Mul.
//
//===----------------------------------------------------------------------===//

#include "Compose.h"

#include <limits>

using namespace mlir;
using namespace mlir::fact;
using Tensor = Composition::Tensor;
/// One label a dimension: a letter, or firstEllipsis + i for dimension i of
/// those that "..." stands for.
using Labels = SmallVector<int, 6>;

static constexpr int firstEllipsis = 256;

namespace {

struct Term {
  Tensor tensor = nullptr;
  Labels labels;

  bool has(int label) const { return llvm::is_contained(labels, label); }
  Dim extent(int label) const {
    return tensor->shape[llvm::find(labels, label) - labels.begin()];
  }
};

class EinsumImport {
public:
  explicit EinsumImport(NodeImport &node) : op(node) {}
  LogicalResult run();

private:
  bool parse(StringRef equation);
  /// The letters of one operand or of the result, whose "..." stands for
  /// \p ellipsis dimensions.
  bool parseTerm(StringRef text, size_t ellipsis, Labels &labels);
  /// The result's labels where the equation does not name them.
  Labels implicitResult() const;
  bool checkExtents();

  /// Sums over what neither \p needed nor \p other has.
  Term sumOut(Term term, llvm::ArrayRef<int> needed, const Term *other);
  Term arranged(const Term &term, llvm::ArrayRef<int> order);
  /// The term with the dimensions \p labels, extent 1 for what it lacks.
  Tensor spread(const Term &term, llvm::ArrayRef<int> labels);
  Term product(Term a, Term b, llvm::ArrayRef<int> needed);
  Term contraction(Term a, Term b, llvm::ArrayRef<int> needed);
  /// The product of the extents of some labels.
  Dim merged(const Term &term, llvm::ArrayRef<int> labels);

  Composition op;
  SmallVector<Term, 3> terms;
  Labels result;
  size_t mostEllipsis = 0;
};

} // namespace

bool EinsumImport::parseTerm(StringRef text, size_t ellipsis, Labels &labels) {
  bool hasEllipsis = false;
  while (!text.empty()) {
    if (text.consume_front("...")) {
      if (hasEllipsis)
        return op.fail("equation has '...' twice in one term"), false;
      hasEllipsis = true;
      for (size_t i = mostEllipsis - ellipsis; i < mostEllipsis; ++i)
        labels.push_back(firstEllipsis + static_cast<int>(i));
      continue;
    }
    char letter = text.front();
    text = text.drop_front();
    if (!llvm::isAlpha(letter))
      return op.fail("equation has '" + Twine(letter) +
                     "', which is no letter"),
             false;
    if (llvm::is_contained(labels, static_cast<int>(letter)))
      return op.fail("equation has '" + Twine(letter) +
                     "' twice in one term, which is not supported"),
             false;
    labels.push_back(letter);
  }
  return true;
}

Labels EinsumImport::implicitResult() const {
  SmallVector<int> counts(firstEllipsis);
  for (const Term &term : terms)
    for (int label : term.labels)
      if (label < firstEllipsis)
        ++counts[label];
  Labels labels;
  for (size_t i = 0; i < mostEllipsis; ++i)
    labels.push_back(firstEllipsis + static_cast<int>(i));
  for (int letter = 0; letter < firstEllipsis; ++letter)
    if (counts[letter] == 1)
      labels.push_back(letter);
  return labels;
}

bool EinsumImport::parse(StringRef equation) {
  std::string text;
  for (char c : equation)
    if (c != ' ')
      text += c;
  auto [left, right] = StringRef(text).split("->");
  SmallVector<StringRef> parts;
  left.split(parts, ',');
  if (parts.size() != op.node.inputs.size())
    return op.fail("equation is of " + Twine(parts.size()) + " inputs (has " +
                   Twine(op.node.inputs.size()) + ")"),
           false;
  SmallVector<size_t> ellipses;
  for (auto [i, part] : llvm::enumerate(parts)) {
    size_t rank = op.input(i)->rank();
    bool hasEllipsis = part.contains("...");
    size_t letters = part.size() - (hasEllipsis ? 3 : 0);
    if (hasEllipsis ? letters > rank : letters != rank)
      return op.fail("equation gives input " + Twine(i) + " '" + part +
                     "', its shape is " + str(op.input(i)->shape)),
             false;
    ellipses.push_back(rank - letters);
    mostEllipsis = std::max(mostEllipsis, ellipses.back());
  }
  for (auto [i, part] : llvm::enumerate(parts)) {
    terms.push_back({op.input(i), {}});
    if (!parseTerm(part, ellipses[i], terms.back().labels))
      return false;
  }
  if (!StringRef(text).contains("->")) {
    result = implicitResult();
    return true;
  }
  if (!parseTerm(right, mostEllipsis, result))
    return false;
  if (mostEllipsis != 0 && !right.contains("..."))
    return op.fail("equation sums over '...', which is not supported"), false;
  for (int label : result)
    if (llvm::none_of(terms, [&](const Term &t) { return t.has(label); }))
      return op.fail("equation has '" + Twine(static_cast<char>(label)) +
                     "' in the result only"),
             false;
  return true;
}

/// A letter stands for one extent. Dimensions of "..." broadcast.
bool EinsumImport::checkExtents() {
  for (const Term &term : terms)
    for (const Term &other : terms)
      for (int label : term.labels) {
        if (!other.has(label))
          continue;
        Dim a = term.extent(label), b = other.extent(label);
        bool broadcasts =
            label >= firstEllipsis && (a.isConstant(1) || b.isConstant(1));
        if (a == b || broadcasts)
          continue;
        std::string name = label < firstEllipsis
                               ? std::string(1, static_cast<char>(label))
                               : "...";
        return op.fail("'" + name + "' stands for extents " + a.str() +
                       " and " + b.str()),
               false;
      }
  return true;
}

Term EinsumImport::sumOut(Term term, llvm::ArrayRef<int> needed,
                          const Term *other) {
  SmallVector<Dim> axes;
  Labels kept;
  for (auto [i, label] : llvm::enumerate(term.labels))
    if (llvm::is_contained(needed, label) || (other && other->has(label)))
      kept.push_back(label);
    else
      axes.push_back(Dim(static_cast<int64_t>(i)));
  if (axes.empty())
    return term;
  return {op("ReduceSum", {term.tensor, op.integers(axes)}, {{"keepdims", 0}}),
          kept};
}

Term EinsumImport::arranged(const Term &term, llvm::ArrayRef<int> order) {
  SmallVector<int64_t> permutation;
  for (int label : order)
    permutation.push_back(llvm::find(term.labels, label) - term.labels.begin());
  return {op.transpose(term.tensor, permutation), Labels(order)};
}

Tensor EinsumImport::spread(const Term &term, llvm::ArrayRef<int> labels) {
  Labels own;
  Shape shape;
  for (int label : labels) {
    if (term.has(label))
      own.push_back(label);
    shape.push_back(term.has(label) ? term.extent(label) : Dim(1));
  }
  Tensor tensor = arranged(term, own).tensor;
  // Dimensions in front come with broadcasting.
  while (!shape.empty() && shape.size() > own.size() &&
         !term.has(labels[labels.size() - shape.size()]))
    shape.erase(shape.begin());
  return op.failed() || shape == tensor->shape ? tensor
                                               : op.reshape(tensor, shape);
}

Dim EinsumImport::merged(const Term &term, llvm::ArrayRef<int> labels) {
  Product product;
  bool fits = true;
  for (int label : labels)
    fits &= product.multiply(term.extent(label));
  std::optional<Dim> dim = fits ? product.asDim() : std::nullopt;
  if (!dim)
    op.fail("merges several open dimensions of " + str(term.tensor->shape));
  return dim.value_or(Dim(1));
}

/// Batches, then what only A has, what is summed, and what only B has: a
/// product of matrices.
Term EinsumImport::contraction(Term a, Term b, llvm::ArrayRef<int> needed) {
  Labels batch, rows, columns, summed;
  for (int label : needed)
    if (a.has(label) && b.has(label))
      batch.push_back(label);
  for (int label : a.labels)
    if (!b.has(label))
      rows.push_back(label);
    else if (!llvm::is_contained(needed, label))
      summed.push_back(label);
  for (int label : b.labels)
    if (!a.has(label))
      columns.push_back(label);
  // The rows of a matrix of weights need not be merged.
  bool keepsRows = batch.empty();
  Shape left, right;
  for (int label : batch) {
    left.push_back(a.extent(label));
    right.push_back(b.extent(label));
  }
  if (keepsRows)
    for (int label : rows)
      left.push_back(a.extent(label));
  else
    left.push_back(merged(a, rows));
  left.push_back(merged(a, summed));
  right.append({merged(b, summed), merged(b, columns)});

  auto join = [](std::initializer_list<llvm::ArrayRef<int>> parts) {
    Labels all;
    for (llvm::ArrayRef<int> part : parts)
      llvm::append_range(all, part);
    return all;
  };
  Tensor lhs = arranged(a, join({batch, rows, summed})).tensor;
  Tensor rhs = arranged(b, join({batch, summed, columns})).tensor;
  auto shaped = [&](Tensor tensor, const Shape &shape) {
    return op.failed() || tensor->shape == shape ? tensor
                                                 : op.reshape(tensor, shape);
  };
  Tensor product = op.matmul(shaped(lhs, left), shaped(rhs, right));
  if (op.failed())
    return {};
  Shape shape(product->shape.begin(), product->shape.begin() + batch.size());
  for (int label : rows)
    shape.push_back(a.extent(label));
  for (int label : columns)
    shape.push_back(b.extent(label));
  return {shaped(product, shape), join({batch, rows, columns})};
}

Term EinsumImport::product(Term a, Term b, llvm::ArrayRef<int> needed) {
  a = sumOut(std::move(a), needed, &b);
  b = sumOut(std::move(b), needed, &a);
  if (op.failed())
    return {};
  bool sums = llvm::any_of(a.labels, [&](int label) {
    return b.has(label) && !llvm::is_contained(needed, label);
  });
  // What stands first in the result that only one has belongs to the left.
  for (int label : needed)
    if (a.has(label) != b.has(label)) {
      if (b.has(label))
        std::swap(a, b);
      break;
    }
  if (sums)
    return contraction(std::move(a), std::move(b), needed);
  Labels all;
  for (int label : needed)
    if (a.has(label) || b.has(label))
      all.push_back(label);
  return {op.multiply(spread(a, all), spread(b, all)), all};
}

LogicalResult EinsumImport::run() {
  FailureOr<StringRef> equation = op.node.stringAttribute("equation", "");
  if (failed(equation) || !parse(*equation) || !checkExtents())
    return failure();
  Term all = terms.front();
  for (size_t i = 1; i < terms.size(); ++i) {
    Labels needed = result;
    for (const Term &later : ArrayRef(terms).drop_front(i + 1))
      for (int label : later.labels)
        if (!llvm::is_contained(needed, label))
          needed.push_back(label);
    all = product(all, terms[i], needed);
    if (op.failed())
      return failure();
  }
  all = sumOut(std::move(all), result, nullptr);
  return op.setResult(op.failed() ? nullptr : arranged(all, result).tensor);
}

static LogicalResult importEinsum(NodeImport &node) {
  return EinsumImport(node).run();
}

llvm::ArrayRef<Operator> mlir::fact::einsumOperators() {
  static const Operator operators[] = {
      {"Einsum", 12, 1, std::numeric_limits<size_t>::max(), importEinsum},
  };
  return operators;
}
