// Uses that the planner cannot follow are errors, not wrong plans.
// RUN: fact-opt %s --split-input-file --factisa-plan-memory --verify-diagnostics

func.func @carried() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = factisa.sram token 64 "a"
  // expected-error @+1 {{takes a buffer: only instructions and 'factisa.view' do}}
  %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%b = %a) -> (!factisa.sram) {
    scf.yield %b : !factisa.sram
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

func.func private @external()
