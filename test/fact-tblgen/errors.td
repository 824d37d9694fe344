// What the backend refuses, one record at a time.
// RUN: not fact-tblgen -gen-isa-decls -I %fact_src/include -I %mlir_include -D OPCODE %s 2>&1 | FileCheck %s --check-prefix=OPCODE
// RUN: not fact-tblgen -gen-isa-decls -I %fact_src/include -I %mlir_include -D ACCESS %s 2>&1 | FileCheck %s --check-prefix=ACCESS
// RUN: not fact-tblgen -gen-isa-decls -I %fact_src/include -I %mlir_include -D ARGUMENT %s 2>&1 | FileCheck %s --check-prefix=ARGUMENT
// RUN: not fact-tblgen -gen-isa-decls -I %fact_src/include -I %mlir_include -D NAME %s 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not fact-tblgen -gen-isa-decls -I %fact_src/include -I %mlir_include -D ROWS %s 2>&1 | FileCheck %s --check-prefix=ROWS

include "fact/ISA/Instructions.td"

#ifdef OPCODE
// OPCODE: errors.td:[[#@LINE+1]]:5: error: opcode 0 is used twice
def ISA_StopOp : Instruction<"stop", 0, CTRL>;
#endif

#ifdef ACCESS
// ACCESS: errors.td:[[#@LINE+1]]:5: error: access of 'x' must be r, w or rw (was 'x')
def ISA_ClearOp : Instruction<"clear", 200, APU> {
  let arguments = (ins Sram<"x", "4">:$x);
}
#endif

#ifdef ARGUMENT
// ARGUMENT: errors.td:[[#@LINE+1]]:5: error: argument 'x' is no field
def ISA_ClearOp : Instruction<"clear", 200, APU> {
  let arguments = (ins I64Attr:$x);
}
#endif

#ifdef NAME
// NAME: errors.td:[[#@LINE+1]]:5: error: an instruction's record must be called ISA_...Op
def Clear : Instruction<"clear", 200, APU>;
#endif

#ifdef ROWS
// ROWS: errors.td:[[#@LINE+1]]:5: error: fields 'row0' and 'rows' go together
def ISA_ClearOp : Instruction<"clear", 200, APU> {
  let arguments = (ins Imm<4>:$rows);
}
#endif
