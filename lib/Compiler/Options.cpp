//===- Options.cpp - Command-line flags of fact-compile and fact-run ------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "fact/Compiler/Options.h"

#include "fact/Support/Tool.h"

#include <map>
#include <memory>
#include <optional>

using namespace fact;

namespace {

constexpr const char *cpuText =
    "what the CPU's code is for: native = this processor, another one by "
    "LLVM's name, or a tier (amx, avx512vnni, avx512, avxvnni, avx2, x86, "
    "dotprod, portable)";

/// What the policy flags said, until all of them are there.
struct PolicyFlags {
  std::string preset;
  bool dense = false;
  std::map<std::string, std::string> fields;
};

void addPolicyFlags(CLI::App &app, CompileOptions &options) {
  auto flags = std::make_shared<PolicyFlags>();
  CLI::Option *preset =
      app.add_option("--preset", flags->preset,
                     "policy to start from: dense, paper, balanced, fast");
  preset->check(CLI::IsMember(numerics::policyPresets()))->group("Policy");
  app.add_flag("--dense", flags->dense, "the same as --preset=dense")
      ->excludes(preset)
      ->group("Policy");
  const std::map<std::string, const char *> help = {
      {"keep", "kept share of each row, 1.0 = no top-k"},
      {"tail", "what stands for dropped keys: none, mean"},
      {"dominance", "threshold in logits, 0 = off"},
      {"importance", "a token kept this often relative to the mean, or less, "
                     "runs at low precision; 0 = none"},
      {"low-precision", "formats of such a token: a4w4, a4w8"},
      {"scope", "linear layers that it lowers: ffn, all"},
      {"predictor", "leading-one, leading-two, one-sided, exact"}};
  for (const std::string &field : numerics::policyFields()) {
    auto text = help.find(field);
    app.add_option_function<std::string>(
           "--" + field,
           [flags, field](const std::string &value) {
             numerics::Policy scratch;
             if (std::string wrong = scratch.set(field, value); !wrong.empty())
               throw CLI::ValidationError("--" + field, wrong);
             flags->fields[field] = value;
           },
           text == help.end() ? "" : text->second)
        ->group("Policy");
  }
  app.add_option_function<std::vector<std::string>>(
         "--layer-policy",
         [&options](const std::vector<std::string> &texts) {
           options.layerPolicies.clear();
           for (const std::string &text : texts)
             if (std::string wrong = numerics::parseLayerPolicy(
                     text, options.layerPolicies.emplace_back());
                 !wrong.empty())
               throw CLI::ValidationError("--layer-policy", wrong);
         },
         "another policy in some layers, LAYERS:POLICY, on top of the flags "
         "above: 0:dense, 4-11:keep=0.1,importance=2")
      ->allow_extra_args(false)
      ->group("Policy");
  // Single flags override the preset, wherever they stand.
  app.parse_complete_callback([flags, &options] {
    options.policyGiven =
        flags->dense || !flags->preset.empty() || !flags->fields.empty();
    std::string name = flags->dense            ? "dense"
                       : flags->preset.empty() ? numerics::defaultPolicyPreset
                                               : flags->preset;
    options.policy = *numerics::policyPreset(name);
    for (const auto &[field, value] : flags->fields)
      options.policy.set(field, value);
  });
}

/// NAME:1x512x120.
std::string checkShape(const std::string &text) {
  size_t colon = text.rfind(':');
  std::string wrong = "a shape is NAME:1x512x120 (was '" + text + "')";
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
    return wrong;
  bool digit = false;
  for (char c : text.substr(colon + 1)) {
    if (c >= '0' && c <= '9')
      digit = true;
    else if (c == 'x' && digit)
      digit = false;
    else
      return wrong;
  }
  return digit ? "" : wrong;
}

} // namespace

