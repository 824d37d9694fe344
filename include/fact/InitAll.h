//===- InitAll.h - Registers everything that the tools share --------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_INITALL_H
#define FACT_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::fact {

/// Our dialects, the upstream ones that our pipelines meet, and their
/// extensions.
void registerAllDialects(DialectRegistry &registry);

/// Our passes and pipelines, and the upstream passes that go with them.
void registerAllPasses();

} // namespace mlir::fact

#endif // FACT_INITALL_H
