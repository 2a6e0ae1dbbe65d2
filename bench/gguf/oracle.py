"""Compares the command line with llama.cpp on the same GGUF files, and both with double precision.

    python3 bench/gguf/oracle.py --llama DIR --fovea COMMAND [--onnx MODEL.onnx --tokenizer tokenizer.json --name NAME
        --pooling mean|cls] [--goldens DIR]

With --onnx, a BERT encoder is written as GGUF and quantized by llama.cpp; --goldens takes the files of goldens.py.
For each file: the greatest difference of components of unit vectors between llama.cpp and reference.py, between Fovea
and reference.py, and between the two; the last must be at most twice the first. Texts must have as many tokens; that
they are the same ones shows in the vectors.
"""

import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

import container
import llama
from reference import Encoder

TEXTS = ["How do I reset my password?", "hello world", "Grüße aus Köln, naïve café!",
         "The quick brown fox jumps over the lazy dog, while 42 engineers measure quantization errors in GGUF files.",
         "unbelievably uncharacteristic antidisestablishmentarianism", "a",
         " ".join("word%d of a long text that goes on and on," % i for i in range(16))]
GOLDEN_TEXTS = ["w1 w2 w3", "w7ab W29", "w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11"]


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """The fields of a protobuf message: number and bytes, or an integer."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            size = 4 if tag & 7 == 5 else 8
            value, at = data[at:at + size], at + size
        yield tag >> 3, value


def onnx_weights(path):
    """The weights of a BERT encoder by the names of transformers; matrices of products are named by their biases."""
    data = memoryview(open(path, "rb").read())
    graph = next(value for number, value in fields(data) if number == 7)
    tensors, nodes = {}, []
    for number, value in fields(graph):
        if number == 5:
            dims, kind, raw, name = [], 0, b"", ""
            for n, v in fields(value):
                if n == 1:
                    if isinstance(v, int):
                        dims.append(v)
                    else:
                        at = 0
                        while at < len(v):
                            size, at = varint(v, at)
                            dims.append(size)
                elif n == 2:
                    kind = v
                elif n == 8:
                    name = bytes(v).decode()
                elif n == 9:
                    raw = v
            if kind == 1:
                tensors[name] = np.frombuffer(raw, "<f4").reshape(dims)
        elif number == 1:
            parts = [(n, bytes(v).decode()) for n, v in fields(value) if n in (1, 2, 4)]
            nodes.append((next((v for n, v in parts if n == 4), ""), [v for n, v in parts if n == 1],
                          [v for n, v in parts if n == 2]))
    products = {outputs[0]: inputs[1] for kind, inputs, outputs in nodes if kind == "MatMul" and inputs[1] in tensors}
    for kind, inputs, _ in nodes:
        if kind == "Add":
            for bias, product in (inputs, inputs[::-1]):
                if bias.endswith(".bias") and product in products:
                    tensors[bias[:-4] + "weight"] = tensors[products[product]].T
    return tensors


LAYER = {"attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
         "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
         "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm"}


def write_bert(path, weights, tokenizer, pooling):
    """The file that llama.cpp's own converter would write, in F32."""
    prefix = next(name for name in weights if name.endswith("embeddings.word_embeddings.weight"))[:-len(
        "embeddings.word_embeddings.weight")]
    tensors = {}
    for ours, name in (("word_embeddings.weight", "token_embd.weight"), ("position_embeddings.weight", "position_embd.weight"),
                       ("token_type_embeddings.weight", "token_types.weight"), ("LayerNorm.weight", "token_embd_norm.weight"),
                       ("LayerNorm.bias", "token_embd_norm.bias")):
        tensors[name] = (weights[prefix + "embeddings." + ours], "F32")
    layer = 0
    while "%sencoder.layer.%d.output.dense.bias" % (prefix, layer) in weights:
        for ours, name in LAYER.items():
            for end in ("weight", "bias"):
                tensors["blk.%d.%s.%s" % (layer, name, end)] = (
                    weights["%sencoder.layer.%d.%s.%s" % (prefix, layer, ours, end)], "F32")
        layer += 1
    parsed = json.load(open(tokenizer))
    vocabulary = parsed["model"]["vocab"]
    special = {token["content"]: token["id"] for token in parsed["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.get)
    spelled = [token if token in special else token[2:] if token.startswith("##") else "\u2581" + token for token in tokens]
    width = tensors["token_embd.weight"][0].shape[1]
    container.write(path, {
        "general.architecture": "bert", "general.name": "bert", "bert.block_count": layer,
        "bert.context_length": tensors["position_embd.weight"][0].shape[0], "bert.embedding_length": width,
        "bert.feed_forward_length": tensors["blk.0.ffn_up.weight"][0].shape[0],
        "bert.attention.head_count": width // 32 if width == 384 else width // 64,
        "bert.attention.layer_norm_epsilon": 1e-12, "bert.attention.causal": False,
        "bert.pooling_type": {"mean": 1, "cls": 2}[pooling], "general.file_type": 0,
        "tokenizer.ggml.model": "bert", "tokenizer.ggml.pre": "default", "tokenizer.ggml.tokens": spelled,
        "tokenizer.ggml.token_type": [3 if token in special else 1 for token in tokens],
        "tokenizer.ggml.token_type_count": 2, "tokenizer.ggml.unknown_token_id": special["[UNK]"],
        "tokenizer.ggml.seperator_token_id": special["[SEP]"], "tokenizer.ggml.padding_token_id": special["[PAD]"],
        "tokenizer.ggml.cls_token_id": special["[CLS]"], "tokenizer.ggml.bos_token_id": special["[CLS]"],
        "tokenizer.ggml.mask_token_id": special["[MASK]"]}, tensors)


def fovea_vectors(command, path, texts):
    run = subprocess.run(command.split() + ["embed", "--model", path, "--threads", "1", *texts], capture_output=True,
                         text=True)
    if run.returncode:
        return None, run.stderr.strip()
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    return [(row["tokens"], np.array(row["embedding"])) for row in rows], ""


def compare(library, command, path, texts, label):
    kinds = {}
    vectors, error = fovea_vectors(command, path, texts)
    if vectors is None:
        print("| %s | refused: %s |" % (label, error))
        return True
    reader = container.Reader(path)
    for name, kind in reader.types.items():
        if len(reader.tensors[name].shape) == 2:
            kinds[kind] = kinds.get(kind, 0) + 1
    encoder, theirs = Encoder(reader), library.load(path, reader.metadata[
        reader.metadata["general.architecture"] + ".context_length"])
    own, ours, between, cosine = 0, 0, 0, 1
    for text, (tokens, vector) in zip(texts, vectors):
        ids = theirs.tokens(text)
        if tokens != len(ids):
            raise SystemExit("%s: %d tokens, llama.cpp has %d of %r" % (label, tokens, len(ids), text))
        exact, peer = encoder.vector(ids), theirs.vector(ids)
        own = max(own, np.abs(peer - exact).max())
        ours = max(ours, np.abs(vector - exact).max())
        between = max(between, np.abs(vector - peer).max())
        cosine = min(cosine, vector @ peer)
    theirs.close()
    good = between <= 2 * own
    print("| %s | %s | %.1e | %.1e | %.1e | %.6f | %s |" % (
        label, ", ".join("%s %d" % pair for pair in sorted(kinds.items())), own, ours, between, cosine,
        "yes" if good else "NO"), flush=True)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--llama", required=True)
    parser.add_argument("--fovea", default="./fovea")
    parser.add_argument("--onnx")
    parser.add_argument("--tokenizer")
    parser.add_argument("--name", default="model")
    parser.add_argument("--pooling", default="mean")
    parser.add_argument("--goldens")
    parser.add_argument("--types", default="F32,F16,BF16,Q8_0,Q5_1,Q5_0,Q4_1,Q4_0,Q6_K,Q5_K_M,Q4_K_M")
    arguments = parser.parse_args()
    library, good = llama.Llama(arguments.llama), True
    print("| file | matrices | llama.cpp − fp64 | Fovea − fp64 | Fovea − llama.cpp | least cosine | within 2 × |")
    print("|---|---|---|---|---|---|---|")
    if arguments.onnx:
        with tempfile.TemporaryDirectory() as folder:
            plain = os.path.join(folder, "F32.gguf")
            write_bert(plain, onnx_weights(arguments.onnx), arguments.tokenizer, arguments.pooling)
            for kind in arguments.types.split(","):
                path = os.path.join(folder, kind + ".gguf")
                if kind != "F32":
                    library.quantize(plain, path, kind)
                good &= compare(library, arguments.fovea, path, TEXTS, arguments.name + " " + kind)
                if kind != "F32":
                    os.remove(path)
    if arguments.goldens:
        for path in sorted(glob.glob(os.path.join(arguments.goldens, "*.gguf"))):
            good &= compare(library, arguments.fovea, path, GOLDEN_TEXTS, os.path.basename(path))
    sys.exit(not good)


if __name__ == "__main__":
    main()
