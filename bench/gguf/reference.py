"""Forward passes in double of the encoders that llama.cpp writes, on the tensors of a GGUF file (container.Reader).

GELU is the one with erf, as the models were trained; llama.cpp takes the tanh form from a table of halves, which is a part
of its error. vector(model, ids) is the pooled and normalised vector of one sequence.
"""

import math

import numpy as np

ERF = np.vectorize(math.erf)


def gelu(x):
    return x / 2 * (1 + ERF(x / math.sqrt(2)))


def silu(x):
    return x / (1 + np.exp(-x))


def layer_norm(x, weight, bias, epsilon):
    centered = x - x.mean(-1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(-1, keepdims=True) + epsilon) * weight + bias


def rotate(x, base):
    """x [heads, tokens, head_dim]; element i is paired with i + head_dim / 2."""
    half = x.shape[-1] // 2
    angles = np.arange(x.shape[1])[:, None] * base ** (-np.arange(half) / half)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)], -1)


class Encoder:
    def __init__(self, reader):
        self.tensors = reader.tensors
        self.kind = reader.metadata["general.architecture"]
        self.settings = {key[len(self.kind) + 1:]: value for key, value in reader.metadata.items()
                         if key.startswith(self.kind + ".")}
        self.heads = self.settings["attention.head_count"]
        self.epsilon = self.settings["attention.layer_norm_epsilon"]

    def norm(self, x, name):
        return layer_norm(x, self.tensors[name + ".weight"], self.tensors.get(name + ".bias", 0), self.epsilon)

    def linear(self, x, name):
        return x @ self.tensors[name + ".weight"].T + self.tensors.get(name + ".bias", 0)

    def attention(self, x, layer):
        block = "blk.%d." % layer
        if block + "attn_qkv.weight" in self.tensors:
            parts = np.split(self.linear(x, block + "attn_qkv"), 3, -1)
        else:
            parts = [self.linear(x, block + "attn_" + part) for part in "qkv"]
        q, k, v = (part.reshape(len(x), self.heads, -1).swapaxes(0, 1) for part in parts)
        distance = np.abs(np.arange(len(x))[:, None] - np.arange(len(x)))
        add = 0
        if self.kind == "nomic-bert":
            q, k = (rotate(part, self.settings["rope.freq_base"]) for part in (q, k))
        if self.kind == "modern-bert":
            full = layer % 3 == 0
            base = self.settings["rope.freq_base" if full else "rope.freq_base_swa"]
            q, k = rotate(q, base), rotate(k, base)
            add = np.where(full | (distance <= self.settings["attention.sliding_window"] // 2), 0, -np.inf)
        if self.kind == "jina-bert-v2":
            slopes = 2.0 ** (-8 / self.heads * np.arange(1, self.heads + 1))
            add = -slopes[:, None, None] * distance
        scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1]) + add
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return self.linear((weights @ v).swapaxes(0, 1).reshape(len(x), -1), block + "attn_output")

    def feed_forward(self, x, layer):
        block = "blk.%d." % layer
        up = self.linear(x, block + "ffn_up")
        if block + "ffn_gate.weight" in self.tensors:
            activation = silu if self.kind == "nomic-bert" else gelu
            inner = activation(self.linear(x, block + "ffn_gate")) * up
        elif self.kind in ("jina-bert-v2", "modern-bert"):
            gate, up = np.split(up, 2, -1)
            inner = gelu(gate) * up
        else:
            inner = gelu(up)
        return self.linear(inner, block + "ffn_down")

    def hidden(self, ids):
        x = self.tensors["token_embd.weight"][ids]
        if "token_types.weight" in self.tensors:
            x = x + self.tensors["token_types.weight"][0]
        if "position_embd.weight" in self.tensors:
            x = x + self.tensors["position_embd.weight"][:len(ids)]
        x = self.norm(x, "token_embd_norm")
        for layer in range(self.settings["block_count"]):
            block = "blk.%d." % layer
            if self.kind == "modern-bert":
                x = x + self.attention(self.norm(x, block + "attn_norm") if layer else x, layer)
                x = x + self.feed_forward(self.norm(x, block + "ffn_norm"), layer)
            else:
                x = self.norm(x + self.attention(x, layer), block + "attn_output_norm")
                x = self.norm(x + self.feed_forward(x, layer), block + "layer_output_norm")
        return self.norm(x, "output_norm") if self.kind == "modern-bert" else x

    def vector(self, ids):
        hidden = self.hidden(ids)
        pooled = hidden.mean(0) if self.settings["pooling_type"] == 1 else hidden[0]
        return pooled / np.linalg.norm(pooled)
