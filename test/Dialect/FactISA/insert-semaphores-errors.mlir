// RUN: fact-opt %s --split-input-file --factisa-insert-semaphores --verify-diagnostics

func.func @unplanned() {
  %c0 = arith.constant 0 : index
  %a = factisa.sram token 256 "a"
  // expected-error @+1 {{has an operand without an address: run --factisa-plan-memory first}}
  factisa.apu.add y=%a, a=%a, b=%a, row0=%c0, rows=4, n=16, y_stride=64, a_stride=64, b_stride=64
  return
}

// -----

func.func @branch(%flag: i1) {
  // expected-error @+1 {{is no loop of a program: only 'scf.for' is}}
  scf.if %flag {
  }
  return
}

// -----

// expected-error @+1 {{must have one block: a program's loops are 'scf.for'}}
func.func @blocks() {
  cf.br ^next
^next:
  return
}

// -----

// expected-error @+1 {{has semaphores already: --factisa-insert-semaphores runs once}}
func.func @twice() {
  // expected-note @+1 {{the first one is here}}
  factisa.signal engine=APU, semaphore=3
  factisa.wait engine=PE, semaphore=3
  return
}

// -----

func.func private @external()
