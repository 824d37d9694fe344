// RUN: fact-opt %s --fact-outline-kernels | FileCheck %s

#id = affine_map<(i) -> (i)>

// Equal ops share a function; a constant from outside is copied, another value is not.
// CHECK-LABEL: func.func @main(
// CHECK:         call @[[ADD:.*]](%arg0, %arg1) : (memref<4xf32>, memref<4xf32>) -> ()
// CHECK-NEXT:    call @[[ADD]](%arg1, %arg0)
// CHECK-NEXT:    linalg.generic
// CHECK-NOT:     linalg.generic
// CHECK:         return
// CHECK:       func.func private @[[ADD]](%{{.*}}: memref<4xf32>, %{{.*}}: memref<4xf32>) attributes {passthrough = ["noinline"]} {
// CHECK:         arith.constant 1.000000e+00 : f32
// CHECK:         linalg.generic
func.func @main(%a: memref<4xf32>, %b: memref<4xf32>, %s: f32) {
  %one = arith.constant 1.0 : f32
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<4xf32>) outs(%b : memref<4xf32>) {
  ^bb0(%x: f32, %y: f32):
    %0 = arith.addf %x, %one : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<4xf32>) outs(%a : memref<4xf32>) {
  ^bb0(%x: f32, %y: f32):
    %0 = arith.addf %x, %one : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<4xf32>) outs(%a : memref<4xf32>) {
  ^bb0(%x: f32, %y: f32):
    %0 = arith.addf %x, %s : f32
    linalg.yield %0 : f32
  }
  return
}
