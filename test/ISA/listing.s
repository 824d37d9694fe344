; Text to program to text: byte for byte, and what the tools refuse.
; RUN: fact-as %s -o %t.fact
; RUN: fact-objdump %t.fact > %t.s
; RUN: fact-as %t.s -o %t.again.fact
; RUN: cmp %t.fact %t.again.fact
; RUN: FileCheck %s < %t.s

; RUN: fact-objdump --no-data %t.fact > %t.no-data.s
; RUN: not fact-as %t.no-data.s -o %t.none.fact 2>&1 | FileCheck %s --check-prefix=NO-DATA
; RUN: not ls %t.none.fact
; RUN: not fact-objdump %s 2>&1 | FileCheck %s --check-prefix=NO-PROGRAM
; RUN: not fact-objdump --bogus %t.fact 2>&1 | FileCheck %s --check-prefix=USAGE

; NO-DATA: fact-as: error: {{.*}}no-data.s:[[#]]: the text was made without data (fact-objdump --no-data)
; NO-PROGRAM: fact-objdump: error: '{{.*}}listing.s' is not a valid program: wrong magic
; USAGE: fact-objdump: error: {{.*}}--bogus

; CHECK: ; 6 instructions in {{[0-9]+}} words, 3 bytes of constants
; CHECK: .input "x" float32 [1, ?, 64] bound=99 address=0x40 row_bytes=256
; CHECK: .metadata {"policy": "dense"}
; CHECK: .source "/layers.0/Add"
; CHECK-NEXT: loop rd=1, limit=512, step=64, extra=0, len=true ; 0
; CHECK-NEXT:   sync engine=APU, times=2, wait=LOAD ; 1
; CHECK-NEXT:   apu.add y=[0x100+r1], a=[0x200], b=[0x300+r1], row0=0+r1, {{.*}} b_stride=256, wait=LOAD+SEL+PE, signal=STORE ; 2
; CHECK-NEXT:   apu.add {{.*}} b_stride=256 ; 3
; CHECK-NEXT: endloop ; 4
; CHECK-NEXT: .source "end"
; CHECK-NEXT: halt ; 5
; CHECK: .constants 3
; CHECK-NEXT: YWJj

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
.dram 131072
.input "x" float32 [1, ?, 64] bound=99 address=0x40 row_bytes=256
.output "y" float32 [1, ?, 64] bound=99 address=0x10000 row_bytes=256
.metadata {"policy": "dense"}
.code
.source "/layers.0/Add"
loop rd=1, limit=512, step=64, extra=0, len=true
  sync engine=APU, times=2, wait=LOAD
  ; fields may be in any order, and engines of a set
  apu.add signal=STORE, a=[0x200], b=[0x300+r1], y=[0x100+r1], row0=0+r1, rows=64, n=64, y_stride=256, a_stride=256, b_stride=256, wait=PE+LOAD+SEL
  apu.add y=[0x100], a=[0x100], b=[0x100], row0=0, rows=64, n=64, y_stride=256, a_stride=256, b_stride=256
endloop
.source "end"
halt
.end
.constants 3
YWJj
.end
.end_program
