// Masked attention: a loop over heads, in it one over row blocks. With room for all keys
// of a head these are loaded once per head; on a small machine a third loop walks over
// blocks of them.
// RUN: fact-opt %s --split-input-file --fact-to-factisa=resident=false | FileCheck %s
// RUN: fact-opt %s --split-input-file --fact-to-factisa=resident=false | FileCheck %s --check-prefix=PLAIN
// RUN: %python %fact_src/test/Inputs/machine.py %t.json token=24576 weight=8192 temp=24576 index=16384
// RUN: fact-opt %s --split-input-file --fact-to-factisa="machine=%t.json resident=false" | FileCheck %s --check-prefix=BLOCKS
// Iterations overlap; instructions of one have its rows and its places.
// RUN: fact-opt %s --split-input-file --fact-to-factisa=resident=false | %python %fact_src/test/Dialect/FactISA/Inputs/check_pipeline.py | FileCheck %s --check-prefix=AGREE
// RUN: fact-opt %s --split-input-file --fact-to-factisa="machine=%t.json resident=false" | %python %fact_src/test/Dialect/FactISA/Inputs/check_pipeline.py | FileCheck %s --check-prefix=AGREE
// AGREE: {{^}}{{[1-9]}} loops, {{.*}}: all agree

// Dense: no mask, no dominated rows, no mean token.
// CHECK-LABEL: func.func @dense()
// CHECK-SAME:  \22layers\22:[{\22features\22:128,\22heads\22:2,
// CHECK:       factisa.apu.quantize
// CHECK:       scf.for %[[HEAD:[a-z0-9]+]] = %{{.*}} to %{{.*}} step
// CHECK:         factisa.load
// CHECK:         scf.for %[[ROW:[a-z0-9]+]] = %{{.*}} to %{{.*}} step
// CHECK-DAG:       factisa.view %{{[0-9]+}} + 0[%[[HEAD]], %{{[a-z0-9]+}}] strides [64, 128] : !factisa.dram
// CHECK-DAG:       factisa.pe.qk {{.*}} n=64,
// CHECK-DAG:       factisa.apu.softmax {{.*}} attention_scale=5.000000e-01
// CHECK-DAG:       factisa.pe.pv {{.*}} n=64,
// CHECK-DAG:       factisa.apu.context {{.*}} n=64,
// CHECK-DAG:       factisa.store {{.*}} row_bytes=256, dst_stride=512,
// PLAIN-LABEL: func.func @dense()
// PLAIN-NOT:   {{factisa.(sel|ep)|copy_dominated|, (causal|tail)$|in_range}}
// PLAIN-LABEL: func.func @causal()
// BLOCKS-LABEL: func.func @dense()
// BLOCKS:         factisa.apu.quantize
// BLOCKS:         scf.for %[[HEAD:[a-z0-9]+]] = %{{.*}} to %{{.*}} step
// BLOCKS:           scf.for %[[ROW:[a-z0-9]+]] = %{{.*}} to %{{.*}} step
// BLOCKS:             scf.for %[[KEY:[a-z0-9]+]] = %{{.*}} to %{{.*}} step
// BLOCKS-DAG:           factisa.load
// BLOCKS-DAG:           factisa.pe.qk {{.*}} col0=%{{([0-9]+|arg[0-9]+)}},
// BLOCKS:             }
// BLOCKS:             factisa.apu.softmax
// BLOCKS:             scf.for %[[KEY:[a-z0-9]+]] = %{{.*}} to %{{.*}} step
// BLOCKS-DAG:           factisa.load
// BLOCKS-DAG:           factisa.pe.pv {{.*}} col0=%{{([0-9]+|arg[0-9]+)}}, {{.*}}, accumulate{{$}}
// BLOCKS:             }
// BLOCKS:             factisa.apu.context
func.func @dense(%x: tensor<?x128xf32> {fact.name = "x", fact.bound = 500 : i64}) -> (tensor<?x128xf32> {fact.name = "y"}) {
  %q, %s = fact.quantize_heads %x heads = 2 : (tensor<?x128xf32>) -> (tensor<?x128xi8>, tensor<2x?xf32>)
  %y = fact.quantized_attention %q, %s, %q, %s, %q, %s heads = 2 scale = 0.5
    : (tensor<?x128xi8>, tensor<2x?xf32>, tensor<?x128xi8>, tensor<2x?xf32>, tensor<?x128xi8>, tensor<2x?xf32>) -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// -----

// Causal: every instruction that walks over keys says so.
// CHECK-LABEL: func.func @causal()
// CHECK-SAME:  \22window\22:[null,0]
// CHECK:       factisa.pe.qk {{.*}}, left=0, right=1{{$}}
// CHECK:       factisa.apu.softmax {{.*}}, left=0, right=1{{$}}
// CHECK:       factisa.pe.pv {{.*}}, left=0, right=1{{$}}
// CHECK:       factisa.apu.context
func.func @causal(%x: tensor<?x8xf32> {fact.name = "x", fact.bound = 8 : i64}) -> (tensor<?x8xf32> {fact.name = "y"}) {
  %q, %s = fact.quantize_heads %x heads = 2 : (tensor<?x8xf32>) -> (tensor<?x8xi8>, tensor<2x?xf32>)
  %y = fact.quantized_attention %q, %s, %q, %s, %q, %s heads = 2 scale = 0.5 causal
    : (tensor<?x8xi8>, tensor<2x?xf32>, tensor<?x8xi8>, tensor<2x?xf32>, tensor<?x8xi8>, tensor<2x?xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
