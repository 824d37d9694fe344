// Linear layers and attention become INT8; layers that read the same rows share
// their quantization, and so do uses of one weight.
// RUN: fact-opt %s --fact-quantize | FileCheck %s

// CHECK-LABEL: func.func @attention(
// CHECK-SAME:    %[[A:.*]]: tensor<?x16xf32>, %[[W:.*]]: tensor<16x16xf32>, %[[B:.*]]: tensor<16xf32>)
// CHECK:         %[[A8:.*]], %[[AS:.*]] = fact.quantize_rows %[[A]] : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
// CHECK:         %[[W8:.*]], %[[WS:.*]] = fact.quantize_weight %[[W]] : tensor<16x16xf32> -> tensor<16x16xi8>, tensor<16xf32>
// CHECK:         %[[Q:.*]] = fact.quantized_linear %[[A8]], %[[AS]], %[[W8]], %[[WS]] bias %[[B]] :
// CHECK-NOT:     fact.quantize_rows
// CHECK-NOT:     fact.quantize_weight
// CHECK:         %[[K:.*]] = fact.quantized_linear %[[A8]], %[[AS]], %[[W8]], %[[WS]] :
// CHECK:         %[[Q8:.*]], %[[QS:.*]] = fact.quantize_heads %[[Q]] heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
// CHECK:         %[[K8:.*]], %[[KS:.*]] = fact.quantize_heads %[[K]] heads = 2 :
// CHECK:         %[[V8:.*]], %[[VS:.*]] = fact.quantize_heads %[[A]] heads = 2 :
// CHECK:         %[[C:.*]] = fact.quantized_attention %[[Q8]], %[[QS]], %[[K8]], %[[KS]], %[[V8]], %[[VS]] heads = 2 scale = 0.353553385 causal :
// CHECK:         return %[[C]]
func.func @attention(%a: tensor<?x16xf32>, %w: tensor<16x16xf32>, %b: tensor<16xf32>) -> tensor<?x16xf32> {
  %q = fact.linear %a, %w bias %b : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %a heads = 2 scale = 0.353553385 causal : tensor<?x16xf32>
  return %c : tensor<?x16xf32>
}

// What is not a product stays float32.
// CHECK-LABEL: func.func @others(
// CHECK-NEXT:    fact.norm
// CHECK-NEXT:    fact.activation
// CHECK-NEXT:    fact.add
// CHECK-NEXT:    return
func.func @others(%a: tensor<?x16xf32>, %b: tensor<16xf32>) -> tensor<?x16xf32> {
  %0 = fact.norm layer %a, %b, %b eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %1 = fact.activation relu %0 : tensor<?x16xf32>
  %2 = fact.add %a, %1 : tensor<?x16xf32>
  return %2 : tensor<?x16xf32>
}

// A quantization in a block does not serve another one that it does not dominate.
// CHECK-LABEL: func.func @blocks(
// CHECK-COUNT-2: fact.quantize_rows
func.func @blocks(%a: tensor<?x16xf32>, %w: tensor<16x16xf32>, %c: i1) -> tensor<?x16xf32> {
  %r = scf.if %c -> tensor<?x16xf32> {
    %0 = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
    scf.yield %0 : tensor<?x16xf32>
  } else {
    %0 = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
    scf.yield %0 : tensor<?x16xf32>
  }
  return %r : tensor<?x16xf32>
}
