// What is no program: one error at the op, and no output.
// RUN: fact-translate --factisa-to-program %s --split-input-file --verify-diagnostics
// RUN: not fact-translate --factisa-to-program --factisa-machine=%t.none.json %s -o %t.fact 2>&1 | FileCheck %s
// RUN: test ! -e %t.fact
// CHECK: error: cannot read '{{.*}}none.json'

func.func @not_lowered() {
  return
}
// expected-error @-3 {{has no attribute 'factisa.bound': run --fact-to-factisa first}}

// -----

// expected-error @+1 {{a program is one function (were 2)}}
module {
  // expected-note @+1 {{'one' is one}}
  func.func @one() attributes {factisa.bound = 8 : i64} {
    return
  }
  // expected-note @+1 {{'two' is one}}
  func.func @two() attributes {factisa.bound = 8 : i64} {
    return
  }
}

// -----

// expected-error @+1 {{a program is a function of one block without arguments and results}}
func.func @arguments(%i: index) attributes {factisa.bound = 8 : i64} {
  return
}

// -----

// expected-error @+1 {{attribute 'factisa.metadata': metadata must be a JSON object}}
func.func @metadata() attributes {factisa.bound = 8 : i64, factisa.metadata = "[1"} {
  return
}

// -----

func.func @not_planned() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  // expected-note @+1 {{the buffer is made here}}
  %a = factisa.sram token 64 "a"
  // expected-error @+1 {{has an operand without an address: run --factisa-plan-memory first}}
  factisa.apu.add y=%a, a=%a, b=%a, row0=%c0, rows=2, n=4, y_stride=16, a_stride=16, b_stride=16
  return
}

// -----

func.func @port_not_planned() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{has no address: run --factisa-plan-memory first}}
  %x = factisa.dram input 128 "x" {shape = array<i64: 1, -1, 4>}
  return
}

// -----

func.func @no_instruction(%x: f32) attributes {factisa.bound = 8 : i64} {
  return
}
// expected-error @-3 {{a program is a function of one block without arguments and results}}

// -----

func.func @other_dialect() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{is no instruction}}
  %1 = arith.subi %c0, %c0 : index
  return
}

// -----

// The assembler's loops are scf.for here.
func.func @control() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{exists in programs only: loops are 'scf.for', addresses 'factisa.view'}}
  factisa.loop rd=1, limit=4, step=1, extra=0
  return
}

// -----

func.func @muladd() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{exists in programs only}}
  factisa.muladd rd=1, rs=2, rt=3, factor=1, addend=2
  return
}

// -----

func.func @rotate() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{exists in programs only}}
  factisa.rotate rd=1, step=1, size=2
  return
}

// -----

func.func @clip() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{exists in programs only}}
  factisa.clip rd=1, rs=2, limit=4
  return
}

// -----

func.func @clamp() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{exists in programs only}}
  factisa.clamp rd=1, rs=2, least=4
  return
}

// -----

func.func @endloop() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{exists in programs only}}
  factisa.endloop
  return
}

// -----

func.func @halt() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{exists in programs only}}
  factisa.halt
  return
}

// -----

func.func @loop_bound() attributes {factisa.bound = 8 : i64} {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{must run from 0 to a constant or to factisa.length in constant steps, without results}}
  scf.for %i = %c1 to %c4 step %c1 {
  }
  return
}

// -----

func.func @loop_step() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{must have a bound and a step that fit 24 bits (were 4 and 0)}}
  scf.for %i = %c0 to %c4 step %c0 {
  }
  return
}

// -----

func.func @loop_extra() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{must have extra iterations that fit 8 bits (were 256)}}
  scf.for %i = %c0 to %c4 step %c1 {
  } {factisa.extra = 256 : i64}
  return
}

// -----

func.func @not_affine() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = factisa.sram token 64 "a" at 0
  // expected-note @+1 {{an operand is made here}}
  scf.for %i = %c0 to %c4 step %c1 {
    // expected-error @+1 {{is no linear function of loop counters}}
    %square = arith.muli %i, %i : index
    factisa.apu.add y=%a, a=%a, b=%a, row0=%square, rows=2, n=4, y_stride=16, a_stride=16, b_stride=16
  }
  return
}

// -----

func.func @address() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  // expected-note @+1 {{it is made here}}
  %a = factisa.sram token 64 "a" at 16777216
  // expected-error @+1 {{has an operand that does not fit 24 bits (was 16777216)}}
  factisa.apu.add y=%a, a=%a, b=%a, row0=%c0, rows=2, n=4, y_stride=16, a_stride=16, b_stride=16
  return
}

// -----

func.func @below() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  %a = factisa.sram token 64 "a" at 0
  // expected-note @+1 {{it is made here}}
  %v = factisa.view %a + -64 strides [] : !factisa.sram
  // expected-error @+1 {{has an operand that does not fit 24 bits (was -64)}}
  factisa.apu.add y=%a, a=%a, b=%v, row0=%c0, rows=2, n=4, y_stride=16, a_stride=16, b_stride=16
  return
}

// -----

func.func @hole() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{must lie in the first 64 bytes, as all constants do (was at 1099511627712)}}
  %w = factisa.dram constant 64 "w" at 1099511627712 {values = [dense<1> : tensor<64xi8>], stride = 64 : i64}
  return
}

// -----

// The machine's rules are checked too: no engine waits for itself, and what is given is
// one token at least.
// expected-error @+1 {{instruction 1: 'sync': field 'wait' must not name its own engine PE}}
func.func @own_engine() attributes {factisa.bound = 8 : i64} {
  factisa.sync engine=PE, times=1, signal=APU
  factisa.sync engine=PE, times=1, wait=APU+PE
  return
}

// -----

// expected-error @+1 {{instruction 0: 'sel.fill': field 'signal' must not name its own engine SEL}}
func.func @own_engine_of_work() attributes {factisa.bound = 8 : i64} {
  %c0 = arith.constant 0 : index
  %a = factisa.sram token 64 "a" at 0
  factisa.sel.fill dst=%a, row0=%c0, rows=1, width=1, value=0, signal=SEL
  return
}

// -----

// expected-error @+1 {{instruction 0: 'sync': times must be positive (was 0)}}
func.func @no_token() attributes {factisa.bound = 8 : i64} {
  factisa.sync engine=PE, times=0, signal=APU
  return
}

// -----

func.func @no_nibbles() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{must have weights in -119..119 for their planes to be nibbles (was -120)}}
  %w = factisa.dram constant 64 "w" at 0 {values = [dense<[[1, -120]]> : tensor<1x2xi8>], stride = 64 : i64, tile_columns = 2 : i64}
  return
}

// -----

func.func @no_leading_ones() attributes {factisa.bound = 8 : i64} {
  // expected-error @+1 {{must have codes of a leading one to be nibbles (was 3)}}
  %w = factisa.dram constant 64 "w" at 0 {values = [dense<[[1, 3]]> : tensor<1x2xi8>], stride = 64 : i64, tile_columns = 2 : i64, codes}
  return
}
