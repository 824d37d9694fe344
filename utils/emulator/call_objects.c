/* Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
 *
 * usage: call_objects LIST: in the emulated processor, calls functions of
 * shared objects that fact-compile made, and compares what they write.
 * A line of LIST: ./OBJECT FUNCTION LENGTH INPUT EXPECTED, the last two files.
 * Prints for each "OBJECT ok" or "OBJECT" and what is wrong. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int32_t code;
  const char *tensor;
  int64_t row, column;
} fact_error;
typedef int (*entry)(const float *x, int64_t length, float *y,
                     fact_error *error);

static void *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) {
    printf("cannot read %s\n", path);
    exit(1);
  }
  *size = (size_t)ftell(file);
  rewind(file);
  void *data = malloc(*size + 1);
  if (fread(data, 1, *size, file) != *size)
    exit(1);
  fclose(file);
  return data;
}

static void call(const char *object, const char *function, int64_t length,
                 const char *input, const char *expected_path) {
  size_t x_size, size;
  float *x = read_file(input, &x_size);
  uint32_t *expected = read_file(expected_path, &size);
  uint32_t *y = calloc(1, size + 1);
  void *library = dlopen(object, RTLD_NOW);
  entry f = library ? (entry)dlsym(library, function) : NULL;
  fact_error error = {0, "", 0, 0};
  if (!f) {
    printf("%s %s\n", object, dlerror());
  } else if (f(x, length, (float *)y, &error)) {
    printf("%s error %d of '%s', row %ld\n", object, (int)error.code,
           error.tensor, (long)error.row);
  } else {
    size_t i = 0, n = size / 4;
    while (i < n && y[i] == expected[i])
      i++;
    if (i == n)
      printf("%s ok\n", object);
    else
      printf("%s element %zu is 0x%08x, not 0x%08x\n", object, i,
             (unsigned)y[i], (unsigned)expected[i]);
  }
  fflush(stdout);
  if (library)
    dlclose(library);
  free(x);
  free(expected);
  free(y);
}

int main(int argc, char **argv) {
  char object[200], function[200], input[200], expected[200];
  long length;
  FILE *list = argc == 2 ? fopen(argv[1], "r") : NULL;
  if (!list)
    return 1;
  while (fscanf(list, "%199s %199s %ld %199s %199s", object, function, &length,
                input, expected) == 5)
    call(object, function, length, input, expected);
  return 0;
}
