// Rounding to even is additions that every target has, never a library call; where
// a product is exact, it and the subtraction that follows are one instruction of
// targets that have it.
// RUN: fact-opt %s --fact-to-loops="tier=avx2" | FileCheck %s --check-prefixes=CHECK,FUSED
// RUN: fact-opt %s --fact-to-loops="tier=x86" | FileCheck %s --check-prefixes=CHECK,PLAIN

// CHECK-NOT: math.roundeven
// CHECK:     arith.constant dense<0x4B400000>
// FUSED:     math.fma
// PLAIN-NOT: math.fma
func.func @swish(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %y = fact.activation swish %x : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
