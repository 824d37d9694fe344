; relu of four rows, for fact-objdump-check.test
.program format=1 isa=9
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
.dram 256
.input "x" float32 [1, ?, 4] bound=4 address=0x0 row_bytes=16
.output "y" float32 [1, ?, 4] bound=4 address=0x80 row_bytes=16
.metadata {"bound":8}
.code
.source "rows"
  load dst=[0x0], src=dram[0x0], row0=0, rows=4, row_bytes=16, dst_stride=16, src_stride=16, whole=false, signal=APU
.source "relu"
  apu.activation y=[0x0], x=[0x0], row0=0, rows=4, n=4, y_stride=16, x_stride=16, kind=relu, wait=LOAD, signal=STORE
.source "y"
  store dst=dram[0x80], src=[0x0], row0=0, rows=4, row_bytes=16, dst_stride=16, src_stride=16, whole=false, wait=APU
.source ""
  halt
.end
.constants 0
.end
.end_program
