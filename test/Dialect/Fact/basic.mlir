// Every op of the dialect, printed and parsed again, as text and as bytecode.
// RUN: fact-opt %s | fact-opt | FileCheck %s
// RUN: fact-opt %s --emit-bytecode | fact-opt | FileCheck %s
// RUN: fact-opt %s --mlir-print-op-generic | fact-opt | FileCheck %s

// CHECK: module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 3.000000e+00 : f64, importance = 256, low_precision = a4w4, scope = ffn, predictor = leading_one>}
module attributes {fact.policy = #fact.policy<keep = 205, tail = mean, dominance = 3.0, importance = 256,
                                              low_precision = a4w4, scope = ffn, predictor = leading_one>} {

// CHECK-LABEL: func.func @dense(
// CHECK-SAME:    %[[X:.*]]: tensor<?x16xf32> {fact.bound = 64 : i64, fact.name = "x"}, %[[W:.*]]: tensor<16x16xf32>, %[[B:.*]]: tensor<16xf32>) -> (tensor<?x16xf32> {fact.name = "y"})
// CHECK-SAME:    fact.policy = #fact.policy<keep = 0, tail = none, dominance = 0.000000e+00 : f64, importance = 0, low_precision = a4w8, scope = all, predictor = exact>
func.func @dense(%x: tensor<?x16xf32> {fact.bound = 64 : i64, fact.name = "x"}, %w: tensor<16x16xf32>, %b: tensor<16xf32>) -> (tensor<?x16xf32> {fact.name = "y"})
    attributes {fact.policy = #fact.policy<keep = 0, tail = none, dominance = 0.0, importance = 0,
                                           low_precision = a4w8, scope = all, predictor = exact>} {
  // CHECK: %[[Y0:.*]] = fact.linear %[[X]], %[[W]] bias %[[B]] : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  %0 = fact.linear %x, %w bias %b : (tensor<?x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<?x16xf32>
  // CHECK: %[[Y1:.*]] = fact.linear %[[Y0]], %[[W]] : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  %1 = fact.linear %0, %w : (tensor<?x16xf32>, tensor<16x16xf32>) -> tensor<?x16xf32>
  // CHECK: fact.attention %[[Y0]], %[[Y1]], %[[X]] heads = 2 scale = 0.353553385
  %2 = fact.attention %0, %1, %x heads = 2 scale = 0.353553385 : tensor<?x16xf32>
  // CHECK: fact.attention %{{.*}}, %[[Y1]], %[[X]] heads = 1 scale = 2.5{{.*}} causal
  %3 = fact.attention %2, %1, %x heads = 1 scale = 0.25 causal : tensor<?x16xf32>
  // CHECK: fact.attention %{{.*}} heads = 1 scale = 2.5{{.*}} window = [8, *]
  %left = fact.attention %3, %1, %x heads = 1 scale = 0.25 window = [8, *] : tensor<?x16xf32>
  // CHECK: fact.attention %{{.*}} heads = 1 scale = 2.5{{.*}} window = [0, 3]
  %band = fact.attention %left, %1, %x heads = 1 scale = 0.25 window = [0, 3] : tensor<?x16xf32>
  // CHECK: fact.activation gelu %
  %4 = fact.activation gelu %band : tensor<?x16xf32>
  // CHECK: fact.activation gelu_tanh %
  %5 = fact.activation gelu_tanh %4 : tensor<?x16xf32>
  // CHECK: fact.activation quick_gelu %
  %quick = fact.activation quick_gelu %5 : tensor<?x16xf32>
  // CHECK: fact.activation swish %
  %6 = fact.activation swish %quick : tensor<?x16xf32>
  // CHECK: fact.activation relu %
  %7 = fact.activation relu %6 : tensor<?x16xf32>
  // CHECK: fact.norm layer %{{.*}}, %[[B]], %[[B]] eps = 9.99999974E-6 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  %8 = fact.norm layer %7, %b, %b eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>, tensor<16xf32>
  // CHECK: fact.norm rms %{{.*}}, %[[B]] eps = 9.99999974E-6 : tensor<?x16xf32>, tensor<16xf32>
  %rms = fact.norm rms %8, %b eps = 1.0e-5 : tensor<?x16xf32>, tensor<16xf32>
  // CHECK: fact.multiply %{{.*}}, %[[X]] : tensor<?x16xf32>
  %gated = fact.multiply %rms, %x : tensor<?x16xf32>
  // CHECK: fact.add %{{.*}}, %[[X]] : tensor<?x16xf32>
  %9 = fact.add %gated, %x : tensor<?x16xf32>
  return %9 : tensor<?x16xf32>
}

// CHECK-LABEL: func.func @weights(
// CHECK-SAME:    %[[W:.*]]: tensor<16x32xf32>, %[[B:.*]]: tensor<32xf32>)
func.func @weights(%w: tensor<16x32xf32>, %b: tensor<32xf32>) {
  // CHECK: fact.quantize_weight %[[W]] : tensor<16x32xf32> -> tensor<16x32xi8>, tensor<32xf32>
  %w8, %ws = fact.quantize_weight %w : tensor<16x32xf32> -> tensor<16x32xi8>, tensor<32xf32>
  // CHECK: %[[P8:.*]], %[[PS:.*]] = fact.quantize_predictor_weight %[[W]] : tensor<16x32xf32> -> tensor<16x32xi8>, tensor<f32>
  %p8, %ps = fact.quantize_predictor_weight %w : tensor<16x32xf32> -> tensor<16x32xi8>, tensor<f32>
  // CHECK: fact.encode leading_two weight %[[P8]] : tensor<16x32xi8>
  %code = fact.encode leading_two weight %p8 : tensor<16x32xi8>
  // CHECK: fact.predictor_bias one_sided %[[B]], %[[PS]] : tensor<32xf32>, tensor<f32>
  %bias = fact.predictor_bias one_sided %b, %ps : tensor<32xf32>, tensor<f32>
  return
}

// CHECK-LABEL: func.func @predicted(
func.func @predicted(%x: tensor<?x16xf32>, %w: tensor<16x16xi8>, %ws: tensor<16xf32>, %s: tensor<f32>, %b: tensor<16xf32>) -> tensor<?x16xf32> {
  // CHECK: %[[X8:.*]], %[[XS:.*]] = fact.quantize_rows %{{.*}} : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %x8, %xs = fact.quantize_rows %x : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<?xf32>)
  // CHECK: fact.encode leading_one activation %[[X8]] : tensor<?x16xi8>
  %xc = fact.encode leading_one activation %x8 : tensor<?x16xi8>
  // CHECK: fact.log_matmul %{{.*}}, %{{.*}} bias %{{.*}} scale %[[XS]] : (tensor<?x16xi8>, tensor<16x16xi8>, tensor<16xf32>, tensor<?xf32>) -> tensor<?x16xi32>
  %hq = fact.log_matmul %xc, %w bias %b scale %xs : (tensor<?x16xi8>, tensor<16x16xi8>, tensor<16xf32>, tensor<?xf32>) -> tensor<?x16xi32>
  // CHECK: fact.log_matmul %{{.*}}, %{{.*}} : (tensor<?x16xi8>, tensor<16x16xi8>) -> tensor<?x16xi32>
  %hk = fact.log_matmul %xc, %w : (tensor<?x16xi8>, tensor<16x16xi8>) -> tensor<?x16xi32>
  // CHECK: fact.normalize_heads %{{.*}} heads = 2 : tensor<?x16xi32> -> tensor<?x16xi8>, tensor<2x?xf32>
  %nq, %sq = fact.normalize_heads %hq heads = 2 : tensor<?x16xi32> -> tensor<?x16xi8>, tensor<2x?xf32>
  %nk, %sk = fact.normalize_heads %hk heads = 2 : tensor<?x16xi32> -> tensor<?x16xi8>, tensor<2x?xf32>
  // CHECK: fact.encode exact query
  %cq = fact.encode exact query %nq : tensor<?x16xi8>
  // CHECK: fact.encode one_sided key
  %ck = fact.encode one_sided key %nk : tensor<?x16xi8>
  // CHECK: %[[T:.*]], %[[U:.*]] = fact.predict %{{.*}} heads = 2 scale = 0.353553385 :{{.*}} -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %t, %u = fact.predict %cq, %sq, %ck, %sk, %xs, %s, %s heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  // CHECK: %[[MASK:.*]], %[[DOMINATED:.*]], %[[ARGMAX:.*]], %[[COUNT:.*]] = fact.select leading_one %[[T]], %[[U]] keep = 205 dominance = 3.0{{.*}} :
  %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 205 dominance = 3.0
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  // CHECK: fact.select exact %[[T]], %[[U]] keep = 1024 dominance = 0.0{{.*}} causal :
  %mask2, %dominated2, %argmax2, %count2 = fact.select exact %t, %u keep = 1024 dominance = 0.0 causal
    : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  // CHECK: fact.select_all %{{.*}} heads = 2 : tensor<?x16xf32> -> tensor<?xi64>
  %all = fact.select_all %x heads = 2 : tensor<?x16xf32> -> tensor<?xi64>
  // CHECK: fact.select_all %{{.*}} heads = 2 causal : tensor<?x16xf32> -> tensor<?xi64>
  %all2 = fact.select_all %x heads = 2 causal : tensor<?x16xf32> -> tensor<?xi64>
  // CHECK: %[[RK:.*]] = fact.k_rows %[[MASK]], %[[DOMINATED]] : tensor<2x?x?xi1>, tensor<2x?xi1>
  %rk = fact.k_rows %mask, %dominated : tensor<2x?x?xi1>, tensor<2x?xi1>
  // CHECK: fact.v_rows %[[MASK]], %[[DOMINATED]], %[[ARGMAX]] : tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>
  %rv = fact.v_rows %mask, %dominated, %argmax : tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>
  // CHECK: fact.q_rows %[[DOMINATED]] : tensor<2x?xi1>
  %rq = fact.q_rows %dominated : tensor<2x?xi1>
  // CHECK: %[[LOW:.*]] = fact.select_precision %[[COUNT]] importance = 256 : tensor<?xi64> -> tensor<?xi1>
  %low = fact.select_precision %count importance = 256 : tensor<?xi64> -> tensor<?xi1>
  // CHECK: fact.quantize_rows %{{.*}} low %[[LOW]] : (tensor<?x16xf32>, tensor<?xi1>) -> (tensor<?x16xi8>, tensor<?xf32>)
  %l8, %ls = fact.quantize_rows %x low %low : (tensor<?x16xf32>, tensor<?xi1>) -> (tensor<?x16xi8>, tensor<?xf32>)
  // CHECK: fact.quantized_linear %[[X8]], %[[XS]], %{{.*}}, %{{.*}} : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  %plain = fact.quantized_linear %x8, %xs, %w, %ws : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>) -> tensor<?x16xf32>
  // CHECK: fact.quantized_linear {{.*}} bias %{{.*}} rows %[[RK]] :
  %k = fact.quantized_linear %x8, %xs, %w, %ws bias %b rows %rk : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, tensor<16xf32>, tensor<2x?xi1>) -> tensor<?x16xf32>
  // CHECK: fact.quantized_linear {{.*}} low %[[LOW]] precision = a4w8 :
  %v = fact.quantized_linear %l8, %ls, %w, %ws low %low precision = a4w8 : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, tensor<?xi1>) -> tensor<?x16xf32>
  // CHECK: fact.quantized_linear {{.*}} bias %{{.*}} low %[[LOW]] precision = a4w4 rows %{{.*}} :
  %q = fact.quantized_linear %l8, %ls, %w, %ws bias %b low %low precision = a4w4 rows %rq : (tensor<?x16xi8>, tensor<?xf32>, tensor<16x16xi8>, tensor<16xf32>, tensor<16xf32>, tensor<?xi1>, tensor<2x?xi1>) -> tensor<?x16xf32>
  // CHECK: fact.quantize_heads %{{.*}} heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %v8, %vs = fact.quantize_heads %v heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  // CHECK: fact.quantize_heads %{{.*}} rows %[[RK]] heads = 2 : (tensor<?x16xf32>, tensor<2x?xi1>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  %k8, %ks = fact.quantize_heads %k rows %rk heads = 2 : (tensor<?x16xf32>, tensor<2x?xi1>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  // CHECK: fact.mean_token %{{.*}} : tensor<?x16xf32> -> tensor<1x16xf32>
  %m = fact.mean_token %x : tensor<?x16xf32> -> tensor<1x16xf32>
  %m8, %ms = fact.quantize_heads %m heads = 2 : (tensor<1x16xf32>) -> (tensor<1x16xi8>, tensor<2x1xf32>)
  // CHECK: fact.quantized_attention %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} heads = 2 scale = 0.353553385 :
  %c0 = fact.quantized_attention %k8, %ks, %k8, %ks, %v8, %vs heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> tensor<?x16xf32>
  // CHECK: fact.quantized_attention {{.*}} mask %[[MASK]] heads = 2 scale = 0.353553385 causal :
  %c1 = fact.quantized_attention %k8, %ks, %k8, %ks, %v8, %vs mask %mask heads = 2 scale = 0.353553385 causal
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>) -> tensor<?x16xf32>
  // CHECK: fact.quantized_attention {{.*}} mask %[[MASK]] dominated %[[DOMINATED]], %[[ARGMAX]] tail %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} heads = 2
  %c2 = fact.quantized_attention %k8, %ks, %k8, %ks, %v8, %vs mask %mask dominated %dominated, %argmax tail %m8, %ms, %m8, %ms heads = 2 scale = 0.353553385
    : (tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<1x16xi8>, tensor<2x1xf32>, tensor<1x16xi8>, tensor<2x1xf32>) -> tensor<?x16xf32>
  return %c2 : tensor<?x16xf32>
}

