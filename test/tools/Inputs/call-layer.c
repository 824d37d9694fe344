/* Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
 * Calls the function of layer.o on plain files of floats, with denormals
 * flushed to zero as a host may have it, and checks what it promises.
 *
 * usage: call-layer IN OUT ROWS */
#include "layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define FEATURES 12

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  int64_t rows = atoll(argv[3]);
  size_t count = (size_t)rows * FEATURES;
  float *x = malloc(count * sizeof *x), *y = malloc(count * sizeof *y);
  FILE *in = fopen(argv[1], "rb");
  if (!in || fread(x, sizeof *x, count, in) != count)
    return 3;
  fclose(in);

  fact_error error = {0};
  if (layer(x, 0, y, &error) != FACT_BAD_LENGTH || error.row != 0)
    return 4;
  if (layer(x, LAYER_MAX_LENGTH + 1, y, NULL) != FACT_BAD_LENGTH)
    return 5;
  float kept = x[FEATURES + 2];
  x[FEATURES + 2] = INFINITY;
  if (layer(x, rows, y, &error) != FACT_BAD_INPUT || error.row != 1 ||
      error.column != 2)
    return 6;
  printf("bad element of '%s'\n", error.tensor);
  x[FEATURES + 2] = kept;

#ifdef __x86_64__
  unsigned mode = _mm_getcsr() | 0x8040; /* flush to zero, denormals are zero */
  _mm_setcsr(mode);
#endif
  if (layer(x, rows, y, &error) != FACT_OK)
    return 7;
#ifdef __x86_64__
  if (_mm_getcsr() != mode)
    return 8;
#endif
  FILE *out = fopen(argv[2], "wb");
  if (!out || fwrite(y, sizeof *y, count, out) != count || fclose(out) != 0)
    return 9;
  free(x);
  free(y);
  return 0;
}
