// What the verifiers refuse.
// RUN: fact-opt %s --split-input-file --verify-diagnostics

func.func @strides(%i: index) {
  %x = factisa.sram token 256 "x"
  // expected-error @+1 {{needs one stride per index (was 1 indices and 2 strides)}}
  %v = factisa.view %x + 0 [%i] strides [4, 8] : !factisa.sram
  return
}

// -----

func.func @empty() {
  // expected-error @+1 {{attribute 'bytes' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %x = factisa.sram token 0 "x"
  return
}

// -----

func.func @negative_address() {
  // expected-error @+1 {{attribute 'address' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  %x = factisa.sram token 64 "x" at -64
  return
}

// -----

func.func @no_values() {
  // expected-error @+1 {{must have 'values' and 'stride' if it is a constant, and only then}}
  %x = factisa.dram constant 64 "w"
  return
}

// -----

func.func @values_of_scratch() {
  // expected-error @+1 {{must have 'values' and 'stride' if it is a constant, and only then}}
  %x = factisa.dram scratch 64 "w" {values = [dense<1> : tensor<64xi8>], stride = 64 : i64}
  return
}

// -----

func.func @no_value() {
  // expected-error @+1 {{must have one value at least}}
  %x = factisa.dram constant 64 "w" {values = [], stride = 64 : i64}
  return
}

// -----

func.func @bits() {
  // expected-error @+1 {{must have values that are arrays of whole bytes (was dense<true> : tensor<64xi1>)}}
  %x = factisa.dram constant 64 "w" {values = [dense<true> : tensor<64xi1>], stride = 64 : i64}
  return
}

// -----

func.func @overlap() {
  // expected-error @+1 {{must have values of 64 bytes, padded to its stride by at most 63 (was 32)}}
  %x = factisa.dram constant 96 "w" {values = [dense<1> : tensor<64xi8>, dense<2> : tensor<64xi8>], stride = 32 : i64}
  return
}

// -----

func.func @largest_stride() {
  // expected-error @+1 {{must have values of 64 bytes, padded to its stride by at most 63 (was 9223372036854775807)}}
  %x = factisa.dram constant 64 "w" {values = [dense<1> : tensor<64xi8>], stride = 9223372036854775807 : i64}
  return
}

// -----

func.func @size() {
  // expected-error @+1 {{must have values of 128 bytes in all, padded by at most 63 (was 64)}}
  %x = factisa.dram constant 64 "w" {values = [dense<1> : tensor<64xi8>, dense<2> : tensor<64xi8>], stride = 64 : i64}
  return
}

// -----

func.func @shape() {
  // expected-error @+1 {{must have 'shape' if it is an input or output, and only then}}
  %x = factisa.dram input 64 "x"
  return
}

// -----

func.func @place() {
  %y = factisa.dram scratch 64 "y"
  // expected-error @+1 {{must be an input to lie in another range, and that one an output}}
  %x = factisa.dram input 64 "x" in %y {shape = array<i64: -1, 4>}
  return
}

// -----

func.func @place_too_small() {
  %y = factisa.dram output 64 "y" {shape = array<i64: -1, 4>}
  // expected-error @+1 {{must have no more bytes than the output that it lies in, 64 (was 128)}}
  %x = factisa.dram input 128 "x" in %y {shape = array<i64: -1, 4>}
  return
}

// -----

func.func @place_twice() {
  %y = factisa.dram output 64 "y" {shape = array<i64: -1, 4>}
  // expected-error @+1 {{must be the only input in that output}}
  %x = factisa.dram input 64 "x" in %y {shape = array<i64: -1, 4>}
  %z = factisa.dram input 64 "z" in %y {shape = array<i64: -1, 4>}
  return
}

// -----

func.func @place_elsewhere() {
  %y = factisa.dram output 64 "y" at 0 {shape = array<i64: -1, 4>}
  // expected-error @+1 {{must have the output's address (was 64)}}
  %x = factisa.dram input 64 "x" in %y at 64 {shape = array<i64: -1, 4>}
  return
}

// -----

func.func @place_used() {
  %c0 = arith.constant 0 : index
  %y = factisa.dram output 64 "y" {shape = array<i64: -1, 4>}
  // expected-error @+1 {{must have no users: the output that it lies in has them}}
  %x = factisa.dram input 64 "x" in %y {shape = array<i64: -1, 4>}
  %b = factisa.sram token 64 "b"
  factisa.load dst=%b, src=%x, row0=%c0, rows=4, row_bytes=16, dst_stride=16, src_stride=16
  return
}

// -----

