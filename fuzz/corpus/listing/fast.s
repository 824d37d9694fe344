; 406 instructions in 955 words, 384 bytes of constants
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
    "semaphores": 1024,
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
  load dst=[0x0], src=dram[0x180], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false ; 3 "tiny.mlir:4:8"
  signal engine=LOAD, semaphore=13 ; 4 "tiny.mlir:4:8"
  signal engine=LOAD, semaphore=10 ; 5 "tiny.mlir:4:8"
  wait engine=APU, semaphore=13 ; 6 "tiny.mlir:4:8"
  apu.layer_norm y=[0x80], x=[0x0], gamma=[0x60000], beta=[0x60000], row0=0, rows=8, n=4, y_stride=16, x_stride=16, eps=1e-05 ; 7 "tiny.mlir:4:8"
  signal engine=APU, semaphore=44 ; 8 "tiny.mlir:4:8"
  wait engine=STORE, semaphore=44 ; 9 "tiny.mlir:4:8"
  store dst=dram[0x2800], src=[0x80], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false ; 10 "tiny.mlir:4:8"
.source "tiny.mlir:5:8"
  apu.quantize q=[0x0], scale=[0x120080], x=[0x80], list=-, low=-, row0=0, rows=8, n=4, q_stride=4, x_stride=16 ; 11 "tiny.mlir:5:8"
  signal engine=APU, semaphore=46 ; 12 "tiny.mlir:5:8"
  signal engine=APU, semaphore=45 ; 13 "tiny.mlir:5:8"
  signal engine=APU, semaphore=44 ; 14 "tiny.mlir:5:8"
  signal engine=APU, semaphore=43 ; 15 "tiny.mlir:5:8"
  wait engine=STORE, semaphore=44 ; 16 "tiny.mlir:5:8"
  store dst=dram[0x2700], src=[0x120080], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 17 "tiny.mlir:5:8"
