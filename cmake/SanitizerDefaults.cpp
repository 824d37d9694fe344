//===- SanitizerDefaults.cpp - Built into every sanitized executable ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/// Read by the runtime before the variable ASAN_OPTIONS, which thus wins.
/// LLVM's headers poison free parts of their arenas by hand in our code; LLVM's
/// libraries, which are not instrumented, do not unpoison them.
extern "C" const char *__asan_default_options() {
  return "allow_user_poisoning=0:strict_string_checks=1";
}

extern "C" const char *__ubsan_default_options() {
  return "print_stacktrace=1";
}
