// RUN: fact-opt %s --fact-free-early | FileCheck %s

func.func private @use(memref<4xf32>)
func.func private @use_bytes(memref<4xi8>)
func.func private @pass(memref<4xf32>) -> memref<4xf32>

// Views and casts keep it, also through regions and calls.
// CHECK-LABEL: func.func @main(
// CHECK:         %[[A:.*]] = memref.alloc() : memref<4xf32>
// CHECK:         call @use(%[[A]])
// CHECK-NEXT:    memref.dealloc %[[A]]
// CHECK:         %[[B:.*]] = memref.alloc() : memref<4xi1>
// CHECK:         builtin.unrealized_conversion_cast
// CHECK:         call @use_bytes
// CHECK-NEXT:    memref.dealloc %[[B]]
// CHECK:         %[[C:.*]] = memref.alloc() : memref<4xf32>
// CHECK:         scf.if
// CHECK:         call @pass
// CHECK:         call @use
// CHECK-NEXT:    memref.dealloc %[[C]]
// CHECK:         call @use(%{{.*}}arg0)
func.func @main(%x: memref<4xf32>, %c: i1) {
  %a = memref.alloc() : memref<4xf32>
  func.call @use(%a) : (memref<4xf32>) -> ()
  %b = memref.alloc() : memref<4xi1>
  %bytes = builtin.unrealized_conversion_cast %b : memref<4xi1> to memref<4xi8>
  func.call @use_bytes(%bytes) : (memref<4xi8>) -> ()
  %d = memref.alloc() : memref<4xf32>
  %e = scf.if %c -> (memref<4xf32>) {
    %f = memref.subview %d[0] [4] [1] : memref<4xf32> to memref<4xf32>
    scf.yield %f : memref<4xf32>
  } else {
    scf.yield %x : memref<4xf32>
  }
  %g = func.call @pass(%e) : (memref<4xf32>) -> memref<4xf32>
  func.call @use(%g) : (memref<4xf32>) -> ()
  func.call @use(%x) : (memref<4xf32>) -> ()
  memref.dealloc %a : memref<4xf32>
  memref.dealloc %b : memref<4xi1>
  memref.dealloc %d : memref<4xf32>
  return
}

// What is passed on stays as it is.
// CHECK-LABEL: func.func @returned(
// CHECK:         call @use
// CHECK-NEXT:    call @use
// CHECK-NEXT:    memref.dealloc
func.func @returned(%x: memref<4xf32>) -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  func.call @use(%a) : (memref<4xf32>) -> ()
  func.call @use(%x) : (memref<4xf32>) -> ()
  memref.dealloc %a : memref<4xf32>
  return %a : memref<4xf32>
}
