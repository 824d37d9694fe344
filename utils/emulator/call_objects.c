/* Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
 *
 * usage: call_objects LIST: in the emulated processor, calls functions of
 * shared objects that fact-compile made, and compares what they write. Each is
 * called in a process of its own.
 * A line of LIST: ./OBJECT FUNCTION LENGTH INPUT EXPECTED, the last two files.
 * Prints for each "OBJECT begins", and "OBJECT ok" or "OBJECT" and what is
 * wrong. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  int32_t code;
  const char *tensor;
  int64_t row, column;
} fact_error;
typedef int (*entry)(const float *x, int64_t length, float *y,
                     fact_error *error);

/* Elements that are looked at behind the output. */
#define BEHIND 64

static void *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  void *data = NULL;
  if (file && !fseek(file, 0, SEEK_END)) {
    *size = (size_t)ftell(file);
    rewind(file);
    data = malloc(*size + 1);
    if (data && fread(data, 1, *size, file) != *size)
      data = NULL;
  }
  if (file)
    fclose(file);
  return data;
}

static void call(const char *object, const char *function, int64_t length,
                 const char *input, const char *expected_path) {
  size_t x_size, size;
  float *x = read_file(input, &x_size);
  uint32_t *expected = read_file(expected_path, &size);
  uint32_t *y = expected ? malloc(size + BEHIND * 4) : NULL;
  if (!x || !y || size < 4) {
    printf("%s cannot read %s and %s\n", object, input, expected_path);
    return;
  }
  void *library = dlopen(object, RTLD_NOW);
  entry f = library ? (entry)dlsym(library, function) : NULL;
  fact_error error = {0, "", 0, 0};
  /* An element that is never written differs from what is expected; those
   * behind the last one are not to be written. */
  size_t i = 0, n = size / 4, behind = n;
  for (; i < n; i++)
    y[i] = ~expected[i];
  for (; i < n + BEHIND; i++)
    y[i] = 0xfac7fac7;
  if (!f) {
    printf("%s %s\n", object, dlerror());
  } else if (f(x, length, (float *)y, &error)) {
    printf("%s error %d of '%s', row %ld\n", object, (int)error.code,
           error.tensor, (long)error.row);
  } else {
    for (i = 0; i < n && y[i] == expected[i];)
      i++;
    while (behind < n + BEHIND && y[behind] == 0xfac7fac7)
      behind++;
    if (i == n && behind < n + BEHIND)
      printf("%s element %zu is written, of %zu\n", object, behind, n);
    else if (i == n)
      printf("%s ok\n", object);
    else
      printf("%s element %zu is 0x%08x, not 0x%08x\n", object, i,
             (unsigned)y[i], (unsigned)expected[i]);
  }
}

int main(int argc, char **argv) {
  char object[200], function[200], input[200], expected[200];
  long length;
  FILE *list = argc == 2 ? fopen(argv[1], "r") : NULL;
  if (!list)
    return 1;
  while (fscanf(list, "%199s %199s %ld %199s %199s", object, function, &length,
                input, expected) == 5) {
    printf("%s begins\n", object);
    fflush(stdout);
    pid_t child = fork();
    int status = 0;
    if (!child) {
      call(object, function, length, input, expected);
      fflush(stdout);
      _exit(0); /* exit would put LIST back to where it was read to */
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
      printf("%s no process\n", object);
    else if (WIFSIGNALED(status))
      printf("%s signal %d (%s)\n", object, WTERMSIG(status),
             strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status))
      printf("%s exit status %d\n", object, WEXITSTATUS(status));
    fflush(stdout);
  }
  return 0;
}
