//===- FactAttributes.td - Attributes of the fact dialect -----------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_ATTRIBUTES_TD
#define FACT_ATTRIBUTES_TD

include "fact/Dialect/Fact/IR/FactDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class Fact_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::mlir::fact";
  let genSpecializedAttr = 0;
}
class Fact_EnumAttr<EnumAttrInfo info, string mnemonic>
    : EnumAttr<Fact_Dialect, info, mnemonic>;

def Fact_Activation : Fact_Enum<"Activation", "activation function", [
  I32EnumAttrCase<"Gelu", 0, "gelu">,
  I32EnumAttrCase<"GeluTanh", 1, "gelu_tanh">,
  I32EnumAttrCase<"QuickGelu", 2, "quick_gelu">,
  I32EnumAttrCase<"Swish", 3, "swish">,
  I32EnumAttrCase<"Relu", 4, "relu">]>;
def Fact_ActivationAttr : Fact_EnumAttr<Fact_Activation, "activation">;

def Fact_Predictor : Fact_Enum<"Predictor", "what stands for `one` in eager prediction (section 4.6)", [
  I32EnumAttrCase<"LeadingOne", 0, "leading_one">,
  I32EnumAttrCase<"LeadingTwo", 1, "leading_two">,
  I32EnumAttrCase<"OneSided", 2, "one_sided">,
  I32EnumAttrCase<"Exact", 3, "exact">]>;
def Fact_PredictorAttr : Fact_EnumAttr<Fact_Predictor, "predictor">;

def Fact_Norm : Fact_Enum<"Norm", "kind of a norm (sections 2 and 10)", [
  I32EnumAttrCase<"Layer", 0, "layer">,
  I32EnumAttrCase<"RMS", 1, "rms">]>;
def Fact_NormAttr : Fact_EnumAttr<Fact_Norm, "norm">;

def Fact_RotaryStyle : Fact_Enum<"RotaryStyle", "pairs of features that a rotary embedding rotates (section 10)", [
  I32EnumAttrCase<"Half", 0, "half">,
  I32EnumAttrCase<"Interleaved", 1, "interleaved">]>;
def Fact_RotaryStyleAttr : Fact_EnumAttr<Fact_RotaryStyle, "rotary_style">;

def Fact_Operand : Fact_Enum<"PredictorOperand", "operand of eager prediction that a code stands for", [
  I32EnumAttrCase<"Activation", 0, "activation">,
  I32EnumAttrCase<"Weight", 1, "weight">,
  I32EnumAttrCase<"Query", 2, "query">,
  I32EnumAttrCase<"Key", 3, "key">]>;
def Fact_OperandAttr : Fact_EnumAttr<Fact_Operand, "operand">;

def Fact_LowPrecision : Fact_Enum<"LowPrecision", "formats of a low-precision token (section 7)", [
  I32EnumAttrCase<"A4W4", 0, "a4w4">,
  I32EnumAttrCase<"A4W8", 1, "a4w8">]>;
def Fact_LowPrecisionAttr : Fact_EnumAttr<Fact_LowPrecision, "low_precision">;

def Fact_Scope : Fact_Enum<"Scope", "which linear layers low-precision tokens lower (section 7)", [
  I32EnumAttrCase<"FFN", 0, "ffn">,
  I32EnumAttrCase<"All", 1, "all">]>;
def Fact_ScopeAttr : Fact_EnumAttr<Fact_Scope, "scope">;

def Fact_Tail : Fact_Enum<"Tail", "what stands for the keys that a row dropped (section 6)", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Mean", 1, "mean">]>;
def Fact_TailAttr : Fact_EnumAttr<Fact_Tail, "tail">;

def Fact_WindowAttr : AttrDef<Fact_Dialect, "Window"> {
  let mnemonic = "window";
  let summary = "which keys a row may attend to (section 10)";
  let description = [{
    Row i may attend to keys i - left .. i + right, each end a number from 0 to
    2^31 - 1 or `*`, unlimited. An op without a window sees every key: no op has one with both
    ends unlimited. Ops print `causal` for `[*, 0]` and `window = [8, 8]` else.
  }];
  let parameters = (ins "int64_t":$left, "int64_t":$right);
  let assemblyFormat = "`<` custom<WindowEnd>($left) `,` custom<WindowEnd>($right) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    ::fact::numerics::Window asWindow() const { return {getLeft(), getRight()}; }
    /// Null where every key is seen.
    static WindowAttr orNull(::mlir::MLIRContext *context, const ::fact::numerics::Window &window);
  }];
}

def Fact_PolicyAttr : AttrDef<Fact_Dialect, "Policy"> {
  let mnemonic = "policy";
  let summary = "the user's choice of sparsity and precision";
  let description = [{
    Input to the passes `predict`, `precision` and `fuse`, as the attribute
    `fact.policy` of an attention, a function or the module (the innermost wins), or
    of the call of a layer, where calls of one function differ in `keep`, `dominance`
    and `importance` alone; nothing reads it after them. `keep` is in 1024ths (1024 = every key), `dominance` a
    threshold in logits (0 = off), `importance` in 256ths (0 = every token INT8, -1 =
    positive, but less than a 256th: the tokens that nobody keeps).

    ```mlir
    module attributes {fact.policy = #fact.policy<keep = 205, tail = mean,
        dominance = 3.0, importance = 256, low_precision = a4w4, scope = ffn,
        predictor = leading_one>} {}
    ```
  }];
  let parameters = (ins
    "int64_t":$keep,
    EnumParameter<Fact_Tail>:$tail,
    "::mlir::FloatAttr":$dominance,
    "int64_t":$importance,
    EnumParameter<Fact_LowPrecision>:$low_precision,
    EnumParameter<Fact_Scope>:$scope,
    EnumParameter<Fact_Predictor>:$predictor);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // FACT_ATTRIBUTES_TD
