#!/usr/bin/env bash
# Tests and measures the GPU library on a machine that has a GPU and no JDK. Writes Markdown.
#
#   native/test/gpu.sh [--library FILE] [--build DIR] [--out FILE] [--quick] [--no-sanitizer]
#
# Builds the library and its tests (CMake, a C and a C++ compiler, nvcc), or takes a built libfovea_cuda.so with --library;
# without nvcc the tests of single ops, which have kernels of their own, are left out. Then
#   1. every device case against the float64 reference, on the real driver,
#   2. the same under compute-sanitizer, where that is installed, for two minutes a test at most,
#   3. bench/gpu.py: accuracy, bits, throughput and latency beside PyTorch, where that is installed.
# Says in one line what is missing and exits 2 where there is no GPU.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build/gpu
library=
out=
quick=
sanitize=1
while [ $# -gt 0 ]; do
  case $1 in
    --library) library=$(realpath "$2"); shift ;;
    --build) build=$(realpath -m "$2"); shift ;;
    --out) out=$2; shift ;;
    --quick) quick=--quick ;;
    --no-sanitizer) sanitize= ;;
    *) echo "gpu.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done

if ! nvidia-smi -L >/dev/null 2>&1; then
  echo "gpu.sh: no GPU here: nvidia-smi finds none" >&2
  exit 2
fi
for tool in cmake cc c++; do
  command -v "$tool" >/dev/null || { echo "gpu.sh: $tool is missing" >&2; exit 2; }
done
PATH=$PATH:/usr/local/cuda/bin
if [ -n "$library" ] && { [ ! -f "$library" ] || [ "$(basename "$library")" != libfovea_cuda.so ]; }; then
  echo "gpu.sh: expected a libfovea_cuda.so, got $library" >&2
  exit 2
fi
targets=(fovea_cuda_tests)
if ! command -v nvcc >/dev/null; then
  if [ -z "$library" ]; then
    echo "gpu.sh: nvcc is missing; give a built library with --library" >&2
    exit 2
  fi
  targets=(device_plan_test device_direct_test)
fi

generator=
command -v ninja >/dev/null && generator=-GNinja
cmake -S "$root" -B "$build" $generator -DCMAKE_BUILD_TYPE=Release -DFOVEA_OPENBLAS=
cmake --build "$build" --parallel "$(nproc)" --target "${targets[@]}"
if [ ${#targets[@]} = 1 ]; then
  tests=("$build"/native/test/cuda/device/*_test)
else
  tests=("$build"/native/test/cuda/device/{plan,direct}_test)
fi
library=${library:-$build/native/libfovea_cuda.so}

report=$(mktemp)
trap 'rm -f "$report"' EXIT
{
  echo "# The GPU library on $(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)"
  echo
  echo "$(date +%F), driver $(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1), $(nvcc --version 2>/dev/null | tail -n 1)"
  echo
  echo "## Device cases"
  echo
  echo '```'
} >"$report"

failed=0
export FOVEA_CUDA_DRIVER=libcuda.so.1
# Before the library that the tests were linked with.
LD_LIBRARY_PATH=$(dirname "$library")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
for test in "${tests[@]}"; do
  name=$(basename "$test")
  echo "== $name"
  if "$test" >"$build/$name.log" 2>&1; then
    echo "$name: $(tail -n 1 "$build/$name.log")" >>"$report"
  else
    failed=1
    { echo "$name: FAILED"; tail -n 20 "$build/$name.log"; } >>"$report"
    tail -n 20 "$build/$name.log"
  fi
done
if [ -n "$sanitize" ] && command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    for test in "${tests[@]}"; do
      name=$(basename "$test")
      echo "== compute-sanitizer $tool $name"
      code=0
      timeout 120 compute-sanitizer --tool $tool --error-exitcode 9 "$test" >"$build/$name.$tool.log" 2>&1 || code=$?
      if [ $code = 0 ]; then
        echo "$tool $name: no error" >>"$report"
      elif [ $code = 124 ]; then
        failed=1
        echo "$tool $name: not done after 120 s" >>"$report"
      else
        failed=1
        { echo "$tool $name: FAILED"; grep -m 10 '=====' "$build/$name.$tool.log"; } >>"$report" || true
      fi
    done
  done
else
  echo "compute-sanitizer: not run" >>"$report"
fi
echo '```' >>"$report"
echo >>"$report"

if python3 -c 'import numpy' 2>/dev/null; then
  python3 "$root/bench/gpu.py" --library "$library" $quick >>"$report" || failed=1
else
  echo "numpy is missing: nothing was timed." >>"$report"
fi
if [ -n "$out" ]; then
  cp "$report" "$out"
fi
cat "$report"
exit $failed
