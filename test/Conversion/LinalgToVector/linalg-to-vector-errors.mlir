// RUN: not fact-opt %s --fact-linalg-to-vector=lanes=0 2>&1 | FileCheck %s --check-prefix=LANES
// RUN: not fact-opt %s --fact-linalg-to-vector=rows=-1 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not fact-opt %s --fact-linalg-to-vector=vectors=0 2>&1 | FileCheck %s --check-prefix=VECTORS
// LANES: error: lanes must be positive (was 0)
// ROWS: error: rows must be positive (was -1)
// VECTORS: error: vectors must be positive (was 0)
func.func @nothing() {
  return
}