// CHECK-LABEL: func.func @dressed(
// CHECK-SAME:    %[[X:.*]]: tensor<?x32xf32>, %[[KV:.*]]: tensor<?x16xf32>, %[[G:.*]]: tensor<8xf32>, %[[COS:.*]]: tensor<64x3xf32>, %[[SIN:.*]]: tensor<64x3xf32>
func.func @dressed(%x: tensor<?x32xf32>, %kv: tensor<?x16xf32>, %g: tensor<8xf32>, %cos: tensor<64x3xf32>, %sin: tensor<64x3xf32>,
                   %h: tensor<?x32xi32>, %e: tensor<?xf32>, %s: tensor<f32>, %b: tensor<32xf32>, %w: tensor<4x?xi1>, %w2: tensor<2x?xi1>) {
  // CHECK: %[[Q:.*]] = fact.norm rms %[[X]], %[[G]] heads = 4 rows %{{.*}} eps = 9.99999974E-6 : tensor<?x32xf32>, tensor<8xf32> rows tensor<4x?xi1>
  %q = fact.norm rms %x, %g heads = 4 rows %w eps = 1.0e-5 : tensor<?x32xf32>, tensor<8xf32> rows tensor<4x?xi1>
  // CHECK: fact.norm layer %[[KV]], %[[G]], %[[G]] heads = 2 eps = 9.99999974E-6 : tensor<?x16xf32>, tensor<8xf32>, tensor<8xf32>
  %k = fact.norm layer %kv, %g, %g heads = 2 eps = 1.0e-5 : tensor<?x16xf32>, tensor<8xf32>, tensor<8xf32>
  // CHECK: %[[RQ:.*]] = fact.rotate half %[[Q]], %[[COS]], %[[SIN]] heads = 4 : tensor<?x32xf32>, tensor<64x3xf32>
  %rq = fact.rotate half %q, %cos, %sin heads = 4 : tensor<?x32xf32>, tensor<64x3xf32>
  // CHECK: fact.rotate interleaved %{{.*}}, %[[COS]], %[[SIN]] heads = 2 rows %{{.*}} : tensor<?x16xf32>, tensor<64x3xf32> rows tensor<2x?xi1>
  %rk = fact.rotate interleaved %k, %cos, %sin heads = 2 rows %w2 : tensor<?x16xf32>, tensor<64x3xf32> rows tensor<2x?xi1>
  // CHECK: fact.attention %[[RQ]], %{{.*}}, %[[KV]] heads = 4 key_heads = 2 scale = 5.{{.*}} causal : tensor<?x32xf32>, tensor<?x16xf32>
  %c = fact.attention %rq, %rk, %kv heads = 4 key_heads = 2 scale = 0.5 causal : tensor<?x32xf32>, tensor<?x16xf32>
  // CHECK: %[[BIAS:.*]] = fact.predictor_bias exact %{{.*}} : tensor<32xf32>
  %bias = fact.predictor_bias exact %b : tensor<32xf32>
  // CHECK: fact.rescale %{{.*}}, %{{.*}}, %{{.*}} : (tensor<?x32xi32>, tensor<?xf32>, tensor<f32>) -> tensor<?x32xf32>
  %y0 = fact.rescale %h, %e, %s : (tensor<?x32xi32>, tensor<?xf32>, tensor<f32>) -> tensor<?x32xf32>
  // CHECK: fact.rescale %{{.*}}, %{{.*}}, %{{.*}} bias %[[BIAS]] : (tensor<?x32xi32>, tensor<?xf32>, tensor<f32>, tensor<32xf32>) -> tensor<?x32xf32>
  %y = fact.rescale %h, %e, %s bias %bias : (tensor<?x32xi32>, tensor<?xf32>, tensor<f32>, tensor<32xf32>) -> tensor<?x32xf32>
  %q8, %qs = fact.quantize_heads %y heads = 4 : (tensor<?x32xf32>) -> (tensor<?x32xi8>, tensor<4x?xf32>)
  %k8, %ks = fact.quantize_heads %kv heads = 2 : (tensor<?x16xf32>) -> (tensor<?x16xi8>, tensor<2x?xf32>)
  // CHECK: fact.predict %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} heads = 4 scale = 5.{{.*}} : (tensor<?x32xi8>, tensor<4x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> (tensor<4x?x?xf32>, tensor<4x?xf32>)
  %t, %u = fact.predict %q8, %qs, %k8, %ks heads = 4 scale = 0.5
    : (tensor<?x32xi8>, tensor<4x?xf32>, tensor<?x16xi8>, tensor<2x?xf32>) -> (tensor<4x?x?xf32>, tensor<4x?xf32>)
  // CHECK: fact.select leading_one %{{.*}}, %{{.*}} keep = 205 dominance = 3.{{.*}} head_norms = 2 causal :
  %mask, %dominated, %argmax, %count = fact.select leading_one %t, %u keep = 205 dominance = 3.0 head_norms = 2 causal
    : tensor<4x?x?xf32>, tensor<4x?xf32> -> tensor<4x?x?xi1>, tensor<4x?xi1>, tensor<4x?xi32>, tensor<?xi64>
  // CHECK: fact.k_rows %{{.*}}, %{{.*}} : tensor<4x?x?xi1>, tensor<4x?xi1> -> tensor<2x?xi1>
  %kr = fact.k_rows %mask, %dominated : tensor<4x?x?xi1>, tensor<4x?xi1> -> tensor<2x?xi1>
  // CHECK: fact.v_rows %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x?x?xi1>, tensor<4x?xi1>, tensor<4x?xi32> -> tensor<2x?xi1>
  %vr = fact.v_rows %mask, %dominated, %argmax : tensor<4x?x?xi1>, tensor<4x?xi1>, tensor<4x?xi32> -> tensor<2x?xi1>
  return
}

}