void fact::addCompileFlags(CLI::App &app, CompileOptions &options) {
  app.add_option("MODEL", options.model, ".mlir, .mlirbc or .onnx file")
      ->required();
  app.add_option("--from", options.from,
                 "tensors at which the model is cut off (ONNX)")
      ->allow_extra_args(false);
  app.add_option("--to", options.to, "tensor to compute (ONNX)");
  app.add_option("--shape", options.shapes,
                 "shape of an input, NAME:1x512x120: the largest length")
      ->allow_extra_args(false)
      ->check(CLI::Validator(checkShape, "NAME:SHAPE"));
  app.add_flag("--remarks", options.remarks,
               "say what was recognised and what was not, and why");
  addPolicyFlags(app, options);
}

void fact::addRunFlags(CLI::App &app, RunOptions &options) {
  addCompileFlags(app, options);
  app.add_option("--input", options.inputs,
                 "input file (.npy), one flag for each in order")
      ->allow_extra_args(false)
      ->required();
  app.add_option("--output", options.outputs, "output file (.npy)")
      ->allow_extra_args(false)
      ->required();
  app.add_option("--length", options.length,
                 "only so many rows of the inputs count")
      ->check(atLeast(1));
  CLI::Option *masks =
      app.add_option("--dump-masks", options.dumpMasks,
                     "file (.npz) for what each layer selected");
  CLI::Option *repeat = app.add_option("--repeat", options.repeat,
                                       "run so often and print the median time")
                            ->check(atLeast(1));
  CLI::Option *reference =
      app.add_option("--reference", options.reference,
                     "f32: run the model unchanged in float32; numerics: run "
                     "the sparse model op by op, without a back end")
          ->check(CLI::IsMember({"f32", "numerics"}));
  app.add_option_function<std::string>(
         "--compare",
         [&options](const std::string &) { options.compare = true; },
         "f32: print the agreement with that")
      ->check(CLI::IsMember({"f32"}))
      ->excludes(reference);
  CLI::Option *on =
      app.add_option("--on", options.on,
                     "fact: run the encoder stacks in the simulator as well, "
                     "check that they make the same bits, and print what they "
                     "took; cpu: not")
          ->check(CLI::IsMember({"cpu", "fact"}))
          ->excludes(reference)
          ->excludes(repeat);
  CLI::Option *machine =
      app.add_option("--machine", options.machine,
                     "machine description (.json) for --on=fact");
  CLI::Option *fill = app.add_flag(
      "--fill-undefined", options.fillUndefined,
      "fill rows that hold no value with garbage: the output must not change");
  CLI::Option *cpu = app.add_option("--cpu", options.cpu, cpuText);
  CLI::Option *threads =
      app.add_option("--threads", options.threads,
                     "threads that the CPU's code runs in: same bits for all")
          ->check(CLI::Range(int64_t(1), int64_t(1024)));
  CLI::Option *emulate =
      app.add_flag("--emulate", options.emulate,
                   "plain arithmetic in place of the instructions of --cpu, a "
                   "tier that this processor may lack: same bits, slowly")
          ->needs(cpu);
  CLI::Option *profile =
      app.add_flag("--profile", options.profile,
                   "print where the time of the CPU's code goes: each fused "
                   "region, its rate, and its share of what a core can do");
  CLI::Option *dumpObject =
      app.add_option("--dump-object", options.dumpObject,
                     "object file for the code that runs, to be disassembled");
  app.final_callback([&options, masks, repeat, fill, on, machine, cpu, emulate,
                      threads, profile, dumpObject] {
    if (options.on == "fact" && masks->count())
      throw CLI::ExcludesError("--on=fact", masks->get_name());
    if (options.on != "fact" && machine->count())
      throw CLI::RequiresError(machine->get_name(), on->get_name() + "=fact");
    auto exclude = [&](const char *reference, CLI::Option *option) {
      if (options.reference == reference && option->count())
        throw CLI::ExcludesError("--reference=" + options.reference,
                                 option->get_name());
    };
    // A model in float32 selects nothing, and leaves no row undefined. The
    // interpreter is not what is measured, and knows what holds no value.
    exclude("f32", masks);
    exclude("f32", fill);
    exclude("f32", cpu);
    exclude("f32", emulate);
    exclude("f32", threads);
    exclude("f32", profile);
    exclude("f32", dumpObject);
    exclude("numerics", dumpObject);
    exclude("numerics", profile);
    exclude("numerics", threads);
    exclude("numerics", cpu);
    exclude("numerics", repeat);
    exclude("numerics", fill);
  });
}

