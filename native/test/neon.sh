#!/bin/sh
# Cross-compiles the C core for aarch64 and runs its tests under qemu-user.
#
#   native/test/neon.sh [BUILD_DIR]
#
# Needs aarch64-linux-gnu-gcc and qemu-aarch64, statically linked or not (Debian and
# Ubuntu: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user-static). Says what is
# missing and exits 0 where they are not installed.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/neon}
sysroot=${FOVEA_NEON_SYSROOT:-/usr/aarch64-linux-gnu}

compiler=$(command -v aarch64-linux-gnu-gcc || true)
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
missing=
[ -n "$compiler" ] || missing="$missing aarch64-linux-gnu-gcc"
[ -n "$emulator" ] || missing="$missing qemu-aarch64"
[ -e "$sysroot/lib/ld-linux-aarch64.so.1" ] || missing="$missing $sysroot/lib/ld-linux-aarch64.so.1"
if [ -n "$missing" ]; then
  echo "neon: skipped, missing:$missing"
  exit 0
fi

cmake -S "$root" -B "$build" \
  -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER="$compiler" \
  -DCMAKE_CROSSCOMPILING_EMULATOR="$emulator;-L;$sysroot" -DFOVEA_OPENBLAS= -DFOVEA_NVCC=OFF
cmake --build "$build" --parallel
# All instruction sets of aarch64 share the kernels of floats; only products of weights differ, and emulation is slow.
FOVEA_TEST_ISAS=neon ctest --test-dir "$build" --parallel 2 --output-on-failure --exclude-regex '^linear'
FOVEA_TEST_ISAS='baseline neondot neonbf16' ctest --test-dir "$build" --parallel 2 --output-on-failure --tests-regex '^linear'
echo "neon: passed under $("$emulator" --version | head -n 1)"
