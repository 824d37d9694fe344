/* Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
 *
 * Preloaded into a program, refuses the system call by which it asks Linux for
 * the tiles of AMX: it runs then as on a processor without them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>

long syscall(long number, ...) {
  static long (*real)(long, ...);
  long arguments[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; ++i)
    arguments[i] = va_arg(list, long);
  va_end(list);
#ifdef SYS_arch_prctl
  if (number == SYS_arch_prctl) {
    errno = EINVAL;
    return -1;
  }
#endif
  if (!real)
    real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  return real(number, arguments[0], arguments[1], arguments[2], arguments[3],
              arguments[4], arguments[5]);
}
