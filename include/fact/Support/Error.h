//===- Error.h - The one exception type of the C++-only code --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_SUPPORT_ERROR_H
#define FACT_SUPPORT_ERROR_H

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

namespace fact {

/// Text from the user's files with its control characters spelled out, but for
/// line breaks: no byte of it does something to a terminal.
std::string printable(const std::string &text);

/// A user error: bad input, bad file, failed write. The message is printed as
/// it is (lower case, no final full stop, offending value at the end).
class Error : public std::runtime_error {
public:
  explicit Error(const std::string &message);
  ~Error() override; // Out of line: one home for vtable and type info.
};

/// Runs `body` and returns the text of the error that it ended with, if any.
/// For callers that are compiled without exceptions (everything over MLIR):
/// they turn the text into a diagnostic. Keep `body` to calls into the C++-only
/// libraries; objects that live in an exception-free frame in between are not
/// destroyed.
std::optional<std::string> catchError(const std::function<void()> &body);

} // namespace fact

#endif // FACT_SUPPORT_ERROR_H
