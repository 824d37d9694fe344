// An attribute of an argument is verified before the body that has none such.
// RUN: not fact-opt %s 2>&1 | FileCheck %s
// CHECK: error: 'func.func' op 'fact.bound' of argument 0 must be a positive 64-bit integer (was 8 : i32)
"func.func"() <{arg_attrs = [{fact.bound = 8 : i32}], function_type = (tensor<?x4xf32>) -> tensor<?x4xf32>, sym_name = "f"}> ({
  "func.return"() : () -> ()
}) : () -> ()
