#!/usr/bin/env bash
# usage: bochs.sh FOLDER: builds Bochs in FOLDER, and unpacks a Linux kernel for it.
#
# Bochs 3.0 emulates a Sapphire Rapids, but for a few mistakes, which are mended
# in its source: bytes of AMX products are not sign-extended, vpexpandb reads
# memory in the places of its mask, EVEX vpinsrb scales a displacement by 2, and
# Linux wants XFD of a processor with AMX.
set -euo pipefail
folder=$1
version=3.0+dfsg
sum=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
# Nothing to do where all of this is there.
stamp="$version $(sha256sum "${BASH_SOURCE[0]}" | cut -c1-16)"
[ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

curl -sSfO "https://deb.debian.org/debian/pool/main/b/bochs/bochs_$version.orig.tar.xz" ||
  curl -sSfO "http://deb.debian.org/debian/pool/main/b/bochs/bochs_$version.orig.tar.xz"
sha256sum --quiet --check - <<<"$sum  bochs_$version.orig.tar.xz"
tar xf "bochs_$version.orig.tar.xz" --one-top-level=bochs --strip-components=1
cd bochs

# edit FILE SCRIPT: sed, which has to change something.
edit() {
  cp "$1" "$1.before"
  sed -i "$2" "$1"
  ! cmp -s "$1" "$1.before" || { echo "error: nothing to mend in Bochs' $1" >&2; exit 1; }
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

./configure CXXFLAGS=-O2 CFLAGS=-O2 --enable-x86-64 --enable-cpu-level=6 --enable-avx --enable-evex --enable-amx \
  --enable-repeat-speedups --enable-configurable-msrs --enable-memtype --enable-monitor-mwait --disable-docbook --disable-show-ips \
  --with-nogui --without-x --without-x11 --without-term --without-rfb >../configure.log 2>&1
make -j "${FACT_JOBS:-$(nproc)}" >../make.log 2>&1 || { tail -n 20 ../make.log >&2; exit 1; }
cd ..

package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-.*-amd64\).*/\1/p' | head -n 1)
apt-get download -q "$package" >/dev/null
dpkg -x "$package"_*.deb kernel
cp kernel/boot/vmlinuz-* vmlinuz
rm -rf kernel ./*.deb ./*.xz
echo "$stamp" >stamp
