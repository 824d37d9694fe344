/* Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
 *
 * Runs an encoder that was compiled with
 *
 *     fact-compile encoder.mlir --target=cpu -o encoder.o
 *
 * from C: encoder.h declares the function, encoder.o is all that is linked.
 *
 * usage: run_encoder X.npy Y.npy [THREADS]      (float32 [1, L, d], in C order)
 */
#include "encoder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, const char *path) {
  fprintf(stderr, "run_encoder: error: %s '%s'\n", what, path);
  return 1;
}

/* Threads that are made for each call; a program that calls more often keeps
 * them. */
struct work {
  void (*task)(void *arguments, int64_t i);
  void *arguments;
  int64_t count;
  atomic_llong next;
};

static void *take_tasks(void *work) {
  struct work *w = work;
  for (int64_t i; (i = atomic_fetch_add(&w->next, 1)) < w->count;)
    w->task(w->arguments, i);
  return NULL;
}

enum { MAX_THREADS = 64 };

static void run_in_threads(void *context, int64_t count,
                           void (*task)(void *arguments, int64_t i),
                           void *arguments) {
  struct work work = {task, arguments, count, 0};
  pthread_t threads[MAX_THREADS];
  int helpers = 0;
  while (helpers < *(int *)context - 1 &&
         pthread_create(&threads[helpers], NULL, take_tasks, &work) == 0)
    ++helpers;
  take_tasks(&work);
  while (helpers > 0)
    pthread_join(threads[--helpers], NULL);
}

int main(int argc, char **argv) {
  int threads = argc > 3 ? atoi(argv[3]) : 1;
  if (argc < 3 || argc > 4 || threads < 1 || threads > MAX_THREADS) {
    fprintf(stderr, "usage: run_encoder X.npy Y.npy [THREADS]\n");
    return 2;
  }

  /* The header of a .npy file: magic, version, length, a Python dict. */
  FILE *in = fopen(argv[1], "rb");
  unsigned char start[10];
  char header[1024];
  if (!in || fread(start, 1, 10, in) != 10 ||
      memcmp(start, "\x93NUMPY\x01", 7) != 0)
    return fail("cannot read", argv[1]);
  size_t size = start[8] | start[9] << 8;
  if (size >= sizeof header || fread(header, 1, size, in) != size)
    return fail("cannot read the header of", argv[1]);
  header[size] = 0;
  const char *shape = strstr(header, "'shape': (");
  long length, features;
  if (!strstr(header, "'<f4'") || !shape ||
      sscanf(shape, "'shape': (1, %ld, %ld)", &length, &features) != 2 ||
      length < 1 || length > ENCODER_MAX_LENGTH || features < 1 ||
      features > 65536)
    return fail("a float32 array [1, L, d] with L up to the encoder's bound is "
                "expected in",
                argv[1]);

  size_t count = (size_t)length * (size_t)features;
  float *x = malloc(count * sizeof *x), *y = malloc(count * sizeof *y);
  if (!x || !y || fread(x, sizeof *x, count, in) != count)
    return fail("cannot read the data of", argv[1]);
  fclose(in);

  fact_error error;
  fact_parallel parallel = {run_in_threads, &threads};
  if (encoder_parallel(x, length, y, &error, threads > 1 ? &parallel : NULL) !=
      FACT_OK) {
    fprintf(stderr,
            "run_encoder: error: code %d in '%s' at row %lld, column %lld\n",
            (int)error.code, error.tensor ? error.tensor : "",
            (long long)error.row, (long long)error.column);
    return 1;
  }

  /* The output has the input's shape, hence its header. */
  FILE *out = fopen(argv[2], "wb");
  if (!out || fwrite(start, 1, 10, out) != 10 ||
      fwrite(header, 1, size, out) != size ||
      fwrite(y, sizeof *y, count, out) != count || fclose(out) != 0)
    return fail("cannot write", argv[2]);
  free(x);
  free(y);
  return 0;
}
