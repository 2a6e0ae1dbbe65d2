"""Forward passes in double of the language models that llama.cpp writes, on the tensors of a GGUF file (container.Reader).

Written from the papers and llama.cpp's definitions of its architectures. make() writes random models of them, and logits() is
what one says of each place of a text.
"""

import math

import numpy as np

import container

ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "smollm3", "gpt2")
WIDTH, HEADS, KV_HEADS, HEAD_DIM, INNER, VOCABULARY, CONTEXT = 512, 8, 4, 64, 1024, 1024, 512
LAYERS = {"gemma3": 6}  # one of six sees all


def silu(x):
    return x / (1 + np.exp(-x))


def gelu(x):
    """In the tanh form."""
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def rotate(x, base, neighbours):
    """x [tokens, heads, head_dim]; element i is paired with i + head_dim / 2, or with its neighbour."""
    half = x.shape[-1] // 2
    angles = (np.arange(len(x))[:, None] * base ** (-np.arange(half) / half))[:, None]
    a, b = (x[..., ::2], x[..., 1::2]) if neighbours else (x[..., :half], x[..., half:])
    a, b = a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)
    return np.stack([a, b], -1).reshape(x.shape) if neighbours else np.concatenate([a, b], -1)


class Decoder:
    def __init__(self, reader):
        self.tensors, self.kind = reader.tensors, reader.metadata["general.architecture"]
        self.settings = {key[len(self.kind) + 1:]: value for key, value in reader.metadata.items()
                         if key.startswith(self.kind + ".")}
        self.gemma = self.kind.startswith("gemma")

    def norm(self, x, name):
        if self.kind == "gpt2":
            x = x - x.mean(-1, keepdims=True)
        epsilon = self.settings["attention.layer_norm_%sepsilon" % ("" if self.kind == "gpt2" else "rms_")]
        scaled = x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * self.tensors[name + ".weight"]
        return scaled + self.tensors.get(name + ".bias", 0)

    def linear(self, x, name):
        return x @ self.tensors[name + ".weight"].T + self.tensors.get(name + ".bias", 0)

    def attention(self, x, layer):
        block, tokens = "blk.%d." % layer, len(x)
        heads = self.settings["attention.head_count"]
        dim = self.settings.get("attention.key_length", x.shape[1] // heads)
        if block + "attn_qkv.weight" in self.tensors:
            q, k, v = np.split(self.linear(x, block + "attn_qkv"), [heads * dim, (heads + self.kv_heads()) * dim], -1)
        else:
            q, k, v = (self.linear(x, block + "attn_" + part) for part in "qkv")
        q, k, v = (part.reshape(tokens, -1, dim) for part in (q, k, v))
        if block + "attn_q_norm.weight" in self.tensors:
            q, k = self.norm(q, block + "attn_q_norm"), self.norm(k, block + "attn_k_norm")
        windowed = self.kind == "gemma2" and layer % 2 == 0 or self.kind == "gemma3" and layer % 6 != 5
        if self.kind != "gpt2" and not (self.kind == "smollm3" and layer % 4 == 3):
            base = self.settings["rope.freq_base"]
            if windowed and self.kind == "gemma3":
                base = self.settings.get("rope.freq_base_swa", 10000.0)
            q, k = (rotate(part, base, self.kind in ("llama", "smollm3")) for part in (q, k))
        k, v = (np.repeat(part, heads // self.kv_heads(), 1) for part in (k, v))
        scores = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(dim)
        scores = self.capped(scores, "attn_logit_softcapping")
        distance = np.arange(tokens)[:, None] - np.arange(tokens)
        sees = (distance >= 0) & (~np.bool_(windowed) | (distance < self.settings.get("attention.sliding_window", tokens)))
        weights = np.exp(np.where(sees, scores - scores.max(-1, keepdims=True), -np.inf))
        weights /= weights.sum(-1, keepdims=True)
        return self.linear(np.einsum("hqk,khd->qhd", weights, v).reshape(tokens, -1), block + "attn_output")

    def kv_heads(self):
        return self.settings.get("attention.head_count_kv", self.settings["attention.head_count"])

    def capped(self, x, name):
        return self.settings[name] * np.tanh(x / self.settings[name]) if name in self.settings else x

    def feed_forward(self, x, layer):
        block = "blk.%d." % layer
        up = self.linear(x, block + "ffn_up")
        if self.kind == "gpt2":
            return self.linear(gelu(up), block + "ffn_down")
        gate, up = np.split(up, 2, -1) if self.kind == "phi3" else (self.linear(x, block + "ffn_gate"), up)
        return self.linear((gelu if self.gemma else silu)(gate) * up, block + "ffn_down")

    def logits(self, ids):
        """[len(ids), vocabulary]"""
        x = self.tensors["token_embd.weight"][ids] * (math.sqrt(self.settings["embedding_length"]) if self.gemma else 1)
        if self.kind == "gpt2":
            x = x + self.tensors["position_embd.weight"][:len(ids)]
        for layer in range(self.settings["block_count"]):
            block = "blk.%d." % layer
            attended = self.attention(self.norm(x, block + "attn_norm"), layer)
            x = x + (self.norm(attended, block + "post_attention_norm") if self.gemma else attended)
            inner = self.feed_forward(self.norm(x, block + "ffn_norm"), layer)
            x = x + (self.norm(inner, block + "post_ffw_norm") if self.gemma else inner)
        x = self.norm(x, "output_norm")
        return self.capped(x @ self.tensors.get("output.weight", self.tensors["token_embd.weight"]).T, "final_logit_softcapping")


def make(path, kind, seed=1):
    """A random model in F32. Its matrices keep the size of what goes through them, and its logits spread by about 3."""
    random, tensors, gpt2 = np.random.default_rng(seed), {}, kind == "gpt2"
    kv_heads, layers = (HEADS if gpt2 else KV_HEADS), LAYERS.get(kind, 4)

    def matrix(name, rows, columns, scale=1.0, bias=False):
        tensors[name + ".weight"] = (random.normal(0, scale / math.sqrt(columns), (rows, columns)), "F32")
        if bias:
            tensors[name + ".bias"] = (random.normal(0, 0.1, rows), "F32")

    def norm(name, width=WIDTH):
        tensors[name + ".weight"] = (1 + random.normal(0, 0.1, width), "F32")
        if gpt2:
            tensors[name + ".bias"] = (random.normal(0, 0.1, width), "F32")

    # Tied, but for gpt2, as the public ones are; those of Gemma are scaled by the root of the width.
    matrix("token_embd", VOCABULARY, WIDTH, 1 if kind.startswith("gemma") else 3)
    if gpt2:
        matrix("position_embd", CONTEXT, WIDTH)
    for layer in range(layers):
        block = "blk.%d." % layer
        norm(block + "attn_norm")
        if gpt2 or kind == "phi3":
            matrix(block + "attn_qkv", (HEADS + 2 * kv_heads) * HEAD_DIM, WIDTH, bias=gpt2)
        else:
            for part, count in zip("qkv", (HEADS, kv_heads, kv_heads)):
                matrix(block + "attn_" + part, count * HEAD_DIM, WIDTH, bias=kind == "qwen2")
        if kind in ("qwen3", "gemma3"):
            norm(block + "attn_q_norm", HEAD_DIM)
            norm(block + "attn_k_norm", HEAD_DIM)
        matrix(block + "attn_output", WIDTH, HEADS * HEAD_DIM, bias=gpt2)
        norm(block + "ffn_norm")
        matrix(block + "ffn_up", INNER * (2 if kind == "phi3" else 1), WIDTH, bias=gpt2)
        if not gpt2 and kind != "phi3":
            matrix(block + "ffn_gate", INNER, WIDTH)
        matrix(block + "ffn_down", WIDTH, INNER, bias=gpt2)
        if kind.startswith("gemma"):
            norm(block + "post_attention_norm")
            norm(block + "post_ffw_norm")
    norm("output_norm")
    settings = {"context_length": CONTEXT, "embedding_length": WIDTH, "block_count": layers, "feed_forward_length": INNER,
                "attention.head_count": HEADS, "attention.head_count_kv": kv_heads}
    if gpt2:
        settings["attention.layer_norm_epsilon"] = 1e-5
    else:
        settings.update({"attention.layer_norm_rms_epsilon": 1e-5, "attention.key_length": HEAD_DIM,
                         "attention.value_length": HEAD_DIM, "rope.dimension_count": HEAD_DIM, "rope.freq_base": 10000.0})
    if kind.startswith("gemma"):
        settings["attention.sliding_window"] = 32
    if kind == "gemma2":
        settings.update({"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0})
    if kind == "gemma3":
        settings.update({"rope.freq_base": 1000000.0, "rope.freq_base_swa": 10000.0})
    container.write(path, {
        "general.architecture": kind, **{kind + "." + key: value for key, value in settings.items()},
        "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["<t%d>" % i for i in range(VOCABULARY)],
        "tokenizer.ggml.scores": [-float(i) for i in range(VOCABULARY)], "tokenizer.ggml.token_type": [1] * VOCABULARY,
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0}, tensors)
