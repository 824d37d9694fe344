; 166 instructions in 734 words, 384 bytes of constants
.program format=1 isa=2
.machine
{
  "name": "fact-28nm",
  "clock_mhz": 500,
  "pe": {
    "rows": 8,
    "columns": 64,
    "rate_a8w8": 1,
    "rate_a4w8": 2,
    "rate_a4w4": 4,
    "fill_cycles": 16,
    "gather_in_order": false,
    "accumulator_bytes": 65536
  },
  "ep": {
    "lanes": 2048,
    "adds_per_product": {
      "leading-one": 1,
      "leading-two": 4,
      "one-sided": 1,
      "exact": 7
    },
    "fill_cycles": 8
  },
  "sel": {
    "scores_per_cycle": 256,
    "digit_bits": 4,
    "fill_cycles": 8
  },
  "apu": {
    "lanes": 32,
    "units": {
      "add": 2,
      "multiply": 2,
      "max": 1,
      "scale": 1,
      "quantize": 1
    },
    "pipelines": 8,
    "passes": {
      "exp": 1,
      "erf": 2,
      "divide": 1,
      "square_root": 1
    },
    "fill_cycles": 16
  },
  "buffers": {
    "token": {
      "bytes": 393216,
      "banks": 16,
      "word_bytes": 64
    },
    "weight": {
      "bytes": 262144,
      "banks": 16,
      "word_bytes": 64
    },
    "temp": {
      "bytes": 524288,
      "banks": 16,
      "word_bytes": 64
    },
    "index": {
      "bytes": 98304,
      "banks": 16,
      "word_bytes": 64
    }
  },
  "diagonal_storage": true,
  "dram": {
    "gigabytes_per_second": 25.6,
    "latency_ns": 100,
    "burst_bytes": 64,
    "efficiency": 0.9
  },
  "control": {
    "queue_depth": 16,
    "registers": 64,
    "dispatch_cycles": 1
  },
  "energy_pj": {
    "mac_a8w8": {
      "value": 0.15,
      "source": "Horowitz, ISSCC 2014, 45 nm scaled by 0.507"
    },
    "mac_a4w8": {
      "value": 0.08,
      "source": "derived: half of INT8 x INT8"
    },
    "mac_a4w4": {
      "value": 0.05,
      "source": "derived: quarter of an INT8 multiplication, plus the accumulation"
    },
    "pe_slot": {
      "value": 0.23,
      "source": "ours: 48 flip-flops per multiplier, 3 fJ a clock each, 1.6 for the clock tree"
    },
    "predictor_add": {
      "value": 0.01,
      "source": "Horowitz, ISSCC 2014, 45 nm scaled by 0.507; 4-bit add, sign, shifted accumulation; SOFA (MICRO 2024) measures 0.0071 for its shift-adder"
    },
    "select_score": {
      "value": 0.03,
      "source": "ours: one INT32 comparison at 28 nm (Horowitz, ISSCC 2014, 45 nm scaled by 0.507)"
    },
    "float_add": {
      "value": 0.46,
      "source": "Horowitz, ISSCC 2014, 45 nm scaled by 0.507"
    },
    "float_multiply": {
      "value": 1.9,
      "source": "Horowitz, ISSCC 2014, 45 nm scaled by 0.507"
    },
    "float_max": {
      "value": 0.1,
      "source": "ours: a 32-bit integer addition (Horowitz, ISSCC 2014, 45 nm scaled by 0.507) with its multiplexer"
    },
    "float_exp": {
      "value": 12,
      "source": "Horowitz, ISSCC 2014, 45 nm scaled by 0.507; the steps of its polynomial"
    },
    "float_erf": {
      "value": 33.2,
      "source": "derived: an exponential and a polynomial of nine terms"
    },
    "float_divide": {
      "value": 6,
      "source": "ours: reciprocal by table, one Newton step, one multiplication"
    },
    "float_quantize": {
      "value": 0.5,
      "source": "ours: a rounding addition of 24 bits and its packing"
    },
    "sram_read_byte": {
      "token": {
        "value": 0.725,
        "source": "derived: mean of 256 KB and 512 KB"
      },
      "weight": {
        "value": 0.61,
        "source": "CACTI 7, 28 nm, low operating power"
      },
      "temp": {
        "value": 0.84,
        "source": "CACTI 7, 28 nm, low operating power"
      },
      "index": {
        "value": 0.61,
        "source": "that of 256 KB (CACTI 7, 28 nm, low operating power), an upper bound"
      }
    },
    "sram_write_byte": {
      "token": {
        "value": 0.705,
        "source": "derived: mean of 256 KB and 512 KB"
      },
      "weight": {
        "value": 0.59,
        "source": "CACTI 7, 28 nm, low operating power"
      },
      "temp": {
        "value": 0.82,
        "source": "CACTI 7, 28 nm, low operating power"
      },
      "index": {
        "value": 0.59,
        "source": "that of 256 KB (CACTI 7, 28 nm, low operating power), an upper bound"
      }
    },
    "accumulator_byte": {
      "value": 0.2,
      "source": "CACTI 7, 28 nm, low operating power, 16 KB"
    },
    "latch_byte": {
      "value": 0.02,
      "source": "models shipped with ZigZag, scaled"
    },
    "dram_bit": {
      "value": 20,
      "source": "DDR4; Jouppi et al., ISCA 2021"
    },
    "static_mw": {
      "value": 40,
      "source": "ours: CACTI 7 leakage of 1.25 MB low operating power, plus clock and control"
    }
  }
}
.end
.dram 11264
.input "x" float32 [?, 4] bound=5 address=0x180 row_bytes=16
.output "y" float32 [?, 4] bound=5 address=0x580 row_bytes=16
.metadata {"bound":5,"layers":[{"causal":false,"features":4,"heads":2,"linears":[{"k":4,"n":4,"role":"qkv"},{"k":4,"n":4,"role":"qkv"}]}],"policy":{"dominance":3,"importance":2,"keep":0.10000000000000001,"low_precision":"a4w4","predictor":"leading-one","scope":"all","tail":"mean"}}
.code
.source "tiny.mlir:4:8"
  load dst=[0x60000], src=dram[0x140], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 0 "tiny.mlir:4:8"
