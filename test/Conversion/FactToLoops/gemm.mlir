// The one integer product: block of rows times groups of 16 columns, in the
// pair form that targets have instructions for.
// RUN: fact-opt %s --fact-to-loops="row-block=2 column-tiles=3" | FileCheck %s
// RUN: not fact-opt %s --fact-to-loops="row-block=5" 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: not fact-opt %s --fact-to-loops="column-tiles=0" 2>&1 | FileCheck %s --check-prefix=TILES

// CHECK-LABEL: func.func private @__fact_gemm(
// CHECK:         scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>, vector<16xi32>, vector<16xi32>, vector<16xi32>, vector<16xi32>)
// CHECK:           %[[PRODUCT:.*]] = arith.muli %{{.*}}, %{{.*}} : vector<32xi32>
// CHECK:           %[[EVEN:.*]], %[[ODD:.*]] = vector.deinterleave %[[PRODUCT]] : vector<32xi32> -> vector<16xi32>
// CHECK:           %[[SUM:.*]] = arith.addi %[[EVEN]], %[[ODD]] : vector<16xi32>

// BLOCK: error: row-block must divide 48 (was 5)
// TILES: error: column-tiles must be positive (was 0)
func.func @linear(%q: tensor<?x64xi8>, %s: tensor<?xf32>, %w: tensor<64x48xi8>, %ws: tensor<48xf32>) -> tensor<?x48xf32> {
  %y = fact.quantized_linear %q, %s, %w, %ws
    : (tensor<?x64xi8>, tensor<?xf32>, tensor<64x48xi8>, tensor<48xf32>) -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}
