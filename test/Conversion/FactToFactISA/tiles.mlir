// What does not fit the scratchpad at once is cut. With 1 KB for weights, one of 4 KB
// comes in tiles, and the sums over parts of k accumulate; with 8 KB for rows, a block
// has fewer of them.
// RUN: fact-opt %s --fact-to-factisa | FileCheck %s --check-prefix=LARGE
// RUN: %python %fact_src/test/Inputs/machine.py %t.json token=8192 weight=1024 temp=8192 index=2048
// RUN: fact-opt %s --fact-to-factisa=machine=%t.json | FileCheck %s --check-prefix=SMALL

// LARGE: factisa.pe.gemm {{.*}} k=512, n=8,
// LARGE-NOT: factisa.pe.gemm

// SMALL-DAG: factisa.pe.gemm {{.*}} role=other{{$}}
// SMALL-DAG: factisa.pe.gemm {{.*}}, accumulate{{$}}
// SMALL-DAG: factisa.apu.rescale
func.func @main(%x: tensor<?x512xf32> {fact.name = "x", fact.bound = 8 : i64}) -> (tensor<?x8xf32> {fact.name = "y"}) {
  %w = arith.constant dense<3> : tensor<512x8xi8>
  %s = arith.constant dense<0.5> : tensor<8xf32>
  %q, %scale = fact.quantize_rows %x : (tensor<?x512xf32>) -> (tensor<?x512xi8>, tensor<?xf32>)
  %y = fact.quantized_linear %q, %scale, %w, %s : (tensor<?x512xi8>, tensor<?xf32>, tensor<512x8xi8>, tensor<8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
