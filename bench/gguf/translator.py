"""T5 in double, on the tensors of a GGUF file of llama.cpp's architecture t5 (container.Reader), and random models of it.

Written from Raffel et al., arXiv:1910.10683, in version 1.1: gated GELU, and logits by a matrix of their own.
"""

import math

import numpy as np

import container
from decoder import gelu

WIDTH, HEADS, KEY, INNER, LAYERS, VOCABULARY, BUCKETS, FAR = 512, 8, 64, 1024, 3, 1024, 32, 128


def bucket(distance, buckets, causal):
    """Of key − query: near ones alone, farther ones by their logarithm, up to FAR."""
    first, far = 0, -distance
    if not causal:
        buckets //= 2
        first, far = (buckets if distance > 0 else 0), abs(distance)
    far, exact = max(far, 0), buckets // 2
    if far < exact:
        return first + far
    large = exact + int(np.float32(math.log(far / exact)) / np.float32(math.log(FAR / exact)) * np.float32(buckets - exact))
    return first + min(large, buckets - 1)


class Translator:
    def __init__(self, reader):
        self.tensors, metadata = reader.tensors, reader.metadata
        self.heads, self.epsilon = metadata["t5.attention.head_count"], metadata["t5.attention.layer_norm_rms_epsilon"]
        self.layers, self.buckets = metadata["t5.block_count"], metadata["t5.attention.relative_buckets_count"]

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.epsilon) * self.tensors[name + ".weight"]

    def linear(self, x, name):
        return x @ self.tensors[name + ".weight"].T

    def attention(self, x, source, name, bias):
        q, k, v = (self.linear(y, name + part).reshape(len(y), self.heads, -1) for part, y in (("q", x), ("k", source), ("v", source)))
        scores = np.einsum("qhd,khd->hqk", q, k) + bias
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return self.linear(np.einsum("hqk,khd->qhd", weights, v).reshape(len(x), -1), name + "o")

    def stack(self, stack, ids, memory=None):
        causal, x, n = memory is not None, self.tensors["token_embd.weight"][ids], len(ids)
        table = self.tensors[stack + "blk.0.attn_rel_b.weight"]
        bias = np.array([[table[bucket(k - q, self.buckets, causal)] for k in range(n)] for q in range(n)]).transpose(2, 0, 1)
        if causal:
            bias = np.where(np.tril(np.ones((n, n), bool)), bias, -np.inf)
        for layer in range(self.layers):
            block = "%sblk.%d." % (stack, layer)
            h = self.norm(x, block + "attn_norm")
            x = x + self.attention(h, h, block + "attn_", bias)
            if causal:
                x = x + self.attention(self.norm(x, block + "cross_attn_norm"), memory, block + "cross_attn_", 0)
            h = self.norm(x, block + "ffn_norm")
            x = x + self.linear(gelu(self.linear(h, block + "ffn_gate")) * self.linear(h, block + "ffn_up"), block + "ffn_down")
        return self.norm(x, stack + "output_norm")

    def logits(self, source, ids):
        """[len(ids), vocabulary]: what it writes for a source, behind each of the tokens that it has written."""
        return self.linear(self.stack("dec.", ids, self.stack("enc.", source)), "output")


def make(path, seed=1):
    """A random model in F32."""
    random, tensors = np.random.default_rng(seed), {}

    def matrix(name, rows, columns, scale=1.0):
        tensors[name + ".weight"] = (random.normal(0, scale / math.sqrt(columns), (rows, columns)), "F32")

    def norm(name):
        tensors[name + ".weight"] = (1 + random.normal(0, 0.1, WIDTH), "F32")

    matrix("token_embd", VOCABULARY, WIDTH, math.sqrt(WIDTH) / 2)
    matrix("output", VOCABULARY, WIDTH, 3)
    for stack in ("enc.", "dec."):
        tensors[stack + "blk.0.attn_rel_b.weight"] = (random.normal(0, 1, (BUCKETS, HEADS)), "F32")
        for layer in range(LAYERS):
            block = "%sblk.%d." % (stack, layer)
            for kind in ("attn_", "cross_attn_")[:1 if stack == "enc." else 2]:
                norm(block + kind + "norm")
                matrix(block + kind + "q", HEADS * KEY, WIDTH, 1 / math.sqrt(math.sqrt(KEY)))  # scores are not scaled
                matrix(block + kind + "k", HEADS * KEY, WIDTH, 1 / math.sqrt(math.sqrt(KEY)))
                matrix(block + kind + "v", HEADS * KEY, WIDTH)
                matrix(block + kind + "o", WIDTH, HEADS * KEY)
            norm(block + "ffn_norm")
            matrix(block + "ffn_gate", INNER, WIDTH)
            matrix(block + "ffn_up", INNER, WIDTH)
            matrix(block + "ffn_down", WIDTH, INNER)
        norm(stack + "output_norm")
    settings = {"context_length": 512, "embedding_length": WIDTH, "feed_forward_length": INNER, "block_count": LAYERS,
                "decoder_block_count": LAYERS, "decoder_start_token_id": 0, "attention.head_count": HEADS,
                "attention.key_length": KEY, "attention.value_length": KEY, "attention.relative_buckets_count": BUCKETS,
                "attention.layer_norm_epsilon": 1e-6, "attention.layer_norm_rms_epsilon": 1e-6}
    container.write(path, {
        "general.architecture": "t5", **{"t5." + key: value for key, value in settings.items()},
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["<t%d>" % i for i in range(VOCABULARY)],
        "tokenizer.ggml.scores": [-float(i) for i in range(VOCABULARY)], "tokenizer.ggml.token_type": [1] * VOCABULARY,
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0}, tensors)
