func.func @main(%s: !factisa.sram, %d: !factisa.dram, %i: index) {
  factisa.load whole, src = %d, rows = 4, row0 = %i,
               dst = %s, src_stride = 0x10, row_bytes = 8, dst_stride = 8
  factisa.apu.norm y=%s, x=%s, gamma=%s, beta=%s, list=%s, maximum=%s, row0=%i, rows=1, n=16, y_stride=64, x_stride=64, kind=layer, eps=0x3727C5AC
  factisa.sync signal = APU + PE, wait=SEL
               +LOAD, times=0x2, engine=EP
  factisa.muladd rd=1, rs=2, rt=3, factor=-16, addend=2 loc("from here")
  return
}
