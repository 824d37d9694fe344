//===- Passes.td - Passes on the factisa dialect --------------------------===//
//
// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef FACT_DIALECT_FACTISA_TRANSFORMS_PASSES_TD
#define FACT_DIALECT_FACTISA_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def KeepInScratchpadPass : Pass<"factisa-keep-in-scratchpad", "::mlir::func::FuncOp"> {
  let summary = "keep tensors between loops in the scratchpad";
  let description = [{
    A scratch tensor that is stored block by block and loaded again becomes one buffer in
    the scratchpad; its blocks are places in it, and its loads and stores are gone. It
    stays in DRAM, with a missed remark,

    * where rows are loaded by a list, or into a buffer that has more than the block, or
      that is defined outside of the loop;
    * where a block of columns is used by an operand whose record has no stride, or one
      that says more (compact rows);
    * where bytes would change too early or too late: a block that was loaded changes and
      is not stored again to its place, one changes after it was stored, or one changes
      while another one is in use. That is decided by program order: other iterations of
      a loop must have other rows.

    Does so for all tensors that can stay, whether there is room or not, before loops
    overlap and addresses are planned. `fact-to-factisa` does it for as many as its
    machine has room for.

    ```mlir
    %x = factisa.dram scratch 25600 "x"                                // before
    scf.for %i = %c0 to %n step %c16 {
      %b = factisa.sram token 4096 "b"
      %to = factisa.view %x + 0[%i] strides [256] : !factisa.dram
      factisa.apu.add y=%b, a=%a, b=%a, row0=%i, rows=16, ...
      factisa.store dst=%to, src=%b, row0=%i, rows=16, ...
    }

    %x = factisa.sram token 25600 "x"                                  // after
    scf.for %i = %c0 to %n step %c16 {
      %b = factisa.view %x + 0[%i] strides [256] : !factisa.sram
      factisa.apu.add y=%b, a=%a, b=%a, row0=%i, rows=16, ...
    }
    ```
  }];
  let statistics = [
    Statistic<"numTensors", "tensors", "Number of tensors kept in the scratchpad">,
    Statistic<"numBytes", "bytes", "Bytes of these tensors">,
    Statistic<"numMissed", "missed", "Number of scratch tensors that stay in DRAM">];
  let dependentDialects = ["::mlir::factisa::FactISADialect"];
}