func.func @dimensions() {
  // expected-error @+1 {{must have one dimension at least}}
  %x = factisa.dram output 64 "x" {shape = array<i64>}
  return
}

// -----

func.func @length() {
  // expected-error @+1 {{attribute 'bound' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %n = factisa.length 0
  return
}

// -----

// Fields of instructions are as wide as the binary's.
func.func @rows(%x: !factisa.sram, %i: index) {
  // expected-error @+1 {{attribute 'rows' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative whose maximum value is 1048575}}
  factisa.apu.add y=%x, a=%x, b=%x, row0=%i, rows=1048576, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}

// -----

func.func @finite(%x: !factisa.sram, %i: index) {
  // expected-error @+1 {{attribute 'eps' failed to satisfy constraint: 32-bit float attribute finite}}
  factisa.apu.norm y=%x, x=%x, gamma=%x, beta=%x, list=%x, maximum=%x, row0=%i, rows=1, n=16, y_stride=64, x_stride=64, kind=layer, eps=0x7F800000
  return
}

// -----

func.func @times() {
  // expected-error @+1 {{attribute 'times' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative whose maximum value is 1023}}
  factisa.sync engine=PE, times=1024
  return
}

// -----

func.func @engines(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{attribute 'wait' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative whose maximum value is 63}}
  "factisa.apu.mean"(%x, %x) <{n = 4 : i64, wait = 64 : i64}> : (!factisa.sram, !factisa.sram) -> ()
  return
}

// -----

// A slot is one of the iterations of a loop, and what counts them is its counter.
func.func @no_counter(%i: index) {
  // expected-error @+1 {{needs the counter of a loop}}
  %slot = factisa.phase %i delay 0 slots 2
  return
}

// -----

func.func @of_a_sum() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = factisa.length 8
  scf.for %i = %c0 to %n step %c1 {
    %next = arith.addi %i, %c1 : index
    // expected-error @+1 {{needs the counter of a loop}}
    %slot = factisa.phase %next delay 0 slots 2
  }
  return
}

// -----

func.func @of_a_value(%x: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = factisa.length 8
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%carried = %x) -> index {
    // expected-error @+1 {{needs the counter of a loop}}
    %slot = factisa.phase %carried delay 0 slots 2
    scf.yield %slot : index
  }
  return
}

// -----

func.func @slots(%i: index) {
  // expected-error @+1 {{attribute 'slots' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive whose maximum value is 16777215}}
  %slot = factisa.phase %i delay 0 slots 0
  return
}

// -----

func.func @delay(%i: index) {
  // expected-error @+1 {{attribute 'delay' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  %slot = factisa.phase %i delay -1 slots 2
  return
}

// -----

func.func @least(%i: index) {
  // expected-error @+1 {{attribute 'least' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative whose maximum value is 16777215}}
  %none = factisa.at_least 16777216 of %i
  return
}

// -----

func.func @limit(%i: index) {
  // expected-error @+1 {{attribute 'limit' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive whose maximum value is 16777215}}
  %none = factisa.in_range %i below 16777216
  return
}

// -----

func.func @planes_of_what_moves() {
  // expected-error @+1 {{must be a constant to have 'tile_columns'}}
  %x = factisa.dram scratch 64 "x" {tile_columns = 16 : i64}
  return
}

// -----

func.func @planes_of_a_vector() {
  // expected-error @+1 {{must have values that are INT8 matrices to have 'tile_columns' (was 'tensor<64xi8>')}}
  %w = factisa.dram constant 64 "w" {values = [dense<1> : tensor<64xi8>], stride = 64 : i64, tile_columns = 16 : i64}
  return
}

// -----

func.func @codes_without_tiles() {
  // expected-error @+1 {{must have 'tile_columns' to have 'codes'}}
  %w = factisa.dram constant 64 "w" {values = [dense<1> : tensor<4x16xi8>], stride = 64 : i64, codes}
  return
}

// -----

func.func @codes_are_one_plane() {
  // expected-error @+1 {{must have values of 96 bytes, padded to its stride by at most 63 (was 192)}}
  %w = factisa.dram constant 192 "w" {values = [dense<1> : tensor<12x15xi8>], stride = 192 : i64, tile_columns = 15 : i64, codes}
  return
}

// -----

func.func @planes_take_whole_bytes() {
  // expected-error @+1 {{must have values of 72 bytes, padded to its stride by at most 63 (was 64)}}
  %w = factisa.dram constant 64 "w" {values = [dense<1> : tensor<4x15xi8>], stride = 64 : i64, tile_columns = 5 : i64}
  return
}
