// Which linear layers take low-precision tokens. Each case starts from a dense
// layer, so that what is checked is what the passes before really make.
// RUN: fact-opt %s --fact-quantize --fact-predict --fact-precision --split-input-file | FileCheck %s

// Scope ffn: the two linear layers between the output projection and the end.

// CHECK-LABEL: func.func @ffn(
// CHECK:         %{{.*}}, %{{.*}}, %{{.*}}, %[[COUNT:.*]] = fact.select leading_one
// CHECK:         %[[LOW:.*]] = fact.select_precision %[[COUNT]] importance = 256 : tensor<?xi64> -> tensor<?xi1>
// CHECK-NOT:     low %
// CHECK:         %[[R:.*]] = fact.add
// CHECK:         %[[T:.*]] = fact.norm layer %[[R]]
// CHECK:         %[[T8:.*]], %[[TS:.*]] = fact.quantize_rows %[[T]] low %[[LOW]] : (tensor<?x16xf32>, tensor<?xi1>)
// CHECK:         %[[F1:.*]] = fact.quantized_linear %[[T8]], %[[TS]], {{.*}} low %[[LOW]] precision = a4w4 : {{.*}} -> tensor<?x32xf32>
// CHECK:         %[[G:.*]] = fact.activation gelu %[[F1]]
// CHECK:         %[[G8:.*]], %[[GS:.*]] = fact.quantize_rows %[[G]] low %[[LOW]]
// CHECK:         %[[F2:.*]] = fact.quantized_linear %[[G8]], %[[GS]], {{.*}} low %[[LOW]] precision = a4w4 : {{.*}} -> tensor<?x16xf32>
// CHECK:         fact.add %[[R]], %[[F2]]
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 3.0, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @ffn(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
  %a = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %q = fact.linear %a, %w bias %g : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %v = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r = fact.add %x, %o : tensor<?x16xf32>
  %t = fact.norm layer %r, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %f1 = fact.linear %t, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  %f = fact.activation gelu %f1 : tensor<?x32xf32>
  %f2 = fact.linear %f, %w2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
  %y = fact.add %r, %f2 : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// Scope all: projections and output projection too. The predictor and the mean
// token go on reading INT8 rows; the low ones are quantized once for Q, K and V.

// CHECK-LABEL: func.func @all(
// CHECK:         %[[A:.*]] = fact.norm
// CHECK:         %[[A8:.*]], %[[AS:.*]] = fact.quantize_rows %[[A]] : (tensor<?x16xf32>)
// CHECK:         fact.encode leading_one activation %[[A8]]
// CHECK:         %{{.*}}, %{{.*}}, %{{.*}}, %[[COUNT:.*]] = fact.select leading_one
// CHECK:         %[[LOW:.*]] = fact.select_precision %[[COUNT]] importance = 512
// CHECK:         %[[M:.*]] = fact.mean_token
// CHECK:         %[[M8:.*]], %[[MS:.*]] = fact.quantize_rows %[[M]] : (tensor<1x16xf32>)
// CHECK:         fact.quantized_linear %[[M8]], %[[MS]], %{{[^ ]*}}, %{{[^ ]*}} : {{.*}} -> tensor<1x16xf32>
// CHECK:         fact.quantized_linear %[[M8]], %[[MS]], %{{[^ ]*}}, %{{[^ ]*}} : {{.*}} -> tensor<1x16xf32>
// CHECK:         %[[L8:.*]], %[[LS:.*]] = fact.quantize_rows %[[A]] low %[[LOW]] : (tensor<?x16xf32>, tensor<?xi1>)
// CHECK-COUNT-3: fact.quantized_linear %[[L8]], %[[LS]], {{.*}} low %[[LOW]] precision = a4w8 :
// CHECK:         %[[C:.*]] = fact.quantized_attention
// CHECK:         %[[C8:.*]], %[[CS:.*]] = fact.quantize_rows %[[C]] low %[[LOW]]
// CHECK:         fact.quantized_linear %[[C8]], %[[CS]], {{.*}} low %[[LOW]] precision = a4w8 :
// CHECK-COUNT-2: fact.quantized_linear {{.*}} low %[[LOW]] precision = a4w8 :
module attributes {fact.policy = #fact.policy<keep = 102, tail = mean, dominance = 3.0, importance = 512, low_precision = a4w8, scope = all, predictor = leading_one>} {
func.func @all(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
  %a = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %q = fact.linear %a, %w bias %g : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %v = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r = fact.add %x, %o : tensor<?x16xf32>
  %t = fact.norm layer %r, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %f1 = fact.linear %t, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  %f = fact.activation gelu %f1 : tensor<?x32xf32>
  %f2 = fact.linear %f, %w2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
  %y = fact.add %r, %f2 : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// Nothing is pruned: the counts of the full mask.

// CHECK-LABEL: func.func @nothing_pruned(
// CHECK:         %[[A:.*]] = fact.norm
// CHECK:         %[[COUNT:.*]] = fact.select_all %[[A]] heads = 2 : tensor<?x16xf32> -> tensor<?xi64>
// CHECK:         %[[LOW:.*]] = fact.select_precision %[[COUNT]] importance = 300
// CHECK-COUNT-2: fact.quantized_linear {{.*}} low %[[LOW]] precision = a4w4 :
module attributes {fact.policy = #fact.policy<keep = 1024, tail = none, dominance = 0.0, importance = 300, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @nothing_pruned(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
  %a = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %q = fact.linear %a, %w bias %g : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %v = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r = fact.add %x, %o : tensor<?x16xf32>
  %t = fact.norm layer %r, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %f1 = fact.linear %t, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  %f = fact.activation gelu %f1 : tensor<?x32xf32>
  %f2 = fact.linear %f, %w2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
  %y = fact.add %r, %f2 : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// Importance 0: every token is INT8.

// CHECK-LABEL: func.func @no_importance(
// CHECK-NOT:     fact.select_all
// CHECK-NOT:     fact.select_precision
// CHECK-NOT:     low %
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 3.0, importance = 0, low_precision = a4w4, scope = all, predictor = leading_one>} {
func.func @no_importance(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x16xf32> {
  %a = fact.norm layer %x, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %q = fact.linear %a, %w bias %g : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %k = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %v = fact.linear %a, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %k, %v heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %r = fact.add %x, %o : tensor<?x16xf32>
  %t = fact.norm layer %r, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %f1 = fact.linear %t, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  %f = fact.activation gelu %f1 : tensor<?x32xf32>
  %f2 = fact.linear %f, %w2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
  %y = fact.add %r, %f2 : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// Two post-norm layers in one function: each takes its own layer's tokens, and the
// head behind the last takes none.

// CHECK-LABEL: func.func @two_layers(
// CHECK:         %{{.*}}, %{{.*}}, %{{.*}}, %[[COUNT0:.*]] = fact.select leading_one
// CHECK:         %[[LOW0:.*]] = fact.select_precision %[[COUNT0]]
// CHECK-COUNT-2: fact.quantized_linear {{.*}} low %[[LOW0]] precision = a4w4 :
// CHECK:         %{{.*}}, %{{.*}}, %{{.*}}, %[[COUNT1:.*]] = fact.select leading_one
// CHECK:         %[[LOW1:.*]] = fact.select_precision %[[COUNT1]]
// CHECK-COUNT-2: fact.quantized_linear {{.*}} low %[[LOW1]] precision = a4w4 :
// CHECK:         %[[LAST:.*]] = fact.norm
// CHECK:         %[[H8:.*]], %[[HS:.*]] = fact.quantize_rows %[[LAST]] : (tensor<?x16xf32>)
// CHECK:         fact.quantized_linear %[[H8]], %[[HS]], %{{[^ ]*}}, %{{[^ ]*}} : {{.*}} -> tensor<?x32xf32>
module attributes {fact.policy = #fact.policy<keep = 205, tail = none, dominance = 3.0, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>} {
func.func @two_layers(%x: tensor<?x16xf32>, %w: tensor<16x16xf32>, %w1: tensor<16x32xf32>, %w2: tensor<32x16xf32>, %g: tensor<16xf32>) -> tensor<?x32xf32> {
  %q = fact.linear %x, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c = fact.attention %q, %q, %q heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o = fact.linear %c, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %s = fact.add %x, %o : tensor<?x16xf32>
  %r = fact.norm layer %s, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %f1 = fact.linear %r, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  %f = fact.activation gelu %f1 : tensor<?x32xf32>
  %f2 = fact.linear %f, %w2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
  %t = fact.add %r, %f2 : tensor<?x16xf32>
  %y = fact.norm layer %t, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %q1 = fact.linear %y, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %c1 = fact.attention %q1, %q1, %q1 heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  %o1 = fact.linear %c1, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %s1 = fact.add %y, %o1 : tensor<?x16xf32>
  %r1 = fact.norm layer %s1, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %f11 = fact.linear %r1, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  %f01 = fact.activation gelu %f11 : tensor<?x32xf32>
  %f21 = fact.linear %f01, %w2 : (tensor<?x32xf32>, tensor<32x16xf32>) -> tensor<?x16xf32>
  %t1 = fact.add %r1, %f21 : tensor<?x16xf32>
  %y1 = fact.norm layer %t1, %g, %g eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %head = fact.linear %y1, %w1 : (tensor<?x16xf32>, tensor<16x32xf32>) -> tensor<?x32xf32>
  return %head : tensor<?x32xf32>
}
}
