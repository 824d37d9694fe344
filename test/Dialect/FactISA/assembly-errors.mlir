// What the parser of instructions refuses, where, and what it expected. Numbers out of
// range are the verifier's (errors.mlir).
// RUN: fact-opt %s --split-input-file --verify-diagnostics

func.func @unknown(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{expected a field of 'factisa.apu.activation', one of y, x, row0, rows, n, y_stride, x_stride, kind, wait, signal (was 'colour')}}
  factisa.apu.activation y=%x, x=%x, row0=%i, rows=1, colour=3
  return
}

// -----

func.func @no_name(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{expected a field of 'factisa.sync', one of engine, times, wait, signal}}
  factisa.sync engine=PE, 3
  return
}

// -----

func.func @nothing(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+2 {{expected a field of 'factisa.sync', one of engine, times, wait, signal (was 'return')}}
  factisa.sync
  return
}

// -----

func.func @after_comma(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+2 {{expected a field of 'factisa.sync', one of engine, times, wait, signal (was 'return')}}
  factisa.sync engine=PE, times=3,
  return
}

// -----

func.func @twice(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+2 {{field 'rows' occurs twice}}
  // expected-note @+1 {{first here}}
  factisa.apu.activation y=%x, x=%x, row0=%i, rows=1, n=16, rows=1, y_stride=64, x_stride=64, kind=relu
  return
}

// -----

func.func @flag_twice(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+2 {{field 'invert' occurs twice}}
  // expected-note @+1 {{first here}}
  factisa.sel.list list=%x, flags=%x, row0=%i, rows=1, invert, invert
  return
}

// -----

func.func @missing(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'x_stride' of 'factisa.apu.activation' is missing}}
  factisa.apu.activation y=%x, x=%x, row0=%i, rows=1, n=16, y_stride=64, kind=relu
  return
}

// -----

func.func @missing_operand(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'x' of 'factisa.apu.activation' is missing}}
  factisa.apu.activation y=%x, row0=%i, rows=1, n=16, y_stride=64, x_stride=64, kind=relu
  return
}

// -----

func.func @no_equal(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{expected '='}}
  factisa.sync engine PE, times=3
  return
}

// -----

func.func @flag_value(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{flag 'invert' has no value: it is set where its name stands}}
  factisa.sel.list list=%x, flags=%x, row0=%i, rows=1, invert=true
  return
}

// -----

func.func @choice(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'kind' must be one of gelu, gelu_tanh, quick_gelu, swish, relu (was 'tanh')}}
  factisa.apu.activation y=%x, x=%x, row0=%i, rows=1, n=16, y_stride=64, x_stride=64, kind=tanh
  return
}

// -----

func.func @no_choice(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'engine' must be one of LOAD, STORE, EP, SEL, PE, APU}}
  factisa.sync engine=1, times=3
  return
}

// -----

func.func @no_number(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'times' must be an integer}}
  factisa.sync engine=PE, times=relu
  return
}

// -----

func.func @too_large(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{integer value too large}}
  factisa.sync engine=PE, times=18446744073709551616
  return
}

// -----

func.func @no_engine(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'wait' must be engines like LOAD+PE}}
  factisa.sync engine=APU, times=1, wait=CTRL
  return
}

// -----

func.func @no_engines(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+2 {{field 'signal' must be engines like LOAD+PE}}
  factisa.sync engine=APU, times=1, signal=
  return
}

// -----

func.func @engines_by_bits(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'signal' must be engines like LOAD+PE}}
  factisa.sync engine=APU, times=1, signal=3
  return
}

// -----

func.func @plus_nothing(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'wait' must be engines like LOAD+PE}}
  factisa.sync engine=APU, times=1, wait=LOAD+, signal=PE
  return
}

// -----

func.func @engine_twice(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'wait' names LOAD twice}}
  factisa.sync engine=APU, times=1, wait=LOAD+PE+LOAD
  return
}

// -----

func.func @no_value(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{field 'dst' must be an SSA value}}
  factisa.sel.fill dst=4096, row0=%i, rows=1, width=1, value=0
  return
}

// -----

func.func @undefined(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{use of undeclared SSA value name}}
  factisa.sel.fill dst=%y, row0=%i, rows=1, width=1, value=0
  return
}

// -----

func.func @no_float(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{expected floating point literal}}
  factisa.apu.norm y=%x, x=%x, gamma=%x, beta=%x, list=%x, maximum=%x, row0=%i, rows=1, n=16, y_stride=64, x_stride=64, kind=layer, eps=relu
  return
}

// -----

func.func @integer_float(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+2 {{unexpected decimal integer literal for a floating point value}}
  // expected-note @+1 {{add a trailing dot to make the literal a float}}
  factisa.apu.norm y=%x, x=%x, gamma=%x, beta=%x, list=%x, maximum=%x, row0=%i, rows=1, n=16, y_stride=64, x_stride=64, kind=layer, eps=1
  return
}

// -----

func.func @in_attributes(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{'whole' is a field of 'factisa.load': expected it before the attributes}}
  factisa.load dst=%x, src=%d, row0=%i, rows=1, row_bytes=4, dst_stride=4, src_stride=4 {whole}
  return
}

// -----

func.func @old_form(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-error @+1 {{expected a field of 'factisa.sel.fill', one of dst, row0, rows, width, value, wait, signal}}
  factisa.sel.fill %x, %i {rows = 1, width = 1, value = 0}
  return
}

// -----

func.func @type(%x: !factisa.sram, %d: !factisa.dram, %i: index) {
  // expected-note @-1 {{prior use here}}
  // expected-error @+1 {{use of value '%d' expects different type than prior uses: '!factisa.sram' vs '!factisa.dram'}}
  factisa.sel.fill dst=%d, row0=%i, rows=1, width=1, value=0
  return
}
