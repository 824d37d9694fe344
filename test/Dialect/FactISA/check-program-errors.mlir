// Errors of --factisa-check-program.
// RUN: fact-opt %s --split-input-file --verify-diagnostics --factisa-check-program

func.func @unwritten() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  // expected-note@+1 {{buffer 'a' of 64 bytes at 0}}
  %a = factisa.sram token 64 "a" at 0
  // expected-error@+1 {{operand 'a' reads bytes 0 to 63 of the scratchpad, which nothing wrote before (sequence length 1)}}
  factisa.apu.add y=%a, a=%a, b=%a, row0=%c0, rows=1, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}

// -----

// The writer is too short for the last of four rows, at the largest length only.
func.func @short() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  %x = factisa.dram input 64 "x" at 0 {shape = array<i64: -1, 4>}
  // expected-note@+1 {{buffer 'a' of 64 bytes at 64}}
  %a = factisa.sram token 64 "a" at 64
  // expected-note@+1 {{the last one to write there writes bytes 64 to 111 of the scratchpad}}
  factisa.load dst=%a, src=%x, row0=%c0, rows=3, row_bytes=16, dst_stride=16, src_stride=16
  // expected-error@+1 {{operand 'x' reads bytes 112 to 127 of the scratchpad, which nothing wrote before (sequence length 4)}}
  factisa.apu.activation y=%a, x=%a, row0=%c0, rows=4, n=4, y_stride=16, x_stride=16, kind=relu
  return
}

// -----

// What an earlier buffer at the same place held is nothing that the new one holds.
func.func @place() attributes {factisa.bound = 4 : i64} {
  %none = factisa.null
  %c0 = arith.constant 0 : index
  %a = factisa.sram token 64 "a" at 0
  factisa.sel.fill dst=%a, row0=%c0, rows=1, width=64, value=0
  // expected-note@+1 {{buffer 'b' of 64 bytes at 0}}
  %b = factisa.sram token 64 "b" at 0
  // expected-error@+1 {{operand 'flags' reads bytes 0 to 0 of the scratchpad, which nothing wrote before}}
  factisa.sel.list list=%a, flags=%b, unless=%none, row0=%c0, rows=1
  return
}

// -----

// A buffer inside of a loop holds nothing when the next iteration begins.
func.func @iteration() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %x = factisa.dram input 64 "x" at 0 {shape = array<i64: -1, 4>}
  scf.for %i = %c0 to %c4 step %c1 {
    // expected-note@+1 {{buffer 'sum' of 16 bytes at 0}}
    %sum = factisa.sram token 16 "sum" at 0
    %row = factisa.sram token 16 "row" at 64
    factisa.load dst=%row, src=%x, row0=%c0, rows=1, row_bytes=16, dst_stride=16, src_stride=16
    // expected-error@+1 {{operand 'sum' reads bytes 0 to 15 of the scratchpad, which nothing wrote before (sequence length 4)}}
    factisa.apu.column_sum sum=%sum, x=%row, row0=%i, rows=1, n=4, x_stride=16
  }
  return
}

// -----

func.func @scratch() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  // expected-note@+1 {{buffer 's' of 64 bytes at 0}}
  %s = factisa.dram scratch 64 "s" at 0
  %a = factisa.sram token 64 "a" at 0
  // expected-error@+1 {{operand 'src' reads bytes 0 to 15 of DRAM, which nothing wrote before}}
  factisa.load dst=%a, src=%s, row0=%c0, rows=4, row_bytes=16, dst_stride=16, src_stride=16
  return
}

// -----

func.func @output() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  %x = factisa.dram input 64 "x" at 0 {shape = array<i64: -1, 4>}
  // expected-error@+1 {{output 'y' is bytes 96 to 111 of DRAM, which nothing wrote (sequence length 4)}}
  %y = factisa.dram output 64 "y" at 64 {shape = array<i64: -1, 4>}
  %a = factisa.sram token 64 "a" at 0
  factisa.load dst=%a, src=%x, row0=%c0, rows=4, row_bytes=16, dst_stride=16, src_stride=16
  // expected-note@+1 {{the last one to write there writes bytes 64 to 95 of DRAM}}
  factisa.store dst=%y, src=%a, row0=%c0, rows=2, row_bytes=16, dst_stride=16, src_stride=16
  return
}

// -----

func.func @constant() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  // expected-note@+1 {{buffer 'w' of 64 bytes at 0}}
  %w = factisa.dram constant 64 "w" at 0 {values = [dense<1> : tensor<64xi8>], stride = 64 : i64}
  %a = factisa.sram token 64 "a" at 0
  factisa.sel.fill dst=%a, row0=%c0, rows=1, width=64, value=0
  // expected-error@+1 {{operand 'dst' writes constants (address 0, 64 bytes)}}
  factisa.store dst=%w, src=%a, row0=%c0, rows=1, row_bytes=64, dst_stride=64, src_stride=64
  return
}

// -----

func.func @outside() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  // expected-note@+1 {{buffer 'a' of 64 bytes at 16777152}}
  %a = factisa.sram token 64 "a" at 16777152
  // expected-error@+1 {{operand 'dst' is outside of the scratchpad of 1277952 bytes (address 16777152, 64 bytes)}}
  factisa.sel.fill dst=%a, row0=%c0, rows=1, width=64, value=0
  return
}

// -----

// expected-error@+1 {{tokens of APU for PE must be 0 at the end (was 1)}}
func.func @left() attributes {factisa.bound = 4 : i64} {
  factisa.sync engine=APU, times=2, signal=PE
  factisa.sync engine=PE, times=2, wait=APU
  // expected-note@+1 {{last signal here}}
  factisa.sync engine=APU, times=1, signal=PE
  return
}

// -----

func.func @order() attributes {factisa.bound = 4 : i64} {
  // expected-error@+1 {{waits for tokens of APU for PE that come later in program order}}
  factisa.sync engine=PE, times=1, wait=APU
  factisa.sync engine=APU, times=1, signal=PE
  return
}

// -----

func.func @too_many() attributes {factisa.bound = 4 : i64} {
  factisa.sync engine=APU, times=1000, signal=PE
  // expected-error@+1 {{tokens of APU for PE count to at most 1023 (was 1024)}}
  factisa.sync engine=APU, times=24, signal=PE
  factisa.sync engine=PE, times=1023, wait=APU
  factisa.sync engine=PE, times=1, wait=APU
  return
}

// -----

func.func @unplanned() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  // expected-note@+1 {{the buffer is made here}}
  %a = factisa.sram token 64 "a"
  // expected-error@+1 {{has an operand without an address: run --factisa-plan-memory first}}
  factisa.sel.fill dst=%a, row0=%c0, rows=1, width=64, value=0
  return
}
