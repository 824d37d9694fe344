// RUN: fact-opt %s --split-input-file --factisa-order-engines --verify-diagnostics

func.func @unplanned() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  // expected-note @+1 {{the buffer is made here}}
  %a = factisa.sram token 256 "a"
  // expected-error @+1 {{has an operand without an address: run --factisa-plan-memory first}}
  factisa.apu.add y=%a, a=%a, b=%a, row0=%c0, rows=4, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}

// -----

func.func @branch() attributes {factisa.bound = 4 : i64} {
  %flag = arith.constant false
  // expected-error @+1 {{is no instruction}}
  scf.if %flag {
  }
  return
}

// -----

// expected-error @+1 {{a program is a function of one block without arguments and results}}
func.func @blocks() attributes {factisa.bound = 4 : i64} {
  cf.br ^next
^next:
  return
}

// -----

// expected-error @+1 {{has no attribute 'factisa.bound': run --fact-to-factisa first}}
func.func @not_lowered() {
  return
}

// -----

// expected-error @+1 {{has tokens already: --factisa-order-engines runs once}}
func.func @twice() attributes {factisa.bound = 4 : i64} {
  // expected-note @+1 {{the first ones are here}}
  factisa.sync engine=APU, times=3, signal=PE
  factisa.sync engine=PE, times=3, wait=APU
  return
}

// -----

// Every iteration needs the one 1100 before it.
// expected-error @+1 {{'loop rd=1, limit=2, step=1, extra=0, len=false': needs 1100 tokens of a pair of engines (of 1023)}}
func.func @too_many() attributes {factisa.bound = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c1100 = arith.constant 1100 : index
  %x = factisa.dram input 64 "x" at 0 {shape = array<i64: -1, 4>}
  %a = factisa.sram token 17600 "a" at 0
  %b = factisa.sram token 16 "b" at 17600
  scf.for %i = %c0 to %c2 step %c1 {
    scf.for %j = %c0 to %c1100 step %c1 {
      %p = factisa.view %a + 0 [%j] strides [16] : !factisa.sram
      factisa.load dst=%p, src=%x, row0=%c0, rows=1, row_bytes=16, dst_stride=16, src_stride=16
      factisa.apu.add y=%b, a=%p, b=%p, row0=%c0, rows=1, n=4, y_stride=16, a_stride=16, b_stride=16
    }
  }
  return
}

// -----

func.func private @external()
