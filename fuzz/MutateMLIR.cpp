//===- MutateMLIR.cpp - Changes MLIR text at random -----------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MutateMLIR.h"

#include <algorithm>
#include <cctype>
#include <string_view>

using namespace fact::fuzz;

namespace {
/// A piece of the text that has a meaning of its own.
struct Token {
  enum Kind { Number, Type, Value, Name } kind;
  size_t begin, size;
};

/// Numbers at which something begins or ends.
constexpr const char *numbers[] = {"0",
                                   "1",
                                   "-1",
                                   "2",
                                   "3",
                                   "7",
                                   "64",
                                   "65",
                                   "127",
                                   "128",
                                   "255",
                                   "256",
                                   "8193",
                                   "32769",
                                   "65536",
                                   "16777216",
                                   "2147483647",
                                   "2147483648",
                                   "4294967296",
                                   "9223372036854775807",
                                   "-9223372036854775808",
                                   "0x7FC00000",
                                   "0.0",
                                   "1.0e+30",
                                   "?"};
constexpr const char *types[] = {"i1",   "i8",  "i16", "i32",  "i64",
                                 "f16",  "f32", "f64", "bf16", "index",
                                 "none", "ui8", "si8", "i4"};

class Mutator {
public:
  Mutator(const std::string &text, const std::string &donor, Random &random)
      : text(text), donor(donor), random(random) {}

  std::string run() {
    size_t changes = 1;
    while (changes < 8 && below(3) == 0)
      ++changes;
    for (size_t i = 0; i < changes; ++i)
      // A change may have nothing to work on: another one then.
      for (unsigned attempt = 0; attempt < 8 && !change(); ++attempt)
        ;
    return text;
  }

private:
  /// Of 0 .. count - 1. (The standard distributions differ by library.)
  size_t below(size_t count) { return random() % count; }
  template <typename List> auto &pick(List &list) {
    return list[below(std::size(list))];
  }

  bool change() {
    switch (below(16)) {
    case 0:
      return deleteLines();
    case 1:
      return duplicateLine();
    case 2:
      return swapLines();
    case 3:
      return moveLine();
    case 4:
      return spliceLine();
    case 5:
      return swapFunctions();
    case 6:
    case 7:
      return replaceToken(Token::Number, below(2) == 0);
    case 8:
      return replaceToken(Token::Type, below(2) == 0);
    case 9:
    case 10:
      return replaceToken(Token::Value, below(4) == 0);
    case 11:
    case 12:
      return replaceToken(Token::Name, below(2) == 0);
    case 13:
      return swapOperands();
    default:
      return dropAttribute();
    }
  }

  //===--- Lines ---------------------------------------------------------===//

  static std::vector<std::string> linesOf(const std::string &text) {
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < text.size();) {
      size_t end = std::min(text.find('\n', begin), text.size());
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }

  static bool isFixed(const std::string &line) {
    return line.compare(0, 2, "//") == 0;
  }

  void setLines(const std::vector<std::string> &lines) {
    text.clear();
    for (const std::string &line : lines)
      text += line + '\n';
  }

  /// A line that may be changed, or false.
  bool pickLine(const std::vector<std::string> &lines, size_t &index) {
    for (unsigned attempt = 0; !lines.empty() && attempt < 16; ++attempt)
      if (index = below(lines.size()); !isFixed(lines[index]))
        return true;
    return false;
  }

  bool deleteLines() {
    auto lines = linesOf(text);
    size_t begin;
    if (!pickLine(lines, begin))
      return false;
    size_t end = begin + 1;
    while (end < lines.size() && !isFixed(lines[end]) && below(3) == 0)
      ++end;
    lines.erase(lines.begin() + begin, lines.begin() + end);
    setLines(lines);
    return true;
  }

  bool duplicateLine() {
    auto lines = linesOf(text);
    size_t from, to;
    if (!pickLine(lines, from) || !pickLine(lines, to))
      return false;
    std::string copy = lines[from];
    // A second definition of a value is refused by the parser.
    size_t equals = copy.find(" = ");
    size_t percent = copy.find('%');
    if (percent < equals && equals != std::string::npos && below(4) != 0)
      copy.insert(percent + 1, "again_");
    lines.insert(lines.begin() + (below(2) == 0 ? from + 1 : to), copy);
    setLines(lines);
    return true;
  }

