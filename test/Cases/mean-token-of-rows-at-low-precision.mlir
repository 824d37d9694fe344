// The mean token is of rows whose precision the selection decides: its K and V are not made
// beside it.
// RUN: %python %S/Inputs/all_sides.py %s 10x4

func.func @main(%arg0: tensor<?x4xf32> {fact.bound = 12 : i64, fact.name = "x"}) -> (tensor<?x4xf32> {fact.name = "y"}) {
  %cst = arith.constant dense<[[32, 32, -8, 64], [-64, 32, 64, 16], [32, 64, 64, 64], [16, 32, 64, -64]]> : tensor<4x4xi8>
  %cst_0 = arith.constant dense<[[64, -32, 8, 64], [64, 32, -64, 16], [32, -64, 64, -64], [16, 32, -64, 64]]> : tensor<4x4xi8>
  %cst_1 = arith.constant dense<0.00787401571> : tensor<f32>
  %cst_2 = arith.constant dense<[[36, 50, -13, 83], [-119, 60, 119, 24], [48, 119, 106, 119], [18, 69, 73, -89]]> : tensor<4x4xi8>
  %cst_3 = arith.constant dense<[0.00840336177, 0.00504201697, 0.00756302522, 0.00840336177]> : tensor<4xf32>
  %cst_4 = arith.constant dense<[[59, -50, 13, 83], [119, 60, -119, 24], [48, -119, 106, -119], [18, 69, -73, 89]]> : tensor<4x4xi8>
  %quantized, %scale = fact.quantize_rows %arg0 : (tensor<?x4xf32>) -> (tensor<?x4xi8>, tensor<?xf32>)
  %0 = fact.encode  leading_one  activation %quantized : tensor<?x4xi8>
  %1 = fact.log_matmul %0, %cst_0 : (tensor<?x4xi8>, tensor<4x4xi8>) -> tensor<?x4xi32>
  %result, %scale_5 = fact.normalize_heads %1 heads = 2 : tensor<?x4xi32> -> tensor<?x4xi8>, tensor<2x?xf32>
  %2 = fact.encode  leading_one  query %result : tensor<?x4xi8>
  %3 = fact.log_matmul %0, %cst : (tensor<?x4xi8>, tensor<4x4xi8>) -> tensor<?x4xi32>
  %result_6, %scale_7 = fact.normalize_heads %3 heads = 2 : tensor<?x4xi32> -> tensor<?x4xi8>, tensor<2x?xf32>
  %4 = fact.encode  leading_one  key %result_6 : tensor<?x4xi8>
  %scores, %unit = fact.predict %2, %scale_5, %4, %scale_7, %scale, %cst_1, %cst_1 heads = 2 scale = 0.707106769 : (tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<?xf32>, tensor<f32>, tensor<f32>) -> (tensor<2x?x?xf32>, tensor<2x?xf32>)
  %mask, %dominated, %argmax, %count = fact.select  leading_one %scores, %unit keep = 512 dominance = 3.000000e+00 : tensor<2x?x?xf32>, tensor<2x?xf32> -> tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<?xi64>
  %5 = fact.select_precision %count importance = 256 : tensor<?xi64> -> tensor<?xi1>
  %norm = fact.norm layer %arg0, %cst_3, %cst_3 eps = 1.0e-05 : tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>
  %low, %low_scale = fact.quantize_rows %norm low %5 : (tensor<?x4xf32>, tensor<?xi1>) -> (tensor<?x4xi8>, tensor<?xf32>)
  %mixed = fact.quantized_linear %low, %low_scale, %cst_2, %cst_3 low %5 precision = a4w4 : (tensor<?x4xi8>, tensor<?xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<?xi1>) -> tensor<?x4xf32>
  %6 = fact.mean_token %mixed : tensor<?x4xf32> -> tensor<1x4xf32>
  %quantized_8, %scale_9 = fact.quantize_rows %6 : (tensor<1x4xf32>) -> (tensor<1x4xi8>, tensor<1xf32>)
  %7 = fact.quantized_linear %quantized_8, %scale_9, %cst_2, %cst_3 : (tensor<1x4xi8>, tensor<1xf32>, tensor<4x4xi8>, tensor<4xf32>) -> tensor<1x4xf32>
  %quantized_10, %scale_11 = fact.quantize_heads %7 heads = 2 : (tensor<1x4xf32>) -> (tensor<1x4xi8>, tensor<2x1xf32>)
  %8 = fact.quantized_linear %quantized_8, %scale_9, %cst_4, %cst_3 : (tensor<1x4xi8>, tensor<1xf32>, tensor<4x4xi8>, tensor<4xf32>) -> tensor<1x4xf32>
  %quantized_12, %scale_13 = fact.quantize_heads %8 heads = 2 : (tensor<1x4xf32>) -> (tensor<1x4xi8>, tensor<2x1xf32>)
  %quantized_14, %scale_15 = fact.quantize_rows %arg0 low %5 : (tensor<?x4xf32>, tensor<?xi1>) -> (tensor<?x4xi8>, tensor<?xf32>)
  %9 = fact.q_rows %dominated : tensor<2x?xi1>
  %10 = fact.k_rows %mask, %dominated : tensor<2x?x?xi1>, tensor<2x?xi1>
  %11 = fact.v_rows %mask, %dominated, %argmax : tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>
  %12 = fact.quantized_linear %quantized_14, %scale_15, %cst_4, %cst_3 low %5 precision =  a4w4 rows %9 : (tensor<?x4xi8>, tensor<?xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<?xi1>, tensor<2x?xi1>) -> tensor<?x4xf32>
  %13 = fact.quantized_linear %quantized_14, %scale_15, %cst_2, %cst_3 low %5 precision =  a4w4 rows %10 : (tensor<?x4xi8>, tensor<?xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<?xi1>, tensor<2x?xi1>) -> tensor<?x4xf32>
  %14 = fact.quantized_linear %quantized_14, %scale_15, %cst_4, %cst_3 low %5 precision =  a4w4 rows %11 : (tensor<?x4xi8>, tensor<?xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<?xi1>, tensor<2x?xi1>) -> tensor<?x4xf32>
  %quantized_16, %scale_17 = fact.quantize_heads %12 rows %9 heads = 2 : (tensor<?x4xf32>, tensor<2x?xi1>) -> (tensor<?x4xi8>, tensor<2x?xf32>)
  %quantized_18, %scale_19 = fact.quantize_heads %13 rows %10 heads = 2 : (tensor<?x4xf32>, tensor<2x?xi1>) -> (tensor<?x4xi8>, tensor<2x?xf32>)
  %quantized_20, %scale_21 = fact.quantize_heads %14 rows %11 heads = 2 : (tensor<?x4xf32>, tensor<2x?xi1>) -> (tensor<?x4xi8>, tensor<2x?xf32>)
  %15 = fact.quantized_attention %quantized_16, %scale_17, %quantized_18, %scale_19, %quantized_20, %scale_21 mask %mask dominated %dominated, %argmax tail %quantized_10, %scale_11, %quantized_12, %scale_13 heads = 2 scale = 0.707106769 : (tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<?x4xi8>, tensor<2x?xf32>, tensor<2x?x?xi1>, tensor<2x?xi1>, tensor<2x?xi32>, tensor<1x4xi8>, tensor<2x1xf32>, tensor<1x4xi8>, tensor<2x1xf32>) -> tensor<?x4xf32>
  %quantized_22, %scale_23 = fact.quantize_rows %15 low %5 : (tensor<?x4xf32>, tensor<?xi1>) -> (tensor<?x4xi8>, tensor<?xf32>)
  %16 = fact.quantized_linear %quantized_22, %scale_23, %cst_4, %cst_3 low %5 precision =  a4w4 : (tensor<?x4xi8>, tensor<?xf32>, tensor<4x4xi8>, tensor<4xf32>, tensor<?xi1>) -> tensor<?x4xf32>
  %17 = fact.add %arg0, %16 : tensor<?x4xf32>
  return %17 : tensor<?x4xf32>
}
