// The entry point sets the float mode around everything that computes and puts
// it back, checks what comes in and goes out, and frees the result.
// RUN: fact-opt %s --fact-entry-point="name=relu" | FileCheck %s
// RUN: fact-opt %s --fact-entry-point="name=relu packed=true" | FileCheck %s --check-prefix=PACKED
// RUN: fact-opt %s --fact-entry-point="float-control=aarch64" | FileCheck %s --check-prefix=ARM
// RUN: fact-opt %s --fact-parallel-loops --fact-entry-point="name=relu required=avx2,amx-int8" | FileCheck %s --check-prefix=HOST
// RUN: not fact-opt %s --fact-entry-point="name=helper" 2>&1 | FileCheck %s --check-prefix=NAME

// CHECK-LABEL: func.func private @__fact_main(
// CHECK-SAME:    passthrough = ["noinline"]
// CHECK-LABEL: func.func @relu(%arg0: !llvm.ptr, %arg1: i64, %arg2: !llvm.ptr, %arg3: !llvm.ptr) -> i32
// CHECK:         llvm.call_intrinsic "llvm.x86.sse.stmxcsr"
// CHECK:         llvm.call_intrinsic "llvm.x86.sse.ldmxcsr"
// CHECK:         %[[Y:.*]] = {{(func\.)?}}call @__fact_main
// CHECK:         memref.copy %[[Y]]
// CHECK:         memref.dealloc %[[Y]]
// CHECK:         llvm.call_intrinsic "llvm.x86.sse.ldmxcsr"
// CHECK:         return

// The packed one gives the result itself away, and frees it where it is not finite.
// PACKED: func.func @relu(%arg0: !llvm.ptr, %arg1: i64, %arg2: !llvm.ptr) -> i32
// PACKED-NOT:     memref.copy
// PACKED:         %[[Y:.*]] = {{(func\.)?}}call @__fact_main
// PACKED-NOT:     memref.copy
// PACKED:         %[[D:.*]] = builtin.unrealized_conversion_cast %[[Y]]
// PACKED:         %[[OWNED:.*]] = llvm.extractvalue %[[D]][0]
// PACKED:         %[[DATA:.*]] = llvm.extractvalue %[[D]][1]
// PACKED:         llvm.extractvalue %[[D]][3, 0]
// PACKED:         llvm.extractvalue %[[D]][3, 1]
// PACKED:         llvm.extractvalue %[[D]][3, 2]
// PACKED:         llvm.store %[[OWNED]]
// PACKED:         llvm.store %[[DATA]]
// PACKED:         %[[BAD:.*]] = arith.cmpi ne
// PACKED-NEXT:    scf.if %[[BAD]] {
// PACKED-NEXT:      memref.dealloc %[[Y]]

// Any processor can run what asks for features; Linux is asked for tiles. One
// entry point runs alone, the other in the caller's threads.
// HOST-LABEL: func.func private @__fact_entry(
// HOST-LABEL: func.func @relu(%arg0: !llvm.ptr, %arg1: i64, %arg2: !llvm.ptr, %arg3: !llvm.ptr) -> i32
// HOST-SAME:    passthrough = [{{\[}}"target-cpu", "x86-64"], ["target-features", ""]]
// HOST:         %[[NONE:.*]] = llvm.mlir.zero
// HOST:         llvm.inline_asm has_side_effects "cpuid"
// HOST:         llvm.inline_asm has_side_effects "xgetbv"
// HOST:         llvm.inline_asm has_side_effects "syscall"
// HOST:         func.call @__fact_entry({{.*}}, %[[NONE]])
// HOST-LABEL: func.func @relu_parallel(
// HOST-SAME:    %[[PARALLEL:[^ ]*]]: !llvm.ptr) -> i32
// HOST:         func.call @__fact_entry({{.*}}, %[[PARALLEL]])

// ARM: llvm.inline_asm has_side_effects "mrs $0, fpcr"
// NAME: error: has a function with the name of the entry point 'helper'
module {
  func.func private @helper()
  func.func @main(%x: memref<1x?x16xf32> {fact.name = "x", fact.bound = 8 : i64}) -> (memref<1x?x16xf32> {fact.name = "y"}) {
    %c1 = arith.constant 1 : index
    %n = memref.dim %x, %c1 : memref<1x?x16xf32>
    %y = memref.alloc(%n) : memref<1x?x16xf32>
    memref.copy %x, %y : memref<1x?x16xf32> to memref<1x?x16xf32>
    return %y : memref<1x?x16xf32>
  }
}