def PipelinePass : Pass<"factisa-pipeline", "::mlir::func::FuncOp"> {
  let summary = "overlap the iterations of innermost loops";
  let description = [{
    Gives every instruction of an innermost loop over rows that is marked
    `factisa.independent` a time, such that the computing engine with the most work waits
    for the others as little as can be, and puts them in that order (docs/schedule.md says
    how times are found). An instruction of stage s works for the iteration s before; for
    that the loop has as many iterations more, and rows before the first and past the
    last are none. So are those of a loop that has `factisa.extra` already: what happens
    there, in an iteration of its own number, happens as much later as its stage says. Loads of many
    rows are cut, so that LOAD can do others in between. Buffers that an iteration needs
    for longer than an iteration takes have several slots (`factisa.phase`); others of one
    size share places, as many of them as the attribute says at least, so that engines need not wait for a place.

    Must run before addresses are planned. A loop left alone has a missed remark.

    ```mlir
    scf.for %i = %c0 to %n step %c16 {            // before
      %b = factisa.sram token 49152 "b"
      factisa.load dst=%b, src=%x, row0=%i, rows=16, ...
      factisa.apu.activation y=%b, x=%b, row0=%i, rows=16, ...
    } {factisa.independent = 3}

    %b = factisa.sram token 98304 "b"             // after
    scf.for %i = %c0 to %n step %c16 {
      %s0 = factisa.phase %i delay 0 slots 2
      %b0 = factisa.view %b + 0[%s0] strides [49152] : !factisa.sram
      %j = arith.addi %i, %c-16 : index
      %s1 = factisa.phase %i delay 1 slots 2
      %b1 = factisa.view %b + 0[%s1] strides [49152] : !factisa.sram
      factisa.apu.activation y=%b1, x=%b1, row0=%j, rows=16, ...
      factisa.load dst=%b0, src=%x, row0=%i, rows=16, ...
    } {factisa.extra = 1 : i64}
    ```
  }];
  let options = [Option<"machine", "machine", "std::string", "", "machine description (JSON file); default: fact-28nm">];
  let statistics = [
    Statistic<"numPipelined", "pipelined", "Number of loops whose iterations overlap">,
    Statistic<"numMissed", "missed", "Number of loops left alone">];
  let dependentDialects = ["::mlir::factisa::FactISADialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def PlanMemoryPass : Pass<"factisa-plan-memory", "::mlir::func::FuncOp"> {
  let summary = "give every buffer its address";
  let description = [{
    Sets `address` of every `factisa.sram` and `factisa.dram`. A scratchpad buffer
    lives from its op to its last use; a use inside a loop that does not surround
    the op keeps it to the end of that loop. Buffers that live at the same time never
    overlap; each lies within one memory, its own where it fits, else another one (a
    remark for each memory says how many did not fit).
    DRAM holds constants from address 0, then inputs, outputs and scratch; an input in
    an output has its address.

    A program that does not fit is an error with the memory map: every buffer that
    lives beside the one without a place, its range, its size and the op that it serves.

    ```mlir
    %x = factisa.sram token 4096 "x"       // before
    %x = factisa.sram token 4096 "x" at 0  // after
    ```
  }];
  let options = [Option<"machine", "machine", "std::string", "", "machine description (JSON file); default: fact-28nm">];
  let statistics = [
    Statistic<"numBuffers", "buffers", "Number of scratchpad buffers placed">,
    Statistic<"numElsewhere", "buffers-elsewhere", "Number of buffers placed in another memory than their own">,
    Statistic<"peakBytes", "peak-bytes", "Highest scratchpad address in use">];
}

def OrderEnginesPass : Pass<"factisa-order-engines", "::mlir::func::FuncOp"> {
  let summary = "order instructions of different engines that touch the same bytes";
  let description = [{
    Engines run in order, each its own queue. Where instructions of two engines touch the
    same byte, one of them writing, `signal` of the earlier one and `wait` of the later one
    order them, unless that follows from others. Needs planned addresses.

    What touches which bytes is found by walking the program, not by analysis: for
    sequences of so many lengths that loops make 1, 2, 3, ... iterations, until nothing new
    comes, and for the longest one. What an instruction needs of one in an earlier iteration
    it waits for as many iterations later as is the least in any walk. For the first
    iterations `factisa.sync` gives tokens before the loop, and takes them after it. A loop
    counts as one instruction of each of its engines from outside; a nest of loops of which
    only the innermost one has work is one loop. There is one counter of tokens for each
    ordered pair of engines: the k-th wait takes the token of the k-th signal.

    ```mlir
    factisa.load dst=%x, src=%d, row0=%i, ...                         // before
    factisa.apu.add y=%y, a=%x, b=%x, row0=%i, ...

    factisa.load dst=%x, src=%d, row0=%i, ..., signal=APU             // after
    factisa.apu.add y=%y, a=%x, b=%x, row0=%i, ..., wait=LOAD
    ```
  }];
  let options = [Option<"machine", "machine", "std::string", "", "machine description (JSON file); default: fact-28nm">];
  let statistics = [
    Statistic<"numDependences", "dependences", "Number of pairs of instructions that need an order">,
    Statistic<"numPairs", "pairs", "Number of signals, each with its wait">,
    Statistic<"numCarried", "carried-pairs", "Number of these across iterations of a loop">];
  let dependentDialects = ["::mlir::factisa::FactISADialect"];
}

def CheckProgramPass : Pass<"factisa-check-program", "::mlir::func::FuncOp"> {
  let summary = "check that every byte has a writer before its readers";
  let description = [{
    Changes nothing. Encodes the program, whose memory is planned and whose engines
    are ordered, and walks it in program order for the longest sequence, one token less, and
    one token. What is wrong is an error at the reader, with a note at its buffer and one
    at the last instruction that wrote some of the bytes, where there is one:

    * a read of a byte that nothing wrote since its buffer began to live. The host
      writes constants and inputs; a write by a row list or under a mask counts as one
      of all rows; loads and stores copy padding that nothing wrote, but no row of
      nothing else;
    * an output that is not written in full;
    * an operand outside of its memory, a write to constants or inputs;
    * a wait without an earlier signal, a counter of tokens that goes too far or is not
      zero at the end.

    The compiler checks every program that it makes. `fact-objdump --check` does so for
    program files, where buffers have no lives: bytes that an earlier buffer held count
    as written.

    ```mlir
    %x = factisa.sram token 256 "x" at 0
    // error: operand 'a' reads bytes 0 to 255 of the scratchpad, which nothing wrote before
    factisa.apu.add y=%x, a=%x, b=%x, row0=%c0, ...
    ```
  }];
  let options = [Option<"machine", "machine", "std::string", "", "machine description (JSON file); default: fact-28nm">];
  let statistics = [
    Statistic<"numInstructions", "instructions", "Number of instructions walked">,
    Statistic<"numReads", "reads", "Number of operands read">,
    Statistic<"numPadded", "padded-rows", "Number of rows copied with bytes that nothing wrote">];
}

#endif // FACT_DIALECT_FACTISA_TRANSFORMS_PASSES_TD
