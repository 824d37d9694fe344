// A marked loop runs in the caller's threads where there are some, else as it
// was; who calls a function that has one passes them on.
// RUN: fact-opt %s --split-input-file --verify-diagnostics --fact-parallel-loops | FileCheck %s
// RUN: fact-opt %s --split-input-file --verify-diagnostics --fact-parallel-loops="float-control=aarch64" | FileCheck %s --check-prefix=ARM

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    %[[X:.*]]: memref<?xf32>, %[[PARALLEL:.*]]: !llvm.ptr)
// CHECK:         call @layer(%[[X]], %[[PARALLEL]])
func.func @main(%x: memref<?xf32>) {
  call @layer(%x) : (memref<?xf32>) -> ()
  return
}

// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:    %[[X:.*]]: memref<?xf32>, %[[PARALLEL:.*]]: !llvm.ptr)
// CHECK:         %[[GIVEN:.*]] = llvm.icmp "ne" %[[PARALLEL]]
// CHECK:         %[[LONG:.*]] = arith.cmpi ugt
// CHECK:         %[[BOTH:.*]] = arith.andi %[[GIVEN]], %[[LONG]]
// CHECK:         scf.if %[[BOTH]] {
// CHECK:           llvm.store
// CHECK:           %[[TASK:.*]] = {{.*}}constant @__fact_task_work
// CHECK:           llvm.call
// CHECK:         } else {
// CHECK:           scf.for
// CHECK-NEXT:        func.call @work(
// CHECK-NOT:     fact_parallel
func.func private @layer(%x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  scf.for %i = %c0 to %n step %c1 {
    func.call @work(%i, %x) : (index, memref<?xf32>) -> ()
  } {fact_parallel}
  return
}
func.func private @work(%i: index, %x: memref<?xf32>) { return }

// Threads have the contract's floating-point mode.
// CHECK-LABEL: func.func private @__fact_task_work(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %[[I:.*]]: i64)
// CHECK:         llvm.call_intrinsic "llvm.x86.sse.ldmxcsr"
// CHECK:         %[[INDEX:.*]] = arith.index_cast %[[I]]
// CHECK:         call @work(%[[INDEX]], %{{.*}})
// CHECK:         llvm.call_intrinsic "llvm.x86.sse.ldmxcsr"
// ARM:         msr fpcr
// ARM:         call @work(
// ARM:         msr fpcr

// -----

func.func @main(%x: memref<4xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  // expected-error @below {{must do nothing but call a function}}
  scf.for %i = %c0 to %n step %c1 {
    memref.store %zero, %x[%i] : memref<4xf32>
  } {fact_parallel}
  return
}