  bool swapLines() {
    auto lines = linesOf(text);
    size_t a, b;
    if (!pickLine(lines, a) || !pickLine(lines, b))
      return false;
    if (below(2) == 0)
      b = std::min(a + 1, lines.size() - 1);
    std::swap(lines[a], lines[b]);
    setLines(lines);
    return true;
  }

  bool moveLine() {
    auto lines = linesOf(text);
    size_t from, to;
    if (!pickLine(lines, from) || !pickLine(lines, to))
      return false;
    std::string line = lines[from];
    lines.erase(lines.begin() + from);
    lines.insert(lines.begin() + std::min(to, lines.size()), line);
    setLines(lines);
    return true;
  }

  bool spliceLine() {
    auto lines = linesOf(text), others = linesOf(donor);
    size_t from, to;
    if (!pickLine(others, from) || !pickLine(lines, to))
      return false;
    lines.insert(lines.begin() + to, others[from]);
    setLines(lines);
    return true;
  }

  /// Exchanges two functions of the file, or copies one of the donor.
  bool swapFunctions() {
    auto functionsOf = [](const std::vector<std::string> &lines) {
      std::vector<std::pair<size_t, size_t>> functions;
      for (size_t i = 0; i < lines.size(); ++i) {
        size_t indent = lines[i].find_first_not_of(' ');
        if (indent == std::string::npos ||
            lines[i].compare(indent, 9, "func.func") != 0)
          continue;
        std::string close = std::string(indent, ' ') + "}";
        for (size_t end = i; end < lines.size(); ++end)
          if (lines[end] == close) {
            functions.push_back({i, end + 1});
            break;
          }
      }
      return functions;
    };
    auto lines = linesOf(text), others = linesOf(donor);
    auto ours = functionsOf(lines), theirs = functionsOf(others);
    if (!theirs.empty() && below(2) == 0) {
      auto [begin, end] = pick(theirs);
      size_t at = ours.empty() ? lines.size() : pick(ours).first;
      lines.insert(lines.begin() + at, others.begin() + begin,
                   others.begin() + end);
    } else {
      if (ours.size() < 2)
        return false;
      size_t a = below(ours.size() - 1);
      std::rotate(lines.begin() + ours[a].first,
                  lines.begin() + ours[a + 1].first,
                  lines.begin() + ours[a + 1].second);
    }
    setLines(lines);
    return true;
  }

  //===--- Tokens --------------------------------------------------------===//

  static bool isWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$';
  }

  /// All tokens of `text`, but for those of lines that stay.
  static std::vector<Token> tokensOf(const std::string &text) {
    std::vector<Token> tokens;
    bool lineStart = true, inShape = false;
    for (size_t i = 0; i < text.size();) {
      if (lineStart && text.compare(i, 2, "//") == 0) {
        i = std::min(text.find('\n', i), text.size());
        continue;
      }
      char c = text[i];
      lineStart = c == '\n';
      auto digit = [&](size_t k) {
        return k < text.size() && text[k] >= '0' && text[k] <= '9';
      };
      size_t begin = i;
      if (c == '?') {
        tokens.push_back({Token::Number, i++, 1});
        inShape = true;
      } else if (inShape && c == 'x') {
        ++i;
        inShape = false;
      } else if (digit(i) || (c == '-' && digit(i + 1))) {
        ++i;
        while (digit(i) || (i < text.size() && text[i] == '.' && digit(i + 1)))
          ++i;
        tokens.push_back({Token::Number, begin, i - begin});
        inShape = true;
      } else if (c == '%' || c == '@' || c == '#' || c == '^' || c == '!') {
        ++i;
        while (i < text.size() && (isWord(text[i]) || text[i] == '.'))
          ++i;
        tokens.push_back(
            {c == '%' ? Token::Value : Token::Name, begin, i - begin});
        inShape = false;
      } else if (isWord(c)) {
        // Names of ops have dots in them.
        while (i < text.size() && (isWord(text[i]) || text[i] == '.'))
          ++i;
        std::string_view word(text.data() + begin, i - begin);
        bool isType = std::find(std::begin(types), std::end(types), word) !=
                      std::end(types);
        tokens.push_back(
            {isType ? Token::Type : Token::Name, begin, i - begin});
        inShape = false;
      } else {
        ++i;
        inShape = false;
      }
    }
    return tokens;
  }

