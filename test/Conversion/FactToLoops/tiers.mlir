// One generator, and what each tier multiplies with.
// RUN: fact-opt %s --fact-to-loops="tier=amx" | FileCheck %s --check-prefix=AMX
// RUN: fact-opt %s --fact-to-loops="tier=avx512vnni" | FileCheck %s --check-prefixes=VNNI,VNNI512
// RUN: fact-opt %s --fact-to-loops="tier=avxvnni" | FileCheck %s --check-prefixes=VNNI,VNNI256
// RUN: fact-opt %s --fact-to-loops="tier=dotprod" | FileCheck %s --check-prefix=ARM
// RUN: fact-opt %s --fact-to-loops="tier=avx2" | FileCheck %s --check-prefix=PAIR
// RUN: fact-opt %s --fact-to-loops="tier=avx512vnni emulate=true" | FileCheck %s --check-prefix=EMULATED
// RUN: not fact-opt %s --fact-to-loops="tier=mmx" 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// Four sums of 16 x 16 stay in tiles.
// Tiles of a block are multiplied before the sums of the block in front of it are used, and ask for the next columns.
// AMX-LABEL: func.func private @product(
// AMX:         scf.for %[[STEP:.*]] = %{{.*}} to %[[END:.*]] step
// AMX:           %[[STARTS:.*]] = arith.cmpi ult, %[[STEP]],
// AMX-NEXT:      scf.if %[[STARTS]]
// AMX:             scf.for {{.*}} -> (!amx.tile<16x16xi32>, !amx.tile<16x16xi32>, !amx.tile<16x16xi32>, !amx.tile<16x16xi32>)
// AMX:               memref.prefetch {{.*}}, read, locality<2>, data
// AMX-COUNT-4:       amx.tile_muli
// AMX:             amx.tile_store
// AMX:           %[[FINISHES:.*]] = arith.cmpi ne, %[[STEP]],
// AMX-NEXT:      scf.if %[[FINISHES]]
// AMX:             arith.sitofp

// Codes of rows are stored as code + 128; sums begin at the corrections.
// VNNI-LABEL: llvm.func internal @__fact_llvm_{{.*}}(
// VNNI512:      llvm.call_intrinsic "llvm.x86.avx512.packssdw.512"
// VNNI512:      llvm.call_intrinsic "llvm.x86.avx512.packsswb.512"
// VNNI512:      llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// VNNI256:      llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// VNNI-LABEL: func.func private @rows(
// VNNI:         arith.xori
// VNNI-LABEL: func.func private @product(
// VNNI512:      llvm.call @__fact_llvm_{{.*}}(%{{.*}}) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
// VNNI256:      llvm.call @__fact_llvm_{{.*}}(%{{.*}}) : (vector<8xi32>, vector<32xi8>, vector<32xi8>) -> vector<8xi32>

// ARM:       llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// ARM-LABEL: func.func private @rows(
// ARM-NOT:     arith.xori

// PAIR-LABEL: func.func private @product(
// PAIR:         %[[PRODUCT:.*]] = arith.muli %{{.*}}, %{{.*}} : vector<32xi32>
// PAIR:         %[[EVEN:.*]], %[[ODD:.*]] = vector.deinterleave %[[PRODUCT]] : vector<32xi32> -> vector<16xi32>
// PAIR:         arith.addi %[[EVEN]], %[[ODD]] : vector<16xi32>

// EMULATED-NOT: llvm.call
// EMULATED:     vector.deinterleave

// UNKNOWN: error: unknown tier 'mmx' (there are amx, avx512vnni, avx512, avxvnni, avx2, x86, dotprod, portable)
func.func @linear(%x: tensor<?x64xf32>, %w: tensor<64x48xi8>, %ws: tensor<48xf32>) -> tensor<?x48xf32> {
  %q, %s = fact.quantize_rows %x : (tensor<?x64xf32>) -> (tensor<?x64xi8>, tensor<?xf32>)
  %y = fact.quantized_linear %q, %s, %w, %ws
    : (tensor<?x64xi8>, tensor<?xf32>, tensor<64x48xi8>, tensor<48xf32>) -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}
