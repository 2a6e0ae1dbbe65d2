#!/usr/bin/env bash
# Makes a folder that carries Fovea's command to a machine with a GPU and without a JDK: a Java runtime of the modules that
# are needed (jlink), the jars and a script `fovea`. Of the libraries it holds those of this platform, of the backends CUDA
# and plain Java; without java.desktop, so that `attend` writes no PNG. Models are not in it: bring a directory in the Hugging
# Face layout, for --model.
#
#   java/cuda-runtime.sh [DIR]        DIR: target/fovea-cuda-runtime unless given
#
# Needs nvcc, Maven and a JDK of 25 or newer, in JAVA_HOME or where ./fovea looks, and builds what is not built. At most 60 MB.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath -m "${1:-$root/target/fovea-cuda-runtime}")
most_megabytes=60
if [ -e "$out" ] && [ ! -d "$out/fovea-jars" ] && ! rmdir "$out" 2>/dev/null; then
  echo "cuda-runtime.sh: $out is there and is none of this script's folders" >&2
  exit 1
fi

for home in "${JAVA_HOME:-}" /usr/lib/jvm/* "$HOME"/.jdks/*; do
  [ -x "$home/bin/jlink" ] && grep -qs '^JAVA_VERSION="\(2[5-9]\|[3-9][0-9]\)' "$home/release" && break
  home=
done
[ -n "$home" ] || { echo "cuda-runtime.sh: no JDK of 25 or newer; set JAVA_HOME" >&2; exit 1; }

echo "cuda-runtime.sh: building Fovea, which takes minutes the first time" >&2
(cd "$root" && JAVA_HOME=$home JAVA25_HOME=$home mvn -B -q -DskipTests -Dmaven.test.skip -pl java/cli -am package) </dev/null
lib=$root/java/cli/target/lib
jars=("$root"/java/cli/target/fovea-cli-*.jar "$lib"/fovea-[0-9].[0-9].[0-9].jar "$lib"/fovea-cuda-*.jar
  "$lib"/picocli-*.jar "$lib"/jline-*.jar "$lib"/gson-*.jar)
"$home/bin/jar" tf "$lib"/fovea-cuda-*.jar | grep -q libfovea_cuda.so ||
  { echo "cuda-runtime.sh: the jar fovea-cuda has no library: build where nvcc is" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The command's jar is no module, so that all jars go on the class path, and are looked at as classes.
mkdir "$work/classes"
for jar in "${jars[@]}"; do
  (cd "$work/classes" && "$home/bin/jar" xf "$jar" && rm -rf module-info.class META-INF)
done
modules=$("$home/bin/jdeps" --ignore-missing-deps --print-module-deps --multi-release 25 "$work/classes" | tr ',' '\n' |
  grep -vE '^(java\.desktop|java\.sql|jdk\.incubator\.vector)$' | paste -sd ,)
rm -rf "$out"
mkdir -p "$(dirname "$out")"
"$home/bin/jlink" --add-modules "$modules,jdk.unsupported" --strip-debug --no-header-files --no-man-pages \
  --compress zip-9 --output "$out"

mkdir "$out/fovea-jars"
cp "${jars[@]}" "$out/fovea-jars"

cat >"$out/fovea" <<'LAUNCHER'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2086 # several options in one variable
exec "$here/bin/java" --enable-native-access=ALL-UNNAMED ${FOVEA_JAVA_OPTIONS:-} -cp "$here/fovea-jars/*" \
  dev.fovea.cli.Main "$@"
LAUNCHER
chmod +x "$out/fovea"

megabytes=$(du -sm --apparent-size "$out" | cut -f 1)
echo "$out: $megabytes MB"
[ "$megabytes" -le "$most_megabytes" ] || { echo "cuda-runtime.sh: more than $most_megabytes MB" >&2; exit 1; }
