// Rounding to even: one instruction where the target has it, else additions
// that every target has; never a library call on a baseline target.
// RUN: fact-opt %s --fact-to-loops="native-round=true" | FileCheck %s --check-prefix=NATIVE
// RUN: fact-opt %s --fact-to-loops | FileCheck %s --check-prefix=PORTABLE

// NATIVE: math.roundeven
// PORTABLE-NOT: math.roundeven
// PORTABLE: math.copysign
func.func @quantize(%x: tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>) {
  %q, %s = fact.quantize_rows %x : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  return %q, %s : tensor<?x16xi8>, tensor<?xf32>
}
