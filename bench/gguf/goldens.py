"""Writes the files of GgufEncoderTest: random encoders of a few KB, and their vectors by reference.py in double.

    python3 bench/gguf/goldens.py java/core/src/test/resources/dev/fovea/model/gguf

bert in every type that is read, the other architectures in Q8_0 and F32. Tokens are w0 to w29 and continuations ##a to
##d; vectors are those of the dequantised weights.
"""

import json
import os
import sys

import numpy as np

import container
from reference import Encoder

WIDTH, HEADS, INNER, POSITIONS = 32, 2, 32, 24
WRITTEN = [kind for kind in container.TYPES if not kind.endswith("K")]  # a K type has 256 values in a row
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TOKENS = SPECIAL + ["\u2581w%d" % i for i in range(30)] + list("abcd")
TEXTS = {"w1 w2 w3": [2, 6, 7, 8, 3], "w7ab W29": [2, 12, 35, 36, 34, 3], "": [2, 3],
         "w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11": [2] + list(range(5, 17)) + [3]}


def metadata(kind, layers, pooling):
    settings = {"context_length": POSITIONS, "embedding_length": WIDTH, "block_count": layers,
                "feed_forward_length": INNER, "attention.head_count": HEADS, "attention.layer_norm_epsilon": 1e-5,
                "attention.causal": False, "pooling_type": pooling}
    if kind == "nomic-bert":
        settings["rope.freq_base"] = 1000.0
    if kind == "modern-bert":
        settings.update({"rope.freq_base": 160000.0, "rope.freq_base_swa": 10000.0, "attention.sliding_window": 6})
    return {"general.architecture": kind, **{kind + "." + key: value for key, value in settings.items()},
            "tokenizer.ggml.model": "bert", "tokenizer.ggml.tokens": TOKENS,
            "tokenizer.ggml.token_type": [3] * len(SPECIAL) + [1] * (len(TOKENS) - len(SPECIAL)),
            "tokenizer.ggml.token_type_count": 2, "tokenizer.ggml.unknown_token_id": 1,
            "tokenizer.ggml.padding_token_id": 0, "tokenizer.ggml.cls_token_id": 2, "tokenizer.ggml.bos_token_id": 2,
            "tokenizer.ggml.seperator_token_id": 3, "tokenizer.ggml.eos_token_id": 3, "tokenizer.ggml.mask_token_id": 4}


def tensors(kind, layers, matrix, random):
    found = {}

    def weight(name, *shape, scale=None):
        vector = len(shape) == 1 or name in ("position_embd.weight", "token_types.weight")
        values = random.normal(0, scale or (1 / np.sqrt(shape[-1])), shape)
        found[name] = (values, "F32" if vector else matrix)

    def norm(name, bias=True):
        found[name + ".weight"] = (1 + random.normal(0, 0.1, WIDTH), "F32")
        if bias:
            found[name + ".bias"] = (random.normal(0, 0.1, WIDTH), "F32")

    def linear(name, outputs, inputs, bias=True):
        weight(name + ".weight", outputs, inputs)
        if bias:
            weight(name + ".bias", outputs, scale=0.1)

    modern, jina, nomic = kind == "modern-bert", kind == "jina-bert-v2", kind == "nomic-bert"
    weight("token_embd.weight", len(TOKENS), WIDTH, scale=1)
    if not modern:
        weight("token_types.weight", 2, WIDTH, scale=0.5)
    if kind == "bert":
        weight("position_embd.weight", POSITIONS, WIDTH, scale=0.5)
    norm("token_embd_norm", not modern)
    for layer in range(layers):
        block = "blk.%d." % layer
        if modern and layer:
            norm(block + "attn_norm", False)
        if modern or nomic:
            linear(block + "attn_qkv", 3 * WIDTH, WIDTH, False)
        else:
            for part in "qkv":
                linear(block + "attn_" + part, WIDTH, WIDTH)
        linear(block + "attn_output", WIDTH, WIDTH, kind == "bert" or jina)
        if not modern:
            norm(block + "attn_output_norm")
        if modern:
            norm(block + "ffn_norm", False)
        linear(block + "ffn_up", 2 * INNER if modern else INNER, WIDTH, kind == "bert")
        if nomic or jina:
            linear(block + "ffn_gate", INNER, WIDTH, False)
        linear(block + "ffn_down", WIDTH, INNER, kind == "bert" or jina)
        if not modern:
            norm(block + "layer_output_norm")
    if modern:
        norm("output_norm", False)
    return found


def main(folder):
    os.makedirs(folder, exist_ok=True)
    cases = [("bert", 1, kind, 1 + i % 2) for i, kind in enumerate(WRITTEN)]
    cases += [("nomic-bert", 2, "Q8_0", 1), ("jina-bert-v2", 2, "Q8_0", 1), ("modern-bert", 3, "Q8_0", 2)]
    expected = {}
    for seed, (kind, layers, matrix, pooling) in enumerate(cases):
        name = "%s-%s.gguf" % (kind, matrix.lower())
        path = os.path.join(folder, name)
        container.write(path, metadata(kind, layers, pooling), tensors(kind, layers, matrix, np.random.default_rng(seed)))
        encoder = Encoder(container.Reader(path))
        expected[name] = {text: [round(x, 9) for x in encoder.vector(ids)] for text, ids in TEXTS.items()}
    with open(os.path.join(folder, "expected.json"), "w") as file:
        lines = (json.dumps(name) + ": {\n" + ",\n".join(
            json.dumps(text) + ": " + json.dumps(vector) for text, vector in vectors.items()) + "}"
            for name, vectors in expected.items())
        file.write("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main(sys.argv[1])
