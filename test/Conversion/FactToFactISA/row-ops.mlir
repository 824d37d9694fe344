// Ops that work row by row share one loop over row blocks (none where a sequence is one
// block): rows come from DRAM once, what is between stays in the scratchpad, and only the
// result goes back.
// RUN: fact-opt %s --split-input-file --fact-to-factisa | FileCheck %s
// RUN: fact-opt %s --split-input-file --fact-to-factisa | %python %fact_src/test/Dialect/FactISA/Inputs/check_pipeline.py | FileCheck %s --check-prefix=AGREE

// The program has its bound, and what reports need to know of the layers.
// CHECK:      func.func @norm() attributes {factisa.bound = 8 : i64, factisa.metadata = "{{.*}}"} {
// Inputs and outputs keep name and shape; the rows are padded to whole blocks.
// CHECK-DAG:  %[[X:[0-9]+]] = factisa.dram input {{[0-9]+}} "tokens"{{.*}} {shape = array<i64: 1, -1, 16>}
// CHECK-DAG:  %[[Y:[0-9]+]] = factisa.dram output {{[0-9]+}} "y"{{.*}} {shape = array<i64: 1, -1, 16>}
// CHECK-DAG:  factisa.dram constant 64 "weight"{{.*}} {stride = 64 : i64, values = [dense<2.000000e+00> : tensor<16xf32>]}
// CHECK:         factisa.load dst=%[[IN:[0-9]+]], src=%[[X]],
// CHECK-NOT:     {{factisa.(load|store)}}
// CHECK:         factisa.apu.norm y=%[[NORM:[0-9]+]], x=%[[IN]], {{.*}} n=16, {{.*}} kind=layer, eps=9.9
// CHECK-NOT:     {{factisa.(load|store)}}
// CHECK:         factisa.apu.activation y=%[[ACT:[0-9]+]], x=%[[NORM]], {{.*}} kind=gelu_tanh{{$}}
// CHECK-NOT:     {{factisa.(load|store)}}
// CHECK:         factisa.apu.add y=%[[SUM:[0-9]+]], a=%[[ACT]], b=%[[NORM]],
// CHECK-NOT:     {{factisa.(load|store)}}
// CHECK:         factisa.store dst=%[[Y]], src=%[[SUM]],
// CHECK-NOT:     factisa.store
func.func @norm(%arg: tensor<1x?x16xf32> {fact.name = "tokens", fact.bound = 8 : i64}) -> (tensor<1x?x16xf32> {fact.name = "y"}) {
  %gamma = arith.constant dense<2.0> : tensor<16xf32>
  %c1 = arith.constant 1 : index
  %x = tensor.collapse_shape %arg [[0, 1], [2]] : tensor<1x?x16xf32> into tensor<?x16xf32>
  %norm = fact.norm layer %x, %gamma, %gamma eps = 1.0e-05 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %act = fact.activation gelu_tanh %norm : tensor<?x16xf32>
  %sum = fact.add %act, %norm : tensor<?x16xf32>
  %length = tensor.dim %arg, %c1 : tensor<1x?x16xf32>
  %y = tensor.expand_shape %sum [[0, 1], [2]] output_shape [1, %length, 16] : tensor<?x16xf32> into tensor<1x?x16xf32>
  return %y : tensor<1x?x16xf32>
}

// -----