.source "tiny.mlir:7:8"
  load dst=[0x60040], src=dram[0x100], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 1 "tiny.mlir:7:8"
  load dst=[0x60080], src=dram[0xc0], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 2 "tiny.mlir:7:8"
.source "tiny.mlir:4:8"
  load dst=[0x0], src=dram[0x180], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false, signal=APU ; 3 "tiny.mlir:4:8"
  apu.norm y=[0x80], x=[0x0], gamma=[0x60000], beta=[0x60000], maximum=-, row0=0, rows=8, n=4, y_stride=16, x_stride=16, kind=layer, eps=1e-05, wait=LOAD, signal=STORE ; 4 "tiny.mlir:4:8"
  store dst=dram[0x2800], src=[0x80], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false, wait=APU ; 5 "tiny.mlir:4:8"
.source "tiny.mlir:5:8"
  apu.quantize q=[0x0], scale=[0x120080], x=[0x80], list=-, low=-, maximum=-, row0=0, rows=8, n=4, q_stride=4, x_stride=16, signal=STORE+EP ; 6 "tiny.mlir:5:8"
  store dst=dram[0x2700], src=[0x120080], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=APU ; 7 "tiny.mlir:5:8"
.source "tiny.mlir:7:8"
  ep.project acc=[0xa0040], x=[0x0], w=[0x60080], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, predictor=leading_one, accumulate=false, wait=APU ; 8 "tiny.mlir:7:8"
  ep.bias acc=[0xa0040], bias=[0x60040], scale=[0x120080], row0=0, rows=8, n=2, acc_stride=8 ; 9 "tiny.mlir:7:8"
  ep.normalize code=[0xa0000], scale=[0x120000], acc=[0xa0040], row0=0, rows=8, n=2, code_stride=4, acc_stride=8, predictor=leading_one, operand=query ; 10 "tiny.mlir:7:8"
  ep.project acc=[0xa0080], x=[0x0], w=[0x60082], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, predictor=leading_one, accumulate=false ; 11 "tiny.mlir:7:8"
  ep.bias acc=[0xa0080], bias=[0x60048], scale=[0x120080], row0=0, rows=8, n=2, acc_stride=8 ; 12 "tiny.mlir:7:8"
  ep.normalize code=[0xa0002], scale=[0x120040], acc=[0xa0080], row0=0, rows=8, n=2, code_stride=4, acc_stride=8, predictor=leading_one, operand=query, signal=STORE ; 13 "tiny.mlir:7:8"
  store dst=dram[0x2600], src=[0xa0000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=EP ; 14 "tiny.mlir:7:8"
  store dst=dram[0x2400], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=EP ; 15 "tiny.mlir:7:8"
  store dst=dram[0x2500], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=EP ; 16 "tiny.mlir:7:8"
  ep.project acc=[0xa0040], x=[0x0], w=[0x60080], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, predictor=leading_one, accumulate=false ; 17 "tiny.mlir:7:8"
  ep.normalize code=[0xa0000], scale=[0x120000], acc=[0xa0040], row0=0, rows=8, n=2, code_stride=4, acc_stride=8, predictor=leading_one, operand=key, wait=STORE ; 18 "tiny.mlir:7:8"
  ep.project acc=[0xa0080], x=[0x0], w=[0x60082], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, predictor=leading_one, accumulate=false ; 19 "tiny.mlir:7:8"
  ep.normalize code=[0xa0002], scale=[0x120040], acc=[0xa0080], row0=0, rows=8, n=2, code_stride=4, acc_stride=8, predictor=leading_one, operand=key, wait=STORE, signal=STORE ; 20 "tiny.mlir:7:8"
  store dst=dram[0x2300], src=[0xa0000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=EP, signal=LOAD ; 21 "tiny.mlir:7:8"
  store dst=dram[0x2100], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=LOAD+SEL ; 22 "tiny.mlir:7:8"
  store dst=dram[0x2200], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=LOAD ; 23 "tiny.mlir:7:8"
  load dst=[0x120400], src=dram[0x80], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 24 "tiny.mlir:7:8"
  load dst=[0x120404], src=dram[0x80], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 25 "tiny.mlir:7:8"
  sel.fill dst=[0x120000], row0=0, rows=64, width=4, value=0, wait=STORE ; 26 "tiny.mlir:7:8"
  sel.fill dst=[0x120440], row0=0, rows=64, width=1, value=0 ; 27 "tiny.mlir:7:8"
  sel.fill dst=[0x120480], row0=0, rows=64, width=1, value=0 ; 28 "tiny.mlir:7:8"
  sel.fill dst=[0x1204c0], row0=0, rows=64, width=1, value=0 ; 29 "tiny.mlir:7:8"
  sel.fill dst=[0x120500], row0=0, rows=64, width=1, value=0 ; 30 "tiny.mlir:7:8"
  load dst=[0xa0800], src=dram[0x2300], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false, wait=STORE ; 31 "tiny.mlir:7:8"
  load dst=[0x120100], src=dram[0x2100], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=STORE ; 32 "tiny.mlir:7:8"
  load dst=[0x120200], src=dram[0x2700], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 33 "tiny.mlir:7:8"
  load dst=[0x0], src=dram[0x2600], row0=0, rows=8, row_bytes=2, dst_stride=2, src_stride=4, whole=false, signal=EP ; 34 "tiny.mlir:7:8"
  load dst=[0x120540], src=dram[0x2400], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 35 "tiny.mlir:7:8"
  load dst=[0x120580], src=dram[0x2700], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=SEL ; 36 "tiny.mlir:7:8"
  load dst=[0xa1000], src=dram[0x2302], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 37 "tiny.mlir:7:8"
  load dst=[0x120300], src=dram[0x2200], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=STORE ; 38 "tiny.mlir:7:8"
  load dst=[0x40], src=dram[0x2602], row0=0, rows=8, row_bytes=2, dst_stride=2, src_stride=4, whole=false, signal=EP ; 39 "tiny.mlir:7:8"
  load dst=[0x1205c0], src=dram[0x2500], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=SEL ; 40 "tiny.mlir:7:8"
  ep.score score=[0xa0000], q=[0x0], k=[0xa0800], key_scale=[0x120100], scale=[0x120200], row0=0, rows=8, col0=0, cols=64, n=2, score_stride=256, q_stride=2, k_stride=2, predictor=leading_one, wait=LOAD, signal=SEL ; 41 "tiny.mlir:7:8"
  ep.score score=[0xa0800], q=[0x40], k=[0xa1000], key_scale=[0x120300], scale=[0x120200], row0=0, rows=8, col0=0, cols=64, n=2, score_stride=256, q_stride=2, k_stride=2, predictor=leading_one, wait=LOAD, signal=SEL ; 42 "tiny.mlir:7:8"
  sel.topk mask=[0x120100], dominated=[0x120140], argmax=[0x120180], k_rows=[0x120440], v_rows=[0x120480], count=[0x120000], score=[0xa0000], query_scale=[0x120540], scale=[0x120580], weight_scales=[0x120400], row0=0, rows=8, mask_stride=8, score_stride=256, keep=102, dominance=3, attention_scale=0.5, predictor=leading_one, causal=false, layer=0, head=0, wait=LOAD+EP, signal=STORE ; 43 "tiny.mlir:7:8"
  sel.topk mask=[0x1201c0], dominated=[0x120200], argmax=[0x120240], k_rows=[0x1204c0], v_rows=[0x120500], count=[0x120000], score=[0xa0800], query_scale=[0x1205c0], scale=[0x120580], weight_scales=[0x120400], row0=0, rows=8, mask_stride=8, score_stride=256, keep=102, dominance=3, attention_scale=0.5, predictor=leading_one, causal=false, layer=0, head=1, wait=LOAD+EP, signal=STORE ; 44 "tiny.mlir:7:8"
  store dst=dram[0x1d00], src=[0x120100], row0=0, rows=8, row_bytes=8, dst_stride=8, src_stride=8, whole=false, wait=SEL ; 45 "tiny.mlir:7:8"
  store dst=dram[0x1c80], src=[0x120140], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 46 "tiny.mlir:7:8"
  store dst=dram[0x1a80], src=[0x120180], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 47 "tiny.mlir:7:8"
  store dst=dram[0x1900], src=[0x120440], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 48 "tiny.mlir:7:8"
  store dst=dram[0x1880], src=[0x120480], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 49 "tiny.mlir:7:8"
  store dst=dram[0x1f00], src=[0x1201c0], row0=0, rows=8, row_bytes=8, dst_stride=8, src_stride=8, whole=false, wait=SEL ; 50 "tiny.mlir:7:8"
  store dst=dram[0x1cc0], src=[0x120200], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 51 "tiny.mlir:7:8"
  store dst=dram[0x1b80], src=[0x120240], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 52 "tiny.mlir:7:8"
  store dst=dram[0x1940], src=[0x1204c0], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 53 "tiny.mlir:7:8"
  store dst=dram[0x18c0], src=[0x120500], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 54 "tiny.mlir:7:8"
  store dst=dram[0x1980], src=[0x120000], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=LOAD ; 55 "tiny.mlir:7:8"
  load dst=[0x120000], src=dram[0x1980], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=STORE, signal=SEL ; 56 "tiny.mlir:7:8"
  sel.precision low=[0x120100], count=[0x120000], importance=512, layer=0, wait=LOAD, signal=STORE ; 57 "tiny.mlir:7:8"
  store dst=dram[0x1840], src=[0x120100], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false, wait=SEL, signal=LOAD ; 58 "tiny.mlir:7:8"
.source "tiny.mlir:5:8"
  load dst=[0x60000], src=dram[0x40], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 59 "tiny.mlir:5:8"
  load dst=[0x60040], src=dram[0x140], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 60 "tiny.mlir:5:8"
  load dst=[0x60080], src=dram[0x0], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 61 "tiny.mlir:5:8"
  load dst=[0x0], src=dram[0x2800], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false ; 62 "tiny.mlir:5:8"
  load dst=[0x120080], src=dram[0x1840], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false, wait=STORE, signal=APU ; 63 "tiny.mlir:5:8"
  apu.quantize q=[0x80], scale=[0x1200c0], x=[0x0], list=-, low=[0x120080], maximum=-, row0=0, rows=8, n=4, q_stride=4, x_stride=16, wait=LOAD, signal=PE ; 64 "tiny.mlir:5:8"
  pe.gemm acc=[0xa0080], x=[0x80], w=[0x60080], list=-, low=[0x120080], row0=0, rows=8, k=4, n=4, acc_stride=16, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false, wait=APU, signal=APU ; 65 "tiny.mlir:5:8"
  apu.rescale y=[0xa0000], acc=[0xa0080], w_scale=[0x60000], scale=[0x1200c0], bias=[0x60040], residual=-, list=-, low=[0x120080], maximum=-, row0=0, rows=8, n=4, y_stride=16, acc_stride=16, residual_stride=0, precision=a4w4, activation=none, accumulate=false, wait=PE ; 66 "tiny.mlir:5:8"
.source "tiny.mlir:6:8"
  load dst=[0x120000], src=dram[0x1900], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false, signal=SEL ; 67 "tiny.mlir:6:8"
  load dst=[0x120040], src=dram[0x1940], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false, signal=SEL ; 68 "tiny.mlir:6:8"
  sel.list list=[0x120100], flags=[0x120000], row0=0, rows=8, invert=false, wait=LOAD, signal=PE ; 69 "tiny.mlir:6:8"
  pe.gemm acc=[0xa0100], x=[0x80], w=[0x60080], list=[0x120100], low=[0x120080], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false, wait=SEL, signal=APU ; 70 "tiny.mlir:6:8"
  apu.rescale y=[0xa0080], acc=[0xa0100], w_scale=[0x60000], scale=[0x1200c0], bias=-, residual=-, list=[0x120100], low=[0x120080], maximum=-, row0=0, rows=8, n=2, y_stride=16, acc_stride=8, residual_stride=0, precision=a4w4, activation=none, accumulate=false, wait=PE ; 71 "tiny.mlir:6:8"
  sel.list list=[0x120140], flags=[0x120040], row0=0, rows=8, invert=false, wait=LOAD, signal=PE ; 72 "tiny.mlir:6:8"
  pe.gemm acc=[0xa0140], x=[0x80], w=[0x60082], list=[0x120140], low=[0x120080], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false, wait=SEL, signal=APU ; 73 "tiny.mlir:6:8"
  apu.rescale y=[0xa0088], acc=[0xa0140], w_scale=[0x60008], scale=[0x1200c0], bias=-, residual=-, list=[0x120140], low=[0x120080], maximum=-, row0=0, rows=8, n=2, y_stride=16, acc_stride=8, residual_stride=0, precision=a4w4, activation=none, accumulate=false, wait=PE, signal=LOAD ; 74 "tiny.mlir:6:8"
.source "tiny.mlir:7:8"
  load dst=[0x120080], src=dram[0x1c80], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false, wait=APU, signal=SEL ; 75 "tiny.mlir:7:8"
  load dst=[0x1200c0], src=dram[0x1cc0], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false, signal=SEL ; 76 "tiny.mlir:7:8"
  sel.list list=[0x120180], flags=[0x120080], row0=0, rows=8, invert=true, wait=LOAD, signal=LOAD+APU ; 77 "tiny.mlir:7:8"
  apu.quantize q=[0xa0100], scale=[0x120000], x=[0xa0000], list=[0x120180], low=-, maximum=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16, wait=SEL, signal=SEL ; 78 "tiny.mlir:7:8"
  sel.list list=[0x120180], flags=[0x1200c0], row0=0, rows=8, invert=true, wait=LOAD+APU, signal=LOAD+APU ; 79 "tiny.mlir:7:8"
  apu.quantize q=[0xa0102], scale=[0x120040], x=[0xa0008], list=[0x120180], low=-, maximum=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16, wait=SEL, signal=STORE ; 80 "tiny.mlir:7:8"
  store dst=dram[0x1740], src=[0xa0100], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=APU ; 81 "tiny.mlir:7:8"
  store dst=dram[0x1540], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=APU ; 82 "tiny.mlir:7:8"
  store dst=dram[0x1640], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=APU ; 83 "tiny.mlir:7:8"
  apu.quantize q=[0xa0100], scale=[0x120000], x=[0xa0080], list=[0x120100], low=-, maximum=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16, wait=STORE, signal=SEL ; 84 "tiny.mlir:7:8"
  apu.quantize q=[0xa0102], scale=[0x120040], x=[0xa0088], list=[0x120140], low=-, maximum=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16, wait=STORE, signal=STORE ; 85 "tiny.mlir:7:8"
  store dst=dram[0x1440], src=[0xa0100], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=APU ; 86 "tiny.mlir:7:8"
  store dst=dram[0x1240], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=APU ; 87 "tiny.mlir:7:8"
  store dst=dram[0x1340], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=APU ; 88 "tiny.mlir:7:8"
  load dst=[0x120080], src=dram[0x1880], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false, wait=SEL, signal=SEL ; 89 "tiny.mlir:7:8"
  load dst=[0x1200c0], src=dram[0x18c0], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false, wait=SEL, signal=SEL ; 90 "tiny.mlir:7:8"
  sel.list list=[0x120100], flags=[0x120080], row0=0, rows=8, invert=false, wait=LOAD+APU, signal=APU ; 91 "tiny.mlir:7:8"
  apu.quantize q=[0xa0080], scale=[0x120000], x=[0xa0000], list=[0x120100], low=-, maximum=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16, wait=STORE+SEL, signal=SEL ; 92 "tiny.mlir:7:8"
  sel.list list=[0x120100], flags=[0x1200c0], row0=0, rows=8, invert=false, wait=LOAD+APU, signal=APU ; 93 "tiny.mlir:7:8"
  apu.quantize q=[0xa0082], scale=[0x120040], x=[0xa0008], list=[0x120100], low=-, maximum=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16, wait=STORE+SEL, signal=STORE ; 94 "tiny.mlir:7:8"
  store dst=dram[0x1140], src=[0xa0080], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=APU ; 95 "tiny.mlir:7:8"
  store dst=dram[0xf40], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 96 "tiny.mlir:7:8"
  store dst=dram[0x1040], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 97 "tiny.mlir:7:8"
  load dst=[0x0], src=dram[0x2800], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false, signal=APU ; 98 "tiny.mlir:7:8"
  apu.column_sum sum=[0xa0000], x=[0x0], row0=0, rows=8, n=4, x_stride=16, wait=LOAD ; 99 "tiny.mlir:7:8"
  apu.mean y=[0xa0040], sum=[0xa0000], n=4, signal=STORE ; 100 "tiny.mlir:7:8"
  store dst=dram[0xf00], src=[0xa0040], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true, wait=APU, signal=LOAD ; 101 "tiny.mlir:7:8"
  load dst=[0x60000], src=dram[0x40], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 102 "tiny.mlir:7:8"
  load dst=[0x60040], src=dram[0x0], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 103 "tiny.mlir:7:8"
  load dst=[0x60080], src=dram[0x140], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 104 "tiny.mlir:7:8"
  load dst=[0x0], src=dram[0xf00], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true, wait=STORE, signal=APU ; 105 "tiny.mlir:7:8"
  apu.quantize q=[0x40], scale=[0x120080], x=[0x0], list=-, low=-, maximum=-, row0=0, rows=1, n=4, q_stride=4, x_stride=16, wait=LOAD, signal=PE ; 106 "tiny.mlir:7:8"
  pe.gemm acc=[0xa0040], x=[0x40], w=[0x60040], list=-, low=-, row0=0, rows=1, k=4, n=4, acc_stride=16, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false, wait=APU, signal=APU ; 107 "tiny.mlir:7:8"
  apu.rescale y=[0xa0000], acc=[0xa0040], w_scale=[0x60000], scale=[0x120080], bias=-, residual=-, list=-, low=-, maximum=-, row0=0, rows=1, n=4, y_stride=16, acc_stride=16, residual_stride=0, precision=a4w4, activation=none, accumulate=false, wait=PE ; 108 "tiny.mlir:7:8"
  apu.quantize q=[0xa0040], scale=[0x120000], x=[0xa0000], list=-, low=-, maximum=-, row0=0, rows=1, n=2, q_stride=4, x_stride=16 ; 109 "tiny.mlir:7:8"
  apu.quantize q=[0xa0042], scale=[0x120040], x=[0xa0008], list=-, low=-, maximum=-, row0=0, rows=1, n=2, q_stride=4, x_stride=16, signal=STORE ; 110 "tiny.mlir:7:8"
  store dst=dram[0xec0], src=[0xa0040], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true, wait=APU, signal=PE ; 111 "tiny.mlir:7:8"
  store dst=dram[0xe40], src=[0x120000], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true, signal=APU ; 112 "tiny.mlir:7:8"
  store dst=dram[0xe80], src=[0x120040], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true, signal=APU ; 113 "tiny.mlir:7:8"
  pe.gemm acc=[0xa0040], x=[0x40], w=[0x60040], list=-, low=-, row0=0, rows=1, k=4, n=4, acc_stride=16, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false, wait=STORE, signal=APU ; 114 "tiny.mlir:7:8"
  apu.rescale y=[0xa0000], acc=[0xa0040], w_scale=[0x60000], scale=[0x120080], bias=[0x60080], residual=-, list=-, low=-, maximum=-, row0=0, rows=1, n=4, y_stride=16, acc_stride=16, residual_stride=0, precision=a4w4, activation=none, accumulate=false, wait=PE ; 115 "tiny.mlir:7:8"
  apu.quantize q=[0xa0040], scale=[0x120000], x=[0xa0000], list=-, low=-, maximum=-, row0=0, rows=1, n=2, q_stride=4, x_stride=16, wait=STORE ; 116 "tiny.mlir:7:8"
  apu.quantize q=[0xa0042], scale=[0x120040], x=[0xa0008], list=-, low=-, maximum=-, row0=0, rows=1, n=2, q_stride=4, x_stride=16, wait=STORE, signal=STORE ; 117 "tiny.mlir:7:8"
  store dst=dram[0xe00], src=[0xa0040], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true, wait=APU ; 118 "tiny.mlir:7:8"
  store dst=dram[0xd80], src=[0x120000], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true, signal=LOAD ; 119 "tiny.mlir:7:8"
  store dst=dram[0xdc0], src=[0x120040], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true, signal=LOAD ; 120 "tiny.mlir:7:8"
  load dst=[0x120000], src=dram[0x1240], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false, wait=STORE ; 121 "tiny.mlir:7:8"
  load dst=[0x120100], src=dram[0xf40], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 122 "tiny.mlir:7:8"
  load dst=[0xa0800], src=dram[0x1440], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 123 "tiny.mlir:7:8"
  load dst=[0xa1400], src=dram[0x1140], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 124 "tiny.mlir:7:8"
  load dst=[0xa0880], src=dram[0xec0], row0=0, rows=1, row_bytes=2, dst_stride=2, src_stride=4, whole=true ; 125 "tiny.mlir:7:8"
  load dst=[0xa1580], src=dram[0xe00], row0=0, rows=1, row_bytes=2, dst_stride=2, src_stride=4, whole=true ; 126 "tiny.mlir:7:8"
  load dst=[0x120500], src=dram[0xe40], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 127 "tiny.mlir:7:8"
  load dst=[0x120540], src=dram[0xd80], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 128 "tiny.mlir:7:8"
  load dst=[0x0], src=dram[0x1740], row0=0, rows=8, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 129 "tiny.mlir:7:8"
  load dst=[0x120580], src=dram[0x1540], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 130 "tiny.mlir:7:8"
  load dst=[0x1205c0], src=dram[0x1d00], row0=0, rows=8, row_bytes=8, dst_stride=8, src_stride=8, whole=false ; 131 "tiny.mlir:7:8"
  load dst=[0x120600], src=dram[0x1c80], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false, signal=PE ; 132 "tiny.mlir:7:8"
  load dst=[0x120640], src=dram[0x1a80], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 133 "tiny.mlir:7:8"
  load dst=[0x120200], src=dram[0x1340], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 134 "tiny.mlir:7:8"
  load dst=[0x120300], src=dram[0x1040], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 135 "tiny.mlir:7:8"
  load dst=[0xa1480], src=dram[0x1442], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 136 "tiny.mlir:7:8"
  load dst=[0xa1500], src=dram[0x1142], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 137 "tiny.mlir:7:8"
  load dst=[0xa15c0], src=dram[0xec2], row0=0, rows=1, row_bytes=2, dst_stride=2, src_stride=4, whole=true ; 138 "tiny.mlir:7:8"
  load dst=[0xa1600], src=dram[0xe02], row0=0, rows=1, row_bytes=2, dst_stride=2, src_stride=4, whole=true ; 139 "tiny.mlir:7:8"
  load dst=[0x120680], src=dram[0xe80], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 140 "tiny.mlir:7:8"
  load dst=[0x1206c0], src=dram[0xdc0], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true, wait=STORE ; 141 "tiny.mlir:7:8"
  load dst=[0x40], src=dram[0x1742], row0=0, rows=8, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 142 "tiny.mlir:7:8"
  load dst=[0x120700], src=dram[0x1640], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 143 "tiny.mlir:7:8"
  load dst=[0x120740], src=dram[0x1f00], row0=0, rows=8, row_bytes=8, dst_stride=8, src_stride=8, whole=false ; 144 "tiny.mlir:7:8"
  load dst=[0x120780], src=dram[0x1cc0], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false, signal=PE ; 145 "tiny.mlir:7:8"
  load dst=[0x1207c0], src=dram[0x1b80], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false, signal=APU ; 146 "tiny.mlir:7:8"
  pe.qk score=[0xa0000], q=[0x0], k=[0xa0800], mask=[0x1205c0], dominated=[0x120600], row0=0, rows=8, col0=0, cols=64, n=2, score_stride=256, q_stride=2, k_stride=2, mask_stride=8, causal=false, tail=false, wait=LOAD, signal=APU ; 147 "tiny.mlir:7:8"
  pe.qk score=[0x120800], q=[0x0], k=[0xa0880], mask=-, dominated=[0x120600], row0=0, rows=8, col0=0, cols=1, n=2, score_stride=4, q_stride=2, k_stride=2, mask_stride=0, causal=false, tail=true ; 148 "tiny.mlir:7:8"
  pe.qk score=[0xa0800], q=[0x40], k=[0xa1480], mask=[0x120740], dominated=[0x120780], row0=0, rows=8, col0=0, cols=64, n=2, score_stride=256, q_stride=2, k_stride=2, mask_stride=8, causal=false, tail=false, wait=LOAD, signal=APU ; 149 "tiny.mlir:7:8"
  pe.qk score=[0x120840], q=[0x40], k=[0xa15c0], mask=-, dominated=[0x120780], row0=0, rows=8, col0=0, cols=1, n=2, score_stride=4, q_stride=2, k_stride=2, mask_stride=0, causal=false, tail=true ; 150 "tiny.mlir:7:8"
  apu.softmax p=[0xa1000], stats=[0x120400], score=[0xa0000], query_scale=[0x120580], key_scale=[0x120000], value_scale=[0x120100], mask=[0x1205c0], dominated=[0x120600], row0=0, rows=8, p_stride=64, score_stride=256, mask_stride=8, attention_scale=0.5, causal=false, wait=PE, signal=PE ; 151 "tiny.mlir:7:8"
  apu.softmax p=[0xa1200], stats=[0x120480], score=[0xa0800], query_scale=[0x120700], key_scale=[0x120200], value_scale=[0x120300], mask=[0x120740], dominated=[0x120780], row0=0, rows=8, p_stride=64, score_stride=256, mask_stride=8, attention_scale=0.5, causal=false, wait=PE, signal=PE ; 152 "tiny.mlir:7:8"
  pe.pv num=[0xa1640], p=[0xa1000], v=[0xa1400], mask=[0x1205c0], dominated=[0x120600], row0=0, rows=8, col0=0, cols=64, n=2, num_stride=8, p_stride=64, v_stride=2, mask_stride=8, causal=false, accumulate=false, wait=APU, signal=APU ; 153 "tiny.mlir:7:8"
  pe.pv num=[0xa1680], p=[0xa1200], v=[0xa1500], mask=[0x120740], dominated=[0x120780], row0=0, rows=8, col0=0, cols=64, n=2, num_stride=8, p_stride=64, v_stride=2, mask_stride=8, causal=false, accumulate=false, wait=APU, signal=APU ; 154 "tiny.mlir:7:8"
  apu.copy_dominated ctx=[0x80], v=[0xa1400], value_scale=[0x120100], dominated=[0x120600], argmax=[0x120640], row0=0, rows=8, col0=0, cols=64, n=2, ctx_stride=8, v_stride=2 ; 155 "tiny.mlir:7:8"
  apu.context ctx=[0x80], num=[0xa1640], stats=[0x120400], query_scale=[0x120580], dominated=[0x120600], tail_score=[0x120800], tail_key_scale=[0x120500], tail_value=[0xa1580], tail_value_scale=[0x120540], row0=0, rows=8, n=2, ctx_stride=8, num_stride=8, attention_scale=0.5, causal=false, wait=PE, signal=STORE ; 156 "tiny.mlir:7:8"
  apu.copy_dominated ctx=[0x0], v=[0xa1500], value_scale=[0x120300], dominated=[0x120780], argmax=[0x1207c0], row0=0, rows=8, col0=0, cols=64, n=2, ctx_stride=8, v_stride=2, wait=LOAD ; 157 "tiny.mlir:7:8"
  apu.context ctx=[0x0], num=[0xa1680], stats=[0x120480], query_scale=[0x120700], dominated=[0x120780], tail_score=[0x120840], tail_key_scale=[0x120680], tail_value=[0xa1600], tail_value_scale=[0x1206c0], row0=0, rows=8, n=2, ctx_stride=8, num_stride=8, attention_scale=0.5, causal=false, wait=PE, signal=STORE ; 158 "tiny.mlir:7:8"
  store dst=dram[0x980], src=[0x80], row0=0, rows=8, row_bytes=8, dst_stride=16, src_stride=8, whole=false, wait=APU ; 159 "tiny.mlir:7:8"
  store dst=dram[0x988], src=[0x0], row0=0, rows=8, row_bytes=8, dst_stride=16, src_stride=8, whole=false, wait=APU, signal=LOAD ; 160 "tiny.mlir:7:8"
.source "tiny.mlir:8:8"
  load dst=[0x0], src=dram[0x180], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false, wait=STORE ; 161 "tiny.mlir:8:8"
  load dst=[0x80], src=dram[0x980], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false, signal=APU ; 162 "tiny.mlir:8:8"
  apu.add y=[0x100], a=[0x0], b=[0x80], row0=0, rows=8, n=4, y_stride=16, a_stride=16, b_stride=16, wait=LOAD, signal=STORE ; 163 "tiny.mlir:8:8"
  store dst=dram[0x580], src=[0x100], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false, wait=APU ; 164 "tiny.mlir:8:8"
.source "tiny.mlir:1:1"
  halt ; 165 "tiny.mlir:1:1"
.end
.constants 384
VM4NU3c8iRgwiWqJEkW3WQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAEGuCTyBN6U7QdP3O0GuCTwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAEAgE8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAQOAIQEAgwBAgwEDAECDAQAAAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALiehkK4ngZCuJ6GQbieBkMAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA/AAAAPwAAgD4AAABAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
.end
.end_program