void fact::addObjectFlags(CLI::App &app, ObjectOptions &options) {
  addCompileFlags(app, options);
  CLI::Option *output =
      app.add_option("-o,--output", options.output, "file to write");
  app.add_option(
         "--target", options.target,
         "fact: program for the accelerator; cpu: object file and C header")
      ->check(CLI::IsMember({"fact", "cpu"}));
  CLI::Option *cpu = app.add_option("--cpu", options.cpu, cpuText);
  CLI::Option *machine = app.add_option("--machine", options.machine,
                                        "machine description (.json)");
  CLI::Option *schedule =
      app.add_option("--schedule", options.schedule,
                     "overlap: heads, blocks and parts of a layer overlap; "
                     "differential: likewise, but a block of queries makes "
                     "the rows of K and V that none before it wanted; "
                     "in-order: a loop for each op or group of ops, whose "
                     "iterations follow each other, to compare with")
          ->check(CLI::IsMember({"overlap", "differential", "in-order"}));
  CLI::Option *speculate =
      app.add_option("--speculate", options.speculate,
                     "on: Q, K and V at low precision while the selection "
                     "decides on it (scope all, schedule overlap); off: after "
                     "it")
          ->check(CLI::IsMember({"on", "off"}));
  CLI::Option *resident =
      app.add_option("--resident", options.resident,
                     "on: tensors between loops stay in the scratchpad where "
                     "it has room; off: all go through DRAM")
          ->check(CLI::IsMember({"on", "off"}));
  CLI::Option *emit =
      app.add_option("--emit", options.emit,
                     "print a stage on standard output instead")
          ->check(CLI::IsMember({"imported", "raised", "quantized", "sparse",
                                 "scheduled", "factisa", "cpu", "llvm"}));
  CLI::Option *explain =
      app.add_flag("--explain", options.explain,
                   "print what was recognised, from which nodes, and why not "
                   "what was not")
          ->excludes(emit)
          ->excludes(output);
  CLI::Option *partition =
      app.add_option("--partition", options.partition,
                     "folder for before.onnx and after.onnx: what of the model "
                     "(ONNX) is no encoder stack, for another runtime")
          ->excludes(emit)
          ->excludes(explain)
          ->excludes(app.get_option("--from"))
          ->excludes(app.get_option("--to"));
  CLI::Option *report =
      app.add_option("--report", options.report,
                     "file (.json) for compile-time decisions")
          ->excludes(emit);
  emit->excludes(output);
  app.final_callback([&options, machine, cpu, report, schedule, speculate,
                      resident, explain, partition] {
    if (options.emit.empty() && options.output.empty() && !options.explain)
      throw CLI::RequiredError("-o, --emit or --explain");
    for (CLI::Option *option : {machine, report, schedule, speculate, resident})
      if (options.explain && option->count())
        throw CLI::ExcludesError(explain->get_name(), option->get_name());
    // What would have no effect. A stage says by itself what it is for.
    for (CLI::Option *option :
         {machine, report, schedule, speculate, resident, partition})
      if (options.emit.empty() && options.target == "cpu" && option->count())
        throw CLI::ExcludesError("--target=cpu", option->get_name());
    if (options.emit.empty() && options.target == "fact" && cpu->count())
      throw CLI::ExcludesError("--target=fact", cpu->get_name());
  });
}
