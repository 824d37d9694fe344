// Calls of one layer function in a row become one loop over layers: the weights of all
// layers lie side by side in DRAM, the rows stay in one place. A weight that all
// layers share is there once; a layer of another function, or one whose result is
// read twice, is lowered by itself.
// RUN: fact-opt %s --split-input-file --fact-to-factisa | FileCheck %s

// CHECK-LABEL: func.func @main()
// CHECK-DAG:   factisa.dram constant 128 "weight"{{.*}} {stride = 64 : i64, values = [dense<1.000000e+00> : tensor<4xf32>, dense<2.000000e+00> : tensor<4xf32>]}
// CHECK-DAG:   factisa.dram constant 64 "weight"{{.*}} {stride = 64 : i64, values = [dense<3.000000e+00> : tensor<4xf32>]}
// Nobody else reads the rows that come in: they come where the result will be, and
// need no copy.
// CHECK-DAG:   %[[Y:[0-9]+]] = factisa.dram output 1024 "y"
// CHECK-DAG:   factisa.dram input 1024 "x" in %[[Y]]
// CHECK-NOT:   factisa.load
// CHECK:       scf.for %[[LAYER:[a-z0-9]+]] = %c0 to %c2 step %c1
// CHECK:         factisa.view %{{[0-9]+}} + 0[%[[LAYER]]] strides [64] : !factisa.dram
// CHECK:         factisa.apu.norm
// CHECK-NOT:   layer_norm
// CHECK:       return
func.func @main(%x: tensor<?x4xf32> {fact.name = "x", fact.bound = 8 : i64}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %g1 = arith.constant dense<1.0> : tensor<4xf32>
  %g2 = arith.constant dense<2.0> : tensor<4xf32>
  %b = arith.constant dense<3.0> : tensor<4xf32>
  %1 = call @layer(%x, %g1, %b) : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %2 = call @layer(%1, %g2, %b) : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}
func.func private @layer(%x: tensor<?x4xf32>, %g: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  %n = fact.norm layer %x, %g, %b eps = 1.0e-05 : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  %y = fact.add %x, %n : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Somebody does: they are copied before the layers.
// CHECK-LABEL: func.func @read_later()
// CHECK-DAG:   factisa.dram output 1024 "y"
// CHECK-DAG:   %[[X:[0-9]+]] = factisa.dram input 1024 "x" at
// CHECK:       factisa.load dst={{.*}}, src=%[[X]]
// CHECK:       factisa.store
// CHECK:       scf.for
// CHECK:         factisa.apu.norm
// CHECK:       factisa.apu.add
func.func @read_later(%x: tensor<?x4xf32> {fact.name = "x", fact.bound = 8 : i64}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %g1 = arith.constant dense<1.0> : tensor<4xf32>
  %g2 = arith.constant dense<2.0> : tensor<4xf32>
  %1 = call @layer(%x, %g1) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %2 = call @layer(%1, %g2) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = fact.add %2, %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func private @layer(%x: tensor<?x4xf32>, %g: tensor<4xf32>) -> tensor<?x4xf32> {
  %n = fact.norm layer %x, %g, %g eps = 1.0e-05 : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  return %n : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func.func @twice()
// CHECK-NOT:   scf.for
// CHECK:       factisa.apu.norm
// CHECK:       factisa.apu.norm
// CHECK:       factisa.apu.add
// CHECK:       return
func.func @twice(%x: tensor<?x4xf32> {fact.name = "x", fact.bound = 8 : i64}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %g1 = arith.constant dense<1.0> : tensor<4xf32>
  %g2 = arith.constant dense<2.0> : tensor<4xf32>
  %1 = call @layer(%x, %g1) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %2 = call @layer(%1, %g2) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = fact.add %1, %2 : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func private @layer(%x: tensor<?x4xf32>, %g: tensor<4xf32>) -> tensor<?x4xf32> {
  %n = fact.norm layer %x, %g, %g eps = 1.0e-05 : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  return %n : tensor<?x4xf32>
}
