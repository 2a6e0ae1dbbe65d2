#!/usr/bin/env bash
# Builds the projects beside it against the artifacts that `mvn install` makes, as users would, and runs them.
#
#   java/it/run.sh [classpath|modules|jlink|boot3|boot4|tomcat|sizes|repeat...]
#
# Without arguments all of them. Installs into a repository of its own, target/it/repository, with links to what the user's
# already has. Needs what `mvn verify` needs. Prints "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/../.."

root=$PWD
it=$root/target/it
repository=$it/repository
cache=$it/cache
java_home=${JAVA25_HOME:-${JAVA_HOME:-}}
[ -n "$java_home" ] && [ -x "$java_home/bin/jlink" ] || {
  echo "run.sh: expected JAVA_HOME to name a JDK 25, got '${JAVA_HOME:-}'" >&2
  exit 1
}
case $(uname -sm) in
  'Linux x86_64') platform=linux-x86_64 ;;
  'Linux aarch64') platform=linux-aarch64 ;;
  'Darwin arm64') platform=macos-aarch64 ;;
  'Darwin x86_64') platform=macos-x86_64 ;;
  *) echo "run.sh: no jar is built for $(uname -sm)" >&2; exit 1 ;;
esac
module=dev.fovea.natives.${platform//-/.}
passed=0
failed=0

maven() {
  # Maven's own libraries use what the JVM warns of.
  MAVEN_OPTS="${MAVEN_OPTS:-} --sun-misc-unsafe-memory-access=allow" JAVA_HOME=$java_home JAVA25_HOME=$java_home mvn -B -ntp -q "-Dmaven.repo.local=$repository" "-Dplatform=$platform" "$@"
}

# check NAME EXPECTED OUTPUT: an extended regular expression that a line of the output matches.
check() {
  if grep -qE "^$2\$" <<<"$3"; then
    passed=$((passed + 1))
    echo "it: $1: passed"
  else
    failed=$((failed + 1))
    printf 'it: %s: failed, expected a line %s, got\n%s\n' "$1" "$2" "$3"
  fi
}

# Runs java with arguments, and a cache of the projects' own.
run() {
  "$java_home/bin/java" "-Dfovea.cache=$cache" "$@" 2>&1 || true
}

# The jars of the project $1's class path that are not the model's.
default_jars() {
  find "$1/target/lib" -name '*.jar' ! -name 'langchain4j-*'
}

# What every project prints: that the core computes, and the vector's first number.
vector='NATIVE 384 -?0\.[0-9]{6}'

classpath() {
  maven -f java/it/classpath package
  check "class path" "$vector" "$(run --enable-native-access=ALL-UNNAMED --illegal-native-access=deny \
    -cp 'java/it/classpath/target/classpath.jar:java/it/classpath/target/lib/*' dev.fovea.it.Main)"
}

# Needs the model that classpath has put into the cache.
modules() {
  maven -f java/it/modules package
  check "module path" "$vector" "$(run --enable-native-access=dev.fovea --illegal-native-access=deny \
    -p java/it/modules/target/modules.jar:java/it/modules/target/lib -m dev.fovea.it/dev.fovea.it.Main)"
  rm -f "$it/modules.jfr"
  run --enable-native-access=dev.fovea -XX:StartFlightRecording=filename="$it/modules.jfr",settings=none,+dev.fovea.Load#enabled=true \
    -p java/it/modules/target/modules.jar:java/it/modules/target/lib -m dev.fovea.it/dev.fovea.it.Main >/dev/null
  check "module path: flight recording" ' *model = "all-minilm-l6-v2"' \
    "$("$java_home/bin/jfr" print --events dev.fovea.Load "$it/modules.jfr" 2>&1)"
}

jlink() {
  rm -rf "$it/image"
  "$java_home/bin/jlink" --module-path java/it/modules/target/modules.jar:java/it/modules/target/lib \
    --add-modules "dev.fovea.it,$module" --launcher fovea-it=dev.fovea.it/dev.fovea.it.Main --output "$it/image"
  check "jlink" "$vector" "$(JDK_JAVA_OPTIONS="-Dfovea.cache=$cache --enable-native-access=dev.fovea" "$it/image/bin/fovea-it" 2>&1)"
  check "jlink: modules" "$module@.*" "$("$it/image/bin/java" --list-modules)"
  check "jlink: no jdk.jfr needed" none "$("$it/image/bin/java" --list-modules | grep jdk.jfr || echo none)"
}

boot() {
  maven -f "java/it/$1" package
  check "Spring Boot, $1" ".*$vector" "$(run --enable-native-access=ALL-UNNAMED --illegal-native-access=deny \
    -jar "java/it/$1/target/$1.jar")"
}

# Two web applications with a copy each, the second deployed 20 times. Tomcat's own jars are the server's class path. All
# of the heap is there from the start, so that what grows is not it.
tomcat() {
  local app=$it/webapp out count
  maven -f java/it/tomcat package
  rm -rf "$app"
  mkdir -p "$app/WEB-INF/lib" "$app/WEB-INF/classes"
  cp -r java/it/tomcat/target/classes/. "$app/WEB-INF/classes"
  rm "$app/WEB-INF/classes/dev/fovea/it/Server.class"
  find java/it/tomcat/target/lib -name '*.jar' ! -name 'tomcat-*' -exec cp {} "$app/WEB-INF/lib" \;
  rm -rf "$it/server"
  mkdir -p "$it/server/dev/fovea/it"
  cp java/it/tomcat/target/classes/dev/fovea/it/Server.class "$it/server/dev/fovea/it"
  out=$(run --enable-native-access=ALL-UNNAMED --illegal-native-access=deny -Xms256m -Xmx256m -XX:+AlwaysPreTouch -XX:+UseSerialGC \
    --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.rmi/sun.rmi.transport=ALL-UNNAMED \
    -cp "$it/server:$(printf '%s:' java/it/tomcat/target/lib/tomcat-*.jar)" dev.fovea.it.Server "$app" 20)
  check "Tomcat: the first application" "first $vector" "$out"
  check "Tomcat: the first application after 20 deployments beside it" "first again $vector" "$out"
  count=$(grep -cE "^second $vector\$" <<<"$out" || true)
  check "Tomcat: 20 deployments compute natively" 20 "$count"
  check "Tomcat: class loaders" "loaders left 0" "$out"
  check "Tomcat: metaspace" "metaspace flat" "$out"
  check "Tomcat: memory" "memory flat" "$out"
}

sizes() {
  local bytes=0 jar size
  for jar in $(default_jars java/it/classpath); do
    size=$(wc -c <"$jar")
    bytes=$((bytes + size))
    case ${jar##*/} in
      fovea-native-*) check "$((size / 1000)) kB, ${jar##*/}" small "$([ "$size" -lt 1000000 ] && echo small || echo large)" ;;
    esac
  done
  check "$((bytes / 1000)) kB, class path of an encoder" small "$([ "$bytes" -lt 3000000 ] && echo small || echo "large: $bytes")"
  check "POM without properties and profiles" flat "$(grep -qE '\$\{|<profile>|<parent>' \
    "$repository"/dev/fovea/fovea/*/*.pom "$repository"/dev/fovea/fovea-native-"$platform"/*/*.pom && echo variable || echo flat)"
}

# The same sources give the same jars.
repeat() {
  local jars first
  jars="$root/java/core/target/fovea-0.1.0.jar $root/native/jars/$platform/target/fovea-native-$platform-0.1.0.jar"
  # shellcheck disable=SC2086 # two files
  first=$(sha256sum $jars)
  # shellcheck disable=SC2086
  rm -rf $jars native/target/cmake native/target/classes java/core/target/classes
  install
  # shellcheck disable=SC2086
  check "built twice, the same bytes" same "$([ "$first" = "$(sha256sum $jars)" ] && echo same || sha256sum $jars)"
}

install() {
  maven install -DskipTests -Dnative.cuda=OFF \
    -pl "bom,native,native/jars,native/jars/$platform,java,java/core"
}

mkdir -p "$it" "$cache"
if [ ! -d "$repository" ]; then
  mkdir -p "$HOME/.m2/repository"
  cp -al "$HOME/.m2/repository" "$repository" 2>/dev/null || mkdir -p "$repository"
fi
rm -rf "$repository/dev/fovea"
install
[ $# -gt 0 ] || set -- classpath modules jlink boot3 boot4 tomcat sizes repeat
for part in "$@"; do
  case $part in
    boot3 | boot4) boot "$part" ;;
    classpath | modules | jlink | tomcat | sizes | repeat) "$part" ;;
    *) echo "run.sh: expected classpath, modules, jlink, boot3, boot4, tomcat, sizes or repeat, got $part" >&2; exit 2 ;;
  esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
