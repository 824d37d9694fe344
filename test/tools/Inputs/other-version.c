/* Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
 *
 * other-version OFFSET IN OUT: a program file whose 32-bit number at OFFSET of
 * the header (8: format, 12: instruction set) is one more, under a right
 * checksum. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  FILE *in = fopen(argv[2], "rb"), *out = fopen(argv[3], "wb");
  static char bytes[1 << 20];
  size_t size = in && out ? fread(bytes, 1, sizeof(bytes), in) : 0;
  if (size < 64 || size == sizeof(bytes))
    return 1;
  uint32_t version;
  memcpy(&version, bytes + atoi(argv[1]), 4);
  ++version;
  memcpy(bytes + atoi(argv[1]), &version, 4);
  uint64_t checksum = XXH3_64bits(bytes, 56);
  memcpy(bytes + 56, &checksum, 8);
  return fwrite(bytes, 1, size, out) != size || fclose(out) != 0;
}
