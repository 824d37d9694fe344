// Stores scratchpad that no instruction wrote. No compiled program does that.
func.func @main() attributes {factisa.bound = 16 : i64} {
  %c0 = arith.constant 0 : index
  %x = factisa.dram input 64 "x" at 0 {shape = array<i64: -1, 1>}
  %y = factisa.dram output 64 "y" at 64 {shape = array<i64: -1, 1>}
  %a = factisa.sram token 64 "a" at 0
  factisa.store dst=%y, src=%a, row0=%c0, rows=16, row_bytes=4, dst_stride=4, src_stride=4
  return
}
