#!/usr/bin/env bash
# usage: bochs.sh FOLDER: builds Bochs in FOLDER, and unpacks a Linux kernel for it.
#
# Bochs 3.0 emulates a Sapphire Rapids, but for a few mistakes, which are mended
# in its source: bytes of AMX products are not sign-extended, vpexpandb reads
# memory in the places of its mask, EVEX vpinsrb scales a displacement by 2, and
# Linux wants XFD of a processor with AMX.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
version=3.0+dfsg
sum=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
fail() { fact_fail "$@"; exit 1; }
folder=$(realpath -m "${1:?a folder is needed}")
mkdir -p "$(dirname "$folder")"
# One at a time.
exec 9>"$folder.lock"
flock 9
# Nothing to do where all of this is there.
stamp="$version $(sha256sum "${BASH_SOURCE[0]}" | cut -c1-16)"
[ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] && exit 0
[ ! -e "$folder" ] || [ -e "$folder/stamp" ] || fail "'$folder' is there, and not an emulator of this script's: remove it to build one there"
scratch=$(mktemp -d "$folder.XXXXXX")
chmod 755 "$scratch"
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

fetch() { curl -sSf --retry 2 --connect-timeout 20 --max-time 300 -O "$1"; }
path=debian/pool/main/b/bochs/bochs_$version.orig.tar.xz
fetch "https://deb.debian.org/$path" || fetch "http://deb.debian.org/$path" ||
  fail "could not fetch Bochs $version from deb.debian.org"
sha256sum --quiet --check - <<<"$sum  bochs_$version.orig.tar.xz"

# The kernel is Debian's of today; apt's lists may be older than that.
fetch_kernel() {
  local package
  package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-.*-amd64\).*/\1/p' | head -n 1)
  [ -n "$package" ] && apt-get download -q "$package" >/dev/null
}
fetch_kernel || { fact_as_root apt-get update -q >/dev/null && fetch_kernel; } ||
  fail "could not fetch the kernel of linux-image-cloud-amd64 (Debian on amd64 has it)"
dpkg -x linux-image-*.deb kernel
cp kernel/boot/vmlinuz-* vmlinuz

tar xf "bochs_$version.orig.tar.xz" --one-top-level=bochs --strip-components=1
cd bochs

# edit FILE SCRIPT: sed, which has to change something.
edit() {
  cp "$1" "$1.before"
  sed -i "$2" "$1"
  ! cmp -s "$1" "$1.before" || fail "nothing to mend in Bochs' $1"
}
edit cpu/avx/amx.cc '/ DPBDSS(/,/^}/s/Bit32s(\([xy]byte\[.\]\))/Bit32s(Bit8s(\1))/g'
edit cpu/avx/amx.cc '/ DPBDUS(/,/^}/{s/Bit32u(\(xbyte\[.\]\))/Bit32s(\1)/;s/Bit32s(\(ybyte\[.\]\))/Bit32s(Bit8s(\1))/}'
edit cpu/decoder/ia_opcodes_evex.def '/BX_IA_EVEX_VPEXPANDB_VdqWdq_Kmask/s/LOAD_MASK_VectorB/LOAD_Vector/'
edit cpu/decoder/ia_opcodes_evex.def '/BX_IA_EVEX_VPINSRB_VdqEbIb/s/OP_Ew/OP_Eb/'
# XFD is there and does nothing: the kernel never saves nor restores tiles, and
# one program at a time has them.
edit cpu/cpuid.cc 's/^ *leaf->eax |= (1<<3);$/&\n    leaf->eax |= (1<<4);/'
edit cpu/cpuid.cc 's/^ *leaf->ecx = (cpu->ia32_xss_suppmask & (1 << subfunction)) != 0;/& if (subfunction == 18) leaf->ecx |= 4;/'
edit cpu/xsave.cc '/BX_CPU_C::xrstor_\(init_\)\?tile\(cfg\|data\)_state(/{n;s/{/{ return;/}'
edit cpu/xsave.cc '/BX_CPU_C::xsave_tile\(cfg\|data\)_state_xinuse(/{n;s/{/{ return false;/}'

{
  ./configure CXXFLAGS=-O2 CFLAGS=-O2 --enable-x86-64 --enable-cpu-level=6 --enable-avx --enable-evex --enable-amx \
    --enable-repeat-speedups --enable-configurable-msrs --enable-memtype --enable-monitor-mwait --disable-docbook --disable-show-ips \
    --with-nogui --without-x --without-x11 --without-term --without-rfb &&
    make -j "$FACT_JOBS"
} >../build.log 2>&1 || { tail -n 20 ../build.log >&2; fail "Bochs could not be built"; }
cd ..

rm -rf kernel ./*.deb ./*.xz
echo "$stamp" >stamp
rm -rf "$folder"
mv "$scratch" "$folder"