  std::vector<Token> tokensOf(const std::string &text, Token::Kind kind) {
    std::vector<Token> tokens = tokensOf(text);
    tokens.erase(
        std::remove_if(tokens.begin(), tokens.end(),
                       [&](const Token &token) { return token.kind != kind; }),
        tokens.end());
    return tokens;
  }

  static std::string spelling(const std::string &text, const Token &token) {
    return text.substr(token.begin, token.size);
  }

  std::string replacement(const Token &token, const std::vector<Token> &all) {
    std::string old = spelling(text, token);
    switch (token.kind) {
    case Token::Number:
      if (below(3) == 0)
        return pick(numbers);
      if (below(2) == 0 && old != "?" && old.size() < 10 &&
          old.find('.') == std::string::npos)
        return std::to_string(std::stoll(old) + (below(2) == 0 ? 1 : -1));
      break;
    case Token::Type:
      return pick(types);
    case Token::Value:
      break;
    case Token::Name: {
      // An op for an op, a symbol for a symbol, a word for a word.
      auto classOf = [](const std::string &name) {
        return isWord(name[0])
                   ? (name.find('.') != std::string::npos ? '.' : 'w')
                   : name[0];
      };
      const std::string &source = below(4) == 0 ? donor : text;
      std::vector<std::string> names;
      for (const Token &other : tokensOf(source, Token::Name)) {
        std::string name = spelling(source, other);
        if (classOf(name) == classOf(old) && name != old)
          names.push_back(name);
      }
      return names.empty() ? old : pick(names);
    }
    }
    return spelling(text, all[below(all.size())]);
  }

  bool replaceToken(Token::Kind kind, bool everywhere) {
    std::vector<Token> tokens = tokensOf(text, kind);
    if (tokens.empty())
      return false;
    Token token = pick(tokens);
    std::string from = spelling(text, token), to = replacement(token, tokens);
    if (from == to)
      return false;
    if (!everywhere) {
      text.replace(token.begin, token.size, to);
      return true;
    }
    for (size_t i = tokens.size(); i-- > 0;)
      if (spelling(text, tokens[i]) == from)
        text.replace(tokens[i].begin, tokens[i].size, to);
    return true;
  }

  /// Two values of one line.
  bool swapOperands() {
    std::vector<Token> values = tokensOf(text, Token::Value);
    if (values.size() < 2)
      return false;
    size_t a = below(values.size());
    size_t lineEnd = std::min(text.find('\n', values[a].begin), text.size());
    size_t b = a + 1 + below(3);
    if (b >= values.size() || values[b].begin > lineEnd)
      return false;
    std::string first = spelling(text, values[a]),
                second = spelling(text, values[b]);
    // From the back, so that the other place stays where it is.
    text.replace(values[b].begin, values[b].size, first);
    text.replace(values[a].begin, values[a].size, second);
    return true;
  }

  /// `name = value` or a name alone, between braces, angle brackets, or after a
  /// keyword.
  bool dropAttribute() {
    std::vector<size_t> starts;
    for (size_t i = 0; i < text.size(); ++i)
      if (text[i] == '{' || text[i] == ',' || text[i] == '<' || text[i] == '(')
        starts.push_back(i);
    if (starts.empty())
      return false;
    size_t begin = pick(starts);
    size_t end = begin + 1;
    int depth = 0;
    for (; end < text.size() && text[end] != '\n'; ++end) {
      char c = text[end];
      if (c == '{' || c == '<' || c == '(' || c == '[')
        ++depth;
      else if (c == '}' || c == '>' || c == ')' || c == ']') {
        if (depth-- == 0)
          break;
      } else if (c == ',' && depth == 0) {
        break;
      }
    }
    bool list = text[begin] == ',';
    if (!list && end < text.size() && text[end] == ',')
      ++end; // the first of several goes with the comma behind it
    text.erase(list ? begin : begin + 1, list ? end - begin : end - begin - 1);
    return true;
  }

  std::string text;
  const std::string &donor;
  Random &random;
};
} // namespace

std::string fact::fuzz::mutateMlir(const std::string &text,
                                   const std::string &donor, Random &random) {
  return Mutator(text, donor, random).run();
}