// A linear layer: quantize the rows, multiply tile by tile, rescale. A weight is read
// from DRAM; its scales and bias too. One row group, so that the quantized rows never
// leave the scratchpad.
// CHECK-LABEL: func.func @linear()
// CHECK-DAG:   factisa.dram constant {{.*}} tensor<16x24xi8>
// CHECK-DAG:   factisa.dram constant {{.*}} tensor<24xf32>
// CHECK:         factisa.apu.quantize q=%[[ROWS:[0-9]+]], scale=%[[SCALE:[0-9]+]], {{.*}} n=16,
// CHECK:         factisa.pe.gemm acc=%[[ACC:[0-9]+]], x=%[[ROWS]], {{.*}} k=16, n=24, {{.*}} role=other{{$}}
// CHECK:         factisa.apu.rescale {{.*}} acc=%[[ACC]], {{.*}} scale=%[[SCALE]], {{.*}} n=24,
// CHECK:         factisa.store
// CHECK-NOT:     factisa.store
func.func @linear(%x: tensor<?x16xf32> {fact.name = "x", fact.bound = 8 : i64}) -> (tensor<?x24xf32> {fact.name = "y"}) {
  %w = arith.constant dense<3> : tensor<16x24xi8>
  %s = arith.constant dense<0.5> : tensor<24xf32>
  %b = arith.constant dense<0.25> : tensor<24xf32>
  %q, %scale = fact.quantize_rows %x : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %y = fact.quantized_linear %q, %scale, %w, %s bias %b : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x24xi8>, tensor<24xf32>, tensor<24xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// What follows a linear layer element by element is part of its rescaling, and so is the
// search for the largest magnitude of a row that is quantized next; of two tiles the second
// one goes on with the first one's. The sum takes the place of what is added.
// CHECK-LABEL: func.func @chain()
// CHECK:         factisa.apu.quantize {{.*}} x=%[[X:[0-9]+]], {{.*}} n=16,
// CHECK:         factisa.apu.rescale y=%[[UP:[0-9]+]], {{.*}} maximum=%[[MAX:[0-9]+]], {{.*}} n=64, {{.*}} activation=relu{{$}}
// CHECK:         factisa.apu.rescale {{.*}} maximum=%[[MAX]], {{.*}} n=16, {{.*}} activation=relu, accumulate{{$}}
// CHECK:         factisa.apu.quantize {{.*}} x=%[[UP]], {{.*}} maximum=%[[MAX]],
// CHECK:         factisa.apu.rescale y=%[[X]], {{.*}} residual=%[[X]], {{.*}} activation=none{{$}}
// The same of a norm. Who needs no maximum has none.
// CHECK:         factisa.apu.norm {{.*}} maximum=%[[NORMED:[0-9]+]],
// CHECK:         factisa.apu.quantize {{.*}} maximum=%[[NORMED]],
// CHECK-NOT:     {{factisa.apu.(activation|add)}}
func.func @chain(%x: tensor<?x16xf32> {fact.name = "x", fact.bound = 8 : i64}) -> (tensor<?x16xf32> {fact.name = "y"}) {
  %up = arith.constant dense<3> : tensor<16x80xi8>
  %ups = arith.constant dense<0.5> : tensor<80xf32>
  %down = arith.constant dense<3> : tensor<80x16xi8>
  %w = arith.constant dense<2> : tensor<16x16xi8>
  %s = arith.constant dense<0.5> : tensor<16xf32>
  %q, %scale = fact.quantize_rows %x : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %hidden = fact.quantized_linear %q, %scale, %up, %ups : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x80xi8>, tensor<80xf32>) -> tensor<?x80xf32>
  %act = fact.activation relu %hidden : tensor<?x80xf32>
  %q1, %scale1 = fact.quantize_rows %act : (tensor<?x80xf32>) -> (tensor<?x80xi8>, tensor<?xf32>)
  %back = fact.quantized_linear %q1, %scale1, %down, %s : (tensor<?x80xi8>, tensor<?xf32>, tensor<80x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %sum = fact.add %x, %back : tensor<?x16xf32>
  %norm = fact.norm layer %sum, %s, %s eps = 1.0e-05 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %q2, %scale2 = fact.quantize_rows %norm : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %y = fact.quantized_linear %q2, %scale2, %w, %s : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// A longer sequence is a loop up to its length; a block is where its first row is. A block
// is loaded while another one is worked on.
// AGREE: {{^}}1 loops, 3 instructions, {{.*}}: all agree
// CHECK-LABEL: func.func @blocks()
// CHECK-DAG:   %[[X:[0-9]+]] = factisa.dram input
// CHECK-DAG:   %[[Y:[0-9]+]] = factisa.dram output
// CHECK:       %[[LENGTH:[0-9]+]] = factisa.length 1000
// CHECK:       scf.for %[[ROW:[a-z0-9]+]] = %{{.*}} to %[[LENGTH]] step
// CHECK-DAG:     factisa.view %[[X]] + 0[%{{.*}}] strides [64] : !factisa.dram
// CHECK-DAG:     factisa.load dst=%{{[0-9]+}}, src=%{{[0-9]+}}, row0=%
// CHECK-DAG:     factisa.apu.activation y=%[[IN:[0-9]+]], x=%[[IN]], row0=%
// CHECK-DAG:     factisa.view %[[Y]] + 0[%{{.*}}] strides [64] : !factisa.dram
// CHECK-DAG:     factisa.store dst=%{{[0-9]+}}, src=%{{[0-9]+}}, row0=%
// CHECK:       } {factisa.extra
func.func @blocks(%x: tensor<?x16xf32> {fact.name = "x", fact.bound = 1000 : i64}) -> (tensor<?x16xf32> {fact.name = "y"}) {
  %y = fact.activation relu %x : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