.source "tiny.mlir:7:8"
  wait engine=EP, semaphore=10 ; 18 "tiny.mlir:7:8"
  wait engine=EP, semaphore=45 ; 19 "tiny.mlir:7:8"
  ep.project acc=[0xa0040], x=[0x0], w=[0x60080], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, predictor=leading_one, accumulate=false ; 20 "tiny.mlir:7:8"
  ep.bias acc=[0xa0040], bias=[0x60040], scale=[0x120080], row0=0, rows=8, n=2, acc_stride=8 ; 21 "tiny.mlir:7:8"
  ep.normalize code=[0xa0000], scale=[0x120000], acc=[0xa0040], row0=0, rows=8, n=2, code_stride=4, acc_stride=8, predictor=leading_one, operand=query ; 22 "tiny.mlir:7:8"
  ep.project acc=[0xa0080], x=[0x0], w=[0x60082], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, predictor=leading_one, accumulate=false ; 23 "tiny.mlir:7:8"
  ep.bias acc=[0xa0080], bias=[0x60048], scale=[0x120080], row0=0, rows=8, n=2, acc_stride=8 ; 24 "tiny.mlir:7:8"
  ep.normalize code=[0xa0002], scale=[0x120040], acc=[0xa0080], row0=0, rows=8, n=2, code_stride=4, acc_stride=8, predictor=leading_one, operand=query ; 25 "tiny.mlir:7:8"
  signal engine=EP, semaphore=23 ; 26 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=23 ; 27 "tiny.mlir:7:8"
  store dst=dram[0x2600], src=[0xa0000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 28 "tiny.mlir:7:8"
  store dst=dram[0x2400], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 29 "tiny.mlir:7:8"
  store dst=dram[0x2500], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 30 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=17 ; 31 "tiny.mlir:7:8"
  ep.project acc=[0xa0040], x=[0x0], w=[0x60080], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, predictor=leading_one, accumulate=false ; 32 "tiny.mlir:7:8"
  wait engine=EP, semaphore=17 ; 33 "tiny.mlir:7:8"
  ep.normalize code=[0xa0000], scale=[0x120000], acc=[0xa0040], row0=0, rows=8, n=2, code_stride=4, acc_stride=8, predictor=leading_one, operand=key ; 34 "tiny.mlir:7:8"
  ep.project acc=[0xa0080], x=[0x0], w=[0x60082], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, predictor=leading_one, accumulate=false ; 35 "tiny.mlir:7:8"
  signal engine=EP, semaphore=22 ; 36 "tiny.mlir:7:8"
  ep.normalize code=[0xa0002], scale=[0x120040], acc=[0xa0080], row0=0, rows=8, n=2, code_stride=4, acc_stride=8, predictor=leading_one, operand=key ; 37 "tiny.mlir:7:8"
  signal engine=EP, semaphore=25 ; 38 "tiny.mlir:7:8"
  signal engine=EP, semaphore=23 ; 39 "tiny.mlir:7:8"
  signal engine=EP, semaphore=22 ; 40 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=23 ; 41 "tiny.mlir:7:8"
  store dst=dram[0x2300], src=[0xa0000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 42 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=17 ; 43 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=15 ; 44 "tiny.mlir:7:8"
  store dst=dram[0x2100], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 45 "tiny.mlir:7:8"
  store dst=dram[0x2200], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 46 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=18 ; 47 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=15 ; 48 "tiny.mlir:7:8"
  load dst=[0x120400], src=dram[0x80], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 49 "tiny.mlir:7:8"
  load dst=[0x120404], src=dram[0x80], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 50 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=18 ; 51 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=25 ; 52 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=46 ; 53 "tiny.mlir:7:8"
  sel.fill dst=[0x120000], row0=0, rows=64, width=4, value=0 ; 54 "tiny.mlir:7:8"
  sel.fill dst=[0x120440], row0=0, rows=64, width=1, value=0 ; 55 "tiny.mlir:7:8"
  sel.fill dst=[0x120480], row0=0, rows=64, width=1, value=0 ; 56 "tiny.mlir:7:8"
  sel.fill dst=[0x1204c0], row0=0, rows=64, width=1, value=0 ; 57 "tiny.mlir:7:8"
  sel.fill dst=[0x120500], row0=0, rows=64, width=1, value=0 ; 58 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=15 ; 59 "tiny.mlir:7:8"
  load dst=[0xa0800], src=dram[0x2300], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 60 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=15 ; 61 "tiny.mlir:7:8"
  load dst=[0x120100], src=dram[0x2100], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 62 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=9 ; 63 "tiny.mlir:7:8"
  load dst=[0x120200], src=dram[0x2700], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 64 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=9 ; 65 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=22 ; 66 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=43 ; 67 "tiny.mlir:7:8"
  load dst=[0x0], src=dram[0x2600], row0=0, rows=8, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 68 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=10 ; 69 "tiny.mlir:7:8"
  load dst=[0x120540], src=dram[0x2400], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 70 "tiny.mlir:7:8"
  load dst=[0x120580], src=dram[0x2700], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 71 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=11 ; 72 "tiny.mlir:7:8"
  load dst=[0xa1000], src=dram[0x2302], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 73 "tiny.mlir:7:8"
  load dst=[0x120300], src=dram[0x2200], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 74 "tiny.mlir:7:8"
  load dst=[0x40], src=dram[0x2602], row0=0, rows=8, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 75 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=10 ; 76 "tiny.mlir:7:8"
  load dst=[0x1205c0], src=dram[0x2500], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 77 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=11 ; 78 "tiny.mlir:7:8"
  wait engine=EP, semaphore=10 ; 79 "tiny.mlir:7:8"
  wait engine=EP, semaphore=17 ; 80 "tiny.mlir:7:8"
  ep.score score=[0xa0000], q=[0x0], k=[0xa0800], key_scale=[0x120100], scale=[0x120200], row0=0, rows=8, col0=0, cols=64, n=2, score_stride=256, q_stride=2, k_stride=2, predictor=leading_one ; 81 "tiny.mlir:7:8"
  signal engine=EP, semaphore=27 ; 82 "tiny.mlir:7:8"
  signal engine=EP, semaphore=26 ; 83 "tiny.mlir:7:8"
  signal engine=EP, semaphore=25 ; 84 "tiny.mlir:7:8"
  signal engine=EP, semaphore=23 ; 85 "tiny.mlir:7:8"
  wait engine=EP, semaphore=10 ; 86 "tiny.mlir:7:8"
  ep.score score=[0xa0800], q=[0x40], k=[0xa1000], key_scale=[0x120300], scale=[0x120200], row0=0, rows=8, col0=0, cols=64, n=2, score_stride=256, q_stride=2, k_stride=2, predictor=leading_one ; 87 "tiny.mlir:7:8"
  signal engine=EP, semaphore=27 ; 88 "tiny.mlir:7:8"
  signal engine=EP, semaphore=26 ; 89 "tiny.mlir:7:8"
  signal engine=EP, semaphore=25 ; 90 "tiny.mlir:7:8"
  signal engine=EP, semaphore=22 ; 91 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=11 ; 92 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=25 ; 93 "tiny.mlir:7:8"
  sel.topk mask=[0x120100], dominated=[0x120140], argmax=[0x120180], k_rows=[0x120440], v_rows=[0x120480], count=[0x120000], score=[0xa0000], query_scale=[0x120540], scale=[0x120580], weight_scales=[0x120400], row0=0, rows=8, mask_stride=8, score_stride=256, keep=102, dominance=3, attention_scale=0.5, predictor=leading_one, causal=false, layer=0, head=0 ; 94 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=30 ; 95 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=11 ; 96 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=25 ; 97 "tiny.mlir:7:8"
  sel.topk mask=[0x1201c0], dominated=[0x120200], argmax=[0x120240], k_rows=[0x1204c0], v_rows=[0x120500], count=[0x120000], score=[0xa0800], query_scale=[0x1205c0], scale=[0x120580], weight_scales=[0x120400], row0=0, rows=8, mask_stride=8, score_stride=256, keep=102, dominance=3, attention_scale=0.5, predictor=leading_one, causal=false, layer=0, head=1 ; 98 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=33 ; 99 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=30 ; 100 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=29 ; 101 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=9 ; 102 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=30 ; 103 "tiny.mlir:7:8"
  store dst=dram[0x1d00], src=[0x120100], row0=0, rows=8, row_bytes=8, dst_stride=8, src_stride=8, whole=false ; 104 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=18 ; 105 "tiny.mlir:7:8"
  store dst=dram[0x1c80], src=[0x120140], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 106 "tiny.mlir:7:8"
  store dst=dram[0x1a80], src=[0x120180], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 107 "tiny.mlir:7:8"
  store dst=dram[0x1900], src=[0x120440], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 108 "tiny.mlir:7:8"
  store dst=dram[0x1880], src=[0x120480], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 109 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=30 ; 110 "tiny.mlir:7:8"
  store dst=dram[0x1f00], src=[0x1201c0], row0=0, rows=8, row_bytes=8, dst_stride=8, src_stride=8, whole=false ; 111 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=9 ; 112 "tiny.mlir:7:8"
  store dst=dram[0x1cc0], src=[0x120200], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 113 "tiny.mlir:7:8"
  store dst=dram[0x1b80], src=[0x120240], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 114 "tiny.mlir:7:8"
  store dst=dram[0x1940], src=[0x1204c0], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 115 "tiny.mlir:7:8"
  store dst=dram[0x18c0], src=[0x120500], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 116 "tiny.mlir:7:8"
  store dst=dram[0x1980], src=[0x120000], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 117 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=20 ; 118 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=15 ; 119 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=15 ; 120 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=22 ; 121 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=29 ; 122 "tiny.mlir:7:8"
  load dst=[0x120000], src=dram[0x1980], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 123 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=11 ; 124 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=11 ; 125 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=18 ; 126 "tiny.mlir:7:8"
  sel.precision low=[0x120100], count=[0x120000], importance=512, layer=0 ; 127 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=34 ; 128 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=30 ; 129 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=29 ; 130 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=30 ; 131 "tiny.mlir:7:8"
  store dst=dram[0x1840], src=[0x120100], row0=0, rows=64, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 132 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=18 ; 133 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=15 ; 134 "tiny.mlir:7:8"
.source "tiny.mlir:5:8"
  load dst=[0x60000], src=dram[0x40], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 135 "tiny.mlir:5:8"
  load dst=[0x60040], src=dram[0x140], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 136 "tiny.mlir:5:8"
  load dst=[0x60080], src=dram[0x0], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 137 "tiny.mlir:5:8"
  wait engine=LOAD, semaphore=22 ; 138 "tiny.mlir:5:8"
  load dst=[0x0], src=dram[0x2800], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false ; 139 "tiny.mlir:5:8"
  wait engine=LOAD, semaphore=15 ; 140 "tiny.mlir:5:8"
  wait engine=LOAD, semaphore=29 ; 141 "tiny.mlir:5:8"
  load dst=[0x120080], src=dram[0x1840], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 142 "tiny.mlir:5:8"
  signal engine=LOAD, semaphore=13 ; 143 "tiny.mlir:5:8"
  signal engine=LOAD, semaphore=12 ; 144 "tiny.mlir:5:8"
  wait engine=APU, semaphore=13 ; 145 "tiny.mlir:5:8"
  wait engine=APU, semaphore=20 ; 146 "tiny.mlir:5:8"
  wait engine=APU, semaphore=34 ; 147 "tiny.mlir:5:8"
  apu.quantize q=[0x80], scale=[0x1200c0], x=[0x0], list=-, low=[0x120080], row0=0, rows=8, n=4, q_stride=4, x_stride=16 ; 148 "tiny.mlir:5:8"
  signal engine=APU, semaphore=47 ; 149 "tiny.mlir:5:8"
  signal engine=APU, semaphore=46 ; 150 "tiny.mlir:5:8"
  wait engine=PE, semaphore=12 ; 151 "tiny.mlir:5:8"
  wait engine=PE, semaphore=26 ; 152 "tiny.mlir:5:8"
  wait engine=PE, semaphore=33 ; 153 "tiny.mlir:5:8"
  wait engine=PE, semaphore=47 ; 154 "tiny.mlir:5:8"
  pe.gemm acc=[0xa0080], x=[0x80], w=[0x60080], list=-, low=[0x120080], row0=0, rows=8, k=4, n=4, acc_stride=16, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false ; 155 "tiny.mlir:5:8"
  signal engine=PE, semaphore=41 ; 156 "tiny.mlir:5:8"
  wait engine=APU, semaphore=27 ; 157 "tiny.mlir:5:8"
  wait engine=APU, semaphore=41 ; 158 "tiny.mlir:5:8"
  apu.rescale y=[0xa0000], acc=[0xa0080], w_scale=[0x60000], scale=[0x1200c0], bias=[0x60040], list=-, low=[0x120080], row0=0, rows=8, n=4, y_stride=16, acc_stride=16, precision=a4w4 ; 159 "tiny.mlir:5:8"
.source "tiny.mlir:6:8"
  load dst=[0x120000], src=dram[0x1900], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 160 "tiny.mlir:6:8"
  load dst=[0x120040], src=dram[0x1940], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 161 "tiny.mlir:6:8"
  signal engine=LOAD, semaphore=13 ; 162 "tiny.mlir:6:8"
  signal engine=LOAD, semaphore=11 ; 163 "tiny.mlir:6:8"
  signal engine=LOAD, semaphore=9 ; 164 "tiny.mlir:6:8"
  wait engine=SEL, semaphore=11 ; 165 "tiny.mlir:6:8"
  wait engine=SEL, semaphore=18 ; 166 "tiny.mlir:6:8"
  sel.list list=[0x120100], flags=[0x120000], row0=0, rows=8, invert=false ; 167 "tiny.mlir:6:8"
  signal engine=SEL, semaphore=34 ; 168 "tiny.mlir:6:8"
  signal engine=SEL, semaphore=33 ; 169 "tiny.mlir:6:8"
  wait engine=PE, semaphore=33 ; 170 "tiny.mlir:6:8"
  pe.gemm acc=[0xa0100], x=[0x80], w=[0x60080], list=[0x120100], low=[0x120080], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false ; 171 "tiny.mlir:6:8"
  signal engine=PE, semaphore=41 ; 172 "tiny.mlir:6:8"
  signal engine=PE, semaphore=39 ; 173 "tiny.mlir:6:8"
  signal engine=PE, semaphore=37 ; 174 "tiny.mlir:6:8"
  wait engine=APU, semaphore=34 ; 175 "tiny.mlir:6:8"
  wait engine=APU, semaphore=41 ; 176 "tiny.mlir:6:8"
  apu.rescale y=[0xa0080], acc=[0xa0100], w_scale=[0x60000], scale=[0x1200c0], bias=-, list=[0x120100], low=[0x120080], row0=0, rows=8, n=2, y_stride=16, acc_stride=8, precision=a4w4 ; 177 "tiny.mlir:6:8"
  sel.list list=[0x120140], flags=[0x120040], row0=0, rows=8, invert=false ; 178 "tiny.mlir:6:8"
  signal engine=SEL, semaphore=34 ; 179 "tiny.mlir:6:8"
  signal engine=SEL, semaphore=33 ; 180 "tiny.mlir:6:8"
  wait engine=PE, semaphore=33 ; 181 "tiny.mlir:6:8"
  pe.gemm acc=[0xa0140], x=[0x80], w=[0x60082], list=[0x120140], low=[0x120080], row0=0, rows=8, k=4, n=2, acc_stride=8, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false ; 182 "tiny.mlir:6:8"
  signal engine=PE, semaphore=41 ; 183 "tiny.mlir:6:8"
  signal engine=PE, semaphore=36 ; 184 "tiny.mlir:6:8"
  wait engine=APU, semaphore=34 ; 185 "tiny.mlir:6:8"
  wait engine=APU, semaphore=41 ; 186 "tiny.mlir:6:8"
  apu.rescale y=[0xa0088], acc=[0xa0140], w_scale=[0x60008], scale=[0x1200c0], bias=-, list=[0x120140], low=[0x120080], row0=0, rows=8, n=2, y_stride=16, acc_stride=8, precision=a4w4 ; 187 "tiny.mlir:6:8"
  signal engine=APU, semaphore=43 ; 188 "tiny.mlir:6:8"
.source "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=36 ; 189 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=43 ; 190 "tiny.mlir:7:8"
  load dst=[0x120080], src=dram[0x1c80], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 191 "tiny.mlir:7:8"
  load dst=[0x1200c0], src=dram[0x1cc0], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 192 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=11 ; 193 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=11 ; 194 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=46 ; 195 "tiny.mlir:7:8"
  sel.list list=[0x120180], flags=[0x120080], row0=0, rows=8, invert=true ; 196 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=34 ; 197 "tiny.mlir:7:8"
  wait engine=APU, semaphore=13 ; 198 "tiny.mlir:7:8"
  wait engine=APU, semaphore=34 ; 199 "tiny.mlir:7:8"
  apu.quantize q=[0xa0100], scale=[0x120000], x=[0xa0000], list=[0x120180], low=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16 ; 200 "tiny.mlir:7:8"
  signal engine=APU, semaphore=46 ; 201 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=46 ; 202 "tiny.mlir:7:8"
  sel.list list=[0x120180], flags=[0x1200c0], row0=0, rows=8, invert=true ; 203 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=34 ; 204 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=29 ; 205 "tiny.mlir:7:8"
  wait engine=APU, semaphore=34 ; 206 "tiny.mlir:7:8"
  apu.quantize q=[0xa0102], scale=[0x120040], x=[0xa0008], list=[0x120180], low=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16 ; 207 "tiny.mlir:7:8"
  signal engine=APU, semaphore=44 ; 208 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=23 ; 209 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=37 ; 210 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=44 ; 211 "tiny.mlir:7:8"
  store dst=dram[0x1740], src=[0xa0100], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 212 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=9 ; 213 "tiny.mlir:7:8"
  store dst=dram[0x1540], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 214 "tiny.mlir:7:8"
  store dst=dram[0x1640], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 215 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=20 ; 216 "tiny.mlir:7:8"
  wait engine=APU, semaphore=20 ; 217 "tiny.mlir:7:8"
  apu.quantize q=[0xa0100], scale=[0x120000], x=[0xa0080], list=[0x120100], low=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16 ; 218 "tiny.mlir:7:8"
  signal engine=APU, semaphore=46 ; 219 "tiny.mlir:7:8"
  apu.quantize q=[0xa0102], scale=[0x120040], x=[0xa0088], list=[0x120140], low=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16 ; 220 "tiny.mlir:7:8"
  signal engine=APU, semaphore=44 ; 221 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=44 ; 222 "tiny.mlir:7:8"
  store dst=dram[0x1440], src=[0xa0100], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 223 "tiny.mlir:7:8"
  store dst=dram[0x1240], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 224 "tiny.mlir:7:8"
  store dst=dram[0x1340], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 225 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=20 ; 226 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=29 ; 227 "tiny.mlir:7:8"
  load dst=[0x120080], src=dram[0x1880], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 228 "tiny.mlir:7:8"
  load dst=[0x1200c0], src=dram[0x18c0], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 229 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=11 ; 230 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=11 ; 231 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=39 ; 232 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=46 ; 233 "tiny.mlir:7:8"
  sel.list list=[0x120100], flags=[0x120080], row0=0, rows=8, invert=false ; 234 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=34 ; 235 "tiny.mlir:7:8"
  wait engine=APU, semaphore=20 ; 236 "tiny.mlir:7:8"
  wait engine=APU, semaphore=34 ; 237 "tiny.mlir:7:8"
  apu.quantize q=[0xa0080], scale=[0x120000], x=[0xa0000], list=[0x120100], low=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16 ; 238 "tiny.mlir:7:8"
  signal engine=APU, semaphore=46 ; 239 "tiny.mlir:7:8"
  wait engine=SEL, semaphore=46 ; 240 "tiny.mlir:7:8"
  sel.list list=[0x120100], flags=[0x1200c0], row0=0, rows=8, invert=false ; 241 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=34 ; 242 "tiny.mlir:7:8"
  signal engine=SEL, semaphore=29 ; 243 "tiny.mlir:7:8"
  wait engine=APU, semaphore=34 ; 244 "tiny.mlir:7:8"
  apu.quantize q=[0xa0082], scale=[0x120040], x=[0xa0008], list=[0x120100], low=-, row0=0, rows=8, n=2, q_stride=4, x_stride=16 ; 245 "tiny.mlir:7:8"
  signal engine=APU, semaphore=44 ; 246 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=44 ; 247 "tiny.mlir:7:8"
  store dst=dram[0x1140], src=[0xa0080], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 248 "tiny.mlir:7:8"
  store dst=dram[0xf40], src=[0x120000], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 249 "tiny.mlir:7:8"
  store dst=dram[0x1040], src=[0x120040], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 250 "tiny.mlir:7:8"
  load dst=[0x0], src=dram[0x2800], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false ; 251 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=13 ; 252 "tiny.mlir:7:8"
  wait engine=APU, semaphore=13 ; 253 "tiny.mlir:7:8"
  apu.column_sum sum=[0xa0000], x=[0x0], row0=0, rows=8, n=4, x_stride=16 ; 254 "tiny.mlir:7:8"
  signal engine=APU, semaphore=43 ; 255 "tiny.mlir:7:8"
  apu.mean y=[0xa0040], sum=[0xa0000], n=4 ; 256 "tiny.mlir:7:8"
  signal engine=APU, semaphore=44 ; 257 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=44 ; 258 "tiny.mlir:7:8"
  store dst=dram[0xf00], src=[0xa0040], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 259 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=20 ; 260 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=19 ; 261 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=15 ; 262 "tiny.mlir:7:8"
  load dst=[0x60000], src=dram[0x40], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 263 "tiny.mlir:7:8"
  load dst=[0x60040], src=dram[0x0], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 264 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=12 ; 265 "tiny.mlir:7:8"
  load dst=[0x60080], src=dram[0x140], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 266 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=15 ; 267 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=43 ; 268 "tiny.mlir:7:8"
  load dst=[0x0], src=dram[0xf00], row0=0, rows=1, row_bytes=16, dst_stride=16, src_stride=16, whole=true ; 269 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=13 ; 270 "tiny.mlir:7:8"
  wait engine=APU, semaphore=13 ; 271 "tiny.mlir:7:8"
  wait engine=APU, semaphore=27 ; 272 "tiny.mlir:7:8"
  apu.quantize q=[0x40], scale=[0x120080], x=[0x0], list=-, low=-, row0=0, rows=1, n=4, q_stride=4, x_stride=16 ; 273 "tiny.mlir:7:8"
  signal engine=APU, semaphore=47 ; 274 "tiny.mlir:7:8"
  wait engine=PE, semaphore=12 ; 275 "tiny.mlir:7:8"
  wait engine=PE, semaphore=19 ; 276 "tiny.mlir:7:8"
  wait engine=PE, semaphore=47 ; 277 "tiny.mlir:7:8"
  pe.gemm acc=[0xa0040], x=[0x40], w=[0x60040], list=-, low=-, row0=0, rows=1, k=4, n=4, acc_stride=16, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false ; 278 "tiny.mlir:7:8"
  signal engine=PE, semaphore=41 ; 279 "tiny.mlir:7:8"
  signal engine=PE, semaphore=37 ; 280 "tiny.mlir:7:8"
  wait engine=APU, semaphore=41 ; 281 "tiny.mlir:7:8"
  apu.rescale y=[0xa0000], acc=[0xa0040], w_scale=[0x60000], scale=[0x120080], bias=-, list=-, low=-, row0=0, rows=1, n=4, y_stride=16, acc_stride=16, precision=a4w4 ; 282 "tiny.mlir:7:8"
  wait engine=APU, semaphore=20 ; 283 "tiny.mlir:7:8"
  apu.quantize q=[0xa0040], scale=[0x120000], x=[0xa0000], list=-, low=-, row0=0, rows=1, n=2, q_stride=4, x_stride=16 ; 284 "tiny.mlir:7:8"
  apu.quantize q=[0xa0042], scale=[0x120040], x=[0xa0008], list=-, low=-, row0=0, rows=1, n=2, q_stride=4, x_stride=16 ; 285 "tiny.mlir:7:8"
  signal engine=APU, semaphore=47 ; 286 "tiny.mlir:7:8"
  signal engine=APU, semaphore=44 ; 287 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=37 ; 288 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=44 ; 289 "tiny.mlir:7:8"
  store dst=dram[0xec0], src=[0xa0040], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 290 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=19 ; 291 "tiny.mlir:7:8"
  store dst=dram[0xe40], src=[0x120000], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 292 "tiny.mlir:7:8"
  store dst=dram[0xe80], src=[0x120040], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 293 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=20 ; 294 "tiny.mlir:7:8"
  wait engine=PE, semaphore=19 ; 295 "tiny.mlir:7:8"
  wait engine=PE, semaphore=47 ; 296 "tiny.mlir:7:8"
  pe.gemm acc=[0xa0040], x=[0x40], w=[0x60040], list=-, low=-, row0=0, rows=1, k=4, n=4, acc_stride=16, x_stride=4, w_stride=4, precision=a4w4, role=qkv, accumulate=false ; 297 "tiny.mlir:7:8"
  signal engine=PE, semaphore=41 ; 298 "tiny.mlir:7:8"
  signal engine=PE, semaphore=37 ; 299 "tiny.mlir:7:8"
  signal engine=PE, semaphore=36 ; 300 "tiny.mlir:7:8"
  wait engine=APU, semaphore=41 ; 301 "tiny.mlir:7:8"
  apu.rescale y=[0xa0000], acc=[0xa0040], w_scale=[0x60000], scale=[0x120080], bias=[0x60080], list=-, low=-, row0=0, rows=1, n=4, y_stride=16, acc_stride=16, precision=a4w4 ; 302 "tiny.mlir:7:8"
  wait engine=APU, semaphore=20 ; 303 "tiny.mlir:7:8"
  apu.quantize q=[0xa0040], scale=[0x120000], x=[0xa0000], list=-, low=-, row0=0, rows=1, n=2, q_stride=4, x_stride=16 ; 304 "tiny.mlir:7:8"
  apu.quantize q=[0xa0042], scale=[0x120040], x=[0xa0008], list=-, low=-, row0=0, rows=1, n=2, q_stride=4, x_stride=16 ; 305 "tiny.mlir:7:8"
  signal engine=APU, semaphore=47 ; 306 "tiny.mlir:7:8"
  signal engine=APU, semaphore=44 ; 307 "tiny.mlir:7:8"
  signal engine=APU, semaphore=43 ; 308 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=37 ; 309 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=44 ; 310 "tiny.mlir:7:8"
  store dst=dram[0xe00], src=[0xa0040], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 311 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=19 ; 312 "tiny.mlir:7:8"
  store dst=dram[0xd80], src=[0x120000], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 313 "tiny.mlir:7:8"
  store dst=dram[0xdc0], src=[0x120040], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 314 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=15 ; 315 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=15 ; 316 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=29 ; 317 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=43 ; 318 "tiny.mlir:7:8"
  load dst=[0x120000], src=dram[0x1240], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 319 "tiny.mlir:7:8"
  load dst=[0x120100], src=dram[0xf40], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 320 "tiny.mlir:7:8"
  load dst=[0xa0800], src=dram[0x1440], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 321 "tiny.mlir:7:8"
  load dst=[0xa1400], src=dram[0x1140], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 322 "tiny.mlir:7:8"
  load dst=[0xa0880], src=dram[0xec0], row0=0, rows=1, row_bytes=2, dst_stride=2, src_stride=4, whole=true ; 323 "tiny.mlir:7:8"
  load dst=[0xa1580], src=dram[0xe00], row0=0, rows=1, row_bytes=2, dst_stride=2, src_stride=4, whole=true ; 324 "tiny.mlir:7:8"
  load dst=[0x120500], src=dram[0xe40], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 325 "tiny.mlir:7:8"
  load dst=[0x120540], src=dram[0xd80], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 326 "tiny.mlir:7:8"
  load dst=[0x0], src=dram[0x1740], row0=0, rows=8, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 327 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=9 ; 328 "tiny.mlir:7:8"
  load dst=[0x120580], src=dram[0x1540], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 329 "tiny.mlir:7:8"
  load dst=[0x1205c0], src=dram[0x1d00], row0=0, rows=8, row_bytes=8, dst_stride=8, src_stride=8, whole=false ; 330 "tiny.mlir:7:8"
  load dst=[0x120600], src=dram[0x1c80], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 331 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=13 ; 332 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=12 ; 333 "tiny.mlir:7:8"
  load dst=[0x120640], src=dram[0x1a80], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 334 "tiny.mlir:7:8"
  load dst=[0x120200], src=dram[0x1340], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 335 "tiny.mlir:7:8"
  load dst=[0x120300], src=dram[0x1040], row0=0, rows=64, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 336 "tiny.mlir:7:8"
  load dst=[0xa1480], src=dram[0x1442], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 337 "tiny.mlir:7:8"
  load dst=[0xa1500], src=dram[0x1142], row0=0, rows=64, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 338 "tiny.mlir:7:8"
  load dst=[0xa15c0], src=dram[0xec2], row0=0, rows=1, row_bytes=2, dst_stride=2, src_stride=4, whole=true ; 339 "tiny.mlir:7:8"
  load dst=[0xa1600], src=dram[0xe02], row0=0, rows=1, row_bytes=2, dst_stride=2, src_stride=4, whole=true ; 340 "tiny.mlir:7:8"
  load dst=[0x120680], src=dram[0xe80], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 341 "tiny.mlir:7:8"
  load dst=[0x1206c0], src=dram[0xdc0], row0=0, rows=1, row_bytes=4, dst_stride=4, src_stride=4, whole=true ; 342 "tiny.mlir:7:8"
  wait engine=LOAD, semaphore=36 ; 343 "tiny.mlir:7:8"
  load dst=[0x40], src=dram[0x1742], row0=0, rows=8, row_bytes=2, dst_stride=2, src_stride=4, whole=false ; 344 "tiny.mlir:7:8"
  load dst=[0x120700], src=dram[0x1640], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 345 "tiny.mlir:7:8"
  load dst=[0x120740], src=dram[0x1f00], row0=0, rows=8, row_bytes=8, dst_stride=8, src_stride=8, whole=false ; 346 "tiny.mlir:7:8"
  load dst=[0x120780], src=dram[0x1cc0], row0=0, rows=8, row_bytes=1, dst_stride=1, src_stride=1, whole=false ; 347 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=13 ; 348 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=12 ; 349 "tiny.mlir:7:8"
  load dst=[0x1207c0], src=dram[0x1b80], row0=0, rows=8, row_bytes=4, dst_stride=4, src_stride=4, whole=false ; 350 "tiny.mlir:7:8"
  signal engine=LOAD, semaphore=13 ; 351 "tiny.mlir:7:8"
  wait engine=PE, semaphore=12 ; 352 "tiny.mlir:7:8"
  wait engine=PE, semaphore=19 ; 353 "tiny.mlir:7:8"
  wait engine=PE, semaphore=26 ; 354 "tiny.mlir:7:8"
  wait engine=PE, semaphore=47 ; 355 "tiny.mlir:7:8"
  pe.qk score=[0xa0000], q=[0x0], k=[0xa0800], mask=[0x1205c0], dominated=[0x120600], row0=0, rows=8, col0=0, cols=64, n=2, score_stride=256, q_stride=2, k_stride=2, mask_stride=8, causal=false, tail=false ; 356 "tiny.mlir:7:8"
  signal engine=PE, semaphore=41 ; 357 "tiny.mlir:7:8"
  pe.qk score=[0x120800], q=[0x0], k=[0xa0880], mask=-, dominated=[0x120600], row0=0, rows=8, col0=0, cols=1, n=2, score_stride=4, q_stride=2, k_stride=2, mask_stride=0, causal=false, tail=true ; 358 "tiny.mlir:7:8"
  wait engine=PE, semaphore=12 ; 359 "tiny.mlir:7:8"
  pe.qk score=[0xa0800], q=[0x40], k=[0xa1480], mask=[0x120740], dominated=[0x120780], row0=0, rows=8, col0=0, cols=64, n=2, score_stride=256, q_stride=2, k_stride=2, mask_stride=8, causal=false, tail=false ; 360 "tiny.mlir:7:8"
  signal engine=PE, semaphore=41 ; 361 "tiny.mlir:7:8"
  pe.qk score=[0x120840], q=[0x40], k=[0xa15c0], mask=-, dominated=[0x120780], row0=0, rows=8, col0=0, cols=1, n=2, score_stride=4, q_stride=2, k_stride=2, mask_stride=0, causal=false, tail=true ; 362 "tiny.mlir:7:8"
  signal engine=PE, semaphore=36 ; 363 "tiny.mlir:7:8"
  wait engine=APU, semaphore=13 ; 364 "tiny.mlir:7:8"
  wait engine=APU, semaphore=41 ; 365 "tiny.mlir:7:8"
  apu.softmax p=[0xa1000], stats=[0x120400], score=[0xa0000], query_scale=[0x120580], key_scale=[0x120000], value_scale=[0x120100], mask=[0x1205c0], dominated=[0x120600], row0=0, rows=8, p_stride=64, score_stride=256, mask_stride=8, attention_scale=0.5, causal=false ; 366 "tiny.mlir:7:8"
  signal engine=APU, semaphore=47 ; 367 "tiny.mlir:7:8"
  wait engine=APU, semaphore=13 ; 368 "tiny.mlir:7:8"
  wait engine=APU, semaphore=41 ; 369 "tiny.mlir:7:8"
  apu.softmax p=[0xa1200], stats=[0x120480], score=[0xa0800], query_scale=[0x120700], key_scale=[0x120200], value_scale=[0x120300], mask=[0x120740], dominated=[0x120780], row0=0, rows=8, p_stride=64, score_stride=256, mask_stride=8, attention_scale=0.5, causal=false ; 370 "tiny.mlir:7:8"
  signal engine=APU, semaphore=47 ; 371 "tiny.mlir:7:8"
  wait engine=PE, semaphore=47 ; 372 "tiny.mlir:7:8"
  pe.pv num=[0xa1640], p=[0xa1000], v=[0xa1400], mask=[0x1205c0], dominated=[0x120600], row0=0, rows=8, col0=0, cols=64, n=2, num_stride=8, p_stride=64, v_stride=2, mask_stride=8, causal=false, accumulate=false ; 373 "tiny.mlir:7:8"
  signal engine=PE, semaphore=41 ; 374 "tiny.mlir:7:8"
  wait engine=PE, semaphore=47 ; 375 "tiny.mlir:7:8"
  pe.pv num=[0xa1680], p=[0xa1200], v=[0xa1500], mask=[0x120740], dominated=[0x120780], row0=0, rows=8, col0=0, cols=64, n=2, num_stride=8, p_stride=64, v_stride=2, mask_stride=8, causal=false, accumulate=false ; 376 "tiny.mlir:7:8"
  signal engine=PE, semaphore=41 ; 377 "tiny.mlir:7:8"
  apu.copy_dominated ctx=[0x80], v=[0xa1400], value_scale=[0x120100], dominated=[0x120600], argmax=[0x120640], row0=0, rows=8, col0=0, cols=64, n=2, ctx_stride=8, v_stride=2 ; 378 "tiny.mlir:7:8"
  wait engine=APU, semaphore=41 ; 379 "tiny.mlir:7:8"
  apu.context ctx=[0x80], num=[0xa1640], stats=[0x120400], query_scale=[0x120580], dominated=[0x120600], tail_score=[0x120800], tail_key_scale=[0x120500], tail_value=[0xa1580], tail_value_scale=[0x120540], row0=0, rows=8, n=2, ctx_stride=8, num_stride=8, attention_scale=0.5, causal=false ; 380 "tiny.mlir:7:8"
  signal engine=APU, semaphore=44 ; 381 "tiny.mlir:7:8"
  wait engine=APU, semaphore=13 ; 382 "tiny.mlir:7:8"
  apu.copy_dominated ctx=[0x0], v=[0xa1500], value_scale=[0x120300], dominated=[0x120780], argmax=[0x1207c0], row0=0, rows=8, col0=0, cols=64, n=2, ctx_stride=8, v_stride=2 ; 383 "tiny.mlir:7:8"
  wait engine=APU, semaphore=41 ; 384 "tiny.mlir:7:8"
  apu.context ctx=[0x0], num=[0xa1680], stats=[0x120480], query_scale=[0x120700], dominated=[0x120780], tail_score=[0x120840], tail_key_scale=[0x120680], tail_value=[0xa1600], tail_value_scale=[0x1206c0], row0=0, rows=8, n=2, ctx_stride=8, num_stride=8, attention_scale=0.5, causal=false ; 385 "tiny.mlir:7:8"
  signal engine=APU, semaphore=44 ; 386 "tiny.mlir:7:8"
  signal engine=APU, semaphore=43 ; 387 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=44 ; 388 "tiny.mlir:7:8"
  store dst=dram[0x980], src=[0x80], row0=0, rows=8, row_bytes=8, dst_stride=16, src_stride=8, whole=false ; 389 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=9 ; 390 "tiny.mlir:7:8"
  wait engine=STORE, semaphore=44 ; 391 "tiny.mlir:7:8"
  store dst=dram[0x988], src=[0x0], row0=0, rows=8, row_bytes=8, dst_stride=16, src_stride=8, whole=false ; 392 "tiny.mlir:7:8"
  signal engine=STORE, semaphore=15 ; 393 "tiny.mlir:7:8"
.source "tiny.mlir:8:8"
  wait engine=LOAD, semaphore=15 ; 394 "tiny.mlir:8:8"
  wait engine=LOAD, semaphore=36 ; 395 "tiny.mlir:8:8"
  wait engine=LOAD, semaphore=43 ; 396 "tiny.mlir:8:8"
  load dst=[0x0], src=dram[0x180], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false ; 397 "tiny.mlir:8:8"
  load dst=[0x80], src=dram[0x980], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false ; 398 "tiny.mlir:8:8"
  signal engine=LOAD, semaphore=13 ; 399 "tiny.mlir:8:8"
  wait engine=APU, semaphore=13 ; 400 "tiny.mlir:8:8"
  apu.add y=[0x100], a=[0x0], b=[0x80], row0=0, rows=8, n=4, y_stride=16, a_stride=16, b_stride=16 ; 401 "tiny.mlir:8:8"
  signal engine=APU, semaphore=44 ; 402 "tiny.mlir:8:8"
  wait engine=STORE, semaphore=44 ; 403 "tiny.mlir:8:8"
  store dst=dram[0x580], src=[0x100], row0=0, rows=8, row_bytes=16, dst_stride=16, src_stride=16, whole=false ; 404 "tiny.mlir:8:8"
.source "tiny.mlir:1:1"
  halt ; 405 "tiny.mlir:1:1"
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
